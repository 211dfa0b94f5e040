package image

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/klauspost/compress/zstd"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/image/secret"
	"github.com/breakwater-sec/breakwater/redact"
)

// Scan opens an image in its registry and lists what is inside.
func Scan(ctx context.Context, ref Reference, o Options) (*Inventory, error) {
	o = o.withDefaults()
	img, err := openRemote(ctx, ref, o)
	if err != nil {
		return nil, err
	}
	return o.read(ctx, img)
}

// read lists what is inside an image that was opened.
func (o Options) read(ctx context.Context, img *opened) (*Inventory, error) {
	ref := img.reference
	inv := &Inventory{Version: InventoryVersion, Digest: img.digest, Reference: ref, Platform: img.platform, Builds: img.builds,
		ScannedAt: time.Now().UTC(), Packages: []Package{}, Layers: []Layer{}}
	s := &scan{inv: inv, o: o, search: newSearch()}
	for range searches {
		if err := s.read(ctx, img); err != nil {
			return nil, fmt.Errorf("scan %s: %w", ref, err)
		}
		if !s.search.follow(s.tree) {
			break
		}
	}
	s.finish()
	if err := inv.within(o.Limits); err != nil {
		return nil, fmt.Errorf("scan %s: %w", ref, err)
	}
	return inv, nil
}

// searches is how often an image is read at most: again when links led elsewhere than
// distributions keep their databases.
const searches = 3

// scan is one run of Scan.
type scan struct {
	inv     *Inventory
	o       Options
	search  *search
	budget  *budget
	tree    *tree
	now     []Package
	layerOf map[string]string // package as it is → the layer that made it so
	failed  []unreadDatabase
	strange map[string]int
	beyond  map[string]int
	unread  int
	why     string
	secrets []Secret
	// unsearched counts files that were not searched whole.
	unsearched int
}

// read reads an image from its lowest layer on.
func (s *scan) read(ctx context.Context, img *opened) error {
	s.tree, s.now, s.layerOf, s.failed, s.strange = newTree(), nil, map[string]string{}, nil, map[string]int{}
	s.inv.Layers, s.inv.Gaps, s.unread, s.beyond = []Layer{}, nil, 0, map[string]int{}
	s.budget, s.secrets, s.unsearched = &budget{limits: s.o.Limits, searcher: secret.New(s.o.Salt)}, nil, 0
	if img.config != nil {
		return s.unpacked(ctx, img)
	}
	if img.folder == "" {
		return s.layers(ctx, img.image)
	}
	c, err := folderContent(ctx, img.folder, "", s.budget, s.search)
	if err != nil {
		return err
	}
	return s.layer(ctx, c, "")
}

func (s *scan) layers(ctx context.Context, img v1.Image) error {
	if err := verify(img); err != nil {
		return err
	}
	if err := s.identify(img); err != nil {
		return err
	}
	config, err := img.ConfigFile()
	if err != nil {
		return fmt.Errorf("read its configuration: %w", err)
	}
	if strings.EqualFold(config.OS, "windows") {
		return fmt.Errorf("%w: it is an image of Windows, whose packages are not read", ErrUnsupported)
	}
	if err := builtFor(config, s.o.Platform); err != nil {
		return err
	}
	s.inv.Platform = strings.Trim(config.OS+"/"+config.Architecture, "/")
	if s.inv.Base, err = saidBase(img, config); err != nil {
		return err
	}
	layers, err := img.Layers()
	if err != nil {
		return fmt.Errorf("read its manifest: %w", err)
	}
	s.configured(config)
	commands := history(config)
	for i, l := range layers {
		digest, err := l.Digest()
		if err != nil {
			return fmt.Errorf("layer %d: %w", i+1, err)
		}
		meta := Layer{Digest: digest.String()}
		if i < len(commands) {
			meta.Command = redact.Text(commands[i])
		}
		if i < len(config.RootFS.DiffIDs) {
			meta.DiffID = config.RootFS.DiffIDs[i].String()
		}
		if meta.Size, err = l.Size(); err != nil {
			return fmt.Errorf("layer %d of %d (%s): %w", i+1, len(layers), digest, err)
		}
		s.inv.Layers = append(s.inv.Layers, meta)
		mt, err := l.MediaType()
		if err != nil {
			return fmt.Errorf("layer %d of %d (%s): %w", i+1, len(layers), digest, err)
		}
		if !isLayer(mt) {
			return fmt.Errorf("layer %d of %d (%s): %w: it is %q, no file system", i+1, len(layers), digest, ErrUnsupported, mt)
		}
		if !isDistributable(mt) {
			s.inv.gap("layer "+digest.String(), "it is a foreign layer, which registries do not hold", "Packages that it brings are unknown.")
			continue
		}
		c, err := s.content(ctx, l, digest.String(), Progress{Reference: s.inv.Reference, Layer: i + 1, Of: len(layers),
			Bytes: meta.Size})
		if err != nil {
			return fmt.Errorf("layer %d of %d (%s): %w", i+1, len(layers), digest, err)
		}
		if err := s.layer(ctx, c, digest.String()); err != nil {
			return err
		}
	}
	return nil
}

