package admission

import (
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/collect"
)

// scc writes constraints that somebody may use.
func scc(name, who, allowed string) string {
	return "\n---\nkind: SecurityContextConstraints\nmetadata: {name: " + name + "}\n" + who + "\n" + allowed + "\n"
}

// openShift are constraints for everybody, as OpenShift has them.
var openShift = scc(
	"restricted-v2",
	"groups: ['system:authenticated']",
	"allowPrivilegeEscalation: false\nrunAsUser: {type: MustRunAsRange}\n"+
		"allowedCapabilities: [NET_BIND_SERVICE]\nvolumes: [emptyDir, secret]",
)

const (
	toAccount = "users: ['system:serviceaccount:shop:agent']"
	account   = "\n---\nkind: ServiceAccount\nmetadata: {name: agent, namespace: shop}\n"
	anybody   = "groups: ['system:authenticated']"
	role      = "\n---\nkind: ClusterRole\nmetadata: {name: scc}\nrules: [{apiGroups: [security.openshift.io], resources: " +
		"[securitycontextconstraints], " +
		"resourceNames: [wide], verbs: [use]}]\n"
	rolebinding = "\n---\nkind: RoleBinding\nmetadata: {name: b, namespace: shop}\nroleRef: {kind: ClusterRole, name: scc}\n" +
		"subjects: [{kind: ServiceAccount, name: agent, namespace: shop}]\n"
	whole = "allowPrivilegedContainer: true\nallowHostDirVolumePlugin: true\nallowedCapabilities: ['*']\nrunAsUser: {type: RunAsAny}"
)

func TestConstraintsOfOpenShiftRefuseWhatNoneOfThemAllows(t *testing.T) {
	wide := func(allowed string) string { return openShift + scc("wide", anybody, allowed) }
	for _, tt := range []struct {
		name, guards string
		pod          Verdict
	}{
		{"none, on a cluster that is not OpenShift", "", Admitted},
		{"those for everybody", openShift, Refused},
		{"some allow privileged containers", wide("allowPrivilegedContainer: true\nrunAsUser: {type: MustRunAsRange}"), Admitted},
		{"but no more privileges", wide("allowPrivilegedContainer: true\nallowPrivilegeEscalation: false\nrunAsUser: {type: RunAsAny}"), Refused},
		{"some allow folders of the node to root", wide("allowHostDirVolumePlugin: true\nrunAsUser: {type: RunAsAny}"), Admitted},
		{"folders to one user, who is root", wide("allowHostDirVolumePlugin: true\nrunAsUser: {type: MustRunAs, uid: 0}"), Admitted},
		{"a capability to root", wide("allowedCapabilities: [SYS_MODULE]\nrunAsUser: {type: RunAsAny}"), Admitted},
		{"one to others", wide("allowedCapabilities: [SYS_MODULE]\nrunAsUser: {type: MustRunAsNonRoot}"), Refused},
		{"one that the node does not fall to", wide("allowedCapabilities: [NET_ADMIN]\nrunAsUser: {type: RunAsAny}"), Refused},
		{"one that is filled in", wide("defaultAddCapabilities: [SYS_RAWIO]\nrunAsUser: {type: RunAsAny}"), Admitted},
		{"one that needs more privileges", wide("allowedCapabilities: [SYS_ADMIN]\nallowPrivilegeEscalation: false\nrunAsUser: {type: RunAsAny}"),
			Refused},
		{"tracing without the node's processes", wide("allowedCapabilities: [SYS_PTRACE]\nrunAsUser: {type: RunAsAny}"), Refused},
		{"tracing with them", wide("allowedCapabilities: [SYS_PTRACE]\nallowHostPID: true\nrunAsUser: {type: RunAsAny}"), Admitted},
		{"an account of the namespace may use them", openShift + scc("wide", toAccount, whole) + account, Admitted},
		{"one of another namespace", openShift + scc("wide", strings.Replace(toAccount, "shop", "bank", 1), whole) + account, Refused},
		{"every account of the namespace", openShift + scc("wide", "groups: ['system:serviceaccounts:shop']", whole), Admitted},
		{"an account that RBAC lets use them", openShift + scc("wide", "", whole) + account + role + rolebinding, Admitted},
		{"others than those that it may use", openShift + scc("wide", "", "") + scc("other", "", whole) + account + role + rolebinding, Refused},
		{"by a role that was not read", openShift + scc("wide", "", whole) + account + rolebinding, Unknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := facts(t, "", tt.guards)
			if strings.Contains(tt.name, "not read") {
				f.Gaps[collect.GapKey{What: "c"}] = collect.Gap{Source: "api", What: "clusterroles.rbac.authorization.k8s.io", Why: "forbidden"}
			}
			got := New(f).Takeover("shop")
			if got.Pod != tt.pod || got.Workload != tt.pod || got.Relabelled != tt.pod {
				t.Errorf("got %v, want %v", got, tt.pod)
			}
		})
	}
}

func TestConstraintsThatWereNotSeenAreNotKnownToRefuse(t *testing.T) {
	f := facts(t, "", "")
	f.Gaps[collect.GapKey{What: "s"}] = collect.Gap{
		Source: "api",
		What:   "securitycontextconstraints.security.openshift.io",
		Why:    "forbidden",
	}
	if got := New(f).Takeover("shop").Pod; got != Unknown {
		t.Error(got)
	}
}

func TestWhoMayUseWiderConstraintsIsAnException(t *testing.T) {
	j := New(facts(t, "", openShift+scc("wide", "users: [root]\ngroups: [wheel]", whole)))
	for _, tt := range []struct {
		user   string
		groups []string
		want   bool
	}{{"root", nil, true}, {"ann", []string{"wheel"}, true}, {"ann", []string{"system:authenticated"}, false}, {"", nil, false}} {
		if got := j.Excepted("shop", tt.user, tt.groups); got != tt.want {
			t.Errorf("%s of %v: %v", tt.user, tt.groups, got)
		}
	}
	if got := j.Takeover("shop"); got.Pod != Refused || got.Workload != Refused {
		t.Errorf("what a controller makes is nobody's exception: %v", got)
	}
}

func TestConstraintsAreAboutEveryContainer(t *testing.T) {
	if got := New(facts(t, "", openShift)).Takeover("shop").Debugging; got != Refused {
		t.Errorf("a container for debugging: %v", got)
	}
	if got := New(facts(t, "", openShift+scc("wide", anybody, whole))).Takeover("shop").Debugging; got != Admitted {
		t.Errorf("where it is allowed: %v", got)
	}
}
