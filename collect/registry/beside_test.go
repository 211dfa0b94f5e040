package registry

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/image"
)

// TestWhatMayHoldStatementsIsReadWithinBounds: documents, attestations of cosign with several files, and no others.
func TestWhatMayHoldStatementsIsReadWithinBounds(t *testing.T) {
	h := host(t, nil)
	img, err := random.Image(100, 1)
	if err != nil {
		t.Fatal(err)
	}
	write(t, h+"/shop/web:1", img)
	d, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	attach(t, h+"/shop/web", img, "application/vnd.openvex+json", openVEX)
	attach(t, h+"/shop/web", img, "application/vnd.cyclonedx+json", "\xef\xbb\xbf{}")
	attach(t, h+"/shop/web", img, "application/vnd.example.thing", "x")
	attestation := empty.Image
	for i := range 2 {
		if attestation, err = mutate.AppendLayers(attestation, static.NewLayer(fmt.Appendf(nil, "att %d", i),
			types.MediaType("application/vnd.dsse"))); err != nil {
			t.Fatal(err)
		}
	}
	write(t, h+"/shop/web:"+stem(d.String())+".att", attestation)
	ref, err := image.ParseReference(h + "/shop/web@" + d.String())
	if err != nil {
		t.Fatal(err)
	}
	bodies := func() (string, int) {
		t.Helper()
		found, left, err := reader().Beside(t.Context(), collect.Registry{Host: h}, ref)
		if err != nil {
			t.Fatal(err)
		}
		all := map[string]bool{}
		for _, b := range found {
			all[string(b.Body[:min(len(b.Body), 100)])] = true
		}
		return fmt.Sprint(all), left
	}
	if got, left := bodies(); left != 0 || got != fmt.Sprint(map[string]bool{openVEX: true, "{}": true, "att 0": true, "att 1": true}) {
		t.Errorf("%s, %d left", got, left)
	}
	attach(t, h+"/shop/web", img, "application/vnd.openvex+json", strings.Repeat("y", mostBesideBytes+1))
	if got, left := bodies(); left != 1 || strings.Contains(got, "yy") {
		t.Errorf("with one that is too long: %s, %d left", got, left)
	}
	for i := range mostBeside {
		attach(t, h+"/shop/web", img, "application/vnd.openvex+json", fmt.Sprintf(`{"n":%d}`, i))
	}
	found, left, err := reader().Beside(t.Context(), collect.Registry{Host: h}, ref)
	if err != nil || len(found) != mostBeside || left < 2 {
		t.Errorf("%d documents, %d left, %v", len(found), left, err)
	}
}
