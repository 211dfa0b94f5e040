package hostile

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/store"
)

// The attacker here writes the bytes of a connection, over TLS where that is spoken: requests that are none, that two
// readers would take apart differently, or that are of another protocol.

// startTaking is a server in a process of its own that takes events, and the token of a cluster.
func startTaking(t *testing.T, args ...string) (s *localServer, events, token string) {
	t.Helper()
	events = freePort(t)
	data := t.TempDir()
	s = startLocal(t, data, "0", append([]string{"--ingest-listen", "127.0.0.1:" + events}, args...)...)
	st, err := store.Open(t.Context(), filepath.Join(data, "breakwater.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	token, err = st.NewIngestToken(t.Context(), store.IngestToken{Cluster: "shop", Kind: "audit"})
	if err != nil {
		t.Fatal(err)
	}
	return s, events, token
}

// spoken is what comes back for raw bytes: the status of each answer until the connection ends. It is ended from here
// where nothing more is said for a while.
func spoken(t *testing.T, c net.Conn, says string) (statuses []int, ended bool) {
	t.Helper()
	defer c.Close()
	go func() { _, _ = io.WriteString(c, says) }() // it may answer and hang up while we still talk
	_ = c.SetReadDeadline(time.Now().Add(time.Minute))
	for r := bufio.NewReader(c); ; {
		answer, err := http.ReadResponse(r, nil)
		if err != nil {
			timeout, is := err.(net.Error)
			return statuses, !is || !timeout.Timeout()
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
		statuses = append(statuses, answer.StatusCode)
	}
}

// TestNoRequestHidesInAnother: each of these is refused and its connection ends, so that nothing behind it is read as a
// request of its own; or it is one request and answered once.
func TestNoRequestHidesInAnother(t *testing.T) {
	s, events, token := startTaking(t)
	const list = `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[]}`
	head := "POST /v1/audit/shop HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer " + token + "\r\n"
	hidden := head + fmt.Sprintf("Content-Length: %d\r\nConnection: close\r\n\r\n", len(list)) + list
	for name, c := range map[string]struct {
		says string
		want string // statuses, one for each answer
	}{
		"an honest one and another behind it": {head + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(list)) + list + hidden, "[200 200]"},
		"two lengths":                         {head + "Content-Length: 0\r\nContent-Length: 7\r\n\r\n" + hidden, "[400]"},
		"two lengths in one":                  {head + "Content-Length: 0, 7\r\n\r\n" + hidden, "[400]"},
		"a length with a sign":                {head + "Content-Length: +0\r\n\r\n" + hidden, "[400]"},
		"a length in other digits":            {head + "Content-Length: 0x0\r\n\r\n" + hidden, "[400]"},
		"a length beyond numbers":             {head + "Content-Length: 99999999999999999999\r\n\r\n" + hidden, "[400]"},
		"a name with a space behind it":       {head + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + hidden, "[400]"},
		"a coding behind a control character": {head + "Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n" + hidden, "[400]"},
		"two codings":                         {head + "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n" + hidden, "[501]"},
		"a coding that is none":               {head + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + hidden, "[501]"},
		"a chunk that is too large":           {head + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n" + hidden, "[400]"},
		"a chunk of less than nothing":        {head + "Transfer-Encoding: chunked\r\n\r\n-1\r\n" + hidden, "[400]"},
		"extensions of chunks without end": {head + "Transfer-Encoding: chunked\r\n\r\n" +
			strings.Repeat("1;"+strings.Repeat("v", 200)+"\r\n \r\n", 20_000), "[400]"},
		"trailers without end": {head + "Transfer-Encoding: chunked\r\n\r\n0\r\n" +
			strings.Repeat("X: "+strings.Repeat("v", 200)+"\r\n", 20_000), "[400]"},
		"a request within trailers": {head + "Transfer-Encoding: chunked\r\n\r\n0\r\n" +
			strings.Replace(hidden, "Host: h", "X: "+strings.Repeat("v", 5000)+"\r\nHost: h", 1), "[400]"},
		"a zero in a header":    {head + "X: a\x00b\r\nContent-Length: 0\r\n\r\n" + hidden, "[400]"},
		"two hosts":             {strings.Replace(head, "Host: h", "Host: h\r\nHost: g", 1) + "Content-Length: 0\r\n\r\n" + hidden, "[400]"},
		"no host":               {strings.Replace(head, "Host: h\r\n", "", 1) + "Content-Length: 0\r\n\r\n" + hidden, "[400]"},
		"HTTP/2 without asking": {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + strings.Repeat("\x00\x00\x00\x04\x00\x00\x00\x00\x00", 1000), "[400]"},
		"an upgrade to HTTP/2": {head + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n" +
			fmt.Sprintf("Content-Length: %d\r\n\r\n", len(list)) + list + hidden, "[200 200]"},
	} {
		conn, err := tls.Dial("tcp", "127.0.0.1:"+events, &tls.Config{InsecureSkipVerify: true}) // whom it is does not matter here
		if err != nil {
			t.Fatal(err)
		}
		if got, ended := spoken(t, conn, c.says); fmt.Sprint(got) != c.want || !ended {
			t.Errorf("events, %s: answered %v, want %s; ended %v", name, got, c.want, ended)
		}
		if strings.Contains(c.want, "200") {
			continue
		}
		plain, err := net.Dial("tcp", "127.0.0.1:"+s.port)
		if err != nil {
			t.Fatal(err)
		}
		got, ended := spoken(t, plain, strings.ReplaceAll(c.says, "/v1/audit/shop", "/api/v1/session"))
		if !ended || len(got) > 1 || len(got) == 1 && got[0] < 400 {
			t.Errorf("the portal, %s: answered %v; ended %v", name, got, ended)
		}
	}
	if status, said, _ := s.ask(t, "GET", s.name, "/healthz", "", nil); status != http.StatusOK {
		t.Errorf("%d %s", status, said)
	}
}
