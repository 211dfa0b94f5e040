package lang

import (
	"bytes"
	"compress/zlib"
	"debug/buildinfo"
	"debug/elf"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
)

// readProgram reads what compilers leave in a program: Go its modules, Rust's cargo-auditable its crates. One that says
// neither tells of nothing.
func readProgram(f File, c *Content) error {
	r, err := f.Hold()
	if err != nil {
		return err
	}
	e, err := elf.NewFile(r)
	if err != nil {
		return nil // it begins as a program and is none that Linux would run
	}
	if s := e.Section(rustSection); s != nil {
		return readRust(s, c)
	}
	if e.Section(".go.buildinfo") == nil && e.Section(".gopclntab") == nil && len(e.Sections) > 0 {
		return nil
	}
	info, err := buildinfo.Read(r)
	if err != nil {
		return nil // of a compiler that leaves nothing, or somebody took it out
	}
	return goModules(info, linked(info, goPackages(e)), c)
}

// goModules are the modules of a program, and Go's own library, each with its packages that are in it.
func goModules(info *buildinfo.BuildInfo, packages map[string]string, c *Content) error {
	version, _, _ := strings.Cut(strings.TrimPrefix(info.GoVersion, "go"), " ")
	if version != "" && version[0] >= '0' && version[0] <= '9' {
		if err := c.add(Package{Ecosystem: "Go", Name: standard, Version: version, Linked: packages[standard]}); err != nil {
			return err
		}
	}
	for _, m := range append([]*debug.Module{&info.Main}, info.Deps...) {
		if m == nil {
			continue
		}
		of := packages[m.Path]
		if m.Replace != nil {
			m = m.Replace
		}
		if m.Path == "" || m.Version == "" || m.Version == "(devel)" || strings.HasPrefix(m.Path, ".") || strings.HasPrefix(m.Path, "/") {
			continue // of the folder that it was built in
		}
		if err := c.add(Package{Ecosystem: "Go", Name: m.Path, Version: m.Version, Linked: of}); err != nil {
			return err
		}
	}
	return nil
}

// rustSection is where cargo-auditable keeps the list of crates, compressed.
const (
	rustSection = ".dep-v0"
	mostCrates  = 8 << 20
)

func readRust(s *elf.Section, c *Content) error {
	packed, err := io.ReadAll(io.LimitReader(s.Open(), mostCrates))
	if err != nil {
		return err
	}
	z, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		return fmt.Errorf("%s: %w", rustSection, err)
	}
	text, err := io.ReadAll(io.LimitReader(z, mostCrates))
	if err != nil {
		return fmt.Errorf("%s: %w", rustSection, err)
	}
	var said struct {
		Packages []struct {
			Name, Version, Source, Kind string
			Root                        bool
		}
	}
	if err := unmarshal(text, &said); err != nil {
		return fmt.Errorf("%s: %w", rustSection, err)
	}
	for _, p := range said.Packages {
		if p.Kind == "build" || p.Root && p.Source != "crates.io" {
			continue
		}
		if p.Source != "crates.io" && p.Source != "registry" {
			continue // of the folder that it was built in, or of no registry
		}
		if err := c.add(Package{Ecosystem: "crates.io", Name: p.Name, Version: p.Version}); err != nil {
			return err
		}
	}
	return nil
}
