package cage

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// worker is the argument with which this test is a child, and keeper that with which it is
// a parent that is about to be killed.
const worker, keeper = "be-a-child", "be-a-parent"

func TestMain(m *testing.M) {
	switch {
	case len(os.Args) == 2 && os.Args[1] == worker:
		doWork()
	case len(os.Args) == 2 && os.Args[1] == keeper:
		_ = Run(context.Background(), worker, small, func(in io.Writer, out io.Reader) error {
			err := Send(in, 'w', []byte("sleep"))
			_, _ = io.Copy(os.Stdout, out)
			return err
		})
	default:
		os.Exit(m.Run())
	}
}

// small is a cage with room for a test.
var small = Limits{Memory: 300 << 20, CPU: time.Minute, Wall: time.Minute, Files: 24}

// doWork does one piece of work that it is told, and says what came of it.
func doWork() {
	held, err := Enter(os.Stdin, os.Stdout)
	if err != nil {
		panic(err)
	}
	m, err := Receive(os.Stdin, map[byte]int{'w': 4096})
	if errors.Is(err, io.EOF) {
		return // it waited for nothing
	}
	if err != nil {
		panic(err)
	}
	work, rest, _ := strings.Cut(string(m.Body), " ")
	say := func(v any) {
		text, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		if err := Send(os.Stdout, 'a', text); err != nil {
			panic(err)
		}
	}
	switch work {
	case "held":
		say(held)
	case "pid":
		say(os.Getpid())
	case "grow":
		var all [][]byte
		for range 1000 {
			b := make([]byte, 8<<20)
			for i := range b {
				b[i] = 1
			}
			all = append(all, b)
		}
		say(len(all))
	case "spin":
		for n := 0; ; n++ {
			runtime.KeepAlive(n)
		}
	case "sleep":
		fmt.Println(os.Getpid())
		time.Sleep(time.Hour)
	case "wait":
		time.Sleep(time.Hour)
	case "crash":
		panic("a parser did not expect this")
	case "reach":
		say(reach(rest))
	case "much":
		say(strings.Repeat("a", 1<<15)) // as much as a pipe holds
	case "environment":
		say(os.Environ())
	}
}

// reach tries what a reader must not do, and says what it could.
func reach(file string) (could []string) {
	try := func(what string, err error) {
		if err == nil {
			could = append(could, what)
		}
	}
	dir := filepath.Dir(file)
	_, err := os.ReadFile(file)
	try("read a file", err)
	_, err = os.ReadFile("/etc/passwd")
	try("read accounts", err)
	_, err = os.ReadDir(dir)
	try("list a folder", err)
	try("write a file", os.WriteFile(filepath.Join(dir, "new"), []byte("x"), 0o600))
	try("remove a file", os.Remove(file))
	try("run a program", exec.Command("/bin/true").Run())
	_, err = os.ReadFile(fmt.Sprintf("/proc/%d/environ", os.Getppid()))
	try("read what its parent was told", err)
	try("end its parent", syscall.Kill(os.Getppid(), 0))
	_, err = net.Listen("tcp", "127.0.0.1:0")
	try("listen", err)
	_, err = net.Dial("unix", filepath.Join(dir, "socket"))
	try("reach a socket of this machine", err)
	more := syscall.Rlimit{Cur: 1 << 40, Max: 1 << 40}
	try("give itself more memory", syscall.Setrlimit(syscall.RLIMIT_DATA, &more))
	try("trace", syscall.PtraceAttach(os.Getppid()))
	_, err = os.ReadFile("/etc/hosts")
	try("find hosts", err)
	opened := 0
	for range 200 {
		if _, err := os.Open("/dev/null"); err != nil {
			break
		}
		opened++
	}
	if opened > small.Files {
		could = append(could, "open many files")
	}
	return could
}

// asks runs a child that does one piece of work, and reads what it says.
func asks(t *testing.T, l Limits, work string, answer any) error {
	t.Helper()
	return Run(t.Context(), worker, l, wants(work, answer))
}

// wants tells a child of one piece of work, and reads what it says.
func wants(work string, answer any) func(in io.Writer, out io.Reader) error {
	return func(in io.Writer, out io.Reader) error {
		if err := Send(in, 'w', []byte(work)); err != nil {
			return err
		}
		m, err := Receive(out, map[byte]int{'a': 1 << 20})
		if err != nil {
			return err
		}
		return json.Unmarshal(m.Body, answer)
	}
}

