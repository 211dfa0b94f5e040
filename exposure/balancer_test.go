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

// TestWhomALoadBalancerLetsIn: each provider has a way of its own to say so.
func TestWhomALoadBalancerLetsIn(t *testing.T) {
	const open, some = "shop/Service/web > shop/Pod/web 8080/TCP any", "shop/Service/web > shop/Pod/web 8080/TCP ranges "
	const beta = "service.beta.kubernetes.io/"
	linode := func(rules string) string { return beta + "linode-loadbalancer-firewall-acl: '" + rules + "'" }
	vultr := func(rules string) string { return beta + "vultr-loadbalancer-firewall-rules: '" + rules + "'" }
	digital := beta + "do-loadbalancer-allow-rules: 'ip:198.51.100.7,cidr:203.0.113.0/24,cidr:2001:db8::/32'"
	digitals := []string{some + "198.51.100.7/32 203.0.113.0/24 2001:db8::/32"}
	const ranges = ", loadBalancerSourceRanges: [198.51.100.0/24]"
	const oci = "oci.oraclecloud.com/"
	const direct = beta + "aws-load-balancer-type: external, " + beta + "aws-load-balancer-nlb-target-type: ip, " +
		beta + "aws-load-balancer-scheme: internet-facing"
	alb := func(version string) string {
		return "\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: alb, namespace: kube-system, uid: alb}\n" +
			"spec: {nodeName: n1, containers: [{name: c, " +
			"image: 'public.ecr.aws/eks/aws-load-balancer-controller:" + version + "'}]}\nstatus: {phase: Running}\n"
	}
	run(t, []test{
		{"DigitalOcean's rules", estate + balancer("", digital), digitals, nil},
		{"everybody of IPv4 kept out of an address of IPv4", estate + balancer("", beta+"do-loadbalancer-deny-rules: 'cidr:0.0.0.0/0'"),
			nil, nil},
		{"and of a name, which may be of both", estate + strings.Replace(balancer("", beta+"do-loadbalancer-deny-rules: 'cidr:0.0.0.0/0'"),
			"ip: 203.0.113.9", "hostname: lb.example.org", 1), []string{open}, nil},
		{"everybody of IPv6 kept out of an address of IPv4", estate + balancer("", beta+"do-loadbalancer-deny-rules: 'cidr:::/0'"),
			[]string{open}, nil},
		{"clients of IPv6 alone at an address of IPv4", estate + balancer(", loadBalancerSourceRanges: ['2606:4700::/32']", ""), nil, nil},
		{"and at one of IPv6", estate + strings.Replace(balancer(", loadBalancerSourceRanges: ['2606:4700::/32']", ""), "ip: 203.0.113.9",
			"ip: '2606:4700::9'", 1), []string{some + "2606:4700::/32"}, nil},
		{"on its machines", estate + on("digitalocean://1") + balancer("", digital), digitals, nil},
		{"on those of AWS, who does not read them", estate + on("aws:///eu-west-1a/i-1") + balancer("", digital), []string{open}, nil},
		{"the field goes before them", estate + balancer(ranges, digital), []string{some + "198.51.100.0/24"}, nil},
		{"a type that its controller does not have", estate + balancer("", beta+"do-loadbalancer-deny-rules: 'asn:64496'"),
			[]string{open + " ?"}, nil},
		{"rules of AWS on a cluster of one's own", estate + on("kind://docker/kind/n2") + balancer("",
			beta+"aws-load-balancer-security-groups: sg-1"), []string{open}, nil},
		{"Linode's list of those let in", estate + balancer("", linode(`{"allowList":{"ipv4":["198.51.100.0/24"],"ipv6":["2606:4700::/32"]}}`)),
			[]string{some + "198.51.100.0/24 2606:4700::/32"}, nil},
		{"Linode's list of those kept out", estate + balancer("", linode(`{"denyList":{"ipv4":["0.0.0.0/0"],"ipv6":["::/0"]}}`)), nil, nil},
		{"of some kept out", estate + balancer("", linode(`{"denyList":{"ipv4":["198.51.100.0/24"]}}`)), []string{open}, nil},
		{"both, which its controller refuses", estate + balancer("", linode(`{"allowList":{"ipv4":["198.51.100.0/24"]},"denyList":{}}`)),
			[]string{open + " ?"}, nil},
		{"an empty list", estate + balancer("", linode(`{"allowList":{}}`)), []string{open + " ?"}, nil},
		{"no object", estate + balancer("", linode(`["198.51.100.0/24"]`)), []string{open + " ?"}, nil},
		{"Vultr's rules for everybody on one port", estate + balancer("", vultr("198.51.100.0/24,22;0.0.0.0/0,80;::/0,80")), []string{open}, nil},
		{"Vultr's rules for those of a proxy", estate + balancer("", vultr("cloudflare,80")), []string{open + " ?"}, nil},
		{"a provider that heeds no source ranges", estate + on("hcloud://1") + balancer(ranges, ""), []string{open + " ?"}, nil},
		{"nor their annotation", estate + on("linode://1") + balancer("", beta+"load-balancer-source-ranges: 198.51.100.0/24"),
			[]string{open + " ?"}, nil},
		{"one that does", estate + on("digitalocean://1") + balancer(ranges, ""), []string{some + "198.51.100.0/24"}, nil},
		{"OCI's network load balancer, which manages no list unless told to", estate + balancer(ranges, oci+"load-balancer-type: nlb"),
			[]string{open + " ?"}, nil},
		{"and told to", estate + balancer(ranges, oci+"load-balancer-type: nlb, oci-network-load-balancer.oraclecloud.com/"+
			"security-list-management-mode: All"), []string{some + "198.51.100.0/24"}, nil},
		{"OCI's other kind", estate + balancer(ranges, oci+"load-balancer-type: lb"), []string{some + "198.51.100.0/24"}, nil},
		{"AWS's to pods, made by nobody who was seen", estate + balancer(ranges, direct), []string{open + " ?"}, nil},
		{"by a controller of before", estate + alb("v2.5.4") + balancer(ranges, direct), []string{open + " ?"}, nil},
		{"by one that gives it a security group", estate + alb("v2.6.0") + balancer(ranges, direct), []string{some + "198.51.100.0/24"}, nil},
		{"AWS's to nodes", estate + balancer(ranges, beta+"aws-load-balancer-type: nlb"), []string{some + "198.51.100.0/24"}, nil},
		{"Alibaba's list, switched off", estate + balancer("", beta+"alibaba-cloud-loadbalancer-acl-status: 'off'"), []string{open}, nil},
		{"source ranges with a template in them", estate + unapplied(", loadBalancerSourceRanges: ['{{ .Values.office }}']", ""),
			[]string{open + " ?"}, nil},
	})
}
