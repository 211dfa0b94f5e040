package assess

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/image"
	"github.com/breakwater-sec/breakwater/vuln"
)

// from is a registry for each host: what it says of every image.
type from map[string]error

func (f from) scan(_ context.Context, ref image.Reference) (*image.Inventory, error) {
	if err, known := f[ref.Registry()]; known {
		return nil, err
	}
	return inventory(), nil
}

// asking prepares an assessor whose clusters name one image at several hosts.
func asking(t *testing.T, r *records, f from, uses ...Use) *Assessor {
	t.Helper()
	a := New(Config{Scan: f.scan, Records: r, Owner: "o", Advisories: func() *vuln.DB { return nil }, Workers: 3})
	if err := a.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.want(t, uses...)
	return a
}

// want tells what a cluster uses, and reconciles.
func (a *Assessor) want(t *testing.T, uses ...Use) {
	t.Helper()
	a.Want("c", uses)
	for a.reconcile(t.Context(), func(context.Context, Changes) {}) {
	}
}

// turn leases and reads one image.
func (a *Assessor) turn(t *testing.T) bool {
	t.Helper()
	r, ok, err := a.lease(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if ok {
		a.read(t.Context(), r)
	}
	return ok
}

// at is an image at a host, which a node pulled from there or is merely written.
func at(host string, pulled bool) Use {
	if pulled {
		return used(host+"/web:1", host+"/web@"+webID)
	}
	return used(host+"/web@"+webID, "")
}

func TestEachReferenceOfAnImageIsTriedBeforeItFails(t *testing.T) {
	dead := errors.New("nobody answers")
	for _, test := range []struct {
		name  string
		says  from
		uses  []Use
		turns int
		want  string
		why   string
	}{
		{"the second has it", from{"a.test": dead}, []Use{at("a.test", false), at("b.test", false)}, 1, Unsupported, "r b.test"},
		{"none has it", from{"a.test": dead, "b.test": errors.New("404")}, []Use{at("a.test", false), at("b.test", false)}, 1, Failed,
			"nobody answers; 404"},
		{"that one does not support it decides nothing", from{"a.test": image.ErrUnsupported, "b.test": dead},
			[]Use{at("a.test", false), at("b.test", false)}, 1, Failed, "nobody answers"},
		{"all say that it is not supported", from{"a.test": image.ErrUnsupported}, []Use{at("a.test", false)}, 1, Unsupported, "not supported"},
		{"one ended its reader and another has it", from{"a.test": image.Ended("it grew")}, []Use{at("a.test", false), at("b.test", false)}, 1,
			Unsupported, "r b.test"},
		{"one ended its reader and none has it", from{"a.test": dead, "b.test": image.Ended("it grew")},
			[]Use{at("a.test", false), at("b.test", false)}, 1, Failed, "it grew"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRecords()
			a := asking(t, r, test.says, test.uses...)
			for range test.turns {
				a.turn(t)
			}
			i := r.images[webID]
			why := i.Error
			if host, ok := strings.CutPrefix(test.why, "r "); ok {
				why, test.why = i.Reference, host+"/web@"+webID
			}
			if i.State != test.want || why != test.why {
				t.Errorf("%s (%q), want %s (%q)", i.State, why, test.want, test.why)
			}
		})
	}
}

func TestWhatANodePulledIsAskedForBeforeWhatIsMerelyWritten(t *testing.T) {
	d := newDemand()
	d.want("c", []Use{at("a.test", false), at("z.test", true)})
	d.list(map[string][]Place{webID: {{Registry: "m.test", Repository: "web"}}})
	var hosts []string
	for _, r := range d.references(webID) {
		hosts = append(hosts, r.host)
	}
	if got := strings.Join(hosts, " "); got != "m.test z.test a.test" {
		t.Errorf("asked: %s; want what is listed, what was pulled, what is written", got)
	}
}

