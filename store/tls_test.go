package store

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// thief listens where a database should, takes whatever is said for good, and asks for the password itself.
func thief(t *testing.T) (address string, heard func() string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	said := make(chan string, 100)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); said <- asksForPassword(c) }()
		}
	}()
	return l.Addr().String(), func() string {
		select {
		case s := <-said:
			return s
		case <-time.After(time.Minute):
			return ""
		}
	}
}

// asksForPassword is what a client says after the head of a connection, to one that has no TLS.
func asksForPassword(c net.Conn) string {
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	for {
		var head [8]byte // length, and a protocol or what is asked for instead
		if _, err := io.ReadFull(c, head[:]); err != nil {
			return ""
		}
		rest := make([]byte, max(0, min(binary.BigEndian.Uint32(head[:4]), 4096)-8))
		if _, err := io.ReadFull(c, rest); err != nil {
			return ""
		}
		if binary.BigEndian.Uint32(head[4:]) != 80877103 { // SSLRequest
			break
		}
		if _, err := c.Write([]byte("N")); err != nil {
			return ""
		}
	}
	if _, err := c.Write([]byte{'R', 0, 0, 0, 8, 0, 0, 0, 3}); err != nil { // AuthenticationCleartextPassword
		return ""
	}
	var b bytes.Buffer
	_, _ = io.CopyN(&b, c, 4096) // until it hangs up
	return b.String()
}

// Another account of the machine took the database's port, or somebody stands on the way to it.
func TestNobodyIsToldThePasswordWhoDoesNotShowToBeTheDatabase(t *testing.T) {
	for _, more := range []string{"", "?sslmode=prefer", "?sslmode=allow", "?sslmode=disable"} {
		at, heard := thief(t)
		s, err := Open(t.Context(), "postgres://breakwater:secret1@"+at+"/db"+more)
		if err == nil {
			s.Close()
			t.Fatalf("%q: a store is opened at a thief's", more)
		}
		if strings.Contains(err.Error(), "secret1") || !strings.Contains(err.Error(), "wants the password itself") {
			t.Errorf("%q: %v", more, err)
		}
		if said := heard(); strings.Contains(said, "secret1") {
			t.Errorf("%q: the thief hears the password", more)
		}
	}
}

func TestADatabaseElsewhereIsSpokenToWithTLSUnlessSomebodySaysOtherwise(t *testing.T) {
	for _, name := range []string{"PGSSLMODE", "PGHOST", "PGSERVICE", "PGREQUIREAUTH"} {
		t.Setenv(name, "")
	}
	for _, c := range []struct {
		dsn              string
		full, plain, own bool // TLS with a checked name; also without TLS; may the server ask for the password
	}{
		{"postgres://u:p@db.example/d", true, false, true},
		{"postgres://u:p@192.0.2.7/d", true, false, true},
		{"postgres://u:p@localhost,db.example/d", true, false, true}, // one of them is enough
		{"postgres://u:p@db.example/d?sslmode=require", false, false, false},
		{"postgres://u:p@db.example/d?sslmode=prefer", false, true, false},
		{"postgres://u:p@db.example/d?sslmode=disable", false, true, false},
		{"postgres://u:p@db.example/d?sslmode=disable&require_auth=password", false, true, true},
		{"postgres://u:p@127.0.0.1/d", false, true, false},
		{"postgres://u:p@[::1]/d", false, true, false},
		{"postgres:///d?host=/run/postgresql&user=u", false, true, false},
	} {
		config, _, err := readDSN(c.dsn)
		if err != nil {
			t.Errorf("%s: %v", c.dsn, err)
			continue
		}
		full, plain := true, false
		for _, w := range ways(config) {
			full = full && w.TLSConfig != nil && w.TLSConfig.ServerName == w.Host && !w.TLSConfig.InsecureSkipVerify
			plain = plain || w.TLSConfig == nil
		}
		own := config.RequireAuth != "!password"
		if full != c.full || plain != c.plain || own != c.own {
			t.Errorf("%s: a checked name %v, without TLS %v, the password itself %v", c.dsn, full, plain, own)
		}
	}
	t.Setenv("PGSSLMODE", "disable")
	if config, _, err := readDSN("postgres://u:p@db.example/d"); err != nil || config.TLSConfig != nil {
		t.Errorf("what the environment says does not hold: %v", err)
	}
}
