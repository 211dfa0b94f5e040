package ingest

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/event/identity"
	"github.com/breakwater-sec/breakwater/store"
)

// nodePlace is an endpoint whose cluster prod has the nodes of a list, and which takes
// certificates only. A nil list says that nobody knows the nodes.
func nodePlace(t testing.TB, nodes ...string) *place {
	t.Helper()
	p := newPlace(t, t.TempDir())
	clients, err := OpenClients(filepath.Join(p.dir, "ca"))
	if err != nil {
		t.Fatal(err)
	}
	p.config.Clients, p.config.SensorTokens = clients, false
	if nodes != nil {
		p.config.HasNode = func(_, node string) (bool, string) { return contains(nodes, node), "" }
	}
	return p
}

func contains(list []string, one string) bool {
	for _, have := range list {
		if have == one {
			return true
		}
	}
	return false
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func csrOf(t testing.TB, key crypto.Signer, asks x509.CertificateRequest) string {
	t.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, &asks, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
}

// showing is the running endpoint asked by who shows a certificate; nil shows none.
func (r *running) showing(pair *tls.Certificate) *running {
	config := r.place.client.Transport.(*http.Transport).TLSClientConfig.Clone()
	if pair != nil {
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return pair, nil }
	}
	other := *r.place
	other.client = &http.Client{Transport: &http.Transport{TLSClientConfig: config}}
	return &running{r.Server, &other, r.stop}
}

// asked is what came back.
func (r *running) asked(t testing.TB, q request) (int, string) {
	t.Helper()
	req, err := http.NewRequest("POST", "https://"+r.Addr().String()+q.path, strings.NewReader(q.body))
	if err != nil {
		t.Fatal(err)
	}
	if q.token != "" {
		req.Header.Set("Authorization", "Bearer "+q.token)
	}
	for k, v := range q.header {
		req.Header.Set(k, v)
	}
	res, err := r.place.client.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(body)
}

func joinBody(t testing.TB, node, csr string) string {
	t.Helper()
	b, err := json.Marshal(asksFor{Node: node, CSR: csr})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// join joins as a node and gives the certificate, or the status and the words of the refusal.
func (r *running) join(t testing.TB, token, node string, key *ecdsa.PrivateKey) (*tls.Certificate, int, string) {
	t.Helper()
	status, body := r.asked(t, request{path: "/v1/sensor/join", token: token,
		body: joinBody(t, node, csrOf(t, key, x509.CertificateRequest{}))})
	return pairOf(t, status, body, key), status, body
}

func pairOf(t testing.TB, status int, body string, key *ecdsa.PrivateKey) *tls.Certificate {
	t.Helper()
	if status != 200 {
		return nil
	}
	var joined Joined
	if err := json.Unmarshal([]byte(body), &joined); err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode([]byte(joined.Certificate))
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}
}

// mustJoin is a node that has joined.
func (r *running) mustJoin(t testing.TB, token, node string) *tls.Certificate {
	t.Helper()
	pair, status, body := r.join(t, token, node, newKey(t))
	if pair == nil {
		t.Fatalf("join as %s: %d %s", node, status, body)
	}
	return pair
}

// sends is a batch in a node's name; says is its status.
func sends(node string) request {
	return request{path: "/v1/sensor/events", body: `{"node":"` + node + `"}`, header: map[string]string{batchHeader: node + "/b/1"}}
}

func says(node string) request {
	return request{path: "/v1/sensor/status", body: `{"node":"` + node + `"}`}
}

// noticedIn is what the server noticed of senders, in order, as soon as there are so many.
func noticedIn(t testing.TB, r *running, n int) (out []identity.Record) {
	t.Helper()
	got := make(chan identity.Record, 100)
	stop := r.consume(t, func(b Batch) error {
		for line := range bytes.Lines(b.Lines) {
			var one identity.Record
			if b.Kind == Noticed && json.Unmarshal(line, &one) == nil {
				got <- one
			}
		}
		return nil
	})
	defer stop()
	for len(out) < n {
		select {
		case one := <-got:
			out = append(out, one)
		case <-time.After(5 * time.Minute):
			t.Fatalf("only %+v", out)
		}
	}
	return out
}

