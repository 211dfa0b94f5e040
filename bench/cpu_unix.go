//go:build unix

package bench

import (
	"syscall"
	"time"
)

// cpuTime is what this process has used of all cores so far.
func cpuTime() time.Duration { return cpuTimeOf(syscall.RUSAGE_SELF) }

// cpuTimeOfChildren is what its children have that ended.
func cpuTimeOfChildren() time.Duration { return cpuTimeOf(syscall.RUSAGE_CHILDREN) }

func cpuTimeOf(whom int) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(whom, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
