package server

import (
	"bufio"
	"cmp"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// memory is how many bytes this process may have: what its control group allows, or what the machine has.
// Where nobody says it, 4 GiB.
func memory() int64 { return memoryIn("/") }

// unsaid is what is taken for the memory of a machine that does not tell.
const unsaid = 4 << 30

func memoryIn(root string) int64 {
	most := cmp.Or(meminfo(filepath.Join(root, "proc/meminfo")), unsaid)
	for _, file := range []string{"sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		text, err := os.ReadFile(filepath.Join(root, file))
		if n, wrong := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil && wrong == nil && n > 0 {
			most = min(most, n) // "max" is none, and so is a number beyond what there is
		}
	}
	return most
}

// meminfo is the total memory that the kernel tells of; 0 if it does not.
func meminfo(file string) int64 {
	f, err := os.Open(file)
	if err != nil {
		return 0
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if kib, is := strings.CutPrefix(lines.Text(), "MemTotal:"); is {
			n, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(kib), " kB"), 10, 64) // 0 if it is no number
			return n << 10
		}
	}
	return 0
}
