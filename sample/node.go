package sample

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/breakwater-sec/breakwater/event/runtime"
	harborshop "github.com/breakwater-sec/breakwater/examples/harbor-shop"
	"github.com/breakwater-sec/breakwater/ingest"
	"github.com/breakwater-sec/breakwater/sensor"
)

// nodeStory replays what a real sensor said of real containers, through the endpoint that sensors send to,
// and tells what it was found to say. Nothing is watched on this machine.
func (v *tour) nodeStory(ctx context.Context, out io.Writer) error {
	fmt.Fprintln(out, "From a node's sensor (recorded from real containers; --sensor watches this machine instead):")
	err := v.played(ctx, ingest.Runtime, func(c harborshop.Cluster) []byte { return c.Runtime }, v.sendRecords)
	if err != nil {
		return fmt.Errorf("send what the sample's sensor recorded: %w", err)
	}
	return v.tell(ctx, out, ingest.Runtime, time.Time{})
}

// sendRecords lets a sensor send what another one recorded: it numbers, keeps and sends records, and says goodbye.
func (v *tour) sendRecords(ctx context.Context, cluster string, lines []byte) (err error) {
	r := &recording{read: make(chan struct{})}
	if r.records, err = recordsAt(lines, time.Now()); err != nil {
		return err
	}
	node := r.records[0].Node
	link, err := v.link(ctx, cluster, node)
	if err != nil {
		return err
	}
	buffer, err := os.MkdirTemp(string(v.Data), "recording-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(buffer)
	const notHere = "a recording is replayed: no sensor runs on this node"
	s, err := sensor.New(sensor.Config{Node: node, Boot: "recording", Build: "recorded", Kernel: "recorded", Link: link, Leave: true,
		Probes: []runtime.Probe{{Name: "exec", State: "off", Why: notHere}, {Name: "exit", State: "off", Why: notHere}},
		Buffer: buffer, BufferSize: 4 << 20, Log: slog.New(slog.DiscardHandler)}, r)
	if err != nil {
		return err
	}
	ctx, done := context.WithCancel(ctx)
	defer done()
	go func() {
		select {
		case <-r.read:
			done()
		case <-ctx.Done():
		}
	}()
	return errors.Join(s.Run(ctx), s.Close())
}

func (v *tour) link(ctx context.Context, cluster, node string) (*sensor.Link, error) {
	ca, token, err := v.join(ctx, cluster, ingest.Runtime)
	if err != nil {
		return nil, err
	}
	server, err := url.Parse(v.eventsURL())
	if err != nil {
		return nil, err
	}
	trust := x509.NewCertPool()
	trust.AppendCertsFromPEM(ca)
	return sensor.NewLink(server, trust, sensor.Identity{Node: node, Dir: filepath.Join(string(v.Data), "recording", node),
		Token: func() (string, error) { return token, nil }})
}

// recordsAt are recorded lines as if the last one had just happened.
func recordsAt(lines []byte, now time.Time) (out []runtime.Record, err error) {
	for line := range bytes.Lines(lines) {
		var r runtime.Record
		if err := json.Unmarshal(line, &r); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	if len(out) == 0 {
		return nil, errors.New("nothing was recorded")
	}
	since := now.Sub(out[len(out)-1].Time)
	for i := range out {
		out[i].Time = out[i].Time.Add(since)
		out[i].Process.StartedAt = out[i].Process.StartedAt.Add(since)
		for k := range out[i].Ancestors {
			out[i].Ancestors[k].StartedAt = out[i].Ancestors[k].StartedAt.Add(since)
		}
	}
	return out, nil
}

// recording is a probe that saw what was recorded, and nothing else.
type recording struct {
	records []runtime.Record
	read    chan struct{} // closed once they were handed on
}

func (r *recording) Read(each func(*runtime.Record)) error {
	if r.ended() {
		time.Sleep(time.Millisecond) // as a probe waits a moment for more
		return nil
	}
	for i := range r.records {
		each(&r.records[i])
	}
	close(r.read)
	return nil
}

func (r *recording) Counts() (made, waiting uint64, lost map[string]uint64, err error) {
	made = uint64(len(r.records))
	if !r.ended() {
		waiting = made
	}
	return made, waiting, nil, nil
}

func (r *recording) Stop() error { return nil }

func (r *recording) ended() bool {
	select {
	case <-r.read:
		return true
	default:
		return false
	}
}
