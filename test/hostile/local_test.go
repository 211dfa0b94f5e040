package hostile

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// The attacker here is another account of the same machine: it may listen on every port that is free,
// connect to every port, list processes, and read and write what file modes let it.

// localServer is a server on a cluster of one folder.
type localServer struct {
	cmd         *exec.Cmd
	data        string
	link        string
	name, token string // of the link: its host, and what stands behind #
	port        string
	log         *bytes.Buffer
	cookie      *http.Cookie // of who reads
}

func startLocal(t *testing.T, data, port string, args ...string) *localServer {
	t.Helper()
	return startServe(t, data, append([]string{"serve", "--from", "../../cli/testdata/shop", "--no-images", "--listen", "127.0.0.1:" + port,
		"--data", data}, args...)...)
}

// startServe is a server on a folder of data, as a command line says.
func startServe(t *testing.T, data string, args ...string) *localServer {
	t.Helper()
	s := &localServer{data: data, log: &bytes.Buffer{}}
	s.cmd = exec.Command(program(t), args...)
	s.cmd.Stderr = s.log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.kill() })
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if at, token, ok := strings.Cut(strings.TrimSpace(lines.Text()), "/sign-in#"); ok {
			s.link, s.token = strings.TrimSpace(lines.Text()), token
			if s.name, s.port, err = net.SplitHostPort(strings.TrimPrefix(at, "http://")); err != nil {
				t.Fatal(err)
			}
			go func() { _, _ = io.Copy(io.Discard, out) }() // it ends with the server
			return s
		}
	}
	_ = s.cmd.Wait() // it is waited for to read all it said
	t.Fatalf("the server ended: %s", s.log)
	return nil
}

// kill is a crash.
func (s *localServer) kill() {
	_ = s.cmd.Process.Kill() // it may have ended before
	_ = s.cmd.Wait()         // killed: how it ended is no news
}

// command runs a command beside the server.
func (s *localServer) command(t *testing.T, args ...string) (string, error) {
	t.Helper()
	out, err := exec.Command(program(t), append(args, "--data", s.data)...).CombinedOutput()
	return string(out), err
}

// ask sends a request to an address of the server, under a name.
func (s *localServer) ask(t *testing.T, method, host, path, body string, header map[string]string) (status int,
	answer string, set []*http.Cookie) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://127.0.0.1:"+s.port+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Host = net.JoinHostPort(host, s.port)
	for k, v := range header {
		r.Header.Set(k, v)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, fmt.Sprint(resp.Header, " ", string(b)), resp.Cookies()
}

// signIn is a browser that opens the link.
func (s *localServer) signIn(t *testing.T) *http.Cookie {
	t.Helper()
	status, said, set := s.ask(t, "POST", s.name, "/api/v1/session", `{"token":"`+s.token+`"}`,
		map[string]string{"Origin": "http://" + net.JoinHostPort(s.name, s.port)})
	if status != http.StatusNoContent || len(set) != 1 {
		t.Fatalf("sign in: %d %s", status, said)
	}
	return set[0]
}

// imposter listens where the server did, on both addresses of the machine, and counts who comes.
func imposter(t *testing.T, port string) *atomic.Int64 {
	t.Helper()
	var came atomic.Int64
	for _, host := range []string{"127.0.0.1", "::1"} {
		l, err := net.Listen("tcp", net.JoinHostPort(host, port))
		if err != nil {
			if host == "::1" {
				continue // a machine without it
			}
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				came.Add(1)
				_ = c.Close()
			}
		}()
	}
	return &came
}

func TestWhoTakesThePortAfterACrashIsAskedByNoCommand(t *testing.T) {
	s := startLocal(t, filepath.Join(t.TempDir(), "data"), "0")
	if out, err := s.command(t, "registry", "list"); err != nil {
		t.Fatalf("while it runs: %v: %s", err, out)
	}
	s.kill()
	came := imposter(t, s.port)
	for _, args := range [][]string{{"sign-in"}, {"registry", "list"}, {"graph"}, {"paths"}, {"recommendations"}} {
		out, err := s.command(t, args...)
		if err == nil || !strings.Contains(out, "no server is running") {
			t.Errorf("%v: %v: %s", args, err, out)
		}
	}
	if n := came.Load(); n > 0 {
		t.Errorf("commands connected %d times to who holds the port", n)
	}
}

