package audit

import (
	"strings"
	"testing"
)

// TestTheChangeIsJudgedAndNotTheState has a workload whose container app is
// privileged and mounts the node's /etc, and whose container log is and does
// nothing of the kind, and asks what a patch of it counts as.
func TestTheChangeIsJudgedAndNotTheState(t *testing.T) {
	const workload = `{"kind":"Deployment","metadata":{"name":"a","uid":"u"},"spec":{"replicas":3,"template":{"spec":{
		"hostNetwork":true,"serviceAccountName":"web","volumes":[{"name":"v","hostPath":{"path":"/etc"}},{"name":"d","emptyDir":{}}],
		"containers":[
			{"name":"app","image":"web:1","securityContext":{"privileged":true,"capabilities":{"add":["SYS_ADMIN"]}},
				"volumeMounts":[{"name":"v","mountPath":"/x"}]},
			{"name":"log","image":"log:1","volumeMounts":[{"name":"d","mountPath":"/d"}]}]}}}}`
	const spec = `/spec/template/spec`
	nothing := "-container.privileged -container.sensitiveHostPath -pod.hostNetwork -container.name -container.addedCapability"
	tests := []struct{ name, patch, want string }{
		{"a label", `{"metadata":{"labels":{"team":"x"}}}`, nothing},
		{"a restart", `{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":"now"}}}}}`, nothing},
		{"more replicas", `{"spec":{"replicas":3}}`, nothing},
		{"a JSON patch of a label", `[{"op":"add","path":"/metadata/labels","value":{"team":"x"}}]`, nothing},
		{"a JSON patch that tests first", `[{"op":"test","path":"` + spec + `/containers/0/securityContext/privileged","value":true},
			{"op":"replace","path":"/spec/replicas","value":3}]`, nothing},
		{"a container is taken away", `[{"op":"remove","path":"` + spec + `/containers/0"}]`, nothing},
		{"the image of the other container", `{"spec":{"template":{"spec":{"$setElementOrder/containers":[{"name":"app"},{"name":"log"}],
			"containers":[{"name":"log","image":"log:1"}]}}}}`,
			"container.name=log container.image=log:1 -container.privileged -container.sensitiveHostPath"},
		{"the image of the privileged container", `{"spec":{"template":{"spec":{"containers":[{"name":"app","image":"web:1"}]}}}}`,
			"container.name=app container.image=web:1 -container.privileged -container.sensitiveHostPath"},
		{"it is made privileged", `{"spec":{"template":{"spec":{"containers":[{"name":"app","securityContext":{"privileged":true}}]}}}}`,
			"container.privileged=app -container.sensitiveHostPath -pod.hostNetwork -container.addedCapability"},
		{"capabilities are added",
			`{"spec":{"template":{"spec":{"containers":[{"name":"app","securityContext":{"capabilities":{"add":["SYS_ADMIN"]}}}]}}}}`,
			"container.addedCapability=SYS_ADMIN -container.privileged"},
		{"the node's network", `{"spec":{"template":{"spec":{"hostNetwork":true}}}}`, "pod.hostNetwork=true -container.privileged"},
		{"another account", `{"spec":{"template":{"spec":{"serviceAccountName":"web"}}}}`, "pod.serviceAccount=web -container.privileged"},
		{"a volume becomes a folder of the node", `{"spec":{"template":{"spec":{"volumes":[{"name":"v","hostPath":{"path":"/etc"}}]}}}}`,
			"container.sensitiveHostPath=/etc -container.privileged"},
		{"a mount of a volume that was there", `{"spec":{"template":{"spec":{"containers":[{"name":"app",
			"volumeMounts":[{"mountPath":"/x","readOnly":null}]}]}}}}`, "container.writableSensitiveHostPath=/etc -container.privileged"},
		{"the whole template, as a roll back writes it", `[{"op":"replace","path":"/spec/template","value":{}}]`,
			"container.privileged=app container.sensitiveHostPath=/etc pod.hostNetwork=true"},
		{"the whole object", `[{"op":"replace","path":"","value":{}}]`, "container.privileged=app container.sensitiveHostPath=/etc"},
		{"a JSON patch makes it privileged", `[{"op":"add","path":"` + spec + `/containers/0/securityContext/privileged","value":true}]`,
			"container.privileged=app -container.sensitiveHostPath -pod.hostNetwork"},
		{"a JSON patch copies", `[{"op":"copy","from":"` + spec + `/containers/1/securityContext","path":"` + spec +
			`/containers/0/securityContext"}]`, "container.privileged=app container.addedCapability=SYS_ADMIN -container.sensitiveHostPath"},
		{"a JSON patch of the other container", `[{"op":"replace","path":"` + spec + `/containers/1/image","value":"log:1"}]`,
			"container.name=log -container.privileged"},
		{"a JSON patch that shifts its own numbers", `[{"op":"replace","path":"` + spec + `/containers/1/securityContext","value":{}},
			{"op":"remove","path":"` + spec + `/containers/0"}]`, "container.privileged=app -container.sensitiveHostPath"},
		{"a container is added at the end", `[{"op":"add","path":"` + spec + `/containers/-","value":{}}]`,
			"container.name=log -container.privileged"},
		{"two are added at the end", `[{"op":"add","path":"` + spec + `/containers/-","value":{}},
			{"op":"add","path":"` + spec + `/containers/-","value":{}}]`, "container.privileged=app"},
		{"one is moved to the front", `[{"op":"move","from":"` + spec + `/containers/1","path":"` + spec + `/containers/0"}]`,
			"container.privileged=app"},
		{"a JSON patch of a volume", `[{"op":"replace","path":"` + spec + `/volumes/0/hostPath/path","value":"/etc"}]`,
			"container.sensitiveHostPath=/etc -container.privileged"},
		{"a JSON patch of a mount", `[{"op":"remove","path":"` + spec + `/containers/0/volumeMounts/0/readOnly"}]`,
			"container.writableSensitiveHostPath=/etc -container.privileged"},
		{"a patch that cannot be read counts whole", `[7]`, "container.privileged=app container.sensitiveHostPath=/etc"},
		{"a patch that the log leaves out counts whole", `null`, "container.privileged=app container.sensitiveHostPath=/etc"},
		{"an apply states all that its writer wants", workload, "container.privileged=app container.sensitiveHostPath=/etc"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			has(t, decode(t, request("patch", "deployments", `,"requestObject":`+test.patch+`,"responseObject":`+workload)), test.want)
		})
	}
}

