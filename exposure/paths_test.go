package exposure

import (
	"fmt"
	"strings"
	"testing"
)

// pod is one of namespace shop; spec is what comes beside its containers.
func pod(name, labels, spec, containers string) string {
	return fmt.Sprintf("\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: %s, namespace: shop, labels: {%s}}\nspec: {%s containers: [%s]}\n",
		name, labels, spec, containers)
}

const application = "\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop, labels: {app: web}}\n" +
	"spec: {nodeName: n2, containers: [{name: c, image: web, ports: [{name: http, containerPort: 8080}]}]}\n" +
	"status: {podIPs: [{ip: 10.1.0.1}]}\n"

func TestLoadBalancersInDetail(t *testing.T) {
	open := "shop/Service/web > shop/Pod/web 8080/TCP any"
	listener := func(spec, meta string) string {
		return svc(`{type: LoadBalancer, selector: {app: web}, `+spec+`}`, ", annotations: {"+meta+"}"+withAddress)
	}
	const port = "ports: [{port: 80, targetPort: 8080}]"
	status := func(ingress string) string {
		return svc(fmt.Sprintf(lb, ""), "}\nstatus: {loadBalancer: {ingress: ["+ingress+"]}}")
	}
	run(t, []test{
		{"two ports of two protocols", estate + listener("ports: [{name: a, port: 80, targetPort: 8080}, "+
			"{name: b, port: 53, targetPort: 5353, protocol: UDP}]", ""), []string{"shop/Service/web > shop/Pod/web 5353/UDP,8080/TCP any"}, nil},
		{"a private and two public addresses", estate + status("{ip: 10.0.0.9}, {ip: 203.0.113.9}, {hostname: lb.example.com}"), []string{open},
			nil},
		{"an address that is empty", estate + status("{ip: ''}"), nil, nil},
		{"a public IPv6 address", estate + status("{ip: '2001:4860:4860::8888'}"), []string{open}, nil},
		{"an IPv4 address written as IPv6", estate + status("{ip: '::ffff:10.0.0.9'}"), nil, nil},
		{"a name of the cluster", estate + status("{hostname: lb.cluster.local}"), nil, nil},
		{"a name of the cloud's own network", estate + status("{hostname: lb.corp.internal}"), nil, nil},
		{"localhost, as minikube writes", estate + status("{hostname: localhost}"), nil, nil},
		{"a name below localhost", estate + status("{hostname: a.localhost}"), nil, nil},
		{"a name of the local domain", estate + status("{hostname: a.localdomain}, {hostname: a.lan}"), nil, nil},
		{"a single client", estate + listener(port+", loadBalancerSourceRanges: ['198.51.100.7/32']", ""),
			[]string{"shop/Service/web > shop/Pod/web 8080/TCP ranges 198.51.100.7/32"}, nil},
		{"clients of which one cannot be read limit nothing for certain", estate + listener(port,
			`service.beta.kubernetes.io/load-balancer-source-ranges: "198.51.100.0/24, office"`),
			[]string{open + " ?"}, nil},
		{"clients with spaces, and one without a prefix", estate + listener(port,
			`service.beta.kubernetes.io/load-balancer-source-ranges: " 198.51.100.0/24 , 198.51.101.7"`),
			[]string{"shop/Service/web > shop/Pod/web 8080/TCP ranges 198.51.100.0/24 198.51.101.7/32"}, nil},
		{"the AWS controller by its class", estate + unapplied(", loadBalancerClass: service.k8s.aws/nlb", ""), nil, nil},
		{"another class", estate + listener(port+", loadBalancerClass: example.org/lb",
			"service.beta.kubernetes.io/aws-load-balancer-type: external"), []string{open}, nil},
		{"an old AWS load balancer", estate + listener(port, "service.beta.kubernetes.io/aws-load-balancer-type: nlb"), []string{open}, nil},
		{"node ports of a public node besides", estate + public + listener("ports: [{port: 80, targetPort: 8080, nodePort: 30080}]", ""),
			[]string{open, open}, nil},
		{"no ports but those of the load balancer", estate + public + listener(port, ""), []string{open}, nil},
		{"two external addresses, one private", estate +
			svc(`{externalIPs: [203.0.113.50, 10.0.0.50, 203.0.113.51], selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}`, "}"),
			[]string{open}, nil},
		{"a port by a name that two containers have", estate +
			pod("twice", "app: twice", "nodeName: n1,", "{name: a, image: a, ports: [{name: http, containerPort: 8081}]}, "+
				"{name: b, image: b, ports: [{name: http, containerPort: 8080}, {name: http, containerPort: 53, protocol: UDP}]}") +
			strings.Replace(listener("ports: [{port: 80, targetPort: http}]", ""), "{app: web}", "{app: twice}", 1),
			[]string{"shop/Service/web > shop/Pod/twice 8080/TCP,8081/TCP any"}, nil},
		{"a port by a name that no container has", estate + listener("ports: [{port: 80, targetPort: admin}]", ""), nil, nil},
		{"pods of two kinds behind it", estate + pod("api", "app: web, tier: api", "nodeName: n1,", "{name: c, image: api}") + listener(port, ""),
			[]string{"shop/Service/web > shop/Pod/api 8080/TCP any", open}, nil},
		{"pods of another namespace", estate + strings.Replace(pod("api", "app: web", "", "{name: c, image: api}"), "namespace: shop",
			"namespace: other", 1) +
			listener(port, ""), []string{open}, nil},
		{"pods that failed or ended", estate + strings.Replace(pod("old", "app: web", "", "{name: c, image: api}"), "\nspec:",
			"\nstatus: {phase: Failed}\nspec:", 1) +
			listener(port, ""), []string{open}, nil},
	})
}

