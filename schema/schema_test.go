package schema

import (
	"slices"
	"testing"

	"github.com/breakwater-sec/breakwater/severity"
)

func TestAWordIsThereOnceAndWhatItNamesIsThere(t *testing.T) {
	once := map[string]bool{}
	is := func(what, name string) {
		if once[what+name] {
			t.Errorf("%s %s is there twice", what, name)
		}
		once[what+name] = true
	}
	for _, k := range Kinds() {
		is("kind ", k.Name)
		for _, p := range k.Properties {
			is(k.Name+".", p.Name)
		}
		for _, name := range []string{k.Coverage, k.Partly, k.Over} {
			if p, ok := k.Property(name); name != "" && (!ok || p.Type.String() != "bool") {
				t.Errorf("%s: %s is no flag of it", k.Name, name)
			}
		}
		if !slices.Contains(Groups, k.Group) {
			t.Errorf("%s: there is no group %q", k.Name, k.Group)
		}
	}
	for _, e := range Edges() {
		is("edge ", e.Name)
		for _, j := range e.Joins {
			is(e.Name+" from ", j.From+" to "+j.To)
		}
		if source, ok := KindNamed(e.Coverage.From); e.Coverage.From != "" && (!ok || source.Coverage != e.Coverage.To) {
			t.Errorf("%s: coverage %v is none of its source", e.Name, e.Coverage)
		}
	}
	for _, c := range Composition() {
		is("edge ", c.Name)
		at := c.From
		for _, s := range c.Steps {
			e, _ := EdgeNamed(s.Edge)
			if s.In && !e.CanJoin(s.To, at) || !s.In && !e.CanJoin(at, s.To) {
				t.Errorf("%s: no %s joins %s and %s", c.Name, s.Edge, at, s.To)
			}
			at = s.To
		}
		if at != c.To {
			t.Errorf("%s arrives at %s", c.Name, at)
		}
	}
}

func TestSeveritiesAreThoseOfTheOneScale(t *testing.T) {
	of := func(name string, p Property, ok bool) {
		if ok && !slices.Equal(p.Enum, severity.Scale) {
			t.Errorf("%s: %v, want %v", name, p.Enum, severity.Scale)
		}
	}
	for _, k := range Kinds() {
		p, ok := k.Property("severity")
		of(k.Name, p, ok)
	}
	for _, e := range Edges() {
		p, ok := e.Property("severity")
		of(e.Name, p, ok)
	}
}

func TestAFamilyIsItsKindsAndAKindItself(t *testing.T) {
	if got := Family("Identity"); !slices.Equal(got, []string{"ServiceAccount", "User", "Group", "CloudIdentity"}) {
		t.Error(got)
	}
	if got := Family("Pod"); !slices.Equal(got, []string{"Pod"}) {
		t.Error(got)
	}
}
