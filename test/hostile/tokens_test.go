package hostile

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/event"
	"github.com/breakwater-sec/breakwater/event/runtime"
	"github.com/breakwater-sec/breakwater/ingest"
	"github.com/breakwater-sec/breakwater/pipeline"
	"github.com/breakwater-sec/breakwater/store"
)

// The attacker here holds what lies on one node of a cluster: its join token and, where a test says so, the
// key of its sensor. The cluster has the nodes worker-1, which runs the pod of the recordings, and worker-2.

const victim, taken = "worker-1", "worker-2"

// cluster knows its nodes and where its pod runs, as a graph does.
type cluster struct{ nodes []string }

func (cluster) About(string, event.Entity) (detect.About, bool) { return detect.About{}, false }
func (cluster) Knows(string) string                             { return "" }
func (cluster) Provider(string) string                          { return "" }
func (cluster) Place(_ string, c *runtime.Container) (runtime.Place, bool) {
	if c.PodUID == "" {
		return runtime.Place{}, false
	}
	return runtime.Place{Namespace: "shop", Pod: "web", PodID: "prod/shop/Pod/web", Container: "app", Node: victim}, true
}

func (c cluster) has(_, node string) (bool, string) { return slices.Contains(c.nodes, node), "" }

// joining is a receiver that gives certificates to the nodes of a cluster.
func joining(t *testing.T) *receiver {
	t.Helper()
	nodes := cluster{[]string{victim, taken}}
	return receiving(t, func(authority string, in *ingest.Config, through *pipeline.Config) {
		clients, err := ingest.OpenClients(authority)
		if err != nil {
			t.Fatal(err)
		}
		in.Clients, in.HasNode, through.Clusters = clients, nodes.has, nodes
	})
}

// as is who shows a token, a certificate, or neither.
type as struct {
	token string
	pair  *tls.Certificate
}

func (r *receiver) say(t *testing.T, who as, path, body string, header ...string) (int, string) {
	t.Helper()
	config := &tls.Config{RootCAs: r.roots}
	if who.pair != nil {
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return who.pair, nil }
	}
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}}
	q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+r.address+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if who.token != "" {
		q.Header.Set("Authorization", "Bearer "+who.token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		q.Header.Set(header[i], header[i+1])
	}
	a, err := client.Do(q)
	if err != nil {
		return 0, err.Error()
	}
	defer a.Body.Close()
	said, _ := io.ReadAll(a.Body)
	return a.StatusCode, string(said)
}

// join asks for a certificate for a new key.
func (r *receiver) join(t *testing.T, token, node string) (*tls.Certificate, int) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return r.joinUnder(t, token, node, key)
}

// joinUnder asks for a certificate for a key.
func (r *receiver) joinUnder(t *testing.T, token, node string, key *ecdsa.PrivateKey) (*tls.Certificate, int) {
	t.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		t.Fatal(err)
	}
	csr := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
	body, err := json.Marshal(map[string]string{"node": node, "csr": string(csr)})
	if err != nil {
		t.Fatal(err)
	}
	status, said := r.say(t, as{token: token}, "/v1/sensor/join", string(body))
	if status != http.StatusOK {
		return nil, status
	}
	var joined ingest.Joined
	if err := json.Unmarshal([]byte(said), &joined); err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode([]byte(joined.Certificate))
	return &tls.Certificate{Certificate: [][]byte{block.Bytes}, PrivateKey: key}, status
}

