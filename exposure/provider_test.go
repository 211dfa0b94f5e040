package exposure

import (
	"strings"
	"testing"
)

// on puts the estate's second node on a provider's machine.
func on(providerID string) string {
	return "\n---\napiVersion: v1\nkind: Node\nmetadata: {name: n2}\nspec: {providerID: '" + providerID + "'}\n" +
		"status: {addresses: [{type: InternalIP, address: 192.168.0.2}]}\n"
}

// TestAProvidersAnnotationCountsOnItsOwnClusters: another provider does not read it,
// so its load balancer has an address of the internet.
func TestAProvidersAnnotationCountsOnItsOwnClusters(t *testing.T) {
	const (
		aws, azure = "aws:///eu-west-1a/i-1", "azure:///subscriptions/0/x"
		gce, kind  = "gce://p/z/n2", "kind://docker/kind/n2"
		ofAWS      = "service.beta.kubernetes.io/aws-load-balancer-internal: 'true'"
		ofAzure    = "service.beta.kubernetes.io/azure-load-balancer-internal: 'true'"
		ofGKE      = "networking.gke.io/load-balancer-type: Internal"
		ofHetzner  = "load-balancer.hetzner.cloud/disable-public-network: 'true'"
		external   = "service.beta.kubernetes.io/aws-load-balancer-type: external"
		listed     = "service.beta.kubernetes.io/azure-allowed-ip-ranges: 198.51.100.0/24"
	)
	open := []string{"shop/Service/web > shop/Pod/web 8080/TCP any ?"}
	run(t, []test{
		{"AWS's on AWS", estate + on(aws) + unapplied("", ofAWS), nil, nil},
		{"AWS's on GKE", estate + on(gce) + unapplied("", ofAWS), open, nil},
		{"AWS's on a cluster of one's own", estate + on(kind) + unapplied("", ofAWS), open, nil},
		{"AWS's where nothing tells whose nodes they are", estate + unapplied("", ofAWS), nil, nil},
		{"Azure's on Azure", estate + on(azure) + unapplied("", ofAzure), nil, nil},
		{"Azure's on AWS", estate + on(aws) + unapplied("", ofAzure), open, nil},
		{"GKE's on GKE", estate + on(gce) + unapplied("", ofGKE), nil, nil},
		{"GKE's on Azure", estate + on(azure) + unapplied("", ofGKE), open, nil},
		{"another provider's on its own", estate + on("hcloud://1") + unapplied("", ofHetzner), nil, nil},
		{"another provider's on AWS", estate + on(aws) + unapplied("", ofHetzner), open, nil},
		{"the type that AWS's controller makes internal", estate + on(aws) + unapplied("", external), nil, nil},
		{"the same on GKE", estate + on(gce) + unapplied("", external), open, nil},
		{"Azure's list of clients", estate + on(azure) + unapplied("", listed),
			[]string{"shop/Service/web > shop/Pod/web 8080/TCP ranges 198.51.100.0/24 ?"}, nil},
		{"Azure's list of clients on AWS", estate + on(aws) + unapplied("", listed), open, nil},
	})
}

// TestANodePortThatKeepsTheClientsAddressAnswersOnNodesThatHaveAPod.
func TestANodePortThatKeepsTheClientsAddressAnswersOnNodesThatHaveAPod(t *testing.T) {
	nodePort := func(more string) string {
		return svc("{type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: http, nodePort: 30080, protocol: TCP}]"+more+"}", "}")
	}
	const local = ", externalTrafficPolicy: Local"
	elsewhere := strings.ReplaceAll(public, "name: n2", "name: n3")
	unplaced := strings.Replace(estate, "nodeName: n2, ", "", 1)
	open := []string{"shop/Service/web > shop/Pod/web 8080/TCP any"}
	run(t, []test{
		{"the pod's node has a public address", estate + public + nodePort(local), open, nil},
		{"another node has one, where no pod runs", estate + elsewhere + nodePort(local), nil, nil},
		{"any node passes it on otherwise", estate + elsewhere + nodePort(""), open, nil},
		{"where the pod will run is not known", unplaced + elsewhere + nodePort(local), open, nil},
	})
}
