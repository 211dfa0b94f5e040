package rbac

import (
	"maps"
	"slices"

	"github.com/breakwater-sec/breakwater/collect"
)

// byName is how an object is created whose name the request tells: by a server-side apply, which is a patch of what is
// not there yet, and of some kinds by PUT. To create and to change that name is then enough; a POST tells no name, and
// whoever may create by name only may send none.
type byName struct {
	create, write, remove int // of the asks
	kind                  string
}

// Nameless says that the API server, when it is sent to be created what is asked for, knows no name.
func (a Ask) Nameless() bool {
	return slices.Contains(a.Verbs, "create") && a.Resource != "" && a.Subresource == "" && a.Name == "" && !a.ByPut
}

// named is the ask for one verb on objects by their name.
func (a Ask) named(verbs ...string) Ask {
	return Ask{Verbs: verbs, Group: a.Group, Resource: a.Resource, ClusterScoped: a.ClusterScoped, ByPut: true}
}

// Changes are the verbs of which one creates what has a name, beside the right to create it: a server-side apply is a patch, and
// of what powers ask for only roles and bindings are created by PUT.
func (a Ask) Changes() []string {
	if a.Group == "rbac.authorization.k8s.io" {
		return []string{"patch", "update"}
	}
	return []string{"patch"}
}

// kindsOf are the kinds of resources that powers create, where such objects are read.
var kindsOf = map[string]string{
	"pods": "Pod", "deployments": "Deployment", "daemonsets": "DaemonSet", "statefulsets": "StatefulSet", "replicasets": "ReplicaSet",
	"jobs": "Job", "cronjobs": "CronJob", "replicationcontrollers": "ReplicationController", "secrets": "Secret",
	"persistentvolumes": "PersistentVolume", "persistentvolumeclaims": "PersistentVolumeClaim", "rolebindings": "RoleBinding",
	"clusterrolebindings": "ClusterRoleBinding", "mutatingwebhookconfigurations": "MutatingWebhookConfiguration",
	"namespaces": "Namespace",
}

// addByName adds what else is asked of whoever may create only what has certain names.
func (a *asked) addByName() {
	a.named = make([]*byName, len(a.asks))
	type object struct{ group, resource string }
	known := map[object]*byName{}
	for i, ask := range a.asks[:len(a.named)] {
		if !ask.Nameless() {
			continue
		}
		of := object{ask.Group, ask.Resource}
		if known[of] == nil {
			first := len(a.asks)
			known[of] = &byName{first, first + 1, first + 2, kindsOf[ask.Resource]}
			a.asks = append(a.asks, ask.named("create"), ask.named(ask.Changes()...), ask.named("delete"))
		}
		a.named[i] = known[of]
	}
}

// creates is where objects are created by a name that is not taken, or can be made free: which name that is, an attacker does
// not mind.
func (a *asked) creates(by *byName, found []reach) (out reach) {
	named := found[by.create].names
	if len(named) == 0 {
		return out
	}
	for ns, names := range (reach{names: named}).and(found[by.write]).names {
		for _, n := range slices.Sorted(maps.Keys(names)) {
			if a.there(by.kind, collect.Key{Namespace: ns, Name: n}) && !found[by.remove].covers(ns, n) {
				continue
			}
			w := *names[n]
			if w.creates = n; ns == "" {
				out.everywhere(&w)
			} else {
				out.namespace(ns, &w)
			}
			break
		}
	}
	return out
}

// proof is what proves a power to who has the grants.
func (e evidence) proof(grants []grant) *Witness {
	w := grants[e.grant].witness(e.rule)
	if w.Creates = e.creates; e.creates != "" {
		w.Text += ", by a server-side apply or PUT, which name what they create"
	}
	return w
}

// there says that an object was seen.
func (a *asked) there(kind string, k collect.Key) bool {
	return kind != "" && a.facts != nil && a.facts.Get(kind, k) != nil
}
