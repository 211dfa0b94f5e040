package lang

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// TestWhichFilesAreRead: of files that have the same name in other places nobody reads any.
func TestWhichFilesAreRead(t *testing.T) {
	for kind, names := range map[string][]string{
		python: {"a/b.dist-info/METADATA", "a/b.egg-info/PKG-INFO", "a/EGG-INFO/PKG-INFO", "a/b.egg-info", "a/b.dist-info/RECORD", "a/b.whl",
			"a/b.egg", "Pipfile.lock", "a/uv.lock", "a/pdm.lock"},
		conda: {"opt/conda-meta/a-1.json"},
		npm: {"node_modules/a/package.json", "a/node_modules/@b/c/package.json", "usr/share/nodejs/a/package.json",
			"usr/share/nodejs/@a/b/package.json", "a/package-lock.json", "npm-shrinkwrap.json"},
		java: {"a.jar", "a/b.WAR", "a.ear", "a.par", "a.sar", "a.hpi", "a.jpi", "a.kar"},
		ruby: {"a/specifications/b.gemspec", "a/specifications/default/b.gemspec", "specifications/b.gemspec"},
		php:  {"vendor/composer/installed.json", "composer.lock"}, dotNET: {"a/b.deps.json", "packages.lock.json"},
		swift: {"Package.resolved"}, rust: {"Cargo.lock"}, goModule: {"go.mod"}, elixir: {"mix.lock"}, dart: {"pubspec.lock"},
		"nobody": {"a/METADATA", "a/PKG-INFO", "a/RECORD", "a/b.dist-info/PKG-INFO", "conda-meta/history", "a/b.json",
			"package.json", "node_modules/.bin/package.json", "node_modules/package.json", "usr/share/node/a/package.json",
			"a/b.gemspec", "specifications/a/b.gemspec", "specifications/a", "vendor/installed.json", "composer/other.json", "a.zip",
			// lists of what is installed itself
			"app/node_modules/a/package-lock.json", "lib/site-packages/a/requirements.txt", "dist-packages/a/uv.lock", "gems/a/Gemfile.lock",
			"app/vendor/a/b/composer.lock", "go/pkg/mod/a@v1/go.mod", "root/.cargo/registry/src/a/Cargo.lock", "node_modules/npm-shrinkwrap.json"},
	} {
		for _, name := range names {
			got := "nobody"
			if r := ReaderOf(name); r != nil {
				got = r.Kind
			}
			if got != kind {
				t.Errorf("%s is read by the reader of %s, want %s", name, got, kind)
			}
		}
	}
}

// manyNames are lines of so many names.
func manyNames(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "n%d=1\n", i)
	}
	return b.String()
}

func manifest(lines ...string) string { return strings.Join(lines, "\r\n") + "\r\n" }

