package audit

import (
	"bytes"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/strictyaml"
)

func TestWhatIsKnownOfInfrastructureHasItsSourceAndSaysEachThingOnce(t *testing.T) {
	var all []infrastructure
	if _, err := strictyaml.ReadFrom("infrastructure.yaml", bytes.NewReader(infrastructureFile), &all); err != nil {
		t.Fatal(err)
	}
	images, names := map[string]bool{}, map[string]bool{}
	for _, k := range all {
		if k.Project == "" || names[k.Project] || !strings.HasPrefix(k.Source, "https://") || len(k.Images) == 0 {
			t.Errorf("%q: want a name of its own, a source and images", k.Project)
		}
		names[k.Project] = true
		for _, image := range k.Images {
			if images[image] || repository(image) != image {
				t.Errorf("%s: image %s: want a whole repository, once", k.Project, image)
			}
			images[image] = true
		}
		for _, folder := range slices.Concat(k.Folders, k.Reads) {
			if path.Clean(folder) != folder || folder[0] != '/' {
				t.Errorf("%s: folder %s", k.Project, folder)
			}
		}
		for _, share := range k.Shares {
			if (&podSpec{}).shares()[share] == nil {
				t.Errorf("%s shares %s", k.Project, share)
			}
		}
		if slices.Contains(k.Folders, "/") {
			t.Errorf("%s writes all of a node", k.Project)
		}
	}
}

func TestARepositoryIsWhatARuntimeTakesItFor(t *testing.T) {
	for image, want := range map[string]string{
		"nginx": "docker.io/library/nginx", "nginx:1": "docker.io/library/nginx", "a/b": "docker.io/a/b", "a/b:1@sha256:0": "docker.io/a/b",
		"localhost/a": "localhost/a", "h:5000/a": "h:5000/a", "h:5000/a:1": "h:5000/a", "quay.io/a/b:1": "quay.io/a/b",
		"index.docker.io/a/b": "docker.io/a/b", "": "docker.io/library/", "quay.io/cilium/cilium@sha256:0": "quay.io/cilium/cilium",
	} {
		if got := repository(image); got != want {
			t.Errorf("%q is of %q, want %q", image, got, want)
		}
	}
}
