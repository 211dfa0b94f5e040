package cli

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
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
--exceptions FILE) and as they were made in its portal or by exceptions add, and for how much of
what it found each holds: an exception that has ended counts again, one that fits nothing can go
or has a mistake in it.

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
			list.Findings = nil
			return list.print(s, f)
		},
	}
	c.Flags().StringVar(&try, "try", "", "tell what this file would hold for, and change nothing")
	dataFlag(c, &data)
	output(c, &f, "table", "json", "jsonl")
	c.AddCommand(addExceptionCommand(s), endExceptionCommand(s))
	return c
}

// newException is what the server is asked to accept.
type newException struct {
	Vulnerability []string `json:"vulnerability,omitempty"`
	Package       []string `json:"package,omitempty"`
	Image         []string `json:"image,omitempty"`
	Repository    []string `json:"repository,omitempty"`
	Digest        []string `json:"digest,omitempty"`
	Path          []string `json:"path,omitempty"`
	Unfixed       bool     `json:"unfixed,omitempty"`
	Reason        string   `json:"reason"`
	Expires       string   `json:"expires"`
}

func addExceptionCommand(s streams) *cobra.Command {
	var data string
	var dry bool
	var f format
	var e newException
	c := &cobra.Command{
		Use:   "add",
		Short: "Accept vulnerabilities until a day, in the running server",
		Long: `Accept vulnerabilities until a day, in the running server: they stay in every answer, marked with the
reason, who says so (who runs the command) and until when. What is named must all hold; a flag may
repeat, and of its values one must hold. What they may be is told by scan image --help.

With --dry-run it is told what would be excepted; nothing changes.`,
		Example: `  breakwater exceptions add --vulnerability CVE-2022-3602 --repository 'registry.example/shop/*' --expires 2027-01-31 \
    --reason "the certificates come from our own authority" --dry-run`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cl, err := dial(s.err, datadir.Dir(data))
			if err != nil {
				return err
			}
			if dry {
				var list exceptionList
				if err := cl.ask(c.Context(), "/exceptions/trial", map[string]any{"exception": e}, &list); err != nil {
					return err
				}
				return list.printTried(s, f)
			}
			var made exceptionRow
			if err := cl.ask(c.Context(), "/exceptions", e, &made); err != nil {
				return err
			}
			if f == "json" {
				return writeJSON(s.out, made)
			}
			fmt.Fprintf(s.out, "Accepted until %s as %s: %s\nbreakwater exceptions says for what it holds.\n", made.Until, terminal.Plain(made.ID),
				terminal.Plain(made.of()))
			return nil
		},
	}
	flags := c.Flags()
	flags.StringArrayVar(&e.Vulnerability, "vulnerability", nil, "an id, such as CVE-2022-3602; may repeat, as all that follow")
	flags.StringArrayVar(&e.Package, "package", nil, "a package's name, or NAME@VERSION")
	flags.StringArrayVar(&e.Image, "image", nil, "a reference; * stands for anything but a slash, ** for anything")
	flags.StringArrayVar(&e.Repository, "repository", nil, "HOST/REPOSITORY")
	flags.StringArrayVar(&e.Digest, "digest", nil, "an image's digest")
	flags.StringArrayVar(&e.Path, "path", nil, "where all files of the package are, from the image's root")
	flags.BoolVar(&e.Unfixed, "unfixed", false, "while there is no version without the vulnerability")
	flags.StringVar(&e.Reason, "reason", "", "why they are accepted")
	flags.StringVar(&e.Expires, "expires", "", "the last day on which that holds, as 2027-01-31")
	flags.BoolVar(&dry, "dry-run", false, "tell what would be excepted, and except nothing")
	dataFlag(c, &data)
	output(c, &f, "table", "json")
	return c
}

func endExceptionCommand(s streams) *cobra.Command {
	var data string
	c := &cobra.Command{
		Use:   "end ID",
		Short: "End an exception that was made in the portal or by exceptions add: what it excepted counts again",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			cl, err := dial(s.err, datadir.Dir(data))
			if err != nil {
				return err
			}
			if err := cl.end(c.Context(), "/exceptions/"+url.PathEscape(args[0])); err != nil {
				return err
			}
			fmt.Fprintf(s.out, "%s has ended: what it excepted counts again.\n", terminal.Plain(args[0]))
			return nil
		},
	}
	dataFlag(c, &data)
	return c
}

// exceptionList is what a server says of its exceptions.
type exceptionList struct {
	Items []exceptionRow `json:"items"`
	Error string         `json:"error,omitempty"`
	// Findings are the first that a trial would hold for.
	Findings []triedFinding `json:"findings,omitempty"`
}

type triedFinding struct {
	Vulnerability struct {
		ID string `json:"id"`
	} `json:"vulnerability"`
	Severity  string `json:"severity"`
	Package   string `json:"package"`
	Installed string `json:"installed"`
	Image     struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"image"`
}

type exceptionRow struct {
	Where         string   `json:"where"`
	ID            string   `json:"id,omitempty"`
	Reason        string   `json:"reason"`
	Author        string   `json:"author"`
	CreatedAt     string   `json:"createdAt,omitempty"`
	Until         string   `json:"until"`
	Expired       bool     `json:"expired"`
	EndedAt       string   `json:"endedAt,omitempty"`
	EndedBy       string   `json:"endedBy,omitempty"`
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
	case r.EndedAt != "":
		return "ended by " + r.EndedBy
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

// printTried tells what one exception would hold for.
func (l exceptionList) printTried(s streams, f format) error {
	if f == "json" {
		return writeJSON(s.out, l)
	}
	t := newTable(s.out, "SEVERITY", "ID", "PACKAGE", "INSTALLED", "IMAGE")
	for _, v := range l.Findings {
		t.row(v.Severity, v.Vulnerability.ID, v.Package, v.Installed, cmp.Or(v.Image.Name, v.Image.ID))
	}
	if err := t.flush(); err != nil {
		return err
	}
	for _, r := range l.Items {
		again := ""
		if r.Expired {
			again = "; its last day is over"
		}
		fmt.Fprintf(s.out, "Would be excepted: %s in %s%s\n", terminal.Count(r.Findings, "finding"), terminal.Count(r.Images, "image"), again)
		if r.Findings > len(l.Findings) {
			fmt.Fprintf(s.out, "The first %d are told.\n", len(l.Findings))
		}
	}
	return nil
}