func TestWhatAChildSaidBeforeItEndedIsHeardToTheEnd(t *testing.T) {
	for range 10 {
		err := Run(t.Context(), worker, small, func(in io.Writer, out io.Reader) error {
			if err := Send(in, 'w', []byte("much")); err != nil {
				return err
			}
			all := bufio.NewReaderSize(out, 1<<10)
			if _, err := all.Peek(1 << 10); err != nil {
				return err
			}
			time.Sleep(20 * time.Millisecond) // so that it may have ended
			m, err := Receive(all, map[byte]int{'a': 1 << 20})
			if err == nil && len(m.Body) != 1<<15+2 {
				err = fmt.Errorf("%d bytes", len(m.Body))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func onLinux(t *testing.T) Held {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("a cage holds nothing but time here")
	}
	var held Held
	if err := asks(t, small, "held", &held); err != nil {
		t.Fatal(err)
	}
	return held
}

func TestAChildThatGoesPastALimitEndsAndItIsToldWhy(t *testing.T) {
	onLinux(t)
	for work, want := range map[string]string{"grow": "300 MiB of memory", "spin": "2s of processor time", "wait": "longer than 2s",
		"crash": "a parser did not expect this"} {
		t.Run(work, func(t *testing.T) {
			l := small
			switch work {
			case "spin":
				l.CPU, l.Wall = 2*time.Second, time.Hour // it gets little of a busy machine
			case "wait":
				l.Wall = 2 * time.Second
			}
			var answer any
			err := asks(t, l, work, &answer)
			var ended *Ended
			if !errors.As(err, &ended) || !strings.Contains(ended.Why, want) {
				t.Errorf("%v (%v), want that it says %q", err, answer, want)
			}
		})
	}
}

// offered says whether the kernel has what closes a cage. It is asked itself: a cage that nobody closed says that nothing holds, too.
func offered() bool {
	const rulesets, version = 444, 1 // landlock_create_ruleset on every architecture
	_, _, landlock := syscall.Syscall(rulesets, 0, 0, version)
	_, seccomp := os.Stat("/proc/sys/kernel/seccomp/actions_avail")
	return landlock == 0 && seccomp == nil && (runtime.GOARCH == "amd64" || runtime.GOARCH == "arm64")
}

func TestAChildReachesNothingOfThisMachine(t *testing.T) {
	held := onLinux(t)
	if !offered() {
		t.Skipf("the kernel has not all that it takes: %s", held)
	}
	if held.Landlock == 0 || !held.Seccomp {
		t.Fatalf("the kernel has all that it takes, and what holds is %s", held)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "secret")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(dir, "socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var could []string
	if err := asks(t, small, "reach "+file, &could); err != nil || strings.Join(could, ", ") != "find hosts" {
		t.Errorf("it could %q (%v), want that it finds hosts alone", could, err)
	}
	named := small
	named.Read = []string{file}
	if err := asks(t, named, "reach "+file, &could); err != nil || strings.Join(could, ", ") != "read a file, find hosts" {
		t.Errorf("it could %q (%v), want that it reads the file that it was given, too", could, err)
	}
}

func TestAChildIsToldNothingOfTheEnvironmentButHowTheInternetIsReached(t *testing.T) {
	t.Setenv("BREAKWATER_TEST_SECRET", "planted")
	t.Setenv("HTTPS_PROXY", "http://proxy.test:3128")
	var told []string
	if err := asks(t, small, "environment", &told); err != nil {
		t.Fatal(err)
	}
	if all := strings.Join(told, "\n"); strings.Contains(all, "planted") || !strings.Contains(all, "HTTPS_PROXY=http://proxy.test:3128") {
		t.Errorf("%s", all)
	}
}

func TestAChildEndsWithItsParent(t *testing.T) {
	onLinux(t)
	parent := exec.Command(os.Args[0], keeper)
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	var pid int
	if _, err2 := fmt.Sscan(line, &pid); err != nil || err2 != nil {
		t.Fatal(line, err, err2)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait() // it was killed
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		state, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil || bytes.Contains(state, []byte(") Z ")) {
			return
		}
		if time.Now().After(end) {
			t.Fatal("it goes on alone")
		}
	}
}

func TestWhatIsNotWantedAnyMoreEndsAtOnce(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	err := Run(ctx, worker, small, func(in io.Writer, out io.Reader) error {
		if err := Send(in, 'w', []byte("sleep")); err != nil {
			return err
		}
		if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
			return err
		}
		cancel()
		_, err := io.ReadAll(out) // until it ends
		return errors.Join(io.EOF, err)
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestWhatIsMissingOfACageIsTold(t *testing.T) {
	whole := Held{Memory: 1 << 30, CPU: time.Minute, Files: 9, Landlock: 7, Seccomp: true}
	if s := whole.String(); !whole.Whole() || s != "memory 1024 MiB, processor time 1m0s, open files 9, Landlock version 7, seccomp" {
		t.Errorf("%s", s)
	}
	whole.Landlock = 0
	if s := whole.String(); whole.Whole() || !strings.HasSuffix(s, "seccomp; not held here: Landlock") {
		t.Errorf("%s", s)
	}
	if s := (Held{}).String(); s != "not held here: memory, processor time, open files, Landlock, seccomp" {
		t.Errorf("%s", s)
	}
}
