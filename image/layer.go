package image

import (
	"archive/tar"
	"bufio"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Limits bound what a layer may make us do.
type Limits struct {
	// Entries is the most files of one layer.
	Entries int
	// File is the largest file that is kept; Kept the most kept of one layer.
	File, Kept int64
	// Bytes is the most a layer may unpack to, Ratio the most per compressed
	// byte once it is past what honest files reach (RatioFrom).
	Bytes, Ratio, RatioFrom int64
}

// DefaultLimits are far beyond honest images.
var DefaultLimits = Limits{Entries: 5_000_000, File: 128 << 20, Kept: 512 << 20, Bytes: 256 << 30, Ratio: 1000, RatioFrom: 1 << 30}

// Content is what is kept of one layer: package databases and what names the
// distribution, and what the layer takes away from those below.
type Content struct {
	Version int               `json:"version"`
	Files   map[string][]byte `json:"files,omitempty"`
	// Links are wanted files that are links, to their clean targets.
	Links map[string]string `json:"links,omitempty"`
	// Removed are whiteouts; Opaque are folders that hide what is below them.
	Removed []string `json:"removed,omitempty"`
	Opaque  []string `json:"opaque,omitempty"`
	// Strange counts entries that no honest layer has, by what is wrong.
	Strange map[string]int `json:"strange,omitempty"`
	Entries int            `json:"entries"`
	// Foreign names package databases that are there and that we cannot read.
	Foreign []string `json:"foreign,omitempty"`
}

const contentVersion = 1

// entryCost is what keeping a name costs, so that a million empty files are not free.
const entryCost = 512

// errBound says that a layer went past one of its limits.
var errBound = errors.New("past its bounds")

// readLayer streams one layer: decompress, walk the tar, keep what is wanted.
func readLayer(r io.Reader, limits Limits) (*Content, error) {
	packed := &counter{r: r}
	plain, closeIt, err := decompress(packed)
	if err != nil {
		return nil, err
	}
	defer closeIt()
	bounded := &bombGuard{r: plain, packed: packed, limits: limits}
	c := &Content{Version: contentVersion, Files: map[string][]byte{}, Links: map[string]string{}, Strange: map[string]int{}}
	kept := int64(0)
	for t := tar.NewReader(bounded); ; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("want a tar archive: after %d entries: %w", c.Entries, err)
		}
		if c.Entries++; c.Entries > limits.Entries {
			return nil, fmt.Errorf("want at most %d entries: %w", limits.Entries, errBound)
		}
		n, err := c.entry(h, t, limits)
		if err != nil {
			return nil, err
		}
		if kept += n; kept > limits.Kept {
			return nil, fmt.Errorf("want package databases of at most %d MiB: %w", limits.Kept>>20, errBound)
		}
	}
	// The digest is over the whole blob: read what follows the archive.
	if _, err := io.Copy(io.Discard, bounded); err != nil {
		return nil, err
	}
	_, err = io.Copy(io.Discard, packed)
	return c, err
}

// decompress tells gzip, zstd, bzip2 and plain tar apart by their first bytes: media
// types are wrong more often than magic numbers.
func decompress(r io.Reader) (io.Reader, func(), error) {
	b := bufio.NewReaderSize(r, 64<<10)
	magic, err := b.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, err
	}
	switch {
	case len(magic) >= 2 && magic[0] == 0x1f && magic[1] == 0x8b:
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, nil, fmt.Errorf("want gzip: %w", err)
		}
		return z, func() { _ = z.Close() }, nil
	case isZstd(magic):
		z, err := zstd.NewReader(b, zstd.WithDecoderMaxMemory(256<<20), zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, nil, fmt.Errorf("want zstd: %w", err)
		}
		return z, z.Close, nil
	case strings.HasPrefix(string(magic), "BZh"):
		return bzip2.NewReader(b), func() {}, nil
	case string(magic) == "\xfd7zX":
		return nil, nil, fmt.Errorf("want gzip, zstd, bzip2 or a plain archive, have xz: unpack it (xz -d): %w", ErrUnsupported)
	}
	return b, func() {}, nil
}

// isZstd knows zstd by the frame it begins with, which may be one to skip: a table of
// contents, or what is needed to unpack in parallel.
func isZstd(magic []byte) bool {
	return string(magic) == "\x28\xb5\x2f\xfd" || len(magic) == 4 && magic[0]&0xf0 == 0x50 && string(magic[1:]) == "\x2a\x4d\x18"
}

