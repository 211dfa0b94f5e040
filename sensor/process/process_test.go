package process

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/event/runtime"
	"github.com/breakwater-sec/breakwater/test/container"
)

// sightOf is all that a real probe in the running kernel says.
type sightOf struct {
	probe *Probe
	mu    sync.Mutex
	all   []runtime.Record
}

// watch opens a probe until the test ends.
func watch(t testing.TB) *sightOf {
	t.Helper()
	p, err := Open()
	container.Need(t, err)
	s := &sightOf{probe: p}
	done := make(chan struct{})
	var g sync.WaitGroup
	g.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			if err := p.Read(s.add); err != nil {
				t.Error(err)
				return
			}
		}
	})
	t.Cleanup(func() {
		close(done)
		g.Wait()
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *sightOf) add(r *runtime.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, *r)
}

// find waits for records that a func likes.
func (s *sightOf) find(t testing.TB, what string, like func(runtime.Record) bool) []runtime.Record {
	t.Helper()
	for end := time.Now().Add(5 * time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if found := s.now(like); len(found) > 0 {
			return found
		}
	}
	t.Fatalf("never seen: %s", what)
	return nil
}

func (s *sightOf) now(like func(runtime.Record) bool) (out []runtime.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.all {
		if like(r) {
			out = append(out, r)
		}
	}
	return out
}

// with finds the start of a program by its last argument.
func (s *sightOf) with(t testing.TB, mark string) runtime.Record {
	t.Helper()
	return s.find(t, "a program with the argument "+mark, func(r runtime.Record) bool {
		a := arguments(r)
		return len(a) > 0 && a[len(a)-1] == mark
	})[0]
}

func arguments(r runtime.Record) []string {
	if r.Kind != runtime.Exec {
		return nil
	}
	return r.Process.Arguments
}

// endOf finds the ends of the process that a record is about.
func (s *sightOf) endOf(t testing.TB, of runtime.Record) []runtime.Record {
	t.Helper()
	return s.find(t, "the end of "+of.Process.Name, func(r runtime.Record) bool {
		return r.Kind == runtime.Exit && r.Process.PID == of.Process.PID && r.Process.StartedAt.Equal(of.Process.StartedAt)
	})
}

const (
	podUID1 = "0f0e0d0c-0b0a-4908-8706-050403020100"
	podPath = "/kubepods/burstable/pod" + podUID1 + "/"
)

// newID is a container's id that no other test has.
func newID(t testing.TB) string {
	return fmt.Sprintf("%016x%016x%032x", time.Now().UnixNano(), os.Getpid(), len(t.Name()))
}

func TestAnOrdinaryContainersProcessIsToldWithContainerPodAndPrivileges(t *testing.T) {
	s := watch(t)
	id := newID(t)
	code, out := container.Run(
		t,
		container.Spec{ID: "ordinary", Cgroup: podPath + id, UID: 1000, Args: []string{"/bin/sh", "-c", "/bin/id -u " + id[:8] + "; exit 3"}},
	)
	if code != 3 {
		t.Fatalf("exit %d: %s", code, out)
	}
	r := s.with(t, id[:8])
	if c := r.Container; c == nil || c.ID != id || !c.Kubernetes || c.PodUID != podUID1 || "/"+c.Cgroup != podPath+id {
		t.Errorf("container %+v", c)
	}
	p := r.Process
	if p.Path != "/bin/id" || p.Name != "id" || p.UID != 1000 || p.GID != 1000 || len(p.Capabilities) > 0 || p.All {
		t.Errorf("process %+v", p)
	}
	if p.InnerPID == p.PID || p.InnerPID == 0 {
		t.Errorf("pid %d, inside %d", p.PID, p.InnerPID)
	}
	if !slices.Equal(p.HostNamespaces, []string{"user", "cgroup"}) {
		t.Errorf("shares %v with the host", p.HostNamespaces)
	}
	a := r.Ancestors
	if len(a) < 3 || a[0].Name != "sh" || a[0].Container != id || a[1].Name != "runc" || a[1].Container != "" ||
		a[2].PID != uint32(os.Getpid()) {
		t.Errorf("ancestors %+v", a)
	}
	first := s.find(t, "the container's first process", func(r runtime.Record) bool {
		return r.Kind == runtime.Exec && r.Process.InnerPID == 1 && r.Container != nil && r.Container.ID == id
	})[0]
	if end := s.endOf(t, first)[0]; end.Exit.Code != 3 || end.Exit.Signal != 0 || end.Container == nil || end.Container.ID != id {
		t.Errorf("end %+v %+v", end.Exit, end.Container)
	}
}

