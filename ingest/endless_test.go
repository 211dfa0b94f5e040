package ingest

import (
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/event/identity"
	"github.com/breakwater-sec/breakwater/store"
)

// The attacker here holds a token or a node's key and asks for more than is right, without ever sending too much at once.

func TestPartsOfGzipThatHoldNothingComeToAnEnd(t *testing.T) {
	nothing, stored := gzipped(""), "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
	for name, body := range map[string]string{
		"members that hold nothing": strings.Repeat(nothing, 3<<20/len(nothing)),
		"blocks that hold nothing":  stored + strings.Repeat("\x00\x00\x00\xff\xff", 3<<20/5),
	} {
		r, err := http.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Encoding", "gzip")
		memory := newPool(8 << 20)
		_, cost, err := memory.read(sender{}, r, 1<<20)
		var why *refusal
		if !errors.As(err, &why) || why.status != http.StatusRequestEntityTooLarge {
			t.Errorf("%s, 3 MiB of them where 1 MiB may come: %v", name, err)
		}
		if left, _ := io.Copy(io.Discard, r.Body); cost != 1<<20+1 || left < 1<<20 {
			t.Errorf("%s: counted as %d bytes, %d were left unread", name, cost, left)
		}
	}
}

// A body that is one byte too big is so every time it comes: its sender is not told to come again.
func TestWhatIsTooBigIsToldSoWithTheMemoryThatASourceHas(t *testing.T) {
	for size, want := range map[int]int{1 << 20: 0, 1<<20 + 1: http.StatusRequestEntityTooLarge, 3 << 20: http.StatusRequestEntityTooLarge} {
		memory := newPool(4 << 20) // of the defaults too, a source has twice what one body may hold
		r, err := http.NewRequest(http.MethodPost, "/", strings.NewReader(strings.Repeat(" ", size)))
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = memory.read(auditOf("prod"), r, 1<<20)
		var why *refusal
		if got := errors.As(err, &why); got != (want != 0) || got && why.status != want {
			t.Errorf("%d bytes: %v; want %d", size, err, want)
		}
	}
}

func TestWhatIsTooMuchCountsAsWhatASourceSent(t *testing.T) {
	p := newPlace(t, t.TempDir())
	p.config.MaxBody, p.config.Rate = 1<<20, Rate{Bytes: 200 << 10}
	r, token := p.start(t), p.token(t, "prod", Audit)
	bomb := request{path: "/v1/audit/prod", token: token, body: gzipped(strings.Repeat(" ", 4<<20)),
		header: map[string]string{"Content-Encoding": "gzip"}}
	for range 4 { // ten seconds' worth are 2 MiB, and each inflates to 1 MiB before it is too much
		if status := r.post(t, bomb); status == http.StatusTooManyRequests {
			return
		}
	}
	t.Error("who sends what inflates to too much may go on")
}

// counted is where sensors' status is kept, and how many write there at once at the most.
type counted struct {
	Sensors
	mu       sync.Mutex
	at, most map[string]int
	hold     chan struct{}
}

