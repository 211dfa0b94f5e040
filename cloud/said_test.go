package cloud_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/cloud"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/netpol"
	"github.com/breakwater-sec/breakwater/test/manifests"
)

// told is a cluster called prod with one service account, whose cloud says something.
func told(t *testing.T, yaml string, said collect.Cloud) *cloud.Judge {
	t.Helper()
	f := manifests.Facts(t, yaml)
	f.Cluster.Name, f.Cluster.Server, f.Cloud = "prod", "https://x.eks.amazonaws.com:443", &said
	return cloud.New(f, netpol.New(f))
}

func trusts(j *cloud.Judge) string {
	var out []string
	for _, t := range j.Trusts() {
		out = append(out, fmt.Sprintf("%s is %s by %s", t.Account, t.Identity.ID(), t.How))
	}
	return strings.Join(out, "; ")
}

func TestTheCloudDecidesWhoItTakesAnAccountFor(t *testing.T) {
	const irsa = "shop/web is aws:arn:aws:iam::1:role/web by EKS IAM role for service accounts"
	role := func(subjects ...string) collect.Cloud {
		return collect.Cloud{Roles: []collect.CloudRole{{Provider: "aws", Identity: "arn:aws:iam::1:role/web", Subjects: subjects}}}
	}
	joined := func(cluster string, roles ...collect.CloudRole) collect.Cloud {
		return collect.Cloud{Clusters: []collect.CloudCluster{{Provider: "aws", Name: "prod"}, {Provider: "aws", Name: "dev"}}, Roles: roles,
			Associations: []collect.CloudAssociation{{Provider: "aws", Identity: "arn:r", Cluster: cluster, Namespace: "shop", Account: "web"}}}
	}
	for name, c := range map[string]struct {
		yaml string
		said collect.Cloud
		want string
	}{
		"an annotation, and nothing is known of the role": {account(role1), collect.Cloud{}, irsa},
		"the role's policy names the account":             {account(role1), role("shop:web"), irsa},
		"the role's policy names the whole namespace":     {account(role1), role("shop:*"), irsa},
		"the role's policy names another account":         {account(role1), role("pay:web"), ""},
		"the role's policy lets nobody in":                {account(role1), role(), ""},
		"the policy alone, without an annotation":         {account(""), role("shop:web"), irsa},
		"an association":                    {account(""), joined("prod"), "shop/web is aws:arn:r by EKS Pod Identity"},
		"an association of another cluster": {account(""), joined("dev"), ""},
		"an association whose role takes none": {account(""), joined("prod", collect.CloudRole{Provider: "aws", Identity: "arn:r"}),
			""},
		"an association whose role takes them": {account(""), joined("prod", collect.CloudRole{Provider: "aws", Identity: "arn:r",
			PodIdentity: true}), "shop/web is aws:arn:r by EKS Pod Identity"},
		"Google's policy": {account(""), collect.Cloud{Roles: []collect.CloudRole{{Provider: "gcp", Identity: "w@p",
			Subjects: []string{"shop:web"}}}}, "shop/web is gcp:w@p by GKE Workload Identity"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := trusts(told(t, c.yaml, c.said)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

const role1 = role

func TestWhichOfTheClustersThatFilesDescribeThisOneIs(t *testing.T) {
	entry := func(cluster string) collect.CloudAccess {
		return collect.CloudAccess{Provider: "aws", Identity: "arn:" + cluster, Cluster: cluster}
	}
	for name, c := range map[string]struct {
		said collect.Cloud
		want string
		gap  bool
	}{
		"the one of its name":                 {collect.Cloud{Accesses: []collect.CloudAccess{entry("prod"), entry("dev")}}, "arn:prod", false},
		"the only one":                        {collect.Cloud{Accesses: []collect.CloudAccess{entry("other")}}, "arn:other", false},
		"none of two":                         {collect.Cloud{Accesses: []collect.CloudAccess{entry("a"), entry("b")}}, "", true},
		"what is said of no cluster is of it": {collect.Cloud{Accesses: []collect.CloudAccess{entry("")}}, "arn:", false},
		"the one at its address": {collect.Cloud{Clusters: []collect.CloudCluster{{Name: "prod"}, {Name: "a",
			Endpoint: "https://X.eks.amazonaws.com"}},
			Accesses: []collect.CloudAccess{entry("a"), entry("prod")}}, "arn:a", false},
	} {
		t.Run(name, func(t *testing.T) {
			j := told(t, account(""), c.said)
			var got []string
			for _, a := range j.Accesses() {
				got = append(got, a.Identity.Name)
			}
			if text := strings.Join(got, " "); text != c.want || (len(j.Gaps()) > 0) != c.gap {
				t.Errorf("got %q and gaps %v, want %q", text, j.Gaps(), c.want)
			}
		})
	}
}

func TestANodeHasTheIdentityOfItsPool(t *testing.T) {
	yes := true
	said := collect.Cloud{Clusters: []collect.CloudCluster{{Provider: "aws", Name: "prod"}}, Machines: []collect.CloudMachines{
		{Provider: "aws", Cluster: "prod", Pool: "a", Identity: "arn:a"}, {Provider: "aws", Cluster: "dev", Pool: "b", Identity: "arn:b"},
		{Provider: "azure", Cluster: "prod", Identity: "kubelet"}, {Provider: "aws", Instance: "i-1", MetadataLocal: &yes}}}
	yaml := node("a", onAWS, "eks.amazonaws.com/nodegroup: a") + node("b", "providerID: 'aws:///z/i-2'", "eks.amazonaws.com/nodegroup: b") +
		node("c", onAzure, "kubernetes.azure.com/agentpool: x") + account("")
	f := manifests.Facts(t, yaml)
	j := told(t, yaml, said)
	var got []string
	for _, name := range []string{"a", "b", "c"} {
		n := f.Nodes[collect.Key{Name: name}]
		id, _ := j.Node(n)
		got = append(got, fmt.Sprintf("%s: %s local %s", name, id.Name, truth(j.MetadataLocal(n))))
	}
	want := "a: arn:a local true; b: node b local unknown; c: kubelet local false"
	if text := strings.Join(got, "; "); text != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
}

func TestWhichGrantsMeanTheCluster(t *testing.T) {
	const aks = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/prod"
	cluster := map[string]collect.CloudCluster{"aws": {Provider: "aws", Name: "prod", Account: "1"},
		"azure": {Provider: "azure", Name: "prod", Account: aks}, "gcp": {Provider: "gcp", Name: "prod", Account: "p"}}
	for _, c := range []struct {
		provider, typ, resource string
		want                    bool
	}{
		{"aws", "account", "1", true}, {"aws", "account", "2", false}, {"aws", "account", "", false},
		{"aws", "cluster", "*", true}, {"aws", "cluster", "arn:aws:eks:r:1:cluster/prod", true},
		{"aws", "cluster", "arn:aws:eks:r:1:cluster/*", true}, {"aws", "cluster", "arn:aws:eks:r:1:cluster/dev", false},
		{"azure", "account", "s", true}, {"azure", "account", "t", false}, {"azure", "cluster", aks, true},
		{"azure", "cluster", strings.Replace(aks, "prod", "dev", 1), false}, {"gcp", "cluster", "p", true},
		{"gcp", "account", "q", false}, {"aws", "S3 bucket", "*", false},
	} {
		j := told(t, account(""), collect.Cloud{Clusters: []collect.CloudCluster{cluster[c.provider]},
			Grants: []collect.CloudGrant{{Provider: c.provider, Identity: "x", Gain: collect.Controls, Type: c.typ, Resource: c.resource}}})
		if got := j.Means(j.Grants()[0]); got != c.want {
			t.Errorf("%s %s %s: %v, want %v", c.provider, c.typ, c.resource, got, c.want)
		}
	}
	j := told(t, account(""), collect.Cloud{Clusters: []collect.CloudCluster{cluster["aws"]},
		Grants: []collect.CloudGrant{{Provider: "gcp", Identity: "x", Gain: collect.Controls, Type: "cluster", Resource: "*"}}})
	if j.Means(j.Grants()[0]) {
		t.Error("a grant of another cloud means the cluster")
	}
}

func TestWhichRepositoriesAGrantMeans(t *testing.T) {
	const here = "1.dkr.ecr.eu-west-1.amazonaws.com/shop/web"
	for _, c := range []struct {
		resource, name string
		want           bool
	}{
		{"arn:aws:ecr:eu-west-1:1:repository/shop/web", here, true}, {"arn:aws:ecr:eu-west-1:1:repository/shop/*", here, true},
		{"arn:aws:ecr:eu-west-1:1:repository/pay/*", here, false}, {"arn:aws:ecr:eu-west-1:2:repository/shop/web", here, false},
		{"*", here, true}, {"*", "ghcr.io/shop/web", false},
		{"reg.azurecr.io/*", "reg.azurecr.io/shop/web", true}, {"reg.azurecr.io/*", "other.azurecr.io/shop/web", false},
		{"europe-docker.pkg.dev/p/r/*", "europe-docker.pkg.dev/p/r/web", true},
	} {
		if got := cloud.Covers(c.resource, c.name); got != c.want {
			t.Errorf("%s covers %s: %v, want %v", c.resource, c.name, got, c.want)
		}
	}
}

func TestWhetherATagCanBeMovedIsTheRegistrysToSay(t *testing.T) {
	yes, no := true, false
	j := told(t, account(""), collect.Cloud{Repositories: []collect.CloudRepository{{Name: "h.io/shop/web", MutableTags: &yes},
		{Name: "h.io/shop/api", MutableTags: &no}, {Name: "l-docker.pkg.dev/p/r", MutableTags: &yes}, {Name: "h.io/shop/old"}}})
	for image, want := range map[string]string{"h.io/shop/web:1": "true", "h.io/shop/web": "true", "h.io/shop/web@sha256:00": "false",
		"h.io/shop/api:1": "false", "h.io/shop/old:1": "unknown", "nginx:1": "unknown", "l-docker.pkg.dev/p/r/web:1": "true",
		"h.io/shop/website:1": "unknown"} {
		if got := truth(j.TagMoves(image)); got != want {
			t.Errorf("%s: %s, want %s", image, got, want)
		}
	}
}
