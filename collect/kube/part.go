package kube

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	kjson "sigs.k8s.io/json"

	"github.com/breakwater-sec/breakwater/collect"
)

// complete says whether an API server could create an object as it is written. One that
// leaves out what it must have can only change an object that is there; so do namespaces
// and service accounts, to which many add.
func complete(o object) bool {
	switch o := o.(type) {
	case *corev1.Namespace, *corev1.ServiceAccount:
		return false
	case *corev1.Service:
		return o.Spec.ExternalName != "" || len(o.Spec.Ports) > 0 && len(o.Spec.Selector) > 0 || o.Spec.ClusterIP == corev1.ClusterIPNone
	case *networkingv1.Ingress:
		return o.Spec.DefaultBackend != nil || len(o.Spec.Rules) > 0
	case *networkingv1.NetworkPolicy:
		return !reflect.ValueOf(o.Spec).IsZero()
	case *rbacv1.Role:
		return o.Rules != nil
	case *rbacv1.ClusterRole:
		return o.Rules != nil || o.AggregationRule != nil
	case *rbacv1.RoleBinding:
		return o.RoleRef.Name != ""
	case *rbacv1.ClusterRoleBinding:
		return o.RoleRef.Name != ""
	case *corev1.Pod:
		return specified(&o.Spec)
	}
	t := templateIn(o)
	return t == nil || specified(&t.Spec) && selects(o)
}

// part notes an object that is not complete.
func (m *manifests) part(k formerKind, o object, b []byte) {
	b, err := k.today(b)
	if err != nil || k.how != whole || o.GetName() == "" || complete(o) {
		return
	}
	key := collect.Key{Name: o.GetName()}
	if !k.cluster {
		key.Namespace = cmp.Or(o.GetNamespace(), metav1.NamespaceDefault)
	}
	m.facts.Parts = append(m.facts.Parts, collect.Part{Kind: k.name, Key: key, JSON: b})
}

// specified says that a pod's spec has containers, each with an image.
func specified(spec *corev1.PodSpec) bool {
	return len(spec.Containers) > 0 && !slices.ContainsFunc(spec.Containers, func(c corev1.Container) bool { return c.Image == "" })
}

// selects says that a workload has what says which pods are its own, if it must.
func selects(o object) bool {
	switch o := o.(type) {
	case *appsv1.Deployment:
		return o.Spec.Selector != nil
	case *appsv1.StatefulSet:
		return o.Spec.Selector != nil
	case *appsv1.DaemonSet:
		return o.Spec.Selector != nil
	case *appsv1.ReplicaSet:
		return o.Spec.Selector != nil
	}
	return true
}

// templateIn is the pod template of a workload, nil where an object has none.
func templateIn(o object) *corev1.PodTemplateSpec {
	switch o := o.(type) {
	case *appsv1.Deployment:
		return &o.Spec.Template
	case *appsv1.StatefulSet:
		return &o.Spec.Template
	case *appsv1.DaemonSet:
		return &o.Spec.Template
	case *appsv1.ReplicaSet:
		return &o.Spec.Template
	case *batchv1.Job:
		return &o.Spec.Template
	case *batchv1.CronJob:
		return &o.Spec.JobTemplate.Spec.Template
	}
	return nil
}

// Over is the facts as they would be had manifests been applied. An object that is whole
// stands for itself: what it no longer says, `kubectl apply` takes away. One that says only
// part changes what is there, as a strategic merge patch does: lists by their merge keys.
func Over(base, applied *collect.Facts) (*collect.Facts, error) {
	given := applied.Clone()
	all, s := kinds(), &stripper{NewInterner()}
	for _, p := range applied.Parts {
		k := &all[slices.IndexFunc(all, func(k kind) bool { return k.name == p.Kind })]
		seen := base.Get(p.Kind, p.Key)
		if seen == nil {
			if p.Kind == "Namespace" || p.Kind == "ServiceAccount" {
				continue // it needs no more than its name
			}
			return nil, fmt.Errorf("want the whole %s %s: it leaves out what one must have, and there is none that it could change", p.Kind, p.Key)
		}
		merged, err := s.merge(k, seen, p.JSON)
		if err != nil {
			return nil, fmt.Errorf("apply %s %s: %w", p.Kind, p.Key, err)
		}
		given.Apply(collect.Change{Op: collect.Put, Kind: p.Kind, Key: p.Key, Object: merged})
		if w, ok := merged.(*collect.Workload); ok {
			remake(given, w)
		}
	}
	return base.With(given), nil
}

