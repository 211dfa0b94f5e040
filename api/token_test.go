package api

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/store"
)

func TestTokensAreListedWithWhatTheyNeedAndNoSecret(t *testing.T) {
	now := time.Now()
	in := func(d time.Duration) time.Time { return now.Add(d) }
	join := store.IngestToken{ID: "j", Cluster: "prod", Kind: "runtime", CreatedAt: in(-80 * 24 * time.Hour),
		ExpiresAt: in(10 * 24 * time.Hour),
		Uses:      3, MaxUses: 5}
	spent, fresh := join, join
	spent.ID, spent.Uses = "s", 5
	fresh.ID, fresh.ExpiresAt, fresh.MaxUses = "f", in(60*24*time.Hour), 0
	old := store.IngestToken{ID: "o", Cluster: "prod", Kind: "audit", CreatedAt: in(-time.Hour)}
	ended := store.IngestToken{ID: "e", Cluster: "prod", Kind: "audit", CreatedAt: in(-time.Hour), ExpiresAt: in(-time.Minute)}
	revoked := store.IngestToken{ID: "r", Cluster: "prod", Kind: "audit", CreatedAt: in(-time.Hour), RevokedAt: now, RevokedBy: "alice"}
	node := store.Certificate{Cluster: "prod", Serial: "1", Kind: "runtime", Node: "node-1", Key: "k", CreatedAt: in(-time.Hour),
		ExpiresAt: in(time.Hour), Verified: true}
	renewed, unverified := node, node
	renewed.Serial, renewed.ExpiresAt = "2", in(2*time.Hour)
	unverified.Serial, unverified.Node, unverified.Verified = "3", "node-2", false
	server := store.Certificate{Cluster: "prod", Serial: "4", Kind: "audit", Key: "a", CreatedAt: in(-time.Hour), ExpiresAt: in(time.Hour)}
	var got []string
	for _, k := range TokensOf([]store.IngestToken{join, spent, fresh, old, ended, revoked},
		[]store.Certificate{node, renewed, unverified, server},
		[]NodeWaits{{Cluster: "prod", Node: "invented", Token: "j", Since: now, Last: now}}, now) {
		got = append(got, strings.TrimSpace(k.Id+" "+string(k.Kind)+" "+string(k.State)+" "+deref(k.Node)))
		said := map[string]string{"j": "rotate it", "o": "earlier release", "r": "alice ended it", "3": "not verified",
			"j/invented": "join token"}[k.Id]
		if !strings.Contains(k.Why, said) {
			t.Errorf("%s: %q, want %q", k.Id, k.Why, said)
		}
	}
	want := []string{"j/invented node that waits waiting invented", "j join token ending", "f join token valid", "o audit token valid",
		"4 audit certificate valid", "2 node certificate valid node-1", "3 node certificate valid node-2", "s join token spent",
		"e audit token expired", "r audit token revoked"}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestATokenIsRotatedAndEndedByWhoSeesItsCluster(t *testing.T) {
	s := serveSample(t)
	secret, err := s.store.NewIngestToken(t.Context(), store.IngestToken{Cluster: "harbor-prod", Kind: "runtime", MaxUses: 3,
		ExpiresAt: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	c := store.Certificate{Cluster: "harbor-prod", Serial: "00ff", Kind: "runtime", Node: "n", Key: "k", CreatedAt: time.Now(),
		ExpiresAt: time.Now().Add(time.Hour)}
	var all TokenList
	s.get(t, "/tokens?cluster=harbor-prod", &all)
	if len(all.Items) != 1 || all.Counts["valid"] != 1 || !all.TakesEvents {
		t.Fatalf("%+v", all)
	}
	id := all.Items[0].Id
	c.Token = id
	if err := s.store.AddCertificate(t.Context(), c, false); err != nil {
		t.Fatal(err)
	}
	stranger := s.as(t, graph.Scope{Segments: map[string][]string{"harbor-staging": nil}})
	do := func(who *served, method, path string) int {
		resp := who.send(t, method, path, nil, nil)
		defer resp.Body.Close()
		return resp.StatusCode
	}
	for _, q := range [][2]string{{"DELETE", "/tokens/" + id}, {"DELETE", "/tokens/00ff"}, {"POST", "/tokens/" + id + "/rotate"}} {
		if status := do(stranger, q[0], q[1]); status != http.StatusNotFound {
			t.Errorf("%v by who does not see the cluster: %d", q, status)
		}
	}
	var made TokenSecret
	s.decode(t, "rotate", s.send(t, "POST", "/tokens/"+id+"/rotate?keepHours=1", nil, nil), &made)
	if made.Kind != JoinToken || made.Token == secret || time.Until(made.OldUntil) > time.Hour {
		t.Errorf("%+v", made)
	}
	if of, err := s.store.IngestToken(t.Context(), made.Token); err != nil || of.MadeBy != "alice" || of.ID != made.Id {
		t.Errorf("%+v, %v", of, err)
	}
	for path, want := range map[string]int{"/tokens/00ff/rotate": 404, "/tokens/nothing/rotate": 404,
		"/tokens/" + id + "/rotate?keepHours=-1":   400,
		"/tokens/" + id + "/rotate?keepHours=9999": 400} {
		if status := do(s, "POST", path); status != want {
			t.Errorf("%s: %d, want %d", path, status, want)
		}
	}
	if status := do(s, "DELETE", "/tokens/"+id+"?joined=true"); status != 204 {
		t.Errorf("%d", status)
	}
	if status := do(s, "DELETE", "/tokens/"+id); status != 404 {
		t.Errorf("ended twice: %d", status)
	}
	s.get(t, "/tokens", &all)
	for _, k := range all.Items {
		if (k.Id == id || k.Id == "00ff") && (k.State != TokenStateRevoked || deref(k.RevokedBy) != "alice") {
			t.Errorf("%+v", k)
		}
	}
}
