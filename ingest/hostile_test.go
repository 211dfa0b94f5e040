package ingest

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/breakwater-sec/breakwater/store"
)

func TestWhatIsRefusedIsCountedByItsReason(t *testing.T) {
	p := newPlace(t, t.TempDir())
	p.config.MaxBody = 1 << 20
	r := p.start(t)
	prod, other, sensor := p.token(t, "prod", Audit), p.token(t, "other", Audit), p.token(t, "prod", Runtime)
	gz := map[string]string{"Content-Encoding": "gzip"}
	whole := gzipped(list(auditEvent(1)))
	tests := []struct {
		name    string
		request request
		status  int
		cluster string
		kind    Kind
		reason  string
	}{
		{"no token", request{path: "/v1/audit/prod", body: list()}, 401, "", Audit, "no token"},
		{"a made-up token", request{path: "/v1/audit/prod", token: "x", body: list()}, 401, "", Audit, "wrong token"},
		{"a token of another cluster", request{path: "/v1/audit/prod", token: other, body: list()}, 403, "other", Audit, "token of another"},
		{"a sensor's token", request{path: "/v1/audit/prod", token: sensor, body: list()}, 403, "prod", Runtime, "token of another"},
		{"an audit token as a sensor's", request{path: "/v1/sensor/events", token: prod, body: "{}"}, 403, "prod", Audit, "token of another"},
		{"no JSON", request{path: "/v1/audit/prod", token: prod, body: "<html>"}, 400, "prod", Audit, "malformed"},
		{"JSON that ends early", request{path: "/v1/audit/prod", token: prod, body: list(auditEvent(1))[:60]}, 400, "prod", Audit, "malformed"},
		{"an event that is a string", request{path: "/v1/audit/prod", token: prod, body: list(auditEvent(1), `"x"`)}, 400, "prod", Audit,
			"malformed"},
		{"another kind of list", request{path: "/v1/audit/prod", token: prod, body: `{"kind":"PodList","apiVersion":"v1","items":[]}`},
			400, "prod", Audit, "malformed"},
		{"an unknown version", request{path: "/v1/audit/prod", token: prod, body: strings.Replace(list(), "/v1", "/v9", 1)}, 400, "prod",
			Audit, "malformed"},
		{"nesting without end", request{path: "/v1/audit/prod", token: prod, body: strings.Repeat("[", 900_000)}, 400, "prod", Audit,
			"malformed"},
		{"nesting without end, within", request{path: "/v1/audit/prod", token: prod, body: list(`{"a":` + strings.Repeat("[", 900_000))},
			400, "prod", Audit, "malformed"},
		{"truncated gzip", request{path: "/v1/audit/prod", token: prod, body: whole[:len(whole)-9], header: gz}, 400, "prod", Audit, "body"},
		{"no gzip at all", request{path: "/v1/audit/prod", token: prod, body: list(), header: gz}, 400, "prod", Audit, "gzip"},
		{"another encoding", request{path: "/v1/audit/prod", token: prod, body: list(),
			header: map[string]string{"Content-Encoding": "br"}}, 415, "prod", Audit, "encoding"},
		{"too big", request{path: "/v1/audit/prod", token: prod, body: strings.Repeat(" ", 1<<20+1)}, 413, "prod", Audit, "too big"},
		{"a bomb", request{path: "/v1/audit/prod", token: prod, body: gzipped(strings.Repeat(" ", 64<<20)), header: gz}, 413, "prod",
			Audit, "too big"},
		{"a sensor's batch without a name", request{path: "/v1/sensor/events", token: sensor, body: "{}"}, 400, "prod", Runtime, "malformed"},
		{"a sensor's line that is none", request{path: "/v1/sensor/events", token: sensor, body: "{}\n[]",
			header: map[string]string{batchHeader: "n/b/1"}}, 400, "prod", Runtime, "malformed"},
		{"a status without a node", request{path: "/v1/sensor/status", token: sensor, body: "{}"}, 400, "prod", Runtime, "malformed"},
		{"a status with a wrong node", request{path: "/v1/sensor/status", token: sensor, body: `{"node":7}`}, 400, "prod", Runtime, "malformed"},
		{"a status of more than a sensor has to say", request{path: "/v1/sensor/status", token: sensor,
			body: `{"node":"n","kernel":"` + strings.Repeat("k", store.MaxSensorStatus) + `"}`}, 413, "prod", Runtime, "too big"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			before := r.count(t, test.cluster, test.kind).Rejected[test.reason]
			if status := r.post(t, test.request); status != test.status {
				t.Fatalf("status %d, want %d", status, test.status)
			}
			after := r.count(t, test.cluster, test.kind)
			if after.Rejected[test.reason] != before+1 {
				t.Errorf("%+v", after)
			}
		})
	}
	for _, c := range []Count{r.count(t, "prod", Audit), r.count(t, "prod", Runtime)} {
		if c.Accepted != 0 || c.Waiting != 0 || len(c.Samples) > samplesKept {
			t.Errorf("nothing of a refused request may be kept: %+v", c)
		}
	}
}

