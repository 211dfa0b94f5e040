package exposure

import (
	"slices"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/test/manifests"
)

func TestKubeletsThatAnswerAnybody(t *testing.T) {
	const (
		public  = "{type: ExternalIP, address: 203.0.113.9}"
		private = "{type: InternalIP, address: 10.0.0.9}"
		unknown = "gap"
	)
	node := func(address string) string {
		return "---\napiVersion: v1\nkind: Node\nmetadata: {name: n1}\nstatus: {addresses: [" + address + "]}\n"
	}
	pod := func(args string) string {
		return "---\napiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop}\n" +
			"spec: {nodeName: n1, containers: [{name: app, image: x, command: [" + args + "]}]}\n"
	}
	config := func(says string) string {
		return "---\napiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n" + says + "\n"
	}
	inMap := func(name, says string) string {
		return "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + ", namespace: kube-system}\ndata:\n  kubelet: |\n    " +
			strings.ReplaceAll(says, "\n", "\n    ") + "\n"
	}
	const (
		header     = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"
		opened     = "authentication: {anonymous: {enabled: true}}\nauthorization: {mode: AlwaysAllow}"
		anonymous  = "authentication: {anonymous: {enabled: true}}\nauthorization: {mode: Webhook}"
		nobodyAsks = "authentication: {anonymous: {enabled: false}}\nauthorization: {mode: AlwaysAllow}"
	)
	for _, c := range []struct {
		name, manifests string
		want            []string
	}{
		{"nothing says how they are configured", node(public) + pod(""), []string{unknown}},
		{"no node has an address of the internet", node(private) + pod(""), nil},
		{"no node was seen", pod(""), []string{unknown}},
		{"open, in a file", node(public) + pod("") + config(opened), []string{"Node/n1 10250/TCP", "web by kubelet 10250/TCP"}},
		{"open, as kubeadm keeps it", node(public) + pod("") + inMap("kubelet-config", header+opened),
			[]string{"Node/n1 10250/TCP", "web by kubelet 10250/TCP"}},
		{"open, as kubeadm kept it before 1.24", node(public) + pod("") + inMap("kubelet-config-1.23", header+opened),
			[]string{"Node/n1 10250/TCP", "web by kubelet 10250/TCP"}},
		{"on a port of its own", node(public) + pod("") + config(opened+"\nport: 4194"), []string{"Node/n1 4194/TCP", "web by kubelet 4194/TCP"}},
		{"open, but reached from inside only", node(private) + pod("") + config(opened), nil},
		{"open, where no node was seen", pod("") + config(opened), []string{"Node/n1 10250/TCP ?", "web by kubelet 10250/TCP ?"}},
		{"anybody may call, and the API server is asked what they may", node(public) + pod("") + config(anonymous), nil},
		{"all is allowed to those who have a certificate", node(public) + pod("") + config(nobodyAsks), nil},
		{"the defaults of the file", node(public) + pod("") + config(""), nil},
		{"what it shows to readers", node(public) + pod("") + config("readOnlyPort: 10255"), []string{"Node/n1 10255/TCP"}},
		{"two configurations, one of them open", node(public) + pod("") + config("") + config(opened),
			[]string{"Node/n1 10250/TCP ?", "web by kubelet 10250/TCP ?"}},
		{"another ConfigMap", node(public) + pod("") + inMap("settings", header+opened), []string{unknown}},
		{"a kubelet in a container, with the defaults of flags", node(public) + pod("/usr/bin/kubelet, --read-only-port=0"),
			[]string{"Node/n1 10250/TCP", "web by kubelet 10250/TCP"}},
		{"its read-only port is a default too", node(public) + pod("kubelet, --anonymous-auth=false"), []string{"Node/n1 10255/TCP"}},
		{"it asks who calls", node(public) + pod("hyperkube, kubelet, --anonymous-auth=false, --read-only-port=0"), nil},
		{"it asks what they may", node(public) + pod("kubelet, --authorization-mode=Webhook, --read-only-port=0"), nil},
		{"a file of the node says it", node(public) + pod("kubelet, --config=/var/lib/kubelet/config.yaml"), []string{unknown}},
		{"flags before the file", node(public) +
			pod("kubelet, --config=/x.yaml, --anonymous-auth, --authorization-mode=AlwaysAllow, --port=4194, --read-only-port=0"),
			[]string{"Node/n1 4194/TCP", "web by kubelet 4194/TCP"}},
		{"another program that has such arguments", node(public) + pod("proxy, kubelet, --anonymous-auth"), []string{unknown}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			r := judged(manifests.Facts(t, c.manifests))
			for _, h := range r.Hops() {
				line := h.To.ID()
				if h.Source == FromKubelet {
					line = h.To.Name + " by kubelet"
				}
				if line += " " + portList(h.Ports); h.Uncertain != "" {
					line += " ?"
				}
				got = append(got, line)
			}
			for _, e := range r.Entities {
				if e.Kind == "Pod" {
					t.Errorf("%s counts as exposed: its own ports are not", e)
				}
			}
			for _, g := range r.Gaps {
				if g.What == "kubelets that answer anybody" {
					got = append(got, unknown)
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}
