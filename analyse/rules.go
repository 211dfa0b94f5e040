package analyse

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"

	"github.com/breakwater-sec/breakwater/packs"
	"github.com/breakwater-sec/breakwater/query"
	"github.com/breakwater-sec/breakwater/rbac"
	"github.com/breakwater-sec/breakwater/rule"
	"github.com/breakwater-sec/breakwater/schema"
)

// Rules is everything that attack analysis goes by, compiled.
type Rules struct {
	// Powers are the questions to the RBAC judge that techniques build on.
	Powers []rbac.Power
	// Registries says which ones are known.
	Registries Registries

	attack []*technique
	paths  []*pathType
	byID   map[string]*technique
}

// Load reads the rules that Breakwater brings and, if a folder is named, those
// in its attack/ and paths/.
func Load(folder string) (*Rules, error) {
	if folder == "" {
		return LoadFS(packs.FS)
	}
	if _, err := os.Stat(folder); err != nil {
		return nil, fmt.Errorf("load attack rules: %w", err)
	}
	return LoadFS(packs.FS, os.DirFS(folder))
}

// LoadFS reads attack/*.yaml and paths/*.yaml of each file system, which registries
// each knows, and the powers of the first; a rule of a later one must not take an id of an earlier.
func LoadFS(from ...fs.FS) (*Rules, error) {
	r := &Rules{byID: map[string]*technique{}}
	if err := r.readPowers(from[0]); err != nil {
		return nil, err
	}
	taken := map[string]bool{}
	var wrong []error
	for _, fsys := range from {
		wrong = append(wrong, r.Registries.read(fsys))
		techniques, err := rule.Load(fsys, "attack", []string{"powers.yaml", "registries.yaml"}, compileTechnique)
		types, err2 := rule.Load(fsys, "paths", nil, compilePathType)
		wrong = append(wrong, err, err2)
		for _, t := range slices.Concat(techniques, types) {
			id := t.Header().ID
			if taken[id] {
				wrong = append(wrong, fmt.Errorf("rule %q is there twice", id))
			}
			taken[id] = true
			switch t := t.(type) {
			case *technique:
				r.attack = append(r.attack, t)
				r.byID[id] = t
			case *pathType:
				r.paths = append(r.paths, t)
			}
		}
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, fmt.Errorf("load attack rules: %w", err)
	}
	for _, p := range r.paths {
		p.rules = r
	}
	return r, nil
}

func (r *Rules) readPowers(fsys fs.FS) error {
	const name = "attack/powers.yaml"
	text, err := fs.ReadFile(fsys, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	r.Powers, err = rbac.ParsePowers(name, text)
	return err
}

// All lists every rule, so that their tests can be run.
func (r *Rules) All() (out []rule.Rule) {
	for _, t := range r.attack {
		out = append(out, t)
	}
	for _, p := range r.paths {
		out = append(out, p)
	}
	return out
}

// Techniques lists what the attack rules say of themselves.
func (r *Rules) Techniques() (out []rule.Head) {
	for _, t := range r.attack {
		out = append(out, t.Head)
	}
	return out
}

// PathTypes lists what the path types say of themselves, with titles as they
// most often read.
func (r *Rules) PathTypes() (out []rule.Head) {
	for _, p := range r.paths {
		h := p.Head
		h.Title = p.usual()
		out = append(out, h)
	}
	return out
}

// compileQuery parses and checks a query of a rule.
func compileQuery(text string) (*query.Query, error) {
	q, err := query.Parse(text)
	if err != nil {
		return nil, err
	}
	if problems := query.Check(query.Schema(), q); len(problems) > 0 {
		var all []error
		for i := range problems {
			all = append(all, &problems[i])
		}
		return nil, errors.Join(all...)
	}
	return q, nil
}

// variables are the names a query binds, in order.
func variables(n *query.Node) (out []string) {
	if n.As != "" {
		out = append(out, n.As)
	}
	for _, r := range n.With {
		out = append(out, variables(r.To)...)
	}
	return out
}

// edgeOf is an edge of the schema; one that is not there is derived by nothing.
func edgeOf(name string) *schema.Edge {
	if e := edges()[name]; e != nil {
		return e
	}
	return &schema.Edge{}
}

func kindOf(name string) *schema.Kind {
	if k := kinds()[name]; k != nil {
		return k
	}
	return &schema.Kind{Name: name, Label: name}
}

// edges and kinds are those of the schema, by name.
var (
	edges = sync.OnceValue(func() map[string]*schema.Edge {
		return byName(schema.Edges(), func(e schema.Edge) string { return e.Name })
	})
	kinds = sync.OnceValue(func() map[string]*schema.Kind {
		return byName(schema.Kinds(), func(k schema.Kind) string { return k.Name })
	})
)

func byName[T any](all []T, name func(T) string) map[string]*T {
	out := make(map[string]*T, len(all))
	for i, x := range all {
		out[name(x)] = &all[i]
	}
	return out
}

// background is for tests of rules, which are small and end by themselves.
func background() context.Context { return context.Background() }
