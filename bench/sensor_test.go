package bench

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"github.com/breakwater-sec/breakwater/sensor/process"
	"github.com/breakwater-sec/breakwater/test/container"
	"github.com/breakwater-sec/breakwater/test/endpoint"
)

const (
	// programsASecond are events of a busy node: each program that starts also ends.
	programsASecond = 1100
	sensorSeconds   = 30
)

// TestMeasureSensor starts programs at a steady rate under a real sensor that
// sends to a real endpoint, and asks kernel and sensor what that cost.
func TestMeasureSensor(t *testing.T) {
	measured(t)
	p, err := process.Open()
	container.Need(t, err)
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	stats, err := ebpf.EnableStats(unix.BPF_STATS_RUN_TIME)
	if err != nil {
		t.Log("the kernel does not tell the time of its programs: ", err)
	} else {
		defer stats.Close()
	}
	e := endpoint.New(t)
	e.Start(t)
	s := startNodeSensor(t, e)
	endpoint.Eventually(t, "the first status", func() bool { return e.Status(t).Node != "" })
	time.Sleep(2 * time.Second) // what starting costs is not the question
	before, began := e.Status(t), time.Now()
	ran := startPrograms(t, programsASecond, sensorSeconds*time.Second)
	took := time.Since(began)
	time.Sleep(2 * time.Second)
	after := e.Status(t)
	t.Logf(
		"%.0f programs a second for %s: %d records, %d lost, %d waiting",
		float64(ran)/took.Seconds(),
		took.Round(time.Second),
		after.Seen-before.Seen,
		sum(after.Lost),
		after.Waiting,
	)
	t.Logf(
		"sensor: %.0fm CPU, %d MiB resident; %s",
		(after.Processor-before.Processor)/took.Seconds()*1000,
		after.Memory>>20,
		memoryOf(t, s.Process.Pid),
	)
	t.Log(kernelTime(t))
	endpoint.Adds(t, after)
	if err := s.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := s.Wait(); err != nil {
		t.Fatal(err)
	}
}

func sum(lost map[string]uint64) (n uint64) {
	for _, l := range lost {
		n += l
	}
	return n
}

func startNodeSensor(t *testing.T, e *endpoint.Endpoint) *exec.Cmd {
	t.Helper()
	dir := t.TempDir()
	bin := filepath.Join(dir, "breakwater-sensor")
	build := exec.Command("go", "build", "-o", bin, "./cmd/breakwater-sensor")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	ca, token := filepath.Join(dir, "ca.crt"), filepath.Join(dir, "token")
	for file, content := range map[string][]byte{ca: e.CA, token: []byte(e.Token)} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(
		bin,
		"--server",
		e.URL,
		"--ca",
		ca,
		"--token-file",
		token,
		"--buffer",
		filepath.Join(dir, "buffer"),
		"--node",
		"node-1",
		"--status-interval",
		"1s",
	)
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // if it has not ended
	return cmd
}

// startPrograms starts that many a second, in bursts of ten milliseconds.
func startPrograms(t *testing.T, rate int, length time.Duration) int {
	t.Helper()
	var g errgroup.Group
	g.SetLimit(4)
	var ran atomic.Int64
	due, begin := 0, time.Now()
	for time.Since(begin) < length {
		for want := int(time.Since(begin).Seconds() * float64(rate)); due < want; due++ {
			g.Go(func() error {
				pid, err := syscall.ForkExec("/bin/true", []string{"true", "an-argument", "of-usual-length"}, &syscall.ProcAttr{})
				if err != nil {
					return err
				}
				ran.Add(1)
				_, err = syscall.Wait4(pid, nil, 0, nil)
				return err
			})
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	return int(ran.Load())
}

func memoryOf(t *testing.T, pid int) string {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for line := range strings.Lines(string(b)) {
		if strings.HasPrefix(line, "VmRSS") || strings.HasPrefix(line, "VmHWM") || strings.HasPrefix(line, "RssAnon") {
			out = append(out, strings.Join(strings.Fields(line), " "))
		}
	}
	return strings.Join(out, ", ")
}

// kernelTime is what our programs cost those who start and end processes.
func kernelTime(t *testing.T) string {
	t.Helper()
	var out []string
	for id := ebpf.ProgramID(0); ; {
		next, err := ebpf.ProgramGetNextID(id)
		if err != nil {
			return "kernel programs: " + strings.Join(out, ", ")
		}
		id = next
		p, err := ebpf.NewProgramFromID(id)
		if err != nil {
			continue
		}
		info, err := p.Info()
		stats, bad := p.Stats()
		if err == nil && bad == nil && (info.Name == "started" || info.Name == "ended") && stats.RunCount > 0 {
			out = append(out, fmt.Sprintf("%s %d times, %s each", info.Name, stats.RunCount, stats.Runtime/time.Duration(stats.RunCount)))
		}
		_ = p.Close()
	}
}