// TestTheDetailsOfFiles: what one of them leaves out, writes in another way, or has in a form that says nothing.
func TestTheDetailsOfFiles(t *testing.T) {
	jar := func(lines ...string) string {
		return zipped(t, "META-INF/MANIFEST.MF", manifest(lines...), "A.class", "x")
	}
	const deps = `"libraries":{"b/2":{"type":"package"},"runtimepack.a/1":{"type":"runtimepack"},"c/1":{"type":"reference"}}`
	tests := []struct{ name, file, content, want string }{
		{"no line feed at the end", "a.egg-info", "version: 1\nNAME: a", "pkg:pypi/a@1"},
		{"fields after the first empty line", "a.egg-info", "Name: a\nSummary: x\n\nVersion: 1\n",
			`fault: want a name and a version, have "a" ""`},
		{"nothing at all", "a.egg-info", "", `fault: want a name and a version, have "" ""`},
		{"files of a wheel that could be programs", "p/a.dist-info/RECORD",
			"a/data.txt,,\n\"a/lib.so.1\",,\na/bin/run.py,,\na/tool,,\n../run.py,,\n",
			"[p/a/lib.so.1 p/a/bin/run.py p/a/tool run.py]"},
		{"a wheel in a folder of another", "a.whl", zipped(t, "x/a.dist-info/METADATA", "Name: a\nVersion: 1\n"),
			"fault: want METADATA or PKG-INFO in it, have none"},
		{"a file before the metadata", "a.whl", zipped(t, "a.dist-info/RECORD", "", "a.dist-info/METADATA", "Name: a\nVersion: 1\n"),
			"pkg:pypi/a@1 in a.dist-info/METADATA"},
		{"files of conda that could be programs", "o/conda-meta/a.json",
			`{"name":"a","version":"1","files":["bin/a.py","lib/b.so","share/c.txt","d","lib/e.py"]}`, "pkg:conda/a@1; [o/bin/a.py o/lib/b.so o/d]"},
		{"conda's list that is no JSON", "o/conda-meta/a.json", "", "fault: want JSON: unexpected end of JSON input"},

		{"npm, named by its folder", "node_modules/a/package.json", `{"version":"1"}`, "pkg:npm/a@1; [node_modules/a/]"},
		{"npm, without a version", "node_modules/a/package.json", `{"name":"b"}`,
			`[node_modules/a/]; fault: want a name and a version, have "b" ""`},
		{"npm, a package that says neither", "node_modules/a/package.json", `{"dependencies":{}}`,
			`[node_modules/a/]; fault: want a name and a version, have "a" ""`},
		{"npm, with the mark of its order of bytes", "node_modules/a/package.json", "\xef\xbb\xbf" + `{"name":"a","version":"1"}`,
			"pkg:npm/a@1; [node_modules/a/]"},
		{"a lock of npm: links, versions, nothing", "package-lock.json", `{"packages":{"node_modules/a":{"version":"1","link":true},` +
			`"node_modules/c":{"version":"2"},"node_modules/b":{"version":"3"},"x/node_modules/b":{"version":"10"}}}`,
			"pkg:npm/b@10; pkg:npm/b@3; pkg:npm/c@2; wanted"},
		{"a lock of npm of no packages", "package-lock.json", `{"packages":{}}`, "wanted"},
		{"a lock of npm 6 of no packages", "package-lock.json", `{"dependencies":{}}`, "wanted"},
		{"packages before dependencies", "package-lock.json", `{"packages":{},"dependencies":{"a":{"version":"1"}}}`, "wanted"},
		{"a lock of npm 6: for development", "package-lock.json", `{"dependencies":{"a":{"version":"1","dev":true,"dependencies":{"b":` +
			`{"version":"2"}}},"c":{"version":"npm:@d/e@3"},"f":{"version":"npm:@4"}}}`,
			"pkg:npm/%40d/e@3; pkg:npm/b@2; pkg:npm/f@npm:%404; wanted"},
		{"a lock of npm with one bad package", "package-lock.json", `{"packages":{"node_modules/a":{},"node_modules/b":{"version":"1"}}}`,
			`pkg:npm/b@1; wanted; fault: want a name and a version, have "a" ""`},

		{"properties in another folder", "x.jar", zipped(t, "META-INF/other/pom.properties", pom), ""},
		{"a folder that is called an archive", "x.jar", zipped(t, "a.jar/", ""), ""},
		{"properties that are not filled in", "x.jar", zipped(t, "META-INF/maven/a/b/pom.properties", "groupId=a\nartifactId=b\nversion=${v}\n"),
			`fault: META-INF/maven/a/b/pom.properties: want groupId, artifactId and version, have "a" "b" "${v}"`},
		{"properties without a group", "x.jar", zipped(t, "META-INF/maven/a/b/pom.properties", "artifactId=b\nversion=1\n"),
			`fault: META-INF/maven/a/b/pom.properties: want groupId, artifactId and version, have "" "b" "1"`},
		{"properties without an artifact", "x.jar", zipped(t, "META-INF/maven/a/b/pom.properties", "groupId=a\nversion=1\n"),
			`fault: META-INF/maven/a/b/pom.properties: want groupId, artifactId and version, have "a" "" "1"`},
		{"properties without a version", "x.jar", zipped(t, "META-INF/maven/a/b/pom.properties", "groupId=a\nartifactId=b\n\nx\n"),
			`fault: META-INF/maven/a/b/pom.properties: want groupId, artifactId and version, have "a" "b" ""`},
		{"properties with an empty line", "b-1.jar", zipped(t, "META-INF/maven/a/b/pom.properties", "groupId=a\n\n artifactId = b \nVERSION=1\n"),
			"pkg:maven/a/b@1"},
		{"others were shaded into it, and its own are missing", "org.acme.shop-2.jar", zipped(t, "META-INF/maven/a/b/pom.properties",
			"groupId=a\nartifactId=b\nversion=1\n", "META-INF/maven/c/d/pom.properties", "groupId=c\nartifactId=d\nversion=1\n",
			"META-INF/MANIFEST.MF", manifest("Bundle-SymbolicName: org.acme.all")),
			"pkg:maven/a/b@1; pkg:maven/c/d@1; pkg:maven/org.acme.all/org.acme.shop@2"},
		{"the same artifact twice", "b.jar", zipped(t, "META-INF/maven/a/b/pom.properties", "groupId=a\nartifactId=b\nversion=1\n",
			"META-INF/maven/a/x/pom.properties", "groupId=a\nartifactId=b\nversion=1\n"), "pkg:maven/a/b@1"},
		{"an archive that only holds others", "x.war", zipped(t, "b-1.jar", zipped(t, "META-INF/maven/a/b/pom.properties",
			"groupId=a\nartifactId=b\nversion=1\n"), "A.class", "x"), "pkg:maven/a/b@1 in b-1.jar"},
		{"three faults", "x.jar", zipped(t, "a.jar", "", "b.jar", "", "c.jar", ""),
			"fault: a.jar: want a zip archive: zip: not a valid zip file " +
				"b.jar: want a zip archive: zip: not a valid zip file c.jar: want a zip archive: zip: not a valid zip file"},
		{"four faults", "x.jar", zipped(t, "a.jar", "", "b.jar", "", "c.jar", "", "d.jar", ""),
			"fault: a.jar: want a zip archive: zip: not a valid " +
				"zip file b.jar: want a zip archive: zip: not a valid zip file c.jar: want a zip archive: zip: not a valid zip file and 1 more"},
		{"the version of its implementation comes first", "tools.jar", jar("Specification-Version: 1", "Bundle-Version: 2",
			"Implementation-Version: 3", "Implementation-Vendor-Id: org.acme"), "pkg:maven/org.acme/tools@3"},
		{"then that of its bundle", "tools.jar", jar("Specification-Version: 1", "Bundle-Version: 2", "Implementation-Vendor-Id: org.acme"),
			"pkg:maven/org.acme/tools@2"},
		{"then that of what it implements", "tools.jar", jar("Specification-Version: 1", "Implementation-Vendor-Id: org.acme"),
			"pkg:maven/org.acme/tools@1"},
		{"its vendor before its bundle and its module", "tools-1.jar", jar("Automatic-Module-Name: org.module.tools",
			"Bundle-SymbolicName: org.bundle.tools", "Implementation-Vendor-Id: org.acme"), "pkg:maven/org.acme/tools@1"},
		{"its bundle before its module", "tools-1.jar", jar("Automatic-Module-Name: org.module.tools", "Bundle-SymbolicName: org.bundle.tools"),
			"pkg:maven/org.bundle/tools@1"},
		{"its module", "tools-1.jar", jar("Automatic-Module-Name: org.module.tools", "Bundle-SymbolicName: tools"),
			"pkg:maven/org.module/tools@1"},
		{"a vendor who is no group", "tools-1.jar", jar("Implementation-Vendor-Id: Acme Inc."),
			"fault: nothing in it says which artifact of Maven it is"},
		{"a group without a version", "tools.jar", jar("Implementation-Vendor-Id: org.acme"),
			"fault: nothing in it says which artifact of Maven it is"},
		{"a manifest by another name", "tools-1.jar", zipped(t, "meta-inf/manifest.mf", "Implementation-Vendor-Id: org.acme\n"),
			"pkg:maven/org.acme/tools@1"},
		{"a manifest of one endless line", "tools-1.jar", jar(strings.Repeat("x", 70<<10)),
			"fault: META-INF/MANIFEST.MF: bufio.Scanner: token too long"},

		{"what else Maven writes", "b.jar", zipped(t, "META-INF/maven/a/b/pom.xml", "<project/>", "META-INF/maven/a/b/pom.properties",
			"groupId=a\nartifactId=b\nversion=1\nversion\n"), "pkg:maven/a/b@1"},
		{"its own artifact before what the manifest says", "renamed.jar", zipped(t, "META-INF/maven/a/b/pom.properties",
			"groupId=a\nartifactId=b\nversion=1\n", "META-INF/MANIFEST.MF", manifest("Implementation-Vendor-Id: org.acme",
				"Implementation-Version: 9")), "pkg:maven/a/b@1"},
		{"its own among several", "b-1.jar", zipped(t, "META-INF/maven/a/b/pom.properties", "groupId=a\nartifactId=b\nversion=1\n",
			"META-INF/maven/c/d/pom.properties", "groupId=c\nartifactId=d\nversion=1\n", "META-INF/MANIFEST.MF",
			manifest("Implementation-Vendor-Id: org.acme")), "pkg:maven/a/b@1; pkg:maven/c/d@1"},
		{"several, and nobody knows its own", "x.jar", zipped(t, "META-INF/maven/a/b/pom.properties", "groupId=a\nartifactId=b\nversion=1\n",
			"META-INF/maven/c/d/pom.properties", "groupId=c\nartifactId=d\nversion=1\n", "META-INF/maven/e/f/pom.properties",
			"groupId=e\nartifactId=f\nversion=1\n", "META-INF/maven/g/h/pom.properties", "groupId=g\nartifactId=h\nversion=1\n", "A.class", "x"),
			"pkg:maven/a/b@1; pkg:maven/c/d@1; pkg:maven/e/f@1; pkg:maven/g/h@1"},
		{"one that cannot be named", "x.jar", zipped(t, "META-INF/maven/a/b/pom.properties", "groupId=a\nartifactId="+
			strings.Repeat("b", longestName)+"\nversion=1\n"), "fault: want a name and a version of at most 512 bytes, have 514 and 1"},
		{"properties of very many names", "x.jar", zipped(t, "META-INF/maven/a/b/pom.properties", manyNames(1000)+
			"groupId=a\nartifactId=b\nversion=1\n"),
			`fault: META-INF/maven/a/b/pom.properties: want groupId, artifactId and version, have "" "" ""`},
		{"properties of many names", "b.jar", zipped(t, "META-INF/maven/a/b/pom.properties",
			manyNames(997)+"groupId=a\nartifactId=b\nversion=1\n"),
			"pkg:maven/a/b@1"},
		{"an empty line before the manifest's first", "tools-1.jar", jar("", "Implementation-Vendor-Id: org.acme"), "pkg:maven/org.acme/tools@1"},
		{"what a manifest says of single files", "tools-1.jar", jar("Implementation-Vendor-Id: org.acme", "",
			"Implementation-Vendor-Id: org.other"),
			"pkg:maven/org.acme/tools@1"},
		{"an archive that is called nothing", ".jar", jar("Implementation-Vendor-Id: org.acme", "Implementation-Version: 1"),
			"fault: nothing in it says which artifact of Maven it is"},
		{"a value that never ends", "tools-1.jar", jar("Bundle-SymbolicName: org.acme", strings.TrimSuffix(strings.Repeat(" "+
			strings.Repeat("a", 60)+"\r\n", 100), "\r\n")), "fault: want a name and a version of at most 512 bytes, have 554 and 1"},
		{"the first name and version count", "a.egg-info", "Name: a\nVersion: 1\nName: b\nVersion: 2\n", "pkg:pypi/a@1"},
		{"a name that is a number", "node_modules/a/package.json", `{"name":1,"version":"2"}`, "pkg:npm/a@2; [node_modules/a/]"},
		{"Composer: a package without a name", "composer/installed.json", `[{"version":"1"}]`, `fault: want a name and a version, have "" "1"`},
		{"a lock of npm 6: from a repository", "package-lock.json", `{"dependencies":{"a":{"version":"git+ssh://git@example.com/b.git#1"}}}`,
			"pkg:npm/a@git%2Bssh:%2F%2Fgit%40example.com%2Fb.git%231; wanted"},
		{".NET: every kind of file", "app/web.deps.json", `{"targets":{"n":{"b/2":{"native":{"r/n.so":{}},"runtimeTargets":{"r/t.so":{}},` +
			`"resources":{"de/b.dll":{}}}}},` + deps + `}`,
			"pkg:nuget/b@2; pkg:nuget/a@1; [app/b.dll app/de/b.dll app/n.so app/r/n.so app/r/t.so app/t.so]"},
		{".NET: a package without a version", "web.deps.json", `{"libraries":{"a":{"type":"package"}}}`,
			`fault: want a name and a version, have "a" ""`},
		{".NET: no JSON", "web.deps.json", "", "fault: want JSON: unexpected end of JSON input"},
		{"Composer: no JSON", "composer/installed.json", "", "fault: want JSON: unexpected end of JSON input"},
		{"Composer: a package without a version", "composer/installed.json", `[{"name":"a/b"},{"name":"a/c","version":"1"}]`,
			`[a/b/]; fault: want a name and a version, have "a/b" ""`},
		{"Composer: none is installed", "composer/installed.json", `{"packages":[]}`, ""},
		{"a gem that says nothing", "specifications/a-1.gemspec", "x", `[gems/a-1/]; fault: want a name and a version, have "" ""`},
		{"a gem whose version is a text", "specifications/a-1.gemspec", "s.name='a'\ns.version='1'", "pkg:gem/a@1; [gems/a-1/]"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := told(test.file, test.content); got != test.want {
				t.Errorf("%s\ngot  %s\nwant %s", test.file, got, test.want)
			}
		})
	}
}

