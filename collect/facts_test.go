package collect

import (
	"reflect"
	"testing"
	"time"
)

func pod(ns, name, node string) *Pod { return &Pod{Key: Key{ns, name}, Node: node} }

func TestApply(t *testing.T) {
	web := Key{"shop", "web"}
	gap := Gap{Source: "api", What: "services", Why: "403", Since: time.Unix(1, 0)}
	later := gap
	later.Since = time.Unix(9, 0)
	put := func(p *Pod) Change { return Change{Op: Put, Kind: "Pod", Key: p.Key, Object: p} }
	tests := []struct {
		name    string
		before  []Change
		change  Change
		changed bool
		pods    int
	}{
		{"a first put changes", nil, put(pod("shop", "web", "")), true, 1},
		{"an equal put changes nothing", []Change{put(pod("shop", "web", "a"))}, put(pod("shop", "web", "a")), false, 1},
		{"another node changes", []Change{put(pod("shop", "web", "a"))}, put(pod("shop", "web", "b")), true, 1},
		{"gone removes", []Change{put(pod("shop", "web", "a"))}, Change{Op: Gone, Kind: "Pod", Key: web}, true, 0},
		{"gone of the unknown changes nothing", nil, Change{Op: Gone, Kind: "Pod", Key: web}, false, 0},
		{"a resync removes what the list lacked", []Change{put(pod("shop", "web", "a")), put(pod("shop", "old", "a"))},
			Change{Op: Resynced, Kind: "Pod", Keys: map[Key]struct{}{web: {}}}, true, 1},
		{"a resync that holds everything changes nothing", []Change{put(pod("shop", "web", "a"))},
			Change{Op: Resynced, Kind: "Pod", Keys: map[Key]struct{}{web: {}}}, false, 1},
		{"a resync of one workload kind leaves the others", []Change{{Op: Put, Kind: "Job", Key: web, Object: &Workload{}}},
			Change{Op: Resynced, Kind: "Deployment"}, false, 0},
		{"a gap opens", nil, Change{Op: GapOpen, Gap: &gap}, true, 0},
		{"the same gap seen later is the same gap", []Change{{Op: GapOpen, Gap: &gap}}, Change{Op: GapOpen, Gap: &later}, false, 0},
		{"a gap closes", []Change{{Op: GapOpen, Gap: &gap}}, Change{Op: GapClosed, Gap: &gap}, true, 0},
		{"a gap that was not there does not close", nil, Change{Op: GapClosed, Gap: &gap}, false, 0},
		{"a count changes", nil, Change{Op: Counted, Kind: "foos.example.org", Object: 3}, true, 0},
		{"cluster info changes", nil, Change{Op: Info, Object: ClusterInfo{Name: "prod"}}, true, 0},
		{"alive moves only the time", nil, Change{Op: Alive, Time: time.Unix(5, 0)}, false, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := NewFacts()
			for _, c := range tt.before {
				f.Apply(c)
			}
			if got := f.Apply(tt.change); got != tt.changed {
				t.Errorf("changed = %v, want %v", got, tt.changed)
			}
			if len(f.Pods) != tt.pods {
				t.Errorf("%d pods, want %d", len(f.Pods), tt.pods)
			}
		})
	}
}

func TestAliveNeverGoesBack(t *testing.T) {
	f := NewFacts()
	f.Apply(Change{Op: Alive, Time: time.Unix(5, 0)})
	f.Apply(Change{Op: Alive, Time: time.Unix(3, 0)})
	if !f.AsOf.Equal(time.Unix(5, 0)) {
		t.Errorf("as of %v", f.AsOf)
	}
}

func TestACloneStaysAsItWas(t *testing.T) {
	f := NewFacts()
	f.Apply(Change{Op: Put, Kind: "Pod", Key: Key{"a", "b"}, Object: pod("a", "b", "")})
	c := f.Clone()
	f.Apply(Change{Op: Gone, Kind: "Pod", Key: Key{"a", "b"}})
	f.Apply(Change{Op: Counted, Kind: "x", Object: 1})
	if len(c.Pods) != 1 || len(c.Unread) != 0 {
		t.Error("the clone moved with the original")
	}
}

func TestEveryMapOfFactsIsMadeAndClonedForItself(t *testing.T) {
	f := NewFacts()
	c := reflect.ValueOf(*f.Clone())
	for i, field := range reflect.VisibleFields(c.Type()) {
		if field.Type.Kind() != reflect.Map {
			continue
		}
		if here, there := reflect.ValueOf(*f).Field(i), c.Field(i); here.IsNil() || here.Pointer() == there.Pointer() {
			t.Errorf("%s is nil or shared with the clone", field.Name)
		}
	}
}

func TestEveryWorkloadKindIsKeptApart(t *testing.T) {
	f := NewFacts()
	k := Key{"shop", "web"}
	for i, kind := range []string{"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "ReplicationController"} {
		f.Apply(Change{Op: Put, Kind: kind, Key: k, Object: &Workload{WorkloadKey: WorkloadKey{kind, k}}})
		for got, o := range f.Each(kind) {
			if got != k || o.(*Workload).Kind != kind {
				t.Errorf("%s yields %s %s", kind, o.(*Workload).Kind, got)
			}
		}
		if f.Len(kind) != 1 || len(f.Workloads) != i+1 {
			t.Errorf("%d of kind %s, %d in all", f.Len(kind), kind, len(f.Workloads))
		}
	}
	if !f.Apply(Change{Op: Resynced, Kind: "Job"}) || f.Len("Job") != 0 || len(f.Workloads) != 6 {
		t.Errorf("%d jobs, %d workloads after no job was listed", f.Len("Job"), len(f.Workloads))
	}
}

func TestEveryKindHasATable(t *testing.T) {
	f := NewFacts()
	for _, k := range Kinds {
		if f.Len(k) != 0 || f.Apply(Change{Op: Gone, Kind: k}) {
			t.Errorf("%s is not empty", k)
		}
		for range f.Each(k) {
			t.Errorf("%s yields", k)
		}
	}
}
