package query

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
)

//go:generate go test -run TestTheSchemaReferenceIsFresh -update

var update = flag.Bool("update", false, "rewrite generated files")

func TestTheSchemaReferenceIsFresh(t *testing.T) {
	file := filepath.Join("..", "docs", "reference", "schema.md")
	var want bytes.Buffer
	if err := WriteReference(&want, Schema()); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil || !bytes.Equal(got, want.Bytes()) {
		t.Errorf("docs/reference/schema.md is stale; run go generate ./query (%v)", err)
	}
}
