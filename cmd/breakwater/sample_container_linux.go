package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// dieWithParent ends a child that its parent, killed, could not end.
func dieWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} }

// groupRoots are the control group hierarchies in which container runtimes keep
// their groups: one with version 2, several with version 1.
func groupRoots() (out []string) {
	const root = "/sys/fs/cgroup"
	if _, err := os.Stat(filepath.Join(root, "cgroup.controllers")); err == nil {
		return []string{root}
	}
	for _, name := range []string{"unified", "systemd", "memory", "pids", "devices", "freezer"} {
		dir := filepath.Join(root, name)
		if _, err := os.Stat(filepath.Join(dir, "cgroup.procs")); err == nil {
			out = append(out, dir)
		}
	}
	return out
}

// sampleGroup is the top of the groups that the sample makes, so that none of a
// real kubelet's is touched.
const sampleGroup = "breakwater-sample"

// runInContainer runs a shell command as the kernel sees the first process of a
// privileged container: in a control group of that name, with namespaces of its
// own and every capability. There is no image behind it.
func runInContainer(ctx context.Context, group, command string) (err error) {
	var dirs []string
	for _, root := range groupRoots() {
		dir := filepath.Join(root, sampleGroup, group)
		defer removeGroups(root, group)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("make a control group: %w", err)
		}
		dirs = append(dirs, filepath.Join(dir, "cgroup.procs"))
	}
	if len(dirs) == 0 {
		return errors.New("no control groups are mounted")
	}
	// The shell joins the groups and becomes the program.
	enter := `for g in "$@"; do echo 0 > "$g" || exit 1; done; exec /bin/sh -c "$SAMPLE"`
	c := exec.CommandContext(ctx, "/bin/sh", append([]string{"-c", enter, "sh"}, dirs...)...)
	c.Env = []string{"PATH=/usr/bin:/bin", "SAMPLE=" + command}
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS | syscall.CLONE_NEWNET}
	if said, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("run a process in a container's place: %w: %s", err, strings.TrimSpace(string(said)))
	}
	return nil
}

// removeGroups takes the groups away, innermost first.
func removeGroups(root, group string) {
	for dir := filepath.Join(sampleGroup, group); dir != "."; dir = filepath.Dir(dir) {
		_ = os.Remove(filepath.Join(root, dir)) // one that another container still uses stays
	}
}
