package exception

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var (
	noon   = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	digest = "sha256:" + strings.Repeat("ab", 32)
)

// of is a file with one exception of what is written in its paragraph.
func of(t *testing.T, what string) *Set {
	t.Helper()
	s, err := Read("e.yaml", strings.NewReader("exceptions:\n  - {"+what+", reason: r, author: a, expires: 2026-06-30}\n"))
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	return s
}

// TestAnExceptionHoldsForWhatItNamesAndNothingElse asks each about one finding of one image.
func TestAnExceptionHoldsForWhatItNamesAndNothingElse(t *testing.T) {
	where := Image{Names: []string{"r.example/shop/web:1", "r.example/shop/web:latest"}, Repositories: []string{"r.example/shop/web"},
		Digests: []string{digest}}
	twice := where
	twice.Repositories = append([]string{"r.example/public/web"}, where.Repositories...)
	named := twice
	named.Names = append([]string{"r.example/public/web:1"}, where.Names...)
	local := Image{Names: []string{"rootfs:/srv/web"}}
	files := []string{"usr/lib/a.so", "/usr/lib/x/b.so"}
	tests := []struct {
		what  string
		where Image
		fixed bool
		holds bool
	}{
		{"vulnerability: CVE-2026-1", where, true, true},
		{"vulnerability: cve-2026-1", where, true, true},
		{"vulnerability: GHSA-aaaa-bbbb-cccc", where, true, true},
		{"vulnerability: CVE-2026-11", where, true, false},
		{"vulnerability: [CVE-2020-1, CVE-2026-1]", where, true, true},
		{"package: libssl3", where, true, true},
		{"package: openssl", where, true, true}, // its source
		{"package: ssl", where, true, false},
		{"package: lib*", where, true, true},
		{"package: libssl3@3.0.2", where, true, true},
		{"package: libssl3@3.0.3", where, true, false},
		{"image: 'r.example/shop/web:1'", where, true, true},
		{"image: 'r.example/shop/web:2'", where, true, false},
		{"image: 'r.example/shop/*:latest'", where, true, true},
		{"image: 'r.example/*'", where, true, false}, // a star ends at a slash
		{"image: 'r.example/**'", where, true, true},
		{"image: 'r.example/shop/web:1'", twice, true, false}, // it is elsewhere, too
		{"image: 'r.example/**:1'", named, true, true},
		{"image: 'rootfs:/srv/web'", local, true, true},
		{"repository: r.example/shop/web", where, true, true},
		{"repository: r.example/shop/*", where, true, true},
		{"repository: r.example/shop", where, true, false},
		{"repository: r.example/shop/*", twice, true, false},
		{"repository: [r.example/shop/*, r.example/public/*]", twice, true, true},
		{"repository: '**'", local, true, false}, // it is in none
		{"digest: '" + digest + "'", where, true, true},
		{"digest: 'sha256:" + strings.Repeat("cd", 32) + "'", where, true, false},
		{"path: /usr/lib/**", where, true, true},
		{"path: /usr/lib/*", where, true, false}, // one of its files is further down
		{"path: /opt/**", where, true, false},
		{"unfixed: true", where, false, true},
		{"unfixed: true", where, true, false},
		{"vulnerability: CVE-2026-1, package: libssl3, repository: r.example/shop/*, path: /usr/**", where, true, true},
		{"vulnerability: CVE-2026-1, package: other", where, true, false},
		{"vulnerability: CVE-2026-1, repository: other", where, true, false},
	}
	for _, test := range tests {
		f := Finding{IDs: []string{"CVE-2026-1", "GHSA-aaaa-bbbb-cccc"}, Packages: []string{"libssl3", "openssl"}, Version: "3.0.2",
			Fixed: test.fixed, Files: func() []string { return files }}
		got, _ := of(t, test.what).Find(test.where, f, noon)
		if holds := got != nil; holds != test.holds {
			t.Errorf("%s, of an image in %v: %v, want %v", test.what, test.where.Repositories, holds, test.holds)
		}
	}
	if got, _ := of(t, "path: /**").Find(where, Finding{Packages: []string{"a"}, Files: func() []string { return nil }}, noon); got != nil {
		t.Error("a package whose files nobody knows is accepted by where they are")
	}
	var none *Set
	if got, at := none.Find(where, Finding{}, noon); got != nil || at != -1 || !got.Counts() {
		t.Error("no exceptions make one")
	}
}

