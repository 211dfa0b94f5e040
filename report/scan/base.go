package scan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/image"
	"github.com/breakwater-sec/breakwater/severity"
)

// Base is the image that another is built on.
type Base struct {
	// Name is what it is called, ID its id in the estate; that is empty where only its builder speaks of it.
	Name string `json:"name"`
	ID   string `json:"id,omitempty"`
	// Layers is how many of the lowest layers are its own; 0 where that is not known.
	Layers int `json:"layers"`
	// How is from what it is known: SameLayers, SameFiles or SaidByBuilder.
	How string `json:"how"`
}

// String is the base in words.
func (b *Base) String() string {
	switch {
	case b == nil:
		return "not known"
	case b.Layers == 0:
		return b.Name + " (" + b.How + ")"
	}
	return fmt.Sprintf("%s (%d layers: %s)", b.Name, b.Layers, b.How)
}

// From what a base is known.
const (
	SameLayers    = "its layers are the lowest ones of the image, byte for byte"
	SameFiles     = "its configuration names the same files for its layers as that of the image does, packed otherwise"
	SaidByBuilder = "who built the image says so, and nobody has checked it"
)

// sameLayer says that two layers make the same files; if they are not the same bytes, as far as both configurations are right.
func sameLayer(a, b image.Layer) bool {
	return a.Digest != "" && a.Digest == b.Digest || a.DiffID != "" && a.DiffID == b.DiffID
}

// BuiltOn says how the image is built on the other one; nil if it is not, as far as layers tell.
func (i Image) BuiltOn(base Image) *Base {
	n := len(base.Layers)
	if n == 0 || n >= len(i.Layers) || sharedLayers(i, base) != n {
		return nil
	}
	how := SameLayers
	for l := range n {
		if i.Layers[l].Digest != base.Layers[l].Digest {
			how = SameFiles
		}
	}
	return &Base{Name: base.Reference, ID: base.Digest, Layers: n, How: how}
}

// ChainsBelow names what an image has as all of its layers that this one may be built on: those with most layers first.
func (i Image) ChainsBelow() []string {
	chains := image.Chains(i.Layers)
	chains = chains[:min(len(chains), max(0, len(i.Layers)-1))] // it is not its own base
	slices.Reverse(chains)
	return chains
}

// BaseAmong is the one of several images that the image is built on: of those that it is built on the one with most layers, else what
// its builder says. others have just the same layers.
func (i Image) BaseAmong(several []Image) (base *Base, others []Base) {
	others = []Base{}
	for _, each := range several {
		b := i.BuiltOn(each)
		switch {
		case b == nil || base != nil && b.Layers < base.Layers:
		case base == nil || b.Layers > base.Layers:
			base, others = b, []Base{}
		case i.Said != nil && (b.ID == i.Said.Digest || b.Name == i.Said.Name):
			base, others = b, append(others, *base)
		default:
			others = append(others, *b)
		}
	}
	if base == nil && i.Said != nil {
		base = &Base{Name: i.Said.Name, How: SaidByBuilder}
	}
	return base, others
}

// Rebase is what would be found in an image on each of several other bases, were it built again with nothing else changed.
type Rebase struct {
	Image Image `json:"image"`
	// Base is nil where it is not known; Others are more images that have just its layers.
	Base   *Base  `json:"base,omitempty"`
	Others []Base `json:"others"`
	// FromBase counts vulnerabilities that packages of the base have, Own those that only packages of the image's own layers have.
	FromBase int `json:"fromBase"`
	Own      int `json:"own"`
	// Bumps are the other bases: what fixes most first, those of which nothing is known last.
	Bumps    []Bump   `json:"bumps"`
	NotKnown []string `json:"notKnown"`
}

// Bump is one other base.
type Bump struct {
	Name         string `json:"name"`
	ID           string `json:"id,omitempty"`
	Distribution string `json:"distribution,omitempty"`
	// Known is false where nothing can be said of it; Why tells why.
	Known bool   `json:"known"`
	Why   string `json:"why,omitempty"`
	// Removes are vulnerabilities that the image would no longer have, Adds those that it would have then; Stays counts the rest.
	Removes  []Flaw   `json:"removes"`
	Adds     []Flaw   `json:"adds"`
	Stays    int      `json:"stays"`
	NotKnown []string `json:"notKnown"`
}

// Flaw is a vulnerability and where it is, in short.
type Flaw struct {
	ID       string `json:"id"`
	Severity string `json:"severity"`
	Package  string `json:"package"`
}

