package live

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/schema"
	"github.com/breakwater-sec/breakwater/store"
)

// Path is an open attack path of the picture: what it is as the analysis found
// it, and where it is in its life as the store knows it.
type Path struct {
	*analyse.Path
	// Status is active or stale; StaleReason says why it could not be judged again.
	Status      store.Status
	StaleReason string
	FirstSeen   time.Time
}

// lives are the open paths of a cluster by id, as they were last found.
type lives map[string]life

type life struct {
	Path
	found store.FoundPath // of one that was found by this run
	// unreadable is what an earlier run stored and this one cannot read.
	unreadable string
}

// recall reads the lives that an earlier run left open: the only time that what
// a path is comes from the store.
func (c *cluster) recall(ctx context.Context) error {
	stored, err := c.openPaths(ctx)
	if err != nil {
		return err
	}
	c.lives = lives{}
	for _, s := range stored {
		l := life{Path: Path{Status: s.Status, StaleReason: s.StaleReason, FirstSeen: s.FirstSeen}}
		if l.Path.Path, err = analyse.ReadPath(s.Body); err != nil {
			l.unreadable = "what is stored of this path cannot be read: " + err.Error()
			l.Path.Path = &analyse.Path{Title: "An attack path that cannot be read", EntryClass: analyse.Known}
		}
		l.ID, l.Cluster = s.ID, s.Cluster
		c.lives[s.ID] = l
	}
	if len(c.lives) > 0 { // there before anything is read
		now := *c.live.World().Clusters[c.source.Name]
		now.Open = c.lives.join(&now, nil)
		c.live.put(&now, []string{"AttackPath"})
	}
	return nil
}

// openPaths are the stored open lives under the ids that this version gives: an
// earlier one made them of other things.
func (c *cluster) openPaths(ctx context.Context) ([]store.PathLife, error) {
	records := c.live.config.Records
	stored, err := records.OpenPaths(ctx, c.source.Name)
	if err != nil {
		return nil, err
	}
	ids := map[string]string{}
	for _, s := range stored {
		if p, err := analyse.ReadPath(s.Body); err == nil && p.Identity() != s.ID {
			ids[s.ID] = p.Identity()
		}
	}
	if len(ids) == 0 {
		return stored, nil
	}
	if err := records.Rename(ctx, c.source.Name, ids, time.Now()); err != nil {
		return nil, err
	}
	return records.OpenPaths(ctx, c.source.Name)
}

// keep stores the lives of the paths that were found and gives the cluster its
// open paths. It says whether the paths are different. Facts served from a dump
// are not news: their paths are already there.
func (c *cluster) keep(ctx context.Context, now *Cluster) (changed bool) {
	outdated := c.outdated(now.Paths)
	if c.state == Current {
		changed = c.move(ctx, now, outdated)
	}
	now.Open = c.lives.join(now, outdated)
	return changed
}

// move applies what was found to the lives, in the store and here.
func (c *cluster) move(ctx context.Context, now *Cluster, outdated map[string]string) (changed bool) {
	a := store.Analysis{Cluster: now.Name, Version: now.Version, At: now.AsOf, Hold: c.hold(now, outdated)}
	content, err := c.lives.found(&a, now.Paths, outdated)
	if err != nil {
		c.log.Error("cannot store the attack paths", "error", err)
		return false
	}
	applied, open, err := c.live.config.Records.Apply(ctx, a)
	if err != nil {
		if ctx.Err() == nil {
			c.log.Error("cannot store attack paths; their history misses this moment", "error", err)
			c.dirty["Cluster"] = true // again with the next computation
		}
		return false
	}
	c.lives.become(open, content)
	if lived := (store.Applied{Opened: applied.Opened, Resolved: applied.Resolved, Staled: applied.Staled,
		Revived: applied.Revived}); lived != (store.Applied{}) {
		c.log.Info("attack paths", "opened", applied.Opened, "resolved", applied.Resolved, "stale", applied.Staled, "again", applied.Revived)
	}
	return applied != (store.Applied{})
}

