package kube

import (
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
	kjson "sigs.k8s.io/json"

	"github.com/breakwater-sec/breakwater/collect"
)

// isNoKind says that Kubernetes' own API groups have no such kind: its name is
// misspelt, or it went with an older version. What it was to say is not known.
func isNoKind(gvk schema.GroupVersionKind) bool {
	return collect.BuiltIn(gvk.Group) && scheme.Scheme.IsGroupRegistered(gvk.Group) && !scheme.Scheme.Recognizes(gvk) &&
		gvk.Kind != "DeploymentConfig" // OpenShift had it in v1, too
}

// isAnswer says that a document is what an API server answers in place of objects.
func (h header) isAnswer() bool {
	return h.Kind == "Status" && h.APIVersion == "v1" || h.Kind == "Table" && schema.FromAPIVersionAndKind(h.APIVersion,
		"").Group == "meta.k8s.io"
}

// answered says what was saved instead of objects.
func answered(b []byte) error {
	var status struct {
		Kind    string `json:"kind"`
		Message string `json:"message"`
	}
	if err := kjson.UnmarshalCaseSensitivePreserveInts(b, &status); err != nil {
		return fmt.Errorf("want an API server's answer: %w", err)
	}
	if status.Kind == "Table" {
		return errors.New("want objects: it is a table of some of their columns, without what they say")
	}
	return fmt.Errorf("want objects: it is an API server's answer that there are none to read: %s", status.Message)
}

// renderers are kinds whose objects bring others from a place that is not read here,
// and what does: a chart, a repository.
var renderers = map[schema.GroupKind]bool{
	{Group: "helm.toolkit.fluxcd.io", Kind: "HelmRelease"}:         true,
	{Group: "kustomize.toolkit.fluxcd.io", Kind: "Kustomization"}:  true,
	{Group: "helm.cattle.io", Kind: "HelmChart"}:                   true,
	{Group: "k3s.cattle.io", Kind: "Addon"}:                        true,
	{Group: "fleet.cattle.io", Kind: "GitRepo"}:                    true,
	{Group: "fleet.cattle.io", Kind: "Bundle"}:                     true,
	{Group: "argoproj.io", Kind: "Application"}:                    true,
	{Group: "argoproj.io", Kind: "ApplicationSet"}:                 true,
	{Group: "kappctrl.k14s.io", Kind: "App"}:                       true,
	{Group: "packaging.carvel.dev", Kind: "PackageInstall"}:        true,
	{Group: "helm.crossplane.io", Kind: "Release"}:                 true,
	{Group: "addons.cluster.x-k8s.io", Kind: "ClusterResourceSet"}: true,
	{Group: "addons.cluster.x-k8s.io", Kind: "HelmChartProxy"}:     true,
	{Group: "operators.coreos.com", Kind: "Subscription"}:          true,
	{Group: "install.istio.io", Kind: "IstioOperator"}:             true,
	{Group: "config.projectsveltos.io", Kind: "ClusterProfile"}:    true,
	{Group: "config.projectsveltos.io", Kind: "Profile"}:           true,
}
