package cage

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// waiting gives the child that waits, once there is one.
func (a *Ahead) waiting(t *testing.T) *child {
	t.Helper()
	for end := time.Now().Add(5 * time.Minute); time.Now().Before(end); time.Sleep(time.Millisecond) {
		a.mu.Lock()
		c := a.mu.child
		a.mu.Unlock()
		if c != nil {
			return c
		}
	}
	t.Fatal("no child waits")
	return nil
}

// asks has one piece of work done.
func (a *Ahead) asks(t *testing.T, work string, answer any) error {
	t.Helper()
	return a.Run(t.Context(), wants(work, answer))
}

func ahead(t *testing.T) *Ahead {
	t.Helper()
	a := NewAhead(worker, small)
	a.waits = time.Hour
	t.Cleanup(a.End)
	return a
}

func TestAChildThatWaitedDoesOnePieceOfWorkAndTheNextIsAnother(t *testing.T) {
	a := ahead(t)
	var done []int
	for range 3 {
		want := 0
		if len(done) > 0 {
			want = a.waiting(t).process.Pid
		}
		var pid int
		if err := a.asks(t, "pid", &pid); err != nil {
			t.Fatal(err)
		}
		if slices.Contains(done, pid) || want != 0 && pid != want {
			t.Errorf("%d did the work, want %d, which waited; before it %v did", pid, want, done)
		}
		done = append(done, pid)
	}
}

func TestAChildIsInItsCageBeforeItWaits(t *testing.T) {
	held := onLinux(t)
	a := ahead(t)
	a.next()
	if c := a.waiting(t); c.held != held || c.held.Files != small.Files {
		t.Errorf("it waits with %s, want %s", c.held, held)
	}
	if !offered() {
		t.Skipf("the kernel has not all that it takes: %s", held)
	}
	var could []string
	if err := a.asks(t, "reach "+filepath.Join(t.TempDir(), "none"), &could); err != nil || strings.Join(could, ", ") != "find hosts" {
		t.Errorf("it could %q (%v), want that it finds hosts alone", could, err)
	}
}

func TestAChildThatEndedWhileItWaitedIsNotAsked(t *testing.T) {
	a := ahead(t)
	a.next()
	c := a.waiting(t)
	c.kill()
	<-c.ended
	var pid int
	if err := a.asks(t, "pid", &pid); err != nil || pid == c.process.Pid {
		t.Errorf("%d, %v", pid, err)
	}
}

func TestAChildDoesNotWaitForEver(t *testing.T) {
	a := ahead(t)
	a.next()
	c := a.waiting(t)
	a.mu.Lock()
	a.mu.leaves.Reset(0)
	a.mu.Unlock()
	<-c.ended
	var pid int
	if err := a.asks(t, "pid", &pid); err != nil || pid == c.process.Pid {
		t.Errorf("%d, %v", pid, err)
	}
}

func TestNoChildWaitsAfterTheEnd(t *testing.T) {
	a := ahead(t)
	a.next()
	c := a.waiting(t)
	a.End()
	select {
	case <-c.ended:
	default:
		t.Error("it waits still")
	}
	a = ahead(t)
	a.next() // it has not started when the end comes
	a.End()
	if a.next(); a.mu.child != nil || a.mu.started {
		t.Error("another is started after the end")
	}
	var pid int
	if err := a.asks(t, "pid", &pid); err != nil || pid == 0 {
		t.Errorf("work after the end: %d, %v", pid, err)
	}
}
