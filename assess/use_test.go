package assess

import "testing"

func TestAnImageIsKnownByTheDigestTheNodeResolvedElseByWhatIsWritten(t *testing.T) {
	tests := []struct{ name, written, reported, id, ask string }{
		{"resolved by the node", "nginx:1.27", "docker.io/library/nginx@sha256:bb", "sha256:bb", "docker.io/library/nginx@sha256:bb"},
		{"never resolved", "nginx", "", "docker.io/library/nginx:latest", "docker.io/library/nginx:latest"},
		{"pinned", "ghcr.io/a/b:v1@sha256:cc", "", "sha256:cc", "ghcr.io/a/b@sha256:cc"},
		{"registry with a port", "localhost:5000/a", "", "localhost:5000/a:latest", "localhost:5000/a:latest"},
		{"only a configuration's digest", "nginx:1", "sha256:dd", "sha256:dd", "docker.io/library/nginx:1"},
	}
	for _, test := range tests {
		u := UseOf(test.written, test.reported)
		if u.ID != test.id || u.Reference != test.ask {
			t.Errorf("%s: id %q, ask %q; want %q, %q", test.name, u.ID, u.Reference, test.id, test.ask)
		}
	}
}
