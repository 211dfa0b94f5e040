package query

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/strictyaml"
)

// Template is a query worth starting from, with the sentence that offers it.
type Template struct {
	ID       string `json:"id" yaml:"id"`
	Title    string `json:"title" yaml:"title"`
	Group    string `json:"group" yaml:"group"`
	Sentence string `json:"sentence" yaml:"sentence"`
	Text     string `json:"text" yaml:"query"`
	Query    *Query `json:"query" yaml:"-"`

	Tests []TemplateTest `json:"-" yaml:"tests"`
	File  string         `json:"-" yaml:"-"`
}

// TemplateTest is a graph, in the notation of Given, and the rows that the
// query finds there: each row's cells as text, joined by " ; ".
type TemplateTest struct {
	Name  string   `yaml:"name"`
	Given string   `yaml:"given"`
	Want  []string `yaml:"want"`
}

// LoadTemplates reads every *.yaml of a folder, strictly: an unknown key, kind,
// property or edge does not load, nor a template without a test that finds
// something and one that finds nothing. All errors are returned, with file and
// line.
func LoadTemplates(v *Vocabulary, dir fs.FS) ([]Template, error) {
	files, err := fs.Glob(dir, "*.yaml")
	if err != nil {
		return nil, fmt.Errorf("list templates: %w", err)
	}
	var out []Template
	var problems []error
	ids := map[string]string{}
	for _, file := range files {
		t, err := loadTemplate(v, dir, file)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		if other, twice := ids[t.ID]; twice {
			problems = append(problems, fmt.Errorf("%s: id %s is taken by %s", file, t.ID, other))
		}
		ids[t.ID] = file
		out = append(out, *t)
	}
	return out, errors.Join(problems...)
}

func loadTemplate(v *Vocabulary, dir fs.FS, file string) (*Template, error) {
	t := &Template{File: file}
	source, err := strictyaml.Read(dir, file, t)
	if err != nil {
		return nil, err
	}
	if err := t.complete(v, source); err != nil {
		return nil, err
	}
	return t, nil
}

// complete compiles the query and holds the template against the rules.
func (t *Template) complete(v *Vocabulary, source *strictyaml.Document) error {
	for _, field := range []struct{ name, value string }{{"id", t.ID}, {"title", t.Title}, {"group", t.Group},
		{"sentence", t.Sentence}, {"query", t.Text}} {
		if strings.TrimSpace(field.value) == "" {
			return source.Errorf(fmt.Errorf("%s is missing", field.name), field.name)
		}
	}
	if want := strings.TrimSuffix(path.Base(t.File), ".yaml"); t.ID != want {
		return source.Errorf(fmt.Errorf("id is %s, but the file says %s", t.ID, want), "id")
	}
	t.Sentence, t.Text = strings.TrimSpace(t.Sentence), strings.TrimSpace(t.Text)
	q, problems := Compile(v, t.Text)
	if len(problems) > 0 {
		p := problems[0]
		return fmt.Errorf("%s:%d: %s", t.File, source.Line("query")+p.Line, p.Error())
	}
	t.Query = q
	finds := func(test TemplateTest) bool { return len(test.Want) > 0 }
	if !slices.ContainsFunc(t.Tests, finds) || !slices.ContainsFunc(t.Tests, func(x TemplateTest) bool { return !finds(x) }) {
		return source.Errorf(errors.New("tests want one that finds something and one that finds nothing"), "tests")
	}
	return nil
}

// Run runs a template's tests through the engine; the error names each that
// fails and shows what was found instead.
func (t *Template) Run(ctx context.Context, v *Vocabulary, gv *graph.Vocabulary) error {
	var failed []error
	for _, test := range t.Tests {
		if err := t.Try(ctx, v, gv, test); err != nil {
			failed = append(failed, fmt.Errorf("%s: test %q: %w", t.File, test.Name, err))
		}
	}
	return errors.Join(failed...)
}

// Try runs one test.
func (t *Template) Try(ctx context.Context, v *Vocabulary, gv *graph.Vocabulary, test TemplateTest) error {
	view, err := Given(v, gv, test.Given)
	if err != nil {
		return fmt.Errorf("given: %w", err)
	}
	res, err := Run(ctx, view, graph.Everything, t.Query, Options{Vocabulary: v, Limit: AllRows})
	if err != nil {
		return err
	}
	got := []string{}
	for _, row := range res.Rows {
		var cells []string
		for _, c := range row {
			cells = append(cells, c.String())
		}
		got = append(got, strings.Join(cells, " ; "))
	}
	if !slices.Equal(got, test.Want) && len(got)+len(test.Want) > 0 {
		return fmt.Errorf("found %q, want %q", got, test.Want)
	}
	return nil
}
