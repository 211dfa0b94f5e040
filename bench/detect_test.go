package bench

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/event/audit"
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

// manyRules are the built-in detections and made-up ones about single resources,
// seventy in all, indexed or not.
func manyRules(t testing.TB, indexed bool) *detect.Rules {
	t.Helper()
	made := fstest.MapFS{}
	for i := range 65 {
		made[fmt.Sprintf("detect/made/%d.yaml", i)] = &fstest.MapFile{Data: fmt.Appendf(nil, `
title: made
id: made-%d
level: low
logsource: {product: kubernetes, service: audit}
detection:
  what: {verb: [create, update, patch], objectRef.resource: [%s], objectRef.name|contains: [no-such-name, nor-such]}
  who: {actor.class: [controller, control-plane]}
  condition: what and not who
evidence: ["{verb}"]
why: w
fix: f
tests: [{name: a, event: a, fires: true}, {name: b, event: b, fires: false}]
`, i, []string{"secrets", "configmaps", "services", "nodes", "pods", "deployments", "roles", "events", "leases", "ingresses", "jobs", "cronjobs", "serviceaccounts"}[i%13])}
	}
	log := detect.Log{Source: audit.Source, Fields: audit.Fields}
	if indexed {
		log.Index = audit.Index
	}
	r, err := detect.Load([]detect.Log{log}, packs.FS, made)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// throughput decodes and judges the log on one core for a while.
func throughput(lines [][]byte, rules *detect.Rules) (events, bytes float64) {
	d := audit.Decoder{Cluster: "prod"}
	g := detect.New(rules, nil, detect.Options{})
	n, size, began := 0, 0, cpuTime()
	for cpuTime()-began < 3*time.Second {
		for _, line := range lines {
			b, err := d.Decode(line)
			if err != nil {
				panic(err)
			}
			g.Feed(b.Events)
			n, size = n+1, size+len(line)
		}
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
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	with, size := throughput(lines, manyRules(t, true))
	without, _ := throughput(lines, manyRules(t, false))
	t.Logf("audit: %.0f events/s and %.0f MB/s per core from JSON through 70 rules to alerts; without the index %.0f events/s (%.2f×); %.1f kB an event", with, size/1e6, without, with/without, size/with/1e3)
	indexed, plain := matching(t, lines, manyRules(t, true)), matching(t, lines, manyRules(t, false))
	t.Logf("audit: matching alone %v an event, without the index %v (%.1f×)", indexed, plain, float64(plain)/float64(indexed))
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
