package detect_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/event/audit"
)

// agent is Cilium's, as far as detections look at it.
const agent = `{"kind":"DaemonSet","metadata":{"name":"x","uid":"c","resourceVersion":"2"},"spec":{"template":{"spec":{"hostNetwork":true,
	"containers":[{"name":"agent","image":"quay.io/cilium/cilium:v1.17.0@sha256:0","command":["cilium-agent"],"securityContext":{"privileged":true},
	"volumeMounts":[{"name":"run","mountPath":"/var/run/cilium"},{"name":"modules","mountPath":"/lib/modules","readOnly":true}]}],
	"volumes":[{"name":"run","hostPath":{"path":"/var/run/cilium"}},{"name":"modules","hostPath":{"path":"/lib/modules"}}]}}}}`

// allowed is a request with the API server's word on why it was allowed.
type allowed struct {
	ask
	reason string
}

const asAdmin = `RBAC: allowed by ClusterRoleBinding "ops" of ClusterRole "cluster-admin" to Group "ops"`

func (a allowed) event() string {
	reason, err := json.Marshal(a.reason)
	if err != nil {
		panic(err)
	}
	return strings.TrimSuffix(a.ask.event(), "}") + fmt.Sprintf(`,"annotations":{"authorization.k8s.io/decision":"allow","authorization.k8s.io/reason":%s}}`, reason)
}

// TestKnownInfrastructureIsNoNewsOnlyAsItsManifestIs: what its own manifest asks, of who holds cluster-admin already, is told with the
// lowest severity. Whatever a requester can choose besides is as bad as ever.
func TestKnownInfrastructureIsNoNewsOnlyAsItsManifestIs(t *testing.T) {
	installed := func(object string) allowed {
		return allowed{ask{user: "ops", what: "daemonsets", response: object}, asAdmin}
	}
	by := func(a ask, reason string) allowed {
		a.what, a.response = "daemonsets", agent
		return allowed{a, reason}
	}
	registry := func(from, to string) allowed { return installed(with(agent, from, to)) }
	tests := []struct {
		name  string
		asked []allowed
		known bool
	}{
		{"its own manifest", []allowed{installed(agent)}, true},
		{"the same by who is in the group that may everything", []allowed{by(ask{user: "ops", groups: []string{"system:masters"}}, "")}, true},
		{"the same image by its tag alone", []allowed{registry("@sha256:0", "")}, true},
		{"by who may write daemon sets alone", []allowed{by(ask{}, `RBAC: allowed by ClusterRoleBinding "x" of ClusterRole "edit" to User "mallory"`)}, false},
		{"by who holds it in one namespace", []allowed{by(ask{}, `RBAC: allowed by RoleBinding "x/shop" of ClusterRole "cluster-admin" to User "mallory"`)},
			false},
		{"by a binding that is named like the words", []allowed{by(ask{},
			`RBAC: allowed by ClusterRoleBinding "\" of ClusterRole \"cluster-admin\" to " of ClusterRole "edit" to User "mallory"`)}, false},
		{"by a role that is named like it", []allowed{by(ask{}, `RBAC: allowed by ClusterRoleBinding "x" of ClusterRole "cluster-admins" to User "mallory"`)},
			false},
		{"by who acts as one who holds it", []allowed{by(ask{as: "ops"}, asAdmin)}, false},
		{"from another registry", []allowed{registry("quay.io/cilium/cilium", "evil.example/cilium/cilium")}, false},
		{"from a folder below", []allowed{registry("quay.io/cilium/cilium", "quay.io/cilium/cilium/evil")}, false},
		{"from a registry that begins alike", []allowed{registry("quay.io/cilium/cilium", "quay.io.evil.example/cilium/cilium")}, false},
		{"from the registry that holds without a name", []allowed{registry("quay.io/cilium/cilium", "evil/cilium")}, false},
		{"with another container", []allowed{registry(`"containers":[`, `"containers":[{"name":"b","image":"evil.example/b"},`)}, false},
		{"with one of another project", []allowed{registry(`"containers":[`, `"containers":[{"name":"b","image":"registry.k8s.io/kube-proxy:v1"},`)}, false},
		{"with another program", []allowed{registry(`["cilium-agent"]`, `["nsenter","-t","1"]`)}, false},
		{"with a hook of another program", []allowed{registry(`"command":["cilium-agent"]`,
			`"command":["cilium-agent"],"lifecycle":{"postStart":{"exec":{"command":["nsenter"]}}}`)}, false},
		{"with more of the node", []allowed{registry(`"hostNetwork":true`, `"hostNetwork":true,"hostPID":true`)}, false},
		{"with another folder", []allowed{registry(`{"path":"/var/run/cilium"}`, `{"path":"/root"}`)}, false},
		{"with a folder by a way around", []allowed{registry(`{"path":"/var/run/cilium"}`, `{"path":"/var/run/cilium/../../../root"}`)}, false},
		{"with a folder above", []allowed{registry(`{"path":"/var/run/cilium"}`, `{"path":"/var/run"}`)}, false},
		{"with another capability", []allowed{registry(`"privileged":true`, `"privileged":true,"capabilities":{"add":["MKNOD"]}`)}, false},
		{"first as its manifest is, then with more", []allowed{installed(agent), {ask{user: "ops", verb: "update", what: "daemonsets", id: "2",
			response: with(with(agent, `"2"`, `"3"`), `["cilium-agent"],"securityContext":{"privileged":true}`,
				`["nsenter"],"securityContext":{"privileged":true,"capabilities":{"add":["MKNOD"]}}`)}, asAdmin}}, false},
	}
	all := rules(t)
	for _, test := range tests {
		d, g := audit.Decoder{Cluster: "prod"}, detect.New(all, nil, detect.Options{})
		var last detect.Alert
		var events string
		for _, a := range test.asked {
			b, err := d.Decode([]byte(a.event()))
			if err != nil || len(b.Events) != 1 {
				t.Fatalf("%s: %v", test.name, err)
			}
			events = fmt.Sprint(b.Events[0].Fields)
			for _, alert := range g.Feed(b.Events) {
				if alert.Rule == "privileged-pod" || alert.Rule == "sensitive-host-folder" || alert.Rule == "privileged-program" {
					last = alert
				}
			}
		}
		said := strings.Contains(strings.Join(last.Evidence, " "), "Informational: it is what Cilium needs by its own manifest (https://")
		if last.Rule == "" || (last.Excused != "") != test.known || said != test.known || test.known && last.Severity != "low" {
			t.Errorf("%s: %s is %s, and excused %q; %v; %s", test.name, last.Rule, last.Severity, last.Excused, last.Evidence, events)
		}
	}
}