// TestTheDetailsOfLists: what lists of wanted packages write beside the packages, and in other words.
func TestTheDetailsOfLists(t *testing.T) {
	tests := []struct{ name, file, content, want string }{
		{"uv's own project", "uv.lock", "[[package]]\nname = \"own\"\nversion = \"1\"\nsource = { virtual = \".\" }\n" +
			"[[package]]\nname = \"a\"\n" +
			"version = \"2\"\nsource = { registry = \"https://x\" }\n", "pkg:pypi/a@2; wanted"},
		{"a source that is of nothing before it", "uv.lock",
			"[[package]]\nsource = { editable = \".\" }\n[[package]]\nname = \"a\"\nversion = \"2\"\n" +
				"[[package]]\nname = \"b\"\nsource = { editable = \".\" }\n", "pkg:pypi/a@2; wanted"},
		{"what other sections say", "poetry.lock", "[metadata]\nname = \"a\"\nversion = \"1\"\nsource = { editable = \".\" }\n", "wanted"},
		{"the same package twice", "poetry.lock", strings.Repeat("[[package]]\nname = \"a\"\nversion = \"1\"\n", 2), "pkg:pypi/a@1; wanted"},
		{"text without an end", "poetry.lock", "[[package]]\nname = \"a\nversion = \"1\"\n", "wanted"},
		{"a crate of a repository", "Cargo.lock",
			"[[package]]\nname = \"a\"\nversion = \"1\"\nsource = \"git+https://x\"\n[[package]]\nname = \"b\"\n" +
				"version = \"2\"\nsource = \"registry+https://x\"\n", "pkg:cargo/b@2; wanted"},
		{"requirements on several lines, with blanks", "requirements.txt",
			"  a===1  # b==2\nc == 2 ; d\ne==3 --hash=x\nf==4 \\\ng==1,<2\nh\n==5\n",
			"pkg:pypi/a@1; pkg:pypi/c@2; pkg:pypi/e@3; pkg:pypi/f@4; wanted"},
		{"Yarn: a version of nothing", "yarn.lock", "a@1:\n  resolved \"x\"\nnothing\n  version \"1\"\n\n# b@1:\n  version \"2\"\n", "wanted"},
		{"Yarn: the first version of a package", "yarn.lock", "a@1:\n  version \"1\"\n  version \"2\"\n", "pkg:npm/a@1; wanted"},
		{"pnpm: what is no package", "pnpm-lock.yaml", "packages:\n\n  a@1.0.0:\nsnapshots:\n  b@2.0.0:\noverrides:\n  c@3.0.0: 4\n",
			"pkg:npm/a@1.0.0; pkg:npm/b@2.0.0; wanted"},
		{"Bundler: what is of a folder or a repository", "Gemfile.lock", "GEM\n  specs:\n    a (1)\nGIT\n  specs:\n    b (2)\n\n    c (3)\n",
			"pkg:gem/a@1; wanted"},
		{"Gradle: what is no artifact", "gradle.lockfile", "#a:b:1=c\na:b=c\na:b:1:2=c\nd:e:3=\n", "pkg:maven/d/e@3; wanted"},
		{"Dart: sections", "pubspec.lock", "sdks:\n  dart:\n    version: \"2\"\npackages:\n  a:\n   version: \"0\"\n    version: \"1\"\n  b: x\n",
			"pkg:pub/a@1; wanted"},
		{"Go: blocks", "go.mod", "require (\n\ta.b/c v1\n)\nexclude (\n\ta.b/d v1\n)\nretract v1.0.0\nrequire a.b/e v2\n\ta.b/f v3\n",
			"pkg:golang/a.b/c@v1; pkg:golang/a.b/e@v2; wanted"},
		{"Swift of old", "Package.resolved", `{"object":{"pins":[{"repositoryURL":"https://a.b/c/d.git","state":{"version":"1"}},` +
			`{"repositoryURL":"https://a","state":{"version":"2"}},{"location":"file:///x","state":{"version":"3"}}]}}`,
			"pkg:swift/a.b/c/d@1; wanted"},
		{"NuGet: sorted", "packages.lock.json", `{"dependencies":{"n":{"b":{"type":"Direct","resolved":"1"},"a":{"resolved":"2"},` +
			`"own":{"type":"project","resolved":"1"}}}}`, "pkg:nuget/a@2; pkg:nuget/b@1; wanted"},
		{"a package without a version", "Pipfile.lock", `{"default":{"c":{}}}`, "wanted"},
		{"the first fault is told", "poetry.lock",
			"[[package]]\nname = \"a\x7f\"\nversion = \"1\"\n[[package]]\nname = \"b\x7f\"\nversion = \"1\"\n" +
				"[[package]]\nname = \"c\"\nversion = \"1\"\n", `pkg:pypi/c@1; wanted; fault: want a name and a version of one line, have "a\x7f" "1"`},
		{"a crate's name is its own", "Cargo.lock", "[[package]]\nname = \"A_b\"\nversion = \"1\"\nsource = \"registry+x\"\n",
			"pkg:cargo/A_b@1; wanted"},
		{"Yarn: lines that are no heads", "yarn.lock", "x\na@1\n  version \"1\"\nb@2:\n  version \"2\"\n", "pkg:npm/b@2; wanted"},
		{"pnpm: a line of one letter", "pnpm-lock.yaml", "x\npackages:\n  a@1.0.0:\n", "pkg:npm/a@1.0.0; wanted"},
		{"Bundler: a line of one letter", "Gemfile.lock", "x\nGEM\n    a (1)\n", "pkg:gem/a@1; wanted"},
		{"Go: behind a block", "go.mod", "require (\n\ta.b/c v1\n)\n\ta.b/d v1\n", "pkg:golang/a.b/c@v1; wanted"},
		{"no JSON", "composer.lock", "", "wanted; fault: want JSON: unexpected end of JSON input"},
		{"one bad package", "Pipfile.lock", `{"default":{"a":{"version":"==1\u007f"},"b":{"version":"2"},"c":{}}}`,
			`pkg:pypi/b@2; wanted; fault: want a name and a version of one line, have "a" "1\x7f"`},
		{"a line without an end", "requirements.txt", "a==1\n" + strings.Repeat("x", 1<<20+1),
			"pkg:pypi/a@1; wanted; fault: bufio.Scanner: token too long"},
		{"lines of another system", "requirements.txt", "a==1\r\nb==2\r\n", "pkg:pypi/a@1; pkg:pypi/b@2; wanted"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := told(test.file, test.content); got != test.want {
				t.Errorf("%s\ngot  %s\nwant %s", test.file, got, test.want)
			}
		})
	}
}

