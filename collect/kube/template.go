package kube

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
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
	found.walk(o.Spec, map[string]any{"labels": o.Labels}, nil)
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
	gap := collect.Gap{Source: "file", What: fmt.Sprintf("%s %s", gvk.GroupKind(), key.Key), Since: time.Now()}
	switch n := len(found.objects); {
	case n > 0:
		gap.Why = "it holds " + found.objects[0]
		if n > 1 {
			gap.Why += fmt.Sprintf(" and %d more", n-1)
		}
		gap.Why += ": of what it brings only pod templates are read"
		gap.Consequence = "What it brings is missing."
		return collect.Lost(gap)
	case len(found.specs) > 0:
		return collect.Left("makes pods by a template, which are judged")
	case renderers[gvk.GroupKind()]:
		gap.Why, gap.Consequence = "it brings objects from elsewhere, which are not read here", "What it brings is missing."
		return collect.Lost(gap)
	case found.images, found.scaled && !ofMachines(gvk.Group) && o.Spec["workloadRef"] == nil, strings.HasSuffix(gvk.Group, ".k8s.elastic.co"):
		gap.Why, gap.Consequence = "it names images, and its kind is not interpreted", "It may make pods, which are missing."
		if !found.images {
			gap.Why = "it asks for pods, and its kind is not interpreted"
		}
		gap.Kinds = []string{"Pod", "Container", "Image"}
		return collect.Lost(gap)
	}
	return collect.Left("of a kind that is not interpreted")
}

// ofMachines says of a group that its replicas are nodes.
func ofMachines(group string) bool {
	return strings.HasSuffix(group, "cluster.x-k8s.io") || group == "machine.openshift.io"
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
	specs   []map[string]any
	images  bool     // something else names an image
	scaled  bool     // it asks for replicas, or says how its pods are
	objects []string // whole objects within it, each by kind and name
}

// walk finds the pod specs below a value; metadata is what stands beside it, around what
// is said outside of pods that run steps and holds for them.
func (f *finder) walk(v any, metadata any, around map[string]any) {
	switch v := v.(type) {
	case map[string]any:
		if kind := objectIn(v); kind != "" {
			f.objects = append(f.objects, kind)
		}
		if pod := podSpec(v, around); pod != nil {
			f.specs = append(f.specs, map[string]any{"metadata": metadata, "spec": pod})
			return
		}
		around = withSettings(around, v)
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if strings.HasPrefix(k, "volumeClaimTemplate") {
				continue // claims, which the object's pods have
			}
			f.names(k, v[k])
			beside := any(nil)
			if k == "spec" {
				beside = v["metadata"]
			}
			f.walk(v[k], beside, around)
		}
	case []any:
		for _, e := range v {
			f.walk(e, nil, around)
		}
	}
}

// names keeps what a field of an object that we do not know tells of pods.
func (f *finder) names(field string, v any) {
	switch field {
	case "image", "imageName", "baseImage":
		text, _ := v.(string)
		parts, _ := v.(map[string]any)
		f.images = f.images || text != "" || parts["repository"] != nil
	case "replicas", "instances":
		n, _ := v.(int64)
		f.scaled = f.scaled || n > 0
	case "podTemplate":
		settings, _ := v.(map[string]any)
		pod, _ := settings["spec"].(map[string]any)
		f.scaled = f.scaled || pod["containers"] != nil || pod["initContainers"] != nil
	case "manifest", "podSpecPatch": // Argo's, as text
		if text, _ := v.(string); text != "" {
			f.objects = append(f.objects, "a "+field)
		}
	}
}

// objectIn names the whole object that a map is, empty for any other map: references have
// neither metadata nor spec.
func objectIn(v map[string]any) string {
	kind, _ := v["kind"].(string)
	version, _ := v["apiVersion"].(string)
	metadata, _ := v["metadata"].(map[string]any)
	if kind == "" || version == "" || metadata == nil && v["spec"] == nil {
		return ""
	}
	name, _ := metadata["name"].(string)
	return strings.TrimSpace(kind + " " + name)
}

// podSettings are the fields of pods that may be said outside of their steps.
var podSettings = []string{"volumes", "serviceAccountName", "securityContext", "hostNetwork", "automountServiceAccountToken"}

// withSettings adds what a map says of the pods below it, by itself or in its pod template:
// a Workflow's spec, a TaskRun's podTemplate, a PipelineRun's taskRunTemplate.
func withSettings(around, v map[string]any) map[string]any {
	out := around
	for _, in := range []string{"", "taskRunTemplate", "podTemplate"} {
		settings := v
		if in != "" {
			settings, _ = v[in].(map[string]any)
		}
		if in == "taskRunTemplate" && settings != nil {
			out = withSettings(out, settings)
			continue
		}
		for _, field := range podSettings {
			if settings[field] == nil {
				continue
			}
			if out = maps.Clone(out); out == nil {
				out = map[string]any{}
			}
			out[field] = settings[field]
			if field == "volumes" {
				out[field] = slices.Concat(listOf(around[field]), listOf(settings[field]))
			}
		}
	}
	return out
}

// podSpec is a map that is a pod's spec: it has containers with images, or runs
// them as steps, as a script or as its one container (Tekton, Argo Workflows).
// What is said around it counts for the latter.
func podSpec(v, around map[string]any) map[string]any {
	if withImages(v["containers"]) {
		return v
	}
	var run []any
	if withImages(v["steps"]) {
		run = steps(v)
	}
	for _, field := range []string{"container", "script"} {
		if one := []any{v[field]}; withImages(one) {
			run = append(run, one...)
		}
	}
	if run == nil {
		return nil
	}
	out := map[string]any{"containers": run, "initContainers": v["initContainers"]}
	if withImages(v["sidecars"]) {
		out["containers"] = slices.Concat(run, v["sidecars"].([]any))
	}
	for _, field := range podSettings {
		if out[field] = v[field]; v[field] == nil {
			out[field] = around[field]
		}
	}
	out["volumes"] = slices.Concat(listOf(around["volumes"]), listOf(v["volumes"]))
	return out
}

// steps are those of a Task: its stepTemplate says what a step does not.
func steps(v map[string]any) (out []any) {
	all, _ := v["stepTemplate"].(map[string]any)
	for _, s := range listOf(v["steps"]) {
		step := maps.Clone(all)
		if step == nil {
			step = map[string]any{}
		}
		if s, ok := s.(map[string]any); ok {
			maps.Copy(step, s)
		}
		out = append(out, step)
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
