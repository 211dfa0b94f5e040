package lang

import (
	"bytes"
	"compress/zlib"
	"debug/elf"
	"encoding/binary"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// built is a program of Go with a module of our own list, which Go has here already, and one of a folder.
func built(t testing.TB, flags ...string) string {
	t.Helper()
	dir := t.TempDir()
	sums, err := os.ReadFile(filepath.Join("..", "..", "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	module := exec.CommandContext(t.Context(), "go", "list", "-m", "github.com/package-url/packageurl-go")
	required, err := module.Output()
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"go.sum": string(sums), "vendored/go.mod": "module golang.org/x/old\n",
		"go.mod": "module example.org/shop\n\ngo 1.21\n\nrequire " + string(required) + "require golang.org/x/old v1.2.3\n\n" +
			"replace golang.org/x/old v1.2.3 => ./vendored\n",
		"main.go": "package main\n\nimport (\n\t\"github.com/package-url/packageurl-go\"\n\t\"golang.org/x/old\"\n)\n\n" +
			"func main() { println(old.Name, packageurl.TypeApk) }\n",
		"vendored/old.go": "package old\n\nvar Name = \"old\"\n"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out := filepath.Join(dir, "shop")
	c := exec.CommandContext(t.Context(), "go", append(append([]string{"build", "-o", out}, flags...), ".")...)
	c.Dir, c.Env = dir, append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off", "CGO_ENABLED=0", "GOOS=linux", "GOPROXY=off")
	if text, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return out
}

// programTold is what a program tells, a line for each package.
func programTold(t testing.TB, path string) (string, Content) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c := Programs.Read(File{Name: "app/shop", Size: int64(len(data)), Hold: func() (io.ReaderAt, error) { return bytes.NewReader(data), nil }})
	var lines []string
	for _, p := range c.Packages {
		lines = append(lines, p.Name+" "+p.Version)
	}
	return strings.Join(lines, "\n"), c
}

// TestAProgramOfGoTellsItsModules: the oracle is go version -m.
func TestAProgramOfGoTellsItsModules(t *testing.T) {
	for name, flags := range map[string][]string{"as it is": nil, "stripped": {"-ldflags=-s -w"}, "anywhere in memory": {"-buildmode=pie"}} {
		t.Run(name, func(t *testing.T) {
			program := built(t, flags...)
			got, c := programTold(t, program)
			out, err := exec.CommandContext(t.Context(), "go", "version", "-m", program).Output()
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			for line := range strings.Lines(string(out)) {
				switch f := strings.Fields(line); {
				case len(f) == 2 && strings.HasPrefix(f[1], "go1"):
					want = append(want, "stdlib "+strings.TrimPrefix(f[1], "go"))
				case len(f) == 4 && f[0] == "dep": // with a sum: of a folder is none
					want = append(want, f[1]+" "+f[2])
				}
			}
			if got != strings.Join(want, "\n") || c.Fault != "" || len(want) < 2 {
				t.Errorf("got %q %s, go version says %q", got, c.Fault, want)
			}
		})
	}
}

// elfWith is a program of one section.
func elfWith(name string, content []byte) []byte { return elfOf(part{name, content}) }

type part struct {
	name    string
	content []byte
}

// elfOf is a program of those sections, all of which are loaded.
func elfOf(parts ...part) []byte {
	const head, program, section = 64, 56, 64
	names, content := "\x00", []byte{}
	at := uint64(128) // Go looks for its list at every 16th byte
	sections := []elf.Section64{{}}
	for _, p := range parts {
		sections = append(sections, elf.Section64{Name: uint32(len(names)), Type: uint32(elf.SHT_PROGBITS), Off: at + uint64(len(content)),
			Addr: at + uint64(len(content)), Size: uint64(len(p.content)), Flags: uint64(elf.SHF_ALLOC | elf.SHF_WRITE)})
		names += p.name + "\x00"
		content = append(content, p.content...)
		content = append(content, make([]byte, (16-len(content)%16)%16)...)
	}
	loaded := uint64(len(content))
	sections = append(sections, elf.Section64{Name: uint32(len(names)), Type: uint32(elf.SHT_STRTAB), Off: at + loaded})
	names += ".shstrtab\x00"
	sections[len(sections)-1].Size = uint64(len(names))
	var b bytes.Buffer
	write := func(v any) { _ = binary.Write(&b, binary.LittleEndian, v) }
	write(elf.Header64{Ident: [16]byte{0x7f, 'E', 'L', 'F', 2, 1, 1}, Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: 1,
		Phoff: head, Phentsize: program, Phnum: 1, Shoff: at + loaded + uint64(len(names)), Ehsize: head, Shentsize: section,
		Shnum: uint16(len(sections)), Shstrndx: uint16(len(sections) - 1)})
	write(elf.Prog64{Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_W), Off: at, Vaddr: at, Filesz: loaded, Memsz: loaded,
		Align: 8})
	b.Write(make([]byte, at-head-program))
	b.Write(content)
	b.WriteString(names)
	write(sections)
	return b.Bytes()
}

func packed(text string) []byte {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	_, _ = io.WriteString(z, text)
	_ = z.Close()
	return b.Bytes()
}

func TestAProgramOfRustTellsItsCrates(t *testing.T) {
	const crates = `{"packages":[{"name":"shop","version":"0.1.0","source":"local","root":true},{"name":"time","version":"0.1.42","sour` +
		`ce":"crates.io"},` +
		`{"name":"cc","version":"1.0.0","source":"crates.io","kind":"build"},{"name":"own","version":"1.0.0","source":"git"}]}`
	for name, test := range map[string]struct {
		program []byte
		want    string
	}{
		"crates":                    {elfWith(rustSection, packed(crates)), "time 0.1.42"},
		"a list that is no list":    {elfWith(rustSection, []byte("no")), "fault: .dep-v0: zlib: invalid header"},
		"a program in C":            {elfWith(".text", []byte("no")), ""},
		"the beginning of one":      {elfWith(".text", []byte("no"))[:20], ""},
		"Go's section, and no list": {elfWith(".go.buildinfo", make([]byte, 64)), ""},
	} {
		path := filepath.Join(t.TempDir(), "a")
		if err := os.WriteFile(path, test.program, 0o600); err != nil {
			t.Fatal(err)
		}
		got, c := programTold(t, path)
		if c.Fault != "" {
			got = "fault: " + c.Fault
		}
		if got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

func FuzzProgram(f *testing.F) {
	f.Add(elfWith(rustSection, packed(`{"packages":[{"name":"a","version":"1","source":"crates.io"}]}`)))
	f.Add(elfWith(".go.buildinfo", []byte("\xff Go buildinf:\x08\x02"+strings.Repeat("\x00", 16)+"\x06go1.21\x00")))
	f.Add(elfOf(part{".go.buildinfo", infoOf("example.org/old\tv1.0.0")}, part{".gopclntab", tableOf(tableOf120, "runtime.main",
		"example.org/old/ssh.Dial")}))
	f.Add(elfOf(part{".go.buildinfo", infoOf("example.org/old\tv1.0.0")}, part{".data.rel.ro", tableOf(tableOf116, "runtime.main",
		"example.org/old.F[...]")}))
	f.Fuzz(func(t *testing.T, data []byte) {
		wellTold(t, Programs.Read(File{Name: "a", Size: int64(len(data)), Hold: func() (io.ReaderAt, error) {
			return bytes.NewReader(data),
				nil
		}}))
	})
}
