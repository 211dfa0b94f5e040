package image

import (
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// mostResident is what reading a distribution's image may take at its peak, the
// program itself included: far below the image.
const mostResident = 64 << 20

// TestADebootstrappedImageIsReadTheSameWayEverywhere packs the debootstrapped root
// as people's tools do and reads it from a layout and from a registry.
func TestADebootstrappedImageIsReadTheSameWayEverywhere(t *testing.T) {
	if os.Getenv("BREAKWATER_SLOW") == "" {
		t.Skip("BREAKWATER_SLOW=1 runs it")
	}
	root := debootstrapped(t)
	want, err := scanOf(t.Context(), "rootfs:"+root, Options{})
	if err != nil {
		t.Fatal(err)
	}
	img := packed(t, root)
	dir := filepath.Join(t.TempDir(), "layout")
	l, err := layout.Write(dir, empty.Index)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.AppendImage(img); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(registry.New(registry.Logger(discard), registry.WithBlobHandler(registry.NewDiskBlobHandler(t.TempDir()))))
	defer s.Close()
	ref, err := name.ParseReference(strings.TrimPrefix(s.URL, "http://") + "/debian:12")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, img, remote.WithContext(t.Context())); err != nil {
		t.Fatal(err)
	}
	for _, from := range []string{"oci:" + dir, ref.String()} {
		t.Run(from[:3], func(t *testing.T) {
			got, err := scanOf(t.Context(), from, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(described(got), described(want)) || len(got.Packages) == 0 || got.OS != want.OS || len(got.Gaps) != len(want.Gaps) {
				t.Errorf("%d packages of %v (gaps %v), the root file system has %d of %v (gaps %v)", len(got.Packages), got.OS, got.Gaps,
					len(want.Packages), want.OS, want.Gaps)
			}
			resident, took := alone(t, from)
			t.Logf("%d packages in %v with %d MiB resident at most", len(got.Packages), took.Round(time.Millisecond), resident>>20)
			if resident > mostResident {
				t.Errorf("%d MiB resident, want at most %d", resident>>20, mostResident>>20)
			}
		})
	}
}

// packed is the folder as an image of one layer.
func packed(t *testing.T, root string) v1.Image {
	t.Helper()
	file := filepath.Join(t.TempDir(), "layer.tar.gz")
	if out, err := exec.CommandContext(t.Context(), "tar", "-C", root, "--numeric-owner", "--exclude=./dev/*", "--exclude=./proc/*",
		"-czf", file, ".").CombinedOutput(); err != nil {
		t.Fatalf("tar: %v\n%s", err, out)
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return os.Open(file) })
	if err != nil {
		t.Fatal(err)
	}
	img, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		t.Fatal(err)
	}
	if img, err = mutate.ConfigFile(img, withPlatform(t, img)); err != nil {
		t.Fatal(err)
	}
	return img
}

// described is every package with everything that is said of it but where it was read.
func described(inv *Inventory) (out []string) {
	for _, p := range inv.Packages {
		out = append(out, strings.Join(append([]string{p.PURL, p.Name, p.Version, p.Source, p.SourceVersion, p.Architecture, p.Ecosystem,
			p.Database}, p.Files...), " "))
	}
	slices.Sort(out)
	return out
}

// alone reads an image in a process of its own and tells what that took. The
// process says so itself: what wait4 tells of it includes its parent's memory.
func alone(t *testing.T, from string) (resident int64, took time.Duration) {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestInAProcessOfItsOwn$", "-test.v")
	c.Env = append(os.Environ(), "BREAKWATER_SCAN="+from)
	started := time.Now()
	out, err := c.CombinedOutput()
	took = time.Since(started)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	_, after, found := strings.Cut(string(out), "VmHWM:")
	if !found {
		t.Skip("this system does not tell what a process took")
	}
	if _, err := fmt.Sscanf(after, "%d kB", &resident); err != nil {
		t.Fatalf("%v in %q", err, after)
	}
	return resident << 10, took
}

// TestInAProcessOfItsOwn is the other side of alone.
func TestInAProcessOfItsOwn(t *testing.T) {
	from := os.Getenv("BREAKWATER_SCAN")
	if from == "" {
		t.Skip("it is run by another test")
	}
	if inv, err := scanOf(t.Context(), from, Options{}); err != nil || !inv.Understood {
		t.Fatalf("%v, %v", inv, err)
	}
	if status, err := os.ReadFile("/proc/self/status"); err == nil {
		t.Log(string(status))
	}
}
