package ingest

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/breakwater-sec/breakwater/gate"
	"github.com/breakwater-sec/breakwater/store"
)

var here, there = netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")

func sensorOf(cluster string, at netip.Addr) sender {
	return sender{source: source{cluster, Runtime}, address: at}
}
func auditOf(cluster string) sender { return sender{source: source{cluster, Audit}, address: here} }

// most is how much more a sender can take of a pool.
func (p *pool) most(of sender) (n int64) {
	for p.take(of, 1) {
		n++
	}
	return n
}

func TestOfKWhoTakeAllTheyCanEachGetsTheKAndFirstPart(t *testing.T) {
	p := newPool(1200)
	for i, want := range []int64{600, 300, 150} { // half of what the others leave
		if got := p.most(auditOf(fmt.Sprint(i))); got != want {
			t.Errorf("the %d. takes %d, want %d", i+1, got, want)
		}
	}
	p.give(auditOf("0"), 600)
	if got := p.most(auditOf("0")); got != 375 {
		t.Errorf("who gave all back takes %d of what is left, want 375", got)
	}
	p.give(auditOf("0"), 375)
	p.give(auditOf("1"), 300)
	p.give(auditOf("2"), 150)
	if p.left() != 1200 || len(p.mu.by) != 0 {
		t.Errorf("%d are left, held by %v", p.left(), p.mu.by)
	}
}

func TestASensorTakesHalfOfWhatTheOthersOfItsClusterLeave(t *testing.T) {
	p := newPool(1200)
	if got := p.most(sensorOf("c", here)); got != 300 {
		t.Errorf("one takes %d of the cluster's 600", got)
	}
	if got := p.most(sensorOf("c", there)); got != 150 {
		t.Errorf("the next takes %d", got)
	}
	if got := p.most(auditOf("c")); got != 375 {
		t.Errorf("the cluster's audit log takes %d of the 750 that are left", got)
	}
}

func TestWhatIsCountedOfTheDiskIsBroughtToWhatWaits(t *testing.T) {
	p := newPool(1000)
	gone, waits := source{"gone", Audit}, source{"waits", Audit}
	p.hold(gone, 300)
	p.hold(waits, 100)
	p.hold(waits, 200)
	p.only(map[source]uint64{waits: 1})
	if p.holds(gone) != 0 || p.holds(waits) != 200 || p.left() != 800 {
		t.Errorf("%v, %d left", p.mu.by, p.left())
	}
}

func TestASourceThatSentTooMuchWaitsUntilItIsNoLongerTooMuch(t *testing.T) {
	now := time.Now()
	r := newRates(Rate{Events: 10, Bytes: 1000})
	r.now = func() time.Time { return now }
	a := auditOf("a")
	for _, c := range []struct {
		name   string
		events int
		bytes  int64
		passes time.Duration
		want   time.Duration
	}{
		{"ten seconds' worth at once", 100, 0, 0, 0},
		{"a second's worth more", 10, 0, 0, time.Second},
		{"half of it passed", 0, 0, 500 * time.Millisecond, 500 * time.Millisecond},
		{"all of it passed", 0, 0, 500 * time.Millisecond, 0},
		{"one body that is larger than all that", 0, 13_000, 0, 3 * time.Second},
		{"a long time", 0, 0, time.Hour, 0},
		{"is no more than ten seconds' worth", 110, 0, 0, time.Second},
	} {
		r.sent(a, c.events, c.bytes)
		now = now.Add(c.passes)
		if got := r.wait(a).Round(time.Millisecond); got != c.want {
			t.Errorf("%s: waits %v, want %v", c.name, got, c.want)
		}
	}
	if got := r.wait(auditOf("another")); got != 0 {
		t.Errorf("another waits %v", got)
	}
	r.sent(sensorOf("a", here), 60, 0)
	if mine, others := r.wait(sensorOf("a", here)), r.wait(sensorOf("a", there)); mine != 2*time.Second || others != 0 {
		t.Errorf("a sensor that sent more than half waits %v, the next one %v", mine, others)
	}
}

