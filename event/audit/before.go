package audit

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// before remembers what objects were, as the API server stored them, so that a
// request which states an object whole is judged by what it changes as well. The
// versions are the server's: a request that comes again finds what was before it.
type before struct {
	recent *simplelru.LRU[string, []version]
	size   int // of all facts, about
}

// version is an object at one moment: what of it rules ask for, in words.
type version struct {
	number uint64
	facts  []string
}

const (
	// maxBefore bounds how many objects are remembered. One that is forgotten counts
	// as changed whole.
	maxBefore = 20_000
	// maxVersions is how many versions of one are kept, for batches that come again.
	maxVersions = 4
	// maxFacts bounds what is remembered of all of them, in bytes.
	maxFacts = 64 << 20
)

func newBefore() *before {
	b := &before{}
	recent, err := simplelru.NewLRU(maxBefore, func(_ string, gone []version) { b.size -= sizeOf(gone) })
	if err != nil {
		panic(err) // it wants a size above 0
	}
	b.recent = recent
	return b
}

// sizeOf is about what versions take in memory.
func sizeOf(versions []version) (n int) {
	for _, v := range versions {
		n += 64
		for _, f := range v.facts {
			n += 16 + len(f)
		}
	}
	return n
}

// of gives what an object was before a version; ok is false where that is not known.
func (b *before) of(uid string, number uint64) (facts []string, ok bool) {
	versions, _ := b.recent.Get(uid)
	for _, v := range versions { // in the order of their numbers
		if v.number < number {
			facts, ok = v.facts, true
		}
	}
	return facts, ok
}

// note takes what an object has become. What never gave anything is not kept.
func (b *before) note(uid string, number uint64, facts []string, gives bool) {
	versions, known := b.recent.Get(uid)
	if uid == "" || !known && !gives {
		return
	}
	at, twice := slices.BinarySearchFunc(versions, number, func(v version, n uint64) int { return cmp.Compare(v.number, n) })
	if twice {
		return
	}
	versions = slices.Insert(slices.Clone(versions), at, version{number, facts})
	b.recent.Remove(uid)
	versions = versions[max(0, len(versions)-maxVersions):]
	b.size += sizeOf(versions)
	b.recent.Add(strings.Clone(uid), versions)
	for b.size > maxFacts {
		b.recent.RemoveOldest()
	}
}

// changed leaves of a written object what it was not before, and says whether that
// is known. Of what a request states in part, asked is the rest's answer already.
func (b *before) changed(r *record, w *written) (known bool) {
	number, err := strconv.ParseUint(w.Metadata.Version, 10, 63)
	if err != nil || w.Metadata.UID == "" || r.outcome() != "success" || !readable(r.response) || isStatus(r.response) {
		return false
	}
	p := w.pod(r.podResource())
	facts := slices.Concat(p.facts(), w.rights.facts())
	was, known := b.of(w.Metadata.UID, number)
	b.note(w.Metadata.UID, number, facts, p.gives() || len(w.Subjects)+len(w.Rules) > 0)
	if known {
		had := make(map[string]bool, len(was))
		for _, fact := range was {
			had[fact] = true
		}
		p.beyond(had)
		w.rights.beyond(had)
	}
	return known
}

// What is told of a container, a binding's subject and a role's rule, in words.
func privilegedFact(c *container) string { return "privileged " + c.Name }
func runsFact(c *container) string {
	return fmt.Sprintf("runs %s %s %q %q %q", c.Name, c.Image, c.Command, c.Args, c.commands())
}
func capabilityFact(c *container, name string) string {
	return "capability " + c.Name + " " + name
}

func (r *rights) subjectFact(s subject) string { return fmt.Sprintf("subject %v %v", *r.RoleRef, s) }
func ruleFact(r rule) string                   { return fmt.Sprintf("rule %q", r) }