func TestWhatAFileMaySayIsBounded(t *testing.T) {
	named := func(n, v int) string {
		return fmt.Sprintf(`{"name":"%s","version":"%s"}`, strings.Repeat("n", n), strings.Repeat("1", v))
	}
	listed := func(n int) string {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf(`{"name":"a/b%d","version":"1"}`, i))
		}
		return "[" + strings.Join(all, ",") + "]"
	}
	const module, installed = "node_modules/a/package.json", "composer/installed.json"
	for _, c := range []struct {
		name, file, content string
		packages            int
		fault               string
	}{
		{"a name", module, named(longestName, 1), 1, ""},
		{"a name that is too long", module, named(longestName+1, 1), 0, "at most 512 bytes, have 513 and 1"},
		{"a version", module, named(1, longestName), 1, ""},
		{"a version that is too long", module, named(1, longestName+1), 0, "at most 512 bytes, have 1 and 513"},
		{"a name alone", module, `{"name":"a","version":""}`, 0, "want a name and a version"},
		{"a version of two lines", module, `{"name":"a","version":"1\n"}`, 0, "of one line"},
		{"a name with what is no character", module, "{\"name\":\"a\xff\",\"version\":\"1\"}", 0, "of one line"},
		{"a blank, which is one", module, `{"name":"a b","version":"1"}`, 1, ""},
		{"a file", module, `{"name":"a","version":"1"}` + strings.Repeat(" ", mostText-26), 1, ""},
		{"a file that is too large", module, `{"name":"a","version":"1"}` + strings.Repeat(" ", mostText-25), 0,
			"at most 4 MiB, have 4194305 bytes"},
		{"brackets", module, `{"name":"a","version":"1","x":"` + strings.Repeat("[", mostObjects/2) + strings.Repeat("{", mostObjects/2-1) + `"}`,
			1, ""},
		{"one bracket more", module, `{"name":"a","version":"1","x":"` + strings.Repeat("[", mostObjects/2) + strings.Repeat("{", mostObjects/2) +
			`"}`, 0,
			"at most 400000 lists and objects, have 400001"},
		{"packages", installed, listed(mostPackages), mostPackages, ""},
		{"more packages", installed, listed(mostPackages + 1), mostPackages, "want at most 20000 packages in one file"},
		{"a list of lines", "requirements.txt", "a==1\n" + strings.Repeat("\n", mostList-5), 1, ""},
		{"a list of too many lines", "requirements.txt", "a==1\n" + strings.Repeat("\n", mostList-4), 0, "at most 16 MiB"},
	} {
		got := ReaderOf(c.file).Read(file(c.file, c.content))
		if len(got.Packages) != c.packages || !strings.Contains(got.Fault, c.fault) || (got.Fault == "") != (c.fault == "") {
			t.Errorf("%s: %d packages, fault %q, want %d and %q", c.name, len(got.Packages), got.Fault, c.packages, c.fault)
		}
	}
	var c Content
	for i := range mostOwns + 1 {
		c.own(fmt.Sprint("a/", i))
	}
	if len(c.Owns) != mostOwns {
		t.Errorf("%d names are kept, want %d", len(c.Owns), mostOwns)
	}
}

