package sensor

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/breakwater-sec/breakwater/event/runtime"
)

// segment is one file of the buffer, and one request.
type segment struct {
	path   string
	number uint64
	file   *os.File // nil when sealed
	born   time.Time
	size   int64 // of whole lines; a broken file may be longer
	events uint64
	broken bool
}

const (
	suffix = ".jsonl"
	half   = ".new" // after suffix
	// mostSegment is more than any file that we wrote.
	mostSegment = 2 << 20
)

func newSegment(dir string, number uint64) (*segment, error) {
	path := filepath.Join(dir, fmt.Sprintf("%020d%s", number, suffix))
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	return &segment{path: path, number: number, file: f, born: time.Now()}, nil
}

// append writes lines, or nothing of them.
func (s *segment) append(lines []byte) error {
	if _, err := s.file.WriteAt(lines, s.size); err != nil {
		if torn := s.file.Truncate(s.size); torn != nil {
			s.broken = true
			return errors.Join(err, torn)
		}
		return err
	}
	s.size += int64(len(lines))
	return nil
}

func (s *segment) close() {
	_ = s.file.Close() // its writes have answered
	s.file = nil
}

// remove is not to be waited for: a file that stays is sent again and is known
// by its name then.
func (s *segment) remove() { _ = os.Remove(s.path) }

// read gives the file's lines.
func (s *segment) read() ([]byte, error) {
	f, err := os.Open(s.path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := make([]byte, s.size)
	_, err = io.ReadFull(f, lines)
	return lines, err
}

// name is NODE/BOOT/SEQUENCE of the first line.
func name(lines []byte) string {
	first, _, _ := bytes.Cut(lines, []byte("\n"))
	r, _ := readLine(first) // was read before, or written by us
	return fmt.Sprintf("%s/%s/%d", r.Node, r.Boot, r.Sequence)
}

// readSegment reads a file that an earlier run left. If that run was killed the
// last line may be torn, and after power loss anything: then the file is
// rewritten with the lines that are whole.
func readSegment(path string) (s *segment, damaged uint64, err error) {
	number, err := strconv.ParseUint(strings.TrimSuffix(filepath.Base(path), suffix), 10, 64)
	if err != nil {
		return nil, 0, fmt.Errorf("%s is none of our files", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	all, err := io.ReadAll(io.LimitReader(f, mostSegment))
	if err != nil {
		return nil, 0, err
	}
	whole, events, damaged := wholeLines(all)
	s = &segment{path: path, number: number, size: int64(len(whole)), events: events}
	switch {
	case len(whole) == 0:
		s.remove()
	case len(whole) < len(all):
		err = rewrite(path, whole)
	}
	return s, damaged, err
}

// rewrite replaces a file at once.
func rewrite(path string, content []byte) error {
	if err := os.WriteFile(path+half, content, 0o600); err != nil {
		return err
	}
	return os.Rename(path+half, path)
}

// wholeLines leaves out what is no record, and counts.
func wholeLines(all []byte) (whole []byte, events, damaged uint64) {
	for line := range bytes.Lines(all) {
		r, err := readLine(line)
		if err != nil || line[len(line)-1] != '\n' {
			damaged++
			continue
		}
		whole = append(whole, line...)
		if r.Kind != runtime.Lost {
			events++
		}
	}
	return whole, events, damaged
}

// readLine reads what the buffer must know of a line.
func readLine(line []byte) (r struct {
	Kind       runtime.RecordKind
	Node, Boot string
	Sequence   uint64
}, err error) {
	if err := json.Unmarshal(line, &r); err != nil {
		return r, err
	}
	if r.Kind == "" || r.Node == "" || r.Boot == "" || r.Sequence == 0 || strings.Contains(r.Node+r.Boot, "/") {
		return r, errors.New("no record")
	}
	return r, nil
}
