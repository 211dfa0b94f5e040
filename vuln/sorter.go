package vuln

import (
	"bufio"
	"bytes"
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// sorter sorts more pairs than fit in memory: full buffers are sorted and
// spilled to files in dir, and merged at the end.
type sorter struct {
	dir    string
	budget int
	held   []pair
	size   int
	runs   []string
}

// sortBudget is how many bytes of pairs are held in memory during an import.
const sortBudget = 48 << 20

func (s *sorter) add(key string, value []byte) error {
	s.held = append(s.held, pair{key, value})
	if s.size += len(key) + len(value) + 64; s.size < s.budget {
		return nil
	}
	return s.spill()
}

func (s *sorter) spill() error {
	sortPairs(s.held)
	name := filepath.Join(s.dir, fmt.Sprintf("run-%d", len(s.runs)))
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	s.runs = append(s.runs, name)
	w := bufio.NewWriterSize(f, 256<<10)
	var scratch []byte
	for _, p := range s.held {
		scratch = appendPair(scratch[:0], p.key, p.value)
		if _, err := w.Write(scratch); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	s.held, s.size = nil, 0
	return errors.Join(w.Flush(), f.Close())
}

// merge calls emit with every pair in order; equal pairs once.
func (s *sorter) merge(emit func(key string, value []byte) error) error {
	sortPairs(s.held)
	streams := &streamHeap{}
	if len(s.held) > 0 {
		streams.list = append(streams.list, &stream{rest: s.held[1:], pair: s.held[0]})
	}
	for _, name := range s.runs {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		st := &stream{run: bufio.NewReaderSize(f, 64<<10)}
		if more, err := st.next(); err != nil {
			return err
		} else if more {
			streams.list = append(streams.list, st)
		}
	}
	heap.Init(streams)
	return streams.drain(emit)
}

func (h *streamHeap) drain(emit func(key string, value []byte) error) error {
	var last *pair
	for len(h.list) > 0 {
		head := h.list[0]
		if p := head.pair; last == nil || p.key != last.key || !bytes.Equal(p.value, last.value) {
			if err := emit(p.key, p.value); err != nil {
				return err
			}
			last = &p
		}
		more, err := head.next()
		switch {
		case err != nil:
			return err
		case more:
			heap.Fix(h, 0)
		default:
			heap.Pop(h)
		}
	}
	return nil
}

// stream is one sorted sequence: a spilled run, or what is still in memory.
type stream struct {
	run  *bufio.Reader
	rest []pair
	pair pair
}

func (s *stream) next() (bool, error) {
	if s.run == nil {
		if len(s.rest) == 0 {
			return false, nil
		}
		s.pair, s.rest = s.rest[0], s.rest[1:]
		return true, nil
	}
	key, err := readBytes(s.run)
	if errors.Is(err, io.EOF) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	value, err := readBytes(s.run)
	s.pair = pair{string(key), value}
	return err == nil, err
}

func readBytes(r *bufio.Reader) ([]byte, error) {
	n, err := binary.ReadUvarint(r)
	if err != nil {
		return nil, err
	}
	data := make([]byte, n)
	if _, err := io.ReadFull(r, data); err != nil {
		return nil, errors.Join(errTorn, err)
	}
	return data, nil
}

type streamHeap struct{ list []*stream }

func (h *streamHeap) Len() int { return len(h.list) }
func (h *streamHeap) Less(i, j int) bool {
	a, b := h.list[i].pair, h.list[j].pair
	if order := strings.Compare(a.key, b.key); order != 0 {
		return order < 0
	}
	return bytes.Compare(a.value, b.value) < 0
}
func (h *streamHeap) Swap(i, j int) { h.list[i], h.list[j] = h.list[j], h.list[i] }
func (h *streamHeap) Push(x any)    { h.list = append(h.list, x.(*stream)) }
func (h *streamHeap) Pop() any {
	last := h.list[len(h.list)-1]
	h.list = h.list[:len(h.list)-1]
	return last
}
