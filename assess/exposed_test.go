package assess

import (
	"slices"
	"testing"
)

// TestWhatTheInternetReachesIsMostUrgent while it runs, by whatever digest it is named.
func TestWhatTheInternetReachesIsMostUrgent(t *testing.T) {
	d := newDemand()
	index, build, other := digestOf(1), digestOf(2), digestOf(3)
	d.join([]Build{{Digest: build, ID: index, Platform: "linux/amd64"}})
	d.list(map[string][]Place{index: {{Registry: "r.test", Repository: "web"}}, other: {{Registry: "r.test", Repository: "job"}}})
	u := used("r.test/web:1", "r.test/web@"+build)
	u.Running = true
	d.want("prod", []Use{u})
	urgency := func(id string) Urgency { s := d.standing(id); return s.urgency() }
	if got := urgency(index); got != Running {
		t.Errorf("before anything is known of exposure: %d", got)
	}
	if got := d.expose("prod", []string{index, other}); !slices.Equal(got, []string{index, other}) {
		t.Errorf("touched %v", got)
	}
	if got := d.expose("prod", []string{index, other}); len(got) != 0 {
		t.Errorf("touched %v again", got)
	}
	if urgency(index) != Exposed || urgency(other) != Listed {
		t.Errorf("exposed %d, listed %d", urgency(index), urgency(other))
	}
	if got := d.expose("prod", nil); len(got) != 2 || urgency(index) != Running || len(d.exposed) != 0 {
		t.Errorf("touched %v, %d", got, urgency(index))
	}
	d.expose("prod", []string{build}) // by the digest that the pod names
	if urgency(index) != Exposed {
		t.Errorf("by its build: %d", urgency(index))
	}
	u.Running = false
	d.want("prod", []Use{u})
	if urgency(index) != Named {
		t.Errorf("that runs no more: %d", urgency(index))
	}
}
