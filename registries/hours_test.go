package registries

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/collect"
)

// never is a time of day that is not now nor soon.
func never() collect.Hours {
	at := time.Now().UTC().Add(6 * time.Hour)
	return collect.Hours{fmt.Sprintf("%s-%s", at.Format("15:04"), at.Add(time.Minute).Format("15:04"))}
}

func TestARegistryIsReadAgainAsItsPolicySays(t *testing.T) {
	for name, test := range map[string]struct {
		what  collect.Registry
		err   error
		least time.Duration
		most  time.Duration
	}{
		"as all are":            {collect.Registry{}, nil, 59 * time.Minute, time.Hour},
		"less often":            {collect.Registry{Every: collect.Span(3 * time.Hour)}, nil, 179 * time.Minute, 3 * time.Hour},
		"not more often":        {collect.Registry{Every: collect.Span(time.Minute)}, nil, 59 * time.Minute, time.Hour},
		"in its hours":          {collect.Registry{Hours: never()}, nil, 5 * time.Hour, 6 * time.Hour},
		"in its hours, refused": {collect.Registry{Hours: never()}, errors.New("no route"), 5 * time.Hour, 6 * time.Hour},
	} {
		test.what.Host = "r.test"
		w, _ := watcher(newKept(), nil, Connection{Registry: test.what, From: FromFlag})
		g := w.mu.by["r.test"]
		w.outcome(g, &g.Registry, collect.Listing{}, test.err, time.Second)
		if in := time.Until(g.NextReadAt); in < test.least || in > test.most {
			t.Errorf("%s: again in %v", name, in)
		}
	}
}

func TestARegistryWaitsForItsHours(t *testing.T) {
	k, h := newKept(), holds{"web:1": "sha256:a"}
	read := make(chan string, 10)
	w, _ := watcher(k, func(ctx context.Context, r collect.Registry, last func(string) (map[string]string, error),
		found func(string, []collect.Tag) error) (collect.Listing, error) {
		read <- r.Host
		return h.read(ctx, r, last, found)
	}, Connection{Registry: collect.Registry{Host: "night.test", Hours: never()}, From: FromFlag}, flagged("day.test"))
	if got := w.Quiet(); !slices.Equal(got, []string{"night.test"}) {
		t.Errorf("quiet are %v", got)
	}
	if r := w.Registries()[1]; r.State != Waiting || time.Until(r.NextReadAt) < 5*time.Hour {
		t.Errorf("%s, next at %s", r.State, r.NextReadAt)
	}
	if err := w.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	if got := <-read; got != "day.test" {
		t.Errorf("read %s", got)
	}
	if err := w.Reread("night.test"); err != nil { // a person wants it now
		t.Fatal(err)
	}
	if got := <-read; got != "night.test" {
		t.Errorf("read %s", got)
	}
	end()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if len(read) != 0 {
		t.Errorf("read %s", <-read)
	}
}

func TestAWishIsHeldToWhatIsValid(t *testing.T) {
	w, _ := watcher(newKept(), holds{}.read)
	w.config.Valid = func(r collect.Registry) (collect.Registry, error) {
		if r.Proxy != "" {
			return r, errors.New("no proxy")
		}
		r.Host += ".test"
		return r, nil
	}
	w.config.Preview = func(_ context.Context, r collect.Registry, within time.Duration) (collect.Preview, error) {
		return collect.Preview{Cut: r.Host + within.String()}, nil
	}
	bad := collect.Registry{Host: "r", Proxy: "x"}
	_, _, _, checked := w.Check(t.Context(), bad)
	_, previewed := w.Preview(t.Context(), bad)
	for _, err := range []error{w.Connect(t.Context(), bad), checked, previewed} {
		if !errors.Is(err, ErrRefused) {
			t.Error(err)
		}
	}
	if len(w.Registries()) != 0 {
		t.Errorf("%v are connected", w.Registries())
	}
	if p, err := w.Preview(t.Context(), collect.Registry{Host: "r"}); err != nil || p.Cut != "r.test45s" {
		t.Errorf("%+v, %v", p, err)
	}
	w.config.Preview = nil
	if _, err := w.Preview(t.Context(), collect.Registry{Host: "r"}); !errors.Is(err, ErrRefused) {
		t.Error(err)
	}
}
