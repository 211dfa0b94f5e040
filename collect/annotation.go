package collect

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Annotation is one that Breakwater reads. Objects are kept without any other:
// last-applied-configuration, for one, repeats the values of a whole object.
type Annotation struct {
	Key  string
	Says Meaning
	// Value is the one that says so; empty stands for any but "" and "false". A
	// JSON object says so that has at least the members of this one.
	Value string
	// Source is where the meaning is written.
	Source string
}

// Meaning is what an annotation says.
type Meaning string

const (
	// Internal load balancers have no address of the internet.
	Internal Meaning = "the load balancer is internal"
	// SourceRanges are the clients that a Service's load balancer lets in.
	SourceRanges Meaning = "clients of a load balancer"
	// DenyRanges are the clients that it keeps out, of those that it else lets in.
	DenyRanges Meaning = "clients kept out by a load balancer"
	// Elsewhere names rules about the clients of a load balancer that are not read: a
	// cloud's own object, mostly. They count besides or before those that are.
	Elsewhere Meaning = "clients of a load balancer are listed elsewhere"
	// Address is which addresses a load balancer is to have.
	Address Meaning = "addresses of a load balancer"
	// AllowList is the clients that an Ingress lets in: of two names of one list, the newer
	// goes before, and counts where both are there.
	AllowList Meaning = "clients of an ingress"
	// DenyList is the clients that an Ingress keeps out, of those that it else lets in.
	DenyList Meaning = "clients kept out by an ingress"
	// Balancer is how a cloud makes a load balancer.
	Balancer Meaning = "kind of load balancer"
	// CloudIdentity says as which identity of a cloud a service account acts.
	CloudIdentity Meaning = "cloud identity of a service account"
	// Class says who serves an Ingress.
	Class Meaning = "class of an ingress"
)

// Annotations that are asked for by name.
const (
	IngressClass       = "kubernetes.io/ingress.class"
	DefaultClass       = "ingressclass.kubernetes.io/is-default-class"
	AWSBalancerType    = "service.beta.kubernetes.io/aws-load-balancer-type"
	AWSBalancerScheme  = "service.beta.kubernetes.io/aws-load-balancer-scheme"
	AWSBalancerTargets = "service.beta.kubernetes.io/aws-load-balancer-nlb-target-type"
	ALBScheme          = "alb.ingress.kubernetes.io/scheme"
	AGICPrivate        = "appgw.ingress.kubernetes.io/use-private-ip"
	TailscaleFunnel    = "tailscale.com/funnel"
	SourceRangesKey    = "service.beta.kubernetes.io/load-balancer-source-ranges"
	LinodeFirewall     = "service.beta.kubernetes.io/linode-loadbalancer-firewall-acl"
	VultrFirewall      = "service.beta.kubernetes.io/vultr-loadbalancer-firewall-rules"
	AWSRole            = "eks.amazonaws.com/role-arn"
	AWSAudience        = "eks.amazonaws.com/audience"
	AzureClient        = "azure.workload.identity/client-id"
	GoogleAccount      = "iam.gke.io/gcp-service-account"
)

// OwnPrefix begins the annotations and labels by which people tell Breakwater something.
const OwnPrefix = "breakwater.dev/"

const (
	kubernetesDocs = "kubernetes.io: Service, internal load balancer"
	awsNLBDocs     = "AWS Load Balancer Controller: Service annotations"
	awsALBDocs     = "AWS Load Balancer Controller: Ingress annotations"
	azureDocs      = "Cloud provider Azure: load balancer annotations"
	digitalDocs    = "DigitalOcean cloud controller manager: Service annotations"
	linodeDocs     = "Linode cloud controller manager: firewall setup"
	vultrDocs      = "Vultr cloud controller manager: load balancers"
	ociDocs        = "OCI cloud controller manager: load balancer annotations"
	outscaleDocs   = "Outscale cloud controller manager: annotations"
	thalassaDocs   = "Thalassa cloud controller manager: load balancer annotations"
)

