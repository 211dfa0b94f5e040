package detect

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/breakwater-sec/breakwater/event"
)

const maxIndex = 4

// maxKeys bounds the keys of one rule. A rule that needs one of more values is
// found by fewer fields, or met by every event.
const maxKeys = 4096

// key is a value for each indexed field that the mask has a bit for.
type key struct {
	mask   int
	values [maxIndex]string
}

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
	keys := []key{{}}
	for n, field := range i.fields {
		values, ok := r.condition.needs(field)
		if !ok || len(keys)*len(values) > maxKeys {
			continue
		}
		var next []key
		for _, k := range keys {
			for _, v := range values {
				k.mask |= 1 << n
				k.values[n] = v
				next = append(next, k)
			}
		}
		keys = next
	}
	if mask := keys[0].mask; !slices.Contains(i.masks, mask) {
		i.masks = append(i.masks, mask)
	}
	for _, k := range keys {
		if !slices.Contains(i.byKey[k], r) {
			i.byKey[k] = append(i.byKey[k], r)
		}
	}
}

// candidates does not allocate. Where a field has a value that the index cannot
// hold, every rule is a candidate.
func (i *index) candidates(f event.Fields, each func(*Rule)) {
	var have [maxIndex]string
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
		k := key{mask: mask}
		for n := range i.fields {
			if mask&(1<<n) != 0 {
				k.values[n] = have[n]
			}
		}
		for _, r := range i.byKey[k] {
			each(r)
		}
	}
}

// ascii says that every character is one byte.
func ascii(s string) bool { return utf8.RuneCountInString(s) == len(s) }
