package server

import (
	"os"
	"path/filepath"
	"testing"
)

func TestTheMemoryIsWhatTheControlGroupAllowsOrTheMachineHas(t *testing.T) {
	const total = "MemFree: 1 kB\nMemTotal:       16777216 kB\n"
	for _, c := range []struct {
		meminfo, max, old string
		want              int64
	}{
		{total, "", "", 16 << 30}, {total, "max\n", "", 16 << 30}, {total, "1073741824\n", "", 1 << 30},
		{total, "", "2147483648\n", 2 << 30}, {total, "", "9223372036854771712\n", 16 << 30}, {"", "", "", 4 << 30},
	} {
		root := t.TempDir()
		for file, text := range map[string]string{"proc/meminfo": c.meminfo, "sys/fs/cgroup/memory.max": c.max,
			"sys/fs/cgroup/memory/memory.limit_in_bytes": c.old} {
			if text == "" {
				continue
			}
			at := filepath.Join(root, file)
			if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got := memoryIn(root); got != c.want {
			t.Errorf("%q %q %q: %d, want %d", c.meminfo, c.max, c.old, got, c.want)
		}
	}
}

func TestTheObjectsOfClustersShareAQuarterOfTheMemory(t *testing.T) {
	l, err := Config{From: []string{"a", "b"}}.limits()
	if n := l[clusterObjects]; err != nil || n != min(max(memory()/8, 64<<20), 2<<30) {
		t.Errorf("%d, %v", n, err)
	}
	if l, err = (Config{From: make([]string, 1e6)}).limits(); err != nil || l[clusterObjects] != 64<<20 {
		t.Errorf("%d, %v", l[clusterObjects], err)
	}
	if l, err = (Config{Limits: []string{"cluster-objects=3GiB"}}).limits(); err != nil || l[clusterObjects] != 3<<30 {
		t.Errorf("%d, %v", l[clusterObjects], err)
	}
}
