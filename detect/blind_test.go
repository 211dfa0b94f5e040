package detect_test

import (
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/event/audit"
)

// TestARuleThatCouldNotBeJudgedIsCounted: where the log's level leaves out what decides, each rule that it concerns counts
// the event, and no other does.
func TestARuleThatCouldNotBeJudgedIsCounted(t *testing.T) {
	loops := []string{"system:serviceaccounts"}
	tests := []struct {
		name string
		ask
		blind, seen string // rules that are, and that are not
	}{
		{"a pod without what was written", ask{what: "pods", level: "Metadata"}, "privileged-pod sensitive-host-folder",
			"cluster-admin-binding sensitive-host-volume exec-into-pod privileged-program"},
		{"the same by a controller", ask{user: loop, groups: loops, what: "pods", level: "Metadata"}, "", "privileged-pod"},
		{"the same, refused", ask{what: "pods", level: "Metadata", code: "403"}, "", "privileged-pod"},
		{"the same, in a dry run", ask{what: "pods", level: "Metadata", query: "?dryRun=All"}, "", "privileged-pod"},
		{"a pod with it", ask{what: "pods", request: pod}, "", "privileged-pod"},
		{"a binding without what was written", ask{what: "clusterrolebindings", space: "-", level: "Metadata"}, "cluster-admin-binding",
			"privileged-pod"},
		{"a volume", ask{what: "persistentvolumes", space: "-", level: "Metadata"}, "sensitive-host-volume", "privileged-pod"},
		{"a change of a workload", ask{verb: "patch", what: "deployments", level: "Metadata"}, "privileged-pod privileged-program", ""},
		{"a patch that the log keeps alone, which may add to a list", ask{verb: "patch", what: "deployments", level: "Request",
			request: `[{"op":"copy","from":"/a","path":"/spec/template/spec/containers/0"}]`}, "privileged-pod", "cluster-admin-binding"},
		{"a patch that the log keeps alone, and that tells all", ask{verb: "patch", what: "deployments", level: "Request",
			request: `[{"op":"replace","path":"/spec/replicas","value":2}]`}, "", "privileged-pod"},
		{"a label of a pod that runs", ask{verb: "patch", what: "pods", level: "Metadata"}, "privileged-program", "privileged-pod"},
		{"a privileged pod that runs, stated whole, of which nothing was known", ask{verb: "update", what: "pods", response: pod},
			"privileged-program", "privileged-pod"},
		{"a subject, without the role it is given", ask{verb: "patch", what: "clusterrolebindings", space: "-", level: "Request",
			request: `{"subjects":[{"kind":"User","name":"mallory"}]}`}, "cluster-admin-binding", ""},
		{"a webhook without what was written", ask{what: "admissionregistration.k8s.io/validatingwebhookconfigurations/", space: "-", level: "Metadata"},
			"webhook-abroad", "privileged-pod console-exposed"},
		{"a webhook with it", ask{what: "admissionregistration.k8s.io/validatingwebhookconfigurations/", space: "-",
			response: `{"kind":"ValidatingWebhookConfiguration","metadata":{"name":"x"}}`}, "", "webhook-abroad"},
		{"a service without what was written", ask{what: "services", level: "Metadata"}, "console-exposed database-exposed", "webhook-abroad"},
		{"a secret, of which nothing is asked", ask{what: "secrets", level: "Metadata"}, "", "console-exposed"},
		{"a command in a pod, whose body says nothing more", ask{what: "pods/exec", level: "Metadata", code: "101"}, "", "exec-into-pod"},
	}
	all := rules(t)
	for _, test := range tests {
		b, err := (&audit.Decoder{Cluster: "prod"}).Decode([]byte(test.event()))
		if err != nil || len(b.Events) != 1 {
			t.Fatal(err)
		}
		got := all.Blind(b.Events)
		for _, rule := range strings.Fields(test.blind) {
			if got[rule] != 1 {
				t.Errorf("%s: %s counts %d", test.name, rule, got[rule])
			}
		}
		for _, rule := range strings.Fields(test.seen) {
			if got[rule] != 0 {
				t.Errorf("%s: %s counts it", test.name, rule)
			}
		}
	}
}
