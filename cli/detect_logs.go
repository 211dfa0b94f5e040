package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/breakwater-sec/breakwater/event"
	"github.com/breakwater-sec/breakwater/event/audit"
	"github.com/breakwater-sec/breakwater/event/runtime"
	"github.com/breakwater-sec/breakwater/terminal"
)

// maxComplaints is how many broken lines of a file are named one by one.
const maxComplaints = 10

// readAudit reads a Kubernetes audit log.
func (o *detectOptions) readAudit(s streams, file string, in io.Reader, each func([]event.Event)) error {
	if o.decoder == nil { // one for all files: what an object was may stand in an earlier one
		o.decoder = &audit.Decoder{Cluster: o.cluster, Proxies: o.prefixes, Provider: o.provider, Envelopes: true}
	}
	d, said := o.decoder, 0
	return d.Read(in, func(b *audit.Batch) error {
		o.lines += b.Count()
		o.rejected += len(b.Rejected) + b.Dropped
		o.blind += b.Blind
		o.events += len(b.Events) + b.Announced
		for _, r := range b.Rejected {
			if said++; said <= maxComplaints {
				fmt.Fprintf(s.err, "%s:%d: %s\n", terminal.Plain(file), r.Position, terminal.Plain(r.Why))
			}
		}
		each(b.Events)
		return nil
	})
}

// readRuntime reads what a sensor wrote.
func (o *detectOptions) readRuntime(s streams, file string, in io.Reader, each func([]event.Event)) error {
	d := runtime.Decoder{Cluster: o.cluster}
	said := 0
	lost := map[string]uint64{}
	err := d.Read(in, func(b *runtime.Batch) error {
		o.lines += b.Count()
		o.rejected += len(b.Rejected) + b.Dropped
		o.events += b.Count() - len(b.Rejected) - b.Dropped
		for _, r := range b.Rejected {
			if said++; said <= maxComplaints {
				fmt.Fprintf(s.err, "%s:%d: %s\n", terminal.Plain(file), r.Position, terminal.Plain(r.Why))
			}
		}
		for why, n := range b.Lost {
			lost[why] += n
		}
		for i := range b.Events {
			if len(b.Events[i].Fields["container.id"]) > 0 {
				o.unplaced++
			}
		}
		each(b.Events)
		return nil
	})
	for _, why := range slices.Sorted(maps.Keys(lost)) {
		o.gap(file, fmt.Sprintf("the sensor lost %d records: %s", lost[why], why), "Attacks in them are not seen.")
	}
	return err
}
