package image

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

var small = Limits{Entries: 100, File: 1 << 20, Kept: 64 << 10, Bytes: 8 << 20, Ratio: 100, RatioFrom: 1 << 20}

const status = "var/lib/dpkg/status"

func TestWhatALayerHolds(t *testing.T) {
	tests := []struct {
		name    string
		entries []entry
		want    string // files and links that are seen after it, over a layer with a database "old"
	}{
		{"a file over a lower one", []entry{{name: status, content: "new"}}, "var/lib/dpkg/status=new"},
		{"a name with a leading dot", []entry{{name: "./" + status, content: "new"}}, "var/lib/dpkg/status=new"},
		{"an absolute name is below the root", []entry{{name: "/" + status, content: "new"}}, "var/lib/dpkg/status=new"},
		{"a whiteout", []entry{{name: "var/lib/dpkg/.wh.status"}}, ""},
		{"a whiteout of a folder above", []entry{{name: "var/.wh.lib"}}, ""},
		{"a whiteout of another name", []entry{{name: "var/lib/.wh.dpk"}}, "var/lib/dpkg/status=old"},
		{"an opaque folder", []entry{{name: "var/lib/.wh..wh..opq"}}, ""},
		{"an opaque root", []entry{{name: ".wh..wh..opq"}}, ""},
		{"an opaque folder keeps its own layer's files", []entry{{name: status, content: "new"}, {name: "var/lib/dpkg/.wh..wh..opq"}},
			"var/lib/dpkg/status=new"},
		{"a name that leads out", []entry{{name: "a/../../" + status, content: "evil"}}, "var/lib/dpkg/status=old"},
		{"a link that leads out", []entry{{name: status, typ: tar.TypeSymlink, link: "../../../../../etc/passwd"}}, "var/lib/dpkg/status=?"},
		{"a link to a file that is kept", []entry{{name: "usr/lib/os-release", content: "ID=x"},
			{name: "etc/os-release", typ: tar.TypeSymlink, link: "../usr/lib/os-release"}},
			"etc/os-release=ID=x usr/lib/os-release=ID=x var/lib/dpkg/status=old"},
		{"a hard link", []entry{{name: "usr/lib/os-release", content: "ID=x"},
			{name: "etc/os-release", typ: tar.TypeLink, link: "usr/lib/os-release"}},
			"etc/os-release=ID=x usr/lib/os-release=ID=x var/lib/dpkg/status=old"},
		{"a link to itself", []entry{{name: "etc/os-release", typ: tar.TypeSymlink, link: "os-release"}},
			"etc/os-release=? var/lib/dpkg/status=old"},
		{"a whiteout of no name", []entry{{name: "var/lib/dpkg/.wh."}}, "var/lib/dpkg/status=old"},
		{"a whiteout of the folder above by dots", []entry{{name: "var/lib/dpkg/.wh..."}}, "var/lib/dpkg/status=old"},
		{"what only looks like an opaque folder", []entry{{name: "var/lib/dpkg/.wh..wh..opqX"}}, "var/lib/dpkg/status=old"},
		{"a file in place of a folder", []entry{{name: "var/lib/dpkg", content: "x"}}, "var/lib/dpkg=?"},
		{"a folder in place of the file", []entry{{name: status, typ: tar.TypeDir}}, ""},
		{"a link in place of a folder", []entry{{name: "var/lib/dpkg", typ: tar.TypeSymlink, link: "/opt/db"}}, "var/lib/dpkg=?"},
		{"a folder that is there already", []entry{{name: "var/lib/dpkg/", typ: tar.TypeDir}}, "var/lib/dpkg/status=old"},
		{"a link in place of a folder, and a file through it",
			[]entry{{name: "var/lib", typ: tar.TypeSymlink, link: "../usr/lib"}, {name: "var/lib/dpkg/status", content: "new"}},
			"usr/lib/dpkg/status=new var/lib=?"},
		{"a link that a folder replaces again", []entry{{name: "var/lib", typ: tar.TypeSymlink, link: "../usr/lib"},
			{name: "var/lib", typ: tar.TypeDir}, {name: status, content: "new"}}, "var/lib/dpkg/status=new"},
		{"the last of a name is there", []entry{{name: status, content: "first"}, {name: status, content: "last"}}, "var/lib/dpkg/status=last"},
		{"a hard link keeps what its other name loses", []entry{{name: "usr/lib/os-release", content: "ID=x"},
			{name: "etc/os-release", typ: tar.TypeLink, link: "usr/lib/os-release"}, {name: "usr/lib/os-release", content: "ID=y"}},
			"etc/os-release=ID=x usr/lib/os-release=ID=y var/lib/dpkg/status=old"},
		{"a device is not a database, and not the one below", []entry{{name: status, typ: tar.TypeChar}}, "var/lib/dpkg/status=?"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tree := newTree()
			tree.add(&Content{Changes: []Change{{Name: status, Kind: aFile, Data: []byte("old")}}})
			c, err := readLayer(bytes.NewReader(gzipped(t, tarOf(t, test.entries...))), &budget{limits: small}, newSearch())
			if err != nil {
				t.Fatal(err)
			}
			tree.add(c)
			if got := seen(tree); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

func seen(t *tree) string {
	var out []string
	t.files(func(name string, _ *node) bool {
		b, ok := t.read(name)
		if !ok {
			b = []byte("?")
		}
		out = append(out, name+"="+string(b))
		return true
	})
	return strings.Join(out, " ")
}

func TestLayersThatAreRefused(t *testing.T) {
	many := make([]entry, 101)
	names := make([]entry, 0, 99)
	for i := range many {
		many[i] = entry{name: fmt.Sprintf("f%d", i)}
	}
	for i := range 99 {
		names = append(names, entry{name: fmt.Sprintf("var/lib/dpkg/info/p%d.list", i), content: strings.Repeat("x", 400)})
	}
	good := gzipped(t, tarOf(t, entry{name: status, content: strings.Repeat("Package: a\n", 5000)}))
	tests := []struct {
		name  string
		layer []byte
		bound bool
		says  string
	}{
		{"a million files", tarOf(t, many...), true, "at most 100 entries"},
		{"a huge database", tarOf(t, entry{name: status, content: strings.Repeat("x", 1<<20+1)}), true, "at most 1 MiB"},
		{"many databases", tarOf(t, names...), true, "past its bounds"},
		{"a gzip bomb", gzipped(t, tarOf(t, entry{name: "zeros", content: strings.Repeat("\x00", 7<<20)})), true, "unpacks to more than"},
		{"cut short", good[:len(good)/2], false, "unexpected EOF"},
		{"a flipped bit", append(append(bytes.Clone(good[:40]), good[40]^0xff), good[41:]...), false, ""},
		{"no archive", []byte(strings.Repeat("hello, I am a web page. ", 100)), false, "want a tar archive"},
		{"no gzip", []byte("\x1f\x8bnothing"), false, "want gzip"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := readLayer(bytes.NewReader(test.layer), &budget{limits: small}, newSearch())
			if err == nil || !strings.Contains(err.Error(), test.says) || errors.Is(err, errBound) != test.bound {
				t.Errorf("error %v, want one that says %q", err, test.says)
			}
		})
	}
}

func TestZstdAndPlainLayersAreRead(t *testing.T) {
	plain := tarOf(t, entry{name: status, content: "x"})
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, layer := range map[string][]byte{"zstd": z.EncodeAll(plain, nil), "plain": plain, "gzip": gzipped(t, plain)} {
		t.Run(name, func(t *testing.T) {
			c, err := readLayer(bytes.NewReader(layer), &budget{limits: small}, newSearch())
			if err != nil || len(c.Changes) != 1 || string(c.Changes[0].Data) != "x" {
				t.Errorf("%v, %v", c, err)
			}
		})
	}
}
