package rule

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
)

// sum is an engine of nothing: its rules fire on words they list.
type sum struct {
	Head  `yaml:",inline"`
	Words []string `yaml:"words"`
	Tests []struct {
		Name  string `yaml:"name"`
		Given string `yaml:"given"`
		Fires bool   `yaml:"fires"`
	} `yaml:"tests"`
}

func (s *sum) Cases() (out []Case) {
	for _, t := range s.Tests {
		out = append(out, Case{t.Name, t.Fires, func() error {
			for _, w := range s.Words {
				if strings.Contains(t.Given, w) == t.Fires {
					return nil
				}
			}
			return errors.New("did otherwise")
		}})
	}
	return out
}

func compileSum(f *File, s *sum) (Rule, error) {
	if len(s.Words) == 0 {
		return nil, f.Errorf(errors.New("want words"), "words")
	}
	return s, nil
}

const good = `id: knows-a-word
title: Says a word
severity: low
attack: [T1611]
words: [boo]
why: >
  Because it does.
fix: >
  Say nothing.
tests:
  - {name: says it, given: a boo, fires: true}
  - {name: silent, given: nothing, fires: false}
`

func TestAWrongRuleDoesNotLoadAndTheErrorNamesFileLineAndWhatWasWanted(t *testing.T) {
	tests := []struct{ name, old, new, want string }{
		{"unknown key", "words: [boo]", "words: [boo]\nwrods: [x]", `rules/a.yaml:6: unknown key "wrods"`},
		{"unknown key of a test", "given: nothing", "gievn: nothing", `rules/a.yaml:12: unknown key "gievn"`},
		{"no title", "title: Says a word", "title: ''", "rules/a.yaml:2: want a title"},
		{"id with a space", "knows-a-word", "knows a word", "rules/a.yaml:1: id"},
		{"severity that is none", "severity: low", "severity: bad", `rules/a.yaml:3: severity "bad": want one of low, medium, high, critical`},
		{"technique that is none", "T1611", "escape", `rules/a.yaml:4: technique "escape"`},
		{"body the engine refuses", "words: [boo]", "words: []", "rules/a.yaml:5: want words"},
		{"no test that stays quiet", "fires: false", "fires: true", "rules/a.yaml:11: want a test that fires and a test that stays quiet"},
		{"no test that fires", "fires: true", "fires: false", "rules/a.yaml:11: want a test that fires and a test that stays quiet"},
		{"a test without a name", "name: silent", "name: ''", `rules/a.yaml:11: test "": want a name`},
		{"no why", "why: >\n  Because it does.", "why: ' '", "rules/a.yaml:6: want a why"},
		{"no fix", "fix: >\n  Say nothing.", "fix: ' '", "rules/a.yaml:8: want a fix"},
		{"two tests of one name", "name: silent", "name: says it", `test "says it": want a name`},
		{"two documents", "id: knows", "---\nid: x\n---\nid: knows", "more than one document"},
		{"an alias", "why: >\n  Because it does.", "why: &x why\n", "rules/a.yaml:8: want no aliases"},
		{"no mapping", good, "- a\n", "rules/a.yaml:1: want keys"},
		{"not YAML", "words: [boo]", "words: [boo", "rules/a.yaml:"},
		{"empty", good, "", "rules/a.yaml: there is nothing in it"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			text := strings.Replace(good, test.old, test.new, 1)
			if test.name == "an alias" {
				text = strings.Replace(text, "fix: >\n  Say nothing.", "fix: *x", 1)
			}
			_, err := Load(fstest.MapFS{"rules/a.yaml": {Data: []byte(text)}}, "rules", nil, compileSum)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q in it", err, test.want)
			}
		})
	}
}

