package sensor

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/event/runtime"
	"github.com/breakwater-sec/breakwater/test/endpoint"
)

// tap is a probe that gives what it is told to.
type tap struct {
	mu     sync.Mutex
	left   int
	made   uint64
	lost   uint64
	sample runtime.Record
	fail   error
}

func (p *tap) give(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left += n
	p.made += uint64(n)
}

// lose is what a kernel does whose ring is full.
func (p *tap) lose(n uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.made += n
	p.lost += n
}

func (p *tap) Read(each func(*runtime.Record)) error {
	p.mu.Lock()
	n, r, err := min(p.left, 512), p.sample, p.fail
	p.left -= n
	p.mu.Unlock()
	if n == 0 {
		time.Sleep(time.Millisecond)
	}
	r.Kind, r.Time = runtime.Exec, time.Now()
	for range n {
		each(&r)
	}
	return err
}

func (p *tap) Counts() (made, waiting uint64, lost map[string]uint64, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.made, uint64(p.left), map[string]uint64{"ring buffer full": p.lost}, nil
}

func quiet(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError}))
}

func linkOf(t testing.TB, e *endpoint.Endpoint) *Link {
	return linkTo(t, e.URL, e.Roots(), e.Token)
}

func linkTo(t testing.TB, server string, roots *x509.CertPool, token string) *Link {
	t.Helper()
	u, err := url.Parse(server)
	check(t, err)
	l, err := NewLink(u, roots, Identity{Node: "node-1", Dir: identityOf(t), Token: func() (string, error) { return token, nil }})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// identityOf is where all sensors of a test keep the key of its node.
func identityOf(t testing.TB) string {
	if dir := os.Getenv("SENSOR_TEST_IDENTITY"); dir != "" {
		return dir
	}
	dir, known := identities.Load(t.Name())
	if !known {
		dir = t.TempDir()
		identities.Store(t.Name(), dir)
		t.Cleanup(func() { identities.Delete(t.Name()) })
	}
	return dir.(string)
}

var identities sync.Map

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// running is a sensor until stop is called.
type running struct {
	*Sensor
	tap  *tap
	stop func()
	out  *bytes.Buffer // its log
}

func configFor(t testing.TB, l *Link) Config {
	return Config{
		Node:       "node-1",
		Boot:       "b-1",
		Link:       l,
		Buffer:     t.TempDir(),
		BufferSize: 64 << 20,
		Interval:   20 * time.Millisecond,
		Log:        quiet(t),
	}
}

func startSensor(t testing.TB, c Config) *running {
	t.Helper()
	r := &running{tap: &tap{}, out: &bytes.Buffer{}}
	c.Log = slog.New(slog.NewTextHandler(io.MultiWriter(r.out, t.Output()), nil))
	s, err := New(c, r.tap)
	if err != nil {
		t.Fatal(err)
	}
	r.Sensor = s
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		check(t, <-ended)
		check(t, s.Close())
	})
	t.Cleanup(r.stop)
	return r
}

func (p *tap) Stop() error { return nil }

// numbers are a run's sequence numbers in the order they came, and what Lost
// records tell.
func numbers(all []runtime.Record, boot string) (seen []uint64, events, lost uint64) {
	for _, r := range all {
		if r.Boot != boot {
			continue
		}
		seen = append(seen, r.Sequence)
		lost += r.Lost
		if r.Kind != runtime.Lost {
			events++
		}
	}
	return seen, events, lost
}

func upTo(n int) []uint64 {
	out := make([]uint64, n)
	for i := range out {
		out[i] = uint64(i + 1)
	}
	return out
}

func TestRecordsArriveOnceAndInOrderThoughTheServerGoesAway(t *testing.T) {
	t.Parallel()
	p := endpoint.New(t)
	stop := p.Start(t)
	s := startSensor(t, configFor(t, linkOf(t, p)))
	s.tap.give(2000)
	endpoint.Eventually(t, "first records", func() bool { return len(p.Received()) > 0 })
	stop()
	s.tap.give(3000)
	endpoint.Eventually(t, "the sensor has them", func() bool { return s.buffer.held().events >= 3000 })
	p.Start(t)
	s.tap.give(500)
	endpoint.Eventually(t, "all records", func() bool { return len(p.Received()) >= 5500 })
	s.stop()
	got, _, _ := numbers(p.Received(), "b-1")
	if !slices.Equal(got, upTo(5500)) {
		t.Errorf("got %d records, not 1 to 5500 in order", len(got))
	}
	st := p.Status(t)
	endpoint.Adds(t, st)
	if st.Seen != 5500 || st.Sent != 5500 || !st.Ends {
		t.Errorf("last status %+v", st)
	}
}

