package gate

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// What a client sends behind a body is a request only where the body came to its end. Where it did not, a proxy before us may
// have meant it as a part of the body: its author would have made a request of their own in the name of the proxy.

func TestWhatComesBehindABodyThatBrokeOffIsNoRequest(t *testing.T) {
	asked := make(chan string, 10)
	d := open(t, Limits{}, Pace{}, func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Path
		greet(w, r)
	})
	c := d.dial(t, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"+
		"GET /hidden HTTP/1.1\r\nHost: h\r\nX: "+strings.Repeat("v", 5000)+"\r\n\r\n") // a trailer that is too long
	_ = c.SetReadDeadline(time.Now().Add(time.Minute))
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || r.StatusCode != http.StatusRequestTimeout || !r.Close {
		t.Fatalf("%+v, %v: want an answer and the end of the connection", r, err)
	}
	_, _ = io.Copy(io.Discard, c) // to the end
	if n := len(asked); n != 1 {
		t.Errorf("%d requests were answered of the one that there is", n)
	}
}

func TestABodyThatNobodyAskedForIsNotWaitedFor(t *testing.T) {
	d := open(t, Limits{}, Pace{Grace: time.Hour}, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
	c := d.dial(t, "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 50\r\n\r\n")
	_ = c.SetReadDeadline(time.Now().Add(time.Minute))
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || r.StatusCode != http.StatusUnauthorized || !r.Close {
		t.Errorf("%+v, %v: want an answer and the end of the connection", r, err)
	}
}
