package audit

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/event"
)

// workload is a manifest of one container with one folder of the node.
func workload(kind, name, host, extra string) string {
	pod := fmt.Sprintf(
		`{containers: [{name: app, image: "registry.example/%s:1"%s}], volumes: [{name: host, hostPath: {path: %s}}]}`,
		name,
		extra,
		host,
	)
	switch kind {
	case "Pod":
		return fmt.Sprintf("apiVersion: v1\nkind: Pod\nmetadata: {name: %s, namespace: shop}\nspec: %s\n", name, pod)
	case "Deployment":
		return fmt.Sprintf(
			"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: %[1]s, namespace: shop}\n"+
				"spec: {replicas: 2, selector: {matchLabels: {app: %[1]s}}, template: {metadata: {labels: {app: %[1]s}}, spec: %[2]s}}\n",
			name,
			pod,
		)
	}
	return fmt.Sprintf(
		"apiVersion: apps/v1\nkind: %[3]s\nmetadata: {name: %[1]s, namespace: shop}\n"+
			"spec: {selector: {matchLabels: {app: %[1]s}}, template: {metadata: {labels: {app: %[1]s}}, spec: %[2]s}}\n",
		name,
		pod,
		kind,
	)
}

// volume is a manifest of a PersistentVolume on a folder of the node.
func volume(name, host string) string {
	return fmt.Sprintf("apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: %s}\n"+
		"spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], hostPath: {path: %s}}\n", name, host)
}

const (
	mounts     = `, env: [{name: PASSWORD, value: not-a-real-password}], volumeMounts: [{name: host, mountPath: /host}]`
	privileged = `, securityContext: {privileged: true}`
)

// mirror is what a kubelet shows of a static pod.
const mirror = `
apiVersion: v1
kind: Pod
metadata:
  name: kube-apiserver-node-1
  namespace: kube-system
  annotations: {kubernetes.io/config.mirror: abc, kubernetes.io/config.hash: abc, kubernetes.io/config.source: file}
spec:
  nodeName: node-1
  hostNetwork: true
  containers:
  - name: kube-apiserver
    image: "registry.k8s.io/kube-apiserver:v1.37.2"
    volumeMounts: [{name: pki, mountPath: /etc/kubernetes/pki, readOnly: true}]
  volumes: [{name: pki, hostPath: {path: /etc/kubernetes/pki}}]
`

