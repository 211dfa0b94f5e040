// Package container runs real containers for tests, with runc and busybox, in
// control groups that the test names as a kubelet or another tool would.
package container

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Need skips the test for a reason, unless all tests of the sensor are required.
func Need(t testing.TB, err error) {
	t.Helper()
	switch {
	case err == nil:
	case os.Getenv("SENSOR_BPF") == "required":
		t.Fatalf("SENSOR_BPF=required, but %v", err)
	default:
		t.Skip(err)
	}
}

// Spec is a container to run.
type Spec struct {
	ID           string // its name for runc
	Cgroup       string // path from the root
	Args         []string
	Capabilities []string
	Privileged   bool // every capability there is
	UID          int
	// Shared are namespaces of the host: pid, network, ipc, uts, mount.
	Shared []string
	// Layered gives it a root filesystem of two layers, as images have.
	Layered bool
	// Program is a static program of the host that it has as /program.
	Program string
	Env     []string
	// ReadOnly and Memory (in bytes) hold it to what a manifest asks for.
	ReadOnly bool
	Memory   int64
}

// Run runs a container to its end and returns its exit code and output.
func Run(t testing.TB, s Spec) (code int, out string) {
	t.Helper()
	var b bytes.Buffer
	cmd := Command(t, s)
	cmd.Stdout, cmd.Stderr = &b, &b
	var ended *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &ended) {
		Need(t, fmt.Errorf("run a container: %w", err))
	}
	return cmd.ProcessState.ExitCode(), b.String()
}

// Command is runc, ready to run a container. It hands signals on to it.
func Command(t testing.TB, s Spec) *exec.Cmd {
	t.Helper()
	dir := t.TempDir()
	root := rootfs(t, dir)
	if s.Program != "" {
		if err := os.Link(s.Program, filepath.Join(root, "program")); err != nil {
			t.Fatal(err)
		}
	}
	if s.Layered {
		root = layered(t, dir, root)
	}
	config, err := json.Marshal(s.oci(root))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "config.json"), config, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { removeGroups(s.Cgroup) })
	return exec.Command("runc", "--root", filepath.Join(dir, "state"), "run", "--bundle", dir, s.ID)
}

// rootfs is a folder with busybox under all its names that the tests use.
func rootfs(t testing.TB, dir string) string {
	t.Helper()
	root := filepath.Join(dir, "rootfs")
	for _, d := range []string{"bin", "proc", "sys", "tmp"} {
		if err := os.MkdirAll(filepath.Join(root, d), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	busybox, err := os.ReadFile("/bin/busybox")
	Need(t, err)
	if err := os.WriteFile(filepath.Join(root, "bin/busybox"), busybox, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"sh", "true", "id", "cp", "mkdir", "echo"} {
		if err := os.Link(filepath.Join(root, "bin/busybox"), filepath.Join(root, "bin", name)); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// layered puts an empty writable layer over a folder.
func layered(t testing.TB, dir, lower string) string {
	t.Helper()
	at := filepath.Join(dir, "layers")
	// The layer of what is written lies on a file system that can carry one.
	if err := os.Mkdir(at, 0o755); err != nil {
		t.Fatal(err)
	}
	mount(t, at, "-t", "tmpfs", "none", at)
	for _, d := range []string{"upper", "work", "merged"} {
		if err := os.Mkdir(filepath.Join(at, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	merged := filepath.Join(at, "merged")
	mount(
		t,
		merged,
		"-t",
		"overlay",
		"-o",
		fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", lower, filepath.Join(at, "upper"), filepath.Join(at, "work")),
		"none",
		merged,
	)
	return merged
}

func mount(t testing.TB, at string, args ...string) {
	t.Helper()
	if out, err := exec.Command("mount", args...).CombinedOutput(); err != nil {
		Need(t, fmt.Errorf("mount %s: %w: %s", at, err, out))
	}
	t.Cleanup(func() { _ = exec.Command("umount", at).Run() })
}

// oci is the configuration that runc reads.
func (s *Spec) oci(root string) any {
	type object map[string]any
	var namespaces []object
	for _, n := range []string{"pid", "network", "ipc", "uts", "mount"} {
		if !strings.Contains(strings.Join(s.Shared, " "), n) {
			namespaces = append(namespaces, object{"type": n})
		}
	}
	c, resources := s.Capabilities, object{}
	if s.Privileged {
		c = every()
	}
	if s.Memory > 0 {
		resources["memory"] = object{"limit": s.Memory}
	}
	return object{
		"ociVersion": "1.0.2",
		"process": object{"args": s.Args, "cwd": "/", "env": append([]string{"PATH=/bin"}, s.Env...), "user": object{"uid": s.UID, "gid": s.UID},
			"capabilities": object{"bounding": c, "effective": c, "permitted": c}, "noNewPrivileges": s.ReadOnly},
		"root": object{"path": root, "readonly": s.ReadOnly},
		"mounts": []object{{"destination": "/proc", "type": "proc", "source": "proc"},
			{"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": []string{"ro"}},
			{"destination": "/tmp", "type": "tmpfs", "source": "tmpfs"}},
		"linux": object{"cgroupsPath": s.Cgroup, "namespaces": namespaces, "resources": resources},
	}
}

// every capability of the kernel that this process may hand on.
func every() []string {
	names := strings.Fields(`CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE
		NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE
		SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL
		SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE`)
	var out []string
	for i, name := range names {
		if n, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, uintptr(i), 0, 0, 0); err == nil && n == 1 {
			out = append(out, "CAP_"+name)
		}
	}
	return out
}

// removeGroups removes a group and those above it, in all hierarchies, as far as
// they are empty.
func removeGroups(path string) {
	roots, _ := filepath.Glob("/sys/fs/cgroup/*")
	for _, root := range append(roots, "/sys/fs/cgroup") {
		for p := path; p != "/" && p != "." && p != ""; p = filepath.Dir(p) {
			_ = os.Remove(filepath.Join(root, p)) // others may use it
		}
	}
}
