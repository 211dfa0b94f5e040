package image

import (
	"archive/tar"
	"bufio"
	"compress/bzip2"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/breakwater-sec/breakwater/image/lang"
	"github.com/breakwater-sec/breakwater/image/secret"
)

// Limits bound what an image may make us do, all of its layers together.
type Limits struct {
	// Entries is the most files of all layers.
	Entries int
	// File is the largest file that is kept; Kept the most kept of all layers.
	File, Kept int64
	// Bytes is the most that the layers may unpack to, Ratio the most per compressed
	// byte once it is past what honest files reach (RatioFrom).
	Bytes, Ratio, RatioFrom int64
	// Packages is the most packages that an image lists, Listed the most bytes of their
	// files' names.
	Packages int
	Listed   int64
	// Held is the largest file that is looked into as a whole, one at a time: a program, an
	// archive, a database of rpm.
	Held int64
}

// DefaultLimits are far beyond honest images.
var DefaultLimits = Limits{Entries: 5_000_000, File: 128 << 20, Kept: 256 << 20, Bytes: 128 << 30, Ratio: 1000, RatioFrom: 1 << 30,
	Packages: 100_000, Listed: 64 << 20, Held: 256 << 20}

// budget is what was used of the limits: every layer of an image takes from one.
type budget struct {
	limits Limits
	// searcher looks for secrets in files; nil where nobody wants to know.
	searcher               *secret.Searcher
	entries                int
	kept, packed, unpacked int64
}

// entryCost is what keeping a name costs, so that a million empty files are not free.
const entryCost = 512

// entry takes one file of a layer.
func (b *budget) entry() error {
	if b.entries++; b.entries > b.limits.Entries {
		return fmt.Errorf("want at most %d entries: %w", b.limits.Entries, errBound)
	}
	return nil
}

// keep takes what is kept of one entry.
func (b *budget) keep(bytes int64) error {
	if b.kept += entryCost + bytes; b.kept > b.limits.Kept {
		return fmt.Errorf("want package databases of at most %d MiB: %w", b.limits.Kept>>20, errBound)
	}
	return nil
}

// hashes takes names of which only a hash is kept.
func (b *budget) hashes(n int) error {
	b.kept -= entryCost
	return b.keep(int64(n) * hashSize)
}

// again takes what a layer took that was read before.
func (b *budget) again(c *Content) error {
	b.entries += c.Entries - 1
	err := errors.Join(b.entry(), b.hashes(len(c.Plain)/hashSize))
	for _, s := range c.Secrets {
		err = errors.Join(err, b.keep(int64(len(s.File))))
	}
	for i := range c.Changes {
		err = errors.Join(err, b.keep(c.Changes[i].size()))
		if err != nil {
			return err
		}
	}
	return err
}

// Content is what a layer does to the file system, as far as it matters here.
type Content struct {
	Version int `json:"version"`
	// Removed are whiteouts; Opaque are folders that hide what lower layers have in them.
	Removed []string `json:"removed,omitempty"`
	Opaque  []string `json:"opaque,omitempty"`
	// Plain are hashes of the names that are files, or links, of which nothing else matters: what
	// lower layers have there, a folder too, is gone.
	Plain []byte `json:"plain,omitempty"`
	// Changes are in the order of the archive: later ones replace earlier ones.
	Changes []Change `json:"changes,omitempty"`
	// Beyond counts signs of code beyond those that are kept by name, by their kind.
	Beyond map[string]int `json:"beyond,omitempty"`
	// Strange counts entries that no honest layer has, by what is wrong.
	Strange map[string]int `json:"strange,omitempty"`
	Entries int            `json:"entries"`
	// Secrets are what people should not have left in it; Unsearched counts files that more looks like secrets in than is looked into.
	Secrets    []Secret `json:"secrets,omitempty"`
	Unsearched int      `json:"unsearched,omitempty"`
	// Unread counts files and folders that could not be read, with the first reason.
	Unread    int    `json:"unread,omitempty"`
	WhyUnread string `json:"whyUnread,omitempty"`
}

// Change is what one entry of a layer makes of a name.
type Change struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
	// Data is what a file holds; Target what a link names.
	Data   []byte `json:"data,omitempty"`
	Target string `json:"target,omitempty"`
	// Told is what a file tells of packages.
	Told *lang.Content `json:"told,omitempty"`
}

// size is how many bytes are kept of it.
func (c *Change) size() int64 {
	n := len(c.Data) + len(c.Target)
	if c.Told != nil {
		for i := range c.Told.Packages {
			p := &c.Told.Packages[i]
			n += packageCost + len(p.Name) + len(p.Version) + len(p.Within) + len(p.Linked)
		}
		for _, name := range c.Told.Owns {
			n += len(name) + 16
		}
	}
	return int64(n)
}

// packageCost is what keeping a package costs beside its texts.
const packageCost = 64

// hashSize is how much of a name's hash is kept.
const hashSize = 8

func hashOf(name string) [hashSize]byte {
	sum := sha256.Sum256([]byte(name))
	return [hashSize]byte(sum[:])
}

// Kinds of changes.
const (
	aFile     = "file"
	aFolder   = "folder"
	aLink     = "link"
	aHardLink = "hardlink" // of a file whose content was not kept
	aForeign  = "foreign"  // a package database of a format that is not read
	aSign     = "sign"     // code of a kind that is not read, which Target names
	aRead     = "read"     // a file that tells of packages: Told
	aDevice   = "device"   // what can hold nothing that is read
)

const contentVersion = 7

// errBound says that a layer went past one of its limits.
var errBound = errors.New("past its bounds")

// readLayer streams one layer: decompress, walk the tar, keep what is searched for.
func readLayer(r io.Reader, b *budget, wanted *search) (*Content, error) {
	packed := &counter{r: r}
	plain, closeIt, err := decompress(packed)
	if err != nil {
		return nil, err
	}
	defer closeIt()
	bounded := &bombGuard{r: plain, packed: packed, budget: b}
	defer bounded.done()
	k := newKeeper(wanted, b)
	for t := tar.NewReader(bounded); ; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("want a tar archive: after %d entries: %w", k.content.Entries, err)
		}
		if err := k.entry(h, t); err != nil {
			return nil, err
		}
	}
	// The digest is over the whole blob: read what follows the archive.
	if _, err := io.Copy(io.Discard, bounded); err != nil {
		return nil, err
	}
	_, err = io.Copy(io.Discard, packed)
	return k.content, err
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

// bombGuard ends an image that unpacks to more than any honest one.
type bombGuard struct {
	r      io.Reader
	packed *counter
	budget *budget
}

// done says that packed is read: the next layer begins.
func (b *bombGuard) done() { b.budget.packed, b.packed.n = b.budget.packed+b.packed.n, 0 }

func (b *bombGuard) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	used, limits := b.budget, b.budget.limits
	used.unpacked += int64(n)
	if packed := used.packed + b.packed.n; used.unpacked > limits.Bytes ||
		used.unpacked > limits.RatioFrom && used.unpacked > limits.Ratio*max(packed, 1) {
		return n, fmt.Errorf("unpacks to more than %d bytes from %d: %w", used.unpacked, packed, errBound)
	}
	return n, err
}
