package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

const (
	maxPage  = 8 << 20
	maxPages = 2_000
	pageSize = 1_000
)

// list reads a paged list and hands out each name, until take says stop. Names
// given twice are handed out twice.
func (s *session) list(ctx context.Context, c *http.Client, path string, take func(string) bool) error {
	at, err := url.Parse(s.url(fmt.Sprintf("%s?n=%d", path, pageSize)))
	if err != nil {
		return err
	}
	for range maxPages {
		body, header, err := get(ctx, c, at, maxPage)
		if err != nil {
			return err
		}
		names, err := parsePage(body)
		if err != nil {
			return fmt.Errorf("read %s: %w", at.Path, err)
		}
		for _, n := range names {
			if !take(n) {
				return nil
			}
		}
		next, err := nextPage(at, header.Get("Link"))
		if err != nil || next == nil {
			return err
		}
		at = next
	}
	return fmt.Errorf("want a list of at most %d pages", maxPages)
}

// get reads a small body whole.
func get(ctx context.Context, c *http.Client, at *url.URL, most int64) ([]byte, http.Header, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return nil, nil, err
	}
	r.Header.Set("Accept", accept)
	resp, err := c.Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	if err := transport.CheckError(resp, http.StatusOK); err != nil {
		return nil, nil, err
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, most+1))
	if err != nil {
		return nil, nil, err
	}
	if int64(len(b)) > most {
		return nil, nil, fmt.Errorf("read %s: want at most %d bytes", at.Path, most)
	}
	return b, resp.Header, nil
}

// parsePage takes the names of a page of repositories or of tags.
func parsePage(body []byte) ([]string, error) {
	var page struct {
		Repositories []string `json:"repositories"`
		Tags         []string `json:"tags"`
	}
	if err := json.Unmarshal(body, &page); err != nil {
		return nil, fmt.Errorf("want a list of names: %w", err)
	}
	return append(page.Repositories, page.Tags...), nil
}

// nextPage follows a Link header, but to no other host and not in place: nil
// after the last page.
func nextPage(at *url.URL, link string) (*url.URL, error) {
	if link == "" {
		return nil, nil
	}
	target, params, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(link), "<"), ">")
	if !ok || !strings.HasPrefix(strings.TrimSpace(link), "<") {
		return nil, fmt.Errorf("want a link as <URL>; rel=next, have %.100q", link)
	}
	if !strings.Contains(params, "next") {
		return nil, nil
	}
	u, err := url.Parse(target)
	if err != nil {
		return nil, fmt.Errorf("want a link to the next page: %w", err)
	}
	next := at.ResolveReference(u)
	switch {
	case next.Path != at.Path || !strings.EqualFold(next.Hostname(), at.Hostname()) && u.Host != "":
		return nil, fmt.Errorf("the list goes on elsewhere, at %.100q", next.Redacted())
	case next.RawQuery == at.RawQuery:
		return nil, errors.New("the list goes on with the page that was read")
	}
	// Behind a proxy registries get their own scheme and port wrong.
	next.Scheme, next.Host, next.User = at.Scheme, at.Host, nil
	return next, nil
}

// paced lets a request through every so often.
type paced struct {
	next  http.RoundTripper
	every time.Duration
	mu    struct {
		sync.Mutex
		free time.Time
	}
}

func (p *paced) RoundTrip(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	now := time.Now()
	turn := p.mu.free
	if turn.Before(now) {
		turn = now
	}
	p.mu.free = turn.Add(p.every)
	p.mu.Unlock()
	if wait := time.Until(turn); wait > 0 {
		select {
		case <-time.After(wait):
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	return p.next.RoundTrip(r)
}
