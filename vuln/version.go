package vuln

import (
	"cmp"
	"slices"

	"github.com/google/osv-scalibr/semantic"
)

// verdict is what one entry says about one version.
type verdict struct {
	affected bool
	// fixed is the first later version that is not affected, if the entry names one.
	fixed string
	// why is the range that the version is in.
	why string
	// unread counts events whose version could not be compared.
	unread int
}

// judge applies an entry to a version, as OSV's standard prescribes: affected if
// enumerated, or if inside any range.
func (e *entry) judge(familyName, text string, v semantic.Version) verdict {
	out := verdict{affected: slices.Contains(e.Versions, text)}
	if out.affected {
		out.why = "version " + text + " is listed"
	}
	for _, events := range e.Ranges {
		in, unread := inRange(familyName, v, events)
		out.unread += unread
		if in && !out.affected {
			out.why = interval(familyName, v, events)
		}
		out.affected = out.affected || in
	}
	if !out.affected {
		return out
	}
	for _, events := range e.Ranges {
		if next := nextFix(familyName, v, events); out.fixed == "" || next != "" && earlier(familyName, next, out.fixed) {
			out.fixed = next
		}
	}
	return out
}

// interval is the part of a range that an affected version is in, as people write it: ">= 1.0, < 1.2".
func interval(familyName string, v semantic.Version, events []event) string {
	from, to, mark := "", "", ""
	for _, e := range events {
		at, err := parseVersion(familyName, e.version())
		if err != nil || e.Limit != "" {
			continue
		}
		beyond := order(v, at)
		switch {
		case e.Introduced != "" && e.Introduced != "0" && beyond >= 0 && (from == "" || earlier(familyName, from, e.Introduced)):
			from = e.Introduced
		case e.Fixed != "" && beyond < 0 && (to == "" || earlier(familyName, e.Fixed, to)):
			to, mark = e.Fixed, "< "
		case e.LastAffected != "" && beyond <= 0 && (to == "" || earlier(familyName, e.LastAffected, to)):
			to, mark = e.LastAffected, "<= "
		}
	}
	switch {
	case from == "" && to == "":
		return "every version"
	case from == "":
		return clip(mark+to, 256)
	case to == "":
		return clip(">= "+from, 256)
	}
	return clip(">= "+from+", "+mark+to, 256)
}

// step is an event with its version read.
type step struct {
	event
	at semantic.Version // nil is before everything
}

// inRange finds the last event that v has passed, which decides. Events may come
// in any order.
func inRange(familyName string, v semantic.Version, events []event) (affected bool, unread int) {
	var last *step
	limited, belowLimit := false, false
	for _, e := range events {
		if e.Limit != "" {
			limited = true
			belowLimit = belowLimit || e.Limit == "*" || orderText(v, e.Limit) < 0
			continue
		}
		if e.Fixed == "0" { // as Debian's tracker writes: no version was ever affected
			return false, unread
		}
		s := step{event: e}
		if e.Introduced != "0" {
			at, err := parseVersion(familyName, e.version())
			if err != nil {
				unread++
				continue
			}
			s.at = at
		}
		if s.passedBy(v) && (last == nil || s.after(*last)) {
			last = &s
		}
	}
	if last == nil || limited && !belowLimit {
		return false, unread
	}
	return last.Introduced != "", unread
}

// passedBy says that v is at or beyond the event's effect; the last affected
// version itself is still affected.
func (s step) passedBy(v semantic.Version) bool {
	if s.at == nil {
		return true
	}
	order := order(v, s.at)
	return order > 0 || order == 0 && s.LastAffected == ""
}

// after orders events; at the same version a fix comes before an introduction,
// and that before the end of the affected versions.
func (s step) after(t step) bool {
	switch {
	case s.at == nil || t.at == nil:
		return s.at != nil
	default:
		return cmp.Or(order(s.at, t.at), cmp.Compare(s.rank(), t.rank())) > 0
	}
}

func (s step) rank() int {
	switch {
	case s.Fixed != "":
		return 0
	case s.Introduced != "":
		return 1
	default:
		return 2
	}
}

func (e event) version() string { return cmp.Or(e.Introduced, e.Fixed, e.LastAffected) }

// nextFix is the lowest fixed version above v.
func nextFix(familyName string, v semantic.Version, events []event) string {
	best := ""
	for _, e := range events {
		if e.Fixed != "" && orderText(v, e.Fixed) < 0 && (best == "" || earlier(familyName, e.Fixed, best)) {
			best = e.Fixed
		}
	}
	return best
}

// earlier says that a is a lower version than b; unreadable versions are not.
func earlier(familyName, a, b string) bool {
	v, err := parseVersion(familyName, a)
	return err == nil && orderText(v, b) < 0
}

// order compares two versions of one family; what does not compare is equal.
func order(a, b semantic.Version) int {
	n, err := a.Compare(b)
	if err != nil {
		return 0
	}
	return n
}

// orderText compares v with a version in text; what does not compare is equal.
func orderText(v semantic.Version, text string) int {
	n, err := v.CompareStr(text)
	if err != nil {
		return 0
	}
	return n
}

// Compare orders two versions by an ecosystem's rules: negative if a is lower.
func Compare(ecosystem, a, b string) (int, error) {
	familyName := parseEcosystem(ecosystem).Family
	v, err := parseVersion(familyName, a)
	if err != nil {
		return 0, err
	}
	w, err := parseVersion(familyName, b)
	if err != nil {
		return 0, err
	}
	return v.Compare(w)
}
