package cloud_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/cloud"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/netpol"
	"github.com/breakwater-sec/breakwater/test/manifests"
)

func node(name, spec, labels string) string {
	return fmt.Sprintf("\n---\napiVersion: v1\nkind: Node\nmetadata: {name: '%s', labels: {%s}}\nspec: {%s}\n", name, labels, spec)
}

func account(annotations string) string {
	return fmt.Sprintf("\n---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: web, namespace: shop, annotations: {%s}}\n",
		annotations)
}

// seen is a pod that runs, made one that a manifest asks for.
func seen(meta, spec string) string {
	return pod(meta, "nodeName: n1, "+spec) + "status: {phase: Running}\n"
}
func pod(meta, spec string) string {
	return fmt.Sprintf("\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop%s}\n"+
		"spec: {serviceAccountName: web, %s}\n", meta, spec)
}

const plain = "containers: [{name: app, image: a}, {name: log, image: b}]"

// token is a pod of which only the container app mounts a token of an audience.
func token(audience string) string {
	return fmt.Sprintf(`volumes: [{name: t, projected: {sources: [{serviceAccountToken: {path: t, audience: %q}}]}}],
  containers: [{name: app, image: a, volumeMounts: [{name: t, mountPath: /t}]}, {name: log, image: b}]`, audience)
}

const (
	role    = `eks.amazonaws.com/role-arn: "arn:aws:iam::1:role/web"`
	client  = "azure.workload.identity/client-id: 7d2f"
	google  = "iam.gke.io/gcp-service-account: web@p.iam.gserviceaccount.com"
	onAWS   = "providerID: 'aws:///eu-west-1a/i-1'"
	onAzure = "providerID: 'azure:///subscriptions/0/x'"
	onGCE   = "providerID: 'gce://p/z/n1'"
	labeled = ", labels: {azure.workload.identity/use: 'true'}"
)

func judge(t *testing.T, yaml string) (*collect.Facts, *cloud.Judge) {
	t.Helper()
	f := manifests.Facts(t, yaml)
	return f, cloud.New(f, netpol.New(f))
}

func TestAContainerHoldsTheTokensThatItMounts(t *testing.T) {
	n1 := func(spec string) string { return node("n1", spec, "") }
	for name, c := range map[string]struct{ yaml, want string }{
		"the webhook of EKS gave the pod a token": {n1(onAWS) + account(role) + seen("", token("sts.amazonaws.com")),
			"app: aws:arn:aws:iam::1:role/web"},
		"another audience, as the account asks": {n1(onAWS) + account(role+", eks.amazonaws.com/audience: mine") + seen("", token("mine")),
			"app: aws:arn:aws:iam::1:role/web"},
		"a token of another audience":             {n1(onAWS) + account(role) + seen("", token("vault")), ""},
		"the pod was there before the annotation": {n1(onAWS) + account(role) + seen("", plain), ""},
		"a manifest on EKS": {n1(onAWS) + account(role) + pod("", plain),
			"app: aws:arn:aws:iam::1:role/web, log: aws:arn:aws:iam::1:role/web"},
		"a manifest that asks for no token in a container": {n1(onAWS) + account(role) +
			pod(", annotations: {eks.amazonaws.com/skip-containers: log}", plain), "app: aws:arn:aws:iam::1:role/web"},
		"a manifest for who knows which cloud": {account(role) + pod("", plain),
			"app: aws:arn:aws:iam::1:role/web, log: aws:arn:aws:iam::1:role/web"},
		"a manifest for another cloud":          {n1(onAzure) + account(role) + pod("", plain), ""},
		"a manifest for a cluster of one's own": {n1("providerID: 'kind://docker/kind/n1'") + account(role) + pod("", plain), ""},
		"a token that somebody mounted on another cloud": {n1(onGCE) + account(role) + seen("", token("sts.amazonaws.com")),
			"app: aws:arn:aws:iam::1:role/web"},
		"Azure, as the webhook wrote it": {n1(onAzure) + account(client) + seen(labeled, token("api://AzureADTokenExchange")),
			"app: azure:7d2f"},
		"Azure, a pod without the label":      {n1(onAzure) + account(client) + pod("", plain), ""},
		"Azure, a manifest with the label":    {n1(onAzure) + account(client) + pod(labeled, plain), "app: azure:7d2f, log: azure:7d2f"},
		"an account without annotations":      {n1(onAWS) + account("") + seen("", token("sts.amazonaws.com")), ""},
		"GKE's metadata server asks for them": {n1(onGCE) + account(google) + seen("", plain), ""},
	} {
		t.Run(name, func(t *testing.T) {
			f, j := judge(t, c.yaml)
			p := f.Pods[collect.Key{Namespace: "shop", Name: "web"}]
			var got []string
			for i, container := range p.Shape.Containers {
				for _, trust := range j.Carries(p, i) {
					got = append(got, container.Name+": "+trust.Identity.ID())
				}
			}
			if text := strings.Join(got, ", "); text != c.want {
				t.Errorf("got %q, want %q", text, c.want)
			}
		})
	}
}

