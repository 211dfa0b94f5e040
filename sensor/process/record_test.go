package process

import (
	"slices"
	"strings"
	"testing"
)

func TestANamespaceThatCouldNotBeReadIsSharedByNobody(t *testing.T) {
	n := naming{first: namespaces{10, 20, 30, 0, 50, 0, 70}} // two of the first process were not read either
	for _, c := range []struct {
		name string
		of   namespaces
		want []string
	}{
		{"all are of the node", namespaces{10, 20, 30, 40, 50, 60, 70}, []string{"pid", "net", "mnt", "uts", "cgroup"}},
		{"none was read", namespaces{}, nil},
		{"the same one was read of neither", namespaces{11, 20, 31, 0, 51, 0, 71}, []string{"net"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := n.shared(c.of); !slices.Equal(got, c.want) {
				t.Errorf("shares %q, want %q", got, c.want)
			}
		})
	}
}

func TestAnAncestorIsOfTheContainerOfItsGroupAndOfTheNodeOnlyIfThatIsKnown(t *testing.T) {
	of := strings.Repeat("a", 64)
	e := &kernelEvent{groups: []group{{names: []string{"system.slice", "ssh.service"}}, {names: []string{"docker", of}}}}
	e.Kind, e.Ancestors = kindExec, 4
	for i, g := range []uint8{0, 1, 2, 255} { // the last two are groups that the kernel had no room for
		e.Ancestor[i].PID, e.Ancestor[i].Group = uint32(100+i), g
	}
	p := &Probe{names: naming{capabilities: newCapabilities(40)}}
	for i, want := range []string{"", of, "unknown", "unknown"} {
		if got := p.record(e).Ancestors[i]; got.Container != want || got.PID != uint32(100+i) {
			t.Errorf("ancestor %d is of %q, want %q", got.PID, got.Container, want)
		}
	}
}