func TestAnExceptionEndsWithItsLastDay(t *testing.T) {
	s := of(t, "vulnerability: CVE-2026-1")
	f := Finding{IDs: []string{"CVE-2026-1"}}
	for _, test := range []struct {
		at     time.Time
		counts bool
	}{{noon, false}, {time.Date(2026, 6, 30, 23, 59, 59, 0, time.UTC), false}, {time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC), true}} {
		got, _ := s.Find(Image{}, f, test.at)
		if got == nil || got.Counts() != test.counts || got.Expired != test.counts || got.Until != "2026-06-30" || got.Where != "e.yaml:2" ||
			!strings.Contains(got.String(), "r (e.yaml:2)") || strings.Contains(got.String(), "no longer counts") != test.counts {
			t.Errorf("%s: %+v, %s", test.at, got, got)
		}
	}
}

// TestTheOneThatHoldsIsTold of several, in whatever order they stand, and whether they name the vulnerability or not.
func TestTheOneThatHoldsIsTold(t *testing.T) {
	s, err := Read("e.yaml", strings.NewReader(`exceptions:
  - {vulnerability: CVE-2026-1, reason: first, author: a, expires: 2026-01-01}
  - {package: a, reason: second, author: a, expires: 2026-02-01}
  - {package: a, reason: third, author: a, expires: 2026-12-31}
  - {vulnerability: CVE-2026-1, reason: fourth, author: a, expires: 2026-12-31}
`))
	if err != nil {
		t.Fatal(err)
	}
	y := NewTally(s, noon)
	for _, test := range []struct{ id, pkg, want string }{{"CVE-2026-1", "a", "third"}, {"CVE-2026-1", "b", "fourth"}, {"CVE-2", "a", "third"},
		{"CVE-2", "b", ""}} {
		got := y.Find(Image{}, Finding{IDs: []string{test.id}, Packages: []string{test.pkg}})
		if got == nil && test.want != "" || got != nil && got.Reason != test.want {
			t.Errorf("%+v: %v", test, got)
		}
	}
	var counts []string
	for _, c := range y.Counts() {
		counts = append(counts, fmt.Sprint(c.Findings, c.Expired))
	}
	if got := strings.Join(counts, " "); got != "0 true 0 true 2 false 1 false" {
		t.Error(got)
	}
	ended, _ := s.Find(Image{}, Finding{IDs: []string{"CVE-2026-1"}, Packages: []string{"a"}}, noon.AddDate(1, 0, 0))
	if ended == nil || ended.Reason != "first" || ended.Counts() != true {
		t.Errorf("of those that ended: %+v", ended)
	}
}

func TestWhatIsWrittenWronglyIsAnErrorWithItsLine(t *testing.T) {
	tests := []struct{ name, text, says string }{
		{"nothing", "", "want a list named exceptions"},
		{"another key", "exception: []", "exception"},
		{"an unknown condition", "exceptions:\n  - {cve: CVE-1, reason: r, author: a, expires: 2026-01-01}", "e.yaml:2"},
		{"everything", "exceptions:\n  - {reason: r, author: a, expires: 2026-01-01}", "want at least one of"},
		{"unfixed: false is no condition", "exceptions:\n  - {unfixed: false, reason: r, author: a, expires: 2026-01-01}",
			"want at least one of"},
		{"no reason", "exceptions:\n  - {package: a, author: a, expires: 2026-01-01}", "e.yaml:2: want a reason"},
		{"a blank author", "exceptions:\n  - {package: a, reason: r, author: ' ', expires: 2026-01-01}", "want an author"},
		{"no end", "exceptions:\n  - {package: a, reason: r, author: a}", "want the last day"},
		{"never", "exceptions:\n  - {package: a, reason: r, author: a, expires: never}", "want the last day"},
		{"no id", "exceptions:\n  - {vulnerability: '*', reason: r, author: a, expires: 2026-01-01}", "want the id"},
		{"no digest", "exceptions:\n  - {digest: 'sha256:ab', reason: r, author: a, expires: 2026-01-01}", "want a digest"},
		{"no path from the root", "exceptions:\n  - {path: usr, reason: r, author: a, expires: 2026-01-01}", "want a path"},
		{"an empty value", "exceptions:\n  - {package: '', reason: r, author: a, expires: 2026-01-01}", "want a text"},
		{"a long value", "exceptions:\n  - {package: " + strings.Repeat("a", 600) + ", reason: r, author: a, expires: 2026-01-01}",
			"want a text"},
		{"an empty paragraph", "exceptions:\n  -\n", "want an exception"},
		{"many values", "exceptions:\n  - {package: [" + strings.Repeat("a,", 101) + "], reason: r, author: a, expires: 2026-01-01}",
			"at most 100"},
		{"many", "exceptions:\n" + strings.Repeat("  - {package: a}\n", 10001), "at most 10000"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := Read("e.yaml", strings.NewReader(test.text)); err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v, want %q", err, test.says)
			}
		})
	}
	if s, err := Read("e.yaml", strings.NewReader("exceptions: []")); err != nil || len(s.All()) > 0 {
		t.Errorf("an empty list: %v", err)
	}
}

