package image

import (
	"archive/tar"
	"fmt"
	"strings"
	"testing"
)

const elf = "\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03\x00\x3e\x00 and more"

func TestCodeThatNoPackageBroughtIsToldByKind(t *testing.T) {
	release := entry{name: "etc/os-release", content: debian}
	list := func(files string) entry { return entry{name: "var/lib/dpkg/info/zlib1g.list", content: files} }
	tests := []struct {
		name   string
		layers [][]entry
		want   string
	}{
		{"none", [][]entry{{{name: "usr/share/doc/a", content: "text that is longer than the head of a program"}}}, ""},
		{"npm", [][]entry{{{name: "app/node_modules/left-pad/package.json"}, {name: "app/package.json"}}},
			"npm packages: 2 files, such as app/node_modules/left-pad/package.json"},
		{"Python", [][]entry{{{name: "usr/lib/python3/site-packages/django-3.2.dist-info/METADATA"},
			{name: "opt/a.egg-info/PKG-INFO"}, {name: "opt/b.egg"}}}, "Python packages: 3 files, such as opt/a.egg-info/PKG-INFO"},
		{"a METADATA of something else", [][]entry{{{name: "opt/METADATA"}, {name: "etc/package.json.bak"}}}, ""},
		{"Java and Ruby", [][]entry{{{name: "app/log4j-core-2.14.1.jar"}, {name: "gems/specifications/rack-2.0.gemspec"}}},
			"Java archives: 1 file, such as app/log4j-core-2.14.1.jar; Ruby gems: 1 file, such as gems/specifications/rack-2.0.gemspec"},
		{"PHP, .NET, R", [][]entry{{{name: "app/vendor/composer/installed.json"}, {name: "app/web.deps.json"},
			{name: "usr/local/lib/R/site-library/curl/DESCRIPTION"}, {name: "app/installed.json"}}},
			".NET assemblies: 1 file, such as app/web.deps.json; PHP packages: 1 file, such as app/vendor/composer/installed.json; " +
				"R packages: 1 file, such as usr/local/lib/R/site-library/curl/DESCRIPTION"},
		{"a program", [][]entry{{{name: "app/server", content: elf}}}, "programs and libraries: 1 file, such as app/server"},
		{"what only begins like one", [][]entry{{{name: "a", content: "\x7fELF"},
			{name: "b", content: strings.Replace(elf, "\x03", "\x01", 1)}}}, ""},
		{"a package brought it", [][]entry{{list("/.\n/usr\n/usr/bin\n/usr/bin/a\n"), {name: "usr/bin/a", content: elf}}}, ""},
		{"a package brought it, by a name that leads through a link", [][]entry{{{name: "bin", typ: tar.TypeSymlink, link: "usr/bin"},
			list("/.\n/bin\n/bin/a\n"), {name: "usr/bin/a", content: elf}}}, ""},
		{"a package brought another", [][]entry{{list("/.\n/usr\n/usr/bin\n/usr/bin/b\n"), {name: "usr/bin/a", content: elf}}},
			"programs and libraries: 1 file, such as usr/bin/a"},
		{"an upper layer takes it away", [][]entry{{{name: "app/a.jar"}}, {{name: ".wh.app"}}}, ""},
		{"an upper layer makes it something else", [][]entry{{{name: "app/a.jar"}}, {{name: "app/a.jar", typ: tar.TypeSymlink, link: "b"}}}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			layers := [][]byte{tarOf(t, release, entry{name: status, content: zlib})}
			for _, l := range test.layers {
				layers = append(layers, tarOf(t, l...))
			}
			inv, err := scanOf(t.Context(), "oci:"+laidOut(t, imageOf(t, layers...)), Options{})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, u := range inv.Unread {
				got = append(got, fmt.Sprintf("%s: %s", u.Kind, u))
			}
			if strings.Join(got, "; ") != test.want {
				t.Errorf("got  %s\nwant %s", strings.Join(got, "; "), test.want)
			}
			if len(inv.Gaps) != len(inv.Unread) {
				t.Errorf("%d gaps for %d kinds", len(inv.Gaps), len(inv.Unread))
			}
		})
	}
}

func TestSignsBeyondThoseThatAreKeptAreCounted(t *testing.T) {
	k := newKeeper(newSearch(), &budget{limits: DefaultLimits})
	k.signs = mostSigns - 1
	for _, name := range []string{"a.jar", "b.jar", "c/package.json"} {
		if err := k.entry(&tar.Header{Name: name, Typeflag: tar.TypeReg}, strings.NewReader("")); err != nil {
			t.Fatal(err)
		}
	}
	tree := newTree()
	tree.add(k.content)
	if got, want := fmt.Sprint(tree.unread(tree.own(nil), k.content.Beyond)), "[2 files, such as a.jar 1 file]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestEverySignIsOfAKindAndCanBeFound(t *testing.T) {
	for _, s := range signs {
		name := s.name + "x" + s.ends
		if s.name != "" {
			name = s.name
		}
		if in := strings.TrimPrefix(strings.ReplaceAll(s.in, "*", "y"), "/"); in != "" {
			name = strings.TrimPrefix(in+"/"+name, "/")
		}
		if got := codeOf(name); got != s.kind || got == "" {
			t.Errorf("%s is %q, want %q", name, got, s.kind)
		}
	}
}
