package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/ringbuf"
	"golang.org/x/sys/unix"
)

// Probe is the programs in the kernel and their ring buffer.
type Probe struct {
	objects objects
	links   []link.Link
	ring    *ringbuf.Reader
	sample  ringbuf.Record
	clock   clock
	names   naming

	read, unclear uint64
}

type objects struct {
	Started  *ebpf.Program `ebpf:"started"`
	Ended    *ebpf.Program `ebpf:"ended"`
	First    *ebpf.Program `ebpf:"first"`
	Ring     *ebpf.Map     `ebpf:"ring"`
	Counters *ebpf.Map     `ebpf:"counters"`
	Firsts   *ebpf.Map     `ebpf:"firsts"`
}

// Open loads the programs and lets them run. It needs CAP_BPF and CAP_PERFMON, a
// kernel of 5.10 or later, and its type information (/sys/kernel/btf/vmlinux).
func Open() (_ *Probe, err error) {
	p := &Probe{}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Close())
		}
	}()
	spec, err := ebpf.LoadCollectionSpecFromReader(bytes.NewReader(object))
	if err != nil {
		return p, fmt.Errorf("read the embedded programs: %w", err)
	}
	if err := spec.LoadAndAssign(&p.objects, nil); err != nil {
		return p, fmt.Errorf("load programs into the kernel: %w", err)
	}
	debug.FreeOSMemory() // the kernel's type information was much, and is needed no more
	if p.names.first, err = p.firstProcess(); err != nil {
		return p, err
	}
	p.names.capabilities = newCapabilities(lastCapability())
	if p.ring, err = ringbuf.NewReader(p.objects.Ring); err != nil {
		return p, fmt.Errorf("open the ring buffer: %w", err)
	}
	p.ring.SetDeadline(time.Now().Add(wait))
	p.clock.tick()
	return p, p.attach()
}

func (p *Probe) attach() error {
	for name, program := range map[string]*ebpf.Program{"sched_process_exec": p.objects.Started, "sched_process_exit": p.objects.Ended} {
		l, err := link.AttachRawTracepoint(link.RawTracepointOptions{Name: name, Program: program})
		if err != nil {
			return fmt.Errorf("attach to the tracepoint %s: %w", name, err)
		}
		p.links = append(p.links, l)
	}
	return nil
}

// firstProcess asks the kernel for the namespaces of the node's first process:
// /proc would show the first of our own namespace.
func (p *Probe) firstProcess() (namespaces, error) {
	if _, err := p.objects.First.Run(&ebpf.RunOptions{}); err != nil {
		return namespaces{}, fmt.Errorf("run a program in the kernel: %w", err)
	}
	var f struct {
		Found      uint32
		Namespaces namespaces
	}
	if err := p.objects.Firsts.Lookup(uint32(0), &f); err != nil {
		return namespaces{}, fmt.Errorf("read the first process's namespaces: %w", err)
	}
	if f.Found == 0 {
		return namespaces{}, errors.New("the node's first process is none of our ancestors")
	}
	return f.Namespaces, nil
}

// next is the bytes of one event, valid until it is called again.
func (p *Probe) next() ([]byte, error) {
	err := p.ring.ReadInto(&p.sample)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		p.ring.SetDeadline(time.Now().Add(wait))
		return nil, errDone
	}
	return p.sample.RawSample, err
}

// Counts reads the kernel's counters. Made is read first, so that a record that
// comes meanwhile is not missed in it.
func (p *Probe) Counts() (Counts, error) {
	var sums [3]uint64
	for i := range sums {
		var each []uint64
		if err := p.objects.Counters.Lookup(uint32(i), &each); err != nil {
			return Counts{}, fmt.Errorf("read the kernel's counters: %w", err)
		}
		for _, n := range each {
			sums[i] += n
		}
	}
	var busy uint64
	for _, program := range []*ebpf.Program{p.objects.Started, p.objects.Ended} {
		if s, err := program.Stats(); err == nil { // kernels before 5.12 do not count
			busy += s.RecursionMisses
		}
	}
	return Counts{Made: sums[0] + sums[2] + busy, Read: p.read,
		Lost: map[string]uint64{RingFull: sums[1], TableFull: sums[2], Busy: busy, Unclear: p.unclear}}, nil
}

// Close takes the programs out of the kernel.
func (p *Probe) Close() error {
	var errs []error
	for _, l := range p.links {
		errs = append(errs, l.Close())
	}
	if p.ring != nil {
		errs = append(errs, p.ring.Close())
	}
	o := p.objects
	for _, program := range []*ebpf.Program{o.Started, o.Ended, o.First} {
		errs = append(errs, program.Close())
	}
	for _, m := range []*ebpf.Map{o.Ring, o.Counters, o.Firsts} {
		errs = append(errs, m.Close())
	}
	return errors.Join(errs...)
}

// sinceBoot is the kernel's time since its start, sleep included.
func sinceBoot() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &t); err != nil {
		panic(err) // every kernel that loads the programs has it
	}
	return time.Duration(t.Nano())
}
