package sample

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
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
	args := []string{sampleContainer, command}
	for _, root := range groupRoots() {
		dir := filepath.Join(root, sampleGroup, group)
		defer removeGroups(root, group)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("make a control group: %w", err)
		}
		args = append(args, dir)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if said, err := exec.CommandContext(ctx, self, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("run a process in a container's place: %w: %s", err, strings.TrimSpace(string(said)))
	}
	return nil
}

const sampleContainer = "sample-container"

// ContainerCommand is what starts a container does: it enters the groups
// before anything has namespaces of its own.
func ContainerCommand() *cobra.Command {
	return &cobra.Command{Use: sampleContainer + " COMMAND GROUP…", Short: "Run a command in the place of a container of the sample",
		Hidden: true, Args: cobra.MinimumNArgs(2), RunE: func(c *cobra.Command, args []string) error {
			for _, dir := range args[1:] {
				if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte("0"), 0); err != nil {
					return fmt.Errorf("enter a control group: %w", err)
				}
			}
			sh := exec.CommandContext(c.Context(), "/bin/sh", "-c", args[0])
			sh.Env, sh.Stderr = []string{"PATH=/usr/bin:/bin"}, os.Stderr
			sh.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWIPC |
				syscall.CLONE_NEWUTS | syscall.CLONE_NEWNET}
			return sh.Run()
		}}
}

// removeGroups takes the groups away, innermost first.
func removeGroups(root, group string) {
	for dir := filepath.Join(sampleGroup, group); dir != "."; dir = filepath.Dir(dir) {
		_ = os.Remove(filepath.Join(root, dir)) // one that another container still uses stays
	}
}