func TestAThousandDeadRegistriesAreTriedAFewAtATimeAndDoNotCount(t *testing.T) {
	r, says := newRecords(), from{}
	var uses []Use
	for n := range 9 {
		host := fmt.Sprintf("a%d.test", n)
		says[host] = errors.New("nobody answers")
		uses = append(uses, at(host, false))
	}
	a := asking(t, r, says, append(uses, at("z.test", false))...)
	for turn, want := range []string{Queued, Queued, Unsupported} {
		if !a.turn(t) {
			t.Fatalf("turn %d: it is not queued", turn)
		}
		if i := r.images[webID]; i.State != want || i.Attempts != 0 || !i.NextTry.Before(time.Now()) {
			t.Errorf("turn %d: %+v, want %s", turn, i, want)
		}
	}
}

func TestANewReferenceOfAnImageThatFailedIsTriedAtOnce(t *testing.T) {
	r := newRecords()
	a := asking(t, r, from{"a.test": errors.New("nobody answers")}, at("a.test", false))
	a.turn(t)
	if i := r.images[webID]; i.State != Failed || a.turn(t) {
		t.Fatalf("%+v", i)
	}
	a.want(t, at("a.test", false))
	if a.turn(t) {
		t.Error("nothing is new and it is tried again")
	}
	a.want(t, at("a.test", false), at("b.test", false))
	r.images[webID] = func(i Record) Record { i.NextTry = time.Time{}; return i }(r.images[webID]) // as the store does
	if !a.turn(t) || r.images[webID].Reference != "b.test/web@"+webID {
		t.Errorf("%+v", r.images[webID])
	}
}

func TestWhatEndsItsReaderIsLeftAloneAfterThreeTries(t *testing.T) {
	r := newRecords()
	a := asking(t, r, from{"a.test": image.Ended("it wanted more than 1024 MiB of memory")}, at("a.test", false))
	for n := 1; n <= 3; n++ {
		if !a.turn(t) {
			t.Fatalf("reading %d did not begin", n)
		}
		i := r.images[webID]
		wait := time.Until(i.NextTry)
		if i.State != Failed || n < 3 && (i.Ended != n || wait > time.Hour) || n == 3 && wait < 24*time.Hour {
			t.Errorf("after reading %d: %+v", n, i)
		}
		i.NextTry = time.Time{} // it is time again
		r.images[webID] = i
	}
	if i := r.images[webID]; i.Error != "it ended the reader 3 times: it wanted more than 1024 MiB of memory" || i.Ended != 2 {
		t.Errorf("%+v", i)
	}
	a.turn(t)
	if i := r.images[webID]; !strings.HasPrefix(i.Error, "it ended the reader 3 times") {
		t.Errorf("after one more try: %+v", i)
	}
}

func TestWhatEndedTheServerThreeTimesIsNotReadAgain(t *testing.T) {
	r, scanned := newRecords(), 0
	a := New(Config{Records: r, Owner: "o", Advisories: func() *vuln.DB { return nil },
		Scan: func(context.Context, image.Reference) (*image.Inventory, error) { scanned++; return inventory(), nil }})
	if err := a.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	for ended, want := range map[int]int{2: 1, 3: 0} { // the lease counts the next
		scanned = 0
		r.images[webID] = Record{ID: webID, Reference: "a.test/web@" + webID, State: Queued, Ended: ended,
			Error: "this server ended while it was read"}
		a.turn(t)
		i := r.images[webID]
		if scanned != want || want == 0 && (i.State != Failed || i.Error != "it ended the reader 3 times: this server ended while it was read") {
			t.Errorf("ended %d times: read %d times, %+v", ended, scanned, i)
		}
	}
}

func TestAnImageThatNobodyReadToTheEndIsGivenBack(t *testing.T) {
	r := newRecords()
	ctx, stop := context.WithCancel(t.Context())
	a := New(Config{Records: r, Owner: "o", Advisories: func() *vuln.DB { return nil },
		Scan: func(ctx context.Context, _ image.Reference) (*image.Inventory, error) { stop(); return nil, ctx.Err() }})
	if err := a.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.images[webID] = Record{ID: webID, Reference: "a.test/web@" + webID, State: Queued, Attempts: 1, Ended: 1}
	lease, _, err := a.lease(t.Context())
	if err != nil || lease.Attempts != 2 || lease.Ended != 2 {
		t.Fatalf("%+v, %v", lease, err)
	}
	a.read(ctx, lease)
	if i := r.images[webID]; i.State != Queued || i.Attempts != 1 || i.Ended != 1 {
		t.Errorf("%+v", i)
	}
}