// unpacked reads layers that lie unpacked in folders.
func (s *scan) unpacked(ctx context.Context, img *opened) error {
	if strings.EqualFold(img.config.OS, "windows") {
		return fmt.Errorf("%w: it is an image of Windows, whose packages are not read", ErrUnsupported)
	}
	if err := builtFor(img.config, s.o.Platform); err != nil {
		return err
	}
	s.inv.Manifest, s.inv.Config = img.digest, img.configDigest
	s.inv.Platform = strings.Trim(img.config.OS+"/"+img.config.Architecture, "/")
	commands := history(img.config)
	for i, l := range img.stack {
		if len(commands) == len(img.stack) {
			l.is.Command = redact.Text(commands[i])
		}
		s.inv.Layers = append(s.inv.Layers, l.is)
		s.o.Progress(Progress{Reference: s.inv.Reference, Layer: i + 1, Of: len(img.stack), Bytes: l.is.Size})
		c, err := folderContent(ctx, l.dir, l.marks, s.budget, s.search)
		if err != nil {
			return fmt.Errorf("layer %d of %d (%s): %w", i+1, len(img.stack), l.is.Digest, err)
		}
		if err := s.layer(ctx, c, l.is.Digest); err != nil {
			return err
		}
	}
	return nil
}

// identify notes the digests that stand for exactly this image.
func (s *scan) identify(img v1.Image) error {
	manifest, err := img.Digest()
	if err != nil {
		return fmt.Errorf("read its manifest: %w", err)
	}
	config, err := img.ConfigName()
	if err != nil {
		return fmt.Errorf("read its configuration: %w", err)
	}
	s.inv.Manifest, s.inv.Config = manifest.String(), config.String()
	return nil
}

// history is the command behind each layer, lowest first.
func history(c *v1.ConfigFile) (out []string) {
	for _, h := range c.History {
		if !h.EmptyLayer {
			out = append(out, oneLine(redact.Text(h.CreatedBy), 500)) // half of a secret is not known as one
		}
	}
	return out
}

func oneLine(s string, most int) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "·")), " ")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// content reads a layer, or takes from the cache what it was read to be.
func (s *scan) content(ctx context.Context, l v1.Layer, digest string, p Progress) (*Content, error) {
	key := fmt.Sprintf("content-%d%s-%s:%s", contentVersion, s.search.suffix(), s.budget.searcher.Hash("salt", "")[:8], digest)
	if s.o.Cache != nil {
		if b, err := s.o.Cache.Layer(ctx, key); err == nil {
			if c, err := unpackContent(b); err == nil {
				p.FromCache = true
				s.o.Progress(p)
				return c, s.budget.again(c)
			}
		}
	}
	s.o.Progress(p)
	r, err := l.Compressed()
	if err != nil {
		return nil, plainly(err)
	}
	blob := newHashed(&cancelled{ctx, r}, digest)
	c, err := readLayer(blob, s.budget, s.search)
	if err := errors.Join(err, r.Close()); err != nil {
		return nil, err
	}
	if err := blob.check(); err != nil {
		return nil, err
	}
	if s.o.Cache != nil {
		b, err := packContent(c)
		if err != nil {
			return nil, err
		}
		if err := s.o.Cache.PutLayer(ctx, key, b); err != nil {
			return nil, fmt.Errorf("keep what was read: %w", err)
		}
	}
	return c, nil
}

// cancelled ends a stream with its context.
type cancelled struct {
	ctx context.Context
	r   io.Reader
}