func TestNoFileFillsMemoryWithPackages(t *testing.T) {
	full := Content{Packages: make([]Package, mostPackages+1)}
	if err := full.add(Package{Ecosystem: "npm", Name: "a", Version: "1"}); !errors.Is(err, errBound) {
		t.Errorf("one more than are told: %v", err)
	}
	deep := `{"version":"1"}`
	for i := range 150 {
		deep = fmt.Sprintf(`{"version":"1","dependencies":{"p%d":%s}}`, i, deep)
	}
	if c := ReaderOf("package-lock.json").Read(file("package-lock.json", deep)); len(c.Packages) != 101 || c.Fault != "" {
		t.Errorf("of 150 packages in each other %d are told, want 101: %s", len(c.Packages), c.Fault)
	}
}

func TestAFileThatCannotBeReadSaysSo(t *testing.T) {
	torn := errors.New("it is torn")
	for _, name := range []string{"a.egg-info", "a.dist-info/RECORD", "conda-meta/a.json", "node_modules/a/package.json", "package-lock.json",
		"specifications/a.gemspec", "composer/installed.json", "a.deps.json", "yarn.lock", "composer.lock"} {
		c := ReaderOf(name).Read(File{Name: name, Size: 1, Stream: iotest.ErrReader(torn)})
		if !strings.Contains(c.Fault, "it is torn") || len(c.Packages) > 0 {
			t.Errorf("%s: %+v", name, c)
		}
	}
	for _, name := range []string{"a.jar", "a.whl"} {
		c := ReaderOf(name).Read(File{Name: name, Size: 1, Hold: func() (io.ReaderAt, error) { return nil, torn }})
		if c.Fault != "it is torn" {
			t.Errorf("%s: %+v", name, c)
		}
	}
	if c := Programs.Read(File{Hold: func() (io.ReaderAt, error) { return nil, torn }}); c.Fault != "it is torn" {
		t.Errorf("a program: %+v", c)
	}
}

