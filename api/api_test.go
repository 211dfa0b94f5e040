package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/getkin/kin-openapi/routers"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/collect/kube"
	"github.com/breakwater-sec/breakwater/collect/registry"
	"github.com/breakwater-sec/breakwater/enrichment"
	harborshop "github.com/breakwater-sec/breakwater/examples/harbor-shop"
	"github.com/breakwater-sec/breakwater/examples/harbor-shop/advisories"
	"github.com/breakwater-sec/breakwater/image"
	"github.com/breakwater-sec/breakwater/live"
	"github.com/breakwater-sec/breakwater/registries"
	"github.com/breakwater-sec/breakwater/scope"
	"github.com/breakwater-sec/breakwater/store"
	"github.com/breakwater-sec/breakwater/vuln"
	"github.com/breakwater-sec/breakwater/watch"
)

// served is the server over the sample estate, signed in.
type served struct {
	url       string
	client    *http.Client
	store     *store.Store
	live      *live.Live
	context   *enrichment.Context
	connected *registries.Watcher
	drop      chan collect.Change
	router    routers.Router
	handler   http.Handler // of serveNothing
}

// run serves what is watched until the test ends.
func (s *served) run(t *testing.T, w *watch.Watch, handler http.Handler) {
	t.Helper()
	s.live, s.connected = w.Live, w.Registries
	web := httptest.NewServer(handler)
	s.url = web.URL
	ctx, stop := context.WithCancel(context.Background())
	if err := w.Resume(ctx); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		web.CloseClientConnections()
		web.Close()
		if err := errors.Join(<-done, s.store.Close()); err != nil {
			t.Error(err)
		}
	})
}

// serveSample runs the whole server in this process on the sample estate. What a
// test sends to drop is told of harbor-prod.
func serveSample(t *testing.T) *served {
	t.Helper()
	ctx := context.Background()
	estate, err := harborshop.Open(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { estate.Close() })
	db, err := vuln.Read(ctx, advisories.FS)
	if err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(ctx, filepath.Join(t.TempDir(), "b.db"))
	if err != nil {
		t.Fatal(err)
	}
	rules, err := analyse.Load("")
	if err != nil {
		t.Fatal(err)
	}
	s := &served{store: st, drop: make(chan collect.Change), client: &http.Client{}}
	var sources []live.Source
	for _, c := range estate.Clusters {
		sources = append(sources, live.Source{Name: c.Name, Watch: func(ctx context.Context, emit func(collect.Change)) error {
			f, err := kube.ReadFS(c.Manifests)
			if err != nil {
				return err
			}
			for _, kind := range collect.Kinds {
				for k, o := range f.Each(kind) {
					emit(collect.Change{Op: collect.Put, Kind: kind, Key: k, Object: o})
				}
			}
			emit(collect.Change{Op: collect.Synced, Time: time.Now()})
			for c.Name == "harbor-prod" {
				select {
				case ch := <-s.drop:
					emit(ch)
				case <-ctx.Done():
					return nil
				}
			}
			<-ctx.Done()
			return nil
		}})
	}
	opts := image.Options{Transport: estate.Transport(http.DefaultTransport), Cache: st}
	log := slog.New(slog.DiscardHandler)
	reader := registry.Reader{Transport: estate.Transport(http.DefaultTransport), PerSecond: 10_000}
	w, err := watch.New(watch.Config{
		Live: live.Config{Records: st, Rules: rules, Log: log}, Sources: sources,
		Images: assess.Config{Advisories: func() *vuln.DB { return db }, Records: st, Owner: "test", Workers: 2, Log: log,
			Scan: func(ctx context.Context, ref image.Reference) (*image.Inventory, error) {
				return image.Scan(ctx, ref, opts)
			}},
		Registries: registries.Config{Read: reader.Read, Check: reader.Check, Look: reader.Look, Wants: registry.Wants, Valid: registry.Valid,
			Preview: reader.Preview,
			Account: reader.Account, Every: time.Hour, Records: st, Log: log}})
	if err != nil {
		t.Fatal(err)
	}
	s.context = enrichment.New(w.Live.World)
	handler, err := New(Config{Unscoped: scope.Config{Picture: w.Live, Images: w.Images, Registries: w.Registries, Records: st,
		Sensors: st, Tokens: st}, About: enrichment.About, Sessions: st, Senders: st, Pushed: w.Registries.Pushed,
		Uploaded: func(ctx context.Context, u assess.Upload) error {
			all, err := st.Uploads(ctx)
			if err = errors.Join(err, st.PutUpload(ctx, u)); err == nil {
				all[u.ID] = u
				w.Images.Uploaded(all)
			}
			return err
		},
		Advisories: func() *vuln.DB { return db }, PathTypes: rules.PathTypes(), Log: log, Version: "test", Exceptions: exceptionsOfTheSample(t),
		Assets: fstest.MapFS{"index.html": {Data: []byte("<!doctype html>portal")}, "assets/a-1.js": {Data: []byte("1")}}})
	if err != nil {
		t.Fatal(err)
	}
	s.run(t, w, handler)
	s.signIn(t)
	const all = 32 // paths of the sample: with fewer more come in while a test asks
	s.until(t, "everything is assessed", func() bool {
		var st Status
		s.get(t, "/status", &st)
		return st.Images.Total > 5 && st.Images.Waiting == 0 && s.drawn(t) && len(s.paths(t, "")) >= all
	})
	return s
}

