package registries

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/image"
)

// kept is a store in memory.
type kept struct {
	mu         sync.Mutex
	registries map[string]Record
	tags       []Tag
	queued     []string
}

func (k *kept) PutRegistry(_ context.Context, r Record) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	r.Status = k.registries[r.Host].Status
	k.registries[r.Host] = r
	return nil
}

func (k *kept) SetRegistryStatus(_ context.Context, host string, status []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	r := k.registries[host]
	r.Status = status
	k.registries[host] = r
	return nil
}

func (k *kept) DeleteRegistry(_ context.Context, host string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.registries, host)
	k.tags = slices.DeleteFunc(k.tags, func(t Tag) bool { return t.Host == host })
	return nil
}

func (k *kept) Registries(context.Context) ([]Record, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Collect(maps.Values(k.registries)), nil
}

func (k *kept) PutRepository(_ context.Context, host, repository string, tags []Tag, images []assess.Record) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.tags = slices.DeleteFunc(k.tags, func(t Tag) bool { return t.Host == host && t.Repository == repository })
	for _, t := range tags {
		t.Host, t.Repository = host, repository
		k.tags = append(k.tags, t)
	}
	for _, i := range images {
		k.queued = append(k.queued, i.Reference)
	}
	return nil
}

func (k *kept) KeepRepositories(_ context.Context, host string, has map[string]bool) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.tags = slices.DeleteFunc(k.tags, func(t Tag) bool { return t.Host == host && !has[t.Repository] })
	return nil
}

func (k *kept) Tags(_ context.Context, host string) ([]Tag, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(k.tags), func(t Tag) bool { return host != "" && t.Host != host }), nil
}

// listed is who is told what registries list.
type listed struct {
	mu    sync.Mutex
	lists map[string][]assess.Place
}

func (l *listed) List(places map[string][]assess.Place) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lists = places
}

func (*listed) Wake() {}

func (l *listed) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []string
	for _, id := range slices.Sorted(maps.Keys(l.lists)) {
		for _, p := range l.lists[id] {
			out = append(out, fmt.Sprint(id, " ", p.Name(), " ", p.Tags))
		}
	}
	return strings.Join(out, ", ")
}

// holds is a registry with some tags, digests by repository:tag.
type holds map[string]string

func (h holds) read(
	_ context.Context, _ collect.Registry, _ func(string) (map[string]string, error), found func(string, []collect.Tag) error,
) (collect.Listing, error) {
	by := map[string][]collect.Tag{}
	for _, name := range slices.Sorted(maps.Keys(h)) {
		repository, tag, _ := strings.Cut(name, ":")
		by[repository] = append(by[repository], collect.Tag{Name: tag, Digest: h[name]})
	}
	l := collect.Listing{Whole: true, Repositories: map[string]bool{}}
	for repository, tags := range by {
		l.Repositories[repository] = true
		if err := found(repository, tags); err != nil {
			return l, err
		}
	}
	return l, nil
}

func watcher(k *kept, read func(context.Context, collect.Registry, func(string) (map[string]string, error),
	func(string, []collect.Tag) error) (collect.Listing, error), connect ...Connection) (*Watcher, *listed) {
	l := &listed{}
	return New(Config{Read: read, Check: func(context.Context, collect.Registry) []collect.Permission { return nil },
		Account: func(context.Context, string) (string, string, error) { return "robot", "a file", nil }, Every: time.Hour,
		Connect: connect, Records: k, Images: l}), l
}

func flagged(host string) Connection {
	return Connection{Registry: collect.Registry{Host: host}, From: FromFlag}
}

func newKept() *kept { return &kept{registries: map[string]Record{}} }

