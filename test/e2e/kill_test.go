package e2e

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
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
// with no chance to say goodbye: what it answered is analysed after a restart,
// once each.
func TestAnsweredEventsSurviveAKill(t *testing.T) {
	recorded, err := os.ReadFile("../../packs/detect/audit/testdata/exec.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	bin, data, out := plainBinary(t), t.TempDir(), t.TempDir()
	args := []string{"--from", "shop=../../cli/testdata/shop", "--listen", "127.0.0.1:0", "--ingest-listen", "127.0.0.1:0", "--data", data, "--no-images"}
	s := serve(t, bin, args...)
	if said, err := exec.Command(bin, "connect", "audit", "--cluster", "shop", "--data", data, "--out", out).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	webhook, err := clientcmd.BuildConfigFromFlags("", filepath.Join(out, "webhook.kubeconfig"))
	if err != nil {
		t.Fatal(err)
	}
	trust := x509.NewCertPool()
	trust.AppendCertsFromPEM(webhook.CAData)
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trust}}}
	first, _, _ := bytes.Cut(recorded, []byte("\n"))
	var answered sync.Map
	var next, acknowledged atomic.Int64
	var senders sync.WaitGroup
	for range 4 {
		senders.Go(func() {
			for {
				who := fmt.Sprintf("person-%d", next.Add(1))
				event := strings.ReplaceAll(string(first), `"alice"`, `"`+who+`"`)
				r, err := http.NewRequest(http.MethodPost, webhook.Host, strings.NewReader(`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[`+event+`]}`))
				if err != nil {
					t.Error(err)
					return
				}
				r.Header.Set("Authorization", "Bearer "+webhook.BearerToken)
				resp, err := client.Do(r)
				if err != nil {
					return // it was killed
				}
				resp.Body.Close()
				if resp.StatusCode == http.StatusOK {
					answered.Store(who, true)
					acknowledged.Add(1)
				}
			}
		})
	}
	until(t, "a hundred answers", func() bool { return acknowledged.Load() > 100 })
	s.once.Do(func() { // it is not asked to stop
		_ = s.cmd.Process.Kill()
		<-s.done
		_ = s.cmd.Wait()
	})
	senders.Wait()
	a := serve(t, bin, args...).asker(t)
	var list struct {
		Items []struct {
			Actor string
			Count int
		}
	}
	missing := func() (out []string) {
		a.get(t, "/alerts?rule=exec-into-pod&limit=1000", &list)
		told := map[string]int{}
		for _, i := range list.Items {
			told[i.Actor] += i.Count
		}
		answered.Range(func(who, _ any) bool {
			if told[who.(string)] != 1 {
				out = append(out, fmt.Sprintf("%s: %d times", who, told[who.(string)]))
			}
			return true
		})
		return out
	}
	until(t, "every answered event", func() bool { return len(missing()) == 0 })
	t.Logf("%d events answered before the kill, each one alert", acknowledged.Load())
}
