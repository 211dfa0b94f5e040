package segment

import (
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/graph"
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
			r = c.b.Node("Volume", id, graph.S("name", v.Name), graph.S("namespace", o.Namespace), graph.S("cluster", c.name),
				graph.S("workload", o.KindName()), text("type", v.Type), text("path", v.Path), graph.B("hostPath", v.Type == "hostPath"))
			c.volumes[id] = r
		}
		out[v.Name] = r
	}
	return out
}

// mounts joins a container to its volumes and to the Secrets and ConfigMaps it
// gets, as files or as variables.
func (c *cluster) mounts(p *collect.Pod, s *collect.ContainerShape, r graph.Ref, volumes map[string]graph.Ref) {
	for _, m := range s.Mounts {
		v, declared := volumes[m.Volume]
		if !declared {
			continue
		}
		props := []graph.Prop{text("path", m.Path), graph.B("readOnly", m.ReadOnly), graph.S("how", "volume")}
		c.b.Edge("MOUNTS", r, v, props...)
		for _, from := range p.Shape.Volumes {
			if from.Name != m.Volume {
				continue
			}
			for _, name := range from.Secrets {
				c.b.Edge("MOUNTS", r, c.referred(p.Of("Pod").Beside("Secret", name)), props...)
			}
			for _, name := range from.ConfigMaps {
				c.b.Edge("MOUNTS", r, c.referred(p.Of("Pod").Beside("ConfigMap", name)), props...)
			}
		}
	}
	for _, kind := range []struct {
		name string
		refs []collect.KeyRef
	}{{"Secret", s.EnvSecrets}, {"ConfigMap", s.EnvConfigMaps}} {
		for _, from := range kind.refs {
			how := "env"
			if from.Key == "" {
				how = "envFrom"
			}
			c.b.Edge("MOUNTS", r, c.referred(p.Of("Pod").Beside(kind.name, from.Name)), graph.S("how", how), graph.B("readOnly", true))
		}
	}
}

// readOnlyTypes are volumes that the kubelet fills and no container can write to.
var readOnlyTypes = map[string]bool{"secret": true, "configMap": true, "projected": true, "downwardAPI": true, "image": true}

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
				if !m.ReadOnly {
					writers = append(writers, s.Name)
				}
			}
		}
		for _, w := range writers {
			for _, u := range users {
				if w != u {
					c.b.Edge("SHARES_VOLUME", ref(w), ref(u), graph.S("volume", v.Name+" ("+v.Type+")"))
				}
			}
		}
	}
}
