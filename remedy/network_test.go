package remedy

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/ref"
)

// pods are written one a line: name, StatefulSet and labels.
func pods(lines string) string {
	var docs []string
	for line := range strings.Lines(lines) {
		words := strings.Fields(line)
		docs = append(docs, fmt.Sprintf("apiVersion: v1\nkind: Pod\nmetadata: {name: %s, namespace: shop, labels: {%s}, ownerReferences: "+
			"[{apiVersion: apps/v1, kind: StatefulSet, name: %s, uid: u, controller: true}]}\nspec: {containers: [{name: c, image: i}]}\n",
			words[0], strings.ReplaceAll(strings.Join(words[2:], ", "), "=", ": "), words[1]))
	}
	return strings.Join(docs, "---\n")
}

func TestByWhichLabelsAPolicySelectsAWorkload(t *testing.T) {
	set := func(name string) ref.Ref { return ref.Ref{Kind: "StatefulSet", Namespace: "shop", Name: name} }
	for _, c := range []struct{ name, pods, selects, but string }{
		{"a label of its own", "a-0 a app=a\na-1 a app=a\nb-0 b app=b", "app=a", "app notin a"},
		{"one of several, the first by name", "a-0 a zone=z1 app=a\nb-0 b app=b", "app=a", "app notin a"},
		{"one that others have with another value, another that they share", "a-0 a app=x tier=front\nb-0 b app=x tier=back", "tier=front",
			"tier notin front"},
		{"two together, that no other has both of", "a-0 a app=x tier=t1\nb-0 b app=x tier=t2\nd-0 d app=w tier=t1", "app=x tier=t1",
			"none: no label tells the pods of StatefulSet shop/a from the others of namespace shop: give them one"},
		{"a label that only some of its pods have", "a-0 a app=a part=p0\na-1 a app=a part=p1\nb-0 b part=p2", "app=a", "app notin a"},
		{"values that differ among its pods", "a-0 a part=p0\na-1 a part=p1\nb-0 b part=p2",
			"none: the pods of StatefulSet shop/a have no label in common by which a policy could select them", "part notin p0 p1"},
		{"labels that controllers add are none", "a-0 a controller-revision-hash=h\nb-0 b app=b",
			"none: the pods of StatefulSet shop/a have no label in common by which a policy could select them",
			"none: no label tells the pods of StatefulSet shop/a from the others of namespace shop: give them one"},
		{"nothing tells them apart", "a-0 a app=x\nb-0 b app=x", "none: no label tells the pods of StatefulSet shop/a from those of " +
			"StatefulSet shop/b: give them one",
			"none: no label tells the pods of StatefulSet shop/a from the others of namespace shop: give them one"},
		{"others have no labels", "a-0 a app=x\nb-0 b", "app=x", "app notin x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := maker(t, pods(c.pods))
			said := func(s *metav1.LabelSelector, err error) string {
				if err != nil {
					return "none: " + err.Error()
				}
				var words []string
				for _, k := range slices.Sorted(maps.Keys(s.MatchLabels)) {
					words = append(words, k+"="+s.MatchLabels[k])
				}
				for _, e := range s.MatchExpressions {
					words = append(words, e.Key+" "+strings.ToLower(string(e.Operator))+" "+strings.Join(e.Values, " "))
				}
				return strings.Join(words, " ")
			}
			s, err := m.selecting(set("a"), "shop")
			if got := said(&s, err); got != c.selects {
				t.Errorf("it is selected by %s, want %s", got, c.selects)
			}
			if got := said(m.allBut([]ref.Ref{set("a")}, "shop")); got != c.but {
				t.Errorf("all others by %s, want %s", got, c.but)
			}
		})
	}
}

func TestWhichAddressesPodsHave(t *testing.T) {
	for _, c := range []struct {
		name  string
		nodes [][]string
		want  string
	}{
		{"no node", nil, "unknown"},
		{"each node tells its own, each is told once", [][]string{{"10.1.0.0/24", "fd00::/64"}, {"10.0.0.0/24", "10.1.0.0/24"}},
			"10.0.0.0/24 10.1.0.0/24 fd00::/64"},
		{"one does not", [][]string{{"10.1.0.0/24"}, nil}, "unknown"},
		{"one tells what is no range", [][]string{{"10.1.0.0"}}, "unknown"},
	} {
		m := &Maker{facts: collect.NewFacts()}
		for i, ranges := range c.nodes {
			m.facts.Nodes[collect.Key{Name: fmt.Sprint(i)}] = &collect.Node{PodCIDRs: ranges}
		}
		got := "unknown"
		if ranges, known := m.podNetworks(); known {
			got = strings.Join(ranges, " ")
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	for _, peer := range blocks([]string{"10.0.0.0/24", "fd00::/64"}) {
		want := map[string]string{"0.0.0.0/0": "[10.0.0.0/24]", "::/0": "[fd00::/64]"}[peer.IPBlock.CIDR]
		if got := fmt.Sprint(peer.IPBlock.Except); got != want {
			t.Errorf("of %s all but %s, want %s", peer.IPBlock.CIDR, got, want)
		}
	}
}

func TestWhatAPolicyAgainstTheOutsideTells(t *testing.T) {
	const calico = "---\napiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: calico-node, namespace: ops}\n" +
		"spec:\n  selector: {matchLabels: {app: calico-node}}\n" +
		"  template: {metadata: {labels: {app: calico-node}}, spec: {hostNetwork: true, containers: [{name: c, image: 'calico/node:v3'}]}}\n"
	p := analyse.Path{Cluster: "c", Carriers: []string{"c/entry/Deployment/gate"},
		Fixes: []analyse.Fix{{Kind: "exposure", Title: "Restrict who may connect", Concerns: []string{"Pod c/shop/Pod/web"}}}}
	for _, c := range []struct {
		name, more  string
		says, lacks []string
	}{
		{"nobody knows whether it is enforced", "", []string{"Nothing outside of the cluster reaches the pods then", "enforce"},
			[]string{"on their nodes' own network", "no longer reaches any port"}},
		{"it is", calico, []string{"Nothing outside of the cluster reaches the pods then"}, []string{"enforce"}},
	} {
		f := maker(t, estate(strings.TrimPrefix(c.more, "---\n"))).Path(p).Fixes[0]
		if len(f.Code) != 1 {
			t.Errorf("%s: %s", c.name, f.WithoutCode)
			continue
		}
		for _, s := range c.says {
			if !strings.Contains(f.Code[0].Note, s) {
				t.Errorf("%s: %q, want %q", c.name, f.Code[0].Note, s)
			}
		}
		for _, s := range c.lacks {
			if strings.Contains(f.Code[0].Note, s) {
				t.Errorf("%s: %q, without %q", c.name, f.Code[0].Note, s)
			}
		}
	}
}
