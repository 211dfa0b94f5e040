package scope

import (
	"errors"
	"fmt"
	"testing"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/live"
	"github.com/breakwater-sec/breakwater/store"
)

func TestOfAClusterIsSeenWhatTheScopeSays(t *testing.T) {
	e := newEstate(t)
	unattributed := unattributed("shop").What
	gaps := []string{"api secrets", "image image registry.example/app:1", "image image safe.example/safe:1",
		"advisories image registry.example/app:1"}
	for _, c := range []struct {
		sees             graph.Scope
		clusters, counts string
		uid              string
		gaps             []string
		version          uint64
		open             string
		registryGaps     int
	}{
		{all, "bank mill shop", "map[Namespace:3 Node:1 Pod:4 Secret:0]", "uid",
			gaps,
			20, "bank/inner shop/across shop/inner", 1},
		{shop, "shop", "map[Namespace:3 Node:1 Pod:4 Secret:0]", "uid",
			gaps,
			7, "shop/across shop/inner", 0},
		{cart, "shop", "map[Namespace:1 Pod:3]", "", []string{"scope " + unattributed, "image image registry.example/app:1"},
			0, "shop/across shop/inner", 0},
		{cartTill, "shop", "map[Namespace:2 Pod:4]", "", []string{"scope " + unattributed, "image image registry.example/app:1"},
			0, "shop/across shop/inner", 0},
		{till, "shop", "map[Namespace:1 Pod:1]", "", []string{"scope " + unattributed}, 0, "shop/across", 0},
		{stock, "shop", "map[Namespace:1]", "", []string{"scope " + unattributed}, 0, "", 0},
		{cartBank, "bank shop", "map[Namespace:1 Pod:3]", "",
			[]string{"scope " + unattributed, "image image registry.example/app:1", "image image safe.example/safe:1"},
			5, "bank/inner shop/across shop/inner", 0},
		{nobody, "", "", "", nil, 0, "", 0},
	} {
		r := e.For(c.sees)
		clusters, open := []string{}, []string{}
		for _, one := range r.Ordered() {
			clusters = append(clusters, one.Name)
		}
		for _, p := range r.Open() {
			open = append(open, p.Cluster+"/"+p.ID)
		}
		same(t, c.sees.String()+" sees clusters", clusters, "["+c.clusters+"]")
		same(t, c.sees.String()+" sees open paths", open, "["+c.open+"]")
		same(t, c.sees.String()+" reads the version", r.Version, c.version)
		same(t, c.sees.String()+" reads gaps of registries", len(r.RegistryGaps), c.registryGaps)
		if one := r.Clusters["shop"]; one != nil {
			gaps := []string{}
			for _, g := range one.Gaps {
				gaps = append(gaps, g.Source+" "+g.What)
			}
			same(t, c.sees.String()+" reads counts", one.Counts, c.counts)
			same(t, c.sees.String()+" reads the cluster's uid", one.Info.UID, c.uid)
			same(t, c.sees.String()+" reads gaps", gaps, c.gaps)
			same(t, c.sees.String()+" reads the version of Kubernetes", one.Info.Version, "v1.37.2")
			if (one.Segment != nil) != r.All() || (one.Unread != nil) != r.Whole("shop") || len(one.Paths) != len(one.Open) {
				t.Errorf("%s is given %+v", c.sees, one)
			}
		}
	}
}

func TestAPathThatCouldNotBeJudgedAgainSaysWhyToThoseWhoSeeTheCluster(t *testing.T) {
	e := newEstate(t)
	for sees, want := range map[string]string{
		shop.String(): "secrets cannot be read any more", cart.String(): "it could not be judged again"} {
		r := e.For(map[string]graph.Scope{shop.String(): shop, cart.String(): cart}[sees])
		for _, p := range r.Open() {
			if p.ID == "across" && (p.Status != store.Stale || !p.FirstSeen.Equal(began) || p.StaleReason != want) ||
				p.ID == "inner" && (p.Status != store.Active || p.StaleReason != "") {
				t.Errorf("%s reads of %s: %s since %s, %q", sees, p.ID, p.Status, p.FirstSeen, p.StaleReason)
			}
		}
	}
}

