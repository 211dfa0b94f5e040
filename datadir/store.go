package datadir

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/breakwater-sec/breakwater/store"
)

// StoreVariable names the store for every command: a DSN may hold a password, and flags
// are seen by everyone who lists processes.
const StoreVariable = "BREAKWATER_STORE"

// Place is where the records of a server on this folder are.
func (d Dir) Place() string { return cmp.Or(os.Getenv(StoreVariable), d.Database()) }

// Elsewhere names a place that is not the folder's own file, without a password.
func (d Dir) Elsewhere(place string) string {
	if place == d.Database() {
		return ""
	}
	return store.Name(place)
}

// Stored says whether there may be records: a file that nobody made holds none.
func (d Dir) Stored() bool {
	_, err := os.Stat(d.Place())
	return err == nil || d.Place() != d.Database()
}

// Open opens the records of a server on this folder, for a command beside it.
func (d Dir) Open(ctx context.Context) (*store.Store, error) {
	r, err := d.Server()
	if err == nil && r.Store != d.Elsewhere(d.Place()) {
		return nil, fmt.Errorf("the server on %s keeps its records in %s, and this command would ask %s: set %s",
			d, cmp.Or(r.Store, "that folder"), store.Name(d.Place()), StoreVariable)
	}
	if err != nil && !errors.Is(err, ErrNoServer) {
		return nil, err
	}
	return store.Open(ctx, d.Place())
}
