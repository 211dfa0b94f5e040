package assess

import (
	"strings"
	"testing"
)

func TestAnImageIsKnownByTheDigestTheNodeResolvedElseByWhatIsWritten(t *testing.T) {
	b, c, long := "sha256:"+strings.Repeat("b", 64), "sha256:"+strings.Repeat("c", 64), "sha512:"+strings.Repeat("0f", 64)
	tests := []struct{ name, written, reported, id, ask string }{
		{"resolved by the node", "nginx:1.27", "docker.io/library/nginx@" + b, b, "docker.io/library/nginx@" + b},
		{"in docker's words", "nginx:1.27", "docker-pullable://nginx@" + b, b, "docker.io/library/nginx@" + b},
		{"never resolved", "nginx", "", "docker.io/library/nginx:latest", "docker.io/library/nginx:latest"},
		{"pinned", "ghcr.io/a/b:v1@" + c, "", c, "ghcr.io/a/b@" + c},
		{"pinned by SHA-512", "ghcr.io/a/b@" + long, "", long, "ghcr.io/a/b@" + long},
		{"registry with a port", "localhost:5000/a", "", "localhost:5000/a:latest", "localhost:5000/a:latest"},
		{"registry on this machine", "localhost/a", "", "localhost/a:latest", "localhost/a:latest"},
		{"registry at an address", "[::1]:5000/a:1", "", "[::1]:5000/a:1", "[::1]:5000/a:1"},
		{"docker.io by its other name", "index.docker.io/a/b:1", "", "docker.io/a/b:1", "docker.io/a/b:1"},
		{"only a configuration's digest", "nginx:1", b, b, "docker.io/library/nginx:1"},
		{"only a configuration's digest, in docker's words", "nginx:1", "docker://" + b, b, "docker.io/library/nginx:1"},
		{"an id without a name for its kind", "nginx:1", strings.Repeat("b", 64), "docker.io/library/nginx:1", "docker.io/library/nginx:1"},
	}
	for _, test := range tests {
		u, err := UseOf(test.written, test.reported)
		if err != nil || u.ID != test.id || u.Reference != test.ask {
			t.Errorf("%s: id %q, ask %q (%v); want %q, %q", test.name, u.ID, u.Reference, err, test.id, test.ask)
		}
	}
}

func TestWhatANodeSaysAndIsNoDigestLeavesTheImageToBeKnownByItsName(t *testing.T) {
	for _, reported := range []string{"r.test/a@sha256:../../etc/passwd", "sha256:", "docker://sha256:zz", "rootfs:/etc@sha256:a", "a@b@c"} {
		u, err := UseOf("r.test/a:1", reported)
		if err == nil || u.ID != "r.test/a:1" || u.Reference != "r.test/a:1" || u.Digest != "" {
			t.Errorf("%s: %+v, %v", reported, u, err)
		}
	}
}

func TestWhatIsNoReferenceIsNoImage(t *testing.T) {
	digest := "@sha256:" + strings.Repeat("a", 64)
	for _, written := range []string{"rootfs:/etc" + digest, "docker-archive:/dev/ptmx", "oci:/var/lib" + digest, "oci-archive:x/../../y",
		"/etc/passwd", "../../etc", ""} {
		if u, err := UseOf(written, "r.test/a"+digest); err == nil || u != (Use{}) {
			t.Errorf("%q is %+v (%v)", written, u, err)
		}
	}
}
