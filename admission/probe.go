package admission

import (
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// attempt is what an attacker tries: the requests that the API server gets for it.
type attempt struct{ requests []request }

// request is one request as admission sees it.
type request struct {
	kind        schema.GroupVersionKind
	resource    schema.GroupVersionResource
	subresource string
	update      bool
	object      runtime.Object
	old         runtime.Object // what an update replaces
	// plain is the same request without what takes over the node: a policy that refuses
	// this too refuses for another reason, which an attacker may be able to meet.
	plain runtime.Object
	// bare and plainBare are the two with containers that say nothing of their security: a policy that refuses
	// plain may like those better.
	bare, plainBare runtime.Object

	pod *corev1.Pod // for Pod Security admission; nil where it is not asked
	// controller makes the request in a workload's place.
	controller string
	id         int
}

var (
	pods      = attempts(podRequest(""))
	workloads = workloadAttempts()
	debugging = debuggingAttempts()
)

// pod is a pod that meets what policies commonly ask for.
func pod() *corev1.Pod {
	probe := &corev1.Probe{ProbeHandler: corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{}}}
	few := corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("10m"), corev1.ResourceMemory: resource.MustParse("16Mi")}
	return &corev1.Pod{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{Name: "probe", Labels: map[string]string{"app": "probe", "app.kubernetes.io/name": "probe"},
			Annotations: map[string]string{}},
		Spec: corev1.PodSpec{
			ServiceAccountName: "default", AutomountServiceAccountToken: ptr(false),
			SecurityContext: &corev1.PodSecurityContext{RunAsNonRoot: ptr(true), RunAsUser: ptr(int64(1000)),
				SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}},
			Containers: []corev1.Container{{Name: "probe", Image: "registry.example/probe@sha256:" + digest,
				ImagePullPolicy: corev1.PullAlways, LivenessProbe: probe, ReadinessProbe: probe,
				Resources: corev1.ResourceRequirements{Requests: few, Limits: few}, SecurityContext: restricted()}},
		}}
}

const digest = "0000000000000000000000000000000000000000000000000000000000000000"

func restricted() *corev1.SecurityContext {
	return &corev1.SecurityContext{AllowPrivilegeEscalation: ptr(false), Privileged: ptr(false), ReadOnlyRootFilesystem: ptr(true),
		RunAsNonRoot: ptr(true), RunAsUser: ptr(int64(1000)),
		SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		Capabilities:   &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}}}
}

func ptr[T any](v T) *T { return &v }

// takeovers turn a pod that admission likes into one that takes over its node, each by another means.
func takeovers() (out []func(*corev1.Pod)) {
	whole := func(c *corev1.Container) { c.SecurityContext = &corev1.SecurityContext{Privileged: ptr(true)} }
	careful := func(c *corev1.Container) { // a user that is not root becomes it by a program of its image
		c.SecurityContext = &corev1.SecurityContext{Privileged: ptr(true), RunAsNonRoot: ptr(true), RunAsUser: ptr(int64(1000)),
			ReadOnlyRootFilesystem: ptr(true)}
	}
	for _, privilege := range []func(*corev1.Container){whole, careful} {
		out = append(out,
			func(p *corev1.Pod) { privilege(&p.Spec.Containers[0]) },
			func(p *corev1.Pod) { p.Spec.Containers = append(p.Spec.Containers, another(p, privilege)) },
			func(p *corev1.Pod) { p.Spec.InitContainers = append(p.Spec.InitContainers, another(p, privilege)) })
	}
	for _, path := range []string{"/", "/etc", "/var/lib/kubelet", "/var/run", "/proc", "/root"} {
		out = append(out, func(p *corev1.Pod) { asRoot(p); mountHost(p, path) })
	}
	for _, socket := range []string{"/run/containerd/containerd.sock", "/var/run/docker.sock", "/run/crio/crio.sock"} {
		out = append(out, func(p *corev1.Pod) {
			mountHost(p, socket)
			p.Spec.SecurityContext.RunAsGroup = ptr(int64(0)) // whose the socket is
		})
	}
	for _, capability := range []corev1.Capability{"SYS_ADMIN", "CAP_SYS_ADMIN", "ALL", "SYS_MODULE", "DAC_READ_SEARCH", "SYS_RAWIO"} {
		out = append(out, func(p *corev1.Pod) { asRoot(p); addCapability(p, capability) })
	}
	return append(out, func(p *corev1.Pod) { asRoot(p); addCapability(p, "SYS_PTRACE"); p.Spec.HostPID = true })
}

