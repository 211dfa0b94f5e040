package kube

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	corev1 "k8s.io/api/core/v1"

	"github.com/breakwater-sec/breakwater/collect"
)

const seenWeb = `
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {pod-security.kubernetes.io/enforce: restricted}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop, labels: {team: cart}}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      serviceAccountName: web
      hostPID: true
      volumes: [{name: host, hostPath: {path: /}}, {name: keys, secret: {secretName: keys, items: [{key: a, path: a}]}}]
      initContainers: [{name: init, image: i}]
      containers:
      - name: app
        image: app:1
        ports: [{containerPort: 8080}]
        securityContext:
          {privileged: true, runAsUser: 0, capabilities: {add: [SYS_ADMIN], drop: [ALL]}, seccompProfile: {type: RuntimeDefault}}
        volumeMounts: [{name: host, mountPath: /host}, {name: keys, mountPath: /keys, readOnly: true}]
        env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: k}}}]
      - {name: side, image: side:1, command: [run, --port=1], envFrom: [{configMapRef: {name: c}}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: r, namespace: shop}
rules: [{apiGroups: [""], resources: [secrets], verbs: [get]}]
`

func factsIn(t *testing.T, text string) *collect.Facts {
	t.Helper()
	f, err := ReadFS(fstest.MapFS{"in.yaml": {Data: []byte(text)}})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestAManifestThatSaysPartOfAnObjectKeepsTheRest: what it changes is changed, in the
// workload and in the pods that it would make.
func TestAManifestThatSaysPartOfAnObjectKeepsTheRest(t *testing.T) {
	const deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec: "
	web := func(f *collect.Facts) *collect.Workload {
		return f.Workloads[collect.WorkloadKey{Kind: "Deployment", Key: collect.Key{Namespace: "shop", Name: "web"}}]
	}
	for _, c := range []struct {
		name, part string
		want       func(*collect.Workload) // the change
	}{
		{"one container is privileged no more",
			deployment + "{template: {spec: {containers: [{name: app, securityContext: {privileged: false}}]}}}",
			func(w *collect.Workload) { w.Shape.Containers[1].Privileged = false }},
		{"an image", deployment + "{template: {spec: {containers: [{name: side, image: side:2}]}}}",
			func(w *collect.Workload) { w.Shape.Containers[2].Image = "side:2" }},
		{"how many", deployment + "{replicas: 5}", func(w *collect.Workload) { w.Replicas = 5 }},
		{"the host's processes", deployment + "{template: {spec: {hostPID: false}}}", func(w *collect.Workload) { w.Shape.HostPID = false }},
		{"a label of its pods", deployment + "{template: {metadata: {labels: {tier: front}}}}", func(w *collect.Workload) {
			w.PodLabels = &collect.Labels{Map: map[string]string{"app": "web", "tier": "front"}}
		}},
		{"another account", deployment + "{template: {spec: {serviceAccountName: other}}}",
			func(w *collect.Workload) { w.Shape.ServiceAccount = "other" }},
		{"a container more", deployment + "{template: {spec: {containers: [{name: new, image: new:1}]}}}",
			func(w *collect.Workload) {
				all := w.Shape.Containers
				w.Shape.Containers = append([]collect.ContainerShape{all[0], {Name: "new", Image: "new:1"}}, all[1:]...)
			}},
		{"a mount is taken away",
			deployment + "{template: {spec: {containers: [{name: app, volumeMounts: [{mountPath: /host, $patch: delete}]}]}}}",
			func(w *collect.Workload) { w.Shape.Containers[1].Mounts = w.Shape.Containers[1].Mounts[1:] }},
		{"nothing", deployment + "{}", func(*collect.Workload) {}},
	} {
		t.Run(c.name, func(t *testing.T) {
			base := factsIn(t, seenWeb)
			got, err := Over(base, factsIn(t, c.part))
			if err != nil {
				t.Fatal(err)
			}
			want := *web(base)
			shape := *want.Shape
			shape.Containers = append([]collect.ContainerShape(nil), shape.Containers...)
			want.Shape = &shape
			c.want(&want)
			if got, want := told(web(got), web(got).Shape), told(&want, want.Shape); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			pods := 0
			for _, p := range got.Pods {
				if pods++; told(web(got), p.Shape) != told(&want, want.Shape) || !reflect.DeepEqual(p.Labels, want.PodLabels) {
					t.Errorf("its pod is %s, with labels %v", told(web(got), p.Shape), p.Labels)
				}
			}
			if pods == 0 {
				t.Error("it has no pods")
			}
		})
	}
}

// told is a workload in words, with its containers by name: merging may move one that is new.
func told(w *collect.Workload, s *collect.PodShape) string {
	shape := *s
	shape.Containers = slices.SortedFunc(slices.Values(s.Containers),
		func(a, b collect.ContainerShape) int { return strings.Compare(a.Name, b.Name) })
	b, err := json.Marshal(shape)
	return fmt.Sprint(w.UID, w.Owner, w.Replicas, w.Labels.Map, w.PodLabels.Map, string(b), err)
}

func TestAPartChangesOtherKindsToo(t *testing.T) {
	in := collect.Key{Namespace: "shop", Name: "web"}
	base := factsIn(t, seenWeb)
	got, err := Over(base, factsIn(t, ""+
		"{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {type: LoadBalancer}}\n---\n"+
		"{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {team: cart}}}\n---\n"+
		"{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: r, namespace: shop, labels: {team: cart}}}"))
	if err != nil {
		t.Fatal(err)
	}
	if s := got.Services[in]; s.Spec.Type != corev1.ServiceTypeLoadBalancer || len(s.Spec.Ports) != 1 || s.Spec.Selector["app"] != "web" {
		t.Errorf("the Service is %+v", s.Spec)
	}
	if l := got.Namespaces[collect.Key{Name: "shop"}].Labels; l["team"] != "cart" || l["pod-security.kubernetes.io/enforce"] != "restricted" {
		t.Errorf("the namespace's labels are %v", l)
	}
	if r := got.Roles[collect.Key{Namespace: "shop", Name: "r"}]; len(r.Rules) != 1 {
		t.Errorf("the Role's rules are %v", r.Rules)
	}
}

// TestAWholeManifestStandsForItself: what it no longer says is taken away, as by who
// applies the file again; and a part of nothing is refused.
func TestAWholeManifestStandsForItself(t *testing.T) {
	base := factsIn(t, seenWeb)
	got, err := Over(base, factsIn(t, "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\n"+
		"spec: {selector: {matchLabels: {app: web}}, "+
		"template: {metadata: {labels: {app: web}}, spec: {containers: [{name: app, image: app:1}]}}}"))
	if err != nil {
		t.Fatal(err)
	}
	w := got.Workloads[collect.WorkloadKey{Kind: "Deployment", Key: collect.Key{Namespace: "shop", Name: "web"}}]
	if w.Shape.HostPID || len(w.Shape.Containers) != 1 || w.Shape.Containers[0].Privileged {
		t.Errorf("it is %+v", w.Shape)
	}
	_, err = Over(base, factsIn(t, "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: other}\nspec: {replicas: 2}"))
	if err == nil || !strings.HasPrefix(err.Error(), "want the whole Deployment default/other") {
		t.Errorf("a part of nothing: %v", err)
	}
	if _, err = Over(base, factsIn(t, "{apiVersion: v1, kind: Namespace, metadata: {name: new}}")); err != nil {
		t.Errorf("a new namespace: %v", err)
	}
}
