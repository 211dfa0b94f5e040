package analyse

import (
	"strings"
	"testing"
)

// supplied is a workload of two pods and another one, whose images come from one registry.
const supplied = `
Repository evil.example/tool name=evil.example/tool -STORED_IN-> Registry evil.example name=evil.example
Image sha256:a -STORED_IN-> Repository evil.example/tool
Pod tool-1 namespace=shop workload=Deployment/tool -RUNS-> Container tool-1/app
Container tool-1/app name=app namespace=shop workload=Deployment/tool unknownRegistry=true privileged=true
Pod tool-2 namespace=shop workload=Deployment/tool -RUNS-> Container tool-2/app
Container tool-2/app name=app namespace=shop workload=Deployment/tool unknownRegistry=true privileged=true
Pod job-1 namespace=ops workload=Job/job -RUNS-> Container job-1/run name=run namespace=ops workload=Job/job unknownRegistry=true
Container tool-1/app -USES_IMAGE-> Image sha256:a
Container tool-2/app -USES_IMAGE-> Image sha256:a
Container job-1/run -USES_IMAGE-> Image sha256:a
Pod tool-1 -RUNS_ON-> Node n-1 name=n-1
Pod tool-2 -RUNS_ON-> Node n-1
`

func TestAnUnknownRegistryIsOneWayInWithAllThatComesFromIt(t *testing.T) {
	rules, err := Load("")
	if err != nil {
		t.Fatal(err)
	}
	v, err := parseGiven(supplied)
	if err != nil {
		t.Fatal(err)
	}
	_, paths, _, err := Cluster(t.Context(), v, v.Clusters()[0], rules)
	if err != nil {
		t.Fatal(err)
	}
	var takeover []Path
	for _, p := range paths {
		if p.EntryClass != SupplyChain {
			t.Errorf("%s: want supply chain alone, got %s", p.Title, p.EntryClass)
		}
		if p.Type == "node-takeover" {
			takeover = append(takeover, p)
		}
	}
	if len(takeover) != 1 {
		t.Fatalf("got %d paths to the node, want one: %+v", len(takeover), takeover)
	}
	p := takeover[0]
	if got, want := p.route(), "evil.example -> app -> n-1"; got != want {
		t.Errorf("route %q, want %q", got, want)
	}
	if !strings.HasPrefix(p.Title, "Who runs an unknown registry can take over a node") || !strings.Contains(p.Title, "evil.example") {
		t.Errorf("title: %s", p.Title)
	}
	if len(p.Fixes) == 0 || p.Fixes[0].Effect != Breaks {
		t.Errorf("nothing ends it: %+v", p.Fixes)
	}
}

func TestAccountsOfThirdPartySoftwareCanBeAssumed(t *testing.T) {
	const accounts = `
ServiceAccount shop/agent name=agent -HOLDS-> Permission everything power=everything scope=cluster
ServiceAccount shop/own name=own -HOLDS-> Permission everything
ServiceAccount shop/late name=late -HOLDS-> Permission everything
ServiceAccount shop/shut name=shut -HOLDS-> Permission everything
Permission everything -COVERS-> Cluster prod name=prod
Pod agent-1 -RUNS_AS-> ServiceAccount shop/agent
Pod own-1 -RUNS_AS-> ServiceAccount shop/own
Pod late-1 -RUNS_AS-> ServiceAccount shop/late
Pod shut-1 -RUNS_AS-> ServiceAccount shop/shut
Pod agent-1 -RUNS-> Container agent-1/app thirdParty=true tokenMounted=true
Pod own-1 -RUNS-> Container own-1/app thirdParty=false tokenMounted=true
Pod late-1 -RUNS-> Container late-1/app thirdParty=true tokenMounted=true ended=true
Pod shut-1 -RUNS-> Container shut-1/app thirdParty=true tokenMounted=false
`
	v, err := parseGiven(accounts)
	if err != nil {
		t.Fatal(err)
	}
	if a, err := parseAssumption("third-party"); err != nil || a.kind != thirdParty {
		t.Fatalf("got %+v, %v", a, err)
	}
	for n := range v.Nodes("ServiceAccount") {
		if got, want := (assumption{kind: thirdParty}).means(n), n.Text("name") == "agent"; got != want {
			t.Errorf("%s: assumed %v, want %v", n.Text("name"), got, want)
		}
	}
}
