package hostile

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// The attacker here may create a pod, and owns a registry. Beside the server run services that nobody meant to show.

// said is what the services say, in whatever they are asked; fits is how a token looks.
const said, fits = "planted-of-a-service", "planted.token-of.a-service"

// service is one beside the server, that counts who comes.
func service(t *testing.T) (port string, came *atomic.Int64) {
	came = &atomic.Int64{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		came.Add(1)
		fmt.Fprintf(w, `{"token":%q,"Token":%q,"errors":[{"code":%q,"message":%q}]}`, fits, fits, said, said)
	}))
	t.Cleanup(s.Close)
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port, came
}

// evilRegistry leads readers to a service, each repository in its way, and says what it was told to in errors.
func evilRegistry(t *testing.T, service string) (port string, tokens *atomic.Int64) {
	tokens = &atomic.Int64{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.Header.Get("Authorization"), fits) {
			tokens.Add(1)
		}
		at := "http://127.0.0.1:" + service
		switch {
		case r.URL.Path == "/v2/":
			return
		case strings.Contains(r.URL.Path, "/realm/"):
			w.Header().Set("WWW-Authenticate", `Bearer realm="`+at+`/token",service="s"`)
			w.WriteHeader(http.StatusUnauthorized)
		case strings.Contains(r.URL.Path, "/odd/"):
			w.Header().Set("WWW-Authenticate", `Bearer error="`+said+`"`)
			w.WriteHeader(http.StatusUnauthorized)
		case strings.Contains(r.URL.Path, "/redirect/"):
			http.Redirect(w, r, at+"/latest/meta-data/?"+said, http.StatusTemporaryRedirect)
		case strings.Contains(r.URL.Path, "/name/"):
			http.Redirect(w, r, "http://localtest.localhost:"+service+"/"+said, http.StatusTemporaryRedirect)
		default:
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprintf(w, `{"errors":[{"code":"DENIED","message":%q,"detail":%q}]}`, said, said)
			return
		}
		fmt.Fprint(w, said)
	}))
	t.Cleanup(s.Close)
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port, tokens
}

// answers is what a signed-in person reads of everything, and of what else is asked for, once every image was tried.
func (s *localServer) answers(t *testing.T, more ...string) string {
	t.Helper()
	get := func(path string) string { return s.read(t, "GET", path, "") }
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		status := get("/status")
		if strings.Contains(status, `"state":"current"`) && strings.Contains(status, `"waiting":0`) {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the server does not come to rest: %s; %s", status, s.log)
		}
	}
	var out strings.Builder
	for _, path := range append(more, "/status", "/home", "/paths?limit=1000", "/images?limit=1000", "/vulnerabilities",
		"/recommendations", "/alerts", "/activity", "/tokens", "/sensors", "/storage", "/cut?assume=any", "/diff?base=c&head=c",
		"/registries", "/coverage", "/search?q=web", "/search?q=pod", "/query/export?text=MATCH%20(n:Pod)%20RETURN%20n") {
		out.WriteString(get(path))
	}
	return out.String()
}

// read is what a signed-in person is answered.
func (s *localServer) read(t *testing.T, method, path, body string) string {
	t.Helper()
	if s.cookie == nil {
		s.cookie = s.signIn(t)
	}
	_, answer, _ := s.ask(t, method, s.name, "/api/v1"+path, body, map[string]string{"Cookie": s.cookie.Name + "=" + s.cookie.Value,
		"Origin": "http://" + net.JoinHostPort(s.name, s.port), "Content-Type": "application/json"})
	return answer
}

func TestAPodsImageLeadsTheServerToNoServiceBesideIt(t *testing.T) {
	port, came := service(t)
	registry, tokens := evilRegistry(t, port)
	var pods strings.Builder
	for n, image := range []string{"127.0.0.1:" + port + "/shop/web:1", "localhost:" + port + "/shop/web:1", "[::1]:" + port + "/shop/web:1",
		"127.0.0.1:" + registry + "/realm/web:1", "127.0.0.1:" + registry + "/odd/web:1", "127.0.0.1:" + registry + "/redirect/web:1",
		"127.0.0.1:" + registry + "/name/web:1", "127.0.0.1:" + registry + "/error/web:1", "169.254.169.254/shop/web:1"} {
		fmt.Fprintf(&pods, "apiVersion: v1\nkind: Pod\nmetadata: {name: pod-%d, namespace: shop}\n"+
			"spec:\n  containers: [{name: app, image: %q}]\n---\n",
			n, image)
	}
	dir, data := t.TempDir(), filepath.Join(t.TempDir(), "data")
	if err := os.WriteFile(filepath.Join(dir, "pods.yaml"), []byte(pods.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	// The person named the registry alone, as one that speaks plain HTTP.
	s := startServe(t, data, "serve", "--from", "c="+dir, "--allow-private", "http://127.0.0.1:"+registry, "--verbose",
		"--listen", "127.0.0.1:0", "--data", data)
	answers := s.answers(t)
	s.kill()
	if came.Load() > 0 || tokens.Load() > 0 {
		t.Errorf("the service was asked %d times, and what it said was sent on %d times", came.Load(), tokens.Load())
	}
	for where, text := range map[string]string{"API": answers, "log": s.log.String(), "folder": stored(t, data)} {
		for _, planted := range []string{said, fits} {
			if at := strings.Index(text, planted); at >= 0 {
				t.Errorf("what a service said is in the %s: …%q…", where, text[max(0, at-300):min(len(text), at+100)])
			}
		}
	}
	// What was not read is told, and what a person can say.
	for _, want := range []string{"--allow-private 127.0.0.1:" + port, "DENIED", "--registry-site 127.0.0.1:" + registry +
		"=localtest.localhost",
		"nothing is fetched from there"} {
		if !strings.Contains(answers, want) {
			t.Errorf("the answers do not say %q", want)
		}
	}
}
