package exposure

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/netpol"
)

// lets are the clients that the annotations of an object let in through a frontend, and
// what of that is not known. A list counts if those who serve the object read it: one of
// which that is not known keeps nobody out.
func (j *judge) lets(f frontend, annotations map[string]string, c class) (clients netpol.Ranges, doubt string) {
	clients = f.clients
	for _, a := range slices.Concat(collect.Said(collect.Elsewhere, annotations), collect.Said(collect.IngressElsewhere, annotations)) {
		if j.heeds(a, c, f.pods) != no {
			return clients, unread(a, annotations)
		}
	}
	var listed bool
	for _, m := range []collect.Meaning{collect.AllowList, collect.DenyList} {
		for _, a := range collect.Said(m, annotations) {
			heeds := j.heeds(a, c, f.pods)
			if heeds == no || m == collect.AllowList && listed {
				continue // of two names of one list, the newer
			}
			r, ok := listOf(annotations[a.Key])
			rest := clients.And(r)
			matters := rest.String() != clients.String()
			if m == collect.DenyList {
				rest = clients.Without(r)
				matters = len(f.sees(rest)) == 0 // else some clients get in for certain
			}
			switch {
			case !ok:
				doubt = allOf(doubt, unread(a, annotations))
			case heeds == yes:
				clients = rest
			case matters:
				doubt = allOf(doubt, "whether "+cmp.Or(podsText(f.pods), c.text())+" heeds "+a.Key+" is not known")
			}
			listed = listed || m == collect.AllowList && heeds == yes
		}
	}
	if len(f.sees(clients)) == 0 {
		return nil, ""
	}
	return clients, doubt
}

// sees are the clients that its pods can see.
func (f frontend) sees(clients netpol.Ranges) netpol.Ranges {
	if f.seen == nil {
		return clients
	}
	return clients.And(f.seen)
}

func podsText(pods []*collect.Pod) string {
	if len(pods) == 0 {
		return ""
	}
	return podNames(pods)
}

// heeding says whether something reads an annotation.
type heeding int

const (
	unknown heeding = iota
	yes
	no
)

// heeds says whether those who serve objects of a class read an annotation: each of the
// pods, if they were found, or all that go by the name.
func (j *judge) heeds(a collect.Annotation, c class, pods []*collect.Pod) heeding {
	if c.known != nil && c.known.managed {
		return c.known.reads(a)
	}
	var all []heeding
	for _, p := range pods {
		all = append(all, j.podHeeds(a, c, p))
	}
	if len(pods) > 0 && slices.Contains(all, no) {
		return no // clients get in by this one
	}
	if len(pods) == 0 {
		for _, by := range controllers {
			if c.known != nil && by.name == c.known.name || c.id == "" && c.name != "" && slices.Contains(by.classes, c.name) {
				all = append(all, by.heeds(a)...)
			}
		}
	}
	if all = slices.Compact(all); len(all) == 1 {
		return all[0]
	}
	return unknown
}

// podHeeds says whether a pod reads an annotation: by its containers that serve the class,
// or else by those that serve any.
func (j *judge) podHeeds(a collect.Annotation, c class, p *collect.Pod) heeding {
	var serving, all []heeding
	for _, k := range p.Shape.Containers {
		for _, by := range controllers {
			for _, in := range by.pods {
				if !in.is(k) {
					continue
				}
				h := in.heeds(a, by, k)
				if all = append(all, h); in.serves(j.told(in, k), c, by) {
					serving = append(serving, h)
				}
			}
		}
	}
	if len(serving) == 0 {
		serving = all
	}
	switch serving = slices.Compact(serving); {
	case slices.Contains(serving, no):
		return no
	case len(serving) == 1:
		return serving[0]
	}
	return unknown
}

// heeds are the answers of all that go by a controller's name.
func (by controller) heeds(a collect.Annotation) (out []heeding) {
	for _, in := range by.pods {
		out = append(out, in.heeds(a, by, collect.ContainerShape{}))
	}
	if len(out) == 0 {
		out = []heeding{by.reads(a)}
	}
	return out
}

func (by controller) reads(a collect.Annotation) heeding {
	if by.lists != "" && strings.HasPrefix(a.Key, by.lists) {
		return yes
	}
	return no
}

// heeds says whether an installation reads an annotation: as its controller does, but for
// what its image's version does not know.
func (in installation) heeds(a collect.Annotation, by controller, k collect.ContainerShape) heeding {
	if by.reads(a) == no || in.lets == "" {
		return by.reads(a)
	}
	if a.Says != collect.AllowList {
		return no
	}
	return since(in.lets, k)
}

// since says whether an image is of a version or a later one, as far as its tag tells: v3.7.1
// does, v3 and latest do not.
func since(version string, k collect.ContainerShape) heeding {
	repo, _, _ := strings.Cut(k.Image, "@")
	tag := repo[strings.LastIndex(repo, ":")+1:]
	has, is := numbers(strings.TrimPrefix(tag, "v")), numbers(version)
	switch {
	case len(has) < len(is):
		return unknown
	case slices.Compare(has[:len(is)], is) < 0:
		return no
	}
	return yes
}

// numbers are those that a version begins with.
func numbers(version string) (out []int) {
	for part := range strings.SplitSeq(version, ".") {
		digits, rest, _ := strings.Cut(part, "-")
		n, err := strconv.Atoi(digits)
		if err != nil {
			return out
		}
		if out = append(out, n); rest != "" {
			return out
		}
	}
	return out
}

// allOf is what of some doubts is there.
func allOf(doubts ...string) string {
	return strings.Join(slices.DeleteFunc(doubts, func(s string) bool { return s == "" }), "; ")
}
