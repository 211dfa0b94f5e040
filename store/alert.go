package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// AlertStatus is what people have decided about an alert.
type AlertStatus string

// The statuses of an alert.
const (
	AlertNew        AlertStatus = "new"
	AlertInProgress AlertStatus = "in progress"
	AlertResolved   AlertStatus = "resolved"
	AlertDismissed  AlertStatus = "dismissed"
)

// Alert is a detection. Body is its JSON, of detect's making.
type Alert struct {
	Cluster, ID, Rule, Severity string
	Status                      AlertStatus
	// Reason is why it was dismissed or resolved, in a person's words.
	Reason string
	// DecidedBy is who decided that, and DecidedAt when; empty while nobody did.
	DecidedBy string
	DecidedAt time.Time
	// Assignee is who works on it; empty while nobody does.
	Assignee            string
	FirstSeen, LastSeen time.Time
	Count               int
	AlertHead
	Body []byte
}

// AlertSeen is an alert as an analysis saw it, and the ids of the events it saw
// it in: these make it harmless to say the same again after a crash.
type AlertSeen struct {
	Cluster, ID, Rule, Severity string
	FirstSeen, LastSeen         time.Time
	Events                      []string
	Body                        []byte
}

// eventsKept bounds how many events of one alert are told apart. Beyond it an
// event that is seen twice counts twice.
const eventsKept = 1000

// putAlerts adds what was seen: a new id opens an alert, a known one counts the
// events that it did not know. Saying the same twice changes nothing. A person's
// decision stays, except that something resolved that is seen in a new event is
// new again; something dismissed is not.
func putAlerts(ctx context.Context, tx *sql.Tx, seen []AlertSeen) error {
	for _, a := range seen {
		fresh, err := a.countEvents(ctx, tx)
		if err != nil {
			return err
		}
		if err := a.put(ctx, tx, fresh); err != nil {
			return err
		}
	}
	return nil
}

// rows are how many rows an alert may have added.
func (a AlertSeen) rows() int64 { return int64(1 + len(a.Events)) }

