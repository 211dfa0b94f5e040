package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sys/unix"

	"github.com/breakwater-sec/breakwater/event/runtime"
	"github.com/breakwater-sec/breakwater/sensor"
	"github.com/breakwater-sec/breakwater/sensor/process"
)

// watch runs the sensor until ctx ends.
func watch(ctx context.Context, s streams, c config, log *slog.Logger) (err error) {
	if c.server == "" && !c.stdout {
		return errors.New("nowhere to bring records: name the server with --server, or print them with --stdout")
	}
	sc, err := c.sensor(log)
	if err != nil {
		return err
	}
	if c.stdout {
		sc.Stdout = s.out
	}
	probe, err := process.Open()
	if err != nil {
		err = explain(err)
		return errors.Join(err, sayBlind(ctx, sc, err))
	}
	defer func() { err = errors.Join(err, probe.Close()) }()
	r, err := sensor.New(sc, probe)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	log.Info("watches", "node", sc.Node, "run", sc.Boot, "server", c.server)
	return r.Run(ctx)
}

// sensor is the configuration of a sensor that sees everything.
func (c *config) sensor(log *slog.Logger) (sensor.Config, error) {
	node, err := c.nodeName()
	if err != nil {
		return sensor.Config{}, err
	}
	boot, err := thisRun()
	if err != nil {
		return sensor.Config{}, err
	}
	link, err := c.link()
	return sensor.Config{Node: node, Boot: boot, Build: version(), Kernel: kernel(), Link: link, Buffer: c.buffer,
		BufferSize: int64(c.bufferSize), Leave: c.leave, Interval: c.interval, Probes: probes("on", ""), Log: log}, err
}

func probes(state, why string) []runtime.Probe {
	return []runtime.Probe{{Name: "exec", State: state, Why: why}, {Name: "exit", State: state, Why: why}}
}

// sayBlind tells the server that this node is not seen, and why.
func sayBlind(ctx context.Context, c sensor.Config, why error) error {
	if c.Link == nil {
		return nil
	}
	if err := sayOff(ctx, c, why.Error()); err != nil {
		return fmt.Errorf("tell the server so: %w", err)
	}
	return nil
}

// sayOff sends the status of a sensor that sees nothing and ends.
func sayOff(ctx context.Context, c sensor.Config, why string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return c.Link.Status(ctx, runtime.Status{Version: runtime.RecordVersion, Node: c.Node, Boot: c.Boot, Build: c.Build, Kernel: c.Kernel,
		Started: time.Now().UTC(), Interval: int(c.Interval / time.Second), Probes: probes("off", why), Lost: map[string]uint64{}, Ends: true})
}

// kernel is the running kernel's release.
func kernel() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return "unknown"
	}
	return unix.ByteSliceToString(u.Release[:])
}
