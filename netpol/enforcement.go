package netpol

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/collect"
)

// State is whether something enforces network policies.
type State string

const (
	Yes     State = "enforced"
	No      State = "none"
	Unknown State = "unknown"
)

// Enforcement is a fact about the cluster: policies that nothing enforces are
// only text.
type Enforcement struct {
	State State
	// Plugin is the network plugin recognised, "" if none.
	Plugin string
	// Why says in a sentence how we know, or why we do not.
	Why string
	// Witness is the workload or pod that showed it, as "kind namespace/name".
	Witness string
}

// plugin recognises a network plugin by the image of a container that runs on
// every node. Enforces says what follows, given that container.
type plugin struct {
	name     string
	image    string // ends the repository: "calico/node" is found in "quay.io/calico/node:v3"
	enforces func(collect.ContainerShape) State
}

func always(collect.ContainerShape) State { return Yes }
func never(collect.ContainerShape) State  { return No }

// plugins that are known, the more telling name first.
var plugins = []plugin{
	{"Calico", "calico/node", always},
	{"Calico", "calico-node", always},
	{"Cilium", "cilium/cilium", always},
	{"GKE Dataplane V2", "cilium", always},
	{"Antrea", "antrea-agent", always},
	{"Antrea", "antrea/antrea-agent-ubuntu", always},
	{"Antrea", "antrea/antrea-ubuntu", always},
	{"Weave Net", "weave-npc", always},
	{"OVN-Kubernetes", "ovn-kubernetes", always},
	{"Kube-OVN", "kube-ovn", always},
	{"kube-router", "kube-router", unlessArg("--run-firewall=false")},
	{"Azure Network Policy Manager", "azure-npm", always},
	{"AWS VPC CNI with its policy agent", "aws-network-policy-agent", ifArg("--enable-network-policy=true")},
	{"kube-network-policies", "kube-network-policies", always},
	{"kindnet", "kindnetd", kindnet},
	{"flannel", "flannel", never},
	{"AWS VPC CNI", "amazon-k8s-cni", never},
	{"Azure CNI", "azure-cni", never},
}

func ifArg(arg string) func(collect.ContainerShape) State {
	return func(c collect.ContainerShape) State {
		if hasArg(c, arg) {
			return Yes
		}
		return No
	}
}

func unlessArg(arg string) func(collect.ContainerShape) State {
	return func(c collect.ContainerShape) State {
		if hasArg(c, arg) {
			return No
		}
		return Yes
	}
}

func hasArg(c collect.ContainerShape, arg string) bool {
	return slices.Contains(c.Args, arg) || slices.Contains(c.Command, arg)
}

var kindnetDate = regexp.MustCompile(`:v?(20\d{6})`)

// kindnet enforces policies since the releases of August 2024, whose image tags
// are dates.
func kindnet(c collect.ContainerShape) State {
	m := kindnetDate.FindStringSubmatch(c.Image)
	switch {
	case m == nil:
		return Unknown
	case m[1] >= "20240813":
		return Yes
	}
	return No
}

// enforcement looks for a known plugin among DaemonSets and, where those are
// not seen, pods.
func enforcement(f *collect.Facts) Enforcement {
	shapes := agents(f)
	found := map[State]Enforcement{}
	for _, p := range slices.Backward(plugins) {
		for _, s := range slices.Backward(shapes) {
			e := p.in(s)
			found[e.State] = e
		}
	}
	for _, s := range []State{Yes, Unknown, No} { // one that enforces is enough
		if e, ok := found[s]; ok {
			return e
		}
	}
	for _, n := range f.Nodes {
		if strings.Contains(n.KubeletVersion, "+k3s") {
			return Enforcement{State: Unknown, Plugin: "k3s",
				Why: "k3s has a policy controller inside its server, which may be switched off: nothing in the cluster shows it."}
		}
	}
	if g, unseen := f.Unseen("daemonsets"); unseen && len(shapes) == 0 {
		return Enforcement{State: Unknown, Why: "The network plugin could not be seen: " + g.Why + "."}
	}
	return Enforcement{State: Unknown, Why: "No known network plugin was seen, so nothing shows whether policies are enforced."}
}

// agent is what may be a network plugin's pod.
type agent struct {
	who   string
	shape *collect.PodShape
}

func agents(f *collect.Facts) (out []agent) {
	for k, w := range f.Workloads {
		if k.Kind == "DaemonSet" && w.Shape != nil {
			out = append(out, agent{"DaemonSet " + k.Key.String(), w.Shape})
		}
	}
	first := map[*collect.PodShape]string{}
	for k, p := range f.Pods {
		if p.Shape == nil || !p.Shape.HostNetwork {
			continue
		}
		name := k.String()
		first[p.Shape] = min(cmp.Or(first[p.Shape], name), name)
	}
	for shape, name := range first {
		out = append(out, agent{"Pod " + name, shape})
	}
	slices.SortFunc(out, func(a, b agent) int { return strings.Compare(a.who, b.who) })
	return out
}

// in recognises the plugin in an agent; it has no State where it is not there.
func (p plugin) in(a agent) Enforcement {
	for _, c := range a.shape.Containers {
		if !c.ImageIs(p.image) {
			continue
		}
		state := p.enforces(c)
		why := map[State]string{
			Yes:     "%s (%s) enforces network policies.",
			No:      "%s (%s) does not enforce network policies, so they protect nothing.",
			Unknown: "%s (%s) enforces network policies in some versions; this one's cannot be told.",
		}[state]
		return Enforcement{state, p.name, fmt.Sprintf(why, p.name, a.who), a.who}
	}
	return Enforcement{}
}
