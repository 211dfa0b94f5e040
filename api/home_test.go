package api

import (
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/graph"
)

func TestATileOverUnknownSaysUnknown(t *testing.T) {
	yes, no, unknown := graph.BoolValue(true), graph.BoolValue(false), graph.Value{}
	for _, c := range []struct {
		name   string
		things []graph.Value
		blind  bool
		unseen []string
		count  string
		said   string
		note   string
	}{
		{"all were looked at", []graph.Value{yes, no}, false, nil, "1", "1 of 2 are bad.", ""},
		{"there is nothing", nil, false, nil, "0", "0 of 0 are bad.", ""},
		{"none of all that were looked at", []graph.Value{no, no}, false, nil, "0", "0 of 2 are bad.", ""},
		{"none was looked at", []graph.Value{unknown, unknown}, false, nil, "unknown", "Unknown for 2 of 2: nobody looked.", ""},
		{"some were looked at, none is bad", []graph.Value{no, unknown}, false, nil, "0", "0 of 2 are bad.",
			"Unknown for 1 of 2: nobody looked."},
		{"what is bad is told though not all was looked at", []graph.Value{yes, unknown}, false, nil, "1", "1 of 2 are bad.",
			"Unknown for 1 of 2: nobody looked."},
		{"nothing that it rests on was looked at", nil, true, []string{"3 of 3 images were not assessed"}, "unknown",
			"3 of 3 images were not assessed.", ""},
		{"a part of what it rests on was not", []graph.Value{no}, false, []string{"1 of 2 clusters were not read yet"}, "0",
			"0 of 1 are bad.", "1 of 2 clusters were not read yet."},
		{"what was found counts even so", []graph.Value{yes}, true, []string{"1 of 1 clusters were not read yet"}, "1",
			"1 of 1 are bad.", "1 of 1 clusters were not read yet."},
		{"both", []graph.Value{no, unknown}, false, []string{"1 of 2 clusters were not read yet"}, "0", "0 of 2 are bad.",
			"1 of 2 clusters were not read yet; unknown for 1 of 2: nobody looked."},
	} {
		t.Run(c.name, func(t *testing.T) {
			of := tally{blind: c.blind}
			for _, v := range c.things {
				of.add(v)
			}
			got := of.count("Bad", "%d of %d are bad.", "high", "/", c.unseen, "nobody looked")
			count := "unknown"
			if got.Count != nil {
				count = string(rune('0' + *got.Count))
			}
			if count != c.count || got.Sentence != c.said || deref(got.Unknown) != c.note || got.Of != len(c.things) {
				t.Errorf("%s of %d, %q, %q", count, got.Of, got.Sentence, deref(got.Unknown))
			}
		})
	}
}

func TestWhatPathsAndVulnerabilitiesRestOn(t *testing.T) {
	some := tally{all: 2}
	for _, c := range []struct {
		name              string
		unread            []string
		images, workloads tally
		said              string
		all               bool
	}{
		{"all was read", nil, some, some, "", false},
		{"nothing runs", nil, tally{}, tally{}, "no workload was read", true},
		{"no image was assessed", nil, tally{all: 2, unknown: 2}, some, "2 of 2 images that run were not assessed, or not wholly", true},
		{"one image was", nil, tally{all: 2, unknown: 1}, some, "1 of 2 images that run were not assessed, or not wholly", false},
		{"a cluster was not read yet", []string{"1 of 1 clusters were not read yet"}, tally{}, tally{},
			"1 of 1 clusters were not read yet", true},
	} {
		said, all := restsOn(c.unread, c.images, c.workloads)
		if got := strings.Join(said, "; "); got != c.said || all != c.all {
			t.Errorf("%s: %q, all %v; want %q, all %v", c.name, got, all, c.said, c.all)
		}
	}
}

// One image of the sample cannot be read, so what rests on images says so.
func (s *served) home(t *testing.T) {
	var h Home
	s.get(t, "/home", &h)
	for _, c := range h.Counts {
		if c.Count == nil {
			t.Errorf("%s: unknown, though most was looked at", c.Title)
		}
		rests := c.Title == "Critical attack paths" || c.Title == "Images with high severity" || c.Title == "Known exploited"
		if unread := strings.Contains(strings.ToLower(deref(c.Unknown)), "not assessed"); unread != rests {
			t.Errorf("%s: %q", c.Title, deref(c.Unknown))
		}
		if path, text, isQuestion := strings.Cut(c.Href, "?q="); isQuestion && (path != "/explorer" || text == "") {
			t.Errorf("%s leads to %s", c.Title, c.Href)
		}
	}
}