func (s *served) signIn(t *testing.T) {
	t.Helper()
	token, err := s.store.NewSignIn(t.Context(), time.Minute, `{"all":true}`, "alice")
	if err != nil {
		t.Fatal(err)
	}
	resp := s.send(t, "POST", "/session", map[string]string{"token": token}, nil)
	if resp.StatusCode != http.StatusNoContent || len(resp.Cookies()) != 1 {
		t.Fatalf("sign in: %s", resp.Status)
	}
	c := resp.Cookies()[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode {
		t.Errorf("cookie %+v", c)
	}
	s.client.Transport = withCookie{c}
}

type withCookie struct{ c *http.Cookie }

func (w withCookie) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.AddCookie(w.c)
	return http.DefaultTransport.RoundTrip(r)
}

func (s *served) send(t *testing.T, method, path string, body any, header map[string]string) *http.Response {
	t.Helper()
	var in io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		in = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, s.url+"/api/v1"+path, in)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for k, v := range header {
		if k == "Host" {
			req.Host = v
		}
		req.Header.Set(k, v)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	if s.router == nil {
		s.router = contract(t, s.url)
	}
	hold(t, s.router, req, resp)
	return resp
}

func (s *served) get(t *testing.T, path string, into any) {
	t.Helper()
	resp := s.send(t, "GET", path, nil, nil)
	s.decode(t, path, resp, into)
}

func (s *served) decode(t *testing.T, path string, resp *http.Response, into any) {
	t.Helper()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %s %v", path, resp.Status, b, err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatalf("%s: %v: %s", path, err, b)
	}
}

func (s *served) until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if is() {
			return
		}
	}
	t.Fatalf("never: %s", what)
}

// drawn says whether the graph has every image that was read: it is a moment behind.
func (s *served) drawn(t *testing.T) bool {
	t.Helper()
	var l ImageList
	s.get(t, "/images?limit=1000&state=done", &l)
	return !slices.ContainsFunc(l.Items, func(i ImageRow) bool { return i.Vulnerabilities == nil })
}

func (s *served) paths(t *testing.T, query string) []PathRow {
	t.Helper()
	var l PathList
	s.get(t, "/paths"+query, &l)
	return l.Items
}

type answer struct {
	Text  string
	Rows  [][]any
	Roots int
	Total int
	Gaps  []map[string]any
}

