package assess

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/breakwater-sec/breakwater/image"
	"github.com/breakwater-sec/breakwater/vuln"
)

// picture is what somebody knows who was told all changes.
type picture struct {
	images map[string]Assessed
	means  map[Key]string
}

func (p *picture) take(c Changes) {
	for _, i := range c.Images {
		if i.Assessment == nil {
			i.Assessment = p.images[i.ID].Assessment
		}
		p.images[i.ID] = i
	}
	for _, id := range c.Gone {
		delete(p.images, id)
	}
	for key, id := range c.Means {
		if p.means[key] = id; id == "" {
			delete(p.means, key)
		}
	}
}

// estate is what there is to tell of: clusters, a registry, and what is read.
type estate struct {
	uses   map[string][]Use
	places map[string][]Place
	builds []Build
}

func digestOf(n int) string { return fmt.Sprintf("sha256:%064d", n) }

// something is a random estate of few digests, so that they meet.
func something(r *rand.Rand) estate {
	digest := func() string { return digestOf(r.IntN(6)) }
	e := estate{uses: map[string][]Use{}, places: map[string][]Place{}}
	for c := range 2 {
		for range r.IntN(4) {
			u := used("r.test/web:1", "r.test/web@"+digest())
			if r.IntN(4) == 0 {
				u = used("r.test/web:1", "")
				u.Resolve = r.IntN(2) == 0
			}
			u.Running = r.IntN(2) == 0
			name := fmt.Sprint("c", c)
			e.uses[name] = append(e.uses[name], u)
		}
	}
	for range r.IntN(4) {
		e.places[digest()] = []Place{{Registry: "r.test", Repository: "web", Tags: []string{fmt.Sprint(r.IntN(2))}}}
	}
	for range r.IntN(6) {
		e.builds = append(e.builds, Build{Digest: digest(), ID: digest()})
	}
	return e
}

// told tells estates one after the other, each in an order of its own, and what was
// understood along the way. What was read stays read.
func told(r *rand.Rand, estates []estate) *picture {
	a := New(Config{Scan: func(context.Context, image.Reference) (*image.Inventory, error) {
		return nil, errors.New("nobody reads")
	},
		Resolve:    func(context.Context, image.Reference) (string, error) { return digestOf(3), nil },
		Advisories: func() *vuln.DB { return nil }})
	a.batch = 1 + r.IntN(5)
	p := &picture{map[string]Assessed{}, map[Key]string{}}
	now := func() {
		for a.reconcile(context.Background(), func(_ context.Context, c Changes) { p.take(c) }) {
		}
	}
	for _, e := range estates {
		says := []func(){
			func() { a.Want("c0", e.uses["c0"]) }, func() { a.Want("c1", e.uses["c1"]) }, func() { a.List(e.places) },
			func() { a.resolver.once(context.Background(), a.resolved) },
		}
		for _, b := range e.builds {
			says = append(says, func() { a.finish(b.ID, NotScanned(b.ID, Queued, "it waits to be read"), []Build{b}) })
		}
		r.Shuffle(len(says), func(i, j int) { says[i], says[j] = says[j], says[i] })
		for _, say := range says {
			say()
			if r.IntN(2) == 0 {
				now()
			}
		}
	}
	a.resolver.once(context.Background(), a.resolved)
	now()
	return p
}

func TestTheOrderInWhichThingsAreToldDoesNotMatter(t *testing.T) {
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 1))
		var before []estate
		for range r.IntN(3) {
			before = append(before, something(r))
		}
		last := something(r)
		got := told(r, append(before, last))
		for _, e := range before { // what was read is not forgotten
			last.builds = append(last.builds, e.builds...)
		}
		want := told(r, []estate{last})
		for id, i := range got.images { // a registry that once listed it is remembered
			if i.Places != nil && !i.Listed {
				i.Places = nil
				got.images[id] = i
			}
		}
		if !reflect.DeepEqual(got.means, want.means) {
			t.Fatalf("seed %d: uses mean %v, want %v", seed, got.means, want.means)
		}
		if !maps.EqualFunc(got.images, want.images, func(a, b Assessed) bool { return reflect.DeepEqual(a, b) }) {
			t.Fatalf("seed %d: %v\nwant %v", seed, got.images, want.images)
		}
		checkMeanings(t, seed, last, want)
	}
}

// checkMeanings holds what is right about any picture.
func checkMeanings(t *testing.T, seed uint64, e estate, p *picture) {
	t.Helper()
	for _, uses := range e.uses {
		for _, u := range uses {
			id := p.means[u.Key()]
			i, there := p.images[id]
			if !there || i.Use == nil || i.Assessment == nil || u.Running && !i.Running {
				t.Fatalf("seed %d: %v means %q, which is %+v", seed, u, id, i)
			}
		}
	}
	for id, i := range p.images {
		if i.Listed != (len(e.places[id]) > 0) {
			t.Fatalf("seed %d: %s is listed: %v", seed, id, i.Listed)
		}
		if !i.Listed && !slices.Contains(slices.Collect(maps.Values(p.means)), id) {
			t.Fatalf("seed %d: nothing has %s", seed, id)
		}
		if of := func(b Build) bool { return b.Digest == id && len(e.places[b.ID]) > 0 }; !i.Listed && slices.ContainsFunc(e.builds, of) {
			t.Fatalf("seed %d: %s is an image beside the listed one that it is a build of", seed, id)
		}
	}
}

func TestABuildOfAnImageThatIsGoneIsTheOtherImageItIsABuildOf(t *testing.T) {
	a := New(Config{Advisories: func() *vuln.DB { return nil }})
	p := &picture{map[string]Assessed{}, map[Key]string{}}
	now := func() {
		for a.reconcile(t.Context(), func(_ context.Context, c Changes) { p.take(c) }) {
		}
	}
	use := used("r.test/web:1", "r.test/web@"+digestOf(1))
	place := []Place{{Registry: "r.test", Repository: "web", Tags: []string{"1"}}}
	a.finish("sha256:x", nil, []Build{{Digest: digestOf(1), ID: "sha256:x"}, {Digest: digestOf(1), ID: "sha256:y"}})
	a.List(map[string][]Place{"sha256:x": place, "sha256:y": place})
	a.Want("c", []Use{use})
	now()
	if p.means[use.Key()] != "sha256:x" {
		t.Fatalf("%v", p.means)
	}
	a.List(map[string][]Place{"sha256:y": place})
	now()
	if _, there := p.images["sha256:x"]; there || p.means[use.Key()] != "sha256:y" || p.images["sha256:y"].Assessment == nil {
		t.Errorf("%v, %v", p.means, p.images)
	}
}
