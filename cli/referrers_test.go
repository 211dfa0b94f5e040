package cli

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	served "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/collect/registry"
	"github.com/breakwater-sec/breakwater/image"
	"github.com/breakwater-sec/breakwater/vuln"
)

// attached is an image of a registry, to which VEX documents belong.
func attached(t *testing.T, documents ...string) (*image.Inventory, registry.Reader) {
	t.Helper()
	web := httptest.NewServer(served.New(served.Logger(log.New(io.Discard, "", 0)), served.WithReferrersSupport(true)))
	t.Cleanup(web.Close)
	write := func(ref string, img v1.Image) v1.Hash {
		r, err := name.ParseReference(ref)
		if err == nil {
			err = remote.Write(r, img)
		}
		if err != nil {
			t.Fatal(err)
		}
		d, err := img.Digest()
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	host := strings.TrimPrefix(web.URL, "http://")
	img, err := random.Image(100, 1)
	if err != nil {
		t.Fatal(err)
	}
	digest := write(host+"/shop/web:1", img)
	for _, text := range documents {
		const openVEX = types.MediaType("application/vnd.openvex+json")
		of, err := mutate.AppendLayers(empty.Image, static.NewLayer([]byte(text), openVEX))
		if err != nil {
			t.Fatal(err)
		}
		of = mutate.MediaType(mutate.ConfigMediaType(of, openVEX), types.OCIManifestSchema1)
		of, _ = mutate.Subject(of, v1.Descriptor{MediaType: types.DockerManifestSchema2, Digest: digest, Size: 1}).(v1.Image)
		own, err := of.Digest()
		if err != nil {
			t.Fatal(err)
		}
		write(host+"/shop/web@"+own.String(), of)
	}
	return &image.Inventory{Reference: host + "/shop/web:1", Digest: digest.String()},
		registry.Reader{PerSecond: 1000, Transport: web.Client().Transport}
}

func TestVEXDocumentsOfTheRegistryCountWhereTheyAreAskedForAndOthersAreTold(t *testing.T) {
	const says = `{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://shop.example/vex","author":"shop",` +
		`"timestamp":"2024-01-01T00:00:00Z","version":1,"statements":[{"vulnerability":{"name":"CVE-2024-1"},` +
		`"products":[{"@id":"pkg:deb/debian/openssl"}],"status":"not_affected","justification":"component_not_present"}]}`
	inv, reader := attached(t, says, `{"not":"a VEX document"}`)
	db := &vuln.DB{}
	var said bytes.Buffer
	s := streams{out: &said, err: &said}
	with, err := vexOf(t.Context(), s, db, reader, inv)
	if err != nil || with == db || !strings.Contains(said.String(), "1 count, 1 do not") ||
		!strings.Contains(said.String(), "does not count") {
		t.Errorf("%v, the same database %t: %s", err, with == db, &said)
	}
	said.Reset()
	ref, err := image.ParseReference(inv.Reference)
	if err != nil {
		t.Fatal(err)
	}
	if err := listReferrers(t.Context(), s, "table", reader, collect.Registry{Host: ref.Registry()}, ref); err != nil ||
		strings.Count(said.String(), "VEX ") != 2 {
		t.Errorf("%v: %s", err, &said)
	}
	inv.Reference = "rootfs:" + t.TempDir()
	if with, err := vexOf(t.Context(), s, db, reader, inv); err == nil || with != db {
		t.Errorf("an image of this machine: %v", err)
	}
}

func TestAnImageWithoutReferrersSaysSo(t *testing.T) {
	inv, reader := attached(t)
	var said bytes.Buffer
	s := streams{out: &said, err: &said}
	ref, err := image.ParseReference(inv.Reference)
	if err == nil {
		err = listReferrers(t.Context(), s, "table", reader, collect.Registry{Host: ref.Registry()}, ref)
	}
	if want := fmt.Sprintf("The registry has nothing that belongs to %s.", inv.Digest); err != nil || !strings.Contains(said.String(), want) {
		t.Errorf("%v: %s", err, &said)
	}
}
