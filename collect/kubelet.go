package collect

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
)

// Kubelet is how a kubelet is told to answer those who call it.
type Kubelet struct {
	// From names what says so: "ConfigMap kube-system/kubelet-config".
	From string `json:"from"`
	// Anonymous says that callers need not prove who they are; AllowsAll that everyone who
	// calls may do everything.
	Anonymous bool `json:"anonymous,omitempty"`
	AllowsAll bool `json:"allowsAll,omitempty"`
	// Port and ReadOnlyPort are where it answers; the latter is 0 where it is closed.
	Port         int32 `json:"port"`
	ReadOnlyPort int32 `json:"readOnlyPort,omitempty"`
}

// KubeletPort is where a kubelet answers unless it is told otherwise.
const KubeletPort = 10250

// Open says that a kubelet runs commands for anybody.
func (k Kubelet) Open() bool { return k.Anonymous && k.AllowsAll }

// KubeletIn is how a kubelet that runs as a container is told to answer; said is false
// where a container is none, or a file that is not seen says it.
//
// Without a file, flags have the defaults of a time before the file: a kubelet asks
// nobody who they are, and allows all.
func KubeletIn(c ContainerShape, from string) (k Kubelet, said bool) {
	words := slices.Concat(c.Command, c.Args)
	if len(words) > 1 && path.Base(words[0]) == "hyperkube" { // many programs in one, of which the next word names one
		words = words[1:]
	}
	if len(words) == 0 || path.Base(words[0]) != "kubelet" {
		return k, false
	}
	k.From = from
	anonymous, authorization := c.Argument("anonymous-auth"), c.Argument("authorization-mode")
	if c.Argument("config") != "" && (anonymous == "" || authorization == "") {
		return k, false
	}
	k.Anonymous = !strings.EqualFold(anonymous, "false")
	k.AllowsAll = cmp.Or(authorization, "AlwaysAllow") == "AlwaysAllow"
	if k.Port = KubeletPort; c.Argument("port") != "" {
		_, _ = fmt.Sscan(c.Argument("port"), &k.Port)
	}
	if k.ReadOnlyPort = 10255; c.Argument("read-only-port") != "" {
		_, _ = fmt.Sscan(c.Argument("read-only-port"), &k.ReadOnlyPort)
	}
	return k, true
}
