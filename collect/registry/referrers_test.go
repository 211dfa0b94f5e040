package registry

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
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
	"github.com/breakwater-sec/breakwater/image"
)

const openVEX = `{"@context":"https://openvex.dev/ns/v0.2.0","@id":"x","author":"a","statements":[]}`

// attach pushes an artifact of a type that belongs to an image, with one file in it.
func attach(t *testing.T, repository string, to v1.Image, artifact, file string) {
	t.Helper()
	img, err := mutate.AppendLayers(empty.Image, static.NewLayer([]byte(file), types.MediaType(artifact)))
	if err != nil {
		t.Fatal(err)
	}
	img = mutate.MediaType(mutate.ConfigMediaType(img, types.MediaType(artifact)), types.OCIManifestSchema1)
	d, err := to.Digest()
	if err != nil {
		t.Fatal(err)
	}
	size, err := to.Size()
	if err != nil {
		t.Fatal(err)
	}
	kind, err := to.MediaType()
	if err != nil {
		t.Fatal(err)
	}
	belongs, ok := mutate.Subject(img, v1.Descriptor{MediaType: kind, Digest: d, Size: size}).(v1.Image)
	if !ok {
		t.Fatal("no image")
	}
	own, err := belongs.Digest()
	if err != nil {
		t.Fatal(err)
	}
	write(t, repository+"@"+own.String(), belongs)
}

func write(t *testing.T, ref string, img v1.Image) {
	t.Helper()
	r, err := name.ParseReference(ref)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(r, img); err != nil {
		t.Fatal(err)
	}
}

func TestWhatBelongsToAnImageIsListedByListByTagAndByCosignsTags(t *testing.T) {
	for _, has := range []bool{true, false} {
		web := httptest.NewServer(served.New(served.Logger(log.New(io.Discard, "", 0)), served.WithReferrersSupport(has)))
		t.Cleanup(web.Close)
		h := strings.TrimPrefix(web.URL, "http://")
		img, err := random.Image(100, 1)
		if err != nil {
			t.Fatal(err)
		}
		write(t, h+"/shop/web:1", img)
		attach(t, h+"/shop/web", img, "application/vnd.openvex+json", openVEX)
		attach(t, h+"/shop/web", img, "application/vnd.cyclonedx+json", `{"bomFormat":"CycloneDX"}`)
		attach(t, h+"/shop/web", img, "application/vnd.example.thing", `x`)
		d, err := img.Digest()
		if err != nil {
			t.Fatal(err)
		}
		signature, err := random.Image(10, 1)
		if err != nil {
			t.Fatal(err)
		}
		write(t, h+"/shop/web:"+stem(d.String())+".sig", signature)
		ref, err := image.ParseReference(h + "/shop/web:1")
		if err != nil {
			t.Fatal(err)
		}
		what := collect.Registry{Host: h}
		found, err := reader().Referrers(t.Context(), what, ref)
		kinds := map[string]int{}
		var vex Referrer
		for _, r := range found.Items {
			kinds[r.Kind]++
			if r.Kind == VEX {
				vex = r
			}
		}
		if got := fmt.Sprint(kinds); err != nil || got != "map[SBOM:1 VEX:1 other:1 signature:1]" ||
			found.Image != d.String() || found.More != 0 {
			t.Errorf("with the list %t: %s, %+v, %v", has, got, found, err)
		}
		at, err := ref.At(d.String())
		if err != nil {
			t.Fatal(err)
		}
		read, left, err := reader().Beside(t.Context(), what, at)
		if n := slices.IndexFunc(read, func(b Beside) bool { return b.Digest == vex.Digest && string(b.Body) == openVEX }); err != nil ||
			n < 0 || left != 0 {
			t.Errorf("with the list %t: %v, %d left, %v", has, read, left, err)
		}
	}
}

func TestOfAListOfReferrersWithoutEndTheFirstAreTold(t *testing.T) {
	var entries []string
	for i := range maxReferrers + 5 {
		entries = append(entries, fmt.Sprintf(`{"digest":"sha256:%064x","artifactType":"application/vnd.openvex+json","size":-1}`, i))
	}
	entries = append(entries, `{"digest":"../../x"}`, `7`)
	h := host(t, when(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.Contains(r.URL.Path, "/referrers/") {
			return false
		}
		fmt.Fprintf(w, `{"manifests":[%s]}`, strings.Join(entries, ","))
		return true
	}))
	digest := push(t, h+"/shop/web:1")
	ref, err := image.ParseReference(h + "/shop/web@" + digest)
	if err != nil {
		t.Fatal(err)
	}
	found, err := reader().Referrers(t.Context(), collect.Registry{Host: h}, ref)
	if err != nil || len(found.Items) != maxReferrers || found.More != 7 || found.Items[0].Size != 0 {
		t.Errorf("%d and %d more, %v", len(found.Items), found.More, err)
	}
}

func TestADocumentIsWhatItsDigestSaysOrNothing(t *testing.T) {
	h := host(t, when(func(w http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.URL.Path, "/manifests/") || strings.Contains(r.URL.Path, "/blobs/") {
			fmt.Fprint(w, `{"layers":[]}`)
			return true
		}
		return false
	}))
	s, err := reader().open(t.Context(), collect.Registry{Host: h})
	if err != nil {
		t.Fatal(err)
	}
	of := Referrer{Digest: "sha256:" + strings.Repeat("a", 64)}
	b, err := s.files(t.Context(), http.DefaultClient, "shop/web", of, 1000)
	if err == nil || !strings.Contains(err.Error(), "digest") {
		t.Errorf("%s, %v", b, err)
	}
}

func FuzzReferrers(f *testing.F) {
	f.Add([]byte(`{"manifests":[{"digest":"sha256:aa","artifactType":"application/vnd.openvex+json"},7,null]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var out Referrers
		if err := out.index(body); err != nil && len(out.Items) > 0 {
			t.Errorf("%+v beside %v", out, err)
		}
		for _, r := range out.Items {
			if image.Digest(r.Digest) != nil || r.Size < 0 {
				t.Errorf("%+v", r)
			}
		}
		if len(out.Items) > maxReferrers {
			t.Errorf("%d", len(out.Items))
		}
	})
}
