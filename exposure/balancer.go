package exposure

import (
	"cmp"

	corev1 "k8s.io/api/core/v1"

	"github.com/breakwater-sec/breakwater/cloud"
	"github.com/breakwater-sec/breakwater/collect"
)

// internalBalancer says by which mark a load balancer is not of the internet.
func (j *judge) internalBalancer(s *corev1.Service) string {
	for _, mark := range j.said(collect.Internal, s.Annotations) {
		return mark.Key + ": " + s.Annotations[mark.Key]
	}
	if s.Spec.LoadBalancerClass != nil {
		for _, class := range collect.BalancerClasses {
			unless := class.Unless != "" && (s.Annotations[class.Unless] != "" || j.schemeByDefault() != "internal")
			if class.Name == *s.Spec.LoadBalancerClass && !unless {
				return "loadBalancerClass: " + class.Name
			}
		}
		return ""
	}
	if len(j.clouds) > 0 && !j.clouds[cloud.AWS] {
		return ""
	}
	switch s.Annotations[collect.AWSBalancerType] {
	case "external", "nlb-ip":
		if s.Annotations[collect.AWSBalancerScheme] == "" && j.schemeByDefault() == "internal" {
			return "the AWS Load Balancer Controller makes it internal unless a scheme is set"
		}
	}
	return ""
}

// schemeByDefault is what the AWS Load Balancer Controller makes where no
// annotation sets a scheme: its own default is internal.
func (j *judge) schemeByDefault() string {
	if j.scheme == "" {
		j.scheme = "internal"
		j.podsWith(func(k collect.ContainerShape) bool {
			if k.ImageIs(albController) {
				j.scheme = cmp.Or(k.Argument("default-load-balancer-scheme"), j.scheme)
			}
			return false
		})
	}
	return j.scheme
}

// directBalancer says whether the load balancer itself connects to pods, so
// that they see its address rather than a node's or the client's.
func directBalancer(s *corev1.Service) bool {
	return s.Annotations[collect.AWSBalancerTargets] == "ip" ||
		s.Annotations[collect.AWSBalancerType] == "nlb-ip"
}