func TestAPrivilegedContainersProcessIsToldSo(t *testing.T) {
	s := watch(t)
	id := newID(t)
	all, _ := s.probe.names.capabilities.of(ownCapabilities(t))
	code, out := container.Run(
		t,
		container.Spec{
			ID:           "privileged",
			Cgroup:       podPath + id,
			Args:         []string{"/bin/echo", id[:8]},
			Capabilities: all,
			Shared:       []string{"pid", "network"},
		},
	)
	if code != 0 {
		t.Fatalf("exit %d: %s", code, out)
	}
	p := s.with(t, id[:8]).Process
	if !slices.Equal(p.Capabilities, all) || !slices.Contains(all, "CAP_SYS_ADMIN") {
		t.Errorf("capabilities %v, want %v", p.Capabilities, all)
	}
	if !slices.Equal(p.HostNamespaces, []string{"pid", "net", "user", "cgroup"}) {
		t.Errorf("shares %v with the host", p.HostNamespaces)
	}
}

func ownCapabilities(t testing.TB) (set uint64) {
	t.Helper()
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(b), "CapEff:")
	if _, err := fmt.Sscanf(after, "%x", &set); err != nil {
		t.Fatal(err)
	}
	return set
}

func TestAContainerOutsideKubernetesIsOne(t *testing.T) {
	s := watch(t)
	id := newID(t)
	if code, out := container.Run(t, container.Spec{ID: "plain", Cgroup: "/docker/" + id, Args: []string{"/bin/echo", id[:8]}}); code != 0 {
		t.Fatalf("exit %d: %s", code, out)
	}
	if c := s.with(t, id[:8]).Container; c == nil || c.ID != id || c.Kubernetes || c.PodUID != "" {
		t.Errorf("container %+v", c)
	}
}

func TestAContainerIsNotHiddenByGroupsBelowItsOwn(t *testing.T) {
	s := watch(t)
	id := newID(t)
	deeper := strings.Repeat("/"+strings.Repeat("e", 64), 20)
	if code, out := container.Run(t, container.Spec{ID: "deeper", Cgroup: podPath + id + deeper,
		Args: []string{"/bin/echo", id[:8]}}); code != 0 {
		t.Fatalf("exit %d: %s", code, out)
	}
	if c := s.with(t, id[:8]).Container; c == nil || c.ID != id || c.PodUID != podUID1 {
		t.Errorf("container %+v", c)
	}
}

func TestAGroupDeeperThanTheKernelIsAskedIsNotTakenForTheNodes(t *testing.T) {
	s := watch(t)
	id := newID(t)
	if code, out := container.Run(t, container.Spec{ID: "deepest", Cgroup: podPath + id + strings.Repeat("/e", 300),
		Args: []string{"/bin/echo", id[:8]}}); code != 0 {
		t.Fatalf("exit %d: %s", code, out)
	}
	if c := s.with(t, id[:8]).Container; c == nil || c.ID != "" || !strings.HasPrefix(c.Cgroup, "…/") {
		t.Errorf("container %+v", c)
	}
}

