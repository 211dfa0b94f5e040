package audit

import (
	"slices"
	"strconv"
	"strings"
)

// detail is a field that is read where it stands in an object, beside what written
// reads of pods and rights.
type detail struct {
	field string
	// ways lead to it: names of members, [] for each element of a list, * for each member; a
	// slash within a name is written as ~.
	ways []string
	// tell says what a value tells; nil is the value itself. The name is that of the member
	// that a star stands for.
	tell func(name, value string) []string
	// none is what the field is if a change takes it away; "" if that tells nothing.
	none string
	// always says that it is told whether it is new or not: it says what an object is.
	always bool
	// compared says that it counts only where the change names it or what was before is
	// known, and onlyKnown only where that is.
	compared, onlyKnown bool
}

// fact is what an object tells of a detail; place is the names of the list elements it stands in.
type fact struct {
	of           *detail
	place, value string
}

// words are how a fact is remembered.
func (f *fact) words() string { return f.of.field + "\x00" + f.place + "\x00" + f.value }

// step is a member on the way to details.
type step struct {
	next    map[string]*step
	each    *step // of a list's elements, or of all members
	details []*detail
}

// steps lays the ways of details into one tree, below a way of their own.
func steps(below string, details []detail) *step {
	root := &step{}
	for i := range details {
		for _, way := range details[i].ways {
			at := root
			for name := range strings.SplitSeq(below+way, "/") {
				at = at.to(strings.ReplaceAll(name, "~", "/"))
			}
			at.details = append(at.details, &details[i])
		}
	}
	return root
}

func (s *step) to(name string) *step {
	if name == "[]" || name == "*" {
		if s.each == nil {
			s.each = &step{}
		}
		return s.each
	}
	if s.next[name] == nil {
		if s.next == nil {
			s.next = map[string]*step{}
		}
		s.next[name] = &step{}
	}
	return s.next[name]
}

// names are the members that the ways go through.
func (s *step) names(into map[string]bool) {
	if s == nil {
		return
	}
	for name, next := range s.next {
		into[name] = true
		next.names(into)
	}
	s.each.names(into)
}

// fields are those that are read below a step.
func (s *step) fields() (out []string) {
	if s == nil {
		return nil
	}
	for _, d := range s.details {
		out = append(out, d.field)
	}
	for _, next := range s.next {
		out = append(out, next.fields()...)
	}
	return unique(append(out, s.each.fields()...))
}

// detailsOf are the fields that are read of objects that make no pods, by where they stand.
var detailsOf = func() map[*step][]string {
	out := map[*step][]string{}
	for _, o := range objectSteps {
		out[o.root] = o.root.fields()
	}
	return out
}()

// maxFactsOf bounds what is told of one object.
const maxFactsOf = 2000

// reading is what was read of one object.
type reading struct {
	facts        []fact
	uid, version string
}

// readDetails reads an object. Of two members of one name both count: which of them the
// API server took is the last, and what was written besides is no reason to be quiet.
func readDetails(object string, root *step) *reading {
	r := &reading{}
	c := newCursor(object)
	defer c.done()
	_ = c.fields(func(key string) error {
		if key != "metadata" {
			return r.member(c, root, key)
		}
		text, err := c.value()
		if err != nil {
			return err
		}
		inner := newCursor(text)
		defer inner.done()
		return inner.fields(func(key string) error {
			switch key {
			case "uid":
				return inner.loose(&r.uid)
			case "resourceVersion":
				return inner.loose(&r.version)
			}
			if root.next["metadata"] == nil {
				return inner.skip()
			}
			return r.member(inner, root.next["metadata"], key)
		})
	})
	return r
}

// member reads one member of an object.
func (r *reading) member(c *cursor, at *step, key string) error {
	next := at.next[key]
	if next == nil {
		next = at.each
	}
	if next == nil || len(r.facts) > maxFactsOf {
		return c.skip()
	}
	return r.value(c, next, key)
}

// value reads what stands at a step.
func (r *reading) value(c *cursor, at *step, name string) error {
	if len(at.details) == 0 {
		return r.walk(c, at)
	}
	text, err := c.value()
	if err != nil {
		return err
	}
	for _, d := range at.details {
		for _, v := range d.told(name, text) {
			r.facts = append(r.facts, fact{of: d, value: v})
		}
	}
	inner := newCursor(text)
	defer inner.done()
	return r.walk(inner, at)
}

// walk goes on below a step. The name of a list's element is the place of all in it.
func (r *reading) walk(c *cursor, at *step) error {
	switch {
	case at.next == nil && at.each == nil:
		return c.skip()
	case c.next() == '[':
		return c.array(func() error {
			if at.each == nil || len(r.facts) > maxFactsOf {
				return c.skip()
			}
			text, err := c.value()
			if err != nil {
				return err
			}
			start := len(r.facts)
			inner := newCursor(text)
			defer inner.done()
			err = r.value(inner, at.each, "")
			if name := nameOf(text); name != "" {
				for i := start; i < len(r.facts); i++ {
					r.facts[i].place = name + "/" + r.facts[i].place
				}
			}
			return err
		})
	case c.next() == 'n': // a patch takes it away: all that was below is named
		at.below(func(d *detail) { r.facts = append(r.facts, fact{of: d}) })
	}
	return c.fields(func(key string) error { return r.member(c, at, key) })
}

