package segment

import (
	"cmp"
	"slices"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/hostpath"
	"github.com/breakwater-sec/breakwater/ref"
)

// volumesOf makes the volumes a workload's pods declare, once for all its pods.
func (c *cluster) volumesOf(o ref.Ref, s *collect.PodShape) map[string]graph.Ref {
	if len(s.Volumes) == 0 {
		return nil
	}
	out := make(map[string]graph.Ref, len(s.Volumes))
	for _, v := range s.Volumes {
		id := o.ID() + "/volume/" + v.Name
		r, made := c.volumes[id]
		if !made {
			folder, onNode := c.hostFolder(o.Namespace, &v)
			r = c.b.Node("Volume", id, graph.S("name", v.Name), graph.S("namespace", o.Namespace), graph.S("cluster", c.name),
				graph.S("workload", o.KindName()), text("type", v.Type), text("path", cmp.Or(folder, v.Path)), graph.B("hostPath", onNode))
			c.volumes[id] = r
		}
		out[v.Name] = r
	}
	return out
}

// hostFolder is the folder, file or device of a node that a volume is, itself or
// through its claim.
func (c *cluster) hostFolder(namespace string, v *collect.Volume) (path string, ok bool) {
	if v.Type == "hostPath" {
		return v.Path, true
	}
	if pv := c.volumeOf(namespace, v); pv != nil && pv.Path != "" {
		return pv.Path, true
	}
	return "", false
}

// volumeOf is the persistent volume that a volume's claim has or, where nothing has
// bound it yet, would be given: as the API server chooses, the smallest that fits.
func (c *cluster) volumeOf(namespace string, v *collect.Volume) *collect.PersistentVolume {
	key := collect.Key{Namespace: namespace, Name: v.Claim}
	claim := c.facts.PersistentVolumeClaims[key]
	if v.Claim == "" || claim == nil {
		return nil
	}
	if claim.Volume != "" {
		return c.facts.PersistentVolumes[collect.Key{Name: claim.Volume}]
	}
	best, known := c.claims[key]
	if !known {
		if best = c.fitting(key, claim); c.claims != nil {
			c.claims[key] = best
		}
	}
	return best
}

// claimed says of namespaces what their claims open to any pod that mounts them: folders of whichever node it runs on.
func (c *cluster) claimed() {
	open := map[string][]string{}
	for key := range c.facts.PersistentVolumeClaims {
		pv := c.volumeOf(key.Namespace, &collect.Volume{Claim: key.Name})
		if pv == nil || pv.Path == "" || pv.Pinned || pv.Block {
			continue
		}
		open[key.Namespace] = append(open[key.Namespace], hostpath.Ways(pv.Path, false)...)
	}
	for namespace, ways := range open {
		slices.Sort(ways)
		c.b.Set(c.namespace(namespace), list("claimsOpen", slices.Compact(ways)))
	}
}

// fitting is the volume that is bound to a claim, or would be.
func (c *cluster) fitting(key collect.Key, claim *collect.PersistentVolumeClaim) (best *collect.PersistentVolume) {
	for _, pv := range c.facts.PersistentVolumes {
		switch {
		case pv.Claim == key:
			return pv
		case pv.Claim != collect.Key{} || !fits(pv, claim):
		case best == nil || cmp.Or(cmp.Compare(pv.Size, best.Size), cmp.Compare(pv.Name, best.Name)) < 0:
			best = pv
		}
	}
	return best
}

func fits(pv *collect.PersistentVolume, claim *collect.PersistentVolumeClaim) bool {
	for k, v := range claim.Labels {
		if pv.Labels[k] != v {
			return false
		}
	}
	for _, m := range claim.Modes {
		if !slices.Contains(pv.Modes, m) {
			return false
		}
	}
	return claim.Class != nil && *claim.Class == pv.Class && pv.Size >= claim.Size && pv.Block == claim.Block
}