func (s *served) ask(t *testing.T, text string) answer {
	t.Helper()
	var a answer
	s.decode(t, "/query", s.send(t, "POST", "/query", map[string]any{"text": text}, nil), &a)
	return a
}

// examples asks those of docs/query-language.md: a person who copies one gets an answer.
func (s *served) examples(t *testing.T) {
	page, err := os.ReadFile("../docs/query-language.md")
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	found := func(what string, question map[string]any) {
		var a answer
		asked++
		if s.decode(t, "/query", s.send(t, "POST", "/query", question, nil), &a); a.Roots == 0 || len(a.Rows) == 0 {
			t.Errorf("it finds nothing: %s", what)
		}
	}
	for i, block := range strings.Split(string(page), "```") {
		language, body, _ := strings.Cut(block, "\n")
		switch {
		case i%2 == 0:
		case language == "json":
			found(body, map[string]any{"query": json.RawMessage(body)})
		case strings.HasPrefix(body, "MATCH"):
			text := ""
			for line := range strings.Lines(body) {
				if text += line; strings.Contains(line, "RETURN") {
					found(text, map[string]any{"text": text})
					text = ""
				}
			}
		}
	}
	if asked < 6 {
		t.Errorf("only %d examples were found", asked)
	}
}

func TestTheSampleIsServed(t *testing.T) {
	s := serveSample(t)
	t.Run("the hunt", func(t *testing.T) {
		a := s.ask(t, "MATCH (i:Image) MATCH (i)-[:HAS_VULNERABILITY]->(v:Vulnerability) WHERE v.id CONTAINS '3889' "+
			"MATCH (i)<-[:RUNS_IMAGE]-(p:Pod) RETURN i, p")
		if a.Roots == 0 || a.Total < a.Roots || !strings.Contains(a.Text, "USES_IMAGE") {
			t.Errorf("%+v", a)
		}
		if len(a.Gaps) == 0 {
			t.Error("nothing is said of the images that were never scanned")
		}
	})
	t.Run("the path, its vulnerabilities and their page", func(t *testing.T) {
		rows := s.paths(t, "?type=exposed-vulnerable-pod")
		const title = "Internet exposed Kubernetes pod is running a container with high severity vulnerabilities: "
		if len(rows) == 0 || !strings.HasPrefix(rows[0].Title, title) {
			t.Fatalf("%+v", rows)
		}
		id := "cluster=" + rows[0].Cluster + "&id=" + rows[0].Id
		var p PathPage
		s.get(t, "/path?"+id, &p)
		if len(p.Path.Steps) < 3 || len(p.Path.Story) == 0 || len(p.Path.Fixes) < 2 || len(p.Path.Vulnerabilities) == 0 ||
			p.Status != PathStatusActive || len(p.History) == 0 {
			t.Errorf("%+v", p)
		}
		for _, thing := range p.Path.Nodes {
			var e Entity
			s.get(t, "/entity?kind="+thing.Kind+"&id="+url.QueryEscape(thing.ID), &e)
		}
		var v VulnerabilityList
		s.get(t, "/vulnerabilities?cluster="+rows[0].Cluster+"&path="+rows[0].Id, &v)
		if v.Total == 0 || v.Path == nil || v.Path.Id != rows[0].Id {
			t.Errorf("%+v", v)
		}
		var page VulnerabilityPage
		s.get(t, "/vulnerability?id="+v.Items[0].Id, &page)
		if len(page.Findings) == 0 || len(page.Paths) == 0 || page.SeveritySource == "" || page.RceWhy == "" {
			t.Errorf("%+v", page)
		}
	})
	t.Run("every example of the query language's page finds something", func(t *testing.T) { s.examples(t) })
	t.Run("recommendations say what to update, where, and which paths that breaks", func(t *testing.T) { s.recommendations(t) })
	t.Run("a vulnerability counts each path that it opens once, in every place", func(t *testing.T) { s.vulnerabilityCounts(t) })
	t.Run("a vulnerability is answered by any of its ids, and so is one that nobody has", func(t *testing.T) { s.affectedBy(t) })
	t.Run("every group of paths opens as many as it counts", func(t *testing.T) { s.pathGroups(t) })
	t.Run("paths are counted by the class of their entry", func(t *testing.T) { s.pathClasses(t) })
	t.Run("within one cluster nothing of another is seen or counted", func(t *testing.T) { s.withinOne(t) })
	t.Run("home says what its numbers do not know", func(t *testing.T) { s.home(t) })
	t.Run("every page has an answer", func(t *testing.T) {
		for _, path := range []string{"/home", "/coverage", "/images", "/schema", "/templates", "/session", "/search?q=web",
			"/report/graph", "/report/paths", "/report/exposure", "/report/recommendations", "/entity?kind=Cluster&id=harbor-prod/Cluster",
			"/query/export?text=MATCH%20(p:Pod)%20RETURN%20p"} {
			if resp := s.send(t, "GET", path, nil, nil); resp.StatusCode != http.StatusOK {
				b, _ := io.ReadAll(resp.Body)
				t.Errorf("%s: %s: %s", path, resp.Status, b)
			}
		}
	})
	t.Run("an export says behind its rows what could not be seen", func(t *testing.T) { s.exports(t) })
	t.Run("every image has a page, and the unknown ones are not clean", func(t *testing.T) {
		var l ImageList
		s.get(t, "/images", &l)
		unknown := 0
		for _, i := range l.Items {
			var p ImagePage
			s.get(t, "/image?id="+i.Id, &p)
			if i.State != Done {
				unknown++
				if i.Vulnerabilities != nil || i.Error == nil {
					t.Errorf("%s is %s and says %v", i.Name, i.State, i.Vulnerabilities)
				}
			} else if len(p.Layers) == 0 || len(p.Packages) == 0 {
				t.Errorf("%s: nothing inside", i.Name)
			}
		}
		if unknown == 0 {
			t.Error("the sample has no unknown image: this proves nothing")
		}
	})
	t.Run("images are held against each other", func(t *testing.T) { s.imageDifferences(t) })
	t.Run("what is known of an image is handed out in every format", func(t *testing.T) { s.imageReports(t) })
	t.Run("what people accepted is marked wherever it is shown", func(t *testing.T) { s.acceptedOnes(t) })
	t.Run("exceptions say for what they hold", func(t *testing.T) { s.exceptionCounts(t) })
	t.Run("errors are told as problems", func(t *testing.T) {
		for path, want := range map[string]int{"/path?cluster=a&id=b": 404, "/entity?kind=Nonsense&id=b": 400,
			"/paths?group=x": 400, "/entity?kind=Pod&id=b": 404,
			"/paths?limit=x": 400, "/paths?cursor=none": 400, "/nonsense": 404, "/vulnerability?id=%20": 400,
			"/vulnerabilities?path=x": 400, "/report/image?id=none": 404, "/report/image?id=none&format=xlsx": 400} {
			resp := s.send(t, "GET", path, nil, nil)
			if resp.StatusCode != want || resp.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s: %s, %s; want %d", path, resp.Status, resp.Header.Get("Content-Type"), want)
			}
		}
	})
	t.Run("a wrong question points at its place", func(t *testing.T) {
		resp := s.send(t, "POST", "/query", map[string]any{"text": "MATCH (p:Pood) RETURN p"}, nil)
		var c Checked
		if err := json.NewDecoder(resp.Body).Decode(&c); err != nil || resp.StatusCode != 400 || len(c.Problems) == 0 ||
			c.Problems[0].Line != 1 || c.Problems[0].Col != 10 || !strings.Contains(c.Problems[0].Suggestion, "Pod") {
			t.Errorf("%s %+v %v", resp.Status, c, err)
		}
	})
	t.Run("a route that goes resolves its path, and it stays readable", func(t *testing.T) { s.resolve(t) })
}

