package query

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/test/golden"
)

//go:generate go test -run TestTheSchemaReferenceIsFresh -update

func TestTheSchemaReferenceIsFresh(t *testing.T) {
	var b strings.Builder
	if err := WriteReference(&b, Schema()); err != nil {
		t.Fatal(err)
	}
	golden.Compare(t, filepath.Join("..", "docs", "reference", "schema.md"), b.String())
}
