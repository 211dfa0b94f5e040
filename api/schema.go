package api

import (
	"context"
	"strings"

	"github.com/breakwater-sec/breakwater/query"
	"github.com/breakwater-sec/breakwater/rule"
	"github.com/breakwater-sec/breakwater/schema"
	"github.com/breakwater-sec/breakwater/severity"
)

// opWords is how a condition reads, by Expr.op.
var opWords = map[string]string{
	"": "is true", "=": "is", "<>": "is not", "<": "less than", "<=": "at most", ">": "more than", ">=": "at least",
	"CONTAINS": "contains", "STARTS WITH": "starts with", "ENDS WITH": "ends with", "IN": "is one of", "HAS": "includes",
	"IS NULL": "is unknown", "IS NOT NULL": "is known",
}

// describe makes the answer of GET /schema, which never changes.
func describe(v *query.Vocabulary, pathTypes []rule.Head) Schema {
	out := Schema{Groups: query.Kinds(v), Kinds: map[string]KindInfo{}, Edges: map[string]EdgeInfo{}, Severities: severity.Scale,
		Risks: severity.Rated, PathTypes: []PathType{}, Ops: opWords}
	for _, k := range schema.Kinds() {
		out.Kinds[k.Name] = KindInfo{Name: k.Name, Label: k.Label, Plural: k.Plural, Group: k.Group, Family: text(k.Family), Sentence: k.Sentence,
			Menu: query.MenuFor(v, k.Name)}
	}
	for _, g := range out.Groups {
		for _, c := range g.Kinds {
			if _, known := out.Kinds[c.Name]; !known {
				out.Kinds[c.Name] = KindInfo{Name: c.Name, Label: c.Label, Plural: plural(c.Label), Group: g.Name, Sentence: c.Sentence,
					Menu: query.MenuFor(v, c.Name)}
			}
		}
	}
	for _, e := range schema.Edges() {
		out.Edges[e.Name] = EdgeInfo{Name: e.Name, Verb: e.Verb, Inverse: e.Inverse, Sentence: e.Sentence, Derived: e.Derived, Step: e.Step}
	}
	for _, h := range pathTypes {
		out.PathTypes = append(out.PathTypes, PathType{Id: h.ID, Title: h.Title, Why: h.Why})
	}
	return out
}

// plural is of a family's label: a menu says "Any identity", a number "9 identities".
func plural(label string) string {
	if stem, ok := strings.CutSuffix(label, "y"); ok {
		return stem + "ies"
	}
	return label + "s"
}

// GetSchema implements StrictServerInterface.
func (s session) GetSchema(context.Context, GetSchemaRequestObject) (GetSchemaResponseObject, error) {
	return GetSchema200JSONResponse(s.schema), nil
}

// GetTemplates implements StrictServerInterface.
func (s session) GetTemplates(context.Context, GetTemplatesRequestObject) (GetTemplatesResponseObject, error) {
	return GetTemplates200JSONResponse(s.templates), nil
}
