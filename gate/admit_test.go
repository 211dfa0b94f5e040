package gate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestTheDefaultsAreWhatTheDocumentSays(t *testing.T) {
	if got := (Limits{}).orDefault(); got != (Limits{4096, 512, 128, 64}) {
		t.Errorf("%+v", got)
	}
	if got := (Limits{Connections: 10}).orDefault(); got != (Limits{10, 10, 10, 64}) {
		t.Errorf("strangers are no more than all: %+v", got)
	}
}

// TestWhoComesAndWhoMakesRoom: connections are told by their numbers, addresses and people by a letter.
func TestWhoComesAndWhoMakesRoom(t *testing.T) {
	for _, c := range []struct {
		name   string
		limits Limits
		script string // step → outcome, steps apart by commas
		end    string // all, strangers, closed
	}{
		{"of one address the oldest makes room, not the oldest of all", Limits{Connections: 9, Strangers: 9, PerAddress: 2},
			"come b → in, come a → in, come a → in, come a → in for 1, come b → in, come b → in for 0", "4 4 2"},
		{"of strangers the oldest makes room", Limits{Connections: 9, Strangers: 3, PerAddress: 2},
			"come a → in, come b → in, come c → in, come d → in for 0", "3 3 1"},
		{"who is known is no stranger", Limits{Connections: 9, Strangers: 2, PerAddress: 2},
			"come a → in, known 0 A → yes, come a → in, come a → in, come a → in for 1", "3 2 1"},
		{"a stranger makes room where there are too many of all", Limits{Connections: 3, Strangers: 3, PerAddress: 3},
			"come a → in, known 0 A → yes, come b → in, known 1 B → yes, come c → in, come d → in for 2", "3 1 1"},
		{"where all are known the next has no room", Limits{Connections: 2, Strangers: 2, PerAddress: 2},
			"come a → in, known 0 A → yes, come b → in, known 1 B → yes, come c → no, leave 0 → ok, come c → in", "2 1 1"},
		{"one has half of what the others leave", Limits{Connections: 6, Strangers: 6, PerAddress: 6},
			"come a → in, come a → in, come a → in, come a → in, known 0 A → yes, known 1 A → yes, known 2 A → no, known 2 B → yes, known 3 B → no",
			"4 1 2"},
		{"and one at least", Limits{Connections: 2, Strangers: 2, PerAddress: 2},
			"come a → in, known 0 A → yes, come a → in, known 1 A → no, known 1 B → yes", "2 0 1"},
		{"who is known already counts once", Limits{Connections: 4, Strangers: 4, PerAddress: 4},
			"come a → in, known 0 A → yes, known 0 A → yes, known 0 A → yes, come a → in, known 1 A → no, leave 0 → ok, known 1 A → yes", "1 0 1"},
		{"one connection may become another's", Limits{Connections: 4, Strangers: 4, PerAddress: 4},
			"come a → in, known 0 A → yes, known 0 B → yes, come a → in, known 1 A → yes, leave 0 → ok, leave 0 → ok, leave 1 → ok", "0 0 0"},
		{"who has left is let go on to its end", Limits{Connections: 2, Strangers: 2, PerAddress: 2},
			"come a → in, leave 0 → ok, known 0 A → yes", "0 0 0"},
	} {
		g := New(c.limits)
		var conns []*conn
		for step := range strings.SplitSeq(c.script, ", ") {
			do, want, _ := strings.Cut(step, " → ")
			if got := g.step(do, &conns); got != want {
				t.Errorf("%s: %s → %s, want %s", c.name, do, got, want)
			}
		}
		all, strangers := g.Open()
		if got := fmt.Sprint(all, strangers, g.Closed()); got != c.end {
			t.Errorf("%s: in the end %s, want %s", c.name, got, c.end)
		}
		for _, one := range conns {
			_ = one.Close()
		}
		if len(g.mu.known) != 0 || g.mu.all != 0 {
			t.Errorf("%s: when all have left there are %d, of %v", c.name, g.mu.all, g.mu.known)
		}
	}
}

func (g *Gate) step(do string, conns *[]*conn) string {
	words := strings.Fields(do)
	switch words[0] {
	case "come":
		inner, _ := net.Pipe()
		one := &conn{Conn: inner, of: g, address: netip.AddrFrom4([4]byte{192, 0, 2, words[1][0]})}
		out, fits := g.admit(one)
		if !fits {
			return "no"
		}
		*conns = append(*conns, one)
		for i, c := range *conns {
			if c == out {
				return fmt.Sprint("in for ", i)
			}
		}
		return "in"
	case "known":
		return map[bool]string{true: "yes", false: "no"}[g.known((*conns)[words[1][0]-'0'], words[2])]
	}
	_ = (*conns)[words[1][0]-'0'].Close()
	return "ok"
}

func TestAddressesThatWereQuietNeedNotBeCounted(t *testing.T) {
	g, now := New(Limits{}), time.Now()
	g.now = func() time.Time { return now }
	address := func(n int) netip.Addr { return netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}) }
	for i := range maxFresh {
		g.opens(address(i))
	}
	now = now.Add(freshSeconds * time.Second)
	if g.opens(address(maxFresh)); len(g.mu.fresh) != maxFresh+1 {
		t.Errorf("%d are counted", len(g.mu.fresh))
	}
	now = now.Add(time.Millisecond)
	if g.opens(address(maxFresh + 1)); len(g.mu.fresh) != 2 {
		t.Errorf("%d are counted a moment later", len(g.mu.fresh))
	}
}

func TestHowAnAddressCounts(t *testing.T) {
	for at, want := range map[string]string{"192.0.2.1:80": "192.0.2.1", "[::ffff:192.0.2.1]:80": "192.0.2.1",
		"[2001:db8:1:2:3:4:5:6]:80": "2001:db8:1:2::", "[fe80::1%eth0]:80": "fe80::", "@": "invalid IP"} {
		if got := addressOf(at).String(); got != want {
			t.Errorf("%s counts as %s, want %s", at, got, want)
		}
	}
}

func TestWhereThereIsNoGateEverybodyIsKnown(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	web := Server(context.Background(), http.HandlerFunc(greet), slog.New(slog.DiscardHandler))
	ended := make(chan error, 1)
	go func() { ended <- web.Serve(l) }()
	d := door{address: l.Addr().String()}
	for range 3 {
		if got := status(d.dial(t, "GET / HTTP/1.1\r\nHost: h\r\nAuthorization: me\r\n\r\n")); got != http.StatusOK {
			t.Error(got)
		}
	}
	_ = web.Close()
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		t.Error(err)
	}
}

func TestAConnectionEndsOneSideFirst(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer inner.Close()
	client := door{address: inner.Addr().String()}.dial(t, "")
	server, err := New(Limits{}).Listen(inner).Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	if err := server.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
	if _, err := io.WriteString(client, "x"); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Read(make([]byte, 1)); err != nil {
		t.Error(err)
	}
}
