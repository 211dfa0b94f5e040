package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// searched is what of a path's body is kept in columns too: what history is
// searched by, and by whom it may be seen.
type searched struct {
	Type      string        `json:"type"`
	Title     string        `json:"title"`
	Risk      string        `json:"risk"`
	Score     int           `json:"riskScore"`
	Namespace string        `json:"namespace"`
	Entry     searchedThing `json:"entry"`
	Foothold  searchedThing `json:"foothold"`
	Target    searchedThing `json:"target"`
	// Nodes, Owners and Vulnerabilities are what the path is found by.
	Nodes           []searchedThing       `json:"nodes"`
	Owners          []string              `json:"owners"`
	Vulnerabilities []struct{ ID string } `json:"vulnerabilities"`
}

type searchedThing struct {
	ID        string                `json:"id"`
	Name      string                `json:"name"`
	Workload  string                `json:"workload"`
	Namespace string                `json:"namespace"`
	Members   []string              `json:"members"`
	Images    []struct{ ID string } `json:"images"`
}

// searchedColumns are in the order of values.
const (
	searchedColumns = `type, title, risk, risk_score, namespace, entry, target, words, namespaces, things, vulnerabilities`
	searchedValues  = `?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?`
)

// searchedOf reads a body for the columns' values.
func searchedOf(cluster, id string, body []byte) ([]any, error) {
	var p searched
	if err := json.Unmarshal(body, &p); err != nil {
		return nil, fmt.Errorf("read path %s: %w", id, err)
	}
	return p.values(cluster), nil
}

// values are the columns' values. Lists are text in which each item stands
// between line ends, so that one item is found with LIKE.
func (p *searched) values(cluster string) []any {
	var namespaces, things, vulnerabilities []string
	for _, n := range p.Nodes {
		namespaces = append(namespaces, n.Namespace)
		things = append(append(things, n.ID), n.Members...)
		for _, i := range n.Images {
			things = append(things, i.ID)
		}
	}
	for _, v := range p.Vulnerabilities {
		vulnerabilities = append(vulnerabilities, v.ID)
	}
	words := strings.ToLower(strings.Join([]string{p.Title, cluster, p.Namespace, p.Foothold.Name, p.Foothold.Workload, p.Target.Name,
		p.Entry.Name}, " "))
	return []any{p.Type, p.Title, p.Risk, p.Score, p.Namespace, p.Entry.ID, p.Target.ID, words,
		lines(namespaces), lines(append(things, p.Owners...)), lines(vulnerabilities)}
}

func lines(items []string) string {
	slices.Sort(items)
	items = slices.DeleteFunc(slices.Compact(items), func(s string) bool { return s == "" })
	if len(items) == 0 {
		return ""
	}
	return "\n" + strings.Join(items, "\n") + "\n"
}

func (b body) insert(ctx context.Context, tx *sql.Tx, cluster, id string, now openPath) error {
	return run(ctx, tx, `INSERT INTO paths (cluster_id, id, opened_at, hash, body, `+searchedColumns+`)
		VALUES (?, ?, ?, ?, ?, `+searchedValues+`)`,
		append([]any{cluster, id, now.opened, now.hash, b.text}, b.values...)...)
}

func (b body) update(ctx context.Context, tx *sql.Tx, cluster, id string, now openPath) error {
	return run(ctx, tx, `UPDATE paths SET (`+searchedColumns+`, hash, body, stale) = (`+searchedValues+`, ?, ?, '')
		WHERE cluster_id = ? AND id = ? AND opened_at = ?`,
		append(b.values, now.hash, b.text, cluster, id, now.opened)...)
}

func fillSearched(ctx context.Context, tx *sql.Tx) error {
	type row struct {
		cluster, id string
		opened      int64
		body        []byte
	}
	rows, err := rowsOf(ctx, tx, func(r *sql.Rows) (p row, err error) { return p, r.Scan(&p.cluster, &p.id, &p.opened, &p.body) },
		`SELECT cluster_id, id, opened_at, body FROM paths`)
	if err != nil {
		return err
	}
	for _, p := range rows {
		values, err := searchedOf(p.cluster, p.id, p.body)
		if err != nil {
			continue // it is found by cluster and id alone
		}
		if err := run(ctx, tx, `UPDATE paths SET (`+searchedColumns+`) = (`+searchedValues+`)
			WHERE cluster_id = ? AND id = ? AND opened_at = ?`, append(values, p.cluster, p.id, p.opened)...); err != nil {
			return err
		}
	}
	return nil
}
