package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/event"
)

func decode(t *testing.T, text string) event.Event {
	t.Helper()
	d := Decoder{Cluster: "prod", Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/24")}}
	b, err := d.Decode([]byte(text))
	if err != nil || len(b.Events) != 1 {
		t.Fatalf("%d events, error %v", len(b.Events), err)
	}
	sameWhenClean(t, d, text, b)
	return b.Events[0]
}

// request is an event about a resource, with more members.
func request(verb, resource, more string) string {
	group := ""
	if strings.HasSuffix(resource, "s.apps") || strings.Contains(resource, "bindings") || strings.Contains(resource, "roles") {
		group = `"apiGroup":"rbac.authorization.k8s.io",`
	}
	return fmt.Sprintf(`{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"RequestResponse","auditID":"1",
"stage":"ResponseComplete","requestURI":"/x","verb":%q,"user":{"username":"alice"},"sourceIPs":["192.0.2.1"],
"objectRef":{"resource":%q,%s"namespace":"shop","name":"a"},"responseStatus":{"code":201},
"requestReceivedTimestamp":"2026-01-01T00:00:00.000000Z"%s}`, verb, resource, group, more)
}

func TestFactsOfARequest(t *testing.T) {
	pod := `{"containers":[
			{"name":"app","image":"web:1",
				"volumeMounts":[{"name":"v","mountPath":"/x","subPath":"kubelet"},{"name":"d","mountPath":"/d","readOnly":true}]},
			{"name":"log","image":"log:1","securityContext":{"privileged":true,"capabilities":{"add":["NET_ADMIN"]}},
				"volumeMounts":[{"name":"d","mountPath":"/d"}]}],
		"initContainers":[{"name":"setup","image":"web:1"}],"hostPID":true,"serviceAccountName":"web",
		"volumes":[{"name":"v","hostPath":{"path":"/var/lib/"}},{"name":"d","hostPath":{"path":"/data"}},
			{"name":"s","secret":{"secretName":"x"}}]}`
	deployment := `{"kind":"Deployment","metadata":{"name":"a","uid":"u1"},"spec":{"template":{"spec":` + pod + `}}}`
	tests := []struct{ name, text, want string }{
		{"a pod", request("create", "pods", `,"responseObject":{"kind":"Pod","metadata":{"name":"a"},"spec":`+pod+`}`),
			"container.name=app,log,setup container.privileged=log container.image=log:1,web:1 container.addedCapability=NET_ADMIN " +
				"pod.hostPID=true pod.serviceAccount=web container.hostPath=/var/lib/kubelet,/data container.sensitiveHostPath=/var/lib/kubelet " +
				"container.writableSensitiveHostPath=/var/lib/kubelet -container.privilegedSensitiveHostPath -pod.hostNetwork"},
		{"a deployment", request("create", "deployments", `,"responseObject":`+deployment), "container.privileged=log object.kind=Deployment"},
		{"a cron job", request("create", "cronjobs",
			`,"responseObject":{"kind":"CronJob","spec":{"jobTemplate":{"spec":{"template":{"spec":`+pod+`}}}}}`), "container.privileged=log"},
		{"without an answer by what was sent",
			request("patch", "deployments", `,"requestObject":{"spec":{"template":{"spec":{"hostNetwork":true}}}}`), "pod.hostNetwork=true"},
		{"a refused one by what was sent", request("create", "deployments",
			`,"requestObject":`+deployment+`,"responseObject":{"kind":"Status","code":403}`), "container.privileged=log"},
		{"a status update makes no pods", strings.Replace(request("update", "deployments", `,"responseObject":`+deployment), `"name":"a"`,
			`"name":"a","subresource":"status"`, 1), "-container.privileged"},
		{"an update of a pod changes no container", request("patch", "pods", `,"responseObject":{"kind":"Pod","spec":`+pod+`}`),
			"-container.privileged"},
		{"an ephemeral container counts alone",
			strings.Replace(request("patch", "pods",
				`,"responseObject":{"kind":"Pod","spec":{"containers":[{"name":"app","securityContext":{"privileged":true}}],
				"ephemeralContainers":[{"name":"debug"}]}}`), `"name":"a"`, `"name":"a","subresource":"ephemeralcontainers"`, 1),
			"container.name=debug -container.privileged"},
		{"a role", request("create", "clusterroles",
			`,"requestObject":{"kind":"ClusterRole","rules":[{"verbs":["*"],"resources":["*"]},{"verbs":["get"],"resources":["pods"]}]}`),
			"role.everything=true role.verb=*,get role.resource=*,pods"},
		{"two rules that only together are everything",
			request("create", "clusterroles",
				`,"requestObject":{"rules":[{"verbs":["*"],"resources":["pods"]},{"verbs":["get"],"resources":["*"]}]}`), "-role.everything"},
		{"a binding", request("create", "clusterrolebindings",
			`,"requestObject":{"roleRef":{"kind":"ClusterRole","name":"cluster-admin"},
			"subjects":[{"kind":"ServiceAccount","namespace":"shop","name":"b"},{"kind":"User","name":"eve"}]}`),
			"binding.clusterAdmin=true binding.subject=ServiceAccount shop/b,User eve"},
		{"a Role of that name is another", request("create", "rolebindings",
			`,"requestObject":{"roleRef":{"kind":"Role","name":"cluster-admin"}}`), "binding.role=cluster-admin -binding.clusterAdmin"},
		{"values of unexpected types", request("create", "pods",
			`,"requestObject":{"spec":{"hostPID":"yes","hostNetwork":true,
			"containers":[{"name":7},{"name":"b","securityContext":{"privileged":true}}]}}`),
			"pod.hostNetwork=true container.privileged=b -pod.hostPID"},
		{"hardly anything", `{"verb":"get"}`, "verb=get actor.class=unknown -outcome -source.address"},
		{"v1beta1", `{"kind":"Event","apiVersion":"audit.k8s.io/v1beta1","verb":"get","user":{"username":"bob"}}`, "actor.name=bob"},
		{"nulls", `{"verb":"get","user":null,"objectRef":null,"sourceIPs":null,"responseStatus":null,"annotations":null,"requestObject":null}`,
			"actor.class=unknown"},
		{"an impersonator is who he is", request("get", "pods",
			`,"impersonatedUser":{"username":"system:serviceaccount:kube-system:job-controller"}`),
			"actor.class=person impersonatedUser.username=system:serviceaccount:kube-system:job-controller"},
		{"a dry run", strings.Replace(request("create", "pods", ""), "/x", "/x?dryRun=All", 1), "outcome=dry-run"},
		{
			"a dry run, spelled with escapes",
			strings.Replace(request("create", "pods", ""), "/x", "/x?a=1&%64ryRun=%41ll", 1),
			"outcome=dry-run",
		},
		{"a parameter whose value reads like a dry run", strings.Replace(request("create", "pods", ""), "/x", "/x?fieldManager=dryRun=All", 1),
			"outcome=success"},
		{"a parameter whose end reads like it", strings.Replace(request("create", "pods", ""), "/x", "/x?xdryRun=All", 1), "outcome=success"},
		{"one that the server takes for malformed", strings.Replace(request("create", "pods", ""), "/x", "/x?dryRun=All;a", 1),
			"outcome=success"},
		{"the command of an exec", strings.NewReplacer(`"name":"a"`, `"name":"a","subresource":"exec"`, "/x",
			"/x?command=sh&command=-c&command=id+%3E+f&container=app", "201", "101").Replace(request("get", "pods", "")),
			"exec.command=sh -c id > f exec.container=app outcome=upgraded"},
		{"the command in the body", strings.Replace(request("create", "pods",
			`,"requestObject":{"kind":"PodExecOptions","command":["id","-u"]}`), `"name":"a"`, `"name":"a","subresource":"exec"`, 1),
			"exec.command=id -u"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			has(t, decode(t, test.text), test.want)
		})
	}
}

