package registry

import (
	"context"
	"maps"
	"slices"

	"github.com/breakwater-sec/breakwater/collect"
)

// Wants says whether a repository is one that is to be read.
func Wants(what collect.Registry, repository string) bool {
	return wanted(what.Repositories, repository)
}

// Look tells what one repository holds where some of its tags may stand for something else than is known, or all of
// them if none is named: those are asked, and no others. It keeps to the bounds of a reading.
func (r Reader) Look(ctx context.Context, what collect.Registry, repository string, tags []string,
	known map[string]string) ([]collect.Tag, error) {
	whole := len(tags) == 0
	s, err := r.open(ctx, what)
	if err != nil {
		return nil, err
	}
	c, err := s.client(ctx, pullScope(repository))
	if err != nil {
		return nil, s.explain(err)
	}
	tags = s.fitting(repository, tags)
	named := len(tags) > 0 || !whole
	all := slices.Sorted(maps.Keys(known))
	if !named {
		if tags, err = s.tags(ctx, c, &collect.Listing{}, repository, s.bounds.Tags); err != nil {
			return nil, s.explain(err)
		}
		all = tags
	}
	for _, t := range tags {
		if known[t] == "" && !slices.Contains(all, t) {
			all = append(all, t)
		}
	}
	all = newest(all, s.bounds.Tags)
	ask := slices.DeleteFunc(slices.Clone(all), func(t string) bool { return !slices.Contains(tags, t) })
	found, failed, first := s.digests(ctx, c, repository, ask, nil)
	if failed > 0 {
		return nil, s.explain(first)
	}
	l := collect.Listing{}
	if found, err = s.chosen(ctx, &l, repository, found); err != nil {
		return nil, s.explain(err)
	}
	for _, t := range all {
		if !slices.Contains(ask, t) {
			found = append(found, collect.Tag{Name: t, Digest: known[t]})
		}
	}
	slices.SortFunc(found, func(a, b collect.Tag) int { return compareVersions(a.Name, b.Name) })
	return found, nil
}
