package exposure

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// internalMarks are the annotations by which clouds make a load balancer
// private. A value "" stands for any value but "false".
var internalMarks = []struct{ key, value string }{
	{"service.beta.kubernetes.io/aws-load-balancer-internal", ""},
	{"service.beta.kubernetes.io/aws-load-balancer-scheme", "internal"},
	{"networking.gke.io/load-balancer-type", "internal"},
	{"cloud.google.com/load-balancer-type", "internal"},
	{"service.beta.kubernetes.io/azure-load-balancer-internal", "true"},
	{"service.beta.kubernetes.io/openstack-internal-load-balancer", "true"},
	{"service.beta.kubernetes.io/oci-load-balancer-internal", "true"},
	{"service.beta.kubernetes.io/alibaba-cloud-loadbalancer-address-type", "intranet"},
	{"service.beta.kubernetes.io/do-loadbalancer-network", "internal"},
	{"service.beta.kubernetes.io/scw-loadbalancer-private", "true"},
	{"service.beta.kubernetes.io/vultr-loadbalancer-vpc-only", "true"},
	{"service.kubernetes.io/qcloud-loadbalancer-internal-subnetid", ""},
	{"service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type", "private"},
	{"load-balancer.hetzner.cloud/disable-public-network", "true"},
}

// internalBalancer says by which mark a load balancer is not of the internet.
func internalBalancer(s *corev1.Service) string {
	for _, m := range internalMarks {
		v, set := s.Annotations[m.key]
		if set && (m.value == "" && v != "false" && v != "" || m.value != "" && strings.EqualFold(v, m.value)) {
			return m.key + ": " + v
		}
	}
	if awsController(s) && s.Annotations["service.beta.kubernetes.io/aws-load-balancer-scheme"] == "" {
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
	switch s.Annotations["service.beta.kubernetes.io/aws-load-balancer-type"] {
	case "external", "nlb-ip":
		return true
	}
	return false
}

// directBalancer says whether the load balancer itself connects to pods, so
// that they see its address rather than a node's or the client's.
func directBalancer(s *corev1.Service) bool {
	return s.Annotations["service.beta.kubernetes.io/aws-load-balancer-nlb-target-type"] == "ip" ||
		s.Annotations["service.beta.kubernetes.io/aws-load-balancer-type"] == "nlb-ip"
}