func TestPodsOfKindsThatNobodyKnowsAreKnownByTheirTemplate(t *testing.T) {
	const object = `,"responseObject":{"kind":"Rollout","metadata":{"name":"a","uid":"u"},"spec":{"template":{"spec":{"containers":[
		{"name":"app","securityContext":{"privileged":true}}]}}}}`
	of := func(resource, group string) string {
		return strings.Replace(request("create", resource, object), `"objectRef":{`, `"objectRef":{"apiGroup":"`+group+`",`, 1)
	}
	has(t, decode(t, of("rollouts", "argoproj.io")), "container.privileged=app object.kind=Rollout")
	has(t, decode(t, of("deploymentconfigs", "apps.openshift.io")), "container.privileged=app")
	has(t, decode(t, of("validatingadmissionpolicies", "admissionregistration.k8s.io")), "-container.privileged")
	status := strings.Replace(of("rollouts", "argoproj.io"), `"name":"a"`, `"name":"a","subresource":"status"`, 1)
	has(t, decode(t, status), "-container.privileged")
}

func TestWhatARequestWroteAndTheEventDoesNotShowIsCounted(t *testing.T) {
	patch := `,"requestObject":[{"op":"add","path":"/subjects/-","value":{"kind":"User","name":"mallory"}}]`
	rights := func(more string) string {
		return strings.Replace(request("patch", "clusterrolebindings", more),
			`"objectRef":{`, `"objectRef":{"apiGroup":"rbac.authorization.k8s.io",`, 1)
	}
	for _, test := range []struct {
		name, text string
		blind      int
	}{
		{"a pod without the pod", request("create", "pods", ""), 1},
		{"a pod", request("create", "pods", `,"requestObject":{"spec":{}}`), 0},
		{"a JSON patch without its answer", request("patch", "deployments", patch), 1},
		{"a JSON patch of a label and the number of pods", request("patch", "deployments",
			`,"requestObject":[{"op":"test","path":"/spec/x"},{"op":"add","path":"/metadata/labels/a","value":"b"},`+
				`{"op":"replace","path":"/spec/replicas","value":3}]`), 0},
		{"a JSON patch that copies", request("patch", "deployments",
			`,"requestObject":[{"op":"add","path":"/metadata/labels/a","value":"b"},`+
				`{"op":"copy","from":"/spec/x","path":"/spec/template/spec/hostPID"}]`), 1},
		{"a JSON patch of a part of a volume", request("patch", "deployments",
			`,"requestObject":[{"op":"replace","path":"/spec/template/spec/volumes/0/hostPath/path","value":"/"}]`), 1},
		{"a JSON patch of a part of a rule", rights(`,"requestObject":[{"op":"add","path":"/rules/0/verbs/-","value":"*"}]`), 1},
		{"a merge patch of a binding's subjects", rights(`,"requestObject":{"subjects":[{"kind":"User","name":"mallory"}]}`), 1},
		{"a merge patch of a binding's labels", rights(`,"requestObject":{"metadata":{"labels":{"a":"b"}}}`), 0},
		{"subjects of the binding that every API server has", strings.Replace(rights(patch), `"name":"a"`, `"name":"cluster-admin"`, 1), 0},
		{"no patch", request("patch", "deployments", `,"requestObject":[7]`), 1},
		{"a JSON patch and what came of it", request("patch", "deployments", patch+`,"responseObject":{"spec":{}}`), 0},
		{"a JSON patch of a binding", rights(patch), 1},
		{"a binding at level Metadata", rights(""), 1},
		{"a binding and what came of it", rights(patch + `,"responseObject":{"subjects":[]}`), 0},
		{"something that makes no pods", request("patch", "services", patch), 0},
		{"a volume without the volume", request("create", "persistentvolumes", ""), 1},
		{"a volume", request("create", "persistentvolumes", `,"requestObject":{"spec":{}}`), 0},
		{"a volume that is deleted", request("delete", "persistentvolumes", ""), 0},
	} {
		d := Decoder{Cluster: "prod"}
		b, err := d.Decode([]byte(test.text))
		if err != nil || b.Blind != test.blind {
			t.Errorf("%s: %d blind, want %d; %v", test.name, b.Blind, test.blind, err)
		}
	}
}