// entry files one entry of the archive and says how many bytes it kept.
func (c *Content) entry(h *tar.Header, r io.Reader, limits Limits) (int64, error) {
	name, ok := clean(h.Name)
	if !ok {
		c.Strange["names outside of the image"]++
		return 0, nil
	}
	dir, base := path.Split(name)
	dir = strings.TrimSuffix(dir, "/")
	switch {
	case base == ".wh..wh..opq":
		c.Opaque = append(c.Opaque, dir)
		return entryCost, nil
	case strings.HasPrefix(base, ".wh..wh."):
		return 0, nil // bookkeeping of aufs
	case strings.HasPrefix(base, ".wh."):
		c.Removed = append(c.Removed, path.Join(dir, strings.TrimPrefix(base, ".wh.")))
		return entryCost, nil
	}
	if db := foreignDatabase(name); db != "" && !slices.Contains(c.Foreign, db) {
		c.Foreign = append(c.Foreign, db)
	}
	if !wanted(name) {
		return 0, nil
	}
	switch h.Typeflag {
	case tar.TypeReg:
		if h.Size > limits.File {
			return 0, fmt.Errorf("%s: want at most %d MiB: %w", name, limits.File>>20, errBound)
		}
		b, err := io.ReadAll(io.LimitReader(r, limits.File))
		if err != nil {
			return 0, fmt.Errorf("%s: %w", name, err)
		}
		c.Files[name] = b
		delete(c.Links, name)
		return entryCost + int64(len(b)), nil
	case tar.TypeLink:
		c.link(name, h.Linkname)
		return entryCost, nil
	case tar.TypeSymlink:
		target := h.Linkname
		if !path.IsAbs(target) {
			target = path.Join(dir, target)
		}
		c.link(name, target)
		return entryCost, nil
	}
	return 0, nil
}

func (c *Content) link(name, target string) {
	to, ok := clean(target)
	if !ok {
		c.Strange["links out of the image"]++
		return
	}
	delete(c.Files, name)
	c.Links[name] = to
}

// clean makes a name relative to the image's root; ok is false if it leads out.
func clean(name string) (string, bool) {
	if strings.ContainsRune(name, 0) || len(name) > 4096 {
		return "", false
	}
	out := path.Clean(strings.TrimLeft(name, "/"))
	return out, out != ".." && !strings.HasPrefix(out, "../")
}

// wanted says which files are kept.
func wanted(name string) bool {
	switch name {
	case "etc/os-release", "usr/lib/os-release", "lib/apk/db/installed", "usr/lib/apk/db/installed", "var/lib/apk/db/installed",
		"var/lib/dpkg/status":
		return true
	}
	dir, base := path.Split(name)
	switch dir {
	case "var/lib/dpkg/status.d/":
		return true
	case "var/lib/dpkg/info/":
		return strings.HasSuffix(base, ".list")
	}
	return strings.HasSuffix(name, "/os-release") // what etc/os-release may link to
}

// foreignDatabase names package databases of formats that are not read yet.
func foreignDatabase(name string) string {
	switch name {
	case "var/lib/rpm/Packages", "var/lib/rpm/Packages.db", "var/lib/rpm/rpmdb.sqlite", "usr/lib/sysimage/rpm/rpmdb.sqlite",
		"usr/lib/sysimage/rpm/Packages.db":
		return "rpm"
	case "var/lib/rpmmanifest/container-manifest-2":
		return "rpm manifest"
	case "usr/lib/opkg/status":
		return "opkg"
	}
	if strings.HasPrefix(name, "var/lib/pacman/local/") && strings.HasSuffix(name, "/desc") {
		return "pacman"
	}
	return ""
}

// counter counts what is read.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// bombGuard ends a layer that unpacks to more than any honest one.
type bombGuard struct {
	r      io.Reader
	packed *counter
	limits Limits
	n      int64
}

func (b *bombGuard) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	b.n += int64(n)
	if b.n > b.limits.Bytes || b.n > b.limits.RatioFrom && b.n > b.limits.Ratio*max(b.packed.n, 1) {
		return n, fmt.Errorf("unpacks to more than %d bytes from %d: %w", b.n, b.packed.n, errBound)
	}
	return n, err
}
