package kube

import (
	"cmp"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	kjson "sigs.k8s.io/json"

	"github.com/breakwater-sec/breakwater/collect"
)

// isKubelet says that a document is a kubelet's configuration, which is a file of a
// node and no object of a cluster: it has no name.
func isKubelet(gvk schema.GroupVersionKind) bool {
	return gvk.Group == "kubelet.config.k8s.io" && gvk.Kind == "KubeletConfiguration"
}

// kubeletConfig is what kubeadm calls the ConfigMap from which it gives each node that
// joins its kubelet's configuration; before 1.24 the version stood behind it.
const kubeletConfig = "kubelet-config"

// takeKubelet reads of a configuration who is answered. What it leaves out has the
// defaults of the file.
func (m *manifests) takeKubelet(where, from string, b []byte) collect.Outcome {
	var c struct {
		metav1.TypeMeta `json:",inline"`
		Authentication  struct {
			Anonymous struct {
				Enabled bool `json:"enabled"`
			} `json:"anonymous"`
		} `json:"authentication"`
		Authorization struct {
			Mode string `json:"mode"`
		} `json:"authorization"`
		Port         int32 `json:"port"`
		ReadOnlyPort int32 `json:"readOnlyPort"`
	}
	strict, err := kjson.UnmarshalStrict(b, &c)
	if err == nil {
		err = duplicate(strict)
	}
	if err == nil && !isKubelet(c.GroupVersionKind()) {
		err = fmt.Errorf("it is a %q of %q", c.Kind, c.APIVersion)
	}
	if err != nil {
		return m.gap(where, fmt.Errorf("want a KubeletConfiguration of kubelet.config.k8s.io: %w", err))
	}
	m.facts.Kubelets = append(m.facts.Kubelets, collect.Kubelet{From: from, Anonymous: c.Authentication.Anonymous.Enabled,
		AllowsAll: c.Authorization.Mode == "AlwaysAllow", Port: cmp.Or(c.Port, collect.KubeletPort), ReadOnlyPort: c.ReadOnlyPort})
	return collect.Left("how a kubelet answers its callers")
}

// kubeletIn reads the configuration that kubeadm keeps in a ConfigMap. Of all others
// names are kept and no data.
func (m *manifests) kubeletIn(where string, b []byte) {
	var o struct {
		Metadata struct {
			Name      string `json:"name"`
			Namespace string `json:"namespace"`
		} `json:"metadata"`
		Data struct {
			Kubelet string `json:"kubelet"`
		} `json:"data"`
	}
	if err := kjson.UnmarshalCaseSensitivePreserveInts(b, &o); err != nil { // other keys are nobody's business here
		return
	}
	if o.Metadata.Namespace != metav1.NamespaceSystem || !strings.HasPrefix(o.Metadata.Name, kubeletConfig) || o.Data.Kubelet == "" {
		return
	}
	inside, err := fromYAML(1, []byte(o.Data.Kubelet))
	if err == nil {
		err = shallow(inside)
	}
	where += ": data.kubelet"
	if err != nil {
		m.unread(where, err)
		return
	}
	m.facts.Count(m.takeKubelet(where, "ConfigMap kube-system/"+o.Metadata.Name, inside))
}
