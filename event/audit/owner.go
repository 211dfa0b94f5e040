package audit

import (
	"slices"
	"strings"
)

// makers are the loops that make what Kubernetes' own kinds own.
var makers = map[string]string{
	"apps/DaemonSet": "daemon-set-controller", "apps/Deployment": "deployment-controller", "apps/ReplicaSet": "replicaset-controller",
	"apps/StatefulSet": "statefulset-controller", "batch/CronJob": "cronjob-controller", "batch/Job": "job-controller",
	"/ReplicationController": "replication-controller",
}

// owner is what controls the object that was written, if that can be believed. Who
// writes an object may name any owner. It counts where the writer is the loop that
// makes what such owners own. An owner of a kind that only an operator knows counts where
// the writer is that operator: of is the group that it must have been seen to write the state of.
func (r *record) owner(m *metadata) (uid, kind, of string) {
	i := slices.IndexFunc(m.Owners, func(o owner) bool { return o.Controller })
	if i < 0 {
		return "", "", ""
	}
	o := m.Owners[i]
	group, _, _ := strings.Cut("/"+o.Version, "/v")
	group = strings.TrimPrefix(group, "/")
	class := r.user.class("")
	_, account, _ := r.user.account()
	maker, made := makers[group+"/"+o.Kind]
	switch {
	case made && class == controller && (account == maker || r.user.name == controllerManager):
		return o.UID, o.Kind, ""
	case !made && !isKind(o.Kind) && class == serviceAccount && group != "":
		return o.UID, o.Kind, group
	}
	return "", "", ""
}

// operator is an account that writes the state of the kinds of a group.
type operator struct{ account, group string }

// maxOperators bounds how many are remembered.
const maxOperators = 4096

// operates is the operator that a request shows: nobody but who is allowed to can write the state of things.
func (r *record) operates() (o operator, ok bool) {
	if r.ref.subresource != "status" || r.verb != "update" && r.verb != "patch" || !r.isCustom() || r.outcome() != "success" ||
		r.user.class("") != serviceAccount {
		return operator{}, false
	}
	return operator{r.user.name, r.ref.group}, true
}

// isKind says that a kind is one of Kubernetes itself.
func isKind(kind string) bool {
	for _, k := range kinds {
		if k == kind {
			return true
		}
	}
	return false
}
