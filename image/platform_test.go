package image

import (
	"errors"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

func TestAnIndexGivesTheBuildThatFitsBest(t *testing.T) {
	for _, c := range []struct{ builds, asked, want, fails string }{
		{"linux/arm64 linux/amd64", "", "linux/amd64", ""},
		{"linux/arm64 linux/amd64", "linux/arm64", "linux/arm64", ""},
		{"unknown/unknown windows/amd64 linux/arm64 linux/arm/v7", "", "linux/arm64", ""},
		{"windows/arm64 windows/amd64", "", "windows/arm64", ""},
		{"linux/arm64 linux/s390x", "linux/amd64", "", "it is for linux/arm64, linux/s390x"},
		{"linux/arm64 linux/amd64", "linux/arm64/v8", "linux/arm64", ""},
		{"linux/arm64/v8 linux/amd64", "linux/arm64", "linux/arm64/v8", ""},
		{"linux/arm64/8", "linux/aarch64", "linux/arm64/8", ""},
		{"linux/arm/v6 linux/arm/v7", "linux/arm", "linux/arm/v7", ""},
		{"linux/arm linux/arm/v6", "linux/arm/v6", "linux/arm/v6", ""},
		{"linux/arm/v6 linux/s390x", "linux/arm/v7", "", "it is for linux/arm/v6, linux/s390x"},
		{"linux/amd64/v3 linux/s390x", "linux/amd64", "linux/amd64/v3", ""},
		{"linux/s390x linux/amd64/v1", "linux/x86_64", "linux/amd64/v1", ""},
		{"linux/arm64 unknown/unknown", "", "linux/arm64", ""},
		{"unknown/unknown unknown/unknown", "", "", "not supported"},
	} {
		var m v1.IndexManifest
		for text := range strings.FieldsSeq(c.builds) {
			p, err := v1.ParsePlatform(text)
			if err != nil {
				t.Fatal(err)
			}
			m.Manifests = append(m.Manifests, v1.Descriptor{Platform: p})
		}
		d, err := forPlatform(&m, c.asked)
		switch {
		case c.fails != "":
			if err == nil || !strings.Contains(err.Error(), c.fails) || errors.Is(err, ErrUnsupported) != (c.fails == "not supported") {
				t.Errorf("%s for %q: %v", c.builds, c.asked, err)
			}
		case err != nil || d.Platform.String() != c.want:
			t.Errorf("%s for %q: %v %v", c.builds, c.asked, d.Platform, err)
		}
	}
}