// has checks words such as name=value, which may hold spaces, and -name.
func has(t *testing.T, e event.Event, want string) {
	t.Helper()
	var items []string
	for _, w := range strings.Split(want, " ") {
		if name, _, ok := strings.Cut(w, "="); ok && strings.Contains(name, ".") || ok && (name == "verb" || name == "outcome") ||
			strings.HasPrefix(w, "-") && strings.Contains(w, ".") || w == "-outcome" {
			items = append(items, w)
		} else {
			items[len(items)-1] += " " + w
		}
	}
	for _, item := range items {
		if name, ok := strings.CutPrefix(item, "-"); ok {
			if v, there := e.Fields[name]; there {
				t.Errorf("%s is %q, want none", name, v)
			}
			continue
		}
		name, value, _ := strings.Cut(item, "=")
		if got := strings.Join(e.Fields[name], ","); got != value {
			t.Errorf("%s is %q, want %q", name, got, value)
		}
	}
}

func TestWhoActs(t *testing.T) {
	tests := []struct{ user, group, want string }{
		{"alice", "", person}, {"kubernetes-admin", "system:masters", person}, {"system:admin", "system:masters", person},
		{"system:serviceaccount:shop:web", "system:serviceaccounts", serviceAccount},
		{"system:serviceaccount:kube-system:deployment-controller", "", controller},
		{"system:serviceaccount:shop:deployment-controller", "", serviceAccount},
		{"system:serviceaccount:kube-system:coredns", "", serviceAccount},
		{"system:kube-controller-manager", "", controller}, {"system:kube-scheduler", "", controlPlane},
		{"system:apiserver", "system:masters", controlPlane},
		{"system:node:worker-1", "system:nodes", node}, {"system:anonymous", "system:unauthenticated", anonymous},
		{"eks:addon-manager", "on eks", cloudManaged}, {"eks:addon-manager", "on gke", person}, {"eks:addon-manager", "", person},
		{"aksService", "system:masters on aks", cloudManaged}, {"aksService", "system:masters", person},
		{"system:gke-common-webhooks", "on gke", cloudManaged}, {"system:gke-common-webhooks", "", person},
		{"system:k3s-supervisor", "on k3s", cloudManaged}, {"system:rke2-supervisor", "on rke2", cloudManaged},
		{"system:openshift-master", "on openshift", cloudManaged}, {"system:openshift-master", "on k3s", person},
		// Names of Kubernetes' own that somebody got a certificate for.
		{"system:node:worker-1", "system:authenticated", person}, {"system:bootstrap:abc", "system:authenticated", person},
		{"system:bootstrap:abc", "system:bootstrappers", node},
		{"system:serviceaccount:kube-system:deployment-controller", "system:authenticated", person},
		{"deployment-controller", "", person}, {"", "", unknown},
		// Names that look like those of the clouds and of Kubernetes, and are nobody's.
		{"aks-support@evil.example", "system:authenticated", person}, {"aksService", "system:authenticated on aks", person},
		{"eks:addon-manager@evil.example", "on eks", person}, {"eks:", "on eks", person},
		{"system:gke-x@evil.example", "on gke", person},
		{"system:gcp-controller-manager", "on gke", cloudManaged}, {"system:kube-scheduler:evil", "", person}, {"system:evil", "", person},
		{"system:serviceaccount:kube-system:deployment-controller:evil", "", serviceAccount},
	}
	for _, test := range tests {
		groups, provider, _ := strings.Cut(test.group, "on ")
		if got := (&user{name: test.user, groups: strings.Fields(groups)}).class(provider); got != test.want {
			t.Errorf("%q is %s, want %s", test.user, got, test.want)
		}
	}
}

