package api

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/schema"
)

// signInAs is a client that may see a scope.
func (s *served) signInAs(t *testing.T, sees graph.Scope) {
	t.Helper()
	s.client.Transport = withCookie{&http.Cookie{Name: sessionCookie, Value: s.session(t, sees, time.Hour)}}
}

// session is the token of a session that may see a scope.
func (s *served) session(t testing.TB, sees graph.Scope, valid time.Duration) string {
	t.Helper()
	b, err := json.Marshal(sees)
	if err != nil {
		t.Fatal(err)
	}
	link, err := s.store.NewSignIn(t.Context(), time.Minute, string(b), "alice")
	if err != nil {
		t.Fatal(err)
	}
	token, err := s.store.SignIn(t.Context(), link, valid)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// as is the same server, asked by somebody who sees only a scope.
func (s *served) as(t *testing.T, sees graph.Scope) *served {
	other := &served{url: s.url, client: &http.Client{}, store: s.store, live: s.live, drop: s.drop}
	other.signInAs(t, sees)
	return other
}

// probe is a question to the API. One about a thing names it by the word of its
// mark; who does not see the thing must get the same answer as about nothing.
type probe struct {
	method, path string
	body         any
}

func get(path string, of ...any) probe { return probe{"GET", fmt.Sprintf(path, of...), nil} }

func post(path string, body any) probe { return probe{"POST", path, body} }

// operations asks every operation of the contract: first in general, then about
// the things of one mark, in a cluster. A nil list says why an operation shows nothing.
var operations = map[string]struct {
	all   func() []probe
	about func(cluster, word string) []probe
}{
	"signIn":         {}, // before there is a session
	"signOut":        {}, // ends the session, shows nothing
	"newSignInLink":  {}, // over the socket only: TestTheOperatorMakesLinks
	"tellOfPushes":   {}, // with a registry's own token, and shows nothing: push_test.go
	"tellOfImage":    {}, // with a build's own token, and shows nothing: upload_test.go
	"listActivity":   {}, // TestWhoSeesAPartReadsWhatTheyDidThemselves
	"getSession":     {all: func() []probe { return []probe{get("/session")} }},
	"getStatus":      {all: func() []probe { return []probe{get("/status")} }},
	"getStorage":     {}, // of everything, and only for who sees everything: storage_test.go
	"getHome":        {all: func() []probe { return []probe{get("/home")} }},
	"listExceptions": {}, // of everything, and only for who sees everything: exception_test.go
	"tryExceptions":  {},
	"addException":   {},
	"endException":   {},
	"getSchema":      {all: func() []probe { return []probe{get("/schema")} }},
	"getTemplates":   {all: func() []probe { return []probe{get("/templates")} }},
	"getCoverage":    {all: func() []probe { return []probe{get("/coverage")} }},
	"checkQuery":     {all: func() []probe { return []probe{post("/query/check", map[string]any{"text": "MATCH (p:Pod) RETURN p"})} }},
	"runQuery": {all: func() (out []probe) {
		for i, text := range everyQuestion() {
			out = append(out, post("/query", map[string]any{"text": text, "limit": 10_000}))
			if i%10 == 0 {
				out = append(out, post("/report/query", map[string]any{"text": text}))
			}
		}
		return out
	}, about: func(cluster, word string) []probe {
		return []probe{post("/query", map[string]any{"text": "MATCH (n:Pod) WHERE n.name CONTAINS '" + word + "' RETURN n"}),
			post("/query", map[string]any{"text": "MATCH (i:Image) WHERE NOT EXISTS { MATCH (i)<-[:USES_IMAGE]-(c:Container) " +
				"WHERE c.name CONTAINS '" + word + "' } RETURN i"})}
	}},
	"completeValue": {all: func() (out []probe) {
		for _, k := range schema.Kinds() {
			for _, p := range k.Properties {
				out = append(out, post("/query/values", map[string]any{"of": k.Name, "prop": p.Name}))
			}
			out = append(out, post("/query/values", map[string]any{"of": k.Name, "prop": "id"}))
		}
		for _, e := range schema.Edges() {
			for _, p := range e.Properties {
				out = append(out, post("/query/values", map[string]any{"of": e.Name, "prop": p.Name}))
			}
		}
		return out
	}, about: func(_, word string) []probe {
		return []probe{post("/query/values", map[string]any{"of": "Pod", "prop": "name", "contains": word})}
	}},
	"facetQuery": {all: func() (out []probe) {
		for _, k := range []string{"Pod", "Image", "Vulnerability", "Service", "Permission"} {
			out = append(out, post("/query/facets",
				map[string]any{"query": map[string]any{"find": map[string]any{"as": "n", "kinds": []string{k}}}, "of": "n", "prop": "id"}))
		}
		return out
	}},
	"exportQuery": {all: func() (out []probe) {
		for _, text := range everyQuestion()[len(schema.Kinds()):] {
			out = append(out, get("/query/export?text=%s", url.QueryEscape(text)))
		}
		return out
	}},
	"listPaths": {all: func() []probe {
		return []probe{get("/paths?limit=1000"), get("/paths?limit=1000&status=active&status=stale&status=resolved"),
			get("/paths?status=resolved&limit=2"), get("/paths?limit=1000&assume=any")}
	}, about: func(cluster, word string) []probe {
		const all = "&status=active&status=stale&status=resolved&limit=1000"
		return []probe{get("/paths?namespace=%s"+all, word), get("/paths?q=%s"+all, word), get("/paths?vulnerability=QZ-%s"+all, word),
			get("/paths?entity=%s/%s/Pod/pod-%s"+all, cluster, word, word),
			get("/paths?entity=registry.%s.example/app-%s:1"+all, word, word), get("/paths?entity=image-%s"+all, word),
			get("/paths?entity=%s/Node/node-%s"+all, cluster, word), get("/paths?cluster=%s"+all, word),
			get("/paths?assume=workload:%s/pod-%s", word, word), get("/paths?assume=node:node-%s", word), get("/paths?assume=user:user-%s", word)}
	}},
	"getCut": {all: func() []probe { return []probe{get("/cut"), get("/cut?assume=any")} },
		about: func(cluster, word string) []probe {
			return []probe{get("/cut?cluster=%s", word), get("/cut?namespace=%s&assume=any", word), get("/cut?q=%s", word),
				get("/cut?entity=%s/%s/Pod/pod-%s", cluster, word, word), get("/cut?assume=node:node-%s", word)}
		}},
	"whatIf": {all: func() []probe { return []probe{post("/what-if", map[string]any{"fixes": []string{"fix-0000000000"}})} },
		about: func(_, word string) []probe {
			return []probe{post("/what-if", map[string]any{"fixes": []string{"fix-0000000000"}, "assume": "node:node-" + word})}
		}},
	"getDifference": {all: func() []probe {
		return []probe{get("/diff?base=cluone&head=clutwo"), get("/diff?base=clutwo&head=cluone")}
	},
		about: func(cluster, word string) []probe {
			return []probe{get("/diff?base=%s&head=%[1]s", cluster), get("/diff?base=cluone&head=%s", word), get("/diff?base=%s&head=cluone", word)}
		}},
	"getPath": {about: func(cluster, word string) []probe {
		return []probe{get("/path?cluster=%s&id=gone-%s", cluster, word)}
	}},
	"listAlerts": {all: func() []probe {
		return []probe{get("/alerts?limit=1000"), get("/alerts?limit=1"), get("/alerts?severity=high")}
	},
		about: func(_, word string) []probe { return []probe{get("/alerts?cluster=%s", word)} }},
	"getAlert": {about: func(cluster, word string) []probe {
		return []probe{get("/alert?cluster=%s&id=alert-%s", cluster, word)}
	}},
	"changeAlerts": {about: func(cluster, word string) []probe {
		return []probe{{"PUT", "/alerts", map[string]any{"change": map[string]string{"comment": "seen"},
			"alerts": []map[string]string{{"cluster": cluster, "id": "alert-" + word}}}}}
	}},
	"listAlertCoverage": {all: func() []probe { return []probe{get("/alerts/coverage")} },
		about: func(_, word string) []probe { return []probe{get("/alerts/coverage?cluster=%s", word)} }},
	"listSensors": {all: func() []probe { return []probe{get("/sensors")} },
		about: func(_, word string) []probe { return []probe{get("/sensors?cluster=%s", word)} }},
	"listTokens": {all: func() []probe { return []probe{get("/tokens")} },
		about: func(_, word string) []probe { return []probe{get("/tokens?cluster=%s", word)} }},
	"revokeToken": {about: func(_, word string) []probe { return []probe{{"DELETE", "/tokens/token-" + word, nil}} }},
	"rotateToken": {about: func(_, word string) []probe { return []probe{post("/tokens/token-"+word+"/rotate", nil)} }},
	"listVulnerabilities": {all: func() []probe {
		return []probe{get("/vulnerabilities?limit=1000"), get("/vulnerabilities?running=true"), get("/vulnerabilities?running=false")}
	},
		about: func(cluster, word string) []probe {
			return []probe{get("/vulnerabilities?q=%s", word), get("/vulnerabilities?package=package-%s", word),
				get(
					"/vulnerabilities?image=registry.%s.example/app-%s:1",
					word,
					word,
				), get("/vulnerabilities?cluster=%s&path=gone-%s", cluster, word)}
		}},
	"getVulnerability": {all: func() []probe {
		return []probe{get("/vulnerability?id=QZ-base"), get("/report/vulnerability?id=QZ-base")}
	},
		about: func(_, word string) []probe {
			return []probe{get("/vulnerability?id=QZ-%s", word), get("/report/vulnerability?id=QZ-%s", word)}
		}},
	"listRecommendations": {all: func() []probe {
		return []probe{get("/recommendations?limit=1000"), get("/recommendations?exposed=true"), get("/recommendations?paths=true")}
	},
		about: func(_, word string) []probe {
			return []probe{get("/recommendations?q=%s", word), get("/recommendations?vulnerability=QZ-%s", word),
				get("/recommendations?image=registry.%s.example/app-%s:1", word, word), get("/recommendations?cluster=%s", word)}
		}},
	"getRecommendation": {all: func() []probe { return []probe{get("/recommendation?id=running/npm/package-base")} },
		about: func(_, word string) []probe { return []probe{get("/recommendation?id=running/npm/package-%s", word)} }},
	"listImages": {all: func() []probe {
		return []probe{get("/images?limit=1000"), get("/images?running=true"), get("/images?running=false"), get("/images?state=failed")}
	},
		about: func(_, word string) []probe {
			return []probe{get("/images?q=%s", word), get("/images?cluster=%s", word)}
		}},
	"getImage": {all: func() []probe { return []probe{get("/image?id=common.example/base:1")} },
		about: func(_, word string) []probe {
			return []probe{get("/image?id=registry.%s.example/app-%s:1", word, word), get("/image?id=registry.%s.example/broken-%s:1", word, word)}
		}},
	"getImageDifference": {all: func() []probe {
		return []probe{get("/image/diff?base=common.example/base:1&head=common.example/base:1")}
	},
		about: func(_, word string) []probe {
			return []probe{get("/image/diff?base=registry.%s.example/app-%s:1&head=common.example/base:1", word, word),
				get("/image/diff?base=common.example/base:1&head=registry.%s.example/app-%s:1", word, word)}
		}},
	"getImageBases": {all: func() []probe { return []probe{get("/image/bases?id=common.example/base:1")} },
		about: func(_, word string) []probe {
			return []probe{get("/image/bases?id=registry.%s.example/app-%s:1", word, word),
				get("/image/bases?id=common.example/base:1&among=registry.%s.example/app-%s:1", word, word)}
		}},
	"listRegistries": {all: func() []probe { return []probe{get("/registries")} }},
	"connectRegistry": {about: func(_, word string) []probe {
		return []probe{post("/registries", map[string]any{"host": word + ".example"})}
	}},
	"checkRegistry": {about: func(_, word string) []probe {
		return []probe{post("/registries/check", map[string]any{"host": word + ".example"})}
	}},
	"previewRegistry": {about: func(_, word string) []probe {
		return []probe{post("/registries/preview", map[string]any{"host": word + ".example"})}
	}},
	"disconnectRegistry": {about: func(_, word string) []probe { return []probe{{"DELETE", "/registry?host=" + word + ".example", nil}} }},
	"listRegistryImages": {about: func(_, word string) []probe { return []probe{get("/registry/images?host=%s.example", word)} }},
	"rescanRegistry": {about: func(_, word string) []probe {
		return []probe{post("/registry/rescan?host="+word+".example", nil),
			post("/registry/rescan?host="+word+".example&image=sha256:"+word, nil)}
	}},
	"getEntity": {all: func() []probe {
		return []probe{get("/entity?kind=Internet&id=internet"), get("/entity?kind=Image&id=common.example/base:1"),
			get("/entity?kind=Registry&id=common.example"), get("/entity?kind=Vulnerability&id=QZ-base")}
	},
		about: func(cluster, word string) (out []probe) {
			for _, k := range []string{"Pod/pod-", "Service/service-", "Secret/secret-", "ConfigMap/config-", "ServiceAccount/account-",
				"Role/role-", "NetworkPolicy/policy-"} {
				kind, _, _ := strings.Cut(k, "/")
				out = append(out, get("/entity?kind=%s&id=%s/%s/%s%s", kind, cluster, word, k, word))
			}
			return append(out, get("/entity?kind=Namespace&id=%s/Namespace/%s", cluster, word),
				get("/entity?kind=Node&id=%s/Node/node-%s", cluster, word),
				get("/entity?kind=Image&id=registry.%s.example/app-%s:1", word, word),
				get("/entity?kind=Registry&id=registry.%s.example", word), get("/entity?kind=Package&id=pkg:npm/package-%s@1.0.0", word),
				get("/entity?kind=Cluster&id=%s/Cluster", word), get("/entity?kind=ClusterRole&id=%s/ClusterRole/all-%s", cluster, word))
		}},
	"search": {all: func() []probe { return []probe{get("/search?q=qz"), get("/search?q=pod"), get("/search?q=example")} },
		about: func(_, word string) []probe { return []probe{get("/search?q=%s", word)} }},
	"events": {}, // TestEventsSayOnlyWhatIsDifferentInTheScope
	"report": {all: func() (out []probe) {
		for _, name := range []string{"graph", "exposure", "paths", "recommendations"} {
			out = append(out, get("/report/%s", name), get("/report/%s?lines=true", name))
		}
		return out
	}, about: func(_, word string) []probe {
		image := "registry." + word + ".example/app-" + word + ":1"
		return []probe{get("/report/image?id=%s", image), get("/report/image?id=%s&format=cyclonedx", image)}
	}},
}

// everyQuestion returns whole kinds, all their edges, and counts of what is not there.
func everyQuestion() (out []string) {
	for _, k := range schema.Kinds() {
		out = append(out, "MATCH (n:"+k.Name+") RETURN n", "MATCH (n:"+k.Name+") RETURN count(n)")
	}
	for _, e := range schema.Edges() {
		for _, j := range e.Joins {
			out = append(out, fmt.Sprintf("MATCH (a:%s)-[r:%s]->(b:%s) RETURN a, r, b", j.From, e.Name, j.To))
		}
	}
	return append(out, "MATCH (i:Image) WHERE NOT EXISTS { MATCH (i)-[:HAS_VULNERABILITY]->(v:Vulnerability) } RETURN i",
		"MATCH (v:Vulnerability) RETURN v, COUNT { MATCH (v)<-[:HAS_VULNERABILITY]-(i:Image) } AS images",
		"MATCH (i:Image) RETURN i.running, count(i)",
		"MATCH (i:Image) RETURN i, COUNT { MATCH (i)<-[:USES_IMAGE]-(c:Container) } AS uses")
}

func TestEveryOperationIsHeldToAScope(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for path, item := range doc.Paths.Map() {
		for _, o := range item.Operations() {
			known[o.OperationID] = true
			if _, asked := operations[o.OperationID]; !asked {
				t.Errorf("%s (%s) is not in operations: say how to ask it", o.OperationID, path)
			}
		}
	}
	for name := range operations {
		if !known[name] {
			t.Errorf("%s is no operation of the contract", name)
		}
	}
}

// answered is what somebody reads, without what differs from one moment to the next.
func (s *served) answered(t *testing.T, a probe) string {
	t.Helper()
	resp := s.send(t, a.method, a.path, a.body, nil)
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.Status + " " + moments.ReplaceAllString(string(b), "")
}

var moments = regexp.MustCompile(`"(asOf|elapsedMs|elapsed|firstSeen|lastSeen|tookMs|scannedAt|since|` +
	`at|until|world|importedAt|newest|last|started|seenAt|checkedAt|lastReadAt|nextReadAt)":("[^"]*"|[0-9.]+|null),?|` +
	`"id":"[0-9a-f]{12}",?|` + // of a token: made by chance
	`[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]+( UTC|Z)?`)

// nothing is a word that nothing has. An advisory names flawOfNothing and kubeletOfNothing, and nothing here has what it names:
// advisories are of no estate, and what they say is told to everybody.
const (
	nothing          = "zzznothing"
	flawOfNothing    = "zzzflaw"
	kubeletOfNothing = "zzzkubelet"
)

// like is a word that nothing has and that is known as well as another.
func (p planted) like(word string) string {
	switch {
	case slices.Contains(p.flaws, word):
		return flawOfNothing
	case slices.Contains(p.kubelets, word):
		return kubeletOfNothing
	}
	return nothing
}

// scopes are of one cluster or more, of some namespaces, and of nothing.
func (p planted) scopes(r *rand.Rand, n int) []graph.Scope {
	out := []graph.Scope{{}, {Segments: map[string][]string{"cluone": nil}}, {Segments: map[string][]string{"cluone": {"qzonecc"}}}}
	for len(out) < n {
		s := graph.Scope{Segments: map[string][]string{}}
		for c, namespaces := range p.clusters {
			switch r.IntN(3) {
			case 0:
				s.Segments[c] = nil
			case 1:
				some := slices.DeleteFunc(slices.Clone(namespaces), func(string) bool { return r.IntN(2) == 0 })
				if len(some) > 0 {
					s.Segments[c] = some
				}
			}
		}
		out = append(out, s)
	}
	return out
}

func TestNothingOutsideOfAScopeIsSeenCountedOrInferred(t *testing.T) {
	p := plant("one", "two")
	s := p.serve(t)
	r := rand.New(rand.NewPCG(1, 2))
	if !t.Run("who sees everything reads every mark", func(t *testing.T) { p.readsAll(t, s) }) {
		return // the marks prove nothing
	}
	for _, sees := range p.scopes(r, 6) {
		t.Run(sees.String(), func(t *testing.T) { p.heldTo(t, s.as(t, sees), sees) })
	}
}

// readsAll makes sure that what is planted would be found.
func (p planted) readsAll(t *testing.T, s *served) {
	read := map[string]bool{}
	for _, o := range operations {
		if o.all == nil {
			continue
		}
		for _, a := range o.all() {
			said := s.answered(t, a)
			for _, m := range p.marks {
				read[m.word] = read[m.word] || strings.Contains(said, m.word)
			}
		}
	}
	for _, m := range p.marks {
		if !read[m.word] {
			t.Errorf("%s is never said", m.word)
		}
	}
}

func (p planted) heldTo(t *testing.T, s *served, sees graph.Scope) {
	for name, o := range operations {
		if o.all != nil {
			for _, a := range o.all() {
				p.hides(t, name, a, s.answered(t, a), sees, "")
			}
		}
		if o.about == nil {
			continue
		}
		for _, m := range p.marks {
			if m.in(sees) {
				if name != "connectRegistry" && name != "disconnectRegistry" {
					for _, a := range o.about(m.cluster, m.word) {
						p.hides(t, name, a, s.answered(t, a), sees, m.word)
					}
				}
				continue
			}
			cluster := cmp.Or(m.cluster, nothing)
			none := p.like(m.word)
			of := o.about(nothing, none)
			if slices.ContainsFunc(p.marks, func(c mark) bool { return c.word == m.cluster && c.in(sees) }) {
				of = o.about(m.cluster, none)
			}
			for i, a := range o.about(cluster, m.word) {
				said, ofNothing := s.answered(t, a), s.answered(t, of[i])
				said = strings.ReplaceAll(said, m.word, none)
				if !strings.Contains(ofNothing, cluster) {
					said = strings.ReplaceAll(said, cluster, nothing)
				}
				if said != ofNothing {
					t.Errorf("%s %s %s %v: there is something:\n%s\nof nothing:\n%s", name, a.method, a.path, a.body, clip(said), clip(ofNothing))
				}
			}
		}
	}
}

// hides fails for every mark outside of the scope that was said.
func (p planted) hides(t *testing.T, name string, a probe, said string, sees graph.Scope, about string) {
	t.Helper()
	for _, m := range p.marks {
		if at := strings.Index(said, m.word); !m.in(sees) && m.word != about && at >= 0 {
			t.Errorf("%s %s %s %v says %s: …%s…", name, a.method, a.path, a.body, m.word, said[max(0, at-300):min(len(said), at+100)])
		}
	}
}

func clip(s string) string { return s[:min(len(s), 1500)] }

// TestASeenClusterLooksAsIfTheOthersWereNotThere compares every answer, with all
// its counts, with that of a server that has nothing else.
func TestASeenClusterLooksAsIfTheOthersWereNotThere(t *testing.T) {
	p := plant("one", "two")
	sees := graph.Scope{Segments: map[string][]string{"cluone": nil}}
	part, alone := p.serve(t).as(t, sees), p.only(sees).serve(t)
	for name, o := range operations {
		asks := []probe{}
		if o.all != nil {
			asks = append(asks, o.all()...)
		}
		if o.about != nil && !strings.Contains(strings.ToLower(name), "registry") { // only who sees all may do that
			asks = append(asks, o.about("cluone", "qzoneaa")...)
		}
		for _, a := range asks {
			if got, want := unordered(part.answered(t, a)), unordered(alone.answered(t, a)); got != want {
				t.Errorf("%s %s %v:\n%s\nalone:\n%s", name, a.path, a.body, differing(got, want), differing(want, got))
			}
		}
	}
}

// unordered is an answer with its lists and lines sorted: what clusters share is
// listed as it arrived, and two workers read images in any order.
func unordered(answer string) string {
	lines := strings.Split(answer, "\n")
	for i, l := range lines {
		var v any
		if at := strings.IndexAny(l, "{["); at >= 0 && json.Unmarshal([]byte(l[at:]), &v) == nil {
			lines[i] = l[:at] + sortedLists(v)
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func sortedLists(v any) string {
	switch v := v.(type) {
	case []any:
		items := make([]string, len(v))
		for i, item := range v {
			items[i] = sortedLists(item)
		}
		slices.Sort(items)
		return "[" + strings.Join(items, ",") + "]"
	case map[string]any:
		var out strings.Builder
		for _, k := range slices.Sorted(maps.Keys(v)) {
			fmt.Fprintf(&out, "%q:%s,", k, sortedLists(v[k]))
		}
		return "{" + out.String() + "}"
	}
	return fmt.Sprintf("%#v", v)
}

// differing is a text from where it begins to differ.
func differing(a, b string) string {
	i := 0
	for i < min(len(a), len(b)) && a[i] == b[i] {
		i++
	}
	return "…" + a[max(0, i-200):min(len(a), i+300)] + "…"
}

func TestEventsSayOnlyWhatIsDifferentInTheScope(t *testing.T) {
	p := plant("one", "two")
	s := p.serve(t)
	for _, sees := range []graph.Scope{{Segments: map[string][]string{"cluone": {"qzoneaa"}}},
		{Segments: map[string][]string{"cluone": {"qzoneaa", "qzonebb"}, "clutwo": nil}}} {
		asker := s.as(t, sees)
		resp := asker.send(t, "GET", "/events", nil, nil)
		read := make(chan string, 100)
		go func() {
			defer close(read)
			b := make([]byte, 1<<16)
			for {
				n, err := resp.Body.Read(b)
				if n > 0 {
					read <- string(b[:n])
				}
				if err != nil {
					return
				}
			}
		}()
		<-read // the first one says that it begins
		put := func(kind, namespace, name string, object any) {
			s.drop <- collect.Change{Op: collect.Put, Kind: kind, Key: collect.Key{Namespace: namespace, Name: name}, Object: object}
		}
		pod := func(namespace, name string) *collect.Pod {
			key := collect.Key{Namespace: namespace, Name: name}
			return &collect.Pod{Key: key, Phase: "Running", Labels: &collect.Labels{}, Shape: &collect.PodShape{ServiceAccount: "fresh-" + name}}
		}
		name := fmt.Sprint("n", len(sees.Segments))
		gap := &collect.Gap{Source: "api", What: "gadgets " + name, Why: "403", Consequence: "unseen", Kinds: []string{"AdmissionWebhook"}}
		put("Pod", "qzonecc", "hidden"+name, pod("qzonecc", "hidden"+name))
		s.drop <- collect.Change{Op: collect.GapOpen, Gap: gap}
		s.until(t, "what is hidden is drawn", func() bool {
			return s.ask(t, "MATCH (p:Pod) WHERE p.name = 'hidden"+name+"' RETURN p").Roots == 1
		})
		put("Pod", "qzoneaa", "shown"+name, pod("qzoneaa", "shown"+name))
		var told []string
		for text := range read {
			if text = strings.ReplaceAll(text, ": still here\n\n", ""); text == "" {
				continue
			}
			told = append(told, text)
			if strings.Contains(text, `"Pod"`) {
				break
			}
		}
		if len(told) != 1 || strings.Contains(told[0], "Gap") || !strings.Contains(told[0], `"cluster":"cluone"`) {
			t.Errorf("%s is told %q", sees, told)
		}
		resp.Body.Close()
	}
}

func TestASessionWhoseScopeCannotBeReadSeesNothing(t *testing.T) {
	s := plant("one").serve(t)
	link, err := s.store.NewSignIn(t.Context(), time.Minute, "all of it", "alice")
	if err != nil {
		t.Fatal(err)
	}
	token, err := s.store.SignIn(t.Context(), link, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	s.client.Transport = withCookie{&http.Cookie{Name: sessionCookie, Value: token}}
	if resp := s.send(t, "GET", "/status", nil, nil); resp.StatusCode != http.StatusInternalServerError {
		t.Error(resp.Status)
	}
}