func another(p *corev1.Pod, privilege func(*corev1.Container)) corev1.Container {
	c := *p.Spec.Containers[0].DeepCopy()
	c.Name, c.LivenessProbe, c.ReadinessProbe = "another", nil, nil
	privilege(&c)
	return c
}

func asRoot(p *corev1.Pod) {
	p.Spec.SecurityContext.RunAsNonRoot, p.Spec.SecurityContext.RunAsUser = nil, nil
	sc := p.Spec.Containers[0].SecurityContext
	sc.RunAsNonRoot, sc.RunAsUser = nil, nil
}

func mountHost(p *corev1.Pod, path string) {
	p.Spec.Volumes = append(p.Spec.Volumes, corev1.Volume{Name: "host", VolumeSource: corev1.VolumeSource{
		HostPath: &corev1.HostPathVolumeSource{Path: path}}})
	c := &p.Spec.Containers[0]
	c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: "host", MountPath: "/host"})
}

func addCapability(p *corev1.Pod, c corev1.Capability) {
	sc := p.Spec.Containers[0].SecurityContext
	sc.AllowPrivilegeEscalation = nil
	sc.Capabilities = &corev1.Capabilities{Add: []corev1.Capability{c}}
}

// attempts makes an attempt of each pod that takes over its node.
func attempts(as func(taking, plain *corev1.Pod) []request) (out []attempt) {
	for _, takeOver := range takeovers() {
		p, bare := pod(), barePod()
		takeOver(p)
		takeOver(bare)
		all := as(p, pod())
		for i, r := range as(bare, barePod()) {
			all[i].bare, all[i].plainBare = r.object, r.plain
		}
		out = append(out, attempt{numbered(all)})
	}
	return out
}

// barePod is a pod as people write them who say nothing of security.
func barePod() *corev1.Pod {
	p := pod()
	p.Spec.SecurityContext = &corev1.PodSecurityContext{}
	p.Spec.Containers[0].SecurityContext = &corev1.SecurityContext{}
	return p
}

// numbers tell requests apart in what was answered before.
var numbers int

func numbered(all []request) []request {
	for i := range all {
		numbers++
		all[i].id = numbers
	}
	return all
}

// podRequest creates the pod, in the name of a controller or, where that is empty, the attacker's own.
func podRequest(controller string) func(taking, plain *corev1.Pod) []request {
	return func(taking, plain *corev1.Pod) []request {
		return []request{{kind: corev1.SchemeGroupVersion.WithKind("Pod"), resource: corev1.SchemeGroupVersion.WithResource("pods"),
			object: taking, plain: plain, pod: taking, controller: controller}}
	}
}

// workloadAttempts make a workload of a kind, and the pod that its controller then makes.
func workloadAttempts() (out []attempt) {
	for _, kind := range templates {
		out = append(out, attempts(func(taking, plain *corev1.Pod) []request {
			r := request{kind: kind.version.WithKind(kind.name), resource: kind.version.WithResource(kind.resource),
				object: kind.make(template(taking)), plain: kind.make(template(plain))}
			return slices.Concat([]request{r}, podRequest(kind.controller)(taking, plain))
		})...)
	}
	return out
}

func template(p *corev1.Pod) corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: p.Labels, Annotations: p.Annotations}, Spec: p.Spec}
}

