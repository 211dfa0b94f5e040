package kube

import (
	"cmp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/redact"
)

func stripPod(s *stripper, o *corev1.Pod) (any, bool) {
	p := &collect.Pod{
		Key: keyOf(o), UID: string(o.UID), Node: str(o.Spec.NodeName), HostIP: str(o.Status.HostIP),
		Phase: str(string(o.Status.Phase)), Owner: ownerOf(o.OwnerReferences),
	}
	for _, ip := range o.Status.PodIPs {
		p.IPs = append(p.IPs, ip.IP)
	}
	if len(p.IPs) == 0 && o.Status.PodIP != "" {
		p.IPs = []string{o.Status.PodIP}
	}
	p.Labels, _ = s.in.labelSet(shortLabels(o.Labels))
	p.Shape, _ = s.in.shape(shapeOf(&o.Spec, o.Annotations))
	p.Images, _ = s.in.imageList(reported(p.Shape, &o.Status,
		func(c *corev1.ContainerStatus) string { return str(withoutScheme(c.ImageID)) }))
	if ids := reported(p.Shape, &o.Status,
		func(c *corev1.ContainerStatus) string { return withoutScheme(c.ContainerID) }); strings.Join(ids, "") != "" {
		p.ContainerIDs = ids
	}
	p.Ended = ended(p.Shape, o)
	return p, true
}

// ended tells which containers do not run any more and will not again: all of a pod
// that is over, else those that terminated and that nothing starts anew.
func ended(shape *collect.PodShape, o *corev1.Pod) []bool {
	over := o.Status.Phase == corev1.PodSucceeded || o.Status.Phase == corev1.PodFailed
	terminated := map[string]*corev1.ContainerStateTerminated{}
	for _, list := range [][]corev1.ContainerStatus{o.Status.InitContainerStatuses, o.Status.ContainerStatuses,
		o.Status.EphemeralContainerStatuses} {
		for i := range list {
			terminated[list[i].Name] = list[i].State.Terminated
		}
	}
	restarts := restartPolicies(&o.Spec)
	out := make([]bool, len(shape.Containers))
	for i, c := range shape.Containers {
		at := terminated[c.Name]
		out[i] = over || at != nil && !startsAgain(restarts[c.Name], at.ExitCode)
	}
	if !slices.Contains(out, true) {
		return nil
	}
	return out
}

// restartPolicies is what happens to each container when it ends. Init containers
// have done their work when they succeed, ephemeral ones are never started again.
func restartPolicies(spec *corev1.PodSpec) map[string]corev1.ContainerRestartPolicy {
	out := map[string]corev1.ContainerRestartPolicy{}
	of := func(c *corev1.Container, otherwise corev1.RestartPolicy) {
		out[c.Name] = cmp.Or(deref(c.RestartPolicy), corev1.ContainerRestartPolicy(otherwise))
	}
	for i := range spec.InitContainers {
		once := corev1.RestartPolicyOnFailure
		if spec.RestartPolicy == corev1.RestartPolicyNever {
			once = corev1.RestartPolicyNever
		}
		of(&spec.InitContainers[i], once)
	}
	for i := range spec.Containers {
		of(&spec.Containers[i], cmp.Or(spec.RestartPolicy, corev1.RestartPolicyAlways))
	}
	for i := range spec.EphemeralContainers {
		out[spec.EphemeralContainers[i].Name] = corev1.ContainerRestartPolicyNever
	}
	return out
}

func startsAgain(p corev1.ContainerRestartPolicy, exit int32) bool {
	return p == corev1.ContainerRestartPolicyAlways || p == corev1.ContainerRestartPolicyOnFailure && exit != 0
}

func ownerOf(refs []metav1.OwnerReference) collect.OwnerRef {
	for _, r := range refs {
		if deref(r.Controller) {
			return collect.OwnerRef{Kind: str(r.Kind), Name: str(r.Name), UID: str(string(r.UID))}
		}
	}
	return collect.OwnerRef{}
}

// reported aligns what the kubelet says of its containers with the shape's.
func reported(shape *collect.PodShape, st *corev1.PodStatus, what func(*corev1.ContainerStatus) string) []string {
	byName := map[string]string{}
	for _, list := range [][]corev1.ContainerStatus{st.InitContainerStatuses, st.ContainerStatuses, st.EphemeralContainerStatuses} {
		for i := range list {
			byName[list[i].Name] = what(&list[i])
		}
	}
	ids := make([]string, len(shape.Containers))
	for i, c := range shape.Containers {
		ids[i] = byName[c.Name]
	}
	return ids
}

// withoutScheme drops the "docker-pullable://" that older runtimes put before a
// reference, and the "containerd://" before a container's id.
func withoutScheme(id string) string {
	if i := strings.Index(id, "://"); i >= 0 {
		return id[i+3:]
	}
	return id
}

