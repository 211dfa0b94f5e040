package assess

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/image"
	"github.com/breakwater-sec/breakwater/vuln"
)

// queue puts so many images of each host into a queue.
func (r *records) queue(n int, hosts ...string) {
	for _, host := range hosts {
		for range n {
			id := digestOf(len(r.images))
			r.images[id] = Record{ID: id, Host: host, Reference: host + "/web@" + id, State: Queued}
		}
	}
}

// took leases an image, and gives its id and host, "" if there is none to be had.
func (a *Assessor) took(t *testing.T) (id, host string) {
	t.Helper()
	r, _, err := a.lease(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r.ID, r.Host
}

func TestOneRegistryHoldsAllWorkersButOne(t *testing.T) {
	r := newRecords()
	a := asking(t, r, nil)
	a.prompt.read("a.test", 0, inventory())
	a.prompt.read("b.test", 0, inventory())
	r.queue(4, "a.test")
	for n, want := range []string{"a.test", "a.test", ""} {
		if _, host := a.took(t); host != want {
			t.Errorf("lease %d: of %q, want %q", n, host, want)
		}
	}
	r.images[webID] = Record{ID: webID, Host: "b.test", Reference: "b.test/web@" + webID, State: Queued}
	if id, _ := a.took(t); id != webID {
		t.Errorf("%q", id)
	}
	if a.enter(webID, "a.test") {
		t.Error("it is asked for at a registry that holds its share")
	}
	for id := range r.images {
		if id != webID {
			a.ended(id)
		}
	}
	if !a.enter(webID, "a.test") {
		t.Error("the registry has room again")
	}
	if one := New(Config{}); one.most() != 1 || one.half() != 1 {
		t.Error("with one worker it reads whatever there is")
	}
}

func TestARegistryThatNobodyKnowsHoldsHalf(t *testing.T) {
	r := newRecords()
	a := asking(t, r, nil)
	r.queue(3, "x.test")
	for n, want := range []string{"x.test", ""} {
		if _, host := a.took(t); host != want {
			t.Errorf("lease %d: of %q, want %q", n, host, want)
		}
	}
	r.queue(1, "y.test")
	if _, host := a.took(t); host != "y.test" || a.enter("other", "x.test") {
		t.Errorf("one that stalls leaves no place to another that nobody knows: %q", host)
	}
}

// TestRegistriesThatNobodyKnowsHoldAllWorkersButOneTogether is about who names as many registries as there are workers.
func TestRegistriesThatNobodyKnowsHoldAllWorkersButOneTogether(t *testing.T) {
	r := newRecords()
	a := asking(t, r, nil)
	r.queue(1, "x.test", "y.test", "z.test")
	for n, want := range []bool{true, true, false} {
		if _, host := a.took(t); (host != "") != want {
			t.Errorf("lease %d: of %q", n, host)
		}
	}
	if a.enter("other", "w.test") {
		t.Error("another that nobody knows has a place")
	}
	a.prompt.read("a.test", 0, inventory())
	r.queue(2, "a.test")
	if _, host := a.took(t); host != "a.test" || !a.enter("other", "a.test") {
		t.Errorf("no place is kept for a registry that gives images: %q", host)
	}
}

func TestSlowRegistriesHoldHalfOfTheWorkersTogether(t *testing.T) {
	r := newRecords()
	a := asking(t, r, nil)
	a.config.Workers = 4
	var held []string
	for _, host := range []string{"x.test", "y.test", "z.test"} {
		a.prompt.read(host, 0, inventory()) // it gave an image once, and then takes its time
		r.queue(1, host)
		id, _ := a.took(t)
		held = append(held, id)
	}
	for n, want := range []bool{false, false, true} {
		if got := a.lasts(held[n]); got != want {
			t.Errorf("slow registry %d of at most 2: it must leave its worker: %v, want %v", n+1, got, want)
		}
	}
	a.ended(held[2])
	r.queue(2, "x.test", "z.test")
	if id, host := a.took(t); id != "" {
		t.Errorf("%s has a place, too", host)
	}
	if a.enter("other", "z.test") {
		t.Error("a third slow one is asked for an image of another")
	}
	r.queue(1, "u.test")
	if _, host := a.took(t); host != "u.test" {
		t.Errorf("one that nobody knows has no place: %q", host)
	}
	a.ended(held[0])
	if _, host := a.took(t); host != "x.test" && host != "z.test" {
		t.Errorf("when one of them is done no other has its place: %q", host)
	}
}

func TestWhatMustLeaveItsWorkerWaitsAndIsNoFailure(t *testing.T) {
	r, stalls := newRecords(), make(chan string, 1)
	a := New(Config{Records: r, Owner: "o", Advisories: func() *vuln.DB { return nil }, Workers: 3,
		Scan: func(ctx context.Context, ref image.Reference) (*image.Inventory, error) {
			stalls <- ref.Registry()
			<-ctx.Done()
			return nil, fmt.Errorf("read: %w", context.Cause(ctx))
		}})
	if err := a.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.patience = time.Nanosecond
	a.begin("other", "x.test")
	a.prompt.lasts("x.test") // which is the one that may be
	r.queue(1, "y.test")
	lease, ok, err := a.lease(t.Context())
	if !ok || err != nil {
		t.Fatal(lease, err)
	}
	a.read(t.Context(), lease)
	i := r.images[lease.ID]
	if <-stalls != "y.test" || i.State != Queued || i.Attempts != 0 || i.Ended != 0 || !i.NextTry.After(time.Now().Add(-placeAfter)) {
		t.Errorf("%+v", i)
	}
	if prompt, slow := a.prompt.are(); len(prompt) > 0 || !slow["y.test"] {
		t.Errorf("%v are prompt, %v slow", prompt, slow)
	}
}

func TestAnImageWithoutAPlaceDoesNotComeAgainAtOnce(t *testing.T) {
	r := newRecords()
	a := asking(t, r, nil, at("x.test", true))
	i := r.images[webID]
	i.Host = "a.test" // as the queue has it
	r.images[webID] = i
	a.prompt.read("a.test", 0, inventory())
	a.prompt.lasts("x.test")
	a.begin("other", "x.test")
	if !a.turn(t) {
		t.Fatal("it is not queued")
	}
	if i := r.images[webID]; i.State != Queued || i.Attempts != 0 || !i.NextTry.After(i.UpdatedAt) {
		t.Errorf("%+v", i)
	}
}

func TestHowARegistryAnsweredDecidesItsPlaces(t *testing.T) {
	large := &image.Inventory{Layers: []image.Layer{{Size: 1 << 40}}}
	const gone = "x.test"
	for _, test := range []struct {
		name  string
		after func(p *prompt)
		want  string
	}{
		{"nothing is known", func(*prompt) {}, ""},
		{"it gave an image", func(p *prompt) { p.read(gone, time.Second, inventory()) }, "prompt"},
		{"it has none", func(p *prompt) { p.read(gone, time.Second, nil) }, ""},
		{"it has none now", func(p *prompt) { p.read(gone, 0, inventory()); p.read(gone, time.Second, nil) }, "prompt"},
		{"it fails and takes its time", func(p *prompt) { p.read(gone, 0, inventory()); p.read(gone, failsWithin, nil) }, ""},
		{"it sends a byte now and then", func(p *prompt) { p.read(gone, slowAfter, inventory()) }, "slow"},
		{"it stalls", func(p *prompt) { p.read(gone, 0, inventory()); p.read(gone, slowAfter, nil) }, "slow"},
		{"it holds a worker", func(p *prompt) { p.read(gone, 0, inventory()); p.lasts(gone) }, "slow"},
		{"the image was large", func(p *prompt) { p.lasts(gone); p.read(gone, slowAfter, large) }, "prompt"},
		{"it failed quickly after that", func(p *prompt) { p.lasts(gone); p.read(gone, time.Second, nil) }, "slow"},
	} {
		p := newPrompt()
		test.after(p)
		prompt, slow := p.are()
		got := map[bool]string{prompt[gone]: "prompt", slow[gone]: "slow"}[true]
		if got != test.want || len(prompt)+len(slow) > 1 {
			t.Errorf("%s: it is %q, want %q", test.name, got, test.want)
		}
	}
}

func TestOnlySoManyRegistriesAreRemembered(t *testing.T) {
	p := newPrompt()
	p.read("first.test", 0, inventory())
	for n := range mostHosts {
		p.read(fmt.Sprint(n, ".test"), 0, inventory())
	}
	if prompt, _ := p.are(); len(prompt) != mostHosts || prompt["first.test"] {
		t.Errorf("%d are remembered", len(prompt))
	}
}

func TestThatARegistryIsSlowIsGraverThanThatAnotherFailed(t *testing.T) {
	dead := errors.New("nobody answers")
	if err := gravest([]error{dead, errSlow}, true); !errors.Is(err, errSlow) {
		t.Error(err)
	}
	if !slices.ContainsFunc([]error{gravest(nil, true)}, func(err error) bool { return errors.Is(err, errNoPlace) }) {
		t.Error("nobody was asked")
	}
}
