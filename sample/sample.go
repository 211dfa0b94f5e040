// Package sample shows what Breakwater finds in the sample estate: it sends the estate's
// events to a running server and says in the terminal what came of them.
package sample

import (
	"context"
	"errors"
	"io"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/server"
)

// tour goes through what a server shows of the sample.
type tour struct {
	*server.Server
	asker  graph.Scope    // who looks
	sensor *runningSensor // nil if there is none
}

// Show writes what the asker sees that was found in the sample. What a node's sensor saw is a recording, unless live
// asks for the sensor itself: then programs of it run in this machine's kernel. What Show started ends with stop, which
// the caller calls once the server has ended: the sensor then sends what it still has.
func Show(ctx context.Context, s *server.Server, asker graph.Scope, live bool, out io.Writer) (stop func(), err error) {
	v := &tour{Server: s, asker: asker}
	nodes := v.nodeStory
	if live {
		nodes = v.liveStory
	}
	err = errors.Join(v.stories(ctx, out), v.auditStory(ctx, out), nodes(ctx, out))
	return func() {
		if v.sensor != nil {
			v.sensor.stop()
		}
	}, err
}
