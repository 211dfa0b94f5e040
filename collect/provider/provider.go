// Package provider reads what cloud providers say of clusters, identities and
// registries: the JSON that their own describe, list and export commands write.
// Field names count in any case and with or without underscores, as the providers'
// tools differ in that. It connects to no cloud, and keeps no credential.
package provider

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/collect"
)

const (
	maxFile  = 64 << 20
	maxDepth = 64
	maxFiles = 10_000
)

// Read reads files, and every *.json below folders; nil without any.
func Read(names ...string) (*collect.Cloud, error) {
	if len(names) == 0 {
		return nil, nil
	}
	r := &reader{cloud: &collect.Cloud{}, clients: map[string]string{}}
	for _, name := range names {
		info, err := os.Stat(name)
		switch {
		case err != nil:
			return nil, fmt.Errorf("want a file or folder of a cloud provider's JSON: %w", err)
		case info.IsDir():
			err = r.folder(os.DirFS(name))
		default:
			err = r.file(os.DirFS(filepath.Dir(name)), filepath.Base(name))
		}
		if err != nil {
			return nil, err
		}
	}
	r.finish()
	return r.cloud, nil
}

// reader gathers what files say.
type reader struct {
	cloud *collect.Cloud
	name  string // of the file
	known int    // objects that were understood
	// clients are the client ids of Azure's managed identities by what else names them.
	clients  map[string]string
	policies []awsPolicies
}

func (r *reader) folder(fsys fs.FS) error {
	files := 0
	return fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() || path.Ext(name) != ".json":
			return nil
		case files == maxFiles:
			return fmt.Errorf("there are more than %d files", maxFiles)
		}
		files++
		return r.file(fsys, name)
	})
}

func (r *reader) file(fsys fs.FS, name string) error {
	f, err := fsys.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return err
	}
	if len(b) > maxFile {
		return fmt.Errorf("%s is larger than %d MiB", name, maxFile>>20)
	}
	return r.text(name, b)
}

// text reads one file's content.
func (r *reader) text(name string, b []byte) error {
	r.name, r.known = name, 0
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		line := 1
		var at *json.SyntaxError
		if errors.As(err, &at) {
			line += bytes.Count(b[:min(int(at.Offset), len(b))], []byte("\n"))
		}
		return fmt.Errorf("%s:%d: want JSON as a cloud provider's tool writes it: %w", name, line, err)
	}
	r.walk(folded(v, 0))
	if r.known == 0 {
		r.gap("nothing of it is a description that is known", "What it says is not in the answers.")
	}
	return nil
}

func (r *reader) gap(why, consequence string) {
	r.cloud.Gaps = append(r.cloud.Gaps, collect.Gap{Source: "cloud", What: r.name, Why: why, Consequence: consequence})
}

// object is a JSON object whose keys are folded.
type object map[string]any

// folded spells every key of a value in one way. What lies too deep is left out.
func folded(v any, depth int) any {
	if depth > maxDepth {
		return nil
	}
	switch v := v.(type) {
	case map[string]any:
		out := make(object, len(v))
		for k, e := range v {
			out[fold(k)] = folded(e, depth+1)
		}
		return out
	case []any:
		for i, e := range v {
			v[i] = folded(e, depth+1)
		}
	}
	return v
}

func fold(key string) string { return strings.ToLower(strings.ReplaceAll(key, "_", "")) }

// at is the value that a path of keys leads to.
func (o object) at(keys ...string) any {
	var v any = o
	for _, k := range keys {
		in, ok := v.(object)
		if !ok {
			return nil
		}
		v = in[k]
	}
	return v
}

func (o object) text(keys ...string) string {
	s, _ := o.at(keys...).(string)
	return s
}

// flag is nil where nothing is said.
func (o object) flag(keys ...string) *bool {
	if b, ok := o.at(keys...).(bool); ok {
		return &b
	}
	return nil
}

// texts reads a list of texts, or one alone.
func (o object) texts(keys ...string) (out []string) {
	switch v := o.at(keys...).(type) {
	case string:
		out = []string{v}
	case []any:
		for _, e := range v {
			if s, ok := e.(string); ok {
				out = append(out, s)
			}
		}
	}
	return out
}

// objects reads a list of objects, or one alone.
func (o object) objects(keys ...string) (out []object) {
	switch v := o.at(keys...).(type) {
	case object:
		out = []object{v}
	case []any:
		for _, e := range v {
			if in, ok := e.(object); ok {
				out = append(out, in)
			}
		}
	}
	return out
}

func (o object) has(key string) bool { _, ok := o[key]; return ok }

// description is a kind of object that is understood wherever it lies in a file.
type description struct {
	is   func(object) bool
	read func(*reader, object)
}

// descriptions is every kind that is understood; the first that fits counts.
var descriptions []description

func init() { // the functions refer to walk, which refers to the list
	for _, of := range [][]description{ofAWS, ofAzure, ofGoogle} {
		descriptions = append(descriptions, of...)
	}
}

// walk finds descriptions. Tags and labels are people's words and not looked into.
func (r *reader) walk(v any) {
	switch v := v.(type) {
	case object:
		for _, d := range descriptions {
			if d.is(v) {
				r.known++
				d.read(r, v)
				return
			}
		}
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if k != "tags" && k != "labels" {
				r.walk(v[k])
			}
		}
	case []any:
		for _, e := range v {
			r.walk(e)
		}
	}
}

func yes() *bool { b := true; return &b }

func not(b *bool) *bool {
	if b == nil {
		return nil
	}
	n := !*b
	return &n
}
