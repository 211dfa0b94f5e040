package query

import (
	"context"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/breakwater-sec/breakwater/schema"
)

const goodTemplate = `id: exposed
title: Exposed
group: Exposure
sentence: Pods.
query: |
  MATCH (p:Pod)
  WHERE p.exposed
tests:
  - name: yes
    given: Pod a exposed=true
    want: [c/a]
  - name: no
    given: Pod a
    want: []
`

func TestATemplateLoadsStrictlyAndItsErrorsNameFileAndLine(t *testing.T) {
	tests := []struct{ name, from, to, want string }{
		{"as it is", "", "", ""},
		{"unknown key", "group:", "grp:", `exposed.yaml:3: unknown key "grp"`},
		{"unknown property", "p.exposed", "p.exposd", "exposed.yaml:7: 2:9: Pod has no property exposd; did you mean exposed?"},
		{"no quiet test", "    want: []", "    want: [c/a]", "exposed.yaml:9: tests want one that finds something and one that finds nothing"},
		{"another id", "id: exposed", "id: exposition", "exposed.yaml:1: id is exposition"},
		{"no sentence", "Pods.", "", "sentence is missing"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			text := strings.Replace(goodTemplate, test.from, test.to, 1)
			list, err := LoadTemplates(Schema(), fstest.MapFS{"exposed.yaml": {Data: []byte(text)}})
			if test.want == "" {
				if err != nil || len(list) != 1 || list[0].Run(context.Background(), Schema(), schema.Vocabulary()) != nil {
					t.Errorf("%v %v", list, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want …%s…", err, test.want)
			}
		})
	}
}

func TestATemplateWhoseTestIsWrongSaysWhatItFound(t *testing.T) {
	text := strings.Replace(goodTemplate, "want: [c/a]", "want: [c/b]", 1)
	list, err := LoadTemplates(Schema(), fstest.MapFS{"exposed.yaml": {Data: []byte(text)}})
	if err != nil {
		t.Fatal(err)
	}
	err = list[0].Run(context.Background(), Schema(), schema.Vocabulary())
	if err == nil || !strings.Contains(err.Error(), `found ["c/a"], want ["c/b"]`) {
		t.Errorf("got %v", err)
	}
}

func FuzzGiven(f *testing.F) {
	f.Add("cluster prod\nPod web hostNetwork=true -RUNS-> Container web/app privileged=true ports=1,2")
	f.Add("Image i severity=High -HAS_VULNERABILITY{severity=High package=\"a b\"}-> Vulnerability CVE-1 cvss=9.8 published=2026-01-01")
	f.Add("Container a <-RUNS- Pod p # end")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 4096 {
			return
		}
		_, _ = Given(Schema(), schema.Vocabulary(), text)
	})
}
