package lang

import (
	"archive/zip"
	"bytes"
	"debug/elf"
	"encoding/binary"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// oldModule is a module as a proxy serves it: packages of all kinds in which a program can have one.
var oldModule = map[string]string{
	"go.mod":             "module example.org/old/v2\n\ngo 1.21\n",
	"old.go":             "package old\n\n//go:noinline\nfunc Version() int { return 1 }\n",
	"ssh/ssh.go":         "package ssh\n\ntype Client struct{ n int }\n\n//go:noinline\nfunc (c *Client) Dial() int { c.n++; return c.n }\n",
	"ssh/agent/agent.go": "package agent\n\nfunc Key(n int) int { return n * 7 }\n", // inlined, as the compiler likes it
	"openpgp/openpgp.go": "package openpgp\n\n//go:noinline\nfunc Read() int { return 2 }\n",
	"generic/generic.go": "package generic\n\n//go:noinline\nfunc Of[T any](t T) *T { return &t }\n",
	"yaml.v3/yaml.go":    "package yaml\n\n//go:noinline\nfunc Marshal() int { return 3 }\n",
	"words/words.go":     "package words\n\nconst Word = \"constant\"\n",
	"hook/hook.go":       "package hook\n\nimport \"os\"\n\nfunc init() { println(len(os.Args)) }\n",
}

// typesModule is a module of which a program has no code.
var typesModule = map[string]string{"go.mod": "module example.org/types\n\ngo 1.21\n", "types.go": "package types\n\nconst Of = 4\n"}

// proxy is a folder that go takes modules from.
func proxy(t testing.TB, modules ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i, files := range []map[string]string{oldModule, typesModule} {
		path, version, _ := strings.Cut(modules[i], "@")
		at := filepath.Join(dir, filepath.FromSlash(path), "@v", version)
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for name, content := range files {
			w, err := z.Create(path + "@" + version + "/" + name)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write([]byte(content)); err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
			t.Fatal(err)
		}
		for name, content := range map[string]string{".info": `{"Version":"` + version + `"}`, ".mod": files["go.mod"], ".zip": b.String()} {
			if err := os.WriteFile(at+name, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

// programOf builds a program that imports those packages of the old module, and calls what they have.
func programOf(t testing.TB, from string, calls map[string]string, flags ...string) string {
	t.Helper()
	dir := t.TempDir()
	imports, body := "\t\"os\"\n", "\tn := len(os.Args)\n\tprintln(n)\n"
	for path, call := range calls {
		imports += "\t\"" + path + "\"\n"
		body += "\tprintln(" + call + ")\n"
	}
	for name, content := range map[string]string{
		"go.mod":  "module example.org/shop\n\ngo 1.21\n\nrequire (\n\texample.org/old/v2 v2.3.4\n\texample.org/types v1.0.0\n)\n",
		"main.go": "package main\n\nimport (\n" + imports + ")\n\nfunc main() {\n" + body + "}\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out := filepath.Join(dir, "shop")
	c := exec.CommandContext(t.Context(), "go", append(append([]string{"build", "-o", out}, flags...), ".")...)
	c.Dir, c.Env = dir, append(os.Environ(), "GOFLAGS=-mod=mod -modcacherw", "GOWORK=off", "CGO_ENABLED=0", "GOOS=linux", "GOSUMDB=off",
		"GOPROXY=file://"+from, "GOMODCACHE="+filepath.Join(dir, "cache"))
	if text, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return out
}

// linkedIn is what a program's modules tell of their packages.
func linkedIn(t testing.TB, program string) map[string]string {
	t.Helper()
	_, c := programTold(t, program)
	out := map[string]string{}
	for _, p := range c.Packages {
		out[p.Name] = p.Linked
	}
	if c.Fault != "" {
		t.Fatal(c.Fault)
	}
	return out
}

func TestAProgramOfGoTellsWhichPackagesItHas(t *testing.T) {
	from := proxy(t, "example.org/old/v2@v2.3.4", "example.org/types@v1.0.0")
	all := map[string]string{"example.org/old/v2": "old.Version()", "example.org/old/v2/ssh": "(&ssh.Client{}).Dial()",
		"example.org/old/v2/ssh/agent": "agent.Key(n)", "example.org/old/v2/generic": "*generic.Of(5)",
		"example.org/old/v2/yaml.v3": "yaml.Marshal()", "example.org/old/v2/words": "words.Word", "example.org/types": "types.Of"}
	few := map[string]string{"example.org/old/v2/ssh/agent": "agent.Key(n)", "example.org/old/v2/generic": "generic.Of(\"a\")"}
	for name, test := range map[string]struct {
		calls map[string]string
		flags []string
		want  string
	}{
		"as it is":              {all, nil, ". generic ssh ssh/agent yaml.v3"},
		"stripped":              {all, []string{"-ldflags=-s -w", "-trimpath"}, ". generic ssh ssh/agent yaml.v3"},
		"anywhere in memory":    {all, []string{"-buildmode=pie"}, ". generic ssh ssh/agent yaml.v3"},
		"anywhere, stripped":    {few, []string{"-buildmode=pie", "-ldflags=-s -w", "-trimpath"}, "generic ssh/agent"},
		"of few":                {few, []string{"-ldflags=-s -w"}, "generic ssh/agent"},
		"a constant is no code": {map[string]string{"example.org/old/v2/words": "words.Word"}, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			program := programOf(t, from, test.calls, test.flags...)
			got := linkedIn(t, program)
			if got["example.org/old/v2"] != test.want || got["example.org/types"] != "" {
				t.Errorf("got %q, want %q", got, test.want)
			}
			own := strings.Fields(got[standard])
			if !slices.Contains(own, "runtime") || !slices.Contains(own, "internal/abi") || slices.Contains(own, "net/http") {
				t.Errorf("of Go's own: %q", own)
			}
			data, err := os.ReadFile(program)
			if err != nil {
				t.Fatal(err)
			}
			moved := bytes.ReplaceAll(data, []byte("gopclntab\x00"), []byte("gathered.\x00")) // as linkers of C gather it with other data
			bare := slices.Clone(data)
			copy(bare[0x28:], make([]byte, 8)) // no sections at all
			copy(bare[0x3a:], make([]byte, 6))
			others := map[string][]byte{"without the section's name": moved, "without sections": bare}
			if slices.Contains(test.flags, "-buildmode=pie") {
				delete(others, "without sections") // then Go does not find the list of modules
			}
			for how, other := range others {
				path := filepath.Join(t.TempDir(), "shop")
				if err := os.WriteFile(path, other, 0o600); err != nil {
					t.Fatal(err)
				}
				if again := linkedIn(t, path); again["example.org/old/v2"] != test.want || again[standard] != got[standard] {
					t.Errorf("%s: got %q", how, again)
				}
			}
		})
	}
}

func TestTheNameOfAFunctionTellsItsPackage(t *testing.T) {
	for name, want := range map[string]string{"golang.org/x/crypto/ssh.(*Client).Dial": "golang.org/x/crypto/ssh", "main.main": "main",
		"gopkg.in/yaml%2ev3.Unmarshal": "gopkg.in/yaml%2ev3", "slices.SortFunc[...]": "slices", "a.org/x.(*T[go.shape.int/8]).M": "a.org/x",
		"go.uber.org/zap.New.func1": "go.uber.org/zap", "type:.eq.[4]a.org/x.T": "", "type..hash.a.org/x.T": "", "go:struct {}.M": "",
		"go.(*struct { a.org/x.T }).M": "", "struct { a.org/x.T }.M": "", "_rt0_amd64_linux": "", "": "", "a/b": "",
		"vendor/golang.org/x/net/dns.New": "vendor/golang.org/x/net/dns", "a.org/x.init.0": "a.org/x", "a.org/x.glob..func1": "a.org/x"} {
		if got := string(packagePath([]byte(name))); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	for path, want := range map[string]string{"gopkg.in/yaml%2ev3": "gopkg.in/yaml.v3", "a%2eb%2ec": "a.b.c", "a%25b": "a%b", "a%2": "?",
		"a%zz":  "?",
		"a%20b": "?", "plain": "plain"} {
		got, ok := unescaped(path)
		if !ok {
			got = "?"
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
}

// infoOf is what Go's linker writes of the modules of a program.
func infoOf(deps ...string) []byte {
	start, _ := hex.DecodeString("3077af0c9274080241e1c107e6d618e6")
	end, _ := hex.DecodeString("f932433186182072008242104116d8f2")
	text := "path\texample.org/shop\nmod\texample.org/shop\t(devel)\n"
	for _, d := range deps {
		text += "dep\t" + d + "\n"
	}
	text = string(start) + text + string(end)
	out := append([]byte("\xff Go buildinf:\x08\x02"), make([]byte, 16)...)
	for _, s := range []string{"go1.21.0", text} {
		out = append(binary.AppendUvarint(out, uint64(len(s))), s...)
	}
	return out
}

// tableOf is a table of functions of those names.
func tableOf(magic uint32, names ...string) []byte {
	const head = 8 + 8*8
	text := strings.Join(names, "\x00") + "\x00"
	out := binary.LittleEndian.AppendUint32(nil, magic)
	out = append(out, 0, 0, 1, 8)
	words := []uint64{uint64(len(names)), 1, 0, head, head + uint64(len(text)), 0, 0, 0}
	if magic == tableOf116 {
		words = []uint64{uint64(len(names)), 1, head, head + uint64(len(text)), 0, 0, 0, 0}
	}
	for _, w := range words {
		out = binary.LittleEndian.AppendUint64(out, w)
	}
	return append(out, text...)
}

// TestWhatCannotBeReadOfPackagesIsUnknown: a package that nobody saw is never one that is not there.
func TestWhatCannotBeReadOfPackagesIsUnknown(t *testing.T) {
	const dep = "example.org/old\tv1.0.0"
	good := tableOf(tableOf120, "runtime.main", "example.org/old/ssh.Dial", "main.main")
	lies := func(change func(b []byte)) []byte {
		b := slices.Clone(good)
		change(b)
		return b
	}
	word := func(i int, v uint64) func([]byte) {
		return func(b []byte) { binary.LittleEndian.PutUint64(b[8+8*i:], v) }
	}
	for name, test := range map[string]struct {
		table []byte
		info  []byte
		want  string
	}{
		"a table":                          {good, infoOf(dep), "ssh"},
		"of Go 1.18":                       {tableOf(tableOf118, "runtime.main", "example.org/old/ssh.Dial"), infoOf(dep), "ssh"},
		"of Go 1.16":                       {tableOf(tableOf116, "runtime.main", "example.org/old/ssh.Dial"), infoOf(dep), "ssh"},
		"of Go 1.15, without inlined ones": {tableOf(0xfffffffb, "runtime.main", "example.org/old/ssh.Dial"), infoOf(dep), ""},
		"names that were changed":          {tableOf(tableOf120, "runtime.main", "Xq3_z.A8f"), infoOf(dep), ""},
		"a program of a shared library":    {tableOf(tableOf120, "example.org/old/ssh.Dial"), infoOf(dep), ""},
		"a module within another": {tableOf(tableOf120, "runtime.main", "example.org/old/v2/ssh.Dial"), infoOf(dep,
			"example.org/old/v2\tv2.0.0"), ""},
		"a module in another's place": {good, infoOf("example.org/old\tv0.9.0\n=>\texample.org/fork\tv1.0.0\th1:x="), "ssh"},
		"the main package":            {tableOf(tableOf120, "runtime.main", "main.main"), infoOf("example.org\tv1.0.0"), ""},
		"no function":                 {lies(word(0, 0)), infoOf(dep), ""},
		"names behind the end":        {lies(word(4, 1<<20)), infoOf(dep), ""},
		"names that end before":       {lies(word(4, 8)), infoOf(dep), ""},
		"names over the head":         {lies(word(3, 8)), infoOf(dep), ""},
		"names of a place far away":   {lies(word(3, 1<<63)), infoOf(dep), ""},
		"the last name has no end":    {lies(word(4, uint64(len(good)-1))), infoOf(dep), ""},
		"numbers of another size":     {lies(func(b []byte) { b[7] = 4 }), infoOf(dep), ""},
		"the beginning of a table":    {good[:40], infoOf(dep), ""},
		"a path that is none":         {tableOf(tableOf120, "runtime.main", "example.org/old/ssh.Dial", "a.org/b%2.F"), infoOf(dep), ""},
		"a name without end": {tableOf(tableOf120, "runtime.main", "example.org/old/ssh.Dial", strings.Repeat("a", longestFunc)),
			infoOf(dep), ""},
		"more packages than there are": {tableOf(tableOf120, many(mostGoPackages+1)...), infoOf(dep), ""},
	} {
		for _, section := range []string{".gopclntab", ".data.rel.ro"} {
			path := filepath.Join(t.TempDir(), "a")
			if err := os.WriteFile(path, elfOf(part{".go.buildinfo", test.info}, part{section, test.table}), 0o600); err != nil {
				t.Fatal(err)
			}
			got := linkedIn(t, path)
			have := got["example.org/old"] + got["example.org/fork"]
			if have != test.want || len(got) < 2 {
				t.Errorf("%s in %s: got %q, want %q", name, section, got, test.want)
			}
		}
	}
}

func many(n int) []string {
	out := []string{"runtime.main", "example.org/old/ssh.Dial"}
	for i := range n {
		out = append(out, "a.org/p"+strings.Repeat("x", i%7)+string(rune('a'+i%26))+"/"+hex.EncodeToString(binary.BigEndian.AppendUint32(nil,
			uint32(i)))+".F")
	}
	return out
}

// TestATableIsNotSearchedForWithoutEnd: a program may begin one everywhere.
func TestATableIsNotSearchedForWithoutEnd(t *testing.T) {
	begin := binary.LittleEndian.AppendUint32(nil, tableOf120)
	content := append(bytes.Repeat(begin, mostTables+1), make([]byte, 8)...)
	content = append(content[:len(content)/8*8], tableOf(tableOf120, "runtime.main", "a.org/b.F")...)
	for n, want := range map[int]bool{0: false, 16: true} {
		e, err := elf.NewFile(bytes.NewReader(elfOf(part{".data.rel.ro", content[n*4:]})))
		if err != nil {
			t.Fatal(err)
		}
		if got := functionNames(e) != nil; got != want {
			t.Errorf("%d places fewer: found %v, want %v", n, got, want)
		}
	}
}