// remake puts the pod that a workload would make in the place of those of its part.
func remake(f *collect.Facts, w *collect.Workload) {
	owner := collect.OwnerRef{Kind: w.Kind, Name: w.Name, UID: w.UID}
	for k, p := range maps.Clone(f.Pods) {
		if p.Made && p.Namespace == w.Namespace && p.Owner.Kind == w.Kind && p.Owner.Name == w.Name {
			f.Apply(collect.Change{Op: collect.Gone, Kind: "Pod", Key: k})
		}
	}
	key := w.Key
	for f.Pods[key] != nil {
		key.Name += "-0"
	}
	if w.Replicas > 0 {
		f.Apply(collect.Change{Op: collect.Put, Kind: "Pod", Key: key, Object: &collect.Pod{Key: key, Node: anyNode, Phase: "Pending",
			Labels: w.PodLabels, Shape: w.Shape, Made: true, Owner: owner}})
	}
}

// merge is what an object becomes that was seen, and of which a manifest says a part.
func (s *stripper) merge(k *kind, seen any, part []byte) (any, error) {
	if k.how != whole {
		return seen, nil // of which names are kept, and nothing else
	}
	o := k.make()
	before, err := json.Marshal(written(o, seen))
	if err != nil {
		return nil, err
	}
	after, err := patched(k, before, part)
	if err != nil {
		return nil, err
	}
	made := k.make()
	if err := kjson.UnmarshalCaseSensitivePreserveInts(after, made); err != nil {
		return nil, err
	}
	if !k.cluster && made.GetNamespace() == "" {
		made.SetNamespace(metav1.NamespaceDefault)
	}
	out, _ := k.cut(s, made)
	s.asSeen(out, seen, part)
	return out, nil
}

// patched merges as an API server does: kinds of its own by the merge keys of their
// lists, others by keys alone.
func patched(k *kind, before, part []byte) ([]byte, error) {
	if collect.BuiltIn(k.versions[0].Group) {
		return strategicpatch.StrategicMergePatch(before, part, k.make())
	}
	var a, b map[string]any
	if err := json.Unmarshal(before, &a); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(part, &b); err != nil {
		return nil, err
	}
	return json.Marshal(mergedJSON(a, b))
}

// mergedJSON is a JSON merge patch (RFC 7386).
func mergedJSON(into, part map[string]any) map[string]any {
	for key, v := range part {
		below, is := v.(map[string]any)
		old, was := into[key].(map[string]any)
		switch {
		case v == nil:
			delete(into, key)
		case is && was:
			into[key] = mergedJSON(old, below)
		default:
			into[key] = v
		}
	}
	return into
}

// written is an object that was seen as a manifest would have it: pods and workloads are
// kept as shapes.
func written(o object, seen any) any {
	spec, labels := (*corev1.PodSpec)(nil), (*collect.Labels)(nil)
	switch seen := seen.(type) {
	case *collect.Workload:
		o.SetName(seen.Name)
		o.SetNamespace(seen.Namespace)
		o.SetAnnotations(seen.Annotations)
		o.SetLabels(labelled(seen.Labels))
		spec, labels = specOf(seen.Shape), seen.PodLabels
		replicas(o, seen.Replicas)
	case *collect.Pod:
		o.SetName(seen.Name)
		o.SetNamespace(seen.Namespace)
		o.SetLabels(labelled(seen.Labels))
		spec = specOf(seen.Shape)
		spec.NodeName = seen.Node
	default:
		return seen
	}
	if p, is := o.(*corev1.Pod); is {
		p.Spec = *spec
	} else if t := templateIn(o); t != nil {
		t.Spec, t.Labels = *spec, labelled(labels)
	}
	return o
}

func labelled(l *collect.Labels) map[string]string {
	if l == nil {
		return nil
	}
	return l.Map
}