func (c *counted) PutSensor(ctx context.Context, s store.Sensor) error {
	c.mu.Lock()
	for _, of := range []string{"all", s.Node} {
		c.at[of]++
		c.most[of] = max(c.most[of], c.at[of])
	}
	c.mu.Unlock()
	select {
	case <-c.hold:
	case <-ctx.Done():
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at["all"]--
	c.at[s.Node]--
	return nil
}

func (c *counted) writing(of string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at[of]
}

// One node says again and again how it is, on many connections; another node says it once.
func TestANodeThatWritesAgainAndAgainWaitsForItselfAlone(t *testing.T) {
	p := nodePlace(t, "a", "b", "c", "d", "e", "f")
	kept := &counted{at: map[string]int{}, most: map[string]int{}, hold: make(chan struct{})}
	p.config.Sensors = kept
	r, token := p.start(t), p.token(t, "prod", Runtime)
	var all sync.WaitGroup
	others := map[string]*running{} // they have joined before anybody writes: who joins waits for a turn, too
	for _, node := range []string{"b", "c", "d", "e", "f"} {
		others[node] = r.showing(r.mustJoin(t, token, node))
	}
	storm := r.showing(r.mustJoin(t, token, "a"))
	for range 20 {
		all.Go(func() { storm.post(t, says("a")) })
	}
	eventually(t, "the first of the storm to write", func() bool { return kept.writing("a") > 0 })
	for node, one := range others {
		all.Go(func() { one.post(t, says(node)) })
	}
	eventually(t, "other nodes to write beside it", func() bool { return kept.writing("all") == writesOfASource })
	close(kept.hold)
	all.Wait()
	if kept.most["a"] != 1 || kept.most["all"] > writesOfASource {
		t.Errorf("writing at once: %v", kept.most)
	}
	if len(r.records.mu.of) > 0 {
		t.Errorf("%d are remembered who want nothing any more", len(r.records.mu.of))
	}
}

func TestWhoDoesNotWaitForItsTurnHoldsNone(t *testing.T) {
	var r records
	node := sender{source: source{"prod", Runtime}, node: "a"}
	done, err := r.turn(t.Context(), node)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.turn(ctx, node); err == nil {
		t.Error("two of one node write at once")
	}
	done()
	if done, err = r.turn(t.Context(), node); err != nil {
		t.Fatal(err)
	}
	done()
	if len(r.mu.of) > 0 {
		t.Errorf("%d are remembered", len(r.mu.of))
	}
}

// A node has its certificate renewed without end: the newest count, and no more are kept than that.
func TestWhoRenewsWithoutEndHasAFewCertificates(t *testing.T) {
	p := nodePlace(t, "a")
	r, token := p.start(t), p.token(t, "prod", Runtime)
	pair := r.mustJoin(t, token, "a")
	key := pair.PrivateKey.(*ecdsa.PrivateKey)
	body := joinBody(t, "", csrOf(t, key, x509.CertificateRequest{}))
	for range 40 {
		status, said := r.showing(pair).asked(t, request{path: "/v1/sensor/renew", body: body})
		next := pairOf(t, status, said, key)
		if next == nil {
			t.Fatal(status, said)
		}
		pair = next
	}
	if status := r.showing(pair).post(t, says("a")); status != http.StatusOK {
		t.Errorf("the newest certificate is answered %d", status)
	}
	all, err := p.store.Certificates(t.Context())
	if err != nil || len(all) > 16 {
		t.Errorf("%d certificates are kept, %v", len(all), err)
	}
}

// Of what is noticed of senders, one who invents names takes no place of another cluster, node or token.
func TestWhoInventsNamesKeepsNothingOfOthersFromBeingNoticed(t *testing.T) {
	var n noticed
	noted := 0
	for i := range 1000 {
		if !n.again("prod", identity.Record{What: identity.Foreign, Node: "a", Claimed: fmt.Sprint(i), Time: time.Now()}) {
			noted++
		}
	}
	if noted == 0 || noted > mostNoticed {
		t.Errorf("%d of a thousand names that one node invented are noted", noted)
	}
	for name, one := range map[string]struct {
		cluster string
		identity.Record
	}{
		"another cluster":              {"other", identity.Record{What: identity.Foreign, Node: "a", Claimed: "b"}},
		"another node":                 {"prod", identity.Record{What: identity.Foreign, Node: "c", Claimed: "b"}},
		"who holds a token of before":  {"prod", identity.Record{What: identity.Held, Node: "a", Token: "t"}},
		"who holds a token of another": {"other", identity.Record{What: identity.Held, Node: "a", Token: "t"}},
	} {
		if n.again(one.cluster, one.Record) {
			t.Errorf("%s is not noted", name)
		}
		if one.From = "192.0.2.1"; !n.again(one.cluster, one.Record) {
			t.Errorf("%s is noted twice", name)
		}
	}
}
