package analyse

import (
	"fmt"
	"testing"

	"github.com/breakwater-sec/breakwater/graph"
)

func TestAPathHasItsThingsTheirMembersImagesAndOwners(t *testing.T) {
	p := Path{Owners: []string{"owner"}, Nodes: []Thing{{ID: "other"},
		{ID: "thing", Members: []string{"member"}, Images: []Image{{ID: "image"}}}}}
	for id, want := range map[string]bool{"thing": true, "member": true, "image": true, "owner": true, "nothing": false} {
		if p.Has(id) != want {
			t.Errorf("has %s: %t", id, p.Has(id))
		}
	}
}

func TestNodesAreToldByTheirOwner(t *testing.T) {
	v, err := parseGiven(`
Pod shop/Pod/cart-1 name=cart-1 namespace=shop workload=Deployment/cart
Pod shop/Pod/cart-1 -RUNS-> Container cart-1/app name=app namespace=shop workload=Deployment/cart
Node n1 name=n1
Node n2 name=n2 controlPlane=true
Secret shop/Secret/s name=s namespace=shop
Image sha256:a
`)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ kind, id, want string }{
		{"Pod", "c/shop/Pod/cart-1", "Pod c/shop/Deployment/cart"},
		{"Container", "c/cart-1/app", "Container c/shop/Deployment/cart/app"},
		{"Node", "c/n1", "Node c/Nodes/worker worker"},
		{"Node", "c/n2", "Node c/Nodes/control-plane control-plane"},
		{"Secret", "c/shop/Secret/s", "Secret c/shop/Secret/s"},
		{"Image", "sha256:a", "Image sha256:a"},
	} {
		n, ok := v.Node(test.kind, test.id)
		g := groupOf(n)
		got := g.kind + " " + g.id
		if g.role != "" {
			got += " " + g.role
		}
		if !ok || got != test.want {
			t.Errorf("%s %s is told as %s, want %s", test.kind, test.id, got, test.want)
		}
	}
}

func TestMembersStandOnceInTheOrderOfTheGraph(t *testing.T) {
	v, err := parseGiven("Node n1\nNode n2\nPod p1\nPod p2\nPod p3\n")
	if err != nil {
		t.Fatal(err)
	}
	node := func(kind, id string) graph.Node {
		n, ok := v.Node(kind, "c/"+id)
		if !ok {
			t.Fatalf("no %s %s", kind, id)
		}
		return n
	}
	m := members{node("Pod", "p3"), node("Node", "n2"), node("Pod", "p1"), node("Pod", "p3"), node("Node", "n1"), node("Pod", "p2")}
	got := ""
	for _, n := range m.sorted() {
		got += fmt.Sprintf("%s ", n.ID())
	}
	if want := "c/n1 c/n2 c/p1 c/p2 c/p3 "; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestAThingNamesItsFirstMembersAndCountsAll(t *testing.T) {
	text := "Internet internet name=Internet\n"
	for i := range maxMembers + 3 {
		text += fmt.Sprintf("Internet internet -ROUTES_TO-> Node n%02d\n"+
			"Node n%02d -ROUTES_TO-> Pod p%02d namespace=s workload=DaemonSet/d exposed=true "+
			"-RUNS-> Container p%02d/c namespace=s workload=DaemonSet/d exposed=true -USES_IMAGE-> Image i rce=true\n", i, i, i, i)
	}
	paths := analysedGraph(t, text, builtIn(t))
	if len(paths) != 1 {
		t.Fatalf("%d paths, want one", len(paths))
	}
	for _, n := range paths[0].Nodes {
		switch n.Kind {
		case "Node":
			if n.Name != "23 worker nodes" || n.Count != 23 || len(n.Members) != 20 {
				t.Errorf("%+v", n)
			}
		case "Pod":
			if n.Name != "d" || n.Count != 23 || len(n.Members) != 20 || n.Members[0] != "c/p00" {
				t.Errorf("%+v", n)
			}
		case "Container":
			if n.Name != "c/s/DaemonSet/d/" || n.Count != 23 {
				t.Errorf("%+v", n)
			}
		}
	}
	if paths[0].Pods != 23 || paths[0].Workloads != 1 {
		t.Errorf("%d pods, %d workloads", paths[0].Pods, paths[0].Workloads)
	}
}
