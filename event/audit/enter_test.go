package audit

import (
	"fmt"
	"strings"
	"testing"
)

func TestWaysIntoAPodThroughItsKubelet(t *testing.T) {
	tests := []struct{ verb, path, want string }{
		{"create", "nodes/n1/proxy/run/shop/web-1/app?cmd=id", "exec.action=exec exec.pod=shop/web-1 exec.container=app exec.command=id"},
		{"get", "nodes/n1/proxy/exec/shop/web-1/app?command=sh&command=-c&command=id&output=1",
			"exec.action=exec exec.pod=shop/web-1 exec.container=app exec.command=sh -c id"},
		{"get", "nodes/n1/proxy/exec/shop/web-1/0c9f-uid/app?command=id", "exec.pod=shop/web-1 exec.container=app"},
		{"get", "nodes/https:n1:10250/proxy/exec/shop/web-1/app?command=id", "exec.action=exec exec.pod=shop/web-1"},
		{"get", "nodes/n1/proxy//exec/./shop/web-1/app", "exec.action=exec exec.pod=shop/web-1"},
		{"get", "nodes/n1/proxy/%65xec/shop/web-1/app", "exec.action=exec exec.pod=shop/web-1"},
		{"get", "nodes/n1/proxy/cri/exec/Zx81", "exec.action=exec -exec.pod"},
		{"create", "nodes/n1/proxy/attach/shop/web-1/app", "exec.action=attach exec.pod=shop/web-1"},
		{"create", "nodes/n1/proxy/portForward/shop/web-1", "exec.action=portforward exec.pod=shop/web-1 -exec.container"},
		{"create", "nodes/n1/proxy/portForward/shop/web-1/0c9f-uid", "exec.action=portforward exec.pod=shop/web-1 -exec.container"},
		{"get", "nodes/n1/proxy/containerLogs/shop/web-1/app", "exec.action=log exec.pod=shop/web-1"},
		{"get", "nodes/n1/proxy/exec/shop", "exec.action=exec -exec.pod"},
		{"get", "nodes/n1/proxy/metrics", "-exec.action"}, {"get", "nodes/n1/proxy/executive/shop/web-1", "-exec.action"},
		{"get", "nodes/n1/proxy/", "-exec.action"}, {"get", "nodes/n1/proxy/%zz", "-exec.action"},
		{"get", "services/n1/proxy/exec/shop/web-1/app", "-exec.action"},
	}
	for _, test := range tests {
		resource, _, _ := strings.Cut(test.path, "/")
		e := decode(t, fmt.Sprintf(`{"verb":%q,"requestURI":"/api/v1/%s","objectRef":{"resource":%q,"name":"n1","subresource":"proxy"}}`,
			test.verb, test.path, resource))
		t.Run(test.path, func(t *testing.T) { has(t, e, test.want) })
		first := e.Entities[0]
		if strings.Contains(test.want, "exec.pod=") && (first.Kind != "Pod" || first.Namespace != "shop" || first.Name != "web-1") {
			t.Errorf("%s: it is done to %+v first, want the pod", test.path, first)
		}
	}
}

func TestWhatAVolumeOpensOfItsNode(t *testing.T) {
	object := func(spec string) string {
		return `{"kind":"PersistentVolume","metadata":{"name":"a","uid":"u"},"spec":{` + spec + `}}`
	}
	tests := []struct{ name, verb, more, want string }{
		{"a folder of the system", "create", `,"responseObject":` + object(`"hostPath":{"path":"/var/lib/kubelet/../"}`),
			"volume.hostPath=/var/lib volume.sensitiveHostPath=/var/lib"},
		{"a local disk", "create", `,"responseObject":` + object(`"local":{"path":"/mnt/disks/a"}`),
			"volume.hostPath=/mnt/disks/a -volume.sensitiveHostPath"},
		{"a local disk that is the node's own", "create", `,"responseObject":` + object(`"local":{"path":"/"}`), "volume.sensitiveHostPath=/"},
		{"where k3s puts claimed volumes", "create", `,"responseObject":` + object(`"hostPath":{"path":"/var/lib/rancher/k3s/storage/pvc-1"}`),
			"volume.hostPath=/var/lib/rancher/k3s/storage/pvc-1 -volume.sensitiveHostPath"},
		{"a label", "patch", `,"requestObject":{"metadata":{"labels":{"a":"b"}}},"responseObject":` + object(`"hostPath":{"path":"/"}`),
			"-volume.hostPath"},
		{"a patch of the folder", "patch", `,"requestObject":{"spec":{"hostPath":{"path":"/"}}},"responseObject":` +
			object(`"hostPath":{"path":"/"}`), "volume.sensitiveHostPath=/"},
		{"no folder", "create", `,"responseObject":` + object(`"csi":{"driver":"x"}`), "-volume.hostPath"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { has(t, decode(t, request(test.verb, "persistentvolumes", test.more)), test.want) })
	}
}
