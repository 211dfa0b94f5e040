package process

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/event/runtime"
	"github.com/breakwater-sec/breakwater/test/container"
)

func TestAContainerThatAPersonNamedIsOne(t *testing.T) {
	s := watch(t)
	mark := newID(t)[:20]
	code, out := container.Run(
		t,
		container.Spec{
			ID:         "named",
			Cgroup:     "/default/night-shift",
			Privileged: true,
			Args:       []string{"/bin/sh", "-c", "/bin/echo " + mark + "; true"},
		},
	)
	if code != 0 {
		t.Fatalf("exit %d: %s", code, out)
	}
	r := s.with(t, mark)
	if c := r.Container; c == nil || c.ID != "night-shift" || c.Cgroup != "default/night-shift" || c.Kubernetes {
		t.Fatalf("container %+v", c)
	}
	if a := r.Ancestors; len(a) < 2 || a[0].Name != "sh" || a[0].Container != "night-shift" || a[1].Name != "runc" || a[1].Container != "" {
		t.Errorf("ancestors %+v", a)
	}
	first := s.find(t, "its first process", func(r runtime.Record) bool {
		return r.Kind == runtime.Exec && r.Container != nil && r.Container.ID == "night-shift" && r.Process.InnerPID == 1 &&
			r.Process.Path == "/bin/sh"
	})[0]
	if len(first.Process.Capabilities) < 38 {
		t.Errorf("capabilities %v", first.Process.Capabilities)
	}
}

// unshared runs a command apart from the node and in the group of this process.
func unshared(t *testing.T, mark string, flags ...string) {
	t.Helper()
	args := append(flags, "/bin/sh", "-c", "/bin/echo "+mark+"; true")
	if out, err := exec.Command("unshare", args...).CombinedOutput(); err != nil {
		container.Need(t, err)
		t.Log(string(out))
	}
}

func TestWhatHasFilesAndProcessesOfItsOwnIsAContainerWhateverItsGroup(t *testing.T) {
	s := watch(t)
	mark := newID(t)[:20]
	unshared(t, mark, "--mount", "--pid", "--fork", "--mount-proc")
	r := s.with(t, mark)
	if c := r.Container; c == nil || !strings.HasPrefix(c.ID, "namespace-") {
		t.Fatalf("container %+v", c)
	}
	if a := r.Ancestors; len(a) < 3 || a[0].Name != "sh" || a[0].Container != r.Container.ID || a[1].Name != "unshare" ||
		a[2].Container != "" {
		t.Errorf("ancestors %+v", a)
	}
}

func TestAServiceWithFilesOfItsOwnIsNoContainer(t *testing.T) {
	s := watch(t)
	mark := newID(t)[:20]
	unshared(t, mark, "--mount") // as PrivateTmp and ip netns do
	if c := s.with(t, mark).Container; c != nil {
		t.Errorf("container %+v", c)
	}
	mark = newID(t)[:20]
	unshared(t, mark, "--pid", "--fork")
	if c := s.with(t, mark).Container; c != nil {
		t.Errorf("container %+v", c)
	}
}

func TestWhoseGroupItIs(t *testing.T) {
	for path, want := range map[string]string{
		"":                    "",
		"default/night-shift": "night-shift",
		"foo":                 "foo",
		"user.slice/user-0.slice/session-3.scope/foo": "foo",
		"system.slice/runc-foo.scope":                 "foo",
		"machine.slice/machine-web.scope":             "web",
		"system.slice/nginx.service":                  "",
		"system.slice/nginx.service/worker":           "",
		"user.slice/user-0.slice/session-3.scope":     "",
		"init.scope":                          "",
		"kubepods.slice":                      "",
		"default/unknown":                     "",
		"default/..":                          "",
		"default/a b":                         "",
		"default/" + strings.Repeat("a", 200): "",
	} {
		var names []string
		if path != "" {
			names = strings.Split(path, "/")
		}
		if got := ownGroup(names); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}
