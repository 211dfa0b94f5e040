package sensor

import "fmt"

// Reasons why a sensor loses records, beside those of its probe.
const (
	BufferFull = "buffer full"
	DiskFailed = "buffer not writable"
	Damaged    = "buffer damaged" // lines of an earlier run that cannot be read
	Refused    = "refused by the server"
	// Killed is told without a number: nobody counted.
	Killed = "earlier run ended without warning"
)

// counts are where all records are: seen = sent + waiting + lost.
type counts struct {
	seen, sent, waiting uint64
	lost                map[string]uint64
}

// counts asks everybody who has records. Call it between two chunks.
func (s *Sensor) counts() (counts, error) {
	made, waiting, lost, err := s.probe.Counts()
	if err != nil {
		return counts{}, fmt.Errorf("count records: %w", err)
	}
	c := counts{seen: made, sent: s.printed, waiting: waiting + s.chunk.events, lost: map[string]uint64{}}
	add(c.lost, lost)
	add(c.lost, s.lost)
	if s.buffer != nil {
		held := s.buffer.held()
		c.seen += s.buffer.found
		c.waiting += held.events
		c.sent = held.sent
		add(c.lost, map[string]uint64{Refused: held.refused})
	}
	return c, nil
}

func add(to, from map[string]uint64) {
	for why, n := range from {
		if n > 0 {
			to[why] += n
		}
	}
}
