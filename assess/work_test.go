package assess

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/image"
	"github.com/breakwater-sec/breakwater/vuln"
)

// records is a store of one owner in memory, with a hook before an image is told of.
type records struct {
	mu      sync.Mutex
	images  map[string]Record
	renewed chan []string
	looked  func(id string)
	lost    bool // leases end at once
	leased  []string
	uploads map[string]Upload
}

func newRecords() *records {
	return &records{images: map[string]Record{}, renewed: make(chan []string, 100)}
}

func (r *records) Upload(_ context.Context, id string) (Upload, bool, error) {
	u, ok := r.uploads[id]
	return u, ok, nil
}

func (r *records) ResumeImages(context.Context, string) error        { return nil }
func (r *records) Builds(context.Context) ([]Build, error)           { return nil, nil }
func (r *records) SetImageStates(context.Context, []Record) error    { return nil }
func (r *records) PutImage(context.Context, Record, []Build) error   { return nil }
func (r *records) RequeueOutdated(_ context.Context, s Record) error { return r.requeue(s.ID) }
func (r *records) RequeueFailed(_ context.Context, id string) error  { return r.requeue(id) }
func (r *records) RequeueImage(_ context.Context, id string) (bool, error) {
	return true, r.requeue(id)
}

func (r *records) requeue(id string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := r.images[id]
	i.State = Queued
	r.images[id] = i
	return nil
}

func (r *records) WantImages(_ context.Context, _ string, images []Record) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, i := range images {
		if have, there := r.images[i.ID]; there {
			have.Wanted = i.Wanted
			i = have
		} else {
			i.State = Queued
		}
		r.images[i.ID] = i
	}
	return nil
}

func (r *records) LeaseImage(_ context.Context, _ string, now, _ time.Time, of Hosts) (Record, bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, i := range r.images {
		if (i.State == Queued || i.State == Failed) && !now.Before(i.NextTry) && !slices.Contains(of.Not, i.Host) &&
			(of.Only == nil || slices.Contains(of.Only, i.Host)) {
			i.State = Scanning
			i.Attempts, i.Ended = i.Attempts+1, i.Ended+1
			r.images[id] = i
			r.leased = append(r.leased, id)
			return i, true, nil
		}
	}
	return Record{}, false, nil
}

func (r *records) RenewImages(_ context.Context, _ string, ids []string, _ time.Time) error {
	r.renewed <- ids
	return nil
}

func (r *records) NextImage(context.Context) (time.Time, bool, error) { return time.Time{}, false, nil }

func (r *records) FinishImage(_ context.Context, _ string, i Record, _ []Build) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lost {
		return false, nil
	}
	r.images[i.ID] = i
	return true, nil
}

func (r *records) Image(_ context.Context, id string) (Record, bool, error) {
	r.mu.Lock()
	i, there := r.images[id]
	r.mu.Unlock()
	if r.looked != nil {
		r.looked(id)
	}
	return i, there, nil
}

func inventory() *image.Inventory {
	return &image.Inventory{Version: image.InventoryVersion, Understood: true}
}

