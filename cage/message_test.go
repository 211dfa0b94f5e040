package cage

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"
)

func TestAMessageIsHeardAsItWasSaid(t *testing.T) {
	var b bytes.Buffer
	for _, body := range []string{"", "one", string(make([]byte, 100))} {
		if err := Send(&b, 'x', []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"", "one", string(make([]byte, 100))} {
		if m, err := Receive(&b, map[byte]int{'x': 100}); err != nil || m.Kind != 'x' || string(m.Body) != want {
			t.Errorf("%v, %v", m, err)
		}
	}
	if _, err := Receive(&b, nil); !errors.Is(err, io.EOF) {
		t.Errorf("after the last: %v", err)
	}
}

func TestWhatIsNotTakenIsRefusedBeforeItIsRead(t *testing.T) {
	said := func(kind byte, promised uint32, body string) io.Reader {
		return bytes.NewReader(append(binary.BigEndian.AppendUint32([]byte{kind}, promised), body...))
	}
	for name, r := range map[string]io.Reader{"a kind that nobody knows": said('y', 1, "a"), "more than is taken": said('x', 5, "abcde"),
		"far more than comes": said('x', 1<<32-1, "")} {
		if m, err := Receive(r, map[byte]int{'x': 4}); err == nil || len(m.Body) > 0 {
			t.Errorf("%s: %v, %v", name, m, err)
		}
	}
	if _, err := Receive(said('x', 4, "abc"), map[byte]int{'x': 4}); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("cut short: %v", err)
	}
}

func FuzzReceive(f *testing.F) {
	f.Add([]byte{'x', 0, 0, 0, 1, 'a'})
	f.Fuzz(func(t *testing.T, b []byte) {
		for r := bytes.NewReader(b); ; {
			m, err := Receive(r, map[byte]int{'x': 16, 'y': 0})
			if err != nil {
				return
			}
			if len(m.Body) > 16 {
				t.Fatalf("%d bytes", len(m.Body))
			}
		}
	})
}
