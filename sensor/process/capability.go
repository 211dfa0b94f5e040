package process

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// capabilityNames are those of linux/capability.h, by number.
var capabilityNames = [...]string{
	"CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
	"LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
	"SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
	"SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
	"MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF", "CHECKPOINT_RESTORE",
}

// capabilities are names of sets, remembered: a node has few different sets.
type capabilities struct {
	every uint64 // all that this kernel knows
	known map[uint64][]string
}

func newCapabilities(last int) *capabilities {
	return &capabilities{every: 1<<(last+1) - 1, known: map[uint64][]string{}}
}

// mostSets bounds the memory: anybody can make any set of what he holds.
const mostSets = 256

// of names a set. The names must not be changed.
func (c *capabilities) of(set uint64) (names []string, all bool) {
	all = set&c.every == c.every
	if names, ok := c.known[set]; ok {
		return names, all
	}
	for i := range 64 {
		if set&(1<<i) != 0 {
			names = append(names, capabilityName(i))
		}
	}
	if len(c.known) < mostSets {
		c.known[set] = names
	}
	return names, all
}

func capabilityName(i int) string {
	if i < len(capabilityNames) {
		return "CAP_" + capabilityNames[i]
	}
	return fmt.Sprintf("CAP_%d", i) // newer than this list
}

// lastCapability is the highest that the running kernel knows.
func lastCapability() int {
	b, err := os.ReadFile("/proc/sys/kernel/cap_last_cap")
	if n, bad := strconv.Atoi(strings.TrimSpace(string(b))); err == nil && bad == nil && n >= 0 && n < 63 {
		return n
	}
	return len(capabilityNames) - 1
}