// Annotations is every annotation that is kept, besides those of OwnPrefix.
var Annotations = []Annotation{
	{"service.beta.kubernetes.io/aws-load-balancer-internal", Internal, "", kubernetesDocs},
	{AWSBalancerScheme, Internal, "internal", awsNLBDocs},
	{"networking.gke.io/load-balancer-type", Internal, "internal", kubernetesDocs},
	{"cloud.google.com/load-balancer-type", Internal, "internal", "GKE: internal load balancer, before 1.17"},
	{"service.beta.kubernetes.io/azure-load-balancer-internal", Internal, "true", kubernetesDocs},
	{"service.beta.kubernetes.io/openstack-internal-load-balancer", Internal, "true", kubernetesDocs},
	{"service.beta.kubernetes.io/oci-load-balancer-internal", Internal, "true", kubernetesDocs},
	{"oci-network-load-balancer.oraclecloud.com/internal", Internal, "true",
		"OCI cloud controller manager: network load balancer annotations"},
	{"service.beta.kubernetes.io/alibaba-cloud-loadbalancer-address-type", Internal, "intranet", kubernetesDocs},
	{"service.beta.kubernetes.io/alicloud-loadbalancer-address-type", Internal, "intranet",
		"Alibaba Cloud ACK: annotations of CLB instances, as spelled before September 2019"},
	{"service.beta.kubernetes.io/cce-load-balancer-internal-vpc", Internal, "true", kubernetesDocs},
	{"service.beta.kubernetes.io/do-loadbalancer-network", Internal, "internal", "DigitalOcean: load balancer annotations"},
	{"service.beta.kubernetes.io/scw-loadbalancer-private", Internal, "true", "Scaleway: load balancer annotations"},
	{"service.kubernetes.io/qcloud-loadbalancer-internal-subnetid", Internal, "", kubernetesDocs},
	{"service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type", Internal, "private", kubernetesDocs},
	{"load-balancer.hetzner.cloud/disable-public-network", Internal, "true",
		"Hetzner cloud controller manager: load balancer annotations"},
	{"yandex.cloud/load-balancer-type", Internal, "internal", "Yandex Managed Service for Kubernetes: Service"},
	{"kubernetes.io/elb.autocreate", Internal, `{"type":"inner"}`, "Huawei Cloud CCE: LoadBalancer annotations, automatically created"},
	{"service.beta.kubernetes.io/volcengine-loadbalancer-address-type", Internal, "private", "Volcengine VKE: annotations of a CLB"},
	{"service.beta.kubernetes.io/ucloud-load-balancer-type", Internal, "inner", "UCloud UK8S: annotations of a ULB"},
	{"service.beta.kubernetes.io/ksc-loadbalancer-type", Internal, "internal", "Kingsoft Cloud KCE: network of a cluster"},
	{"service.beta.kubernetes.io/qingcloud-load-balancer-network-type", Internal, "internal",
		"QingCloud cloud controller manager: annotations"},
	{"service.beta.kubernetes.io/ncloud-load-balancer-internal", Internal, "true", "Naver Cloud NKS: load balancer annotations"},
	{"service.beta.kubernetes.io/osc-load-balancer-internal", Internal, "true", "Outscale cloud controller manager: annotations"},
	{"service.beta.kubernetes.io/gcore-internal-load-balancer", Internal, "true", "Gcore Managed Kubernetes: load balancer annotations"},
	{"lb.stackit.cloud/internal-lb", Internal, "true", "STACKIT cloud controller manager: load balancer"},
	{"yawol.stackit.cloud/internalLB", Internal, "true", "STACKIT cloud controller manager: load balancer, before its own prefix"},
	{"loadbalancer.k8s.thalassa.cloud/internal", Internal, "true", thalassaDocs},

	{SourceRangesKey, SourceRanges, "",
		"k8s.io/api/core/v1: AnnotationLoadBalancerSourceRangesKey"},
	{"service.beta.kubernetes.io/azure-allowed-ip-ranges", SourceRanges, "", azureDocs},
	{"service.beta.kubernetes.io/do-loadbalancer-allow-rules", SourceRanges, "", digitalDocs},
	{"service.beta.kubernetes.io/do-loadbalancer-deny-rules", DenyRanges, "", digitalDocs},
	{LinodeFirewall, SourceRanges, "", linodeDocs},
	{VultrFirewall, SourceRanges, "", vultrDocs},
	{"service.beta.kubernetes.io/ovh-loadbalancer-allowed-sources", SourceRanges, "",
		"OVHcloud: load balancer annotations, before those of OpenStack"},

	{"service.beta.kubernetes.io/aws-load-balancer-security-groups", Elsewhere, "", awsNLBDocs},
	{"service.beta.kubernetes.io/aws-load-balancer-extra-security-groups", Elsewhere, "", "Cloud provider AWS: Service annotations"},
	{"service.beta.kubernetes.io/aws-load-balancer-security-group-prefix-lists", Elsewhere, "", awsNLBDocs},
	{"service.beta.kubernetes.io/azure-allowed-service-tags", Elsewhere, "", azureDocs},
	{"service.beta.kubernetes.io/azure-disable-load-balancer-nsg-rule", Elsewhere, "true", azureDocs},
	{"service.beta.kubernetes.io/linode-loadbalancer-firewall-id", Elsewhere, "", linodeDocs},
	{"service.beta.kubernetes.io/vultr-loadbalancer-firewall-rules-cm", Elsewhere, "", vultrDocs},
	{"kubernetes.civo.com/firewall-id", Elsewhere, "", "Civo cloud controller manager: load balancer customisation"},
	{"service.beta.kubernetes.io/alibaba-cloud-loadbalancer-acl-status", Elsewhere, "on",
		"Cloud provider Alibaba Cloud: access control of a listener"},
	{"service.beta.kubernetes.io/alibaba-cloud-loadbalancer-security-group-ids", Elsewhere, "",
		"Cloud provider Alibaba Cloud: security groups of an NLB"},
	{"service.beta.kubernetes.io/volcengine-loadbalancer-acl-status", Elsewhere, "on", "Volcengine VKE: annotations of a CLB"},
	{"kubernetes.io/elb.acl-status", Elsewhere, "on", "Huawei Cloud CCE: blocklist or trustlist access policy of a Service"},
	{"service.cloud.tencent.com/security-groups", Elsewhere, "", "Tencent Kubernetes Engine: Service annotations"},
	{"service.kubernetes.io/ibm-load-balancer-cloud-provider-vpc-security-group", Elsewhere, "",
		"IBM Cloud Kubernetes Service: VPC load balancer annotations"},
	{"oci.oraclecloud.com/oci-network-security-groups", Elsewhere, "", ociDocs},
	{"oci-network-load-balancer.oraclecloud.com/oci-network-security-groups", Elsewhere, "", ociDocs},
	{"service.beta.kubernetes.io/oci-load-balancer-security-list-management-mode", Elsewhere, "None", ociDocs},
	{"oci-network-load-balancer.oraclecloud.com/security-list-management-mode", Elsewhere, "None", ociDocs},
	{"oci.oraclecloud.com/security-rule-management-mode", Elsewhere, "None", ociDocs},
	{"service.beta.kubernetes.io/osc-load-balancer-security-group", Elsewhere, "", outscaleDocs},
	{"service.beta.kubernetes.io/osc-load-balancer-extra-security-groups", Elsewhere, "", outscaleDocs},
	{"loadbalancer.k8s.thalassa.cloud/acl-allowed-sources", Elsewhere, "", thalassaDocs}, // each port may have a list more
	{"alb.ingress.kubernetes.io/security-groups", Elsewhere, "", awsALBDocs},
	{"alb.ingress.kubernetes.io/security-group-prefix-lists", Elsewhere, "", awsALBDocs},

	{"metallb.io/loadBalancerIPs", Address, "", "MetalLB: requesting specific IPs"},
	{"metallb.universe.tf/loadBalancerIPs", Address, "", "MetalLB: requesting specific IPs, before its own domain"},
	{"kube-vip.io/loadbalancerIPs", Address, "", "kube-vip: load balancer addresses"},
	{"lbipam.cilium.io/ips", Address, "", "Cilium: LoadBalancer IPAM, requesting IPs"},
	{"io.cilium/lb-ipam-ips", Address, "", "Cilium: LoadBalancer IPAM, requesting IPs, before 1.15"},
	{"purelb.io/addresses", Address, "", "PureLB: Service annotations"},
	{"service.beta.kubernetes.io/azure-load-balancer-ipv4", Address, "", azureDocs},
	{"service.beta.kubernetes.io/azure-load-balancer-ipv6", Address, "", azureDocs},

	{"nginx.ingress.kubernetes.io/allowlist-source-range", AllowList, "", "ingress-nginx: annotations"},
	{"nginx.ingress.kubernetes.io/whitelist-source-range", AllowList, "", "ingress-nginx: annotations"},
	{"haproxy.org/allow-list", AllowList, "", "HAProxy Kubernetes Ingress Controller: access control"},
	{"haproxy.org/whitelist", AllowList, "", "HAProxy Kubernetes Ingress Controller: access control, before 1.5"},
	{"haproxy-ingress.github.io/allowlist-source-range", AllowList, "", "HAProxy Ingress: configuration keys"},
	{"haproxy-ingress.github.io/whitelist-source-range", AllowList, "", "HAProxy Ingress: configuration keys, before 0.12"},
	{"k8s.apisix.apache.org/allowlist-source-range", AllowList, "", "Apache APISIX Ingress Controller: annotations"},
	{"haproxy.router.openshift.io/ip_allowlist", AllowList, "", "OpenShift: route-specific annotations"},
	{"haproxy.router.openshift.io/ip_whitelist", AllowList, "", "OpenShift: route-specific annotations"},
	{"alb.ingress.kubernetes.io/inbound-cidrs", AllowList, "", awsALBDocs},

	{"nginx.ingress.kubernetes.io/denylist-source-range", DenyList, "", "ingress-nginx: annotations"},
	{"haproxy.org/deny-list", DenyList, "", "HAProxy Kubernetes Ingress Controller: access control"},
	{"haproxy.org/blacklist", DenyList, "", "HAProxy Kubernetes Ingress Controller: access control, before 1.5"},
	{"haproxy-ingress.github.io/denylist-source-range", DenyList, "", "HAProxy Ingress: configuration keys"},
	{"k8s.apisix.apache.org/blocklist-source-range", DenyList, "", "Apache APISIX Ingress Controller: annotations"},

	{AWSBalancerType, Balancer, "", awsNLBDocs},
	{AWSBalancerTargets, Balancer, "", awsNLBDocs},
	{ALBScheme, Balancer, "", awsALBDocs},
	{AGICPrivate, Balancer, "", "Azure Application Gateway Ingress Controller: annotations"},
	{TailscaleFunnel, Balancer, "", "Tailscale Kubernetes operator: expose a workload to the internet"},

	{AWSRole, CloudIdentity, "", "EKS: IAM roles for service accounts"},
	{AWSAudience, CloudIdentity, "", "Amazon EKS pod identity webhook: audience of the token"},
	{AzureClient, CloudIdentity, "", "Azure Workload Identity: labels and annotations"},
	{GoogleAccount, CloudIdentity, "", "GKE: Workload Identity Federation"},

	{IngressClass, Class, "", "k8s.io/api/networking/v1beta1: AnnotationIngressClass"},
	{DefaultClass, Class, "", "k8s.io/api/networking/v1: AnnotationIsDefaultIngressClass"},
}

