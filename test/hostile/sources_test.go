package hostile

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/breakwater-sec/breakwater/detect/builtin"
	"github.com/breakwater-sec/breakwater/ingest"
	"github.com/breakwater-sec/breakwater/pipeline"
	"github.com/breakwater-sec/breakwater/store"
)

// receiver is endpoint, stream, pipeline and store as a server has them.
type receiver struct {
	store   *store.Store
	address string
	roots   *x509.CertPool
	counts  func(context.Context) ([]ingest.Count, error)
}

func receive(t *testing.T) *receiver {
	t.Helper()
	return receiving(t, func(_ string, in *ingest.Config, _ *pipeline.Config) {
		in.SensorTokens = true // one token for all sensors is worse than a certificate each
	})
}

// receiving is an endpoint for events and their pipeline, changed as the test wants; authority is the folder of its keys.
func receiving(t *testing.T, change func(authority string, in *ingest.Config, through *pipeline.Config)) *receiver {
	t.Helper()
	dir, log := t.TempDir(), slog.New(slog.DiscardHandler)
	s, err := store.Open(t.Context(), filepath.Join(dir, "db"))
	if err != nil {
		t.Fatal(err)
	}
	authority := filepath.Join(dir, "ca")
	ca, err := ingest.OpenAuthority(authority)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := builtin.Load()
	if err != nil {
		t.Fatal(err)
	}
	in := ingest.Config{Listen: "127.0.0.1:0", TLS: ca.TLS("127.0.0.1"), Tokens: s, Sensors: s, Dir: filepath.Join(dir, "stream"), Log: log}
	through := pipeline.Config{Rules: rules, Records: s, Tell: func() {}, Log: log}
	change(authority, &in, &through)
	server, err := ingest.New(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(context.Background())
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return server.Run(ctx) })
	g.Go(func() error { return pipeline.New(through).Run(ctx, server.Consume) })
	t.Cleanup(func() {
		end()
		if err := errors.Join(g.Wait(), server.Close(), s.Close()); err != nil {
			t.Error(err)
		}
	})
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca.PEM)
	return &receiver{s, server.Addr().String(), roots, server.Counts}
}

func (r *receiver) token(t *testing.T, cluster string, kind ingest.Kind) string {
	t.Helper()
	token, err := r.store.NewIngestToken(t.Context(), store.IngestToken{Cluster: cluster, Kind: string(kind)})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// source is one sender with a connection of its own.
type source struct {
	*receiver
	cluster, token string
	client         *http.Client
}

func (r *receiver) source(at, cluster, token string) *source {
	return &source{r, cluster, token, &http.Client{Timeout: time.Minute,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: r.roots}, DialContext: from(at).DialContext}}}
}

// from dials as another machine does, from an address of its own.
func from(at string) *net.Dialer { return &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(at)}} }

// Where the attack comes from: the stolen machine's network, and a second sensor of it.
const (
	network = "127.0.0.66"
	beside  = "127.0.0.67"
)

// post sends a body and gives the status; 0 if there was no answer.
func (s *source) post(ctx context.Context, path string, body []byte, header ...string) int {
	status, _ := s.told(ctx, path, body, header...)
	return status
}

// told sends a body and gives the answer.
func (s *source) told(ctx context.Context, path string, body []byte, header ...string) (status int, text string) {
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+s.address+path, bytes.NewReader(body))
	if err != nil {
		return 0, ""
	}
	q.Header.Set("Authorization", "Bearer "+s.token)
	for i := 0; i+1 < len(header); i += 2 {
		q.Header.Set(header[i], header[i+1])
	}
	a, err := s.client.Do(q)
	if err != nil {
		return 0, ""
	}
	defer a.Body.Close()
	said, _ := io.ReadAll(a.Body)
	return a.StatusCode, string(said)
}

// recorded is the first line of a recording.
func recorded(t *testing.T, file string) string {
	t.Helper()
	all, err := os.ReadFile(filepath.Join("..", "..", "packs", "detect", file))
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(all), "\n")
	return line
}

func list(events ...string) []byte {
	return []byte(`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[` + strings.Join(events, ",") + `]}`)
}

func zipped(b []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, _ = z.Write(b)
	_ = z.Close()
	return out.Bytes()
}

// take posts an event until it is taken. To be told that one sends too much is an error. A connection that broke off, a database
// that others keep busy and a body that came slowly are none: the machine may be slow.
func (s *source) take(ctx context.Context, event, who string) error {
	body := list(strings.ReplaceAll(event, `"alice"`, `"`+who+`"`))
	for ctx.Err() == nil {
		status := s.post(ctx, "/v1/audit/"+s.cluster, body)
		if status == http.StatusOK {
			return nil
		}
		refused := s.standing(s.cluster).refused
		if delete(refused, "slow"); status == http.StatusTooManyRequests && len(refused) > 0 {
			return fmt.Errorf("%s of %s was told to come later: %v", who, s.cluster, refused)
		}
		time.Sleep(20 * time.Millisecond)
	}
	return ctx.Err()
}

