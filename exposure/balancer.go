package exposure

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/breakwater-sec/breakwater/collect"
)

// internalBalancer says by which mark a load balancer is not of the internet.
func internalBalancer(s *corev1.Service) string {
	for _, mark := range collect.Said(collect.Internal, s.Annotations) {
		return mark.Key + ": " + s.Annotations[mark.Key]
	}
	if awsController(s) && s.Annotations[collect.AWSBalancerScheme] == "" {
		return "the AWS Load Balancer Controller makes it internal unless a scheme is set"
	}
	return ""
}

// awsController says whether the AWS Load Balancer Controller, whose default is
// internal, makes the load balancer.
func awsController(s *corev1.Service) bool {
	if c := s.Spec.LoadBalancerClass; c != nil {
		return *c == "service.k8s.aws/nlb"
	}
	switch s.Annotations[collect.AWSBalancerType] {
	case "external", "nlb-ip":
		return true
	}
	return false
}

// directBalancer says whether the load balancer itself connects to pods, so
// that they see its address rather than a node's or the client's.
func directBalancer(s *corev1.Service) bool {
	return s.Annotations[collect.AWSBalancerTargets] == "ip" ||
		s.Annotations[collect.AWSBalancerType] == "nlb-ip"
}
