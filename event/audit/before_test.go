package audit

import (
	"fmt"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/event"
)

// TestARequestThatStatesAnObjectWholeIsJudgedByWhatItWasNotBefore updates a workload
// to what an earlier request made it, and beyond.
func TestARequestThatStatesAnObjectWholeIsJudgedByWhatItWasNotBefore(t *testing.T) {
	const one = `"hostPID":true,"containers":[{"name":"app","image":"web:1","securityContext":{"privileged":true,"capabilities":{"add":["A"]}},
		"volumeMounts":[{"name":"v","mountPath":"/x"}]}],"volumes":[{"name":"v","hostPath":{"path":"/etc"}}]`
	nothing := "-container.privileged -container.sensitiveHostPath -container.addedCapability -pod.hostPID -container.name -change.unknown"
	change := func(old, new string) string { return strings.Replace(one, old, new, 1) }
	tests := []struct{ name, before, after, want string }{
		{"the same", one, one, nothing},
		{"another image", one, change("web:1", "web:2"),
			"container.name=app container.reprogrammed=app container.image=web:2 -container.privileged -container.sensitiveHostPath -pod.hostPID"},
		{"another command", one, change(`"image"`, `"command":["sh"],"image"`), "container.reprogrammed=app container.command=sh"},
		{"one more capability", one, change(`"A"`, `"A","B"`), "container.addedCapability=B -container.privileged -container.reprogrammed"},
		{"another folder", one, change("/etc", "/root"), "container.sensitiveHostPath=/root -container.privileged"},
		{"another container's mount", one, change(`"containers":[`, `"containers":[{"name":"b","volumeMounts":[{"name":"v","mountPath":"/x"}]},`),
			"container.name=b container.sensitiveHostPath=/etc"},
		{"it becomes privileged", change(`"privileged":true`, `"privileged":false`), one,
			"container.privileged=app -container.sensitiveHostPath"},
		{"the node's processes", change(`"hostPID":true`, `"hostPID":false`), one, "pod.hostPID=true -container.privileged"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, verb := range []string{"update", "patch"} { // an apply is a patch that states all
				d := &Decoder{Cluster: "prod"}
				stored(t, d, "create", "deployments", "", 1, test.before)
				has(t, stored(t, d, verb, "deployments", "", 2, test.after), test.want)
				// A batch that comes again finds what was before it.
				has(t, stored(t, d, verb, "deployments", "", 2, test.after), test.want)
			}
		})
	}
}

func TestWhatIsNotKnownToHaveBeenSoCounts(t *testing.T) {
	const privileged = `"containers":[{"name":"app","securityContext":{"privileged":true}}]`
	const plain = `"containers":[{"name":"app"}]`
	all := "container.privileged=app change.unknown=how it was before is not known, so all that the request states counts"
	d := &Decoder{Cluster: "prod"}
	has(t, stored(t, d, "update", "deployments", "", 5, privileged), all)
	has(t, stored(t, d, "update", "deployments", "", 3, privileged), all) // what came later tells nothing of what was before
	has(t, stored(t, d, "update", "deployments", "", 6, plain), "-container.privileged -change.unknown")
	has(t, stored(t, d, "update", "deployments", "", 7, privileged), "container.privileged=app -change.unknown")
	has(t, stored(t, d, "update", "deployments", ",\"uid\":\"other\"", 8, privileged), all)
	has(t, stored(t, &Decoder{Cluster: "prod"}, "update", "deployments", "", 8, privileged), all)
	for i := range uint64(maxVersions + 1) {
		stored(t, d, "update", "deployments", "", 20+i, privileged)
	}
	has(t, stored(t, d, "update", "deployments", "", 20, privileged), all)
	has(t, stored(t, d, "update", "deployments", "", 20+maxVersions, privileged), "-container.privileged -change.unknown")
	// What was refused, or only tried, is not what the object is.
	refused := strings.Replace(request("create", "deployments", `,"responseObject":{"kind":"Deployment","metadata":{"name":"a","uid":"x",
		"resourceVersion":"1"},"spec":{"template":{"spec":{`+privileged+`}}}}`), `"code":201`, `"code":500`, 1)
	if _, err := d.Decode([]byte(refused)); err != nil {
		t.Fatal(err)
	}
	has(t, stored(t, d, "update", "deployments", ",\"uid\":\"x\"", 2, privileged), all)
}

func TestRightsThatWereGivenBeforeAreNotGivenAgain(t *testing.T) {
	const alice, bob = `{"kind":"User","name":"alice"}`, `{"kind":"User","name":"bob"}`
	binding := func(subjects string) string {
		return `"roleRef":{"kind":"ClusterRole","name":"cluster-admin"},"subjects":[` + subjects + `]`
	}
	role := func(rules string) string { return `"rules":[` + rules + `]` }
	const all, get = `{"verbs":["*"],"apiGroups":["*"],"resources":["*"]}`, `{"verbs":["get"],"resources":["pods"]}`
	tests := []struct{ name, resource, before, after, want string }{
		{"the same subjects", "clusterrolebindings", binding(alice), binding(alice), "-binding.clusterAdmin -binding.subject"},
		{"one more", "clusterrolebindings", binding(alice), binding(alice + "," + bob), "binding.clusterAdmin=true binding.subject=User bob"},
		{"one less", "clusterrolebindings", binding(alice + "," + bob), binding(alice), "-binding.clusterAdmin"},
		{"the same rules", "clusterroles", role(all), role(all), "-role.everything"},
		{"one more", "clusterroles", role(get), role(get + "," + all), "role.everything=true role.verb=*"},
		{"for other names", "clusterroles", role(strings.Replace(get, "}", `,"resourceNames":["a"]}`, 1)), role(get), "role.verb=get"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := &Decoder{Cluster: "prod"}
			stored(t, d, "create", test.resource, "", 1, test.before)
			has(t, stored(t, d, "update", test.resource, "", 2, test.after), test.want)
		})
	}
}

// stored is a request whose answer is an object at a version: of a workload its pods'
// specification, else its members.
func stored(t *testing.T, d *Decoder, verb, resource, uid string, version uint64, spec string) event.Event {
	t.Helper()
	if resource == "deployments" {
		spec = `"spec":{"template":{"spec":{` + spec + `}}}`
	}
	object := fmt.Sprintf(`{"metadata":{"name":"a","uid":"u"%s,"resourceVersion":"%d"},%s}`, uid, version, spec)
	b, err := d.Decode([]byte(request(verb, resource, `,"requestObject":`+object+`,"responseObject":`+object)))
	if err != nil || len(b.Events) != 1 {
		t.Fatal(err)
	}
	return b.Events[0]
}