func TestASampleShowsNothingOfWhatWasSaid(t *testing.T) {
	p := newPlace(t, t.TempDir())
	r, token := p.start(t), p.token(t, "prod", Audit)
	r.post(t, request{path: "/v1/audit/prod", token: token, body: `{"kind":"Secret","data":{"password":"aHVudGVyMg=="},4711:}`})
	samples := r.count(t, "prod", Audit).Samples
	if len(samples) != 1 {
		t.Fatalf("%+v", samples)
	}
	if text := fmt.Sprint(samples); strings.Contains(text, "aHVud") || strings.Contains(text, "password") ||
		strings.Contains(text, "4711") || strings.Contains(text, token) {
		t.Error(text)
	}
	if s := samples[0]; s.Size != 58 || !strings.HasPrefix(s.Shape, `{".":".",".":{`) || s.Error == "" || s.Remote == "" {
		t.Errorf("%+v", s)
	}
}

func TestAStrangeEventDoesNotCostTheOthers(t *testing.T) {
	p := newPlace(t, t.TempDir())
	r, token := p.start(t), p.token(t, "prod", Audit)
	var got collected
	r.consume(t, got.handle)
	deep := `{"auditID":"deep","verb":"create","requestObject":` + strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000) + `}`
	big := `{"auditID":"big","verb":"create","requestObject":{"a":"` + strings.Repeat("x", 11<<20) + `"},"responseObject":{}}`
	monster := `{"auditID":"` + strings.Repeat("x", 11<<20) + `"}`
	if status := r.post(t, request{path: "/v1/audit/prod", token: token,
		body: list(auditEvent(1), deep, big, monster, auditEvent(2))}); status != 200 {
		t.Fatal(status)
	}
	lines := got.wait(t, 4)
	want := []string{auditEvent(1), `{"auditID":"deep","verb":"create","cut":"nested deeper than 100 levels"}`,
		`{"auditID":"big","verb":"create","cut":"bigger than 10485760 bytes"}`, auditEvent(2)}
	if fmt.Sprint(lines) != fmt.Sprint(want) {
		t.Errorf("%.500v", lines)
	}
	if c := r.count(t, "prod", Audit); c.Received != 5 || c.Accepted != 4 || c.Cut != 3 || c.Dropped != 1 {
		t.Errorf("%+v", c)
	}
}

func TestTwoEventsUnderOneForgedIDAreTwo(t *testing.T) {
	p := newPlace(t, t.TempDir())
	r, token := p.start(t), p.token(t, "prod", Audit)
	var got collected
	r.consume(t, got.handle)
	for _, verb := range []string{"create", "delete", "delete"} { // the last is the same request again
		body := list(`{"auditID":"forged","stage":"ResponseComplete","verb":"` + verb + `"}`)
		if status := r.post(t, request{path: "/v1/audit/prod", token: token, body: body}); status != 200 {
			t.Fatal(status)
		}
	}
	eventually(t, "all analysed", func() bool { return r.count(t, "prod", Audit).Analysed == 2 })
	if c := r.count(t, "prod", Audit); c.Accepted != 2 || c.Duplicate != 1 || len(got.wait(t, 2)) != 2 {
		t.Errorf("%+v", c)
	}
}

