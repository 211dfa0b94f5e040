package corpus

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/detect/builtin"
	"github.com/breakwater-sec/breakwater/event/audit"
)

// detections runs the built-in rules on one file, as a fresh log each time.
type detections struct {
	rules *detect.Rules
	// of are the rules that stand for a behaviour, why says why none do; detections.csv keeps both.
	of  map[string][]string
	why map[string]string
}

func newDetections(t *testing.T) *detections {
	t.Helper()
	rules, err := builtin.Load()
	if err != nil {
		t.Fatal(err)
	}
	d := &detections{rules, map[string][]string{}, map[string]string{}}
	known := map[string]bool{}
	for _, r := range rules.All() {
		known[r.Header().ID] = true
	}
	for _, row := range table(t, "detections.csv") {
		of := strings.Fields(row["rules"])
		if (len(of) == 0) == (row["reason"] == "") {
			t.Errorf("detections.csv: %s: want rules, or the reason why there are none", row["behaviour"])
		}
		for _, id := range of {
			if !known[id] {
				t.Errorf("detections.csv: %s: no rule is called %s", row["behaviour"], id)
			}
		}
		d.of[row["behaviour"]], d.why[row["behaviour"]] = of, row["reason"]
	}
	return d
}

// none says why no rule stands for a behaviour, or "".
func (d *detections) none(behaviour string) string {
	if len(d.of[behaviour]) > 0 {
		return ""
	}
	return noRule + behaviour + ": " + d.why[behaviour]
}

// fired are the rules that fire on a file.
func (d *detections) fired(file string) (out []string, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	out, _, err = d.firedOn(text)
	return out, err
}

// firedOn are the rules that fire on a log; controllers says that all of it is what controllers carried out.
func (d *detections) firedOn(text []byte) (out []string, controllers bool, err error) {
	events, err := (&audit.Decoder{Cluster: "corpus", Envelopes: true}).All(bytes.NewReader(text))
	if err != nil {
		return nil, false, err
	}
	if len(events) == 0 {
		return nil, false, errors.New("no events")
	}
	controllers = true
	for _, e := range events {
		controllers = controllers && slices.Equal(e.Fields["actor.class"], []string{"controller"})
	}
	for _, a := range detect.New(d.rules, nil, detect.Options{}).Feed(events) {
		out = append(out, a.Rule)
	}
	return out, controllers, nil
}

func oneOf(fired, wanted []string) bool {
	return slices.ContainsFunc(wanted, func(w string) bool { return slices.Contains(fired, w) })
}

// count counts one labelled file.
func (d *detections) count(s *score, name, file, behaviour string, want bool) {
	s.t.Helper()
	fired, err := d.fired(file)
	if err != nil {
		name += fmt.Sprintf(" (%v)", err)
	}
	s.row(name+" ("+behaviour+")", oneOf(fired, d.of[behaviour]), want)
}

const noRule = "no rule of ours stands for the behaviour "

// TestCorpusAuditPanther scores labelled single events, as they are or in the envelope of a managed cloud.
func TestCorpusAuditPanther(t *testing.T) {
	dir, d := folder(t, "audit-panther"), newDetections(t)
	key := table(t, inside(dir, "expected.csv"))
	s := scoring(t, "audit-panther", len(key))
	for _, row := range key {
		name, file := row["case_id"]+": "+row["test"], cmp.Or(row["audit_event"], row["raw_event"])
		switch {
		case row["shape"] == "azure-activity":
			s.leave(name, "what Azure's resource manager did, which no API server's audit log tells")
		case row["shape"] == "other":
			s.leave(name, "no form of an audit log: it tells of no request")
		case d.none(row["behaviour"]) != "":
			s.leave(name, d.none(row["behaviour"]))
		default:
			d.count(s, name, inside(dir, file), row["behaviour"], row["expected"] == "true")
		}
	}
	s.end()
}

// TestCorpusAuditFalco scores Falco's own test events. A file on which nothing
// should fire forbids every rule; lists of exceptions are not ours.
func TestCorpusAuditFalco(t *testing.T) {
	dir, d := folder(t, "audit-falco"), newDetections(t)
	key := table(t, inside(dir, "expected.csv"))
	s := scoring(t, "audit-falco", len(key))
	for _, row := range key {
		file := inside(dir, row["event_file"])
		switch {
		case row["overrides"] != "":
			s.leave(row["case_id"], "the answer rests on a list of exceptions of Falco's")
		case row["detect"] == "False":
			fired, err := d.fired(file)
			s.row(fmt.Sprintf("%s: fires %v, error %v", row["case_id"], fired, err), len(fired) > 0 || err != nil, false)
		case d.none(row["behaviours"]) != "":
			s.leave(row["case_id"], d.none(row["behaviours"]))
		case d.carriedOut(t, file):
			s.leave(row["case_id"], "a controller carries out what somebody asked for: that request is told of, and is not in the file")
		default:
			d.count(s, row["case_id"], file, row["behaviours"], true)
		}
	}
	s.end()
}

// carriedOut says that a file holds only what controllers did.
func (d *detections) carriedOut(t *testing.T, file string) bool {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, controllers, _ := d.firedOn(text)
	return controllers
}

// ofDatadog makes an audit event of what Datadog keeps of one: it moves the verb and the status.
func ofDatadog(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	type moved struct {
		HTTP struct {
			Method string `json:"method"`
			Status int    `json:"status_code"`
		} `json:"http"`
		ObjectRef json.RawMessage `json:"objectRef"`
	}
	var top struct {
		moved
		Attributes *moved `json:"attributes"`
	}
	event := map[string]any{}
	if json.Unmarshal(text, &top) != nil || json.Unmarshal(text, &event) != nil {
		t.Fatalf("%s is no JSON", file)
	}
	at := &top.moved
	if top.Attributes != nil {
		at = top.Attributes
		event["objectRef"] = at.ObjectRef
	}
	if event["verb"] == nil && at.HTTP.Method != "" {
		event["verb"] = at.HTTP.Method
	}
	if event["responseStatus"] == nil && at.HTTP.Status != 0 {
		event["responseStatus"] = map[string]int{"code": at.HTTP.Status}
	}
	if event["user"] == nil {
		event["user"] = map[string]string{"username": "somebody"} // taken out of the samples
	}
	out, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestCorpusAuditStratus runs the sample events of Stratus' techniques that a mapped behaviour stands for.
func TestCorpusAuditStratus(t *testing.T) {
	dir, d := folder(t, "audit-stratus"), newDetections(t)
	behaviours := map[string]string{}
	for _, row := range table(t, inside(folder(t, "audit-behaviours"), "mapping.csv")) {
		if row["source"] == "stratus" {
			behaviours[row["rule_id"]] = row["behaviour"]
		}
	}
	key := table(t, inside(dir, "techniques.csv"))
	s := scoring(t, "audit-stratus", len(key))
	for _, row := range key {
		behaviour := behaviours[row["technique"]]
		switch {
		case d.none(behaviour) != "":
			s.leave(row["technique"], d.none(behaviour))
		case row["event_files"] == "":
			s.leave(row["technique"], "there is no sample event")
		default:
			got := false
			for file := range strings.SplitSeq(row["event_files"], ";") {
				fired, _, err := d.firedOn(ofDatadog(t, inside(dir, file)))
				got = got || oneOf(fired, d.of[behaviour])
				t.Logf("%s: fires %v, error %v", file, fired, err)
			}
			s.row(row["technique"]+" ("+behaviour+")", got, true)
		}
	}
	s.end()
}
