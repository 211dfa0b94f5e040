package server

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	served "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/collect/registry"
	"github.com/breakwater-sec/breakwater/image"
	"github.com/breakwater-sec/breakwater/registries"
	"github.com/breakwater-sec/breakwater/store"
	"github.com/breakwater-sec/breakwater/vuln"
	"github.com/breakwater-sec/breakwater/watch"
)

// withVEX is a registry with an image, and a document beside it that says it is not affected.
func withVEX(t *testing.T) (host, digest string) {
	t.Helper()
	web := httptest.NewServer(served.New(served.Logger(log.New(io.Discard, "", 0)), served.WithReferrersSupport(true)))
	t.Cleanup(web.Close)
	host = strings.TrimPrefix(web.URL, "http://")
	img, err := random.Image(10, 1)
	if err != nil {
		t.Fatal(err)
	}
	put := func(ref string, what v1.Image) {
		t.Helper()
		r, err := name.ParseReference(host + "/shop/web" + ref)
		if err != nil {
			t.Fatal(err)
		}
		if err := remote.Write(r, what); err != nil {
			t.Fatal(err)
		}
	}
	put(":1", img)
	d, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	const kind = types.MediaType("application/vnd.openvex+json")
	document := fmt.Sprintf(`{"@context":"https://openvex.dev/ns/v0.2.0","@id":"v","author":"Shop",
		"timestamp":"2024-03-01T00:00:00Z","statements":[
		{"vulnerability":"CVE-2024-0001","products":["%s"],"status":"not_affected","justification":"component_not_present"}]}`, d)
	artifact, err := mutate.AppendLayers(empty.Image, static.NewLayer([]byte(document), kind))
	if err != nil {
		t.Fatal(err)
	}
	artifact = mutate.MediaType(mutate.ConfigMediaType(artifact, kind), types.OCIManifestSchema1)
	belongs := mutate.Subject(artifact, v1.Descriptor{MediaType: types.DockerManifestSchema2, Digest: d, Size: 1}).(v1.Image)
	own, err := belongs.Digest()
	if err != nil {
		t.Fatal(err)
	}
	put("@"+own.String(), belongs)
	return host, d.String()
}

// TestWhatARegistryHasBesideAnImageCountsIfAPersonSaysSo, with where it is from, and no longer when they do not.
func TestWhatARegistryHasBesideAnImageCountsIfAPersonSaysSo(t *testing.T) {
	host, digest := withVEX(t)
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "b.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	db, err := vuln.Read(t.Context(), fstest.MapFS{"a.json": {Data: []byte(`{"id":"CVE-2024-0001","affected":[{
		"package":{"ecosystem":"npm","name":"left"},
		"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}]}]}`)}})
	if err != nil {
		t.Fatal(err)
	}
	inv := &image.Inventory{Version: image.InventoryVersion, Understood: true, Digest: digest, Packages: []image.Package{
		{PURL: "pkg:npm/left@1.0.0", Name: "left", Version: "1.0.0", Ecosystem: "npm"}}}
	text, err := json.Marshal(inv)
	if err != nil {
		t.Fatal(err)
	}
	reference := host + "/shop/web@" + digest
	if err := s.PutImage(t.Context(), assess.Record{ID: digest, Host: host, Reference: reference, State: assess.Done, UpdatedAt: time.Now(),
		Inventory: text}, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.PutRepository(t.Context(), host, "shop/web", []registries.Tag{{Name: "1", Digest: digest}}, nil); err != nil {
		t.Fatal(err)
	}
	what := collect.Registry{Host: host, VEX: true}
	v := &Server{Store: s, log: slog.New(slog.DiscardHandler), Watch: &watch.Watch{Images: assess.New(assess.Config{})}}
	connected := func(what collect.Registry) {
		v.Registries = registries.New(registries.Config{Connect: []registries.Connection{{Registry: what}}})
	}
	connected(what)
	dismissed := func() string {
		t.Helper()
		a := assess.Inventory(digest, inv, v.beside(t.Context(), digest, inv, db))
		if len(a.Findings)+len(a.Dismissed) != 1 {
			t.Fatalf("%+v", a)
		}
		if len(a.Findings) == 1 {
			return ""
		}
		return a.Dismissed[0].Dismissed
	}
	if got := dismissed(); got != "" {
		t.Errorf("before anybody looked: %s", got)
	}
	reader := registry.Reader{PerSecond: 10_000, Backoff: time.Millisecond}
	if err := v.besideOf(t.Context(), reader, what); err != nil {
		t.Fatal(err)
	}
	if got := dismissed(); !strings.Contains(got, "Shop says that it is not affected: component_not_present (registry "+host+", sha256:") {
		t.Errorf("dismissed %q", got)
	}
	if due, err := s.Unheard(t.Context(), host, time.Now().Add(-besideAgain), 10); len(due) != 0 || err != nil {
		t.Errorf("it is looked again at once: %v, %v", due, err)
	}
	connected(collect.Registry{Host: host})
	if got := dismissed(); got != "" {
		t.Errorf("when nobody says that it counts: %s", got)
	}
}
