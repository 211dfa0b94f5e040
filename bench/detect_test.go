package bench

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	goruntime "runtime"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/detect/builtin"
	"github.com/breakwater-sec/breakwater/event"
	"github.com/breakwater-sec/breakwater/event/audit"
	"github.com/breakwater-sec/breakwater/event/runtime"
	"github.com/breakwater-sec/breakwater/packs"
)

// auditLog is a real log of a busy hour, every request with its objects and
// every stage: test/audit records it.
func auditLog(t testing.TB) [][]byte {
	t.Helper()
	f, err := os.Open("testdata/audit.jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Split(bytes.TrimSpace(text), []byte("\n"))
}

// manyRules are the built-in detections and made-up ones that remember, indexed or not.
func manyRules(t testing.TB, indexed bool) *detect.Rules {
	t.Helper()
	made := fstest.MapFS{}
	for name, body := range stateful {
		made["detect/made/"+name+".yaml"] = &fstest.MapFile{Data: fmt.Appendf(nil, `
title: made
id: made-%s
level: low
%s
evidence: ["{verb}"]
why: w
fix: f
tests: [{name: a, event: a, fires: true}, {name: b, event: b, fires: false}]
`, name, body)}
	}
	logs := builtin.Logs()
	for i := range logs {
		if !indexed {
			logs[i].Index = nil
		}
	}
	r, err := detect.Load(logs, packs.FS, made)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// stateful are made-up rules that remember: habits of whoever writes or reads secrets, of all by their peers, storms, and what comes
// together. What they are about is much of what a log holds.
var stateful = map[string]string{
	"first": `logsource: {product: kubernetes, service: audit}
detection: {it: {objectRef.resource: [secrets, configmaps, pods, serviceaccounts], verb: [create, get, list, patch, update, delete]}, condition: it}
baseline: {type: first_seen, group-by: [actor.name], value: [verb, objectRef.resource, objectRef.namespace]}`,
	"rare": `logsource: {product: kubernetes, service: audit}
detection: {it: {verb: [create, patch, update, delete]}, condition: it}
baseline: {type: rare, group-by: [], value: [actor.name, objectRef.resource], share: 0.001}`,
	"burst": `logsource: {product: kubernetes, service: audit}
detection: {it: {objectRef.resource: [secrets, configmaps, pods], verb: [get, list]}, condition: it}
baseline: {type: burst, group-by: [actor.name], value: [objectRef.namespace], at-least: 6}`,
	"peer": `logsource: {product: kubernetes, service: audit}
detection: {it: {verb: [create, patch, update, delete]}, condition: it}
baseline: {type: peer, peers: [actor.class], group-by: [actor.name], value: [verb, objectRef.resource]}`,
	"refused": `logsource: {product: kubernetes, service: audit}
detection: {it: {outcome: denied}, condition: it}`,
	"writes": `logsource: {product: kubernetes, service: audit}
detection: {it: {verb: [create, patch, update, delete], actor.class: person}, condition: it}`,
	"storm":  "correlation: {type: event_count, rules: [made-refused], group-by: [actor.name], timespan: 5m, condition: {gte: 20}}",
	"spread": "correlation: {type: value_count, rules: [made-writes], group-by: [actor.name], timespan: 5m, condition: {field: objectRef.namespace, gte: 20}}",
	"order":  "correlation: {type: temporal_ordered, rules: [made-refused, made-writes], group-by: [actor.name], timespan: 5m}",
}

// throughput decodes and judges the log on one core for a while.
func throughput(t testing.TB, lines [][]byte, rules *detect.Rules, decode func([]byte) ([]event.Event, error)) (events, bytes float64) {
	t.Helper()
	g, seen := detect.New(rules, nil, detect.Options{}), detect.Watch(rules)
	n, size, began := 0, 0, cpuTime()
	for cpuTime()-began < 3*time.Second {
		for _, line := range lines {
			found, err := decode(line)
			if err != nil {
				t.Fatal(err)
			}
			matches := rules.Match(found)
			g.Take(found, matches)
			seen.Take(found, matches, rules.Blind(found))
			n, size = n+1, size+len(line)
		}
		g.Checkpoint()
		seen.Checkpoint()
	}
	s := (cpuTime() - began).Seconds()
	return float64(n) / s, float64(size) / s
}

// matching judges events that are decoded already.
func matching(t testing.TB, lines [][]byte, rules *detect.Rules) (perEvent time.Duration) {
	d := audit.Decoder{Cluster: "prod"}
	b, err := d.Decode(slices.Concat([]byte("["), bytes.Join(lines, []byte(",")), []byte("]")))
	if err != nil {
		t.Fatal(err)
	}
	g := detect.New(rules, nil, detect.Options{})
	n, began := 0, cpuTime()
	for cpuTime()-began < time.Second {
		g.Feed(b.Events)
		n += len(b.Events)
	}
	return (cpuTime() - began) / time.Duration(n)
}

func TestMeasureAuditEvents(t *testing.T) {
	measured(t)
	lines := auditLog(t)
	defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(1))
	d := audit.Decoder{Cluster: "prod"}
	decode := func(line []byte) ([]event.Event, error) { b, err := d.Decode(line); return b.Events, err }
	with, size := throughput(t, lines, manyRules(t, true), decode)
	without, _ := throughput(t, lines, manyRules(t, false), decode)
	t.Logf(
		"audit: %.0f events/s and %.0f MB/s per core from JSON through %d rules, made-up ones that remember among them, to alerts; "+
			"without the index %.0f events/s (%.2f×); %.1f kB an event",
		with,
		size/1e6,
		len(manyRules(t, true).Sources()),
		without,
		with/without,
		size/with/1e3,
	)
	indexed, plain := matching(t, lines, manyRules(t, true)), matching(t, lines, manyRules(t, false))
	t.Logf("audit: matching alone %v an event, without the index %v (%.1f×)", indexed, plain, float64(plain)/float64(indexed))
}

// sensorBatch is a batch of real sensors' records, as many as one request brings.
func sensorBatch(t testing.TB) (batch []byte, records int) {
	t.Helper()
	files, err := fs.Glob(packs.FS, "detect/runtime/testdata/*.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for node := range 40 { // the same number of one run would be a repetition
		for _, name := range files {
			text, err := fs.ReadFile(packs.FS, name)
			if err != nil {
				t.Fatal(err)
			}
			batch = append(batch, bytes.ReplaceAll(text, []byte(`"boot":"`), fmt.Appendf(nil, `"boot":"%d-`, node))...)
		}
	}
	return batch, bytes.Count(batch, []byte("\n"))
}

// TestMeasureRuntimeEvents asks how many records of sensors one core decodes and
// judges, against only parsing their JSON with the standard library.
func TestMeasureRuntimeEvents(t *testing.T) {
	measured(t)
	batch, records := sensorBatch(t)
	rules, err := builtin.Load()
	if err != nil {
		t.Fatal(err)
	}
	defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(1))
	all, size := throughput(t, [][]byte{batch}, rules, func(text []byte) (found []event.Event, err error) {
		d := runtime.Decoder{Cluster: "prod"}
		err = d.Read(bytes.NewReader(text), func(b *runtime.Batch) error { found = append(found, b.Events...); return nil })
		return found, err
	})
	parsed, _ := throughput(t, bytes.Split(bytes.TrimSpace(batch), []byte("\n")), rules, func(line []byte) ([]event.Event, error) {
		var r runtime.Record
		return nil, json.Unmarshal(line, &r)
	})
	all *= float64(records)
	t.Logf(
		"runtime: %.0f records/s and %.0f MB/s per core from JSON to alerts; "+
			"parsing alone with encoding/json %.0f records/s (%.2f×); %.1f kB a record",
		all,
		size/1e6,
		parsed,
		all/parsed,
		size/all/1e3,
	)
}

func BenchmarkAuditEvents(b *testing.B) {
	lines, rules := auditLog(b), manyRules(b, true)
	d := audit.Decoder{Cluster: "prod"}
	g := detect.New(rules, nil, detect.Options{})
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		line := lines[i%len(lines)]
		b.SetBytes(int64(len(line)))
		batch, err := d.Decode(line)
		if err != nil {
			b.Fatal(err)
		}
		g.Feed(batch.Events)
	}
}