// mounts joins a container to its volumes and to the Secrets and ConfigMaps it
// gets, as files or as variables.
func (c *cluster) mounts(p *collect.Pod, s *collect.ContainerShape, r graph.Ref, volumes map[string]graph.Ref) {
	crowded, shown := givenOften(p.Shape, s), map[string]bool{}
	for _, m := range s.Mounts {
		v := volumeNamed(p.Shape, m.Volume)
		if v == nil {
			continue
		}
		props := []graph.Prop{text("path", m.Path), graph.B("readOnly", m.ReadOnly || v.ReadOnly), graph.S("how", "volume")}
		c.b.Edge("MOUNTS", r, volumes[m.Volume], told(append(c.opened(p, v, &m), props...))...)
		if crowded {
			if shown[v.Name] {
				continue
			}
			shown[v.Name], m = true, collect.Mount{Volume: m.Volume, Path: m.Path, ReadOnly: m.ReadOnly} // all of it, which is as true of one
		}
		for _, name := range v.Secrets {
			c.b.Edge(
				"MOUNTS",
				r,
				c.referred(p.Of("Pod").Beside("Secret", name)),
				told(append(c.part(p, name, keysShown(v, &m, name)), props...))...)
		}
		for _, name := range v.ConfigMaps {
			c.b.Edge("MOUNTS", r, c.referred(p.Of("Pod").Beside("ConfigMap", name)), props...)
		}
	}
	for _, name := range s.Devices {
		if v := volumeNamed(p.Shape, name); v != nil {
			c.b.Edge("MOUNTS", r, volumes[name], told(append(c.device(p, v), graph.S("how", "device")))...)
		}
	}
	for _, kind := range []struct {
		name string
		refs []collect.KeyRef
	}{{"Secret", s.EnvSecrets}, {"ConfigMap", s.EnvConfigMaps}} {
		for _, from := range kind.refs {
			how, part := "envFrom", []graph.Prop(nil)
			if from.Key != "" {
				how = "env"
				if kind.name == "Secret" {
					part = c.part(p, from.Name, []string{from.Key})
				}
			}
			c.b.Edge("MOUNTS", r, c.referred(p.Of("Pod").Beside(kind.name, from.Name)),
				append(part, graph.S("how", how), graph.B("readOnly", true))...)
		}
	}
}

// maxGiven is how many times a container gets a Secret or ConfigMap by mounting volumes of them: beyond, each volume counts once. A pod
// may mount one volume at thousands of paths, and each may be made of thousands of Secrets.
const maxGiven = 4096

func givenOften(pod *collect.PodShape, s *collect.ContainerShape) bool {
	n := 0
	for _, m := range s.Mounts {
		if v := volumeNamed(pod, m.Volume); v != nil {
			n += len(v.Secrets) + len(v.ConfigMaps)
		}
	}
	return n > maxGiven
}

// keysShown are the keys of a Secret that a mounted volume shows; none means all.
func keysShown(v *collect.Volume, m *collect.Mount, secret string) (keys []string) {
	for _, k := range v.Items {
		if k.Name == secret {
			keys = append(keys, k.Key)
		}
	}
	if len(keys) == 0 && m.SubPath != "" && !m.Expanded {
		keys = []string{m.SubPath}
	}
	return keys
}

// part says of a token's Secret that a container gets keys of it beside the token.
func (c *cluster) part(p *collect.Pod, secret string, keys []string) []graph.Prop {
	s := c.facts.Secrets[collect.Key{Namespace: p.Namespace, Name: secret}]
	if s == nil || s.Account == "" || len(keys) == 0 || slices.Contains(keys, "token") {
		return nil
	}
	return []graph.Prop{graph.B("withoutToken", true)}
}

// opened tells which folder of its node a container mounts and what that opens. Of a
// part that is chosen by variables only the folder it lies in is known.
func (c *cluster) opened(p *collect.Pod, v *collect.Volume, m *collect.Mount) []graph.Prop {
	folder, onNode := c.hostFolder(p.Namespace, v)
	if !onNode {
		return nil
	}
	if !m.Expanded {
		folder = hostpath.Join(folder, m.SubPath)
	}
	return []graph.Prop{text("hostFolder", folder), list("opens", hostpath.Ways(folder, m.ReadOnly || v.ReadOnly))}
}

