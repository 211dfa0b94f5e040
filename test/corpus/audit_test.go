package corpus

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/detect/builtin"
	"github.com/breakwater-sec/breakwater/event/audit"
)

// scoring runs the built-in rules on one file, as a fresh log each time.
type scoring struct {
	rules *detect.Rules
	// of are the rules that stand for a behaviour; detections.csv keeps them.
	of map[string][]string
}

func newScoring(t *testing.T) *scoring {
	t.Helper()
	rules, err := builtin.Load()
	if err != nil {
		t.Fatal(err)
	}
	of := map[string][]string{}
	for _, row := range table(t, "detections.csv") {
		of[row["behaviour"]] = strings.Fields(row["rules"])
	}
	return &scoring{rules, of}
}

// fired are the rules that fire on a file.
func (d *scoring) fired(file string) (out []string, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	events, err := (&audit.Decoder{Cluster: "corpus"}).All(f)
	if err != nil {
		return nil, err
	}
	if len(events) == 0 {
		return nil, errors.New("no events")
	}
	for _, a := range detect.New(d.rules, nil, detect.Options{}).Feed(events) {
		out = append(out, a.Rule)
	}
	return out, nil
}

func oneOf(fired, wanted []string) bool {
	return slices.ContainsFunc(wanted, func(w string) bool { return slices.Contains(fired, w) })
}

// score counts one labelled file.
func (d *scoring) score(t *testing.T, c *tally, name, file, behaviour string, want bool) {
	t.Helper()
	fired, err := d.fired(file)
	got := oneOf(fired, d.of[behaviour])
	if err != nil {
		t.Logf("cannot read %s: %v", name, err)
	}
	c.count(t, name+" ("+behaviour+")", got, want)
}

func report(t *testing.T, corpus string, c tally, mapped, all int) {
	t.Helper()
	fmt.Printf(
		`{"corpus":%q,"precision":%.3f,"recall":%.3f,"hit":%d,"wrong":%d,"missed":%d,"mapped":%d,"cases":%d}`+"\n",
		corpus,
		c.precision(),
		c.recall(),
		c.hit,
		c.wrong,
		c.missed,
		mapped,
		all,
	)
}

// TestCorpusAuditPanther scores labelled single events; those in the envelopes of
// managed clouds are not read yet.
func TestCorpusAuditPanther(t *testing.T) {
	dir, d := folder(t, "audit-panther"), newScoring(t)
	var c tally
	mapped, all := 0, 0
	for _, row := range table(t, filepath.Join(dir, "expected.csv")) {
		if all++; row["audit_event"] == "" || d.of[row["behaviour"]] == nil {
			continue
		}
		mapped++
		d.score(t, &c, row["case_id"]+": "+row["test"], filepath.Join(dir, row["audit_event"]), row["behaviour"], row["expected"] == "true")
	}
	report(t, "audit-panther", c, mapped, all)
}

// TestCorpusAuditFalco scores Falco's own test events. A file on which nothing
// should fire forbids every rule; lists of exceptions are not ours.
func TestCorpusAuditFalco(t *testing.T) {
	dir, d := folder(t, "audit-falco"), newScoring(t)
	var c tally
	mapped, all := 0, 0
	for _, row := range table(t, filepath.Join(dir, "expected.csv")) {
		all++
		file := filepath.Join(dir, row["event_file"])
		switch {
		case row["overrides"] != "":
		case row["detect"] == "False":
			mapped++
			if fired, err := d.fired(file); len(fired) > 0 || err != nil {
				c.wrong++
				t.Logf("%s: fires %v, error %v", row["case_id"], fired, err)
			}
		case d.of[row["behaviours"]] != nil:
			mapped++
			d.score(t, &c, row["case_id"], file, row["behaviours"], true)
		}
	}
	report(t, "audit-falco", c, mapped, all)
}

// TestCorpusAuditStratus says which of Stratus' techniques a mapped behaviour
// covers, and runs the sample events there are.
func TestCorpusAuditStratus(t *testing.T) {
	dir, d := folder(t, "audit-stratus"), newScoring(t)
	behaviours := map[string]string{}
	for _, row := range table(t, filepath.Join(folder(t, "audit-behaviours"), "mapping.csv")) {
		if row["source"] == "stratus" {
			behaviours[row["rule_id"]] = row["behaviour"]
		}
	}
	covered, all := 0, 0
	for _, row := range table(t, filepath.Join(dir, "techniques.csv")) {
		all++
		behaviour := behaviours[row["technique"]]
		if d.of[behaviour] == nil {
			t.Logf("not covered: %s (%s)", row["technique"], behaviour)
			continue
		}
		covered++
		for file := range strings.SplitSeq(row["event_files"], ";") {
			if file == "" {
				continue
			}
			fired, err := d.fired(filepath.Join(dir, file))
			t.Logf("%s: fires %v, error %v", file, fired, err)
		}
	}
	fmt.Printf(`{"corpus":"audit-stratus","covered":%d,"techniques":%d}`+"\n", covered, all)
}
