package scope

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/event"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/registries"
	"github.com/breakwater-sec/breakwater/store"
)

// alert stores one that names a pod in each namespace; "" is a node.
func (e *estate) alert(t *testing.T, cluster, id string, namespaces ...string) {
	t.Helper()
	a := detect.Alert{ID: id, Rule: "rule", Title: id, Severity: "high", Cluster: cluster, Context: []detect.About{{ID: "as it was"}}}
	for _, n := range namespaces {
		about := event.Entity{Role: event.Target, Kind: "Pod", Namespace: n, Name: "p"}
		if n == "" {
			about.Kind = "Node"
		}
		a.Entities = append(a.Entities, about)
	}
	seen := store.AlertSeen{Cluster: cluster, ID: id, Rule: "rule", Severity: "high", FirstSeen: began, LastSeen: began, Events: []string{"e"},
		Body: body(t, a)}
	if err := e.store.PutAnalysed(t.Context(), store.Analysed{Cluster: cluster, Alerts: []store.AlertSeen{seen}}); err != nil {
		t.Fatal(err)
	}
}

func TestAnAlertIsSeenByThoseWhoSeeEverythingThatItNames(t *testing.T) {
	e := newEstate(t)
	e.alert(t, "shop", "a-cart", "cart")
	e.alert(t, "shop", "b-both", "cart", "till")
	e.alert(t, "shop", "c-node", "")
	e.alert(t, "bank", "d-vault", "vault")
	e.alert(t, "bank", "e-cart", "cart") // of another cluster, a namespace of that name
	e.alert(t, "sold", "f-sold", "cart") // of a cluster that is watched no longer
	ids := []string{"shop/a-cart", "shop/b-both", "shop/c-node", "bank/d-vault", "bank/e-cart", "sold/f-sold"}
	for _, c := range []struct {
		sees  graph.Scope
		want  string
		whole string // of which of them what the graph knew is told
	}{
		{all, "a-cart b-both c-node d-vault e-cart f-sold", "a-cart b-both c-node d-vault e-cart f-sold"},
		{shop, "a-cart b-both c-node", "a-cart b-both c-node"},
		{cart, "a-cart", ""}, {till, "", ""}, {cartTill, "a-cart b-both", ""}, {cartBank, "a-cart d-vault e-cart", "d-vault e-cart"},
		{nobody, "", ""},
	} {
		r := e.For(c.sees)
		page, _, err := r.Alerts(t.Context(), store.AlertFilter{}, "", 10)
		if err != nil {
			t.Fatal(err)
		}
		counts, err := r.CountAlerts(t.Context(), store.AlertFilter{})
		if err != nil {
			t.Fatal(err)
		}
		listed, read, whole := map[string]bool{}, []string{}, []string{}
		for _, a := range page {
			listed[a.ID] = true
		}
		for _, id := range ids {
			cluster, id, _ := strings.Cut(id, "/")
			stored, a, err := r.Alert(t.Context(), cluster, id)
			if errors.Is(err, store.ErrNotFound) {
				same(t, c.sees.String()+" is not told of", stored.ID+string(stored.Body), "")
			} else if err != nil {
				t.Fatal(err)
			} else {
				read = append(read, id)
				if a.Context != nil {
					whole = append(whole, id)
				}
			}
			same(t, c.sees.String()+" finds in the list "+id, listed[id], err == nil)
		}
		same(t, c.sees.String()+" counts", counts["high"], len(page))
		same(t, c.sees.String()+" reads", read, "["+c.want+"]")
		same(t, c.sees.String()+" reads what the graph knew of", whole, "["+c.whole+"]")
	}
}

func TestAnAlertIsDecidedOnByThoseWhoSeeIt(t *testing.T) {
	e := newEstate(t)
	e.alert(t, "shop", "one", "cart")
	no := store.AlertChange{Status: new(store.AlertResolved), Reason: "no", By: "bob"}
	yes := store.AlertChange{Status: new(store.AlertResolved), Reason: "yes", By: "alice"}
	if err := e.For(till).ChangeAlert(t.Context(), "shop", "one", no); !errors.Is(
		err,
		store.ErrNotFound,
	) {
		t.Error(err)
	}
	stored, err := e.store.Alert(t.Context(), "shop", "one")
	same(t, "after who does not see it", fmt.Sprint(stored.Status, err, e.picture.told), "new<nil> []")
	if err := e.For(cart).ChangeAlert(t.Context(), "shop", "one", yes); err != nil {
		t.Error(err)
	}
	stored, err = e.store.Alert(t.Context(), "shop", "one")
	same(t, "after who sees it", fmt.Sprint(stored.Status, err, e.picture.told), "resolved<nil> [Alert]")
}