func TestSendersThatWereQuietNeedNotBeCounted(t *testing.T) {
	now := time.Now()
	r := newRates(Rate{})
	r.now = func() time.Time { return now }
	for i := range maxMeters {
		r.sent(auditOf(fmt.Sprint(i)), 1, 1)
	}
	now = now.Add(time.Hour)
	r.sent(auditOf("one more"), 1, 1)
	if n := len(r.mu.by); n != 1 {
		t.Errorf("%d are counted", n)
	}
}

func TestNodesAreNamedUpToABoundAndFromOneAddressHalfOfIt(t *testing.T) {
	n := nodes{most: 8}
	names := func(of sender, prefix string) (accepted int) {
		for i := range 20 {
			if n.admit(of, fmt.Sprint(prefix, i)) == nil {
				accepted++
			}
		}
		return accepted
	}
	if got := names(sensorOf("c", here), "invented"); got != 4 {
		t.Errorf("one address names %d", got)
	}
	if got := names(sensorOf("c", there), "node"); got != 2 {
		t.Errorf("the next names %d", got)
	}
	if err := n.admit(sensorOf("c", here), "node0"); err != nil {
		t.Errorf("a node that is known may come from elsewhere: %v", err)
	}
	if got := names(sensorOf("other", here), "node"); got != 4 {
		t.Errorf("another cluster names %d", got)
	}
}

