package detect

import (
	"io"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/breakwater-sec/breakwater/event"
)

func named(id string) *fstest.MapFile {
	return &fstest.MapFile{Data: []byte(strings.Replace(good, "id: something", "id: "+id, 1))}
}

func TestRulesComeFromEveryFolderBelowDetect(t *testing.T) {
	one := fstest.MapFS{"detect/b/b.yaml": named("b"), "detect/a/z.yaml": named("z"), "detect/README.md": {}, "attack/x.yaml": named("x")}
	two := fstest.MapFS{"detect/a/a.yaml": named("a"), "detect/a/notes.txt": {}}
	none := fstest.MapFS{"attack/x.yaml": named("x")}
	r, err := Load(logs, one, none, two)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, one := range r.All() {
		got = append(got, one.Header().ID+" "+one.Header().File)
	}
	if want := []string{"a detect/a/a.yaml", "b detect/b/b.yaml", "z detect/a/z.yaml"}; !slices.Equal(got, want) {
		t.Errorf("rules %v, want %v", got, want)
	}
	if r, err := Load(logs, none); err != nil || len(r.All()) != 0 {
		t.Errorf("a pack without detection: %v", err)
	}
}

func TestAllThatIsWrongIsSaidAtOnceWithFileAndLine(t *testing.T) {
	broken := &fstest.MapFile{Data: []byte(strings.Replace(good, "name: x", "nmae: x", 1))}
	_, err := Load(logs, fstest.MapFS{"detect/a/a.yaml": named("same"), "detect/b/b.yaml": named("same"), "detect/b/c.yaml": broken},
		fstest.MapFS{"detect/d/d.yaml": named("same"), "detect/d/e.yaml": broken},
		fstest.MapFS{"detect": {Data: []byte("a file where a folder was wanted")}})
	for _, want := range []string{
		"load detection rules: ",
		`detect/b/b.yaml: id "same" is that of detect/a/a.yaml already`,
		`detect/d/d.yaml: id "same" is that of detect/a/a.yaml already`,
		`detect/b/c.yaml:9: unknown field "nmae" of test log`,
		`detect/d/e.yaml:9: unknown field "nmae" of test log`,
		"readdir detect: ",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v\nwant %q", err, want)
		}
	}
}

func TestAnEventOfAnotherLogMatchesNothing(t *testing.T) {
	r, err := load(good)
	if err != nil {
		t.Fatal(err)
	}
	f := event.Fields{"verb": {"create"}, "name": {"x"}}
	other := event.Source{Product: "test", Service: "another"}
	got := r.Match([]event.Event{{Source: other, Fields: f}, {Source: source, Fields: f}, {}, {Source: source, Fields: f}})
	if len(got) != 2 || got[0].Event != 1 || got[1].Event != 3 || got[0].Rule.ID != "something" || got[0].Rule.Source() != source {
		t.Errorf("matches %v, want the events 1 and 3", got)
	}
}

func TestARuleSaysItsTechniquesAndWhatItIsQuietAbout(t *testing.T) {
	r, err := load(strings.Replace(good, "tags: [attack.execution, attack.t1609]",
		"tags: [attack.execution, attack.t1609, attack.credential-access, attack.t1552.007]\nfalsepositives: [backups]", 1))
	if err != nil {
		t.Fatal(err)
	}
	one := r.all[0]
	if want := []string{"T1609", "T1552.007"}; !slices.Equal(one.Attack, want) {
		t.Errorf("techniques %v, want %v", one.Attack, want)
	}
	if !slices.Equal(one.Quiet, []string{"backups"}) || one.Severity != "high" || one.Title != "Something happens" {
		t.Errorf("rule %+v", one)
	}
}

func TestPerIsActorTargetOrAField(t *testing.T) {
	for _, per := range []string{"[actor]", "[target, name]", "[other.name]", "[]"} {
		if _, err := load(strings.Replace(good, "level: high", "level: high\nper: "+per, 1)); err != nil {
			t.Errorf("per %s: %v", per, err)
		}
	}
	for _, per := range []string{"[actors]", "[actor, nmae]", "[Target]"} {
		_, err := load(strings.Replace(good, "level: high", "level: high\nper: "+per, 1))
		if err == nil || !strings.Contains(err.Error(), "detect/test/a.yaml:4: unknown field") {
			t.Errorf("per %s: %v", per, err)
		}
	}
}

func TestEvidenceAsksForKnownFieldsInEverySentence(t *testing.T) {
	_, err := load(strings.Replace(good, `["{name} was made."]`, `["It was made.", "{verb} of {name}, and {nmae}."]`, 1))
	if err == nil || !strings.Contains(err.Error(), `detect/test/a.yaml:11: unknown field "nmae" of test log`) {
		t.Errorf("error %v", err)
	}
}

func TestATestThatTestsNothingFails(t *testing.T) {
	empty := slices.Clone(logs)
	decode := empty[0].Decode
	empty[0].Decode = func(r io.Reader) ([]event.Event, error) {
		events, err := decode(r)
		if err == io.EOF {
			return nil, nil
		}
		return events, err
	}
	r, err := Load(empty, fstest.MapFS{
		"detect/test/a.yaml": {Data: []byte(strings.Replace(good, "tests:",
			"tests:\n  - {name: c, event: c.json, fires: false}\n  - {name: d, event: d.json, fires: false}", 1))},
		"detect/test/a.json": {Data: []byte(`{"verb": ["create"], "name": ["y"]}`)},
		"detect/test/b.json": {},
		"detect/test/c.json": {Data: []byte(`{"verb": 1}`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"a": "fires false, want true", "b": "detect/test/b.json holds no events",
		"c": "detect/test/c.json: json: cannot unmarshal", "d": "open detect/test/d.json: file does not exist"}
	for _, c := range r.All()[0].Cases() {
		if err := c.Run(); err == nil || !strings.Contains(err.Error(), want[c.Name]) {
			t.Errorf("test %s: %v, want %q", c.Name, err, want[c.Name])
		}
	}
}
