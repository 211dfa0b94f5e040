package bench

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
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

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/image"
	"github.com/breakwater-sec/breakwater/store"
	"github.com/breakwater-sec/breakwater/vuln"
)

// wanted is a number of the environment, or another.
func wanted(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

// cost is what a program used, its children included: of memory the most that they had at once.
type cost struct {
	wall, cpu time.Duration
	memory    int64
	said      []byte
}

func (c cost) String() string {
	return fmt.Sprintf("%s, CPU %s, %d MB", c.wall.Round(time.Millisecond), c.cpu.Round(time.Millisecond), c.memory>>20)
}

// run runs a program of a list of arguments to its end.
func run(t *testing.T, env []string, args ...string) cost {
	t.Helper()
	c := exec.CommandContext(t.Context(), args[0], args[1:]...)
	c.Env = append(os.Environ(), env...)
	var out, wrong bytes.Buffer
	c.Stdout, c.Stderr = &out, &wrong
	began := time.Now()
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	peak := residentOf(c.Process.Pid)
	err := c.Wait()
	took, memory := time.Since(began), peak()
	if err != nil {
		t.Fatalf("%q: %v: %.2000s", args, err, wrong.Bytes())
	}
	return cost{took, c.ProcessState.UserTime() + c.ProcessState.SystemTime(), memory, out.Bytes()}
}

// best is the run of several that took least.
func best(times int, one func() cost) cost {
	all := make([]cost, times)
	for i := range all {
		all[i] = one()
	}
	return slices.MinFunc(all, func(a, b cost) int { return int(a.wall - b.wall) })
}

// others are scanners that test/scanners.sh built, by the folder that SCANNERS names: syft lists packages; grype, given its database by
// GRYPE_DB_CACHE_DIR, also says what affects them; and so does trivy, given its own by TRIVY_CACHE_DIR.
func others(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{
		"syft": {"syft", "scan", "-q", "-o", "json"},
	}
	if os.Getenv("GRYPE_DB_CACHE_DIR") != "" {
		all["grype"] = []string{"grype", "-q", "-o", "json"}
	}
	if os.Getenv("TRIVY_CACHE_DIR") != "" {
		all["trivy"] = []string{"trivy", "image", "-q", "--offline-scan", "--skip-db-update", "--skip-java-db-update", "-f", "json", "--input"}
	}
	for name, args := range all {
		args[0] = filepath.Join(os.Getenv("SCANNERS"), name)
		if _, err := os.Stat(args[0]); os.Getenv("SCANNERS") == "" || err != nil {
			t.Logf("%s is not measured: SCANNERS=$(test/scanners.sh) names a folder that has it", name)
			delete(all, name)
		}
	}
	return all
}

// program is the command line, built once for a test.
func program(t *testing.T) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "breakwater")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", to, "../cmd/breakwater").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return to
}

