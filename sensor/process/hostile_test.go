package process

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/breakwater-sec/breakwater/event/runtime"
	"github.com/breakwater-sec/breakwater/test/container"
)

func TestHostileArgumentsComeThroughAsTheyAreOrCut(t *testing.T) {
	s := watch(t)
	huge := strings.Repeat("x", 100<<10)
	for _, c := range []struct {
		name string
		args []string
		want func(p *runtime.Process) bool
	}{
		{"control characters", []string{"echo", "\x1b[2J\r\n\x07", "end"},
			func(p *runtime.Process) bool { return p.Arguments[2] == "\x1b[2J\r\n\x07" && !p.Cut }},
		{"no text", []string{"echo", "\xff\xfe\x80", "end"}, func(p *runtime.Process) bool { return p.Arguments[2] == "\xff\xfe\x80" && !p.Cut }},
		{"empty ones", []string{"echo", "", "", "end"}, func(p *runtime.Process) bool { return len(p.Arguments) == 5 && !p.Cut }},
		{"a megabyte", slices.Repeat([]string{huge}, 10), func(p *runtime.Process) bool {
			return p.Cut && len(p.Arguments) == 2 && strings.HasPrefix(huge, p.Arguments[1]) && len(p.Arguments[1]) > 3000
		}},
		{"many", slices.Repeat([]string{"a"}, 50000),
			func(p *runtime.Process) bool { return p.Cut && len(p.Arguments) > 1000 && len(p.Arguments) <= 4096 }},
		{"exactly as much as is kept", []string{strings.Repeat("y", 4096-len("mark-exactly-0000000000000000000")-2)},
			func(p *runtime.Process) bool { return !p.Cut && len(p.Arguments) == 2 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			mark := fmt.Sprintf("mark-%s", newID(t))[:32]
			cmd := &exec.Cmd{Path: "/bin/true", Args: append([]string{mark}, c.args...)}
			if err := cmd.Run(); err != nil {
				t.Fatal(err)
			}
			p := s.find(t, c.name, func(r runtime.Record) bool { return len(arguments(r)) > 0 && arguments(r)[0] == mark })[0].Process
			if !c.want(p) {
				t.Errorf("cut %v, %d arguments: %.200q", p.Cut, len(p.Arguments), p.Arguments)
			}
		})
	}
}

func TestALongPathIsCutAndSaysSo(t *testing.T) {
	s := watch(t)
	dir := t.TempDir()
	for len(dir) < 2000 {
		dir = filepath.Join(dir, strings.Repeat("d", 200))
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "true")
	b, err := os.ReadFile("/bin/true")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(program, b, 0o755); err != nil {
		t.Fatal(err)
	}
	mark := newID(t)[:30]
	if err := exec.Command(program, mark).Run(); err != nil {
		t.Fatal(err)
	}
	if p := s.find(t, "the long path", func(r runtime.Record) bool { return slices.Contains(arguments(r), mark) })[0].Process; !p.Cut ||
		p.Path != program[:1023] {
		t.Errorf("cut %v, path of %d: %.80s", p.Cut, len(p.Path), p.Path)
	}
}

func TestAProgramWithoutAFileIsToldSo(t *testing.T) {
	s := watch(t)
	fd, err := unix.MemfdCreate("nothing", 0)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "nothing")
	defer f.Close()
	b, err := os.ReadFile("/bin/true")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(b); err != nil {
		t.Fatal(err)
	}
	mark := newID(t)[:30]
	if err := exec.Command(fmt.Sprintf("/proc/self/fd/%d", fd), mark).Run(); err != nil {
		// The child's own table has the file under the same number only if it is inherited.
		cmd := &exec.Cmd{Path: "/proc/self/fd/3", Args: []string{"x", mark}, ExtraFiles: []*os.File{f}}
		if err := cmd.Run(); err != nil {
			t.Fatal(err)
		}
	}
	if p := s.with(t, mark).Process; !p.Unlinked || p.Added {
		t.Errorf("process %+v", p)
	}
}

func TestAnEndIsToldOnceWithItsCodeOrSignal(t *testing.T) {
	s := watch(t)
	for _, c := range []struct {
		script       string
		code, signal int
	}{{"exit 42", 42, 0}, {"kill -9 $$", 0, 9}, {"kill -11 $$", 0, 11}} {
		mark := newID(t)[:30]
		cmd := exec.Command("/bin/sh", "-c", c.script, mark)
		_ = cmd.Run() // it ends badly, as it must
		end := s.endOf(t, s.with(t, mark))
		if e := end[0].Exit; e.Code != c.code || e.Signal != c.signal {
			t.Errorf("%s: %+v", c.script, e)
		}
	}
}

// threads ends with many threads that all run.
func threads() {
	goruntime.GOMAXPROCS(40) // none waits for another to let it run
	var running sync.WaitGroup
	running.Add(32)
	for range 32 {
		go func() {
			running.Done()
			for {
				_ = syscall.Getppid()
			}
		}()
	}
	running.Wait()
	os.Exit(7)
}

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "threads" {
		threads()
	}
	os.Exit(m.Run())
}

func TestTheEndOfManyThreadsIsOneEnd(t *testing.T) {
	s := watch(t)
	for range 20 {
		mark := newID(t)
		_ = exec.Command(os.Args[0], "threads", mark).Run() // exits with 7
		end := s.endOf(t, s.with(t, mark))
		if len(end) != 1 || end[0].Exit.Code != 7 {
			t.Errorf("%d ends: %+v", len(end), end[0].Exit)
		}
	}
	if err := exec.Command("/bin/true", "barrier").Run(); err != nil {
		t.Fatal(err)
	}
	s.with(t, "barrier")
	ends := map[string]int{}
	for _, r := range s.now(func(r runtime.Record) bool { return r.Kind == runtime.Exit }) {
		ends[fmt.Sprint(r.Process.PID, r.Process.StartedAt)]++
	}
	for of, n := range ends {
		if n > 1 {
			t.Errorf("process %s ended %d times", of, n)
		}
	}
}

// A flood that nobody reads fills the ring: what does not fit is counted, what
// fits is read later, and together they are what the kernel made.
func TestAFloodThatIsNotReadIsCountedToTheLastRecord(t *testing.T) {
	p, err := Open()
	container.Need(t, err)
	defer p.Close()
	const programs = 6000
	script := fmt.Sprintf("i=0; while [ $i -lt %d ]; do /bin/true flood; i=$((i+1)); done", programs)
	if out, err := exec.Command("/bin/sh", "-c", script).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	made, _, lost, err := p.Counts()
	if err != nil {
		t.Fatal(err)
	}
	if made < 2*programs || lost[RingFull] == 0 {
		t.Fatalf("made %d, lost %v: no flood", made, lost)
	}
	if err := p.Stop(); err != nil { // nothing new from here on
		t.Fatal(err)
	}
	read := uint64(0)
	for {
		before := read
		if err := p.Read(func(*runtime.Record) { read++ }); err != nil {
			t.Fatal(err)
		}
		if read == before {
			break
		}
	}
	made, waiting, lost, err := p.Counts()
	if err != nil {
		t.Fatal(err)
	}
	sum := read
	for _, n := range lost {
		sum += n
	}
	if sum != made || waiting != 0 || read < 1000 {
		t.Errorf("made %d, but read %d + lost %v; waiting %d", made, read, lost, waiting)
	}
}