func TestAFileOwnsWhatLiesInTheImage(t *testing.T) {
	var c Content
	for _, name := range []string{"a/b", "/a/c/", "a/../d", "..e", "//f//g", "a/b/.."} {
		c.own(name)
	}
	for _, name := range []string{"", ".", "/", "..", "../", "../x", "a/../../x", "a/.."} {
		c.own(name)
	}
	if want := []string{"a/b", "a/c/", "d", "..e", "f/g", "a"}; !slices.Equal(c.Owns, want) {
		t.Errorf("%q, want %q", c.Owns, want)
	}
}

func TestAPackageHasANameForTheWorld(t *testing.T) {
	for want, p := range map[string]Package{
		"pkg:golang/stdlib@1.2":                {Ecosystem: "Go", Name: "stdlib", Version: "1.2"},
		"pkg:golang/a.b/c/d@v1":                {Ecosystem: "Go", Name: "a.b/c/d", Version: "v1"},
		"pkg:swift/a.b/c/d@1":                  {Ecosystem: "SwiftURL", Name: "a.b/c/d", Version: "1"},
		"pkg:composer/a/b@1":                   {Ecosystem: "Packagist", Name: "a/b", Version: "1"},
		"pkg:maven/a@1":                        {Ecosystem: "Maven", Name: "a", Version: "1"},
		"pkg:maven/a/b@1":                      {Ecosystem: "Maven", Name: "a:b", Version: "1"},
		"pkg:hex/a%2Fb@1":                      {Ecosystem: "Hex", Name: "a/b", Version: "1"},
		"pkg:npm/%2Fa@1":                       {Ecosystem: "npm", Name: "/a", Version: "1"},
		"pkg:npm/%40a/b@1":                     {Ecosystem: "npm", Name: "@a/b", Version: "1"},
		"pkg:nuget/Newtonsoft.Json@1.0.0-beta": {Ecosystem: "NuGet", Name: "Newtonsoft.Json", Version: "1.0.0-beta"},
	} {
		if got := p.PURL(); got != want {
			t.Errorf("%+v is %s, want %s", p, got, want)
		}
	}
}