// countEvents remembers the alert's events and says how many were not known.
func (a AlertSeen) countEvents(ctx context.Context, tx *sql.Tx) (fresh int64, err error) {
	var known int
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM alert_events WHERE cluster_id = ? AND alert_id = ?`,
		a.Cluster, a.ID).Scan(&known); err != nil {
		return 0, err
	}
	for _, id := range a.Events {
		if known >= eventsKept {
			fresh++
			continue
		}
		res, err := tx.ExecContext(ctx, `INSERT INTO alert_events (cluster_id, alert_id, event_id, at) VALUES (?, ?, ?, ?)
			ON CONFLICT DO NOTHING`, a.Cluster, a.ID, id, unix(time.Now()))
		if err != nil {
			return 0, err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return 0, err
		}
		known, fresh = known+int(n), fresh+n
	}
	return fresh, nil
}

func (a AlertSeen) put(ctx context.Context, tx *sql.Tx, fresh int64) error {
	h, err := alertHead(a.Body)
	if err != nil {
		return err
	}
	if err := putAlertThings(ctx, tx, a.Cluster, a.ID, a.Body); err != nil {
		return err
	}
	return run(
		ctx,
		tx,
		`INSERT INTO alerts (cluster_id, id, rule, severity, status, first_seen, last_seen, count, body, `+alertHeadColumns+`)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (cluster_id, id) DO UPDATE SET
			severity   = CASE WHEN excluded.last_seen >= alerts.last_seen THEN excluded.severity ELSE alerts.severity END,
			body       = CASE WHEN excluded.last_seen >= alerts.last_seen THEN excluded.body ELSE alerts.body END,
			title      = CASE WHEN excluded.last_seen >= alerts.last_seen THEN excluded.title ELSE alerts.title END,
			actor      = CASE WHEN excluded.last_seen >= alerts.last_seen THEN excluded.actor ELSE alerts.actor END,
			about      = CASE WHEN excluded.last_seen >= alerts.last_seen THEN excluded.about ELSE alerts.about END,
			techniques = CASE WHEN excluded.last_seen >= alerts.last_seen THEN excluded.techniques ELSE alerts.techniques END,
			namespaces = CASE WHEN excluded.last_seen >= alerts.last_seen THEN excluded.namespaces ELSE alerts.namespaces END,
			status     = CASE WHEN alerts.status = 'resolved' AND excluded.count > 0 THEN 'new' ELSE alerts.status END,
			reason     = CASE WHEN alerts.status = 'resolved' AND excluded.count > 0 THEN '' ELSE alerts.reason END,
			decided_by = CASE WHEN alerts.status = 'resolved' AND excluded.count > 0 THEN '' ELSE alerts.decided_by END,
			decided_at = CASE WHEN alerts.status = 'resolved' AND excluded.count > 0 THEN 0 ELSE alerts.decided_at END,
			first_seen = CASE WHEN excluded.first_seen < alerts.first_seen THEN excluded.first_seen ELSE alerts.first_seen END,
			last_seen  = CASE WHEN excluded.last_seen > alerts.last_seen THEN excluded.last_seen ELSE alerts.last_seen END,
			count      = alerts.count + excluded.count`,
		append([]any{a.Cluster, a.ID, a.Rule, a.Severity, AlertNew, unix(a.FirstSeen), unix(a.LastSeen), fresh, string(a.Body)},
			h.values()...)...)
}

const alertColumns = `cluster_id, id, rule, severity, status, reason, decided_by, decided_at, first_seen, last_seen, count, body, ` +
	`assignee, ` + alertHeadColumns

// Alert reads one alert.
func (s *Store) Alert(ctx context.Context, cluster, id string) (Alert, error) {
	a, err := scanAlert(s.db.QueryRowContext(ctx, `SELECT `+alertColumns+` FROM alerts WHERE cluster_id = ? AND id = ?`, cluster, id))
	if errors.Is(err, sql.ErrNoRows) {
		return Alert{}, ErrNotFound
	}
	if err != nil {
		return Alert{}, fmt.Errorf("read alert %s: %w", id, err)
	}
	return a, nil
}

func scanAlert(row interface{ Scan(...any) error }) (a Alert, err error) {
	var decided, first, last int64
	var techniques, namespaces string
	err = row.Scan(&a.Cluster, &a.ID, &a.Rule, &a.Severity, &a.Status, &a.Reason, &a.DecidedBy, &decided, &first, &last, &a.Count, &a.Body,
		&a.Assignee, &a.Title, &a.Actor, &a.About, &techniques, &namespaces)
	a.Techniques, a.Namespaces = listed(techniques), listed(namespaces)
	a.FirstSeen, a.LastSeen = fromUnix(first), fromUnix(last)
	if decided > 0 {
		a.DecidedAt = fromUnix(decided)
	}
	return a, err
}

// AlertFilter says which alerts to list; empty fields ask for nothing.
type AlertFilter struct {
	Clusters, Rules, Severities []string
	Statuses                    []AlertStatus
	Since, Until                time.Time // seen in this time; zero: without a bound
	Things                      []string  // that it names one of: a Thing, or its id
	Namespaces                  []string  // that it names something of one of
	// Assignees are who works on it; "" is nobody.
	Assignees []string
	// Words is a part of what its list shows: title, who did it, to what, its rule.
	Words string
	// Within is where to look, for alerts that name nothing else; nil: everywhere.
	Within *[]Tenancy
}

func (f AlertFilter) where() condition {
	var c condition
	c.add("last_seen >= ?", unix(f.Since))
	if !f.Until.IsZero() {
		c.add("first_seen <= ?", unix(f.Until))
	}
	if f.Words != "" {
		c.like(`lower(title || ' ' || actor || ' ' || about || ' ' || rule)`, strings.ToLower(f.Words))
	}
	if len(f.Namespaces) > 0 {
		in := touching("namespaces")(f.Namespaces)
		c.add("("+strings.Join(in.and, " OR ")+")", in.args...)
	}
	oneOf(&c, "assignee", f.Assignees)
	if f.Within != nil {
		c.within(*f.Within, "cluster_id", only("namespaces"))
	}
	oneOf(&c, "cluster_id", f.Clusters)
	oneOf(&c, "rule", f.Rules)
	oneOf(&c, "severity", f.Severities)
	oneOf(&c, "status", f.Statuses)
	if len(f.Things) > 0 {
		var named condition
		oneOf(&named, "thing", f.Things)
		c.add(`(cluster_id, id) IN (SELECT cluster_id, alert_id FROM alert_things WHERE `+named.all()+`)`, named.args...)
	}
	return c
}

// alertKey is where an alert stands in the list.
type alertKey struct {
	LastSeen    int64
	Cluster, ID string
}

// Alerts lists alerts, those seen last first. Next is the cursor of the page
// that follows, "" after the last one.
func (s *Store) Alerts(ctx context.Context, f AlertFilter, cursor string, limit int) (page []Alert, next string, err error) {
	c := f.where()
	if cursor != "" {
		k, err := readCursor[alertKey](cursor)
		if err != nil {
			return nil, "", err
		}
		c.add(`last_seen <= ?`, k.LastSeen) // where an index begins
		c.add(`(last_seen < ? OR (cluster_id > ? OR cluster_id = ? AND id > ?))`, k.LastSeen, k.Cluster, k.Cluster, k.ID)
	}
	page, err = rowsOf(ctx, s.db, func(r *sql.Rows) (Alert, error) { return scanAlert(r) }, `SELECT `+alertColumns+` FROM alerts WHERE `+
		c.all()+` ORDER BY last_seen DESC, cluster_id, id LIMIT ?`, append(c.args, limit+1)...)
	if err != nil {
		return nil, "", fmt.Errorf("list alerts: %w", err)
	}
	if len(page) > limit {
		page = page[:limit]
		last := page[limit-1]
		next = writeCursor(alertKey{unix(last.LastSeen), last.Cluster, last.ID})
	}
	return page, next, nil
}

// AlertedClusters lists the clusters with alerts that were seen at that time or later. It
// looks at one alert of each cluster, however many there are.
func (s *Store) AlertedClusters(ctx context.Context, since time.Time) (clusters []string, err error) {
	for last := ""; ; {
		var next sql.NullString
		var seen sql.NullInt64
		err := s.db.QueryRowContext(ctx, `SELECT min(cluster_id) FROM alerts WHERE cluster_id > ?`, last).Scan(&next)
		if err == nil && next.Valid {
			err = s.db.QueryRowContext(ctx, `SELECT max(last_seen) FROM alerts WHERE cluster_id = ?`, next.String).Scan(&seen)
		}
		if err != nil {
			return nil, fmt.Errorf("list clusters with alerts: %w", err)
		}
		if !next.Valid {
			return clusters, nil
		}
		if last = next.String; seen.Int64 >= unix(since) {
			clusters = append(clusters, last)
		}
	}
}

// CountAlerts counts alerts by severity.
func (s *Store) CountAlerts(ctx context.Context, f AlertFilter) (map[string]int, error) {
	c := f.where()
	out, err := counts(ctx, s.db, `SELECT severity, count(*) FROM alerts WHERE `+c.all()+` GROUP BY severity`, c.args...)
	if err != nil {
		return nil, fmt.Errorf("count alerts: %w", err)
	}
	return out, nil
}