// shapeOf is a pod spec without what security does not ask for. Values of
// environment variables are not kept, nor arguments that look like credentials.
func shapeOf(spec *corev1.PodSpec, annotations map[string]string) *collect.PodShape {
	p := &collect.PodShape{
		ServiceAccount: str(spec.ServiceAccountName), AutomountToken: spec.AutomountServiceAccountToken,
		HostNetwork: spec.HostNetwork, HostPID: spec.HostPID, HostIPC: spec.HostIPC, HostUsers: spec.HostUsers,
		ShareProcessNamespace: deref(spec.ShareProcessNamespace), RuntimeClass: deref(spec.RuntimeClassName),
		Security: podSecurity(spec.SecurityContext), NodeSelector: shortLabels(spec.NodeSelector),
		Placing: collect.Asks(spec),
	}
	if p.ServiceAccount == "" {
		p.ServiceAccount = str(spec.DeprecatedServiceAccount)
	}
	if p.ServiceAccount == "" {
		p.ServiceAccount = "default"
	}
	for i := range spec.InitContainers {
		c := &spec.InitContainers[i]
		typ := collect.Init
		if deref(c.RestartPolicy) == corev1.ContainerRestartPolicyAlways {
			typ = collect.Sidecar
		}
		p.Containers = append(p.Containers, containerShape(c, typ, annotations))
	}
	for i := range spec.Containers {
		p.Containers = append(p.Containers, containerShape(&spec.Containers[i], "", annotations))
	}
	for i := range spec.EphemeralContainers {
		c := corev1.Container(spec.EphemeralContainers[i].EphemeralContainerCommon)
		p.Containers = append(p.Containers, containerShape(&c, collect.Ephemeral, annotations))
	}
	if w := podWindows(spec); w != nil && deref(w.HostProcess) {
		for i := range p.Containers {
			p.Containers[i].HostProcess = true // the pod's word cannot be taken back by a container
		}
	}
	for i := range spec.Volumes {
		p.Volumes = append(p.Volumes, volumeOf(&spec.Volumes[i]))
	}
	for _, s := range spec.ImagePullSecrets {
		p.ImagePullSecrets = append(p.ImagePullSecrets, str(s.Name))
	}
	if more := len(p.Containers) - collect.MaxContainers; more > 0 {
		strongestFirst(p)
		p.Containers, p.More = slices.Clip(p.Containers[:collect.MaxContainers]), more
	}
	return p
}

// strongestFirst orders the containers of a pod by what of its node they ask for: what is not kept of too many asks for
// no more than what is.
func strongestFirst(p *collect.PodShape) {
	asks := func(c collect.ContainerShape) (n int) {
		if c.Privileged || c.HostProcess {
			n += 100
		}
		n += 10 * (len(c.AddCaps) + len(c.Devices))
		for _, m := range c.Mounts {
			if slices.ContainsFunc(p.Volumes, func(v collect.Volume) bool { return v.Name == m.Volume && v.Type == "hostPath" }) {
				n += 10
			}
		}
		return n + len(c.Mounts)
	}
	slices.SortStableFunc(p.Containers, func(a, b collect.ContainerShape) int { return cmp.Compare(asks(b), asks(a)) })
}

func podWindows(spec *corev1.PodSpec) *corev1.WindowsSecurityContextOptions {
	if spec.SecurityContext == nil {
		return nil
	}
	return spec.SecurityContext.WindowsOptions
}

func podSecurity(sc *corev1.PodSecurityContext) collect.PodSecurity {
	if sc == nil {
		return collect.PodSecurity{}
	}
	p := collect.PodSecurity{RunAsUser: sc.RunAsUser, RunAsGroup: sc.RunAsGroup, RunAsNonRoot: sc.RunAsNonRoot,
		Seccomp: seccomp(sc.SeccompProfile), AppArmor: appArmor(sc.AppArmorProfile)}
	for _, s := range sc.Sysctls {
		if p.Sysctls == nil {
			p.Sysctls = map[string]string{}
		}
		p.Sysctls[s.Name] = s.Value
	}
	return p
}

func seccomp(p *corev1.SeccompProfile) string {
	if p == nil {
		return ""
	}
	if p.Type == corev1.SeccompProfileTypeLocalhost {
		return "Localhost:" + deref(p.LocalhostProfile)
	}
	return string(p.Type)
}

func appArmor(p *corev1.AppArmorProfile) string {
	if p == nil {
		return ""
	}
	if p.Type == corev1.AppArmorProfileTypeLocalhost {
		return "Localhost:" + deref(p.LocalhostProfile)
	}
	return string(p.Type)
}

// appArmorAnnotation reads what pods said before the field existed (1.30).
func appArmorAnnotation(annotations map[string]string, container string) string {
	switch v := annotations["container.apparmor.security.beta.kubernetes.io/"+container]; {
	case v == "runtime/default":
		return "RuntimeDefault"
	case v == "unconfined":
		return "Unconfined"
	case strings.HasPrefix(v, "localhost/"):
		return "Localhost:" + strings.TrimPrefix(v, "localhost/")
	}
	return ""
}