func TestPeopleActAndTheLogOfTheShippedPolicySuffices(t *testing.T) {
	s := build(t)
	s.runOn(kubelet(t))
	s.lines()
	apply := []string{"apply", "-f", "-"}
	tests := []struct {
		name string
		act  func()
		// files are what testdata gets of the scene.
		files map[string]func(event.Event) bool
		want  []string // rules, one per alert
	}{
		{"a deployment with a sensitive folder", func() {
			s.as("alice", workload("Deployment", "backup", "/etc", mounts), apply...)
			s.WaitRunning(s.t, "shop", 3)
		}, map[string]func(event.Event) bool{
			"host-folder-deployment": about("deployments", writes(by("alice"))),
			"host-folder-controllers": writes(
				by("system:serviceaccount:kube-system:deployment-controller", "system:serviceaccount:kube-system:replicaset-controller"),
			),
		}, []string{"sensitive-host-folder"}},
		{"a deployment with a folder of its own", func() {
			s.as("alice", workload("Deployment", "cache", "/data/cache", mounts), apply...)
			s.WaitRunning(s.t, "shop", 5)
		}, map[string]func(event.Event) bool{"harmless-folder": about("deployments", writes(by("alice")))}, nil},
		{"the same one gets a sensitive folder", func() {
			s.as(
				"alice",
				"",
				"-n",
				"shop",
				"patch",
				"deployment",
				"cache",
				"-p",
				`{"spec":{"template":{"spec":{"volumes":[{"name":"host","hostPath":{"path":"/var/lib/kubelet"}}]}}}}`,
			)
		}, map[string]func(event.Event) bool{"host-folder-patch": about("deployments", writes(by("alice")))}, []string{"sensitive-host-folder"}},
		{"what the first one does stays as it is", func() {
			for _, change := range [][]string{{"label", "deployment", "backup", "team=x"}, {"annotate", "deployment", "backup", "note=x"},
				{"rollout", "restart", "deployment/backup"}, {"scale", "--replicas=2", "deployment/backup"},
				{"patch", "deployment", "backup", "--type=json", `-p=[{"op":"add","path":"/metadata/labels/more","value":"x"}]`},
				{"set", "image", "deployment/backup", "app=registry.example/backup:2"}} {
				s.as("alice", "", append([]string{"-n", "shop"}, change...)...)
			}
		}, map[string]func(event.Event) bool{"host-folder-unchanged": about("deployments", writes(by("alice")))}, nil},
		{"a JSON patch makes a container privileged", func() {
			s.as("alice", "", "-n", "shop", "patch", "deployment", "cache", "--type=json",
				`-p=[{"op":"add","path":"/spec/template/spec/containers/0/securityContext","value":{"privileged":true}}]`)
		}, map[string]func(event.Event) bool{"privileged-json-patch": about("deployments", writes(by("alice")))}, []string{"privileged-pod"}},
		{"the container that is privileged now gets another image", func() {
			s.as("alice", "", "-n", "shop", "set", "image", "deployment/cache", "app=registry.example/cache:2")
		}, map[string]func(event.Event) bool{"privileged-image": about("deployments", writes(by("alice")))}, []string{"privileged-program"}},
		{"the same is stated three times", func() {
			stated := workload("Deployment", "stated", "/etc", mounts+privileged)
			s.as("alice", stated, "apply", "--server-side", "-f", "-")
			s.as("alice", stated, "apply", "--server-side", "-f", "-")
			s.as("alice", strings.Replace(stated, "{name: stated,", "{name: stated, labels: {team: x},", 1), "replace", "-f", "-")
			s.as("alice", "", "-n", "shop", "delete", "deployment", "stated")
		}, map[string]func(event.Event) bool{"stated-again": about("deployments", writes(by("alice")))},
			[]string{"privileged-pod", "sensitive-host-folder"}},
		{"a volume that nobody mounts", func() { s.as("alice", workload("Deployment", "unmounted", "/etc", ""), apply...) },
			map[string]func(event.Event) bool{"unmounted-folder": about("deployments", writes(by("alice")))}, nil},
		{"a dry run", func() {
			s.as("alice", workload("Deployment", "dry", "/etc", mounts), "apply", "--dry-run=server", "-f", "-")
		}, map[string]func(event.Event) bool{"host-folder-dry-run": about("deployments", writes(by("alice")))}, nil},
		{"one who may only look", func() {
			s.as("bob", workload("Deployment", "bobs", "/etc", mounts), "create", "-f", "-")
			s.as("bob", workload("Pod", "bobs", "/", mounts+privileged), "create", "-f", "-")
		}, map[string]func(event.Event) bool{"host-folder-denied": about("deployments", writes(by("bob"))),
			"privileged-denied": about("pods", writes(by("bob")))}, nil},
		{"a bare privileged pod over the whole disk", func() { s.as("alice", workload("Pod", "rescue", "/", mounts+privileged), apply...) },
			map[string]func(event.Event) bool{
				"privileged-pod": about("pods", writes(by("alice"))),
			}, []string{"privileged-pod", "sensitive-host-folder"}},
		{"a label of it", func() { s.as("alice", "", "-n", "shop", "label", "pod", "rescue", "x=y") },
			map[string]func(event.Event) bool{"privileged-label": about("pods", writes(by("alice")))}, nil},
		{"a service account makes a privileged daemon set", func() {
			s.as("deployer", workload("DaemonSet", "agent", "/data", privileged), apply...)
			// Nobody schedules its pods to where they belong: it would try for ever.
			if err := s.Client.AppsV1().DaemonSets("shop").Delete(s.t.Context(), "agent", metav1.DeleteOptions{}); err != nil {
				s.t.Error(err)
			}
		},
			map[string]func(event.Event) bool{
				"privileged-daemonset": about("daemonsets", writes(by("system:serviceaccount:shop:deployer"))),
			}, []string{"kubectl-in-container", "privileged-pod"}},
		{"a static pod of the control plane", func() { s.as("system:node:node-1", mirror, "create", "-f", "-") },
			map[string]func(event.Event) bool{"static-pod": about("pods", writes(by("system:node:node-1")))}, []string{"static-pod-appeared"}},
		{"alice runs a command", func() { s.as("alice", "", "-n", "shop", "exec", "till", "--", "sh", "-c", "id; uname -a") },
			map[string]func(event.Event) bool{"exec": about("pods", stream)}, []string{"exec-into-pod"}},
		{"alice attaches", func() { s.as("alice", "", "-n", "shop", "attach", "till") },
			map[string]func(event.Event) bool{"attach": about("pods", stream)}, []string{"exec-into-pod"}},
		{"alice runs a command through the kubelet", func() {
			s.as("alice", "", "create", "--raw", "/api/v1/nodes/here/proxy/run/shop/till/app?cmd=id", "-f", "-")
		}, map[string]func(event.Event) bool{"exec-kubelet": about("nodes", by("alice"))}, []string{"kubelet-command"}},
		{"alice asks the kubelet for its metrics", func() { s.as("alice", "", "get", "--raw", "/api/v1/nodes/here/proxy/metrics") },
			map[string]func(event.Event) bool{"kubelet-metrics": about("nodes", by("alice"))}, nil},
		{"alice adds a debug container and does not attach", func() {
			s.as("alice", "", "-n", "shop", "debug", "till", "--image=registry.example/tools:1", "--container=debugger", "--attach=false", "--",
				"sh", "-c", "id")
		}, map[string]func(event.Event) bool{"debug-container": about("pods", writes(by("alice")))}, []string{"debug-container"}},
		{"alice opens the node's disk to claims", func() { s.as("alice", volume("disk", "/"), "create", "-f", "-") },
			map[string]func(event.Event) bool{"host-volume": about("persistentvolumes", writes(by("alice")))},
			[]string{"sensitive-host-volume"}},
		{"a label of that volume", func() { s.as("alice", "", "label", "persistentvolume", "disk", "x=y") },
			map[string]func(event.Event) bool{"host-volume-label": about("persistentvolumes", writes(by("alice")))}, nil},
		{"a volume for data", func() { s.as("alice", volume("data", "/data/till"), "create", "-f", "-") },
			map[string]func(event.Event) bool{"data-volume": about("persistentvolumes", writes(by("alice")))}, nil},
		{"alice reads a log", func() { s.as("alice", "", "-n", "shop", "logs", "till") },
			map[string]func(event.Event) bool{"log": about("pods", stream)}, nil},
		{"bob runs a command", func() { s.as("bob", "", "-n", "shop", "exec", "till", "--", "id") },
			map[string]func(event.Event) bool{"exec-denied": about("pods", stream)}, nil},
		{"alice makes an administrator", func() {
			s.as("alice", "", "create", "clusterrolebinding", "oops", "--clusterrole=cluster-admin", "--serviceaccount=shop:deployer")
		}, map[string]func(event.Event) bool{"cluster-admin-binding": about("clusterrolebindings", writes(by("alice")))},
			[]string{"cluster-admin-binding"}},
		{"alice makes an administrator of a namespace", func() {
			s.as("alice", "", "-n", "shop", "create", "rolebinding", "oops", "--clusterrole=cluster-admin", "--user=carol")
		}, map[string]func(event.Event) bool{"namespace-admin-binding": about("rolebindings", writes(by("alice")))},
			[]string{"cluster-admin-binding"}},
		{"alice lets everybody look", func() {
			s.as("alice", "", "create", "clusterrolebinding", "anybody", "--clusterrole=view", "--group=system:unauthenticated")
		}, map[string]func(event.Event) bool{"view-binding": about("clusterrolebindings", writes(by("alice")))},
			[]string{"bound-to-everybody"}},
		{"bob may not give rights", func() {
			s.as("bob", "", "create", "clusterrolebinding", "bobs", "--clusterrole=cluster-admin", "--user=bob")
		}, map[string]func(event.Event) bool{"cluster-admin-denied": about("clusterrolebindings", writes(by("bob")))}, nil},
		{"nobody lists pods", func() { s.curl("/api/v1/namespaces/shop/pods"); s.curl("/api/v1/namespaces/shop/pods/rescue") },
			map[string]func(event.Event) bool{"anonymous-list": about("pods", by("system:anonymous"))}, []string{"anonymous-request"}},
		{"nobody may not list secrets", func() { s.curl("/api/v1/secrets") },
			map[string]func(event.Event) bool{"anonymous-denied": by("system:anonymous")}, nil},
		{"a bad token", func() { s.as("bad token", "", "get", "--raw", "/api/v1/secrets") },
			map[string]func(event.Event) bool{"bad-token": about("secrets", by(""))}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s.t = t
			test.act()
			lines := s.lines()
			for name, keep := range test.files {
				record(t, name, chosen(lines, keep))
			}
			found := alerts(t, lines)
			var got []string
			for _, a := range found {
				got = append(got, a.Rule)
			}
			if slices.Sort(got); !slices.Equal(got, test.want) {
				t.Errorf("alerts %v, want %v", got, test.want)
			}
			if test.name == "a deployment with a sensitive folder" && len(found) == 1 {
				tells(t, found[0])
			}
		})
	}
	s.t = t
	s.probes()
}