func TestAFullStreamSaysComeBackLaterAndLosesNothing(t *testing.T) {
	p := newPlace(t, t.TempDir())
	p.config.MaxBytes = 4 << 20
	r, token := p.start(t), p.token(t, "prod", Audit)
	filler := strings.Repeat("x", 200<<10)
	accepted := 0
	for i := range 100 {
		body := list(fmt.Sprintf(`{"auditID":"%d","userAgent":"%s"}`, i, filler))
		if status := r.post(t, request{path: "/v1/audit/prod", token: token, body: body}); status == 429 {
			break
		} else if status != 200 {
			t.Fatal(status)
		}
		accepted++
	}
	if accepted == 0 || accepted == 100 {
		t.Fatalf("%d requests were accepted by a stream of 4 MiB", accepted)
	}
	if c := r.count(t, "prod", Audit); c.Rejected["full"] != 1 || c.Waiting != uint64(accepted) {
		t.Errorf("%+v", c)
	}
	var got collected
	r.consume(t, got.handle)
	got.wait(t, accepted)
	eventually(t, "room again", func() bool {
		return r.post(t, request{path: "/v1/audit/prod", token: token, body: list(auditEvent("after"))}) == 200
	})
	if lines := got.wait(t, accepted+1); len(lines) != accepted+1 {
		t.Errorf("%d of %d", len(lines), accepted+1)
	}
}

func TestAFloodOfRequestsIsHeldInBoundedMemory(t *testing.T) {
	p := newPlace(t, t.TempDir())
	p.config.Memory, p.config.MaxBody = 16<<20, 4<<20
	r, token := p.start(t), p.token(t, "prod", Audit)
	var got collected
	r.consume(t, func(Batch) error { return nil })
	_ = &got
	body := gzipped(list(fmt.Sprintf(`{"auditID":"%s"}`, strings.Repeat("x", 3<<20))))
	var peak atomic.Uint64
	done := make(chan int, 64)
	for range cap(done) {
		go func() {
			status := r.post(t, request{path: "/v1/audit/prod", token: token, body: body, header: map[string]string{"Content-Encoding": "gzip"}})
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			for old := peak.Load(); m.HeapInuse > old && !peak.CompareAndSwap(old, m.HeapInuse); old = peak.Load() {
			}
			done <- status
		}()
	}
	by := map[int]int{}
	for range cap(done) {
		by[<-done]++
	}
	if by[200] == 0 || by[200]+by[429] != cap(done) {
		t.Errorf("%v", by)
	}
	t.Logf("answers %v, heap at most %d MiB", by, peak.Load()>>20)
	if r.memory.left() != p.config.Memory {
		t.Error("some memory was not given back")
	}
}

func TestAPoisonousBatchBecomesADeadLetterAndBlocksNothing(t *testing.T) {
	p := newPlace(t, t.TempDir())
	r, token := p.start(t), p.token(t, "prod", Audit)
	for _, id := range []string{"error", "fine"} {
		r.post(t, request{path: "/v1/audit/prod", token: token, body: list(auditEvent(id))})
	}
	var got collected
	stop := r.consume(t, func(b Batch) error {
		if bytes.Contains(b.Lines, []byte("error")) {
			return errors.New("cannot")
		}
		return got.handle(b)
	})
	eventually(t, "a dead letter", func() bool { return r.count(t, "prod", Audit).DeadLettered == 1 })
	if lines := got.wait(t, 1); len(lines) != 1 || lines[0] != auditEvent("fine") {
		t.Errorf("%v", lines)
	}
	eventually(t, "an empty stream", func() bool { return r.count(t, "prod", Audit).Waiting == 0 })
	stop()
	r.stop()
	r = p.start(t)
	if c := r.count(t, "prod", Audit); c.DeadLettered != 1 || c.Waiting != 0 {
		t.Errorf("after a restart of the same version: %+v", c)
	}
	r.stop()
	p.config.Version = "new"
	r = p.start(t)
	defer r.consume(t, got.handle)()
	eventually(t, "another version to analyse it", func() bool {
		c := r.count(t, "prod", Audit)
		return c.Analysed == 1 && c.DeadLettered == 0
	})
	if lines := got.wait(t, 2); len(lines) != 2 || lines[1] != auditEvent("error") {
		t.Errorf("%v, %+v", lines, r.count(t, "prod", Audit))
	}
}

