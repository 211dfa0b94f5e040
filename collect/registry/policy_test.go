package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/image"
)

// says is an image that says when it was made and for which platform it is.
func says(t *testing.T, made time.Time, platform string) v1.Image {
	t.Helper()
	img, err := random.Image(100, 1)
	if err != nil {
		t.Fatal(err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config = config.DeepCopy()
	config.Created = v1.Time{Time: made}
	config.OS, config.Architecture, _ = strings.Cut(platform, "/")
	config.Architecture, config.Variant, _ = strings.Cut(config.Architecture, "/")
	if img, err = mutate.ConfigFile(img, config); err != nil {
		t.Fatal(err)
	}
	return img
}

func store(t *testing.T, ref string, what remote.Taggable) {
	t.Helper()
	r, err := name.ParseReference(ref)
	if err != nil {
		t.Fatal(err)
	}
	switch is := what.(type) {
	case v1.ImageIndex:
		err = remote.WriteIndex(r, is)
	case v1.Image:
		err = remote.Write(r, is)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// indexOf is an index of images, each with the platform that it says.
func indexOf(t *testing.T, images ...v1.Image) v1.ImageIndex {
	t.Helper()
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, img := range images {
		config, err := img.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: config.Platform()}})
	}
	return index
}

// remembered is a store in memory.
type remembered struct {
	mu  sync.Mutex
	by  map[string]image.Outline
	bad bool
}

func (r *remembered) Outline(_ context.Context, digest string) (made time.Time, platforms []string, known bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	o, known := r.by[digest]
	return o.Made, o.Platforms, known, nil
}

func (r *remembered) PutOutline(_ context.Context, digest string, made time.Time, platforms []string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.bad {
		return errors.New("the disk is full")
	}
	r.by[digest] = image.Outline{Made: made, Platforms: platforms}
	return nil
}

// names are repository:tag of what was found.
func names(found []string) string {
	var out []string
	for _, f := range found {
		n, _, _ := strings.Cut(f, " ")
		out = append(out, n)
	}
	return strings.Join(out, " ")
}

// estate is a registry with images of every kind that policies tell apart.
func estate(t *testing.T, front func(http.Handler) http.Handler) string {
	t.Helper()
	h, now := host(t, front), time.Now()
	old, young := now.AddDate(-1, 0, 0), now.AddDate(0, 0, -3)
	store(t, h+"/shop/web:v1", says(t, old, "linux/amd64"))
	store(t, h+"/shop/web:v2", says(t, young, "linux/amd64"))
	store(t, h+"/shop/web:v2-debug", says(t, young, "linux/amd64"))
	store(t, h+"/shop/web:arm", says(t, young, "linux/arm64/v8"))
	store(t, h+"/shop/web:both", indexOf(t, says(t, young, "linux/arm64"), says(t, young, "linux/amd64")))
	store(t, h+"/shop/web:epoch", says(t, time.Unix(0, 0), "linux/amd64"))
	store(t, h+"/shop/web:future", says(t, now.AddDate(5, 0, 0), "linux/amd64"))
	store(t, h+"/shop/old-web:v1", says(t, young, "linux/amd64"))
	return h
}

func TestAPolicyChoosesByNameAgeAndPlatform(t *testing.T) {
	h := estate(t, nil)
	month := collect.Span(30 * 24 * time.Hour)
	for _, test := range []struct {
		name string
		what collect.Registry
		want string
		gaps string
	}{
		{"repositories that are left out", collect.Registry{Repositories: []string{"!shop/old-*"}, TagNames: []string{"v1"}}, "shop/web:v1", ""},
		{"one is named and left out", collect.Registry{Repositories: []string{"shop/web", "!shop/*"}}, "", ""},
		{"names of tags", collect.Registry{TagNames: []string{"v*", "!*-debug"}}, "shop/old-web:v1 shop/web:v1 shop/web:v2", ""},
		{"all but some", collect.Registry{Repositories: []string{"shop/web"}, TagNames: []string{"!v*"}},
			"shop/web:arm shop/web:both shop/web:epoch shop/web:future", ""},
		{"age", collect.Registry{Repositories: []string{"shop/web"}, MaxAge: month}, "shop/web:v2 shop/web:v2-debug shop/web:arm shop/web:both " +
			"shop/web:epoch shop/web:future", "old images of " + h + ": 1 of 7 tags stand for images that say they were made more than 30d ago"},
		{"platform", collect.Registry{Repositories: []string{"shop/web"}, Platforms: []string{"linux/arm64"}}, "shop/web:arm shop/web:both",
			"images for other platforms of " + h + ": 5 of 7 tags"},
		{"either platform", collect.Registry{Repositories: []string{"shop/web"}, Platforms: []string{"linux/s390x", "linux/arm64/v8"}},
			"shop/web:arm shop/web:both", "5 of 7 tags"},
		{"the newest by version, then age", collect.Registry{Repositories: []string{"shop/web"}, TagNames: []string{"v[0-9]"}, Tags: 1,
			MaxAge: month}, "shop/web:v2", "older tags of"},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.what.Host = h
			r := reader()
			r.Outlines = &remembered{by: map[string]image.Outline{}}
			for range 2 { // what is remembered says the same
				got, l, err := read(t, r, test.what, nil)
				if err != nil || names(got) != test.want || !strings.Contains(whys(l.Gaps), test.gaps) || (len(l.Gaps) > 0) != (test.gaps != "") {
					t.Errorf("%s, %v, %s; want %s", names(got), err, whys(l.Gaps), test.want)
				}
			}
		})
	}
}

