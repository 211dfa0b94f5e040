package backup

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/datadir"
	"github.com/breakwater-sec/breakwater/store"
)

// Whoever made up the archive had it run what they like with every row that the server writes or reads.
func TestRecordsThatRunSomethingOfAStrangersAreNotRestored(t *testing.T) {
	for name, statements := range map[string]string{
		"our own":   "",
		"a trigger": `CREATE TRIGGER t AFTER INSERT ON activity BEGIN DELETE FROM sessions; END`,
		"a view without an end": `ALTER TABLE sensors RENAME TO s; CREATE VIEW sensors AS
			WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS cluster_id FROM n`,
	} {
		file := filepath.Join(t.TempDir(), "b.db")
		st, err := store.Open(t.Context(), file)
		if err != nil {
			t.Fatal(err)
		}
		if err := st.Close(); err != nil {
			t.Fatal(err)
		}
		db, err := sql.Open("sqlite", "file:"+url.PathEscape(file)+"?_pragma=journal_mode(DELETE)")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.ExecContext(t.Context(), statements); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		records, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		head := entry{name: manifestName, content: fmt.Sprintf(`{"format":2,"schema":%d,"records":"sqlite"}`, store.NewestSchema())}
		archive, to := filepath.Join(t.TempDir(), "b"), filepath.Join(t.TempDir(), "to")
		write(t, archive, string(made(t, summed(head, entry{name: databaseName, content: string(records)})...)))
		_, err = Restore(t.Context(), archive, datadir.Dir(to))
		if statements == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if !errors.Is(err, store.ErrForeign) || !strings.Contains(err.Error(), "restore "+archive) {
			t.Errorf("%s: %v", name, err)
		}
		if left, _ := os.ReadDir(filepath.Dir(to)); len(left) > 0 {
			t.Errorf("%s leaves %v behind", name, left)
		}
	}
}
