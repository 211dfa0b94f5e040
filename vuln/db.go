package vuln

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"
)

// index is what one imported source says, by keys with any number of values each.
// Keys begin with a letter that says what they lead to:
//
//	p family NUL package   what records say about the package (entry)
//	r id                   an advisory (record)
//	v id                   ids of the records about a vulnerability or alias
//	k CVE                  CISA's entry (KEV)
//	e CVE                  EPSS
//	x id                   statements on a vulnerability (Statement)
type index interface {
	get(key string) ([][]byte, error)
}

// DB holds advisories and answers matches. It is immutable and safe for
// concurrent use.
type DB struct {
	sources []index
	// beside is what was found beside the one image that this database is asked about.
	beside []beside
	status Status
	// remembered is what was examined.
	remembered remembered
	close      func() error
}

// Close releases the files behind an opened database.
func (db *DB) Close() error {
	if db.close == nil {
		return nil
	}
	return db.close()
}

// memory is an index that was never written to disk.
type memory map[string][][]byte

func (m memory) get(key string) ([][]byte, error) { return m[key], nil }

func (m memory) put(key string, value []byte) error {
	m[key] = append(m[key], value)
	return nil
}

// values decodes everything an index holds under a key.
func values[T any](s index, key string) ([]T, error) {
	raw, err := s.get(key)
	if err != nil {
		return nil, err
	}
	out := make([]T, len(raw))
	for i, data := range raw {
		if err := json.Unmarshal(data, &out[i]); err != nil {
			return nil, fmt.Errorf("read %q of the advisory database: %w", key, err)
		}
	}
	return out, nil
}

// first is the value under a key of the latest source that has one.
func first[T any](db *DB, key string) (*T, error) {
	for _, s := range slices.Backward(db.sources) {
		found, err := values[T](s, key)
		if err != nil {
			return nil, err
		}
		if len(found) > 0 {
			return &found[len(found)-1], nil
		}
	}
	return nil, nil
}

// newest is the most recently modified version of a record, and the source that
// holds it: a record may have been imported from two sources of different age.
func (db *DB) newest(id string) (*record, int, error) {
	var best *record
	at := -1
	for i, s := range db.sources {
		found, err := values[record](s, "r"+id)
		if err != nil {
			return nil, -1, err
		}
		for j := range found {
			if best == nil || found[j].overrules(best, i == at) {
				best, at = &found[j], i
			}
		}
	}
	return best, at, nil
}

// about are the records concerning one vulnerability, withdrawn ones left out.
func (db *DB) about(id string) ([]*record, error) {
	ids := []string{id}
	for _, s := range db.sources {
		found, err := values[string](s, "v"+id)
		if err != nil {
			return nil, err
		}
		ids = append(ids, found...)
	}
	slices.Sort(ids)
	var out []*record
	for _, each := range slices.Compact(ids) {
		r, _, err := db.newest(each)
		if err != nil {
			return nil, err
		}
		if r != nil && !r.Withdrawn && (each == id || slices.Contains(r.otherNames(), id)) {
			out = append(out, r)
		}
	}
	return out, nil
}

// addRecord indexes one record under its keys.
func addRecord(r *osvRecord, put func(key string, value []byte) error) (said statements, err error) {
	kept := r.distil()
	write := func(key string, value any) {
		data, e := json.Marshal(value)
		err = errors.Join(err, e)
		if e == nil {
			err = errors.Join(err, put(key, data))
		}
	}
	write("r"+kept.ID, kept)
	if kept.Withdrawn {
		return said, err
	}
	for _, id := range kept.otherNames() {
		write("v"+id, kept.ID)
	}
	said = r.entries(func(key string, e entry) {
		write(key, e)
	})
	return said, err
}

// otherNames are the ids under which the record must be found.
func (r *record) otherNames() []string {
	names := slices.Concat(r.vulnerabilities(), r.Aliases)
	slices.Sort(names)
	names = slices.Compact(names)
	return slices.DeleteFunc(names, func(id string) bool { return id == r.ID || strings.ContainsRune(id, 0) })
}

// With is the database with what VEX documents say beside it. What is wrong with one is an error: who names a file wants it to
// count.
func (db *DB) With(ctx context.Context, files ...string) (*DB, error) {
	held := memory{}
	status := SourceStatus{Name: "statements", ImportedAt: time.Now().UTC()}
	in := &intake{ctx: ctx, limits: DefaultLimits, put: held.put, status: &status}
	for _, name := range files {
		before := status.VEX
		if err := (Source{Path: name}).read(in); err != nil {
			return nil, fmt.Errorf("read statements: %w", err)
		}
		switch {
		case len(status.Skipped) > 0:
			return nil, fmt.Errorf("read statements: %s: %s", status.Skipped[0].File, status.Skipped[0].Why)
		case status.VEX == before:
			return nil, fmt.Errorf("read statements: %s: want an OpenVEX document, or one of CycloneDX with analyses", name)
		}
	}
	if err := held.chooseRevisions(&status); err != nil {
		return nil, fmt.Errorf("read statements: %w", err)
	}
	out := &DB{sources: append(slices.Clone(db.sources), held), status: db.status, close: db.close}
	out.status.Statements += status.VEX
	return out, nil
}

// Read makes a database in memory of all advisories under a file system.
func Read(ctx context.Context, fsys fs.FS) (*DB, error) {
	held := memory{}
	status := SourceStatus{Name: "memory", ImportedAt: time.Now().UTC()}
	in := &intake{ctx: ctx, limits: DefaultLimits, put: held.put, status: &status}
	if err := in.tree(fsys, ".", ""); err != nil {
		return nil, fmt.Errorf("read advisories: %w", err)
	}
	if err := held.chooseRevisions(&status); err != nil {
		return nil, fmt.Errorf("read advisories: %w", err)
	}
	return &DB{sources: []index{held}, status: summarise([]SourceStatus{status})}, nil
}
