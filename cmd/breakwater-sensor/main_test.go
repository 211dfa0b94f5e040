package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/breakwater-sec/breakwater/event/runtime"
	"github.com/breakwater-sec/breakwater/sensor/process"
	"github.com/breakwater-sec/breakwater/test/container"
	"github.com/breakwater-sec/breakwater/test/endpoint"
)

// TestMain is the sensor itself if a test runs it so.
func TestMain(m *testing.M) {
	if os.Getenv("BREAKWATER_SENSOR_TEST") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// command runs the sensor in a process of its own.
func command(t *testing.T, with []string, args ...string) *exec.Cmd {
	t.Helper()
	all := append(append([]string{}, with...), os.Args[0])
	cmd := exec.Command(all[0], append(all[1:], args...)...)
	cmd.Env = append(os.Environ(), "BREAKWATER_SENSOR_TEST=1", "NODE_NAME=node-1")
	return cmd
}

// sees skips where the kernel lets nobody look.
func sees(t *testing.T) {
	t.Helper()
	p, err := process.Open()
	container.Need(t, err)
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestWrongFlagsSayWhatIsWanted(t *testing.T) {
	dir := t.TempDir()
	empty, token := filepath.Join(dir, "empty"), filepath.Join(dir, "token")
	for file, content := range map[string]string{empty: "\n", token: "t"} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "--stdout"},
		{[]string{"--server", "http://a:1", "--token-file", token}, "want https"},
		{[]string{"--server", "https://a:1"}, "breakwater connect"},
		{[]string{"--server", "https://a:1", "--token-file", empty}, "is empty"},
		{[]string{"--server", "https://a:1", "--token-file", dir + "/none"}, "no such file"},
		{[]string{"--server", "https://a:1", "--token-file", token, "--ca", token}, "no certificate"},
		{[]string{"--buffer-size", "many"}, "64MiB"},
		{[]string{"--buffer-size", "-1"}, "64MiB"},
		{[]string{"--stdout", "--node", "a/b"}, "not a node's name"},
		{[]string{"extra"}, "extra"},
	} {
		var out bytes.Buffer
		if code := run(c.args, streams{io.Discard, &out}); code != exitCannot || !strings.Contains(out.String(), c.want) {
			t.Errorf("%q: exit %d, %s", c.args, code, out.String())
		}
	}
}

func TestSizesAreReadAsPeopleWriteThem(t *testing.T) {
	for text, want := range map[string]int64{"64MiB": 64 << 20, "1GiB": 1 << 30, "10KiB": 10 << 10, "5": 5} {
		var s size
		if err := s.Set(text); err != nil || int64(s) != want || s.String() != text {
			t.Errorf("%s: %d %s %v", text, s, s.String(), err)
		}
	}
	for _, text := range []string{"", "MiB", "1MB", "9999999999GiB", "0"} {
		if err := new(size).Set(text); err == nil {
			t.Errorf("took %q", text)
		}
	}
}

func TestWithoutRightsTheKernelsErrorAndWhatIsMissingAreSaid(t *testing.T) {
	with := []string{}
	if os.Getuid() == 0 {
		with = []string{"setpriv", "--bounding-set=-bpf,-perfmon,-sys_admin", "--inh-caps=-bpf,-perfmon,-sys_admin"}
	}
	out, err := command(t, with, "--stdout").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "operation not permitted") ||
		!strings.Contains(string(out), "lacks CAP_BPF and CAP_PERFMON") {
		t.Errorf("%v: %s", err, out)
	}
	out, err = command(t, with, "--check").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "no   CAP_BPF") || !strings.Contains(string(out), "cannot be watched") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestABlindSensorTellsTheServerWhy(t *testing.T) {
	if os.Getuid() != 0 {
		container.Need(t, fmt.Errorf("giving up capabilities needs root"))
	}
	e := endpoint.New(t)
	e.Start(t)
	out, err := command(
		t,
		[]string{"setpriv", "--bounding-set=-bpf,-sys_admin", "--inh-caps=-bpf,-sys_admin"},
		serverFlags(t, e)...).CombinedOutput()
	if err == nil {
		t.Errorf("no error: %s", out)
	}
	st := e.Status(t)
	if st.Node != "node-1" || len(st.Probes) != 2 || st.Probes[0].State != "off" || !strings.Contains(st.Probes[0].Why, "lacks CAP_BPF") {
		t.Errorf("status %+v\n%s", st, out)
	}
}

func TestTwoCapabilitiesAreEnough(t *testing.T) {
	sees(t)
	only := "-all,+bpf,+perfmon"
	out, err := command(t, []string{"setpriv", "--bounding-set=" + only, "--inh-caps=" + only, "--no-new-privs"}, "--check").CombinedOutput()
	if err != nil || strings.Count(string(out), "yes") != 4 {
		t.Errorf("%v: %s", err, out)
	}
}

func serverFlags(t *testing.T, e *endpoint.Endpoint) []string {
	t.Helper()
	dir := t.TempDir()
	ca, token := filepath.Join(dir, "ca.crt"), filepath.Join(dir, "token")
	for file, content := range map[string][]byte{ca: e.CA, token: []byte(e.Token + "\n")} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return []string{"--server", e.URL, "--ca", ca, "--token-file", token, "--buffer", filepath.Join(dir, "buffer")}
}

