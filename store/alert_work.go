package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// AlertNote is something that a person did with an alert: said, decided, or gave it to somebody.
type AlertNote struct {
	At     time.Time
	Person string
	// What is comment, assignee or a status; Words are the comment, who works on it, or the reason.
	What, Words string
}

// What notes are of that are no status.
const (
	NoteComment  = "comment"
	NoteAssignee = "assignee"
)

// Bounds of what people write about one alert.
const (
	maxNotes    = 1000
	LongestNote = 4000 // bytes
	LongestName = 200  // bytes, of an assignee
)

// AlertChange is what a person does with an alert at once; what is nil stays.
type AlertChange struct {
	Status   *AlertStatus
	Reason   string // of the status
	Assignee *string
	Comment  string
	By       string
}

// ErrAlertChange says that a change is none that can be made.
var ErrAlertChange = errors.New("not a change of an alert")

func (c AlertChange) check() error {
	switch {
	case c.Status == nil && c.Assignee == nil && c.Comment == "":
		return fmt.Errorf("%w: want a status, an assignee or a comment", ErrAlertChange)
	case c.Status != nil && *c.Status != AlertNew && *c.Status != AlertInProgress && *c.Status != AlertResolved && *c.Status != AlertDismissed:
		return fmt.Errorf("%w: no status %q", ErrAlertChange, *c.Status)
	case c.Status != nil && *c.Status == AlertDismissed && strings.TrimSpace(c.Reason) == "":
		return fmt.Errorf("%w: to dismiss it, say why", ErrAlertChange)
	case len(c.Comment) > LongestNote || len(c.Reason) > LongestNote:
		return fmt.Errorf("%w: want at most %d bytes of text", ErrAlertChange, LongestNote)
	case c.Assignee != nil && len(*c.Assignee) > LongestName:
		return fmt.Errorf("%w: want an assignee of at most %d bytes", ErrAlertChange, LongestName)
	}
	return nil
}

// ChangeAlert records what a person did, and keeps it in the alert's history. ErrNotFound means that there is none.
func (s *Store) ChangeAlert(ctx context.Context, cluster, id string, c AlertChange) error {
	if err := c.check(); err != nil {
		return err
	}
	now := time.Now()
	err := s.write(ctx, func(tx *sql.Tx) error {
		var status AlertStatus
		var assignee, reason string
		var notes int
		err := tx.QueryRowContext(ctx, `SELECT status, assignee, reason, (SELECT coalesce(max(number), 0) FROM alert_notes
			WHERE cluster_id = alerts.cluster_id AND alert_id = alerts.id) FROM alerts WHERE cluster_id = ? AND id = ?`,
			cluster, id).Scan(&status, &assignee, &reason, &notes)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrNotFound
		}
		if err != nil {
			return err
		}
		note := func(what, words string) error {
			notes++
			return run(ctx, tx, `INSERT INTO alert_notes (cluster_id, alert_id, number, at, person, what, words) VALUES (?, ?, ?, ?, ?, ?, ?)`,
				cluster, id, notes, unix(now), c.By, what, words)
		}
		if c.Status != nil && (*c.Status != status || c.Reason != reason) {
			err = errors.Join(note(string(*c.Status), c.Reason),
				run(ctx, tx, `UPDATE alerts SET status = ?, reason = ?, decided_by = ?, decided_at = ? WHERE cluster_id = ? AND id = ?`,
					*c.Status, c.Reason, c.By, unix(now), cluster, id))
		}
		if c.Assignee != nil && *c.Assignee != assignee && err == nil {
			err = errors.Join(note(NoteAssignee, *c.Assignee),
				run(ctx, tx, `UPDATE alerts SET assignee = ? WHERE cluster_id = ? AND id = ?`, *c.Assignee, cluster, id))
		}
		if c.Comment != "" && err == nil {
			err = note(NoteComment, c.Comment)
		}
		if err != nil {
			return err
		}
		return run(ctx, tx, `DELETE FROM alert_notes WHERE cluster_id = ? AND alert_id = ? AND number <= ?`, cluster, id, notes-maxNotes)
	})
	if errors.Is(err, ErrNotFound) {
		return err
	}
	if err != nil {
		return fmt.Errorf("change alert %s: %w", id, err)
	}
	return nil
}

// AlertNotes are what people did with an alert, oldest first: the newest thousand.
func (s *Store) AlertNotes(ctx context.Context, cluster, id string) ([]AlertNote, error) {
	out, err := rowsOf(ctx, s.db, func(r *sql.Rows) (n AlertNote, err error) {
		var at int64
		err = r.Scan(&at, &n.Person, &n.What, &n.Words)
		n.At = fromUnix(at)
		return n, err
	}, `SELECT at, person, what, words FROM alert_notes WHERE cluster_id = ? AND alert_id = ? ORDER BY number`, cluster, id)
	if err != nil {
		return nil, fmt.Errorf("read what people did with alert %s: %w", id, err)
	}
	return out, nil
}
