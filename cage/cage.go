// Package cage does work with bytes of strangers in a child process of the same program,
// which has little: so much memory, processor time and time, a few open files, no files of
// this machine but those that are named, no other programs, no new rights. What the work
// needs and what it answers go over two pipes. A child that goes past a limit ends; who
// waits for its answer is told why.
//
// It knows nothing of images. Memory, processor time and files are limited where the
// system is Linux; Landlock and seccomp hold where its kernel has them. Held says what is
// in force, so that nobody takes a cage for closer than it is.
package cage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Limits is what one piece of work may take.
type Limits struct {
	// Memory is how much data the child may have, the program's own included.
	Memory int64
	// CPU is processor time, Wall the time on the clock.
	CPU, Wall time.Duration
	// Files is how many files and connections are open at once.
	Files int
	// Read are files and folders that may be read, beside those that every program needs
	// to reach a host: certificates, names of hosts, and where names are asked for.
	Read []string
}

// Ended says that a child ended without an answer, and why.
type Ended struct{ Why string }

func (e *Ended) Error() string { return "the reader was ended: " + e.Why }

// Held is what of a cage is in force.
type Held struct {
	Memory   int64         `json:"memory,omitempty"`
	CPU      time.Duration `json:"cpu,omitempty"`
	Files    int           `json:"files,omitempty"`
	Landlock int           `json:"landlock,omitempty"` // the version, 0 where the kernel has none
	Seccomp  bool          `json:"seccomp,omitempty"`
}

// String tells what holds and what does not.
func (h Held) String() string {
	var holds, missing []string
	say := func(is bool, what string, detail string) {
		if is {
			holds = append(holds, what+detail)
		} else {
			missing = append(missing, what)
		}
	}
	say(h.Memory > 0, "memory", fmt.Sprintf(" %d MiB", h.Memory>>20))
	say(h.CPU > 0, "processor time", " "+h.CPU.String())
	say(h.Files > 0, "open files", fmt.Sprint(" ", h.Files))
	say(h.Landlock > 0, "Landlock", fmt.Sprint(" version ", h.Landlock))
	say(h.Seccomp, "seccomp", "")
	out := strings.Join(holds, ", ")
	if len(missing) > 0 {
		out = strings.TrimPrefix(out+"; not held here: "+strings.Join(missing, ", "), "; ")
	}
	return out
}

// Whole says that nothing is missing.
func (h Held) Whole() bool {
	return h.Memory > 0 && h.CPU > 0 && h.Files > 0 && h.Landlock > 0 && h.Seccomp
}

// environment is what a child is told of its surroundings; everything else, and so every
// secret in it, stays outside. How the internet is reached is said there.
var environment = []string{"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "ALL_PROXY",
	"SSL_CERT_FILE", "SSL_CERT_DIR", "GODEBUG", "GOCOVERDIR", "TZ"}

// collects is when a child looks for garbage: its heap is small and its life short, so it would do little else. What it may
// have in all is bounded the same: near that it looks more often.
const collects = "GOGC=400"

// maxSaid bounds what is kept of what a child says while it ends.
const maxSaid = 16 << 10

// Run starts this program again with one argument, in a cage, and talks to it: in and out
// are the ends of its standard input and output. When talk returns the child is ended.
// An error of talk that comes of the child's end is Ended.
func Run(ctx context.Context, argument string, l Limits, talk func(in io.Writer, out io.Reader) error) error {
	c, err := start(argument, l)
	if err != nil {
		return fmt.Errorf("start a reader: %w", err)
	}
	return c.run(ctx, talk)
}

// Probe says what holds a child of this program here.
func Probe(ctx context.Context, argument string, l Limits) (held Held, err error) {
	c, err := start(argument, l)
	if err != nil {
		return held, fmt.Errorf("start a reader: %w", err)
	}
	err = c.run(ctx, func(io.Writer, io.Reader) error { held = c.held; return nil })
	return held, err
}

// run is all that a child is for.
func (c *child) run(ctx context.Context, talk func(in io.Writer, out io.Reader) error) error {
	if wall := c.limits.Wall; wall > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, wall, &Ended{fmt.Sprintf("it took longer than %s", wall)})
		defer cancel()
	}
	defer func() { _, _ = c.in.Close(), c.out.Close() }() // what a child said before it ended is read to the end
	stop := context.AfterFunc(ctx, c.kill)
	defer stop()
	err := c.entered()
	if err == nil {
		err = talk(c.in, c.out)
	}
	if err == nil || !endOfPipe(err) {
		c.kill() // nothing more is wanted of it
		<-c.ended
		return errors.Join(err, context.Cause(ctx))
	}
	select { // a pipe ends when the process does, or is about to
	case <-c.ended:
	case <-time.After(5 * time.Second):
		c.kill()
		<-c.ended
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return &Ended{c.why()}
}

