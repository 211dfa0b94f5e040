package kube

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/breakwater-sec/breakwater/collect"
)

// Bounds on what manifests may make us do.
const (
	maxFile      = 256 << 20 // a `kubectl get -A -o json` of a large cluster
	maxDocument  = 16 << 20  // one YAML document; YAML costs many times its size
	maxDocuments = 200_000   // of one folder
	maxFiles     = 50_000
	maxNesting   = 100
)

// Read reads manifests into the facts of one cluster: files and folders of
// YAML or JSON, multi-document files, Lists such as `kubectl get -o json`
// prints, and dumps. A workload without pods yields the pods it would make.
// Files that cannot be read become gaps, as long as one can.
func Read(paths ...string) (*collect.Facts, error) {
	m := newManifests()
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			return nil, fmt.Errorf("read manifests: %w", err)
		}
		if !info.IsDir() {
			m.file(filepath.Dir(p), os.DirFS(filepath.Dir(p)), filepath.Base(p), true)
			continue
		}
		if err := m.tree(p, os.DirFS(p)); err != nil {
			return nil, err
		}
	}
	return m.finish(strings.Join(paths, ", "))
}

// ReadFS is Read of every manifest in a file system.
func ReadFS(fsys fs.FS) (*collect.Facts, error) {
	m := newManifests()
	if err := m.tree("", fsys); err != nil {
		return nil, err
	}
	return m.finish("files")
}

// manifests gathers the objects of many files.
type manifests struct {
	facts     *collect.Facts
	strip     *stripper
	kinds     map[schema.GroupKind]*kind
	documents int
	files     int
	objects   int
	broken    []error
}

func newManifests() *manifests {
	m := &manifests{facts: collect.NewFacts(), strip: &stripper{NewInterner()}, kinds: map[schema.GroupKind]*kind{}}
	all := kinds()
	for i := range all {
		for _, v := range all[i].versions {
			m.kinds[schema.GroupKind{Group: v.Group, Kind: all[i].name}] = &all[i]
		}
	}
	return m
}

// tree reads the manifests below a folder; other files are passed over.
func (m *manifests) tree(shown string, fsys fs.FS) error {
	return fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			m.unread(path.Join(shown, name), err)
			return nil
		case d.IsDir() && name != "." && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case d.IsDir() || !slices.Contains([]string{".yaml", ".yml", ".json"}, path.Ext(name)):
			return nil
		}
		if m.files++; m.files > maxFiles {
			return fmt.Errorf("read manifests in %s: want at most %d files", shown, maxFiles)
		}
		m.file(shown, fsys, name, false)
		return nil
	})
}

// file reads one file. A file that was named must hold Kubernetes objects; one
// that was found in a folder may be anything.
func (m *manifests) file(dir string, fsys fs.FS, name string, named bool) {
	shown := path.Join(dir, name)
	info, err := fs.Stat(fsys, name)
	if err == nil && info.Size() > maxFile {
		err = fmt.Errorf("want at most %d MiB", maxFile>>20)
	}
	var b []byte
	if err == nil {
		b, err = fs.ReadFile(fsys, name)
	}
	if err != nil {
		m.unread(shown, err)
		return
	}
	before := m.objects
	m.content(shown, b)
	if named && m.objects == before && len(m.broken) == 0 {
		m.unread(shown, errors.New("want Kubernetes objects with apiVersion and kind; there is none in it"))
	}
}

// content reads the documents of a file.
func (m *manifests) content(file string, b []byte) {
	if trimmed := bytes.TrimSpace(b); len(trimmed) > 0 && trimmed[0] == '{' {
		m.json(file, trimmed)
		return
	}
	for _, doc := range documents(b) {
		if m.documents++; m.documents > maxDocuments {
			m.unread(file, fmt.Errorf("want at most %d documents in all; the rest was not read", maxDocuments))
			return
		}
		if !blank(doc.text) {
			m.yaml(fmt.Sprintf("%s:%d", file, doc.line), doc.text)
		}
	}
}

// document is one of a YAML stream, and the line it begins on.
type document struct {
	line int
	text []byte
}

// documents splits a YAML stream at its "---" lines.
func documents(b []byte) (out []document) {
	b = bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))
	start, begins, number := 0, 1, 0
	at := 0
	for line := range bytes.Lines(b) {
		number++
		if separator(line) {
			out = append(out, document{begins, b[start:at]})
			start, begins = at+len(line), number+1
		}
		at += len(line)
	}
	return append(out, document{begins, b[start:]})
}

func separator(line []byte) bool {
	rest, ok := bytes.CutPrefix(line, []byte("---"))
	return ok && (len(rest) == 0 || rest[0] == ' ' || rest[0] == '\t' || rest[0] == '\n')
}

// blank says that a document holds only comments and space.
func blank(doc []byte) bool {
	for line := range bytes.Lines(doc) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
			return false
		}
	}
	return true
}

func (m *manifests) yaml(where string, doc []byte) {
	if len(doc) > maxDocument {
		m.unread(where, fmt.Errorf("want a document of at most %d MiB", maxDocument>>20))
		return
	}
	b, err := yaml.YAMLToJSON(doc)
	if err != nil {
		m.unread(where, fmt.Errorf("want YAML: %w", err))
		return
	}
	m.document(where, b)
}