// resolve takes an ingress away and waits for the path over it to be resolved.
func (s *served) resolve(t *testing.T) {
	var row PathRow
	for _, r := range s.paths(t, "?type=exposed-vulnerable-pod&cluster=harbor-prod") {
		var p PathPage
		s.get(t, "/path?cluster="+r.Cluster+"&id="+r.Id, &p)
		if p.Path.Steps[0].To != "" && strings.Contains(p.Path.Steps[0].To, "/Ingress/") && len(p.Path.Also) == 0 {
			row = r
			parts := strings.Split(p.Path.Steps[0].To, "/")
			s.drop <- collect.Change{Op: collect.Gone, Kind: "Ingress", Key: collect.Key{Namespace: parts[1], Name: parts[3]}}
			break
		}
	}
	if row.Id == "" {
		t.Fatal("no path goes through an ingress alone")
	}
	s.until(t, "the path is resolved", func() bool {
		var p PathPage
		s.get(t, "/path?cluster="+row.Cluster+"&id="+row.Id, &p)
		return p.Status == PathStatusResolved
	})
	for _, r := range s.paths(t, "") {
		if r.Id == row.Id {
			t.Error("a resolved path is listed as open")
		}
	}
}

func TestNobodyGetsInWithoutASession(t *testing.T) {
	s := serveNothing(t, Config{})
	for _, path := range []string{"/status", "/events", "/report/graph", "/query/export?text=x", "/session", "/paths", "/alerts",
		"/alert?cluster=a&id=b", "/nonsense"} {
		if resp := s.send(t, "GET", path, nil, nil); resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s without a session: %s", path, resp.Status)
		}
	}
	if resp := s.send(t, "POST", "/session", map[string]string{"token": "guessed"}, nil); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("a guessed token: %s", resp.Status)
	}
	s.signIn(t)
	if resp := s.send(t, "GET", "/status", nil, nil); resp.StatusCode != http.StatusOK {
		t.Errorf("signed in: %s", resp.Status)
	}
	if resp := s.send(t, "GET", "/status", nil, map[string]string{"Host": "evil.example"}); resp.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("by another name: %s", resp.Status)
	}
	if resp := s.send(t, "POST", "/query", map[string]any{"text": "MATCH (p:Pod) RETURN p"},
		map[string]string{"Origin": "https://evil.example"}); resp.StatusCode != http.StatusForbidden {
		t.Errorf("from another site: %s", resp.Status)
	}
	if resp := s.send(t, "DELETE", "/session", nil, nil); resp.StatusCode != http.StatusNoContent {
		t.Errorf("sign out: %s", resp.Status)
	}
	if resp := s.send(t, "GET", "/status", nil, nil); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("signed out: %s", resp.Status)
	}
	page, err := http.Get(s.url + "/paths?x=1")
	if err != nil {
		t.Fatal(err)
	}
	defer page.Body.Close()
	if csp := page.Header.Get("Content-Security-Policy"); page.StatusCode != 200 || !strings.Contains(csp, "default-src 'none'") ||
		strings.Contains(csp, "script-src 'self' 'unsafe") {
		t.Errorf("a page of the portal: %s, %q", page.Status, csp)
	}
}

