package store

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/breakwater-sec/breakwater/assess"
)

func TestASignInTokenWorksOnceAndIsNowhereInTheDatabase(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		token, err := s.NewSignIn(ctx, time.Minute, `{"all":true}`, "alice")
		if err != nil {
			t.Fatal(err)
		}
		sess, err := s.SignIn(ctx, token, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.SignIn(ctx, token, time.Hour); !errors.Is(err, ErrNotFound) {
			t.Errorf("a second use: %v", err)
		}
		if got, err := s.Session(ctx, sess); err != nil || got.Scope != `{"all":true}` || got.Until.Before(time.Now()) {
			t.Errorf("session: %+v, %v", got, err)
		}
		if _, err := s.Session(ctx, token); !errors.Is(err, ErrNotFound) {
			t.Errorf("a sign-in token is no session: %v", err)
		}
		var n int
		if err := s.db.QueryRow(`SELECT count(*) FROM sessions WHERE token_hash IN (?, ?)`, token, sess).Scan(&n); err != nil || n != 0 {
			t.Errorf("plain tokens stored: %d, %v", n, err)
		}
		if err := s.SignOut(ctx, sess); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Session(ctx, sess); !errors.Is(err, ErrNotFound) {
			t.Errorf("after signing out: %v", err)
		}
		ended, err := s.NewSignIn(ctx, time.Minute, `{"all":true}`, "alice")
		if err != nil {
			t.Fatal(err)
		}
		if ended, err = s.SignIn(ctx, ended, -time.Second); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Session(ctx, ended); !errors.Is(err, ErrNotFound) {
			t.Errorf("a session that has ended: %v", err)
		}
		late, _ := s.NewSignIn(ctx, -time.Second, "", "alice")
		if _, err := s.SignIn(ctx, late, time.Hour); !errors.Is(err, ErrNotFound) {
			t.Errorf("an expired token: %v", err)
		}
	})
}

func TestAnInventoryIsKeptWhenALaterScanFails(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		if err := s.PutImage(ctx, assess.Record{ID: "sha256:1", State: assess.Done, Inventory: []byte("packages")}, nil); err != nil {
			t.Fatal(err)
		}
		if again, err := s.RequeueImage(ctx, "sha256:1"); !again || err != nil {
			t.Fatal(again, err)
		}
		if err := s.WantImages(ctx, "o", []assess.Record{{ID: "sha256:1", Wanted: assess.Named}}); err != nil {
			t.Fatal(err)
		}
		if id := take(t, s); id != "sha256:1" {
			t.Fatalf("took %q", id)
		}
		if mine, err := s.FinishImage(ctx, "o", assess.Record{ID: "sha256:1", State: assess.Failed, Error: "401"}, nil); !mine || err != nil {
			t.Fatal(mine, err)
		}
		got, _, err := s.Image(ctx, "sha256:1")
		if err != nil || string(got.Inventory) != "packages" || got.State != "failed" {
			t.Errorf("%+v, %v", got, err)
		}
		if err := s.PutLayer(ctx, "l", []byte("packages")); err != nil {
			t.Fatal(err)
		}
		if l, err := s.Layer(ctx, "l"); err != nil || string(l) != "packages" {
			t.Errorf("%s, %v", l, err)
		}
		if _, err := s.Layer(ctx, "nothing"); !errors.Is(err, ErrNotFound) {
			t.Error(err)
		}
	})
}

func TestADatabaseOfANewerProgramIsRefused(t *testing.T) {
	places(t, func(t *testing.T, where string) {
		s := open(t, where)
		if _, err := s.db.Exec(`INSERT INTO schema_version VALUES (999)`); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), where); err == nil || !strings.Contains(err.Error(), "newer") {
			t.Errorf("got %v", err)
		}
	})
}

func TestThoseWhoWaitToWriteHoldUpNoReader(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "db"))
	held, release := make(chan struct{}), make(chan struct{})
	var writers errgroup.Group
	writers.Go(func() error {
		return s.write(t.Context(), func(*sql.Tx) error { close(held); <-release; return nil })
	})
	<-held
	for range 20 {
		writers.Go(func() error { return s.write(t.Context(), func(*sql.Tx) error { return nil }) })
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	for range 300 { // while one after the other comes to wait
		if _, err := s.IngestTokens(ctx); err != nil {
			t.Errorf("a reader meanwhile: %v", err)
			break
		}
	}
	close(release)
	if err := writers.Wait(); err != nil {
		t.Error(err)
	}
}

// A file of the version that had no partitions, with two events in one moment.
func TestHistoryOfAnEarlierVersionIsKept(t *testing.T) {
	file := filepath.Join(t.TempDir(), "db")
	s, err := openSQLite(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	old := append([]string{`CREATE TABLE schema_version (version INTEGER NOT NULL)`}, migrations[:4]...)
	old = append(old, `INSERT INTO schema_version VALUES (1), (2), (3), (4)`,
		`INSERT INTO path_events VALUES ('c', 'p', 5, 'opened'), ('c', 'p', 7, 'resolved'), ('c', 'p', 7, 'opened'), ('d', 'p', 7, 'opened')`)
	for _, statements := range old {
		if _, err := s.db.Exec(statements); err != nil {
			t.Fatal(err)
		}
	}
	s.Close()
	history, err := open(t, file).PathHistory(t.Context(), "c", "p")
	if err != nil {
		t.Fatal(err)
	}
	var whats []string
	for _, e := range history {
		whats = append(whats, e.What)
	}
	if got := strings.Join(whats, ", "); got != "opened, resolved, opened" {
		t.Errorf("history: %s", got)
	}
}

// The child writes images and prints each id only after PutImage returned; the
// parent kills it in mid-flight. What was printed must be there.
func TestWhatWasAcknowledgedSurvivesKill9(t *testing.T) {
	if where := os.Getenv("BREAKWATER_STORE_CHILD"); where != "" {
		writeImages(t, where)
	}
	places(t, func(t *testing.T, where string) {
		child := exec.Command(os.Args[0], "-test.run=^TestWhatWasAcknowledgedSurvivesKill9$")
		child.Env = append(os.Environ(), "BREAKWATER_STORE_CHILD="+where)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		last := -1
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if _, err := fmt.Sscanf(lines.Text(), "ack %d", &last); err == nil && last == 50 {
				if err := child.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		_ = child.Wait() // killed: the error is the point
		if last < 50 {
			t.Fatalf("the child ended after %d writes", last)
		}
		s := open(t, where)
		for i := range last + 1 {
			if _, there, err := s.Image(t.Context(), fmt.Sprint(i)); !there || err != nil {
				t.Errorf("image %d was acknowledged and is gone: %v", i, err)
			}
		}
	})
}

func writeImages(t *testing.T, where string) {
	s := open(t, where)
	for i := 0; ; i++ {
		if err := s.PutImage(t.Context(), assess.Record{ID: fmt.Sprint(i), State: assess.Done, Inventory: make([]byte, 20000)}, nil); err != nil {
			t.Fatal(err)
		}
		fmt.Printf("ack %d\n", i)
	}
}
