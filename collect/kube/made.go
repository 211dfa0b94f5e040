package kube

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/breakwater-sec/breakwater/collect"
)

// makePods adds the pods that workloads would make where no pod of theirs was
// read: one for each template, however many replicas they ask for, because all
// would be alike. The pods a Job's CronJob or a ReplicaSet's Deployment stands for
// are made once, by the topmost that was read.
//
// Who owns an object is its writer's word here, for no API server vouches for it.
// So it leaves out nothing but what would be the same again.
func (m *manifests) makePods() {
	m.placePods()
	all := m.templates
	for k, w := range m.facts.Workloads {
		all = append(all, templateOf(w))
		m.owners[k] = w.Owner
	}
	// One workload's are in their order, so that a name is the same each time.
	slices.SortStableFunc(all, func(a, b template) int { return compareWorkloads(a.owner, b.owner) })
	of := templates{}
	for _, t := range all {
		of[t.owner] = append(of[t.owner], t)
	}
	running := m.running()
	made := map[template]bool{}
	for _, t := range all {
		if t.shape == nil || len(t.shape.Containers) == 0 || t.idle || made[t] {
			continue
		}
		made[t] = true
		if pods := running[t.owner]; slices.ContainsFunc(pods, func(p *collect.Pod) bool { return runs(p.Shape, t.shape) }) {
			continue
		} else if len(pods) > 0 {
			m.doubtOwner(t.owner, "Pod "+pods[0].Key.String())
		}
		if of.top(t) != t.owner {
			continue
		}
		if owner := t.ownerKey(); len(of[owner]) > 0 && !of.same(t, owner) {
			m.doubtOwner(owner, workloadName(t.owner))
		}
		shape := m.claimed(t)
		for _, node := range m.places(shape, t.kind == "DaemonSet") {
			key := collect.Key{Namespace: t.owner.Namespace, Name: m.freeName(t.owner)}
			m.facts.Apply(collect.Change{Op: collect.Put, Kind: "Pod", Key: key, Object: &collect.Pod{
				Key: key, Node: node, Phase: "Pending", Labels: t.labels, Shape: shape, Made: true,
				Owner: collect.OwnerRef{Kind: t.kind, Name: t.owner.Name, UID: t.uid},
			}})
		}
	}
	m.tellDoubts()
}

// claimed is a template's shape with the claims that its controller makes for a pod, which take the place of volumes of
// the same names. Which storage they are given is as with other claims.
func (m *manifests) claimed(t template) *collect.PodShape {
	w := m.facts.Workloads[t.owner]
	if w == nil || w.Shape != t.shape || len(w.Claims) == 0 {
		return t.shape
	}
	out := *t.shape
	out.Volumes = slices.DeleteFunc(slices.Clone(out.Volumes), func(v collect.Volume) bool { _, instead := w.Claims[v.Name]; return instead })
	for _, volume := range slices.Sorted(maps.Keys(w.Claims)) {
		c := w.Claims[volume]
		out.Volumes = append(out.Volumes, collect.Volume{Name: volume, Type: "persistentVolumeClaim", Claim: c.Name})
		if m.facts.PersistentVolumeClaims[c.Key] == nil {
			m.facts.Apply(collect.Change{Op: collect.Put, Kind: "PersistentVolumeClaim", Key: c.Key, Object: &c})
		}
	}
	return &out
}

// maxOwners bounds a chain of owners.
const maxOwners = 8

// templates are those that were read, by the object they stand in.
type templates map[collect.WorkloadKey][]template

// ownerKey is what a template's object names as its owner.
func (t template) ownerKey() collect.WorkloadKey {
	return collect.WorkloadKey{Kind: t.up.Kind, Key: collect.Key{Namespace: t.owner.Namespace, Name: t.up.Name}}
}

// same says that an object makes pods by the same template.
func (all templates) same(t template, in collect.WorkloadKey) bool {
	return slices.ContainsFunc(all[in], func(owner template) bool { return owner.shape == t.shape && !owner.idle })
}

// top is the topmost of a template's owners that has the same template, or the
// object itself. Of owners in a ring it is the first by name.
func (all templates) top(t template) collect.WorkloadKey {
	way := []collect.WorkloadKey{t.owner}
	for range maxOwners {
		owner := t.ownerKey()
		if !all.same(t, owner) {
			break
		}
		if i := slices.Index(way, owner); i >= 0 {
			return slices.MinFunc(way[i:], compareWorkloads)
		}
		way = append(way, owner)
		t = all[owner][slices.IndexFunc(all[owner], func(a template) bool { return a.shape == t.shape && !a.idle })]
	}
	return way[len(way)-1]
}