func TestWhatAPersonHadOfACrashedServerIsOfNoUseAtTheNextOne(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	s := startLocal(t, data, "0")
	shown := s.signIn(t) // an open page shows it to who takes the port
	link, err := s.command(t, "sign-in")
	if err != nil {
		t.Fatal(link)
	}
	_, unused, _ := strings.Cut(strings.TrimSpace(link), "#") // as does a link that is opened then
	session := map[string]string{"Cookie": shown.Name + "=" + shown.Value}
	if status, said, _ := s.ask(t, "GET", s.name, "/api/v1/session", "", session); status != http.StatusOK {
		t.Fatal(status, said)
	}
	s.kill()
	next := startLocal(t, data, s.port)
	if next.name == s.name {
		t.Errorf("the name is %s again: what the imposter put into the browser under it is still there", s.name)
	}
	for name, header := range map[string]map[string]string{"cookie": session, "token": {"Authorization": "Bearer " + shown.Value}} {
		for _, host := range []string{s.name, next.name, "127.0.0.1"} {
			if status, said, _ := next.ask(t, "GET", host, "/api/v1/session", "", header); status < 400 {
				t.Errorf("a %s of the crashed server at %s: %d %s", name, host, status, said)
			}
		}
	}
	if status, said, _ := next.ask(t, "POST", "127.0.0.1", "/api/v1/session", `{"token":"`+unused+`"}`,
		nil); status != http.StatusUnauthorized {
		t.Errorf("a link of the crashed server: %d %s", status, said)
	}
}

func TestNobodyElseListensWhereBrowsersLookForThePortal(t *testing.T) {
	s := startLocal(t, filepath.Join(t.TempDir(), "data"), "0")
	probe, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skip("this machine has no ::1: ", err)
	}
	_ = probe.Close()
	for _, host := range []string{"127.0.0.1", "::1", "0.0.0.0", "::"} {
		if l, err := net.Listen("tcp", net.JoinHostPort(host, s.port)); err == nil {
			t.Errorf("%s:%s was free for another", host, s.port)
			_ = l.Close()
		}
	}
	taken, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	out, err := exec.Command(program(t), "serve", "--from", "../../cli/testdata/shop", "--listen", "127.0.0.1:"+port, "--data",
		t.TempDir()).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "[::1]:"+port+": the port is in use") {
		t.Errorf("beside who listens on ::1: %v: %s", err, out)
	}
}

func TestNothingTellsThePortalsNameToWhoDoesNotKnowIt(t *testing.T) {
	s := startLocal(t, filepath.Join(t.TempDir(), "data"), "0")
	if !strings.HasSuffix(s.name, ".localhost") || len(s.name) < 25 {
		t.Fatalf("the portal's name is %s", s.name)
	}
	for _, host := range []string{"127.0.0.1", "localhost", "other.localhost", "evil.example"} {
		for _, path := range []string{"/", "/sign-in", "/healthz", "/api/v1/status", "/api/v1/sign-in-links", "/nonsense"} {
			for _, method := range []string{"GET", "POST"} {
				if _, said, _ := s.ask(t, method, host, path, "{}", nil); strings.Contains(said, s.name) {
					t.Errorf("%s %s as %s: %s", method, path, host, said)
				}
			}
		}
	}
	if listed, err := exec.Command("ps", "axww", "-o", "args").Output(); err == nil && bytes.Contains(listed, []byte(s.name)) {
		t.Error("the list of processes shows the name")
	}
}

