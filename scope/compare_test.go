package scope

import (
	"fmt"
	"testing"

	"github.com/breakwater-sec/breakwater/analyse"
)

func TestADifferenceTellsOfWhatIsSeenAlone(t *testing.T) {
	elsewhere := analyse.Path{ID: "elsewhere", Cluster: "shop", Entry: safe, Foothold: safe, Target: safe, Nodes: []analyse.Thing{safe}}
	before, after := across(), []analyse.Path{inner(), elsewhere}
	const why = "Node n1 cannot be read"
	d := analyse.Compare([]analyse.Path{before}, after, func(*analyse.Path) string { return why })
	d.Closed = append(d.Closed, elsewhere, before)
	d.Changed = []analyse.Changed{{Path: elsewhere, BeforeRisk: "low"}, {Path: inner(), BeforeRisk: "low"}}
	for _, c := range []struct {
		tenants []string
		want    string
	}{
		{[]string{"cart"}, "opens [inner], closes [across], changes [inner], hides [across: it could not be judged again], keeps 0"},
		{[]string{"stock"}, "opens [], closes [], changes [], hides [], keeps 0"},
	} {
		got := differenceWithin(d, after, c.tenants)
		ids := func(all []analyse.Path) (out []string) {
			for _, p := range all {
				out = append(out, p.ID)
			}
			return out
		}
		var changed, hidden []string
		for _, x := range got.Changed {
			changed = append(changed, x.Path.ID)
		}
		for _, x := range got.Hidden {
			hidden = append(hidden, x.Path.ID+": "+x.Why)
		}
		if s := fmt.Sprintf("opens %v, closes %v, changes %v, hides %v, keeps %d", ids(got.Opened), ids(got.Closed), changed, hidden,
			got.Kept); s != c.want {
			t.Errorf("%v: %s, want %s", c.tenants, s, c.want)
		}
	}
}