func TestEventsTellOfANewPicture(t *testing.T) {
	s := serveSample(t)
	resp := s.send(t, "GET", "/events", nil, nil)
	read := make(chan string, 100)
	go func() {
		b := make([]byte, 4096)
		for {
			n, err := resp.Body.Read(b)
			if n > 0 {
				read <- string(b[:n])
			}
			if err != nil {
				close(read)
				return
			}
		}
	}()
	if first := <-read; !strings.Contains(first, "event: world") {
		t.Errorf("first: %q", first)
	}
	key := collect.Key{Namespace: "shop", Name: "brand-new"}
	s.drop <- collect.Change{Op: collect.Put, Kind: "Pod", Key: key,
		Object: &collect.Pod{Key: key, Phase: "Running", Labels: &collect.Labels{}, Shape: &collect.PodShape{ServiceAccount: "default"}}}
	for text := range read {
		if strings.Contains(text, "harbor-prod") && strings.Contains(text, `"Pod"`) {
			break
		}
	}
	if a := s.ask(t, "MATCH (p:Pod) WHERE p.name = 'brand-new' RETURN p"); a.Roots != 1 {
		t.Errorf("%+v", a)
	}
}

func TestGeneratedCodeIsFresh(t *testing.T) {
	config, err := os.ReadFile("oapi-codegen.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	out, elsewhere := filepath.Join(dir, "gen.go"), filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(elsewhere, bytes.Replace(config, []byte("output: gen.go"), []byte("output: "+out), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if b, err := exec.Command("go", "tool", "oapi-codegen", "-config", elsewhere, "openapi.yaml").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	want, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	have, err := os.ReadFile("gen.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, want) {
		t.Error("gen.go is stale: make generate")
	}
}