func TestRulesComeSortedAndOneBadFileHidesNoOther(t *testing.T) {
	fsys := fstest.MapFS{
		"rules/b.yaml":     {Data: []byte(strings.Replace(good, "knows-a-word", "aaa", 1))},
		"rules/a.yaml":     {Data: []byte(good)},
		"rules/bad.yaml":   {Data: []byte("id: 1\nx: 2\n")},
		"rules/twice.yaml": {Data: []byte(good)},
		"rules/other.yaml": {Data: []byte("- a list that is no rule")},
		"rules/note.txt":   {Data: []byte("not a rule")},
	}
	rules, err := Load(fsys, "rules", []string{"other.yaml"}, compileSum)
	if len(rules) != 2 || rules[0].Header().ID != "aaa" || rules[1].Header().ID != "knows-a-word" {
		t.Errorf("rules = %v", rules)
	}
	for _, want := range []string{"rules/bad.yaml:2: unknown key", `rules/twice.yaml: id "knows-a-word" is that of rules/a.yaml already`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}

func TestWhichFilesOfAFolderAreRules(t *testing.T) {
	fsys := fstest.MapFS{
		"rules/a.yaml":          {Data: []byte(good)},
		"rules/b.yml":           {Data: []byte(strings.Replace(good, "knows-a-word", "bbb", 1))},
		"rules/c.yaml/d.yaml":   {Data: []byte("in a folder of that name")},
		"rules/skipped.yaml":    {Data: []byte("- a list that is no rule")},
		"rules/README.md":       {Data: []byte("# Rules")},
		"rules/testdata/x.yaml": {Data: []byte("further down")},
	}
	rules, err := Load(fsys, "rules", []string{"skipped.yaml"}, compileSum)
	if err != nil || len(rules) != 2 || rules[0].Header().File != "rules/b.yml" || rules[1].Header().File != "rules/a.yaml" {
		t.Errorf("%v, %v", rules, err)
	}
	if in := In(rules, fsys, "."); len(in) != 2 {
		t.Errorf("%d rules in the folder", len(in))
	}
	if in := In(rules, fsys, "rule"); len(in) != 0 {
		t.Errorf("%d rules in a part that only begins alike", len(in))
	}
	if in := In(rules, fstest.MapFS{"rules/b.yml": {}}, "rules"); len(in) != 1 || in[0].Header().ID != "bbb" {
		t.Errorf("of another folder: %v", in)
	}
}

func TestAFolderOfTooManyFilesIsRefused(t *testing.T) {
	fsys := fstest.MapFS{}
	for i := range maxFiles {
		fsys[fmt.Sprintf("rules/%d.txt", i)] = &fstest.MapFile{}
	}
	if _, err := Load(fsys, "rules", nil, compileSum); err != nil {
		t.Errorf("as many as allowed: %v", err)
	}
	fsys["rules/more.txt"] = &fstest.MapFile{}
	if _, err := Load(fsys, "rules", nil, compileSum); err == nil ||
		!strings.Contains(err.Error(), "4097 files are more than the 4096 allowed") {
		t.Errorf("one more: %v", err)
	}
}

func TestRulesThatDoWhatTheirTestsSayAreReportedAsWell(t *testing.T) {
	fsys := fstest.MapFS{"r/a.yaml": {Data: []byte(good)}, "r/b.yaml": {Data: []byte(strings.Replace(good, "knows-a-word", "bbb", 1))}}
	rules, err := Load(fsys, "r", nil, compileSum)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if ok := Report(&out, Test(rules)); !ok || out.String() != "2 rules, 4 tests, 0 failed\n" {
		t.Errorf("%v: %q", ok, out.String())
	}
	out.Reset()
	if ok := Report(&out, Test(rules)[:1]); !ok {
		t.Errorf("one test that went well: %q", out.String())
	}
}

func TestAFolderThatIsNotThereHoldsNoRules(t *testing.T) {
	if rules, err := Load(fstest.MapFS{}, "rules", nil, compileSum); len(rules) != 0 || err != nil {
		t.Errorf("rules %v, error %v", rules, err)
	}
}

func TestAFailingTestIsReportedWithItsRule(t *testing.T) {
	text := strings.Replace(good, "given: nothing", "given: boo", 1)
	rules, err := Load(fstest.MapFS{"r/a.yaml": {Data: []byte(text)}}, "r", nil, compileSum)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if Report(&out, Test(rules)) {
		t.Error("reported as fine")
	}
	if want := "FAIL knows-a-word: silent: did otherwise\n1 rules, 2 tests, 1 failed\n"; out.String() != want {
		t.Errorf("report %q, want %q", out.String(), want)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(good)
	f.Add("id: [")
	f.Add("a: &a [*a]")
	f.Fuzz(func(t *testing.T, text string) {
		rules, err := Load(fstest.MapFS{"r/a.yaml": {Data: []byte(text)}}, "r", nil, compileSum)
		if (err == nil) != (len(rules) == 1) {
			t.Errorf("%d rules, error %v", len(rules), err)
		}
	})
}

// other is a rule that was written for other tools.
type other struct {
	Head
	about *Foreign
}

func (o *other) Cases() []Case     { return nil }
func (o *other) Foreign() *Foreign { return o.about }

func TestRulesOfOthersNeedNoTestsAndWhatCannotHoldIsSaid(t *testing.T) {
	head := func(id string) Head { return Head{ID: id, File: "detect/x/" + id + ".yml"} }
	var out strings.Builder
	n := ReportForeign(
		&out,
		[]Rule{&other{head("a"), &Foreign{}}, &other{head("b"), &Foreign{Missing: []string{"no port", "no host"}, Never: true}},
			&other{head("c"), &Foreign{Missing: []string{"no port"}}}, &other{head("ours"), nil}, &sum{}},
	)
	want := "detect/x/b.yml: b: can never fire: no port; no host\ndetect/x/c.yml: c: part of it can never hold: no port\n" +
		"3 rules of others, which bring no tests: 2 can fire, 1 never\n"
	if n != 3 || out.String() != want {
		t.Errorf("%d, said\n%s\nwant\n%s", n, out.String(), want)
	}
	out.Reset()
	if n := ReportForeign(&out, []Rule{&sum{}}); n != 0 || out.Len() > 0 {
		t.Errorf("%d, said %q", n, out.String())
	}
}
