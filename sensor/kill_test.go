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
)

func TestMain(m *testing.M) {
	if server := os.Getenv("SENSOR_TEST_SERVER"); server != "" {
		child(server)
		return
	}
	os.Exit(m.Run())
}

// endless is a probe under a flood.
type endless struct {
	made uint64
	most uint64 // 0: without end
}

func (p *endless) Read(each func(*runtime.Record)) error {
	time.Sleep(time.Millisecond)
	for range 20 {
		if p.most == 0 || p.made < p.most {
			p.made++
			each(&runtime.Record{Kind: runtime.Exec, Time: time.Now()})
		}
	}
	return nil
}

func (p *endless) Counts() (made, waiting uint64, lost map[string]uint64, err error) {
	return p.made, 0, nil, nil
}

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
	s, err := New(Config{Node: "node-1", Boot: os.Getenv("SENSOR_TEST_BOOT"), Link: l, Buffer: os.Getenv("SENSOR_TEST_BUFFER"), BufferSize: 64 << 20, Log: slog.New(slog.DiscardHandler)}, &endless{})
	if err != nil {
		panic(err)
	}
	if err := s.Run(context.Background()); err != nil {
		panic(err)
	}
}

// TestWhatWasWrittenSurvivesKilling kills a sensor that is sending, some times,
// and then lets one come to its end.
func TestWhatIsInTheBufferSurvivesKillingAndArrivesOnce(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.start(t)
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
	for _, r := range records(t, bufferedLines(t, dir)) {
		written[r.Boot] = append(written[r.Boot], r.Sequence)
	}
	c := configFor(t, g.link(t, p))
	c.Buffer, c.Boot = dir, "last"
	s := startSensor(t, c)
	eventually(t, "the buffer is empty", func() bool { return s.buffer.idle() })
	s.stop()
	adds(t, p.last(t))
	killed := 0
	for _, r := range p.received(t) {
		if r.Kind == runtime.Lost && r.Why == Killed {
			killed++
		}
	}
	if killed != len(boots) {
		t.Errorf("%d runs were killed, %d told", len(boots), killed)
	}
	for _, boot := range boots {
		got, _, _ := numbers(p.received(t), boot)
		if len(got) == 0 || !slices.Equal(got, upTo(len(got))) {
			t.Errorf("of run %s came %d records, not 1 to the last in order", boot, len(got))
		}
		if w := written[boot]; len(w) > 0 && w[len(w)-1] != uint64(len(got)) {
			t.Errorf("of run %s came %d records, the buffer had %d", boot, len(got), w[len(w)-1])
		}
	}
}

// kill runs a sensor until its records came to the server, and some time more.
func kill(t *testing.T, p *place, g *gate, ca, dir, boot string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "SENSOR_TEST_SERVER="+g.URL, "SENSOR_TEST_CA="+ca, "SENSOR_TEST_TOKEN="+p.token, "SENSOR_TEST_BUFFER="+dir, "SENSOR_TEST_BOOT="+boot)
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "records of "+boot, func() bool { got, _, _ := numbers(p.received(t), boot); return len(got) > 100 })
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
