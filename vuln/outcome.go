package vuln

import (
	"errors"
	"time"
)

// outcome is what became of one record, row or file of a source: it is filed, it is
// left out for a reason, or the store failed. What files one returns an outcome, and
// count alone counts, so that nothing can be dropped without a word.
type outcome struct {
	record *osvRecord
	said   statements
	row    rowKind
	added  time.Time // of a row of CISA's catalogue, of a statement
	why    error
	stop   bool
}

type rowKind int

const (
	noRow rowKind = iota
	kevRow
	epssRow
	vexRow
)

// filed is the outcome of an OSV record.
func filed(r *osvRecord, said statements) outcome { return outcome{record: r, said: said} }

// catalogued is the outcome of an entry of CISA's catalogue.
func catalogued(added time.Time) outcome { return outcome{row: kevRow, added: added} }

// estimated is the outcome of a row of EPSS.
func estimated() outcome { return outcome{row: epssRow} }

// declared is the outcome of a statement of VEX.
func declared(at time.Time) outcome { return outcome{row: vexRow, added: at} }

// leftOut is the outcome of what cannot be used.
func leftOut(why error) outcome { return outcome{why: why} }

// failed is the outcome of what could be used and not be kept: it ends the source.
func failed(why error) outcome { return outcome{why: stop(why), stop: true} }

// count counts one outcome; an error ends the source.
func (in *intake) count(at string, o outcome) error {
	if o.stop {
		return o.why
	}
	in.status.count(at, o)
	return nil
}

var errUnsaid = errors.New("its reader did not say what became of it")

func (s *SourceStatus) count(at string, o outcome) {
	s.Read++
	switch {
	case o.record != nil:
		s.note(o.record, o.said)
	case o.row == kevRow:
		s.KEV++
		s.Newest = later(s.Newest, o.added)
	case o.row == epssRow:
		s.EPSS++
	case o.row == vexRow:
		s.VEX++
		s.Newest = later(s.Newest, o.added)
	default:
		if o.why == nil {
			o.why = errUnsaid
		}
		s.SkippedCount++
		if len(s.Skipped) < maxSkips {
			s.Skipped = append(s.Skipped, Skip{at, o.why.Error()})
		}
	}
}
