package store

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"
)

// TestAlertsAreFoundByWhatTheyName, however many came after them.
func TestAlertsAreFoundByWhatTheyName(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		at := time.UnixMilli(1_700_000_000_000)
		alert := func(cluster, id, body string, minutes int) AlertSeen {
			seen := at.Add(time.Duration(minutes) * time.Minute)
			return AlertSeen{Cluster: cluster, ID: id, Rule: "r", Severity: "high", FirstSeen: seen, LastSeen: seen, Events: []string{id},
				Body: []byte(body)}
		}
		const web = `{"entities":[{"role":"actor","kind":"User","name":"alice"},` +
			`{"role":"target","kind":"Pod","namespace":"shop","name":"web","id":"prod/shop/Pod/web"}]}`
		all := []AlertSeen{
			alert("prod", "first", web, 0),
			alert("dev", "other", web, 0),
			alert("prod", "odd", `{"entities":[{"kind":"User","name":"100%"},
			{"kind":"Userish","name":"bob"}]}`, 1),
		}
		for i := range 1200 {
			all = append(all, alert("prod", fmt.Sprint(i), `{"entities":[{"kind":"Pod","namespace":"shop","name":"db"}]}`, i))
		}
		if err := s.PutAnalysed(t.Context(), Analysed{Cluster: "prod", Alerts: all}); err != nil {
			t.Fatal(err)
		}
		find := func(things ...string) (ids []string) {
			page, _, err := s.Alerts(t.Context(), AlertFilter{Clusters: []string{"prod"}, Things: things}, "", 10)
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range page {
				ids = append(ids, a.ID)
			}
			return ids
		}
		for _, thing := range []string{"prod/shop/Pod/web", Thing("Pod", "shop", "web"), Thing("User", "", "alice")} {
			if got := find(thing, "nothing"); !slices.Equal(got, []string{"first"}) {
				t.Errorf("%s: %v", thing, got)
			}
		}
		if got := find(Thing("Pod", "bank", "web")); got != nil {
			t.Errorf("of another namespace: %v", got)
		}
		users, err := s.AlertedUsers(t.Context(), AlertFilter{})
		if want := []AlertedUser{{"dev", "alice"}, {"prod", "100%"}, {"prod", "alice"}}; err != nil || !slices.Equal(users, want) {
			t.Errorf("users %v, %v; want %v", users, err, want)
		}
		within := []Tenancy{{Cluster: "dev"}}
		if users, err = s.AlertedUsers(t.Context(), AlertFilter{Within: &within}); err != nil ||
			!slices.Equal(users, []AlertedUser{{"dev", "alice"}}) {
			t.Errorf("users within dev %v, %v", users, err)
		}
		for _, cluster := range []string{"prod", "dev"} {
			page, _, err := s.Alerts(t.Context(), AlertFilter{Clusters: []string{cluster}}, "", 10)
			for _, a := range page {
				err = errors.Join(err, s.ChangeAlert(t.Context(), cluster, a.ID, AlertChange{Comment: "seen", By: "alice"}))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.Sweep(t.Context(), Retention{"alerts": {Keep: time.Minute}}, at.Add(100_000*time.Minute)); err != nil {
			t.Fatal(err)
		}
		if n := count(t, s, "alert_things"); n != 0 {
			t.Errorf("%d names are left of alerts that are gone", n)
		}
		if n := count(t, s, "alert_notes"); n != 0 {
			t.Errorf("%d notes are left of alerts that are gone", n)
		}
	})
}
