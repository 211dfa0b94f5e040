package e2e

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/ingest"
)

// TestWhatTheWebhookGaveUpComesFromTheLog: while nobody listens, an API server
// gives its events up for good. It counts them, we ask for the count and say what
// is missing, and its log file brings the alert, once.
func TestWhatTheWebhookGaveUpComesFromTheLog(t *testing.T) {
	c, args := watchedShop(t)
	bin := plainBinary(t)
	args = append(args, "--ingest-listen", freeAddress(t))
	s := serve(t, bin, args...)
	data, out := args[indexOf(args, "--data")+1], t.TempDir()
	if said, err := exec.Command(bin, "connect", "audit", "--cluster", "prod", "--data", data, "--out", out).CombinedOutput(); err != nil {
		t.Fatalf("connect: %v: %s", err, said)
	}
	s.stop(t)
	log := filepath.Join(out, "audit.log")
	webhook := filepath.Join(out, "webhook.kubeconfig")
	if err := c.RestartAPIServer("--audit-policy-file="+filepath.Join(out, "policy.yaml"), "--audit-webhook-config-file="+webhook,
		"--audit-log-path="+log, "--audit-webhook-batch-max-wait=100ms", "--audit-webhook-initial-backoff=10ms"); err != nil {
		t.Fatal(err)
	}
	kubectl := func(args ...string) string {
		t.Helper()
		said, err := c.Kubectl("", args...)
		if err != nil {
			t.Fatal(said, err)
		}
		return said
	}
	kubectl("create", "clusterrolebinding", "too-much", "--clusterrole=cluster-admin", "--user=mallory")
	logged := 0
	until(t, "its log file holds the binding", func() bool {
		b, err := os.ReadFile(log)
		before, _, there := strings.Cut(string(b), `"too-much"`)
		logged = strings.Count(before, "\n") + 1
		return err == nil && there
	})
	until(t, "the API server gives up everything until then", func() bool {
		lost, _, err := ingest.AuditErrors(strings.NewReader(kubectl("get", "--raw", "/metrics")))
		return err == nil && lost > uint64(logged)
	})

	s = serve(t, bin, args...)
	a := s.asker(t)
	gap := func(words string) func() bool {
		return func() bool {
			var coverage struct {
				Gaps []struct{ Source, What, Why, Consequence string }
			}
			a.get(t, "/coverage", &coverage)
			for _, g := range coverage.Gaps {
				if g.Source == "audit" && strings.Contains(g.What+" "+g.Why+" "+g.Consequence, words) {
					return true
				}
			}
			kubectl("create", "serviceaccount", "something-to-log", "-n", "shop", "--dry-run=server") // the webhook works again
			return false
		}
	}
	until(t, "that losses are not known, for want of a right, is a gap", gap("Whether the API server gave up sending some is not known"))
	role, err := os.ReadFile("../../deploy/rbac/metrics.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c.Apply(t, string(role))
	until(t, "with the right, what was lost is a gap", gap("gave up sending them"))

	alerts := func() (n, count int) {
		var list struct{ Items []struct{ Count int } }
		a.get(t, "/alerts?rule=cluster-admin-binding", &list)
		for _, i := range list.Items {
			count += i.Count
		}
		return len(list.Items), count
	}
	if n, _ := alerts(); n != 0 {
		t.Fatal("the webhook lost nothing: this test shows nothing")
	}
	for range 2 {
		if said, err := exec.Command(bin, "connect", "replay", "--kubeconfig", webhook, log).CombinedOutput(); err != nil ||
			!strings.Contains(string(said), "events sent, 0 lines were none") {
			t.Fatalf("replay: %v: %s", err, said)
		}
		until(t, "the alert from the log file", func() bool { n, _ := alerts(); return n > 0 })
	}
	until(t, "the log is analysed to its end", func() bool {
		var list struct {
			Receiving []struct {
				Cluster, Kind       string
				Waiting, Reconciled int
			}
		}
		a.get(t, "/alerts", &list)
		return len(list.Receiving) == 1 && list.Receiving[0].Waiting == 0 && list.Receiving[0].Reconciled > 0
	})
	if n, count := alerts(); n != 1 || count != 1 {
		t.Errorf("%d alerts, counted %d times; want one, once", n, count)
	}
}

// freeAddress is one that nobody listens on, now and after a restart.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return fmt.Sprint(l.Addr())
}
