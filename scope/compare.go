package scope

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/live"
)

// ErrUnread says that nothing is known of a cluster yet.
var ErrUnread = errors.New("it has not been read yet")

// Comparison is what one cluster would become if it were as another is, as far as the asker
// sees both: all of it under the name of the first.
type Comparison struct {
	analyse.Difference
	// Base and Head are what was read of the two; nil if the asker sees a part of them.
	Base, Head *collect.Facts
	// Gaps is what could not be seen of either.
	Gaps []collect.Gap
}

// Compare says what is different in head, seen from base.
func (r *Reader) Compare(ctx context.Context, base, head string) (*Comparison, error) {
	now := r.unscoped.config.Picture.World()
	for _, name := range []string{base, head} {
		if r.Clusters[name] == nil || now.Clusters[name] == nil {
			return nil, fmt.Errorf("cluster %s: %w", name, ErrNothing)
		}
		if now.Clusters[name].Under == nil {
			return nil, fmt.Errorf("cluster %s: %w", name, ErrUnread)
		}
	}
	tenants, whole := r.both(base, head)
	if !whole && len(tenants) == 0 {
		return nil, fmt.Errorf("clusters %s and %s: no namespace of both is in your scope: %w", base, head, ErrOutside)
	}
	was, err := r.copied(ctx, base)
	if err != nil {
		return nil, err
	}
	is, err := r.copied(ctx, head)
	if err != nil {
		return nil, err
	}
	w, err := now.Clusters[head].Under(ctx, is, base)
	if err != nil {
		return nil, fmt.Errorf("cluster %s: %w", head, err)
	}
	before, after := now.Clusters[base].Paths, w.Clusters[base].Paths
	out := &Comparison{Base: was, Head: is, Difference: analyse.Compare(before, after, analyse.Hold(w.View, w.Clusters[base].Gaps))}
	if !whole {
		out = &Comparison{Difference: differenceWithin(out.Difference, after, tenants)}
	}
	for _, c := range []*live.Cluster{r.Clusters[base], r.Clusters[head]} {
		for _, g := range c.Gaps {
			g.Cluster = c.Name
			out.Gaps = append(out.Gaps, g)
		}
	}
	out.Gaps = collect.Together(out.Gaps)
	return out, nil
}

// copied is a copy of what was read of a cluster: what is seen of it is for the caller to say.
func (r *Reader) copied(ctx context.Context, cluster string) (out *collect.Facts, err error) {
	_, err = r.unscoped.config.Picture.Facts(ctx, cluster, func(f *collect.Facts) { out = f.Clone() })
	if err == nil && out == nil {
		err = fmt.Errorf("cluster %s: %w", cluster, ErrUnread)
	}
	return out, err
}

// both are the namespaces that the asker sees of two clusters; whole if they see all of both.
func (r *Reader) both(base, head string) (tenants []string, whole bool) {
	first, second := r.scope.Segments[base], r.scope.Segments[head]
	switch {
	case r.Whole(base) && r.Whole(head):
		return nil, true
	case r.Whole(base):
		return second, false
	case r.Whole(head):
		return first, false
	}
	return slices.DeleteFunc(slices.Clone(first), func(n string) bool { return !slices.Contains(second, n) }), false
}

// differenceWithin is a difference as somebody sees it who sees some namespaces; after are all
// paths that there are after the change.
func differenceWithin(d analyse.Difference, after []analyse.Path, tenants []string) analyse.Difference {
	seen := func(all []analyse.Path) []analyse.Path {
		out := []analyse.Path{}
		for i := range all {
			if p := pathWithin(&all[i], tenants); p != nil {
				out = append(out, *p)
			}
		}
		return out
	}
	out := analyse.Difference{Opened: seen(d.Opened), Closed: seen(d.Closed), Changed: []analyse.Changed{}, Hidden: []analyse.Hidden{}}
	out.Kept = len(seen(after)) - len(out.Opened)
	for _, c := range d.Changed {
		if p := pathWithin(&c.Path, tenants); p != nil {
			out.Changed = append(out.Changed, analyse.Changed{Path: *p, BeforeRisk: c.BeforeRisk})
		}
	}
	for _, h := range d.Hidden {
		if p := pathWithin(&h.Path, tenants); p != nil {
			out.Hidden = append(out.Hidden, analyse.Hidden{Path: *p, Why: notJudged})
		}
	}
	return out
}
