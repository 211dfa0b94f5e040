package image

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"github.com/breakwater-sec/breakwater/image/lang"
)

// jarOf is an archive of one artifact.
func jarOf(t testing.TB, group, artifact, version string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("META-INF/maven/" + group + "/" + artifact + "/pom.properties")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(w, "groupId=%s\nartifactId=%s\nversion=%s\n", group, artifact, version); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// sampleOfRPM is a database that rpm made.
func sampleOfRPM(t testing.TB, name string) string {
	t.Helper()
	f, err := os.Open("rpm/testdata/" + name + ".gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// languagesOf is an inventory's packages of languages, with who has them, and its gaps.
func languagesOf(inv *Inventory) string {
	var out []string
	for _, p := range inv.Packages {
		if len(p.Files) == 0 || strings.HasPrefix(p.PURL, "pkg:deb") {
			continue
		}
		layer := 0
		for i, l := range inv.Layers {
			if l.Digest == p.Layer {
				layer = i + 1
			}
		}
		one := fmt.Sprintf("%s %s %s layer %d %v", p.Ecosystem, p.Name, p.Version, layer, p.Files)
		if p.OwnedBy != "" {
			one += " of " + p.OwnedBy
		}
		if p.Wanted {
			one += " wanted"
		}
		out = append(out, one)
	}
	for _, g := range inv.Gaps {
		out = append(out, "gap "+g.What+": "+g.Why)
	}
	return strings.Join(out, "\n")
}

func TestPackagesOfLanguagesAreLaidOverEachOther(t *testing.T) {
	release := entry{name: "etc/os-release", content: debian}
	django := entry{name: "usr/lib/python3/dist-packages/Django-1.11.29.dist-info/METADATA", content: "Name: Django\nVersion: 1.11.29\n"}
	lodash := entry{name: "app/node_modules/lodash/package.json", content: `{"name":"lodash","version":"4.17.20"}`}
	jar := entry{name: "app/lib/log4j.jar", content: jarOf(t, "org.apache.logging.log4j", "log4j-core", "2.14.1")}
	newer := entry{name: "app/lib/log4j.jar", content: jarOf(t, "org.apache.logging.log4j", "log4j-core", "2.24.0")}
	const (
		isDjango = "PyPI django 1.11.29 layer %d [/usr/lib/python3/dist-packages/Django-1.11.29.dist-info/METADATA]"
		isLodash = "npm lodash 4.17.20 layer %d [/app/node_modules/lodash/package.json]"
		isJar    = "Maven org.apache.logging.log4j:log4j-core 2.14.1 layer %d [/app/lib/log4j.jar]"
	)
	list := func(files string) entry { return entry{name: "var/lib/dpkg/info/zlib1g.list", content: files} }
	const zlibs = "pkg:deb/debian/zlib1g@1:1.2.13.dfsg-1?arch=amd64&distro=bookworm&source=zlib&sourceversion=1:1.2.13"
	lock := entry{name: "app/package-lock.json", content: `{"packages":{"node_modules/a":{"version":"1.0.0"}}}`}
	tests := []struct {
		name   string
		layers [][]entry
		want   string
	}{
		{"each in its layer", [][]entry{{django}, {lodash}, {jar}}, fmt.Sprintf(isJar+"\n"+isLodash+"\n"+isDjango, 4, 3, 2)},
		{"a whiteout takes one away", [][]entry{{django, lodash}, {{name: "usr/lib/python3/.wh.dist-packages"}}}, fmt.Sprintf(isLodash, 2)},
		{"an opaque folder hides what is below it", [][]entry{{django, lodash}, {{name: "app/node_modules/.wh..wh..opq"}}},
			fmt.Sprintf(isDjango, 2)},
		{"an upper layer has another version", [][]entry{{jar}, {newer}},
			strings.Replace(fmt.Sprintf(isJar, 3), "2.14.1", "2.24.0", 1)},
		{"an upper layer moves it by a hard link", [][]entry{{jar}, {{name: "opt/x.jar", typ: tar.TypeLink, link: "app/lib/log4j.jar"},
			{name: "app/.wh.lib"}}},
			"gap Java archives: no package that was read brought them, and nothing in them says what they are (1 file, such as opt/x.jar)"},
		{"a file under a name that shows nothing, and a hard link to it", [][]entry{{{name: "app/blob", content: lodash.content},
			{name: lodash.name, typ: tar.TypeLink, link: "app/blob"}}},
			strings.Replace(fmt.Sprintf(isLodash, 2), "[", "[/app/blob ", 1)},
		{"two names of one file in one layer", [][]entry{{jar, {name: "opt/x.jar", typ: tar.TypeLink, link: "app/lib/log4j.jar"}}},
			strings.Replace(fmt.Sprintf(isJar, 2), "jar]", "jar /opt/x.jar]", 1)},
		{"two names of one file, of which one goes", [][]entry{{jar, {name: "opt/x.jar", typ: tar.TypeLink, link: "app/lib/log4j.jar"}},
			{{name: ".wh.app"}}},
			strings.Replace(fmt.Sprintf(isJar, 2), "/app/lib/log4j.jar", "/opt/x.jar", 1)},
		{"a link to a file is no second one", [][]entry{{jar, {name: "opt/x.jar", typ: tar.TypeSymlink, link: "/app/lib/log4j.jar"}}},
			fmt.Sprintf(isJar, 2)},
		{"a file in the place of its folder", [][]entry{{jar}, {{name: "app/lib", content: "x"}}}, ""},
		{"a file in its own place that is none", [][]entry{{jar}, {{name: "app/lib/log4j.jar", content: "no"}}},
			"gap Java archives: 1 file, such as app/lib/log4j.jar cannot be read: want a zip archive: zip: not a valid zip file"},
		{"a package of the distribution has it", [][]entry{{lodash, list("/.\n/app\n/app/node_modules/lodash/package.json\n")}},
			fmt.Sprintf(isLodash, 2) + " of " + zlibs},
		{"one is the distribution's, and one is not", [][]entry{{lodash, list("/.\n/app\n/app/node_modules/lodash/package.json\n"),
			{name: "opt/node_modules/lodash/package.json", content: lodash.content}}}, strings.Replace(fmt.Sprintf(isLodash, 2), "/app", "/opt", 1)},
		{"what cannot be read is the distribution's", [][]entry{{{name: "app/x.jar", content: "no"}, list("/.\n/app\n/app/x.jar\n")}}, ""},
		{"a list alone", [][]entry{{lock}}, "npm a 1.0.0 layer 2 [/app/package-lock.json] wanted\n" +
			"gap npm packages: only lists of what was wanted tell of them (1 file, such as app/package-lock.json), nothing says what is installed"},
		{"a list, and what is installed", [][]entry{{lock, lodash}}, fmt.Sprintf(isLodash, 2)},
		{"a package in several places", [][]entry{{lodash, {name: "opt/node_modules/lodash/package.json", content: lodash.content}}},
			strings.Replace(fmt.Sprintf(isLodash, 2), "]", " /opt/node_modules/lodash/package.json]", 1)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			layers := [][]byte{tarOf(t, release, entry{name: status, content: zlib})}
			for _, l := range test.layers {
				layers = append(layers, tarOf(t, l...))
			}
			cache := memory{}
			for _, from := range []string{"the registry", "the cache"} {
				inv, err := scanOf(t.Context(), "oci:"+laidOut(t, imageOf(t, layers...)), Options{Cache: cache})
				if err != nil {
					t.Fatal(err)
				}
				if got := languagesOf(inv); got != test.want {
					t.Errorf("from %s\ngot:\n%s\nwant:\n%s", from, got, test.want)
				}
			}
		})
	}
}

// TestPackagesOfAModuleAreThoseOfAllPrograms: where nobody knows those of one, nobody knows those of the image.
func TestPackagesOfAModuleAreThoseOfAllPrograms(t *testing.T) {
	at := func(file, linked string) placed {
		return placed{Package: lang.Package{Ecosystem: "Go", Name: "a.org/b", Version: "v1.0.0", Linked: linked}, file: file}
	}
	owned, listed := at("usr/bin/own", "owned"), at("src/go.sum", "")
	owned.owner, listed.wanted = "pkg:deb/debian/own@1", true
	for want, places := range map[string][]placed{
		". a":       {at("bin/x", ". a")},
		". a b c":   {at("bin/x", ". b c"), at("bin/y", "a b"), owned, listed},
		"a":         {at("bin/x", "a"), at("bin/y", "a")},
		"":          {at("bin/x", "a"), at("bin/y", ""), at("bin/z", "b")},
		"owned":     {owned},
		"x y z z/a": {at("bin/x", "z/a x"), at("bin/y", "y"), at("bin/z", "z")},
	} {
		if got := packageIn("pkg:golang/a.org/b@v1.0.0", places).Linked; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := packageIn("a", []placed{listed}).Linked; got != "" {
		t.Errorf("a list tells of code: %q", got)
	}
	if got := both(strings.Repeat("a", mostLinked), "b"); got != "" {
		t.Errorf("of too many %d bytes are kept", len(got))
	}
}

func TestAnImageOfLanguagesAloneIsUnderstood(t *testing.T) {
	img := imageOf(t, tarOf(t, entry{name: "app/node_modules/a/package.json", content: `{"name":"a","version":"1"}`}))
	inv, err := scanOf(t.Context(), "oci:"+laidOut(t, img), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !inv.Understood || len(inv.Gaps) > 0 || len(inv.Packages) != 1 || inv.Layers[0].Packages != 1 {
		t.Errorf("understood %t, %v, %v, %v", inv.Understood, inv.Packages, inv.Layers, inv.Gaps)
	}
}

func TestADatabaseOfRPMIsListedWithItsFiles(t *testing.T) {
	const rocky = "ID=\"rocky\"\nVERSION_ID=\"9.3\"\n"
	tool := entry{name: "usr/bin/shop", content: "#!/bin/sh\nexec shop\n", mode: 0o755}
	for _, test := range []struct {
		name, place, content string
		more                 []entry
		gaps                 int
	}{
		{"SQLite", "var/lib/rpm/rpmdb.sqlite", sampleOfRPM(t, "rpmdb.sqlite"), []entry{{name: "var/lib/rpm/rpmdb.sqlite-wal"}}, 0},
		{"SQLite, with changes beside it", "usr/lib/sysimage/rpm/rpmdb.sqlite", sampleOfRPM(t, "rpmdb.sqlite"),
			[]entry{{name: "usr/lib/sysimage/rpm/rpmdb.sqlite-wal", content: "x"}}, 1},
		{"Berkeley DB", "var/lib/rpm/Packages", sampleOfRPM(t, "Packages"), nil, 0},
		{"behind a link", "usr/lib/sysimage/rpm/Packages", sampleOfRPM(t, "Packages"),
			[]entry{{name: "var/lib/rpm", typ: tar.TypeSymlink, link: "../../usr/lib/sysimage/rpm"}}, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			entries := append([]entry{{name: "etc/os-release", content: rocky}, {name: test.place, content: test.content}, tool}, test.more...)
			inv, err := scanOf(t.Context(), "oci:"+laidOut(t, imageOf(t, tarOf(t, entries...))), Options{})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range inv.Packages {
				got = append(got, fmt.Sprintf("%s %s %s %s %d", p.Ecosystem, p.PURL, p.Source, p.SourceVersion, len(p.Files)))
			}
			const want = "Rocky Linux:9 pkg:rpm/rocky/shop-tools@1.4-3.el9?arch=noarch&distro=rocky-9.3&epoch=2 shop 2:1.4-3.el9 1\n" +
				"Rocky Linux:9 pkg:rpm/rocky/shop@1.4-3.el9?arch=noarch&distro=rocky-9.3&epoch=2 shop 2:1.4-3.el9 201"
			if strings.Join(got, "\n") != want || len(inv.Gaps) != test.gaps || len(inv.Unread) > 0 {
				t.Errorf("got:\n%s\nwant:\n%s\n%v %v", strings.Join(got, "\n"), want, inv.Gaps, inv.Unread)
			}
		})
	}
}

func TestDistributionsOfRPMAreNamedAsAdvisoriesNameThem(t *testing.T) {
	for release, want := range map[string]string{"ID=rhel\nVERSION_ID=9.4": "Red Hat:enterprise_linux:9",
		"ID=almalinux\nVERSION_ID=8.10": "AlmaLinux:8",
		"ID=centos\nVERSION_ID=7":       "CentOS:7", "ID=ol\nVERSION_ID=8.9": "Oracle Linux:8", "ID=amzn\nVERSION_ID=2023": "Amazon Linux:2023",
		"ID=fedora\nVERSION_ID=40": "Fedora:40", "ID=photon\nVERSION_ID=5.0": "Photon OS:5.0", "ID=azurelinux\nVERSION_ID=3.0": "Azure Linux:3",
		"ID=mariner\nVERSION_ID=2.0": "Azure Linux:2", "ID=sles\nVERSION_ID=15.5": "SUSE:Linux Enterprise Server 15 SP5",
		"ID=opensuse-leap\nVERSION_ID=15.5": "openSUSE:Leap 15.5", "ID=opensuse-tumbleweed\nVERSION_ID=2024": "openSUSE:Tumbleweed",
		"ID=openEuler\nVERSION_ID=22.03": "openEuler:22.03", "ID=mageia\nVERSION_ID=9": "Mageia:9", "ID=unheard": ""} {
		from := osOf(release)
		if got := rpmEcosystem(from); got != want {
			t.Errorf("%q is %q, want %q", release, got, want)
		}
	}
}

func TestTheListOfAzureLinuxAndOpkgsAreRead(t *testing.T) {
	for name, test := range map[string]struct{ place, content, want string }{
		"a manifest": {"var/lib/rpmmanifest/container-manifest-2", "openssl\t1.1.1k-21.cm2\t1\t2\tMicrosoft\t(none)\t3\tx86_64\t1\topenssl" +
			"-1.1.1k-21.cm2.src.rpm\n" +
			"bad\n", "openssl 1:1.1.1k-21.cm2 openssl; 1 of its packages cannot be read (bad: want a line of 10 fields, have 1)"},
		"opkg": {"usr/lib/opkg/status", "Package: busybox\nVersion: 1.36.1-1\nStatus: install user installed\nArchitecture: x86_64\n",
			"busybox 1.36.1-1 "},
	} {
		files := treeOf("ID=mariner\nVERSION_ID=2.0\n", test.place, test.content)
		files.add(&Content{Changes: []Change{{Name: "usr/lib/opkg/info/busybox.list", Kind: aFile, Data: []byte("/bin/busybox\n/bin/sh\tx\n")}}})
		found, failed := readPackages(t.Context(), files)
		addFiles(files, found)
		var got []string
		for _, p := range found {
			got = append(got, p.Name+" "+p.Version+" "+p.Source)
			if p.Name == "busybox" && fmt.Sprint(p.Files) != "[/bin/busybox /bin/sh]" {
				t.Errorf("%v", p.Files)
			}
		}
		for _, f := range failed {
			got = append(got, f.why.Error())
		}
		if strings.Join(got, "; ") != test.want {
			t.Errorf("%s: got %q, want %q", name, strings.Join(got, "; "), test.want)
		}
	}
}

func TestALargeFileIsAGapAndNoEnd(t *testing.T) {
	limits := DefaultLimits
	limits.Held = 100
	img := imageOf(t, tarOf(t, entry{name: "app/x.jar", content: strings.Repeat("x", 101)}, entry{name: "app/server",
		content: elf + strings.Repeat("x", 101)},
		entry{name: "app/node_modules/a/package.json", content: `{"name":"a","version":"1"}`}))
	inv, err := scanOf(t.Context(), "oci:"+laidOut(t, img), Options{Limits: limits})
	if err != nil {
		t.Fatal(err)
	}
	const want = "npm a 1 layer 1 [/app/node_modules/a/package.json]\n" +
		"gap Java archives: 1 file, such as app/x.jar cannot be read: want a file of at most 0 MiB, have one of 0\n" +
		"gap programs and libraries: 1 file, such as app/server cannot be read: want a file of at most 0 MiB, have one of 0"
	if got := languagesOf(inv); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestAHeldFileReadsAsItIs(t *testing.T) {
	var h held
	for _, size := range []int{3*heldBlock + 5, 10, 0, heldBlock} {
		text := make([]byte, size)
		for i := range text {
			text[i] = byte(i * 31 >> 3)
		}
		if err := h.fill(bytes.NewReader(text), int64(size), 1<<30); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(io.NewSectionReader(&h, 0, 1<<30))
		if err != nil || !bytes.Equal(got, text) {
			t.Errorf("%d bytes: %d, %v", size, len(got), err)
		}
		part := make([]byte, 7)
		if n, err := h.ReadAt(part, int64(size)-3); size > 3 && (n != 3 || err != io.EOF) {
			t.Errorf("at the end: %d, %v", n, err)
		}
	}
	if err := h.fill(strings.NewReader("ab"), 3, 10); err == nil {
		t.Error("a file that ends early is no fault")
	}
}

func TestAnImageOfWindowsIsUnsupported(t *testing.T) {
	img := imageOf(t, tarOf(t, entry{name: "Files/Windows/System32/config/SOFTWARE", content: "x"}))
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config = config.DeepCopy()
	config.OS = "windows"
	if img, err = mutate.ConfigFile(img, config); err != nil {
		t.Fatal(err)
	}
	_, err = scanOf(t.Context(), "oci:"+laidOut(t, img), Options{})
	if !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), "Windows") {
		t.Errorf("got %v, want that Windows is unsupported", err)
	}
}
