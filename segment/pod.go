package segment

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/netpol"
	"github.com/breakwater-sec/breakwater/ref"
)

func (c *cluster) pods() {
	for _, p := range c.facts.Pods {
		if p.Shape != nil {
			c.pod(p)
			if p.Shape.More > 0 {
				c.crowded = append(c.crowded, p.Key)
			}
		}
	}
	if n := len(c.crowded); n > 0 {
		first := slices.MinFunc(c.crowded, func(a, b collect.Key) int { return cmp.Compare(a.String(), b.String()) })
		c.gaps = append(c.gaps, collect.Gap{Cluster: c.name, Source: "graph", What: "containers of pods that have very many",
			Kinds:       []string{"Container", "RUNS", "USES_IMAGE"},
			Why:         fmt.Sprintf("pods with more than %d containers: %d, the first of them %s", collect.MaxContainers, n, first),
			Consequence: "Of each as many are shown: what the others run and may do is not known."})
	}
	if n := len(c.unpulled); n > 0 {
		first := slices.MinFunc(slices.Collect(maps.Keys(c.unpulled)), func(a, b collect.Key) int { return cmp.Compare(a.String(), b.String()) })
		c.gaps = append(c.gaps, collect.Gap{Cluster: c.name, Source: "graph", What: "secrets for images of accounts that have very many",
			Kinds:       []string{"NEEDS"},
			Why:         fmt.Sprintf("accounts with more than %d secrets for images: %d, the first of them %s", maxPulled, n, first),
			Consequence: "Of each as many are shown: that the nodes of their pods get the others is not."})
	}
}

func (c *cluster) pod(p *collect.Pod) {
	o, s := c.ownerOf(p), p.Shape
	tokens, mounted := c.tokensOf(p)
	r := c.object(p.Of("Pod"), c.labelsOf(p.Labels), graph.S("workload", o.KindName()), text("phase", p.Phase),
		text("node", p.Node), graph.S("serviceAccount", account(s)), graph.B("made", p.Made), text("runtimeClass", s.RuntimeClass),
		maybe("runtimeSandboxed", c.sandboxed(s.RuntimeClass)), graph.B("ended", over(p)),
		graph.B("userNamespace", s.HostUsers != nil && !*s.HostUsers),
		graph.B("hostNetwork", s.HostNetwork), graph.B("hostPID", s.HostPID), graph.B("hostIPC", s.HostIPC),
		graph.B("shareProcesses", s.ShareProcessNamespace), graph.B("privileged", slices.ContainsFunc(s.Containers, privileged)),
		maybe("tokenMounted", mounted), maybe("tokenForNode", c.tokenForNode(mounted)))
	if len(p.IPs) > 0 {
		c.b.Set(r, graph.S("ip", p.IPs[0]))
	}
	if p.Labels != nil {
		c.b.Set(r, criticality(p.Labels.Map, nil))
	}
	c.b.Edge("RUNS_AS", r, c.serviceAccount(p.Namespace, account(s)), maybe("token", mounted))
	if p.Node != "" {
		c.b.Edge("RUNS_ON", r, c.nodeRef(p.Node))
	}
	if drawable[o.Kind] {
		c.b.Edge("OWNS", c.ownerNode(o), r)
	}
	if direct := o.Beside(p.Owner.Kind, p.Owner.Name); drawable[direct.Kind] && direct != o {
		c.b.Edge("OWNS", c.ownerNode(direct), r)
	}
	volumes := c.volumesOf(o, s)
	placed := placedPod{r, make([]graph.Ref, len(s.Containers))}
	for i := range s.Containers {
		placed.containers[i] = c.container(p, o, r, i, volumes, tokens[i])
	}
	c.placed[p] = placed
	node := func(container string) graph.Ref { return c.b.Ref("Container", containerID(p, container)) }
	c.sharedVolumes(p, node)
	c.sharedProcesses(p, node)
	c.needs(p, r)
}

// placedPod is where a pod and its containers stand in the graph: its id is looked up once.
type placedPod struct {
	pod        graph.Ref
	containers []graph.Ref
}

// podAt and containerAt are the nodes of a pod that is drawn, or will be.
func (c *cluster) podAt(p *collect.Pod) graph.Ref {
	if at, drawn := c.placed[p]; drawn {
		return at.pod
	}
	return c.at(p.Of("Pod"))
}

func (c *cluster) containerAt(p *collect.Pod, i int) graph.Ref {
	if at, drawn := c.placed[p]; drawn {
		return at.containers[i]
	}
	return c.b.Ref("Container", containerID(p, p.Shape.Containers[i].Name))
}

// over says that nothing of a pod runs and nothing will again.
func over(p *collect.Pod) bool { return p.Phase == "Succeeded" || p.Phase == "Failed" }

func containerID(p *collect.Pod, name string) string {
	return p.Of("Pod").ID() + "/" + name
}

func privileged(s collect.ContainerShape) bool { return s.Privileged }

// account is the service account in effect.
func account(s *collect.PodShape) string { return cmp.Or(s.ServiceAccount, "default") }

// sandboxed says whether a runtime class gives pods a kernel of their own: by its
// handler, else by its name, for which the projects themselves proposed theirs. What
// another stands for is not known.
func (c *cluster) sandboxed(class string) *bool {
	yes, no := true, false
	if class == "" {
		return &no
	}
	handler := class
	if rc, read := c.facts.RuntimeClasses[collect.Key{Name: class}]; read && rc.Handler != "" {
		handler = rc.Handler
	}
	named := func(prefix string) bool { return strings.HasPrefix(handler, prefix) }
	switch {
	case slices.ContainsFunc(sandboxes, named):
		return &yes
	case slices.ContainsFunc(plainRuntimes, named):
		return &no
	}
	return nil
}

