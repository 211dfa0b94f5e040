package api

import (
	"net/url"
	"testing"
)

// pathGroups asks for each group and for the list that it opens.
func (s *served) pathGroups(t *testing.T) {
	for _, by := range []ListPathsParamsGroup{ListPathsParamsGroupTarget, ListPathsParamsGroupEntry, ListPathsParamsGroupTechnique,
		ListPathsParamsGroupFix} {
		var list PathList
		s.get(t, "/paths?limit=1000&group="+string(by), &list)
		if list.Groups == nil || len(*list.Groups) == 0 {
			t.Fatalf("no groups by %s", by)
		}
		most := 0
		for _, g := range *list.Groups {
			var of PathList
			s.get(t, "/paths?"+string(by)+"="+url.QueryEscape(g.Key), &of)
			if of.Total != g.Count || of.Total == 0 {
				t.Errorf("%s %s has %d paths and counts %d", by, g.Name, of.Total, g.Count)
			}
			if len(of.Items) > 0 && (of.Items[0].Risk != g.Risk || of.Items[0].RiskScore != g.RiskScore) {
				t.Errorf("%s %s is %s, and its worst path %s", by, g.Name, g.Risk, of.Items[0].Risk)
			}
			most = max(most, g.Count)
		}
		if most < 2 && by != ListPathsParamsGroupTarget {
			t.Errorf("no two paths share a %s", by)
		}
	}
}

// pathClasses asks for each class and for the list that it opens.
func (s *served) pathClasses(t *testing.T) {
	var all, none PathList
	s.get(t, "/paths", &all)
	sum := 0
	for class, n := range all.Classes {
		var of PathList
		s.get(t, "/paths?entryClass="+class, &of)
		if of.Total != n || of.Classes[class] != n {
			t.Errorf("%s: %d paths, counted %d", class, of.Total, n)
		}
		sum += n
	}
	if sum != all.Total || sum == 0 {
		t.Errorf("%d of %d paths have a class", sum, all.Total)
	}
	s.get(t, "/paths?entryClass=assumed", &none)
	if none.Total != 0 || none.Classes["known"] != all.Classes["known"] {
		t.Errorf("assumed: %d paths; classes %v", none.Total, none.Classes)
	}
}
