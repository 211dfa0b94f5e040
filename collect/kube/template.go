package kube

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	kjson "sigs.k8s.io/json"

	"github.com/breakwater-sec/breakwater/collect"
)

// template is a pod that an object would make.
type template struct {
	owner  collect.WorkloadKey
	kind   string // as pods name their owner's
	uid    string
	up     collect.OwnerRef
	labels *collect.Labels
	shape  *collect.PodShape
	idle   bool // asks for no pods
}

func templateOf(w *collect.Workload) template {
	return template{owner: w.WorkloadKey, kind: w.Kind, uid: w.UID, up: w.Owner, labels: w.PodLabels, shape: w.Shape, idle: scaledDown(w)}
}

// policies are API groups whose objects hold pod templates as patterns, which make
// no pods.
var policies = []string{"kyverno.io", "policies.kyverno.io", "constraints.gatekeeper.sh", "templates.gatekeeper.sh",
	"mutations.gatekeeper.sh", "expansion.gatekeeper.sh", "policy.open-cluster-management.io"}

// templatesIn takes the pods that an object of a kind we do not know would make:
// a pod template is known by its shape, wherever in the spec it stands.
func (m *manifests) templatesIn(where string, gvk schema.GroupVersionKind, b []byte) collect.Outcome {
	var o struct {
		metav1.ObjectMeta `json:"metadata"`
		Spec              map[string]any `json:"spec"`
	}
	if err := kjson.UnmarshalCaseSensitivePreserveInts(b, &o); err != nil {
		return m.gap(where, fmt.Errorf("want a %s with metadata and spec: %w", gvk.Kind, err))
	}
	if slices.Contains(policies, gvk.Group) {
		return collect.Left("a policy, whose templates are patterns")
	}
	var found finder
	found.walk(o.Spec, map[string]any{"labels": o.Labels})
	if gvk.Kind == "SparkApplication" && len(found.specs) == 0 {
		found.spark(o.Spec)
	}
	key := collect.WorkloadKey{Kind: gvk.Kind, Key: collect.Key{Namespace: o.Namespace, Name: o.Name + o.GenerateName}}
	if key.Namespace == "" {
		key.Namespace = metav1.NamespaceDefault
	}
	m.owners[key] = ownerOf(o.OwnerReferences)
	for _, spec := range found.specs {
		t, err := m.template(spec)
		if err != nil {
			return m.gap(where, fmt.Errorf("want a pod template in the %s: %w", gvk.Kind, err))
		}
		t.owner, t.kind, t.uid, t.up = key, m.kindName(gvk), string(o.UID), m.owners[key]
		t.idle = idle(o.Spec)
		m.templates = append(m.templates, t)
	}
	switch {
	case len(found.specs) > 0:
		return collect.Left("makes pods by a template, which are judged")
	case renderers[gvk.GroupKind()]:
		return collect.Lost(collect.Gap{Source: "file", What: fmt.Sprintf("%s %s", gvk.GroupKind(), key.Key), Since: time.Now(),
			Why: "it brings objects of a chart or a repository, which are not read here", Consequence: "What it brings is missing."})
	case found.images:
		return collect.Lost(collect.Gap{Source: "file", What: fmt.Sprintf("%s %s", gvk.GroupKind(), key.Key), Since: time.Now(),
			Why: "it names images, and its kind is not interpreted", Consequence: "It may make pods, which are missing.",
			Kinds: []string{"Pod", "Container", "Image"}})
	}
	return collect.Left("of a kind that is not interpreted")
}

// kindName is a kind as owners are named by it: with its group, where a kind that we
// know has the same name (a Knative Service is none of Kubernetes').
func (m *manifests) kindName(gvk schema.GroupVersionKind) string {
	for known := range m.kinds {
		if known.Kind == gvk.Kind {
			return gvk.GroupKind().String()
		}
	}
	return gvk.Kind
}