func TestBatchesOfAClusterComeInOrderEvenWhenOneFails(t *testing.T) {
	p := newPlace(t, t.TempDir())
	r, token := p.start(t), p.token(t, "prod", Audit)
	const n = 20
	for i := range n {
		r.post(t, request{path: "/v1/audit/prod", token: token, body: list(auditEvent(i))})
	}
	var got collected
	var sequences []uint64
	failed := map[uint64]int{}
	r.consume(t, func(b Batch) error {
		if failed[b.Sequence]++; b.Sequence%3 == 0 && failed[b.Sequence] < tries {
			return errors.New("not yet")
		}
		sequences = append(sequences, b.Sequence)
		return got.handle(b)
	})
	for i, line := range got.wait(t, n) {
		if line != auditEvent(i) {
			t.Fatalf("at %d came %s", i, line)
		}
	}
	for i, s := range sequences {
		if s != uint64(i+1) {
			t.Fatalf("sequences %v", sequences)
		}
	}
}

func TestTheNextBatchOfASourceCanBeReadAheadAndComesInItsTurnAllTheSame(t *testing.T) {
	p := newPlace(t, t.TempDir())
	r, prod, node, dev := p.start(t), p.token(t, "prod", Audit), p.token(t, "prod", Runtime), p.token(t, "dev", Audit)
	r.post(t, request{path: "/v1/audit/prod", token: prod, body: list(auditEvent(1))})
	r.post(t, request{path: "/v1/audit/dev", token: dev, body: list(auditEvent("of another"))})
	r.post(t, request{path: "/v1/sensor/events", token: node, body: "{}", header: map[string]string{batchHeader: "n/b/1"}})
	r.post(t, request{path: "/v1/audit/prod", token: prod, body: list(auditEvent(2))})
	r.post(t, request{path: "/v1/audit/prod", token: prod, body: list(auditEvent(3))})
	type turn struct{ now, ahead string }
	told := func(b Batch) string {
		return fmt.Sprint(b.Cluster, b.Kind, b.Stream, b.Sequence, b.Name, string(b.Lines), b.Events, b.Received.UTC())
	}
	turns := make(chan turn, 10)
	refused := false
	r.consume(t, func(b Batch) error {
		if b.Cluster != "prod" || b.Kind != Audit {
			return nil
		}
		one := turn{now: told(b)}
		if b.Next != nil {
			next, ok := b.Next(t.Context())
			if one.ahead = told(next); !ok {
				t.Errorf("behind %s waits nothing", one.now)
			}
		}
		turns <- one
		if bytes.Contains(b.Lines, []byte(`"2"`)) && !refused {
			refused = true
			return errors.New("not yet")
		}
		return nil
	})
	first, second, again, third := <-turns, <-turns, <-turns, <-turns
	if first.ahead != second.now || second.ahead != third.now || second.now != again.now {
		t.Errorf("%+v\n%+v\n%+v\n%+v", first, second, again, third)
	}
	if again.ahead != "" || third.ahead != "" {
		t.Error("looked ahead after a batch that came before, or beyond the last")
	}
}