func TestResolvedPathsAreThoseOfWhichSomethingIsSeen(t *testing.T) {
	e := newEstate(t)
	of := func(id, title string, nodes ...analyse.Thing) analyse.Path {
		return analyse.Path{ID: id, Title: title, Nodes: nodes, Cluster: "shop", Entry: internet, Foothold: nodes[0],
			Target: nodes[len(nodes)-1]}
	}
	e.gone(t, "shop", of("g1", "1", internet, web, machine), of("g2", "2", account, web), of("g3", "3", account), of("g4", "4", machine),
		of("g5", "5", front))
	vault := of("g6", "6", safe)
	vault.Cluster = "bank"
	e.gone(t, "bank", vault)
	anything := func(Life) bool { return true }
	onMachine := func(l Life) bool { return l.Has(machine.ID) }
	for _, c := range []struct {
		sees  graph.Scope
		f     store.PathFilter
		fits  func(Life) bool
		limit int
		want  string // page by page
	}{
		{all, store.PathFilter{}, anything, 4, "g1 g2 g3 g4 of 6, g5 g6 of 6"},
		{all, store.PathFilter{Entity: machine.ID}, onMachine, 4, "g1 g4 of 2"},
		{shop, store.PathFilter{}, anything, 5, "g1 g2 g3 g4 g5 of 5"},
		{shop, store.PathFilter{}, anything, 0, "of 5"},
		{cart, store.PathFilter{}, anything, 2, "g1 g2 of 3, g5 of 3"},
		{cart, store.PathFilter{}, anything, 3, "g1 g2 g5 of 3"},
		{cart, store.PathFilter{}, anything, 1, "g1 of 3, g2 of 3, g5 of 3"},
		{cart, store.PathFilter{}, anything, 0, "of 3"},
		{cart, store.PathFilter{Entity: machine.ID}, onMachine, 2, "of 0"}, // that it is on one cannot be asked
		{cartBank, store.PathFilter{}, anything, 9, "g1 g2 g5 g6 of 4"},
		{till, store.PathFilter{}, anything, 9, "g2 g3 of 2"},
		{stock, store.PathFilter{}, anything, 9, "of 0"}, {nobody, store.PathFilter{}, anything, 9, "of 0"},
	} {
		var pages []string
		for cursor := ""; ; {
			page, next, total, err := e.For(c.sees).Resolved(t.Context(), c.f, c.fits, cursor, c.limit)
			if err != nil {
				t.Fatal(err)
			}
			text := ""
			for _, l := range page {
				text += l.ID + " "
				if l.Status != store.Resolved || !l.LastSeen.After(l.FirstSeen) {
					t.Errorf("%s is %s, %s to %s", l.ID, l.Status, l.FirstSeen, l.LastSeen)
				}
			}
			pages = append(pages, fmt.Sprint(text, "of ", total))
			if cursor = next; next == "" || len(pages) > 9 {
				break
			}
		}
		same(t, fmt.Sprintf("%s asks for %+v, %d a page", c.sees, c.f, c.limit), strings.Join(pages, ", "), c.want)
		for _, cursor := range []string{"nonsense", "shop/g4", "bank/g1"} {
			if _, _, _, err := e.For(c.sees).Resolved(t.Context(), c.f, c.fits, cursor, max(1, c.limit)); !errors.Is(err, store.ErrCursor) {
				t.Errorf("%s goes on after %s: %v", c.sees, cursor, err)
			}
		}
	}
}

func TestWhatCannotBeReadIsNoEmptyList(t *testing.T) {
	e := newEstate(t)
	e.store.Close()
	for _, sees := range []graph.Scope{all, shop, cart} {
		for _, limit := range []int{0, 5} {
			if _, _, _, err := e.For(sees).Resolved(t.Context(), store.PathFilter{}, func(Life) bool { return true }, "", limit); err == nil {
				t.Errorf("%s reads of no resolved paths", sees)
			}
		}
		if _, _, _, err := e.For(sees).RegistryImages(t.Context(), store.RegistryFilter{Host: "registry.example"}, "", 5); err == nil {
			t.Errorf("%s reads of a registry without images", sees)
		}
		if _, err := e.For(sees).CountRegistry(t.Context(), "registry.example"); err == nil {
			t.Errorf("%s counts nothing in a registry", sees)
		}
	}
}