// Rebased works out what the image would be on each other base. Vulnerabilities that people accepted do not count.
func Rebased(of Report, base *Base, same []Base, others []Report) Rebase {
	out := Rebase{Image: of.Image, Base: base, Others: same, Bumps: []Bump{}, NotKnown: of.Unseen()}
	if out.NotKnown == nil {
		out.NotKnown = []string{}
	}
	if base == nil || base.Layers == 0 {
		out.NotKnown = append(out.NotKnown, "Which of its layers are those of its base is not known, so nothing can be said of another base.")
		return out
	}
	lowest := map[string]bool{}
	for _, l := range of.Image.Layers[:min(base.Layers, len(of.Image.Layers))] {
		lowest[l.Digest] = true
	}
	own := ownPackages(of, lowest)
	kept, all := map[string]Flaw{}, map[string]Flaw{}
	for _, v := range of.Vulnerabilities {
		if !v.Exception.Counts() {
			continue
		}
		all[v.ID] = worse(all[v.ID], v)
		if !lowest[v.Layer] {
			kept[v.ID] = worse(kept[v.ID], v)
		}
	}
	out.Own, out.FromBase = len(kept), len(all)-len(kept)
	for _, o := range others {
		out.Bumps = append(out.Bumps, bump(of, o, own, kept, all))
	}
	slices.SortStableFunc(out.Bumps, func(a, b Bump) int { return cmp.Or(byKnown(a, b), gain(b, a), cmp.Compare(a.Name, b.Name)) })
	return out
}

// ownPackages are those that the image's own layers bring or change.
func ownPackages(of Report, lowest map[string]bool) map[string]bool {
	own := map[string]bool{}
	for _, p := range of.Packages {
		if p.OwnedBy == "" && !lowest[p.Layer] {
			own[kindOf(p.PURL)+" "+p.Name] = true
		}
	}
	return own
}

func worse(f Flaw, v Vulnerability) Flaw {
	if f.ID == "" || severity.Compare(v.Severity, f.Severity) > 0 {
		return Flaw{ID: v.ID, Severity: v.Severity, Package: v.Package}
	}
	return f
}

func bump(of, on Report, own map[string]bool, kept, all map[string]Flaw) Bump {
	out := Bump{Name: on.Image.Reference, ID: on.Image.Digest, Distribution: on.Image.Distribution, Known: on.Image.Known, Why: on.Image.Why,
		Removes: []Flaw{}, Adds: []Flaw{}, NotKnown: on.Unseen()}
	if !out.Known {
		return out
	}
	if out.NotKnown == nil {
		out.NotKnown = []string{}
	}
	then := map[string]Flaw{}
	for id, f := range kept {
		then[id] = f
	}
	for _, v := range on.Vulnerabilities {
		// What the image's own layers bring is not the base's, though the base may have another version of it.
		if v.Exception.Counts() && !own[kindOf(v.PURL)+" "+v.Package] {
			then[v.ID] = worse(then[v.ID], v)
		}
	}
	for id, f := range all {
		if _, stays := then[id]; stays {
			out.Stays++
		} else {
			out.Removes = append(out.Removes, f)
		}
	}
	for id, f := range then {
		if _, was := all[id]; !was {
			out.Adds = append(out.Adds, f)
		}
	}
	for _, list := range [][]Flaw{out.Removes, out.Adds} {
		slices.SortFunc(list, func(a, b Flaw) int {
			return cmp.Or(severity.Compare(b.Severity, a.Severity), cmp.Compare(a.ID, b.ID))
		})
	}
	if n := distributed(own); n > 0 && on.Image.Distribution != of.Image.Distribution {
		out.NotKnown = append(out.NotKnown, fmt.Sprintf("It is another release (%s, not %s): the %d packages of the distribution that the image's "+
			"own layers bring come from it then, in other versions.", on.Image.Distribution, of.Image.Distribution, n))
	} else if n > 0 {
		out.NotKnown = append(out.NotKnown, fmt.Sprintf("The %d packages of the distribution that the image's own layers bring are counted as they "+
			"are; a build may bring newer ones.", n))
	}
	return out
}

func distributed(own map[string]bool) (n int) {
	for key := range own {
		if strings.HasPrefix(key, "distribution ") {
			n++
		}
	}
	return n
}

func byKnown(a, b Bump) int {
	switch {
	case a.Known == b.Known:
		return 0
	case a.Known:
		return -1
	}
	return 1
}

// gain compares by what is removed less what is added: of the gravest severity first.
func gain(a, b Bump) int {
	net := func(of Bump, level string) (n int) {
		for _, f := range of.Removes {
			if f.Severity == level {
				n++
			}
		}
		for _, f := range of.Adds {
			if f.Severity == level {
				n--
			}
		}
		return n
	}
	for _, level := range slices.Backward(severity.Scale) {
		if c := cmp.Compare(net(a, level), net(b, level)); c != 0 {
			return c
		}
	}
	return 0
}

// Tally counts by severity, worst first: "2 critical, 1 high".
func Tally(all []Flaw) string {
	counts := map[string]int{}
	for _, f := range all {
		counts[f.Severity]++
	}
	var out []string
	for _, level := range slices.Backward(severity.Scale) {
		if n := counts[level]; n > 0 {
			out = append(out, fmt.Sprintf("%d %s", n, strings.ToLower(level)))
		}
	}
	return strings.Join(out, ", ")
}

// LeftOut says that there are more bases than were tried.
func LeftOut(n int) string {
	return fmt.Sprintf("%d more images of the base's repositories, in which more is known to be wrong, were not tried.", n)
}
