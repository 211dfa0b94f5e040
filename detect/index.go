package detect

import (
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/event"
)

const maxIndex = 3

// anything stands in a key for a field that the rule does not need.
const anything = "\x00"

// key is a value per indexed field; anything stands for itself.
type key [maxIndex]string

// index finds the rules that can match an event: those whose conditions need,
// for each indexed field, no value or the event's. An event meets no other.
type index struct {
	fields []string
	byKey  map[key][]*Rule
	// masks are the combinations of fields that some rule needs values of.
	masks []int
	all   []*Rule
}

func newIndex(fields []string) *index {
	return &index{fields: fields[:min(len(fields), maxIndex)], byKey: map[key][]*Rule{}}
}

func (i *index) add(r *Rule) {
	i.all = append(i.all, r)
	keys, mask := []key{{}}, 0
	for n, field := range i.fields {
		values, ok := r.condition.needs(field)
		if !ok {
			continue
		}
		mask |= 1 << n
		var next []key
		for _, k := range keys {
			for _, v := range values {
				k[n] = v
				next = append(next, k)
			}
		}
		keys = next
	}
	if !slices.Contains(i.masks, mask) {
		i.masks = append(i.masks, mask)
	}
	for _, k := range keys {
		for n := range i.fields {
			if mask&(1<<n) == 0 {
				k[n] = anything
			}
		}
		if !slices.Contains(i.byKey[k], r) {
			i.byKey[k] = append(i.byKey[k], r)
		}
	}
}

// candidates does not allocate. Where a field has a value that the index cannot
// hold, every rule is a candidate.
func (i *index) candidates(f event.Fields, each func(*Rule)) {
	var have key
	for n, field := range i.fields {
		values := f[field]
		if len(values) > 1 || len(values) == 1 && !ascii(values[0]) {
			for _, r := range i.all {
				each(r)
			}
			return
		}
		if len(values) == 1 {
			have[n] = strings.ToLower(values[0])
		}
	}
	for _, mask := range i.masks {
		k := have
		for n := range i.fields {
			if mask&(1<<n) == 0 {
				k[n] = anything
			}
		}
		for _, r := range i.byKey[k] {
			each(r)
		}
	}
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
