package enrichment

import (
	"context"
	"testing"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/live"
)

// A cluster that is read tells of its nodes at once, ahead of the World; what is not known
// of it is said, and never taken for a node that is not there.
func TestANodeIsKnownAsSoonAsItsClusterTellsAndUnknownIsSaid(t *testing.T) {
	state, gaps := live.Loading, []collect.Gap(nil)
	c := New(func() *live.World {
		return &live.World{Clusters: map[string]*live.Cluster{"prod": {Name: "prod", State: state, Gaps: gaps}}}
	})
	var say func(collect.Change)
	s := c.Follow(live.Source{Name: "prod", Watch: func(_ context.Context, emit func(collect.Change)) error { say = emit; return nil },
		Saved: func() (*collect.Facts, error) {
			return &collect.Facts{Nodes: map[collect.Key]*collect.Node{{Name: "old"}: {}}}, nil
		}})
	if err := s.Watch(t.Context(), func(collect.Change) {}); err != nil {
		t.Fatal(err)
	}
	put := func(op collect.Op, kind, name string) {
		say(collect.Change{Op: op, Kind: kind, Key: collect.Key{Name: name}, Object: &collect.Node{}})
	}
	is := func(when, cluster, node string, has bool, why string) {
		t.Helper()
		if gotHas, gotWhy := c.HasNode(cluster, node); gotHas != has || gotWhy != why {
			t.Errorf("%s, %s of %s: %v %q, want %v %q", when, node, cluster, gotHas, gotWhy, has, why)
		}
	}
	is("a cluster that nobody reads", "dev", "n", false, "this server does not read the cluster dev")
	is("before it is read", "prod", "n", false, "the cluster prod has not been read yet")
	state = live.Current
	is("without any node", "prod", "n", false, "no node of the cluster prod is known")
	if _, err := s.Saved(); err != nil {
		t.Fatal(err)
	}
	is("of an earlier run", "prod", "old", true, "")
	is("of an earlier run", "prod", "n", false, "")
	put(collect.Put, "Node", "n")
	say(collect.Change{Op: collect.Put, Kind: "Namespace", Key: collect.Key{Name: "m"}})
	is("told", "prod", "n", true, "")
	is("another kind of thing", "prod", "m", false, "")
	say(collect.Change{Op: collect.Resynced, Kind: "Node", Keys: map[collect.Key]struct{}{{Name: "n"}: {}}})
	is("listed again", "prod", "old", false, "")
	is("listed again", "prod", "n", true, "")
	gaps = []collect.Gap{{Source: "api", What: "nodes"}}
	is("nodes that cannot be read", "prod", "old", false, "the nodes of the cluster prod cannot be read")
	gaps, state = nil, live.Lost
	if has, why := c.HasNode("prod", "old"); has || why == "" {
		t.Errorf("a cluster that is away: %v %q", has, why)
	}
	state = live.Current
	put(collect.Put, "Node", "last")
	put(collect.Gone, "Node", "n")
	is("gone", "prod", "n", false, "")
}

func TestAProviderIsWhatAllNodesSay(t *testing.T) {
	eks, k3s := &collect.Node{KubeletVersion: "v1.31.0-eks-a1b2c3"}, &collect.Node{KubeletVersion: "v1.31.0+k3s1"}
	aks := &collect.Node{KubeletVersion: "v1.31.0", Labels: map[string]string{"kubernetes.azure.com/cluster": "a"}}
	tests := []struct {
		name  string
		nodes []*collect.Node
		want  string
	}{
		{"none", nil, ""}, {"one", []*collect.Node{eks}, "eks"}, {"two", []*collect.Node{eks, eks}, "eks"},
		{"a label", []*collect.Node{aks}, "aks"}, {"k3s", []*collect.Node{k3s}, "k3s"},
		{"one that says nothing", []*collect.Node{eks, {}}, ""}, {"one that says something else", []*collect.Node{eks, k3s}, ""},
	}
	for _, test := range tests {
		c := New(func() *live.World { return &live.World{} })
		s := c.Follow(live.Source{Name: "prod", Saved: func() (*collect.Facts, error) {
			f := &collect.Facts{Nodes: map[collect.Key]*collect.Node{}}
			for i, n := range test.nodes {
				f.Nodes[collect.Key{Name: string(rune('a' + i))}] = n
			}
			return f, nil
		}})
		if _, err := s.Saved(); err != nil {
			t.Fatal(err)
		}
		if got := c.Provider("prod"); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
	if got := New(nil).Provider("nowhere"); got != "" {
		t.Errorf("a cluster that nobody reads: %q", got)
	}
}
