package image

import (
	"archive/tar"
	"fmt"
	"io"
	"path"
	"strings"
)

// keeper makes a layer's Content of its entries.
type keeper struct {
	content *Content
	search  *search
	budget  *budget
	signs   int
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
		if k.search.file(name) {
			c.Kind = aFile
			c.Data, err = k.read(name, h.Size, r)
		} else {
			err = k.sign(&c, h.Size, r)
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
	case !matters && (c.Kind == aFolder || codeOf(name) == ""):
		return nil
	}
	k.content.Changes = append(k.content.Changes, c)
	return k.budget.keep(int64(len(c.Data) + len(c.Target)))
}

// sign recognises code of a kind that is not read.
func (k *keeper) sign(c *Change, size int64, r io.Reader) error {
	kind := codeOf(c.Name)
	if kind == "" {
		program, err := isProgram(size, r)
		if err != nil {
			return fmt.Errorf("%s: %w", c.Name, err)
		}
		if program {
			kind = programs
		}
	}
	if kind != "" {
		c.Kind, c.Target = aSign, kind
	}
	return nil
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
	case "var/lib/rpm/Packages", "var/lib/rpm/Packages.db", "var/lib/rpm/rpmdb.sqlite", "usr/lib/sysimage/rpm/rpmdb.sqlite",
		"usr/lib/sysimage/rpm/Packages.db", "usr/lib/sysimage/rpm/Packages", "usr/share/rpm/rpmdb.sqlite", "usr/share/rpm/Packages":
		return "rpm"
	case "var/lib/rpmmanifest/container-manifest-2":
		return "rpm manifest"
	case "usr/lib/opkg/status", "var/lib/opkg/status":
		return "opkg"
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
