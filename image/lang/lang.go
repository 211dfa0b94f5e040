// Package lang reads what package managers of languages leave beside what they install, and
// what compilers leave inside of programs: Python's metadata, package.json, Java's archives, Go's and Rust's
// lists of modules, .NET's, Ruby's and PHP's. Each reader takes one file while its layer goes by and
// says which packages it tells of; none looks at a second file, opens one, or keeps what it read.
//
// It knows no image, no layer and no advisory. All it reads is of strangers: what is past a bound is an error of that file.
package lang

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/package-url/packageurl-go"
)

// Package is a package that a file tells of.
type Package struct {
	// Ecosystem and Name are as OSV spells them: "Maven", "org.apache.logging.log4j:log4j-core".
	Ecosystem string `json:"e"`
	Name      string `json:"n"`
	Version   string `json:"v"`
	// Within is the place in an archive: "WEB-INF/lib/log4j-core-2.14.1.jar".
	Within string `json:"w,omitempty"`
	// Linked are the packages of a Go module that have code in the program, a space between two, each as its path from
	// the module's on ("." is the module's own); "" where nobody knows.
	Linked string `json:"g,omitempty"`
}

// Content is what a file tells.
type Content struct {
	Packages []Package `json:"p,omitempty"`
	// Owns are names from the image's root that belong to the packages: of files, and of
	// folders with all that is below, which end with a slash.
	Owns []string `json:"o,omitempty"`
	// Wanted says that the packages are those that somebody wanted installed, which is no
	// proof that they are.
	Wanted bool `json:"l,omitempty"`
	// Fault is why the file, or a part of it, could not be read.
	Fault string `json:"f,omitempty"`
}

// File is one file of an image.
type File struct {
	Name string // from the image's root
	Size int64
	// Stream is read once, from the first byte on, as far as a reader wants.
	Stream io.Reader
	// Hold has the whole file at hand, for formats that are read from their end. It takes the
	// place of Stream.
	Hold func() (io.ReaderAt, error)
}

// Reader is one kind of file.
type Reader struct {
	// Kind is what it tells of, in the field's words.
	Kind string
	// is says by name whether a file is of the kind.
	is   func(dir, base string) bool
	read func(f File, c *Content) error
}

// Kinds in the field's words.
const (
	python  = "Python packages"
	npm     = "npm packages"
	java    = "Java archives"
	ruby    = "Ruby gems"
	php     = "PHP packages"
	dotNET  = ".NET assemblies"
	conda   = "conda packages"
	program = "programs and libraries"
)

var readers = append([]Reader{
	{python, isPythonMetadata, readPythonMetadata},
	{python, isPythonRecord, readPythonRecord},
	{python, isPythonArchive, readPythonArchive},
	{conda, isConda, readConda},
	{npm, isNodeModule, readNodeModule},
	{npm, isNPMLock, readNPMLock},
	{java, isJavaArchive, readJavaArchive},
	{ruby, isGemSpecification, readGemSpecification},
	{php, isComposerInstalled, readComposerInstalled},
	{dotNET, isDotNETDependencies, readDotNETDependencies},
}, locks()...)

// ReaderOf is the reader of a file by its name, nil if there is none.
func ReaderOf(name string) *Reader {
	dir, base := path.Split(name)
	dir = strings.TrimSuffix(dir, "/")
	for i := range readers {
		if readers[i].is(dir, base) {
			return &readers[i]
		}
	}
	return nil
}

// Programs is the reader of programs and libraries of Linux (ELF), which no name gives away.
var Programs = Reader{Kind: program, read: readProgram}

// Read says what a file tells. What it could not read is the content's Fault.
func (r *Reader) Read(f File) Content {
	var c Content
	if err := r.read(f, &c); err != nil {
		c.Fault = oneLine(err.Error())
	}
	if len(c.Packages) > mostPackages {
		c.Packages, c.Fault = c.Packages[:mostPackages], fmt.Sprintf("want at most %d packages in one file", mostPackages)
	}
	return c
}

