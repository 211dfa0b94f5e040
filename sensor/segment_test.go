package sensor

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/breakwater-sec/breakwater/test/container"
	"github.com/breakwater-sec/breakwater/test/endpoint"
)

func line(n int) string {
	return fmt.Sprintf(`{"version":1,"kind":"exec","node":"node-1","boot":"old","sequence":%d,"time":"2026-01-02T03:04:05Z"}`+"\n", n)
}

func TestAnEarlierRunsFilesAreSentFirstUnderTheirOwnNames(t *testing.T) {
	t.Parallel()
	p := endpoint.New(t)
	p.Start(t)
	g := newGate(t, p)
	c := configFor(t, g.link(t, p))
	leave(t, c.Buffer, 1, line(1)+line(2))
	leave(t, c.Buffer, 2, line(3))
	s := startSensor(t, c)
	s.tap.give(4)
	endpoint.Eventually(t, "all records", func() bool { return len(p.Received()) == 7 })
	s.stop()
	if len(g.names) < 3 || !slices.Equal(g.names[:3], []string{"node-1/old/1", "node-1/old/3", "node-1/b-1/1"}) {
		t.Errorf("names %q", g.names)
	}
	st := p.Status(t)
	endpoint.Adds(t, st)
	if st.Seen != 7 || st.Sent != 7 {
		t.Errorf("last status %+v", st)
	}
}

func TestATornLineIsALossAndNotAPoison(t *testing.T) {
	t.Parallel()
	p := endpoint.New(t)
	p.Start(t)
	c := configFor(t, linkOf(t, p))
	leave(t, c.Buffer, 7, line(1)+"\x00\x00\x00\n"+line(2)+line(3)[:40])
	leave(t, c.Buffer, 8, "garbage")
	leave(t, c.Buffer, 9, "")
	s := startSensor(t, c)
	endpoint.Eventually(t, "what is whole, and the loss", func() bool { _, _, lost := numbers(p.Received(), "b-1"); return lost == 3 })
	s.stop()
	if got, _, _ := numbers(p.Received(), "old"); !slices.Equal(got, upTo(2)) {
		t.Errorf("got %v", got)
	}
	st := p.Status(t)
	endpoint.Adds(t, st)
	if st.Lost[Damaged] != 3 {
		t.Errorf("last status %+v", st)
	}
	if left, _ := filepath.Glob(filepath.Join(c.Buffer, "*"+suffix)); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func leave(t *testing.T, dir string, number int, content string) {
	t.Helper()
	check(t, os.MkdirAll(dir, 0o700))
	check(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%020d%s", number, suffix)), []byte(content), 0o600))
}

func TestAFullDiskIsALossThatIsToldWhenThereIsRoomAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=1m", "none", dir).CombinedOutput(); err != nil {
		container.Need(t, fmt.Errorf("a small disk: %w: %s", err, out))
	}
	t.Cleanup(func() { check(t, exec.Command("umount", dir).Run()) })
	p := endpoint.New(t)
	p.Start(t)() // away
	c := configFor(t, linkOf(t, p))
	c.Buffer = dir
	s := startSensor(t, c)
	const flood = 20000
	s.tap.give(flood)
	endpoint.Eventually(t, "the flood to be over", func() bool { _, waiting, _, _ := s.tap.Counts(); return waiting == 0 })
	p.Start(t)
	endpoint.Eventually(t, "the loss to be told", func() bool { _, events, lost := numbers(p.Received(), "b-1"); return events+lost == flood })
	s.stop()
	st := p.Status(t)
	endpoint.Adds(t, st)
	if st.Lost[DiskFailed] == 0 || st.Sent == 0 {
		t.Errorf("last status %+v", st)
	}
}

func FuzzWholeLines(f *testing.F) {
	f.Add([]byte(line(1) + line(2)))
	f.Add([]byte(line(1)[:30]))
	f.Add([]byte("{}\n\n\x00\n[]\nnull\n{\"kind\":\"lost\",\"node\":\"a/b\",\"boot\":\"c\",\"sequence\":1}\n"))
	f.Fuzz(func(t *testing.T, all []byte) {
		whole, events, damaged := wholeLines(all)
		again, sameEvents, none := wholeLines(whole)
		if !bytes.Equal(again, whole) || sameEvents != events || none != 0 {
			t.Errorf("%q is not whole after all", whole)
		}
		if events+damaged > uint64(bytes.Count(all, []byte("\n"))+1) {
			t.Errorf("%d events and %d damaged lines in %q", events, damaged, all)
		}
	})
}