func TestAnImageRunsIfAContainerThatIsSeenAndHasNotFinishedUsesIt(t *testing.T) {
	e := newEstate(t)
	for _, c := range []struct {
		sees graph.Scope
		want string
	}{
		{cart, "app:true tool:false"}, // a job that is done and a pod that failed use the tool
		{till, "tool:true"},
		{cartTill, "app:true tool:true"},
		{cartBank, "app:true tool:false safe:true"},
		{stock, ""},
	} {
		running := []string{}
		for _, name := range []string{"app", "tool", "safe", "idle"} {
			if n, seen := e.For(c.sees).View.Node("Image", "sha256:"+name); seen {
				running = append(running, name+":"+n.Value("running").String())
			}
		}
		same(t, c.sees.String(), running, "["+c.want+"]")
	}
	pods := func(sees graph.Scope, image string) (out []string) {
		for _, n := range e.For(sees).Pods("sha256:" + image) {
			out = append(out, n.ID())
		}
		return out
	}
	same(t, "the app runs in", pods(all, "app"), "[bank/vault/Pod/safe shop/cart/Pod/web]") // which has two containers of it
	same(t, "who sees the cart: the app runs in", pods(cart, "app"), "[shop/cart/Pod/web]")
	same(t, "the tool runs in", pods(all, "tool"), "[shop/cart/Pod/broke shop/cart/Pod/done shop/till/Pod/pay]")
	same(t, "who sees the till: the tool runs in", pods(till, "tool"), "[shop/till/Pod/pay]")
	same(t, "who sees the till: the app runs in", pods(till, "app"), "[]")
}

func TestAWorldIsAsOldAsTheOldestPictureInIt(t *testing.T) {
	e := newEstate(t)
	for _, c := range []struct {
		sees graph.Scope
		want string
	}{
		{all, began.String()}, // the mill, which was never read, has no time
		{cartBank, began.String()}, {shop, e.For(all).Clusters["shop"].AsOf.String()}, {nobody, "never"},
	} {
		got := "never"
		if at := e.For(c.sees).AsOf(); at != nil {
			got = at.String()
		}
		same(t, c.sees.String(), got, c.want)
	}
}

func TestAWorldIsMadeOnceForAllWhoSeeTheSame(t *testing.T) {
	e := newEstate(t)
	first := e.For(graph.Scope{Segments: map[string][]string{"shop": {"till", "cart"}}})
	if e.For(cartTill).World != first.World {
		t.Error("it is made again for the next who asks")
	}
	if e.For(cart).World == first.World {
		t.Error("it is given to somebody who sees less")
	}
	same(t, "the scope", first.Scope(), graph.Scope{Segments: map[string][]string{"shop": {"till", "cart"}}})
	e.picture.world.Store(draw(func(d *drawing) { d.world.Clusters["shop"].Open = nil }))
	same(t, "open paths of the next picture", len(e.For(cartTill).Open()), 0)
	same(t, "open paths of who asked before", len(first.Open()), 2)
}

func TestFactsAreToldToThoseWhoSeeTheWholeCluster(t *testing.T) {
	e := newEstate(t)
	for _, c := range []struct {
		sees    graph.Scope
		cluster string
		told    bool
	}{{all, "shop", true}, {shop, "shop", true}, {cart, "shop", false}, {cartBank, "bank", true},
		{shop, "bank", false}, {nobody, "shop", false}} {
		looked := false
		err := e.For(c.sees).Facts(t.Context(), c.cluster, func(*collect.Facts) { looked = true })
		if looked != c.told || errors.Is(err, ErrOutside) == c.told {
			t.Errorf("%s asks for the facts of %s: told %v, %v", c.sees, c.cluster, looked, err)
		}
	}
}

