package collect

import (
	"strings"
	"testing"
)

// FuzzKubeletIn reads command lines that the author of a pod wrote.
func FuzzKubeletIn(f *testing.F) {
	for _, seed := range []string{"kubelet", "/usr/bin/kubelet --anonymous-auth=false --port=1", "hyperkube kubelet --port 99999999999999",
		"kubelet --config", "kubelet --authorization-mode=Webhook --anonymous-auth=FALSE --read-only-port=-1", "sh -c kubelet", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		words := strings.Split(line, " ")
		k, said := KubeletIn(ContainerShape{Command: words[:1], Args: words[1:]}, "a pod")
		if said && (k.From != "a pod" || !strings.Contains(line, "kubelet")) {
			t.Errorf("%q: %+v", line, k)
		}
	})
}
