package netpol

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
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
	{"Cilium", "cilium/cilium", ciliumEnforces},
	{"GKE Dataplane V2", "cilium", ciliumEnforces},
	{"Antrea", "antrea-agent", always},
	{"Antrea", "antrea/antrea-agent-ubuntu", always},
	{"Antrea", "antrea/antrea-ubuntu", always},
	{"Weave Net", "weave-npc", always},
	{"OVN-Kubernetes", "ovn-kubernetes", always},
	{"Kube-OVN", "kube-ovn", unless("enable-np", "false")},
	{"kube-router", "kube-router", unless("run-firewall", "false")},
	{"Azure Network Policy Manager", "azure-npm", always},
	{"AWS VPC CNI with its policy agent", "aws-network-policy-agent", when("enable-network-policy", "true")},
	{"kube-network-policies", "kube-network-policies", always},
	{"kindnet", "kindnetd", kindnet},
	{"flannel", "flannel", never},
	{"AWS VPC CNI", "amazon-k8s-cni", never},
	{"Azure CNI", "azure-cni", never},
}

var ciliumEnforces = unless("enable-policy", "never", "policy-audit-mode", "true")

// when an argument has a value, policies are enforced.
func when(argument, value string) func(collect.ContainerShape) State {
	return func(c collect.ContainerShape) State {
		if says(c.Argument(argument), value) {
			return Yes
		}
		return No
	}
}

// unless one of some arguments has its value, policies are enforced.
func unless(arguments ...string) func(collect.ContainerShape) State {
	return func(c collect.ContainerShape) State {
		for pair := range slices.Chunk(arguments, 2) {
			if says(c.Argument(pair[0]), pair[1]) {
				return No
			}
		}
		return Yes
	}
}

// says compares an argument's value: "0" and "F" are false, too.
func says(given, value string) bool {
	if want, err := strconv.ParseBool(value); err == nil {
		is, err := strconv.ParseBool(given)
		return err == nil && is == want
	}
	return strings.EqualFold(given, value)
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
	found, idle := map[State]Enforcement{}, Enforcement{}
	for _, p := range slices.Backward(plugins) {
		off := p.switchedOff(shapes)
		for _, s := range slices.Backward(shapes) {
			e := p.in(s)
			switch {
			case e.State == "":
			case s.idle:
				idle = Enforcement{Unknown, p.name, fmt.Sprintf("%s (%s) runs on no node; whether anything else enforces network policies "+
					"is not known.", p.name, s.who), s.who}
			case off.State != "":
				found[No] = off
			default:
				found[e.State] = e
			}
		}
	}
	for _, s := range []State{Yes, Unknown, No} { // one that enforces is enough
		if e, ok := found[s]; ok {
			return e
		}
	}
	if idle.State != "" {
		return idle
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

// runs says whether an agent of a plugin was seen, one that enforces; names may go
// on, as that of GKE Dataplane V2, which is Cilium's, does not.
func runs(f *collect.Facts, name string) bool {
	shapes := agents(f)
	for _, p := range plugins {
		if p.name != name && (name != "Cilium" || p.name != "GKE Dataplane V2") {
			continue
		}
		for _, s := range shapes {
			if !s.idle && p.in(s).State == Yes {
				return true
			}
		}
	}
	return false
}

// agent is what may be a network plugin's pod.
type agent struct {
	who   string
	shape *collect.PodShape
	// idle ones are of a DaemonSet that no node takes: one way to switch a plugin off.
	idle bool
}

func agents(f *collect.Facts) (out []agent) {
	for k, w := range f.Workloads {
		if k.Kind == "DaemonSet" && w.Shape != nil {
			out = append(out, agent{"DaemonSet " + k.Key.String(), w.Shape, w.UID != "" && w.Replicas == 0})
		}
	}
	first := map[*collect.PodShape]string{}
	for k, p := range f.Pods {
		if p.Shape == nil || !p.Shape.HostNetwork || p.Made && p.Owner.Kind == "DaemonSet" {
			continue // a made one says no more than its DaemonSet
		}
		name := k.String()
		first[p.Shape] = min(cmp.Or(first[p.Shape], name), name)
	}
	for shape, name := range first {
		out = append(out, agent{"Pod " + name, shape, false})
	}
	slices.SortFunc(out, func(a, b agent) int { return strings.Compare(a.who, b.who) })
	return out
}

// switchedOff is what an agent shows that says the plugin does not enforce: others
// of the same plugin, which lack the argument, do not speak against it.
func (p plugin) switchedOff(agents []agent) Enforcement {
	for _, a := range agents {
		if e := p.in(a); e.State == No && !a.idle {
			return e
		}
	}
	return Enforcement{}
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