// honest posts an event and says how long it took until its alert could be read.
func (s *source) honest(ctx context.Context, event, who string) (time.Duration, error) {
	began := time.Now()
	if err := s.take(ctx, event, who); err != nil {
		return 0, err
	}
	for ctx.Err() == nil {
		page, _, err := s.store.Alerts(ctx, store.AlertFilter{Clusters: []string{s.cluster}}, "", 100)
		if err == nil && slices.ContainsFunc(page, func(a store.Alert) bool { return bytes.Contains(a.Body, []byte(`"`+who+`"`)) }) {
			return time.Since(began), nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return 0, fmt.Errorf("no alert of %s", who)
}

// attack is what somebody does who holds the tokens of one cluster, over and over.
type attack struct {
	*receiver
	audit, sensor, other *source
	run                  string
	n                    atomic.Int64
	filled               atomic.Bool // the stream, so that not even one small event has room
}

// large and little are uploads that are nearly whole: large ones take the memory, little ones what is left between them.
func (a *attack) large(ctx context.Context)  { a.stalled(ctx, 1_500_000) }
func (a *attack) little(ctx context.Context) { a.stalled(ctx, 60_000) }

var nearlyWhole = bytes.Repeat([]byte(" "), 1_400_000)

// stalled holds an upload of some bytes that is nearly whole.
func (a *attack) stalled(ctx context.Context, size int) {
	dialer := tls.Dialer{NetDialer: from(network), Config: &tls.Config{RootCAs: a.roots, ServerName: "127.0.0.1"}}
	c, err := dialer.DialContext(ctx, "tcp", a.address)
	if err != nil {
		return
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer stop()
	fmt.Fprintf(c, "POST /v1/sensor/events HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer %s\r\nX-Breakwater-Sensor: n/b/1\r\n"+
		"Content-Length: %d\r\n\r\n", a.sensor.token, size)
	_, _ = c.Write(nearlyWhole[:min(len(nearlyWhole), size-1000)])
	_, _ = io.Copy(io.Discard, c)
}

// alerts is a small body of very many records, of which each is an alert.
func (a *attack) alerts(ctx context.Context) {
	id := "526548690c41c8f2f54d2f03134da5456fab0e2e8e2d60ce75b99cba2a211e73"
	var b bytes.Buffer
	for range 3000 {
		n := a.n.Add(1)
		b.WriteString(strings.NewReplacer(id, fmt.Sprintf("%064x", n), `"sequence":`, fmt.Sprintf(`"sequence":%d`, n)).Replace(a.run) + "\n")
	}
	a.other.post(ctx, "/v1/sensor/events", zipped(b.Bytes()), "Content-Encoding", "gzip",
		"X-Breakwater-Sensor", fmt.Sprintf("n/b/%d", a.n.Load()))
}

// patches is one event whose JSON patch names everything in every way.
func (a *attack) patches(ctx context.Context) {
	containers := strings.TrimSuffix(strings.Repeat(`{"name":"c","image":"i"},`, 20_000), ",")
	operations := strings.TrimSuffix(strings.Repeat(`{"op":"add","path":"/spec/template/spec/containers/0","value":{}},`, 9_000), ",")
	a.audit.post(ctx, "/v1/audit/"+a.audit.cluster, list(fmt.Sprintf(`{"level":"RequestResponse","auditID":"%d","stage":"ResponseComplete",`+
		`"verb":"patch","requestURI":"/apis/apps/v1/namespaces/x/deployments/y","user":{"username":"mallory"},"responseStatus":{"code":200},`+
		`"objectRef":{"resource":"deployments","namespace":"x","name":"y","apiGroup":"apps"},"requestObject":[%s],`+
		`"responseObject":{"kind":"Deployment","spec":{"template":{"spec":{"containers":[%s]}}}}}`, a.n.Add(1), operations, containers)))
}

// fills takes what large batches leave of the stream, in smaller and smaller ones.
func (a *attack) fills(ctx context.Context) {
	const least = 64 // beside what every event has: less than those of others
	for size := 512 << 10; ctx.Err() == nil; {
		_, said := a.audit.told(ctx, "/v1/audit/"+a.audit.cluster, list(fmt.Sprintf(`{"level":"Metadata","auditID":"%d",`+
			`"stage":"ResponseComplete","verb":"get","requestURI":%q}`, a.n.Add(1), strings.Repeat("/", size))))
		switch full := strings.Contains(said, "faster than they are analysed"); {
		case full && size == least:
			a.filled.Store(true)
			return
		case full:
			size = max(least, size/2)
		}
	}
}

// owners is objects in layers, each of which owns all of the next.
func (a *attack) owners(ctx context.Context) {
	var events []string
	for layer := range 8 {
		for o := range 16 {
			for owner := range 16 {
				events = append(events, fmt.Sprintf(`{"level":"RequestResponse","auditID":"%d","stage":"ResponseComplete","verb":"create",`+
					`"requestURI":"/api/v1/namespaces/x/things","user":{"username":"system:serviceaccount:x:y"},"responseStatus":{"code":201},`+
					`"objectRef":{"resource":"things","namespace":"x","name":"o%d-%d","apiGroup":"things.example"},"responseObject":{"kind":"Thing",`+
					`"metadata":{"name":"o%d-%d","uid":"u%d-%d","ownerReferences":[{"apiVersion":"things.example/v1","kind":"Thing",`+
					`"uid":"u%d-%d","controller":true}]}}}`, a.n.Add(1), layer, o, layer, o, layer, o, layer-1, owner))
			}
		}
	}
	a.audit.post(ctx, "/v1/audit/"+a.audit.cluster, list(events...))
}

// nodes invents one.
func (a *attack) nodes(ctx context.Context) {
	status := fmt.Sprintf(`{"version":1,"node":"invented-%d","boot":"b","lost":{"x":1},"kernel":%q}`, a.n.Add(1), strings.Repeat("k", 10<<10))
	a.sensor.post(ctx, "/v1/sensor/status", []byte(status))
}

// guesses tries a wrong token.
func (a *attack) guesses(ctx context.Context) {
	wrong := *a.sensor
	wrong.token = fmt.Sprint("wrong-", a.n.Add(1))
	wrong.post(ctx, "/v1/sensor/events", []byte("{}"))
}

// connects holds a connection that says nothing.
func (a *attack) connects(ctx context.Context) {
	c, err := from(network).DialContext(ctx, "tcp", a.address)
	if err != nil {
		return
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer stop()
	_, _ = io.Copy(io.Discard, c)
}

// beat is how long an attacker waits before the next blow: what blows cost those who deal them is not what is tried here.
const beat = 20 * time.Millisecond

// atFullTilt does all of it until the returned func is called.
func (a *attack) atFullTilt() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var g sync.WaitGroup
	for _, of := range []struct {
		do     func(context.Context)
		beside int
		pause  time.Duration
	}{{a.large, 200, time.Second}, {a.little, 100, beat}, {a.fills, 2, beat},
		{a.alerts, 2, beat}, {a.patches, 2, beat}, {a.owners, 1, beat}, {a.nodes, 2, beat}, {a.guesses, 2, beat},
		{a.connects, 300, time.Second}} {
		for range of.beside {
			g.Go(func() {
				for ctx.Err() == nil {
					of.do(ctx)
					time.Sleep(of.pause)
				}
			})
		}
	}
	return func() { cancel(); g.Wait() }
}

// nine are honest clusters: each posts some events, one after the other, and waits for the alert of each. Before and after each, look
// is called.
func (r *receiver) nine(t *testing.T, name string, look func() (then func())) (took []time.Duration) {
	t.Helper()
	exec := recorded(t, "audit/testdata/exec.jsonl")
	all := make(chan time.Duration, clusters*each)
	g, ctx := errgroup.WithContext(t.Context())
	for c := range clusters {
		s := r.source("127.0.0.1", fmt.Sprint(name, "-", c), r.token(t, fmt.Sprint(name, "-", c), ingest.Audit))
		g.Go(func() error {
			defer s.client.CloseIdleConnections()
			for n := range each {
				then := look()
				d, err := s.honest(ctx, exec, fmt.Sprintf("person-%d-%d", c, n))
				if err != nil {
					return err
				}
				then()
				all <- d
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	close(all)
	for d := range all {
		took = append(took, d)
	}
	slices.Sort(took)
	return took
}

const clusters, each = 9, 3

// unwatched looks at nothing.
func unwatched() func() { return func() {} }

func p95(sorted []time.Duration) time.Duration { return sorted[len(sorted)*95/100] }

// standing is what a cluster's sources have sent: how many events wait, how many were analysed, how often which refusal was the answer.
// An event that was stored and not answered in time is sent again.
type standing struct {
	accepted, again, waiting, analysed uint64
	refused                            map[string]uint64
}

func (r *receiver) standing(cluster string) standing {
	unasked, cancel := context.WithCancel(context.Background())
	cancel()
	counts, _ := r.counts(unasked) // what the process counted, without waiting for the stream to say what is there
	return standingOf(counts, cluster)
}

func standingOf(counts []ingest.Count, cluster string) standing {
	out := standing{refused: map[string]uint64{}}
	for _, c := range counts {
		if c.Cluster != cluster {
			continue
		}
		out.accepted += c.Accepted
		out.again += c.Duplicate
		out.waiting += c.Accepted - min(c.Accepted, c.Analysed+c.DeadLettered) // a batch that comes again is counted again
		out.analysed += c.Analysed
		for why, n := range c.Rejected {
			out.refused[why] += n
		}
	}
	return out
}

// later are records for which a pipeline waits before it begins.
type later struct {
	*store.Store
	begin chan struct{}
}

func (l later) AlertedClusters(ctx context.Context, since time.Time) ([]string, error) {
	select {
	case <-l.begin:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return l.Store.AlertedClusters(ctx, since)
}

// keeps on posting for a cluster while the hostile source is told again and again that it holds too much, and says how many were taken.
func (s *source) keepsOn(t *testing.T, event string) (taken uint64) {
	t.Helper()
	told := s.standing("stolen").refused["busy"]
	for t.Context().Err() == nil && s.standing("stolen").refused["busy"] < told+300 {
		if err := s.take(t.Context(), event, fmt.Sprint("early-", taken)); err != nil {
			t.Error(err)
			return taken
		}
		taken++
	}
	return taken
}

// settled is a cluster's standing when the stream has nothing more of it.
func (r *receiver) settled(t *testing.T, cluster string) standing {
	t.Helper()
	for {
		counts, err := r.counts(t.Context()) // what waits is asked first
		if err != nil && t.Context().Err() != nil {
			t.Fatal(err)
		}
		if err == nil && !slices.ContainsFunc(counts, func(c ingest.Count) bool { return c.Cluster == cluster && c.Waiting > 0 }) {
			return standingOf(counts, cluster)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// TestASourceAtFullTiltSlowsItselfAlone: one cluster's tokens are stolen and used for all that they allow; nine others
// go on as if nothing was. They are refused nothing while the stolen ones have filled their shares of memory and of the stream to the
// last bit, though nothing is analysed, and then their alerts come before those of what was sent before them. How long that takes is
// told and not judged.
func TestASourceAtFullTiltSlowsItselfAlone(t *testing.T) {
	quiet := receive(t).nine(t, "quiet", unwatched)
	begin := make(chan struct{})
	r := receiving(t, func(_ string, in *ingest.Config, through *pipeline.Config) {
		in.SensorTokens, in.MaxBytes, in.Memory = true, 16<<20, 16<<20
		through.Records = later{in.Tokens.(*store.Store), begin}
	})
	sensor := r.token(t, "stolen", ingest.Runtime)
	a := &attack{receiver: r, audit: r.source(network, "stolen", r.token(t, "stolen", ingest.Audit)),
		sensor: r.source(network, "stolen", sensor), other: r.source(beside, "stolen", sensor),
		run: recorded(t, "runtime/testdata/privileged-entered.jsonl")}
	t.Logf("while nobody attacks p95 is %v", p95(quiet))
	stop := a.atFullTilt()
	defer stop()
	for !a.filled.Load() || r.standing("stolen").refused["busy"] == 0 { // and no clock but the one of all tests
		time.Sleep(100 * time.Millisecond)
	}
	sent := map[string]uint64{}
	var early sync.WaitGroup
	var mu sync.Mutex
	for c := range clusters {
		name := fmt.Sprint("early-", c)
		s := r.source("127.0.0.1", name, r.token(t, name, ingest.Audit))
		early.Go(func() {
			n := s.keepsOn(t, recorded(t, "audit/testdata/exec.jsonl"))
			mu.Lock()
			defer mu.Unlock()
			sent[name] = n
		})
	}
	early.Wait()
	t.Logf("the hostile source has filled its shares, and nine others were taken: %v", sent)
	close(begin)
	took := r.nine(t, "honest", func() func() {
		before := r.standing("stolen")
		return func() {
			if after := r.standing("stolen"); after.analysed-before.analysed >= before.waiting {
				t.Errorf("an alert came when %d events of the hostile source had been analysed: %d waited when it was sent",
					after.analysed-before.analysed, before.waiting)
			}
		}
	})
	stop()
	t.Logf("%d alerts of nine honest clusters: half within %v, p95 %v, the last %v; while nobody attacks p95 %v", len(took), took[len(took)/2],
		p95(took), took[len(took)-1], p95(quiet))
	for c := range clusters {
		sent[fmt.Sprint("honest-", c)] = each
	}
	for name, n := range sent {
		if s := r.settled(t, name); s.accepted+s.again < n || s.analysed < n {
			t.Errorf("of %d events of %s %d were taken, %d once more, and %d analysed; refused: %v", n, name, s.accepted, s.again, s.analysed,
				s.refused)
		}
	}
	s := r.standing("stolen")
	t.Logf("of the hostile ones %d were analysed and %d wait; refused: %v", s.analysed, s.waiting, s.refused)
}
