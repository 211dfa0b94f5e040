package collect

import "strings"

// Annotation is one that Breakwater reads. Objects are kept without any other:
// last-applied-configuration, for one, repeats the values of a whole object.
type Annotation struct {
	Key  string
	Says Meaning
	// Value is the one that says so; empty stands for any but "" and "false".
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
	// AllowList is the clients that an Ingress lets in.
	AllowList Meaning = "clients of an ingress"
	// Balancer is how a cloud makes a load balancer.
	Balancer Meaning = "kind of load balancer"
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
)

// OwnPrefix begins the annotations and labels by which people tell Breakwater something.
const OwnPrefix = "breakwater.dev/"

const (
	kubernetesDocs = "kubernetes.io: Service, internal load balancer"
	awsNLBDocs     = "AWS Load Balancer Controller: Service annotations"
	awsALBDocs     = "AWS Load Balancer Controller: Ingress annotations"
	azureDocs      = "Cloud provider Azure: load balancer annotations"
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
	{"service.beta.kubernetes.io/cce-load-balancer-internal-vpc", Internal, "true", kubernetesDocs},
	{"service.beta.kubernetes.io/do-loadbalancer-network", Internal, "internal", "DigitalOcean: load balancer annotations"},
	{"service.beta.kubernetes.io/scw-loadbalancer-private", Internal, "true", "Scaleway: load balancer annotations"},
	{"service.beta.kubernetes.io/vultr-loadbalancer-vpc-only", Internal, "true", "Vultr cloud controller manager: annotations"},
	{"service.kubernetes.io/qcloud-loadbalancer-internal-subnetid", Internal, "", kubernetesDocs},
	{"service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type", Internal, "private", kubernetesDocs},
	{"load-balancer.hetzner.cloud/disable-public-network", Internal, "true",
		"Hetzner cloud controller manager: load balancer annotations"},
	{"yandex.cloud/load-balancer-type", Internal, "internal", "Yandex Managed Service for Kubernetes: Service"},

	{"service.beta.kubernetes.io/load-balancer-source-ranges", SourceRanges, "",
		"k8s.io/api/core/v1: AnnotationLoadBalancerSourceRangesKey"},
	{"service.beta.kubernetes.io/azure-allowed-ip-ranges", SourceRanges, "", azureDocs},

	{"nginx.ingress.kubernetes.io/whitelist-source-range", AllowList, "", "ingress-nginx: annotations"},
	{"nginx.ingress.kubernetes.io/allowlist-source-range", AllowList, "", "ingress-nginx: annotations"},
	{"haproxy.org/allow-list", AllowList, "", "HAProxy Kubernetes Ingress Controller: access control"},
	{"haproxy-ingress.github.io/allowlist-source-range", AllowList, "", "HAProxy Ingress: configuration keys"},
	{"alb.ingress.kubernetes.io/inbound-cidrs", AllowList, "", awsALBDocs},

	{AWSBalancerType, Balancer, "", awsNLBDocs},
	{AWSBalancerTargets, Balancer, "", awsNLBDocs},
	{ALBScheme, Balancer, "", awsALBDocs},

	{IngressClass, Class, "", "k8s.io/api/networking/v1beta1: AnnotationIngressClass"},
	{DefaultClass, Class, "", "k8s.io/api/networking/v1: AnnotationIsDefaultIngressClass"},
}

// In says whether the annotation is among an object's and says what it means,
// and gives its value.
func (a Annotation) In(all map[string]string) (value string, says bool) {
	v := all[a.Key]
	return v, v != "" && (a.Value == "" && v != "false" || a.Value != "" && strings.EqualFold(v, a.Value))
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
