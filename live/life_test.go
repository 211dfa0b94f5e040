package live

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/collect/kube"
	"github.com/breakwater-sec/breakwater/image"
	"github.com/breakwater-sec/breakwater/store"
	"github.com/breakwater-sec/breakwater/vuln"
)

// vulnerable is a pod that the internet reaches and that runs something flawed.
const vulnerable = `
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec:
  nodeName: n1
  containers: [{name: app, image: "registry.test/web:1", ports: [{containerPort: 8080}]}]
status: {phase: Running, podIP: 10.0.0.1}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
status: {loadBalancer: {ingress: [{ip: 203.0.113.7}]}}
`

func vulnerableFacts(t *testing.T) *collect.Facts {
	t.Helper()
	f, err := kube.ReadFS(fstest.MapFS{"in.yaml": {Data: []byte(vulnerable)}})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func flawedImages(t *testing.T) assess.Config {
	t.Helper()
	db, err := vuln.Read(t.Context(),
		fstest.MapFS{"a.json": {Data: []byte(`{"id":"CVE-2026-1","modified":"2026-01-01T00:00:00Z","summary":"Flaw",
		"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
		"affected":[{"package":{"ecosystem":"npm","name":"p"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}]}]}`)}})
	if err != nil {
		t.Fatal(err)
	}
	return assess.Config{Advisories: func() *vuln.DB { return db }, Scan: func(_ context.Context,
		ref image.Reference) (*image.Inventory, error) {
		return &image.Inventory{Version: image.InventoryVersion, Understood: true, Reference: ref.String(),
			Packages: []image.Package{{PURL: "pkg:npm/p@1.0.0", Name: "p", Ecosystem: "npm", Version: "1.0.0", Database: "package.json"}}}, nil
	}}
}

func (f *feed) sayAll(facts *collect.Facts) {
	for _, kind := range collect.Kinds {
		for k, o := range facts.Each(kind) {
			f.say(collect.Change{Op: collect.Put, Kind: kind, Key: k, Object: o})
		}
	}
}

func (r *running) stored(t *testing.T) (ids string) {
	t.Helper()
	open, err := r.store.OpenPaths(t.Context(), "prod")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range open {
		ids += string(l.Status) + " " + l.StaleReason + "; "
	}
	return ids
}

func open(status store.Status, why string) func(*World) bool {
	return func(w *World) bool {
		p := w.Clusters["prod"].Open
		return len(p) > 0 && p[0].Status == status && strings.Contains(p[0].StaleReason, why)
	}
}

func TestPathsOfASavedDumpAreShownAndNotStored(t *testing.T) {
	f := newFeed()
	f.saved = vulnerableFacts(t)
	r := start(t, filepath.Join(t.TempDir(), "b.db"), flawedImages(t), f.source("prod"))
	r.until(t, "the path of the dump", open(store.Active, ""))
	r.until(t, "another picture of the dump",
		func(w *World) bool { return w.Clusters["prod"].State == Saved && w.Clusters["prod"].Version > 0 })
	if got := r.stored(t); got != "" {
		t.Errorf("stored: %s", got)
	}
	f.sayAll(vulnerableFacts(t))
	f.say(synced())
	r.until(t, "the present", func(w *World) bool { return w.Clusters["prod"].State == Current })
	if got := r.stored(t); got != "active ; " {
		t.Errorf("stored: %q", got)
	}
}

func TestPathsThatRestOnWhatCannotBeReadAnyMoreAreNoNews(t *testing.T) {
	f := newFeed()
	r := start(t, filepath.Join(t.TempDir(), "b.db"), flawedImages(t), f.source("prod"))
	facts := vulnerableFacts(t)
	gap := &collect.Gap{Source: "api", What: "services", Why: "403 Forbidden", Kinds: []string{"Service", "ROUTES_TO"}}
	// The services were read once, and then no more: the pod that comes now is
	// judged by services of before.
	f.say(collect.Change{Op: collect.Resynced, Kind: "Service", Keys: map[collect.Key]struct{}{}, Version: "7"})
	for k, o := range facts.Each("Service") {
		f.say(collect.Change{Op: collect.Put, Kind: "Service", Key: k, Object: o})
	}
	gap.Kinds = []string{"Service", "ROUTES_TO"}
	f.say(synced(), collect.Change{Op: collect.GapOpen, Gap: gap})
	for k, o := range facts.Each("Pod") {
		f.say(collect.Change{Op: collect.Put, Kind: "Pod", Key: k, Object: o})
	}
	r.until(t, "the path, and that it is of before", open(store.Stale, "services cannot be read any more"))
	if got := r.stored(t); got != "" {
		t.Errorf("stored as news: %s", got)
	}
	f.say(collect.Change{Op: collect.GapClosed, Gap: gap})
	r.until(t, "the path of now", open(store.Active, ""))
	f.say(collect.Change{Op: collect.GapOpen, Gap: gap})
	r.until(t, "stale again", open(store.Stale, "services cannot be read any more"))
	if got := r.stored(t); !strings.HasPrefix(got, "stale services") {
		t.Errorf("stored: %s", got)
	}
}

func TestARestartShowsOpenPathsBeforeAnythingIsRead(t *testing.T) {
	db := filepath.Join(t.TempDir(), "b.db")
	f := newFeed()
	r := start(t, db, flawedImages(t), f.source("prod"))
	f.sayAll(vulnerableFacts(t))
	f.say(synced())
	r.until(t, "the path", open(store.Active, ""))
	r.until(t, "stored", func(*World) bool { return r.stored(t) != "" })
	since := r.World().Clusters["prod"].Open[0].FirstSeen
	r.end(t)
	again := newFeed()
	r = start(t, db, flawedImages(t), again.source("prod"))
	r.until(t, "the path of the earlier run", open(store.Active, ""))
	p := r.World().Clusters["prod"].Open[0]
	if r.World().Clusters["prod"].State != Loading || !p.FirstSeen.Equal(since) || p.Title == "" || len(p.Steps) == 0 {
		t.Errorf("%+v", p)
	}
	again.say(synced()) // and there is nothing there any more
	r.until(t, "it is resolved", func(w *World) bool { return len(w.Clusters["prod"].Open) == 0 })
}

func TestAPathThatAnEarlierVersionStoredLivesOnUnderItsNewId(t *testing.T) {
	db := filepath.Join(t.TempDir(), "b.db")
	f := newFeed()
	r := start(t, db, flawedImages(t), f.source("prod"))
	f.sayAll(vulnerableFacts(t))
	f.say(synced())
	r.until(t, "the path", open(store.Active, ""))
	r.until(t, "stored", func(*World) bool { return r.stored(t) != "" })
	p := r.World().Clusters["prod"].Open[0]
	if err := r.store.Rename(t.Context(), "prod", map[string]string{p.ID: "path-of-old"}, p.FirstSeen); err != nil {
		t.Fatal(err)
	}
	r.end(t)
	again := newFeed()
	r = start(t, db, flawedImages(t), again.source("prod"))
	r.until(t, "the path of the earlier run", open(store.Active, ""))
	if now := r.World().Clusters["prod"].Open[0]; now.ID != p.ID || !now.FirstSeen.Equal(p.FirstSeen) {
		t.Errorf("%s since %s, want %s since %s", now.ID, now.FirstSeen, p.ID, p.FirstSeen)
	}
	r.end(t)
}