// stream keeps exec, attach and log.
func stream(e event.Event) bool {
	return len(e.Fields["objectRef.subresource"]) > 0 && by("alice", "bob")(e)
}

// tells checks that the alert names the person, the workload, its pods and the
// volume, and that no secret value came along.
func tells(t *testing.T, a detect.Alert) {
	t.Helper()
	var names []string
	for _, x := range a.Entities {
		names = append(names, x.Kind+" "+strings.TrimRight(x.Name, "0123456789abcdefghijklmnopqrstuvwxyz"))
	}
	all := strings.Join(names, "\n") + "\n" + strings.Join(a.Evidence, "\n") + fmt.Sprint(a.Entities)
	for _, want := range []string{"{actor User  alice", "{target Deployment shop backup", "{target Pod shop backup-",
		"Volume  host  /etc of the node, writable", "alice (person) asked to create the Deployment shop/backup"} {
		if !strings.Contains(all, want) {
			t.Errorf("the alert does not tell %q:\n%s", want, all)
		}
	}
	if n := strings.Count(fmt.Sprint(a.Entities), "{target Pod"); n != 2 || a.Count != 1 {
		t.Errorf("%d pods, count %d; want 2 pods of one act", n, a.Count)
	}
	for _, raw := range a.Events {
		if strings.Contains(string(raw), "not-a-real-password") {
			t.Errorf("a secret value was kept: %s", raw)
		}
	}
}

