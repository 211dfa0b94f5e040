package live

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"time"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/schema"
	"github.com/breakwater-sec/breakwater/segment"
)

// recompute makes the cluster anew from its facts, stores what lives on and shows it.
func (c *cluster) recompute(ctx context.Context) {
	done, err := c.live.turn.take(ctx)
	if err != nil {
		return
	}
	defer done()
	started := time.Now()
	kinds := slices.Sorted(maps.Keys(c.dirty))
	known, whole := c.images()
	if !whole {
		c.waiting = true
		return
	}
	now, err := c.computed(ctx, known)
	now2 := time.Now()
	c.pace.took(started, now2)
	if err != nil {
		if ctx.Err() == nil {
			c.log.Error("cannot compute the cluster; showing it as it was", "error", err)
			clear(c.dirty) // the same facts would end the same way
			c.stands(err)
		}
		return
	}
	clear(c.dirty)
	c.version++
	now.State, now.Version, now.Took = c.state, c.version, now2.Sub(started)
	if c.keep(ctx, now) {
		kinds = append(kinds, "AttackPath")
	}
	c.live.put(now, kinds)
	c.live.images.publish(now.images)
	if c.live.config.Images != nil {
		c.live.config.Images.Exposed(c.source.Name, now.exposed)
	}
	c.log.Debug("computed", "took", now.Took, "paths", len(now.Paths), "drawn_again", !c.memory.drawn.Again,
		"reused", c.memory.told.Reused, "gaps", len(now.Gaps))
}

// computed is compute, which ends nobody else's picture: facts are what strangers wrote.
func (c *cluster) computed(ctx context.Context, k known) (now *Cluster, err error) {
	defer func() {
		if p := recover(); p != nil {
			c.log.Error("computing a cluster broke off", "fault", p, "stack", string(debug.Stack()))
			c.memory = memory{} // it may be half of something
			err = fmt.Errorf("computing it broke off, which is a fault of Breakwater: %v", p)
		}
	}()
	return c.live.compute(ctx, c.facts, k, &c.memory)
}

// stands says that the cluster is shown as it was before, and why.
func (c *cluster) stands(err error) {
	now := *c.live.World().Clusters[c.source.Name]
	now.State = c.state
	g := collect.Gap{Cluster: c.source.Name, Source: "judge", What: "the picture of " + c.source.Name, Why: collect.Why(err),
		Since: time.Now(), Consequence: "What is shown is as it was before; changes since are unseen."}
	now.Gaps = append(slices.DeleteFunc(slices.Clone(now.Gaps), func(o collect.Gap) bool { return o.Key() == g.Key() }), g)
	c.live.put(&now, []string{"Gap"})
}

// images says which images the cluster uses, and gathers what is known of them; whole
// is false while something is still to be told.
func (c *cluster) images() (k known, whole bool) {
	if c.live.config.Images == nil {
		return known{}, true
	}
	uses := segment.Images(c.facts)
	c.live.config.Images.Want(c.source.Name, uses)
	k, whole = c.live.images.of(uses)
	if whole {
		k.machines = machinesOf(c.facts, c.live.config.Images)
	}
	return k, whole
}

// memory is what was made of a cluster before.
type memory struct {
	drawn segment.Memory
	told  analyse.Memory
}

// compute is a function of the facts, what is known of images, and the rules. The memory of what was made of the cluster before
// spares work, and changes nothing of what comes out; nil if there is none.
func (l *Live) compute(ctx context.Context, f *collect.Facts, images known, before *memory) (*Cluster, error) {
	var drawn *segment.Memory
	var told *analyse.Memory
	if before != nil {
		drawn, told = &before.drawn, &before.told
	}
	made := drawn.Drawn(f, l.config.Rules.Powers, func(j *segment.Judged) {
		j.Image, j.Machines = images.image, images.machines
		j.ThirdParty, j.UnknownRegistry = l.config.Rules.Registries.ThirdParty, l.config.Rules.Registries.Unknown
	})
	shared := l.shared.change(func(s *graph.Shared) { made.PutShared(s) })
	seg, gaps := made.Build(shared)
	gaps = slices.Concat(gapList(f), gaps, imageGaps(made.Images, images.assessments), machineGaps(images.machines))
	seg, breach, paths, more, err := told.Breached(ctx, graph.NewView(schema.Vocabulary(), shared, seg), seg, l.config.Rules, gaps...)
	if err != nil {
		return nil, fmt.Errorf("analyse cluster %s: %w", f.Cluster.Name, err)
	}
	c := &Cluster{Name: f.Cluster.Name, Info: f.Cluster, AsOf: f.AsOf, Segment: seg, Paths: paths,
		Gaps: slices.Concat(gaps, more), Counts: map[string]int{}, Unread: maps.Clone(f.Unread), images: made.Images,
		exposed: made.Exposed}
	c.breach = breach
	c.Assume, c.Try, c.Under = breach.Assume, l.try(breach, images), l.under(images)
	for _, kind := range collect.Kinds {
		if n := f.Len(kind); n > 0 {
			c.Counts[kind] = n
		}
	}
	slices.SortFunc(c.Gaps, compareGaps)
	return c, nil
}

// imageGaps are the images nobody could look into, and what could not be said of
// the others.
func imageGaps(uses []assess.Use, assessments map[string]*assess.Assessment) (out []collect.Gap) {
	told := map[collect.GapKey]bool{}
	for _, u := range uses {
		a := assessments[u.ID]
		if a == nil {
			continue
		}
		if g, unseen := a.Gap(); unseen {
			g.What = "image " + u.Name
			out = append(out, g)
		}
		for _, g := range a.Gaps {
			if g.Source != "advisories" {
				g.What += " of image " + u.Name
			} else if told[g.Key()] {
				continue // it is the same for every image of the release
			}
			told[g.Key()] = true
			out = append(out, g)
		}
	}
	return out
}

func compareGaps(a, b collect.Gap) int {
	return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.What, b.What), cmp.Compare(a.Why, b.Why))
}