func TestAnAccountIsJoinedToWhatItsAnnotationsNameWhereThatCloudCanBe(t *testing.T) {
	for name, c := range map[string]struct{ yaml, want string }{
		"EKS":                                  {node("n1", onAWS, "") + account(role), "EKS IAM role for service accounts"},
		"GKE":                                  {node("n1", onGCE, "") + account(google), "GKE Workload Identity"},
		"GKE, by the node's label":             {node("n1", "", "cloud.google.com/gke-nodepool: a") + account(google), "GKE Workload Identity"},
		"a Google account on EKS":              {node("n1", onAWS, "") + account(google), ""},
		"a Google account, no nodes are known": {account(google), "GKE Workload Identity"},
		"two clouds":                           {account(role + ", " + client), "EKS IAM role for service accounts, Azure Workload Identity"},
	} {
		t.Run(name, func(t *testing.T) {
			_, j := judge(t, c.yaml)
			var got []string
			for _, trust := range j.Trusts() {
				if trust.Account != (collect.Key{Namespace: "shop", Name: "web"}) {
					t.Errorf("trust of %s", trust.Account)
				}
				got = append(got, string(trust.How))
			}
			if text := strings.Join(got, ", "); text != c.want {
				t.Errorf("got %q, want %q", text, c.want)
			}
		})
	}
}

