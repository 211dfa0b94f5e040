package collect

import (
	_ "embed" // annotations.yaml
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/strictyaml"
)

// Annotation is one that Breakwater reads. Objects are kept without any other:
// last-applied-configuration, for one, repeats the values of a whole object.
type Annotation struct {
	Key  string
	Says Meaning `yaml:"-"`
	// Value is the one that says so; empty stands for any but "" and "false". A
	// JSON object says so that has at least the members of this one.
	Value string
	// Contains are words of which a value has one that says so; none: see Value.
	Contains []string
	// Source is where the meaning is written.
	Source string
}

// Meaning is what an annotation says, in the words of annotations.yaml.
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
	// IngressElsewhere names or holds rules about the clients of an Ingress that are not read.
	IngressElsewhere Meaning = "clients of an ingress are listed elsewhere"
	// BackendElsewhere names rules about who gets from a load balancer to a Service that are not read.
	BackendElsewhere Meaning = "clients of a backend are listed elsewhere"
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
	OCIBalancerType    = "oci.oraclecloud.com/load-balancer-type"
	OCIListMode        = "oci-network-load-balancer.oraclecloud.com/security-list-management-mode"
	OCIRuleMode        = "oci.oraclecloud.com/security-rule-management-mode"
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

//go:embed annotations.yaml
var annotationsText []byte

// Annotations is every annotation that is kept, besides those of OwnPrefix.
var Annotations = func() (all []Annotation) {
	var meanings []struct {
		Says        Meaning
		Annotations []Annotation
	}
	if _, err := strictyaml.Decode("annotations.yaml", annotationsText, &meanings); err != nil {
		panic(err) // it is part of the program
	}
	for _, m := range meanings {
		for _, a := range m.Annotations {
			a.Says = m.Says
			all = append(all, a)
		}
	}
	return all
}()

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
	{"service.k8s.aws/nlb", AWSBalancerScheme, "AWS Load Balancer Controller: Service annotations"},
	{"eks.amazonaws.com/nlb", AWSBalancerScheme, "EKS Auto Mode: network load balancers"},
}

// In says whether the annotation is among an object's and says what it means,
// and gives its value.
func (a Annotation) In(all map[string]string) (value string, says bool) {
	v := all[a.Key]
	switch {
	case v == "":
		return v, false
	case len(a.Contains) > 0:
		return v, slices.ContainsFunc(a.Contains, func(word string) bool { return strings.Contains(v, word) })
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
