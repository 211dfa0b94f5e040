package store

import (
	"fmt"
	"testing"
	"time"
)

// TestNodesThatWaitAreKnownToEveryServerAndFew: two servers share what is kept.
func TestNodesThatWaitAreKnownToEveryServerAndFew(t *testing.T) {
	places(t, func(t *testing.T, where string) {
		one, other := open(t, where), open(t, where)
		ask := func(s *Store, cluster, node string) (time.Time, bool) {
			t.Helper()
			since, room, err := s.NodeWaits(t.Context(), WaitingNode{Cluster: cluster, Node: node, Token: "t", From: "192.0.2.1"})
			if err != nil {
				t.Fatal(err)
			}
			return since, room
		}
		since, _ := ask(one, "prod", "a")
		if again, room := ask(other, "prod", "a"); !room || !again.Equal(since) {
			t.Errorf("the other server has it wait since %v, want %v", again, since)
		}
		for n := range 2 * MostWaiting {
			server := one
			if n%2 == 0 {
				server = other
			}
			oldest, room := ask(server, "prod", fmt.Sprint("n", n))
			if room != (n < MostWaiting-1) || !room && !oldest.Equal(since) {
				t.Fatalf("%d: room %t, the oldest since %v", n, room, oldest)
			}
		}
		if _, room := ask(one, "dev", "a"); !room {
			t.Error("one cluster's take the room of another's")
		}
		if err := other.NodeIsLet(t.Context(), "prod", "n0"); err != nil {
			t.Fatal(err)
		}
		all, err := one.WaitingNodes(t.Context())
		if err != nil || len(all) != MostWaiting || all[0].Cluster != "dev" {
			t.Fatalf("%d, %+v, %v", len(all), all[:min(len(all), 2)], err)
		}
		if want := (WaitingNode{"prod", "a", "t", "192.0.2.1", since, all[1].Last}); all[1] != want {
			t.Errorf("%+v, want %+v", all[1], want)
		}
		// They are forgotten when they ask no more, and make room before anybody sweeps.
		if _, err := one.db.Exec(`UPDATE waiting_nodes SET last_at = ?`, unix(time.Now().Add(-waitsFor-time.Minute))); err != nil {
			t.Fatal(err)
		}
		if all, err := other.WaitingNodes(t.Context()); err != nil || len(all) != 0 {
			t.Errorf("%+v, %v", all, err)
		}
		if later, room := ask(other, "prod", "a"); !room || !later.After(since) {
			t.Errorf("who asked long ago waits since %v, as if it had not left", later)
		}
		if n := count(t, one, "waiting_nodes"); n != 2 { // prod's, and dev's until it is swept
			t.Errorf("%d rows", n)
		}
		if _, err := one.Sweep(t.Context(), DefaultRetention(), time.Now()); err != nil {
			t.Fatal(err)
		}
		if n := count(t, one, "waiting_nodes"); n != 1 {
			t.Errorf("%d rows after a sweep", n)
		}
	})
}
