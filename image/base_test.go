package image

import (
	"slices"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
)

func TestChainsAreThoseOfOCI(t *testing.T) {
	all := []Layer{{DiffID: "sha256:a"}, {DiffID: "sha256:b"}, {DiffID: "sha256:c"}}
	got := Chains(all)
	want := []string{"sha256:a", // and then what sha256sum makes of the chain so far, a space and the next
		"sha256:970a948bffa8de94d6e22d747ba8c95030e6e546909f98f54e99a13005e173a8",
		"sha256:dee159b33409cefa3f6eda71539f006014283e9d9130c18a1dea7bd8a33c9b1b"}
	if !slices.Equal(got, want) || Chain(all) != want[2] {
		t.Errorf("%q", got)
	}
	if Chain(all[:2]) != got[1] {
		t.Error("what lies above changes what is below")
	}
	all[1].DiffID = ""
	if got := Chains(all); len(got) != 1 || Chain(all) != "" {
		t.Errorf("beyond a layer of which nothing is told: %q", got)
	}
	if Chain(nil) != "" {
		t.Error("no layers make something")
	}
}

func TestWhatABuilderSaysOfTheBaseCountsOnlyIfItIsAReference(t *testing.T) {
	const digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	tests := []struct {
		name                string
		annotations, labels map[string]string
		want                *Base
	}{
		{"nothing", nil, nil, nil},
		{"an annotation", said("debian:12", digest), nil, &Base{"docker.io/library/debian:12", digest}},
		{"a label", nil, said("registry.example/base@"+digest, ""), &Base{"registry.example/base@" + digest, ""}},
		{"both", said("debian:12", ""), said("alpine:3", ""), &Base{"docker.io/library/debian:12", ""}},
		{"no digest", said("debian:12", "sha256:../../x"), nil, &Base{"docker.io/library/debian:12", ""}},
		{"no reference", said("\x1b[2Jevil", digest), said("alpine:3", ""), &Base{"docker.io/library/alpine:3", ""}},
	}
	for _, c := range tests {
		img := imageOf(t, tarOf(t, entry{name: "etc/os-release", content: debian}))
		config, err := img.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		config.Config.Labels = c.labels
		if img, err = mutate.ConfigFile(img, config); err != nil {
			t.Fatal(err)
		}
		img = mutate.Annotations(img, c.annotations).(v1.Image)
		got, err := saidBase(img, config)
		if err != nil || (got == nil) != (c.want == nil) || got != nil && *got != *c.want {
			t.Errorf("%s: %+v, %v, want %+v", c.name, got, err, c.want)
		}
	}
}

func said(name, digest string) map[string]string {
	return map[string]string{"org.opencontainers.image.base.name": name, "org.opencontainers.image.base.digest": digest}
}