// BalancerClass is a loadBalancerClass whose load balancers are not of the
// internet.
type BalancerClass struct {
	Name string
	// Unless is the annotation that may say otherwise; without it they are internal.
	Unless string
	// Source is where that is written.
	Source string
}

// BalancerClasses is every class of load balancers known to be internal.
var BalancerClasses = []BalancerClass{
	{"tailscale", "", "Tailscale Kubernetes operator: expose a Service to the tailnet"},
	{"networking.gke.io/l4-regional-internal", "", "GKE: load balancer classes"},
	{"networking.gke.io/l4-regional-internal-legacy", "", "Cloud provider GCP: load balancer classes"},
	{"service.k8s.aws/nlb", AWSBalancerScheme, awsNLBDocs},
	{"eks.amazonaws.com/nlb", AWSBalancerScheme, "EKS Auto Mode: network load balancers"},
}

// In says whether the annotation is among an object's and says what it means,
// and gives its value.
func (a Annotation) In(all map[string]string) (value string, says bool) {
	v := all[a.Key]
	switch {
	case v == "":
		return v, false
	case a.Value == "":
		return v, v != "false"
	case strings.HasPrefix(a.Value, "{"):
		return v, hasMembers(v, a.Value)
	}
	return v, strings.EqualFold(v, a.Value)
}

