package api

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/report/scan"
	"github.com/breakwater-sec/breakwater/scope"
)

// mostBases is how many other bases are tried at most: each is read from the store and held against the advisories.
const mostBases = 24

// GetImageDifference implements StrictServerInterface.
func (s session) GetImageDifference(ctx context.Context, r GetImageDifferenceRequestObject) (GetImageDifferenceResponseObject, error) {
	var found [2]scan.Report
	var bases [2]*scan.Base
	for i, name := range []string{r.Params.Base, r.Params.Head} {
		n, there := s.imageNamed(name)
		if !there {
			return nil, missing("no image " + name)
		}
		var err error
		if found[i], err = s.scanned(ctx, n); err != nil {
			return nil, err
		}
		if bases[i], _, err = s.baseOf(ctx, found[i].Image); err != nil {
			return nil, err
		}
	}
	out := scan.Differ(found[0], found[1])
	out.BaseBefore, out.BaseAfter = bases[0], bases[1]
	return GetImageDifference200JSONResponse(out), nil
}

// GetImageBases implements StrictServerInterface.
func (s session) GetImageBases(ctx context.Context, r GetImageBasesRequestObject) (GetImageBasesResponseObject, error) {
	n, there := s.imageNamed(r.Params.Id)
	if !there {
		return nil, missing("no image " + r.Params.Id)
	}
	of, err := s.scanned(ctx, n)
	if err != nil {
		return nil, err
	}
	base, same, err := s.baseOf(ctx, of.Image)
	if err != nil {
		return nil, err
	}
	var try []graph.Node
	left := 0
	if base != nil && base.Layers > 0 {
		try, left = s.besides(append(same, *base))
	}
	for _, name := range deref(r.Params.Among) {
		more, there := s.imageNamed(name)
		if !there {
			return nil, missing("no image " + name)
		}
		if !slices.Contains(try, more) {
			try = append(try, more)
		}
	}
	var others []scan.Report
	for _, each := range try {
		found, err := s.scanned(ctx, each)
		if err != nil {
			return nil, err
		}
		found.Image.Reference, found.Image.Digest = taggedName(each), each.ID()
		others = append(others, found)
	}
	out := scan.Rebased(of, base, same, others)
	if left > 0 {
		out.NotKnown = append(out.NotKnown, scan.LeftOut(left))
	}
	return GetImageBases200JSONResponse(out), nil
}

// baseOf is the image that an image is built on, of those that the asker sees: the one whose layers are most of its lowest.
func (s session) baseOf(ctx context.Context, of scan.Image) (base *scan.Base, same []scan.Base, err error) {
	by := scope.Once(s.World, func() chained { return chainsOf(s.World) })
	for _, chain := range of.ChainsBelow() {
		var several []scan.Image
		for _, n := range by[chain] {
			inv, err := s.Inventory(ctx, n.ID())
			if err != nil {
				return nil, nil, err
			}
			if inv != nil {
				several = append(several, scan.Image{Reference: taggedName(n), Digest: n.ID(), Layers: inv.Layers})
			}
			if len(several) == mostBases {
				break
			}
		}
		if base, same = of.BaseAmong(several); base != nil && base.Layers > 0 {
			return base, same, nil
		}
	}
	base, same = of.BaseAmong(nil)
	return base, same, nil
}

// chained are images by what their layers make together.
type chained map[string][]graph.Node

func chainsOf(w *scope.World) chained {
	out := chained{}
	for n := range w.View.Nodes("Image") {
		if chain := n.Text("chain"); chain != "" {
			out[chain] = append(out[chain], n)
		}
	}
	return out
}

// besides are the images that lie in the repositories of some bases, without those themselves: those first that look best, and how
// many were left out.
func (s session) besides(bases []scan.Base) (out []graph.Node, left int) {
	seen := map[string]bool{}
	for _, b := range bases {
		seen[b.ID] = true
	}
	for _, b := range bases {
		n, there := s.View.Node("Image", b.ID)
		if !there {
			continue
		}
		for stored := range n.Out("STORED_IN") {
			for other := range stored.To.In("STORED_IN") {
				if other.From.Kind() == "Image" && !seen[other.From.ID()] {
					seen[other.From.ID()] = true
					out = append(out, other.From)
				}
			}
		}
	}
	number := func(n graph.Node, name string) int64 {
		if v := n.Value(name); !v.IsNull() {
			return v.Int()
		}
		return 0
	}
	slices.SortFunc(out, func(a, b graph.Node) int {
		return cmp.Or(compareBool(a.Value("scanned").Bool(), b.Value("scanned").Bool()),
			cmp.Compare(number(a, "criticals"), number(b, "criticals")), cmp.Compare(number(a, "highs"), number(b, "highs")),
			cmp.Compare(number(a, "vulnerabilities"), number(b, "vulnerabilities")), cmp.Compare(a.ID(), b.ID()))
	})
	left = max(0, len(out)-mostBases)
	return out[:len(out)-left], left
}

// taggedName is an image's repository with the tags that it has now.
func taggedName(n graph.Node) string {
	tags := n.Value("tags").List()
	if len(tags) == 0 || n.Text("repository") == "" {
		return cmp.Or(n.Text("name"), n.ID())
	}
	return n.Text("registry") + "/" + n.Text("repository") + ":" + strings.Join(tags, ", ")
}
