package vuln

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"
)

// revision tells the revisions of one record apart, which may be in one source: the
// last modified counts, and the last that was read of those modified at one time.
type revision struct {
	// Text stands for what the revision says; copies say the same.
	Text uint32 `json:"t,omitempty"`
	// Number is its place in the source.
	Number int `json:"n,omitempty"`
}

func revisionOf(data []byte, number int) revision {
	var text bytes.Buffer
	if json.Compact(&text, data) != nil {
		return revision{Number: number}
	}
	return revision{uint32(xxhash.Sum64(text.Bytes())), number}
}

// overrules says that the record counts and the other, which was read before it or
// is of the same source, does not.
func (r *record) overrules(other *record, sameSource bool) bool {
	order := r.Modified.Compare(other.Modified)
	if order == 0 && sameSource {
		return r.Number > other.Number
	}
	return order >= 0
}

// revised says that there are revisions in a source that do not count.
func (db *DB) revised(source int) bool {
	return source < len(db.status.Sources) && db.status.Sources[source].Superseded > 0
}

// revisionChooser passes on what is put into a table; of the revisions of a record the one
// that counts.
type revisionChooser struct {
	status *SourceStatus
	emit   func(key string, value []byte) error
	key    string
	held   [][]byte
}

func (c *revisionChooser) add(key string, value []byte) error {
	if key != c.key {
		if err := c.flush(); err != nil {
			return err
		}
		c.key = key
	}
	if !strings.HasPrefix(key, "r") {
		return c.emit(key, value)
	}
	c.held = append(c.held, value)
	return nil
}

func (c *revisionChooser) flush() error {
	if len(c.held) == 0 {
		return nil
	}
	value, err := c.status.chooseRevision(c.held)
	c.held = nil
	if err != nil {
		return err
	}
	return c.emit(c.key, value)
}

func (m memory) chooseRevisions(status *SourceStatus) error {
	for key, values := range m {
		if strings.HasPrefix(key, "r") {
			value, err := status.chooseRevision(values)
			if err != nil {
				return err
			}
			m[key] = [][]byte{value}
		}
	}
	return nil
}

// chooseRevision gives the revision of a record that counts, and counts the others.
func (s *SourceStatus) chooseRevision(values [][]byte) ([]byte, error) {
	if len(values) == 1 {
		return values[0], nil
	}
	all, best := make([]record, len(values)), 0
	for i, value := range values {
		if err := json.Unmarshal(value, &all[i]); err != nil {
			return nil, err
		}
		if all[i].overrules(&all[best], true) {
			best = i
		}
	}
	tied := false
	for i := range all {
		if all[i].Text == all[best].Text {
			continue // a copy
		}
		s.Superseded++
		if all[i].Withdrawn {
			s.Withdrawn--
		} else {
			s.Records--
		}
		tied = tied || all[i].Modified.Equal(all[best].Modified)
	}
	if tied {
		s.tie(all[best].ID)
	}
	return values[best], nil
}

// maxTied is how many records are named of which nobody knows the newest revision.
const maxTied = 5

func (s *SourceStatus) tie(id string) {
	s.Tied++
	if len(s.TiedIDs) < maxTied {
		s.TiedIDs = append(s.TiedIDs, id)
		slices.Sort(s.TiedIDs)
	}
}
