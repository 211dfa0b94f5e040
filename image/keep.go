package image

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/breakwater-sec/breakwater/image/lang"
)

// keeper makes a layer's Content of its entries.
type keeper struct {
	content *Content
	search  *search
	budget  *budget
	signs   int
	held    held
	text    []byte // of the file that is searched for secrets
}

// mostSigns is how many signs of code are kept by name of one layer.
const mostSigns = 100_000

func newKeeper(s *search, b *budget) *keeper {
	return &keeper{content: &Content{Version: contentVersion, Strange: map[string]int{}, Beyond: map[string]int{}}, search: s, budget: b}
}

// entry keeps of one entry of the archive what is searched for, within bounds.
func (k *keeper) entry(h *tar.Header, r io.Reader) error {
	k.content.Entries++
	if err := k.budget.entry(); err != nil {
		return err
	}
	name, ok := clean(h.Name)
	if !ok {
		k.content.Strange["names outside of the image"]++
		return nil
	}
	if dir, base := path.Split(name); strings.HasPrefix(base, ".wh.") {
		return k.whiteout(strings.TrimSuffix(dir, "/"), base)
	}
	return k.change(name, h, r)
}

// whiteout notes what of the lower layers an entry takes away.
func (k *keeper) whiteout(dir, base string) error {
	hidden := strings.TrimPrefix(base, ".wh.")
	switch {
	case hidden == ".wh..opq":
		k.content.Opaque = append(k.content.Opaque, dir)
	case strings.HasPrefix(hidden, ".wh."):
		return nil // bookkeeping of aufs
	case hidden == "" || hidden == "." || hidden == "..":
		k.content.Strange["whiteouts of no name"]++
		return nil
	default:
		k.content.Removed = append(k.content.Removed, path.Join(dir, hidden))
	}
	return k.budget.keep(0)
}

// change notes what an entry makes of its name, if that matters.
func (k *keeper) change(name string, h *tar.Header, r io.Reader) error {
	c := Change{Name: name, Kind: aDevice}
	matters := k.search.matters(name)
	reader, as := k.search.reader(name)
	switch h.Typeflag {
	case tar.TypeDir:
		c.Kind = aFolder
	case tar.TypeSymlink:
		if len(h.Linkname) > longestName {
			k.content.Strange["links longer than a name may be"]++
			break
		}
		c.Kind, c.Target = aLink, h.Linkname
	case tar.TypeLink:
		target, ok := clean(h.Linkname)
		if !ok {
			k.content.Strange["links out of the image"]++
		}
		c.Kind, c.Target = aHardLink, target
	case tar.TypeReg, tar.TypeCont, tar.TypeGNUSparse:
		var err error
		switch {
		case k.search.file(name):
			c.Kind = aFile
			c.Data, err = k.database(name, h.Size, r)
		case reader != nil:
			c.Kind = aRead
			c.Target = reader.Kind
			c.Told, err = k.tell(reader, as, h.Size, r)
		default:
			err = k.sign(&c, h, r)
		}
		if err != nil {
			return err
		}
	}
	switch {
	case foreignDatabase(name) != "" && c.Kind != aFolder:
		c = Change{Name: name, Kind: aForeign}
	case c.Kind == aSign && k.signs >= mostSigns && !matters:
		k.content.Beyond[c.Target]++
		return nil
	case c.Kind == aSign:
		k.signs++
	case c.Kind == aRead:
	case !matters && c.Kind == aFolder:
		return nil
	case !matters && codeOf(name) == "" && reader == nil && c.Kind != aHardLink:
		return k.plain(name)
	}
	k.content.Changes = append(k.content.Changes, c)
	return k.budget.keep(c.size())
}

// plain notes that a name is now a file, or a link, of which nothing else matters: what lower
// layers had there is gone.
func (k *keeper) plain(name string) error {
	h := hashOf(name)
	k.content.Plain = append(k.content.Plain, h[:]...)
	return k.budget.hashes(1)
}