// sandboxes and plainRuntimes are how handlers' names begin.
var (
	sandboxes     = []string{"gvisor", "runsc", "kata", "runhcs-wcow-hypervisor", "firecracker"}
	plainRuntimes = []string{"runc", "crun", "youki", "nvidia", "runhcs-wcow-process", "docker"}
)

func (c *cluster) container(p *collect.Pod, o ref.Ref, pod graph.Ref, i int, volumes map[string]graph.Ref, token *bool) graph.Ref {
	s := &p.Shape.Containers[i]
	r := c.b.Node("Container", containerID(p, s.Name), told([]graph.Prop{
		graph.S("name", s.Name), graph.S("namespace", p.Namespace), graph.S("cluster", c.name), graph.S("pod", p.Name),
		graph.S("workload", o.KindName()), graph.S("type", string(cmp.Or(s.Type, collect.Regular))), text("image", s.Image),
		graph.B("ended", i < len(p.Ended) && p.Ended[i] || over(p)),
		graph.B("privileged", s.Privileged), list("capabilities", s.AddCaps), graph.L("effectiveCapabilities", c.capabilitiesOf(s)),
		graph.B("readOnlyRoot", s.ReadOnlyRoot), graph.B("stdin", s.Stdin),
		graph.B("allowEscalation", s.AllowEscalation == nil || *s.AllowEscalation), maybe("runsAsRoot", runsAsRoot(p.Shape, s)),
		graph.B("hostProcess", s.HostProcess), graph.B("unmaskedProc", s.ProcMount == "Unmasked"),
		text("seccomp", cmp.Or(s.Seccomp, p.Shape.Security.Seccomp)), text("appArmor", cmp.Or(s.AppArmor, p.Shape.Security.AppArmor)),
		maybe("kernelGuarded", kernelGuarded(p.Shape, s)), maybe("tokenMounted", token), list("tokenAudiences", audiences(p, s)),
		list("ports", declaredPorts(s, false)), list("hostPorts", declaredPorts(s, true))})...)
	c.b.Edge("RUNS", pod, r)
	id := c.images.add(p, i)
	if id != "" {
		c.b.Edge("USES_IMAGE", r, c.b.Ref("Image", id))
	}
	c.mounts(p, s, r, volumes)
	if c.exposeContainer(p, s, r) && id != "" {
		c.images.exposed[id] = true
	}
	return r
}

// kernelGuarded is false where a container may ask all of its node's kernel. Which of its
// vulnerabilities a profile or a user namespace takes out of reach is not known.
func kernelGuarded(p *collect.PodShape, s *collect.ContainerShape) *bool {
	no := false
	if users := p.HostUsers == nil || *p.HostUsers; users && (s.Privileged || cmp.Or(s.Seccomp, p.Security.Seccomp) == "Unconfined") {
		return &no
	}
	return nil
}

func declaredPorts(s *collect.ContainerShape, host bool) (out []string) {
	for _, p := range s.Ports {
		number := p.Port
		if host {
			number = p.HostPort
		}
		if number != 0 {
			out = append(out, fmt.Sprintf("%d/%s", number, cmp.Or(p.Protocol, "TCP")))
		}
	}
	return out
}

// exposeContainer says whether what arrives at the pod can arrive at this
// container: it declares one of the exposed ports, or no container of the pod
// declares that port, so that any of them may be listening.
func (c *cluster) exposeContainer(p *collect.Pod, s *collect.ContainerShape, r graph.Ref) (reached bool) {
	e, exposed := c.exposed(p.Of("Pod"))
	switch {
	case s.Type == collect.Init || s.Type == collect.Ephemeral:
		return false // it does not serve: whether it listens for a moment is not known
	case !exposed:
		c.b.Set(r, c.notExposed())
		return false
	}
	var ports []string
	own, any := portsOf(map[netpol.Port]bool{}, s), c.declaredBy(p.Shape)
	for _, port := range e.Ports {
		if port.Protocol = cmp.Or(port.Protocol, "TCP"); own[port] || !any[port] {
			ports = append(ports, port.String())
		}
	}
	reached = len(ports) > 0 || len(e.Ports) == 0
	c.b.Set(r, graph.B("exposed", reached), list("exposedPorts", ports))
	return reached
}

// declaredBy are the ports that containers of a pod declare which may be listening, looked up once for all pods of a shape.
func (c *cluster) declaredBy(s *collect.PodShape) map[netpol.Port]bool {
	all, known := c.declared[s]
	if !known {
		all = map[netpol.Port]bool{}
		for i := range s.Containers {
			if s.Containers[i].Type != collect.Init {
				portsOf(all, &s.Containers[i])
			}
		}
		c.declared[s] = all
	}
	return all
}

// portsOf adds the ports that a container declares.
func portsOf(all map[netpol.Port]bool, s *collect.ContainerShape) map[netpol.Port]bool {
	for _, p := range s.Ports {
		if p.Port != 0 {
			all[netpol.Port{Protocol: cmp.Or(p.Protocol, "TCP"), Number: p.Port}] = true
		}
	}
	return all
}
