package collect

import (
	"slices"
	"testing"
)

func TestAnAnnotationThatIsAskedForByNameIsKept(t *testing.T) {
	for _, key := range []string{IngressClass, DefaultClass, AWSBalancerType, AWSBalancerScheme, AWSBalancerTargets, ALBScheme, AGICPrivate,
		TailscaleFunnel, SourceRangesKey, LinodeFirewall, VultrFirewall, AWSRole, AWSAudience,
		AzureClient, GoogleAccount, OCIBalancerType, OCIListMode, OCIRuleMode} {
		if !slices.ContainsFunc(Annotations, func(a Annotation) bool { return a.Key == key }) {
			t.Errorf("annotations.yaml has no %s", key)
		}
	}
}

func TestEveryMeaningOfAnAnnotationIsOneThatIsAskedFor(t *testing.T) {
	known := []Meaning{Internal, SourceRanges, DenyRanges, Elsewhere, IngressElsewhere, BackendElsewhere, Address,
		AllowList, DenyList, Balancer, CloudIdentity, Class}
	for _, a := range Annotations {
		if !slices.Contains(known, a.Says) {
			t.Errorf("%s says %q: want one of %q", a.Key, a.Says, known)
		}
	}
}
