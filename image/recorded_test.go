package image

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// These hold what is read to what other tools write: archives, folders and storages of theirs. The forms themselves, written by
// our tests, are in archive_test.go, layout_test.go and storage_test.go, so that they are held to where no tool is.

// needs skips a test whose tools are not here.
func needs(t *testing.T, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(tool + " is not installed")
		}
	}
}

// packagesIn are the names of the packages in an image, by how it is named.
func packagesIn(t *testing.T, source string, o Options) string {
	t.Helper()
	inv, err := scanOf(t.Context(), source, o)
	if err != nil {
		return "error: " + err.Error()
	}
	var names []string
	for _, p := range inv.Packages {
		names = append(names, p.Name)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// web is a layout with an image web of two layers, an image api, and an index both of two platforms.
func web(t *testing.T) string {
	t.Helper()
	one := imageOf(t, tarOf(t, entry{name: "etc/os-release", content: debian}, entry{name: "var/lib/dpkg/status.d/bash",
		content: fmt.Sprintf(storedStatus, "bash")}, entry{name: "var/lib/dpkg/status.d/old", content: fmt.Sprintf(storedStatus, "old")}),
		tarOf(t, entry{name: "var/lib/dpkg/status.d/.wh.old"}, entry{name: "var/lib/dpkg/status.d/curl", content: fmt.Sprintf(storedStatus,
			"curl")}))
	arm, amd := oneForEach(t)
	one, arm, amd = ofOCI(t, one), ofOCI(t, arm), ofOCI(t, amd)
	var both v1.ImageIndex = mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, img := range []v1.Image{arm, amd} {
		config, err := img.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		both = mutate.AppendManifests(both, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: config.Platform()}})
	}
	return layoutOf(t, member{add: one, tag: "web"}, member{add: amd, tag: "api"}, member{add: both, tag: "both"})
}

// ofOCI is an image in the media types of OCI, which alone some tools take.
func ofOCI(t *testing.T, img v1.Image) v1.Image {
	t.Helper()
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	out := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	for _, l := range layers {
		if out, err = mutate.Append(out, mutate.Addendum{Layer: l, MediaType: types.OCILayer}); err != nil {
			t.Fatal(err)
		}
	}
	config = config.DeepCopy()
	config.History = nil
	if out, err = mutate.ConfigFile(out, config); err != nil {
		t.Fatal(err)
	}
	return out
}

const ofWeb = "bash curl"

func TestWhatSkopeoCopiesIsRead(t *testing.T) {
	needs(t, "skopeo")
	from, dir := web(t), t.TempDir()
	run := func(args ...string) {
		in(t, dir, "skopeo", append([]string{"--insecure-policy", "copy", "-q"}, args...)...)
	}
	run("oci:"+from+":web", "docker-archive:web.tar:shop/web:1")
	run("oci:"+from+":api", "docker-archive:api.tar:shop/api:1")
	run("oci:"+from+":web", "oci-archive:web-oci.tar:web")
	run("oci:"+from+":web", "oci:several:web")
	run("oci:"+from+":api", "oci:several:api")
	run("--dest-compress-format", "zstd", "oci:"+from+":web", "oci:zstd:web")
	run("--all", "oci:"+from+":both", "oci-archive:both.tar:both")
	for file, tool := range map[string][]string{"web.tar.gz": {"gzip", "-k"}, "web-oci.tar.zst": {"zstd", "-q", "-k"}} {
		if _, err := exec.LookPath(tool[0]); err == nil {
			in(t, dir, tool[0], append(tool[1:], strings.TrimSuffix(strings.TrimSuffix(file, ".gz"), ".zst"))...)
		}
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	for source, want := range map[string]string{
		"docker-archive:" + at("web.tar"): ofWeb, "docker-archive:" + at("web.tar") + ":shop/web:1": ofWeb, "docker-archive:" +
			at("api.tar"): "amd",
		"oci-archive:" + at("web-oci.tar"): ofWeb, "oci:" + at("several") + ":web": ofWeb, "oci:" + at("several") + ":api": "amd",
		"oci:" + at("zstd"): ofWeb, "oci-archive:" + at("both.tar"): "amd",
	} {
		if got := packagesIn(t, source, Options{}); got != want {
			t.Errorf("%s: %s, want %s", source, got, want)
		}
	}
	for _, packed := range []string{"docker-archive:" + at("web.tar.gz"), "oci-archive:" + at("web-oci.tar.zst")} {
		if _, err := os.Stat(packed[strings.Index(packed, ":")+1:]); err == nil && packagesIn(t, packed, Options{}) != ofWeb {
			t.Errorf("%s: %s", packed, packagesIn(t, packed, Options{}))
		}
	}
	if got := packagesIn(t, "oci-archive:"+at("both.tar"), Options{Platform: "linux/arm64"}); got != "arm" {
		t.Errorf("for arm64: %s", got)
	}
}

func TestWhatPodmanSavesAndKeepsIsRead(t *testing.T) {
	needs(t, "podman", "skopeo")
	if os.Geteuid() != 0 {
		t.Skip("podman keeps its storage here as root")
	}
	from, dir := web(t), t.TempDir()
	for _, driver := range []string{"vfs", "overlay"} {
		t.Run(driver, func(t *testing.T) {
			kept := filepath.Join(dir, driver)
			short, err := os.MkdirTemp("", "run") // podman wants a short one
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = os.RemoveAll(short) })
			own := []string{"--root", kept, "--runroot", short, "--storage-driver", driver}
			t.Cleanup(func() { _ = exec.Command("umount", filepath.Join(kept, driver)).Run() })
			if out, err := exec.CommandContext(t.Context(), "podman", append(slices.Clone(own), "info")...).CombinedOutput(); err != nil {
				t.Skipf("podman does not run with %s here: %s", driver, out)
			}
			podman := func(args ...string) { in(t, dir, "podman", append(slices.Clone(own), args...)...) }
			in(t, dir, "skopeo", "--insecure-policy", "copy", "-q", "oci:"+from+":web", "docker-archive:"+driver+"-web.tar:shop/web:1")
			in(t, dir, "skopeo", "--insecure-policy", "copy", "-q", "oci:"+from+":api", "docker-archive:"+driver+"-api.tar:shop/api:1")
			podman("load", "-q", "-i", driver+"-web.tar")
			podman("load", "-q", "-i", driver+"-api.tar")
			podman("save", "-q", "-o", driver+"-docker.tar", "shop/web:1")
			podman("save", "-q", "--format", "oci-archive", "-o", driver+"-oci.tar", "shop/web:1")
			podman("save", "-q", "--format", "oci-dir", "-o", driver+"-oci-dir", "shop/web:1")
			podman("save", "-q", "-m", "-o", driver+"-several.tar", "shop/web:1", "shop/api:1")
			at := func(name string) string { return filepath.Join(dir, driver+name) }
			for source, want := range map[string]string{
				"docker-archive:" + at("-docker.tar"): ofWeb, "oci-archive:" + at("-oci.tar"): ofWeb, "oci:" + at("-oci-dir"): ofWeb,
				"docker-archive:" + at("-several.tar") + ":shop/web:1": ofWeb, "docker-archive:" + at("-several.tar") + ":docker.io/shop/api:1": "amd",
				"containers-storage:" + kept + ":shop/web:1": ofWeb, "containers-storage:" + kept + ":docker.io/shop/api:1": "amd",
			} {
				if got := packagesIn(t, source, Options{}); got != want {
					t.Errorf("%s: %s, want %s", source, got, want)
				}
			}
		})
	}
}

