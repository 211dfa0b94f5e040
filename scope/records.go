package scope

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/live"
	"github.com/breakwater-sec/breakwater/store"
)

// Paths is what the store knows of attack paths that were resolved.
type Paths interface {
	CountResolved(ctx context.Context, f store.PathFilter) (int, error)
	ResolvedPaths(ctx context.Context, f store.PathFilter, cursor string, limit int) ([]store.PathLife, string, error)
	ResolvedPath(ctx context.Context, cluster, id string) (store.PathLife, error)
	PathHistory(ctx context.Context, cluster, id string) ([]store.PathEvent, error)
}

// Life is an attack path, open or resolved, and when it was last seen.
type Life struct {
	live.Path
	LastSeen time.Time
}

// Lives lists the open paths, worst first.
func (w *World) Lives() []Life {
	return Once(w, func() []Life {
		var out []Life
		for _, p := range w.Open() {
			out = append(out, Life{p, w.Clusters[p.Cluster].AsOf})
		}
		return out
	})
}

// Life is one path: open, or else the one that was resolved last by that name.
func (r *Reader) Life(ctx context.Context, cluster, id string) (Life, error) {
	for _, l := range r.Lives() {
		if l.Cluster == cluster && l.ID == id {
			return l, nil
		}
	}
	if r.Clusters[cluster] == nil {
		return Life{}, store.ErrNotFound
	}
	stored, err := r.unscoped.config.Records.ResolvedPath(ctx, cluster, id)
	if err != nil {
		return Life{}, err
	}
	l, err := r.resolved(stored)
	if err == nil && l == nil {
		err = store.ErrNotFound
	}
	if err != nil {
		return Life{}, err
	}
	return *l, nil
}

// resolved is a path of history as far as it is seen; nil if nothing of it is.
func (r *Reader) resolved(l store.PathLife) (*Life, error) {
	p, err := analyse.ReadPath(l.Body)
	if err != nil {
		return nil, fmt.Errorf("read stored path %s of %s: %w", l.ID, l.Cluster, err)
	}
	if !r.Whole(l.Cluster) {
		if p = pathWithin(p, r.scope.Segments[l.Cluster]); p == nil {
			return nil, nil
		}
	}
	return &Life{live.Path{Path: p, Status: l.Status, FirstSeen: l.FirstSeen}, l.LastSeen}, nil
}

// History is what happened to a path. Why it was stale is told to who sees the
// whole cluster.
func (r *Reader) History(ctx context.Context, l Life) ([]store.PathEvent, error) {
	events, err := r.unscoped.config.Records.PathHistory(ctx, l.Cluster, l.ID)
	if !r.Whole(l.Cluster) {
		for i, e := range events {
			if strings.HasPrefix(e.What, "stale") {
				events[i].What = "stale"
			}
		}
	}
	return events, err
}

// pastPage is how many lives are read at a time to find some that fit.
const pastPage = 500

// Resolved lists resolved paths, worst first, and counts all that fit. The store
// knows all that the filter asks for; fits asks the same of a path as it is seen,
// which matters where that is not the whole path.
func (r *Reader) Resolved(
	ctx context.Context, f store.PathFilter, fits func(Life) bool, cursor string, limit int,
) (page []Life, next string, total int, err error) {
	f.Within = r.within()
	records := r.unscoped.config.Records
	if r.wholeClusters() {
		if total, err = records.CountResolved(ctx, f); err != nil || limit == 0 {
			return nil, "", total, err
		}
		stored, next, err := records.ResolvedPaths(ctx, f, cursor, limit)
		if err != nil {
			return nil, "", 0, err
		}
		page, err = r.fitting(stored, func(Life) bool { return true })
		return page, next, total, err
	}
	// What is asked for may lie in the part that is not seen: it is looked for in
	// what is left of each path.
	all, err := r.past(ctx, f, fits)
	if err != nil || limit == 0 {
		return nil, "", len(all), err
	}
	page, next, err = pageOf(all, cursor, limit, func(l Life) string { return l.Cluster + "/" + l.ID })
	return page, next, len(all), err
}

// pageOf is the part of a list that follows the item whose key the cursor is, and the cursor of
// the next.
func pageOf[T any](all []T, cursor string, limit int, key func(T) string) (page []T, next string, err error) {
	from := 0
	if cursor != "" {
		if from = slices.IndexFunc(all, func(one T) bool { return key(one) == cursor }) + 1; from == 0 {
			return nil, "", store.ErrCursor
		}
	}
	page = all[from:min(len(all), from+limit)]
	if from+limit < len(all) {
		next = key(page[len(page)-1])
	}
	return page, next, nil
}

// past reads every resolved path that touches what is seen.
func (r *Reader) past(ctx context.Context, f store.PathFilter, fits func(Life) bool) (all []Life, err error) {
	f = store.PathFilter{Within: f.Within, Since: f.Since}
	for cursor := ""; ; {
		stored, next, err := r.unscoped.config.Records.ResolvedPaths(ctx, f, cursor, pastPage)
		if err != nil {
			return nil, err
		}
		some, err := r.fitting(stored, fits)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
		if cursor = next; next == "" {
			return all, nil
		}
	}
}

