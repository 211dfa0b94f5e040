package collect

import "testing"

func TestImageIs(t *testing.T) {
	tests := []struct {
		image, name string
		want        bool
	}{
		{"quay.io/calico/node:v3", "calico/node", true},
		{"calico/node", "calico/node", true},
		{"registry:5000/calico/node@sha256:01", "calico/node", true},
		{"registry:5000/calico/node:v3@sha256:01", "node", true},
		{"localhost:5000", "localhost", true}, // a port looks like a tag: no repository is meant
		{"example.org/not-calico/node-exporter:v1", "calico/node", false},
		{"example.org/xcalico/node:v1", "calico/node", false},
		{"", "node", false},
	}
	for _, tt := range tests {
		if got := (ContainerShape{Image: tt.image}).ImageIs(tt.name); got != tt.want {
			t.Errorf("%q is %q = %v, want %v", tt.image, tt.name, got, tt.want)
		}
	}
}
