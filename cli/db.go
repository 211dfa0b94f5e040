package cli

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/breakwater-sec/breakwater/datadir"
	"github.com/breakwater-sec/breakwater/terminal"
	"github.com/breakwater-sec/breakwater/vuln"
)

func dbCommand(s streams) *cobra.Command {
	c := &cobra.Command{
		Use:   "db",
		Short: "The advisory database: fetch or import OSV records, see what is in it",
	}
	c.AddCommand(dbUpdateCommand(s), dbImportCommand(s), dbExportCommand(s), dbStatusCommand(s), dbRestoreCommand(), dbForgetCommand())
	return c
}

func dbImportCommand(s streams) *cobra.Command {
	var data string
	var trusted []string
	var older bool
	c := &cobra.Command{
		Use:         "import PATH…",
		Annotations: map[string]string{endsItself: "yes"},
		Short:       "Import advisories: folders, zip or tar.gz archives of OSV records, CISA's KEV list (JSON), EPSS scores (CSV)",
		Long: `Import advisories: folders, zip or tar.gz archives of OSV records, CISA's list of
known exploited vulnerabilities (JSON) and EPSS scores (CSV); what OSV lacks as it is
published: updateinfo.xml (Amazon Linux, Oracle Linux, Fedora), Oracle's OVAL, Photon's
list of CVEs, Red Hat's VEX (CSAF, tar.zst); VEX documents (OpenVEX, CycloneDX).

Each PATH is a source; importing it again replaces what it brought before, and a
source that did not change is not read again. A running server takes the new
advisories without a restart.

A file that breakwater db export wrote brings the sources of another database; it
counts only where --trust names the key that signed it, and where it is not older than what is in force.`,
		Example: "  breakwater db import all.zip known_exploited_vulnerabilities.json epss_scores-current.csv.gz\n" +
			"  breakwater db import --trust KEY advisories.bundle",
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, paths []string) error {
			status, err := importPaths(c.Context(), datadir.Dir(data).Advisories(), paths, trusted, older, importProgress(s.err))
			if len(status.Sources) > 0 {
				printStatus(s.out, status)
			}
			return recordedIn(c.Context(), datadir.Dir(data), "import advisories", strings.Join(paths, " "), err)
		},
	}
	dataFlag(c, &data)
	c.Flags().StringArrayVar(&trusted, "trust", nil, "a public key that breakwater db export printed, or a file with it; may repeat")
	c.Flags().BoolVar(&older, "anyway", false, "take a file of breakwater db export also where it is older than what is in force")
	return c
}

// importProgress draws one line per source: over itself on a terminal, only at
// the end of each source elsewhere.
func importProgress(w io.Writer) func(vuln.Progress) {
	draws := isTerminal(w)
	return func(p vuln.Progress) {
		line := fmt.Sprintf("[%d/%d] %s: %d records, %d skipped", p.Number, p.Of, terminal.Plain(p.Source), p.Status.Records,
			p.Status.SkippedCount)
		switch {
		case p.Done && p.Unchanged:
			fmt.Fprintf(w, "%s (unchanged)\n", line)
		case p.Done:
			fmt.Fprintln(w, line)
		case draws:
			fmt.Fprintf(w, "%s\x1b[K\r", line)
		}
	}
}

func dbStatusCommand(s streams) *cobra.Command {
	var data string
	var f format
	c := &cobra.Command{
		Use:   "status",
		Short: "What the advisory database holds and what it could not read",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			db, err := vuln.Open(datadir.Dir(data).Advisories())
			if err != nil {
				return err
			}
			defer db.Close()
			if f == "json" {
				return writeJSON(s.out, db.Status())
			}
			printStatus(s.out, db.Status())
			return nil
		},
	}
	dataFlag(c, &data)
	output(c, &f, "table", "json")
	return c
}

func dbForgetCommand() *cobra.Command {
	var data string
	c := &cobra.Command{
		Use:   "forget NAME…",
		Short: "Remove sources from the advisory database",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, names []string) error {
			var errs []error
			for _, n := range names {
				errs = append(errs, vuln.Forget(datadir.Dir(data).Advisories(), n))
			}
			return recordedIn(c.Context(), datadir.Dir(data), "forget advisories", strings.Join(names, " "), errors.Join(errs...))
		},
	}
	dataFlag(c, &data)
	return c
}

func printStatus(w io.Writer, st vuln.Status) {
	if len(st.Sources) == 0 {
		fmt.Fprintln(w, "No advisories: fetch them with breakwater db update, or import files with breakwater db import PATH…")
		return
	}
	fmt.Fprintf(w, "%d advisories, newest of %s; %s; known exploited: %s; EPSS: %s\n\n", st.Records, day(st.Newest), size(st.Bytes),
		yes(st.HasKEV), yes(st.HasEPSS))
	t := newTable(w, "SOURCE", "RECORDS", "WITHDRAWN", "SKIPPED", "NEWEST", "IMPORTED")
	for _, src := range st.Sources {
		t.row(
			src.Name,
			strconv.Itoa(src.Records+src.KEV+src.EPSS),
			strconv.Itoa(src.Withdrawn),
			strconv.Itoa(src.SkippedCount),
			day(src.Newest),
			src.ImportedAt.Local().Format("2006-01-02 15:04"),
		)
	}
	_ = t.flush() // a broken pipe shows in the next write
	fmt.Fprintln(w)
	t = newTable(w, "ECOSYSTEM", "STATEMENTS")
	for _, e := range slices.Sorted(maps.Keys(st.Ecosystems)) {
		t.row(e, strconv.Itoa(st.Ecosystems[e]))
	}
	_ = t.flush()
	printGaps(w, st.Gaps)
}

func day(t time.Time) string {
	if t.IsZero() {
		return "unknown"
	}
	return t.Format(time.DateOnly)
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func size(n int64) string {
	for _, unit := range []string{"B", "KiB", "MiB", "GiB"} {
		if n < 1024 || unit == "GiB" {
			return fmt.Sprintf("%d %s", n, unit)
		}
		n /= 1024
	}
	return ""
}
