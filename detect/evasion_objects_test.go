package detect_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/event/audit"
)

// TestARequesterCannotHideWhatHeDoesToOtherObjects has attacks on services, webhooks, nodes, roles and the like in
// the forms that a requester may choose, and beside them what a rule keeps quiet about.
func TestARequesterCannotHideWhatHeDoesToOtherObjects(t *testing.T) {
	r := rules(t)
	const person, master = `{"username":"mallory"}`, `{"username":"system:serviceaccount:shop:daemon-set-controller"}`
	hook := `{"kind":"ValidatingWebhookConfiguration","metadata":{"name":"x"},"webhooks":[{"name":"a","failurePolicy":"Ignore",` +
		`"clientConfig":{"url":"https://hook.example/"}}]}`
	tests := []struct {
		name, user, verb, what, uri, code, request, response string
		rule                                                 string
		quiet                                                bool
	}{
		{name: "a daemon set by a patch that makes it", verb: "patch", what: "daemonsets", code: "201", response: `{"kind":"DaemonSet"}`,
			rule: "workload-on-every-node"},
		{name: "a daemon set by an update that makes it", verb: "update", what: "daemonsets", code: "201", response: `{"kind":"DaemonSet"}`,
			rule: "workload-on-every-node"},
		{name: "a daemon set that is there", verb: "patch", what: "daemonsets", response: `{"kind":"DaemonSet"}`,
			rule: "workload-on-every-node", quiet: true},
		{name: "by an account that calls itself as a loop", user: master, verb: "create", what: "daemonsets", response: `{"kind":"DaemonSet"}`,
			rule: "workload-on-every-node"},
		{name: "a webhook abroad by a patch of the whole", verb: "patch", what: "validatingwebhookconfigurations",
			request: `[{"op":"replace","path":"","value":{}}]`, response: hook, rule: "webhook-abroad"},
		{name: "one whose key is in another case", verb: "create", what: "validatingwebhookconfigurations",
			request: `{"webhooks":[{"name":"a","clientConfig":{"url":"https://hook.example/","URL":""}}]}`, rule: "webhook-abroad"},
		{name: "one among many without", verb: "create", what: "validatingwebhookconfigurations", rule: "webhook-abroad",
			request: `{"webhooks":[{"name":"a","clientConfig":{"service":{"name":"s"}}},` +
				`{"name":"a","clientConfig":{"url":"https://hook.example/"}}]}`},
		{name: "ignored, by a patch of the list", verb: "patch", what: "validatingwebhookconfigurations", response: hook,
			rule:    "webhook-weakened",
			request: `{"webhooks":[{"name":"a","failurePolicy":"Ignore"}]}`},
		{name: "a label of what is ignored", verb: "patch", what: "validatingwebhookconfigurations", response: hook, rule: "webhook-weakened",
			request: `{"metadata":{"labels":{"a":"b"}}}`, quiet: true},
		{name: "the pods of a node by a way around metrics", verb: "get", what: "nodes/proxy", uri: "/api/v1/nodes/n1/proxy/metrics/../pods",
			rule: "kubelet-read"},
		{name: "one escaped", verb: "get", what: "nodes/proxy", uri: "/api/v1/nodes/n1/proxy/metrics%2F..%2Fpods", rule: "kubelet-read"},
		{name: "one that begins like metrics", verb: "get", what: "nodes/proxy", uri: "/api/v1/nodes/n1/proxy/metricsandpods",
			rule: "kubelet-read"},
		{name: "metrics", verb: "get", what: "nodes/proxy", uri: "/api/v1/nodes/n1/proxy/metrics", rule: "kubelet-read", quiet: true},
		{name: "a token path with a dot in it", verb: "create", what: "pods/exec", code: "101", rule: "exec-into-pod",
			uri: "/api/v1/namespaces/shop/pods/x/exec?command=cat&command=/var/run/secrets/kubernetes.io/./serviceaccount/token"},
		{name: "a role of everything by two rules, one of which is all", verb: "create", what: "clusterroles", rule: "role-of-everything",
			request: `{"rules":[{"verbs":["get"],"resources":["pods"]},{"verbs":["*"],"resources":["*"],"apiGroups":["*"]}]}`},
		{name: "exec of a role by a star of subresources", verb: "create", what: "clusterroles", rule: "role-wildcard",
			request: `{"rules":[{"verbs":["*"],"resources":["pods/exec"],"apiGroups":[""]}]}`},
		{name: "everybody beside others", verb: "create", what: "rolebindings", rule: "bound-to-everybody",
			request: `{"roleRef":{"kind":"Role","name":"r"},"subjects":[{"kind":"User","name":"a"},` +
				`{"kind":"Group","name":"system:unauthenticated"}]}`},
		{name: "a capability with its prefix", verb: "create", what: "pods", rule: "dangerous-capabilities",
			response: `{"kind":"Pod","spec":{"containers":[{"name":"a","securityContext":{"capabilities":{"add":["CAP_SYS_ADMIN"]}}}]}}`},
		{name: "a pod that says of itself that it is static", verb: "create", what: "pods", rule: "host-processes-workload",
			response: `{"kind":"Pod","metadata":{"name":"x","annotations":{"kubernetes.io/config.mirror":"a"}},"spec":{"hostPID":true}}`},
		{name: "a socket by a folder above it", verb: "create", what: "pods", rule: "sensitive-host-folder",
			response: `{"kind":"Pod","spec":{"containers":[{"name":"a","volumeMounts":[{"name":"v","mountPath":"/v"}]}],` +
				`"volumes":[{"name":"v","hostPath":{"path":"/var/run"}}]}}`},
		{name: "kubectl's name in front", user: `{"username":"system:serviceaccount:shop:web"}`, verb: "get", what: "pods",
			rule: "default-account-used", quiet: true},
		{name: "a default account by its name", user: `{"username":"system:serviceaccount:shop:default"}`, verb: "get", what: "pods",
			rule: "default-account-used"},
		{name: "a name that ends like it", user: `{"username":"x:default"}`, verb: "get", what: "pods", rule: "default-account-used",
			quiet: true},
	}
	for _, test := range tests {
		if test.user == "" {
			test.user = person
		}
		if test.code == "" {
			test.code = "200"
		}
		if test.uri == "" {
			test.uri = "/x"
		}
		text := fmt.Sprintf(`{"kind":"Event","apiVersion":"audit.k8s.io/v1","stage":"ResponseComplete","level":"RequestResponse","verb":%q,`+
			`"requestURI":%q,"user":%s,"responseStatus":{"code":%s},"objectRef":%s`, test.verb, test.uri, test.user, test.code, objectOf(test.what))
		for key, object := range map[string]string{"requestObject": test.request, "responseObject": test.response} {
			if object != "" {
				text += fmt.Sprintf(",%q:%s", key, object)
			}
		}
		b, err := (&audit.Decoder{Cluster: "prod"}).Decode([]byte(text + "}"))
		if err != nil || len(b.Events) != 1 {
			t.Fatalf("%s: %v %v", test.name, err, b)
		}
		alerts := detect.New(r, nil, detect.Options{}).Feed(b.Events)
		if got := slices.ContainsFunc(alerts, func(a detect.Alert) bool { return a.Rule == test.rule }); got == test.quiet {
			t.Errorf("%s: %s fires %v: %v", test.name, test.rule, got, b.Events[0].Fields)
		}
	}
}

// objectOf is a reference to a thing of a kind, "pods/exec".
func objectOf(what string) string {
	groups := map[string]string{"daemonsets": "apps", "validatingwebhookconfigurations": "admissionregistration.k8s.io",
		"clusterroles": "rbac.authorization.k8s.io", "rolebindings": "rbac.authorization.k8s.io"}
	resource, part := what, ""
	for i := range what {
		if what[i] == '/' {
			resource, part = what[:i], what[i+1:]
		}
	}
	return fmt.Sprintf(`{"resource":%q,"subresource":%q,"apiGroup":%q,"namespace":"shop","name":"x"}`, resource, part, groups[resource])
}
