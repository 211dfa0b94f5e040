package detect_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/event/audit"
)

// TestARequesterCannotSwitchAnAlertOff has attacks that choose what a requester may
// choose – names, parameters, owners, the case of keys, the form of a patch – so as
// to look like what rules keep quiet about, and beside them what they try to look like.
func TestARequesterCannotSwitchAnAlertOff(t *testing.T) {
	const containers = `"containers":[{"name":"app","image":"i","securityContext":{"privileged":true}}]`
	const pod = `{"kind":"Pod","metadata":{"name":"x","uid":"p"},"spec":{` + containers + `}}`
	const deployment = `{"kind":"Deployment","metadata":{"name":"x","uid":"d"},"spec":{"template":{"spec":{` + containers + `}}}}`

	const binding = `{"kind":"ClusterRoleBinding","metadata":{"name":"x","uid":"b"},"roleRef":{"kind":"ClusterRole","name":"cluster-admin"},` +
		`"subjects":[{"kind":"User","name":"ops"},{"kind":"User","name":"mallory"}]}`
	const debug = `{"kind":"Pod","metadata":{"name":"x","uid":"p"},"spec":{"ephemeralContainers":[` +
		`{"name":"old","securityContext":{"privileged":true}},{"name":"new","image":"i"}]}}`
	folder := func(path string) string {
		return fmt.Sprintf(`{"kind":"Pod","metadata":{"name":"x","uid":"p"},"spec":{"containers":[{"name":"app",
			"volumeMounts":[{"name":"v","mountPath":"/h"}]}],"volumes":[{"name":"v","hostPath":{"path":%q}}]}}`, path)
	}
	disk := func(source string) string {
		return `{"kind":"PersistentVolume","metadata":{"name":"x","uid":"v"},"spec":{` + source + `}}`
	}
	tests := []struct {
		name, user, verb, resource, query, request, response string
		want                                                 string // the rules, or nothing
	}{
		{"a pod", "mallory", "create", "pods", "", "", pod, "privileged-pod"},
		{"a dry run", "mallory", "create", "pods", "?dryRun=All", "", pod, ""},
		{"a manager named like a dry run", "mallory", "create", "pods", "?fieldManager=dryRun=All", "", pod, "privileged-pod"},
		{"one with its signs escaped", "mallory", "create", "pods", "?fieldManager=a%26dryRun%3DAll", "", pod, "privileged-pod"},
		{"a parameter in another case", "mallory", "create", "pods", "?dryrun=All", "", pod, "privileged-pod"},
		{"a value that is none", "mallory", "create", "pods", "?dryRun=all", "", pod, "privileged-pod"},
		{"the controllers' own", "system:serviceaccount:kube-system:daemon-set-controller", "create", "pods", "", "", pod, ""},
		{"an account named like a controller", "system:serviceaccount:shop:daemon-set-controller", "create", "pods", "", "", pod,
			"privileged-pod"},
		{"a user named like one", "daemon-set-controller", "create", "pods", "", "", pod, "privileged-pod"},
		{"a user with the prefix of Kubernetes", "system:evil", "create", "pods", "", "", pod, "privileged-pod"},
		{"a user with the prefix of a scheduler", "system:kube-scheduler-2", "create", "pods", "", "", pod, "privileged-pod"},
		{"a mail address like the cloud's", "aks-support@evil.example", "create", "pods", "", "", pod, "privileged-pod"},
		{"one like another cloud's", "eks:addon-manager@evil.example", "create", "pods", "", "", pod, "privileged-pod"},
		{"and a third's", "system:gke-controller@evil.example", "create", "pods", "", "", pod, "privileged-pod"},
		{"a key in another case behind the real one", "mallory", "create", "pods", "",
			strings.Replace(pod, `"privileged":true`, `"privileged":true,"Privileged":false`, 1), "", "privileged-pod"},
		{"a key in another case alone", "mallory", "create", "pods", "", strings.Replace(pod, `"privileged"`, `"Privileged"`, 1), "", ""},
		{"a folder by a way around", "mallory", "create", "pods", "", "", folder("/data/../etc/"), "sensitive-host-folder"},
		{"a folder without its slash", "mallory", "create", "pods", "", "", folder("etc"), "sensitive-host-folder"},
		{"the disk behind a claim", "mallory", "create", "persistentvolumes", "", "", disk(`"hostPath":{"path":"/"}`), "sensitive-host-volume"},
		{"the disk as a local volume", "mallory", "create", "persistentvolumes", "", "", disk(`"local":{"path":"/etc"}`),
			"sensitive-host-volume"},
		{"a disk for data", "mallory", "create", "persistentvolumes", "", "", disk(`"hostPath":{"path":"/data"}`), ""},
		{"a label of what is privileged", "mallory", "patch", "deployments", "", `{"metadata":{"labels":{"a":"b"}}}`, deployment, ""},
		{"a merge patch", "mallory", "patch", "deployments", "", `{"spec":{"template":{"spec":{` + containers + `}}}}`, deployment,
			"privileged-pod"},
		{"a JSON patch", "mallory", "patch", "deployments", "",
			`[{"op":"add","path":"/spec/template/spec/containers/0/securityContext","value":{"privileged":true}}]`, deployment, "privileged-pod"},
		{"a JSON patch of escaped letters", "mallory", "patch", "deployments", "",
			`[{"op":"add","path":"/spec/template/spec/containers/0/securityCont\u0065xt","value":{"privileged":true}}]`, deployment,
			"privileged-pod"},
		{"a JSON patch of the whole", "mallory", "patch", "deployments", "", `[{"op":"replace","path":"","value":{}}]`, deployment,
			"privileged-pod"},
		{"an update whose past nobody saw", "mallory", "update", "deployments", "", deployment, deployment, "privileged-pod"},
		{"another image of what is privileged", "mallory", "patch", "deployments", "",
			`{"spec":{"template":{"spec":{"containers":[{"name":"app","image":"i"}]}}}}`, deployment, "privileged-program"},
		{"a kind that nobody knows", "mallory", "create", "rollouts", "", "", strings.Replace(deployment, "Deployment", "Rollout", 1),
			"privileged-pod"},
		{"a subject added to a binding", "mallory", "patch", "clusterrolebindings", "",
			`[{"op":"add","path":"/subjects/-","value":{"kind":"User","name":"mallory"}}]`, binding, "cluster-admin-binding"},
		{"a label of a binding", "mallory", "patch", "clusterrolebindings", "", `{"metadata":{"labels":{"a":"b"}}}`, binding, ""},
		{"a debug container beside an older privileged one", "mallory", "patch", "pods/ephemeralcontainers", "",
			`{"spec":{"ephemeralContainers":[{"name":"new","image":"i"}]}}`, debug, "exec-into-pod"},
		{"a command through the kubelet", "mallory", "create", "nodes/proxy", "/run/shop/web/app?cmd=id", "", "", "exec-into-pod"},
		{"one whose path is escaped", "mallory", "create", "nodes/proxy", "/%72un/shop/web/app?cmd=id", "", "", "exec-into-pod"},
		{"one by a read", "mallory", "get", "nodes/proxy", "/exec/shop/web/app?command=id", "", "", "exec-into-pod"},
		{"the kubelet's own metrics", "mallory", "get", "nodes/proxy", "/metrics", "", "", ""},
	}
	all := rules(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			resource, sub, _ := strings.Cut(test.resource, "/")
			group := map[string]string{
				"deployments": "apps", "rollouts": "argoproj.io", "clusterrolebindings": "rbac.authorization.k8s.io",
			}[resource]
			objects := ""
			if test.request != "" {
				objects += `,"requestObject":` + test.request
			}
			if test.response != "" {
				objects += `,"responseObject":` + test.response
			}
			b, err := (&audit.Decoder{Cluster: "prod"}).Decode(fmt.Appendf(nil, `{"level":"RequestResponse","verb":%q,"auditID":"1",
				"requestReceivedTimestamp":"2026-01-01T00:00:01Z","stage":"ResponseComplete","user":{"username":%q},
				"requestURI":"/api/v1/%s/x/%s%s","sourceIPs":["192.0.2.1"],"responseStatus":{"code":200},
				"objectRef":{"resource":%q,"subresource":%q,"apiGroup":%q,"namespace":"shop","name":"x"}%s}`,
				test.verb, test.user, resource, sub, test.query, resource, sub, group, objects))
			if err != nil || len(b.Events) != 1 {
				t.Fatal(err)
			}
			var got []string
			for _, a := range detect.New(all, nil, detect.Options{}).Feed(b.Events) {
				got = append(got, a.Rule)
			}
			if strings.Join(got, " ") != test.want {
				t.Errorf("alerts %v, want %q", got, test.want)
			}
		})
	}
}