// TestWhatContainerdKeepsAndExportsIsRead starts one of the test's own.
func TestWhatContainerdKeepsAndExportsIsRead(t *testing.T) {
	needs(t, "containerd", "ctr")
	if os.Geteuid() != 0 {
		t.Skip("containerd runs as root")
	}
	from, dir := web(t), t.TempDir()
	socket, err := os.MkdirTemp("", "ctr") // the name of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(socket) })
	address := filepath.Join(socket, "s")
	laid(t, dir, map[string]string{"config.toml": fmt.Sprintf("version = 2\nroot = %q\nstate = %q\n"+
		"disabled_plugins = [%q]\n[grpc]\naddress = %q\n",
		filepath.Join(dir, "root"), filepath.Join(socket, "state"), "io.containerd.grpc.v1.cri", address)})
	c := exec.CommandContext(t.Context(), "containerd", "-c", filepath.Join(dir, "config.toml"), "-l", "error")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	ctr := func(args ...string) string { return in(t, dir, "ctr", append([]string{"-a", address}, args...)...) }
	for range 300 {
		if exec.CommandContext(t.Context(), "ctr", "-a", address, "version").Run() == nil {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	in(t, dir, "tar", "-C", from, "-cf", filepath.Join(dir, "layout.tar"), ".")
	ctr("images", "import", "--no-unpack", "--base-name", "r.example/shop", filepath.Join(dir, "layout.tar"))
	ctr("images", "export", "web.tar", "r.example/shop:web")
	ctr("images", "export", "--platform", "linux/amd64", "both.tar", "r.example/shop:both")
	var digest string
	for line := range strings.Lines(ctr("images", "ls")) {
		if f := strings.Fields(line); len(f) > 2 && f[0] == "r.example/shop:web" {
			digest = f[2]
		}
	}
	store := "containerd:" + filepath.Join(dir, "root")
	for source, want := range map[string]string{"oci-archive:" + filepath.Join(dir, "web.tar"): ofWeb, "docker-archive:" + filepath.Join(dir,
		"web.tar"): ofWeb,
		"oci-archive:" + filepath.Join(dir, "both.tar"): "amd", store + "@" + digest: ofWeb} {
		if got := packagesIn(t, source, Options{}); got != want {
			t.Errorf("%s: %s, want %s", source, got, want)
		}
	}
	if got := packagesIn(t, store, Options{}); !strings.Contains(got, "images are in it: name one as containerd:") || !strings.Contains(got,
		digest) {
		t.Errorf("without a digest: %s, want %s among those that are told", got, digest)
	}
}
