package netpol

import (
	"slices"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/collect"
)

func TestAnAnswerIsExplainedWithWhatIsNotKnown(t *testing.T) {
	a := Answer{
		From: Internet(), To: Internet(), Port: Port{Protocol: "TCP", Number: 80},
		Witness: Witness{Text: "because"}, Enforced: Enforcement{State: Unknown, Why: "Nobody knows."},
	}
	for _, c := range []struct {
		name      string
		allowed   bool
		uncertain string
		enforced  State
		want      string
		denied    bool
	}{
		{"allowed", true, "", Unknown, "the internet may connect to the internet on 80/TCP: because.", false},
		{"denied and enforced", false, "", Yes, "the internet may not connect to the internet on 80/TCP: because.", true},
		{"denied, and who knows who enforces", false, "", Unknown,
			"the internet may not connect to the internet on 80/TCP: because. Nobody knows.", false},
		{"allowed, perhaps", true, "an address", Yes,
			"the internet may connect to the internet on 80/TCP: because. Uncertain: an address.", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			a.Allowed, a.Uncertain, a.Enforced.State = c.allowed, c.uncertain, c.enforced
			if got := a.Explain(); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
			if a.Denied() != c.denied {
				t.Errorf("denied: %v", a.Denied())
			}
		})
	}
}

func TestPortsAreListedAsRanges(t *testing.T) {
	for _, c := range []struct {
		name  string
		ports Ports
		want  string
	}{
		{"none", Ports{}, ""},
		{"all", AllPorts(), "all"},
		{"one", PortsOf(Port{Protocol: "UDP", Number: 53}), "53/UDP"},
		{"an empty protocol is TCP", PortsOf(Port{Number: 80}), "80/TCP"},
		{"neighbours are one range", PortsOf(Port{Protocol: "TCP", Number: 80}, Port{Protocol: "TCP", Number: 81}), "80-81/TCP"},
		{"two apart are two", PortsOf(Port{Protocol: "TCP", Number: 80}, Port{Protocol: "TCP", Number: 82}), "80/TCP, 82/TCP"},
		{"all but one", AllPorts().Without(PortsOf(Port{Protocol: "TCP", Number: 22})), "1-21/TCP, 23-65535/TCP, 1-65535/UDP, 1-65535/SCTP"},
		{"all but the first", AllPorts().Without(PortsOf(Port{Protocol: "SCTP", Number: 1})), "1-65535/TCP, 1-65535/UDP, 2-65535/SCTP"},
		{"all but the last", AllPorts().Without(PortsOf(Port{Protocol: "UDP", Number: 65535})), "1-65535/TCP, 1-65534/UDP, 1-65535/SCTP"},
		{"no such port", PortsOf(Port{Protocol: "TCP", Number: 0}, Port{Protocol: "TCP", Number: 65536}), ""},
		{"backwards", portRange("TCP", 90, 80), ""},
		{"the whole range", portRange("TCP", 1, 65535), "1-65535/TCP"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.ports.String(); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
			if empty := c.want == ""; c.ports.Empty() != empty {
				t.Errorf("empty: %v", c.ports.Empty())
			}
		})
	}
	sctp := PortsOf(Port{Protocol: "SCTP", Number: 9})
	if sctp.Empty() || sctp.Or(PortsOf(Port{Number: 9})).Empty() {
		t.Error("SCTP is no port")
	}
}

func TestThePluginIsFoundAmongPodsWhereDaemonSetsAreNotSeen(t *testing.T) {
	calico := &collect.PodShape{HostNetwork: true, Containers: []collect.ContainerShape{{Image: "calico/node:v3"}}}
	onNetwork := &collect.PodShape{Containers: calico.Containers}
	with := func(shapes map[string]*collect.PodShape) *collect.Facts {
		f := collect.NewFacts()
		for name, shape := range shapes {
			k := collect.Key{Namespace: "kube-system", Name: name}
			f.Pods[k] = &collect.Pod{Key: k, Shape: shape}
		}
		return f
	}
	some := with(map[string]*collect.PodShape{"b": calico, "a": calico, "c": calico, "d": nil})
	if e := New(some).Enforcement(); e.State != Yes || e.Witness != "Pod kube-system/a" {
		t.Errorf("%+v", e)
	}
	if e := New(with(map[string]*collect.PodShape{"a": onNetwork})).Enforcement(); e.State != Unknown {
		t.Errorf("a pod on the pods' own network counts as a plugin: %+v", e)
	}
	for kind, want := range map[string]State{"DaemonSet": Yes, "Deployment": Unknown} {
		f := collect.NewFacts()
		k := collect.WorkloadKey{Kind: kind, Key: collect.Key{Namespace: "kube-system", Name: "net"}}
		f.Workloads[k] = &collect.Workload{WorkloadKey: k, Shape: calico}
		empty := collect.WorkloadKey{Kind: "DaemonSet", Key: collect.Key{Namespace: "kube-system", Name: "unread"}}
		f.Workloads[empty] = &collect.Workload{WorkloadKey: empty}
		if e := New(f).Enforcement(); e.State != want {
			t.Errorf("a %s: %+v", kind, e)
		}
	}
}

func TestThatThePluginCouldNotBeSeenIsSaid(t *testing.T) {
	f := collect.NewFacts()
	f.Gaps[collect.GapKey{}] = collect.Gap{Source: "api", What: "daemonsets.apps", Why: "forbidden"}
	if e := New(f).Enforcement(); e.Why != "The network plugin could not be seen: forbidden." {
		t.Errorf("%+v", e)
	}
	node := collect.Key{Name: "a"}
	k := collect.Key{Namespace: "kube-system", Name: "dns"}
	f.Pods[k] = &collect.Pod{Key: k, Shape: &collect.PodShape{HostNetwork: true, Containers: []collect.ContainerShape{{Image: "coredns"}}}}
	if e := New(f).Enforcement(); !strings.HasPrefix(e.Why, "No known network plugin was seen") {
		t.Errorf("pods were seen: %+v", e)
	}
	f.Nodes[node] = &collect.Node{Name: "a", KubeletVersion: "v1.30.0+k3s1"}
	if e := New(f).Enforcement(); e.State != Unknown || e.Plugin != "k3s" {
		t.Errorf("%+v", e)
	}
	f.Nodes[node].KubeletVersion = "v1.30.0"
	if e := New(f).Enforcement(); e.Plugin != "" {
		t.Errorf("%+v", e)
	}
}

func TestAPluginsArgumentsMayStandInItsCommand(t *testing.T) {
	for _, c := range []collect.ContainerShape{
		{Args: []string{"x", "--run-firewall=false"}},
		{Command: []string{"kube-router", "--run-firewall=false"}},
	} {
		if unless("run-firewall", "false")(c) != No || when("run-firewall", "false")(c) != Yes {
			t.Errorf("%v", c)
		}
	}
	first := collect.ContainerShape{Image: "kindnetd:v20240813-1"}
	if kindnet(first) != Yes || kindnet(collect.ContainerShape{Image: "kindnetd:v20240812-1"}) != No {
		t.Error("the first release that enforces")
	}
	if !slices.ContainsFunc(plugins, func(p plugin) bool { return p.name == "kindnet" }) {
		t.Error("kindnet is not known")
	}
}