func TestWhatAPatchOfRightsGives(t *testing.T) {
	const binding = `{"kind":"ClusterRoleBinding","metadata":{"name":"a","uid":"u"},"roleRef":{"kind":"ClusterRole","name":"cluster-admin"},
		"subjects":[{"kind":"User","name":"alice"},{"kind":"User","name":"mallory"}]}`
	const role = `{"kind":"ClusterRole","metadata":{"name":"a"},"rules":[{"verbs":["*"],"resources":["*"]}]}`
	tests := []struct{ name, resource, patch, object, want string }{
		{"a label of a binding", "clusterrolebindings", `{"metadata":{"labels":{"a":"b"}}}`, binding, "-binding.clusterAdmin -binding.subject"},
		{"a subject is taken away", "clusterrolebindings", `[{"op":"remove","path":"/subjects/2"}]`, binding,
			"-binding.clusterAdmin -binding.subject"},
		{"a subject is added", "clusterrolebindings", `[{"op":"add","path":"/subjects/-","value":{"kind":"User","name":"mallory"}}]`, binding,
			"binding.clusterAdmin=true binding.subject=User mallory"},
		{"subjects are stated", "clusterrolebindings", `{"subjects":[{"kind":"User","name":"alice"},{"kind":"User","name":"mallory"}]}`, binding,
			"binding.clusterAdmin=true binding.subject=User alice,User mallory"},
		{"a role is applied", "clusterrolebindings", binding, binding, "binding.clusterAdmin=true binding.subject=User alice,User mallory"},
		{"a label of a role", "clusterroles", `{"metadata":{"labels":{"a":"b"}}}`, role, "-role.everything -role.verb"},
		{"rules of a role", "clusterroles", `[{"op":"add","path":"/rules/0/verbs/0","value":"*"}]`, role, "role.everything=true role.verb=*"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			has(t, decode(t, request("patch", test.resource, `,"requestObject":`+test.patch+`,"responseObject":`+test.object)), test.want)
		})
	}
}

func TestNamesAreToldApartByCaseAsTheAPIServerDoes(t *testing.T) {
	const sneaky = `,"requestObject":{"kind":"Pod","spec":{"hostPID":true,"HostPID":false,
		"containers":[{"name":"app","securityContext":{"privileged":true,"Privileged":false}}]}}`
	has(t, decode(t, request("create", "pods", sneaky)), "container.privileged=app pod.hostPID=true")
	has(t, decode(t, request("create", "pods", strings.NewReplacer(`"privileged":true,`, "", `"Privileged":false`, `"Privileged":true`).
		Replace(sneaky))), "container.name=app -container.privileged")
}