// running is the pods that were read, by every workload that they name as an owner
// or that such an owner names. Where pods are started again, one that ended stands
// for none.
func (m *manifests) running() map[collect.WorkloadKey][]*collect.Pod {
	out := map[collect.WorkloadKey][]*collect.Pod{}
	for _, key := range slices.SortedFunc(maps.Keys(m.facts.Pods), compareKeys) {
		p := m.facts.Pods[key]
		up := p.Owner
		ended := (p.Phase == "Succeeded" || p.Phase == "Failed") && up.Kind != "Job"
		for range maxOwners {
			if up.Kind == "" || ended {
				break
			}
			k := collect.WorkloadKey{Kind: up.Kind, Key: collect.Key{Namespace: p.Namespace, Name: up.Name}}
			out[k] = append(out[k], p)
			up = m.owners[k]
		}
	}
	return out
}

// runs says that a pod is what a template asks for, and perhaps more: admission
// adds volumes, containers and secrets for pulling images.
func runs(pod, asked *collect.PodShape) bool {
	if pod == asked {
		return true
	}
	if pod == nil {
		return false
	}
	a, b := *pod, *asked
	a.Containers, a.Volumes, a.ImagePullSecrets, a.Placing = nil, nil, nil, nil
	b.Containers, b.Volumes, b.ImagePullSecrets, b.Placing = nil, nil, nil, nil
	if !reflect.DeepEqual(a, b) {
		return false
	}
	for _, c := range asked.Containers {
		if !slices.ContainsFunc(pod.Containers, func(p collect.ContainerShape) bool {
			p.Mounts = slices.DeleteFunc(slices.Clone(p.Mounts), func(m collect.Mount) bool { return !slices.Contains(c.Mounts, m) })
			if len(p.Mounts) == 0 {
				p.Mounts = c.Mounts[:0]
			}
			return reflect.DeepEqual(p, c)
		}) {
			return false
		}
	}
	for _, v := range asked.Volumes {
		if !slices.ContainsFunc(pod.Volumes, func(p collect.Volume) bool { return reflect.DeepEqual(p, v) }) {
			return false
		}
	}
	return true
}

// doubtOwner notes that something names an owner whose template is not as it is.
func (m *manifests) doubtOwner(owner collect.WorkloadKey, named string) {
	if m.doubts++; m.doubts == 1 {
		m.doubt = named + " names " + workloadName(owner)
	}
}

// tellDoubts says that owners were named whose templates are not as what names them.
func (m *manifests) tellDoubts() {
	if m.doubts == 0 {
		return
	}
	m.facts.Apply(collect.Change{Op: collect.GapOpen, Gap: &collect.Gap{Source: "file", What: "owners", Since: time.Now(),
		Why:         fmt.Sprintf("%d name an owner whose template is another than theirs, the first of them: %s", m.doubts, m.doubt),
		Consequence: "Both count as running: one of the two may have ended."}})
}

func workloadName(k collect.WorkloadKey) string { return k.Kind + " " + k.Key.String() }

// placePods puts the pods that no node was chosen for on the node that they would
// be placed on, or every way out of them would end nowhere. One that an API server
// stored beside its nodes runs on none of them yet.
func (m *manifests) placePods() {
	nodes := len(m.facts.Nodes) > 0
	for _, p := range m.facts.Pods {
		if p.Node == "" && (p.Phase == "" || p.Phase == "Pending") && (p.UID == "" || !nodes) {
			p.Node, p.Made = m.places(p.Shape, false)[0], true
		}
	}
}

// scaledDown workloads make no pods. A DaemonSet's number is a status that
// manifests do not have; a CronJob's is zero while it is suspended.
func scaledDown(w *collect.Workload) bool { return w.Replicas == 0 && w.Kind != "DaemonSet" }

func (m *manifests) freeName(k collect.WorkloadKey) string {
	name := k.Name
	for i := 2; m.facts.Pods[collect.Key{Namespace: k.Namespace, Name: name}] != nil; i++ {
		name = fmt.Sprintf("%s-%d", k.Name, i)
	}
	return name
}

func compareKeys(a, b collect.Key) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}

func compareWorkloads(a, b collect.WorkloadKey) int {
	return slices.Compare([]string{a.Namespace, a.Kind, a.Name}, []string{b.Namespace, b.Kind, b.Name})
}
