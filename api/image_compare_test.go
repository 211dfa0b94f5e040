package api

import (
	"fmt"
	"net/url"
	"testing"

	"github.com/breakwater-sec/breakwater/report/scan"
)

// imageDifferences holds every image of the sample against every other one.
func (s *served) imageDifferences(t *testing.T) {
	var l ImageList
	s.get(t, "/images", &l)
	fixed, hidden := 0, 0
	for _, a := range l.Items {
		for _, b := range l.Items {
			var there, back scan.Difference
			s.get(t, "/image/diff?"+url.Values{"base": {a.Id}, "head": {b.Name}}.Encode(), &there)
			s.get(t, "/image/diff?"+url.Values{"base": {b.Id}, "head": {a.Id}}.Encode(), &back)
			if a.Id == b.Id && len(there.New)+len(there.Fixed)+len(there.Added)+len(there.Gone)+len(there.Changed) > 0 {
				t.Errorf("%s differs from itself: %+v", a.Name, there)
			}
			if len(there.Added) != len(back.Gone) || len(there.Changed) != len(back.Changed) || there.SharedLayers != back.SharedLayers {
				t.Errorf("%s → %s adds %d, and the way back takes %d", a.Name, b.Name, len(there.Added), len(back.Gone))
			}
			if b.State != Done && (len(there.Fixed) > 0 || len(there.NotKnown) == 0) {
				t.Errorf("%s → %s, which nobody could read, fixes %d", a.Name, b.Name, len(there.Fixed))
			}
			fixed, hidden = fixed+len(there.Fixed), hidden+len(there.Hidden)
		}
		var bases scan.Rebase
		s.get(t, "/image/bases?id="+url.QueryEscape(a.Id), &bases)
		if (bases.Base == nil || bases.Base.Layers == 0) && (len(bases.Bumps) > 0 || len(bases.NotKnown) == 0) {
			t.Errorf("%s has no base that is known, and %d other ones", a.Name, len(bases.Bumps))
		}
	}
	if fixed == 0 || hidden == 0 {
		t.Errorf("%d fixed and %d hidden: this proves nothing", fixed, hidden)
	}
}

func TestTheBaseOfAnImageIsFoundAmongThoseThatTheAskerSees(t *testing.T) {
	p := plant("one")
	s := p.serve(t)
	s.signIn(t)

	word := p.clusters["cluone"][0]
	var got scan.Rebase
	s.get(t, fmt.Sprintf("/image/bases?id=registry.%s.example/app-%[1]s:1", word), &got)
	if got.Base == nil || got.Base.Name != "common.example/base:1" || got.Base.Layers != 1 || got.Base.How != scan.SameLayers {
		t.Errorf("base %v", got.Base)
	}
	s.get(t, fmt.Sprintf("/image/bases?id=registry.%s.example/app-%[1]s:1&among=registry.%[2]s.example/app-%[2]s:1", word,
		p.clusters["cluone"][1]), &got)
	if len(got.Bumps) != 1 || !got.Bumps[0].Known || len(got.Bumps[0].Adds) == 0 {
		t.Errorf("another one to try: %+v", got.Bumps)
	}
}
