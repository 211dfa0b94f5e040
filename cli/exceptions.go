package cli

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/breakwater-sec/breakwater/datadir"
	"github.com/breakwater-sec/breakwater/exception"
	"github.com/breakwater-sec/breakwater/report/scan"
	"github.com/breakwater-sec/breakwater/terminal"
)

// accepting is the file of what people decided to live with.
type accepting struct {
	file string
	dry  bool
}

// whatIsAccepted is what help says of --exceptions.
const whatIsAccepted = `

With --exceptions, vulnerabilities that people decided to live with are marked with the reason,
who says so and until when. They stay in every answer; --fail-on and --fail-on-unknown do not
count them. One that has ended counts again, and that is told; so is one that nothing in the
images fits. The file is a list:

  exceptions:
    - vulnerability: CVE-2022-3602        # one or a list of each
      package: [openssl, libssl3@3.0.2]
      repository: registry.example/shop/*   # * stands for anything but a slash, ** for anything
      reason: the certificates come from our own authority
      author: alice
      expires: 2027-01-31                  # the last day

What is named of vulnerability, package, image, repository, digest, path (of all files of the package)
and unfixed: true (while there is no fix) must all hold, names as answers write them. An image that
is in several repositories is accepted if it is in each.`

func (a *accepting) flags(f *pflag.FlagSet) {
	f.StringVar(&a.file, "exceptions", "", "a YAML file of vulnerabilities that people decided to live with")
	f.BoolVar(&a.dry, "dry-run", false, "with --exceptions: tell what would be excepted, and except nothing")
}

// mark marks what is accepted in the reports, or tells what would be, and says what is wrong with the file's exceptions.
func (a accepting) mark(s streams, all []scan.Report, now time.Time) error {
	if a.file == "" {
		if a.dry {
			return errors.New("--dry-run needs --exceptions FILE")
		}
		return nil
	}
	set, err := exception.Load(a.file)
	if err != nil {
		return err
	}
	tally := exception.NewTally(set, now)
	for i := range all {
		all[i].Except(tally, all[i].Where())
	}
	printCounts(s, tally.Counts())
	if !a.dry {
		return nil
	}
	if err := printExcepted(s, all); err != nil {
		return err
	}
	for _, r := range all {
		for i := range r.Vulnerabilities {
			r.Vulnerabilities[i].Exception = nil
		}
	}
	return nil
}

// printCounts says which exceptions do not do what their authors think.
func printCounts(s streams, counts []exception.Count) {
	for _, c := range counts {
		text := ""
		switch {
		case c.Expired && c.Findings > 0:
			text = fmt.Sprintf("ended with %s: what it excepted counts again (%s)", c.Expires, terminal.Count(c.Findings, "finding"))
		case c.Expired:
			text = "ended with " + c.Expires + ", and fits nothing that was found: it can go"
		case c.Findings == 0:
			text = "fits nothing that was found"
		default:
			continue
		}
		fmt.Fprintf(s.err, "breakwater: exception %s %s\n", terminal.Plain(c.Where), text)
	}
}

// printExcepted tells what would be excepted.
func printExcepted(s streams, all []scan.Report) error {
	t := newTable(s.out, "EXCEPTION", "UNTIL", "SEVERITY", "ID", "PACKAGE", "INSTALLED", "IMAGE", "REASON")
	n := 0
	for _, r := range all {
		for _, v := range r.Vulnerabilities {
			if !v.Exception.Counts() {
				n++
				t.row(v.Exception.Where, v.Exception.Until, v.Severity, v.ID, v.Package, v.Version, r.Image.Reference, v.Exception.Reason)
			}
		}
	}
	if err := t.flush(); err != nil {
		return err
	}
	fmt.Fprintln(s.out, "Would be excepted: "+strconv.Itoa(n))
	return nil
}

func exceptionsCommand(s streams) *cobra.Command {
	var data, try string
	var f format
	c := &cobra.Command{
		Use:   "exceptions",
		Short: "Vulnerabilities that people accepted, and for what of a server's estate that holds",
		Long: `Vulnerabilities that people accepted, as the running server was given them (serve
--exceptions FILE), and for how much of what it found each holds: an exception that has
ended counts again, one that fits nothing can go or has a mistake in it.

With --try FILE it is told what that file would hold for; nothing changes. scan image
--help says what is in such a file.`,
		Example: "  breakwater exceptions --try exceptions.yaml",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			var body any
			path := "/exceptions"
			if try != "" {
				text, err := os.ReadFile(try)
				if err != nil {
					return err
				}
				path, body = "/exceptions/trial", map[string]string{"text": string(text)}
			}
			cl, err := dial(s.err, datadir.Dir(data))
			if err != nil {
				return err
			}
			var list exceptionList
			if err := cl.ask(c.Context(), path, body, &list); err != nil {
				return err
			}
			return list.print(s, f)
		},
	}
	c.Flags().StringVar(&try, "try", "", "tell what this file would hold for, and change nothing")
	dataFlag(c, &data)
	output(c, &f, "table", "json", "jsonl")
	return c
}

// exceptionList is what a server says of its exceptions.
type exceptionList struct {
	Items []exceptionRow `json:"items"`
	Error string         `json:"error,omitempty"`
}

type exceptionRow struct {
	Where         string   `json:"where"`
	Reason        string   `json:"reason"`
	Author        string   `json:"author"`
	Until         string   `json:"until"`
	Expired       bool     `json:"expired"`
	Unfixed       bool     `json:"unfixed"`
	Findings      int      `json:"findings"`
	Images        int      `json:"images"`
	Vulnerability []string `json:"vulnerability"`
	Package       []string `json:"package"`
	Image         []string `json:"image"`
	Repository    []string `json:"repository"`
	Digest        []string `json:"digest"`
	Path          []string `json:"path"`
}

// stands is how it stands, in a word or two.
func (r exceptionRow) stands() string {
	switch {
	case r.Expired && r.Findings > 0:
		return "ended: counts again"
	case r.Expired:
		return "ended"
	case r.Findings == 0:
		return "fits nothing"
	}
	return "holds"
}

// of is what it names.
func (r exceptionRow) of() string {
	var out []string
	for _, values := range [][]string{r.Vulnerability, r.Package, r.Image, r.Repository, r.Digest, r.Path} {
		if len(values) > 0 {
			out = append(out, strings.Join(values, " or "))
		}
	}
	if r.Unfixed {
		out = append(out, "unfixed")
	}
	return strings.Join(out, ", ")
}

func (l exceptionList) print(s streams, f format) error {
	switch f {
	case "json":
		return writeJSON(s.out, l)
	case "jsonl":
		return writeLines(s.out, l.Items)
	}
	t := newTable(s.out, "WHERE", "STANDS", "UNTIL", "FINDINGS", "IMAGES", "OF", "AUTHOR", "REASON")
	for _, r := range l.Items {
		t.row(r.Where, r.stands(), r.Until, strconv.Itoa(r.Findings), strconv.Itoa(r.Images), r.of(), r.Author, r.Reason)
	}
	if err := t.flush(); err != nil {
		return err
	}
	if l.Error != "" {
		fmt.Fprintf(s.err, "breakwater: the file cannot be read now, and counts as it was: %s\n", terminal.Plain(l.Error))
	}
	return nil
}
