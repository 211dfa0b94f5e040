package server

import (
	"os"
	"path/filepath"
	"testing"
)

func TestExceptionsThatCannotBeReadAreToldOnce(t *testing.T) {
	name, told := filepath.Join(t.TempDir(), "e.yaml"), 0
	open := func() (*exceptions, error) { return openExceptions(name, func(error) { told++ }) }
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := open(); err == nil {
		t.Error("a server starts without the exceptions that it was told of")
	}
	write("exceptions: [{package: a, reason: r, author: a, expires: 9999-12-31}]")
	e, err := open()
	if err != nil {
		t.Fatal(err)
	}
	look := func(count, warned int) {
		t.Helper()
		set, _ := e.now()
		if len(set.All()) != count || told != warned {
			t.Errorf("%d exceptions, told %d times; want %d, %d", len(set.All()), told, count, warned)
		}
	}
	look(1, 0)
	write("exceptions: what")
	look(1, 1)
	look(1, 1)
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	look(1, 2)
	write("exceptions: []")
	look(0, 2)
	if e, err := openExceptions("", nil); err != nil || len(mustNow(t, e)) > 0 {
		t.Errorf("without a file: %v", err)
	}
}

func mustNow(t *testing.T, e *exceptions) []any {
	t.Helper()
	set, err := e.now()
	if err != nil {
		t.Error(err)
	}
	return make([]any, len(set.All()))
}
