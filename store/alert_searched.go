package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
)

// AlertHead is what of an alert's body is kept in columns too: what a list shows,
// and the namespaces that decide who may see it.
type AlertHead struct {
	Title string
	// Actor is who did it, About the kind and name of what it was done to.
	Actor, About string
	Techniques   []string
	// Namespaces are those of everything that it names.
	Namespaces []string
}

// alertHead reads a body.
func alertHead(body []byte) (h AlertHead, err error) {
	var a struct {
		Title      string   `json:"title"`
		Techniques []string `json:"techniques"`
		Entities   []struct{ Role, Kind, Namespace, Name string }
	}
	if err := json.Unmarshal(body, &a); err != nil {
		return h, fmt.Errorf("read alert: %w", err)
	}
	h.Title, h.Techniques = a.Title, a.Techniques
	for _, e := range a.Entities {
		switch {
		case e.Role == "actor" && h.Actor == "":
			h.Actor = e.Name
		case e.Role == "target" && h.About == "":
			h.About = e.Kind + " " + strings.TrimPrefix(e.Namespace+"/"+e.Name, "/")
		}
		if e.Kind == "Namespace" {
			h.Namespaces = append(h.Namespaces, e.Name)
		}
		h.Namespaces = append(h.Namespaces, e.Namespace)
	}
	return h, nil
}

const alertHeadColumns = `title, actor, about, techniques, namespaces`

func (h AlertHead) values() []any {
	return []any{h.Title, h.Actor, h.About, strings.Join(h.Techniques, "\n"), lines(h.Namespaces)}
}

// listed is a list as lines made it.
func listed(text string) []string { return strings.Fields(text) }

func fillAlertHeads(ctx context.Context, tx *sql.Tx) error {
	return eachAlert(ctx, tx, func(cluster, id string, body []byte) error {
		h, err := alertHead(body)
		if err != nil {
			return nil //nolint:nilerr // its page will say so
		}
		return run(ctx, tx, `UPDATE alerts SET title = ?, actor = ?, about = ?, techniques = ?, namespaces = ?
			WHERE cluster_id = ? AND id = ?`, append(h.values(), cluster, id)...)
	})
}