func TestAReasonIsToldInALine(t *testing.T) {
	long := strings.Repeat("a", 300)
	for text, want := range map[string]string{"a\n b\xff": "a b·", long: long, long + "b": long + "…", long[1:] + "ä": long[1:] + "…"} {
		if got := oneLine(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

// TestAnArchiveUnpacksWithinItsFile: what members unpack to counts together, in all archives of one file.
func TestAnArchiveUnpacksWithinItsFile(t *testing.T) {
	inner := zipped(t, "A.class", strings.Repeat("x", 5000))
	content := zipped(t, "a.jar", inner, "b.txt", strings.Repeat("x", 1000))
	opened := func(left int64, nested int, depth int) *archive {
		a, err := archiveOf(strings.NewReader(content), int64(len(content)), depth, &unpacking{left: left, nested: nested})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	last := opened(1, 0, 1)
	if _, err := last.open(last.File[1], 600); err != nil {
		t.Errorf("with one byte left: %v", err)
	}
	a := opened(1000, 0, 1)
	for i, want := range []int{600, 400} { // the second finds what is left
		r, err := a.open(a.File[1], 600)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(r); err != nil || len(text) != want {
			t.Errorf("%d: %d bytes, %v, want %d", i, len(text), err, want)
		}
	}
	if _, err := a.open(a.File[1], 600); !errors.Is(err, errBound) {
		t.Errorf("with nothing left: %v", err)
	}
	if _, err := a.nested(a.File[0]); !errors.Is(err, errBound) {
		t.Errorf("an archive in it, with nothing left: %v", err)
	}
	for _, c := range []struct {
		nested, depth int
		bound         bool
	}{{mostNested - 1, 1, false}, {mostNested, 1, true}, {0, deepestArchive - 1, false}, {0, deepestArchive, true}} {
		b, err := opened(1<<20, c.nested, c.depth).nested(a.File[0])
		if errors.Is(err, errBound) != c.bound || !c.bound && (err != nil || b.depth != c.depth+1) {
			t.Errorf("the %d. archive, at depth %d: %v", c.nested+1, c.depth+1, err)
		}
	}
	o := &directoryReader{r: strings.NewReader(content), left: 10}
	if n, err := o.ReadAt(make([]byte, 10), 0); n != 10 || err != nil {
		t.Errorf("as much as may be read: %d, %v", n, err)
	}
	if _, err := o.ReadAt(make([]byte, 1), 0); !errors.Is(err, errBound) || !strings.Contains(err.Error(), "at most 16 MiB") {
		t.Errorf("one byte more: %v", err)
	}
}

// TestAStoredArchiveLiesWhereItsMemberDoes, and is not unpacked.
func TestAStoredArchiveLiesWhereItsMemberDoes(t *testing.T) {
	content := zippedBy(t, zip.Store, "before", strings.Repeat("x", 100), "a.jar", zipped(t, "META-INF/maven/g/a/pom.properties", pom))
	a, err := archiveOf(strings.NewReader(content), int64(len(content)), 1, &unpacking{left: 0})
	if err != nil {
		t.Fatal(err)
	}
	b, err := a.nested(a.File[1])
	if err != nil || len(b.File) != 1 || b.depth != 2 {
		t.Errorf("%+v, %v", b, err)
	}
}
