package runtime

import (
	"bytes"
	"encoding/json"

	"github.com/breakwater-sec/breakwater/redact"
)

// Clean is a record as it may lie on a disk until it is analysed: what is known of a record, without secrets. It decodes to
// what the whole record does. Of what is no record the reason stays.
func Clean(line []byte) []byte {
	r := &Record{}
	err := json.Unmarshal(line, r)
	if err != nil {
		r = &Record{Refused: redact.Text(err.Error())}
	}
	clean(r)
	var out bytes.Buffer
	into := json.NewEncoder(&out)
	into.SetEscapeHTML(false)
	if err := into.Encode(r); err != nil { // a time beyond what can be written, which no record may have
		return []byte("{}")
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}

// clean takes secrets out of a record: of what programs were started with, and of words that a sensor may choose.
func clean(r *Record) {
	if r.Process != nil {
		r.Process.clean()
	}
	for i := range r.Ancestors {
		r.Ancestors[i].clean()
	}
	r.Why = redact.Text(r.Why)
}

func (p *Process) clean() {
	p.Path = redact.Known(p.Path)
	p.Arguments = redact.Command(programOf(p).name, p.Arguments)
}