func TestEveryoneIsToldWhatIsNewToThem(t *testing.T) {
	change := func(f func(d *drawing)) func(*testing.T, *estate) live.Event {
		return func(t *testing.T, e *estate) live.Event {
			w := draw(f)
			w.Version++
			e.picture.world.Store(w)
			return live.Event{Version: w.Version, Cluster: "shop", Kinds: []string{"Pod", "Gap", "Secret"}}
		}
	}
	alert := func(kinds []string, entities ...string) func(*testing.T, *estate) live.Event {
		return func(t *testing.T, e *estate) live.Event {
			e.alert(t, "shop", "fresh", entities...)
			return live.Event{Kinds: kinds}
		}
	}
	for name, c := range map[string]struct {
		happens func(*testing.T, *estate) live.Event
		told    map[string]string // by scope
	}{
		"a pod comes to the till": {change(func(d *drawing) { d.pod(d.shop, "till", "new", "Running") }),
			map[string]string{"till": "shop [Cluster Pod]", "shop": "shop [Pod]"}},
		"a pod of the till ends": {change(func(d *drawing) { d.pod(d.shop, "till", "pay", "Failed") }),
			map[string]string{"till": " [Image Pod]", "shop": " [Image Pod]"}}, // its image, which is of no cluster, runs no more
		"a pod uses another image too": {change(func(d *drawing) { d.pod(d.shop, "cart", "web", "Running", "app", "safe") }),
			map[string]string{"cart": " [Container Gap Image Registry Repository]", "cart bank": "shop [Container]",
				"shop": " [Container Image Registry Repository]"}},
		"the machine is named otherwise": {change(func(d *drawing) { d.shop.Node("Node", "Node/n1", graph.S("name", "n2")) }),
			map[string]string{"shop": "shop [Node]"}},
		"a service leads to the web": {change(func(d *drawing) {
			s := d.shop.Node("Service", "cart/Service/front", graph.S("namespace", "cart"))
			d.shop.Edge("ROUTES_TO", s, d.shop.Ref("Pod", "cart/Pod/web"), graph.L("ports", []string{"80/TCP"}))
		}), map[string]string{"cart": "shop [Service]", "cart bank": "shop [Service]", "shop": "shop [Service]"}},
		"a gap of the whole cluster": {change(func(d *drawing) {
			d.world.Clusters["shop"].Gaps = append(d.world.Clusters["shop"].Gaps, collect.Gap{Source: "api", What: "widgets"})
		}), map[string]string{"shop": "shop [Gap]"}},
		"a path of the cart is resolved": {change(func(d *drawing) { d.world.Clusters["shop"].Open = d.world.Clusters["shop"].Open[:1] }),
			map[string]string{"cart": "shop [AttackPath]", "cart bank": "shop [AttackPath]", "shop": "shop [AttackPath]"}},
		"a cluster is lost": {change(func(d *drawing) { d.world.Clusters["shop"].State = live.Lost }),
			map[string]string{"cart": "shop [Cluster]", "till": "shop [Cluster]", "cart bank": "shop [Cluster]", "shop": "shop [Cluster]"}},
		"the picture is drawn again": {change(nil), nil},
		"an alert of the till":       {alert([]string{"Alert"}, "till"), map[string]string{"till": " [Alert]", "shop": " [Alert]"}},
		"an alert of cart and till":  {alert([]string{"Alert"}, "cart", "till"), map[string]string{"shop": " [Alert]"}},
		"an alert not told of yet":   {alert([]string{"Pod"}, "till"), nil},
		"alerts cannot be read": {func(t *testing.T, e *estate) live.Event {
			e.store.Close()
			return live.Event{Kinds: []string{"Alert"}}
		}, map[string]string{"cart": " [Alert]", "till": " [Alert]", "cart bank": " [Alert]", "shop": " [Alert]"}},
	} {
		for who, sees := range map[string]graph.Scope{"cart": cart, "till": till, "cart bank": cartBank, "shop": shop} {
			t.Run(name+", of who sees "+who, func(t *testing.T) {
				e := newEstate(t)
				events := e.For(sees).Subscribe(t.Context())
				e.picture.events <- c.happens(t, e)
				close(e.picture.events)
				got := ""
				for told := range events {
					got += fmt.Sprint(told.Cluster, " ", told.Kinds)
					same(t, "the version", told.Version, e.For(sees).Version)
				}
				if got != c.told[who] {
					t.Errorf("is told %q, want %q", got, c.told[who])
				}
			})
		}
	}
	e := newEstate(t)
	events := e.For(all).Subscribe(t.Context())
	go func() { e.picture.events <- live.Event{Version: 3, Kinds: []string{"Secret"}} }()
	same(t, "who sees everything is told", <-events, live.Event{Version: 3, Kinds: []string{"Secret"}})
}

func TestTheSamePictureIsNotToldTwice(t *testing.T) {
	e := newEstate(t)
	events := e.For(till).Subscribe(t.Context())
	e.alert(t, "shop", "fresh", "till")
	e.picture.world.Store(draw(func(d *drawing) { d.pod(d.shop, "till", "new", "Running") }))
	for range 3 {
		e.picture.events <- live.Event{Kinds: []string{"Alert", "Pod"}}
	}
	close(e.picture.events)
	got := ""
	for told := range events {
		got += fmt.Sprint(told.Kinds)
	}
	same(t, "is told", got, "[Cluster Pod Alert]")
}
