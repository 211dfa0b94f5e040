package strictyaml

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

type animal struct {
	Name string              `yaml:"name"`
	Legs int                 `yaml:"legs"`
	Wild bool                `yaml:"wild"`
	Eats []string            `yaml:"eats"`
	Home struct{ In string } `yaml:"home"`
	More map[string]Node     `yaml:"more"`
}

func TestWhatAPersonMayHaveMeantOtherwiseIsAnErrorWithItsLine(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"an unknown key", "name: cat\nlgs: 4\n", `zoo/a.yaml:2: unknown key "lgs"`},
		{"an unknown key further in", "name: cat\nhome:\n  inn: house\n", `zoo/a.yaml:3: unknown key "inn"`},
		{"a key twice", "name: cat\nlegs: 4\nname: dog\n", `zoo/a.yaml:3: key "name" is there twice, first in line 1`},
		{"a key twice in a part read later", "name: cat\nmore:\n  x: {a: 1,\n    a: 2}\n",
			`zoo/a.yaml:4: key "a" is there twice, first in line 3`},
		{"a word for a number", "name: cat\nlegs: four\n", `zoo/a.yaml:2: want a whole number, found "four"`},
		{"a word for yes", "wild: perhaps\n", `zoo/a.yaml:1: want true or false, found "perhaps"`},
		{"a text for a list", "eats: mice\n", `zoo/a.yaml:1: want a list, found "mice"`},
		{"a list for a text", "name: [cat]\n", "zoo/a.yaml:1: want a text, found a list"},
		{"a text for keys", "home: house\n", `zoo/a.yaml:1: want keys and their values, found "house"`},
		{"a list for a document", "- name: cat\n", "zoo/a.yaml:1: want keys and their values."},
		{"a word for a document", "cat\n", "zoo/a.yaml:1: want keys and their values."},
		{"a list that is tagged as nothing", "!!null [cat]\n", "zoo/a.yaml:1: want keys and their values."},
		{"an alias", "name: &x cat\neats: [*x]\n", "zoo/a.yaml:2: want no aliases"},
		{"a merge", "more: {<<: {a: 1}}\n", "zoo/a.yaml:1: want a word as a key"},
		{"a key that is no word", "more: {[a]: 1}\n", "zoo/a.yaml:1: want a word as a key"},
		{"two documents", "name: cat\n---\nname: dog\n", "zoo/a.yaml: want one document in the file"},
		{"a number that is too large", "legs: 99999999999999999999\n", "zoo/a.yaml:1: want a whole number, found \"999"},
		{"one level too deep", "more: {x: " + strings.Repeat("[", 15) + "a" + strings.Repeat("]", 15) + "}\n",
			"zoo/a.yaml:1: nested deeper than 16."},
		{"too deep", "more: {x: " + strings.Repeat("[", 40) + strings.Repeat("]", 40) + "}\n", "zoo/a.yaml:1: nested deeper than 16"},
		{"too long", "name: " + strings.Repeat("x", maxSize), "zoo/a.yaml: longer than the 1048576 bytes allowed"},
		{"no YAML", "name: [cat\nlegs: 4\n", "zoo/a.yaml:"},
		{"empty", "", "zoo/a.yaml: there is nothing in it"},
		{"only a comment", "# nothing yet\n", "zoo/a.yaml: there is nothing in it"},
		{"an empty document", "---\n", "zoo/a.yaml: there is nothing in it"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Read(fstest.MapFS{"zoo/a.yaml": {Data: []byte(test.text)}}, "zoo/a.yaml", &animal{})
			if err == nil || !strings.HasPrefix(err.Error(), strings.TrimSuffix(test.want, ".")) {
				t.Errorf("error %v, want %q", err, test.want)
			}
			if exact, ok := strings.CutSuffix(test.want, "."); ok && err.Error() != exact {
				t.Errorf("error %v, want %q and no more", err, exact)
			}
			if errors.Is(err, ErrEmpty) != strings.HasSuffix(test.want, "nothing in it") {
				t.Errorf("error %v: is it empty?", err)
			}
		})
	}
}

