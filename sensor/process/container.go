package process

import (
	"strings"

	"github.com/breakwater-sec/breakwater/event/runtime"
)

// containerOf reads a control group's path: nil for a group that is no container's.
// Whose names are cut at the top may be one; then the id is empty.
//
// Below a kubelet's group the first id under a pod is the container that
// Kubernetes knows: a container may hold groups of its own, even with ids in
// them. Elsewhere it is the first id at all.
func containerOf(g group) *runtime.Container {
	path := strings.Join(g.names, "/")
	if g.cut {
		return &runtime.Container{Cgroup: "…/" + path}
	}
	names := strings.FieldsFunc(path, func(r rune) bool { return r == '/' || r == ':' }) // kubepods-pod1.slice:cri-containerd:4d…
	at := kubepods(names)
	if at < 0 {
		return firstID(names, runtime.Container{Cgroup: path})
	}
	c := runtime.Container{Cgroup: path, Kubernetes: true}
	for i := at; i < len(names); i++ {
		if uid := podUID(names[i]); uid != "" {
			c.PodUID = uid
			return firstID(names[i+1:], c)
		}
	}
	return firstID(names[at:], c)
}

func firstID(names []string, c runtime.Container) *runtime.Container {
	for _, n := range names {
		if id := containerID(n); id != "" {
			c.ID = id
			return &c
		}
	}
	return nil
}

// kubepods is where the kubelet's group stands, or -1. The groups of a user's
// session are named by that user, who must not pose as a pod.
func kubepods(names []string) int {
	if len(names) > 0 && names[0] == "user.slice" {
		return -1
	}
	for i, n := range names {
		for part := range strings.SplitSeq(strings.TrimSuffix(n, ".slice"), "-") {
			if part == "kubepods" {
				return i
			}
		}
	}
	return -1
}

// podUID reads pod0f…, and kubepods-burstable-pod0f….slice where underscores
// stand for dashes.
func podUID(name string) string {
	name = strings.TrimSuffix(name, ".slice")
	if i := strings.LastIndex(name, "-pod"); i >= 0 {
		name = name[i+1:]
	}
	uid, ok := strings.CutPrefix(name, "pod")
	uid = strings.ReplaceAll(uid, "_", "-")
	if !ok || !isUID(uid) {
		return ""
	}
	return uid
}

// isUID tells a uid with its four dashes, and that of a static pod, which has none.
func isUID(s string) bool {
	if len(s) == 32 {
		return isHex(s)
	}
	parts := strings.Split(s, "-")
	return len(s) == 36 && len(parts) == 5 && len(parts[0]) == 8 && len(parts[1]) == 4 && len(parts[2]) == 4 && len(parts[3]) == 4 &&
		isHex(strings.Join(parts, ""))
}

const idLength = 64

// containerID reads 4d…, cri-containerd-4d….scope, docker-4d….scope and their
// like. What watches a container (conmon) is not in it.
func containerID(name string) string {
	name = strings.TrimSuffix(name, ".scope")
	if len(name) < idLength || !isHex(name[len(name)-idLength:]) {
		return ""
	}
	before, id := name[:len(name)-idLength], name[len(name)-idLength:]
	if before != "" && !strings.HasSuffix(before, "-") || strings.Contains(before, "conmon") {
		return ""
	}
	return id
}

func isHex(s string) bool {
	return s != "" && strings.Trim(s, "0123456789abcdef") == ""
}
