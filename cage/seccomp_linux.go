//go:build linux && (amd64 || arm64)

package cage

import (
	"errors"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

var errNoSeccomp = errors.New("there is no seccomp here")

// denied are calls with which a program reaches beyond itself: other programs and
// processes, mounts, namespaces, the kernel's own parts, limits. A reader of images needs
// none of them.
var denied = append([]uint32{
	unix.SYS_EXECVE, unix.SYS_EXECVEAT, unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV, unix.SYS_KILL,
	unix.SYS_TKILL, unix.SYS_PIDFD_OPEN, unix.SYS_PIDFD_GETFD, unix.SYS_PIDFD_SEND_SIGNAL, unix.SYS_KCMP,
	unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_PIVOT_ROOT, unix.SYS_CHROOT, unix.SYS_OPEN_TREE, unix.SYS_MOVE_MOUNT, unix.SYS_FSOPEN,
	unix.SYS_FSMOUNT, unix.SYS_FSCONFIG, unix.SYS_FSPICK, unix.SYS_MOUNT_SETATTR, unix.SYS_OPEN_BY_HANDLE_AT,
	unix.SYS_UNSHARE, unix.SYS_SETNS, unix.SYS_BPF, unix.SYS_PERF_EVENT_OPEN, unix.SYS_USERFAULTFD, unix.SYS_IO_URING_SETUP,
	unix.SYS_INIT_MODULE, unix.SYS_FINIT_MODULE, unix.SYS_DELETE_MODULE, unix.SYS_KEXEC_LOAD, unix.SYS_KEXEC_FILE_LOAD, unix.SYS_REBOOT,
	unix.SYS_SWAPON, unix.SYS_SWAPOFF, unix.SYS_ACCT, unix.SYS_QUOTACTL, unix.SYS_SYSLOG, unix.SYS_SETHOSTNAME, unix.SYS_SETDOMAINNAME,
	unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY, unix.SYS_KEYCTL, unix.SYS_PERSONALITY, unix.SYS_SETRLIMIT, unix.SYS_CLOCK_SETTIME,
	unix.SYS_SETTIMEOFDAY, unix.SYS_ADJTIMEX, unix.SYS_CLOCK_ADJTIME, unix.SYS_SETUID, unix.SYS_SETGID, unix.SYS_SETREUID, unix.SYS_SETREGID,
	unix.SYS_SETRESUID, unix.SYS_SETRESGID, unix.SYS_SETGROUPS, unix.SYS_CAPSET, unix.SYS_LISTEN, unix.SYS_ACCEPT, unix.SYS_ACCEPT4,
	unix.SYS_MKNODAT, unix.SYS_LINKAT, unix.SYS_SYMLINKAT, unix.SYS_RENAMEAT2, unix.SYS_UNLINKAT, unix.SYS_MKDIRAT, unix.SYS_FCHMODAT,
	unix.SYS_FCHOWNAT,
}, olderDenied...)

// Places of a call in what a filter reads (struct seccomp_data), and what it answers.
const (
	atCall, atArch    = 0, 4
	answerAllow       = 0x7fff0000
	answerErrno       = 0x00050000
	answerKillProcess = 0x80000000
	setModeFilter     = 1
	everyThread       = 1 // SECCOMP_FILTER_FLAG_TSYNC
)

// atArgument is where the lower half of an argument lies.
func atArgument(n uint32) uint32 { return 16 + 8*n }

// program is a filter in the making.
type program []unix.SockFilter

func (p *program) add(code uint16, k uint32, yes, no uint8) {
	*p = append(*p, unix.SockFilter{Code: code, K: k, Jt: yes, Jf: no})
}

func (p *program) load(at uint32)          { p.add(unix.BPF_LD|unix.BPF_W|unix.BPF_ABS, at, 0, 0) }
func (p *program) answer(with uint32)      { p.add(unix.BPF_RET|unix.BPF_K, with, 0, 0) }
func (p *program) is(k uint32, skip uint8) { p.add(unix.BPF_JMP|unix.BPF_JEQ|unix.BPF_K, k, 0, skip) }

// refuse answers a call with an error.
func (p *program) refuse(call uint32, e unix.Errno) {
	p.is(call, 1)
	p.answer(answerErrno | uint32(e))
}

// filter lets a child do what a reader does and nothing that reaches beyond it.
func filter(pid uint32) program {
	var p program
	p.load(atArch)
	p.is(architecture, 1)
	p.add(unix.BPF_JMP|unix.BPF_JA, 1, 0, 0)
	p.answer(answerKillProcess)
	p.load(atCall)
	for _, call := range denied {
		p.refuse(call, unix.EPERM)
	}
	if compatible > 0 { // calls of the other way to number them
		p.add(unix.BPF_JMP|unix.BPF_JGE|unix.BPF_K, compatible, 0, 1)
		p.answer(answerErrno | uint32(unix.ENOSYS))
	}
	p.refuse(unix.SYS_CLONE3, unix.ENOSYS) // its flags are in memory: programs then use clone
	p.is(unix.SYS_CLONE, 4)                // threads, and no processes
	p.load(atArgument(0))
	p.add(unix.BPF_JMP|unix.BPF_JSET|unix.BPF_K, unix.CLONE_THREAD, 1, 0)
	p.answer(answerErrno | uint32(unix.EPERM))
	p.answer(answerAllow)
	p.is(unix.SYS_TGKILL, 4) // a program of Go interrupts its own threads
	p.load(atArgument(0))
	p.is(pid, 1)
	p.answer(answerAllow)
	p.answer(answerErrno | uint32(unix.EPERM))
	p.is(unix.SYS_PRLIMIT64, 4) // limits are read and not changed
	p.load(atArgument(2))
	p.is(0, 1)
	p.answer(answerAllow)
	p.answer(answerErrno | uint32(unix.EPERM))
	p.is(unix.SYS_SOCKET, 6) // of the internet, and no others
	p.load(atArgument(0))
	p.is(unix.AF_INET, 1)
	p.answer(answerAllow)
	p.is(unix.AF_INET6, 1)
	p.answer(answerAllow)
	p.answer(answerErrno | uint32(unix.EACCES))
	p.answer(answerAllow)
	return p
}

// filterCalls keeps the filter for every thread of this process, for good.
func filterCalls() error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	p := filter(uint32(os.Getpid()))
	prog := unix.SockFprog{Len: uint16(len(p)), Filter: &p[0]}
	_, _, e := unix.Syscall(unix.SYS_SECCOMP, setModeFilter, everyThread, uintptr(unsafe.Pointer(&prog)))
	if e == unix.ENOSYS || e == unix.EINVAL || e == unix.EPERM { // the kernel's, or another filter's, word
		return errNoSeccomp
	}
	if e != 0 {
		return e
	}
	return nil
}