func TestTokensThatWereNeverSeenAreAskedAboutFewAtOnceAndKnownOnesWaitForNone(t *testing.T) {
	l := newLookups()
	var atOnce, peak atomic.Int64
	asking, answer := make(chan struct{}, 100), make(chan struct{})
	find := func(_ context.Context, token string) (store.IngestToken, error) {
		if token == "good" {
			return store.IngestToken{Cluster: "c"}, nil
		}
		peak.Store(max(peak.Load(), atOnce.Add(1)))
		asking <- struct{}{}
		<-answer
		atOnce.Add(-1)
		return store.IngestToken{}, store.ErrNotFound
	}
	if _, err := l.ask(t.Context(), "good", find); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 20)
	for i := range cap(done) {
		go func() {
			_, err := l.ask(t.Context(), fmt.Sprint("wrong", i), find)
			done <- err
		}()
	}
	for range unknownAtOnce {
		<-asking
	}
	if of, err := l.ask(t.Context(), "good", find); of.Cluster != "c" || err != nil {
		t.Errorf("%+v, %v", of, err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.ask(gone, "wrong", find); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	close(answer)
	for range cap(done) {
		if err := <-done; !errors.Is(err, store.ErrNotFound) {
			t.Error(err)
		}
	}
	if peak.Load() > unknownAtOnce {
		t.Errorf("%d were asked about at once", peak.Load())
	}
	revoked := func(context.Context, string) (store.IngestToken, error) {
		return store.IngestToken{}, store.ErrNotFound
	}
	if _, err := l.ask(t.Context(), "good", revoked); !errors.Is(err, store.ErrNotFound) || l.isGood(sumOf("good")) {
		t.Error("a token that was revoked is still known")
	}
}

func TestOneClusterCannotFillTheStreamForOthers(t *testing.T) {
	p := newPlace(t, t.TempDir())
	p.config.MaxBytes = 8 << 20
	r, stolen, prod := p.start(t), p.token(t, "stolen", Audit), p.token(t, "prod", Audit)
	filler := strings.Repeat("x", 500<<10)
	full := 0
	for i := range 30 {
		body := list(fmt.Sprintf(`{"auditID":"%d","userAgent":"%s"}`, i, filler))
		if r.post(t, request{path: "/v1/audit/stolen", token: stolen, body: body}) == http.StatusTooManyRequests {
			full++
		}
	}
	for i := range 3 {
		body := list(fmt.Sprintf(`{"auditID":"%d","userAgent":"%s"}`, i, filler))
		if got := r.post(t, request{path: "/v1/audit/prod", token: prod, body: body}); got != http.StatusOK {
			t.Errorf("another cluster is answered %d", got)
		}
	}
	if c := r.count(t, "stolen", Audit); full == 0 || int(c.Rejected["full"]) != full || c.Waiting == 0 {
		t.Errorf("%d were told that it is full; %+v", full, c)
	}
}

func TestTheDeadLettersOfOneClusterCostNoOtherIts(t *testing.T) {
	p := newPlace(t, t.TempDir())
	r, stolen, prod := p.start(t), p.token(t, "stolen", Audit), p.token(t, "prod", Audit)
	r.stream.dead.size = 4 << 20
	r.consume(t, func(Batch) error { return errors.New("poison") })
	body := func(i int) string {
		return list(fmt.Sprintf(`{"auditID":"%d","userAgent":"%s"}`, i, strings.Repeat("x", 500<<10)))
	}
	r.post(t, request{path: "/v1/audit/prod", token: prod, body: body(0)})
	for i := range 10 {
		r.post(t, request{path: "/v1/audit/stolen", token: stolen, body: body(i)})
	}
	eventually(t, "all are dead letters", func() bool {
		return r.count(t, "stolen", Audit).DeadLettered == 10 && r.count(t, "prod", Audit).DeadLettered == 1
	})
	if held := r.stream.dead.holds(source{"stolen", Audit}); held > 2<<20 || held == 0 {
		t.Errorf("one cluster's take %d bytes", held)
	}
	if held := r.stream.dead.holds(source{"prod", Audit}); held < 500<<10 {
		t.Errorf("the other's take %d bytes", held)
	}
	letters, err := r.stream.js.Stream(t.Context(), deadName)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := letters.GetLastMsgForSubject(t.Context(), deadPrefix+subject(source{"prod", Audit})); err != nil {
		t.Errorf("the other's is not there: %v", err)
	}
}

func TestABatchIsNotMoreThanSomeEvents(t *testing.T) {
	l, err := jsonLines([]byte(strings.Repeat("{}\n", 3*chunkEvents+1)), asItCame)
	if err != nil || len(l.chunks) != 4 || l.counts[0] != chunkEvents || l.counts[3] != 1 {
		t.Errorf("%v, %v", l.counts, err)
	}
}

func TestASourceThatSendsMoreThanItMayIsToldWhenToComeAgain(t *testing.T) {
	p := newPlace(t, t.TempDir())
	p.config.Rate = Rate{Events: 1, Bytes: 1 << 20}
	r, token, other := p.start(t), p.token(t, "prod", Audit), p.token(t, "dev", Audit)
	events := make([]string, 200)
	for i := range events {
		events[i] = auditEvent(i)
	}
	if got := r.post(t, request{path: "/v1/audit/prod", token: token, body: list(events...)}); got != http.StatusOK {
		t.Fatal(got)
	}
	req, _ := http.NewRequest(http.MethodPost, "https://"+r.Addr().String()+"/v1/audit/prod", strings.NewReader(list(auditEvent("x"))))
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := p.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, res.Body)
	res.Body.Close()
	if after := res.Header.Get("Retry-After"); res.StatusCode != http.StatusTooManyRequests || len(after) != 3 { // about 190 s
		t.Errorf("%s, Retry-After %s", res.Status, after)
	}
	if c := r.count(t, "prod", Audit); c.Rejected["rate"] != 1 || c.Accepted != 200 {
		t.Errorf("%+v", c)
	}
	if got := r.post(t, request{path: "/v1/audit/dev", token: other, body: list(auditEvent("x"))}); got != http.StatusOK {
		t.Errorf("another is answered %d", got)
	}
}