func TestABrowserGetsNoCookieUnderANameThatOtherPortsShare(t *testing.T) {
	s := startLocal(t, filepath.Join(t.TempDir(), "data"), "0")
	for _, host := range []string{"127.0.0.1", "localhost", "::1"} {
		for header, value := range map[string]string{"Origin": "http://" + net.JoinHostPort(host, s.port), "Sec-Fetch-Site": "same-origin"} {
			status, said, set := s.ask(t, "POST", host, "/api/v1/session", `{"token":"`+s.token+`"}`, map[string]string{header: value})
			if status != http.StatusForbidden || len(set) > 0 || !strings.Contains(said, "breakwater sign-in") {
				t.Errorf("signed in under %s with %s: %d %s", host, header, status, said)
			}
		}
	}
	c := s.signIn(t) // the link was not used up
	if c.Domain != "" || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode {
		t.Errorf("the cookie %v", c)
	}
	if status, _, _ := s.ask(t, "POST", "127.0.0.1", "/api/v1/session", `{"token":"`+s.token+`"}`, nil); status != http.StatusUnauthorized {
		t.Errorf("the link worked twice: %d", status)
	}
}

func TestALinkIsMadeOverTheSocketAlone(t *testing.T) {
	s := startLocal(t, filepath.Join(t.TempDir(), "data"), "0")
	c := s.signIn(t)
	for name, header := range map[string]map[string]string{
		"nobody": nil, "one who is signed in": {"Cookie": c.Name + "=" + c.Value}, "one with a token": {"Authorization": "Bearer " + c.Value}} {
		if status, said, _ := s.ask(t, "POST", "127.0.0.1", "/api/v1/sign-in-links", `{"person":"mallory"}`, header); status < 400 ||
			strings.Contains(said, "#") {
			t.Errorf("%s: %d %s", name, status, said)
		}
	}
	link, err := s.command(t, "sign-in", "--for", "alice")
	if err != nil || !strings.HasPrefix(link, "http://"+net.JoinHostPort(s.name, s.port)+"/sign-in#") {
		t.Errorf("%v: %s", err, link)
	}
	if listed, err := exec.Command("ps", "axww", "-o", "args").Output(); err == nil && bytes.Contains(listed, []byte(s.token)) {
		t.Error("the list of processes shows a link")
	}
	s.kill()
	if strings.Contains(s.log.String(), s.token) || strings.Contains(s.log.String(), c.Value) {
		t.Errorf("the log shows a link or session: %s", s.log)
	}
}

func TestTheDataFolderIsClosedToOthersAtTheStart(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	if err := os.MkdirAll(filepath.Join(data, "clusters"), 0o755); err != nil {
		t.Fatal(err)
	}
	old := filepath.Join(data, "clusters", "old.dump")
	if err := os.WriteFile(old, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for file, mode := range map[string]os.FileMode{data: 0o755, filepath.Dir(old): 0o755, old: 0o644} {
		if err := os.Chmod(file, mode); err != nil { // whatever a server of another test made of the umask
			t.Fatal(err)
		}
	}
	s := startLocal(t, data, "0", "--save-every", "10ms", "--ingest-listen", "127.0.0.1:0")
	until(t, "the database's log", func() bool { _, err := os.Stat(filepath.Join(data, "breakwater.db-wal")); return err == nil })
	err := filepath.WalkDir(data, func(file string, e fs.DirEntry, err error) error {
		if err != nil {
			return nil // temporary files end
		}
		info, err := e.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has the mode %v", file, info.Mode())
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	s.kill()
	for _, file := range []string{data, old} {
		if !strings.Contains(s.log.String(), file+" was open to others") {
			t.Errorf("it is not said of %s: %s", file, s.log)
		}
	}
}

func TestADatabaseThatIsALinkIsNotOpened(t *testing.T) {
	data, theirs := t.TempDir(), filepath.Join(t.TempDir(), "theirs")
	if err := os.WriteFile(theirs, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(theirs, filepath.Join(data, "breakwater.db")); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(program(t), "serve", "--from",
		"../../cli/testdata/shop", "--listen", "127.0.0.1:0", "--data", data).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "breakwater.db is a link") {
		t.Errorf("%v: %s", err, out)
	}
	if info, err := os.Stat(theirs); err != nil || info.Size() > 0 {
		t.Errorf("what the link names was written: %v, %v", info, err)
	}
}
