// Package robust holds what the real binary must survive. It does not know
// what the answers mean, only that the server keeps giving them.
package robust

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

var link = regexp.MustCompile(`(http://\S+:\d+)/\S*#(\S+)`)

// serve starts the binary on the sample estate and signs in.
func serve(t *testing.T) (client *http.Client, url string, pid int) {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "breakwater")
	if out, err := exec.Command("go", "build", "-o", binary, "../../cmd/breakwater").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	cmd := exec.Command(binary, "serve", "--sample", "--listen", "127.0.0.1:0", "--data", t.TempDir())
	cmd.Stderr = io.Discard
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Signal(syscall.SIGKILL); _ = cmd.Wait() })
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if m := link.FindStringSubmatch(lines.Text()); m != nil {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			url = "http://127.0.0.1" + m[1][strings.LastIndex(m[1], ":"):] // not every resolver knows names of localhost
			return signIn(t, url, m[2]), url, cmd.Process.Pid
		}
	}
	t.Fatal("the server printed no sign-in link")
	return nil, "", 0
}

func signIn(t *testing.T, url, token string) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Jar: jar, Timeout: time.Minute, Transport: &http.Transport{}}
	status, body := send(t, c, "POST", url+"/api/v1/session", fmt.Sprintf(`{"token":%q}`, token))
	if status/100 != 2 {
		t.Fatalf("sign in: %d %s", status, body)
	}
	return c
}

func send(t *testing.T, c *http.Client, method, url, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := c.Do(r)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(b)
}

// resident is the memory of a process in bytes.
func resident(t *testing.T, pid int) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Skip("no /proc here: ", err)
	}
	_, after, _ := bytes.Cut(b, []byte("VmRSS:"))
	kb, err := strconv.Atoi(strings.Fields(string(after))[0])
	if err != nil {
		t.Fatal(err)
	}
	return kb << 10
}

func TestHostileBodiesAreRefusedAndTheServerKeepsAnswering(t *testing.T) {
	c, url, pid := serve(t)
	before := resident(t, pid)
	for name, body := range map[string]string{
		"two MiB":         `{"text":"` + strings.Repeat("a", 2<<20) + `"}`,
		"deep JSON":       `{"query":` + strings.Repeat(`{"where":`, 50_000) + strings.Repeat("}", 50_001),
		"deep lists":      strings.Repeat("[", 100_000),
		"huge query text": `{"text":"MATCH (i:Image) WHERE ` + strings.Repeat("(", 200_000) + `"}`,
	} {
		status, answer := send(t, c, "POST", url+"/api/v1/query", body)
		t.Logf("%s: %d %.120s", name, status, answer)
		if status != 400 && status != 413 && status != 422 {
			t.Errorf("%s: %d %.200s, want a refusal", name, status, answer)
		}
	}
	// The control: what was refused above was not refused for lack of rights.
	if status, answer := send(t, c, "POST", url+"/api/v1/query", `{"text":"MATCH (i:Image) RETURN i"}`); status != 200 {
		t.Errorf("a sound query: %d %.200s", status, answer)
	}
	openStreams(t, c, url, 200)
	c.CloseIdleConnections()
	if status, answer := send(t, c, "GET", url+"/api/v1/status", ""); status != 200 {
		t.Errorf("status after it all: %d %.200s", status, answer)
	}
	if after := resident(t, pid); after > before+256<<20 {
		t.Errorf("memory grew from %d to %d bytes", before, after)
	} else {
		t.Logf("memory %d MiB before, %d MiB after", before>>20, after>>20)
	}
}

// openStreams holds as many of n event streams open at once as one person may, then closes them all. The others
// are told to come again, or lose their connection to who came after them.
func openStreams(t *testing.T, c *http.Client, url string, n int) {
	t.Helper()
	var all sync.WaitGroup
	bodies := make(chan io.Closer, n)
	var open atomic.Int64
	for range n {
		all.Go(func() {
			answer, err := c.Get(url + "/api/v1/events")
			if err != nil {
				return
			}
			bodies <- answer.Body
			switch answer.StatusCode {
			case http.StatusOK:
				open.Add(1)
			case http.StatusTooManyRequests, http.StatusServiceUnavailable:
			default:
				t.Errorf("open an event stream: %s", answer.Status)
			}
		})
	}
	all.Wait()
	close(bodies)
	for b := range bodies {
		_ = b.Close()
	}
	if most := int64(128); open.Load() == 0 || open.Load() > most {
		t.Errorf("%d event streams are open, want some and at most %d", open.Load(), most)
	}
}
