package server

import (
	"context"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/breakwater-sec/breakwater/api"
	"github.com/breakwater-sec/breakwater/store"
)

// measured is how big the tables were when somebody last looked: measuring reads them whole.
type measured struct {
	turn sync.Mutex // one measures, others wait for the same
	mu   struct {
		sync.Mutex
		at    time.Time
		sizes []store.Size
	}
}

const (
	// measureAgain is how old a measurement may be for who asks for one.
	measureAgain = 10 * time.Minute
	// measureEvery is how often tables are measured without being asked, to tell how they grow;
	// the first time some time after the start, which has other things to read.
	measureEvery = 6 * time.Hour
	measureFirst = 2 * time.Minute
)

func (m *measured) last() (time.Time, []store.Size) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mu.at, m.mu.sizes
}

// measure gives the tables' sizes, measured now or not long ago.
func (v *Server) measure(ctx context.Context, old time.Duration) (at time.Time, sizes []store.Size, err error) {
	m := &v.measured
	m.turn.Lock()
	defer m.turn.Unlock()
	if at, sizes := m.last(); time.Since(at) < old {
		return at, sizes, nil
	}
	if sizes, err = v.Store.Sizes(ctx, v.retention); err != nil {
		return time.Time{}, nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mu.at, m.mu.sizes = time.Now(), sizes
	return m.mu.at, sizes, nil
}

// follow measures now and then until ctx ends.
func (v *Server) followSizes(ctx context.Context) error {
	t := time.NewTimer(measureFirst)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
		at, sizes, err := v.measure(ctx, 0)
		if err == nil {
			err = v.Store.KeepSizes(ctx, sizes, at)
		}
		if err != nil && ctx.Err() == nil {
			v.log.Warn("cannot measure the tables", "error", err)
		}
		t.Reset(measureEvery)
	}
}

// storage is everything that is stored, for the portal and the command line.
func (v *Server) storage(ctx context.Context) (out api.Storage, err error) {
	at, sizes, err := v.measure(ctx, measureAgain)
	if err != nil {
		return out, err
	}
	r := v.disk.now()
	out = api.Storage{Measured: at, Place: store.Name(v.where), Tables: []api.StoredTable{}, Files: v.files(),
		Disk: api.DiskRoom{Free: int64(r.Free), Total: int64(r.Total), Reserve: int64(r.Reserve), NoRoom: optional(r.Why)}}
	for _, z := range sizes {
		out.Tables = append(out.Tables, Stored(z))
	}
	return out, nil
}

// Stored is a table as it is told.
func Stored(z store.Size) api.StoredTable {
	t := api.StoredTable{Table: z.Table, Rows: z.Rows, Bytes: z.Bytes, Name: optional(z.Name), Bound: optional(z.Bound)}
	if z.MostRows > 0 {
		t.MostRows = &z.MostRows
	}
	if z.Keep > 0 {
		t.KeepSeconds = new(int64(z.Keep.Seconds()))
	}
	if !z.Oldest.IsZero() {
		t.Oldest = &z.Oldest
	}
	if !z.Since.IsZero() {
		t.GrownPerDay, t.GrownSince = &z.Grown, &z.Since
	}
	return t
}

// files are what the data folder holds beside the records, each with what bounds it.
func (v *Server) files() []api.StoredFiles {
	at := func(name string) string { return filepath.Join(string(v.Data), name) }
	all := []api.StoredFiles{
		{What: "facts of clusters", Folder: "clusters", Bound: "one file for each cluster; those of clusters that are not watched any more " +
			"go after 90 days"},
		{What: "events that wait, and dead letters", Folder: "events", Bound: "2 GiB wait until they are analysed; 256 MiB of dead letters, " +
			"the oldest go first, after 90 days at the latest"},
		{What: "advisories", Folder: "advisories", Bound: "what was imported, until breakwater db forget"},
		{What: "room for a start on a full disk", Folder: "ballast", Bound: "16 MiB at most"},
	}
	for i := range all {
		all[i].Bytes = bytesBelow(at(all[i].Folder))
	}
	return all
}

// bytesBelow is how much the files of a folder hold.
func bytesBelow(path string) (n int64) {
	_ = filepath.WalkDir(path, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // what went away meanwhile holds nothing
		}
		if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
			n += info.Size()
		}
		return nil
	})
	return n
}

// dumpsKept is how long the saved facts of a cluster stay that is not watched any more.
const dumpsKept = 90 * 24 * time.Hour

// sweepDumps removes the facts of clusters that nobody has watched for long.
func (v *Server) sweepDumps(now time.Time) {
	watched := map[string]bool{}
	for name := range v.Live.World().Clusters {
		watched[v.Data.Dump(name)] = true
	}
	dumps, _ := filepath.Glob(filepath.Join(string(v.Data), "clusters", "*.dump")) // the pattern is well-formed
	for _, file := range dumps {
		info, err := os.Stat(file)
		if err != nil || watched[file] || now.Sub(info.ModTime()) < dumpsKept {
			continue
		}
		if err := os.Remove(file); err == nil {
			v.log.Info("removed the facts of a cluster that is not watched any more", "file", strings.TrimSuffix(filepath.Base(file), ".dump"))
		}
	}
}

// noRoom says why nothing more is stored; empty while there is room.
func (v *Server) noRoom() string { return v.disk.now().Why }

// sorted are a map's keys in order.
func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
