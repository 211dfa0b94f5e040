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
// makes what such owners own; where the owner is of a kind that only an operator
// knows, any service account may be that operator.
func (r *record) owner(m *metadata) (uid, kind string) {
	i := slices.IndexFunc(m.Owners, func(o owner) bool { return o.Controller })
	if i < 0 {
		return "", ""
	}
	o := m.Owners[i]
	group, _, _ := strings.Cut("/"+o.Version, "/v")
	class := r.user.class()
	_, account, _ := r.user.account()
	maker, made := makers[strings.TrimPrefix(group, "/")+"/"+o.Kind]
	switch {
	case made && class == controller && (account == maker || r.user.name == controllerManager):
	case !made && !isKind(o.Kind) && class == serviceAccount:
	default:
		return "", ""
	}
	return o.UID, o.Kind
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