func TestWhatTheKernelLosesIsTold(t *testing.T) {
	t.Parallel()
	p := endpoint.New(t)
	p.Start(t)
	s := startSensor(t, configFor(t, linkOf(t, p)))
	s.tap.give(10)
	s.tap.lose(7)
	endpoint.Eventually(t, "a Lost record", func() bool { _, _, lost := numbers(p.Received(), "b-1"); return lost == 7 })
	s.tap.lose(5)
	s.stop()
	endpoint.Eventually(
		t,
		"the later loss",
		func() bool { _, events, lost := numbers(p.Received(), "b-1"); return events == 10 && lost == 12 },
	)
	st := p.Status(t)
	endpoint.Adds(t, st)
	if st.Seen != 22 || st.Lost["ring buffer full"] != 12 {
		t.Errorf("last status %+v", st)
	}
}

func TestAFullBufferKeepsWhatItHasAndCountsWhatComes(t *testing.T) {
	t.Parallel()
	p := endpoint.New(t)
	stop := p.Start(t)
	stop() // the address is known, the server away
	c := configFor(t, linkOf(t, p))
	c.BufferSize = 2 * segmentSize
	s := startSensor(t, c)
	const flood = 20000
	s.tap.give(flood)
	endpoint.Eventually(t, "the flood to be over", func() bool { _, waiting, _, _ := s.tap.Counts(); return waiting == 0 })
	if n := folderSize(t, c.Buffer); n > c.BufferSize+chunkSize {
		t.Errorf("the buffer has %d bytes, %d are allowed", n, c.BufferSize)
	}
	p.Start(t)
	endpoint.Eventually(t, "the loss to be told", func() bool { _, events, lost := numbers(p.Received(), "b-1"); return events+lost == flood })
	s.tap.give(3)
	endpoint.Eventually(t, "life goes on", func() bool { _, events, lost := numbers(p.Received(), "b-1"); return events+lost == flood+3 })
	s.stop()
	got, events, lost := numbers(p.Received(), "b-1")
	if lost == 0 || !slices.Equal(got[:1000], upTo(1000)) {
		t.Errorf("received %d, lost %d: want the oldest kept", events, lost)
	}
	st := p.Status(t)
	endpoint.Adds(t, st)
	if st.Lost[BufferFull] != lost || st.Sent != events {
		t.Errorf("received %d, lost %d, but the status says %+v", events, lost, st)
	}
}

func folderSize(t testing.TB, dir string) (n int64) {
	t.Helper()
	files, err := os.ReadDir(dir)
	check(t, err)
	for _, f := range files {
		if i, err := f.Info(); err == nil {
			n += i.Size()
		}
	}
	return n
}

func TestAProbeThatFailsEndsTheSensorAndWhatWasReadIsSent(t *testing.T) {
	t.Parallel()
	p := endpoint.New(t)
	p.Start(t)
	broken := &tap{}
	s, err := New(configFor(t, linkOf(t, p)), broken)
	if err != nil {
		t.Fatal(err)
	}
	broken.give(10)
	broken.fail = errors.New("no kernel")
	if err := s.Run(context.Background()); err == nil {
		t.Error("no error")
	}
	check(t, s.Close())
	endpoint.Eventually(t, "the records", func() bool { return len(p.Received()) == 10 })
	endpoint.Adds(t, p.Status(t))
}

func TestTwoSensorsDoNotShareABuffer(t *testing.T) {
	t.Parallel()
	c := configFor(t, linkTo(t, "https://127.0.0.1:1", nil, "x"))
	first, err := New(c, &tap{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(c, &tap{}); err == nil {
		t.Error("a second sensor took the same folder")
	}
	check(t, first.Close())
	second, err := New(c, &tap{})
	check(t, err)
	check(t, second.Close())
}

func TestStdoutGetsEveryRecordWithoutServerOrBuffer(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	s, err := New(Config{Node: "n", Boot: "b", Stdout: &out, Log: quiet(t)}, &tap{})
	if err != nil {
		t.Fatal(err)
	}
	s.probe.(*tap).give(700)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- s.Run(ctx) }()
	endpoint.Eventually(t, "all is read", func() bool { _, waiting, _, _ := s.probe.Counts(); return waiting == 0 })
	cancel()
	check(t, <-ended)
	var printed []runtime.Record
	for line := range bytes.Lines(out.Bytes()) {
		var r runtime.Record
		check(t, json.Unmarshal(line, &r))
		printed = append(printed, r)
	}
	got, _, _ := numbers(printed, "b")
	if !slices.Equal(got, upTo(700)) {
		t.Errorf("printed %d records", len(got))
	}
	if n, err := s.counts(); err != nil || n.sent != 700 || n.seen != 700 {
		t.Error(fmt.Sprint(n, err))
	}
}