func TestANodeJoinsAndSpeaksForItselfAlone(t *testing.T) {
	p := nodePlace(t, "node-1", "node-2")
	r, token := p.start(t), p.token(t, "prod", Runtime)
	one := r.showing(r.mustJoin(t, token, "node-1"))
	for name, c := range map[string]struct {
		q      request
		status int
	}{
		"its own batch":           {sends("node-1"), 200},
		"its own status":          {says("node-1"), 200},
		"another node's batch":    {sends("node-2"), 403},
		"another node's status":   {says("node-2"), 403},
		"a node in other letters": {sends("Node-1"), 403},
		"every node":              {sends("*"), 403},
		"an audit log":            {request{path: "/v1/audit/prod", body: list()}, 403},
	} {
		if status, body := one.asked(t, c.q); status != c.status {
			t.Errorf("%s: %d %s, want %d", name, status, body, c.status)
		}
	}
	alone := sends("node-1")
	alone.token = token
	if status, body := r.asked(t, alone); status != 401 {
		t.Errorf("a join token alone sends: %d %s", status, body)
	}
	kept, err := p.store.Certificates(context.Background())
	if err != nil || len(kept) != 1 || !kept[0].Verified || kept[0].Node != "node-1" || kept[0].UsedFrom != "127.0.0.1" {
		t.Errorf("%+v, %v", kept, err)
	}
	told := noticedIn(t, r, 2)
	for _, n := range told {
		if n.What != identity.Foreign || n.Node != "node-1" || n.Claimed == "node-1" {
			t.Errorf("%+v", n)
		}
	}
	if of := r.counts.all(); of[len(of)-1].Rejected["another node"] < 4 {
		t.Errorf("%+v", of)
	}
}

func TestABatchSaysWhoseCertificateItCameWith(t *testing.T) {
	p := nodePlace(t, "node-1")
	r, token := p.start(t), p.token(t, "prod", Runtime)
	got := make(chan string, 1)
	r.consume(t, func(b Batch) error { got <- b.Node; return nil })
	if status, body := r.showing(r.mustJoin(t, token, "node-1")).asked(t, sends("node-1")); status != 200 {
		t.Fatal(status, body)
	}
	if node := <-got; node != "node-1" {
		t.Errorf("%q", node)
	}
}

func TestOfACertificateRequestOnlyTheKeyCounts(t *testing.T) {
	p := nodePlace(t, "node-1")
	r, token, key := p.start(t), p.token(t, "prod", Runtime), newKey(t)
	other, _ := url.Parse("breakwater:///prod/node-2")
	ca := pkix.Extension{Id: []int{2, 5, 29, 19}, Critical: true, Value: []byte{0x30, 0x03, 0x01, 0x01, 0xff}}
	csr := csrOf(t, key, x509.CertificateRequest{Subject: pkix.Name{CommonName: "node-2", Organization: []string{"system:masters"}},
		DNSNames: []string{"*", "breakwater.example"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, URIs: []*url.URL{other},
		EmailAddresses: []string{"root@example"}, ExtraExtensions: []pkix.Extension{ca}})
	status, body := r.asked(t, request{path: "/v1/sensor/join", token: token, body: joinBody(t, "node-1", csr)})
	pair := pairOf(t, status, body, key)
	if pair == nil {
		t.Fatal(status, body)
	}
	c := pair.Leaf
	if c.IsCA || !c.BasicConstraintsValid || len(c.DNSNames)+len(c.IPAddresses)+len(c.EmailAddresses) > 0 || len(c.URIs) != 1 ||
		c.URIs[0].String() != "breakwater:///prod/node-1" || c.Subject.String() != "CN=breakwater sender" ||
		len(c.ExtKeyUsage) != 1 || c.ExtKeyUsage[0] != x509.ExtKeyUsageClientAuth || c.KeyUsage != x509.KeyUsageDigitalSignature {
		t.Errorf("%+v", c)
	}
	if life := time.Until(c.NotAfter); life > 24*time.Hour || life < 23*time.Hour {
		t.Errorf("it lives for %v", life)
	}
	if status, _ := r.showing(pair).asked(t, sends("node-2")); status != 403 {
		t.Errorf("as node-2: %d", status)
	}
}

func TestWhatIsNoRequestForAnOrdinaryKeyIsRefused(t *testing.T) {
	p := nodePlace(t, "node-1")
	r, token := p.start(t), p.token(t, "prod", Runtime)
	small, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	// A key of 16,384 bits would take a minute to make; what says that it is one is enough.
	huge := forgedCSR(t, &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 16383, 1), E: 65537})
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good := csrOf(t, newKey(t), x509.CertificateRequest{})
	signedByOther := forgedCSR(t, newKey(t).Public())
	for name, c := range map[string]struct {
		body   string
		status int
	}{
		"RSA of 2,048 bits":            {joinBody(t, "node-1", csrOf(t, small, x509.CertificateRequest{})), 400},
		"RSA of 16,384 bits":           {joinBody(t, "node-1", huge), 400},
		"another curve":                {joinBody(t, "node-1", csrOf(t, p384, x509.CertificateRequest{})), 400},
		"a key that somebody else has": {joinBody(t, "node-1", signedByOther), 400},
		"two requests":                 {joinBody(t, "node-1", good+good), 400},
		"a certificate":                {joinBody(t, "node-1", strings.ReplaceAll(good, "CERTIFICATE REQUEST", "CERTIFICATE")), 400},
		"no request": {joinBody(t, "node-1",
			"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"), 400},
		"nothing": {"", 400},
		"no JSON": {"node-1", 400},
		"a request of 10 KiB": {joinBody(t, "node-1", csrOf(t, newKey(t), x509.CertificateRequest{
			DNSNames: []string{strings.Repeat("a.", 5<<10) + "example"}})), 400},
		"a body of 1 MiB":           {joinBody(t, "node-1", strings.Repeat("A", 1<<20)), 413},
		"no node":                   {joinBody(t, "", good), 400},
		"every node":                {joinBody(t, "*", good), 400},
		"a node with a slash":       {joinBody(t, "node-1/node-2", good), 400},
		"a node that is an escape":  {joinBody(t, "node%2d1", good), 400},
		"a node with a line's end":  {joinBody(t, "node-1\nX: y", good), 400},
		"a node of 254 letters":     {joinBody(t, strings.Repeat("n", 254), good), 400},
		"a node that is two points": {joinBody(t, "..", good), 400},
	} {
		if status, body := r.asked(t, request{path: "/v1/sensor/join", token: token, body: c.body}); status != c.status {
			t.Errorf("%s: %d %s, want %d", name, status, body, c.status)
		}
	}
	if kept, err := p.store.Certificates(context.Background()); err != nil || len(kept) != 0 {
		t.Errorf("%+v, %v", kept, err)
	}
}