// TestWhatIsKnownOfAnImageIsNotAskedAgain, as a digest stands for the same always.
func TestWhatIsKnownOfAnImageIsNotAskedAgain(t *testing.T) {
	var asked atomic.Int64
	h := estate(t, when(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodGet && (strings.Contains(r.URL.Path, "/manifests/sha256:") || strings.Contains(r.URL.Path, "/blobs/")) {
			asked.Add(1)
		}
		return false
	}))
	r, what := reader(), collect.Registry{Host: h, MaxAge: collect.Span(time.Hour), Repositories: []string{"shop/web"}}
	know := &remembered{by: map[string]image.Outline{}}
	r.Outlines = know
	if _, _, err := read(t, r, what, nil); err != nil || asked.Load() < 14 || len(know.by) != 7 {
		t.Fatalf("asked %d times, %d are remembered, %v", asked.Load(), len(know.by), err)
	}
	asked.Store(0)
	if _, _, err := read(t, r, what, nil); err != nil || asked.Load() != 0 {
		t.Errorf("asked %d times again, %v", asked.Load(), err)
	}
	if _, _, err := read(t, reader(), collect.Registry{Host: h, Tags: 3}, nil); err != nil || asked.Load() != 0 {
		t.Errorf("a policy of names alone asked %d times for images, %v", asked.Load(), err)
	}
}

// TestWhatCannotBeAskedIsChosen, as not knowing is no reason to look away.
func TestWhatCannotBeAskedIsChosen(t *testing.T) {
	var broken atomic.Bool
	h := estate(t, when(func(w http.ResponseWriter, r *http.Request) bool {
		if broken.Load() && r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/shop/web/blobs/") {
			w.WriteHeader(http.StatusForbidden)
			return true
		}
		return false
	}))
	broken.Store(true)
	what := collect.Registry{Host: h, MaxAge: collect.Span(time.Hour), Repositories: []string{"shop/web"}, TagNames: []string{"v1", "v2"}}
	got, l, err := read(t, reader(), what, nil)
	if err != nil || names(got) != "shop/web:v1 shop/web:v2" || !strings.Contains(whys(l.Gaps), "2 of 2 images could not be asked") {
		t.Errorf("%s, %v, %s", names(got), err, whys(l.Gaps))
	}
	broken.Store(false)
	r := reader()
	r.Outlines = &remembered{by: map[string]image.Outline{}, bad: true}
	if got, l, err = read(t, r, what, nil); err != nil || names(got) != "shop/web:v1 shop/web:v2" || len(l.Gaps) != 1 {
		t.Errorf("while nothing can be remembered: %s, %v, %s", names(got), err, whys(l.Gaps))
	}
}

func TestARegistryThatAsksForAPauseEndsTheAskingForAges(t *testing.T) {
	h := estate(t, when(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/manifests/sha256:") {
			w.Header().Set("Retry-After", time.Now().Add(2*time.Hour).UTC().Format(http.TimeFormat))
			w.WriteHeader(http.StatusTooManyRequests)
			return true
		}
		return false
	}))
	_, l, err := read(t, reader(), collect.Registry{Host: h, MaxAge: collect.Span(time.Hour)}, nil)
	var busy *image.Busy
	if !errors.As(err, &busy) || busy.For < time.Hour || busy.For > 2*time.Hour || l.Whole {
		t.Errorf("%v, whole %t", err, l.Whole)
	}
}

