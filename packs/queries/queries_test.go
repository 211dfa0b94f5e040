package queries_test

import (
	"context"
	"testing"

	"github.com/breakwater-sec/breakwater/packs/queries"
	"github.com/breakwater-sec/breakwater/query"
	"github.com/breakwater-sec/breakwater/schema"
)

func TestEveryTemplateFindsWhatItSaysAndNothingElse(t *testing.T) {
	templates, err := query.LoadTemplates(query.Schema(), queries.Files)
	if err != nil {
		t.Fatal(err)
	}
	if len(templates) < 12 {
		t.Errorf("only %d templates", len(templates))
	}
	for _, tmpl := range templates {
		t.Run(tmpl.ID, func(t *testing.T) {
			if err := tmpl.Run(context.Background(), query.Schema(), schema.Vocabulary()); err != nil {
				t.Error(err)
			}
		})
	}
}