// webShell is a recording of worker-1, told in a node's name.
func webShell(t *testing.T, node string) string {
	t.Helper()
	all, err := os.ReadFile(filepath.Join("..", "..", "packs", "detect", "runtime", "testdata", "web-shell.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(all), `"node":"`+victim+`"`, `"node":"`+node+`"`)
}

// alerted waits until an alert of a rule is there, and gives its text.
func (r *receiver) alerted(t *testing.T, rule string) string {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		page, _, err := r.store.Alerts(t.Context(), store.AlertFilter{}, "", 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range page {
			if a.Rule == rule {
				return string(a.Body)
			}
		}
	}
	t.Fatalf("no alert of %s", rule)
	return ""
}

func names(alert string, what ...string) bool {
	return !slices.ContainsFunc(what, func(w string) bool { return !strings.Contains(alert, w) })
}

func TestAStolenJoinTokenInventsNoNodeAndSendsNothing(t *testing.T) {
	r := joining(t)
	token := r.token(t, "prod", ingest.Runtime)
	for i := range 100 {
		if pair, status := r.join(t, token, fmt.Sprintf("invented-%d", i)); pair != nil || status != http.StatusTooManyRequests {
			t.Fatalf("%d: %d", i, status)
		}
	}
	for path, body := range map[string]string{"/v1/sensor/events": webShell(t, "invented-1"), "/v1/sensor/status": `{"node":"invented-1"}`} {
		if status, said := r.say(t, as{token: token}, path, body, "X-Breakwater-Sensor", "invented-1/b/1"); status != http.StatusUnauthorized {
			t.Errorf("%s: %d %s", path, status, said)
		}
	}
	certificates, err := r.store.Certificates(t.Context())
	sensors, err2 := r.store.Sensors(t.Context(), "")
	if err != nil || err2 != nil || len(certificates) != 0 || len(sensors) != 0 {
		t.Errorf("%d certificates, %d sensors, %v %v", len(certificates), len(sensors), err, err2)
	}
}

func TestWhoHoldsAJoinTokenTakesNoNodeThatSpeaksForItself(t *testing.T) {
	r := joining(t)
	token := r.token(t, "prod", ingest.Runtime)
	honest, _ := r.join(t, token, victim)
	if honest == nil {
		t.Fatal("the node could not join")
	}
	if thief, status := r.join(t, token, victim); thief != nil || status != http.StatusConflict {
		t.Errorf("%d", status)
	}
	if status, said := r.say(t, as{pair: honest}, "/v1/sensor/status", `{"node":"worker-1"}`); status != http.StatusOK {
		t.Errorf("the node itself: %d %s", status, said)
	}
	if alert := r.alerted(t, "node-joins-twice"); !names(alert, victim, "127.0.0.1") {
		t.Error(alert)
	}
}

func TestOneNodesKeySpeaksForNoOtherNodeAndTryingIsAnAlert(t *testing.T) {
	r := joining(t)
	own, _ := r.join(t, r.token(t, "prod", ingest.Runtime), taken)
	if own == nil {
		t.Fatal("the node could not join")
	}
	foreign := webShell(t, victim)
	for name, said := range map[string]func() (int, string){
		"another node's batch": func() (int, string) {
			return r.say(t, as{pair: own}, "/v1/sensor/events", foreign, "X-Breakwater-Sensor", victim+"/b/1")
		},
		"another node's status": func() (int, string) { return r.say(t, as{pair: own}, "/v1/sensor/status", `{"node":"worker-1"}`) },
		"an audit log":          func() (int, string) { return r.say(t, as{pair: own}, "/v1/audit/prod", string(list())) },
	} {
		if status, words := said(); status != http.StatusForbidden {
			t.Errorf("%s: %d %s", name, status, words)
		}
	}
	// Its own name outside, another's inside.
	if status, said := r.say(t, as{pair: own}, "/v1/sensor/events", foreign, "X-Breakwater-Sensor", taken+"/b/1"); status != http.StatusOK {
		t.Fatalf("%d %s", status, said)
	}
	if alert := r.alerted(t, "sensor-for-another-node"); !names(alert, victim, taken, "prod/Node/"+victim, "prod/Node/"+taken) {
		t.Error(alert)
	}
	page, _, err := r.store.Alerts(t.Context(), store.AlertFilter{}, "", 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range page {
		if a.Rule != "sensor-for-another-node" {
			t.Errorf("%s was raised in another node's name", a.Rule)
		}
	}
	if sensors, _ := r.store.Sensors(t.Context(), ""); len(sensors) != 0 {
		t.Errorf("%+v", sensors)
	}
}

func TestWhatASensorSaysOfAnotherNodesPodIsNotSaidOfThePodAndIsAnAlert(t *testing.T) {
	r := joining(t)
	token := r.token(t, "prod", ingest.Runtime)
	own, _ := r.join(t, token, taken)
	status, said := r.say(t, as{pair: own}, "/v1/sensor/events", webShell(t, taken), "X-Breakwater-Sensor", taken+"/b/1")
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, said)
	}
	if alert := r.alerted(t, "sensor-for-another-node"); !names(alert, victim, taken, "prod/shop/Pod/web") {
		t.Error(alert)
	}
	if alert := r.alerted(t, "shell-from-server"); strings.Contains(alert, "prod/shop/Pod/web") || strings.Contains(alert, victim) {
		t.Errorf("the pod is named: %s", alert)
	}
	// The node that runs the pod says the same, and it is the pod's.
	honest, _ := r.join(t, token, victim)
	status, said = r.say(t, as{pair: honest}, "/v1/sensor/events", webShell(t, victim), "X-Breakwater-Sensor", victim+"/b/1")
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, said)
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		page, _, err := r.store.Alerts(t.Context(), store.AlertFilter{}, "", 100)
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(page, func(a store.Alert) bool {
			return a.Rule == "shell-from-server" && bytes.Contains(a.Body, []byte("prod/shop/Pod/web"))
		}) {
			return
		}
		if time.Now().After(end) {
			t.Fatal("no alert of the pod by its own node")
		}
	}
}

func TestWhatWasRevokedIsOfNoUseAtOnceAndItsKeyNeverAgain(t *testing.T) {
	r := joining(t)
	token := r.token(t, "prod", ingest.Runtime)
	pair, _ := r.join(t, token, taken)
	certificates, err := r.store.Certificates(t.Context())
	if err != nil || len(certificates) != 1 {
		t.Fatal(certificates, err)
	}
	if err := r.store.RevokeCertificate(t.Context(), "prod", certificates[0].Serial, "alice"); err != nil {
		t.Fatal(err)
	}
	for path, body := range map[string]string{"/v1/sensor/events": webShell(t, taken), "/v1/sensor/status": `{"node":"worker-2"}`,
		"/v1/sensor/renew": "{}", "/v1/sensor/leave": ""} {
		if status, said := r.say(t, as{pair: pair}, path, body, "X-Breakwater-Sensor", taken+"/b/1"); status != http.StatusUnauthorized {
			t.Errorf("%s: %d %s", path, status, said)
		}
	}
	if again, status := r.joinUnder(t, token, taken, pair.PrivateKey.(*ecdsa.PrivateKey)); again != nil || status != http.StatusForbidden {
		t.Errorf("under the key that was revoked, with a token that counts: %d", status)
	}
	if err := r.store.RevokeIngestToken(t.Context(), certificates[0].Token, "alice"); err != nil {
		t.Fatal(err)
	}
	if again, status := r.join(t, token, taken); again != nil || status != http.StatusUnauthorized {
		t.Errorf("with the token that was revoked too: %d", status)
	}
}
