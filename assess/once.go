package assess

import "context"

// Read assesses what one cluster uses at once, for an analysis without a server:
// references are resolved and images read while the caller waits. Nothing is queued.
func (a *Assessor) Read(ctx context.Context, cluster string, uses []Use) Changes {
	all := Changes{Means: map[Key]string{}}
	tell := func(_ context.Context, c Changes) { all.add(c) }
	a.Want(cluster, uses)
	if a.config.Resolve != nil {
		a.resolver.once(ctx, a.resolved)
	}
	for a.reconcile(ctx, tell) {
	}
	for _, r := range a.unread(uses) {
		if ctx.Err() != nil {
			break
		}
		a.read(ctx, r)
	}
	for a.reconcile(ctx, tell) {
	}
	return all
}

// unread are the images of uses that wait to be read.
func (a *Assessor) unread(uses []Use) (out []Record) {
	a.mu.Lock()
	defer a.mu.Unlock()
	seen := map[string]bool{}
	for _, u := range uses {
		id := a.mu.means[u.Key()]
		if k := a.mu.images[id]; k != nil && k.State == Queued && !seen[id] {
			seen[id] = true
			out = append(out, Record{ID: id, Reference: k.Reference, Host: k.host})
		}
	}
	return out
}

// add takes later changes on top of earlier ones.
func (c *Changes) add(later Changes) {
	c.Images = append(c.Images, later.Images...)
	c.Gone = append(c.Gone, later.Gone...)
	c.Clusters = append(c.Clusters, later.Clusters...)
	for key, id := range later.Means {
		c.Means[key] = id
	}
}
