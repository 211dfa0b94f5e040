package registries

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/collect"
)

// RepositoryTags implements Records.
func (k *kept) RepositoryTags(ctx context.Context, host, repository string) ([]Tag, error) {
	all, err := k.Tags(ctx, host)
	return slices.DeleteFunc(all, func(t Tag) bool { return t.Repository != repository }), err
}

// look answers as the registry does.
func (h holds) look(_ context.Context, _ collect.Registry, repository string, tags []string, known map[string]string) (
	out []collect.Tag, err error,
) {
	for name, digest := range known {
		if !slices.Contains(tags, name) {
			out = append(out, collect.Tag{Name: name, Digest: digest})
		}
	}
	for _, name := range tags {
		if digest := h[repository+":"+name]; digest != "" {
			out = append(out, collect.Tag{Name: name, Digest: digest})
		}
	}
	return out, nil
}

func pushable(t *testing.T, k *kept, h holds) (*Watcher, *listed) {
	t.Helper()
	w, l := watcher(k, h.read, flagged("r.test"))
	w.config.Look = h.look
	w.config.Wants = func(_ collect.Registry, repository string) bool { return strings.HasPrefix(repository, "shop/") }
	if err := w.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w, l
}

// until waits for what other goroutines do.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never: " + what)
		}
	}
}

func TestWhatIsPushedIsSeenWithoutAReading(t *testing.T) {
	k, h := newKept(), holds{"shop/web:1": "sha256:a"}
	w, l := pushable(t, k, h)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	defer func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	until(t, "it was read", func() bool { return w.Registries()[0].State == Current })
	h["shop/web:2"] = "sha256:b" // nobody reads the map now
	taken, err := w.Pushed("r.test", []Push{{Repository: "shop/web", Tag: "2"}, {Repository: "other/web", Tag: "2"},
		{Host: "elsewhere.test", Repository: "shop/web", Tag: "2"}, {Host: "r.test", Repository: "shop/none", Tag: "1"}})
	if err != nil || taken != 2 {
		t.Errorf("%d, %v", taken, err)
	}
	until(t, "it is listed", func() bool { return l.String() == "sha256:a r.test/shop/web [1], sha256:b r.test/shop/web [2]" })
	if p := w.Registries()[0].Pushes; p.Taken != 2 || p.Elsewhere != 2 || p.Dropped != 0 || p.LastAt.IsZero() {
		t.Errorf("%+v", p)
	}
	if _, err := w.Pushed("unknown.test", nil); !errors.Is(err, ErrNotConnected) {
		t.Error(err)
	}
}

func TestAReadingThatBeganBeforeAPushTakesNothingOfItBack(t *testing.T) {
	k, h := newKept(), holds{"shop/web:1": "sha256:a"}
	w, l := pushable(t, k, h)
	g := w.mu.by["r.test"]
	w.config.Read = func(ctx context.Context, r collect.Registry, last func(string) (map[string]string, error),
		found func(string, []collect.Tag) error) (collect.Listing, error) {
		listing, err := h.read(ctx, r, last, found)
		h["shop/new:1"], h["shop/web:2"] = "sha256:n", "sha256:b" // pushed after it was listed, and told at once
		for _, repository := range []string{"shop/new", "shop/web"} {
			if _, err := w.look(ctx, g, repository, []string{"1", "2"}); err != nil {
				t.Error(err)
			}
		}
		return listing, errors.Join(err, found("shop/web", []collect.Tag{{Name: "1", Digest: "sha256:a2"}})) // as it was before
	}
	w.read(t.Context(), g)
	if got := l.String(); !strings.Contains(got, "sha256:n r.test/shop/new [1]") {
		t.Errorf("%s: the new repository was forgotten", got)
	}
	var again []string
	for {
		repository, tags, ok := w.next(g)
		if !ok {
			break
		}
		again = append(again, fmt.Sprint(repository, tags))
	}
	slices.Sort(again)
	if got, want := fmt.Sprint(again), "[shop/new[1 2] shop/web[1 2]]"; got != want {
		t.Errorf("%s is looked at again, want %s", got, want)
	}
}

func TestWhatAForgedNotificationTellsOfIsBounded(t *testing.T) {
	w, _ := pushable(t, newKept(), holds{})
	var many []Push
	for i := range mostPushed + 7 {
		many = append(many, Push{Repository: fmt.Sprint("shop/r", i), Tag: "1"})
	}
	for i := range mostTags + 7 {
		many = append(many, Push{Repository: "shop/r0", Tag: fmt.Sprint("t", i)})
	}
	if taken, err := w.Pushed("r.test", many); err != nil || taken != mostPushed+mostTags+7 {
		t.Errorf("%d, %v", taken, err)
	}
	g := w.mu.by["r.test"]
	if n := len(g.pushed.waits); n != mostPushed || g.Pushes.Dropped != 7 {
		t.Errorf("%d wait, %d are dropped", n, g.Pushes.Dropped)
	}
	if tags := g.pushed.waits["shop/r0"]; tags == nil || len(tags) != 0 {
		t.Errorf("%d tags of one repository wait, want all of it", len(tags))
	}
}

func TestARefusalIsNotAskedAgainAndSaysWhy(t *testing.T) {
	w, _ := pushable(t, newKept(), holds{})
	asked := 0
	w.config.Look = func(context.Context, collect.Registry, string, []string, map[string]string) ([]collect.Tag, error) {
		asked++
		return nil, collect.Refusal{Err: errors.New("403")}
	}
	if _, err := w.lookUntil(t.Context(), w.mu.by["r.test"], "shop/web", []string{"1"}); err == nil || asked != 1 {
		t.Errorf("%v after %d", err, asked)
	}
}