// skippedByCloud says whether a pod's annotations keep the webhooks of clouds from
// giving a container a token.
func skippedByCloud(annotations map[string]string, container string) bool {
	named := func(list, between string) bool {
		return slices.ContainsFunc(strings.Split(list, between), func(s string) bool { return strings.TrimSpace(s) == container })
	}
	return named(annotations["eks.amazonaws.com/skip-containers"], ",") || named(annotations["azure.workload.identity/skip-containers"], ";")
}

func containerShape(c *corev1.Container, typ collect.ContainerType, annotations map[string]string) collect.ContainerShape {
	out := collect.ContainerShape{Name: str(c.Name), Type: typ, Image: str(redact.Known(c.Image)), Stdin: c.Stdin}
	out.Command, out.Args = commandLine(c)
	for _, p := range c.Ports {
		out.Ports = append(out.Ports, collect.ContainerPort{Name: str(p.Name), Port: p.ContainerPort, HostPort: p.HostPort,
			HostIP: p.HostIP, Protocol: tcpIsEmpty(p.Protocol)})
	}
	containerSecurity(&out, c.SecurityContext)
	if out.AppArmor == "" {
		out.AppArmor = appArmorAnnotation(annotations, c.Name)
	}
	out.NoCloudToken = skippedByCloud(annotations, c.Name)
	for _, m := range c.VolumeMounts {
		mount := collect.Mount{Volume: str(m.Name), Path: m.MountPath, SubPath: m.SubPath + m.SubPathExpr,
			Expanded: strings.Contains(m.SubPathExpr, "$("), ReadOnly: m.ReadOnly}
		if p := deref(m.MountPropagation); p != corev1.MountPropagationNone {
			mount.Propagation = string(p)
		}
		out.Mounts = append(out.Mounts, mount)
	}
	for _, d := range c.VolumeDevices {
		out.Devices = append(out.Devices, str(d.Name))
	}
	containerReferences(&out, c)
	return out
}

func tcpIsEmpty(p corev1.Protocol) string {
	if p == corev1.ProtocolTCP {
		return ""
	}
	return str(string(p))
}

func containerSecurity(out *collect.ContainerShape, sc *corev1.SecurityContext) {
	if sc == nil {
		return
	}
	out.Privileged, out.AllowEscalation = deref(sc.Privileged), sc.AllowPrivilegeEscalation
	out.ReadOnlyRoot = deref(sc.ReadOnlyRootFilesystem)
	out.RunAsUser, out.RunAsNonRoot = sc.RunAsUser, sc.RunAsNonRoot
	if p := deref(sc.ProcMount); p != corev1.DefaultProcMount {
		out.ProcMount = string(p)
	}
	out.Seccomp, out.AppArmor = seccomp(sc.SeccompProfile), appArmor(sc.AppArmorProfile)
	if w := sc.WindowsOptions; w != nil {
		out.HostProcess = deref(w.HostProcess)
	}
	if sc.SELinuxOptions != nil {
		out.SELinuxType = sc.SELinuxOptions.Type
	}
	if sc.Capabilities != nil {
		out.AddCaps, out.DropCaps = caps(sc.Capabilities.Add), caps(sc.Capabilities.Drop)
	}
}

func caps(in []corev1.Capability) []string {
	var out []string
	for _, c := range in {
		out = append(out, str(strings.TrimPrefix(strings.ToUpper(string(c)), "CAP_")))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func containerReferences(out *collect.ContainerShape, c *corev1.Container) {
	for _, e := range c.EnvFrom {
		if e.SecretRef != nil {
			out.EnvSecrets = append(out.EnvSecrets, collect.KeyRef{Name: str(e.SecretRef.Name)})
		}
		if e.ConfigMapRef != nil {
			out.EnvConfigMaps = append(out.EnvConfigMaps, collect.KeyRef{Name: str(e.ConfigMapRef.Name)})
		}
	}
	for _, e := range c.Env {
		if e.ValueFrom == nil {
			continue
		}
		if r := e.ValueFrom.SecretKeyRef; r != nil {
			out.EnvSecrets = append(out.EnvSecrets, collect.KeyRef{Name: str(r.Name), Key: str(r.Key)})
		}
		if r := e.ValueFrom.ConfigMapKeyRef; r != nil {
			out.EnvConfigMaps = append(out.EnvConfigMaps, collect.KeyRef{Name: str(r.Name), Key: str(r.Key)})
		}
	}
}

// maxArgument bounds one word of a command line: inline scripts say nothing that we read.
const maxArgument = 256

// commandLine keeps the words of a container's command and arguments, without what looks like a secret. It is a net, not
// a proof: docs say that arguments are kept. Without a command the image's own program runs, which mostly has its name.
func commandLine(c *corev1.Container) (command, args []string) {
	program := c.Image[strings.LastIndexByte(c.Image, '/')+1:]
	program, _, _ = strings.Cut(program, ":")
	if len(c.Command) > 0 {
		program = c.Command[0]
	}
	words := redact.Command(program, slices.Concat(c.Command, c.Args))
	for i, w := range words {
		if len(w) > maxArgument {
			w = w[:maxArgument] + "…"
		}
		words[i] = strings.ToValidUTF8(w, "…")
	}
	return slices.Clip(words[:len(c.Command)]), words[len(c.Command):]
}