func TestAReadingTellsWhatIsListedAndQueuesWhatIsNew(t *testing.T) {
	k := newKept()
	h := holds{"web:1": "sha256:a", "web:2": "sha256:b", "web:latest": "sha256:b"}
	w, l := watcher(k, h.read, flagged("r.test"))
	if err := w.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.read(t.Context(), w.mu.by["r.test"])
	if got, want := l.String(), "sha256:a r.test/web [1], sha256:b r.test/web [2 latest]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if len(k.queued) != 3 || k.queued[0] != "r.test/web@sha256:a" {
		t.Errorf("queued %v", k.queued)
	}
	if r := w.Registries()[0]; r.State != Current || r.Account != "robot" || len(w.Gaps()) != 0 || time.Until(r.NextReadAt) < 59*time.Minute {
		t.Errorf("%+v, %v", r, w.Gaps())
	}
	w.read(t.Context(), w.mu.by["r.test"])
	if len(k.queued) != 3 {
		t.Errorf("what is as it was is queued again: %v", k.queued)
	}
	delete(h, "web:1")
	w.read(t.Context(), w.mu.by["r.test"])
	if got, want := l.String(), "sha256:b r.test/web [2 latest]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestWhatAnEarlierRunKnewIsToldBeforeAnythingIsRead(t *testing.T) {
	k := newKept()
	h := holds{"web:1": "sha256:a"}
	w, _ := watcher(k, h.read, flagged("r.test"))
	if err := w.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.read(t.Context(), w.mu.by["r.test"])
	before := w.Registries()[0].LastReadAt
	if err := w.Connect(t.Context(), collect.Registry{Host: "portal.test"}); err != nil {
		t.Fatal(err)
	}
	w, l := watcher(k, nil, flagged("r.test"))
	w.config.Read = h.read
	if err := w.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	all := w.Registries()
	if l.String() != "sha256:a r.test/web [1]" || len(all) != 2 || !all[1].LastReadAt.Equal(before) || all[1].State != Current ||
		all[0].From != FromPortal {
		t.Errorf("%s, %+v", l, all)
	}
	w, l = watcher(k, h.read) // the flag is gone
	if err := w.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	if all := w.Registries(); l.String() != "" || len(all) != 1 || all[0].Host != "portal.test" {
		t.Errorf("%s, %+v", l, all)
	}
}

// TestWhatWasFoundBeforeAReadingFailedIsListed: half a registry is more than none, and the rest is a gap.
func TestWhatWasFoundBeforeAReadingFailedIsListed(t *testing.T) {
	h := holds{"web:1": "sha256:a"}
	w, l := watcher(newKept(), func(ctx context.Context, r collect.Registry, known func(string) (map[string]string, error),
		found func(string, []collect.Tag) error) (collect.Listing, error) {
		listing, err := h.read(ctx, r, known, found)
		return listing, errors.Join(err, errors.New("no route"))
	}, flagged("r.test"))
	w.read(t.Context(), w.mu.by["r.test"])
	if l.String() != "sha256:a r.test/web [1]" || len(w.Gaps()) != 1 || w.Registries()[0].State != Unreachable {
		t.Errorf("%s, %v", l, w.Gaps())
	}
}

func TestABusyRegistryIsReadWhenItSaysAndCountsNoFailure(t *testing.T) {
	for name, test := range map[string]struct {
		err      error
		state    State
		failures int
		in       time.Duration
	}{
		"busy":        {fmt.Errorf("list: %w", &image.Busy{Host: "r.test", For: 10 * time.Minute}), Unreachable, 3, 10 * time.Minute},
		"refused":     {collect.Refusal{Err: errors.New("401")}, Refused, 4, time.Hour},
		"unreachable": {errors.New("no route"), Unreachable, 4, time.Hour},
	} {
		w, _ := watcher(newKept(), nil, flagged("r.test"))
		g := w.mu.by["r.test"]
		g.failures = 3
		w.outcome(g, &g.Registry, collect.Listing{}, test.err, time.Second)
		in := time.Until(g.NextReadAt)
		if g.State != test.state || g.failures != test.failures || in > test.in || in < test.in-time.Minute {
			t.Errorf("%s: %s after %d failures, again in %v", name, g.State, g.failures, in)
		}
		if gaps := w.Gaps(); len(gaps) != 1 || gaps[0].Why == "" {
			t.Errorf("%s: %v", name, gaps)
		}
	}
}

func TestARegistryIsReadAtMostAQuarterOfTheTime(t *testing.T) {
	w, _ := watcher(newKept(), nil, flagged("r.test"))
	g := w.mu.by["r.test"]
	g.failures = 3
	w.outcome(g, &g.Registry, collect.Listing{}, nil, 2*time.Hour)
	if in := time.Until(g.NextReadAt); in < 5*time.Hour || g.failures != 0 {
		t.Errorf("it took two hours and is read again in %v, after %d failures", in, g.failures)
	}
}