// below calls with the details of further steps.
func (s *step) below(each func(*detail)) {
	if s.each != nil {
		for _, d := range s.each.details {
			each(d)
		}
		s.each.below(each)
	}
	for _, next := range s.next {
		for _, d := range next.details {
			each(d)
		}
		next.below(each)
	}
}

func nameOf(object string) (name string) {
	c := newCursor(object)
	defer c.done()
	_ = c.fields(func(key string) error {
		if key == "name" {
			return c.loose(&name)
		}
		return c.skip()
	})
	return name
}

// told is what a value tells of a detail; null names it and tells nothing.
func (d *detail) told(name, text string) []string {
	switch {
	case text == "null":
		return []string{""}
	case d.tell != nil:
		return d.tell(name, text)
	}
	if v := plainText(text); v != "" {
		return []string{v}
	}
	return nil
}

// plainText is a text, number or boolean as it is meant.
func plainText(text string) string {
	if text == "" || strings.ContainsRune("{[n", rune(text[0])) {
		return ""
	}
	if text[0] != '"' {
		return text
	}
	var v string
	c := newCursor(text)
	defer c.done()
	_ = c.loose(&v)
	return v
}

// change is what a request tells of an object's details.
type change struct {
	root  *step
	now   *reading
	asked map[string]bool // fields and places that a patch names; nil if it states the whole
	gone  map[string]bool // fields that a patch takes away
}

func (f *fact) where() string { return f.of.field + "\x00" + f.place }

// details reads what a request states of details, or nil if it is about none.
func (r *record) details() *change {
	root := r.detailed()
	object := r.object()
	if root == nil || !readable(object) {
		return nil
	}
	c := &change{root: root, now: readDetails(object, root)}
	if r.verb != "patch" || !r.answered() || !readable(r.response) {
		return c
	}
	text := r.request
	switch {
	case strings.HasPrefix(text, "["):
		c.gone = r.removed(root)
		text = named(text, r.response)
	case !readable(text):
		return c
	}
	c.asked = map[string]bool{}
	for _, f := range readDetails(text, root).facts {
		c.asked[f.where()] = true
		if f.value == "" {
			if c.gone == nil {
				c.gone = map[string]bool{}
			}
			c.gone[f.of.field] = true
		}
	}
	return c
}

// removed are the fields that operations of a JSON patch take away.
func (r *record) removed(root *step) map[string]bool {
	out := map[string]bool{}
	all, _ := operations(r.request)
	for _, o := range all {
		way := o.Path
		switch o.Op {
		case "remove":
		case "move":
			way = o.From
		default:
			continue
		}
		at := root
		for _, name := range pointer(way)[1:] {
			if next := at.next[name]; next != nil {
				at = next
			} else if at = at.each; at == nil {
				break
			}
		}
		if at != nil {
			for _, d := range at.details {
				out[d.field] = true
			}
			at.below(func(d *detail) { out[d.field] = true })
		}
	}
	return out
}

// detail tells what a request changed of details.
func (b *builder) detail(r *record, before *before) {
	c := b.change
	if c == nil {
		return
	}
	was, known := map[string]bool{}, false
	number, err := strconv.ParseUint(c.now.version, 10, 63)
	if err == nil && c.now.uid != "" && r.outcome() == "success" && r.answered() {
		uid := "details of " + c.now.uid
		var words []string
		words, known = before.of(uid, number)
		for _, w := range words {
			was[w] = true
		}
		facts := make([]string, 0, len(c.now.facts))
		for i := range c.now.facts {
			facts = append(facts, c.now.facts[i].words())
		}
		before.note(uid, number, facts, len(facts) > 0)
	}
	b.tellDetails(r, c, was, known)
}

func (b *builder) tellDetails(r *record, c *change, was map[string]bool, known bool) {
	told, have := map[string][]string{}, map[string]bool{}
	for i := range c.now.facts {
		f := &c.now.facts[i]
		if have[f.of.field] = true; f.value == "" {
			continue
		}
		creates := r.verb == "create"
		switch {
		case f.of.always:
		case c.asked != nil && !c.asked[f.where()], known && was[f.words()],
			f.of.onlyKnown && !known, f.of.compared && !known && c.asked == nil && !creates:
			continue
		}
		told[f.of.field] = append(told[f.of.field], f.value)
	}
	c.root.below(func(d *detail) {
		if d.none == "" || have[d.field] || r.verb == "create" {
			return
		}
		for w := range was {
			if strings.HasPrefix(w, d.field+"\x00") {
				told[d.field] = []string{d.none}
			}
		}
		if c.gone[d.field] {
			told[d.field] = []string{d.none}
		}
	})
	for field, values := range told {
		slices.Sort(values)
		b.set(field, slices.Compact(values)...)
	}
	if len(told) > 0 && !known && c.asked == nil && r.verb != "create" && b.Fields["change.unknown"] == nil {
		b.set("change.unknown", "how it was before is not known, so all that the request states counts")
	}
}
