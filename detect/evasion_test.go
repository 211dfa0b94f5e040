package detect_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/event"
	"github.com/breakwater-sec/breakwater/event/audit"
)

// ask is a request as an audit log tells it. What is not said is usual: mallory, from outside, creates something in the
// namespace shop, is answered 200, and the log keeps everything.
type ask struct {
	user, as string
	groups   []string // "system:authenticated" beside them
	verb     string   // create
	what     string   // GROUP/RESOURCE/SUBRESOURCE, such as "pods", "apps/deployments", "pods/exec"
	space    string   // shop; "-" is none
	name     string   // x
	uri      string   // made of the others
	query    string   // "?dryRun=All"
	request  string
	response string
	level    string // RequestResponse
	code     string // 200
	sources  string // "203.0.113.7"
	agent    string
	at       string // 2026-01-01T00:00:01Z; "-" is none
	id       string // 1
}

// groupsOf are the resources' API groups that need not be said.
var groupsOf = map[string]string{"deployments": "apps", "daemonsets": "apps", "statefulsets": "apps", "replicasets": "apps", "jobs": "batch",
	"cronjobs": "batch", "clusterrolebindings": "rbac.authorization.k8s.io", "rolebindings": "rbac.authorization.k8s.io"}

func (a ask) event() string {
	group, resource, sub := "", a.what, ""
	if parts := strings.Split(a.what, "/"); len(parts) == 3 {
		group, resource, sub = parts[0], parts[1], parts[2]
	} else if len(parts) == 2 {
		resource, sub = parts[0], parts[1]
	}
	group = cmp.Or(group, groupsOf[resource])
	space := strings.TrimPrefix(cmp.Or(a.space, "shop"), "-")
	e := map[string]any{
		"kind": "Event", "apiVersion": "audit.k8s.io/v1", "stage": "ResponseComplete", "level": cmp.Or(a.level, "RequestResponse"),
		"verb": cmp.Or(a.verb, "create"), "auditID": cmp.Or(a.id, "1"), "userAgent": a.agent,
		"user":       map[string]any{"username": cmp.Or(a.user, "mallory"), "groups": append(a.groups, "system:authenticated")},
		"requestURI": cmp.Or(a.uri, "/api/v1/namespaces/"+space+"/"+resource+"/"+cmp.Or(a.name, "x")+"/"+sub+a.query),
		"sourceIPs":  strings.Fields(cmp.Or(a.sources, "203.0.113.7")),
		"objectRef": map[string]any{"resource": resource, "subresource": sub, "apiGroup": group, "namespace": space,
			"name": cmp.Or(a.name, "x")},
		"responseStatus": map[string]any{"code": json.RawMessage(cmp.Or(a.code, "200"))},
	}
	if a.as != "" {
		e["impersonatedUser"] = map[string]any{"username": a.as}
	}
	if at := cmp.Or(a.at, "2026-01-01T00:00:01Z"); at != "-" {
		e["requestReceivedTimestamp"], e["stageTimestamp"] = at, at
	}
	for key, body := range map[string]string{"requestObject": a.request, "responseObject": a.response} {
		if body != "" {
			e[key] = json.RawMessage(body)
		}
	}
	text, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// What attackers write.
const (
	containers = `"containers":[{"name":"app","image":"i","command":["run"],"args":["a"],"securityContext":{"privileged":true}}]`
	plainOnes  = `"containers":[{"name":"app","image":"i"}]`
	pod        = `{"kind":"Pod","metadata":{"name":"x","uid":"p","resourceVersion":"2"},"spec":{` + containers + `}}`
	deployment = `{"kind":"Deployment","metadata":{"name":"x","uid":"d","resourceVersion":"2"},"spec":{"template":{"spec":{` + containers + `}}}}`
	cronJob    = `{"kind":"CronJob","metadata":{"name":"x","uid":"c"},"spec":{"jobTemplate":{"spec":{"template":{"spec":{` + containers + `}}}}}}`
	template   = `{"kind":"PodTemplate","metadata":{"name":"x","uid":"t"},"template":{"spec":{` + containers + `}}}`
	initial    = `{"kind":"Pod","metadata":{"name":"x","uid":"p"},"spec":{"initContainers":[{"name":"i","image":"i",` +
		`"securityContext":{"privileged":true}}],` + plainOnes + `}}`
	binding = `{"kind":"ClusterRoleBinding","metadata":{"name":"x","uid":"b"},"roleRef":{"kind":"ClusterRole","name":"cluster-admin"},` +
		`"subjects":[{"kind":"User","name":"ops"},{"kind":"User","name":"mallory"}]}`
	debug = `{"kind":"Pod","metadata":{"name":"x","uid":"p"},"spec":{"ephemeralContainers":[` +
		`{"name":"old","securityContext":{"privileged":true}},{"name":"new","image":"i"}]}}`
	loop = "system:serviceaccount:kube-system:daemon-set-controller"
)

// with is a text with a part replaced, which must be there.
func with(text, old, new string) string {
	if !strings.Contains(text, old) {
		panic(text + " has no " + old)
	}
	return strings.Replace(text, old, new, 1)
}

// owned is a pod that names an owner.
func owned(version, kind, uid string) string {
	return with(pod, `"uid":"p"`, fmt.Sprintf(`"uid":"p","ownerReferences":[{"apiVersion":%q,"kind":%q,"uid":%q,"controller":true}]`,
		version, kind, uid))
}

// mounting is a pod that mounts a folder of its node.
func mounting(path, subPath string) string {
	return fmt.Sprintf(`{"kind":"Pod","metadata":{"name":"x","uid":"p"},"spec":{"containers":[{"name":"app",
		"volumeMounts":[{"name":"v","mountPath":"/h","subPath":%q}]}],"volumes":[{"name":"v","hostPath":{"path":%q}}]}}`, subPath, path)
}

// disk is a PersistentVolume.
func disk(source string) string {
	return `{"kind":"PersistentVolume","metadata":{"name":"x","uid":"v"},"spec":{` + source + `}}`
}

// mirrored is a pod that a node shows.
func mirrored(name string) string {
	return with(pod, `"name":"x"`, fmt.Sprintf(`"name":%q,"annotations":{"kubernetes.io/config.mirror":"1"}`, name))
}

// TestARequesterCannotSwitchAnAlertOff has attacks that choose what a requester may choose – names, parameters, owners, the
// case of keys, the form of a patch – so as to look like what rules keep quiet about, and beside them what they try to look like.
func TestARequesterCannotSwitchAnAlertOff(t *testing.T) {
	const privileged, program, admin, enter = "privileged-pod", "privileged-program", "cluster-admin-binding", "exec-into-pod"
	const beside, kubeletCommand = "debug-container", "kubelet-command"
	const folder, volume = "sensitive-host-folder", "sensitive-host-volume"
	accounts := func(space string) []string {
		return []string{"system:serviceaccounts", "system:serviceaccounts:" + space}
	}
	patched := ask{verb: "patch", what: "deployments", response: deployment}
	patch := func(request string) ask { p := patched; p.request = request; return p }
	known := func(of string) ask { return ask{user: "ops", what: "pods", response: with(of, `"2"`, `"1"`), id: "0"} }
	node := []string{"system:nodes"}
	kubelet := func(verb, path string) ask {
		return ask{verb: verb, what: "nodes/proxy", space: "-", uri: "/api/v1/nodes/x/proxy" + path}
	}
	tests := []struct {
		name string
		ask
		before []ask  // what happened earlier
		alert  string // the rule that must alert of it
		quiet  string // or the rule that must not
		tells  string // what the alert must say
		// outcome is what the event must say became of it, where no rule is asked.
		outcome string
	}{
		// Dry runs: nothing is kept only where the parameter itself says so, as the API server reads it.
		{name: "a pod", ask: ask{what: "pods", response: pod}, alert: privileged},
		{name: "a dry run", ask: ask{what: "pods", query: "?dryRun=All", response: pod}, quiet: privileged},
		{name: "a manager named like a dry run", ask: ask{what: "pods", query: "?fieldManager=dryRun=All", response: pod}, alert: privileged},
		{name: "one with its signs escaped", ask: ask{what: "pods", query: "?fieldManager=a%26dryRun%3DAll", response: pod}, alert: privileged},
		{name: "a parameter in another case", ask: ask{what: "pods", query: "?dryrun=All", response: pod}, alert: privileged},
		{name: "a value that is none", ask: ask{what: "pods", query: "?dryRun=all", response: pod}, alert: privileged},
		{name: "a value beside others", ask: ask{what: "pods", query: "?dryRun=All,All", response: pod}, alert: privileged},
		{name: "an empty value", ask: ask{what: "pods", query: "?dryRun=", response: pod}, alert: privileged},
		{name: "a parameter that ends like it", ask: ask{what: "pods", query: "?xdryRun=All", response: pod}, alert: privileged},
		{name: "a parameter behind a semicolon", ask: ask{what: "pods", query: "?a=b;dryRun=All", response: pod}, alert: privileged},
		{name: "a dry run in an escaped question", ask: ask{what: "pods", query: "%3FdryRun=All", response: pod}, alert: privileged},

		// Identities: what the authenticator says, not what a name looks like.
		{name: "the controllers' own", ask: ask{user: loop, groups: accounts("kube-system"), what: "pods", response: pod}, quiet: privileged},
		{name: "an account named like a controller", ask: ask{user: "system:serviceaccount:shop:daemon-set-controller",
			groups: accounts("shop"), what: "pods", response: pod}, alert: privileged},
		{name: "a certificate in the name of a controller's account", ask: ask{user: loop, what: "pods", response: pod}, alert: privileged},
		{name: "a certificate in the name of an account of kube-system", ask: ask{user: "system:serviceaccount:kube-system:x", what: "pods",
			space: "kube-system", response: pod}, alert: privileged},
		{name: "a namespace in another case", ask: ask{user: "system:serviceaccount:KUBE-SYSTEM:x", groups: accounts("KUBE-SYSTEM"),
			what: "pods", space: "kube-system", response: pod}, alert: privileged},
		{name: "a namespace with the sign for kelvin", ask: ask{user: "system:serviceaccount:\u212aube-system:x",
			groups: accounts("\u212aube-system"), what: "pods", space: "kube-system", response: pod}, alert: privileged},
		{name: "a user named like a controller", ask: ask{user: "daemon-set-controller", what: "pods", response: pod}, alert: privileged},
		{name: "a user with the prefix of Kubernetes", ask: ask{user: "system:evil", what: "pods", response: pod}, alert: privileged},
		{name: "a user with the prefix of a scheduler", ask: ask{user: "system:kube-scheduler-2", what: "pods", response: pod}, alert: privileged},
		{name: "a user with a space behind a scheduler's name", ask: ask{user: "system:kube-scheduler ", what: "pods", response: pod},
			alert: privileged},
		{name: "letters that look like others", ask: ask{user: "system:kube-scheduleг", what: "pods", response: pod}, alert: privileged},
		{name: "a mail address like the cloud's", ask: ask{user: "aks-support@evil.example", what: "pods", response: pod}, alert: privileged},
		{name: "one like another cloud's", ask: ask{user: "eks:addon-manager@evil.example", what: "pods", response: pod}, alert: privileged},
		{name: "and a third's", ask: ask{user: "system:gke-controller@evil.example", what: "pods", response: pod}, alert: privileged},
		{name: "a name of EKS on a cluster that is none", ask: ask{user: "eks:addon-manager", groups: []string{"system:masters"}, what: "pods",
			response: pod}, alert: privileged},
		{name: "a name of GKE on a cluster that is none", ask: ask{user: "system:gke-common-webhooks", what: "pods", response: pod},
			alert: privileged},
		{name: "a name of AKS on a cluster that is none", ask: ask{user: "aksService", groups: []string{"system:masters"}, what: "pods",
			response: pod}, alert: privileged},
		{name: "a name of k3s on a cluster that is none", ask: ask{user: "system:k3s-controller", what: "pods", response: pod}, alert: privileged},
		{name: "a name of OpenShift on a cluster that is none", ask: ask{user: "system:openshift-master", what: "pods", response: pod},
			alert: privileged},
		{name: "a name of k3s, whom a client's words support", ask: ask{user: "system:k3s-controller", agent: "k3s/v1.31.0+k3s1 (linux/amd64)",
			what: "pods", response: pod}, alert: privileged},
		{name: "one who acts as a controller", ask: ask{as: loop, what: "pods", response: pod}, alert: privileged, tells: "mallory (person)"},
		{name: "a client that calls itself a controller", ask: ask{agent: "kube-controller-manager/v1.31.0 (linux/amd64) kubernetes/abc",
			what: "pods", response: pod}, alert: privileged},
		{name: "a manager of fields named like one", ask: ask{what: "pods", query: "?fieldManager=kube-controller-manager", response: pod},
			alert: privileged},

		// Nodes show what they started themselves, under their own names.
		{name: "a node's API server", ask: ask{user: "system:node:n1", groups: node, what: "pods", space: "kube-system",
			name: "kube-apiserver-n1", response: mirrored("kube-apiserver-n1")}, quiet: privileged},
		{name: "a user named like a node", ask: ask{user: "system:node:n1", what: "pods", space: "kube-system", name: "kube-apiserver-n1",
			response: mirrored("kube-apiserver-n1")}, alert: privileged},
		{name: "a person with a node's annotation", ask: ask{what: "pods", space: "kube-system", name: "kube-apiserver-n1",
			response: mirrored("kube-apiserver-n1")}, alert: privileged},
		{name: "a node's pod that is named for another node", ask: ask{user: "system:node:n1", groups: node, what: "pods",
			space: "kube-system", name: "kube-proxy-evil", response: mirrored("kube-proxy-evil")}, alert: privileged},

		// Owners: only the loop that makes what such an owner owns is believed.
		{name: "somebody else's daemon set as owner", ask: ask{what: "pods", response: owned("apps/v1", "DaemonSet", "ds")},
			before: []ask{{user: "ops", what: "daemonsets", name: "agent", id: "0", response: with(with(deployment, "Deployment", "DaemonSet"),
				`"uid":"d"`, `"uid":"ds"`)}}, alert: privileged, tells: "mallory (person)"},
		{name: "an account with somebody else's daemon set as owner", ask: ask{user: "system:serviceaccount:shop:web",
			groups: accounts("shop"), what: "pods", response: owned("apps/v1", "DaemonSet", "ds")},
			before: []ask{{user: "ops", what: "daemonsets", name: "agent", id: "0", response: with(with(deployment, "Deployment", "DaemonSet"),
				`"uid":"d"`, `"uid":"ds"`)}}, alert: privileged, tells: "shop:web"},
		{name: "an account with a kind as owner that only its operator knows", ask: ask{user: "system:serviceaccount:shop:web",
			groups: accounts("shop"), what: "pods", response: owned("argoproj.io/v1alpha1", "Rollout", "ro")},
			before: []ask{{user: "ops", what: "argoproj.io/rollouts/", name: "agent", id: "0", response: with(with(deployment, "Deployment",
				"Rollout"), `"uid":"d"`, `"uid":"ro"`)}}, alert: privileged, tells: "shop:web"},
		{name: "the operator of that kind", ask: ask{user: "system:serviceaccount:argo:rollouts", groups: accounts("argo"), what: "pods",
			response: owned("argoproj.io/v1alpha1", "Rollout", "ro")},
			before: []ask{
				{user: "ops", what: "argoproj.io/rollouts/", name: "agent", id: "0", response: with(with(deployment, "Deployment", "Rollout"),
					`"uid":"d"`, `"uid":"ro"`)},
				{user: "system:serviceaccount:argo:rollouts", groups: accounts("argo"), verb: "patch", what: "argoproj.io/rollouts/status",
					request: `{"status":{}}`, response: `{"kind":"Rollout","metadata":{"name":"agent","uid":"ro"}}`}},
			quiet: privileged},

		// Bodies are read as the API server reads them.
		{name: "a key in another case behind the real one", ask: ask{what: "pods",
			request: with(pod, `"privileged":true`, `"privileged":true,"Privileged":false`)}, alert: privileged},
		{name: "a key in another case alone", ask: ask{what: "pods", request: with(pod, `"privileged"`, `"Privileged"`)}, quiet: privileged},
		{name: "the same key twice", ask: ask{what: "pods", request: with(pod, `"privileged":true`, `"privileged":false,"privileged":true`)},
			alert: privileged},
		{name: "the whole twice", ask: ask{what: "pods", request: with(pod, `"spec":`, `"spec":{`+plainOnes+`},"spec":`)}, alert: privileged},
		{name: "a key of escaped letters", ask: ask{what: "pods", request: with(pod, `"privileged"`, `"privi\u006ceged"`)}, alert: privileged},
		{name: "a name of unknown letters", ask: ask{what: "pods", name: "ꙮ", response: with(pod, `"name":"x"`, `"name":"ꙮ"`)}, alert: privileged},
		{name: "a name with what turns lines around", ask: ask{user: "mallory\u202egnp", what: "pods", response: pod}, alert: privileged},
		{name: "a member the server does not know", ask: ask{what: "pods", request: with(pod, `"spec":{`, `"spec":{"x":[[[[{}]]]],`)},
			alert: privileged},
		{name: "a value of another type beside it", ask: ask{what: "pods", request: with(pod, `"spec":{`, `"spec":{"hostNetwork":"yes",`)},
			alert: privileged},

		// Kinds, groups and versions that make the same.
		{name: "an old group", ask: ask{what: "extensions/deployments/", response: deployment}, alert: privileged},
		{name: "an old version", ask: ask{what: "apps/deployments/", uri: "/apis/apps/v1beta1/namespaces/shop/deployments", response: deployment},
			alert: privileged},
		{name: "a first container", ask: ask{what: "pods", response: initial}, alert: privileged},
		{name: "a cron job", ask: ask{what: "cronjobs", response: cronJob}, alert: privileged},
		{name: "a template", ask: ask{what: "podtemplates", response: template}, alert: privileged},
		{name: "a replication controller", ask: ask{what: "replicationcontrollers", response: deployment}, alert: privileged},
		{name: "a replica set of one's own", ask: ask{what: "replicasets", response: deployment}, alert: privileged},
		{name: "a kind that nobody knows", ask: ask{what: "argoproj.io/rollouts/", response: with(deployment, "Deployment", "Rollout")},
			alert: privileged},
		{name: "a kind that nobody knows, by a patch of escaped letters", ask: ask{verb: "patch", what: "argoproj.io/rollouts/",
			level: "Request", request: `{"spec":{"template":{"spec":{` + with(containers, `"containers"`, `"c\u006fntainers"`) + `}}}}`},
			alert: privileged},
		{name: "a name that the server makes", ask: ask{what: "pods", uri: "/api/v1/namespaces/shop/pods",
			request:  with(pod, `"name":"x","uid":"p","resourceVersion":"2"`, `"generateName":"x-"`),
			response: with(pod, `"name":"x"`, `"generateName":"x-","name":"x-abc12"`)}, alert: privileged},

		// Folders of a node.
		{name: "a folder by a way around", ask: ask{what: "pods", response: mounting("/data/../etc/", "")}, alert: folder},
		{name: "a folder without its slash", ask: ask{what: "pods", response: mounting("etc", "")}, alert: folder},
		{name: "a folder with slashes to spare", ask: ask{what: "pods", response: mounting("//etc//./", "")}, alert: folder},
		{name: "a folder within one that is harmless", ask: ask{what: "pods", response: mounting("/data", "../etc")}, alert: folder},
		{name: "the disk behind a claim", ask: ask{what: "persistentvolumes", space: "-", response: disk(`"hostPath":{"path":"/"}`)}, alert: volume},
		{name: "the disk as a local volume", ask: ask{what: "persistentvolumes", space: "-", response: disk(`"local":{"path":"/etc"}`)},
			alert: volume},
		{name: "the disk by a patch", ask: ask{verb: "patch", what: "persistentvolumes", space: "-", request: `{"spec":{"hostPath":{"path":"/"}}}`,
			response: disk(`"hostPath":{"path":"/"}`)}, alert: volume},
		{name: "a disk for data", ask: ask{what: "persistentvolumes", space: "-", response: disk(`"hostPath":{"path":"/data"}`)}, quiet: volume},

		// Changes: what the request adds, by every form of patch.
		{name: "a label of what is privileged", ask: patch(`{"metadata":{"labels":{"a":"b"}}}`), quiet: privileged},
		{name: "a merge patch", ask: patch(`{"spec":{"template":{"spec":{` + containers + `}}}}`), alert: privileged},
		{name: "a patch that replaces the list", ask: patch(`{"spec":{"template":{"spec":{"$retainKeys":["containers"],` + containers + `}}}}`),
			alert: privileged},
		{name: "what is applied by the server", ask: ask{verb: "patch", what: "deployments", query: "?fieldManager=kubectl&force=true",
			request:  `{"kind":"Deployment","metadata":{"name":"x","managedFields":null},"spec":{"template":{"spec":{` + containers + `}}}}`,
			response: with(deployment, `"uid":"d"`, `"uid":"d","managedFields":[{"manager":"kube-controller-manager","fieldsV1":{"f:spec":{}}}]`)},
			alert: privileged},
		{name: "what is applied as a form that cannot be read", ask: patch(`"kind: Deployment"`), alert: privileged},
		{name: "a JSON patch", ask: patch(`[{"op":"add","path":"/spec/template/spec/containers/0/securityContext","value":{"privileged":true}}]`),
			alert: privileged},
		{name: "a JSON patch that the log keeps alone", ask: ask{verb: "patch", what: "deployments", level: "Request",
			request: `[{"op":"add","path":"/spec/template/spec/containers/0/securityContext","value":{"privileged":true}}]`}, alert: privileged},
		{name: "a JSON patch of escaped letters", ask: patch(`[{"op":"add","path":"/spec/template/spec/containers/0/securityCont\u0065xt",` +
			`"value":{"privileged":true}}]`), alert: privileged},
		{name: "a JSON patch of the whole", ask: patch(`[{"op":"replace","path":"","value":{}}]`), alert: privileged},
		{name: "a JSON patch that adds to the end", ask: patch(`[{"op":"add","path":"/spec/template/spec/containers/-","value":{}}]`),
			alert: privileged},
		{name: "a JSON patch with a test before it", ask: patch(`[{"op":"test","path":"/spec/replicas","value":1},{"op":"replace",` +
			`"path":"/spec/template/spec/containers/0/securityContext/privileged","value":true}]`), alert: privileged},
		{name: "a JSON patch that copies", ask: patch(`[{"op":"copy","from":"/spec/template/metadata","path":"/spec/template/spec/containers/0"}]`),
			alert: privileged},
		{name: "an update whose past nobody saw", ask: ask{verb: "update", what: "deployments", request: deployment, response: deployment},
			alert: privileged},
		{name: "an update that changes nothing", ask: ask{verb: "update", what: "deployments", request: deployment, response: deployment},
			before: []ask{{user: "ops", what: "deployments", response: with(deployment, `"2"`, `"1"`), id: "0"}}, quiet: program},
		{name: "another image of what is privileged", ask: patch(`{"spec":{"template":{"spec":{"containers":[{"name":"app","image":"i"}]}}}}`),
			alert: program},
		{name: "other arguments of what is privileged", ask: patch(`{"spec":{"template":{"spec":{"containers":[{"name":"app","args":["a"]}]}}}}`),
			alert: program},
		{name: "other arguments of what is privileged, stated whole", ask: ask{verb: "update", what: "deployments", response: deployment},
			before: []ask{{user: "ops", what: "deployments", response: with(with(deployment, `"2"`, `"1"`), `"args":["a"]`, `"args":["b"]`),
				id: "0"}}, alert: program},
		{name: "a hook that runs in what is privileged", ask: patch(`{"spec":{"template":{"spec":{"containers":[{"name":"app",` +
			`"lifecycle":{"postStart":{"exec":{"command":["sh"]}}}}]}}}}`), alert: program},
		{name: "a probe that runs in what is privileged", ask: ask{verb: "update", what: "deployments", response: with(deployment,
			`"args":["a"]`, `"args":["a"],"livenessProbe":{"exec":{"command":["sh"]}}`)},
			before: []ask{{user: "ops", what: "deployments", response: with(deployment, `"2"`, `"1"`), id: "0"}}, alert: program},
		{name: "another image of a privileged pod that runs", ask: ask{verb: "patch", what: "pods", response: pod,
			request: `{"spec":{"containers":[{"name":"app","image":"i"}]}}`}, alert: program},
		{name: "another image of a privileged pod that runs, stated whole", ask: ask{verb: "update", what: "pods", response: pod},
			before: []ask{known(with(pod, `"image":"i"`, `"image":"j"`))}, alert: program},
		{name: "a label of a privileged pod that runs", ask: ask{verb: "patch", what: "pods", response: pod,
			request: `{"metadata":{"labels":{"a":"b"}}}`}, quiet: program},

		// Rights.
		{name: "a subject added to a binding", ask: ask{verb: "patch", what: "clusterrolebindings", space: "-", response: binding,
			request: `[{"op":"add","path":"/subjects/-","value":{"kind":"User","name":"mallory"}}]`}, alert: admin},
		{name: "a subject added to the API server's own", ask: ask{verb: "patch", what: "clusterrolebindings", space: "-", name: "cluster-admin",
			level: "Request", request: `[{"op":"add","path":"/subjects/-","value":{"kind":"User","name":"mallory"}}]`}, alert: admin},
		{name: "the subjects of the API server's own replaced", ask: ask{verb: "patch", what: "clusterrolebindings", space: "-",
			name: "cluster-admin", level: "Request", request: `{"subjects":[{"kind":"User","name":"mallory"}]}`}, alert: admin},
		{name: "a namespace's binding to the same role", ask: ask{what: "rolebindings", response: with(binding, "ClusterRoleBinding",
			"RoleBinding")}, alert: admin},
		{name: "an old version of rights", ask: ask{what: "rbac.authorization.k8s.io/clusterrolebindings/", space: "-", response: binding,
			uri: "/apis/rbac.authorization.k8s.io/v1beta1/clusterrolebindings"}, alert: admin},
		{name: "a label of a binding", ask: ask{verb: "patch", what: "clusterrolebindings", space: "-", response: binding,
			request: `{"metadata":{"labels":{"a":"b"}}}`}, quiet: admin},

		// Ways into a pod.
		{name: "a command over SPDY", ask: ask{what: "pods/exec", query: "?command=id", code: "101"}, alert: enter},
		{name: "a command over a WebSocket", ask: ask{verb: "get", what: "pods/exec", query: "?command=id", code: "101"}, alert: enter},
		{name: "a terminal that is there already", ask: ask{verb: "get", what: "pods/attach", code: "101"}, alert: enter},
		{name: "a command of escaped letters", ask: ask{verb: "get", what: "pods/exec", query: "?c%6fmmand=id", code: "101"}, alert: enter,
			tells: "The command was: id."},
		{name: "a debug container beside an older privileged one", ask: ask{verb: "patch", what: "pods/ephemeralcontainers", response: debug,
			request: `{"spec":{"ephemeralContainers":[{"name":"new","image":"i"}]}}`}, alert: beside},
		{name: "a debug container, stated whole", ask: ask{verb: "update", what: "pods/ephemeralcontainers", request: debug, response: debug},
			alert: beside},
		{name: "a harmless debug container is not the older one's", ask: ask{verb: "patch", what: "pods/ephemeralcontainers", response: debug,
			request: `{"spec":{"ephemeralContainers":[{"name":"new","image":"i"}]}}`}, quiet: privileged},
		{name: "a command through the kubelet", ask: kubelet("create", "/run/shop/web/app?cmd=id"), alert: kubeletCommand, tells: "shop/web"},
		{name: "one whose path is escaped", ask: kubelet("create", "/%72un/shop/web/app?cmd=id"), alert: kubeletCommand, tells: "shop/web"},
		{name: "one whose way to the kubelet is escaped", ask: ask{what: "nodes/proxy", space: "-",
			uri: "/api/v1/nodes/x/%70roxy/run/shop/web/app?cmd=id"}, alert: kubeletCommand, tells: "shop/web"},
		{name: "one whose slashes are escaped", ask: kubelet("create", "/run%2Fshop%2Fweb%2Fapp?cmd=id"), alert: kubeletCommand, tells: "shop/web"},
		{name: "one with slashes to spare", ask: kubelet("create", "//run//shop/web/app?cmd=id"), alert: kubeletCommand, tells: "shop/web"},
		{name: "one by a way around", ask: kubelet("create", "/metrics/../run/shop/web/app?cmd=id"), alert: kubeletCommand, tells: "shop/web"},
		{name: "one to a node named like the way", ask: ask{what: "nodes/proxy", space: "-", name: "proxy",
			uri: "/api/v1/nodes/proxy/proxy/run/shop/web/app?cmd=id"}, alert: kubeletCommand, tells: "shop/web"},
		{name: "one to a port of the node", ask: ask{what: "nodes/proxy", space: "-", name: "https:n1:10250",
			uri: "/api/v1/nodes/https:n1:10250/proxy/run/shop/web/app?cmd=id"}, alert: kubeletCommand, tells: "kubelet of n1"},
		{name: "one by a read", ask: kubelet("get", "/exec/shop/web/app?command=id"), alert: kubeletCommand},
		{name: "one by its ticket alone", ask: kubelet("get", "/cri/exec/abcdef"), alert: kubeletCommand},
		{name: "the kubelet's own metrics", ask: kubelet("get", "/metrics"), quiet: kubeletCommand},

		// Deletions, whose options may lie about each other.
		{name: "a dry run of a deletion in the address, and another in the body", ask: ask{verb: "delete", what: "pods", query: "?dryRun=All",
			request: `{"kind":"DeleteOptions","propagationPolicy":"Background"}`}, outcome: "success"},
		{name: "a dry run of a deletion in the address, and a body that the log leaves out", ask: ask{verb: "delete", what: "pods",
			query: "?dryRun=All", level: "Metadata"}, outcome: "success"},
		{name: "a dry run of a deletion in the body", ask: ask{verb: "delete", what: "pods", request: `{"dryRun":["All"]}`}, outcome: "dry-run"},
		{name: "a dry run of a deletion in the address alone", ask: ask{verb: "delete", what: "pods", query: "?dryRun=All"}, outcome: "dry-run"},

		// Where from and when.
		{name: "an address that a client made up", ask: ask{what: "pods", sources: "127.0.0.1 10.0.0.1 203.0.113.7", response: pod},
			alert: privileged, tells: "from 203.0.113.7."},
		{name: "no moment", ask: ask{what: "pods", at: "-", response: pod}, alert: privileged},
		{name: "a moment that is far away", ask: ask{what: "pods", at: "9999-12-31T23:59:59Z", response: pod}, alert: privileged},
		{name: "the id of a dry run", ask: ask{what: "pods", response: pod},
			before: []ask{{what: "pods", query: "?dryRun=All", response: pod, id: "1"}}, alert: privileged},
		{name: "the id of what was refused", ask: ask{what: "pods", response: pod}, before: []ask{{what: "pods", code: "403", id: "1"}},
			alert: privileged},
	}
	all := rules(t)
	attacks := 0
	for _, test := range tests {
		if test.alert != "" {
			attacks++
		}
		t.Run(test.name, func(t *testing.T) {
			d := audit.Decoder{Cluster: "prod"}
			g := detect.New(all, nil, detect.Options{})
			read := func(a ask) []event.Event {
				b, err := d.Decode([]byte(a.event()))
				if err != nil || len(b.Events) != 1 {
					t.Fatalf("%s: %v", a.event(), err)
				}
				return b.Events
			}
			if test.outcome != "" {
				if got := read(test.ask)[0].Fields["outcome"]; !slices.Equal(got, []string{test.outcome}) {
					t.Errorf("outcome %v, want %s", got, test.outcome)
				}
				return
			}
			counts := map[string]int{}
			for _, a := range test.before {
				for _, a := range g.Feed(read(a)) {
					counts[a.ID] = a.Count
				}
			}
			alerts := g.Feed(read(test.ask))
			of := func(rule string) int {
				return slices.IndexFunc(alerts, func(a detect.Alert) bool { return a.Rule == rule && a.Count > counts[a.ID] })
			}
			if test.quiet != "" {
				if i := of(test.quiet); i >= 0 {
					t.Errorf("%s alerts: %v", test.quiet, alerts[i].Evidence)
				}
				return
			}
			i := of(test.alert)
			if i < 0 {
				t.Fatalf("%s does not alert", test.alert)
			}
			if said := strings.Join(alerts[i].Evidence, " "); !strings.Contains(said, test.tells) {
				t.Errorf("it says %q, not %q", said, test.tells)
			}
		})
	}
	if attacks < 40 {
		t.Errorf("%d attacks only", attacks)
	}
}
