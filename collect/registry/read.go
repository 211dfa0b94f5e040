package registry

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"golang.org/x/sync/errgroup"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/image"
)

// accept is every kind of manifest that an image may be.
const accept = "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, " +
	"application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json, */*"

// maxGaps is how many repositories are told apart that could not be read.
const maxGaps = 50

// Read tells what a registry holds, repository by repository. last is what was
// known of a repository: it stands where a tag cannot be asked today. An error
// says that nothing could be read, or not to the end.
func (r Reader) Read(ctx context.Context, what collect.Registry, last func(repository string) (map[string]string, error),
	found func(repository string, tags []collect.Tag) error) (collect.Listing, error) {
	s, err := r.open(ctx, what)
	if err != nil {
		return collect.Listing{}, err
	}
	return s.readAll(ctx, last, found)
}

func (s *session) readAll(ctx context.Context, last func(repository string) (map[string]string, error),
	found func(repository string, tags []collect.Tag) error) (collect.Listing, error) {
	l := collect.Listing{Repositories: map[string]bool{}}
	repositories, err := s.repositories(ctx, &l)
	if err != nil {
		return l, s.explain(err)
	}
	left, unread := s.bounds.AllTags, 0
	for _, repository := range repositories {
		l.Repositories[repository] = true
		if left <= 0 {
			unread++
			continue
		}
		n, err := s.repository(ctx, &l, repository, min(left, s.bounds.Tags), last, found)
		if err != nil {
			l.Whole = false
			return l, err
		}
		left -= n
	}
	if s.refused != nil && s.read == 0 {
		l.Whole = false
		return l, s.explain(s.refused)
	}
	if unread > 0 {
		l.Gaps = append(l.Gaps, gap("tags of "+s.what.Host,
			fmt.Sprintf("%d tags were read, which is the bound; %d repositories were left out", s.bounds.AllTags, unread),
			"What is in those repositories, and whether it has vulnerabilities, is not known."))
	}
	l.Gaps = append(fewer(l.Gaps, s.what.Host), s.leftOut()...)
	return l, nil
}

func gap(what, why, consequence string) collect.Gap {
	return collect.Gap{Source: "registry", What: what, Why: why, Consequence: consequence,
		Kinds: []string{"Image", "Repository", "STORED_IN"}}
}

// fewer keeps a registry that refuses everywhere from telling so a thousand times.
func fewer(gaps []collect.Gap, host string) []collect.Gap {
	if len(gaps) <= maxGaps {
		return gaps
	}
	return append(gaps[:maxGaps:maxGaps], gap("repositories of "+host, fmt.Sprintf("%d more repositories could not be read whole",
		len(gaps)-maxGaps),
		"Images in them may be missing."))
}

// repositories are those named, and those of the catalog that fit a pattern.
func (s *session) repositories(ctx context.Context, l *collect.Listing) ([]string, error) {
	all := map[string]bool{}
	in, _ := apart(s.what.Repositories)
	patterns := len(in) == 0
	for _, f := range in {
		if pattern(f) {
			patterns = true
		} else if wanted(s.what.Repositories, f) {
			all[f] = true
		}
	}
	l.Whole = true
	if patterns {
		if err := s.catalog(ctx, l, all); err != nil {
			l.Whole = false
			if refusal(err) == nil {
				return nil, err
			}
			if len(all) == 0 {
				return nil, errors.Join(ErrCatalog, err)
			}
			l.Gaps = append(l.Gaps, gap("repositories of "+s.what.Host, fmt.Sprintf("the registry does not list its repositories: %v",
				err), "Only the repositories that were named are read; images in others are not seen."))
		}
	}
	return slices.Sorted(maps.Keys(all)), nil
}

// refusal is the registry's answer if it was one to the request itself.
func refusal(err error) *transport.Error {
	var e *transport.Error
	if errors.As(err, &e) && e.StatusCode >= 400 && e.StatusCode < 500 || e != nil && e.StatusCode == http.StatusNotImplemented {
		return e
	}
	return nil
}

func (s *session) catalog(ctx context.Context, l *collect.Listing, all map[string]bool) error {
	c, err := s.client(ctx, catalogScope)
	if err != nil {
		return err
	}
	odd, cut := 0, false
	err = s.list(ctx, c, "_catalog", func(repository string) bool {
		if !image.ValidRepository(repository) {
			odd++
			return true
		}
		if wanted(s.what.Repositories, repository) {
			if cut = len(all) >= s.bounds.Repositories && !all[repository]; cut {
				return false
			}
			all[repository] = true
		}
		return true
	})
	if odd > 0 {
		l.Gaps = append(l.Gaps, gap("names of repositories of "+s.what.Host, fmt.Sprintf("%d names are none that a repository may have",
			odd), "They were left out: an honest registry has none of them."))
	}
	if cut {
		l.Whole = false
		l.Gaps = append(l.Gaps, gap("repositories of "+s.what.Host,
			fmt.Sprintf("the registry has more than %d repositories that are asked for", s.bounds.Repositories),
			"Those that follow are not seen: name the ones that matter."))
	}
	return err
}