func TestANodeHasTheIdentityOfItsMachine(t *testing.T) {
	f, j := judge(t, node("eks", onAWS, "")+node("aks", onAzure, "")+node("gke", onGCE, "")+
		node("kind", "providerID: 'kind://docker/kind/n1'", "")+node("bare", "", "")+
		node("labeled", "", "kubernetes.azure.com/cluster: x")+
		node("fargate", onAWS, "eks.amazonaws.com/compute-type: fargate")+node("aci", onAzure, "type: virtual-kubelet"))
	got := map[string]string{}
	for k, n := range f.Nodes {
		if id, ok := j.Node(n); ok {
			got[k.Name] = id.ID()
		}
	}
	want := map[string]string{"eks": "aws:node eks", "aks": "azure:node aks", "gke": "gcp:node gke", "labeled": "azure:node labeled"}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestGKEsMetadataServerIsKnownByTheNodesLabel(t *testing.T) {
	f, _ := judge(t, node("on", onGCE, "iam.gke.io/gke-metadata-server-enabled: 'true'")+
		node("off", onGCE, "iam.gke.io/gke-metadata-server-enabled: 'false'")+node("silent", onGCE, "")+node("aws", onAWS, ""))
	var got []string
	for k, n := range f.Nodes {
		got = append(got, k.Name+" "+fmt.Sprint(cloud.MetadataServer(n)))
	}
	slices.Sort(got)
	if text := strings.Join(got, ", "); text != "aws false, off false, on true, silent false" {
		t.Error(text)
	}
}

func truth(b *bool) string {
	if b == nil {
		return "unknown"
	}
	return fmt.Sprint(*b)
}

// calico is what shows that policies are enforced.
const calico = `
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: calico-node, namespace: kube-system}
spec: {selector: {matchLabels: {k: c}}, template: {metadata: {labels: {k: c}}, spec:
  {containers: [{name: c, image: 'quay.io/calico/node:v3'}]}}}
`

func egress(to string) string {
	return fmt.Sprintf(`
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: out, namespace: shop}
spec: {podSelector: {}, policyTypes: [Egress], egress: [%s]}
`, to)
}

func TestPoliciesKeepAPodFromTheMetadataServiceWhereTheyAreEnforced(t *testing.T) {
	const notMetadata = "{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [169.254.169.254/32]}}]}"
	const ofGKE = "{to: [{ipBlock: {cidr: 169.254.169.252/32}}], ports: [{port: 988}]}"
	one := seen("", plain)
	for name, c := range map[string]struct{ yaml, service, ofGKE string }{
		"no policy":                    {node("n1", onAWS, "") + one, "true", "true"},
		"all but the metadata service": {node("n1", onAWS, "") + one + calico + egress(notMetadata), "false", "true"},
		"the metadata service too": {node("n1", onAWS, "") + one + calico +
			egress("{to: [{ipBlock: {cidr: 0.0.0.0/0}}]}"), "true", "true"},
		"nowhere":                       {node("n1", onAWS, "") + one + calico + egress(""), "false", "false"},
		"nobody is known to enforce it": {node("n1", onAWS, "") + one + egress(""), "unknown", "unknown"},
		"the node's network": {node("n1", onAWS, "") + seen("", "hostNetwork: true, "+plain) + calico +
			egress(notMetadata), "true", "true"},
		"GKE's own server alone": {node("n1", onGCE, "") + one + calico + egress(ofGKE), "false", "true"},
	} {
		t.Run(name, func(t *testing.T) {
			f, j := judge(t, c.yaml)
			p := f.Pods[collect.Key{Namespace: "shop", Name: "web"}]
			for range 2 { // asked again, the same
				if got := truth(j.ReachesMetadata(p)); got != c.service {
					t.Errorf("the metadata service: got %s, want %s", got, c.service)
				}
				if got := truth(j.ReachesMetadataServer(p)); got != c.ofGKE {
					t.Errorf("GKE's server: got %s, want %s", got, c.ofGKE)
				}
			}
		})
	}
}

func TestAClusterIsOneOfEKSByWhatEKSWritesThere(t *testing.T) {
	for name, c := range map[string]struct{ yaml, want string }{
		"its nodes are labelled":              {node("n1", "", "eks.amazonaws.com/nodegroup: a"), "true"},
		"its kubelets are EKS's":              {node("n1", onAWS, "") + "status: {nodeInfo: {kubeletVersion: v1.33.1-eks-1de2ab1}}", "true"},
		"machines of AWS that anyone may run": {node("n1", onAWS, ""), "unknown"},
		"machines of another cloud":           {node("n1", onGCE, ""), "false"},
		"machines of nobody's":                {node("n1", "", "") + "status: {nodeInfo: {kubeletVersion: v1.33.1}}", "false"},
		"one of AWS beside another":           {node("n1", onGCE, "") + node("n2", onAWS, ""), "unknown"},
		"nobody has seen a node":              {account(role), "unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, j := judge(t, c.yaml); truth(j.EKS()) != c.want {
				t.Errorf("got %s, want %s", truth(j.EKS()), c.want)
			}
		})
	}
	f := manifests.Facts(t, node("n1", "", ""))
	f.Cluster.Version = "v1.33.1-eks-1de2ab1"
	if got := truth(cloud.New(f, netpol.New(f)).EKS()); got != "true" {
		t.Errorf("by its API server's version: %s", got)
	}
}
