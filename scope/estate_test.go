package scope

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/image"
	"github.com/breakwater-sec/breakwater/live"
	"github.com/breakwater-sec/breakwater/registries"
	"github.com/breakwater-sec/breakwater/schema"
	"github.com/breakwater-sec/breakwater/store"
)

// The askers of these tests, by what they see.
var (
	all      = graph.Everything
	shop     = graph.Scope{Segments: map[string][]string{"shop": nil}}
	cart     = graph.Scope{Segments: map[string][]string{"shop": {"cart"}}}
	till     = graph.Scope{Segments: map[string][]string{"shop": {"till"}}}
	cartTill = graph.Scope{Segments: map[string][]string{"shop": {"cart", "till"}}}
	stock    = graph.Scope{Segments: map[string][]string{"shop": {"stock"}}}
	cartBank = graph.Scope{Segments: map[string][]string{"shop": {"cart"}, "bank": nil}}
	nobody   = graph.Scope{}
)

// began is when everything in these tests happened.
var began = time.Now().Add(-time.Hour).Truncate(time.Second).UTC()

// drawing is two clusters before they are built: shop with the namespaces cart, till
// and stock, and bank with vault.
type drawing struct {
	shared     *graph.Shared
	shop, bank *graph.Builder
	world      *live.World
}

// draw makes a world; change, if not nil, makes it a different one.
func draw(change func(*drawing)) *live.World {
	v := schema.Vocabulary()
	d := &drawing{shared: graph.NewShared(v), shop: graph.NewBuilder(v, "shop"), bank: graph.NewBuilder(v, "bank")}
	for _, i := range []struct{ name, repository, host string }{
		{"app", "registry.example/app", "registry.example"}, {"tool", "other.example/tool", "other.example"},
		{"safe", "safe.example/safe", "safe.example"},
	} {
		id := "sha256:" + i.name
		d.shared.Put("Image", id, graph.S("name", i.repository+":1"), graph.B("running", true))
		d.shared.Put("Repository", i.repository)
		d.shared.Put("Registry", i.host)
		d.shared.SetEdges("STORED_IN", "Image", id, "Repository", []graph.Target{{Kind: "Repository", ID: i.repository}})
		d.shared.SetEdges("STORED_IN", "Repository", i.repository, "Registry", []graph.Target{{Kind: "Registry", ID: i.host}})
	}
	for _, n := range []string{"cart", "till", "stock"} {
		d.shop.Node("Namespace", "Namespace/"+n, graph.S("name", n))
	}
	d.shop.Node("Node", "Node/n1", graph.S("name", "n1"))
	d.pod(d.shop, "cart", "web", "Running", "app", "app")
	d.pod(d.shop, "cart", "done", "Succeeded", "tool")
	d.pod(d.shop, "cart", "broke", "Failed", "tool")
	d.pod(d.shop, "till", "pay", "Running", "tool")
	d.bank.Node("Namespace", "Namespace/vault", graph.S("name", "vault"))
	d.pod(d.bank, "vault", "safe", "Running", "safe", "app")
	d.world = &live.World{Version: 20, RegistryGaps: []collect.Gap{{Source: "registry", What: "repository hidden"}}}
	d.world.Clusters = map[string]*live.Cluster{
		"shop": {Name: "shop", State: live.Current, AsOf: began.Add(time.Minute), Version: 7,
			Info:   collect.ClusterInfo{Name: "shop", Version: "v1.37.2", UID: "uid", Server: "https://shop", Source: "context:shop"},
			Counts: map[string]int{"Namespace": 3, "Node": 1, "Pod": 4, "Secret": 0}, Unread: map[string]int{"Widget": 3}, Took: time.Second,
			Gaps: []collect.Gap{{Source: "api", What: "secrets"}, {Source: "image", What: "image registry.example/app:1"},
				{Source: "image", What: "image safe.example/safe:1"}, {Source: "advisories", What: "image registry.example/app:1"}},
			Paths: []analyse.Path{across(), inner()}, Open: []live.Path{life(across()), life(inner())}},
		"bank": {Name: "bank", State: live.Lost, AsOf: began, Version: 5, Info: collect.ClusterInfo{Name: "bank", UID: "uid"},
			Counts: map[string]int{"Pod": 1}, Open: []live.Path{life(robbery())}, Paths: []analyse.Path{robbery()}},
		"mill": {Name: "mill", State: live.Loading},
	}
	d.world.Clusters["shop"].Open[0].Status, d.world.Clusters["shop"].Open[0].StaleReason = store.Stale, "secrets cannot be read any more"
	if change != nil {
		change(d)
	}
	frozen := d.shared.Freeze()
	var segments []*graph.Segment
	for name, b := range map[string]*graph.Builder{"shop": d.shop, "bank": d.bank} {
		seg, dangling := b.Build(frozen)
		if len(dangling) > 0 {
			panic(fmt.Sprint(dangling))
		}
		d.world.Clusters[name].Segment = seg
		segments = append(segments, seg)
	}
	d.world.View = graph.NewView(v, frozen, segments...)
	return d.world
}

