package collect

import (
	"slices"
	"strings"
)

// Unseen says whether objects of a built-in resource ("services", "roles"), or of one
// with its group ("tiers.projectcalico.org"), may be missing from the Facts, and the gap that says why.
func (f *Facts) Unseen(resource string) (Gap, bool) {
	for _, g := range f.Gaps {
		if g.What == resource && strings.Contains(resource, ".") && (g.Source == "api" || g.Source == "file") {
			return g, true
		}
		name, group, _ := strings.Cut(g.What, ".")
		if name == resource && (g.Source == "api" || g.Source == "file") && (BuiltIn(group) || strings.HasSuffix(group, ".networking.k8s.io")) {
			return g, true
		}
	}
	return Gap{}, false
}

// BuiltIn says whether an API group comes with every API server, its aggregated
// metrics included.
func BuiltIn(group string) bool { return slices.Contains(builtIn, group) }

var builtIn = []string{
	"", "admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "apps", "authentication.k8s.io",
	"authorization.k8s.io", "autoscaling", "batch", "certificates.k8s.io", "coordination.k8s.io", "custom.metrics.k8s.io",
	"discovery.k8s.io", "events.k8s.io", "extensions", "external.metrics.k8s.io", "flowcontrol.apiserver.k8s.io", "imagepolicy.k8s.io",
	"internal.apiserver.k8s.io", "metrics.k8s.io", "networking.k8s.io", "node.k8s.io", "policy", "rbac.authorization.k8s.io",
	"resource.k8s.io", "scheduling.k8s.io", "settings.k8s.io", "storage.k8s.io", "storagemigration.k8s.io",
}