func TestResolvedPathsAreFoundAfterManyThatDoNotFit(t *testing.T) {
	e := newEstate(t)
	var many []analyse.Path
	for i := range pastPage + 2 {
		id := fmt.Sprintf("g%04d", i)
		many = append(many, analyse.Path{ID: id, Title: id, Cluster: "shop", Nodes: []analyse.Thing{web}})
	}
	e.gone(t, "shop", many...)
	last := many[len(many)-1].ID
	page, _, total, err := e.For(cart).Resolved(t.Context(), store.PathFilter{}, func(l Life) bool { return l.ID == last }, "", 5)
	if err != nil || total != 1 || len(page) != 1 || page[0].ID != last {
		t.Errorf("%v of %d, %v", page, total, err)
	}
}

func TestOnePathIsReadWhereSomethingOfItIsSeen(t *testing.T) {
	e := newEstate(t)
	gone := across()
	gone.ID = "gone"
	e.gone(t, "shop", gone)
	e.gone(t, "sold", gone)
	e.apply(t, "shop", 3, nil, store.FoundPath{ID: "odd", Body: []byte(`{"nodes":[{"namespace":"cart"}],"pods":"many"}`)})
	e.apply(t, "shop", 4, nil)
	for _, c := range []struct {
		sees        graph.Scope
		cluster, id string
		want        string
	}{
		{all, "shop", "across", "From front to n1"}, {all, "shop", "inner", "From front to web"}, {all, "bank", "inner", "To the safe"},
		{all, "shop", "gone", "From front to n1"}, {shop, "shop", "gone", "From front to n1"}, {cart, "shop", "gone", "From front to n1"},
		{till, "shop", "gone", "Attack path through your scope"}, {till, "shop", "across", "Attack path through your scope"},
		{till, "shop", "inner", ""}, {stock, "shop", "gone", ""}, {cart, "bank", "inner", ""}, {nobody, "shop", "gone", ""},
		{all, "sold", "gone", ""}, // it is watched no longer
		{all, "shop", "nonsense", ""},
	} {
		l, err := e.For(c.sees).Life(t.Context(), c.cluster, c.id)
		switch {
		case c.want == "" && !errors.Is(err, store.ErrNotFound), c.want != "" && err != nil:
			t.Errorf("%s asks for %s of %s: %v", c.sees, c.id, c.cluster, err)
		case c.want != "" && l.Title != c.want:
			t.Errorf("%s reads of %s of %s: %s", c.sees, c.id, c.cluster, l.Title)
		case c.want != "" && l.LastSeen.IsZero():
			t.Errorf("%s of %s was never seen", c.id, c.cluster)
		}
	}
	_, err := e.For(cart).Life(t.Context(), "shop", "odd")
	if err == nil || errors.Is(err, store.ErrNotFound) || !strings.Contains(err.Error(), "odd of shop") {
		t.Error("a path that cannot be read:", err)
	}
}

func TestWhyAPathWasStaleIsToldToThoseWhoSeeTheCluster(t *testing.T) {
	e := newEstate(t)
	found := store.FoundPath{ID: "across", Body: body(t, across())}
	e.apply(t, "shop", 1, nil, found)
	e.apply(t, "shop", 2, func(string) string { return "secrets" })
	e.apply(t, "shop", 3, nil, found)
	for _, c := range []struct {
		sees graph.Scope
		want string
	}{{all, "[opened stale: secrets seen again]"}, {shop, "[opened stale: secrets seen again]"}, {cart, "[opened stale seen again]"}} {
		l, err := e.For(c.sees).Life(t.Context(), "shop", "across")
		if err != nil {
			t.Fatal(err)
		}
		events, err := e.For(c.sees).History(t.Context(), l)
		if err != nil {
			t.Fatal(err)
		}
		var what []string
		for _, e := range events {
			what = append(what, e.What)
		}
		same(t, c.sees.String(), what, c.want)
	}
}

