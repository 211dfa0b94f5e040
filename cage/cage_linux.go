package cage

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// self is this program, also where its file was replaced since it was started.
func self() string { return "/proc/self/exe" }

// confine is called by the thread that starts the child: what holds the thread holds the
// child from its first instruction on.
func confine(cmd *exec.Cmd, l Limits) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("give up new rights: %w", err)
	}
	version, err := landlock(l.Read)
	cmd.Env = append(cmd.Env, landlockVariable+"="+strconv.Itoa(version))
	return err
}

// landlockVariable tells a child which version of Landlock holds it.
const landlockVariable = "BREAKWATER_LANDLOCK"

// limit limits this process, and says what holds.
func limit(l Limits) (Held, error) {
	held := Held{Memory: l.Memory, CPU: l.CPU, Files: l.Files}
	held.Landlock, _ = strconv.Atoi(os.Getenv(landlockVariable)) // 0 where it is not said
	var errs []error
	for _, r := range []struct {
		what int
		most uint64
	}{
		{unix.RLIMIT_DATA, uint64(l.Memory)}, {unix.RLIMIT_CPU, uint64(l.CPU / time.Second)}, {unix.RLIMIT_NOFILE, uint64(l.Files)},
		{unix.RLIMIT_FSIZE, 0}, {unix.RLIMIT_CORE, 0},
	} {
		errs = append(errs, lessOf(r.what, r.most))
	}
	err := filterCalls()
	held.Seccomp = err == nil
	if errors.Is(err, errNoSeccomp) {
		err = nil
	}
	return held, errors.Join(append(errs, err)...)
}

// lessOf takes more away, and never gives: who runs the program may have limited it before.
func lessOf(what int, most uint64) error {
	var now unix.Rlimit
	if err := unix.Getrlimit(what, &now); err != nil {
		return err
	}
	most = min(most, now.Max)
	return unix.Setrlimit(what, &unix.Rlimit{Cur: most, Max: most})
}

// resident is how much memory a process has, 0 if that cannot be told.
func resident(pid int) int64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(b))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(fields[1], 10, 64) // 0 if it is no number
	return pages * int64(os.Getpagesize())
}

// needed is what any program reads to reach a host, and to run at all where it is linked
// with libraries of the system.
var needed = []string{"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf", "/etc/services",
	"/etc/ssl", "/etc/pki", "/etc/ca-certificates", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates",
	"/var/lib/ca-certificates",
	"/etc/ld.so.cache", "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/dev/null", "/dev/urandom",
	"/sys/kernel/mm/transparent_hugepage"}

// Rights of Landlock over files, by the version that brought them.
const (
	mayExecute  = unix.LANDLOCK_ACCESS_FS_EXECUTE
	mayRead     = unix.LANDLOCK_ACCESS_FS_READ_FILE
	mayList     = unix.LANDLOCK_ACCESS_FS_READ_DIR
	all1        = 1<<13 - 1
	all2        = all1 | unix.LANDLOCK_ACCESS_FS_REFER
	all3        = all2 | unix.LANDLOCK_ACCESS_FS_TRUNCATE
	all5        = all3 | unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	bindPorts   = 1      // version 4: nobody reaches a child
	scopeOfSelf = 1 | 2  // version 6: no abstract sockets and no signals of others
	attrVersion = 1 << 0 // asks for the version in place of a ruleset
)

// rulesetAttr is what a ruleset decides on; older kernels know its beginning.
type rulesetAttr struct{ fs, net, scoped uint64 }

// landlock takes from the calling thread, and what it starts, all files but those needed
// and read. It returns the version of the kernel's Landlock, 0 where it has none.
func landlock(read []string) (version int, err error) {
	v, _, e := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, attrVersion)
	if e != 0 {
		return 0, nil
	}
	attr, size := rulesetAttr{fs: all1}, unsafe.Sizeof(uint64(0))
	switch version = int(v); {
	case version >= 6:
		attr, size = rulesetAttr{all5, bindPorts, scopeOfSelf}, unsafe.Sizeof(attr)
	case version == 5:
		attr, size = rulesetAttr{all5, bindPorts, 0}, 2*size
	case version == 4:
		attr, size = rulesetAttr{all3, bindPorts, 0}, 2*size
	case version == 3:
		attr.fs = all3
	case version == 2:
		attr.fs = all2
	}
	fd, _, e := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), size, 0)
	if e != 0 {
		return 0, fmt.Errorf("make rules of Landlock: %w", e)
	}
	defer unix.Close(int(fd))
	for _, name := range append([]string{self(), os.Getenv("SSL_CERT_FILE"), os.Getenv("SSL_CERT_DIR")}, append(needed, read...)...) {
		if err := permit(int(fd), name); err != nil {
			return 0, fmt.Errorf("let a child read %s: %w", name, err)
		}
	}
	if _, _, e := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, fd, 0, 0); e != 0 {
		return 0, fmt.Errorf("keep the rules of Landlock: %w", e)
	}
	return version, nil
}

// permit lets a file be read, or everything in a folder; what is not there needs no rule.
func permit(ruleset int, name string) error {
	if name == "" {
		return nil
	}
	fd, err := unix.Open(name, unix.O_PATH|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EACCES) {
		return nil
	}
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	var is unix.Stat_t
	if err := unix.Fstat(fd, &is); err != nil {
		return err
	}
	rule := unix.LandlockPathBeneathAttr{Allowed_access: mayRead | mayExecute, Parent_fd: int32(fd)}
	if is.Mode&unix.S_IFMT == unix.S_IFDIR {
		rule.Allowed_access |= mayList
	}
	if name == "/dev/null" {
		rule.Allowed_access |= unix.LANDLOCK_ACCESS_FS_WRITE_FILE
	}
	_, _, e := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(ruleset), unix.LANDLOCK_RULE_PATH_BENEATH,
		uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
	if e != 0 {
		return e
	}
	return nil
}
