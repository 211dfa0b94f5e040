package live

import "time"

const (
	// cooldown times its length is the least pause that a computation costs: a cluster is
	// computed at most a quarter of the time.
	cooldown = 3
	// ahead is how much computing may be owed for what people change. It bounds what they can cost at once.
	ahead = time.Minute
)

// pace says when a cluster may be computed again. What was computed is paid for by time;
// one computation may be owed in advance, so that what changes while a quiet cluster is
// computed waits for no pause. What people change waits for none until more is owed: pods come and go in a large cluster all
// the time, and who may do what should not stand in line with them.
type pace struct {
	paid time.Time // until then
	next time.Time // for what comes and goes by itself
	soon time.Time // for what people change
}

// took notes a computation.
func (p *pace) took(started, ended time.Time) {
	cost := (1 + cooldown) * ended.Sub(started)
	p.paid = later(p.paid, started).Add(cost)
	p.next = later(ended, p.paid.Add(-cost))
	p.soon = later(ended, p.paid.Add(-max(cost, (1+cooldown)*ahead)))
}

// after is when changes of some kinds may be computed.
func (p *pace) after(kinds map[string]bool) time.Time {
	for kind := range kinds {
		if !byItself[kind] {
			return p.soon
		}
	}
	return p.next
}

// byItself are the kinds of which objects come, go and change without anybody: controllers and kubelets do it.
var byItself = map[string]bool{"Pod": true, "Node": true, "EndpointSlice": true, "ReplicaSet": true, "Job": true, "Deployment": true,
	"StatefulSet": true, "ReplicationController": true, "ConfigMap": true, "PersistentVolume": true, "PersistentVolumeClaim": true,
	"Image": true, "Gap": true, "Cluster": true}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