func replicas(o object, n int32) {
	switch o := o.(type) {
	case *appsv1.Deployment:
		o.Spec.Replicas = &n
	case *appsv1.StatefulSet:
		o.Spec.Replicas = &n
	case *appsv1.ReplicaSet:
		o.Spec.Replicas = &n
	case *appsv1.DaemonSet:
		o.Status.DesiredNumberScheduled = n
	case *batchv1.Job:
		o.Spec.Parallelism = &n
	case *batchv1.CronJob:
		o.Spec.JobTemplate.Spec.Parallelism = &n
	}
}

// specOf is a shape as a spec, as far as a shape tells it.
func specOf(p *collect.PodShape) *corev1.PodSpec {
	out := &corev1.PodSpec{ServiceAccountName: p.ServiceAccount, AutomountServiceAccountToken: p.AutomountToken, HostNetwork: p.HostNetwork,
		NodeSelector: p.NodeSelector, HostPID: p.HostPID, HostIPC: p.HostIPC, HostUsers: p.HostUsers, SecurityContext: &corev1.PodSecurityContext{
			RunAsUser: p.Security.RunAsUser, RunAsGroup: p.Security.RunAsGroup, RunAsNonRoot: p.Security.RunAsNonRoot,
			SeccompProfile: seccompOf(p.Security.Seccomp), AppArmorProfile: appArmorOf(p.Security.AppArmor)}}
	if p.Placing != nil {
		out.Tolerations = p.Placing.Tolerations
		if terms := p.Placing.Affinity; len(terms) > 0 {
			out.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
				RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: terms}}}
		}
	}
	if p.ShareProcessNamespace {
		out.ShareProcessNamespace = &p.ShareProcessNamespace
	}
	if p.RuntimeClass != "" {
		out.RuntimeClassName = &p.RuntimeClass
	}
	for _, name := range slices.Sorted(maps.Keys(p.Security.Sysctls)) {
		out.SecurityContext.Sysctls = append(out.SecurityContext.Sysctls, corev1.Sysctl{Name: name, Value: p.Security.Sysctls[name]})
	}
	for _, s := range p.ImagePullSecrets {
		out.ImagePullSecrets = append(out.ImagePullSecrets, corev1.LocalObjectReference{Name: s})
	}
	for _, v := range p.Volumes { // what a volume is, is put back by its name
		out.Volumes = append(out.Volumes, corev1.Volume{Name: v.Name})
	}
	always := corev1.ContainerRestartPolicyAlways
	for _, c := range p.Containers {
		switch made := containerOf(c); c.Type {
		case collect.Init:
			out.InitContainers = append(out.InitContainers, made)
		case collect.Sidecar:
			made.RestartPolicy = &always
			out.InitContainers = append(out.InitContainers, made)
		case collect.Ephemeral:
			out.EphemeralContainers = append(out.EphemeralContainers,
				corev1.EphemeralContainer{EphemeralContainerCommon: corev1.EphemeralContainerCommon(made)})
		default:
			out.Containers = append(out.Containers, made)
		}
	}
	return out
}

func containerOf(c collect.ContainerShape) corev1.Container {
	out := corev1.Container{Name: c.Name, Image: c.Image, Command: c.Command, Args: c.Args, Stdin: c.Stdin}
	for _, p := range c.Ports {
		out.Ports = append(out.Ports, corev1.ContainerPort{Name: p.Name, ContainerPort: p.Port, HostPort: p.HostPort, HostIP: p.HostIP,
			Protocol: corev1.Protocol(p.Protocol)})
	}
	for _, m := range c.Mounts {
		made := corev1.VolumeMount{Name: m.Volume, MountPath: m.Path, SubPath: m.SubPath, ReadOnly: m.ReadOnly}
		if m.Expanded {
			made.SubPath, made.SubPathExpr = "", m.SubPath
		}
		if propagation := corev1.MountPropagationMode(m.Propagation); propagation != "" {
			made.MountPropagation = &propagation
		}
		out.VolumeMounts = append(out.VolumeMounts, made)
	}
	for _, d := range c.Devices {
		out.VolumeDevices = append(out.VolumeDevices, corev1.VolumeDevice{Name: d, DevicePath: "/" + d})
	}
	sc := &corev1.SecurityContext{AllowPrivilegeEscalation: c.AllowEscalation, RunAsUser: c.RunAsUser, RunAsNonRoot: c.RunAsNonRoot,
		SeccompProfile: seccompOf(c.Seccomp), AppArmorProfile: appArmorOf(c.AppArmor)}
	if c.Privileged {
		sc.Privileged = &c.Privileged
	}
	if c.ReadOnlyRoot {
		sc.ReadOnlyRootFilesystem = &c.ReadOnlyRoot
	}
	if c.HostProcess {
		sc.WindowsOptions = &corev1.WindowsSecurityContextOptions{HostProcess: &c.HostProcess}
	}
	if mount := corev1.ProcMountType(c.ProcMount); mount != "" {
		sc.ProcMount = &mount
	}
	if c.SELinuxType != "" {
		sc.SELinuxOptions = &corev1.SELinuxOptions{Type: c.SELinuxType}
	}
	if len(c.AddCaps)+len(c.DropCaps) > 0 {
		sc.Capabilities = &corev1.Capabilities{Add: capabilities(c.AddCaps), Drop: capabilities(c.DropCaps)}
	}
	out.SecurityContext = sc
	return out
}