func TestSensorsAreOfTheClustersThatAreSeenWhole(t *testing.T) {
	e := newEstate(t)
	for _, cluster := range []string{"shop", "bank"} {
		if err := e.store.PutSensor(t.Context(), store.Sensor{Cluster: cluster, Node: "n1", SeenAt: began, Status: []byte("{}")}); err != nil {
			t.Fatal(err)
		}
		runs := store.Analysed{Cluster: cluster, Batch: &store.EventBatch{Source: "s"},
			Runs: []store.RunCame{{Node: "n1", Boot: "b", Sequences: []uint64{1}}}}
		if err := e.store.PutAnalysed(t.Context(), runs); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		sees          graph.Scope
		cluster, want string
	}{{all, "", "bank shop"}, {all, "shop", "shop"}, {shop, "", "shop"},
		{shop, "bank", ""}, {cart, "", ""}, {cartBank, "", "bank"}, {nobody, "", ""}} {
		sensors, runs, err := e.For(c.sees).Sensors(t.Context(), c.cluster)
		if err != nil {
			t.Fatal(err)
		}
		of, ran := []string{}, []string{}
		for _, s := range sensors {
			of = append(of, s.Cluster)
		}
		for _, s := range runs {
			ran = append(ran, s.Cluster)
		}
		same(t, c.sees.String()+" reads sensors of "+c.cluster, of, "["+c.want+"]")
		same(t, c.sees.String()+" reads runs of "+c.cluster, ran, "["+c.want+"]")
	}
	none := New(Config{Picture: e.picture}).For(all)
	sensors, runs, err := none.Sensors(t.Context(), "")
	same(t, "without sensors", fmt.Sprint(none.HasSensors(), sensors, runs, err, e.For(cart).HasSensors()), "false [] [] <nil> true")
}

func TestImagesAreThoseThatTheGraphLeadsTo(t *testing.T) {
	e := newEstate(t)
	for _, c := range []struct {
		sees                           graph.Scope
		images, registries, gaps, read string
	}{
		{all, "app safe idle", "registry.example safe.example other.example", "app safe", "app tool safe"}, // one is in no graph
		{shop, "app", "registry.example other.example", "app", "app tool"},
		{cart, "app", "registry.example other.example", "app", "app tool"},
		{till, "", "other.example", "", "tool"},
		{cartBank, "app safe", "registry.example safe.example other.example", "app safe", "app tool safe"},
		{nobody, "", "", "", ""},
	} {
		r := e.For(c.sees)
		images, gaps, read, hosts := []string{}, []string{}, []string{}, []string{}
		assessed := r.Images()
		for _, name := range []string{"app", "tool", "safe", "idle"} {
			id := "sha256:" + name
			if i, there := assessed[id]; there && i.ID == id {
				images = append(images, name)
			}
			if len(r.ImageGaps(t.Context(), id)) > 0 {
				gaps = append(gaps, name)
			}
			if i, err := r.Inventory(t.Context(), id); i != nil && err == nil {
				read = append(read, name)
			}
			again, err := r.Retry(t.Context(), id)
			if errors.Is(err, ErrOutside) == r.All() || again != (r.All() && name != "tool") {
				t.Errorf("%s reads %s again: %v, %v", c.sees, name, again, err)
			}
		}
		for _, g := range r.Registries() {
			hosts = append(hosts, g.Host)
			if one, there := r.RegistryNow(g.Host); !there || one.Host != g.Host {
				t.Errorf("%s asks for %s: %v", c.sees, g.Host, one)
			}
			if g.State != registries.Refused || !g.LastReadAt.Equal(began) || g.NextReadAt.IsZero() || g.CheckedAt.IsZero() || !g.Insecure ||
				(g.Account+g.Why+g.AccountFrom != "") != r.All() || len(g.Seen)+len(g.Permissions) > 0 != r.All() {
				t.Errorf("%s reads %+v", c.sees, g)
			}
		}
		same(t, c.sees.String()+" sees images", images, "["+c.images+"]")
		same(t, c.sees.String()+" sees as many images", len(assessed), len(images))
		same(t, c.sees.String()+" reads gaps of", gaps, "["+c.gaps+"]")
		same(t, c.sees.String()+" reads what is in", read, "["+c.read+"]")
		same(t, c.sees.String()+" sees registries", hosts, "["+c.registries+"]")
		if one, there := r.RegistryNow("nonsense.example"); there || one.Host != "" {
			t.Errorf("%s reads of a registry that is not: %v", c.sees, one)
		}
		if _, err := r.Administer(); errors.Is(err, ErrOutside) == r.All() {
			t.Errorf("%s administers: %v", c.sees, err)
		}
	}
}

