package query

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/breakwater-sec/breakwater/graph"
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

// maxTemplate bounds a file from a user's folder.
const maxTemplate = 256 << 10

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
	f, err := dir.Open(file)
	if err != nil {
		return nil, fmt.Errorf("open template: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxTemplate+1))
	if err != nil {
		return nil, fmt.Errorf("read template %s: %w", file, err)
	}
	if len(b) > maxTemplate {
		return nil, fmt.Errorf("%s: a template has at most %d bytes", file, maxTemplate)
	}
	t := &Template{File: file}
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err := d.Decode(t); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if err := t.complete(v, b); err != nil {
		return nil, err
	}
	return t, nil
}

// complete compiles the query and holds the template against the rules.
func (t *Template) complete(v *Vocabulary, source []byte) error {
	for _, field := range []struct{ name, value string }{{"id", t.ID}, {"title", t.Title}, {"group", t.Group}, {"sentence", t.Sentence}, {"query", t.Text}} {
		if strings.TrimSpace(field.value) == "" {
			return fmt.Errorf("%s: %s is missing", t.File, field.name)
		}
	}
	if want := strings.TrimSuffix(path.Base(t.File), ".yaml"); t.ID != want {
		return fmt.Errorf("%s:%d: id is %s, but the file says %s", t.File, lineOf(source, "id"), t.ID, want)
	}
	t.Sentence, t.Text = strings.TrimSpace(t.Sentence), strings.TrimSpace(t.Text)
	q, problems := Compile(v, t.Text)
	if len(problems) > 0 {
		p := problems[0]
		return fmt.Errorf("%s:%d: %s", t.File, lineOf(source, "query")+p.Line, p.Error())
	}
	t.Query = q
	finds := func(test TemplateTest) bool { return len(test.Want) > 0 }
	if !slices.ContainsFunc(t.Tests, finds) || !slices.ContainsFunc(t.Tests, func(x TemplateTest) bool { return !finds(x) }) {
		return fmt.Errorf("%s:%d: tests want one that finds something and one that finds nothing", t.File, max(1, lineOf(source, "tests")))
	}
	return nil
}

// lineOf is the line of a top-level key; 0 if it is not there.
func lineOf(source []byte, key string) int {
	for n, line := range bytes.Split(source, []byte("\n")) {
		if bytes.HasPrefix(line, []byte(key+":")) {
			return n + 1
		}
	}
	return 0
}

// Run runs a template's tests through the engine; the error names each that
// fails and shows what was found instead.
func (t *Template) Run(ctx context.Context, v *Vocabulary, gv *graph.Vocabulary) error {
	var failed []error
	for _, test := range t.Tests {
		view, err := Given(v, gv, test.Given)
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: test %q: given: %w", t.File, test.Name, err))
			continue
		}
		res, err := Run(ctx, view, graph.Everything, t.Query, Options{Vocabulary: v, Limit: AllRows})
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: test %q: %w", t.File, test.Name, err))
			continue
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
			failed = append(failed, fmt.Errorf("%s: test %q: found %q, want %q", t.File, test.Name, got, test.Want))
		}
	}
	return errors.Join(failed...)
}
