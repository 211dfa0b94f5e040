package analyse

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/breakwater-sec/breakwater/packs"
)

func TestWhoseARegistryIs(t *testing.T) {
	own := fstest.MapFS{"attack/registries.yaml": {Data: []byte("own: [registry.example.com, '*.mirror.example.com', quay.io]\n")}}
	said, err := LoadFS(packs.FS, own)
	if err != nil {
		t.Fatal(err)
	}
	unsaid, err := LoadFS(packs.FS)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ host, said, unsaid string }{
		{"docker.io", "third party, known", "third party, known"},
		{"quay.io", "known", "third party, known"},
		{"123456789012.dkr.ecr.eu-west-1.amazonaws.com", "known", "known"},
		{"europe-docker.pkg.dev", "known", "known"},
		{"registry.example.com", "known", "?"},
		{"a.mirror.example.com", "known", "?"},
		{"evil.example.net", "unknown", "?"},
		{"docker.io.evil.example.net", "unknown", "?"},
		{"8.8.8.8:5000", "unknown", "?"},
		{"10.0.0.5:5000", "known", "known"},
		{"10.0.0.5", "known", "known"},
		{"127.0.0.1:5000", "known", "known"},
		{"[2001:4860:4860::8888]:5000", "unknown", "?"},
		{"[2001:4860:4860::8888]", "unknown", "?"},
		{"[fd00::5]:5000", "known", "known"},
		{"[::1]", "known", "known"},
		{"nas.lan", "known", "known"},
		{"registry.corp.internal", "known", "known"},
		{"local.example.net", "unknown", "?"},
		{"localhost:5000", "known", "known"},
		{"registry:5000", "known", "known"},
		{"registry.infra.svc", "known", "known"},
	} {
		for r, want := range map[*Rules]string{said: c.said, unsaid: c.unsaid} {
			got := map[string]string{"true": "unknown", "false": "known", "<nil>": "?"}[text(r.Registries.Unknown(c.host))]
			if r.Registries.ThirdParty(c.host) {
				got = "third party, " + got
			}
			if got != want {
				t.Errorf("%s (own named: %v): got %s, want %s", c.host, r == said, got, want)
			}
		}
	}
	_, err = LoadFS(packs.FS, fstest.MapFS{"attack/registries.yaml": {Data: []byte("mine: [a]\n")}})
	if err == nil || !strings.Contains(err.Error(), "registries.yaml") {
		t.Errorf("a list that nobody knows is read: %v", err)
	}
}

func text(b *bool) string {
	if b == nil {
		return "<nil>"
	}
	return fmt.Sprint(*b)
}
