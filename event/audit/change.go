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

// Bounds of a JSON patch, as the API server's own: one beyond them changed nothing there, and
// one that a sender made up costs no more to read than it cost to send.
const (
	maxOperations = 10_000
	maxWay        = 100
)

// operations reads a JSON patch; ok is false if it is none, or beyond bounds.
func operations(patch string) (out []operation, ok bool) {
	if len(patch) > maxObject || json.Unmarshal([]byte(patch), &out) != nil || len(out) > maxOperations {
		return nil, false
	}
	deep := func(o operation) bool {
		return strings.Count(o.Path, "/") > maxWay || strings.Count(o.From, "/") > maxWay
	}
	return out, !slices.ContainsFunc(out, deep)
}

// moves are the lists of which an operation adds or takes an element, by the beginning of
// their elements' paths.
func (o *operation) moves() (lists []string) {
	within := func(path string) {
		if at := strings.LastIndexByte(path, '/'); at >= 0 && isPlace(path[at+1:]) && !slices.Contains(lists, path[:at+1]) {
			lists = append(lists, path[:at+1])
		}
	}
	switch o.Op {
	case "add", "copy", "remove":
		within(o.Path)
	case "move":
		within(o.Path)
		within(o.From)
	}
	return lists
}

// named is what a JSON patch leaves of an object: the parts that its operations put
// there, each inside what tells its place, a container's name for one. A patch
// that cannot be read, or whose parts are too many to be told apart, names everything.
func named(patch, object string) string {
	all, ok := operations(patch)
	var whole any
	if !ok || json.Unmarshal([]byte(object), &whole) != nil {
		return object
	}
	moved := map[string]int{} // lists, by how many operations move their elements
	for _, o := range all {
		for _, list := range o.moves() {
			moved[list]++
		}
	}
	var kept any
	k := keeper{}
	for _, o := range all {
		way := pointer(o.Path)
		if o.Op == "test" || o.Op == "remove" && isPlace(way[len(way)-1]) {
			continue // what is gone adds nothing
		}
		kept = k.keep(kept, whole, way, o.shifted(moved))
	}
	out, err := json.Marshal(kept)
	if err != nil || k.steps > maxSteps {
		return object
	}
	return string(out)
}

// escaped is how names with a slash or a tilde stand in a pointer.
var escaped = strings.NewReplacer("~1", "/", "~0", "~")

// pointer splits a JSON pointer (RFC 6901). The empty one is the whole.
func pointer(path string) []string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		parts[i] = escaped.Replace(p)
	}
	return parts
}

func isPlace(word string) bool {
	_, err := strconv.ParseUint(word, 10, 31)
	return err == nil || word == "-"
}

// shifted says that other operations move the elements of a list on the way of one,
// so that a number tells no longer which of them is meant.
func (o *operation) shifted(moved map[string]int) bool {
	own := o.moves()
	for at, c := range o.Path {
		if c != '/' {
			continue
		}
		others := moved[o.Path[:at+1]]
		if slices.Contains(own, o.Path[:at+1]) {
			others--
		}
		if others > 0 {
			return true
		}
	}
	return false
}

// identities tell the elements of a list apart.
var identities = []string{"name", "mountPath"}

// maxSteps bounds how often an element of a list is looked at.
const maxSteps = 1 << 20

// keeper keeps parts of values, and counts what that costs.
type keeper struct{ steps int }

// keep adds to what is kept of a value what lies on a way into it. Where no number
// can be trusted, it goes into every element.
func (k *keeper) keep(kept, whole any, way []string, shifted bool) any {
	way = way[1:]
	if len(way) == 0 || k.steps > maxSteps {
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
			out[way[0]] = k.keep(out[way[0]], next, way, shifted)
		}
		return out
	case []any:
		out, _ := kept.([]any)
		if out == nil {
			out = make([]any, len(whole))
		}
		from, to := 0, len(whole)
		if !shifted {
			from, to = place(way[0], len(whole))
		}
		k.steps += to - from
		for i := from; i < to; i++ {
			out[i] = k.keep(out[i], whole[i], way, shifted)
		}
		return out
	}
	return kept
}

// place is which element of a list is meant: the one at from, or none.
func place(word string, of int) (from, to int) {
	i, err := strconv.Atoi(word)
	if word == "-" {
		i, err = of-1, nil
	}
	if err != nil || i < 0 || i >= of || word != "-" && strconv.Itoa(i) != word {
		return 0, 0
	}
	return i, i + 1
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
	changes := map[string]*container{}
	for i := range by {
		if changes[by[i].Name] == nil { // of two the first counts
			changes[by[i].Name] = &by[i]
		}
	}
	for _, c := range containers {
		change := changes[c.Name]
		named := change != nil
		if !named {
			change = &container{}
		}
		c.reprogrammed = c.reprogrammed || change.names() && c.privileged() && change.SecurityContext.Privileged == nil
		c.SecurityContext.Privileged = also(c.SecurityContext.Privileged, change.SecurityContext.Privileged)
		if len(change.SecurityContext.Capabilities.Add) == 0 {
			c.SecurityContext.Capabilities.Add = nil
		}
		paths := map[string]bool{}
		for _, m := range change.VolumeMounts {
			paths[m.MountPath] = true
		}
		c.VolumeMounts = slices.DeleteFunc(slices.Clone(c.VolumeMounts),
			func(m volumeMount) bool { return !volumes[m.Name] && !paths[m.MountPath] })
		if named || len(c.VolumeMounts) > 0 {
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
	given := map[subject]bool{}
	for _, s := range by.Subjects {
		given[s] = true
	}
	r.Subjects = slices.DeleteFunc(slices.Clone(r.Subjects), func(s subject) bool { return !given[s] })
	if len(r.Subjects) == 0 {
		r.RoleRef = nil
	}
}