func TestOnlyTheLastHopBeforeOurProxiesIsBelieved(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/24"), netip.MustParsePrefix("fd00::/64"),
		netip.MustParsePrefix("::ffff:192.0.2.0/120")}
	tests := []struct{ addresses, want, claimed string }{
		{"203.0.113.7", "203.0.113.7", ""},
		{"127.0.0.1 203.0.113.7", "203.0.113.7", "127.0.0.1"}, // a forged X-Forwarded-For
		{"127.0.0.1 203.0.113.7 10.0.0.5", "203.0.113.7", "127.0.0.1"},
		{"203.0.113.7 ::ffff:10.0.0.5 fd00::1", "203.0.113.7", ""},
		{"10.0.0.9 10.0.0.5", "10.0.0.9", ""},
		{"203.0.113.7 192.0.2.9", "203.0.113.7", ""},
		{"10.0.0.5 garbage", "garbage", "10.0.0.5"},
		{"", "", ""},
	}
	for _, test := range tests {
		got, claimed := source(strings.Fields(test.addresses), proxies)
		if got != test.want || strings.Join(claimed, " ") != test.claimed {
			t.Errorf("%q: %q claiming %v, want %q claiming %q", test.addresses, got, claimed, test.want, test.claimed)
		}
	}
}

func TestSensitiveFolders(t *testing.T) {
	for path, want := range map[string]bool{"/": true, "/etc": true, "/etc/shadow": true, "/var": true, "/var/lib": true,
		"/var/lib/kubelet/pods": true, "/var/run/docker.sock": true, "/run": true, "/proc/1": true, "/var/log": true,
		"/var/log/app": false, "/data": false, "/etcd-data": false, "/etc/localtime": false, "/opt/app": false, "/varnish": false,
		"/lib/modules": false, "/mnt": true, "/mnt/disk1": false, "/dev/shm": false, "/usr": true} {
		if got := sensitive(path); got != want {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
}

func TestStagesAreOneActAndForgedIDsAreNone(t *testing.T) {
	started := request("get", "pods", "")
	ended := strings.Replace(started, "ResponseComplete", "ResponseStarted", 1)
	other := strings.Replace(started, "000000Z", "000001Z", 1)
	a, b, c := decode(t, started), decode(t, ended), decode(t, other)
	for _, e := range []*event.Event{&a, &b, &c} {
		if id, act := e.Identity(); len(id) != 32 || len(act) != 32 {
			t.Fatalf("id %q, act %q", id, act)
		}
	}
	if a.Act != b.Act || a.ID == b.ID {
		t.Errorf("two stages: acts %s and %s, ids %s and %s", a.Act, b.Act, a.ID, b.ID)
	}
	if a.Act == c.Act {
		t.Error("two requests under one auditID are one act")
	}
	d := Decoder{Cluster: "other"}
	elsewhere, _ := d.Decode([]byte(started))
	if id, _ := elsewhere.Events[0].Identity(); id == a.ID {
		t.Error("the same event in two clusters has one id")
	}
}

func TestEvidenceHoldsNoSecretValues(t *testing.T) {
	const secret = "hunter2"
	pod := `{"metadata":{"name":"a","annotations":{"kubectl.kubernetes.io/last-applied-configuration":"hunter2"},
			"managedFields":[{"x":"hunter2"}]},
		"spec":{"containers":[{"name":"app","image":"i","env":[{"name":"P","value":"hunter2"}],
			"livenessProbe":{"httpGet":{"httpHeaders":[{"name":"Authorization","value":"hunter2"}]}}}],
			"volumes":[{"name":"c","csi":{"volumeAttributes":{"password":"hunter2"}}}]}}`
	tests := []string{
		request("create", "secrets",
			`,"requestObject":{"kind":"Secret","metadata":{"name":"a"},"data":{"p":"hunter2"},"stringData":{"q":"hunter2"}},
			"responseObject":{"kind":"Secret","data":{"p":"hunter2"}}`),
		request("list", "secrets", `,"responseObject":{"kind":"SecretList","items":[{"metadata":{"name":"hunter2"},"data":{"p":"hunter2"}}]}`),
		request("create", "configmaps", `,"requestObject":{"kind":"ConfigMap","data":{"p":"hunter2"}}`),
		request("create", "tokenreviews",
			`,"requestObject":{"kind":"TokenReview","spec":{"token":"hunter2"}},"responseObject":{"spec":{"token":"hunter2"}}`),
		request("create", "serviceaccounts", `,"responseObject":{"kind":"TokenRequest","status":{"token":"hunter2"}}`),
		request("create", "things",
			`,"requestObject":{"kind":"Thing","metadata":{"name":"a"},"spec":{"password":"hunter2","name":{"kind":["hunter2"]}}}`),
		request("create", "pods", `,"requestObject":`+pod+`,"responseObject":`+pod),
		request("patch", "deployments", `,"requestObject":{"spec":{"template":`+pod+`}}`),
		request("patch", "deployments",
			`,"requestObject":[{"op":"replace","path":"/spec/template/spec/containers/0/env/0/value","value":"hunter2"}]`),
		request("create", "pods",
			`,"annotations":{"patch.webhook.admission.k8s.io/round_0_index_0":"hunter2","authorization.k8s.io/decision":"allow"}`),
		request("create", "persistentvolumes",
			`,"responseObject":{"kind":"PersistentVolume","spec":{"csi":{"volumeAttributes":{"password":"hunter2"}}}}`),
		strings.Replace(request("get", "services", ""), "/x", "/api/v1/namespaces/shop/services/a/proxy/?token=hunter2&x&%74oken=hunter2", 1),
		request("create", "pods",
			`,"responseStatus":{"code":422,"message":"Invalid value: hunter2"},"extraMember":"hunter2","requestObject":{"kind":"Pod"}`),
	}
	for _, text := range tests {
		e := decode(t, text)
		raw := e.Evidence()
		if !json.Valid(raw) {
			t.Errorf("no JSON: %s", raw)
		}
		for _, s := range []string{string(raw), fmt.Sprint(e.Fields), fmt.Sprint(e.Entities), fmt.Sprint(e.Object)} {
			if strings.Contains(s, secret) {
				t.Errorf("a secret value is kept: %s\nof %s", s, text)
			}
		}
		if !bytes.Contains(raw, []byte(`"username":"alice"`)) {
			t.Errorf("the evidence does not say who: %s", raw)
		}
	}
}

func TestWhatIsNoEventIsRejectedWithAReason(t *testing.T) {
	d := Decoder{Cluster: "prod"}
	tests := []struct{ name, text, want string }{
		{"empty", "", "ends in the middle"},
		{"no JSON", "hello", "byte 0: invalid character"},
		{"truncated", request("get", "pods", "")[:100], "ends in the middle"},
		{"a number", "1", "want {"},
		{"two values", request("get", "pods", "") + "{}", "more than one value"},
		{"an unknown version", `{"kind":"Event","apiVersion":"audit.k8s.io/v9","verb":"get"}`, "want audit.k8s.io/v1 or v1beta1"},
		{"another kind", `{"kind":"Pod","apiVersion":"v1"}`, "want an Event"},
		{"something else", `{"message":"hi"}`, "names no verb"},
		{"deep", `{"verb":"get","requestObject":` + strings.Repeat("[", 20_000), "exceeded max depth"},
		{"too large", `{"verb":"get","x":"` + strings.Repeat("x", MaxEvent) + `"}`, "longer than"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b, err := d.Decode([]byte(test.text))
			if err == nil || !strings.Contains(err.Error(), test.want) || b.Count() > 0 {
				t.Errorf("error %v, want %q; %d counted", err, test.want, b.Count())
			}
		})
	}
}

func TestABadItemOfAListDoesNotHideTheOthers(t *testing.T) {
	d := Decoder{Cluster: "prod"}
	large := `{"verb":"get","requestObject":{"x":"` + strings.Repeat("x", 10<<20) + `"}}`
	b, err := d.Decode([]byte(`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[
		{"verb":"get"},{"verb":7},{"stage":"RequestReceived","verb":"get"},` + large + `]}`))
	if err != nil || len(b.Events) != 2 || b.Announced != 1 || len(b.Rejected) != 1 || b.Rejected[0].Position != 2 {
		t.Errorf("error %v, %d events, %d announced, rejected %v", err, len(b.Events), b.Announced, b.Rejected)
	}
	if raw := b.Events[1].Evidence(); len(raw) > 100 {
		t.Errorf("%d bytes of evidence", len(raw))
	}
}

func TestReadingLogs(t *testing.T) {
	event := `{"verb":"get","user":{"username":"alice"}}`
	pretty := "{\n  \"verb\": \"get\",\n  \"user\": {}\n}\n"
	tests := []struct {
		name, text       string
		events, rejected int
		positions        string
	}{
		{"a log", event + "\n\n" + event + "\n", 2, 0, ""},
		{"no newline at the end", event + "\n" + event, 2, 0, ""},
		{"a broken line", event + "\n{\"verb\":\n" + event + "\n", 2, 1, "2"},
		{"the first line broken", "{\"verb\":\n" + event + "\n", 1, 1, "1"},
		{"a line without end", event + "\n" + `{"verb":"` + strings.Repeat("x", MaxEvent+10) + "\n" + event, 2, 1, "2"},
		{"one document", pretty, 1, 0, ""},
		{"a document that is a list", "[\n" + event + ",\n" + event + "\n]", 2, 0, ""},
		{"lists, one a line", `{"items":[` + event + "]}\n" + `{"items":[` + event + `,{}]}`, 2, 1, "2"},
		{"a document that is something else", "{\n \"kind\": \"Pod\"\n}\n", 0, 1, "1"},
		{"nothing", "", 0, 0, ""},
		{"binary", "\x00\x01\x02\n\xff\n", 0, 2, "1 2"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var all Batch
			err := (&Decoder{}).Read(strings.NewReader(test.text), func(b *Batch) error {
				all.Events = append(all.Events, b.Events...)
				all.Rejected = append(all.Rejected, b.Rejected...)
				return nil
			})
			var at []string
			for _, r := range all.Rejected {
				at = append(at, fmt.Sprint(r.Position))
			}
			if err != nil || len(all.Events) != test.events || len(all.Rejected) != test.rejected || strings.Join(at, " ") != test.positions {
				t.Errorf("error %v, %d events, rejected %v", err, len(all.Events), all.Rejected)
			}
		})
	}
}

