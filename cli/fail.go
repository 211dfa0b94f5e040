package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/breakwater-sec/breakwater/severity"
)

// failing is when a command that worked exits with 1: for findings, and for what is
// not known. Without a flag neither does.
type failing struct {
	on      string
	unknown bool
	// warns says that 0 is never told of what is not known without a warning: also where nobody asked for an exit code.
	warns bool
}

var (
	errFindings = errors.New("findings at or above the level of --fail-on")
	errSecrets  = errors.New("secrets in an image, and --fail-on-secrets counts them")
	errUnknown  = errors.New("something could not be seen or judged, and --fail-on-unknown counts that")
)

// unknownCounts is what help says of --fail-on-unknown.
const unknownCounts = `

What could not be seen or judged (each gap that is told, a severity that nobody rated)
is never a finding for --fail-on. With --fail-on-unknown it is one: then 0 means that
everything was looked into and nothing was found. Without it, a 0 in spite of something unknown comes
with a warning on the standard error.`

func (f *failing) flags(c *cobra.Command, words []string, what string) {
	c.Flags().Var(&choice{&f.on, words}, "fail-on", "exit with 1 if "+what+": "+strings.Join(words, ", "))
	c.Flags().BoolVar(&f.unknown, "fail-on-unknown", false, "exit with 1 also if something could not be seen or judged")
	c.Long = cmp.Or(c.Long, c.Short+".") + unknownCounts
}

// decide is the error that says so; findings come before what is unknown. That a 0 says less than it seems to is said.
func (f failing) decide(said io.Writer, unknown bool, severities ...string) error {
	for _, s := range severities {
		if f.on != "" && severity.Compare(s, f.on) >= 0 {
			return errFindings
		}
		unknown = unknown || severity.Rank(s) <= severity.Rank(string(severity.Unknown))
	}
	switch {
	case !unknown:
	case f.unknown:
		return errUnknown
	case f.on != "" || f.warns:
		fmt.Fprintln(said, "breakwater: warning: something could not be seen or judged, so that the exit code 0 does not mean that nothing "+
			"is there; --fail-on-unknown counts it")
	}
	return nil
}
