package registry

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/image"
)

// Outlines remembers what images say of themselves, by their digest, under which it does not change: when they were made, the
// zero time where they do not say, and for which platforms they are.
type Outlines interface {
	Outline(ctx context.Context, digest string) (made time.Time, platforms []string, known bool, err error)
	PutOutline(ctx context.Context, digest string, made time.Time, platforms []string) error
}

// left counts the tags that are left out because of what their images say of themselves, and those whose images say nothing.
type left struct{ asked, older, elsewhere int }

// leftOut says of how many tags nothing is read because of what their images say of themselves.
func (s *session) leftOut() (out []collect.Gap) {
	if n := s.left.older; n > 0 {
		out = append(out, gap("old images of "+s.what.Host, fmt.Sprintf("%d of %d tags stand for images that say they were made more "+
			"than %s ago", n, s.left.asked, s.what.MaxAge), "Images that only those tags name are not seen, unless something runs them."))
	}
	if n := s.left.elsewhere; n > 0 {
		out = append(out, gap("images for other platforms of "+s.what.Host, fmt.Sprintf("%d of %d tags stand for images that are for none of %v",
			n, s.left.asked, s.what.Platforms), "Images that only those tags name are not seen, unless something runs them."))
	}
	return out
}

// fitting are the tags whose names are wanted.
func (s *session) fitting(repository string, tags []string) (out []string) {
	for _, t := range tags {
		if wanted(s.what.TagNames, t) {
			out = append(out, t)
		}
	}
	s.skipped(repository, tags, out, "its name is not wanted")
	return out
}

// skipped tells of the tags that are left out by their names.
func (s *session) skipped(repository string, of, kept []string, why string) {
	if s.told == nil || len(of) == len(kept) {
		return
	}
	stays := make(map[string]bool, len(kept))
	for _, t := range kept {
		stays[t] = true
	}
	for _, t := range of {
		if !stays[t] {
			s.told(collect.Choice{Repository: repository, Tag: t, Why: why})
		}
	}
}

// chosen are the tags whose images may be read by what they say of themselves. What cannot be asked, or does not say, is chosen:
// not knowing is no reason to look away.
func (s *session) chosen(ctx context.Context, l *collect.Listing, repository string, tags []collect.Tag) ([]collect.Tag, error) {
	if s.what.MaxAge == 0 && len(s.what.Platforms) == 0 && s.told == nil {
		return tags, nil
	}
	outlines, failed, err := s.outlines(ctx, repository, tags)
	if err != nil {
		return nil, err
	}
	if failed > 0 {
		l.Gaps = append(l.Gaps, gap("what images of "+s.what.Host+"/"+repository+" say of themselves",
			fmt.Sprintf("%d of %d images could not be asked", failed, len(tags)), "They are read, however old they are and for whatever platform."))
	}
	var out []collect.Tag
	for _, t := range tags {
		o := outlines[t.Digest]
		c := collect.Choice{Repository: repository, Tag: t.Name, Digest: t.Digest, Platforms: o.Platforms}
		s.left.asked++
		if !o.Made.IsZero() {
			c.Made = &o.Made
		}
		switch {
		case s.what.MaxAge > 0 && c.Made != nil && time.Since(o.Made) > time.Duration(s.what.MaxAge):
			s.left.older++
			c.Why = fmt.Sprintf("it says that it was made more than %s ago", s.what.MaxAge)
		case !o.Fits(s.what.Platforms):
			s.left.elsewhere++
			c.Why = "it is for none of the platforms that are read"
		default:
			out = append(out, t)
		}
		if s.told != nil {
			s.told(c)
		}
	}
	return out, nil
}

// outlines are what the images of tags say of themselves, by digest, asked a few at a time.
func (s *session) outlines(ctx context.Context, repository string, tags []collect.Tag) (map[string]image.Outline, int, error) {
	at, err := s.at(ctx, repository)
	if err != nil {
		return nil, 0, err
	}
	var mu sync.Mutex
	out, failed := map[string]image.Outline{}, 0
	var g errgroup.Group
	g.SetLimit(4)
	digests := map[string]bool{}
	for _, t := range tags {
		if digests[t.Digest] {
			continue
		}
		digests[t.Digest] = true
		g.Go(func() error {
			o, err := s.outline(ctx, at, t.Digest)
			mu.Lock()
			defer mu.Unlock()
			if err != nil && fatal(ctx, err) {
				return err
			}
			if err != nil {
				failed++
				return nil
			}
			out[t.Digest] = o
			return nil
		})
	}
	return out, failed, g.Wait()
}

// at is the repository, opened when the first image of it has to be asked.
func (s *session) at(ctx context.Context, repository string) (func() (*image.Repository, error), error) {
	ref, err := image.ParseReference(s.what.Host + "/" + repository)
	if err != nil {
		return nil, err
	}
	return sync.OnceValues(func() (*image.Repository, error) { return image.OpenRepository(ctx, ref, s.options()) }), nil
}

func (s *session) outline(ctx context.Context, at func() (*image.Repository, error), digest string) (o image.Outline, err error) {
	remembered := s.reader.Outlines
	if remembered != nil {
		var known bool
		if o.Made, o.Platforms, known, err = remembered.Outline(ctx, digest); known || err != nil {
			return o, err
		}
	}
	repository, err := at()
	if err != nil {
		return o, err
	}
	if o, err = repository.Outline(ctx, digest); err != nil || remembered == nil {
		return o, err
	}
	return o, remembered.PutOutline(ctx, digest, o.Made, o.Platforms)
}

// mostChoices is how many tags a preview lists.
const mostChoices = 2_000

// errEnough ends a preview that has looked at enough.
var errEnough = errors.New("enough was looked at")

// Preview tells what would be read of a registry, and what would be left out and why, as far as it comes within the time. Nothing
// is kept of it.
func (r Reader) Preview(ctx context.Context, what collect.Registry, within time.Duration) (p collect.Preview, err error) {
	limited, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	s, err := r.open(limited, what)
	if err != nil {
		return p, err
	}
	enough := func() error {
		if len(p.Items) >= mostChoices {
			return errEnough
		}
		return nil
	}
	s.told = func(c collect.Choice) {
		if c.Why == "" {
			p.Chosen++
		} else {
			p.Left++
		}
		if len(p.Items) < mostChoices {
			p.Items = append(p.Items, c)
		}
	}
	l, err := s.readAll(limited, func(string) (map[string]string, error) { return nil, enough() },
		func(string, []collect.Tag) error { p.Repositories++; return nil })
	p.Gaps = l.Gaps
	switch {
	case errors.Is(err, errEnough):
		p.Cut = fmt.Sprintf("%d tags are shown, which is the bound: what follows was not looked at", mostChoices)
	case err != nil && limited.Err() != nil && ctx.Err() == nil:
		p.Cut = fmt.Sprintf("it takes longer than %s: what follows was not looked at", within)
	default:
		return p, err
	}
	return p, nil
}
