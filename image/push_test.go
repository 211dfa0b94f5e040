package image

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// TestARealRegistryServesWhatWasPushed runs the distribution project's own server.
func TestARealRegistryServesWhatWasPushed(t *testing.T) {
	binary, err := exec.LookPath("docker-registry")
	if err != nil {
		t.Skip("docker-registry is not installed")
	}
	address := freeAddress(t)
	config := filepath.Join(t.TempDir(), "config.yml")
	text := "version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: " + t.TempDir() + "}}\nhttp: {addr: " + address + "}\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	server := exec.CommandContext(ctx, binary, "serve", config)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { stop(); _ = server.Wait() }()
	awaitRegistry(t, address)
	img := imageOf(t, tarOf(t, entry{name: "etc/os-release", content: debian}), tarOf(t, entry{name: status, content: openssl}))
	ref, err := name.ParseReference(address + "/shop/web:1")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, img, remote.WithContext(t.Context())); err != nil {
		t.Fatal(err)
	}
	want, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	inv, err := scanOf(t.Context(), ref.String(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if inv.Digest != want.String() || !inv.Understood || len(inv.Layers) != 2 || inv.Packages[0].Layer != inv.Layers[1].Digest {
		t.Errorf("%+v, want digest %s", inv, want)
	}
	if digest, err := Resolve(t.Context(), parsed(t, ref.String()), Options{}); err != nil || digest != want.String() {
		t.Errorf("resolved to %s, %v", digest, err)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func awaitRegistry(t *testing.T, address string) {
	t.Helper()
	for range 300 {
		response, err := http.Get("http://" + address + "/v2/")
		if err == nil {
			response.Body.Close()
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatal("docker-registry did not start within 30 seconds")
}