// TestAPushIsHeldToThePolicy, as a reading is.
func TestAPushIsHeldToThePolicy(t *testing.T) {
	h := estate(t, nil)
	what := collect.Registry{Host: h, MaxAge: collect.Span(30 * 24 * time.Hour), TagNames: []string{"v*", "!*-debug"}}
	for _, test := range []struct {
		tags  []string
		known map[string]string
		want  string
	}{
		{[]string{"v1"}, nil, ""},
		{[]string{"v2"}, nil, "v2"},
		{[]string{"v2", "v2-debug", "arm"}, nil, "v2"},
		{[]string{"v2-debug"}, map[string]string{"v0": "sha256:was"}, "v0"},
		{[]string{"v1"}, map[string]string{"v1": "sha256:was", "v0": "sha256:was"}, "v0"},
		{nil, nil, "v2"},
	} {
		found, err := reader().Look(t.Context(), what, "shop/web", test.tags, test.known)
		var got []string
		for _, f := range found {
			got = append(got, f.Name)
		}
		if err != nil || strings.Join(got, " ") != test.want {
			t.Errorf("%v with %v: %v, %v, want %s", test.tags, test.known, got, err, test.want)
		}
	}
}

func TestAPreviewSaysOfEachTagWhatIsMadeOfItAndWhy(t *testing.T) {
	h := estate(t, nil)
	p, err := reader().Preview(t.Context(), collect.Registry{Host: h, Repositories: []string{"shop/*", "!shop/old-*"},
		TagNames: []string{"!*-debug", "!future"},
		MaxAge:   collect.Span(30 * 24 * time.Hour), Platforms: []string{"linux/amd64"}, Tags: 5}, time.Minute)
	if err != nil || p.Cut != "" || p.Repositories != 1 || p.Chosen != 3 || p.Left != 4 {
		t.Errorf("%+v, %v", p, err)
	}
	few, err := reader().Preview(t.Context(), collect.Registry{Host: h, Repositories: []string{"shop/web"}, Tags: 1}, time.Minute)
	if err != nil || few.Chosen != 1 || few.Left != 6 || few.Items[0].Why != "newer tags of the repository are as many as are read of it" {
		t.Errorf("%+v, %v", few, err)
	}
	var got []string
	for _, c := range p.Items {
		if c.Why == "" && c.Digest == "" || c.Repository != "shop/web" {
			t.Errorf("%+v", c)
		}
		got = append(got, fmt.Sprintf("%s %t %v: %s", c.Tag, c.Made != nil, c.Platforms, c.Why))
	}
	slices.Sort(got)
	want := []string{
		"arm true [linux/arm64/v8]: it is for none of the platforms that are read",
		"both true [linux/arm64 linux/amd64]: ",
		"epoch false [linux/amd64]: ",
		"future false []: its name is not wanted",
		"v1 true [linux/amd64]: it says that it was made more than 30d ago",
		"v2 true [linux/amd64]: ",
		"v2-debug false []: its name is not wanted",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("have\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestAPreviewEnds where a registry never does, and says so.
func TestAPreviewEnds(t *testing.T) {
	h := host(t, when(func(w http.ResponseWriter, r *http.Request) bool {
		switch {
		case strings.HasSuffix(r.URL.Path, "/tags/list"):
			fmt.Fprint(w, `{"tags":["a1"`)
			for i := range mostChoices {
				fmt.Fprintf(w, `,"t%d"`, i)
			}
			fmt.Fprint(w, `]}`)
		case strings.HasSuffix(r.URL.Path, "/_catalog"):
			fmt.Fprint(w, `{"repositories":["a","b","c"]}`)
		default:
			return false
		}
		return true
	}))
	p, err := reader().Preview(t.Context(), collect.Registry{Host: h, TagNames: []string{"none"}}, time.Minute)
	if err != nil || len(p.Items) != mostChoices || p.Left != mostChoices+1 || !strings.Contains(p.Cut, "which is the bound") {
		t.Errorf("%d items, %d left, %q, %v", len(p.Items), p.Left, p.Cut, err)
	}
	stuck := make(chan struct{})
	h = host(t, when(func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/_catalog") {
			select {
			case <-r.Context().Done():
			case <-stuck:
			}
		}
		return false
	}))
	defer close(stuck)
	if p, err = reader().Preview(t.Context(), collect.Registry{Host: h}, 50*time.Millisecond); err != nil || !strings.Contains(p.Cut,
		"takes longer than 50ms") {
		t.Errorf("%q, %v", p.Cut, err)
	}
	if _, err = reader().Preview(t.Context(), collect.Registry{Host: h, Repositories: []string{"none"}}, time.Minute); err == nil {
		t.Error("a repository that is not there is an empty preview")
	}
}
