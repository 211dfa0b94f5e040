package sensor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// buffer is a folder of files that hold lines, oldest first. One goroutine
// writes to the last one; another takes the first away.
type buffer struct {
	dir   string
	limit int64
	lock  *os.File
	// Of an earlier run: lines found here, how many of these cannot be read, and
	// whether it did not come to its end.
	found, damaged uint64
	killed         bool

	ready  chan struct{} // there is a file to send
	gone   chan struct{} // a file was taken away
	active *segment      // belongs to the writer
	next   uint64        // number of the next file

	mu struct {
		sync.Mutex
		sealed []*segment
		bytes  int64
		holding
	}
}

// holding is what a buffer knows of records, in their number.
type holding struct{ events, sent, refused uint64 }

const (
	// segmentSize is when a file is full: one more chunk fits a request.
	segmentSize = 640 << 10
	// segmentAge is when a file is sent although it is not full.
	segmentAge = time.Second
)

// openBuffer opens a folder, makes it if need be, and looks at what an earlier
// run left in it.
func openBuffer(dir string, limit int64) (_ *buffer, err error) {
	if limit < 2*segmentSize {
		return nil, fmt.Errorf("open the buffer: %d bytes are too few, give it %d or more", limit, 2*segmentSize)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open the buffer: %w", err)
	}
	b := &buffer{dir: dir, limit: limit, ready: make(chan struct{}, 1), gone: make(chan struct{}, 1)}
	if b.lock, err = lock(filepath.Join(dir, "lock")); err != nil {
		return nil, fmt.Errorf("open the buffer: %w", err)
	}
	if err := errors.Join(b.readAll(), b.markRunning()); err != nil {
		return nil, errors.Join(fmt.Errorf("open the buffer: %w", err), b.lock.Close())
	}
	return b, nil
}

// readAll takes over the files of an earlier run.
func (b *buffer) readAll() error {
	b.removeHalves()
	files, err := filepath.Glob(filepath.Join(b.dir, "*"+suffix)) // in order: names are numbers of one length
	if err != nil {
		return err
	}
	for _, f := range files {
		s, damaged, err := readSegment(f)
		if err != nil {
			return err
		}
		b.damaged += damaged
		b.found += damaged
		b.next = max(b.next, s.number+1)
		if s.size == 0 {
			continue
		}
		b.found += s.events
		b.mu.events += s.events
		b.mu.bytes += s.size
		b.mu.sealed = append(b.mu.sealed, s)
	}
	signal(b.ready)
	return nil
}

// removeHalves removes what rewrite could not bring to its end.
func (b *buffer) removeHalves() {
	halves, _ := filepath.Glob(filepath.Join(b.dir, "*"+half)) // the pattern is well-formed
	for _, h := range halves {
		_ = os.Remove(h)
	}
}

// markRunning leaves a file that is there for as long as we run.
func (b *buffer) markRunning() error {
	f, err := os.OpenFile(b.mark(), os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		b.killed = true
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

func (b *buffer) mark() string { return filepath.Join(b.dir, "running") }

// end notes that this run came to its end.
func (b *buffer) end() error {
	if err := os.Remove(b.mark()); err != nil {
		return fmt.Errorf("leave the buffer: %w", err)
	}
	return nil
}

// close lets another sensor have the folder.
func (b *buffer) close() error {
	b.seal()
	return b.lock.Close()
}

// full says whether there is no room beside so many bytes.
func (b *buffer) full(beside int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.mu.bytes+int64(beside) >= b.limit
}

func (b *buffer) held() holding {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.mu.holding
}

// write appends lines to the last file, all of them or none, and seals it if it
// is full, or old and nothing else waits to be sent.
func (b *buffer) write(lines []byte, events uint64) error {
	if len(lines) > 0 {
		if err := b.append(lines, events); err != nil {
			return err
		}
	}
	a := b.active
	if a != nil && (a.size >= segmentSize || time.Since(a.born) >= segmentAge && b.idle()) {
		b.seal()
	}
	return nil
}

func (b *buffer) append(lines []byte, events uint64) error {
	if b.active == nil {
		s, err := newSegment(b.dir, b.next)
		if err != nil {
			return err
		}
		b.active = s
		b.next++
	}
	if err := b.active.append(lines); err != nil {
		if b.active.broken {
			b.seal()
		}
		return err
	}
	b.active.events += events
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mu.events += events
	b.mu.bytes += int64(len(lines))
	return nil
}

func (b *buffer) idle() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.mu.sealed) == 0
}

// seal lets the last file be sent.
func (b *buffer) seal() {
	s := b.active
	if s == nil {
		return
	}
	b.active = nil
	s.close()
	if s.size == 0 {
		s.remove()
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mu.sealed = append(b.mu.sealed, s)
	signal(b.ready)
}

// first is the file to send, nil if there is none.
func (b *buffer) first() *segment {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.mu.sealed) == 0 {
		return nil
	}
	return b.mu.sealed[0]
}

// remove takes the first file away: the server has it, or will never take it.
func (b *buffer) remove(s *segment, kept bool) {
	s.remove()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mu.sealed = b.mu.sealed[1:]
	b.mu.bytes -= s.size
	b.mu.events -= s.events
	if kept {
		b.mu.sent += s.events
	} else {
		b.mu.refused += s.events
	}
	signal(b.gone)
}

// drain waits until all is sent, but not for long.
func (b *buffer) drain(atMost time.Duration) {
	end := time.After(atMost)
	for !b.idle() {
		select {
		case <-b.gone:
		case <-end:
			return
		}
	}
}

// signal wakes who waits at a channel of one place.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
