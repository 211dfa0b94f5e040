package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/image"
)

func TestProgressIsDrawnOverItself(t *testing.T) {
	var drawn strings.Builder
	p := &progress{to: &drawn, of: 3, started: time.Now()}
	p.begin("registry.example/a\x1b[2J:1")
	p.layer(image.Progress{Layer: 2, Of: 5, Bytes: 3 << 20})
	p.draw(p.started.Add(90 * time.Second))
	p.end()
	said := drawn.String()
	lines := strings.Split(said, "\r\x1b[K")
	for i, want := range []string{"", "[1 of 3] registry.example/a", "layer 2 of 5, the last read", "1m30s", ""} {
		if len(lines) != 5 || !strings.Contains(lines[i], want) || strings.Contains(said, "[2J:") && strings.Contains(said, "\x1b[2J") {
			t.Fatalf("%q, want %q in line %d of 5", lines, want, i)
		}
	}
	p.draw(p.started)
	if drawn.String() != said {
		t.Errorf("%q is drawn over an answer", strings.TrimPrefix(drawn.String(), said))
	}
}

func TestNothingIsDrawnIntoAPipe(t *testing.T) {
	var out strings.Builder
	p, stop := scanProgress(&out, 1)
	p.begin("a")
	p.layer(image.Progress{Layer: 1, Of: 1})
	p.end()
	if stop(); out.Len() > 0 {
		t.Errorf("%q", out.String())
	}
}
