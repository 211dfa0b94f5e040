package segment

import (
	"testing"
	"testing/fstest"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/collect/kube"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/schema"
	"github.com/breakwater-sec/breakwater/vuln"
)

const threeNodes = `
apiVersion: v1
kind: Node
metadata: {name: old}
---
apiVersion: v1
kind: Node
metadata: {name: unread}
---
apiVersion: v1
kind: Node
metadata: {name: manifest}
`

func TestWhatNodesRunIsJoinedToItsVulnerabilities(t *testing.T) {
	f, err := kube.ReadFS(fstest.MapFS{"in.yaml": {Data: []byte(threeNodes)}})
	if err != nil {
		t.Fatal(err)
	}
	f.Cluster.Name = "c"
	kernel := vuln.Package{Name: "linux", Version: "5.15.0-91"}
	old := &assess.Assessment{Scanned: true, Worst: vuln.High, Highs: 1, Vulnerabilities: 1, Contents: assess.Contents{
		Components: []assess.Component{{Package: kernel, PURL: assess.Kernel}}, Gaps: []collect.Gap{{What: "runc or crun"}}},
		Findings: []assess.Finding{{PURL: assess.Kernel, Match: vuln.Match{ID: "CVE-1", Package: kernel, Severity: vuln.High,
			FixedVersion: "5.15.0-92.102", Impact: vuln.PrivilegeEscalation, Advisories: []string{"UBUNTU-CVE-1"}}}}}
	j := Judge(f, nil)
	j.Machines = map[string]*assess.Assessment{"old": old, "unread": assess.NotScanned("unread", assess.Unsupported, "nothing was imported")}
	made := Cluster(f, j)
	shared := graph.NewShared(schema.Vocabulary())
	made.PutShared(shared)
	frozen := shared.Freeze()
	seg, gaps := made.Build(frozen)
	if len(gaps) > len(made.Gaps) {
		t.Errorf("not all could be joined: %v", gaps)
	}
	v := graph.NewView(schema.Vocabulary(), frozen, seg)
	for n := range v.Nodes("Node") {
		got := ""
		for _, p := range []string{"assessed", "partly", "severity", "vulnerabilities", "kernelEscapes", "runtimeEscapes"} {
			got += n.Value(p).String() + " "
		}
		for e := range n.Out("NODE_HAS_VULNERABILITY") {
			got += e.To.ID() + " in the " + e.Value("part").Str() + " " + e.Value("package").Str() + ", fixed in " + e.Value("fixed").Str() +
				", rated " + e.To.Text("severity")
		}
		want := map[string]string{
			"old":      "true true High 1 true  CVE-1 in the kernel linux 5.15.0-91, fixed in 5.15.0-92.102, rated High",
			"unread":   "false      ",
			"manifest": "      ",
		}[n.Text("name")]
		if got != want {
			t.Errorf("%s: got %q, want %q", n.Text("name"), got, want)
		}
	}
}
