package ingest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/breakwater-sec/breakwater/test/natstest"
)

func TestMain(m *testing.M) { natstest.Main(m) }

// outside lets newPlace use a NATS server in a process of its own.
var outside bool

func TestTheSameHoldsWithANATSServerOutside(t *testing.T) {
	outside = true
	defer func() { outside = false }()
	for name, test := range map[string]func(*testing.T){
		"webhook": TestEventsOfAWebhookReachTheHandler, "sensor": TestASensorsEventsAndStatus,
		"full": TestAFullStreamSaysComeBackLaterAndLosesNothing, "dead letter": TestAPoisonousBatchBecomesADeadLetterAndBlocksNothing,
		"order": TestBatchesOfAClusterComeInOrderEvenWhenOneFails, "many clusters": TestAClusterWhoseAnalysisStandsStillHoldsNoOther,
		"ahead": TestTheNextBatchOfASourceCanBeReadAheadAndComesInItsTurnAllTheSame,
	} {
		t.Run(name, test)
	}
}

// outsidePlace is an endpoint's folder and the NATS server that it uses.
func outsidePlace(t *testing.T) (*place, *natstest.Server) {
	t.Helper()
	n := natstest.New(t, natstest.WithUser)
	p := newPlace(t, t.TempDir())
	p.config.NATS.URL = n.URL()
	return p, n
}

func TestWhatIsNotStoredOutsideIsNotAnswered(t *testing.T) {
	p, n := outsidePlace(t)
	r, token := p.start(t), p.token(t, "prod", Audit)
	post := func(id int) int {
		return r.post(t, request{path: "/v1/audit/prod", token: token, body: list(auditEvent(id))})
	}
	var got collected
	r.consume(t, got.handle)
	if status := post(0); status != 200 {
		t.Fatal(status)
	}
	got.wait(t, 1)
	n.Stop()
	for range 3 {
		began := time.Now()
		if status := post(1); status != 503 {
			t.Fatalf("answered %d while NATS is away", status)
		}
		if time.Since(began) > external+5*time.Second {
			t.Errorf("a sender waited %v", time.Since(began))
		}
	}
	n.Start(t)
	eventually(t, "an answer after NATS came back", func() bool { return post(1) == 200 })
	// The first may come again: that it was analysed may not have reached NATS before it ended.
	eventually(t, "the event that was answered at last", func() bool { return slices.Contains(got.wait(t, 1), auditEvent(1)) })
	if _, err := os.Stat(p.config.Dir); err == nil {
		t.Error("a folder for a stream of one's own was made all the same")
	}
}

func TestWhatWasAnsweredSurvivesTheEndOfBoth(t *testing.T) {
	p, n := outsidePlace(t)
	r, token := p.start(t), p.token(t, "prod", Audit)
	for i := range 20 {
		if status := r.post(t, request{path: "/v1/audit/prod", token: token, body: list(auditEvent(i))}); status != 200 {
			t.Fatal(status)
		}
	}
	n.Stop()
	r.stop()
	n.Start(t)
	var got collected
	r = p.start(t)
	r.consume(t, got.handle)
	if lines := got.wait(t, 20); len(lines) != 20 {
		t.Errorf("%d of 20", len(lines))
	}
}