// template is a pod template's JSON as a template of ours.
func (m *manifests) template(spec map[string]any) (t template, err error) {
	b, err := json.Marshal(spec)
	if err != nil {
		return t, err
	}
	var pod corev1.PodTemplateSpec
	if err := kjson.UnmarshalCaseSensitivePreserveInts(b, &pod); err != nil {
		return t, err
	}
	for i := range pod.Spec.Containers {
		if c := &pod.Spec.Containers[i]; c.Name == "" { // Knative and others name them themselves
			c.Name = fmt.Sprintf("container-%d", i)
		}
	}
	t.labels, _ = m.strip.in.labelSet(shortLabels(pod.Labels))
	t.shape, _ = m.strip.in.shape(shapeOf(&pod.Spec, pod.Annotations))
	return t, nil
}

// idle says that an object asks for no pods.
func idle(spec map[string]any) bool {
	n, scaled := spec["replicas"].(int64)
	suspended, _ := spec["suspend"].(bool)
	return scaled && n == 0 || suspended
}

// finder looks for pod templates in the spec of an object.
type finder struct {
	specs  []map[string]any
	images bool // something else names an image
}

// walk finds the pod specs below a value; metadata is what stands beside it.
func (f *finder) walk(v any, metadata any) {
	switch v := v.(type) {
	case map[string]any:
		if pod := podSpec(v); pod != nil {
			f.specs = append(f.specs, map[string]any{"metadata": metadata, "spec": pod})
			return
		}
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if text, ok := v[k].(string); ok && k == "image" && text != "" {
				f.images = true
			}
			beside := any(nil)
			if k == "spec" {
				beside = v["metadata"]
			}
			f.walk(v[k], beside)
		}
	case []any:
		for _, e := range v {
			f.walk(e, nil)
		}
	}
}

// podSpec is a map that is a pod's spec: it has containers with images, or runs
// them as steps, as a script or as its one container (Tekton, Argo Workflows).
func podSpec(v map[string]any) map[string]any {
	if withImages(v["containers"]) {
		return v
	}
	var run []any
	if withImages(v["steps"]) {
		run = v["steps"].([]any)
	}
	for _, field := range []string{"container", "script"} {
		if one := []any{v[field]}; withImages(one) {
			run = append(run, one...)
		}
	}
	if run == nil {
		return nil
	}
	out := map[string]any{"containers": run}
	for _, field := range []string{"volumes", "initContainers", "sidecars", "serviceAccountName", "securityContext", "hostNetwork"} {
		if field == "sidecars" && withImages(v[field]) {
			out["containers"] = slices.Concat(run, v[field].([]any))
		} else if v[field] != nil && field != "sidecars" {
			out[field] = v[field]
		}
	}
	return out
}

// withImages says whether a value is a list of objects of which one has an image.
func withImages(v any) bool {
	list, _ := v.([]any)
	some := false
	for _, e := range list {
		c, ok := e.(map[string]any)
		if !ok {
			return false
		}
		image, _ := c["image"].(string)
		some = some || image != ""
	}
	return some
}

// spark makes the pods of a SparkApplication without templates: its driver and
// executors are pod specs in words of their own, with an image for all.
func (f *finder) spark(spec map[string]any) {
	for _, role := range []string{"driver", "executor"} {
		r, ok := spec[role].(map[string]any)
		if !ok {
			continue
		}
		container := map[string]any{"name": "spark-kubernetes-" + role, "image": spec["image"]}
		for _, field := range []string{"image", "env", "envFrom", "securityContext", "volumeMounts", "ports"} {
			if r[field] != nil {
				container[field] = r[field]
			}
		}
		pod := map[string]any{"containers": append([]any{container}, listOf(r["sidecars"])...), "volumes": spec["volumes"],
			"serviceAccountName": r["serviceAccount"], "securityContext": r["podSecurityContext"]}
		for _, field := range []string{"hostNetwork", "initContainers", "automountServiceAccountToken", "shareProcessNamespace"} {
			if r[field] != nil {
				pod[field] = r[field]
			}
		}
		f.specs = append(f.specs, map[string]any{"metadata": map[string]any{"labels": r["labels"]}, "spec": pod})
	}
}

func listOf(v any) []any {
	list, _ := v.([]any)
	return list
}
