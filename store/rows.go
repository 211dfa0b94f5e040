package store

import (
	"context"
	"database/sql"
)

// querier is a database, or a transaction in it.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// rowsOf reads every row of a question.
func rowsOf[T any](ctx context.Context, db querier, scan func(*sql.Rows) (T, error), question string, args ...any) (out []T, err error) {
	rows, err := db.QueryContext(ctx, question, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// counts reads what a question counts, by name.
func counts(ctx context.Context, db querier, question string, args ...any) (map[string]int, error) {
	type count struct {
		of string
		n  int
	}
	rows, err := rowsOf(ctx, db, func(r *sql.Rows) (c count, err error) { return c, r.Scan(&c.of, &c.n) }, question, args...)
	out := map[string]int{}
	for _, c := range rows {
		out[c.of] = c.n
	}
	return out, err
}