func (r *Reader) fitting(stored []store.PathLife, fits func(Life) bool) (out []Life, err error) {
	for _, s := range stored {
		l, err := r.resolved(s)
		if err != nil {
			return nil, err
		}
		if l != nil && fits(*l) {
			out = append(out, *l)
		}
	}
	return out, nil
}

// wholeClusters says that every cluster that is seen is seen whole.
func (r *Reader) wholeClusters() bool {
	for name := range r.Clusters {
		if !r.Whole(name) {
			return false
		}
	}
	return true
}

// Alerts is what the store knows of alerts.
type Alerts interface {
	Alerts(ctx context.Context, f store.AlertFilter, cursor string, limit int) ([]store.Alert, string, error)
	CountAlerts(ctx context.Context, f store.AlertFilter) (map[string]int, error)
	AlertedUsers(ctx context.Context, f store.AlertFilter) ([]store.AlertedUser, error)
	Alert(ctx context.Context, cluster, id string) (store.Alert, error)
	AlertNotes(ctx context.Context, cluster, id string) ([]store.AlertNote, error)
	ChangeAlert(ctx context.Context, cluster, id string, c store.AlertChange) error
}

// alerts is a filter within the scope.
func (r *Reader) alerts(f store.AlertFilter) store.AlertFilter {
	if !r.All() { // who sees all also sees those of clusters that are watched no longer
		f.Within = new(r.within())
	}
	return f
}

// Alerts lists alerts, those seen last first.
func (r *Reader) Alerts(ctx context.Context, f store.AlertFilter, cursor string, limit int) ([]store.Alert, string, error) {
	return r.unscoped.config.Records.Alerts(ctx, r.alerts(f), cursor, limit)
}

// CountAlerts counts alerts by severity.
func (r *Reader) CountAlerts(ctx context.Context, f store.AlertFilter) (map[string]int, error) {
	return r.unscoped.config.Records.CountAlerts(ctx, r.alerts(f))
}

// AlertedUsers lists the users that alerts name, each once.
func (r *Reader) AlertedUsers(ctx context.Context) ([]store.AlertedUser, error) {
	return r.unscoped.config.Records.AlertedUsers(ctx, r.alerts(store.AlertFilter{}))
}

// Alert is one alert. What the graph knew of the things it names when it was made
// is told to who sees the whole cluster.
func (r *Reader) Alert(ctx context.Context, cluster, id string) (store.Alert, *detect.Alert, error) {
	stored, err := r.unscoped.config.Records.Alert(ctx, cluster, id)
	if err != nil {
		return stored, nil, err
	}
	if !r.names(stored) {
		return store.Alert{}, nil, store.ErrNotFound
	}
	a := &detect.Alert{}
	if err := json.Unmarshal(stored.Body, a); err != nil {
		return stored, nil, fmt.Errorf("read stored alert %s of %s: %w", id, cluster, err)
	}
	if !r.Whole(cluster) {
		a.Context = nil
	}
	return stored, a, nil
}

// names says that an alert names things that are seen, and nothing else.
func (r *Reader) names(a store.Alert) bool {
	unseen := func(namespace string) bool { return !slices.Contains(r.scope.Segments[a.Cluster], namespace) }
	return r.Whole(a.Cluster) || len(a.Namespaces) > 0 && !slices.ContainsFunc(a.Namespaces, unseen)
}

// AlertNotes are what people did with an alert that the asker sees.
func (r *Reader) AlertNotes(ctx context.Context, cluster, id string) ([]store.AlertNote, error) {
	if _, _, err := r.Alert(ctx, cluster, id); err != nil {
		return nil, err
	}
	return r.unscoped.config.Records.AlertNotes(ctx, cluster, id)
}

// ChangeAlert records what the asker did with an alert that they see.
func (r *Reader) ChangeAlert(ctx context.Context, cluster, id string, c store.AlertChange) error {
	if _, _, err := r.Alert(ctx, cluster, id); err != nil {
		return err
	}
	if err := r.unscoped.config.Records.ChangeAlert(ctx, cluster, id, c); err != nil {
		return err
	}
	r.unscoped.config.Picture.Tell("Alert")
	return nil
}

// Sensors is what the store knows of nodes' sensors.
type Sensors interface {
	Sensors(ctx context.Context, cluster string) ([]store.Sensor, error)
	SensorRuns(ctx context.Context, cluster string) ([]store.SensorRun, error)
}

// HasSensors says whether events of sensors are taken at all.
func (r *Reader) HasSensors() bool { return r.unscoped.config.Sensors != nil }

// Sensors lists the sensors of a cluster, or of all if it is "", and their runs. A
// node is seen by who sees its whole cluster.
func (r *Reader) Sensors(ctx context.Context, cluster string) (sensors []store.Sensor, runs []store.SensorRun, err error) {
	if !r.HasSensors() {
		return nil, nil, nil
	}
	all, err := r.unscoped.config.Sensors.Sensors(ctx, cluster)
	if err != nil {
		return nil, nil, err
	}
	allRuns, err := r.unscoped.config.Sensors.SensorRuns(ctx, cluster)
	if err != nil {
		return nil, nil, err
	}
	for _, s := range all {
		if r.Whole(s.Cluster) {
			sensors = append(sensors, s)
		}
	}
	for _, s := range allRuns {
		if r.Whole(s.Cluster) {
			runs = append(runs, s)
		}
	}
	return sensors, runs, nil
}
