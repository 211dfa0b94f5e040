package segment

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/admission"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/rbac"
	"github.com/breakwater-sec/breakwater/ref"
)

// permission is the node of a power in a scope.
func (c *cluster) permission(power string, in rbac.Scope) graph.Ref {
	id := permissionID(power, in)
	if c.draws(id) {
		return c.b.Ref("Permission", id)
	}
	r := c.b.Node("Permission", id, graph.S("name", strings.ReplaceAll(power, "-", " ")+" in "+few(in).String()),
		graph.S("power", power),
		graph.S("scope", string(in.Kind)), text("namespace", in.Namespace), graph.S("cluster", c.name))
	if in.Namespace != "" {
		c.b.Edge("COVERS", r, c.namespace(in.Namespace))
	} else {
		c.b.Edge("COVERS", r, c.at(self))
	}
	if in.Kind == rbac.Names {
		c.named(r, in)
	}
	return r
}

// A scope of more than manyNames names is called by their number and a hash of them.
const (
	manyNames   = 16
	manyNamesID = 32
)

// few is a scope as it is told: with the first of many names.
func few(in rbac.Scope) rbac.Scope {
	if left := len(in.Names) - manyNames; left > 0 {
		in.Names = append(slices.Clone(in.Names[:manyNames]), fmt.Sprintf("%d more", left))
	}
	return in
}

func permissionID(power string, in rbac.Scope) string {
	id := "Permission/" + power + "@cluster"
	if names := strings.Join(in.Names, ","); in.Kind == rbac.Names && names == "cluster" && in.Namespace == "" {
		id = "Permission/" + power + "@name=cluster" // an object of that name is not the whole cluster
	} else if in.Kind == rbac.Names {
		if len(in.Names) > manyNames {
			names = fmt.Sprintf("%d-names-%x", len(in.Names), sha256.Sum256([]byte(names)))[:manyNamesID]
		}
		id = "Permission/" + power + "@" + names
	} else if in.Namespace != "" {
		id = "Permission/" + power
	}
	if in.Namespace != "" {
		id = in.Namespace + "/" + id
	}
	return id
}

// kindOf is the kind of the objects of a resource, where they are drawn.
var kindOf = map[string]string{
	"clusterrolebindings": "ClusterRoleBinding", "clusterroles": "ClusterRole", "configmaps": "ConfigMap", "cronjobs": "CronJob",
	"daemonsets": "DaemonSet", "deployments": "Deployment", "groups": "Group", "jobs": "Job",
	"mutatingwebhookconfigurations": "AdmissionWebhook", "namespaces": "Namespace", "nodes": "Node", "pods": "Pod",
	"replicasets": "ReplicaSet", "replicationcontrollers": "ReplicationController", "rolebindings": "RoleBinding", "roles": "Role",
	"secrets": "Secret", "serviceaccounts": "ServiceAccount", "statefulsets": "StatefulSet", "users": "User",
}

// named joins a permission to the objects that its scope names and that are there.
func (c *cluster) named(permission graph.Ref, in rbac.Scope) {
	for _, resource := range in.Of {
		kind := kindOf[resource]
		if kind == "" {
			continue
		}
		for _, name := range in.Names {
			if kind == "Secret" && in.Namespace != "" && !c.seen(kind) {
				c.referred(ref.Ref{Namespace: in.Namespace, Kind: kind, Name: name}) // that somebody may read it is how we know of it
			}
			named := c.things[thing{kind, name}]
			if node, is := strings.CutPrefix(name, nodeUser); is && kind == "User" {
				named = slices.Concat(named, c.things[thing{"Node", node}])
			}
			for _, is := range named {
				if in.Namespace == "" || in.Namespace == is.Namespace {
					c.b.Edge("NAMES", permission, c.at(is))
				}
			}
		}
	}
}

// thing is what a resourceName names: the objects of a kind that have the name.
type thing struct{ kind, name string }

// put remembers that an object is drawn.
func (c *cluster) put(is ref.Ref) {
	key := thing{is.Kind, is.Name}
	if !slices.Contains(c.things[key], is) {
		c.things[key] = append(c.things[key], is)
		if c.marked != nil {
			c.marked.put = append(c.marked.put, is)
		}
	}
}

// excepted draws the power that others amount to, and joins to it those who may create pods and of
// whom admission policies let pass what they refuse to others.
func (c *cluster) excepted() {
	r := c.permission(takeOverNodes, rbac.Scope{Kind: rbac.Cluster})
	if !c.judged.Admission.Personal() {
		return
	}
	for _, h := range c.judged.Holds {
		if h.Power != "create-pods" {
			continue
		}
		where := c.exceptedIn(h)
		if where == "" {
			continue
		}
		if id, ok := c.subject(h.Subject.Kind, h.Subject.Namespace, h.Subject.Name); ok {
			c.b.Edge("HOLDS", id, r, text("binding", refText(h.Witness.Binding)), text("role", refText(h.Witness.Role)),
				text("witnessRule", h.Witness.Text+" in namespace "+where+", where an admission policy makes an exception"))
		}
	}
}

// exceptedIn is a namespace of the scope where policies make an exception for the holder; empty if none does.
func (c *cluster) exceptedIn(h rbac.Hold) string {
	user, groups := h.Subject.As()
	byName := func(a, b collect.Key) int { return strings.Compare(a.Name, b.Name) }
	for _, ns := range slices.SortedFunc(maps.Keys(c.facts.Namespaces), byName) {
		covered := h.Scope.Kind == rbac.Cluster || h.Scope.Namespace == ns.Name
		if covered && c.judged.Admission.Excepted(ns.Name, user, groups) {
			return ns.Name
		}
	}
	return ""
}

// unguarded joins the powers to remove policies and create pods to what they amount to, where policies are
// all that keeps pods from taking over nodes.
func (c *cluster) unguarded() {
	done := map[string]bool{}
	for _, h := range c.judged.Holds {
		var left admission.Removal
		switch h.Power {
		case "remove-policies-and-create-pods":
			left.Policies = true
		case "unbind-policies-and-create-pods":
			left.Bindings = true
		default:
			continue
		}
		if id := permissionID(h.Power, h.Scope); done[id] || !c.there(h.Scope) {
			continue
		} else {
			done[id] = true
		}
		left.Names = h.Scope.Names
		for k := range c.facts.Namespaces {
			if covered := h.Scope.Namespace == "" || h.Scope.Namespace == k.Name; covered && c.judged.Admission.Unguarded(k.Name, left) {
				c.b.Edge("GIVES", c.permission(h.Power, h.Scope), c.permission(takeOverNodes, rbac.Scope{Kind: rbac.Cluster}))
				break
			}
		}
	}
}
