package image

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
)

var errNothingThere = errors.New("it is a link to nothing, or no file")

// outcome is what became of one entry of a package database: a package, perhaps with
// faults, one that is not there any more, or a reason why it is none. What reads an
// entry returns one, and count alone counts, so that none is dropped without a word.
type outcome struct {
	of     Package
	gone   bool
	faults []string
}

// installed is the outcome of a package that is there, as far as it can be read.
func installed(p Package, faults []string) outcome { return outcome{of: p, faults: faults} }

// notInstalled is the outcome of a package that is listed, and no file of it is there.
func notInstalled() outcome { return outcome{gone: true} }

// lost is the outcome of what cannot be read.
func lost(name, why string) outcome {
	return outcome{of: Package{Name: name}, faults: []string{why}}
}

// listing is what came of the entries of a package database.
type listing struct {
	packages []Package
	unreadable
}

func (l *listing) count(o outcome) {
	if !o.gone && l.entry(o.of.Name, o.of.Version, o.faults) {
		l.packages = append(l.packages, o.of)
	}
}

// unreadable counts what in a package database could not be read.
type unreadable struct {
	lost, faulty int
	which        []string // the first few, in words
}

// entry says whether an entry can be listed, which takes a name and a version, and
// remembers its faults.
func (u *unreadable) entry(name, version string, faults []string) bool {
	listed := name != "" && version != ""
	switch {
	case !listed && len(faults) == 0:
		faults = []string{"it has no name or no version"}
		fallthrough
	case !listed:
		u.lost++
	case len(faults) > 0:
		u.faulty++
	default:
		return true
	}
	if len(u.which) < 3 {
		u.which = append(u.which, cmp.Or(oneLine(name, 60), "an entry without a name")+": "+strings.Join(faults, ", "))
	}
	return listed
}

// error says how many entries that concerns, nil for none.
func (u *unreadable) error() error {
	if u.lost+u.faulty == 0 {
		return nil
	}
	var parts []string
	if u.lost > 0 {
		parts = append(parts, fmt.Sprintf("%d of its packages cannot be read", u.lost))
	}
	if u.faulty > 0 {
		parts = append(parts, fmt.Sprintf("%d of its packages can be read in part only", u.faulty))
	}
	return errors.New(strings.Join(parts, ", ") + " (" + strings.Join(u.which, "; ") + ")")
}
