package lang

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
)

func TestWhichModulesOfAProgramAreTold(t *testing.T) {
	module := func(path, version string) *debug.Module { return &debug.Module{Path: path, Version: version} }
	replaced := func(by *debug.Module) *debug.Module {
		return &debug.Module{Path: "a.b/old", Version: "v1", Replace: by}
	}
	for _, c := range []struct {
		name, version string
		main          debug.Module
		deps          []*debug.Module
		want          string
	}{
		{"Go's own library", "go1.21.3", debug.Module{}, nil, "stdlib 1.21.3"},
		{"with experiments", "go1.21.3 X:arenas", debug.Module{}, nil, "stdlib 1.21.3"},
		{"of a time to come, or of none", "go9.0", debug.Module{}, nil, "stdlib 9.0"},
		{"the first of all", "go0.9", debug.Module{}, nil, "stdlib 0.9"},
		{"a compiler from its sources", "devel go1.22-abc", debug.Module{}, nil, ""},
		{"a colon and a slash are no digits", "go:1", debug.Module{}, []*debug.Module{module("a.b/c", "v1")}, "a.b/c v1"},
		{"nor is a slash", "go/1", debug.Module{}, nil, ""},
		{"nobody says", "", debug.Module{}, nil, ""},
		{"the program itself", "go1.21", debug.Module{Path: "a.b/main", Version: "v1.2.3"}, nil, "stdlib 1.21, a.b/main v1.2.3"},
		{"built in its folder", "", debug.Module{Path: "a.b/main", Version: "(devel)"}, []*debug.Module{nil, module("a.b/c", "v2")}, "a.b/c v2"},
		{"without a version, without a path", "", debug.Module{}, []*debug.Module{module("a.b/c", ""), module("", "v1")}, ""},
		{"replaced by another", "", debug.Module{}, []*debug.Module{replaced(module("a.b/new", "v2"))}, "a.b/new v2 a.b/old/x"},
		{"replaced by a folder", "", debug.Module{}, []*debug.Module{replaced(module("./old", "v2")), replaced(module("/old", "v2")),
			replaced(module("../old", ""))}, ""},
		{"one that cannot be named ends it", "go1.21", debug.Module{}, []*debug.Module{module("a\n", "v1"), module("a.b/c", "v1")},
			"stdlib 1.21, fault"},
	} {
		var got Content
		err := goModules(&debug.BuildInfo{GoVersion: c.version, Main: c.main, Deps: c.deps}, map[string]string{"a.b/old": "a.b/old/x"}, &got)
		var said []string
		for _, p := range got.Packages {
			said = append(said, strings.TrimSpace(p.Name+" "+p.Version+" "+fmt.Sprint(p.Linked)))
		}
		if err != nil {
			said = append(said, "fault")
		}
		if strings.Join(said, ", ") != c.want {
			t.Errorf("%s: %s, want %s", c.name, strings.Join(said, ", "), c.want)
		}
	}
}

func TestWhichCratesOfAProgramAreTold(t *testing.T) {
	const crates = `{"packages":[{"name":"own","version":"1","source":"registry","root":true},{"name":"published","version":"2","source":` +
		`"crates.io","root":true},{"name":"mirrored","version":"3","source":"registry"},{"name":"a","version":"4","source":"crates.io"},` +
		`{"name":"local","version":"5","source":"local"}]}`
	for content, want := range map[string]string{crates: "published 2\nmirrored 3\na 4", "{": "",
		`{"packages":[{"name":"a","source":"registry"},{"name":"b","version":"1","source":"registry"}]}`: ""} {
		path := filepath.Join(t.TempDir(), "a")
		if err := os.WriteFile(path, elfWith(rustSection, packed(content)), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, c := programTold(t, path); got != want || (c.Fault == "") != (want != "") {
			t.Errorf("%s: %q, fault %q, want %q", content, got, c.Fault, want)
		}
	}
}
