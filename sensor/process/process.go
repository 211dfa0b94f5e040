// Package process sees programs start and processes end, on the kernel's own
// tracepoints: program.bpf.c says what is read there, and all of it is read in
// the kernel, so that a process of a millisecond is told like any other.
//
// The package knows no server and no Kubernetes: it names containers by the id
// that stands in their control group. It does not see what a program does after
// it started, nor a fork that runs no program of its own; and a process that may
// write to the node's groups can leave the one that tells its container.
package process

import (
	_ "embed"
	"errors"
	"fmt"
	"time"

	"github.com/breakwater-sec/breakwater/event/runtime"
)

//go:generate ./build.sh

// object is program.bpf.c, compiled by build.sh: one for all kernels and for
// every little-endian processor.
//
//go:embed program.bpf.o
var object []byte

// Reasons why records are lost between the kernel and its reader.
const (
	RingFull  = "ring buffer full"    // the sensor reads more slowly than things happen
	TableFull = "process table full"  // the end of a process will not be told
	Busy      = "kernel program busy" // it was to run while it ran
	Unclear   = "not understood"      // bytes that are not those of program.bpf.c
)

// Counts are what the kernel counted since the probe was opened.
type Counts struct {
	Made uint64 // records, lost ones too
	Read uint64 // by us
	Lost map[string]uint64
}

const (
	// wait is how long a record may lie in the ring while there are few of them:
	// to be woken by each would cost more than all else.
	wait = 100 * time.Millisecond
	// most is how many records one Read hands on before its caller gets a turn.
	most = 512
)

// errDone ends the reading of what is in the ring.
var errDone = errors.New("nothing more in the ring")

// Read waits up to a moment for records and hands on those there are. A record
// belongs to the func it is given to.
func (p *Probe) Read(each func(*runtime.Record)) error {
	p.clock.tick()
	for range most {
		raw, err := p.next()
		if errors.Is(err, errDone) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the ring buffer: %w", err)
		}
		p.read++
		e, err := decode(raw)
		if err != nil {
			p.unclear++
			continue
		}
		each(p.record(e))
	}
	return nil
}
