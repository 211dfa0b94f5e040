package image

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
)

var errNothingThere = errors.New("it is a link to nothing, or no file")

// unreadable counts what in a package database could not be read, so that every
// entry is either a package, or not installed, or told.
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