// assessor runs over records until the test ends, and gives what it tells.
func assessor(t *testing.T, r *records, scan func(context.Context, image.Reference) (*image.Inventory, error)) (*Assessor, <-chan Changes) {
	t.Helper()
	a := New(Config{Scan: scan, Records: r, Owner: "o", Lease: 30 * time.Millisecond, Advisories: func() *vuln.DB { return nil }})
	if err := a.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	told, done := make(chan Changes, 100), make(chan error, 1)
	ctx, stop := context.WithCancel(context.Background())
	go func() { done <- a.Run(ctx, func(_ context.Context, c Changes) { told <- c }) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return a, told
}

// await waits until an image is told of with a state.
func await(t *testing.T, told <-chan Changes, state string) *Assessment {
	t.Helper()
	for end := time.After(5 * time.Minute); ; {
		select {
		case c := <-told:
			for _, i := range c.Images {
				if i.Assessment != nil && i.Assessment.State == state {
					return i.Assessment
				}
			}
		case <-end:
			t.Fatalf("no image was ever %s", state)
		}
	}
}

var web = used("r.test/web:1", "r.test/web@"+webID)

var webID = "sha256:" + strings.Repeat("e", 64)

// used is UseOf of what is written well.
func used(written, reported string) Use {
	u, err := UseOf(written, reported)
	if err != nil {
		panic(err)
	}
	return u
}

// A worker may finish an image between the look into the store and what is made of it.
func TestWhatWasReadMeanwhileIsNotTakenForUnreadNorReadAgain(t *testing.T) {
	r := newRecords()
	a := New(Config{Scan: func(context.Context, image.Reference) (*image.Inventory, error) { return inventory(), nil }, Records: r,
		Advisories: func() *vuln.DB { return nil }})
	if err := a.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.images[webID] = Record{ID: webID, Reference: "r.test/web@" + webID, State: Queued}
	r.looked = func(id string) {
		r.looked = nil
		lease, ok, err := r.LeaseImage(t.Context(), "o", time.Now(), time.Now(), Hosts{})
		if !ok || err != nil {
			t.Fatal(ok, err)
		}
		a.read(t.Context(), lease)
	}
	a.Want("c", []Use{web})
	for a.reconcile(t.Context(), func(context.Context, Changes) {}) {
	}
	if got := a.Images()[webID]; got.State != Unsupported { // no advisories
		t.Errorf("%+v", got)
	}
	if i := r.images[webID]; i.State != Unsupported {
		t.Errorf("it is %s in the store: it would be read again", i.State)
	}
}

func TestALeaseIsRenewedWhileTheImageIsRead(t *testing.T) {
	r := newRecords()
	a, told := assessor(t, r, func(ctx context.Context, _ image.Reference) (*image.Inventory, error) {
		for range 3 {
			select {
			case ids := <-r.renewed:
				if !slices.Equal(ids, []string{webID}) {
					return nil, fmt.Errorf("renewed %v", ids)
				}
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		return nil, image.ErrUnsupported
	})
	a.Want("c", []Use{web})
	await(t, told, Unsupported)
}

func TestWhatIsReadWithoutALeaseIsNotTold(t *testing.T) {
	r := newRecords()
	r.lost = true
	read := make(chan struct{})
	a, told := assessor(t, r, func(context.Context, image.Reference) (*image.Inventory, error) {
		defer close(read)
		return nil, image.ErrUnsupported
	})
	a.Want("c", []Use{web})
	await(t, told, Queued)
	<-read
	for a.Images()[webID].State == Scanning {
		time.Sleep(time.Millisecond)
	}
	if s := a.Images()[webID].State; s != Queued {
		t.Errorf("it is %s by what another server has to say", s)
	}
}

func TestABusyRegistryIsNoFailureAndIsLeftAlone(t *testing.T) {
	a := New(Config{Advisories: func() *vuln.DB { return nil }})
	r := Record{ID: "i", Host: "r.test", Attempts: 3}
	if found := a.outcome(&r, nil, fmt.Errorf("open: %w", &image.Busy{Host: "r.test", For: time.Hour})); found.State != Queued ||
		r.Attempts != 2 || r.State != Queued {
		t.Errorf("%+v after %+v", found, r)
	}
	if wait := time.Until(r.NextTry); wait < 59*time.Minute || wait > time.Hour || !slices.Equal(a.throttle.now(), []string{"r.test"}) {
		t.Errorf("next in %v, throttled %v", wait, a.throttle.now())
	}
	a.throttle.answered("r.test")
	if hosts := a.throttle.now(); len(hosts) > 0 {
		t.Errorf("it answered and is left alone: %v", hosts)
	}
}

func TestFailuresWaitLongerEachTimeAndSuccessEndsTheCount(t *testing.T) {
	a := New(Config{Advisories: func() *vuln.DB { return nil }})
	r := Record{ID: "i"}
	last := time.Duration(0)
	for n := range 5 {
		r.Attempts++ // by the lease
		a.outcome(&r, nil, errors.New("cut short"))
		if wait := time.Until(r.NextTry); r.Attempts != n+1 || r.State != Failed || wait <= last {
			t.Errorf("failure %d: %+v, waits %v after %v", n+1, r, wait, last)
		}
		last = time.Until(r.NextTry)
	}
	if a.outcome(&r, inventory(), nil); r.Attempts != 0 || !r.NextTry.IsZero() {
		t.Errorf("%+v", r)
	}
}

func TestARegistryThatStaysBusyIsLeftAloneLongerEachTime(t *testing.T) {
	for times, want := range []time.Duration{2 * time.Second, 4 * time.Second, 8 * time.Second} {
		if got := Busy(0, times); got != want {
			t.Errorf("the pause %d: %v, want %v", times+1, got, want)
		}
	}
	if Busy(time.Minute, 0) != time.Minute || Busy(0, 1000) > time.Hour || Busy(24*time.Hour, 0) != time.Hour {
		t.Error("what it said counts, up to an hour")
	}
}

func TestAReferenceThatDoesNotResolveIsAnsweredAndAskedForAgain(t *testing.T) {
	asked := 0
	r := newResolver(func(context.Context, image.Reference) (string, error) {
		if asked++; asked == 1 {
			return "", errors.New("no answer")
		}
		return "sha256:a", nil
	})
	got := ""
	tell := func(_, digest string) { got = digest }
	r.want("r.test/a:1")
	if r.answered("r.test/a:1") {
		t.Error("nobody was asked yet")
	}
	r.once(t.Context(), tell)
	r.once(t.Context(), tell)
	if !r.answered("r.test/a:1") || got != "" || asked != 1 {
		t.Errorf("%q after %d questions: it is left alone for a while", got, asked)
	}
	r.refs["r.test/a:1"].again = time.Now()
	r.once(t.Context(), tell)
	r.once(t.Context(), tell)
	if got != "sha256:a" || asked != 2 {
		t.Errorf("%q after %d questions", got, asked)
	}
	if _, waits := r.next(); waits {
		t.Error("something is still to be asked")
	}
}
