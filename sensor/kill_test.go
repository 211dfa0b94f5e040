package sensor

import (
	"bytes"
	"context"
	"crypto/x509"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/event/runtime"

	"github.com/breakwater-sec/breakwater/test/endpoint"
)

func TestMain(m *testing.M) {
	if server := os.Getenv("SENSOR_TEST_SERVER"); server != "" {
		child(server)
		return
	}
	os.Exit(m.Run())
}

// endless is a probe under a flood that is never far ahead of the server.
type endless struct {
	made    uint64
	waiting func() uint64
}

const ahead = 20_000

func (p *endless) Read(each func(*runtime.Record)) error {
	time.Sleep(time.Millisecond)
	for i := 0; i < 20 && p.waiting() < ahead; i++ {
		p.made++
		each(&runtime.Record{Kind: runtime.Exec, Time: time.Now()})
	}
	return nil
}

func (p *endless) Counts() (made, waiting uint64, lost map[string]uint64, err error) {
	return p.made, 0, nil, nil
}

func (p *endless) Stop() error { return nil }

// child is a sensor in a process of its own, which can be killed.
func child(server string) {
	ca, err := os.ReadFile(os.Getenv("SENSOR_TEST_CA"))
	if err != nil {
		panic(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	t := &testing.T{}
	l := linkTo(t, server, roots, os.Getenv("SENSOR_TEST_TOKEN"))
	probe := &endless{}
	s, err := New(
		Config{
			Node:       "node-1",
			Boot:       os.Getenv("SENSOR_TEST_BOOT"),
			Link:       l,
			Buffer:     os.Getenv("SENSOR_TEST_BUFFER"),
			BufferSize: 64 << 20,
			Log:        slog.New(slog.DiscardHandler),
		},
		probe,
	)
	if err != nil {
		panic(err)
	}
	probe.waiting = func() uint64 { return s.buffer.held().events }
	if err := s.Run(context.Background()); err != nil {
		panic(err)
	}
}

// A sensor that is sending is killed, some times, and then one comes to its end.
func TestWhatIsInTheBufferSurvivesKillingAndArrivesOnce(t *testing.T) {
	t.Parallel()
	p := endpoint.New(t)
	p.Start(t)
	g := newGate(t, p)
	ca := filepath.Join(t.TempDir(), "ca.crt")
	check(t, os.WriteFile(ca, pemOf(g.Certificate()), 0o600))
	dir := t.TempDir()
	boots := []string{"k1", "k2", "k3"}
	for _, boot := range boots {
		g.mu.Lock()
		g.answers = append(g.answers, g.swallow) // the server has it, the sensor does not know
		g.mu.Unlock()
		kill(t, p, g, ca, dir, boot)
	}
	written := map[string][]uint64{}
	for _, l := range bufferedLines(t, dir) {
		r, err := readLine(l)
		check(t, err)
		written[r.Boot] = append(written[r.Boot], r.Sequence)
	}
	c := configFor(t, g.link(t, p))
	c.Buffer, c.Boot = dir, "last"
	s := startSensor(t, c)
	endpoint.Eventually(t, "the buffer is empty", func() bool { return s.buffer.idle() })
	s.stop()
	endpoint.Adds(t, p.Status(t))
	endpoint.Eventually(t, "each killed run to be told", func() bool {
		return slices.Equal(told(p.Received()), []string{"k2", "k3", "last"})
	})
	for _, boot := range boots {
		got, _, _ := numbers(p.Received(), boot)
		if len(got) == 0 || !slices.Equal(got, upTo(len(got))) {
			t.Errorf("of run %s came %d records, not 1 to the last in order", boot, len(got))
		}
		if w := written[boot]; len(w) > 0 && w[len(w)-1] != uint64(len(got)) {
			t.Errorf("of run %s came %d records, the buffer had %d", boot, len(got), w[len(w)-1])
		}
	}
}

// told are the runs that say that the one before was killed.
func told(all []runtime.Record) (by []string) {
	for _, r := range all {
		if r.Kind == runtime.Lost && r.Why == Killed {
			by = append(by, r.Boot)
		}
	}
	return by
}

// kill runs a sensor until its records came to the server, and some time more.
func kill(t *testing.T, p *endpoint.Endpoint, g *gate, ca, dir, boot string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(
		os.Environ(),
		"SENSOR_TEST_SERVER="+g.URL,
		"SENSOR_TEST_CA="+ca,
		"SENSOR_TEST_TOKEN="+p.Token,
		"SENSOR_TEST_BUFFER="+dir,
		"SENSOR_TEST_BOOT="+boot,
		"SENSOR_TEST_IDENTITY="+identityOf(t),
	)
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	endpoint.Eventually(t, "records of "+boot, func() bool { got, _, _ := numbers(p.Received(), boot); return len(got) > 100 })
	check(t, cmd.Process.Kill())
	_ = cmd.Wait() // says that it was killed
}

// bufferedLines are the whole lines in a folder.
func bufferedLines(t *testing.T, dir string) (out [][]byte) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"+suffix))
	check(t, err)
	for _, f := range files {
		b, err := os.ReadFile(f)
		check(t, err)
		for line := range bytes.Lines(b) {
			if strings.HasSuffix(string(line), "\n") {
				out = append(out, line)
			}
		}
	}
	return out
}
