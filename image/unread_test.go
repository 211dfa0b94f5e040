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
		{"lists of what was to be installed", [][]entry{{{name: "app/yarn.lock"}, {name: "app/pnpm-lock.yaml"}, {name: "app/poetry.lock"}}},
			"Python packages: 1 file, such as app/poetry.lock; npm packages: 2 files, such as app/pnpm-lock.yaml"},
		{"the same, and what is installed", [][]entry{{{name: "app/yarn.lock"}, {name: "app/poetry.lock"},
			{name: "app/node_modules/a/package.json", content: `{"name":"a","version":"1"}`},
			{name: "usr/lib/python3/site-packages/a.dist-info/METADATA", content: "Name: a\nVersion: 1\n"}}}, ""},
		{"a list in one folder, and what is installed in another", [][]entry{{{name: "app/yarn.lock"},
			{name: "opt/node_modules/a/package.json", content: `{"name":"a","version":"1"}`}}}, "npm packages: 1 file, such as app/yarn.lock"},
		{"a METADATA of something else", [][]entry{{{name: "opt/METADATA"}, {name: "etc/package.json.bak"}}}, ""},
		{"R", [][]entry{{{name: "usr/local/lib/R/site-library/curl/DESCRIPTION"}}},
			"R packages: 1 file, such as usr/local/lib/R/site-library/curl/DESCRIPTION"},
		{"a script", [][]entry{{{name: "run", content: "#!/bin/sh\nexec /app/server\n", mode: 0o755},
			{name: "module.py", content: "#!/usr/bin/python3\nand more\n"}}}, "scripts: 1 file, such as run"},
		{"a script of a package manager", [][]entry{{{name: "var/lib/dpkg/info/a.postinst", content: "#!/bin/sh\nexec /app/server\n", mode: 0o755}}}, ""},
		{"a library of a wheel", [][]entry{{{name: "lib/a.dist-info/METADATA", content: "Name: a\nVersion: 1\n"},
			{name: "lib/a.dist-info/RECORD", content: "a/b.so,,\n"}, {name: "lib/a/b.so", content: elf}, {name: "lib/a/c.so", content: elf}}},
			"programs and libraries: 1 file, such as lib/a/c.so"},
		{"a program of an npm package", [][]entry{{{name: "node_modules/a/package.json", content: `{"name":"a","version":"1"}`},
			{name: "node_modules/a/bin/b", content: elf}}}, ""},
		{"a program of two names, of which one goes", [][]entry{{{name: "app/server", content: elf}, {name: "app/other", typ: tar.TypeLink, link: "app/server"}},
			{{name: "app/.wh.server"}}}, "programs and libraries: 1 file, such as app/other"},
		{"a program", [][]entry{{{name: "app/server", content: elf}}}, "programs and libraries: 1 file, such as app/server"},
		{"what only begins like one", [][]entry{{{name: "a", content: "\x7fELF"},
			{name: "b", content: strings.Replace(elf, "\x03", "\x01", 1)}}}, ""},
		{"a package brought it", [][]entry{{list("/.\n/usr\n/usr/bin\n/usr/bin/a\n"), {name: "usr/bin/a", content: elf}}}, ""},
		{"a package brought it, by a name that leads through a link", [][]entry{{{name: "bin", typ: tar.TypeSymlink, link: "usr/bin"},
			list("/.\n/bin\n/bin/a\n"), {name: "usr/bin/a", content: elf}}}, ""},
		{"a package brought another", [][]entry{{list("/.\n/usr\n/usr/bin\n/usr/bin/b\n"), {name: "usr/bin/a", content: elf}}},
			"programs and libraries: 1 file, such as usr/bin/a"},
		{"an upper layer takes it away", [][]entry{{{name: "app/a.dll"}}, {{name: ".wh.app"}}}, ""},
		{"an upper layer has a file of no interest in its place", [][]entry{{{name: "app/server", content: elf}}, {{name: "app/server", content: "a text of no interest"}}}, ""},
		{"an upper layer has a file in the place of its folder", [][]entry{{{name: "app/server", content: elf}}, {{name: "app", content: "a"}}}, ""},
		{"an upper layer has a link in the place of its folder", [][]entry{{{name: "opt/app/server", content: elf}},
			{{name: "opt/app", typ: tar.TypeSymlink, link: "x"}}}, ""},
		{"an upper layer makes it something else", [][]entry{{{name: "app/a.dll"}}, {{name: "app/a.dll", typ: tar.TypeSymlink, link: "b"}}}, ""},
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
	for _, name := range []string{"a.dll", "b.dll", "c/yarn.lock"} {
		if err := k.entry(&tar.Header{Name: name, Typeflag: tar.TypeReg}, strings.NewReader("")); err != nil {
			t.Fatal(err)
		}
	}
	tree := newTree()
	tree.add(k.content)
	if got, want := fmt.Sprint(tree.unread(tree.own(nil), k.content.Beyond)), "[2 files, such as a.dll 1 file]"; got != want {
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
