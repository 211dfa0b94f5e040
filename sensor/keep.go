package sensor

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/breakwater-sec/breakwater/event/runtime"
)

// chunk is lines on their way to where records go.
type chunk struct {
	bytes.Buffer
	encoder *json.Encoder
	events  uint64            // lines that are not about losses
	told    map[string]uint64 // losses that the other lines tell
}

// chunkSize is when a chunk is written although more records wait.
const chunkSize = 256 << 10

func newChunk() *chunk {
	c := &chunk{told: map[string]uint64{}}
	c.encoder = json.NewEncoder(&c.Buffer)
	c.encoder.SetEscapeHTML(false)
	return c
}

func (c *chunk) clear() {
	c.Reset()
	c.events = 0
	clear(c.told)
}

// keep numbers a record and has it written. A record that is not kept takes its
// number with it: its absence shows.
func (s *Sensor) keep(r *runtime.Record) error {
	s.number++
	r.Version, r.Node, r.Boot, r.Sequence = runtime.RecordVersion, s.config.Node, s.config.Boot, s.number
	event := r.Kind != runtime.Lost
	if event && s.buffer != nil && s.buffer.full(s.chunk.Len()) {
		s.lost[BufferFull]++
		return nil
	}
	if err := s.chunk.encoder.Encode(r); err != nil {
		return fmt.Errorf("write a record as JSON: %w", err)
	}
	if event {
		s.chunk.events++
	}
	if s.chunk.Len() >= chunkSize {
		return s.flush()
	}
	return nil
}

// flush writes the chunk. The buffer's failure is a loss that is counted; that of
// the standard output is the end.
func (s *Sensor) flush() error {
	c := s.chunk
	defer c.clear()
	if s.config.Stdout != nil && c.Len() > 0 {
		if _, err := s.config.Stdout.Write(c.Bytes()); err != nil {
			return fmt.Errorf("write to the standard output: %w", err)
		}
		s.printed += c.events
	}
	if s.buffer == nil {
		s.haveTold(c.told)
		return nil
	}
	if err := s.buffer.write(c.Bytes(), c.events); err != nil {
		s.lost[DiskFailed] += c.events
		s.config.Log.Warn("cannot write to the buffer", "error", err, "records", c.events)
		return nil
	}
	s.haveTold(c.told)
	return nil
}

// tellEvery is the time between two Lost records of one reason while the buffer
// is full: they are written beyond its bounds.
const tellEvery = time.Minute

// tell adds a record for each reason that lost something since it was last told.
func (s *Sensor) tell() error {
	if s.buffer != nil && s.buffer.full(0) && time.Since(s.toldAt) < tellEvery {
		return nil
	}
	n, err := s.counts()
	if err != nil {
		return err
	}
	s.toldAt = time.Now()
	for why, lost := range n.lost {
		if lost == s.told[why] {
			continue
		}
		r := &runtime.Record{Kind: runtime.Lost, Time: time.Now().UTC(), Lost: lost - s.told[why], Why: why}
		if err := s.keep(r); err != nil {
			return err
		}
		s.chunk.told[why] = lost
	}
	return s.flush()
}

func (s *Sensor) haveTold(told map[string]uint64) {
	for why, lost := range told {
		s.told[why] = lost
	}
}