// found gives an analysis the paths to be stored, told by their ids, too. What is known of a path that is told as before is
// not made again.
func (m lives) found(a *store.Analysis, paths []analyse.Path, outdated map[string]string) (map[string]life, error) {
	content := map[string]life{}
	var stored []*analyse.Path
	for i := range paths {
		if p := &paths[i]; outdated[p.ID] == "" {
			stored = append(stored, p)
		}
	}
	a.Paths = make([]store.FoundPath, len(stored))
	var work errgroup.Group
	work.SetLimit(runtime.GOMAXPROCS(0))
	for i, p := range stored {
		body := func() ([]byte, error) { return json.Marshal(p) }
		if old, lives := m[p.ID]; lives && p.Unchanged(old.Path.Path) {
			a.Paths[i] = old.found.Again(body)
			continue
		}
		work.Go(func() (err error) {
			a.Paths[i], err = store.FoundLater(p.ID, p.WhilePossible(), body)
			return err
		})
	}
	err := work.Wait()
	for i, p := range stored {
		content[p.ID] = life{Path: Path{Path: p}, found: a.Paths[i]}
	}
	return content, err
}

// hold says why a path that was not found is not gone.
func (c *cluster) hold(now *Cluster, outdated map[string]string) func(id string) string {
	unseen := analyse.Hold(graph.NewView(schema.Vocabulary(), c.live.shared.frozen(), now.Segment), now.Gaps)
	return func(id string) string {
		l, known := c.lives[id]
		if !known {
			return fmt.Sprintf("path %s is stored and was not recalled", id)
		}
		return cmp.Or(outdated[id], l.unreadable, unseen(l.Path.Path))
	}
}

// become takes over which lives are open now, and what was found of them.
func (m lives) become(open []store.PathLife, content map[string]life) {
	is := map[string]bool{}
	for _, o := range open {
		is[o.ID] = true
		l := m[o.ID]
		if now, found := content[o.ID]; found {
			l = now
		}
		l.Status, l.StaleReason, l.FirstSeen = o.Status, o.StaleReason, o.FirstSeen
		m[o.ID] = l
	}
	for id := range m {
		if !is[id] {
			delete(m, id)
		}
	}
}

// join is the open paths, worst first: those that were found now as they are now,
// the others as they were. What was found and has no life yet is shown without
// being news.
func (m lives) join(now *Cluster, outdated map[string]string) []Path {
	var out []Path
	found := map[string]bool{}
	for i := range now.Paths {
		p := &now.Paths[i]
		found[p.ID] = true
		shown := Path{Path: p, Status: store.Active, FirstSeen: now.AsOf}
		if l, lives := m[p.ID]; lives {
			shown.Status, shown.StaleReason, shown.FirstSeen = l.Status, l.StaleReason, l.FirstSeen
		} else if why := outdated[p.ID]; why != "" {
			shown.Status, shown.StaleReason = store.Stale, why
		}
		out = append(out, shown)
	}
	for id, l := range m {
		if !found[id] {
			out = append(out, l.Path)
		}
	}
	slices.SortFunc(out, WorstFirst)
	return out
}

// WorstFirst is the order of attack paths.
func WorstFirst(a, b Path) int {
	return cmp.Or(cmp.Compare(b.RiskScore, a.RiskScore), cmp.Compare(a.Title, b.Title), cmp.Compare(a.Cluster, b.Cluster),
		cmp.Compare(a.ID, b.ID))
}

// outdated says, by id, which paths rest on objects that were read once and can
// not be read any more: they are shown as they were, and are not news.
func (c *cluster) outdated(paths []analyse.Path) map[string]string {
	out := map[string]string{}
	for _, g := range gapList(c.facts) {
		if g.Source != "api" || len(g.Kinds) == 0 || c.facts.ResourceVersions[g.Kinds[0]] == "" {
			continue
		}
		for _, p := range paths {
			if slices.ContainsFunc(g.Kinds, func(k string) bool { return slices.Contains(p.DependsOn, k) }) {
				out[p.ID] = g.What + " cannot be read any more: " + g.Why
			}
		}
	}
	return out
}
