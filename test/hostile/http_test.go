package hostile

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// The attacker here reaches the ports of the server and has neither session nor token.

// freePort is one that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// hold opens connections that say something and then nothing more.
func hold(t *testing.T, port, says string, connections int) {
	t.Helper()
	for range connections {
		c, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		_, _ = io.WriteString(c, says) // it may be closed already
	}
}

// answered is the status that raw bytes are answered with; 0 if the connection was closed.
func answered(t *testing.T, c net.Conn, says string) int {
	t.Helper()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	go func() { _, _ = io.WriteString(c, says) }() // it may answer and hang up while we still talk
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return 0
	}
	_ = r.Body.Close()
	return r.StatusCode
}

// TestWhoHoldsConnectionsKeepsNobodyOut: slow headers, slow bodies and handshakes that stand still, more of each than
// there are places, at portal and events; people sign in and clusters are heard all the same.
func TestWhoHoldsConnectionsKeepsNobodyOut(t *testing.T) {
	ingest := freePort(t)
	s := startLocal(t, t.TempDir(), "0", "--ingest-listen", "127.0.0.1:"+ingest, "--limit", "strangers=60",
		"--limit", "strangers-per-address=50",
		"--limit", "connections=100", "--limit", "ingest-connections=100", "--limit", "new-per-address=5000")
	const body = "POST /api/v1/session HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n{"
	for _, port := range []string{s.port, ingest} {
		hold(t, port, "", 150)
		hold(t, port, "GET / HTTP/1.1\r\nX-Slow: ", 150)
		hold(t, port, body, 150)
		hold(t, port, "\x16\x03\x01\x02\x00\x01", 150) // a handshake that stands still
	}
	session := s.signIn(t)
	signed := map[string]string{"Cookie": session.Name + "=" + session.Value}
	status, said, _ := s.ask(t, "GET", s.name, "/api/v1/status", "", signed)
	if status != http.StatusOK || !strings.Contains(said, `"strangers-per-address"`) {
		t.Errorf("status: %d %.300s", status, said)
	}
	hold(t, s.port, body, 150) // beside who is signed in
	if status, _, _ = s.ask(t, "GET", s.name, "/api/v1/home", "", signed); status != http.StatusOK {
		t.Errorf("home: %d", status)
	}
	c, err := tls.Dial("tcp", "127.0.0.1:"+ingest, &tls.Config{InsecureSkipVerify: true}) // whom it is does not matter here
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got := answered(t, c, "POST /v1/audit/prod HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"); got != http.StatusUnauthorized {
		t.Errorf("a sender without a token is answered %d", got)
	}
}

func TestWhatIsNoRequestIsRefused(t *testing.T) {
	s := startLocal(t, t.TempDir(), "0")
	for _, c := range []struct {
		name, says string
		want       []int
	}{
		{"a header of a megabyte", "GET / HTTP/1.1\r\nHost: h\r\nX: " + strings.Repeat("x", 1<<20) + "\r\n\r\n", []int{0, 431}},
		{"a thousand headers", "GET / HTTP/1.1\r\nHost: h\r\n" + strings.Repeat("X: "+strings.Repeat("x", 90)+"\r\n", 1000) + "\r\n",
			[]int{0, 431}},
		{"HTTP/2 without asking", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", []int{0, 400, 505}},
		{"a body of any length", "POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" +
			strings.Repeat("fff\r\n"+strings.Repeat("{", 0xfff)+"\r\n", 300) + "0\r\n\r\n", []int{0, 400, 421}},
		{"two lengths", "POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx", []int{0, 400}},
	} {
		conn, err := net.Dial("tcp", "127.0.0.1:"+s.port)
		if err != nil {
			t.Fatal(err)
		}
		got := answered(t, conn, c.says)
		_ = conn.Close()
		if !strings.Contains(fmt.Sprint(c.want), fmt.Sprint(got)) {
			t.Errorf("%s is answered %d, want one of %v", c.name, got, c.want)
		}
	}
	if status, said, _ := s.ask(t, "GET", s.name, "/healthz", "", nil); status != http.StatusOK {
		t.Errorf("%d %s", status, said)
	}
}
