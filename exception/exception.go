// Package exception is vulnerabilities that people decided to live with for a time: which, where, why, who says so and until
// when. It reads them from a file that is kept with the code, or takes them one by one, and says of a finding whether one holds for it.
//
// An exception changes what counts and never what is so: who asks it gets the finding back with the exception beside it. It
// knows no graph and no advisory.
package exception

import (
	"fmt"
	"time"

	"github.com/breakwater-sec/breakwater/strictyaml"
)

// Exception is one paragraph of the file, or what somebody wrote in the portal. What it names must all hold; of several values of one name, one.
type Exception struct {
	Vulnerability strictyaml.Texts `yaml:"vulnerability" json:"vulnerability,omitempty"`
	Package       strictyaml.Texts `yaml:"package" json:"package,omitempty"`
	Image         strictyaml.Texts `yaml:"image" json:"image,omitempty"`
	Repository    strictyaml.Texts `yaml:"repository" json:"repository,omitempty"`
	Digest        strictyaml.Texts `yaml:"digest" json:"digest,omitempty"`
	Path          strictyaml.Texts `yaml:"path" json:"path,omitempty"`
	// Unfixed holds while there is no version without the vulnerability.
	Unfixed bool   `yaml:"unfixed" json:"unfixed,omitempty"`
	Reason  string `yaml:"reason" json:"reason"`
	Author  string `yaml:"author" json:"author"`
	// Expires is its last day, in UTC.
	Expires string `yaml:"expires" json:"expires"`

	// Where says where it is written, and is of this one alone: FILE:LINE, or portal:ID.
	Where string `yaml:"-" json:"where"`
	ends  time.Time
	tests tests
}

// Applied is the exception that holds for a finding, as answers tell it.
type Applied struct {
	Reason string `json:"reason"`
	Author string `json:"author"`
	// Until is the last day on which it holds.
	Until string `json:"until"`
	// Expired says that this day is over: the finding counts again.
	Expired bool   `json:"expired"`
	Where   string `json:"where"`
}

// Counts says whether a finding with that exception counts; nil is none.
func (a *Applied) Counts() bool { return a == nil || a.Expired }

// String is a sentence for people, empty for none.
func (a *Applied) String() string {
	switch {
	case a == nil:
		return ""
	case a.Expired:
		return fmt.Sprintf("The exception of %s ended with %s and no longer counts: %s (%s)", a.Author, a.Until, a.Reason, a.Where)
	}
	return fmt.Sprintf("Accepted until %s by %s: %s (%s)", a.Until, a.Author, a.Reason, a.Where)
}

// applied is the exception as it stands at a time.
func (e *Exception) applied(now time.Time) *Applied {
	return &Applied{Reason: e.Reason, Author: e.Author, Until: e.Expires, Expired: e.Expired(now), Where: e.Where}
}

// Expired says that its last day is over.
func (e *Exception) Expired(now time.Time) bool { return !now.Before(e.ends) }

// Set is exceptions in an order, such as that of a file. The nil Set has none.
type Set struct {
	all []*Exception
	// named are the exceptions that name vulnerabilities, by those; others are the rest.
	named  map[string][]int
	others []int
}

// Portal is where an exception is written that was made in the portal or by command.
func Portal(id string) string { return "portal:" + id }

// SetOf is exceptions that Read or New made.
func SetOf(all ...*Exception) *Set {
	s := &Set{all: all, named: map[string][]int{}}
	for i, e := range all {
		for _, id := range e.tests.ids {
			s.named[id] = append(s.named[id], i)
		}
		if len(e.tests.ids) == 0 {
			s.others = append(s.others, i)
		}
	}
	return s
}

// Join is the exceptions of several sets, one set after the other.
func Join(sets ...*Set) *Set {
	var all []*Exception
	for _, s := range sets {
		all = append(all, s.All()...)
	}
	return SetOf(all...)
}

// All are the exceptions, in their order.
func (s *Set) All() []*Exception {
	if s == nil {
		return nil
	}
	return s.all
}

// Find is the exception for a finding in an image: the first that holds at that time, or else the first that did before.
// It is nil, and at -1, if there is none.
func (s *Set) Find(i Image, f Finding, now time.Time) (*Applied, int) {
	if s == nil {
		return nil, -1
	}
	over := -1
	for n := range s.about(f) {
		e := s.all[n]
		switch {
		case e.Expired(now) && over >= 0 || !e.tests.hold(i, f):
		case e.Expired(now):
			over = n
		default:
			return e.applied(now), n
		}
	}
	if over < 0 {
		return nil, -1
	}
	return s.all[over].applied(now), over
}
