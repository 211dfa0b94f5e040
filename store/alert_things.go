package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
)

// Thing is what alerts are found by: kind, namespace and name of what they name. Its id
// does as well.
func Thing(kind, namespace, name string) string { return kind + " " + namespace + " " + name }

// thingsOf are the things that an alert's body names.
func thingsOf(body []byte) (out []string, err error) {
	var a struct {
		Entities []struct{ ID, Kind, Namespace, Name string }
	}
	if err := json.Unmarshal(body, &a); err != nil {
		return nil, fmt.Errorf("read alert: %w", err)
	}
	for _, e := range a.Entities {
		out = append(out, Thing(e.Kind, e.Namespace, e.Name))
		if e.ID != "" {
			out = append(out, e.ID)
		}
	}
	return out, nil
}

func putAlertThings(ctx context.Context, tx *sql.Tx, cluster, id string, body []byte) error {
	things, err := thingsOf(body)
	if err != nil {
		return err
	}
	for _, thing := range things {
		if err := run(ctx, tx, `INSERT INTO alert_things (cluster_id, thing, alert_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`,
			cluster, thing, id); err != nil {
			return err
		}
	}
	return nil
}

func fillAlertThings(ctx context.Context, tx *sql.Tx) error {
	return eachAlert(ctx, tx, func(cluster, id string, body []byte) error {
		if _, err := thingsOf(body); err != nil {
			return nil //nolint:nilerr // its page will say so
		}
		return putAlertThings(ctx, tx, cluster, id, body)
	})
}

// eachAlert is every alert's body.
func eachAlert(ctx context.Context, tx *sql.Tx, each func(cluster, id string, body []byte) error) error {
	type row struct {
		cluster, id string
		body        []byte
	}
	rows, err := rowsOf(ctx, tx, func(r *sql.Rows) (a row, err error) { return a, r.Scan(&a.cluster, &a.id, &a.body) },
		`SELECT cluster_id, id, body FROM alerts`)
	if err != nil {
		return err
	}
	for _, a := range rows {
		if err := each(a.cluster, a.id, a.body); err != nil {
			return err
		}
	}
	return nil
}

// AlertedUser is a person whom alerts of a cluster name.
type AlertedUser struct{ Cluster, Name string }

// AlertedUsers lists the users that alerts name, each once.
func (s *Store) AlertedUsers(ctx context.Context, f AlertFilter) ([]AlertedUser, error) {
	c, user := f.where(), Thing("User", "", "") // "!" comes after the blank that it ends with
	out, err := rowsOf(ctx, s.db, func(r *sql.Rows) (u AlertedUser, err error) {
		err = r.Scan(&u.Cluster, &u.Name)
		u.Name = strings.TrimPrefix(u.Name, user)
		return u, err
	}, `SELECT DISTINCT cluster_id, thing FROM alert_things WHERE thing > ? AND thing < ? AND (cluster_id, alert_id) IN
		(SELECT cluster_id, id FROM alerts WHERE `+c.all()+`) ORDER BY cluster_id, thing`,
		append([]any{user, user[:len(user)-1] + "!"}, c.args...)...)
	if err != nil {
		return nil, fmt.Errorf("list users that alerts name: %w", err)
	}
	return out, nil
}