// templates are the kinds of workloads, with one around a template.
var templates = []struct {
	version        schema.GroupVersion
	name, resource string
	controller     string // that makes the pods
	make           func(corev1.PodTemplateSpec) runtime.Object
}{
	{appsv1.SchemeGroupVersion, "Deployment", "deployments", "replicaset-controller", func(t corev1.PodTemplateSpec) runtime.Object {
		return &appsv1.Deployment{TypeMeta: typed("apps/v1", "Deployment"), ObjectMeta: named(t), Spec: appsv1.DeploymentSpec{
			Replicas: ptr(int32(1)), Selector: selector(t), Template: t}}
	}},
	{appsv1.SchemeGroupVersion, "DaemonSet", "daemonsets", "daemon-set-controller", func(t corev1.PodTemplateSpec) runtime.Object {
		return &appsv1.DaemonSet{TypeMeta: typed("apps/v1", "DaemonSet"), ObjectMeta: named(t),
			Spec: appsv1.DaemonSetSpec{Selector: selector(t), Template: t}}
	}},
	{appsv1.SchemeGroupVersion, "StatefulSet", "statefulsets", "statefulset-controller", func(t corev1.PodTemplateSpec) runtime.Object {
		return &appsv1.StatefulSet{TypeMeta: typed("apps/v1", "StatefulSet"), ObjectMeta: named(t), Spec: appsv1.StatefulSetSpec{
			Replicas: ptr(int32(1)), Selector: selector(t), Template: t}}
	}},
	{batchv1.SchemeGroupVersion, "Job", "jobs", "job-controller", func(t corev1.PodTemplateSpec) runtime.Object {
		return &batchv1.Job{TypeMeta: typed("batch/v1", "Job"), ObjectMeta: named(t), Spec: batchv1.JobSpec{Template: t}}
	}},
	{batchv1.SchemeGroupVersion, "CronJob", "cronjobs", "job-controller", func(t corev1.PodTemplateSpec) runtime.Object {
		return &batchv1.CronJob{TypeMeta: typed("batch/v1", "CronJob"), ObjectMeta: named(t), Spec: batchv1.CronJobSpec{
			Schedule: "* * * * *", JobTemplate: batchv1.JobTemplateSpec{Spec: batchv1.JobSpec{Template: t}}}}
	}},
}

func typed(version, kind string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: version, Kind: kind}
}

func named(t corev1.PodTemplateSpec) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: "probe", Labels: t.Labels}
}

func selector(t corev1.PodTemplateSpec) *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: map[string]string{"app": t.Labels["app"]}}
}

// debuggingAttempts add a container to a running pod: such a container mounts only what its pod has.
func debuggingAttempts() (out []attempt) {
	for _, sc := range []*corev1.SecurityContext{
		{Privileged: ptr(true)},
		{Privileged: ptr(true), RunAsNonRoot: ptr(true), RunAsUser: ptr(int64(1000)), ReadOnlyRootFilesystem: ptr(true)},
		{Capabilities: &corev1.Capabilities{Add: []corev1.Capability{"SYS_ADMIN"}}},
		{Capabilities: &corev1.Capabilities{Add: []corev1.Capability{"SYS_MODULE"}}},
	} {
		taking, bare := debugged(sc), barePod()
		bare.Spec.EphemeralContainers = debugged(sc).Spec.EphemeralContainers
		plainBare := bare.DeepCopy()
		plainBare.Spec.EphemeralContainers[0].SecurityContext = &corev1.SecurityContext{}
		out = append(out, attempt{numbered([]request{{kind: corev1.SchemeGroupVersion.WithKind("Pod"),
			resource: corev1.SchemeGroupVersion.WithResource("pods"), subresource: "ephemeralcontainers", update: true,
			object: taking, old: pod(), plain: debugged(restricted()), bare: bare, plainBare: plainBare, pod: taking}})})
	}
	return out
}

func debugged(sc *corev1.SecurityContext) *corev1.Pod {
	p := pod()
	p.Spec.EphemeralContainers = []corev1.EphemeralContainer{{EphemeralContainerCommon: corev1.EphemeralContainerCommon{
		Name: "debugger", Image: p.Spec.Containers[0].Image, ImagePullPolicy: corev1.PullAlways, SecurityContext: sc}}}
	return p
}
