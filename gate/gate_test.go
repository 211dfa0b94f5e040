package gate

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// door is a server behind a gate. A request with a name in Authorization is of somebody.
type door struct {
	*Gate
	address string
}

func open(t *testing.T, limits Limits, pace Pace, handle http.HandlerFunc) door {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := New(limits)
	ctx, end := context.WithCancel(context.Background())
	web := Server(ctx, pace.Handler(handle), slog.New(slog.DiscardHandler))
	ended := make(chan error, 1)
	go func() { ended <- web.Serve(g.Listen(inner)) }()
	t.Cleanup(func() {
		end()
		_ = web.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return door{g, inner.Addr().String()}
}

// dial connects, and says what it has to say.
func (d door) dial(t *testing.T, text string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", d.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_, _ = io.WriteString(c, text) // it may be closed already
	return c
}

// status is the status of the answer that comes by a connection, 0 if it was closed.
func status(c net.Conn) int {
	_ = c.SetReadDeadline(time.Now().Add(time.Minute))
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return 0
	}
	_, _ = io.Copy(io.Discard, r.Body)
	return r.StatusCode
}

func greet(w http.ResponseWriter, r *http.Request) {
	if who := r.Header.Get("Authorization"); who != "" && !Known(r.Context(), who) {
		w.WriteHeader(http.StatusTooManyRequests)
		return
	}
	_, err := io.Copy(io.Discard, r.Body)
	if err != nil {
		w.WriteHeader(http.StatusRequestTimeout)
	}
}

const (
	asked   = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
	begun   = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nx"
	headers = "GET / HTTP/1.1\r\nX-Slow: "
)

func TestStrangersThatHoldConnectionsMakeRoomForTheNext(t *testing.T) {
	for _, says := range []string{"", headers, begun} {
		t.Run(fmt.Sprintf("%.20q", says), func(t *testing.T) {
			d := open(t, Limits{Connections: 20, Strangers: 10, PerAddress: 8, PerSecond: 1000}, Pace{}, greet)
			first := d.dial(t, says)
			for range 99 {
				d.dial(t, says)
			}
			if got := status(first); got != 0 {
				t.Errorf("the first is not closed: %d", got)
			}
			if got := status(d.dial(t, asked)); got != http.StatusOK {
				t.Errorf("the next who asks gets %d", got)
			}
			if all, _ := d.Open(); all > 10 || d.Closed() < 90 {
				t.Errorf("%d are open, %d were closed", all, d.Closed())
			}
		})
	}
}

func TestWhoIsKnownKeepsTheConnectionHoweverManyStrangersCome(t *testing.T) {
	d := open(t, Limits{Connections: 20, Strangers: 4, PerAddress: 4}, Pace{}, greet)
	mine := d.dial(t, "GET / HTTP/1.1\r\nHost: h\r\nAuthorization: me\r\n\r\n")
	if got := status(mine); got != http.StatusOK {
		t.Fatal(got)
	}
	for range 50 {
		d.dial(t, begun)
	}
	if got := status(d.dial(t, asked)); got != http.StatusOK {
		t.Error(got)
	}
	if _, err := io.WriteString(mine, asked); err != nil || status(mine) != http.StatusOK {
		t.Error("the connection of who is known is gone", err)
	}
}

func TestOneWhoIsKnownLeavesHalfOfTheRestToOthers(t *testing.T) {
	d := open(t, Limits{Connections: 12}, Pace{}, greet)
	as := func(who string) int {
		return status(d.dial(t, "GET / HTTP/1.1\r\nHost: h\r\nAuthorization: "+who+"\r\n\r\n"))
	}
	got := map[int]int{}
	for range 10 {
		got[as("hog")]++
	}
	if got[200] != 4 || got[429] != 6 { // 4 of 12: the fifth would be more than half of the 8 that are left
		t.Errorf("%v", got)
	}
	if got := as("other"); got != http.StatusOK {
		t.Errorf("another gets %d", got)
	}
}

func TestAnAddressOpensNoMoreThanSomeConnectionsASecond(t *testing.T) {
	d := open(t, Limits{PerSecond: 2}, Pace{}, greet)
	now := time.Now()
	d.mu.Lock()
	d.now = func() time.Time { return now }
	d.mu.Unlock()
	got := map[int]int{}
	for range 20 {
		got[status(d.dial(t, asked))]++
	}
	if got[200] != 8 || got[0] != 12 {
		t.Errorf("%v; want 8 answers, four seconds' worth", got)
	}
	d.mu.Lock()
	now = now.Add(time.Second)
	d.mu.Unlock()
	for range 3 {
		got[status(d.dial(t, asked))]++
	}
	if got[200] != 10 {
		t.Errorf("%v; want two more a second later", got)
	}
}

func TestABodyThatComesTooSlowlyEnds(t *testing.T) {
	d := open(t, Limits{}, Pace{Grace: 50 * time.Millisecond, Rate: 1 << 20}, greet)
	if got := status(d.dial(t, begun)); got != http.StatusRequestTimeout {
		t.Errorf("%d", got)
	}
}

func TestWhatCameFastIsNoCreditForStandingStill(t *testing.T) {
	d := open(t, Limits{}, Pace{Grace: 50 * time.Millisecond, Rate: 1000}, greet)
	c := d.dial(t, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n"+strings.Repeat("x", 900_000)) // 15 minutes' worth
	if got := status(c); got != http.StatusRequestTimeout {
		t.Errorf("%d", got)
	}
}

func TestABodyThatComesAtItsPaceMayTakeLongerThanTheGrace(t *testing.T) {
	const grace = 200 * time.Millisecond
	d := open(t, Limits{}, Pace{Grace: grace, Rate: 1000}, greet)
	c := d.dial(t, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\n")
	began := time.Now()
	for range 20 { // 10,000 bytes are ten seconds' worth
		if _, err := io.WriteString(c, strings.Repeat("x", 10_000)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(grace / 10)
	}
	if got := status(c); got != http.StatusOK || time.Since(began) < grace {
		t.Errorf("%d", got)
	}
}

func TestWorkMayTakeLongerThanAnyPace(t *testing.T) {
	d := open(t, Limits{}, Pace{Grace: 20 * time.Millisecond}, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			_, _ = io.Copy(io.Discard, r.Body)
		}
		select {
		case <-time.After(100 * time.Millisecond):
			w.WriteHeader(http.StatusAccepted)
		case <-r.Context().Done(): // as if the asker had left
		}
	})
	for _, says := range []string{asked, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx",
		"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"} {
		if got := status(d.dial(t, says)); got != http.StatusAccepted {
			t.Errorf("%q: %d", says, got)
		}
	}
}

func TestWhoNeverReadsTheAnswerHoldsNobody(t *testing.T) {
	ended := make(chan error, 1)
	d := open(t, Limits{}, Pace{Grace: 50 * time.Millisecond, Rate: 1 << 30}, func(w http.ResponseWriter, _ *http.Request) {
		block := make([]byte, 1<<20)
		for {
			if _, err := w.Write(block); err != nil {
				ended <- err
				return
			}
		}
	})
	d.dial(t, asked)
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Error("the answer still waits to be read")
	}
}

func TestAHeaderIsReadUpToABound(t *testing.T) {
	d := open(t, Limits{}, Pace{}, greet)
	for size, want := range map[int]int{36_000: http.StatusOK, 37_500: http.StatusRequestHeaderFieldsTooLarge} { // of 32 KiB and a buffer
		if got := status(d.dial(t, "GET / HTTP/1.1\r\nHost: h\r\nX: "+strings.Repeat("x", size)+"\r\n\r\n")); got != want {
			t.Errorf("%d bytes: %d, want %d", size, got, want)
		}
	}
	c := d.dial(t, headers)
	go func() { _, _ = io.WriteString(c, strings.Repeat("x", 1<<20)+"\r\n\r\n") }()
	if got := status(c); got != http.StatusRequestHeaderFieldsTooLarge && got != 0 { // it may hang up while we still talk
		t.Errorf("%d", got)
	}
}