// endOfPipe says that who was talked to is gone.
func endOfPipe(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.EPIPE) || errors.Is(err, os.ErrClosed)
}

// child is a process in a cage.
type child struct {
	limits  Limits
	in, out *os.File // the ends of its pipes that are ours
	held    Held     // once it has entered
	within  bool     // it has
	said    head     // what it says while it ends
	process *os.Process
	state   *os.ProcessState
	grown   atomic.Bool   // past its memory
	ended   chan struct{} // closed when all of the above is known
}

// start makes pipes and the process.
func start(argument string, l Limits) (*child, error) {
	var ends [3][2]*os.File // standard input, output and errors, each to read and to write
	for i := range ends {
		r, w, err := os.Pipe()
		if err != nil {
			return nil, errors.Join(err, closeAll(ends[:i]))
		}
		ends[i] = [2]*os.File{r, w}
	}
	cmd := exec.Command(self(), argument)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = ends[0][0], ends[1][1], ends[2][1]
	cmd.Env = []string{fmt.Sprintf("GOMEMLIMIT=%d", l.Memory*3/4), collects, "GOTRACEBACK=single"}
	for _, name := range environment {
		if value, is := os.LookupEnv(name); is {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	c := &child{limits: l, in: ends[0][1], out: ends[1][0], ended: make(chan struct{})}
	started := make(chan error)
	go c.live(cmd, ends[2][0], started)
	if err := <-started; err != nil {
		return nil, errors.Join(err, closeAll(ends[:]))
	}
	return c, errors.Join(ends[0][0].Close(), ends[1][1].Close(), ends[2][1].Close()) // they are the child's now
}

// live is the child's life. It is one thread's, as is what Linux holds a child by: the
// rules of Landlock that it inherits, and the signal that it gets when its parent ends.
func (c *child) live(cmd *exec.Cmd, said *os.File, started chan<- error) {
	runtime.LockOSThread() // and never unlocked: the thread ends with the child, confined as it is
	if err := confine(cmd, c.limits); err != nil {
		started <- err
		return
	}
	if err := cmd.Start(); err != nil {
		started <- err
		return
	}
	c.process = cmd.Process
	started <- nil
	listened := make(chan struct{})
	go func() { defer close(listened); _, _ = io.Copy(&c.said, said); _ = said.Close() }()
	watching, stop := context.WithCancel(context.Background())
	go c.watch(watching, c.limits.Memory)
	_ = cmd.Wait() // what it says is in the state
	stop()
	<-listened
	c.state = cmd.ProcessState
	close(c.ended)
}

// kill ends the child.
func (c *child) kill() { _ = c.process.Kill() } // it may have ended

// watch ends a child that has more memory than it may, where the system did not.
func (c *child) watch(ctx context.Context, most int64) {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for most > 0 {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if resident(c.process.Pid) > most {
			c.grown.Store(true)
			c.kill()
			return
		}
	}
}

// why is the reason that an ended child gives.
func (c *child) why() string {
	l, said := c.limits, c.said.String()
	switch used := c.state.UserTime() + c.state.SystemTime(); {
	case c.grown.Load(), strings.Contains(said, "out of memory"), strings.Contains(said, "cannot allocate memory"):
		return fmt.Sprintf("it wanted more than %d MiB of memory", l.Memory>>20)
	case l.CPU > 0 && used >= l.CPU-time.Second:
		return fmt.Sprintf("it wanted more than %s of processor time", l.CPU)
	case strings.Contains(said, "panic:") || strings.Contains(said, "fatal error:"):
		return "it crashed: " + firstOf(said)
	}
	return c.state.String()
}

// firstOf is the line in which Go says why a program crashed.
func firstOf(said string) string {
	for line := range strings.Lines(said) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "panic:") || strings.HasPrefix(line, "fatal error:") {
			return line[:min(len(line), 200)]
		}
	}
	return "nobody knows why"
}

// head keeps the beginning of what is written to it; the rest is read and forgotten.
type head struct {
	mu   sync.Mutex
	kept []byte
}

func (t *head) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, p[:min(len(p), maxSaid-len(t.kept))]...)
	return len(p), nil
}

func (t *head) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.kept)
}

func closeAll(ends [][2]*os.File) (err error) {
	for _, e := range ends {
		err = errors.Join(err, e[0].Close(), e[1].Close())
	}
	return err
}