func TestEveryFieldIsNamedAndEveryNameIsUsed(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range Fields {
		if f.Sentence == "" || f.Example == "" || seen[f.Name] {
			t.Errorf("%s: want one sentence and an example", f.Name)
		}
		seen[f.Name] = false
	}
	note := func(e event.Event) {
		for name := range e.Fields {
			if _, ok := seen[name]; !ok {
				t.Errorf("%s is not among the fields", name)
			}
			seen[name] = true
		}
	}
	files, err := filepath.Glob("../../packs/detect/audit/testdata/*.jsonl")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		events, err := (&Decoder{Cluster: "prod"}).All(bytes.NewReader(text))
		if err != nil {
			t.Errorf("%s: %v", file, err)
		}
		for _, e := range events {
			note(e)
		}
	}
	note(decode(t, request("create", "pods",
		`,"impersonatedUser":{"username":"x","groups":["y"]},"objectRef":{"resource":"pods"},"sourceIPs":["1.2.3.4","5.6.7.8"],
		"requestObject":{"spec":{"nodeName":"n","hostPID":true,"hostIPC":true,
			"containers":[{"command":["sh","-c","id"],"securityContext":{"capabilities":{"add":["X"]}}}]}}`)))
	note(decode(t, request("create", "pods",
		`,"requestObject":{"spec":{"containers":[{"image":"quay.io/cilium/cilium:1","command":["nsenter"]}]}}`)))
	note(decode(t, request("create", "clusterroles", `,"requestObject":{"rules":[{"verbs":["*"],"resources":["*"]}]}`)))
	for name, used := range seen {
		if !used {
			t.Errorf("nothing sets %s", name)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(request("create", "pods",
		`,"requestObject":{"spec":{"containers":[{"name":"a"}],"volumes":[{"name":"v","hostPath":{"path":"/"}}]}}`)))
	f.Add([]byte(request("create", "clusterrolebindings", `,"requestObject":{"roleRef":{"kind":"ClusterRole"},"subjects":[{"name":"x"}]}`)))
	f.Add([]byte(`{"kind":"EventList","items":[{"verb":"get","requestURI":"/x?a=%zz&command=\n"}]}`))
	for _, file := range []string{"certificate-requested", "container-added", "webhook-weakened-selector",
		"pod-security-removed", "node-tainted"} {
		if text, err := os.ReadFile("../../packs/detect/audit/testdata/" + file + ".jsonl"); err == nil {
			f.Add(text)
		}
	}
	f.Add([]byte("{\n\"verb\":\"get\"}"))
	f.Add([]byte(`[{"verb":"get"},{"kind":"Pod"},null,7,{"verb":"get","stage":"RequestReceived"}]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		d := Decoder{Cluster: "prod"}
		b, err := d.Decode(body)
		if err != nil && len(b.Events) > 0 {
			t.Error("a broken body has events")
		}
		var items []json.RawMessage
		if json.Unmarshal(body, &items) == nil && items != nil && err == nil && b.Count() != len(items) {
			t.Errorf("%d of %d items are counted", b.Count(), len(items))
		}
		for i := range b.Events {
			if raw := b.Events[i].Evidence(); !json.Valid(raw) {
				t.Errorf("evidence is no JSON: %q", raw)
			}
		}
		if err := d.Read(bytes.NewReader(body), func(*Batch) error { return nil }); err != nil {
			t.Error(err)
		}
		if clean := Clean(body); !json.Valid(clean) {
			t.Errorf("cleaned it is no JSON: %q", clean)
		}
	})
}

func TestALogShowsItsProviderOnlyByWhatNobodyElseCanBe(t *testing.T) {
	const component = `{"verb":"create","user":{"username":%q,"groups":["system:masters"]},"objectRef":{"resource":"pods"}}`
	shows := func(name, uid, extra, agent string) string {
		return fmt.Sprintf(`{"verb":"get","user":{"username":%q,"uid":%q,"groups":["system:masters"],"extra":{%s}},"userAgent":%q}`, name,
			uid, extra,
			agent)
	}
	const arn, k3s = `"arn":["arn:aws:sts::1:assumed-role/x"]`, "k3s/v1.31.0+k3s1 (linux/amd64) kubernetes/a"
	tests := []struct{ name, shown, user, want string }{
		{"EKS' authenticator", shows("ops", "aws-iam-authenticator:1:A", arn, ""), "eks:addon-manager", cloudManaged},
		{"another provider's names", shows("ops", "aws-iam-authenticator:1:A", arn, ""), "aksService", person},
		{"a member with a domain, of some other authenticator", shows("ops", "aws-iam-authenticator:1:A", `"x.example/arn":["a"]`, ""),
			"eks:addon-manager", person},
		{"another uid", shows("ops", "1", arn, ""), "eks:addon-manager", person},
		{"the API server in k3s", shows("system:apiserver", "", "", k3s), "system:k3s-supervisor", cloudManaged},
		{"one who calls itself so", shows("mallory", "", "", k3s), "system:k3s-supervisor", person},
		{"one that says so behind its own name", shows("system:apiserver", "", "", "kube-apiserver/v1.31.0 k3s/v1+k3s1"),
			"system:k3s-supervisor", person},
	}
	for _, test := range tests {
		d := &Decoder{}
		b, err := d.Decode([]byte("[" + test.shown + "," + fmt.Sprintf(component, test.user) + "]"))
		if err != nil || len(b.Events) != 2 {
			t.Fatalf("%s: %v", test.name, err)
		}
		if got := b.Events[1].Fields["actor.class"]; !slices.Equal(got, []string{test.want}) {
			t.Errorf("%s: %s is %v, want %s", test.name, test.user, got, test.want)
		}
	}
}
