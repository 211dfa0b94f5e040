package lang

import (
	"bufio"
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"encoding/binary"
	"errors"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Go's linker writes the names of all functions of a program into it, for its stack traces: also of those that are only inlined
// into others, and stripping leaves them. A package that none of them is of has no code in the program.

// Bounds of the names of functions; a program past one of them has packages that nobody knows.
const (
	mostNames      = 128 << 20 // bytes of all names
	longestFunc    = 64 << 10  // of one
	mostGoPackages = 20_000
	mostGoPaths    = 1 << 20 // bytes of the packages' paths
	mostTables     = 1000    // places that begin as a table of functions and are none
	searchedAtOnce = 1 << 20
)

// Magic numbers of the table of functions of Go 1.16, 1.18 and 1.20. Older ones leave out functions that are inlined.
const (
	tableOf116 = 0xfffffffa
	tableOf118 = 0xfffffff0
	tableOf120 = 0xfffffff1
)

// goPackages are the packages that functions of a program are of; nil where that cannot be read, or not trusted: a program
// that has no runtime takes its packages from a library.
func goPackages(e *elf.File) map[string]bool {
	names := functionNames(e)
	if names == nil {
		return nil
	}
	out, err := packagesOf(names)
	if err != nil || !out["runtime"] {
		return nil
	}
	return out
}

// packagesOf reads the names of functions, each of which ends with a zero.
func packagesOf(names io.Reader) (map[string]bool, error) {
	out := map[string]bool{}
	total := 0
	for r := bufio.NewReaderSize(names, longestFunc); ; {
		name, err := r.ReadSlice(0)
		if errors.Is(err, io.EOF) && len(name) == 0 {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		at := packagePath(name[:len(name)-1])
		if len(at) == 0 || out[string(at)] {
			continue
		}
		if total += len(at); total > mostGoPaths || len(out) >= mostGoPackages {
			return nil, errBound
		}
		out[string(at)] = true
	}
}

// packagePath is the package in the name of a function as the linker writes it, up to the first point behind the last
// slash: "golang.org/x/crypto/ssh.(*Client).Dial", "gopkg.in/yaml%2ev3.Unmarshal", "slices.SortFunc[...]". What the compiler makes for
// types ("type:.eq.T", "struct { io.Reader }.Read") is of no package.
func packagePath(name []byte) []byte {
	if i := bytes.IndexByte(name, '['); i >= 0 {
		name = name[:i]
	}
	for _, made := range []string{"type:", "go:", "type..", "go.."} {
		if bytes.HasPrefix(name, []byte(made)) {
			return nil
		}
	}
	element := max(bytes.LastIndexByte(name, '/'), 0)
	end := bytes.IndexByte(name[element:], '.')
	if end < 0 || bytes.ContainsAny(name[:element+end], " (){}*;") {
		return nil
	}
	return name[:element+end]
}

// unescaped is a path without the linker's escapes: %2e is a point in its last element.
func unescaped(path string) (string, bool) {
	for at := 0; ; {
		i := strings.IndexByte(path[at:], '%')
		if i < 0 {
			return path, true
		}
		if at += i; at+3 > len(path) {
			return "", false
		}
		c, err := strconv.ParseUint(path[at+1:at+3], 16, 8)
		if err != nil || c <= ' ' {
			return "", false
		}
		path = path[:at] + string([]byte{byte(c)}) + path[at+3:]
		at++
	}
}

// functionNames is the part of a program with the names of its functions, nil if there is none that we know.
func functionNames(e *elf.File) io.Reader {
	for _, name := range []string{".gopclntab", ".data.rel.ro.gopclntab"} {
		if s := e.Section(name); s != nil && s.Type != elf.SHT_NOBITS && s.Flags&elf.SHF_COMPRESSED == 0 {
			return tableIn(e, s.ReaderAt, 0, s.FileSize)
		}
	}
	// Linkers of C put it among other data, and programs without sections have it anywhere.
	tried, searched := 0, uint64(0)
	for _, p := range e.Progs {
		if p.Type != elf.PT_LOAD || p.Flags&elf.PF_X != 0 && len(e.Sections) > 0 {
			continue
		}
		if searched += p.Filesz; searched > mostSearched {
			return nil
		}
		if names := searchTable(e, p, &tried); names != nil || tried > mostTables {
			return names
		}
	}
	return nil
}

// mostSearched is how much of a program is searched for its table of functions.
const mostSearched = 1 << 30

// searchTable looks for a table of functions, which is aligned as a number is.
func searchTable(e *elf.File, p *elf.Prog, tried *int) io.Reader {
	block := make([]byte, searchedAtOnce)
	for at := uint64(0); at < p.Filesz; at += searchedAtOnce {
		n, _ := p.ReadAt(block[:min(searchedAtOnce, p.Filesz-at)], int64(at)) //nolint:gosec // below the size of the file, or nothing is read
		for i := 0; i+4 <= n; i += 4 {
			switch e.ByteOrder.Uint32(block[i:]) {
			case tableOf116, tableOf118, tableOf120:
			default:
				continue
			}
			if names := tableIn(e, p.ReaderAt, at+uint64(i), p.Filesz); names != nil {
				return names
			}
			if *tried++; *tried > mostTables {
				return nil
			}
		}
		if n == 0 {
			return nil
		}
	}
	return nil
}

// tableIn are the names of a table of functions that begins at a place, nil if none does.
func tableIn(e *elf.File, in io.ReaderAt, at, end uint64) io.Reader {
	const words = 8
	var head [8 + words*8]byte
	width := 8
	if e.Class == elf.ELFCLASS32 {
		width = 4
	}
	if end > 1<<40 || at > end || end-at < uint64(8+words*width) {
		return nil
	}
	if _, err := in.ReadAt(head[:8+words*width], int64(at)); err != nil { //nolint:gosec // it is below 1<<40
		return nil
	}
	if head[4] != 0 || head[5] != 0 || head[6] != 1 && head[6] != 2 && head[6] != 4 || int(head[7]) != width {
		return nil
	}
	word := func(i int) uint64 { return number(e.ByteOrder, head[8+i*width:8+(i+1)*width]) }
	from, to := word(3), word(4)
	switch e.ByteOrder.Uint32(head[:]) {
	case tableOf116:
		from, to = word(2), word(3)
	case tableOf118, tableOf120:
	default:
		return nil
	}
	if word(0) == 0 || from < uint64(8+words*width)-uint64(width) || to <= from || to > end-at || to-from > mostNames {
		return nil
	}
	return io.NewSectionReader(in, int64(at+from), int64(to-from)) //nolint:gosec // both are below 1<<40
}

func number(order binary.ByteOrder, word []byte) uint64 {
	if len(word) == 4 {
		return uint64(order.Uint32(word))
	}
	return order.Uint64(word)
}

// linked are the packages of each module that have code in the program, by the module's path as imports name it: "stdlib" for
// Go's own library. A module of which none is seen is left out: nobody knows whether its names are what they were.
func linked(info *buildinfo.BuildInfo, packages map[string]bool) map[string]string {
	modules := map[string]bool{info.Main.Path: true}
	for _, m := range info.Deps {
		modules[m.Path] = true
	}
	for _, s := range info.Settings {
		if s.Key == "GOOS" && s.Value != "linux" {
			return nil
		}
	}
	of := map[string][]string{}
	for _, escaped := range slices.Sorted(maps.Keys(packages)) {
		path, ok := unescaped(escaped)
		if !ok {
			return nil
		}
		if path == "main" && info.Path != "" {
			path = info.Path
		}
		module := moduleOf(path, modules)
		of[module] = append(of[module], below(path, module))
	}
	out := map[string]string{}
	for module, paths := range of {
		slices.Sort(paths)
		out[module] = strings.Join(slices.Compact(paths), " ")
	}
	return out
}

// standard is the module of Go's own library, as advisories call it.
const standard = "stdlib"

// moduleOf is the module with the longest path that a package's begins with. Go's own packages have no point in their path's first
// element.
func moduleOf(path string, modules map[string]bool) string {
	for at := path; ; {
		if at != "" && modules[at] {
			return at
		}
		i := strings.LastIndexByte(at, '/')
		if i < 0 {
			break
		}
		at = at[:i]
	}
	if first, _, _ := strings.Cut(path, "/"); !strings.Contains(first, ".") {
		return standard
	}
	return ""
}

// below is a package's path from its module's on, "." for the module's own.
func below(path, module string) string {
	switch {
	case path == module:
		return "."
	case module == standard || module == "":
		return path
	}
	return path[len(module)+1:]
}