// vulnerabilityCounts asks for the number of the list in the three places that tell it.
func (s *served) vulnerabilityCounts(t *testing.T) {
	var l VulnerabilityList
	s.get(t, "/vulnerabilities", &l)
	var images ImageList
	s.get(t, "/images?limit=1000", &images)
	partly, none := 0, 0
	for _, i := range images.Items {
		if i.Partly {
			partly++
		}
		if i.Partly && deref(i.Vulnerabilities) == 0 {
			none++
			if i.Severity != nil {
				t.Errorf("%s: severity %s, though it was read in part and none is known", i.Name, *i.Severity)
			}
		}
	}
	if l.Partly != partly || none == 0 {
		t.Errorf("%d images read in part, want %d; %d of them without a vulnerability, want some", l.Partly, partly, none)
	}
	counted, inTwoPackages := 0, false
	for _, v := range l.Items {
		var page VulnerabilityPage
		s.get(t, "/vulnerability?id="+v.Id, &page)
		var paths PathList
		s.get(t, "/paths?vulnerability="+v.Id, &paths)
		if v.Paths != page.Row.Paths || v.Paths != len(page.Paths) || v.Paths != paths.Total {
			t.Errorf("%s opens %d paths in the list, %d and %d on its page, %d in the list of paths", v.Id, v.Paths, page.Row.Paths,
				len(page.Paths), paths.Total)
		}
		counted += v.Paths
		inTwoPackages = inTwoPackages || v.Paths > 0 && len(v.Packages) > 1
	}
	if counted == 0 || !inTwoPackages {
		t.Error("no vulnerability of two packages opens a path: this proves nothing")
	}
}

// withinOne asks the same of all clusters and of each.
func (s *served) withinOne(t *testing.T) {
	var all PathList
	s.get(t, "/paths", &all)
	sum := 0
	for _, cluster := range []string{"harbor-prod", "harbor-dev"} {
		var paths PathList
		s.get(t, "/paths?within="+cluster, &paths)
		for _, p := range paths.Items {
			if p.Cluster != cluster {
				t.Errorf("within %s: %s of %s", cluster, p.Title, p.Cluster)
			}
		}
		var home Home
		s.get(t, "/home?within="+cluster, &home)
		if len(home.Clusters) != 1 || home.Clusters[0].Name != cluster || home.Counts[0].Of != paths.Total {
			t.Errorf("home within %s: %+v", cluster, home.Counts[0])
		}
		sum += paths.Total
	}
	if sum != all.Total || sum == 0 {
		t.Errorf("%d paths in all clusters, %d in each", all.Total, sum)
	}
	if resp := s.send(t, "GET", "/home?within=nowhere", nil, nil); resp.StatusCode != http.StatusNotFound {
		t.Errorf("a cluster that is not there: %s", resp.Status)
	}
}