// hold lets a registry hold tags of images, name=image.
func (e *estate) hold(t *testing.T, host, repository string, tags ...string) {
	t.Helper()
	var held []registries.Tag
	var queued []assess.Record
	for _, text := range tags {
		name, image, _ := strings.Cut(text, "=")
		held = append(held, registries.Tag{Name: name, Digest: "sha256:" + image})
		reference := host + "/" + repository + ":" + name
		queued = append(queued, assess.Record{ID: "sha256:" + image, Host: host, Reference: reference, State: assess.Queued})
	}
	if err := e.store.PutRepository(context.Background(), host, repository, held, queued); err != nil {
		t.Fatal(err)
	}
}

func TestOfARegistryIsSeenWhichImagesItHoldsThatAreSeen(t *testing.T) {
	e := newEstate(t)
	e.hold(t, "registry.example", "app", "1=app", "2=app", "3=secret")
	e.hold(t, "registry.example", "copy", "1=app", "2=tool")
	e.hold(t, "registry.example", "more", "1=safe")
	e.hold(t, "registry.example", "hidden", "1=secret2")
	e.hold(t, "other.example", "tool", "1=tool")
	for _, c := range []struct {
		sees   graph.Scope
		state  string
		limit  int
		want   string // page by page
		counts string
		places string // of the app
	}{
		{all, "", 9, "app secret tool secret2 safe of 5", "4 7 map[queued:5]", "app:1 app:2 copy:1"},
		{cart, "", 1, "app of 2, tool of 2", "2 4 map[queued:2]", "app:1 app:2 copy:1"},
		{cart, "", 2, "app tool of 2", "2 4 map[queued:2]", "app:1 app:2 copy:1"},
		{cart, "failed", 2, "of 0", "2 4 map[queued:2]", "app:1 app:2 copy:1"},
		{cartBank, "", 2, "app tool of 3, safe of 3", "3 5 map[queued:3]", "app:1 app:2 copy:1"},
		{till, "", 9, "tool of 1", "1 1 map[queued:1]", ""},
		{nobody, "", 9, "of 0", "0 0 map[]", ""},
	} {
		r := e.For(c.sees)
		var pages []string
		for cursor := ""; ; {
			f := store.RegistryFilter{Host: "registry.example", State: c.state}
			page, total, next, err := r.RegistryImages(t.Context(), f, cursor, c.limit)
			if err != nil {
				t.Fatal(err)
			}
			text := ""
			for _, i := range page {
				text += strings.TrimPrefix(i.ID, "sha256:") + " "
			}
			pages = append(pages, fmt.Sprint(text, "of ", total))
			if cursor = next; next == "" || len(pages) > 9 {
				break
			}
		}
		same(t, c.sees.String()+" pages through images", strings.Join(pages, ", "), c.want)
		counts, err := r.CountRegistry(t.Context(), "registry.example")
		same(t, c.sees.String()+" counts", fmt.Sprint(counts.Repositories, counts.Tags, counts.Images, err), c.counts+" <nil>")
		places, err := r.Places(t.Context(), "registry.example", "sha256:app")
		if err != nil {
			t.Fatal(err)
		}
		var where []string
		for _, p := range places {
			where = append(where, p.Repository+":"+p.Name)
		}
		same(t, c.sees.String()+" finds the app in", where, "["+c.places+"]")
		secret, err := r.Places(t.Context(), "registry.example", "sha256:secret")
		if err != nil || len(secret) > 0 != r.All() {
			t.Errorf("%s finds what nothing runs in %v, %v", c.sees, secret, err)
		}
		for _, cursor := range []string{"nonsense", "sha256:secret"} {
			_, _, _, err := r.RegistryImages(t.Context(), store.RegistryFilter{Host: "registry.example"}, cursor, 9)
			if !errors.Is(err, store.ErrCursor) {
				t.Errorf("%s goes on after %s: %v", c.sees, cursor, err)
			}
		}
	}
}

func TestAnImageIsFoundAfterManyThatAreNotSeen(t *testing.T) {
	e := newEstate(t)
	var tags []string
	for i := range pastPage + 2 {
		tags = append(tags, fmt.Sprintf("%04d=hidden-%d", i, i))
	}
	e.hold(t, "registry.example", "app", append(tags, "z=app")...)
	page, total, next, err := e.For(cart).RegistryImages(t.Context(), store.RegistryFilter{Host: "registry.example"}, "", 1)
	if err != nil || total != 1 || next != "" || len(page) != 1 || page[0].ID != "sha256:app" {
		t.Errorf("%v of %d, %q, %v", page, total, next, err)
	}
}