// forgedCSR names a key that did not sign it.
func forgedCSR(t testing.TB, says crypto.PublicKey) string {
	t.Helper()
	key, err := x509.MarshalPKIXPublicKey(says)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode([]byte(csrOf(t, newKey(t), x509.CertificateRequest{})))
	var whole struct {
		Body struct {
			Version    int
			Subject    asn1.RawValue
			Key        asn1.RawValue
			Attributes []asn1.RawValue `asn1:"tag:0"`
		}
		Algorithm asn1.RawValue
		Signature asn1.BitString
	}
	if _, err := asn1.Unmarshal(block.Bytes, &whole); err != nil {
		t.Fatal(err)
	}
	whole.Body.Key = asn1.RawValue{FullBytes: key}
	der, err := asn1.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
}

func TestAJoinTokenJoinsForItsClusterItsTimeAndItsUses(t *testing.T) {
	p := nodePlace(t, "node-1", "node-2", "node-3")
	r := p.start(t)
	make := func(of store.IngestToken) string {
		token, err := p.store.NewIngestToken(context.Background(), of)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	twice := make(store.IngestToken{Cluster: "prod", Kind: string(Runtime), MaxUses: 2})
	r.mustJoin(t, twice, "node-1")
	r.mustJoin(t, twice, "node-2")
	if _, status, body := r.join(t, twice, "node-3", newKey(t)); status != 403 || !strings.Contains(body, "make another") {
		t.Errorf("a third time: %d %s", status, body)
	}
	for name, token := range map[string]string{
		"over":             make(store.IngestToken{Cluster: "prod", Kind: string(Runtime), ExpiresAt: time.Now().Add(-time.Second)}),
		"nobody's":         "guessed",
		"none":             "",
		"of the audit log": make(store.IngestToken{Cluster: "prod", Kind: string(Audit)}),
	} {
		if _, status, body := r.join(t, token, "node-3", newKey(t)); status != 401 && status != 403 {
			t.Errorf("a token that is %s: %d %s", name, status, body)
		}
	}
	pair := r.mustJoin(t, make(store.IngestToken{Cluster: "dev", Kind: string(Runtime)}), "node-1")
	if who, err := identityOf(pair.Leaf); err != nil || who != (Identity{"dev", "node-1"}) {
		t.Errorf("%+v, %v", who, err)
	}
}

func waitingIn(t *testing.T, p *place) []store.WaitingNode {
	t.Helper()
	all, err := p.store.WaitingNodes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestANodeThatItsClusterDoesNotHaveWaitsAndIsTold(t *testing.T) {
	p := nodePlace(t)
	nodes := []string{"node-1"}
	p.config.HasNode = func(_, node string) (bool, string) { return contains(nodes, node), "" }
	p.config.unknownAfter = time.Nanosecond
	r, token := p.start(t), p.token(t, "prod", Runtime)
	for i := range 3 * store.MostWaiting {
		if _, status, body := r.join(t, token, "invented-"+string(rune('a'+i%26))+strings.Repeat("x", i/26), newKey(t)); status != 429 ||
			!strings.Contains(body, "wait") {
			t.Fatalf("%d %s", status, body)
		}
	}
	if waits := waitingIn(t, p); len(waits) != store.MostWaiting || waits[0].Cluster != "prod" || waits[0].From != "127.0.0.1" {
		t.Errorf("%d wait: %+v", len(waits), waits[0])
	}
	if kept, _ := p.store.Certificates(context.Background()); len(kept) != 0 {
		t.Errorf("%+v", kept)
	}
	if told := noticedIn(t, r, 1)[0]; told.What != identity.Unknown || told.Node != "invented-a" || told.Token == "" ||
		told.From != "127.0.0.1" {
		t.Errorf("%+v", told)
	}
	nodes = append(nodes, "invented-a")
	r.mustJoin(t, token, "invented-a")
	if waits := waitingIn(t, p); len(waits) != store.MostWaiting-1 {
		t.Errorf("%d wait", len(waits))
	}
}

func TestWhereNobodyKnowsTheNodesSoManyJoinUnverifiedUntilTheyAreKnown(t *testing.T) {
	p := nodePlace(t)
	known := false
	p.config.HasNode = func(_, node string) (bool, string) {
		if !known {
			return false, "the cluster prod has not been read yet"
		}
		return node == "node-1", ""
	}
	r, token := p.start(t), p.token(t, "prod", Runtime)
	honest, invented := r.mustJoin(t, token, "node-1"), r.mustJoin(t, token, "invented")
	kept, _ := p.store.Certificates(context.Background())
	if len(kept) != 2 || kept[0].Verified || kept[1].Verified {
		t.Errorf("%+v", kept)
	}
	if status, body := r.showing(invented).asked(t, sends("invented")); status != 200 {
		t.Errorf("%d %s", status, body)
	}
	known = true
	if status, body := r.showing(invented).asked(t, sends("invented")); status != 401 || !strings.Contains(body, "no node invented") {
		t.Errorf("when the cluster is read: %d %s", status, body)
	}
	if status, body := r.showing(honest).asked(t, sends("node-1")); status != 200 {
		t.Errorf("a node that it has: %d %s", status, body)
	}
	known = false
	for i := range maxUnverified - 2 {
		c := store.Certificate{Cluster: "prod", Serial: strings.Repeat("0", i), Kind: string(Runtime), Node: strings.Repeat("n", i+1), Key: "k",
			CreatedAt: time.Now(), ExpiresAt: time.Now().Add(time.Hour)}
		if err := p.store.AddCertificate(context.Background(), c, false); err != nil {
			t.Fatal(err)
		}
	}
	if _, status, body := r.join(t, token, "one-too-many", newKey(t)); status != 429 {
		t.Errorf("%d %s", status, body)
	}
}

func TestANodeThatSpeaksUnderOneKeyIsNotJoinedUnderAnother(t *testing.T) {
	p := nodePlace(t, "node-1")
	r, token, key := p.start(t), p.token(t, "prod", Runtime), newKey(t)
	old, _, _ := r.join(t, token, "node-1", key)
	if _, status, body := r.join(t, token, "node-1", newKey(t)); status != 409 || !strings.Contains(body, "breakwater tokens release") {
		t.Errorf("%d %s", status, body)
	}
	if status, body := r.showing(old).asked(t, sends("node-1")); status != 200 {
		t.Errorf("the old one is as good as before: %d %s", status, body)
	}
	if told := noticedIn(t, r, 1)[0]; told.What != identity.Held || told.Node != "node-1" || told.From != "127.0.0.1" {
		t.Errorf("%+v", told)
	}
	again, _, _ := r.join(t, token, "node-1", key)
	if again == nil || again.Leaf.SerialNumber.Cmp(old.Leaf.SerialNumber) == 0 {
		t.Error("under its own key it may join again")
	}
	if status, body := r.showing(again).asked(t, request{path: "/v1/sensor/leave"}); status != 204 {
		t.Fatalf("leave: %d %s", status, body)
	}
	for _, pair := range []*tls.Certificate{old, again} {
		if status, _ := r.showing(pair).asked(t, sends("node-1")); status != 401 {
			t.Errorf("after it left: %d", status)
		}
	}
	r.mustJoin(t, token, "node-1")
}

func TestAReplayedJoinIsOfNoUse(t *testing.T) {
	p := nodePlace(t, "node-1")
	r, key := p.start(t), newKey(t)
	token, err := p.store.NewIngestToken(context.Background(), store.IngestToken{Cluster: "prod", Kind: string(Runtime), MaxUses: 1})
	if err != nil {
		t.Fatal(err)
	}
	q := request{path: "/v1/sensor/join", token: token, body: joinBody(t, "node-1", csrOf(t, key, x509.CertificateRequest{}))}
	for range 3 {
		if status, body := r.asked(t, q); status != 200 {
			t.Fatal(status, body)
		}
	}
	_, body := r.asked(t, q)
	stolen := pairOf(t, 200, body, newKey(t)) // the thief has another key
	if status, said := r.showing(stolen).asked(t, sends("node-1")); status == 200 {
		t.Errorf("%d %s", status, said)
	}
	if tokens, _ := p.store.IngestTokens(context.Background()); tokens[0].Uses != 1 {
		t.Errorf("%+v", tokens)
	}
}

func TestACertificateIsRenewedWithItselfAndForItsKeyAlone(t *testing.T) {
	p := nodePlace(t, "node-1")
	gone := false
	p.config.HasNode = func(_, node string) (bool, string) { return node == "node-1" && !gone, "" }
	r, token, key := p.start(t), p.token(t, "prod", Runtime), newKey(t)
	old, _, _ := r.join(t, token, "node-1", key)
	tokens, _ := p.store.IngestTokens(context.Background())
	if err := p.store.RevokeIngestToken(context.Background(), tokens[0].ID, "alice"); err != nil {
		t.Fatal(err)
	}
	renew := func(pair *tls.Certificate, with *ecdsa.PrivateKey) (*tls.Certificate, int, string) {
		status, body := r.showing(pair).asked(t, request{path: "/v1/sensor/renew",
			body: joinBody(t, "node-2", csrOf(t, with, x509.CertificateRequest{}))})
		return pairOf(t, status, body, with), status, body
	}
	fresh, status, body := renew(old, key)
	if fresh == nil || fresh.Leaf.URIs[0].String() != "breakwater:///prod/node-1" {
		t.Fatalf("%d %s", status, body)
	}
	if status, body := r.showing(fresh).asked(t, sends("node-1")); status != 200 {
		t.Errorf("%d %s", status, body)
	}
	if _, status, _ := renew(old, newKey(t)); status != 403 {
		t.Errorf("for another key: %d", status)
	}
	if _, status, _ := renew(nil, key); status != 401 {
		t.Errorf("without a certificate: %d", status)
	}
	gone = true
	if _, status, _ := renew(old, key); status != 403 {
		t.Errorf("a node that is gone: %d", status)
	}
	gone = false
	if err := p.store.RevokeCertificate(context.Background(), "prod", Serial(fresh.Leaf), "alice"); err != nil {
		t.Fatal(err)
	}
	for _, pair := range []*tls.Certificate{old, fresh} {
		if _, status, _ := renew(pair, key); status != 401 {
			t.Errorf("a key that was revoked: %d", status)
		}
	}
}

func TestRevocationEndsARunningConnection(t *testing.T) {
	p := nodePlace(t, "node-1")
	r, token := p.start(t), p.token(t, "prod", Runtime)
	pair := r.mustJoin(t, token, "node-1")
	one := r.showing(pair)
	conns := 0
	dial := (&net.Dialer{}).DialContext
	one.place.client.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conns++
		return dial(ctx, network, address)
	}
	for range 3 {
		if status, body := one.asked(t, sends("node-1")); status != 200 {
			t.Fatal(status, body)
		}
	}
	if conns != 1 {
		t.Fatalf("%d connections", conns)
	}
	if err := p.store.RevokeCertificate(context.Background(), "prod", Serial(pair.Leaf), "alice"); err != nil {
		t.Fatal(err)
	}
	if status, body := one.asked(t, sends("node-1")); status != 401 || !strings.Contains(body, "revoked") || conns != 1 {
		t.Errorf("%d %s, %d connections", status, body, conns)
	}
	if status, _ := one.asked(t, sends("node-1")); status != 401 || conns != 2 {
		t.Errorf("%d, %d connections: the first must have ended", status, conns)
	}
}

func TestACertificateOfAnotherAuthorityOrTimeIsRefused(t *testing.T) {
	p := nodePlace(t, "node-1")
	r, key := p.start(t), newKey(t)
	server, err := OpenAuthority(filepath.Join(p.dir, "ca"))
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := newAuthority("Breakwater senders")
	if err != nil {
		t.Fatal(err)
	}
	who := Identity{"prod", "node-1"}
	keep := func(c *x509.Certificate, err error) *tls.Certificate {
		if err != nil {
			t.Fatal(err)
		}
		hash, _ := KeyHash(&key.PublicKey)
		err = p.store.AddCertificate(context.Background(), store.Certificate{Cluster: "prod", Serial: Serial(c), Kind: string(Runtime),
			Node: "node-1", Key: hash, Verified: true, CreatedAt: time.Now(), ExpiresAt: time.Now().Add(time.Hour)}, false)
		if err != nil {
			t.Fatal(err)
		}
		return &tls.Certificate{Certificate: [][]byte{c.Raw}, PrivateKey: key}
	}
	unkept, err := p.config.Clients.Vouch(who, &key.PublicKey, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	self := certificate("breakwater sender", time.Hour)
	self.URIs, self.ExtKeyUsage = []*url.URL{who.uri()}, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	der, err := x509.CreateCertificate(rand.Reader, self, self, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	selfSigned, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	for name, pair := range map[string]*tls.Certificate{
		"of the server's own authority":    keep(server.Vouch(who, &key.PublicKey, time.Hour)),
		"of an authority of the same name": keep(foreign.Vouch(who, &key.PublicKey, time.Hour)),
		"signed by itself":                 keep(selfSigned, nil),
		"that has expired":                 keep(p.config.Clients.Vouch(who, &key.PublicKey, -time.Second)),
		"that was never given out":         {Certificate: [][]byte{unkept.Raw}, PrivateKey: key},
	} {
		if status, body := r.showing(pair).asked(t, sends("node-1")); status != 401 {
			t.Errorf("a certificate %s: %d %s", name, status, body)
		}
	}
	good := keep(p.config.Clients.Vouch(who, &key.PublicKey, time.Hour))
	if status, body := r.showing(good).asked(t, sends("node-1")); status != 200 {
		t.Errorf("the test is blind: %d %s", status, body)
	}
	thief := &tls.Certificate{Certificate: good.Certificate, PrivateKey: newKey(t)}
	if status, body := r.showing(thief).asked(t, sends("node-1")); status == 200 {
		t.Errorf("without its key: %d %s", status, body)
	}
}

func TestAnAPIServerMayShowACertificateInsteadOfAToken(t *testing.T) {
	p := nodePlace(t)
	r, key := p.start(t), newKey(t)
	c, err := p.config.Clients.Vouch(Identity{Cluster: "prod"}, &key.PublicKey, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.store.AddCertificate(context.Background(), store.Certificate{Cluster: "prod", Serial: Serial(c), Kind: string(Audit), Key: "k",
		CreatedAt: time.Now(), ExpiresAt: time.Now().Add(time.Hour)}, false); err != nil {
		t.Fatal(err)
	}
	shows := r.showing(&tls.Certificate{Certificate: [][]byte{c.Raw}, PrivateKey: key})
	for path, want := range map[string]int{"/v1/audit/prod": 200, "/v1/audit/dev": 403} {
		if status, body := shows.asked(t, request{path: path, body: list(auditEvent(1))}); status != want {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if status, _ := shows.asked(t, sends("node-1")); status != 403 {
		t.Errorf("as a sensor: %d", status)
	}
	renew := request{path: "/v1/sensor/renew", body: joinBody(t, "", csrOf(t, key, x509.CertificateRequest{}))}
	if status, _ := shows.asked(t, renew); status != 403 {
		t.Errorf("renewed: %d", status)
	}
}

func TestANameInACertificateHasOneSpelling(t *testing.T) {
	for _, who := range []Identity{{"prod", "node-1"}, {"prod", ""}, {"a/b", "n"}, {"a b%2F*", "n.x"}, {"ü", "n"}, {"..", "."},
		{"a:b?c#d", "n"}} {
		c := &x509.Certificate{URIs: []*url.URL{who.uri()}}
		parsed, err := url.Parse(who.uri().String()) // as it comes out of a certificate
		if err != nil {
			t.Fatal(err)
		}
		c.URIs[0] = parsed
		if got, err := identityOf(c); err != nil || got != who {
			t.Errorf("%+v is read as %+v, %v", who, got, err)
		}
	}
	for _, text := range []string{"breakwater://prod/node-1", "breakwater:///prod/node%2D1", "breakwater:///prod/node-1/",
		"breakwater:///prod//",
		"breakwater:///", "breakwater:///prod/a/b", "breakwater:///prod/node-1?x", "breakwater:///prod/node-1#x", "https:///prod/node-1",
		"breakwater:prod/node-1", "BREAKWATER://user@/prod/node-1", "breakwater:////node-1"} {
		u, err := url.Parse(text)
		if err != nil {
			continue
		}
		if who, err := identityOf(&x509.Certificate{URIs: []*url.URL{u}}); err == nil {
			t.Errorf("%s is read as %+v", text, who)
		}
	}
	u := Identity{"prod", "node-1"}.uri()
	for name, c := range map[string]*x509.Certificate{"no name": {}, "two names": {URIs: []*url.URL{u, u}},
		"a host too": {URIs: []*url.URL{u}, DNSNames: []string{"a"}}} {
		if who, err := identityOf(c); err == nil {
			t.Errorf("%s: %+v", name, who)
		}
	}
}

func TestAClockThatGoesALittleWrongLetsNodesJoin(t *testing.T) {
	a, err := newAuthority("clients")
	if err != nil {
		t.Fatal(err)
	}
	c, err := a.Vouch(Identity{"prod", "n"}, &newKey(t).PublicKey, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for ago, want := range map[time.Duration]bool{-30 * time.Minute: true, -2 * time.Hour: false, 30 * time.Minute: true,
		2 * time.Hour: false} {
		if err := a.vouchedFor(c, time.Now().Add(ago)); (err == nil) != want {
			t.Errorf("%v from now: %v", ago, err)
		}
	}
}

func FuzzCertificateRequest(f *testing.F) {
	key := newKey(f)
	f.Add([]byte(csrOf(f, key, x509.CertificateRequest{})))
	f.Add([]byte(csrOf(f, key, x509.CertificateRequest{DNSNames: []string{"a"}})))
	f.Add([]byte("-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if got, err := keyOf(text); err == nil && (got == nil || got.Curve != elliptic.P256() || len(text) > maxRequest) {
			t.Errorf("%q: %v", text, got)
		}
	})
}

func FuzzNameOfASender(f *testing.F) {
	for _, text := range []string{"breakwater:///prod/node-1", "breakwater:///prod", "breakwater:///a%2Fb/n", "x:y"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		u, err := url.Parse(text)
		if err != nil {
			return
		}
		if who, err := identityOf(&x509.Certificate{URIs: []*url.URL{u}}); err == nil && (who.Cluster == "" || who.uri().String() != u.String()) {
			t.Errorf("%q is read as %+v, which is written %q", text, who, who.uri())
		}
	})
}

var errOfStore = errors.New("the store is away")

// away is a store that cannot be asked.
type away struct{ Tokens }

func (away) Certificate(context.Context, string, string) (store.Certificate, error) {
	return store.Certificate{}, errOfStore
}

func TestAStoreThatIsAwayLetsNobodyInAndSaysToComeAgain(t *testing.T) {
	p := nodePlace(t, "node-1")
	r, token := p.start(t), p.token(t, "prod", Runtime)
	pair := r.mustJoin(t, token, "node-1")
	r.config.Tokens = away{p.store}
	if status, body := r.showing(pair).asked(t, sends("node-1")); status != 503 || strings.Contains(body, errOfStore.Error()) {
		t.Errorf("%d %s", status, body)
	}
}
