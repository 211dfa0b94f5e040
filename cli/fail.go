package cli

import (
	"cmp"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/breakwater-sec/breakwater/severity"
)

// failing is when a command that worked exits with 1: for findings, and for what is
// not known. Without a flag neither does.
type failing struct {
	on      string
	unknown bool
}

var (
	errFindings = errors.New("findings at or above the level of --fail-on")
	errUnknown  = errors.New("something could not be seen or judged, and --fail-on-unknown counts that")
)

// unknownCounts is what help says of --fail-on-unknown.
const unknownCounts = `

What could not be seen or judged (each gap that is told, a severity that nobody rated)
is never a finding for --fail-on. With --fail-on-unknown it is one: then 0 means that
everything was looked into and nothing was found.`

func (f *failing) flags(c *cobra.Command, words []string, what string) {
	c.Flags().Var(&choice{&f.on, words}, "fail-on", "exit with 1 if "+what+": "+strings.Join(words, ", "))
	c.Flags().BoolVar(&f.unknown, "fail-on-unknown", false, "exit with 1 also if something could not be seen or judged")
	c.Long = cmp.Or(c.Long, c.Short+".") + unknownCounts
}

// decide is the error that says so; findings come before what is unknown.
func (f failing) decide(unknown bool, severities ...string) error {
	for _, s := range severities {
		if f.on != "" && severity.Compare(s, f.on) >= 0 {
			return errFindings
		}
		unknown = unknown || severity.Rank(s) <= severity.Rank(string(severity.Unknown))
	}
	if f.unknown && unknown {
		return errUnknown
	}
	return nil
}