// tell reads what a file tells of packages.
func (k *keeper) tell(reader *lang.Reader, name string, size int64, r io.Reader) (*lang.Content, error) {
	s := &stream{r: r}
	told := reader.Read(lang.File{Name: name, Size: size, Stream: s, Hold: func() (io.ReaderAt, error) {
		if err := k.held.fill(s, size, k.budget.limits.Held); err != nil {
			return nil, err
		}
		return &k.held, nil
	}})
	if s.err != nil { // not the file: the layer ends here
		return nil, fmt.Errorf("%s: %w", name, s.err)
	}
	return &told, nil
}

// stream remembers what ended it.
type stream struct {
	r   io.Reader
	err error
}

func (s *stream) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// sign recognises code of a kind that is not read, and programs, by how they begin.
func (k *keeper) sign(c *Change, h *tar.Header, r io.Reader) error {
	kind := codeOf(c.Name)
	if kind == "" {
		head, err := beginning(h.Size, r)
		if err != nil {
			return fmt.Errorf("%s: %w", c.Name, err)
		}
		if err := k.secrets(c.Name, head, h.Size, r); err != nil {
			return fmt.Errorf("%s: %w", c.Name, err)
		}
		switch {
		case isProgram(head):
			told, err := k.tell(&lang.Programs, c.Name, h.Size, io.MultiReader(bytes.NewReader(head), r))
			if err != nil {
				return err
			}
			if len(told.Packages) > 0 || told.Fault != "" {
				c.Kind, c.Target, c.Told = aRead, lang.Programs.Kind, told
				return nil
			}
			kind = programs
		case isScript(head, h.Mode) && !packageScript(c.Name):
			kind = scripts
		}
	}
	if kind != "" {
		c.Kind, c.Target = aSign, kind
	}
	return nil
}

// database is what is kept of a file that is kept: of a database of rpm, which may be a
// hundred times as large as what it lists, the packages.
func (k *keeper) database(name string, size int64, r io.Reader) ([]byte, error) {
	if !isRPM(name) {
		return k.read(name, size, r)
	}
	s := &stream{r: r}
	data, err := k.rpm(name, size, s)
	if s.err != nil {
		return nil, fmt.Errorf("%s: %w", name, s.err)
	}
	return data, err
}

func (k *keeper) read(name string, size int64, r io.Reader) ([]byte, error) {
	limits := k.budget.limits
	if size > limits.File {
		return nil, fmt.Errorf("%s: want at most %d MiB: %w", name, limits.File>>20, errBound)
	}
	if size > limits.Kept-k.budget.kept { // before a byte of it is read
		return nil, k.budget.keep(size)
	}
	data, err := io.ReadAll(io.LimitReader(r, limits.File))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return data, nil
}

// longestName is the longest that Linux takes.
const longestName = 4096

// clean makes a name relative to the image's root; ok is false if it leads out.
func clean(name string) (string, bool) {
	if strings.ContainsRune(name, 0) || len(name) > longestName {
		return "", false
	}
	out := path.Clean(strings.TrimLeft(name, "/"))
	return out, out != ".." && !strings.HasPrefix(out, "../")
}

// foreignDatabase names package databases of formats that are not read yet.
func foreignDatabase(name string) string {
	switch name {
	case "nix/var/nix/db/db.sqlite":
		return "Nix"
	case "var/guix/db/db.sqlite":
		return "Guix"
	case "var/lib/chisel/manifest.wall":
		return "chisel"
	}
	if strings.HasPrefix(name, "var/db/pkg/") && strings.HasSuffix(name, "/PF") {
		return "Portage"
	}
	if strings.HasPrefix(name, "var/db/xbps/pkgdb-") {
		return "xbps"
	}
	if strings.HasPrefix(name, "var/lib/pacman/local/") && strings.HasSuffix(name, "/desc") {
		return "pacman"
	}
	return ""
}