func TestAFileIsReadAgainWhenItChanges(t *testing.T) {
	name := filepath.Join(t.TempDir(), "e.yaml")
	write := func(text string, at time.Time) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(name, at, at); err != nil {
			t.Fatal(err)
		}
	}
	one := "exceptions:\n  - {package: a, reason: r, author: a, expires: 2026-01-01}\n"
	if _, err := Open(name); err == nil {
		t.Error("a file that is not there is read")
	}
	write(one, noon)
	f, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	count := func(want int, ok bool) {
		t.Helper()
		s, err := f.Now()
		if len(s.All()) != want || (err == nil) != ok {
			t.Errorf("%d exceptions, %v; want %d", len(s.All()), err, want)
		}
	}
	count(1, true)
	write(one+"  - {package: b, reason: r, author: a, expires: 2026-01-01}\n", noon.Add(time.Second))
	count(2, true)
	write("exceptions: what", noon.Add(2*time.Second))
	count(2, false) // as it was, with the error
	count(2, false)
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	count(2, false)
	write(one, noon)
	count(1, true)
	var none *File
	if s, err := none.Now(); s != nil || err != nil {
		t.Error("no file has exceptions")
	}
}

func TestExceptionsOfSeveralPlacesAreOneSet(t *testing.T) {
	file := of(t, "package: a")
	made, err := New(Exception{Vulnerability: []string{"cve-2026-1"}, Reason: "r", Author: "bob", Expires: "2026-12-31", Where: "forged"}, "portal:1")
	if err != nil {
		t.Fatal(err)
	}
	all := Join(file, nil, SetOf(made))
	for _, test := range []struct {
		f    Finding
		want string
	}{{Finding{Packages: []string{"a"}, IDs: []string{"CVE-2026-1"}}, "e.yaml:2"}, {Finding{Packages: []string{"b"}, IDs: []string{"CVE-2026-1"}}, "portal:1"},
		{Finding{Packages: []string{"b"}, IDs: []string{"CVE-2026-2"}}, ""}} {
		got, at := all.Find(Image{}, test.f, noon)
		if got == nil && test.want != "" || got != nil && (got.Where != test.want || all.All()[at].Where != test.want) {
			t.Errorf("%v: %+v at %d, want %s", test.f, got, at, test.want)
		}
	}
	for name, e := range map[string]Exception{"author: want an author": {Package: []string{"a"}, Reason: "r", Expires: "2026-12-31"},
		"expires: ": {Package: []string{"a"}, Reason: "r", Author: "a", Expires: "soon"}, "an exception: want at least one of": {Reason: "r"},
		"vulnerability: ": {Vulnerability: []string{"*"}}} {
		if got, err := New(e, "portal:2"); err == nil || !strings.HasPrefix(err.Error(), name) {
			t.Errorf("%+v: %v, want %s", got, err, name)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, text := range []string{"exceptions:\n  - {vulnerability: CVE-1-1, package: ['**', 'a*b@1'], path: /a/**, unfixed: true, " +
		"reason: r, " +
		"author: a, expires: 2026-01-01}", "exceptions: [null]", "exceptions: {}", "a"} {
		f.Add(text, "a/b", "CVE-1-1")
	}
	f.Fuzz(func(t *testing.T, text, name, id string) {
		s, err := Read("e.yaml", strings.NewReader(text))
		if err != nil {
			return
		}
		got, at := s.Find(Image{Names: []string{name}, Repositories: []string{name}, Digests: []string{name}},
			Finding{IDs: []string{id}, Packages: []string{name}, Version: name, Files: func() []string { return []string{name} }}, noon)
		if (got == nil) != (at < 0) || at >= len(s.All()) || got != nil && got.Where != s.All()[at].Where {
			t.Errorf("%+v at %d of %d", got, at, len(s.All()))
		}
	})
}
