package exception

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// paragraph is one exception in a file, of what is written in it.
func paragraph(what, reason string) string {
	return "  - {" + what + ", reason: " + reason + ", author: a, expires: 2026-06-30}\n"
}

func TestWhatIsWrittenIsBounded(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       int
		says       string
	}{
		{"exceptions", strings.Repeat(paragraph("package: a", "r"), most), most, ""},
		{"values", paragraph("package: ["+strings.Repeat("a,", values)+"]", "r"), 1, ""},
		{"a value", paragraph("package: "+strings.Repeat("a", longest), "r"), 1, ""},
		{"a value that is longer", paragraph("package: "+strings.Repeat("a", longest+1), "r"), 0, "of at most 512 bytes without spaces"},
		{"a value with a space before it", paragraph("package: ' a'", "r"), 0, "without spaces around it"},
		{"a reason", paragraph("package: a", strings.Repeat("r", longText)), 1, ""},
		{"a reason that is longer", paragraph("package: a", strings.Repeat("r", longText+1)), 0, "want a reason, of at most 2000 bytes"},
	} {
		s, err := Read("e.yaml", strings.NewReader("exceptions:\n"+c.text))
		if len(s.All()) != c.want || (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %d, %v, want %d, %q", c.name, len(s.All()), err, c.want, c.says)
		}
	}
}

// TestTheFormsOfPackagesAndImages: scopes of npm, ports of registries, what is in no repository.
func TestTheFormsOfPackagesAndImages(t *testing.T) {
	local := Image{Names: []string{"rootfs:/srv/web"}}
	port := Image{Names: []string{"localhost:5000/web"}, Repositories: []string{"localhost:5000/web"}}
	files := func() []string { return nil }
	for _, c := range []struct {
		what, pkg, version string
		where              Image
		files              func() []string
		holds              bool
	}{
		{"package: '@babel/core'", "@babel/core", "7", local, files, true},
		{"package: '@babel/core@7'", "@babel/core", "7", local, files, true},
		{"package: '@babel/core@8'", "@babel/core", "7", local, files, false},
		{"package: 'a@1'", "a", "1", local, files, true},
		{"package: 'a@2'", "a", "1", local, files, false},
		{"image: 'rootfs:/srv/other'", "a", "1", local, files, false},
		{"image: 'localhost:5000/web'", "a", "1", port, files, true},
		{"image: 'localhost:*/web'", "a", "1", port, files, true},
		{"path: /**", "a", "1", local, nil, false},
	} {
		got, at := of(t, c.what).Find(c.where, Finding{Packages: []string{c.pkg}, Version: c.version, Files: c.files}, noon)
		if (got != nil) != c.holds || c.holds && at != 0 || !c.holds && at != -1 {
			t.Errorf("%s holds for %s@%s in %v: %v, at %d", c.what, c.pkg, c.version, c.where.Names, got != nil, at)
		}
	}
	for name, want := range map[string]string{"web": "web", "web:1": "web", "r:5000/web": "r:5000/web",
		"r:5000/web:1@sha256:ab": "r:5000/web"} {
		if got := repositoryOf(name); got != want {
			t.Errorf("%s is in %s, want %s", name, got, want)
		}
	}
}

func TestTheFirstOfAFileIsCountedToo(t *testing.T) {
	y := NewTally(of(t, "package: a"), noon)
	for range 2 {
		y.Find(Image{}, Finding{Packages: []string{"a"}})
	}
	y.Find(Image{}, Finding{Packages: []string{"b"}})
	if got := y.Counts(); len(got) != 1 || got[0].Findings != 2 || got[0].Expired {
		t.Errorf("%+v", got)
	}
	var none *Set
	if y := NewTally(none, noon); y.Find(Image{}, Finding{}).String() != "" || len(y.Counts()) != 0 {
		t.Error("no exceptions are told in words, or counted")
	}
}

// TestAFileIsReadAgainOnlyIfSomethingOfItIsOther: its time, its length, or that another is in its place.
func TestAFileIsReadAgainOnlyIfSomethingOfItIsOther(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "e.yaml")
	write := func(name, pkg string, at time.Time) {
		t.Helper()
		if err := os.WriteFile(name, []byte("exceptions:\n"+paragraph("package: "+pkg, "r")), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(name, at, at); err != nil {
			t.Fatal(err)
		}
	}
	write(name, "a", noon)
	f, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	now := func() *Set {
		t.Helper()
		s, err := f.Now()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	before := now()
	if now() != before {
		t.Error("a file that is the same is read once more")
	}
	for _, c := range []struct {
		what, want string
		change     func()
	}{
		{"another time", "b", func() { write(name, "b", noon.Add(time.Second)) }},
		{"another length", "cc", func() { write(name, "cc", noon.Add(time.Second)) }},
		{"another file", "dd", func() {
			write(name+".new", "dd", noon.Add(time.Second))
			if err := os.Rename(name+".new", name); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		c.change()
		if got := fmt.Sprint(now().All()[0].Package); got != "["+c.want+"]" {
			t.Errorf("%s: of package %s, want %s", c.what, got, c.want)
		}
	}
}
