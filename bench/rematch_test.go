package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/image"
	"github.com/breakwater-sec/breakwater/store"
	"github.com/breakwater-sec/breakwater/vuln"
)

// TestMeasureRematch says how long stored images take to be held against new advisories, from the import until all of them are
// told, without a pull: 200 packages an image, of 6,000 that there are, and 30,000 records.
func TestMeasureRematch(t *testing.T) {
	measured(t)
	images := 10_000
	if n, err := strconv.Atoi(os.Getenv("IMAGES")); err == nil {
		images = n
	}
	dir := t.TempDir()
	advisories := filepath.Join(dir, "advisories")
	importTracker(t, advisories, 30_000, "12")
	st, err := store.Open(t.Context(), filepath.Join(dir, "breakwater.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	places := map[string][]assess.Place{}
	random := rand.New(rand.NewPCG(5, 6))
	for n := range images {
		id := imageID(n)
		inventory, err := json.Marshal(inventoryOf(random, id))
		if err != nil {
			t.Fatal(err)
		}
		if err := st.PutImage(t.Context(), assess.Record{ID: id, Reference: "registry.example/app@" + id, Host: "registry.example",
			State:     assess.Done,
			UpdatedAt: time.Now(), Inventory: inventory}, nil); err != nil {
			t.Fatal(err)
		}
		places[id] = []assess.Place{{Registry: "registry.example", Repository: fmt.Sprintf("team/app-%d", n/10), Tags: []string{fmt.Sprint(n)}}}
	}
	var db atomic.Pointer[vuln.DB]
	reopen := func() {
		opened, err := vuln.Open(advisories)
		if err != nil {
			t.Fatal(err)
		}
		db.Store(opened)
	}
	reopen()
	a := assess.New(assess.Config{Advisories: db.Load, Records: st, Owner: "bench"})
	var told, findings atomic.Int64
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		done <- a.Run(ctx, func(_ context.Context, c assess.Changes) {
			for _, i := range c.Images {
				if i.Assessment != nil {
					told.Add(1)
					findings.Add(int64(len(i.Assessment.Findings)))
				}
			}
		})
	}()
	settled := func() time.Duration {
		began := time.Now()
		for a.Pending() {
			time.Sleep(20 * time.Millisecond)
		}
		return time.Since(began)
	}
	a.List(places)
	t.Logf("%d images: first held against 30,000 records in %s, %d told", images, settled().Round(time.Millisecond), told.Load())
	for _, c := range []struct{ name, fixed string }{{"the same advisories, read again", "12"}, {"every fixed version another", "13"}} {
		importTracker(t, advisories, 30_000, c.fixed)
		told.Store(0)
		findings.Store(0)
		began, cpu := time.Now(), cpuTime()
		reopen()
		a.AdvisoriesChanged()
		settled()
		t.Logf("  %s: %s, CPU %s, %d told with %d findings", c.name, time.Since(began).Round(time.Millisecond),
			(cpuTime() - cpu).Round(time.Millisecond),
			told.Load(), findings.Load())
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

const rematchPool = 6_000

func inventoryOf(random *rand.Rand, id string) image.Inventory {
	inv := image.Inventory{Version: image.InventoryVersion, Digest: id, Reference: "registry.example/app@" + id, Platform: "linux/amd64",
		Understood: true, OS: image.OS{ID: "debian", VersionID: "12", PrettyName: "Debian GNU/Linux 12"}, ScannedAt: time.Now()}
	for range 200 {
		name := fmt.Sprintf("package-%d", int(rematchPool*random.Float64()*random.Float64()))
		inv.Packages = append(inv.Packages, image.Package{PURL: "pkg:deb/debian/" + name + "@11.1-1?distro=debian-12", Name: name,
			Version:   "11.1-1",
			Ecosystem: "Debian:12", Source: name})
	}
	return inv
}

func importTracker(t *testing.T, dir string, records int, fixed string) {
	t.Helper()
	var all strings.Builder
	for i := range records {
		fmt.Fprintf(&all,
			`{"id":"DEBIAN-CVE-2024-%06d","upstream":["CVE-2024-%06d"],"modified":%q,"details":"a buffer overflow in the parser of `+
				`this library lets remote attackers run code through crafted input","severity":[{"type":"CVSS_V3","score":`+
				`"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],"affected":[{"package":{"ecosystem":"Debian:12","name":"package-%d"},"ranges":`+
				`[{"type":"ECOSYSTEM","events":[{"introduced":"%d.0"},{"fixed":"%s.1-1"}]}]}]}`+"\n", i, i, time.Now().Format(time.RFC3339),
			i%rematchPool, 11+i%7, fixed)
	}
	if _, err := vuln.Import(t.Context(), dir, []vuln.Source{{Name: "debian", FS: fstest.MapFS{"all.json": {Data: []byte(all.String())}}}},
		nil); err != nil {
		t.Fatal(err)
	}
}
