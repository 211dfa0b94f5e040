package admission

import (
	"maps"
	"regexp"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation"
)

// Marks are labels and annotations of an object, which its makers choose: a policy that makes an
// exception for a mark makes it for everybody.

// maxMarks bounds how many sets of marks are tried.
const maxMarks = 12

var (
	ofMarks  = regexp.MustCompile(`\b(labels|annotations)\b`)
	literals = regexp.MustCompile(`"([^"\\]*)"|'([^'\\]*)'`)
	selected = regexp.MustCompile(`\b(?:labels|annotations)\.\??(\w+)`)
)

// marksOf are the sets of marks that are worth trying: those that expressions name, each with each value
// that they name, all at once and each alone.
func marksOf(policies []*policy) (out []map[string]string) {
	keys, values := map[string]bool{}, map[string]bool{"true": true}
	for _, p := range policies {
		if !p.marked {
			continue
		}
		for _, e := range slices.Concat(p.variables, p.conditions, p.validations) {
			for _, m := range literals.FindAllStringSubmatch(e.text, -1) {
				text := m[1] + m[2]
				if len(validation.IsQualifiedName(text)) == 0 {
					keys[text] = true
				}
				if text != "" && len(validation.IsValidLabelValue(text)) == 0 {
					values[text] = true
				}
			}
			for _, m := range selected.FindAllStringSubmatch(e.text, -1) {
				keys[m[1]] = true
			}
		}
	}
	if len(keys) == 0 {
		return nil
	}
	of := func(value string, keys ...string) {
		marks := map[string]string{}
		for _, k := range keys {
			marks[k] = value
		}
		out = append(out, marks)
	}
	all := slices.Sorted(maps.Keys(keys))
	for _, v := range slices.Sorted(maps.Keys(values)) {
		of(v, all...)
	}
	for _, v := range slices.Sorted(maps.Keys(values)) {
		for _, k := range all {
			of(v, k)
		}
	}
	return out[:min(len(out), maxMarks)]
}

// marked puts marks on a new object, and on the pods that it is a template of. An update of a
// subresource changes none.
func (r *request) marked(object any, marks map[string]string) any {
	o, ok := object.(map[string]any)
	if !ok || marks == nil || r.update {
		return object
	}
	for _, path := range [][]string{nil, {"spec", "template"}, {"spec", "jobTemplate"}, {"spec", "jobTemplate", "spec", "template"}} {
		if _, there, _ := unstructured.NestedMap(o, path...); !there && path != nil {
			continue
		}
		for _, of := range []string{"labels", "annotations"} {
			for k, v := range marks {
				field := slices.Concat(path, []string{"metadata", of, k})
				if err := unstructured.SetNestedField(o, v, field...); err != nil {
					panic(err) // it is one of our own
				}
			}
		}
	}
	return o
}
