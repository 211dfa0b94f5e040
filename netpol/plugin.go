package netpol

import (
	"fmt"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/breakwater-sec/breakwater/collect"
)

// plugins files the policies of kinds that network plugins add, where the plugin
// that heeds them runs, or none is known.
func (j *Judge) plugins(t tiers) {
	f := j.facts
	if many := len(f.CiliumNetworkPolicies) + len(f.CiliumClusterwidePolicies); many > 0 && j.heeds("Cilium", many) {
		j.cilium(t, "CiliumNetworkPolicy", f.CiliumNetworkPolicies)
		j.cilium(t, "CiliumClusterwideNetworkPolicy", f.CiliumClusterwidePolicies)
	}
	if many := len(f.CalicoNetworkPolicies) + len(f.CalicoGlobalNetworkPolicies); many > 0 && j.heeds("Calico", many) {
		addCalicoTiers(t, f)
		j.calico(t, "Calico NetworkPolicy", f.CalicoNetworkPolicies)
		j.calico(t, "Calico GlobalNetworkPolicy", f.CalicoGlobalNetworkPolicies)
	}
}

// heeds says whether a plugin's own policies count: not where others are known to
// enforce policies, and it is not among them.
func (j *Judge) heeds(plugin string, many int) bool {
	if j.enforcement.State != Yes || runs(j.facts, plugin) {
		return true
	}
	j.gaps = append(j.gaps, collect.Gap{Cluster: j.facts.Cluster.Name, Source: "judge", What: "policies of " + plugin,
		Why:         fmt.Sprintf("%d are there, and the network plugin that was seen is %s", many, j.enforcement.Plugin),
		Consequence: "They are taken for unused: what they close is shown as open, and what they open as others say.",
		Kinds:       []string{"ROUTES_TO"}})
	return false
}

func (j *Judge) cilium(t tiers, kind string, all map[collect.Key]*collect.CiliumNetworkPolicy) {
	for k, o := range all {
		c := cilium{j.facts, kind, k}
		compiled, err := c.policies(o)
		j.file(t, "default", kind, k, peer{namespace: k.Namespace, identity: labels.Everything()}, err, compiled...)
		if err == nil && hostPolicy(o) {
			j.aboutNodes(kind, k)
		}
	}
}

func (j *Judge) calico(t tiers, kind string, all map[collect.Key]*collect.CalicoNetworkPolicy) {
	for k, o := range all {
		if onlyHosts(o.Spec) {
			j.aboutNodes(kind, k)
			continue
		}
		c := calico{j.facts, kind, k}
		tier, err := c.tierOf(t, o.Spec)
		var p *policy
		if err == nil {
			p, err = c.policy(o.Spec)
		}
		j.file(t, tier, kind, k, peer{namespace: k.Namespace, identity: labels.Everything()}, err, p)
	}
}

// aboutNodes tells of a policy that protects nodes.
func (j *Judge) aboutNodes(kind string, k collect.Key) {
	j.gaps = append(j.gaps, collect.Gap{Cluster: j.facts.Cluster.Name, Source: "judge", What: kind + " " + k.String() + " about nodes",
		Why: "policies about nodes are not judged", Consequence: "Connections to nodes that it closes are shown as open.",
		Kinds: []string{"ROUTES_TO"}})
}