func TestCheckTriesTheServerToo(t *testing.T) {
	sees(t)
	e := endpoint.New(t)
	stop := e.Start(t)
	flags := append(serverFlags(t, e), "--check")
	if out, err := command(t, nil, flags...).CombinedOutput(); err != nil || strings.Count(string(out), "yes") != 5 {
		t.Errorf("%v: %s", err, out)
	}
	stop()
	if out, err := command(t, nil, flags...).CombinedOutput(); err == nil || !strings.Contains(string(out), "connection refused") {
		t.Errorf("%v: %s", err, out)
	}
}

// A flood of programs, as fast as two shells can: what reached the server and
// what is told as lost are together what was run.
func TestAFloodIsReceivedOrCountedAsLost(t *testing.T) {
	sees(t)
	e := endpoint.New(t)
	e.Start(t)
	var log bytes.Buffer
	cmd := command(t, nil, append(serverFlags(t, e), "--status-interval", "100ms")...)
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	endpoint.Eventually(t, "the first status", func() bool { return e.Status(t).Node != "" })
	const each = 3000
	script := fmt.Sprintf("for s in 1 2; do (i=0; while [ $i -lt %d ]; do /bin/true flood-of-true; i=$((i+1)); done) & done; wait", each)
	if out, err := exec.Command("/bin/sh", "-c", script).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, log.String())
	}
	st := e.Status(t)
	endpoint.Adds(t, st)
	if !st.Ends || st.Waiting != 0 || st.Seen < 2*2*each {
		t.Errorf("last status %+v\n%s", st, log.String())
	}
	endpoint.Eventually(t, "analysis to have all", func() bool { return count(e.Received(), isEvent) == int(st.Sent) })
	lost := 0
	for _, r := range e.Received() {
		lost += int(r.Lost)
	}
	flood := count(e.Received(), func(r runtime.Record) bool {
		return r.Kind == runtime.Exec && len(r.Process.Arguments) == 2 && r.Process.Arguments[1] == "flood-of-true"
	})
	if lost != int(st.Seen-st.Sent) || flood > 2*each || flood+lost < 2*each {
		t.Errorf("of %d programs %d came and %d records are told as lost; status %+v", 2*each, flood, lost, st)
	}
	t.Logf("%d programs: %d came, %d records lost; %.2f s of processor, %d MiB", 2*each, flood, lost, st.Processor, st.Memory>>20)
}

func isEvent(r runtime.Record) bool { return r.Kind != runtime.Lost }

func count(all []runtime.Record, like func(runtime.Record) bool) (n int) {
	for _, r := range all {
		if like(r) {
			n++
		}
	}
	return n
}

func TestStdoutPrintsJSONLinesUntilItIsAskedToEnd(t *testing.T) {
	sees(t)
	firstOf(t, command(t, nil, "--stdout"), func(runtime.Record) bool { return true })
}

// firstOf runs a sensor until it printed a record of a program that runs again
// and again and that a func likes, and asks it to end.
func firstOf(t *testing.T, cmd *exec.Cmd, like func(runtime.Record) bool) {
	t.Helper()
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop := again("/bin/true", "seen-on-stdout")
	defer stop()
	lines := json.NewDecoder(out)
	for {
		var r runtime.Record
		if err := lines.Decode(&r); err != nil {
			_ = cmd.Wait()
			t.Fatalf("%v: %s", err, log.String())
		}
		if r.Node != "node-1" {
			t.Errorf("record %+v", r)
		}
		if r.Process != nil && len(r.Process.Arguments) == 2 && r.Process.Arguments[1] == "seen-on-stdout" && like(r) {
			break
		}
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, out)
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v: %s", err, log.String())
	}
}

// again runs a program one time after the other until stop is called.
func again(program ...string) (stop func()) {
	var g sync.WaitGroup
	done := make(chan struct{})
	g.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				_ = exec.Command(program[0], program[1:]...).Run()
			}
		}
	})
	return func() { close(done); g.Wait() }
}

// As its DaemonSet runs it: in a container of its own, with no namespace of the
// node, two capabilities, a root that cannot be written to and 64 MiB.
func TestFromWithinItsContainerTheSensorSeesTheNode(t *testing.T) {
	sees(t)
	program := filepath.Join(t.TempDir(), "breakwater-sensor")
	build := exec.Command("go", "build", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	cmd := container.Command(
		t,
		container.Spec{ID: "sensor", Cgroup: "/kubepods/pod0f0e0d0c-0b0a-4908-8706-050403020100/" + strings.Repeat("5e", 32), Program: program,
			Args: []string{
				"/program",
				"--stdout",
			}, Env: []string{"NODE_NAME=node-1"}, Capabilities: []string{"CAP_BPF", "CAP_PERFMON"}, ReadOnly: true, Memory: 64 << 20},
	)
	firstOf(t, cmd, func(r runtime.Record) bool {
		return r.Container == nil && len(r.Process.HostNamespaces) == 7 && r.Process.Arguments[0] == "/bin/true"
	})
}
