package server

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/test/golden"
)

// TestTheReferenceOfMetricsIsFresh keeps docs/reference/metrics.md as the metrics are.
func TestTheReferenceOfMetricsIsFresh(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Metrics\n\nMade from the metrics themselves: `go test ./server -update` rewrites it.\n\n" +
		"`breakwater serve --metrics-listen 127.0.0.1:9464` tells them at `/metrics`, in the text format of Prometheus.\n" +
		"Beyond loopback it wants `--metrics-token-file` and `--tls-cert`; the portal's session opens nothing there. Labels are\n" +
		"clusters that people named and words of Breakwater's, never pods, users or images.\n\n| name | type | labels | |\n|---|---|---|---|\n")
	for _, m := range MetricsTold() {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", m.Name, m.Type, strings.Join(m.Labels, ", "), m.Help)
	}
	golden.Compare(t, "../docs/reference/metrics.md", b.String())
}

var named = regexp.MustCompile(`^(breakwater|go|process)_[a-z_]+$`)

func TestNamesOfMetricsAreAsPrometheusWantsThem(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range MetricsTold() {
		counts := strings.HasSuffix(m.Name, "_total") || m.Name == "breakwater_world_version"
		if !named.MatchString(m.Name) || seen[m.Name] || counts != (m.Type == "counter") || !strings.HasSuffix(m.Help, ".") ||
			strings.ContainsAny(m.Help, "\\\n") {
			t.Errorf("%+v", m)
		}
		seen[m.Name] = true
	}
}

func TestLabelsAreEscaped(t *testing.T) {
	if got := escapeLabel.Replace("a\"b\\c\nd"); got != `a\"b\\c\nd` {
		t.Error(got)
	}
}

// bare is a server of which nothing but metrics is asked.
func bare(t *testing.T, m Metrics) (*Server, error) {
	t.Helper()
	v := &Server{config: Config{Metrics: m}}
	var err error
	if v.metrics, err = v.listenMetrics(); v.metrics != nil {
		t.Cleanup(func() { v.metrics.Close() })
	}
	return v, err
}

func TestMetricsAreForThisMachineOrForWhoShowsTheToken(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("0123456789abcdef\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	brief := filepath.Join(t.TempDir(), "short")
	if err := os.WriteFile(brief, []byte("0123\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		metrics Metrics
		want    string
	}{
		{Metrics{}, ""},
		{Metrics{Listen: "127.0.0.1:0"}, ""},
		{Metrics{Listen: "127.0.0.1:0", TokenFile: token}, ""},
		{Metrics{Listen: "127.0.0.1:0", TokenFile: brief}, "at least 16"},
		{Metrics{Listen: "127.0.0.1:0", TokenFile: "/none"}, "no such file"},
		{Metrics{Listen: "0.0.0.0:0"}, "beyond loopback"},
		{Metrics{Listen: ":0", TokenFile: token}, "beyond loopback"},
		{Metrics{Listen: "here"}, "want HOST:PORT"},
	} {
		if _, err := bare(t, c.metrics); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v; want %q", c.metrics, err, c.want)
		}
	}
	for _, c := range []struct {
		token, host, shown, path string
		want                     int
	}{
		{"", "evil.example", "", "/metrics", http.StatusForbidden},
		{"0123456789abcdef", "evil.example", "", "/metrics", http.StatusUnauthorized},
		{"0123456789abcdef", "127.0.0.1:1", "Bearer 0123456789abcdeX", "/metrics", http.StatusUnauthorized},
		{"", "localhost:9464", "", "/", http.StatusNotFound},
	} {
		v := &Server{metricsToken: c.token}
		r := httptest.NewRequest(http.MethodGet, "http://"+c.host+c.path, nil)
		r.Header.Set("Authorization", c.shown)
		r.AddCookie(&http.Cookie{Name: "breakwater_session", Value: "0123456789abcdef"})
		w := httptest.NewRecorder()
		v.metricsHandler().ServeHTTP(w, r)
		if body, _ := io.ReadAll(w.Body); w.Code != c.want || strings.Contains(string(body), "# HELP") {
			t.Errorf("%+v: %d", c, w.Code)
		}
	}
}

// Who reaches the port holds connections: there are as many as at the other ports and no more, and the oldest make room.
func TestConnectionsToTheMetricsAreBounded(t *testing.T) {
	v := &Server{config: Config{Metrics: Metrics{Listen: "127.0.0.1:0"}}, log: slog.New(slog.DiscardHandler),
		limits: Limits{"connections": 40, "strangers": 20, "strangers-per-address": 10, "new-per-address": 1000}}
	l, err := v.listenMetrics()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			if _, err := l.Accept(); err != nil {
				return
			}
		}
	}()
	const all, most = 30, 10
	ended := make(chan struct{}, all)
	for range all {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		go func() {
			_, _ = c.Read(make([]byte, 1)) // nobody says anything: it returns when the connection ends
			ended <- struct{}{}
		}()
	}
	for n := range all - most {
		select {
		case <-ended:
		case <-time.After(time.Minute):
			t.Fatalf("%d of %d connections that are held made room where %d may be held", n, all, most)
		}
	}
}
