package query

import (
	"context"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/graph"
)

// FuzzRun: a tree from a stranger that checks also runs, without a panic, within
// its bounds; and its expansion's text means the same.
func FuzzRun(f *testing.F) {
	for _, text := range []string{
		"MATCH (i:Image) WHERE i.severity >= 'High' AND NOT i.scanned OPTIONAL MATCH (i)<-[u:USES_IMAGE]-(c) RETURN DISTINCT i.name, c " +
			"ORDER BY c DESC SKIP 1 LIMIT 2",
		"MATCH (p:Pod)-[:RUNS]->(c) WHERE toLower(c.name) IN ['a', $p] RETURN p, count(DISTINCT c) AS n ORDER BY n",
		"MATCH (p:Pod|Workload) WHERE EXISTS { (p)-[:RUNS|USES_IMAGE|HAS_VULNERABILITY*1..4]->(v:Vulnerability) WHERE v.cvss > 7.5 } AND " +
			"COUNT { (p)-[:RUNS]->() } < 2",
		"MATCH (v:Vulnerability) WHERE v.published < '2026-01-01' OR 'CWE-79' IN v.cwes MATCH (v)<-[h:HAS_VULNERABILITY]-(i) WHERE " +
			"h.severity = 'High' OR i.rce RETURN h, h.fixed",
	} {
		q, err := Parse(text)
		if err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(both(f, q)))
	}
	view := givenView(f, hunt)
	f.Fuzz(func(t *testing.T, b []byte) {
		q, err := Decode(b)
		if err != nil || len(Check(Schema(), q)) > 0 {
			return
		}
		opts := Options{Deadline: 2 * time.Second, MemoryLimit: 64 << 20, Params: map[string]any{"p": "a"}}
		res, err := Run(context.Background(), view, graph.Everything, q, opts)
		if err != nil || res.Partial != "" {
			return
		}
		again, err := Parse(Print(Expand(Schema(), q)))
		if err != nil {
			t.Fatal(err)
		}
		second, err := Run(context.Background(), view, graph.Everything, again, opts)
		if err == nil && second.Partial != "" {
			return // a busy machine had no time for it twice
		}
		if err != nil || second.Total != res.Total || second.Roots != res.Roots {
			t.Fatalf("%v: the text finds %+v, the tree %+v", err, second, res)
		}
	})
}