func TestAClusterWhoseAnalysisStandsStillHoldsNoOther(t *testing.T) {
	p := newPlace(t, t.TempDir())
	r := p.start(t)
	post := func(cluster, token string, id int) {
		if status := r.post(t, request{path: "/v1/audit/" + cluster, token: token, body: list(auditEvent(id))}); status != 200 {
			t.Fatal(status)
		}
	}
	slow, quick := p.token(t, "slow", Audit), p.token(t, "quick", Audit)
	var got collected
	held, release := make(chan bool), make(chan bool)
	r.consume(t, func(b Batch) error {
		if b.Cluster == "slow" {
			held <- true
			<-release
		}
		return got.handle(b)
	})
	post("slow", slow, 1)
	<-held
	for i := range 10 {
		post("quick", quick, i) // a cluster that has never sent anything
	}
	got.wait(t, 10)
	close(release)
	got.wait(t, 11)
}

func TestAStreamThatIsMadeAnewHasAnotherName(t *testing.T) {
	p := newPlace(t, t.TempDir())
	token := p.token(t, "prod", Audit)
	names := map[string]int{}
	for _, dir := range []string{"a", "a", "b"} {
		p.config.Dir = filepath.Join(p.dir, dir)
		r := p.start(t)
		got := make(chan Batch, 1)
		stop := r.consume(t, func(b Batch) error { got <- b; return nil })
		r.post(t, request{path: "/v1/audit/prod", token: token, body: list(auditEvent(dir + fmt.Sprint(len(names))))})
		b := <-got
		names[b.Stream]++
		stop()
		r.stop()
	}
	if len(names) != 2 {
		t.Errorf("two folders, one opened twice: %v", names)
	}
}

func TestARevokedTokenIsRefused(t *testing.T) {
	p := newPlace(t, t.TempDir())
	r, token := p.start(t), p.token(t, "prod", Audit)
	q := request{path: "/v1/audit/prod", token: token, body: list()}
	if status := r.post(t, q); status != 200 {
		t.Fatal(status)
	}
	tokens, err := p.store.IngestTokens(context.Background())
	if err != nil || len(tokens) != 1 {
		t.Fatal(tokens, err)
	}
	if err := p.store.RevokeIngestToken(context.Background(), tokens[0].ID, "alice"); err != nil {
		t.Fatal(err)
	}
	if status := r.post(t, q); status != 401 {
		t.Error(status)
	}
	if err := p.store.RevokeIngestToken(context.Background(), tokens[0].ID, "alice"); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
}

func TestTheAuthorityStaysAndItsKeyIsPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ca")
	a, err := OpenAuthority(dir)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := OpenAuthority(dir); err != nil || !bytes.Equal(a.PEM, b.PEM) {
		t.Errorf("another authority after a restart: %v", err)
	}
	key := filepath.Join(dir, "ca.key")
	if info, err := os.Stat(key); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if err := os.Chmod(key, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenAuthority(dir); err == nil {
		t.Error("a key that others may read must be refused")
	}
}

func TestNobodyIsServedWithoutTLS(t *testing.T) {
	p := newPlace(t, t.TempDir())
	r := p.start(t)
	res, err := http.Post("http://"+r.Addr().String()+"/v1/audit/prod", "application/json", strings.NewReader(list()))
	if err == nil {
		defer res.Body.Close()
		if res.StatusCode != 400 {
			t.Errorf("plain HTTP: %d", res.StatusCode)
		}
	}
	c, err := tls.Dial("tcp", r.Addr().String(), &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11})
	if err == nil {
		c.Close()
		t.Error("TLS 1.1 was accepted")
	}
	p.config.TLS = nil
	if _, err := New(context.Background(), p.config); err == nil {
		t.Error("a server without a certificate")
	}
}

