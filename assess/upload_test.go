package assess

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/image"
	"github.com/breakwater-sec/breakwater/vuln"
)

const uploadedID = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

// uploadOf is an upload of an image with one package.
func uploadOf(t *testing.T, name string) Upload {
	t.Helper()
	inv := &image.Inventory{Version: image.InventoryVersion, Digest: uploadedID, Reference: "registry.example/shop/web:1", Understood: true,
		Packages: []image.Package{{Name: name, Version: "1", PURL: "pkg:deb/debian/" + name + "@1", Ecosystem: "Debian:12"}}}
	b, err := json.Marshal(inv)
	if err != nil {
		t.Fatal(err)
	}
	u, err := ReadUpload(b)
	if err != nil {
		t.Fatal(err)
	}
	u.By, u.Token = "shop-ci", "t"
	return u
}

// uploads is an Assessor with what a build told.
func uploads(t *testing.T, k *records, told ...Upload) (*Assessor, func() map[string]Assessed) {
	t.Helper()
	k.uploads = map[string]Upload{}
	all := map[string]Upload{}
	for _, u := range told {
		k.uploads[u.ID], all[u.ID] = u, u
	}
	a := New(Config{Advisories: func() *vuln.DB { return &vuln.DB{} }, Records: k, Owner: "o",
		Scan: func(context.Context, image.Reference) (*image.Inventory, error) { return nil, errors.New("401") }})
	if err := a.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.Uploaded(all)
	return a, func() map[string]Assessed {
		out := map[string]Assessed{}
		for a.reconcile(t.Context(), func(_ context.Context, c Changes) {
			for _, i := range c.Images {
				out[i.ID] = i
			}
			for _, id := range c.Gone {
				out[id] = Assessed{}
			}
		}) {
		}
		return out
	}
}

func TestAnImageThatABuildToldOfIsKnownByItsWordUntilItLeaves(t *testing.T) {
	a, tell := uploads(t, newRecords(), uploadOf(t, "openssl"))
	got := tell()[uploadedID]
	if got.Upload == nil || got.Upload.Name() != "registry.example/shop/web:1" || got.Listed || got.Running || got.Assessment == nil {
		t.Fatalf("%+v", got)
	}
	if s := got.Assessment; s.ToldBy != "shop-ci" || s.ToldAt.IsZero() || len(s.Components) != 1 || len(s.Gaps) == 0 ||
		!strings.Contains(s.Gaps[len(s.Gaps)-1].Why, "build shop-ci told it") {
		t.Errorf("%+v", s)
	}
	if inv, err := a.Inventory(t.Context(), uploadedID); err != nil || inv == nil || len(inv.Packages) != 1 {
		t.Errorf("%+v, %v", inv, err)
	}
	a.Uploaded(nil)
	if got, told := tell()[uploadedID]; !told || got.ID != "" {
		t.Errorf("it is still there: %+v", got)
	}
}

func TestWhatWasReadHereCountsWhateverABuildTells(t *testing.T) {
	read := &image.Inventory{Version: image.InventoryVersion, Digest: uploadedID, Understood: true, Reference: "r.example/a:1",
		Packages: []image.Package{{Name: "vulnerable", Version: "1", Ecosystem: "Debian:12"}}}
	b, err := json.Marshal(read)
	if err != nil {
		t.Fatal(err)
	}
	for _, state := range []string{Done, Failed, Queued} {
		k := newRecords()
		k.images[uploadedID] = Record{ID: uploadedID, State: state, Inventory: b}
		a, tell := uploads(t, k, uploadOf(t, "clean"))
		s := tell()[uploadedID].Assessment
		if s == nil || s.ToldBy != "" || len(s.Components) != 1 || s.Components[0].Name != "vulnerable" {
			t.Errorf("%s: %+v", state, s)
		}
		failed := NotScanned(uploadedID, Failed, "401")
		if got := a.orUploaded(t.Context(), uploadedID, failed); got != failed {
			t.Errorf("%s, and it fails to be read again: %+v", state, got)
		}
	}
}

func TestAnImageThatCannotBeReadHereIsKnownByABuildsWordAndSaysSo(t *testing.T) {
	k := newRecords()
	k.images[uploadedID] = Record{ID: uploadedID, State: Failed, Error: "401"}
	a, tell := uploads(t, k, uploadOf(t, "openssl"))
	if s := tell()[uploadedID].Assessment; s == nil || s.ToldBy != "shop-ci" ||
		!strings.Contains(s.Gaps[len(s.Gaps)-1].Why, "not read here (401)") {
		t.Errorf("%+v", s)
	}
	u := k.uploads[uploadedID]
	u.Inventory = []byte(`{"version":1}`)
	k.uploads[uploadedID] = u
	failed := NotScanned(uploadedID, Failed, "401")
	if got := a.orUploaded(t.Context(), uploadedID, failed); got != failed {
		t.Errorf("told to another release: %+v", got)
	}
}

func TestTheSameWordAgainIsNoNews(t *testing.T) {
	u := uploadOf(t, "openssl")
	a, tell := uploads(t, newRecords(), u)
	tell()
	a.Uploaded(map[string]Upload{u.ID: u})
	if got := tell(); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	u.At = u.At.Add(time.Second)
	a.Uploaded(map[string]Upload{u.ID: u})
	if got := tell(); len(got) != 1 {
		t.Errorf("%+v", got)
	}
}