func TestStreamsOutsideAreWhatTheDocumentSays(t *testing.T) {
	p, n := outsidePlace(t)
	js, err := jetstream.New(n.Connect(t))
	if err != nil {
		t.Fatal(err)
	}
	r, token := p.start(t), p.token(t, "prod", Audit)
	var got collected
	r.consume(t, got.handle)
	r.post(t, request{path: "/v1/audit/prod", token: token, body: list(auditEvent(1))})
	got.wait(t, 1)
	document, err := os.ReadFile(filepath.Join("..", "docs", "events.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{streamName, deadName} {
		s, err := js.Stream(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		c := s.CachedInfo().Config
		row := fmt.Sprintf("| `%s` | `%s` | %s | %s | %d MiB | %s |",
			c.Name, strings.Join(c.Subjects, "`, `"), c.Retention, c.Discard, c.MaxBytes>>20, c.Duplicates)
		if name == streamName {
			row = strings.Replace(row, "| 64 MiB", "| 2048 MiB", 1) // of this test, and of a server
		}
		if !bytes.Contains(document, []byte(row)) {
			t.Errorf("docs/events.md has no line\n%s", row)
		}
		if c.Storage != jetstream.FileStorage {
			t.Errorf("%s is in memory", name)
		}
		for consumer := range s.ListConsumers(t.Context()).Info() {
			known := bytes.Contains(document, []byte("`"+consumerPrefix)) && strings.HasPrefix(consumer.Name, consumerPrefix)
			if !known || consumer.Config.Description != "prod" {
				t.Errorf("consumer %+v", consumer)
			}
		}
	}
}

func TestWhatSomebodySetForAStreamStays(t *testing.T) {
	three := &jetstream.StreamInfo{Config: jetstream.StreamConfig{Replicas: 3}}
	if got := (NATS{}).replicated(jetstream.StreamConfig{}, three); got.Replicas != 3 {
		t.Errorf("%d replicas are left of 3", got.Replicas)
	}
	if got := (NATS{Replicas: 5}).replicated(jetstream.StreamConfig{}, three); got.Replicas != 5 {
		t.Errorf("%d replicas where 5 were asked for", got.Replicas)
	}
	if got := (NATS{}).replicated(jetstream.StreamConfig{}, nil); got.Replicas != 1 {
		t.Errorf("%d replicas of a new stream", got.Replicas)
	}
}

func TestANATSServerThatCannotBeUsedSaysWhyAndNotThePassword(t *testing.T) {
	good := natstest.New(t, natstest.WithUser)
	small := natstest.New(t, "max_payload: 1MB")
	bare := natstest.New(t, `accounts { B { users: [ {user: u, password: secret1} ] } }`)
	for _, c := range []struct {
		name string
		nats NATS
		want string
	}{
		{"nobody there", NATS{URL: "nats://u:secret1@127.0.0.1:1"}, "nats://127.0.0.1:1: no server answers"},
		{"wrong password", NATS{URL: "nats://u:secret1@" + good.Addr}, "refuses this user"},
		{"no address", NATS{URL: "no address secret1"}, "want addresses such as nats://HOST:4222"},
		{"messages that are too small", NATS{URL: "nats://" + small.Addr}, "set its max_payload"},
		{"an account without JetStream", NATS{URL: "nats://u:secret1@" + bare.Addr}, "has no JetStream: enable it"},
		{"no such file", NATS{URL: good.URL(), Credentials: "/no/such.creds"}, "/no/such.creds"},
		{"no such CA", NATS{URL: good.URL(), CA: "/no/such.pem"}, "/no/such.pem"},
	} {
		p := newPlace(t, t.TempDir())
		p.config.NATS = c.nats
		var log written
		p.config.Log = slog.New(slog.NewTextHandler(&log, nil))
		s, err := New(t.Context(), p.config)
		if err == nil {
			s.Close()
			t.Errorf("%s: opened", c.name)
			continue
		}
		text := err.Error() + log.String()
		if !strings.Contains(text, c.want) || strings.Contains(text, "secret1") || strings.Contains(text, natstest.Password) {
			t.Errorf("%s: %s", c.name, text)
		}
	}
}

// written is a log that connections write to until they end.
type written struct {
	mu   sync.Mutex
	text strings.Builder
}

func (w *written) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(b)
}

func (w *written) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// pair writes a certificate of an authority's and its key.
func pair(t *testing.T, a *Authority, usage x509.ExtKeyUsage, cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := certificate("test", time.Hour)
	c.KeyUsage, c.ExtKeyUsage, c.IPAddresses = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{usage}, []net.IP{net.IPv4(127, 0, 0, 1)}
	der, err := x509.CreateCertificate(rand.Reader, c, a.cert, &k.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(os.WriteFile(cert, pemOf(der), 0o600),
		os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
	if err != nil {
		t.Fatal(err)
	}
}

func TestNATSWithTLSAndClientCertificates(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	a, err := newAuthority("elsewhere")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file("ca"), a.PEM, 0o600); err != nil {
		t.Fatal(err)
	}
	pair(t, a, x509.ExtKeyUsageServerAuth, file("server"), file("server.key"))
	pair(t, a, x509.ExtKeyUsageClientAuth, file("client"), file("client.key"))
	n := natstest.New(t, fmt.Sprintf("tls { cert_file: %q, key_file: %q, ca_file: %q, verify: true }",
		file("server"), file("server.key"), file("ca")))
	good := NATS{URL: "tls://" + n.Addr, CA: file("ca"), Certificate: file("client"), Key: file("client.key")}
	for _, c := range []struct {
		name    string
		refused bool
		change  func(*NATS)
	}{
		{"with everything", false, func(*NATS) {}},
		{"without knowing who vouches for the server", true, func(n *NATS) { n.CA = "" }},
		{"without a client certificate", true, func(n *NATS) { n.Certificate, n.Key = "", "" }},
		{"with a key that is missing", true, func(n *NATS) { n.Key = "" }},
	} {
		p := newPlace(t, t.TempDir())
		p.config.NATS = good
		c.change(&p.config.NATS)
		s, err := New(t.Context(), p.config)
		if (err != nil) != c.refused {
			t.Errorf("%s: %v", c.name, err)
		}
		if err == nil {
			s.Close()
		}
	}
}
