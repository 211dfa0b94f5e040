package segment

import (
	"cmp"
	"maps"
	"slices"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/graph"
)

// imageUses collects the images that containers use.
type imageUses struct {
	by map[named]*assess.Use
	// odd is what is wrong with what containers and nodes say, with the first container.
	odd map[string]oddImage
	// id is of the image that a use means; meant is what was asked.
	id    func(assess.Use) string
	meant map[named]meaning
	// exposed are images of containers that the internet reaches.
	exposed map[string]bool
}

// meaning is a use and the image that it means.
type meaning struct {
	use assess.Use
	id  string
}

// oddImage is what a container's spec, or its node, says and no image can be known by.
type oddImage struct {
	container string
	times     int
	known     bool // what is written names it
}

// named is an image as a container's spec writes it and, where the node told, as the
// node resolved it. No node tells of the pods that manifests would make.
type named struct {
	written, reported string
	made              bool
}

func newImageUses(id func(assess.Use) string) imageUses {
	if id == nil {
		id = func(u assess.Use) string { return u.ID }
	}
	return imageUses{map[named]*assess.Use{}, map[string]oddImage{}, id, map[named]meaning{}, map[string]bool{}}
}

// add notes the image of a container and returns its id, "" if it has none: what is no
// reference is no image, whatever else could be made of it.
func (i imageUses) add(p *collect.Pod, container int) string {
	n := named{written: p.Shape.Containers[container].Image, made: p.Made}
	if p.Images != nil && container < len(p.Images.IDs) {
		n.reported = p.Images.IDs[container]
	}
	if n.written == "" {
		return ""
	}
	use := i.by[n]
	if use == nil || use.ID == "" {
		u, err := assess.UseOf(n.written, n.reported)
		if err != nil {
			i.strange(err.Error(), containerID(p, p.Shape.Containers[container].Name), u.ID != "")
		}
		if u.ID == "" {
			return ""
		}
		u.Resolve = n.made && u.Digest == ""
		m := meaning{u, i.id(u)}
		i.meant[n] = m
		u.ID = m.id
		use = &u
		i.by[n] = use
	}
	use.Running = use.Running || p.Phase != "Succeeded" && p.Phase != "Failed"
	return use.ID
}

func (i imageUses) strange(why, container string, known bool) {
	o, told := i.odd[why]
	if !told {
		o = oddImage{container: container, known: known}
	}
	o.times++
	i.odd[why] = o
}

// maxOdd is how many images are told apart that are none: who creates pods may make any number.
const maxOdd = 50

// gaps are what is said of images and names none.
func (i imageUses) gaps(cluster string) (out []collect.Gap) {
	gap := func(what, why string) *collect.Gap {
		out = append(out, collect.Gap{Cluster: cluster, Source: "image", What: what, Why: why, Kinds: []string{"USES_IMAGE", "Image"},
			Consequence: "What is in it, and whether it has vulnerabilities, is not known."})
		return &out[len(out)-1]
	}
	whys, left := slices.Sorted(maps.Keys(i.odd)), 0
	for n, why := range whys {
		o := i.odd[why]
		if n >= maxOdd {
			left += o.times
			continue
		}
		g := gap("the image of container "+o.container, why)
		if g.Count = o.times; o.known {
			g.Consequence = "It is taken for what its tag stands for now, which may be another image than the one that runs."
		}
	}
	if left > 0 {
		gap("images of containers", "what they name is no reference either").Count = left
	}
	return out
}

// list is every use, those of one image beside each other.
func (i imageUses) list() []assess.Use {
	keys := slices.SortedFunc(maps.Keys(i.by), func(a, b named) int {
		return cmp.Or(cmp.Compare(i.by[a].ID, i.by[b].ID), cmp.Compare(a.written, b.written), cmp.Compare(a.reported, b.reported))
	})
	out := make([]assess.Use, 0, len(keys))
	for _, key := range keys {
		out = append(out, *i.by[key])
	}
	return out
}

// Images is what the containers of a cluster use, as their specs and nodes tell it.
func Images(f *collect.Facts) []assess.Use {
	uses := newImageUses(nil)
	for _, p := range f.Pods {
		if p.Shape == nil {
			continue
		}
		for i := range p.Shape.Containers {
			uses.add(p, i)
		}
	}
	return uses.list()
}

// images is every image once, by id; the first name in order speaks for it.
func (i imageUses) images() []assess.Use {
	var out []assess.Use
	for _, use := range i.list() {
		if n := len(out); n > 0 && out[n-1].ID == use.ID {
			out[n-1].Running = out[n-1].Running || use.Running
			continue
		}
		out = append(out, use)
	}
	return out
}

// PutShared gives the shared graph every shared node that the result mentions.
// An image that is new there is unknown, not clean.
func (r *Result) PutShared(s *graph.Shared) {
	s.Put("Internet", "internet", graph.S("name", "Internet"))
	for _, use := range r.Images {
		putUse(s, use)
	}
	for _, m := range r.Machines {
		for _, f := range m.Findings {
			putVulnerability(s, f.Match)
		}
	}
	r.Builder.SharedRefs(func(kind, id string) bool {
		s.Put(kind, id)
		return true
	})
}

// PutImage writes an image as it stands now: who uses it, where it is stored, and
// what was found inside unless that was written before.
func PutImage(s *graph.Shared, i assess.Assessed) {
	if i.Use != nil {
		putUse(s, *i.Use)
	} else if i.Upload != nil && len(i.Places) == 0 && !s.Has("Image", i.ID) {
		s.Put("Image", i.ID, text("name", i.Upload.Name())) // where it is stored, a build does not know
	}
	if len(i.Places) > 0 {
		PutStored(s, i.ID, i.Places, i.Listed)
	}
	if i.Assessment != nil {
		PutAssessment(s, i.Assessment)
	}
	s.Put("Image", i.ID, graph.B("running", i.Running))
}

func putUse(s *graph.Shared, u assess.Use) {
	if s.Has("Image", u.ID) {
		return
	}
	s.Put("Image", u.ID, text("name", u.Name), text("digest", u.Digest), text("registry", u.Registry), text("repository", u.Repository),
		graph.B("scanned", false), graph.S("scan", "unknown"), graph.S("scanError", "it was not looked at yet"))
	if u.Tag != "" {
		s.Put("Image", u.ID, graph.L("tags", []string{u.Tag}))
	}
	putRepository(s, u.Place())
	s.SetEdges("STORED_IN", "Image", u.ID, "Repository", []graph.Target{{Kind: "Repository", ID: u.Place().Name()}})
}
