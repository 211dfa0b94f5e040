package remedy

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/hostpath"
	"github.com/breakwater-sec/breakwater/ref"
	"github.com/breakwater-sec/breakwater/segment"
)

// template is a patch of what pods are made from: that of the workload which people
// edit, not of its pods.
type template struct {
	of         ref.Ref
	shape      *collect.PodShape
	namespace  string
	pod        map[string]any
	containers map[string]*container
	notes      []string
}

// container is the patch of one container.
type container struct {
	shape collect.ContainerShape
	spec  map[string]any
	drop  []string
	// readOnly and out are the paths of mounts.
	readOnly, out []string
}

// template adds what the fix of a technique changes.
func (e *edit) template(pod *collect.Pod, name string, code *analyse.Code) error {
	t, err := e.templateOf(pod)
	if err != nil {
		return err
	}
	merge(t.pod, code.Pod)
	if code.Token {
		if err := t.withoutToken(pod); err != nil {
			return err
		}
	}
	if code.Container == nil && len(code.Drop) == 0 && code.Mounts == "" && !code.Digest {
		return nil
	}
	i := slices.IndexFunc(t.shape.Containers, func(s collect.ContainerShape) bool { return s.Name == name })
	if i < 0 || t.shape.Containers[i].Type == collect.Ephemeral {
		return fmt.Errorf("container %s is no part of %s: it goes with its pod", name, t.of)
	}
	c := t.container(t.shape.Containers[i])
	merge(c.spec, code.Container)
	for _, capability := range code.Drop {
		if !slices.Contains(c.drop, capability) {
			c.drop = append(c.drop, capability)
		}
	}
	if code.Digest {
		return c.byDigest(pod)
	}
	if code.Mounts != "" {
		return e.m.unmount(t, c, code.Mounts)
	}
	return nil
}

// container is the patch of one container, begun or new.
func (t *template) container(s collect.ContainerShape) *container {
	c := t.containers[s.Name]
	if c == nil {
		c = &container{shape: s, spec: map[string]any{}}
		t.containers[s.Name] = c
	}
	return c
}

// templateOf is the patch of what a pod is made from, begun or new.
func (e *edit) templateOf(pod *collect.Pod) (*template, error) {
	owner := e.m.owner(pod)
	for _, t := range e.templates {
		if t.of == owner {
			return t, nil
		}
	}
	t := &template{of: owner, shape: pod.Shape, namespace: pod.Namespace, pod: map[string]any{}, containers: map[string]*container{}}
	if _, known := apiVersions[owner.Kind]; !known || pod.Owner.Kind == "Node" {
		return nil, fmt.Errorf("how %s is written is not known here", owner)
	}
	if w := e.m.facts.Workloads[collect.WorkloadKey{Kind: owner.Kind, Key: collect.KeyOf(owner)}]; w != nil && w.Shape != nil {
		t.shape = w.Shape
	}
	switch owner.Kind {
	case "ReplicaSet", "ReplicationController":
		t.notes = append(t.notes, "Its pods stay as they are until they are deleted.")
	case "Pod":
		t.notes = append(t.notes, "A pod cannot be changed so: it is deleted and made again. Change the manifest that it comes from, too.")
	case "Job":
		t.notes = append(t.notes, "A job cannot be changed: put this into its manifest, delete the job and make it again.")
	}
	e.templates = append(e.templates, t)
	return t, nil
}

// withoutToken keeps the account's token out of the pod.
func (t *template) withoutToken(pod *collect.Pod) error {
	for _, v := range t.shape.Volumes {
		switch {
		case v.Token && strings.HasPrefix(v.Name, "kube-api-access-"): // a pod as admission has made it
			for _, s := range t.shape.Containers {
				for _, m := range s.Mounts {
					if m.Volume == v.Name {
						c := t.container(s)
						c.out = append(c.out, m.Path)
					}
				}
			}
		case v.Token && v.Audience == "":
			return fmt.Errorf("volume %s gives the token to the program: whether it needs it only its owner knows", v.Name)
		}
	}
	t.pod["automountServiceAccountToken"] = false
	t.notes = append(t.notes, "No container of the pod can ask the API server then.")
	return nil
}

// withoutHostPorts takes the containers' ports off the nodes, which else stay open there.
func (t *template) withoutHostPorts() {
	for _, s := range t.shape.Containers {
		var ports []any
		for _, p := range s.Ports {
			if p.HostPort != 0 {
				ports = append(ports, map[string]any{"containerPort": p.Port, "protocol": cmp.Or(p.Protocol, "TCP"), "hostPort": nil})
			}
		}
		if ports != nil {
			t.container(s).spec["ports"] = ports
		}
	}
}