func (d *drawing) pod(b *graph.Builder, namespace, name, phase string, images ...string) {
	id := namespace + "/Pod/" + name
	p := b.Node("Pod", id, graph.S("name", name), graph.S("namespace", namespace), graph.S("phase", phase))
	for i, image := range images {
		c := b.Node("Container", fmt.Sprint(id, "/c", i), graph.S("namespace", namespace))
		b.Edge("RUNS", p, c)
		b.Edge("USES_IMAGE", c, b.Ref("Image", "sha256:"+image))
	}
}

func life(p analyse.Path) live.Path {
	return live.Path{Path: &p, Status: store.Active, FirstSeen: began}
}

// picture is the world of now; what is sent to events is told to who subscribes.
type picture struct {
	world  atomic.Pointer[live.World]
	events chan live.Event
	told   []string
}

func (p *picture) World() *live.World                          { return p.world.Load() }
func (p *picture) Subscribe(context.Context) <-chan live.Event { return p.events }
func (p *picture) Tell(kinds ...string)                        { p.told = append(p.told, kinds...) }
func (p *picture) Facts(_ context.Context, _ string, look func(*collect.Facts)) (bool, error) {
	look(&collect.Facts{})
	return true, nil
}

// known is what is known of images, by id.
type known map[string]*assess.Assessment

func (k known) Images() map[string]assess.Image {
	out := map[string]assess.Image{}
	for id := range k {
		out[id] = assess.Image{ID: id}
	}
	return out
}

func (k known) Assessment(_ context.Context, id string) *assess.Assessment { return k[id] }

func (k known) Inventory(_ context.Context, id string) (*image.Inventory, error) {
	return &image.Inventory{Reference: id}, nil
}

func (k known) Retry(_ context.Context, id string) (bool, error) { return k[id] != nil, nil }

// connected are registries that are connected, of which nothing can be changed.
type connected struct {
	registriesChanged
	all []registries.Registry
}

type registriesChanged interface {
	Connect(ctx context.Context, what collect.Registry) error
	Disconnect(ctx context.Context, host string) error
	Check(ctx context.Context, what collect.Registry) (p []collect.Permission, who, from string, err error)
	Preview(ctx context.Context, what collect.Registry) (collect.Preview, error)
	Reread(host string) error
}

func (c connected) Registries() []registries.Registry { return c.all }

// estate is everything that there is.
type estate struct {
	*Unscoped
	picture *picture
	store   *store.Store
}

func newEstate(t *testing.T) *estate {
	t.Helper()
	st, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "b.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	e := &estate{picture: &picture{events: make(chan live.Event)}, store: st}
	e.picture.world.Store(draw(nil))
	hosts := []registries.Registry{registryOf("registry.example"), registryOf("safe.example"), registryOf("other.example")}
	failed := &assess.Assessment{}
	failed.Gaps = []collect.Gap{{Source: "image", What: "a layer"}}
	e.Unscoped = New(Config{Picture: e.picture, Records: st, Sensors: st, Tokens: st,
		Images:     known{"sha256:app": failed, "sha256:safe": failed, "sha256:idle": failed},
		Registries: connected{all: hosts}})
	return e
}

func registryOf(host string) registries.Registry {
	r := registries.Registry{State: registries.Refused, Why: "401 for robot", LastReadAt: began, NextReadAt: began.Add(time.Hour),
		CheckedAt: began.Add(time.Minute), Account: "robot", AccountFrom: "a secret",
		Permissions: []collect.Permission{{}}, Seen: []collect.Gap{{}}}
	r.Host, r.From, r.Insecure = host, registries.FromFile, true
	return r
}

// gone stores a path of each body and resolves it.
func (e *estate) gone(t *testing.T, cluster string, paths ...analyse.Path) {
	t.Helper()
	var found []store.FoundPath
	for _, p := range paths {
		found = append(found, store.FoundPath{ID: p.ID, Body: body(t, p)})
	}
	e.apply(t, cluster, 1, nil, found...)
	e.apply(t, cluster, 2, nil)
}

func (e *estate) apply(t *testing.T, cluster string, version uint64, hold func(string) string, found ...store.FoundPath) {
	t.Helper()
	at := began.Add(time.Duration(version) * time.Second)
	a := store.Analysis{Cluster: cluster, Version: version, At: at, Paths: found, Hold: hold}
	if _, _, err := e.store.Apply(t.Context(), a); err != nil {
		t.Fatal(err)
	}
}

func body(t *testing.T, what any) []byte {
	t.Helper()
	b, err := json.Marshal(what)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// same compares what is said in a few words.
func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}
