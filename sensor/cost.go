package sensor

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// cost is what this process has used of the node: time of all its processors,
// and memory that is resident now.
func cost() (processor time.Duration, memory uint64) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err == nil {
		processor = time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	b, err := os.ReadFile("/proc/self/statm")
	if fields := strings.Fields(string(b)); err == nil && len(fields) > 1 {
		pages, _ := strconv.ParseUint(fields[1], 10, 64)
		return processor, pages * uint64(os.Getpagesize())
	}
	var m runtime.MemStats // no /proc: what Go knows of itself
	runtime.ReadMemStats(&m)
	return processor, m.Sys
}
