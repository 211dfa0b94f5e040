package harborshop_test

import (
	"bytes"
	"flag"
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
	"github.com/breakwater-sec/breakwater/event/audit"
	"github.com/breakwater-sec/breakwater/test/kubetest"
)

var update = flag.Bool("update", false, "record the audit log of the sample again")

// TestTheAuditLogIsThatOfAPersonsPrivilegedWorkload reads what a real API server
// said when the sample's sail-preview was made; with -update it is made again.
func TestTheAuditLogIsThatOfAPersonsPrivilegedWorkload(t *testing.T) {
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
	rules, err := builtin.Load()
	if err != nil {
		t.Fatal(err)
	}
	alerts := detect.New(rules, nil, detect.Options{}).Feed(events)
	if len(alerts) != 1 || alerts[0].Rule != "privileged-pod" || !strings.Contains(alerts[0].Evidence[0], "m.ortega") {
		t.Fatalf("%+v; want one alert about m.ortega's privileged workload", alerts)
	}
	facts, err := kube.ReadFS(prod.Manifests)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range alerts[0].Entities {
		if e.Kind == "Pod" && !slices.Contains(podNames(facts), e.Name) {
			t.Errorf("pod %s of the alert is not in the sample", e.Name)
		}
	}
}

func podNames(f *collect.Facts) (out []string) {
	for k := range f.Pods {
		out = append(out, k.Name)
	}
	return out
}

// recordAudit lets a person apply the sample on a real API server and keeps what
// its audit log says of one workload, under the names that its pods have in the sample.
func recordAudit(t *testing.T) []byte {
	e := open(t)
	log := filepath.Join(t.TempDir(), "audit.log")
	c := kubetest.Start(
		t,
		kubetest.Options{APIServer: []string{"--audit-policy-file=../../deploy/audit/policy.yaml", "--audit-log-path=" + log}},
	)
	c.PretendNodes(t, kubetest.Nodes{Number: 3, ImageID: e.ImageID})
	person, err := c.UserKubeconfig("m.ortega")
	if err != nil {
		t.Fatal(err)
	}
	c.Apply(t, "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n")
	if _, err := c.Kubectl("", "create", "rolebinding", "m.ortega", "--clusterrole=admin", "--user=m.ortega", "-n", "shop"); err != nil {
		t.Fatal(err)
	}
	var manifest string
	for _, document := range strings.Split(strings.Join(files(t, e.Clusters[0].Applied), "\n---\n"), "\n---\n") {
		if strings.Contains(document, "name: sail-preview, namespace: shop, labels") {
			manifest = document
		}
	}
	if out, err := c.Kubectl(manifest, "--kubeconfig="+person, "apply", "-f", "-"); err != nil {
		t.Fatal(out, err)
	}
	c.WaitRunning(t, "shop", 1)
	pod := regexp.MustCompile(`sail-preview-([a-z0-9]+)-([a-z0-9]{5})\b`)
	kept := deeds(t, log)
	// The log is written behind; the pod is the last that the request leads to.
	for end := time.Now().Add(2 * time.Minute); !pod.Match(kept) && time.Now().Before(end); kept = deeds(t, log) {
		time.Sleep(100 * time.Millisecond)
	}
	simulated, err := kube.ReadFS(e.Clusters[0].Manifests)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range podNames(simulated) {
		if set, ok := strings.CutPrefix(name, "sail-preview-"); ok {
			set, suffix, _ := strings.Cut(set, "-")
			made := pod.FindSubmatch(kept)
			if made == nil {
				t.Fatal("no pod in the log")
			}
			kept = bytes.ReplaceAll(bytes.ReplaceAll(kept, made[1], []byte(set)), append([]byte("-"), made[2]...), []byte("-"+suffix))
		}
	}
	if err := os.WriteFile("audit/harbor-prod.jsonl", kept, 0o644); err != nil {
		t.Fatal(err)
	}
	return kept
}

// deeds are the lines of a log that made the preview and what came of it.
func deeds(t *testing.T, log string) (kept []byte) {
	t.Helper()
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		if bytes.Contains(line, []byte(`"name":"sail-preview`)) &&
			(bytes.Contains(line, []byte(`"verb":"create"`)) || bytes.Contains(line, []byte(`"verb":"patch"`))) &&
			!bytes.Contains(line, []byte(`"subresource"`)) {
			kept = append(kept, line...)
		}
	}
	return kept
}
