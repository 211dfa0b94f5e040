package audit

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestAJSONPatchTellsWhatItPutsThere: a log at level Request has the patch and no answer.
func TestAJSONPatchTellsWhatItPutsThere(t *testing.T) {
	const spec = "/spec/template/spec"
	add := func(path, value string) string { return `{"op":"add","path":"` + path + `","value":` + value + `}` }
	tests := []struct{ name, patch, want string }{
		{"a container becomes privileged", add(spec+"/containers/0/securityContext", `{"privileged":true}`),
			"container.privileged=one that the request does not name"},
		{"a part of that", `{"op":"replace","path":"` + spec + `/containers/0/securityContext/privileged","value":true}`,
			"container.privileged=one that the request does not name"},
		{"a container is added", add(spec+"/containers/-", `{"name":"debug","image":"evil","securityContext":{"privileged":true}}`),
			"container.privileged=debug container.image=evil"},
		{"two operations on one container", add(spec+"/containers/1/name", `"a"`) + "," + add(spec+"/containers/1/securityContext",
			`{"privileged":true}`), "container.privileged=a container.name=a"},
		{"two on what the first put there", add(spec+"/containers", `[{"name":"a"}]`) + "," + add(spec+"/containers/0/securityContext",
			`{"privileged":true}`), "container.privileged=a"},
		{
			"two that are added",
			add(spec+"/containers/-", `{"name":"a","image":"a"}`) + "," + add(spec+"/containers/-", `{"name":"b","image":"b"}`),
			"container.name=a,b",
		},
		{"the host's processes", add(spec+"/hostPID", "true"), "pod.hostPID=true"},
		{"a capability", add(spec+"/containers/0/securityContext/capabilities/add/-", `"SYS_ADMIN"`), "container.addedCapability=SYS_ADMIN"},
		{"a folder of the node and where it is", add(spec+"/volumes/-", `{"name":"v","hostPath":{"path":"/etc"}}`) + "," +
			add(spec+"/containers/0/volumeMounts/-", `{"name":"v","mountPath":"/host"}`), "container.sensitiveHostPath=/etc"},
		{"the whole object", `{"op":"replace","path":"","value":{"spec":{"template":{"spec":{"hostIPC":true}}}}}`, "pod.hostIPC=true"},
		{"what is taken away", `{"op":"remove","path":"` + spec + `/containers/0/securityContext"}`, "-container.privileged"},
		{"a label", add("/metadata/labels/a", `"b"`), "-container.name -container.privileged"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			has(t, decode(t, request("patch", "deployments", `,"requestObject":[`+test.patch+`]`)), test.want)
		})
	}
	binding := strings.NewReplacer(
		`"objectRef":{`,
		`"objectRef":{"apiGroup":"rbac.authorization.k8s.io",`,
		`"name":"a"`,
		`"name":"cluster-admin"`,
	)
	has(t, decode(t, binding.Replace(request("patch", "clusterrolebindings", `,"requestObject":[`+
		add("/subjects/-", `{"kind":"User","name":"mallory"}`)+`]`))), "binding.clusterAdmin=true binding.subject=User mallory")
	has(t, decode(t, binding.Replace(request("patch", "clusterrolebindings",
		`,"requestObject":{"subjects":[{"kind":"User","name":"mallory"}]}`))), "binding.clusterAdmin=true")
}

// FuzzJSONPatch: what strangers send as a patch gives an object, or nothing.
func FuzzJSONPatch(f *testing.F) {
	for _, s := range []string{`[{"op":"add","path":"/a/-","value":1},{"op":"add","path":"/a/0/b","value":{}}]`,
		`[{"op":"replace","path":""}]`,
		`[{"op":"add","path":"/a","value":[1]},{"op":"add","path":"/a/0/b/-/c","value":[]}]`, `[7]`, `[]`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, patch string) {
		if out := stated(patch); out != "" && !json.Valid([]byte(out)) {
			t.Errorf("%s", out)
		}
	})
}