func TestAProgramThatDidNotComeWithTheImageIsToldSo(t *testing.T) {
	s := watch(t)
	id := newID(t)
	script := "/bin/echo old" + id[:8] + "; mkdir /bin/new; /bin/cp /bin/busybox /bin/new/echo; /bin/new/echo new" + id[:8]
	if code, out := container.Run(t, container.Spec{ID: "layered", Cgroup: podPath + id, Layered: true,
		Args: []string{"/bin/sh", "-c", script}}); code != 0 {
		t.Fatalf("exit %d: %s", code, out)
	}
	if p := s.with(t, "old"+id[:8]).Process; p.Added || p.Unlinked {
		t.Errorf("the image's own program: %+v", p)
	}
	if p := s.with(t, "new"+id[:8]).Process; !p.Added || p.Unlinked {
		t.Errorf("an added program: %+v", p)
	}
}

func TestTheNodesOwnProcessHasNoContainerAndSharesEverything(t *testing.T) {
	s := watch(t)
	mark := newID(t)[:20]
	if err := exec.Command("/bin/echo", mark).Run(); err != nil {
		t.Fatal(err)
	}
	r := s.with(t, mark)
	if r.Container != nil || r.Process.PID != r.Process.InnerPID {
		t.Errorf("record %+v %+v", r.Container, r.Process)
	}
	if !slices.Equal(r.Process.HostNamespaces, namespaceNames[:]) {
		t.Errorf("shares %v", r.Process.HostNamespaces)
	}
	if d := time.Since(r.Time); d < 0 || d > time.Minute || r.Process.StartedAt.After(r.Time) {
		t.Errorf("at %s, started %s, now %s", r.Time, r.Process.StartedAt, time.Now())
	}
	if len(r.Ancestors) < 1 || r.Ancestors[0].PID != uint32(os.Getpid()) {
		t.Errorf("ancestors %+v", r.Ancestors)
	}
}

// The running kernel has hierarchies of version 1: where those say nothing, that
// of version 2 must.
func TestWhereVersion1SaysNothingTheUnifiedGroupTells(t *testing.T) {
	s := watch(t)
	id := newID(t)
	base := "/sys/fs/cgroup/unified"
	if _, err := os.Stat(base + "/cgroup.procs"); err != nil {
		base = "/sys/fs/cgroup"
	}
	if _, err := os.Stat(base + "/cgroup.procs"); err != nil {
		container.Need(t, err)
	}
	group := base + "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" + strings.ReplaceAll(
		podUID1,
		"-",
		"_",
	) + ".slice/cri-containerd-" + id + ".scope"
	if err := os.MkdirAll(group, 0o755); err != nil {
		container.Need(t, err)
	}
	t.Cleanup(func() {
		for p := group; p != base; p = p[:strings.LastIndex(p, "/")] {
			_ = os.Remove(p)
		}
	})
	script := fmt.Sprintf(
		"for f in %s/cgroup.procs /sys/fs/cgroup/memory/cgroup.procs /sys/fs/cgroup/pids/cgroup.procs; "+
			"do [ ! -e $f ] || echo $$ > $f; done; exec /bin/echo %s",
		group,
		id[:20],
	)
	if out, err := exec.Command("/bin/sh", "-c", script).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if c := s.with(t, id[:20]).Container; c == nil || c.ID != id || !c.Kubernetes || c.PodUID != podUID1 {
		t.Errorf("container %+v", c)
	}
}

func TestTheFirstProcessesNamespacesAreThoseThatProcShows(t *testing.T) {
	s := watch(t)
	if comm, err := os.ReadFile("/proc/2/comm"); err != nil || string(comm) != "kthreadd\n" {
		t.Skip("the first process of our own namespace is not the node's")
	}
	dir := "/proc/1/ns/"
	if _, err := os.Readlink(dir + "pid"); err != nil {
		dir = "/proc/self/ns/" // even root may not look at the first process; we are on the node ourselves
	}
	for i, name := range namespaceNames {
		link, err := os.Readlink(dir + name)
		container.Need(t, err)
		if want := fmt.Sprintf("%s:[%d]", name, s.probe.names.first[i]); link != want {
			t.Errorf("%s is %s, the kernel program says %s", name, link, want)
		}
	}
}