// repository reads the tags of one repository and says how many there are. Only
// what concerns the whole registry is an error.
func (s *session) repository(ctx context.Context, l *collect.Listing, repository string, most int,
	last func(string) (map[string]string, error), found func(string, []collect.Tag) error) (int, error) {
	known, err := last(repository)
	if err != nil {
		return 0, err
	}
	where := s.what.Host + "/" + repository
	c, err := s.client(ctx, pullScope(repository))
	var tags []string
	if err == nil {
		tags, err = s.tags(ctx, c, l, repository, most)
	}
	if err != nil {
		if fatal(ctx, err) {
			return 0, err
		}
		s.refused = err
		l.Gaps = append(l.Gaps, gap("tags of "+where, s.explain(err).Error(),
			"What is in it now is not known; what was read of it before is shown as it was."))
		return len(known), nil
	}
	s.read++
	out, failed, first := s.digests(ctx, c, repository, tags, known)
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if failed == 0 || !fatal(ctx, first) {
		if out, err = s.chosen(ctx, l, repository, out); err != nil {
			return 0, err
		}
	}
	if failed > 0 {
		if fatal(ctx, first) {
			return 0, first
		}
		l.Gaps = append(l.Gaps, gap("images behind tags of "+where,
			fmt.Sprintf("%d of %d tags could not be asked what they stand for: %v", failed, len(tags), s.explain(first)),
			"Their images are those of an earlier reading, or not seen."))
	}
	return len(out), found(repository, out)
}

// fatal says that going on makes no sense: we are to stop, or the registry asks
// for a pause.
func fatal(ctx context.Context, err error) bool {
	var busy *image.Busy
	return ctx.Err() != nil || errors.As(err, &busy)
}

func (s *session) tags(ctx context.Context, c *http.Client, l *collect.Listing, repository string, most int) ([]string, error) {
	var all []string
	seen := map[string]bool{}
	odd, cut := 0, false
	err := s.list(ctx, c, repository+"/tags/list", func(tag string) bool {
		if !image.ValidTag(tag) {
			odd++
			return true
		}
		if cut = len(all) >= maxListed; cut {
			return false
		}
		if !seen[tag] {
			seen[tag] = true
			all = append(all, tag)
		}
		return true
	})
	where := s.what.Host + "/" + repository
	if odd > 0 {
		l.Gaps = append(l.Gaps, gap("names of tags of "+where, fmt.Sprintf("%d names are none that a tag may have", odd),
			"They were left out: an honest registry has none of them."))
	}
	all = s.fitting(repository, all)
	kept := newest(all, most)
	s.skipped(repository, all, kept, "newer tags of the repository are as many as are read of it")
	if len(kept) < len(all) || cut {
		of := fmt.Sprint(len(all))
		if cut {
			of = "more than " + of
		}
		l.Gaps = append(l.Gaps, gap("older tags of "+where, fmt.Sprintf("%d of %s tags are read, those that sort highest as versions",
			len(kept), of), "Images that only the other tags name are not seen."))
	}
	return kept, err
}

// maxListed is how many tags are listed to choose among.
const maxListed = 100_000

// digests asks what each tag stands for, a few at a time. A tag that is gone by
// now is left out; one that cannot be asked keeps what was known of it.
func (s *session) digests(ctx context.Context, c *http.Client, repository string, tags []string,
	known map[string]string) (out []collect.Tag, failed int, first error) {
	var mu sync.Mutex
	var g errgroup.Group
	g.SetLimit(4)
	stop := false
	for _, tag := range tags {
		g.Go(func() error {
			mu.Lock()
			given := stop
			mu.Unlock()
			digest, err := known[tag], error(nil)
			if !given {
				digest, err = s.digest(ctx, c, repository, tag)
			}
			mu.Lock()
			defer mu.Unlock()
			if e := refusal(err); e != nil && e.StatusCode == http.StatusNotFound {
				return nil
			}
			if err != nil {
				failed++
				if first == nil {
					first = err
				}
				digest = known[tag]
				stop = stop || fatal(ctx, err)
			}
			if digest != "" {
				out = append(out, collect.Tag{Name: tag, Digest: digest})
			}
			return nil
		})
	}
	_ = g.Wait() // no func returns an error
	slices.SortFunc(out, func(a, b collect.Tag) int { return compareVersions(a.Name, b.Name) })
	return out, failed, first
}

// digest asks what a tag stands for without its content, where the registry says.
func (s *session) digest(ctx context.Context, c *http.Client, repository, tag string) (string, error) {
	at, err := url.Parse(s.url(repository + "/manifests/" + tag))
	if err != nil {
		return "", err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodHead, at.String(), nil)
	if err != nil {
		return "", err
	}
	r.Header.Set("Accept", accept)
	resp, err := c.Do(r)
	if err != nil {
		return "", err
	}
	_ = resp.Body.Close()
	if err := transport.CheckError(resp, http.StatusOK, http.StatusMethodNotAllowed); err != nil {
		return "", err
	}
	if d, err := v1.NewHash(resp.Header.Get("Docker-Content-Digest")); err == nil && d.Algorithm == "sha256" {
		return d.String(), nil
	}
	body, _, err := get(ctx, c, at)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(body)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}
