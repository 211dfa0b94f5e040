package exception

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/breakwater-sec/breakwater/strictyaml"
)

// Bounds on what is written. A file has at most a MiB (strictyaml).
const (
	most     = 10000
	values   = 100
	longest  = 512  // of a value
	longText = 2000 // of a reason
)

var (
	idForm     = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:+-]*-[A-Za-z0-9._:+-]+$`)
	digestForm = regexp.MustCompile(`^sha(256:[0-9a-f]{64}|512:[0-9a-f]{128})$`)
)

// Read reads a file of exceptions; name is for errors and for where each is written.
func Read(name string, text io.Reader) (*Set, error) {
	var file struct {
		Exceptions []*Exception `yaml:"exceptions"`
	}
	d, err := strictyaml.ReadFrom(name, text, &file)
	if errors.Is(err, strictyaml.ErrEmpty) {
		return nil, fmt.Errorf("%s: want a list named exceptions, which may be empty", name)
	}
	if err != nil {
		return nil, err
	}
	if len(file.Exceptions) > most {
		return nil, d.Errorf(fmt.Errorf("want at most %d exceptions, have %d", most, len(file.Exceptions)), "exceptions")
	}
	for i, e := range file.Exceptions {
		at := []string{"exceptions", strconv.Itoa(i)}
		if e == nil {
			return nil, d.Errorf(errors.New("want an exception: what it is of, reason, author and expires"), at...)
		}
		if key, err := e.prepare(); err != nil {
			return nil, d.Errorf(err, append(at, key)...)
		}
		e.Where = fmt.Sprintf("%s:%d", name, d.Line(at...))
	}
	return SetOf(file.Exceptions...), nil
}

// New is an exception that is written elsewhere than in a file, which where says. An error names the key.
func New(e Exception, where string) (*Exception, error) {
	e.tests, e.Where = tests{}, where
	if key, err := e.prepare(); err != nil {
		return nil, fmt.Errorf("%s: %w", cmp.Or(key, "an exception"), err)
	}
	return &e, nil
}

// prepare makes an exception's conditions ready. An error is of the key.
func (e *Exception) prepare() (key string, err error) {
	lists := []struct {
		key    string
		values strictyaml.Texts
	}{{"vulnerability", e.Vulnerability}, {"package", e.Package}, {"image", e.Image}, {"repository", e.Repository}, {"digest", e.Digest},
		{"path", e.Path}}
	named := e.Unfixed
	for _, l := range lists {
		named = named || len(l.values) > 0
		if len(l.values) > values {
			return l.key, fmt.Errorf("want at most %d values, have %d", values, len(l.values))
		}
		for _, v := range l.values {
			if v == "" || len(v) > longest || strings.TrimSpace(v) != v || !utf8.ValidString(v) {
				return l.key, fmt.Errorf("%.80q: want a text of at most %d bytes without spaces around it", v, longest)
			}
			if err := e.add(l.key, v); err != nil {
				return l.key, err
			}
		}
	}
	e.tests.unfixed = e.Unfixed
	if !named {
		return "", errors.New("want at least one of vulnerability, package, image, repository, digest, path, unfixed: " +
			"an exception of everything is none")
	}
	for _, said := range []struct{ key, what, text string }{{"reason", "a reason", e.Reason}, {"author", "an author", e.Author}} {
		if strings.TrimSpace(said.text) == "" || len(said.text) > longText {
			return said.key, fmt.Errorf("want %s, of at most %d bytes", said.what, longText)
		}
	}
	day, err := time.Parse(time.DateOnly, e.Expires)
	if err != nil {
		return "expires", fmt.Errorf("%.40q: want the last day on which it holds, as 2006-01-31", e.Expires)
	}
	e.ends = day.AddDate(0, 0, 1)
	return "", nil
}

// add adds a condition.
func (e *Exception) add(key, v string) error {
	t := &e.tests
	switch key {
	case "vulnerability":
		if !idForm.MatchString(v) {
			return fmt.Errorf("%.80q: want the id of a vulnerability or advisory, such as CVE-2022-3602", v)
		}
		if id := strings.ToUpper(v); !slices.Contains(t.ids, id) {
			t.ids = append(t.ids, id)
		}
	case "digest":
		if !digestForm.MatchString(v) {
			return fmt.Errorf("%.80q: want a digest, such as sha256:…", v)
		}
		t.digests = append(t.digests, v)
	case "package":
		name, version := v, ""
		if at := strings.LastIndexByte(v, '@'); at > 0 { // the first is of a scope of npm
			name, version = v[:at], v[at+1:]
		}
		t.packages = append(t.packages, packagePattern{parsePattern(name), version})
	case "image":
		t.images = append(t.images, parsePattern(v))
	case "repository":
		t.repositories = append(t.repositories, parsePattern(v))
	case "path":
		if !strings.HasPrefix(v, "/") {
			return fmt.Errorf("%.80q: want a path from the root of the image: /usr/share/**", v)
		}
		t.filePaths = append(t.filePaths, parsePattern(v))
	}
	return nil
}

// File is a file of exceptions that may change.
type File struct {
	name string
	mu   struct {
		sync.Mutex
		seen fs.FileInfo
		set  *Set
		err  error
	}
}

// Open reads a file that Now looks at again.
func Open(name string) (*File, error) {
	f := &File{name: name}
	_, err := f.Now()
	return f, err
}

// Now is what the file says now. While it cannot be read, it is what it said before, with the error. A nil File has none.
func (f *File) Now() (*Set, error) {
	if f == nil {
		return nil, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	info, err := os.Stat(f.name)
	if err != nil {
		f.mu.seen, f.mu.err = nil, err
		return f.mu.set, err
	}
	if f.mu.seen != nil && info.ModTime().Equal(f.mu.seen.ModTime()) && info.Size() == f.mu.seen.Size() && os.SameFile(info, f.mu.seen) {
		return f.mu.set, f.mu.err
	}
	set, err := Load(f.name)
	if err == nil {
		f.mu.set = set
	}
	f.mu.seen, f.mu.err = info, err
	return f.mu.set, err
}

// Load reads a file once.
func Load(name string) (*Set, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return Read(name, file)
}
