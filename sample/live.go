package sample

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/datadir"
	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/ingest"
	"github.com/breakwater-sec/breakwater/terminal"
)

// liveStory runs the real sensor on this machine, which plays the node of the
// sample's privileged pod, and tells what it saw: a process in that pod's
// container, and a privileged container that no kubelet started. Both processes
// are real; the containers are their control groups and namespaces, no images.
// Where this machine does not allow that, it says so.
func (v *tour) liveStory(ctx context.Context, out io.Writer) error {
	fmt.Fprintln(out, "From the sensor on this machine (it plays a node of the sample):")
	place, err := v.samplePlace(ctx)
	if err != nil {
		return err
	}
	if v.sensor, err = v.startSensor(ctx, place); err != nil {
		fmt.Fprintf(out, "   not here: %s\n\n", terminal.Plain(err.Error()))
		return ctx.Err()
	}
	began := time.Now()
	for _, group := range []string{"kubepods/burstable/pod" + place.pod + "/" + place.container, randomID()} {
		if err := runInContainer(ctx, group, "cat /etc/hostname >/dev/null; id >/dev/null"); err != nil {
			fmt.Fprintf(out, "   not here: %s\n\n", terminal.Plain(err.Error()))
			return nil
		}
	}
	return v.tellSeen(ctx, out, began, 2)
}

// place is where in the sample the machine's processes belong.
type place struct{ cluster, node, pod, container string }

// samplePlace finds a privileged container of the sample that has an id.
func (v *tour) samplePlace(ctx context.Context) (p place, err error) {
	for _, c := range v.Estate.Clusters {
		_, err := v.Live.Facts(ctx, c.Name, func(f *collect.Facts) {
			for _, pod := range f.Pods {
				for i, shape := range pod.Shape.Containers {
					if p.container == "" && shape.Privileged && i < len(pod.ContainerIDs) && pod.Owner.Kind == "ReplicaSet" {
						p = place{c.Name, pod.Node, pod.UID, pod.ContainerIDs[i]}
					}
				}
			}
		})
		if err != nil || p.container != "" {
			return p, err
		}
	}
	return p, errors.New("the sample has no privileged container")
}

func randomID() string {
	b := make([]byte, 32)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// runningSensor is a sensor that we started.
type runningSensor struct {
	cmd   *exec.Cmd
	said  spoken
	done  chan struct{} // closed when it has ended
	ended error         // why; read it when done is closed
}

// startSensor starts breakwater-sensor, which lies beside this binary, with a
// token of its own, and waits until it watches.
func (v *tour) startSensor(ctx context.Context, at place) (*runningSensor, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	bin := filepath.Join(filepath.Dir(self), "breakwater-sensor")
	if _, err := os.Stat(bin); err != nil {
		return nil, fmt.Errorf("no sensor lies beside this program (make build): %w", err)
	}
	if err := exec.CommandContext(ctx, bin, "--check").Run(); err != nil {
		said, _ := exec.CommandContext(ctx, bin, "--check").CombinedOutput()
		return nil, fmt.Errorf("the sensor cannot watch this machine: %s", firstNo(string(said), err))
	}
	dir := filepath.Join(string(v.Data), "sensor")
	if err := v.enrol(ctx, at.cluster, dir); err != nil {
		return nil, err
	}
	s := &runningSensor{done: make(chan struct{})}
	s.cmd = exec.Command(bin, "--server", v.eventsURL(), "--ca", filepath.Join(dir, "ca.crt"), "--token-file",
		filepath.Join(dir, "token"), "--node", at.node, "--buffer", filepath.Join(dir, "buffer"), "--leave")
	s.cmd.Stderr, s.cmd.SysProcAttr = &s.said, dieWithParent()
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { s.ended = s.cmd.Wait(); close(s.done) }()
	return s, s.watches(ctx)
}

// enrol writes what a sensor of the cluster needs.
func (v *tour) enrol(ctx context.Context, cluster, dir string) error {
	ca, token, err := v.join(ctx, cluster, ingest.Runtime)
	if err != nil {
		return err
	}
	return datadir.WriteFiles(dir, map[string][]byte{"ca.crt": ca, "token": []byte(token)})
}

// watches waits until the sensor says that it does.
func (s *runningSensor) watches(ctx context.Context) error {
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		select {
		case <-s.done:
			return fmt.Errorf("the sensor ended (%w): %s", s.ended, s.said.String())
		case <-ctx.Done():
			return ctx.Err()
		default:
		}
		if strings.Contains(s.said.String(), "msg=watches") {
			return nil
		}
	}
	return fmt.Errorf("the sensor does not begin: %s", s.said.String())
}

// spoken is what a process says, for many goroutines, up to a bound.
type spoken struct {
	mu   sync.Mutex
	text []byte
}

func (s *spoken) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text = append(s.text, b[:min(len(b), max(0, 16<<10-len(s.text)))]...)
	return len(b), nil
}

func (s *spoken) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.text)
}

// firstNo is the first thing that does not work, of what --check said.
func firstNo(said string, err error) string {
	for line := range strings.Lines(said) {
		if what, no := strings.CutPrefix(strings.TrimSpace(line), "no   "); no {
			return what
		}
	}
	return err.Error()
}

// stop asks the sensor to end, and waits: it sends what it has.
func (s *runningSensor) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	select {
	case <-s.done:
	case <-time.After(5 * time.Second):
		_ = s.cmd.Process.Kill()
	}
}

// tellSeen waits for alerts that were seen since then, and tells them.
func (v *tour) tellSeen(ctx context.Context, out io.Writer, since time.Time, want int) error {
	var seen []detect.Alert
	for end := time.Now().Add(30 * time.Second); len(seen) < want && time.Now().Before(end) &&
		ctx.Err() == nil; time.Sleep(100 * time.Millisecond) {
		var err error
		if seen, err = v.alerts(ctx, ingest.Runtime, since); err != nil {
			return err
		}
	}
	if len(seen) < want {
		fmt.Fprintf(out, "   %d of %d alerts came; the sensor says: %s\n", len(seen), want, terminal.Plain(v.sensor.said.String()))
	}
	return v.tell(ctx, out, ingest.Runtime, since)
}
