package audit

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// asked is what a patch names of the object it changes, or nil where the request
// states the whole object. Rules are told of that part alone, as it is after the
// request: a label on a workload that is privileged already is nobody's doing.
func (r *record) asked() *written {
	switch {
	case r.verb != "patch" || !readable(r.response) || isStatus(r.response):
		return nil
	case strings.HasPrefix(r.request, "["):
		return read(named(r.request, r.response))
	case readable(r.request): // merge, strategic and apply: written as the object is
		return read(r.request)
	}
	return nil
}

// operation is one of a JSON patch (RFC 6902).
type operation struct {
	Op   string `json:"op"`
	Path string `json:"path"`
	From string `json:"from"`
	// Value is what add and replace put there.
	Value json.RawMessage `json:"value"`
}

// moves says that an operation adds or takes an element of the list at a path.
func (o *operation) moves(list string) bool {
	within := func(path string) bool {
		rest, ok := strings.CutPrefix(path, list)
		return ok && isPlace(rest)
	}
	switch o.Op {
	case "add", "copy", "remove":
		return within(o.Path)
	case "move":
		return within(o.Path) || within(o.From)
	}
	return false
}

// named is what a JSON patch leaves of an object: the parts that its operations put
// there, each inside what tells its place, a container's name for one. A patch
// that cannot be read names everything.
func named(patch, object string) string {
	var operations []operation
	var whole any
	if json.Unmarshal([]byte(object), &whole) != nil {
		return object
	}
	if json.Unmarshal([]byte(patch), &operations) != nil {
		return object
	}
	var kept any
	for i, o := range operations {
		way := pointer(o.Path)
		if o.Op == "test" || o.Op == "remove" && isPlace(way[len(way)-1]) {
			continue // what is gone adds nothing
		}
		kept = keep(kept, whole, way, shifts(operations, i))
	}
	out, err := json.Marshal(kept)
	if err != nil {
		return object
	}
	return string(out)
}

// pointer splits a JSON pointer (RFC 6901). The empty one is the whole.
func pointer(path string) []string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		parts[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(p)
	}
	return parts
}

func isPlace(word string) bool {
	_, err := strconv.ParseUint(word, 10, 31)
	return err == nil || word == "-"
}

// shifts says that other operations move the elements of a list on the way of one,
// so that a number tells no longer which of them is meant.
func shifts(all []operation, of int) bool {
	for i, o := range all {
		for at, c := range all[of].Path {
			if i != of && c == '/' && o.moves(all[of].Path[:at+1]) {
				return true
			}
		}
	}
	return false
}

// identities tell the elements of a list apart.
var identities = []string{"name", "mountPath"}

// keep adds to what is kept of a value what lies on a way into it. Where no number
// can be trusted, it goes into every element.
func keep(kept, whole any, way []string, shifted bool) any {
	way = way[1:]
	if len(way) == 0 {
		return whole
	}
	switch whole := whole.(type) {
	case map[string]any:
		out, _ := kept.(map[string]any)
		if out == nil {
			out = map[string]any{}
		}
		for _, p := range identities {
			if v, ok := whole[p].(string); ok {
				out[p] = v
			}
		}
		if next, ok := whole[way[0]]; ok {
			out[way[0]] = keep(out[way[0]], next, way, shifted)
		}
		return out
	case []any:
		out, _ := kept.([]any)
		if out == nil {
			out = make([]any, len(whole))
		}
		for i := range whole {
			if place(way[0], i, len(whole)) || shifted {
				out[i] = keep(out[i], whole[i], way, shifted)
			}
		}
		return out
	}
	return kept
}

// place says that an element of a list is meant.
func place(word string, i, of int) bool {
	return word == strconv.Itoa(i) || word == "-" && i == of-1
}

// only is what of a pod a change names.
func (p *podSpec) only(by *podSpec) *podSpec {
	out := &podSpec{Volumes: p.Volumes}
	if by == nil {
		return out
	}
	volumes := map[string]bool{} // that now are folders of the node
	for _, v := range by.Volumes {
		volumes[v.Name] = v.HostPath != nil
	}
	out.HostNetwork, out.HostPID, out.HostIPC = also(p.HostNetwork, by.HostNetwork), also(p.HostPID, by.HostPID), also(p.HostIPC, by.HostIPC)
	if by.ServiceAccountName != "" {
		out.ServiceAccountName = p.ServiceAccountName
	}
	if by.NodeName != "" {
		out.NodeName = p.NodeName
	}
	out.Containers = only(p.Containers, by.Containers, volumes)
	out.InitContainers = only(p.InitContainers, by.InitContainers, volumes)
	out.EphemeralContainers = only(p.EphemeralContainers, by.EphemeralContainers, volumes)
	return out
}

// also is a value of the object if the change names it, too.
func also(value, by *bool) *bool {
	if by == nil {
		return nil
	}
	return value
}

// only is what of containers a change names, or gives a folder of the node to.
func only(containers, by []container, volumes map[string]bool) (out []container) {
	for _, c := range containers {
		i := slices.IndexFunc(by, func(b container) bool { return b.Name == c.Name })
		change := container{}
		if i >= 0 {
			change = by[i]
		}
		other := change.Image != "" || change.Command != nil
		c.reprogrammed = c.reprogrammed || other && c.privileged() && change.SecurityContext.Privileged == nil
		c.SecurityContext.Privileged = also(c.SecurityContext.Privileged, change.SecurityContext.Privileged)
		if len(change.SecurityContext.Capabilities.Add) == 0 {
			c.SecurityContext.Capabilities.Add = nil
		}
		c.VolumeMounts = slices.DeleteFunc(slices.Clone(c.VolumeMounts), func(m volumeMount) bool {
			return !volumes[m.Name] && !slices.ContainsFunc(change.VolumeMounts, func(b volumeMount) bool { return b.MountPath == m.MountPath })
		})
		if i >= 0 || len(c.VolumeMounts) > 0 {
			out = append(out, c)
		}
	}
	return out
}

// only is what of rights a change names. Which role a binding gives belongs to
// every subject that is named.
func (r *rights) only(by *rights) {
	if by.Rules == nil {
		r.Rules = nil
	}
	if by.RoleRef != nil {
		return // bound anew
	}
	r.Subjects = slices.DeleteFunc(slices.Clone(r.Subjects), func(s subject) bool { return !slices.Contains(by.Subjects, s) })
	if len(r.Subjects) == 0 {
		r.RoleRef = nil
	}
}
