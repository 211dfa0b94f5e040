package kube

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
)

// valid refuses what an API server refuses and what else would be read as another thing:
// names that look like two, and words of which it knows a few only. "loadbalancer" is no
// LoadBalancer, and a Service that says so is not internal either.
func valid(o object) error {
	for field, name := range map[string]string{"metadata.name": o.GetName(), "metadata.generateName": o.GetGenerateName(),
		"metadata.namespace": o.GetNamespace()} {
		if strings.ContainsAny(name, "/%") {
			return fmt.Errorf("%s: %.80q: want a name without / and %%", field, name)
		}
	}
	switch o := o.(type) {
	case *corev1.Service:
		if err := oneOf("spec.type", string(o.Spec.Type), "", "ClusterIP", "NodePort", "LoadBalancer", "ExternalName"); err != nil {
			return err
		}
		for i, p := range o.Spec.Ports {
			if err := protocol(fmt.Sprintf("spec.ports[%d]", i), string(p.Protocol)); err != nil {
				return err
			}
		}
		return oneOf("spec.externalTrafficPolicy", string(o.Spec.ExternalTrafficPolicy), "", "Cluster", "Local")
	case *networkingv1.NetworkPolicy:
		for i, t := range o.Spec.PolicyTypes {
			if err := oneOf(fmt.Sprintf("spec.policyTypes[%d]", i), string(t), "Ingress", "Egress"); err != nil {
				return err
			}
		}
		for _, rule := range o.Spec.Ingress {
			if err := protocols("spec.ingress", rule.Ports); err != nil {
				return err
			}
		}
		for _, rule := range o.Spec.Egress {
			if err := protocols("spec.egress", rule.Ports); err != nil {
				return err
			}
		}
	case *rbacv1.RoleBinding:
		return bound(o.RoleRef, o.Subjects, "Role", "ClusterRole")
	case *rbacv1.ClusterRoleBinding:
		return bound(o.RoleRef, o.Subjects, "ClusterRole")
	}
	return nil
}

func bound(role rbacv1.RoleRef, subjects []rbacv1.Subject, roles ...string) error {
	if err := oneOf("roleRef.kind", role.Kind, roles...); err != nil {
		return err
	}
	for i, s := range subjects {
		if err := oneOf(fmt.Sprintf("subjects[%d].kind", i), s.Kind, rbacv1.UserKind, rbacv1.GroupKind, rbacv1.ServiceAccountKind); err != nil {
			return err
		}
	}
	return nil
}

func protocols(field string, ports []networkingv1.NetworkPolicyPort) error {
	for _, p := range ports {
		if p.Protocol != nil {
			if err := protocol(field, string(*p.Protocol)); err != nil {
				return err
			}
		}
	}
	return nil
}

func protocol(field, p string) error { return oneOf(field+".protocol", p, "", "TCP", "UDP", "SCTP") }

func oneOf(field, word string, words ...string) error {
	if slices.Contains(words, word) {
		return nil
	}
	words = slices.DeleteFunc(words, func(w string) bool { return w == "" })
	return fmt.Errorf("%s: %.80q: want %s", field, word, strings.Join(words, ", "))
}