func (c *cluster) device(p *collect.Pod, v *collect.Volume) []graph.Prop {
	folder, onNode := c.hostFolder(p.Namespace, v)
	if !onNode {
		return nil
	}
	return []graph.Prop{text("hostFolder", folder), list("opens", []string{hostpath.Disk})}
}

// needs joins a pod to the Secrets that its node gets for it and no container does:
// a volume's too that none of them mounts, for the pod names it.
func (c *cluster) needs(p *collect.Pod, r graph.Ref) {
	need := func(name, how string) {
		c.b.Edge("NEEDS", r, c.referred(p.Of("Pod").Beside("Secret", name)), graph.S("how", how))
	}
	for _, name := range c.pullSecrets(p) {
		need(name, "image pull")
	}
	for _, v := range p.Shape.Volumes {
		for _, name := range v.NodeSecrets {
			need(name, "volume")
		}
		if !slices.ContainsFunc(p.Shape.Containers, func(s collect.ContainerShape) bool {
			return slices.ContainsFunc(s.Mounts, func(m collect.Mount) bool { return m.Volume == v.Name })
		}) {
			for _, name := range v.Secrets {
				need(name, "volume")
			}
		}
	}
}

// maxPulled is how many secrets for images of an account are drawn for each of its pods, which may be thousands.
const maxPulled = 64

// pullSecrets are the pod's own or, as admission does, its account's.
func (c *cluster) pullSecrets(p *collect.Pod) (out []string) {
	if len(p.Shape.ImagePullSecrets) > 0 {
		return p.Shape.ImagePullSecrets
	}
	if sa := c.facts.ServiceAccounts[collect.Key{Namespace: p.Namespace, Name: account(p.Shape)}]; sa != nil && p.Owner.Kind != "Node" {
		for i, s := range sa.ImagePullSecrets {
			if i == maxPulled {
				if c.unpulled == nil {
					c.unpulled = map[collect.Key]bool{}
				}
				c.unpulled[collect.Key{Namespace: sa.Namespace, Name: sa.Name}] = true
				break
			}
			out = append(out, s.Name)
		}
	}
	return out
}

// readOnlyTypes are volumes that the kubelet fills and no container can write to.
var readOnlyTypes = map[string]bool{"secret": true, "configMap": true, "projected": true, "downwardAPI": true, "image": true}

// maxSharing is how many containers that share a volume are joined with each other, and not over one of them: who makes
// a pod may write thousands of mounts into it, and the edges are their square.
const maxSharing = 16

// sharedVolumes joins containers of one pod through volumes that one of them can
// write to. It is a fact of its own because volumes are nodes of the workload,
// and replicas do not share an emptyDir.
func (c *cluster) sharedVolumes(p *collect.Pod, ref func(container string) graph.Ref) {
	if len(p.Shape.Containers) < 2 {
		return
	}
	for _, v := range p.Shape.Volumes {
		if readOnlyTypes[v.Type] {
			continue
		}
		var writers, users []string
		for _, s := range p.Shape.Containers {
			for _, m := range s.Mounts {
				if m.Volume != v.Name || s.Type == collect.Init {
					continue
				}
				users = append(users, s.Name)
				if !m.ReadOnly && !v.ReadOnly {
					writers = append(writers, s.Name)
				}
			}
		}
		join := func(w, u string) {
			if w != u {
				c.b.Edge("SHARES_VOLUME", ref(w), ref(u), graph.S("volume", v.Name+" ("+v.Type+")"))
			}
		}
		if len(writers)*len(users) > maxSharing*maxSharing {
			for _, w := range writers { // over one of them, which is as true and no square
				join(w, writers[0])
			}
			for _, u := range users {
				join(writers[0], u)
			}
			continue
		}
		for _, w := range writers {
			for _, u := range users {
				join(w, u)
			}
		}
	}
}

// HostFolder is the folder, file or device of a node that a pod's volume is, itself or
// through its claim.
func HostFolder(f *collect.Facts, namespace string, v *collect.Volume) (path string, ok bool) {
	c := &cluster{facts: f}
	return c.hostFolder(namespace, v)
}