// hasMembers says whether the JSON object in a text has at least the members of another.
func hasMembers(text, of string) bool {
	var all, wanted map[string]any
	if json.Unmarshal([]byte(text), &all) != nil || json.Unmarshal([]byte(of), &wanted) != nil {
		return false
	}
	for k, v := range wanted {
		if !strings.EqualFold(fmt.Sprint(all[k]), fmt.Sprint(v)) {
			return false
		}
	}
	return true
}

// ofClouds is whose cloud heeds annotations that begin so.
var ofClouds = []struct{ prefix, cloud string }{
	{"service.beta.kubernetes.io/aws-", "aws"}, {"alb.ingress.kubernetes.io/", "aws"},
	{"service.beta.kubernetes.io/azure-", "azure"}, {"appgw.ingress.kubernetes.io/", "azure"},
	{"networking.gke.io/", "gcp"}, {"cloud.google.com/", "gcp"},
}

// Cloud is whose clusters heed the annotation: aws, azure, gcp, "elsewhere" for another
// provider's, "" where that does not depend on a provider.
func (a Annotation) Cloud() string {
	for _, of := range ofClouds {
		if strings.HasPrefix(a.Key, of.prefix) {
			return of.cloud
		}
	}
	switch {
	case a.Says == Internal, a.Says == Elsewhere, a.Says == DenyRanges, a.Says == SourceRanges && a.Key != SourceRangesKey:
		return "elsewhere"
	}
	return ""
}

// Said are the annotations of a meaning that an object has, in the order of Annotations.
func Said(m Meaning, all map[string]string) (out []Annotation) {
	for _, a := range Annotations {
		if _, says := a.In(all); says && a.Says == m {
			out = append(out, a)
		}
	}
	return out
}