// TestMeasureScanners reads one large image of a distribution with packages of languages in it, with gunzip, with us and with other
// scanners: cold, and once more with what was kept of its layers.
func TestMeasureScanners(t *testing.T) {
	measured(t)
	megabytes := wanted("IMAGE_MB", 768)
	dir := filepath.Join(t.TempDir(), "layout")
	img := largeImage(t, megabytes)
	if _, err := layout.Write(dir, mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: img})); err != nil {
		t.Fatal(err)
	}
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	unzip := []string{"sh", "-c", `for f; do gzip -dc "$f" || exit; done | wc -c`, "sh"}
	for _, l := range layers {
		d, err := l.Digest()
		if err != nil {
			t.Fatal(err)
		}
		unzip = append(unzip, filepath.Join(dir, "blobs", "sha256", d.Hex))
	}
	gunzip := best(3, func() cost { return run(t, nil, unzip...) })
	t.Logf("an image of %s bytes unpacked in %d layers: gunzip %s", strings.TrimSpace(string(gunzip.said)), len(layers), gunzip)
	bin, data := program(t), filepath.Join(t.TempDir(), "data")
	importTracker(t, filepath.Join(data, "advisories"), 30_000, "12")
	ours := func(data string) cost {
		return run(t, nil, bin, "scan", "image", "oci:"+dir, "-o", "json", "--data", data)
	}
	cold := best(3, func() cost { return ours(data) })
	t.Logf("  breakwater, cold: %s: %.2f times gunzip's time (wanted: ≤ 1.2), memory wanted: ≤ 150 MB; %s", cold,
		float64(cold.wall)/float64(gunzip.wall), told(t, cold.said, "packages", "vulnerabilities", "secrets"))
	st, err := store.Open(t.Context(), filepath.Join(data, "breakwater.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	ours(data)
	warm := best(3, func() cost { return ours(data) })
	t.Logf("  breakwater, layers known: %s: %.0f times as fast as cold", warm, float64(cold.wall)/float64(warm.wall))
	for name, args := range others(t) {
		from := "oci-dir:" + dir
		if name == "trivy" {
			from = dir
		}
		theirs := best(2, func() cost { return run(t, nil, append(slices.Clone(args), from)...) })
		t.Logf("  %s: %s: %.1f times our time, %.1f times our CPU, %.1f times our memory; %s", name, theirs,
			float64(theirs.wall)/float64(cold.wall), float64(theirs.cpu)/float64(cold.cpu), float64(theirs.memory)/float64(cold.memory),
			told(t, theirs.said, "artifacts", "matches", "Results"))
	}
}

// told counts what lists of a document hold.
func told(t *testing.T, document []byte, lists ...string) string {
	t.Helper()
	var all map[string]json.RawMessage
	if err := json.Unmarshal(document, &all); err != nil {
		t.Fatalf("%v in %.200s", err, document)
	}
	var out []string
	for _, list := range lists {
		var items []json.RawMessage
		if json.Unmarshal(all[list], &items) == nil && items != nil {
			out = append(out, fmt.Sprintf("%d %s", len(items), list))
		}
	}
	return strings.Join(out, ", ")
}

// TestMeasureRegistryScale reads 1,000 images that share 40 bases from a registry on this machine, as a server does: layers once,
// four workers. Others read some of the same images, one after the other, as they do.
func TestMeasureRegistryScale(t *testing.T) {
	measured(t)
	images, bases, megabytes := wanted("IMAGES", 1000), wanted("BASES", 40), wanted("BASE_MB", 50)
	blobs := t.TempDir()
	s := httptest.NewServer(registry.New(registry.WithBlobHandler(registry.NewDiskBlobHandler(blobs)),
		registry.Logger(log.New(io.Discard, "", 0))))
	defer s.Close()
	host := strings.TrimPrefix(s.URL, "http://")
	pushEstate(t, host, images, bases, megabytes)
	dir := t.TempDir()
	importTracker(t, filepath.Join(dir, "advisories"), 30_000, "12")
	db, err := vuln.Open(filepath.Join(dir, "advisories"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	st, err := store.Open(t.Context(), filepath.Join(dir, "breakwater.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	salt, err := st.Salt(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	caged, end := image.Caged{Options: image.Options{Cache: st, Salt: salt}}.Ahead()
	defer end()
	a := assess.New(assess.Config{Advisories: func() *vuln.DB { return db }, Records: st, Owner: "bench", Workers: 4, Scan: caged.Scan})
	var uses []assess.Use
	for n := range images {
		ref, err := name.ParseReference(taggedApp(host, n))
		if err != nil {
			t.Fatal(err)
		}
		d, err := remote.Head(ref)
		if err != nil {
			t.Fatal(err)
		}
		use, err := assess.UseOf(ref.Name(), ref.Context().Name()+"@"+d.Digest.String())
		if err != nil {
			t.Fatal(err)
		}
		use.Running = true
		uses = append(uses, use)
	}
	var done atomic.Int64
	finished := make(chan struct{})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	debug.FreeOSMemory() // of what pushing took
	peak := resident()
	began, cpu := time.Now(), cpuTime()+cpuTimeOfChildren()
	if err := a.Resume(ctx); err != nil {
		t.Fatal(err)
	}
	go func() {
		ended <- a.Run(ctx, func(_ context.Context, c assess.Changes) {
			for _, i := range c.Images {
				if i.Assessment != nil && i.Assessment.State == assess.Done && done.Add(1) == int64(images) {
					close(finished)
				}
			}
		})
	}()
	a.Want("bench", uses)
	select {
	case <-finished:
	case err := <-ended:
		t.Fatalf("ended with %d of %d images: %v", done.Load(), images, err)
	case <-time.After(time.Duration(images) * 10 * time.Second):
		t.Fatalf("%d of %d images in time", done.Load(), images)
	}
	took, memory := time.Since(began), peak()
	used := cpuTime() + cpuTimeOfChildren() - cpu
	stop()
	<-ended
	rate := float64(images) / took.Minutes()
	t.Logf("%d images on %d bases of %d MB: %s, %.0f images a minute, CPU %s with the registry's, %d MB in all processes together", images, bases,
		megabytes, took.Round(time.Millisecond), rate, used.Round(time.Millisecond), memory>>20)
	for name, args := range others(t) {
		if name == "trivy" {
			continue // it takes no registry with plain HTTP by argument alone
		}
		some := wanted("OTHERS", 20)
		var theirs cost
		for n := range some {
			c := run(t, []string{"SYFT_REGISTRY_INSECURE_USE_HTTP=true", "GRYPE_REGISTRY_INSECURE_USE_HTTP=true"}, append(slices.Clone(args),
				fmt.Sprintf("registry:%s", taggedApp(host, n*images/some)))...)
			theirs.wall, theirs.cpu, theirs.memory = theirs.wall+c.wall, theirs.cpu+c.cpu, max(theirs.memory, c.memory)
		}
		perMinute := float64(some) / theirs.wall.Minutes()
		t.Logf("  %s, %d of them: %.0f images a minute, %d MB; ours is %.1f times that (wanted: ≥ 10) at %.0f %% of the memory (wanted: ≤ 25 %%)",
			name, some, perMinute, theirs.memory>>20, rate/perMinute, 100*float64(memory)/float64(theirs.memory))
	}
}

// resident samples what this process and its children have of memory together, until the function that it returns is called.
func resident() (peak func() int64) { return residentOf(os.Getpid()) }

func residentOf(pid int) (peak func() int64) {
	most, quit, done := int64(0), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			most = max(most, residentNow(pid))
			select {
			case <-quit:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	return func() int64 { close(quit); <-done; return most }
}

// residentNow is the resident memory of a process and of those below it, as Linux tells it. What wait4 tells of one that ended is no
// use: it begins with the memory of who started it.
func residentNow(pid int) (bytes int64) {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "Pss:" { // of what several share, a share
			kilobytes, _ := strconv.ParseInt(fields[1], 10, 64)
			bytes = kilobytes << 10
		}
	}
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, task := range tasks {
		children, _ := os.ReadFile(task)
		for _, child := range strings.Fields(string(children)) {
			if n, err := strconv.Atoi(child); err == nil {
				bytes += residentNow(n)
			}
		}
	}
	return bytes
}

// TestMeasureAdvisories imports records as distributions' trackers have them, and says what they take on disk and to open.
func TestMeasureAdvisories(t *testing.T) {
	measured(t)
	records := wanted("RECORDS", 500_000)
	dir := t.TempDir()
	source := trackerOf(t, records)
	began, peak := time.Now(), resident()
	if _, err := vuln.Import(t.Context(), dir, []vuln.Source{{Path: source}}, nil); err != nil {
		t.Fatal(err)
	}
	took, memory := time.Since(began), peak()
	var bytes int64
	err := filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			var info os.FileInfo
			if info, err = d.Info(); err == nil {
				bytes += info.Size()
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	before := residentNow(os.Getpid())
	began = time.Now()
	db, err := vuln.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	opened := time.Since(began)
	began, found := time.Now(), 0
	for n := range 300 {
		found += len(db.Match(vuln.Package{Ecosystem: "Debian:12", Name: fmt.Sprintf("package-%d", n*7%(records/20)), Version: "12.1-1"}))
	}
	t.Logf("%d records: imported in %s (%.0f records/s) with %d MB resident, %d MB on disk; opened in %s with %d MB more resident; 300 packages with %d "+
		"findings in %s", records, took.Round(time.Millisecond), float64(records)/took.Seconds(), memory>>20, bytes>>20,
		opened.Round(10*time.Microsecond), (residentNow(os.Getpid())-before)>>20, found, time.Since(began).Round(10*time.Microsecond))
}

// trackerOf writes records as a distribution's tracker has them: one vulnerability each, a kilobyte of text, three releases.
func trackerOf(t *testing.T, records int) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "all.zip")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	w := zip.NewWriter(f)
	random := rand.New(rand.NewPCG(1, 2))
	words := strings.Fields("a buffer overflow in the parser of this library lets remote attackers run code through crafted input that was not " +
		"checked before use in memory")
	for i := range records {
		var text, affected []string
		for range 150 {
			text = append(text, words[random.IntN(len(words))])
		}
		pkg := fmt.Sprintf("package-%d", int(float64(records)/20*random.Float64()*random.Float64()))
		for release := 11; release <= 13; release++ {
			affected = append(affected, fmt.Sprintf(`{"package":{"ecosystem":"Debian:%d","name":%q},"ranges":[{"type":"ECOSYSTEM",`+
				`"events":[{"introduced":"0"},{"fixed":"%d.%d-1+deb%du%d"}]}]}`, release, pkg, release, 12+random.IntN(9), release, random.IntN(5)))
		}
		member, err := w.Create(fmt.Sprintf("DEBIAN-CVE-2024-%06d.json", i))
		if err == nil {
			_, err = fmt.Fprintf(member, `{"id":"DEBIAN-CVE-2024-%06d","upstream":["CVE-2024-%06d"],"modified":"2024-05-01T00:00:00Z","details":%q,`+
				`"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],"affected":[%s]}`, i, i,
				strings.Join(text, " "), strings.Join(affected, ","))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	return file
}

// archive writes files as a layer has them.
type archive struct {
	w *tar.Writer
	t *testing.T
}

func (a archive) add(name string, content []byte) {
	if err := a.w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}); err != nil {
		a.t.Fatal(err)
	}
	if _, err := a.w.Write(content); err != nil {
		a.t.Fatal(err)
	}
}

// layerOf is a layer of what fill writes, packed once into a file.
func layerOf(t *testing.T, fill func(archive)) v1.Layer {
	t.Helper()
	file := filepath.Join(t.TempDir(), "layer.tar")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(f)
	fill(archive{w, t})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return os.Open(file) })
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func imageFrom(t *testing.T, layers ...v1.Layer) v1.Image {
	t.Helper()
	img, err := mutate.AppendLayers(empty.Image, layers...)
	if err != nil {
		t.Fatal(err)
	}
	if img, err = mutate.ConfigFile(img, &v1.ConfigFile{OS: "linux", Architecture: "amd64", RootFS: rootOf(t, img)}); err != nil {
		t.Fatal(err)
	}
	return img
}

// distribution fills a layer as distributions make them: packages, their lists of files, and files of which half the bytes are noise, a
// third of them texts.
func distribution(a archive, seed byte, megabytes int) {
	var status strings.Builder
	for n := range 400 {
		fmt.Fprintf(&status, "Package: package-%d\nStatus: install ok installed\nArchitecture: amd64\nVersion: 11.1-1\nDescription: %s\n\n", n,
			strings.Repeat("words ", 100))
		a.add(fmt.Sprintf("var/lib/dpkg/info/package-%d.list", n), []byte(strings.Repeat(fmt.Sprintf("/usr/share/package-%d/file\n", n), 50)))
	}
	a.add("var/lib/dpkg/status", []byte(status.String()))
	a.add("etc/os-release", []byte("ID=debian\nVERSION_ID=12\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n"))
	noise := rand.NewChaCha8([32]byte{seed})
	r := rand.New(noise)
	words := strings.Fields("for if return the of and to value name key token password config import package func class self this null")
	for n := range megabytes * 10 {
		content := make([]byte, 100_000)
		if n%3 == 0 {
			text := content[:0]
			for len(text) < len(content)-20 {
				text = fmt.Appendf(text, "%s_%d ", words[r.IntN(len(words))], r.IntN(1000))
			}
		} else if _, err := noise.Read(content[:50_000]); err != nil {
			a.t.Fatal(err)
		}
		a.add(fmt.Sprintf("usr/share/package-%d/file-%d", n%400, n), content)
	}
}

// largeImage is a distribution with an application of several languages on it.
func largeImage(t *testing.T, megabytes int) v1.Image {
	t.Helper()
	return imageFrom(t, layerOf(t, func(a archive) { distribution(a, 1, megabytes*3/4) }), layerOf(t, func(a archive) {
		languages(a, megabytes/4)
	}))
}

// languages fills a layer with packages of npm, of Python and of Java, with their files.
func languages(a archive, megabytes int) {
	noise := rand.NewChaCha8([32]byte{2})
	bulk := make([]byte, 60_000)
	for n := range megabytes * 17 {
		if _, err := noise.Read(bulk[:24_000]); err != nil {
			a.t.Fatal(err)
		}
		switch n % 3 {
		case 0:
			dir := fmt.Sprintf("app/node_modules/module-%d/", n)
			a.add(dir+"package.json", fmt.Appendf(nil, `{"name":"module-%d","version":"1.%d.0","dependencies":{"a":"^1"}}`, n, n))
			a.add(dir+"index.js", bulk)
		case 1:
			dir := fmt.Sprintf("usr/lib/python3/site-packages/dist_%d", n)
			a.add(dir+"-1.0.dist-info/METADATA", fmt.Appendf(nil, "Metadata-Version: 2.1\nName: dist-%d\nVersion: 1.%d\n\n%s", n, n,
				strings.Repeat("words ", 300)))
			a.add(dir+"/__init__.py", bulk)
		case 2:
			var jar bytes.Buffer
			z := zip.NewWriter(&jar)
			for name, content := range map[string][]byte{
				fmt.Sprintf("META-INF/maven/org.example/lib-%d/pom.properties", n): fmt.Appendf(nil, "groupId=org.example\nartifactId=lib-%d\nversion=1.%d\n", n, n),
				"META-INF/MANIFEST.MF": []byte("Manifest-Version: 1.0\n"), "org/example/Main.class": bulk} {
				f, err := z.Create(name)
				if err == nil {
					_, err = f.Write(content)
				}
				if err != nil {
					a.t.Fatal(err)
				}
			}
			if err := z.Close(); err != nil {
				a.t.Fatal(err)
			}
			a.add(fmt.Sprintf("srv/lib/lib-%d.jar", n), jar.Bytes())
		}
	}
}

// tagsOfApp is how many images one repository has: versions of one application, on one base.
const tagsOfApp = 10

func taggedApp(host string, n int) string {
	return fmt.Sprintf("%s/shop/app-%d:%d", host, n/tagsOfApp, n%tagsOfApp)
}

// pushEstate pushes images, each a base and a layer of its own.
func pushEstate(t *testing.T, host string, images, bases, megabytes int) {
	t.Helper()
	below := make([]v1.Layer, bases)
	for n := range below {
		below[n] = layerOf(t, func(a archive) { distribution(a, byte(10+n), megabytes) })
	}
	var wg sync.WaitGroup
	places := make(chan struct{}, 4)
	for n := range images {
		wg.Add(1)
		places <- struct{}{}
		go func() {
			defer wg.Done()
			defer func() { <-places }()
			own := layerOf(t, func(a archive) {
				a.add(fmt.Sprintf("app/node_modules/own-%d/package.json", n), fmt.Appendf(nil, `{"name":"own-%d","version":"1.0.0"}`, n))
				bulk := make([]byte, 200_000)
				_, _ = rand.NewChaCha8([32]byte{3, byte(n), byte(n >> 8)}).Read(bulk)
				a.add("app/data.bin", bulk)
			})
			to, err := name.ParseReference(taggedApp(host, n))
			if err == nil {
				err = remote.Write(to, imageFrom(t, below[n/tagsOfApp%bases], own))
			}
			if err != nil {
				t.Error(err)
			}
		}()
	}
	wg.Wait()
}
