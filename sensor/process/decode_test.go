package process

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/event/runtime"
)

const id = "4d7a0c1e2f3b4d7a0c1e2f3b4d7a0c1e2f3b4d7a0c1e2f3b4d7a0c1e2f3b4d7a"

func TestContainerIsToldByItsGroup(t *testing.T) {
	other := strings.Repeat("e", 64)
	uid := "0f0e0d0c-0b0a-4908-8706-050403020100"
	static := "0123456789abcdef0123456789abcdef"
	slice := "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + strings.ReplaceAll(uid, "-", "_") + ".slice/"
	for _, c := range []struct{ name, path, id, uid string }{
		{"the node itself", "system.slice/sshd.service", "", ""},
		{"the root", "", "", ""},
		{"kubelet, cgroupfs", "kubepods/burstable/pod" + uid + "/" + id, id, uid},
		{"kubelet, cgroupfs, guaranteed", "kubepods/pod" + uid + "/" + id, id, uid},
		{"a static pod", "kubepods/besteffort/pod" + static + "/" + id, id, static},
		{"containerd, systemd", slice + "cri-containerd-" + id + ".scope", id, uid},
		{"cri-o, systemd", slice + "crio-" + id + ".scope", id, uid},
		{"cri-o, a group inside", slice + "crio-" + id + ".scope/container", id, uid},
		{"what watches a container of cri-o", slice + "crio-conmon-" + id + ".scope", "", ""},
		{"docker for kubernetes", slice + "docker-" + id + ".scope", id, uid},
		{"containerd, systemd not told", "system.slice/containerd.service/kubepods-burstable-pod" + strings.ReplaceAll(uid, "-", "_") +
			".slice:cri-containerd:" + id, id, uid},
		{"a node that is a container", "docker/" + other + "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod" +
			strings.ReplaceAll(uid, "-", "_") + ".slice/cri-containerd-" + id + ".scope", id, uid},
		{"a container in a container", "kubepods/pod" + uid + "/" + id + "/docker/" + other, id, uid},
		{"a pod in a container's own groups", "kubepods/pod" + uid + "/" + id + "/kubepods/pod" + static + "/" + other, id, uid},
		{"a pod's group without a container", "kubepods/pod" + uid, "", ""},
		{"docker, cgroupfs", "docker/" + id, id, ""},
		{"docker, systemd", "system.slice/docker-" + id + ".scope", id, ""},
		{"podman", "machine.slice/libpod-" + id + ".scope/container", id, ""},
		{"podman's watcher", "machine.slice/libpod-conmon-" + id + ".scope", "", ""},
		{"rootless podman", "user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + id + ".scope", id, ""},
		{"a user who poses as a pod", "user.slice/user-1000.slice/user@1000.service/kubepods/pod" + uid + "/" + id, id, ""},
		{"capital letters", "docker/" + strings.ToUpper(id), "", ""},
		{"63 digits", "docker/" + id[1:], "", ""},
		{"65 digits", "docker/a" + id, "", ""},
		{"not a pod's uid", "kubepods/podcast/" + id, id, ""},
	} {
		got := containerOf(group{names: strings.FieldsFunc(c.path, func(r rune) bool { return r == '/' })})
		switch {
		case got == nil && c.id == "":
		case got == nil || got.ID != c.id || got.PodUID != c.uid || got.Cgroup != c.path:
			t.Errorf("%s: %+v", c.name, got)
		case got.Kubernetes != (strings.Contains(c.path, "kubepods") && !strings.HasPrefix(c.path, "user.slice")):
			t.Errorf("%s: kubernetes %v", c.name, got.Kubernetes)
		}
	}
}

func FuzzContainer(f *testing.F) {
	f.Add("kubepods/pod0f0e0d0c-0b0a-4908-8706-050403020100/" + id)
	f.Add("a:b/-pod.slice/conmon-" + id + ".scope")
	f.Fuzz(func(t *testing.T, path string) {
		c := containerOf(group{names: strings.Split(path, "/")})
		if c != nil && (len(c.ID) != idLength || !isHex(c.ID) || !strings.Contains(path, c.ID)) {
			t.Errorf("%q: %+v", path, c)
		}
		if c != nil && c.PodUID != "" && !isUID(c.PodUID) {
			t.Errorf("%q: pod %q", path, c.PodUID)
		}
	})
}

// sample is an event as the kernel writes it.
func sample(h header, rest string) []byte {
	var b bytes.Buffer
	_ = binary.Write(&b, binary.LittleEndian, h) // to memory
	b.WriteString(rest)
	return b.Bytes()
}

func TestDecodeReadsTheKernelsBytes(t *testing.T) {
	h := header{Kind: kindExec, PID: 7, Path: 8, Arguments: 10, Groups: 2, Ancestors: 1, Flags: argumentsCut}
	h.Group[0].Size, h.Group[0].Names = 4, 2
	e, err := decode(sample(h, "/bin/ls\x00b\x00a\x00ls\x00-l\x00\x00/et"))
	if err != nil {
		t.Fatal(err)
	}
	if e.path != "/bin/ls" || !slices.Equal(e.groups[0].names, []string{"a", "b"}) || e.groups[1].names != nil ||
		!slices.Equal(e.arguments, []string{"ls", "-l", "", "/et"}) {
		t.Errorf("%q %v %q", e.path, e.groups, e.arguments)
	}
	for _, bad := range [][]byte{nil, sample(h, "/bin/ls"), sample(header{Kind: 9}, ""), sample(header{Kind: kindExit, Groups: 5}, ""),
		sample(header{Kind: kindExit, Ancestors: 9}, "")} {
		if _, err := decode(bad); err == nil {
			t.Errorf("decoded %q", bad)
		}
	}
}

func FuzzDecode(f *testing.F) {
	h := header{Kind: kindExec, Path: 8, Arguments: 10, Groups: 1, Ancestors: 8}
	h.Group[0].Size = 4
	f.Add(sample(h, "/bin/ls\x00b\x00a\x00ls\x00-l\x00\x00/et"))
	f.Add(sample(header{Kind: kindExit, ExitCode: 0x8b}, ""))
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, err := decode(raw)
		if err != nil {
			return
		}
		p := &Probe{names: naming{capabilities: newCapabilities(40)}}
		line, err := json.Marshal(p.record(e))
		var r runtime.Record
		if err != nil || json.Unmarshal(line, &r) != nil {
			t.Errorf("%v: %s", err, line)
		}
	})
}

func TestCapabilitiesAreNamedAndAllIsAll(t *testing.T) {
	c := newCapabilities(40)
	if names, all := c.of(1<<21 | 1<<0); all || !slices.Equal(names, []string{"CAP_CHOWN", "CAP_SYS_ADMIN"}) {
		t.Error(names, all)
	}
	if names, all := c.of(1<<41 - 1); !all || len(names) != 41 || names[40] != "CAP_CHECKPOINT_RESTORE" {
		t.Error(names, all)
	}
	if names, all := newCapabilities(41).of(1<<42 - 1); !all || names[41] != "CAP_41" {
		t.Error(names, all)
	}
	for i := range uint64(1000) {
		c.of(i)
	}
	if len(c.known) > mostSets {
		t.Errorf("remembers %d sets", len(c.known))
	}
}
