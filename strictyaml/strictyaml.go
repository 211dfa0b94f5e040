// Package strictyaml reads YAML that people write by hand: rules, templates,
// configuration. What a person may have meant otherwise is an error, with file,
// line and what was wanted: an unknown key, a key that is there twice, a second
// document. It is bounded in size and depth and refuses aliases, so that a
// stranger's folder can be read.
package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"reflect"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// Bounds on one file.
const (
	maxSize  = 1 << 20
	maxDepth = 16
)

// ErrEmpty says that there is nothing in a document.
var ErrEmpty = errors.New("there is nothing in it")

// Node is a part of a document that its reader takes apart itself, one of these kinds.
type Node = yaml.Node

// The kinds of nodes.
const (
	Mapping  = yaml.MappingNode
	Sequence = yaml.SequenceNode
	Scalar   = yaml.ScalarNode
)

// Document is a file that was read, to say where in it something is wrong.
type Document struct {
	Path string
	root *Node
}

// Read decodes a file.
func Read(fsys fs.FS, name string, into any) (*Document, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return ReadFrom(name, f, into)
}

// ReadFrom decodes what a reader holds; name is for errors.
func ReadFrom(name string, r io.Reader, into any) (*Document, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxSize+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return Decode(name, text, into)
}

// Decode decodes the one document of a text; name is for errors.
func Decode(name string, text []byte, into any) (*Document, error) {
	if len(text) > maxSize {
		return nil, fmt.Errorf("%s: longer than the %d bytes allowed", name, maxSize)
	}
	root, err := parse(text)
	if err != nil {
		return nil, located(name, err)
	}
	d := &Document{name, root}
	if err := d.check(root, 0); err != nil {
		return nil, err
	}
	if err := d.holds(into); err != nil {
		return nil, err
	}
	strict := yaml.NewDecoder(bytes.NewReader(text))
	strict.KnownFields(true)
	if err := strict.Decode(into); err != nil {
		return nil, located(name, err)
	}
	return d, nil
}

func parse(text []byte) (*Node, error) {
	var document Node
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		return nil, ErrEmpty
	case err != nil:
		return nil, err
	}
	root := document.Content[0]
	if err := decoder.Decode(new(Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("want one document in the file, found more than one document")
	}
	if root.Kind == Scalar && root.Tag == "!!null" {
		return nil, ErrEmpty
	}
	return root, nil
}

// check looks at what the decoder would let pass.
func (d *Document) check(n *Node, depth int) error {
	switch {
	case n.Kind == yaml.AliasNode:
		return d.at(n.Line, errors.New("want no aliases"))
	case depth > maxDepth:
		return d.at(n.Line, fmt.Errorf("nested deeper than %d", maxDepth))
	case n.Kind == Mapping:
		if err := d.checkKeys(n); err != nil {
			return err
		}
	}
	for _, c := range n.Content {
		if err := d.check(c, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (d *Document) checkKeys(n *Node) error {
	seen := map[string]int{}
	for i := 0; i < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind != Scalar || key.Tag == "!!merge" {
			return d.at(key.Line, errors.New("want a word as a key"))
		}
		if first, twice := seen[key.Value]; twice {
			return d.at(key.Line, fmt.Errorf("key %q is there twice, first in line %d", key.Value, first))
		}
		seen[key.Value] = key.Line
	}
	return nil
}

// holds says what a document of the kind is, before the decoder says what it is not.
func (d *Document) holds(into any) error {
	switch kind := reflect.TypeOf(into).Elem().Kind(); {
	case kind == reflect.Struct && d.root.Kind != Mapping:
		return d.at(d.root.Line, errors.New("want keys and their values"))
	case kind == reflect.Slice && d.root.Kind != Sequence:
		return d.at(d.root.Line, errors.New("want a list"))
	}
	return nil
}

// Errorf is an error at a key of the document, named from the outside in:
// Errorf(err, "tests", "1", "given").
func (d *Document) Errorf(err error, key ...string) error { return d.at(d.Line(key...), err) }

func (d *Document) at(line int, err error) error { return fmt.Errorf("%s:%d: %w", d.Path, line, err) }

// Line is where the value of a key begins, or of the innermost key there is.
func (d *Document) Line(key ...string) int {
	n, line := d.root, d.root.Line
	for _, k := range key {
		next := child(n, k)
		if next == nil {
			break
		}
		n, line = next, next.Line
	}
	return line
}

func child(n *Node, key string) *Node {
	switch n.Kind {
	case Mapping:
		for i := 0; i < len(n.Content); i += 2 {
			if n.Content[i].Value == key {
				return n.Content[i+1]
			}
		}
	case Sequence:
		if i, err := strconv.Atoi(key); err == nil && i >= 0 && i < len(n.Content) {
			return n.Content[i]
		}
	}
	return nil
}