func capabilities(names []string) (out []corev1.Capability) {
	for _, n := range names {
		out = append(out, corev1.Capability(n))
	}
	return out
}

func seccompOf(text string) *corev1.SeccompProfile {
	if text == "" {
		return nil
	}
	kind, file := profile(text)
	return &corev1.SeccompProfile{Type: corev1.SeccompProfileType(kind), LocalhostProfile: file}
}

func appArmorOf(text string) *corev1.AppArmorProfile {
	if text == "" {
		return nil
	}
	kind, file := profile(text)
	return &corev1.AppArmorProfile{Type: corev1.AppArmorProfileType(kind), LocalhostProfile: file}
}

// profile is the type of a profile as a shape has it, and its file on the node if it is one of those.
func profile(text string) (kind string, file *string) {
	kind, path, local := strings.Cut(text, ":")
	if local {
		file = &path
	}
	return kind, file
}

// asSeen puts back what a spec made of a shape does not tell: containers and volumes that
// the part does not name are as they were; of those that it names, references that it does
// not replace. The object's place among others stays.
func (s *stripper) asSeen(out, seen any, part []byte) {
	var now, was *collect.PodShape
	switch out := out.(type) {
	case *collect.Workload:
		before := seen.(*collect.Workload)
		out.UID, out.Owner = before.UID, before.Owner
		now, was = out.Shape, before.Shape
		defer func() { out.Shape, _ = s.in.shape(now) }()
	case *collect.Pod:
		before := seen.(*collect.Pod)
		out.UID, out.Owner, out.IPs, out.HostIP, out.Phase = before.UID, before.Owner, before.IPs, before.HostIP, before.Phase
		now, was = out.Shape, before.Shape
		defer func() { out.Shape, _ = s.in.shape(now) }()
	default:
		return
	}
	copied := *now
	now = &copied
	now.Containers, now.Volumes = slices.Clone(now.Containers), slices.Clone(now.Volumes)
	for i, c := range now.Containers {
		j := slices.IndexFunc(was.Containers, func(old collect.ContainerShape) bool { return old.Name == c.Name })
		if j < 0 {
			continue
		}
		old := was.Containers[j]
		if !names(part, c.Name) {
			now.Containers[i] = old
			continue
		}
		now.Containers[i].EnvSecrets = merged(old.EnvSecrets, c.EnvSecrets)
		now.Containers[i].EnvConfigMaps = merged(old.EnvConfigMaps, c.EnvConfigMaps)
		now.Containers[i].NoCloudToken = c.NoCloudToken || old.NoCloudToken
	}
	for i, v := range now.Volumes {
		j := slices.IndexFunc(was.Volumes, func(old collect.Volume) bool { return old.Name == v.Name })
		if j >= 0 && v.Type == "unknown" {
			now.Volumes[i] = was.Volumes[j]
		}
	}
}

func merged(old, more []collect.KeyRef) []collect.KeyRef {
	out := slices.Clone(old)
	for _, k := range more {
		if !slices.Contains(out, k) {
			out = append(out, k)
		}
	}
	return out
}

// names says whether a part speaks of something by its name.
func names(part []byte, name string) bool {
	quoted, err := json.Marshal(name)
	return err == nil && strings.Contains(string(part), string(quoted))
}
