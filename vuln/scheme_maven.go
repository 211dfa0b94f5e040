package vuln

import (
	"cmp"
	"slices"
	"strings"
)

// mavenKind is a kind of item of Maven's versions, in their order: 1.word < 1-1 < 1.1.
type mavenKind int

const (
	mavenWord mavenKind = iota
	mavenList
	mavenNumber
)

// mavenItem is a number, a word, or a list of items, which begins at a dash or where digits and letters meet.
type mavenItem struct {
	kind mavenKind
	text string
	list []*mavenItem
}

// mavenScheme is the order of Maven 3.8.7 to 3.9; Maven 4 has another for some words that hardly anybody writes.
var mavenScheme = &scheme[*mavenItem]{read: readMaven, order: (*mavenItem).order}

// mavenQualifiers are the words with a place of their own, in their order; the empty one is a release.
var mavenQualifiers = []string{"alpha", "beta", "milestone", "rc", "snapshot", "", "sp"}

// mavenReader reads a version from left to right.
type mavenReader struct {
	text   string
	at     int // where the item at hand begins
	digits bool
	lists  []*mavenItem // each in the one before it
}

func readMaven(text string) *mavenItem {
	r := &mavenReader{text: strings.ToLower(text)}
	r.nest()
	for i := range len(r.text) {
		r.step(i)
	}
	if r.at < len(r.text) {
		if !r.digits {
			r.nestFilled()
		}
		r.add(r.item(r.text[r.at:]))
	}
	for _, l := range slices.Backward(r.lists) {
		l.normalise()
	}
	return r.lists[0]
}

func (r *mavenReader) current() *mavenItem { return r.lists[len(r.lists)-1] }

func (r *mavenReader) add(item *mavenItem) { r.current().list = append(r.current().list, item) }

// nest begins a list inside the current one.
func (r *mavenReader) nest() {
	inner := &mavenItem{kind: mavenList}
	if len(r.lists) > 0 {
		r.add(inner)
	}
	r.lists = append(r.lists, inner)
}

// nestFilled begins a list for a word: .x is -x.
func (r *mavenReader) nestFilled() {
	if len(r.current().list) > 0 {
		r.nest()
	}
}

// step takes one character.
func (r *mavenReader) step(i int) {
	switch c := r.text[i]; {
	case c == '.', c == '-':
		r.add(r.item(r.text[r.at:i]))
		r.at = i + 1
		if c == '-' {
			r.nest()
		}
	case '0' <= c && c <= '9':
		if !r.digits && i > r.at {
			r.nestFilled()
			r.add(&mavenItem{text: qualifier(r.text[r.at:i], true)})
			r.at = i
			r.nest()
		}
		r.digits = true
	default:
		if r.digits && i > r.at {
			r.add(r.item(r.text[r.at:i]))
			r.at = i
			r.nest()
		}
		r.digits = false
	}
}

// item is what a part says; nothing between two separators is 0.
func (r *mavenReader) item(text string) *mavenItem {
	switch {
	case text == "":
		return &mavenItem{kind: mavenNumber, text: "0"}
	case r.digits:
		return &mavenItem{kind: mavenNumber, text: text}
	}
	return &mavenItem{text: qualifier(text, false)}
}

// qualifier is a word without its short forms; a, b and m are short before a number alone.
func qualifier(word string, numbered bool) string {
	switch word {
	case "ga", "final", "release":
		return ""
	case "cr":
		return "rc"
	case "a", "b", "m":
		if numbered {
			return map[string]string{"a": "alpha", "b": "beta", "m": "milestone"}[word]
		}
	}
	return word
}

// normalise takes out what says nothing at the end of a list, also before lists at its end. Where that is the word before a
// list, the list takes its place: Maven's documents have 1-ga-1 = 1-1, which its program does not.
func (m *mavenItem) normalise() {
	word := len(m.list) > 0 && m.list[0].kind == mavenWord
	m.trim()
	if word && len(m.list) == 1 && m.list[0].kind == mavenList {
		m.list = m.list[0].list
	}
}

func (m *mavenItem) trim() {
	for i := len(m.list) - 1; i >= 0; i-- {
		switch {
		case m.list[i].nothing():
			m.list = slices.Delete(m.list, i, i+1)
		case m.list[i].kind != mavenList:
			return
		}
	}
}

// nothing says that the item is as if it were not there.
func (m *mavenItem) nothing() bool {
	switch m.kind {
	case mavenNumber:
		return strings.Trim(m.text, "0") == ""
	case mavenWord:
		return m.text == ""
	}
	return len(m.list) == 0
}

// order compares two items; nil is none, and one of the two is there.
func (m *mavenItem) order(n *mavenItem) int {
	switch {
	case m == nil:
		return -n.beside()
	case n == nil:
		return m.beside()
	case m.kind != n.kind:
		return cmp.Compare(m.kind, n.kind)
	case m.kind == mavenNumber:
		return compareNumbers(m.text, n.text)
	case m.kind == mavenWord:
		return compareQualifiers(m.text, n.text)
	}
	for i := range max(len(m.list), len(n.list)) {
		if order := m.at(i).order(n.at(i)); order != 0 {
			return order
		}
	}
	return 0
}

// at is an item of a list, nil beyond its end.
func (m *mavenItem) at(i int) *mavenItem {
	if i < len(m.list) {
		return m.list[i]
	}
	return nil
}

// beside compares an item with none: 1-rc < 1 < 1-1.
func (m *mavenItem) beside() int {
	switch m.kind {
	case mavenNumber:
		return compareNumbers(m.text, "0")
	case mavenWord:
		return compareQualifiers(m.text, "")
	}
	for _, each := range m.list {
		if order := each.beside(); order != 0 {
			return order
		}
	}
	return 0
}

// compareQualifiers puts words that nobody knows behind those with a place.
func compareQualifiers(a, b string) int {
	place := func(word string) int {
		if i := slices.Index(mavenQualifiers, word); i >= 0 {
			return i
		}
		return len(mavenQualifiers)
	}
	if x, y := place(a), place(b); x != y {
		return cmp.Compare(x, y)
	}
	return strings.Compare(a, b)
}