// byDigest names the image by what runs.
func (c *container) byDigest(pod *collect.Pod) error {
	i := slices.IndexFunc(pod.Shape.Containers, func(s collect.ContainerShape) bool { return s.Name == c.shape.Name })
	if i >= 0 && pod.Images != nil && i < len(pod.Images.IDs) {
		if _, digest, ok := strings.Cut(pod.Images.IDs[i], "@"); ok {
			name, _, _ := strings.Cut(c.shape.Image, "@")
			if tag := strings.LastIndex(name, ":"); tag > strings.LastIndex(name, "/") {
				name = name[:tag]
			}
			c.spec["image"] = name + "@" + digest
			return nil
		}
	}
	return fmt.Errorf("which image container %s runs is not known", c.shape.Name)
}

// unmount has the container's mounts no longer open something of its node: read-only
// where that is enough, else without.
func (m *Maker) unmount(t *template, c *container, way string) error {
	for _, mount := range c.shape.Mounts {
		i := slices.IndexFunc(t.shape.Volumes, func(v collect.Volume) bool { return v.Name == mount.Volume })
		if i < 0 {
			continue
		}
		v := &t.shape.Volumes[i]
		folder, onNode := segment.HostFolder(m.facts, t.namespace, v)
		if !mount.Expanded {
			folder = hostpath.Join(folder, mount.SubPath)
		}
		switch {
		case !onNode || !slices.Contains(hostpath.Ways(folder, mount.ReadOnly || v.ReadOnly), way):
		case len(hostpath.Ways(folder, true)) == 0:
			c.readOnly = append(c.readOnly, mount.Path)
		default:
			c.out = append(c.out, mount.Path)
		}
	}
	if len(c.readOnly)+len(c.out) == 0 {
		return fmt.Errorf("container %s is given a raw device: another kind of volume has to be made for it", c.shape.Name)
	}
	return nil
}

// change is the whole patch.
func (t *template) change() analyse.Change {
	spec := map[string]any{}
	merge(spec, t.pod)
	for _, name := range slices.Sorted(maps.Keys(t.containers)) {
		c := t.containers[name]
		list := "containers"
		if c.shape.Type == collect.Init || c.shape.Type == collect.Sidecar {
			list = "initContainers"
		}
		have, _ := spec[list].([]any)
		spec[list] = append(have, c.patch())
	}
	if out := t.unused(); len(out) > 0 {
		spec["volumes"] = out
	}
	for _, at := range slices.Backward(places[t.of.Kind]) {
		spec = map[string]any{at: spec}
	}
	if t.of.Kind == "Pod" {
		return replacement(t.of, spec, t.notes)
	}
	return patch(t.of, "strategic", spec, t.notes)
}

// places are where the spec of pods stands in what makes them.
var places = map[string][]string{
	"Pod": {"spec"}, "CronJob": {"spec", "jobTemplate", "spec", "template", "spec"}, "Job": {"spec", "template", "spec"},
	"Deployment": {"spec", "template", "spec"}, "StatefulSet": {"spec", "template", "spec"}, "DaemonSet": {"spec", "template", "spec"},
	"ReplicaSet": {"spec", "template", "spec"}, "ReplicationController": {"spec", "template", "spec"},
}

// unused are the volumes that no container mounts any more.
func (t *template) unused() (out []any) {
	for _, v := range t.shape.Volumes {
		was, is := false, false
		for _, s := range t.shape.Containers {
			c := t.containers[s.Name]
			is = is || slices.Contains(s.Devices, v.Name)
			for _, m := range s.Mounts {
				if m.Volume == v.Name && c != nil && slices.Contains(c.out, m.Path) {
					was = true
				} else if m.Volume == v.Name {
					is = true
				}
			}
		}
		if was && !is {
			out = append(out, map[string]any{"name": v.Name, "$patch": "delete"})
		}
	}
	return out
}

// patch is a container's part of a strategic merge patch.
func (c *container) patch() map[string]any {
	out := map[string]any{"name": c.shape.Name}
	merge(out, c.spec)
	if len(c.drop) > 0 {
		has := func(list []string) func(string) bool { return func(s string) bool { return slices.Contains(list, s) } }
		add := slices.DeleteFunc(slices.Clone(c.shape.AddCaps), has(c.drop))
		drop := slices.Clone(c.shape.DropCaps)
		if !slices.Contains(drop, "ALL") {
			drop = append(drop, slices.DeleteFunc(slices.Clone(c.drop), has(drop))...)
		}
		merge(out, map[string]any{"securityContext": map[string]any{"capabilities": map[string]any{"add": add, "drop": drop}}})
	}
	var mounts []any
	for _, p := range c.readOnly {
		mounts = append(mounts, map[string]any{"mountPath": p, "readOnly": true})
	}
	for _, p := range c.out {
		mounts = append(mounts, map[string]any{"mountPath": p, "$patch": "delete"})
	}
	if mounts != nil {
		out["volumeMounts"] = mounts
	}
	return out
}

// merge puts what is in another tree into one.
func merge(into, from map[string]any) {
	for k, v := range from {
		sub, is := v.(map[string]any)
		if !is {
			into[k] = v
			continue
		}
		have, there := into[k].(map[string]any)
		if !there {
			have = map[string]any{}
			into[k] = have
		}
		merge(have, sub)
	}
}