// folders are those of the node, by the names of the pod's volumes. Of two volumes of one name
// the first counts.
func (p *podSpec) folders() map[string]*folder {
	out := make(map[string]*folder, len(p.Volumes))
	for _, v := range p.Volumes {
		if _, twice := out[v.Name]; !twice {
			out[v.Name] = v.HostPath
		}
	}
	return out
}

// mountFact is "" where what is mounted is no folder of the node.
func mountFact(folders map[string]*folder, c *container, m volumeMount) string {
	f := folders[m.Name]
	if f == nil {
		return ""
	}
	return fmt.Sprintf("mount %s %v of %s", c.Name, m, f.Path)
}

// shares are what a pod shares with its node.
func (p *podSpec) shares() map[string]**bool {
	return map[string]**bool{"hostNetwork": &p.HostNetwork, "hostPID": &p.HostPID, "hostIPC": &p.HostIPC}
}

// gives says that a pod may do more than one without anything special.
func (p *podSpec) gives() bool {
	if p == nil {
		return false
	}
	shared := is(p.HostNetwork) || is(p.HostPID) || is(p.HostIPC)
	return shared || slices.ContainsFunc(p.Volumes, func(v volume) bool { return v.HostPath != nil }) ||
		slices.ContainsFunc(p.all(), func(c container) bool { return c.privileged() || len(c.SecurityContext.Capabilities.Add) > 0 })
}

func (p *podSpec) facts() (out []string) {
	if p == nil {
		return nil
	}
	for name, b := range p.shares() {
		if is(*b) {
			out = append(out, name)
		}
	}
	folders := p.folders()
	for _, c := range p.all() {
		out = append(out, runsFact(&c))
		if c.privileged() {
			out = append(out, privilegedFact(&c))
		}
		for _, name := range c.SecurityContext.Capabilities.Add {
			out = append(out, capabilityFact(&c, name))
		}
		for _, m := range c.VolumeMounts {
			if f := mountFact(folders, &c, m); f != "" {
				out = append(out, f)
			}
		}
	}
	return out
}

// beyond takes from a pod what it was.
func (p *podSpec) beyond(was map[string]bool) {
	if p == nil {
		return
	}
	for name, b := range p.shares() {
		if was[name] {
			*b = nil
		}
	}
	folders := p.folders()
	for _, list := range []*[]container{&p.Containers, &p.InitContainers, &p.EphemeralContainers} {
		var left []container
		for _, c := range *list {
			if c.privileged() && was[privilegedFact(&c)] {
				c.SecurityContext.Privileged = nil
				c.reprogrammed = !was[runsFact(&c)]
			}
			add := slices.Clone(c.SecurityContext.Capabilities.Add)
			c.SecurityContext.Capabilities.Add = slices.DeleteFunc(add, func(n string) bool { return was[capabilityFact(&c, n)] })
			c.VolumeMounts = slices.DeleteFunc(slices.Clone(c.VolumeMounts), func(m volumeMount) bool {
				f := mountFact(folders, &c, m)
				return f == "" || was[f]
			})
			more := c.privileged() || len(c.SecurityContext.Capabilities.Add)+len(c.VolumeMounts) > 0
			if more || !was[runsFact(&c)] {
				left = append(left, c)
			}
		}
		*list = left
	}
}

func (r *rights) facts() (out []string) {
	for _, s := range r.Subjects {
		if r.RoleRef != nil {
			out = append(out, r.subjectFact(s))
		}
	}
	for _, one := range r.Rules {
		out = append(out, ruleFact(one))
	}
	return out
}

// beyond takes from rights what they were.
func (r *rights) beyond(was map[string]bool) {
	r.Rules = slices.DeleteFunc(slices.Clone(r.Rules), func(one rule) bool { return was[ruleFact(one)] })
	if r.RoleRef == nil {
		return
	}
	r.Subjects = slices.DeleteFunc(slices.Clone(r.Subjects), func(s subject) bool { return was[r.subjectFact(s)] })
	if len(r.Subjects) == 0 {
		r.RoleRef = nil
	}
}
