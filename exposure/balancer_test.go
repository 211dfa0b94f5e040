package exposure

import (
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/collect"
)

// lbc is the AWS Load Balancer Controller, told its default.
func lbc(scheme string) string {
	return "\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: lbc, namespace: kube-system}\n" +
		"spec: {template: {spec: {containers: [{name: c, image: 'public.ecr.aws/eks/aws-load-balancer-controller:v2.13', " +
		"args: [--default-load-balancer-scheme=" + scheme + "]}]}}}\n"
}

// TestWhichLoadBalancersAreOfTheInternet: by mark, class and address; what says
// two things is uncertain.
func TestWhichLoadBalancersAreOfTheInternet(t *testing.T) {
	const open = "shop/Service/web > shop/Pod/web 8080/TCP any"
	class := func(name string) string { return ", loadBalancerClass: " + name }
	at := func(class, meta, points string) string {
		return strings.Replace(unapplied(class, meta), "namespace: shop", "namespace: shop, uid: u", 1) +
			"status: {loadBalancer: {ingress: [" + points + "]}}\n"
	}
	facing, inside := lbc("internet-facing"), lbc("internal")
	const gke = "networking.gke.io/load-balancer-type: Internal"
	const scheme = "service.beta.kubernetes.io/aws-load-balancer-scheme: internet-facing"
	tests := []test{
		{"Huawei's, made for the internet", estate + unapplied("", `kubernetes.io/elb.autocreate: '{"type":"public","name":"x"}'`),
			[]string{open + " ?"}, nil},
		{"Huawei's, made inside", estate + unapplied("", `kubernetes.io/elb.autocreate: '{"name":"x","type":"inner"}'`), nil, nil},
		{"Huawei's, not to be read", estate + unapplied("", `kubernetes.io/elb.autocreate: '[{"type":"inner"}]'`), []string{open + " ?"}, nil},
		{"a tailnet, by class and addresses", estate + at(class("tailscale"), "", "{ip: 100.101.102.103}, {hostname: ts.tail1234.ts.net}"),
			nil, nil},
		{"a tailnet, where AWS's controller makes all face the internet", estate + lbc("internet-facing") + unapplied(class("tailscale"), ""),
			nil, nil},
		{"a tailnet's name, without the class", estate + at("", "", "{hostname: ts.tail1234.ts.net}"), nil, nil},
		{"a private address that a manifest asks for", estate + unapplied(", loadBalancerIP: 10.3.3.3", ""), nil, nil},
		{"private addresses that MetalLB is asked for", estate + unapplied("", "metallb.io/loadBalancerIPs: '10.2.2.2, fd00::2'"), nil, nil},
		{"a private address and one of the internet", estate + unapplied("", "lbipam.cilium.io/ips: '10.2.2.2,203.0.113.9'"),
			[]string{open + " ?"}, nil},
		{"any address", estate + unapplied("", "kube-vip.io/loadbalancerIPs: 0.0.0.0"), []string{open + " ?"}, nil},
		{"a private address was asked for, and another given", estate + at(", loadBalancerIP: 10.3.3.3", "", "{ip: 203.0.113.9}"),
			[]string{open}, nil},
		{"a class that nobody knows, in a manifest", estate + unapplied(class("example.org/lb"), ""), []string{open + " ?"}, nil},
		{"AWS's class told to face the internet", estate + unapplied(class("service.k8s.aws/nlb"), scheme), []string{open + " ?"}, nil},
		{"AWS's class where its controller makes all face the internet", estate + facing + unapplied(class("eks.amazonaws.com/nlb"), ""),
			[]string{open + " ?"}, nil},
		{"AWS's class where its controller says what is its default", estate + inside + unapplied(class("service.k8s.aws/nlb"), ""), nil, nil},
		{"AWS's type where its controller makes all face the internet", estate + facing +
			unapplied("", "service.beta.kubernetes.io/aws-load-balancer-type: external"), []string{open + " ?"}, nil},
		{"marked internal, at a private address", estate + at("", gke, "{ip: 10.0.0.9}"), nil, nil},
		{"marked internal, at an address of the internet", estate + at("", gke, "{ip: 203.0.113.9}"), []string{open + " ?"}, nil},
		{"marked internal, under a name, which proves nothing", estate +
			at("", "service.beta.kubernetes.io/aws-load-balancer-scheme: internal", "{hostname: k8s-a-1.elb.amazonaws.com}"), nil, nil},
		{"an internal one of a manifest on public nodes: node ports", estate + public + unapplied("", gke), []string{open}, nil},
		{"without node ports", estate + public + unapplied(", allocateLoadBalancerNodePorts: false", gke), nil, nil},
		{"a number that the manifest gives, nevertheless", estate + public + strings.Replace(unapplied(", allocateLoadBalancerNodePorts: false",
			gke), "port: 80,", "port: 80, nodePort: 30080,", 1), []string{open}, nil},
		{"node ports of an applied one, as it says", estate + public + strings.Replace(at("", gke, "{ip: 10.0.0.9}"), "port: 80,",
			"port: 80, nodePort: 30080,", 1), []string{open}, nil},
		{"an applied one that has none", estate + public + at("", gke, "{ip: 10.0.0.9}"), nil, nil},
		{"an internal one on private nodes", estate + unapplied("", gke), nil, nil},
		{"an internal one on the only node, which is private",
			estate[strings.Index(estate, "apiVersion: v1\nkind: Node\nmetadata: {name: n2}"):] + unapplied("", gke), nil, nil},
		{"two internal ones where no node was seen: one gap", application + unapplied("", gke) + "\n---" +
			strings.Replace(unapplied("", gke), "name: web,", "name: web-2,", 1), nil, nil},
		{"an internal one and an open one where no node was seen", application + unapplied("", gke) + "\n---" +
			strings.Replace(unapplied("", ""), "name: web,", "name: web-2,", 1),
			[]string{"shop/Service/web-2 > shop/Pod/web 8080/TCP any ?"}, nil},
		{"an internal one where no node was seen: a gap", application + unapplied("", gke), nil, nil},
	}
	for _, c := range collect.BalancerClasses {
		if c.Source == "" {
			t.Errorf("class %s: want its source", c.Name)
		}
		tests = append(tests, test{"internal by class " + c.Name, estate + unapplied(class(c.Name), ""), nil, nil})
	}
	run(t, tests)
}
