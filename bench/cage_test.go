package bench

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/breakwater-sec/breakwater/image"
)

// TestMeasureCage reads images of a registry on this machine without a cage, in one that is started when it is wanted, and
// in one that was started ahead, in turns: what is measured is what a cage costs.
func TestMeasureCage(t *testing.T) {
	measured(t)
	s := httptest.NewServer(registry.New())
	defer s.Close()
	ahead, end := image.Caged{}.Ahead()
	defer end()
	ways := []struct {
		name string
		read func(context.Context, image.Reference) (*image.Inventory, error)
	}{
		{"without a cage", func(ctx context.Context, ref image.Reference) (*image.Inventory, error) {
			return image.Scan(ctx, ref, image.Options{})
		}},
		{"in one that is started when it is wanted", image.Caged{}.Scan},
		{"in one that was started ahead", ahead.Scan},
	}
	for _, size := range []int{5, 100, 400} {
		ref := pushDistribution(t, strings.TrimPrefix(s.URL, "http://"), size)
		took, cpu := make([][]time.Duration, len(ways)), make([]time.Duration, len(ways))
		for range 5 {
			for n, way := range ways {
				used := cpuTime() + cpuTimeOfChildren()
				for range 3 { // one after the other, as from a queue
					began := time.Now()
					if inv, err := way.read(t.Context(), ref); err != nil || len(inv.Packages) != 400 {
						t.Fatalf("%v: %v", inv, err)
					}
					took[n] = append(took[n], time.Since(began))
				}
				cpu[n] += cpuTime() + cpuTimeOfChildren() - used
			}
		}
		for n, all := range took {
			slices.Sort(all)
			p50 := all[len(all)/2]
			t.Logf("an image of 400 packages and %d MB, %s: %s, p50 of %d: %+.0f %% (wanted, of 400 MB: at most +10 %%); %s of processor time: "+
				"%+.0f %%", size, ways[n].name, p50.Round(100*time.Microsecond), len(all), 100*(float64(p50)/float64(took[0][len(all)/2])-1),
				(cpu[n] / time.Duration(len(all))).Round(100*time.Microsecond), 100*(float64(cpu[n])/float64(cpu[0])-1))
		}
	}
}

// pushDistribution pushes an image as distributions make them: packages and their lists of
// files, and files of which half the bytes are noise.
func pushDistribution(t *testing.T, host string, megabytes int) image.Reference {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	add := func(file string, content []byte) {
		if err := w.WriteHeader(&tar.Header{Name: file, Mode: 0o644, Size: int64(len(content))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	var status strings.Builder
	for n := range 400 {
		fmt.Fprintf(&status, "Package: package-%d\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.%d\nDescription: %s\n\n", n, n,
			strings.Repeat("words ", 100))
		add(fmt.Sprintf("var/lib/dpkg/info/package-%d.list", n), []byte(strings.Repeat(fmt.Sprintf("/usr/share/package-%d/file\n", n), 50)))
	}
	add("var/lib/dpkg/status", []byte(status.String()))
	add("etc/os-release", []byte("ID=debian\nVERSION_ID=12\n"))
	noise := rand.NewChaCha8([32]byte{byte(megabytes)})
	for n := range megabytes * 10 {
		content := make([]byte, 100_000)
		if _, err := noise.Read(content[:50_000]); err != nil {
			t.Fatal(err)
		}
		add(fmt.Sprintf("usr/share/package-%d/file-%d", n%400, n), content)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
	if err != nil {
		t.Fatal(err)
	}
	img, err := mutate.AppendLayers(empty.Image, l)
	if err != nil {
		t.Fatal(err)
	}
	if img, err = mutate.ConfigFile(img, &v1.ConfigFile{OS: "linux", Architecture: "amd64", RootFS: rootOf(t, img)}); err != nil {
		t.Fatal(err)
	}
	at := fmt.Sprintf("%s/bench/distribution:%d", host, megabytes)
	to, err := name.ParseReference(at)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(to, img, remote.WithContext(t.Context())); err != nil {
		t.Fatal(err)
	}
	ref, err := image.ParseReference(at)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func rootOf(t *testing.T, img v1.Image) v1.RootFS {
	t.Helper()
	c, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	return c.RootFS
}
