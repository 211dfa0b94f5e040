package image

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// outlineOf pushes an image or an index and reads what it says of itself.
func outlineOf(t *testing.T, what remote.Taggable, digest func() (v1.Hash, error)) (Outline, error) {
	t.Helper()
	at := pushed(t, empty.Image)
	r, err := name.ParseReference(at)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Push(r, what); err != nil {
		t.Fatal(err)
	}
	ref, err := ParseReference(at)
	if err != nil {
		t.Fatal(err)
	}
	p, err := OpenRepository(t.Context(), ref, Options{})
	if err != nil {
		t.Fatal(err)
	}
	d, err := digest()
	if err != nil {
		t.Fatal(err)
	}
	return p.Outline(t.Context(), d.String())
}

// TestWhatAnImageSaysOfItselfIsBelievedWhereItCanBe: a date between the first containers and now, platforms that are some.
func TestWhatAnImageSaysOfItselfIsBelievedWhereItCanBe(t *testing.T) {
	now := time.Now().Truncate(time.Second)
	for _, test := range []struct {
		made     time.Time
		platform string
		believed bool
		want     string
	}{
		{now.AddDate(-1, 0, 0), "linux/amd64", true, "linux/amd64"},
		{now.AddDate(-1, 0, 0), "linux/arm/v7", true, "linux/arm/v7"},
		{time.Unix(0, 0), "linux/amd64", false, "linux/amd64"},
		{containers.Add(-time.Second), "linux/amd64", false, "linux/amd64"},
		{now.Add(48 * time.Hour), "linux/amd64", false, "linux/amd64"},
		{now.AddDate(-1, 0, 0), "lin ux/amd64", true, ""},
		{now.AddDate(-1, 0, 0), "linux/" + strings.Repeat("x", 41), true, ""},
	} {
		c := withPlatform(t, imageOf(t, tarOf(t)))
		c.Created = v1.Time{Time: test.made}
		parts := append(strings.Split(test.platform, "/"), "")
		c.OS, c.Architecture, c.Variant = parts[0], parts[1], parts[2]
		img, err := mutate.ConfigFile(imageOf(t, tarOf(t)), c)
		if err != nil {
			t.Fatal(err)
		}
		o, err := outlineOf(t, img, img.Digest)
		if err != nil || o.Made.IsZero() == test.believed || test.believed && !o.Made.Equal(test.made) ||
			strings.Join(o.Platforms, " ") != test.want {
			t.Errorf("%s, %s: %+v, %v", test.made, test.platform, o, err)
		}
	}
	artifact := mutate.ConfigMediaType(empty.Image, "application/vnd.cncf.helm.config.v1+json")
	if o, err := outlineOf(t, artifact, artifact.Digest); err != nil || !o.Made.IsZero() || o.Platforms != nil {
		t.Errorf("a chart: %+v, %v", o, err)
	}
}

func TestAnIndexIsForThePlatformsOfItsBuilds(t *testing.T) {
	for n, want := range map[int]int{2: 2, mostPlatforms: mostPlatforms, mostPlatforms + 1: 0} {
		var index v1.ImageIndex = mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
		img := imageOf(t, tarOf(t))
		for i := range n {
			index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux",
				Architecture: fmt.Sprint("a", i)}}})
		}
		if o, err := outlineOf(t, index, index.Digest); err != nil || len(o.Platforms) != want {
			t.Errorf("%d builds: %d platforms, %v", n, len(o.Platforms), err)
		}
	}
}

func TestAPlatformFitsAsRuntimesCompareIt(t *testing.T) {
	for _, test := range []struct {
		has, wants string
		fits       bool
	}{
		{"linux/arm64/v8", "linux/arm64", true}, {"linux/amd64 linux/arm64", "linux/s390x linux/arm64", true},
		{"linux/amd64", "linux/arm64", false}, {"", "linux/arm64", true}, {"linux/amd64", "", true}, {"linux/arm/v6", "linux/arm/v7", false},
	} {
		if got := (Outline{Platforms: strings.Fields(test.has)}).Fits(strings.Fields(test.wants)); got != test.fits {
			t.Errorf("%q for %q: %t", test.has, test.wants, got)
		}
	}
}

// TestAPreferredBuildIsReadWhereThereIsOne, and the usual one where there is none.
func TestAPreferredBuildIsReadWhereThereIsOne(t *testing.T) {
	arm, amd := oneForEach(t)
	var index v1.ImageIndex = mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for platform, img := range map[string]v1.Image{"amd64": amd, "arm64": arm} {
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: img,
			Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: platform}}})
	}
	at := pushed(t, empty.Image)
	r, err := name.ParseReference(at)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Push(r, index); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ platform, prefers, want string }{
		{"", "", "amd"}, {"", "linux/arm64", "arm"}, {"", "linux/s390x linux/arm64 linux/amd64", "arm"}, {"", "linux/s390x", "amd"},
		{"linux/amd64", "linux/arm64", "amd"},
	} {
		asked := ""
		inv, err := scanOf(t.Context(), at, Options{Platform: test.platform, Prefer: func(host string) []string {
			asked = host
			return strings.Fields(test.prefers)
		}})
		if err != nil || inv.Packages[0].Name != test.want || !strings.HasPrefix(at, asked+"/") {
			t.Errorf("%+v: %+v, %v, asked for %s", test, inv, err, asked)
		}
	}
}
