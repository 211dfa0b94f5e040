// Package e2e lives the stories as a person does: a real API server, a real
// registry, the real binary and a real browser. The browser's half is in specs/,
// run by Playwright; this half starts what it looks at.
package e2e

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/test/kubetest"
)

func TestMain(m *testing.M) { os.Exit(kubetest.Main(m)) }

// binary builds breakwater with the portal in it, once per test binary.
func binary(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, "ui", "dist", "index.html")); err != nil {
		skipOrFail(t, "the portal is not built: run make ui")
	}
	out := filepath.Join(t.TempDir(), "breakwater")
	cmd := exec.Command("go", "build", "-tags", "ui", "-o", out, "./cmd/breakwater")
	cmd.Dir = root
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, b)
	}
	return out
}

// skipOrFail skips, or fails where everything is expected to be there.
func skipOrFail(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("E2E") == "required" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// server is a running breakwater.
type server struct {
	cmd  *exec.Cmd
	link string
	url  string // the portal's own name, which browsers find
	home string // the same server for programs, whose resolver need not know names of localhost
	log  *bytes.Buffer
	done chan struct{}
	once sync.Once
}

// serve starts the binary and waits for its sign-in link.
func serve(t *testing.T, bin string, args ...string) *server {
	t.Helper()
	s := &server{cmd: exec.Command(bin, append([]string{"serve"}, args...)...), log: &bytes.Buffer{}, done: make(chan struct{})}
	s.cmd.Stderr = s.log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	links := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if _, link, ok := strings.Cut(lines.Text(), "http"); ok && strings.Contains(link, "/sign-in#") {
				select {
				case links <- "http" + strings.TrimSpace(link):
				default:
				}
			}
		}
		close(s.done)
	}()
	t.Cleanup(func() { s.stop(t) })
	select {
	case s.link = <-links:
	case <-s.done:
		t.Fatalf("the server ended: %s", s.log)
	case <-time.After(3 * time.Minute):
		t.Fatalf("no sign-in link: %s", s.log)
	}
	s.url, _, _ = strings.Cut(s.link, "/sign-in#")
	s.home = "http://127.0.0.1" + s.url[strings.LastIndex(s.url, ":"):]
	return s
}

func (s *server) stop(t *testing.T) {
	s.once.Do(func() {
		_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
		<-s.done
		if err := s.cmd.Wait(); err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	if t.Failed() {
		t.Logf("server log:\n%s", s.log)
	}
}

// anotherLink asks for a sign-in link: the first one works once.
func (s *server) anotherLink(t *testing.T, bin, data string) {
	t.Helper()
	link, err := exec.Command(bin, "sign-in", "--data", data).Output()
	if err != nil {
		t.Fatal(err)
	}
	s.link = strings.TrimSpace(string(link))
}

// throttle is how many times slower the browser's processor is made: the
// variable THROTTLE, which the specs honour.
func throttle() time.Duration {
	n, _ := strconv.Atoi(os.Getenv("THROTTLE")) // what is no number throttles nothing
	return time.Duration(max(n, 1))
}

// browse runs Playwright's specs whose files' names contain one of the words.
func browse(t *testing.T, s *server, specs []string, env ...string) {
	t.Helper()
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		skipOrFail(t, "no chromium: run test/setup.sh")
	}
	if _, err := os.Stat("node_modules/@playwright/test"); err != nil {
		skipOrFail(t, "no Playwright: run test/setup.sh")
	}
	ctx, cancel := context.WithTimeout(t.Context(), throttle()*45*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "npx", append([]string{"--no-install", "playwright", "test"}, specs...)...)
	cmd.Env = append(os.Environ(), append(env, "BREAKWATER_URL="+s.url, "BREAKWATER_LINK="+s.link, "CHROMIUM="+chromium)...)
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatalf("playwright %v: %v", specs, err)
	}
}
