package analyse

import (
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/query"
)

func TestEvidenceSaysTheFactsThatAPatternMatched(t *testing.T) {
	const given = `
Pod shop/Pod/web name=web namespace=shop exposed=true hostNetwork=false -RUNS-> Container web/app name=app image=nginx
Internet internet name=Internet -ROUTES_TO{width=any ports=80/TCP,443/TCP via=""}-> Service shop/Service/web name=web
Pod shop/Pod/web -RUNS_ON-> Node n
Container web/app -USES_IMAGE-> Image sha256:a name=nginx severe=true rce=false criticals=2
`
	tests := []struct{ name, match, want string }{
		{"a property that is true", "MATCH (p:Pod) WHERE p.exposed", "pod web: exposed to the internet"},
		{"one that is not", "MATCH (p:Pod) WHERE NOT p.hostNetwork", ""},
		{"one that nobody knows", "MATCH (p:Pod) WHERE p.phase IS NULL", ""},
		{"one that must not be", "MATCH (c:Container) WHERE c.image <> 'x'", ""},
		{"a text", "MATCH (c:Container) WHERE c.image = 'nginx'", "container app: image reference nginx"},
		{"a number", "MATCH (i:Image) WHERE i.criticals > 1", "container image nginx: critical vulnerabilities 2"},
		{"either of two", "MATCH (i:Image) WHERE i.severe OR i.rce", "container image nginx: high severity vulnerabilities"},
		{"the same twice", "MATCH (p:Pod) WHERE p.exposed AND (p.exposed OR p.hostNetwork)", "pod web: exposed to the internet"},
		{"a connection", "MATCH (p:Pod)-[:RUNS_ON]->(n:Node)", "pod web runs on node c/n"},
		{"one against its edge", "MATCH (n:Node)<-[:RUNS_ON]-(p:Pod)", "pod web runs on node c/n"},
		{"a container names its pod", "MATCH (p:Pod)-[:RUNS]->(c:Container)", ""},
		{"what is known of the edge", "MATCH (i:Internet)-[:ROUTES_TO]->(s:Service)",
			"Internet Internet routes to service web (ports: 80/TCP, 443/TCP; width: any)"},
		{"an id", "MATCH (p:Pod) WHERE p.id = 'c/shop/Pod/web'", ""},
	}
	v, err := parseGiven(given)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			q, err := compileQuery(test.match)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			err = query.Match(t.Context(), v, graph.Everything, q, nil, func(b query.Binding) bool {
				for _, e := range facts(q.Find, b) {
					got = append(got, e.Text)
				}
				return true
			})
			if text := strings.Join(got, " | "); err != nil || text != test.want {
				t.Errorf("got %q, want %q; error %v", text, test.want, err)
			}
		})
	}
}
