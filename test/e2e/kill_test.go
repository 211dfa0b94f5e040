package e2e

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"
)

// TestAnsweredEventsSurviveAKill posts audit events while the server is killed
// several times with no chance to say goodbye, and repeats what was not answered:
// in the end every event is analysed once, is counted once, and is one alert.
func TestAnsweredEventsSurviveAKill(t *testing.T) {
	recorded, err := os.ReadFile("../../packs/detect/audit/testdata/exec.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := bytes.Cut(recorded, []byte("\n"))
	bin, data, out := plainBinary(t), t.TempDir(), t.TempDir()
	args := []string{
		"--from",
		"shop=../../cli/testdata/shop",
		"--listen",
		"127.0.0.1:0",
		"--ingest-listen",
		"127.0.0.1:0",
		"--data",
		data,
		"--no-images",
	}
	s := serve(t, bin, args...)
	to := newWebhook(t, bin, data, out)
	var sent, answered atomic.Int64
	var over atomic.Bool
	var senders sync.WaitGroup
	for range 4 {
		senders.Go(func() {
			for !over.Load() {
				event := strings.ReplaceAll(string(first), `"alice"`, fmt.Sprintf(`"person-%d"`, sent.Add(1)))
				for !to.post(event) {
					time.Sleep(10 * time.Millisecond) // it was killed: the next life is asked again
				}
				answered.Add(1)
			}
		})
	}
	for range 4 {
		until(t, "answers", func() bool { return answered.Load() > 0 })
		enough := answered.Load() + 20 + rand.Int64N(60)
		until(t, "more answers", func() bool { return answered.Load() >= enough })
		s.once.Do(func() { // it is not asked to stop
			_ = s.cmd.Process.Kill()
			<-s.done
			_ = s.cmd.Wait()
		})
		s = serve(t, bin, args...)
		to.find(t, bin, data, out)
	}
	over.Store(true)
	senders.Wait()
	a := s.asker(t)
	var list struct {
		Items []struct {
			Actor string
			Count int
		}
		Next      string
		Receiving []struct{ Total, Waiting int64 }
	}
	until(t, "every event", func() bool {
		a.get(t, "/alerts?limit=1", &list)
		return len(list.Receiving) == 1 && list.Receiving[0].Waiting == 0 && list.Receiving[0].Total >= sent.Load()
	})
	if n := list.Receiving[0].Total; n != sent.Load() {
		t.Errorf("%d events counted, %d were sent", n, sent.Load())
	}
	told := map[string]int{}
	for cursor := ""; ; cursor = list.Next {
		list.Items, list.Next = nil, ""
		a.get(t, "/alerts?rule=exec-into-pod&limit=500&cursor="+cursor, &list)
		for _, i := range list.Items {
			told[i.Actor] += i.Count
		}
		if list.Next == "" {
			break
		}
	}
	for i := range sent.Load() {
		if who := fmt.Sprint("person-", i+1); told[who] != 1 {
			t.Errorf("%s is told %d times", who, told[who])
		}
	}
	t.Logf("%d events over 4 deaths, each counted once and one alert", sent.Load())
}

// webhook posts events as an API server does, wherever the server is by now.
type webhook struct {
	client *http.Client
	at     atomic.Pointer[[2]string] // address and token
}

func newWebhook(t *testing.T, bin, data, out string) *webhook {
	t.Helper()
	w := &webhook{}
	w.find(t, bin, data, out)
	return w
}

// find asks the server where it takes events.
func (w *webhook) find(t *testing.T, bin, data, out string) {
	t.Helper()
	if said, err := exec.Command(bin, "connect", "audit", "--cluster", "shop", "--data", data, "--out", out).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	c, err := clientcmd.BuildConfigFromFlags("", filepath.Join(out, "webhook.kubeconfig"))
	if err != nil {
		t.Fatal(err)
	}
	if w.client == nil { // the authority stays
		trust := x509.NewCertPool()
		trust.AppendCertsFromPEM(c.CAData)
		w.client = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trust}}}
	}
	w.at.Store(&[2]string{c.Host, c.BearerToken})
}

// post says whether an event was answered.
func (w *webhook) post(event string) bool {
	at := w.at.Load()
	r, err := http.NewRequest(
		http.MethodPost,
		at[0],
		strings.NewReader(`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[`+event+`]}`),
	)
	if err != nil {
		return false
	}
	r.Header.Set("Authorization", "Bearer "+at[1])
	resp, err := w.client.Do(r)
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}
