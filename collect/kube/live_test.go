package kube_test

import (
	"bytes"
	"context"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/collect/kube"
	"github.com/breakwater-sec/breakwater/test/kubetest"
)

func TestMain(m *testing.M) { os.Exit(kubetest.Main(m)) }

// watched is the facts of a cluster while it is being watched.
type watched struct {
	mu    sync.Mutex
	facts *collect.Facts
	ops   []collect.Change
	stop  context.CancelFunc
	done  chan error
}

func watch(t *testing.T, kubeconfig string, change ...func(*kube.Config)) *watched {
	t.Helper()
	rest, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	cfg := kube.Config{Name: "test", REST: rest, QPS: 200, Burst: 400, RetryDenied: 300 * time.Millisecond, Probe: 300 * time.Millisecond}
	for _, c := range change {
		c(&cfg)
	}
	w := &watched{facts: collect.NewFacts(), done: make(chan error, 1)}
	ctx, stop := context.WithCancel(t.Context())
	w.stop = stop
	go func() {
		w.done <- kube.Watch(ctx, cfg, func(c collect.Change) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.facts.Apply(c)
			c.Object = nil
			w.ops = append(w.ops, c)
		})
	}()
	t.Cleanup(func() { stop(); <-w.done })
	return w
}

// until waits for something to be true of the facts; how long is no test.
func (w *watched) until(t *testing.T, what string, is func(*collect.Facts) bool) {
	t.Helper()
	for end := time.Now().Add(90 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		w.mu.Lock()
		ok := is(w.facts)
		w.mu.Unlock()
		if ok {
			return
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	t.Fatalf("never: %s; gaps %+v", what, w.facts.Gaps)
}

func (w *watched) synced(t *testing.T) {
	t.Helper()
	w.until(t, "synced", func(f *collect.Facts) bool { return !f.AsOf.IsZero() })
}

func gap(what string) func(*collect.Facts) bool {
	return func(f *collect.Facts) bool { _, open := f.Gaps[collect.GapKey{Source: "api", What: what}]; return open }
}

func no(is func(*collect.Facts) bool) func(*collect.Facts) bool {
	return func(f *collect.Facts) bool { return !is(f) }
}

func pod(namespace, name string) func(*collect.Facts) bool {
	return func(f *collect.Facts) bool { return f.Pods[collect.Key{Namespace: namespace, Name: name}] != nil }
}

func manifest(namespace string) string {
	return `apiVersion: v1
kind: Namespace
metadata: {name: ` + namespace + `}
---
apiVersion: v1
kind: Pod
metadata: {name: first, namespace: ` + namespace + `, labels: {app: first}}
spec: {containers: [{name: c, image: "example.com/first:1", env: [{name: TOKEN, value: planted-env-value-7f3a}]}]}
`
}

func TestAPodAppearsChangesAndGoes(t *testing.T) {
	c := kubetest.Shared(t)
	w := watch(t, c.Kubeconfig)
	w.synced(t)
	c.Apply(t, manifest("appears"))
	w.until(t, "pod appears/first", pod("appears", "first"))
	if _, err := c.Kubectl("", "label", "pod", "first", "-n", "appears", "app=second", "--overwrite"); err != nil {
		t.Fatal(err)
	}
	w.until(t, "label changed", func(f *collect.Facts) bool {
		return f.Pods[collect.Key{Namespace: "appears", Name: "first"}].Labels.Map["app"] == "second"
	})
	if _, err := c.Kubectl("", "delete", "pod", "first", "-n", "appears", "--force"); err != nil {
		t.Fatal(err)
	}
	w.until(t, "pod gone", no(pod("appears", "first")))
}

func TestARefusedKindIsAGapThatClosesWhenItIsGranted(t *testing.T) {
	c := kubetest.Shared(t)
	role, err := os.ReadFile("../../deploy/rbac/readonly.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c.Apply(t, string(role))
	kc, err := c.AccountKubeconfig("breakwater", "breakwater")
	if err != nil {
		t.Fatal(err)
	}
	w := watch(t, kc)
	w.synced(t)
	w.until(t, "no gaps with the documented role", func(f *collect.Facts) bool { return len(f.Gaps) == 0 && len(f.Services) > 0 })
	patch := func(verb, path string) {
		t.Helper()
		if _, err := c.Kubectl("", "patch", "clusterrole", "breakwater-readonly", "--type=json", "-p",
			`[{"op":"replace","path":"/rules/0/resources","value":`+path+`}]`); err != nil {
			t.Fatal(verb, err)
		}
	}
	all := coreResources(t, string(role))
	patch("revoke", strings.Replace(all, `"services",`, "", 1))
	w2 := watch(t, kc) // a running watch outlives a revoked right; a new list does not
	w2.until(t, "gap on services", gap("services"))
	w2.synced(t)
	patch("grant", all)
	w2.until(t, "gap closed", no(gap("services")))
	w2.until(t, "services seen", func(f *collect.Facts) bool { return len(f.Services) > 0 })
}

// coreResources is the first rule's resources as JSON.
func coreResources(t *testing.T, role string) string {
	t.Helper()
	_, rest, ok := strings.Cut(role, "resources: [")
	list, _, ok2 := strings.Cut(rest, "]")
	if !ok || !ok2 {
		t.Fatal("the role has no list of resources")
	}
	var quoted []string
	for _, r := range strings.Split(list, ",") {
		quoted = append(quoted, `"`+strings.TrimSpace(r)+`"`)
	}
	return "[" + strings.Join(quoted, ",") + "]"
}

func TestAServerThatGoesAwayIsAGapAndComesBack(t *testing.T) {
	c := kubetest.Start(t, kubetest.Options{NoControllers: true})
	w := watch(t, c.Kubeconfig)
	w.synced(t)
	c.StopAPIServer()
	w.until(t, "connection gap", gap("connection"))
	if err := c.StartAPIServer(); err != nil {
		t.Fatal(err)
	}
	w.until(t, "connection again", no(gap("connection")))
	c.Apply(t, "apiVersion: v1\nkind: Namespace\nmetadata: {name: later}\n")
	w.until(t, "a namespace made after it came back",
		func(f *collect.Facts) bool { return f.Namespaces[collect.Key{Name: "later"}] != nil })
}

func TestWrongCredentialsAndWrongServersAreSaidClearly(t *testing.T) {
	c := kubetest.Shared(t)
	kc, err := c.TokenKubeconfig("expired", "no-such-token")
	if err != nil {
		t.Fatal(err)
	}
	w := watch(t, kc)
	w.until(t, "a gap that says 401", func(f *collect.Facts) bool {
		g, ok := f.Gaps[collect.GapKey{Source: "api", What: "connection"}]
		return ok && strings.Contains(g.Why, "401")
	})
	w = watch(t, c.Kubeconfig, func(cfg *kube.Config) { cfg.REST.Host = "https://127.0.0.1:1" })
	w.until(t, "a gap that says refused", func(f *collect.Facts) bool {
		g, ok := f.Gaps[collect.GapKey{Source: "api", What: "connection"}]
		return ok && strings.Contains(g.Why, "refused")
	})
}

func TestNothingSecretIsKept(t *testing.T) {
	c := kubetest.Shared(t)
	const planted = "cGxhbnRlZC1zZWNyZXQtdmFsdWUtOWMxZQ==" // planted-secret-value-9c1e
	c.Apply(t, manifest("secretive")+`---
apiVersion: v1
kind: Secret
metadata: {name: s, namespace: secretive, annotations: {kubectl.kubernetes.io/last-applied-configuration: "planted-annotation-value-11d0"}}
data: {password: `+planted+`}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: m, namespace: secretive}
data: {k: planted-configmap-value-88aa}
`)
	w := watch(t, c.Kubeconfig, func(cfg *kube.Config) { cfg.Secrets = true })
	w.synced(t)
	w.until(t, "the secret's name", func(f *collect.Facts) bool {
		return f.Secrets[collect.Key{Namespace: "secretive",
			Name: "s"}] != nil
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	var dump bytes.Buffer
	if err := kube.Save(&dump, w.facts); err != nil {
		t.Fatal(err)
	}
	text := gunzip(t, dump.Bytes())
	for _, p := range []string{planted, "planted-secret-value", "planted-env-value", "planted-annotation-value",
		"planted-configmap-value"} {
		if strings.Contains(text, p) {
			t.Errorf("the dump holds %s", p)
		}
	}
	if !strings.Contains(text, `"secretive"`) {
		t.Error("the dump holds nothing of the namespace: the test proves nothing")
	}
}
