package server

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/store"
)

func TestExceptionsThatCannotBeReadAreToldOnce(t *testing.T) {
	name, told := filepath.Join(t.TempDir(), "e.yaml"), 0
	open := func() (*exceptions, error) { return openExceptions(name, nil, func(error) { told++ }) }
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
		set, _ := e.now(t.Context())
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
	if e, err := openExceptions("", nil, nil); err != nil || len(mustNow(t, e)) > 0 {
		t.Errorf("without a file: %v", err)
	}
}

func mustNow(t *testing.T, e *exceptions) []any {
	t.Helper()
	set, err := e.now(t.Context())
	if err != nil {
		t.Error(err)
	}
	return make([]any, len(set.All()))
}

// TestWhatWasMadeInThePortalCountsBesideTheFile until somebody ends it, and as it was while the store cannot be asked.
func TestWhatWasMadeInThePortalCountsBesideTheFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "e.yaml")
	if err := os.WriteFile(name, []byte("exceptions: [{package: a, reason: r, author: a, expires: 9999-12-31}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "b.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	made, told := &flaky{Store: st}, 0
	e, err := openExceptions(name, made, func(error) { told++ })
	if err != nil {
		t.Fatal(err)
	}
	have := func(want string, ok bool) {
		t.Helper()
		set, err := e.now(t.Context())
		var got []string
		for _, x := range set.All() {
			got = append(got, filepath.Base(strings.Join(x.Package, " "))+" by "+x.Author)
		}
		if text := strings.Join(got, ", "); text != want || (err == nil) != ok {
			t.Errorf("%s, %v; want %s", text, err, want)
		}
	}
	have("a by a", true)
	kept, err := st.AddException(t.Context(), `{"package":["b"],"reason":"r","author":"forged","expires":"9999-12-31"}`, "alice")
	if err != nil {
		t.Fatal(err)
	}
	have("a by a, b by alice", true)
	first, _ := e.now(t.Context())
	if again, _ := e.now(t.Context()); again != first {
		t.Error("what did not change is made anew for each who asks")
	}
	made.broken = errors.New("the disk is gone")
	have("a by a, b by alice", false)
	have("a by a, b by alice", false)
	if told != 1 {
		t.Errorf("told %d times", told)
	}
	made.broken = nil
	if err := st.EndException(t.Context(), kept.ID, "bob"); err != nil {
		t.Fatal(err)
	}
	have("a by a", true)
}

// flaky is a store that cannot be asked now and then.
type flaky struct {
	*store.Store
	broken error
}

func (f *flaky) ExceptionsStand(ctx context.Context) (string, error) {
	if f.broken != nil {
		return "", f.broken
	}
	return f.Store.ExceptionsStand(ctx)
}
