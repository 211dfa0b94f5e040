package harborshop_test

import (
	"bytes"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/collect/kube"
	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/detect/builtin"
	"github.com/breakwater-sec/breakwater/event"
	"github.com/breakwater-sec/breakwater/event/audit"
	harborshop "github.com/breakwater-sec/breakwater/examples/harbor-shop"
	"github.com/breakwater-sec/breakwater/test/kubetest"
)

var update = flag.Bool("update", false, "record the audit log of the sample again")

// deed is what one person made on the recorded cluster, and what its alert says.
type deed struct{ person, namespace, workload, rule, says string }

var deedsOfProd = []deed{
	{"m.ortega", "shop", "sail-preview", "privileged-pod", "Privileged containers: preview"},
	{"t.larsen", "edge", "log-shipper", "sensitive-host-folder", "/var/log"},
}

// TestTheAuditLogIsThatOfAPrivilegedAndOfAMountingWorkload reads what a real API server
// said when these workloads of the sample were made; with -update it is made again.
func TestTheAuditLogIsThatOfAPrivilegedAndOfAMountingWorkload(t *testing.T) {
	e := open(t)
	prod := e.Clusters[0]
	if *update {
		prod.Audit = recordAudit(t)
	}
	d := &audit.Decoder{Cluster: prod.Name}
	events, err := d.All(bytes.NewReader(prod.Audit))
	if err != nil {
		t.Fatal(err)
	}
	alerts := detected(t, events)
	if len(alerts) != len(deedsOfProd) {
		t.Fatalf("%+v; want one alert for each deed", alerts)
	}
	facts, err := kube.ReadFS(prod.Manifests)
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range alerts {
		want, told := deedsOfProd[i], strings.Join(a.Evidence, " ")
		if a.Rule != want.rule || !strings.Contains(told, want.person) || !strings.Contains(told, want.says) {
			t.Errorf("%s: %s; want %+v", a.Rule, told, want)
		}
		pods := 0
		for _, e := range a.Entities {
			if e.Kind == "Pod" {
				pods++
			}
			if e.Kind == "Pod" && !slices.Contains(podNames(facts), e.Name) {
				t.Errorf("pod %s of the alert is not in the sample", e.Name)
			}
		}
		if pods == 0 {
			t.Errorf("%s names no pod: %+v", a.Rule, a.Entities)
		}
	}
}

// detected is what the built-in detections find in events.
func detected(t *testing.T, events []event.Event) []detect.Alert {
	t.Helper()
	rules, err := builtin.Load()
	if err != nil {
		t.Fatal(err)
	}
	return detect.New(rules, nil, detect.Options{}).Feed(events)
}

func podNames(f *collect.Facts) (out []string) {
	for k := range f.Pods {
		out = append(out, k.Name)
	}
	return out
}

// recordAudit lets people apply the sample on a real API server and keeps what its
// audit log says of their deeds, under the names that the pods have in the sample.
func recordAudit(t *testing.T) (kept []byte) {
	e := open(t)
	log := filepath.Join(t.TempDir(), "audit.log")
	c := kubetest.Start(
		t,
		kubetest.Options{APIServer: []string{"--audit-policy-file=../../deploy/audit/policy.yaml", "--audit-log-path=" + log}},
	)
	c.PretendNodes(t, kubetest.Nodes{Number: 3, ImageID: e.ImageID})
	simulated, err := kube.ReadFS(e.Clusters[0].Manifests)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range deedsOfProd {
		var pods []string
		for _, name := range podNames(simulated) {
			if strings.HasPrefix(name, d.workload+"-") {
				pods = append(pods, name)
			}
		}
		slices.Sort(pods)
		d.do(t, c, manifestOf(t, e, d.workload), len(pods))
		kept = append(kept, renamed(d.logged(t, log, len(pods)), d.workload, pods)...)
	}
	if err := os.WriteFile("audit/harbor-prod.jsonl", kept, 0o644); err != nil {
		t.Fatal(err)
	}
	return kept
}

// manifestOf is what people apply of one workload.
func manifestOf(t *testing.T, e *harborshop.Estate, workload string) string {
	t.Helper()
	for _, document := range strings.Split(strings.Join(files(t, e.Clusters[0].Applied), "\n---\n"), "\n---\n") {
		if strings.Contains(document, "kind: D") && strings.Contains(document, "name: "+workload+", namespace:") {
			return document
		}
	}
	t.Fatalf("no manifest of %s", workload)
	return ""
}

// do lets the person, who administers the namespace, apply the manifest.
func (d deed) do(t *testing.T, c *kubetest.Cluster, manifest string, pods int) {
	t.Helper()
	person, err := c.UserKubeconfig(d.person)
	if err != nil {
		t.Fatal(err)
	}
	c.Apply(t, "apiVersion: v1\nkind: Namespace\nmetadata: {name: "+d.namespace+"}\n")
	if _, err := c.Kubectl("", "create", "rolebinding", d.person, "--clusterrole=admin", "--user="+d.person, "-n", d.namespace); err != nil {
		t.Fatal(err)
	}
	if out, err := c.Kubectl(manifest, "--kubeconfig="+person, "apply", "-f", "-"); err != nil {
		t.Fatal(out, err)
	}
	c.WaitRunning(t, d.namespace, pods)
}

// logged are the lines of the log that made the workload and what came of it, once all pods are
// among them: the log is written behind.
func (d deed) logged(t *testing.T, log string, pods int) (kept []byte) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		text, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		kept, made := []byte{}, 0
		for line := range bytes.Lines(text) {
			if bytes.Contains(line, []byte(`"name":"`+d.workload)) && !bytes.Contains(line, []byte(`"subresource"`)) &&
				(bytes.Contains(line, []byte(`"verb":"create"`)) || bytes.Contains(line, []byte(`"verb":"patch"`))) {
				kept = append(kept, line...)
				made += bytes.Count(line, []byte(`"requestURI":"/api/v1/namespaces/`+d.namespace+`/pods"`))
			}
		}
		if made >= pods {
			return kept
		}
	}
	t.Fatalf("the pods of %s are not in the log", d.workload)
	return nil
}

// renamed gives the pods in the lines the names that they have in the sample, and their ReplicaSet too.
func renamed(lines []byte, workload string, names []string) []byte {
	pod := regexp.MustCompile(`"name":"(` + workload + `(?:-[a-z0-9]{6,10})?)-([a-z0-9]{5})"`)
	to := map[string]string{}
	for _, made := range pod.FindAllSubmatch(lines, -1) {
		owner, name := string(made[1]), string(made[1])+"-"+string(made[2])
		if _, known := to[name]; known || len(names) == 0 {
			continue
		}
		to[name], names = names[0], names[1:]
		to[owner] = to[name][:strings.LastIndex(to[name], "-")]
	}
	for _, from := range slices.Backward(slices.Sorted(maps.Keys(to))) { // a pod's name begins with its owner's
		lines = bytes.ReplaceAll(lines, []byte(from), []byte(to[from]))
	}
	return lines
}