func (c *cancelled) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// layer lays a layer's content over those below and notes what it changed.
func (s *scan) layer(ctx context.Context, c *Content, digest string) error {
	before := contents(s.tree)
	s.tree.lay(c, digest)
	s.left(c, digest)
	for what, n := range c.Strange {
		s.strange[what] += n
	}
	for kind, n := range c.Beyond {
		s.beyond[kind] += n
	}
	if s.unread += c.Unread; s.why == "" {
		s.why = c.WhyUnread
	}
	if slices.Equal(before, contents(s.tree)) {
		return nil // it touched no database
	}
	now, failed := readPackages(ctx, s.tree)
	if err := ctx.Err(); err != nil {
		return err
	}
	if most := s.o.Limits.Packages; len(now) > most {
		return fmt.Errorf("want at most %d packages, have %d: %w", most, len(now), errBound)
	}
	s.failed = failed
	kept := map[string]string{}
	for _, p := range now {
		by, known := s.layerOf[p.PURL]
		if !known {
			by = digest
			if n := len(s.inv.Layers); n > 0 {
				s.inv.Layers[n-1].Packages++
			}
		}
		kept[p.PURL] = by
	}
	s.now, s.layerOf = now, kept
	return nil
}

// contents tells apart trees with other databases, or another distribution, in them.
func contents(t *tree) (out []string) {
	files := []string{"etc/os-release", "usr/lib/os-release", "etc/system-release-cpe"}
	for _, db := range databases(t) {
		files = append(files, db.files...)
	}
	for _, file := range files {
		content, there := t.read(file)
		out = append(out, fmt.Sprintf("%s %t %p", file, there, content))
	}
	return out
}

// finish says what the last state of the image is.
func (s *scan) finish() {
	inv := s.inv
	known := false
	inv.OS, known = readOS(s.tree)
	addFiles(s.tree, s.now)
	for i := range s.now {
		s.now[i].Layer = s.layerOf[s.now[i].PURL]
	}
	if s.now != nil {
		inv.Packages = slices.Clone(s.now)
	}
	own := s.tree.own(s.now)
	s.languages(own)
	inv.Gaps = slices.CompactFunc(inv.Gaps, func(a, b collect.Gap) bool { return a.What == b.What && a.Why == b.Why })
	inv.Understood = len(inv.Packages) > 0
	for _, f := range s.failed {
		inv.gap("package database "+f.place, f.why.Error(), "Of these packages, what they are and their vulnerabilities are unknown.")
	}
	foreign := s.tree.foreign()
	for _, format := range foreign {
		inv.gap(format+" database", "Breakwater does not read "+format+" databases yet",
			"Packages that it lists, and their vulnerabilities, are unknown.")
	}
	s.faults(own)
	inv.Unread = s.tree.unread(own, s.beyond)
	for _, u := range inv.Unread {
		inv.gap(u.Kind, fmt.Sprintf("no package that was read brought them, and nothing in them says what they are (%s)", u),
			"Vulnerabilities in them are unknown.")
	}
	inv.Secrets = s.keptSecrets(own)
	if s.unsearched > 0 {
		inv.gap("secrets", fmt.Sprintf("%d files have more that looks like secrets than is looked into", s.unsearched),
			"There may be more secrets in it than are listed.")
	}
	if s.unread > 0 {
		inv.gap("root filesystem", fmt.Sprintf("%d of its files and folders cannot be read: %s", s.unread, s.why),
			"Packages that are there are unknown.")
	}
	switch {
	case !inv.Understood && len(foreign) == 0 && len(databases(s.tree)) > 0:
		inv.gap("contents", "the image's package database names no package",
			"What is inside is unknown: somebody emptied the list, or it could not be read.")
	case !inv.Understood && len(foreign) == 0:
		inv.gap("contents", "there is no package database in the image",
			"What is inside is unknown: a program without a package may have any vulnerability.")
	case !known && len(s.now) > 0:
		inv.gap("distribution", "the image does not say which distribution it is (no os-release)",
			"Its packages cannot be held against a distribution's advisories.")
	}
	for what, n := range s.strange {
		inv.gap(what, fmt.Sprintf("%d entries of the image's layers are %s; they were left out", n, what),
			"An honest image has none of them: somebody may be trying to mislead.")
	}
}

// packContent and unpackContent are a layer's content as the cache holds it.
func packContent(c *Content) ([]byte, error) {
	var b bytes.Buffer
	z, err := zstd.NewWriter(&b, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	if err := errors.Join(json.NewEncoder(z).Encode(c), z.Close()); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func unpackContent(b []byte) (*Content, error) {
	z, err := zstd.NewReader(bytes.NewReader(b), zstd.WithDecoderMaxMemory(1<<30), zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	defer z.Close()
	c := &Content{}
	if err := json.NewDecoder(io.LimitReader(z, 2<<30)).Decode(c); err != nil {
		return nil, err
	}
	if c.Version != contentVersion {
		return nil, errors.New("of another version")
	}
	return c, nil
}