func TestNodesInDetail(t *testing.T) {
	const port = `{type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: 8080, nodePort: 30080}, ` +
		`{name: b, port: 53, nodePort: 30053, protocol: UDP}]}`
	node := func(name, addresses string) string {
		return "\n---\napiVersion: v1\nkind: Node\nmetadata: {name: " + name + "}\nstatus: {addresses: [" + addresses + "]}\n"
	}
	const hostPort = "{name: c, image: a, ports: [{containerPort: 9100, hostPort: 9101}]}"
	agent := "shop/Pod/agent 9100/TCP any"
	run(t, []test{
		{"node ports of three public nodes", estate + public + node("n3", "{type: ExternalIP, address: 203.0.113.3}") +
			node("n4", "{type: InternalIP, address: 203.0.113.4}") + svc(port, "}"),
			[]string{"shop/Service/web > shop/Pod/web 53/UDP,8080/TCP any"}, nil},
		{"a public node's address that is no address", estate + node("n3", "{type: ExternalIP, address: host.example}") + svc(port, "}"), nil,
			nil},
		{"a service without node ports", estate + public + svc(`{type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}`,
			"}"),
			[]string{"shop/Service/web > shop/Pod/web 8080/TCP any"}, nil},
		{"a ClusterIP service that once had node ports", estate + public +
			svc(`{type: ClusterIP, selector: {app: web}, ports: [{port: 80, targetPort: 8080, nodePort: 30080}]}`, "}"), nil, nil},
		{"a pod on no node yet, in a cluster with a public node", estate + public + pod("agent", "app: agent", "", hostPort),
			[]string{"Node/n2 > " + agent + " ?"}, nil},
		{"a pod on no node yet, in a private cluster", estate + pod("agent", "app: agent", "", hostPort), nil, nil},
		{"a pod on a node that nobody saw", estate + pod("agent", "app: agent", "nodeName: lost,", hostPort), []string{"Node/lost > " + agent +
			" ?"}, nil},
		{"on the network of a node that nobody saw, and no port declared", estate +
			pod("agent", "app: agent", "nodeName: lost, hostNetwork: true,", "{name: c, image: a}"), []string{"Node/lost > shop/Pod/agent  any ?"},
			nil},
		{"host ports bound to every address, to a public and a private one", estate + public + pod("agent", "app: agent", "nodeName: n2,",
			"{name: c, image: a, ports: [{containerPort: 1, hostPort: 11, hostIP: 0.0.0.0}, {containerPort: 2, hostPort: 12, hostIP: 203.0.113.2}, "+
				"{containerPort: 3, hostPort: 13, hostIP: 192.168.0.2}, {containerPort: 4}, {containerPort: 5, hostPort: 15, protocol: UDP}]}"),
			[]string{"Node/n2 > shop/Pod/agent 1/TCP,2/TCP,5/UDP any"}, nil},
		{"the ports of init containers are not open for long", estate + public + "\n---\napiVersion: v1\nkind: Pod\n" +
			"metadata: {name: agent, namespace: shop}\nspec: {nodeName: n2, initContainers: [" + hostPort +
			"], containers: [{name: d, image: a}]}\n", nil, nil},
		{"two pods of one shape on the host's network of two nodes", estate + public +
			pod("a", "app: agent", "nodeName: n1, hostNetwork: true,", "{name: c, image: a, ports: [{containerPort: 9100}]}") +
			pod("b", "app: agent", "nodeName: n2, hostNetwork: true,", "{name: c, image: a, ports: [{containerPort: 9100}]}"),
			[]string{"Node/n2 > shop/Pod/b 9100/TCP any"}, nil},
	})
}