// keepEverything starts the API server again, with a policy that keeps everything.
func (s *stage) keepEverything() {
	s.t.Helper()
	s.StopAPIServer()
	s.setPolicy("apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: RequestResponse}]\n")
	if err := s.StartAPIServer(); err != nil {
		s.t.Fatal(err)
	}
	s.lines()
}

// probes are not in the log of the shipped policy; one that keeps everything
// shows that the rule is quiet about them.
func (s *stage) probes() {
	s.t.Helper()
	s.keepEverything()
	for _, path := range []string{"/healthz", "/livez", "/readyz/ping", "/version", "/.well-known/openid-configuration", "/openid/v1/jwks"} {
		s.curl(path)
	}
	lines := s.lines()
	record(s.t, "anonymous-probes", chosen(lines, by("system:anonymous")))
	if got := alerts(s.t, lines); len(got) > 0 {
		s.t.Errorf("probes make alerts: %v", got[0].Evidence)
	}
	s.busy()
}

// busy is an hour of a team's work in a minute, at the most telling level: what
// bench measures on.
func (s *stage) busy() {
	s.t.Helper()
	for i := range 12 {
		name := fmt.Sprintf("service-%d", i)
		s.as("alice", workload("Deployment", name, "/data/"+name, mounts), "apply", "-f", "-")
		s.as("alice", "", "-n", "shop", "set", "image", "deployment/"+name, "app=registry.example/"+name+":2")
		s.as("alice", "", "-n", "shop", "get", "pods,deployments,services")
		s.as("alice", "", "-n", "shop", "create", "secret", "generic", name, "--from-literal=password=not-a-real-password")
	}
	s.as("alice", workload("Deployment", "late", "/etc", mounts), "apply", "-f", "-")
	s.WaitRunning(s.t, "shop", 34)
	lines := s.lines()
	if got := alerts(s.t, lines); len(got) != 1 || got[0].Rule != "sensitive-host-folder" {
		s.t.Errorf("%d alerts of a busy hour, want that of the one attack", len(got))
	}
	s.t.Logf("%d events of a busy hour", len(lines))
	if *update {
		var out bytes.Buffer
		z, _ := gzip.NewWriterLevel(&out, gzip.BestCompression)
		z.Write(bytes.Join(lines, nil))
		z.Close()
		if err := os.WriteFile("../../bench/testdata/audit.jsonl.gz", out.Bytes(), 0o644); err != nil {
			s.t.Fatal(err)
		}
	}
}
