package cli

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/breakwater-sec/breakwater/test/golden"
)

//go:generate go test -run Reference -update

// TestReferenceOfTheCommandLineIsFresh keeps docs/reference/cli.md as the commands are.
func TestReferenceOfTheCommandLineIsFresh(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", "~/.local/share")
	var b bytes.Buffer
	b.WriteString("# Command line\n\nMade from the commands themselves: `make generate` rewrites it.\n\n" +
		"Exit codes: 0 fine; 1 findings at or above `--fail-on`, or with `--fail-on-unknown` something that could not be seen or judged; " +
		"2 could not do the work.\n")
	describe(&b, newRoot(streams{io.Discard, io.Discard}))
	golden.Compare(t, "../docs/reference/cli.md", b.String())
}

func describe(b *bytes.Buffer, c *cobra.Command) {
	if c.Hidden || c.Name() == "help" || c.Name() == "completion" {
		return
	}
	text := c.Long
	if text == "" {
		text = c.Short + "."
	}
	fmt.Fprintf(b, "\n## %s\n\n%s\n\n```\n%s```\n", c.CommandPath(), text, strings.TrimLeft(c.UsageString(), "\n"))
	for _, sub := range c.Commands() {
		describe(b, sub)
	}
}