func TestStalledUploadsOfOneSourceLeaveRoomForOthers(t *testing.T) {
	p := newPlace(t, t.TempDir())
	p.config.Memory = 4 << 20
	r, stolen, prod := p.start(t), p.token(t, "stolen", Runtime), p.token(t, "prod", Audit)
	for _, size := range []int{400_000, 1000} { // the small ones fill what the large ones leave
		told := r.count(t, "stolen", Runtime).Rejected["busy"]
		for range 40 {
			c, err := tls.Dial("tcp", r.Addr().String(), p.client.Transport.(*http.Transport).TLSClientConfig)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { c.Close() })
			fmt.Fprintf(c, "POST /v1/sensor/events HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer %s\r\n%s: n/b/1\r\nContent-Length: %d\r\n\r\n%s",
				stolen, batchHeader, size, strings.Repeat(" ", size*3/4))
		}
		eventually(t, "some are told to come later", func() bool { return r.count(t, "stolen", Runtime).Rejected["busy"] > told })
	}
	for i := range 20 {
		if got := r.post(t, request{path: "/v1/audit/prod", token: prod, body: list(auditEvent(i))}); got != http.StatusOK {
			t.Errorf("another cluster is answered %d", got)
		}
	}
}

func TestTheEndpointSpeaksHTTP1Only(t *testing.T) {
	p := newPlace(t, t.TempDir())
	r := p.start(t)
	config := p.client.Transport.(*http.Transport).TLSClientConfig.Clone()
	config.NextProtos = []string{"h2", "http/1.1"}
	c, err := tls.Dial("tcp", r.Addr().String(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got := c.ConnectionState().NegotiatedProtocol; got != "http/1.1" {
		t.Errorf("it speaks %q: streams within a connection would be bounded by nothing of ours", got)
	}
}

func TestOneSourceHoldsNoMoreThanItsShareOfConnections(t *testing.T) {
	p := newPlace(t, t.TempDir())
	p.config.Connections = gate.Limits{Connections: 8}
	r, stolen, prod := p.start(t), p.token(t, "stolen", Audit), p.token(t, "prod", Audit)
	p.client.Transport.(*http.Transport).DisableKeepAlives = false
	ask := func(cluster, token string) int { // each by a connection of its own, that stays
		client := &http.Client{Transport: p.client.Transport.(*http.Transport).Clone()}
		t.Cleanup(client.CloseIdleConnections)
		mine := *r
		mine.place = &place{client: client}
		return mine.post(t, request{path: "/v1/audit/" + cluster, token: token, body: list(auditEvent(cluster))})
	}
	got := map[int]int{}
	for range 6 {
		got[ask("stolen", stolen)]++
	}
	if got[http.StatusOK] != 3 || got[http.StatusTooManyRequests] != 3 {
		t.Errorf("%v", got)
	}
	if got := ask("prod", prod); got != http.StatusOK {
		t.Errorf("another cluster is answered %d", got)
	}
}

func TestWhatAnEarlierVersionLeftInTheStreamIsGoneOnWith(t *testing.T) {
	p := newPlace(t, t.TempDir())
	r, prod, node := p.start(t), p.token(t, "prod", Audit), p.token(t, "prod", Runtime)
	r.post(t, request{path: "/v1/audit/prod", token: prod, body: list(auditEvent(1))})
	r.post(t, request{path: "/v1/sensor/events", token: node, body: "{}", header: map[string]string{batchHeader: "n/b/1"}})
	sum := sha256.Sum256([]byte("prod")) // one consumer for both kinds, and dead letters that drop each other
	if _, err := r.stream.events.CreateConsumer(t.Context(), jetstream.ConsumerConfig{Durable: consumerPrefix + hex.EncodeToString(sum[:8]),
		FilterSubjects: []string{subject(source{"prod", Audit}), subject(source{"prod", Runtime})}, AckPolicy: jetstream.AckExplicitPolicy,
		MaxAckPending: 1}); err != nil {
		t.Fatal(err)
	}
	dead, err := r.stream.js.Stream(t.Context(), deadName)
	if err != nil {
		t.Fatal(err)
	}
	was := dead.CachedInfo().Config
	was.Discard = jetstream.DiscardOld
	if _, err := r.stream.js.UpdateStream(t.Context(), was); err != nil {
		t.Fatal(err)
	}
	r.stop()
	r = p.start(t)
	var got collected
	r.consume(t, got.handle)
	got.wait(t, 2)
	if dead, err = r.stream.js.Stream(t.Context(), deadName); err != nil || dead.CachedInfo().Config.Discard != jetstream.DiscardNew {
		t.Errorf("%+v, %v", dead.CachedInfo().Config, err)
	}
}