func FuzzScan(f *testing.F) {
	for _, s := range []string{`{"a":[1,-0.5e+3,true,null,"\u00e9\n"]}`, `[]`, `{"a":1,}`, `{"a" :01}`, "\"\x01\"", `{"\ud800":"\`,
		`[1 2]`, ` [ ] x`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		asObject, asArray := eachMember(b, func(member) error { return nil }), eachElement(b, func([]byte) error { return nil })
		first := bytes.TrimLeft(b, " \t\r\n")
		want := json.Valid(b) && (first[0] == '{' || first[0] == '[')
		if (asObject == nil || asArray == nil) != want {
			t.Fatalf("%q: %v, %v, json.Valid says %v", b, asObject, asArray, json.Valid(b))
		}
		if want {
			var compact bytes.Buffer
			if err := json.Compact(&compact, b); err != nil {
				t.Fatal(err)
			}
			if _, spaced := form(b); spaced == bytes.Equal(compact.Bytes(), b) {
				t.Fatalf("%q: spaced %v", b, spaced)
			}
		}
	})
}

func FuzzAuditBody(f *testing.F) {
	for _, s := range []string{list(auditEvent(1)), list(`{ "kind":"Event","apiVersion":"audit.k8s.io/v1", "verb" : "get"}`, `{}`),
		`{"items":[{}],"apiVersion":"audit.k8s.io/v1beta1","kind":"EventList"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := auditList(b, asItCame)
		if err != nil {
			return
		}
		var want struct{ Items []map[string]json.RawMessage }
		if err := json.Unmarshal(b, &want); err != nil {
			t.Skip() // keys that differ in case, or nulls
		}
		n := 0
		for _, chunk := range l.chunks {
			for line := range bytes.Lines(chunk) {
				var event map[string]json.RawMessage
				if err := json.Unmarshal(line, &event); err != nil {
					t.Fatalf("%q became %q: %v", b, line, err)
				}
				again, _, err := canonical(bytes.TrimSuffix(line, []byte("\n")))
				if err != nil || !bytes.Equal(append(again, '\n'), line) && event["cut"] == nil {
					t.Fatalf("the canonical form of %q is %q: %v", line, again, err)
				}
				n++
			}
		}
		if n != l.events() {
			t.Fatalf("%d lines, counted %d", n, l.events())
		}
	})
}

func FuzzBody(f *testing.F) {
	f.Add([]byte(gzipped("hello")), true)
	f.Add([]byte("hello"), false)
	f.Fuzz(func(t *testing.T, b []byte, zipped bool) {
		r, _ := http.NewRequest("POST", "/", bytes.NewReader(b))
		if zipped {
			r.Header.Set("Content-Encoding", "gzip")
		}
		memory := newPool(1 << 20)
		got, _, err := memory.read(sender{}, r, 100<<10)
		if err == nil {
			if want, err := plain(b, zipped); err != nil || !bytes.Equal(got.bytes, want) {
				t.Fatalf("%d bytes, want %d, %v", len(got.bytes), len(want), err)
			}
			got.release()
		}
		if memory.left() != 1<<20 {
			t.Fatal("memory was not given back")
		}
	})
}

func plain(b []byte, zipped bool) ([]byte, error) {
	if !zipped {
		return b, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	_, err = out.ReadFrom(z)
	return out.Bytes(), err
}

func FuzzAuditErrors(f *testing.F) {
	f.Add([]byte("# HELP x\napiserver_audit_error_total{plugin=\"webhook\"} 10\n"))
	f.Fuzz(func(t *testing.T, b []byte) { AuditErrors(bytes.NewReader(b)) })
}

func TestAuditErrors(t *testing.T) {
	tests := []struct {
		name, metrics string
		lost          uint64
		found, bad    bool
	}{
		{"none lost yet", "apiserver_audit_event_total 5\n", 0, false, false},
		{"only the webhook's count", "apiserver_audit_error_total{plugin=\"log\"} 3\n" +
			"apiserver_audit_error_total{plugin=\"webhook\"} 10\n", 10, true, false},
		{"big numbers", "apiserver_audit_error_total{plugin=\"webhook\"} 1.2e+06\n", 1200000, true, false},
		{"no number", "apiserver_audit_error_total{plugin=\"webhook\"} many\n", 0, false, true},
		{"not a number", "apiserver_audit_error_total{plugin=\"webhook\"} NaN\n", 0, false, true},
		{"nothing", "apiserver_audit_error_total{plugin=\"webhook\"}\n", 0, false, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			lost, found, err := AuditErrors(strings.NewReader(test.metrics))
			if lost != test.lost || found != test.found || (err != nil) != test.bad {
				t.Errorf("%d, %v, %v", lost, found, err)
			}
		})
	}
}