// json reads a stream of JSON documents one after the other.
func (m *manifests) json(file string, b []byte) {
	d := json.NewDecoder(bytes.NewReader(b))
	for d.More() {
		where := fmt.Sprintf("%s:%d", file, 1+bytes.Count(b[:d.InputOffset()], []byte("\n")))
		if m.documents++; m.documents > maxDocuments {
			m.unread(file, fmt.Errorf("want at most %d documents in all; the rest was not read", maxDocuments))
			return
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			m.unread(fmt.Sprintf("%s:%d", file, 1+bytes.Count(b[:d.InputOffset()], []byte("\n"))), fmt.Errorf("want JSON: %w", err))
			return
		}
		m.document(where, raw)
	}
}

// header is what every object begins with; items is a List's content.
type header struct {
	APIVersion string            `json:"apiVersion"`
	Kind       string            `json:"kind"`
	Items      []json.RawMessage `json:"items"`
}

func (m *manifests) document(where string, b []byte) {
	if err := shallow(b); err != nil {
		m.unread(where, err)
		return
	}
	m.object(where, b, "", "", 0)
}

// object files one object, or each of a List. Items of a typed list
// (PodList) need not repeat their kind.
func (m *manifests) object(where string, b []byte, apiVersion, kindName string, depth int) {
	var h header
	if err := json.Unmarshal(b, &h); err != nil {
		m.unread(where, fmt.Errorf("want a Kubernetes object: %w", err))
		return
	}
	if h.APIVersion == "" && h.Kind == "" {
		h.APIVersion, h.Kind = apiVersion, kindName
	}
	if strings.HasSuffix(h.Kind, "List") && h.Items != nil && depth < 3 {
		for i, item := range h.Items {
			m.object(fmt.Sprintf("%s: items[%d]", where, i), item, h.APIVersion, strings.TrimSuffix(h.Kind, "List"), depth+1)
		}
		m.objects++ // an empty List is an answer too
		return
	}
	if h.APIVersion == "" || h.Kind == "" {
		if bytes.Equal(bytes.TrimSpace(b), []byte("null")) {
			return
		}
		m.unread(where, errors.New("want a Kubernetes object: apiVersion and kind are missing"))
		return
	}
	m.typed(where, b, h)
}

func (m *manifests) typed(where string, b []byte, h header) {
	gv, err := schema.ParseGroupVersion(h.APIVersion)
	if err != nil {
		m.unread(where, fmt.Errorf("want an apiVersion such as apps/v1: %w", err))
		return
	}
	m.objects++
	k := m.kinds[schema.GroupKind{Group: gv.Group, Kind: h.Kind}]
	if k == nil {
		m.foreign(gv, h.Kind)
		return
	}
	if !slices.Contains(k.versions, gv) {
		m.unread(where, fmt.Errorf("%s %s: want version %s", h.Kind, h.APIVersion, k.versions[0]))
		return
	}
	o := k.make()
	if err := json.Unmarshal(b, o); err != nil {
		m.unread(where, fmt.Errorf("want a %s of %s: %w", h.Kind, h.APIVersion, err))
		return
	}
	if o.GetName() == "" && o.GetGenerateName() == "" {
		m.unread(where, fmt.Errorf("%s: want metadata.name", h.Kind))
		return
	}
	m.keep(k, o)
}

func (m *manifests) keep(k *kind, o object) {
	if o.GetName() == "" {
		o.SetName(o.GetGenerateName() + "0")
	}
	if !k.cluster && o.GetNamespace() == "" {
		o.SetNamespace(metav1.NamespaceDefault)
	}
	if k.cluster {
		o.SetNamespace("")
	}
	if stripped, kept := k.strip(m.strip, o); kept {
		m.facts.Apply(collect.Change{Op: collect.Put, Kind: k.name, Key: keyOf(o), Object: stripped})
	}
}

// foreign counts objects of kinds we do not interpret.
func (m *manifests) foreign(gv schema.GroupVersion, kindName string) {
	name := strings.ToLower(kindName) + "s"
	if gv.Group != "" {
		name += "." + gv.Group
	}
	if gv.Group == "" || builtin(gv.Group) {
		return // built-in kinds that are left unread on purpose
	}
	m.facts.Unread[name]++
}

// shallow refuses JSON that nests deeper than any object does: it would cost
// stack in every later step.
func shallow(b []byte) error {
	depth, inText := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case inText && c == '\\':
			i++
		case c == '"':
			inText = !inText
		case inText:
		case c == '{' || c == '[':
			if depth++; depth > maxNesting {
				return fmt.Errorf("want at most %d levels of nesting", maxNesting)
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}

func (m *manifests) unread(where string, err error) {
	m.broken = append(m.broken, fmt.Errorf("%s: %w", where, err))
	m.facts.Apply(collect.Change{Op: collect.GapOpen, Gap: &collect.Gap{Source: "file", What: where, Why: err.Error(), Since: time.Now(),
		Consequence: "What it describes is missing: nothing here can be taken for absent."}})
}

func (m *manifests) finish(source string) (*collect.Facts, error) {
	if m.objects == 0 {
		if len(m.broken) > 0 {
			return nil, fmt.Errorf("read manifests: %w", errors.Join(m.broken[:min(len(m.broken), 10)]...))
		}
		return nil, fmt.Errorf("read manifests in %s: want YAML or JSON files with Kubernetes objects; there is none", source)
	}
	m.makePods()
	f := m.facts
	f.AsOf = time.Now()
	f.Cluster = collect.ClusterInfo{Name: "files", Source: "files:" + source}
	return f, nil
}