func TestWhatIsWithinTheBoundsIsRead(t *testing.T) {
	for name, text := range map[string]string{
		"as deep as allowed": "more: {x: " + strings.Repeat("[", 14) + "a" + strings.Repeat("]", 14) + "}\n",
		"as long as allowed": "name: " + strings.Repeat("x", maxSize-len("name: ")),
	} {
		if _, err := Decode("a.yaml", []byte(text), new(animal)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestADocumentSaysWhereAKeyIs(t *testing.T) {
	var a animal
	d, err := Decode("a.yaml", []byte("name: cat\neats:\n  - mice\n  - fish\nhome: {in: house}\n"), &a)
	if err != nil || a.Name != "cat" || len(a.Eats) != 2 || a.Home.In != "house" {
		t.Fatalf("%+v, %v", a, err)
	}
	for key, want := range map[string]int{"": 1, "name": 1, "eats": 3, "eats 1": 4, "eats 0": 3, "eats 2": 3, "eats 7": 3,
		"eats -1": 3, "eats x": 3, "eats 1 deeper": 4, "name 0": 1, "home house": 5, "home in": 5, "legs": 1} {
		if got := d.Line(strings.Fields(key)...); got != want {
			t.Errorf("%q is at line %d, want %d", key, got, want)
		}
	}
	d, err = Decode("a.yaml", []byte("eats: [\n  mice,\n  fish]\n"), &a)
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]int{"eats": 1, "eats 0": 2, "eats 1": 3, "eats x": 1, "eats 2": 1, "eats -1": 1} {
		if got := d.Line(strings.Fields(key)...); got != want {
			t.Errorf("of a list that begins before its parts %q is at line %d, want %d", key, got, want)
		}
	}
	if err := d.Errorf(errors.New("too little"), "eats", "1"); err.Error() != "a.yaml:3: too little" {
		t.Error(err)
	}
}

func TestAListIsReadAsOne(t *testing.T) {
	var list []animal
	if _, err := Decode("a.yaml", []byte("- name: cat\n- name: dog\n"), &list); err != nil ||
		fmt.Sprint(list[0].Name, list[1].Name) != "catdog" {
		t.Errorf("%v, %v", list, err)
	}
	if _, err := ReadFrom("a.yaml", failing{}, &list); err == nil || err.Error() != "a.yaml: the disk is gone" {
		t.Error(err)
	}
	if _, err := Read(fstest.MapFS{}, "a.yaml", &list); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if _, err := Decode("a.yaml", []byte("name: cat\n"), &list); err == nil || err.Error() != "a.yaml:1: want a list" {
		t.Error(err)
	}
}

func TestATextIsAListOfOne(t *testing.T) {
	for text, want := range map[string]string{"eats: mice\n": "[mice]", "eats: [mice, fish]\n": "[mice fish]", "eats: []\n": "[]",
		"eats: 7\n": "[7]", "eats: {a: b}\n": "a.yaml:1: want a list, found keys and their values"} {
		var a struct {
			Eats Texts `yaml:"eats"`
		}
		_, err := Decode("a.yaml", []byte(text), &a)
		got := fmt.Sprint(a.Eats)
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q is %s, want %s", text, got, want)
		}
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("the disk is gone") }

// FuzzDecode: never a panic, and an error names the file.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{"name: cat\nmore: {a: {b: [c]}}\n", "a: &a [*a]", "<<: {name: x}", "? [a]\n: b\n",
		"--- !!binary x\n...\n", "name: \"\\u0000\"", "\xff", "- - - -"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var a animal
		d, err := Decode("a.yaml", text, &a)
		switch {
		case err != nil && !strings.HasPrefix(err.Error(), "a.yaml:"):
			t.Errorf("error %v", err)
		case err == nil && d.Line("more", "x", "0") < 1:
			t.Error("a key before the first line")
		}
		_, _ = Decode("a.yaml", text, new([]animal))
	})
}

func TestGoTypesAreNamedAsAWriterOfYAMLCallsThem(t *testing.T) {
	for goType, want := range map[string]string{"string": "a text", "*string": "a text", "bool": "true or false", "int": "a whole number",
		"int64": "a whole number", "uint8": "a whole number", "float64": "a number", "[]string": "a list",
		"map[string]int": "keys and their values", "rule.Head": "keys and their values"} {
		if got := kindOf(goType); got != want {
			t.Errorf("%s is %q, want %q", goType, got, want)
		}
	}
	for message, want := range map[string]string{
		"field x not found in type rule.body":         `unknown key "x"`,
		"cannot unmarshal !!str `` into int":          `want a whole number, found ""`,
		"cannot unmarshal !!null `~` into int":        `want a whole number, found "~"`,
		"cannot unmarshal !!null into int":            "want a whole number, found nothing",
		"cannot unmarshal !!map into string":          "want a text, found keys and their values",
		"cannot unmarshal !!seq into int":             "want a whole number, found a list",
		"did not find expected ',' or ']'":            "did not find expected ',' or ']'",
		"cannot unmarshal !!int `7` into []rule.Case": `want a list, found "7"`,
	} {
		if got := plain(message); got != want {
			t.Errorf("%q is %q, want %q", message, got, want)
		}
	}
}
