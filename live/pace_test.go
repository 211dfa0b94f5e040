package live

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

func TestAQuietClusterIsComputedTwiceWithoutAPause(t *testing.T) {
	for _, test := range []struct {
		name  string
		quiet []int // seconds without a change before each computation may begin
		took  []int
		begun string
	}{
		{"changes that never end", []int{0, 0, 0, 0}, []int{2, 2, 2, 2}, "0 2 8 16"},
		{"a burst, and another when all is paid for", []int{0, 0, 16, 0, 0}, []int{2, 2, 2, 2, 2}, "0 2 20 22 28"},
		{"a burst, and another when half is paid for", []int{0, 0, 8, 0}, []int{2, 2, 2, 2}, "0 2 12 16"},
		{"a short one after a long one", []int{0, 0, 0}, []int{10, 1, 1}, "0 10 40"},
		{"a long one after a short one", []int{0, 0, 0, 0}, []int{1, 10, 10, 10}, "0 1 11 44"},
	} {
		start := time.Unix(1000, 0)
		var p pace
		var begun []string
		now := start
		for i, took := range test.took {
			now = later(now.Add(time.Duration(test.quiet[i])*time.Second), p.next)
			begun = append(begun, fmt.Sprint(now.Sub(start).Seconds()))
			p.took(now, now.Add(time.Duration(took)*time.Second))
			now = now.Add(time.Duration(took) * time.Second)
		}
		if got := strings.Join(begun, " "); got != test.begun {
			t.Errorf("%s: computations begin after %s seconds, want %s", test.name, got, test.begun)
		}
	}
}

func TestWhatPeopleChangeWaitsForNoPauseUntilMuchIsOwed(t *testing.T) {
	people, controllers := map[string]bool{"Pod": true, "RoleBinding": true}, map[string]bool{"Pod": true, "Deployment": true}
	var p pace
	now := time.Unix(1000, 0)
	for n := 1; n <= 60; n++ { // each leaves six seconds owed
		p.took(now, now.Add(2*time.Second))
		now = now.Add(2 * time.Second)
		if waits, owed := p.after(people).After(now), time.Duration(6*n)*time.Second; waits != (owed > (1+cooldown)*ahead) {
			t.Errorf("after %d computations people wait: %v, with %s owed", n, waits, owed)
		}
		if waits := p.after(controllers).After(now); waits != (n > 1) {
			t.Errorf("after %d computations controllers wait: %v", n, waits)
		}
	}
}

func TestAClusterIsComputedAtMostAQuarterOfTheTimeInTheLongRun(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		var p pace
		var began []time.Time
		var took []time.Duration
		now := time.Unix(1000, 0)
		for range 40 {
			if r.IntN(3) == 0 {
				now = now.Add(time.Duration(r.IntN(60)) * time.Second)
			}
			now = later(now, p.after(map[string]bool{[]string{"Pod", "RoleBinding"}[r.IntN(2)]: true}))
			each := time.Duration(1+r.IntN(20)) * time.Second
			began, took = append(began, now), append(took, each)
			p.took(now, now.Add(each))
			now = now.Add(each)
		}
		for from := range began {
			busy := time.Duration(0)
			for to := from; to < len(began)-1; to++ {
				busy += took[to]
				if window := began[to+1].Sub(began[from]); busy > window/4+ahead+2*20*time.Second {
					t.Fatalf("seed %d: computed for %v of %v", seed, busy, window)
				}
			}
		}
	}
}
