package image

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/package-url/packageurl-go"
)

// treeOf is an image of a release and one database.
func treeOf(release, database, content string) *tree {
	t := newTree()
	t.add(&Content{Changes: []Change{{Name: "etc/os-release", Kind: aFile, Data: []byte(release)},
		{Name: database, Kind: aFile, Data: []byte(content)}}})
	return t
}

func TestAPackageIsNamedAsAdvisoriesAndOtherToolsNameIt(t *testing.T) {
	const apk = "lib/apk/db/installed"
	tests := []struct{ name, release, database, want string }{
		{"Debian", debian, status, "Debian:12 " +
			"pkg:deb/debian/zlib1g@1:1.2.13.dfsg-1?arch=amd64&distro=bookworm&source=zlib&sourceversion=1:1.2.13"},
		{"Ubuntu", "ID=ubuntu\nVERSION_ID=\"22.04\"\n", status,
			"Ubuntu:22.04 pkg:deb/ubuntu/zlib1g@1:1.2.13.dfsg-1?arch=amd64&distro=22.04&source=zlib&sourceversion=1:1.2.13"},
		{"a derivative that publishes no advisories", "ID=kali\nVERSION_ID='2024.1'\n", status,
			" pkg:deb/kali/zlib1g@1:1.2.13.dfsg-1?arch=amd64&distro=2024.1&source=zlib&sourceversion=1:1.2.13"},
		{"no distribution with dpkg", "NAME=x\n", status,
			"Linux pkg:deb/linux/zlib1g@1:1.2.13.dfsg-1?arch=amd64&source=zlib&sourceversion=1:1.2.13"},
		{"Alpine", alpine, apk, "Alpine:v3.18 pkg:apk/alpine/libssl3@3.1.3-r0?arch=x86_64&distro=3.18.4&origin=openssl"},
		{"Alpine without a patch release", "ID=alpine\nVERSION_ID=3\n", apk,
			"Alpine:v3 pkg:apk/alpine/libssl3@3.1.3-r0?arch=x86_64&distro=3&origin=openssl"},
		{"Alpine's edge, which is no release", "ID=alpine\nVERSION_ID=3.22.0_alpha20250108\n", apk,
			"Alpine:edge pkg:apk/alpine/libssl3@3.1.3-r0?arch=x86_64&distro=3.22.0_alpha20250108&origin=openssl"},
		{"Alpine without a release", "ID=alpine\n", apk, "Alpine pkg:apk/alpine/libssl3@3.1.3-r0?arch=x86_64&origin=openssl"},
		{"no distribution with apk", "", apk, "Alpine pkg:apk/alpine/libssl3@3.1.3-r0?arch=x86_64&origin=openssl"},
		{"what took Alpine's packages into releases of its own", "ID=postmarketos\nID_LIKE=alpine\nVERSION_ID=\"3.18\"\n", apk,
			" pkg:apk/postmarketos/libssl3@3.1.3-r0?arch=x86_64&distro=3.18&origin=openssl"},
		{"a distribution without releases", "ID=wolfi\nVERSION_ID=\"20230201\"\n", apk,
			"Wolfi pkg:apk/wolfi/libssl3@3.1.3-r0?arch=x86_64&distro=20230201&origin=openssl"},
		{"Alpaquita", "ID=alpaquita\nVERSION_ID=23\n", apk,
			"Alpaquita:23 pkg:apk/alpaquita/libssl3@3.1.3-r0?arch=x86_64&distro=23&origin=openssl"},
		{"single quotes, escapes, a comment", "# ID=wolfi\nID='debian' # the one\nVERSION_ID=\\1\\2\n", status,
			"Debian:12 pkg:deb/debian/zlib1g@1:1.2.13.dfsg-1?arch=amd64&distro=12&source=zlib&sourceversion=1:1.2.13"},
		{"escapes within quotes, a name in capitals, lines of Windows", "\ufeffID=\"Deb\"'ian'\r\nVERSION_ID=\"12\"\r\n", status,
			"Debian:12 pkg:deb/debian/zlib1g@1:1.2.13.dfsg-1?arch=amd64&distro=12&source=zlib&sourceversion=1:1.2.13"},
		{"a release in the making says its name only", "ID=debian\nVERSION_CODENAME=trixie\n", status,
			"Debian:13 pkg:deb/debian/zlib1g@1:1.2.13.dfsg-1?arch=amd64&distro=trixie&source=zlib&sourceversion=1:1.2.13"},
		{"Debian's unstable has no number", "ID=debian\nVERSION_CODENAME=sid\n", status,
			"Debian pkg:deb/debian/zlib1g@1:1.2.13.dfsg-1?arch=amd64&distro=sid&source=zlib&sourceversion=1:1.2.13"},
		{"the last of a name is in force", "ID=debian\nID=alpine\n# ID=wolfi\n", apk,
			"Alpine pkg:apk/alpine/libssl3@3.1.3-r0?arch=x86_64&origin=openssl"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			content := zlib
			if test.database == apk {
				content = apkDB
			}
			found, failed := readPackages(t.Context(), treeOf(test.release, test.database, content))
			if len(failed) > 0 || len(found) == 0 {
				t.Fatalf("%v, %v", found, failed)
			}
			if got := found[0].Ecosystem + " " + found[0].PURL; got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestWhatDpkgSaysOfAPackagesState(t *testing.T) {
	tests := []struct{ name, paragraph, want string }{
		{"installed", "Package: a\nStatus: install ok installed\nVersion: 1\n", "a"},
		{"held back", "Package: a\nStatus: hold ok installed\nVersion: 1\n", "a"},
		{"unpacked, so its files are there", "Package: a\nStatus: install ok unpacked\nVersion: 1\n", "a"},
		{"half-installed, so some of its files may be there", "Package: a\nStatus: install reinstreq half-installed\nVersion: 1\n", "a"},
		{"half-configured", "Package: a\nStatus: install ok half-configured\nVersion: 1\n", "a"},
		{"waiting for a trigger", "Package: a\nStatus: install ok triggers-awaited\nVersion: 1\n", "a"},
		{"with a trigger pending", "Package: a\nStatus: install ok triggers-pending\nVersion: 1\n", "a"},
		{"removed", "Package: a\nStatus: deinstall ok config-files\nVersion: 1\n", ""},
		{"never installed", "Package: a\nStatus: unknown ok not-installed\n", ""},
		{"no status, which dpkg always writes", "Package: a\nVersion: 1\n",
			"a 1 of its packages can be read in part only (a: it has no status)"},
		{"a status that dpkg does not know", "Package: a\nStatus: gone\nVersion: 1\n",
			"a 1 of its packages can be read in part only (a: a status that dpkg does not know: gone)"},
		{"installed without a version", "Package: a\nStatus: install ok installed\n",
			"1 of its packages cannot be read (a: it has no name or no version)"},
		{"a last paragraph without its empty line", "Package: a\nStatus: install ok installed\nVersion: 1", "a"},
		{"names of fields in any case, lines of Windows", "PACKAGE: a\r\nstatus: install ok installed\r\nversion: 1\r\n\r\n" +
			"Package: b\r\nStatus: install ok installed\r\nVersion: 1\r\n", "a b"},
		{"an empty line is missing", "Package: a\nStatus: install ok installed\nVersion: 1\nPackage: b\nStatus: install ok installed\n" +
			"Version: 2\n", "a b"},
		{"blanks in an empty line", "Package: a\nStatus: install ok installed\nVersion: 1\n  \nPackage: b\n" +
			"Status: install ok installed\nVersion: 2\n", "a b"},
		{"a version twice", "Package: a\nStatus: install ok installed\nVersion: 1\nVersion: 2\n",
			"a 1 of its packages can be read in part only (a: version stands there twice)"},
		{"a name that is none", "Package: " + strings.Repeat("x", 1025) + "\nStatus: install ok installed\nVersion: 1\n",
			"1 of its packages cannot be read (an entry without a name: package is 1025 bytes long)"},
		{"a line that goes on", "Package: a\nStatus: install ok installed\nConffiles:\n /etc/a 1 obsolete\n no field\nVersion: 1\n", "a"},
		{"one line that is no field loses nothing else",
			"Package: a\nStatus: install ok installed\nnonsense\nVersion: 1\n\nPackage: b\nStatus: install ok installed\nVersion: 1\n",
			"a b 1 of its packages can be read in part only (a: a line that is no field: nonsense)"},
		{"one entry that is none loses nothing else",
			"Package: a\nStatus: install ok installed\nVersion: 1\n\nno sense: x\n\nPackage: b\nStatus: install ok installed\nVersion: 1\n",
			"a b 1 of its packages cannot be read (an entry without a name: a line that is no field: no sense: x, it has no status)"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			found, failed := readPackages(t.Context(), treeOf(debian, status, test.paragraph))
			var got []string
			for _, p := range found {
				got = append(got, p.Name)
			}
			for _, f := range failed {
				got = append(got, f.why.Error())
			}
			if strings.Join(got, " ") != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestWhatApkSaysOfAPackage(t *testing.T) {
	long := strings.Repeat("so:libcrypto.so.3=3 ", 10_000)
	tests := []struct{ name, database, want string }{
		{"two packages", "P:a\nV:1\n\nP:b\nV:2\n", "a b"},
		{"a line of any length", "P:a\nV:1\np:" + long + "\n\nP:b\nV:2\n\n", "a b"},
		{"lines of Windows", "P:a\r\nV:1\r\n\r\nP:b\r\nV:2\r\n", "a b"},
		{"a line that is no field loses nothing else", "P:a\nnonsense\nV:1\n\nP:b\nV:2\n",
			"a b 1 of its packages can be read in part only (a: a line that is no field: nonsense)"},
		{"an entry without a version", "P:a\n\nP:b\nV:2\n", "b 1 of its packages cannot be read (a: it has no name or no version)"},
		{"an empty line is missing", "P:a\nV:1\nP:b\nV:2\n",
			"a 1 of its packages can be read in part only (a: a second name: b, a second version: 2)"},
		{"a version that is none", "P:a\nV:" + strings.Repeat("1", 1025) + "\n",
			"1 of its packages cannot be read (a: a version of 1025 bytes)"},
		{"several, of which the first are told", "P:a\n\nP:b\n\nP:c\n\nP:d\n", "4 of its packages cannot be read (a: it has no name or " +
			"no version; b: it has no name or no version; c: it has no name or no version)"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			found, failed := readPackages(t.Context(), treeOf(alpine, "lib/apk/db/installed", test.database))
			var got []string
			for _, p := range found {
				got = append(got, p.Name)
			}
			for _, f := range failed {
				got = append(got, f.why.Error())
			}
			if strings.Join(got, " ") != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestADatabaseThatCannotBeReadWholeIsAGap(t *testing.T) {
	for name, files := range map[string][2]string{"dpkg": {status, zlib + "nonsense\n\n" + openssl},
		"apk": {"lib/apk/db/installed", "P:zlib1g\nV:1\n\nnonsense\n\n" + apkDB}} {
		t.Run(name, func(t *testing.T) {
			img := imageOf(t, tarOf(t, entry{name: "etc/os-release", content: debian}, entry{name: files[0], content: files[1]}))
			inv, err := scanOf(t.Context(), "oci:"+laidOut(t, img), Options{})
			if err != nil {
				t.Fatal(err)
			}
			if len(inv.Packages) < 2 {
				t.Errorf("packages %v, want also what stands behind the unreadable place", inv.Packages)
			}
			if len(inv.Gaps) != 1 || inv.Gaps[0].What != "package database "+files[0] {
				t.Errorf("gaps %v, want one that names the database", inv.Gaps)
			}
		})
	}
}

func TestALayerThatRegistriesDoNotHoldIsAGap(t *testing.T) {
	img := imageOf(t, tarOf(t, entry{name: "etc/os-release", content: debian}, entry{name: status, content: zlib}))
	img, err := mutate.Append(img, mutate.Addendum{Layer: static.NewLayer(nil, types.DockerForeignLayer),
		History: v1.History{CreatedBy: "ADD base"}})
	if err != nil {
		t.Fatal(err)
	}
	inv, err := scanOf(t.Context(), "oci:"+laidOut(t, img), Options{})
	if err != nil {
		t.Fatal(err)
	}
	foreign := inv.Layers[len(inv.Layers)-1].Digest
	if len(inv.Gaps) != 1 || inv.Gaps[0].What != "layer "+foreign || !strings.Contains(inv.Gaps[0].Why, "foreign layer") {
		t.Errorf("gaps %v, want one about layer %s", inv.Gaps, foreign)
	}
	if !slices.Contains(inv.Gaps[0].Kinds, "HAS_VULNERABILITY") {
		t.Errorf("kinds %v: an image with an unread layer must not look clean", inv.Gaps[0].Kinds)
	}
}

// FuzzDatabase reads anything as a package database: never a panic, and what is
// listed can be named.
func FuzzDatabase(f *testing.F) {
	f.Add(debian, openssl+zlib+removed)
	f.Add(alpine, apkDB)
	f.Add("ID='x\"\nVERSION_ID=\n", "P:\nV:\n\n:\nF:..\nR:/\n\nStatus:\nSource: (\n (")
	f.Fuzz(func(t *testing.T, release, content string) {
		for _, db := range []string{status, "var/lib/dpkg/status.d/x", "lib/apk/db/installed"} {
			files := treeOf(release, db, content)
			files.add(&Content{Changes: []Change{{Name: "var/lib/dpkg/info/x.list", Kind: aFile, Data: []byte(content)}}})
			found, _ := readPackages(t.Context(), files)
			addFiles(files, found)
			for _, p := range found {
				if p.Name == "" || p.Version == "" || p.Database != db {
					t.Fatalf("%+v", p)
				}
				if _, err := packageurl.FromString(p.PURL); err != nil {
					t.Fatalf("%s: %v", p.PURL, err)
				}
			}
		}
		everyEntryCounts(t, treeOf(release, status, content), content)
	})
}

// everyEntryCounts: each entry of a database is a package, not installed, or told.
func everyEntryCounts(t *testing.T, files *tree, content string) {
	t.Helper()
	there := 0
	for p := range paragraphs(content) {
		if dpkgThere(&p, false) {
			there++
		}
	}
	found, err := readDPKG(t.Context(), files, []string{status})
	if lost := there - len(found); lost < 0 || lost > 0 &&
		(err == nil || !strings.HasPrefix(err.Error(), fmt.Sprintf("%d of its packages cannot be read", lost))) {
		t.Fatalf("%d packages of %d entries that are there, and told: %v", len(found), there, err)
	}
}

func TestAShellsWords(t *testing.T) {
	for text, want := range map[string]string{`plain`: `plain`, `"two words"`: `two words`, `'two words'`: `two words`, `'$x \y'`: `$x \y`,
		`"\$x \"y\" \\ \z"`: `$x "y" \ \z`, `a\ b`: `a b`, `a b`: `a`, `a;b`: `a`, `""`: ``, `"open`: `open`, `a"b"'c'`: `abc`, `a\`: `a\`} {
		if got := shellWord(text); got != want {
			t.Errorf("%s is %q, want %q", text, got, want)
		}
	}
}

func TestADistributionWithoutOSReleaseIsNamedByItsCPE(t *testing.T) {
	for text, want := range map[string]OS{"cpe:/o:centos:linux:6:GA\n": {ID: "centos", VersionID: "6"},
		"cpe:2.3:o:amazon:amazon_linux:2": {ID: "amzn", VersionID: "2"}, "cpe:/o:redhat": {}, "cpe:/a:x:y:1": {}, "": {}} {
		files := newTree()
		files.add(&Content{Changes: []Change{{Name: "etc/system-release-cpe", Kind: aFile, Data: []byte(text)}}})
		if got, known := readOS(files); got != want || known != (want.ID != "") {
			t.Errorf("%q is %+v, want %+v", text, got, want)
		}
	}
}