func TestEndpointsInDetail(t *testing.T) {
	slice := func(name, ports, endpoints string) string {
		return "\n---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: " + name + ", namespace: shop, labels: " +
			"{kubernetes.io/service-name: web}}\naddressType: IPv4\nports: [" + ports + "]\nendpoints: [" + endpoints + "]\n"
	}
	const byName = "{addresses: [10.1.0.1], targetRef: {kind: Pod, name: web, namespace: shop}}"
	bare := svc(`{type: LoadBalancer, ports: [{name: http, port: 80}, {name: dns, port: 53, protocol: UDP}]}`, withAddress)
	selecting := svc(`{type: LoadBalancer, selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}`, withAddress)
	hostNet := strings.Replace(pod("agent", "app: agent", "nodeName: n2, hostNetwork: true,",
		"{name: c, image: a, ports: [{containerPort: 9100}, {containerPort: 53, protocol: UDP}]}"), "\nspec:",
		"\nstatus: {podIPs: [{ip: 192.168.0.2}]}\nspec:", 1)
	run(t, []test{
		{"ports match by name", estate + bare + slice("s",
			"{name: http, port: 8080}, {name: dns, port: 53, protocol: UDP}, {name: other, port: 9}", byName),
			[]string{"shop/Service/web > shop/Pod/web 53/UDP,8080/TCP any"}, nil},
		{"no port of the service", estate + bare + slice("s", "{name: other, port: 9}", byName), nil, nil},
		{"a pod that the selector has already", estate + selecting + slice("s", "{name: http, port: 8080}", byName),
			[]string{"shop/Service/web > shop/Pod/web 8080/TCP any"}, nil},
		{"two slices", estate + bare + pod("api", "app: api", "nodeName: n1,", "{name: c, image: a}") + slice("s2", "{name: http, port: 8080}",
			byName) +
			slice("s1", "{name: http, port: 81}", "{addresses: [10.1.0.2], targetRef: {kind: Pod, name: api, namespace: shop}}"),
			[]string{"shop/Service/web > shop/Pod/api 81/TCP any", "shop/Service/web > shop/Pod/web 8080/TCP any"}, nil},
		{"the address of a node is of the pod that declares the port", estate + hostNet + bare + slice("s",
			"{name: dns, port: 53, protocol: UDP}", "{addresses: [192.168.0.2]}"),
			[]string{"shop/Service/web > shop/Pod/agent 53/UDP any"}, nil},
		{"and of none where no pod declares it", estate + hostNet + bare + slice("s", "{name: http, port: 8080}", "{addresses: [192.168.0.2]}"),
			nil, nil},
		{"a pod that is not there", estate + bare + slice("s", "{name: http, port: 8080}",
			"{addresses: [10.1.0.9], targetRef: {kind: Pod, name: lost, namespace: shop}}"), nil, nil},
		{"one of two pods of the same labels", estate + bare + pod("web-2", "app: web", "nodeName: n2,",
			"{name: c, image: web, ports: [{name: http, containerPort: 8080}]}") +
			slice("s", "{name: http, port: 8080}", byName), []string{"shop/Service/web > shop/Pod/web 8080/TCP any"}, nil},
	})
}
