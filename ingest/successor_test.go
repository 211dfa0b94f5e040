package ingest

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// daemonSet is what a cluster tells of its sensors' pods.
type daemonSet struct {
	mu    sync.Mutex
	nodes map[string]string // by uid
	why   string
}

func (d *daemonSet) tell(why string, nodes map[string]string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.nodes, d.why = nodes, why
}

func (d *daemonSet) pods(string) (map[string]string, string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.nodes, d.why
}

// joinsIn joins as the sensor in a pod.
func (r *running) joinsIn(t testing.TB, token, node, pod string, key *ecdsa.PrivateKey) (int, string) {
	t.Helper()
	body, err := json.Marshal(asksFor{Node: node, Pod: pod, CSR: csrOf(t, key, x509.CertificateRequest{})})
	if err != nil {
		t.Fatal(err)
	}
	status, said := r.asked(t, request{path: "/v1/sensor/join", token: token, body: string(body)})
	return status, said
}

func TestASensorWhosePodIsGoneIsSucceededByTheOneWhosePodRunsThere(t *testing.T) {
	p := nodePlace(t, "worker-1")
	d := &daemonSet{}
	p.config.SensorPods = d.pods
	r, token := p.start(t), p.token(t, "prod", Runtime)
	joins := func(when, pod string, key *ecdsa.PrivateKey, want int) {
		t.Helper()
		if status, said := r.joinsIn(t, token, "worker-1", pod, key); status != want {
			t.Errorf("%s: %d %s, want %d", when, status, said, want)
		}
	}
	first, second, thief := newKey(t), newKey(t), newKey(t)
	d.tell("", map[string]string{"u1": "worker-1"})
	joins("the first", "u1", first, http.StatusOK)
	joins("the same again", "u1", first, http.StatusOK)
	joins("a thief who says its pod", "u1", thief, http.StatusConflict)
	joins("a thief who says a pod that there is not", "u9", thief, http.StatusTooManyRequests)
	d.tell("", map[string]string{"u1": "worker-1", "u2": "worker-1"})
	joins("the next, while the first's pod is there", "u2", second, http.StatusConflict)
	d.tell("the cluster is away", nil)
	joins("the next, while nobody knows what runs", "u2", second, http.StatusConflict)
	d.tell("", map[string]string{"u2": "worker-2"})
	joins("a pod of another node", "u2", thief, http.StatusTooManyRequests)
	d.tell("", map[string]string{"u2": "worker-1"})
	joins("the next", "u2", second, http.StatusOK)
	joins("the first, whose pod is gone", "u1", first, http.StatusTooManyRequests)
	joins("a thief who says the next's pod", "u2", thief, http.StatusConflict)
}

func TestAKeyWhosePodIsNotKnownIsSucceededByNobody(t *testing.T) {
	p := nodePlace(t, "worker-1")
	d := &daemonSet{}
	p.config.SensorPods = d.pods
	r, token := p.start(t), p.token(t, "prod", Runtime)
	d.tell("nobody knows", nil)
	if status, said := r.joinsIn(t, token, "worker-1", "u1", newKey(t)); status != http.StatusOK {
		t.Fatal(status, said)
	}
	d.tell("", map[string]string{"u2": "worker-1"})
	if status, said := r.joinsIn(t, token, "worker-1", "u2", newKey(t)); status != http.StatusConflict {
		t.Error(status, said)
	}
}

func TestTheNameOfANodeIsForTheSensorThatItsClusterRunsThere(t *testing.T) {
	p := nodePlace(t, "worker-1", "worker-2", "bare")
	d := &daemonSet{}
	p.config.SensorPods = d.pods
	r, token := p.start(t), p.token(t, "prod", Runtime)
	joins := func(when, node, pod string, want int, says string) {
		t.Helper()
		status, said := r.joinsIn(t, token, node, pod, newKey(t))
		if status != want || !strings.Contains(said, says) {
			t.Errorf("%s: %d %s, want %d %q", when, status, said, want, says)
		}
	}
	d.tell("", nil)
	joins("in a cluster that runs no sensors", "bare", "", http.StatusOK, "")
	d.tell("", map[string]string{"u1": "worker-1", "u2": "worker-2"})
	joins("a node without a sensor", "bare", "", http.StatusTooManyRequests, "has not told of a sensor's pod on the node bare")
	joins("a sensor of before, in no pod that it knows", "worker-1", "", http.StatusOK, "")
	joins("one that says its pod", "worker-2", "u2", http.StatusOK, "")
	d.tell("", map[string]string{"u1": "worker-1", "u2": "worker-2", "u3": "bare"})
	joins("who says no pod where sensors do", "bare", "", http.StatusTooManyRequests, "POD_UID")
	if waits := waitingIn(t, p); len(waits) != 1 || waits[0].Node != "bare" {
		t.Errorf("%+v", waits)
	}
}