// Bounds of one file. Archives and programs have bounds of their own.
const (
	// mostText is the longest of one package's own files, mostList of one that lists many packages.
	mostText, mostList = 4 << 20, 16 << 20
	mostPackages       = 20_000
	// mostObjects is how many lists and objects JSON may have: each costs far more in memory than its two brackets.
	mostObjects = 400_000
	// longestName is the longest that is taken for a name or a version.
	longestName = 512
	mostOwns    = 20_000
)

var errBound = errors.New("past its bounds")

// add takes a package that has a name and a version that can be ones.
func (c *Content) add(p Package) error {
	switch {
	case p.Name == "" || p.Version == "":
		return fmt.Errorf("want a name and a version, have %q %q", p.Name, p.Version)
	case len(p.Name) > longestName || len(p.Version) > longestName:
		return fmt.Errorf("want a name and a version of at most %d bytes, have %d and %d", longestName, len(p.Name), len(p.Version))
	case strings.ContainsFunc(p.Name+p.Version, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0xfffd }):
		return fmt.Errorf("want a name and a version of one line, have %q %q", p.Name, p.Version)
	case len(c.Packages) > mostPackages:
		return fmt.Errorf("want at most %d packages in one file: %w", mostPackages, errBound)
	}
	if _, err := packageurl.FromString(p.PURL()); err != nil { // of Maven's "group:" nothing is left
		return fmt.Errorf("want a name that a package URL can have, have %q: %w", p.Name, err)
	}
	c.Packages = append(c.Packages, p)
	return nil
}

// own takes a name that belongs to the packages, unless it leads out of the image.
func (c *Content) own(name string) {
	clean := path.Clean(strings.TrimLeft(name, "/"))
	if clean == "." || clean == ".." || strings.HasPrefix(clean, "../") || len(c.Owns) >= mostOwns {
		return
	}
	if strings.HasSuffix(name, "/") {
		clean += "/"
	}
	c.Owns = append(c.Owns, clean)
}

// text is the whole of a small file.
func (f File) text(most int64) ([]byte, error) {
	if f.Size > most {
		return nil, fmt.Errorf("want a file of at most %d MiB, have %d bytes: %w", most>>20, f.Size, errBound)
	}
	return io.ReadAll(io.LimitReader(f.Stream, most))
}

// unmarshal is json.Unmarshal within our bounds. A value of another type than wanted is left out.
func unmarshal(text []byte, into any) error {
	if n := bytes.Count(text, []byte("{")) + bytes.Count(text, []byte("[")); n > mostObjects {
		return fmt.Errorf("want JSON of at most %d lists and objects, have %d: %w", mostObjects, n, errBound)
	}
	var other *json.UnmarshalTypeError
	if err := json.Unmarshal(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")), into); err != nil && !errors.As(err, &other) {
		return fmt.Errorf("want JSON: %w", err)
	}
	return nil
}

// purlTypes are package URLs' types of OSV's ecosystems.
var purlTypes = map[string]string{"PyPI": packageurl.TypePyPi, "npm": packageurl.TypeNPM, "Go": packageurl.TypeGolang,
	"Maven": packageurl.TypeMaven, "RubyGems": packageurl.TypeGem, "Packagist": packageurl.TypeComposer, "NuGet": packageurl.TypeNuget,
	"crates.io": packageurl.TypeCargo, "conda": packageurl.TypeConda, "Hex": packageurl.TypeHex, "Pub": packageurl.TypePub,
	"SwiftURL": packageurl.TypeSwift}

// PURL is the package's name for the whole world.
func (p Package) PURL() string {
	kind, namespace, name := purlTypes[p.Ecosystem], "", p.Name
	switch p.Ecosystem {
	case "Maven":
		if group, artifact, ok := strings.Cut(name, ":"); ok {
			namespace, name = group, artifact
		}
	case "npm", "Go", "Packagist", "SwiftURL":
		if i := strings.LastIndex(name, "/"); i > 0 {
			namespace, name = name[:i], name[i+1:]
		}
	}
	return packageurl.NewPackageURL(kind, namespace, name, p.Version, nil, "").String()
}

// oneLine is a reason that may be told: of strangers' words it has few.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "·")), " ")
	if len(s) > 300 {
		s = strings.ToValidUTF8(s[:300], "") + "…"
	}
	return s
}
