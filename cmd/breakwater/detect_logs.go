package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/breakwater-sec/breakwater/event"
	"github.com/breakwater-sec/breakwater/event/audit"
)

// maxComplaints is how many broken lines of a file are named one by one.
const maxComplaints = 10

// readAudit reads a Kubernetes audit log.
func (o *detectOptions) readAudit(s streams, file string, in io.Reader, each func([]event.Event)) error {
	d := audit.Decoder{Cluster: o.cluster, Proxies: o.prefixes}
	said := 0
	return d.Read(in, func(b *audit.Batch) error {
		o.lines += b.Count()
		o.rejected += len(b.Rejected) + b.Dropped
		o.blind += b.Blind
		o.events += len(b.Events) + b.Announced
		for _, r := range b.Rejected {
			if said++; said <= maxComplaints {
				fmt.Fprintf(s.err, "%s:%d: %s\n", plain(file), r.Position, plain(r.Why))
			}
		}
		each(b.Events)
		return nil
	})
}

// readRuntime reads what a sensor wrote.
func (o *detectOptions) readRuntime(streams, string, io.Reader, func([]event.Event)) error {
	return errors.New("runtime events are not decoded by this build")
}
