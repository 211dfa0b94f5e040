package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
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
		body, header, err := get(ctx, c, at)
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
		next, err := nextPage(at, header.Values("Link"))
		if err != nil || next == nil {
			return err
		}
		at = next
	}
	return fmt.Errorf("want a list of at most %d pages", maxPages)
}

// get reads a small body whole.
func get(ctx context.Context, c *http.Client, at *url.URL) ([]byte, http.Header, error) {
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
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxPage+1))
	if err != nil {
		return nil, nil, err
	}
	if len(b) > maxPage {
		return nil, nil, fmt.Errorf("read %s: want at most %d bytes", at.Path, maxPage)
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

// nextPage follows a Link header, but never to another host, where the account would be
// somebody else's to see, and not in place: nil after the last page. Of a link to another
// host the page is asked of this one: behind a proxy registries do not know their own name.
func nextPage(at *url.URL, headers []string) (*url.URL, error) {
	target, err := linkTo("next", headers)
	if target == "" {
		return nil, err
	}
	u, err := url.Parse(target)
	if err != nil {
		return nil, fmt.Errorf("want a link to the next page: %w", err)
	}
	next := at.ResolveReference(u)
	switch {
	case next.Path != at.Path:
		return nil, fmt.Errorf("the list goes on elsewhere, at %.100q: name the repositories to read, or let the proxy before the "+
			"registry keep the paths of its links", next.Redacted())
	case next.RawQuery == at.RawQuery:
		return nil, errors.New("the list goes on with the page that was read")
	}
	return &url.URL{Scheme: at.Scheme, Host: at.Host, Path: at.Path, RawPath: at.RawPath, RawQuery: next.RawQuery}, nil
}

// linkTo finds the link of a relation among Link headers (RFC 8288), each of which may hold
// several; empty if there is none.
func linkTo(relation string, headers []string) (target string, err error) {
	for _, h := range headers {
		for s := strings.Trim(h, " \t,"); s != ""; s = strings.TrimLeft(s, " \t,") {
			target, params, ok := strings.Cut(s, ">")
			if !ok || !strings.HasPrefix(target, "<") {
				return "", fmt.Errorf("want links as <URL>; rel=next, have %.100q", h)
			}
			var rel string
			if rel, s = relationOf(params); slices.Contains(strings.Fields(strings.ToLower(rel)), relation) {
				return target[1:], nil
			}
		}
	}
	return "", nil
}

// relationOf reads the parameters of a link, up to the comma before another.
func relationOf(s string) (rel, rest string) {
	for {
		s = strings.TrimLeft(s, " \t;")
		if s == "" || s[0] == ',' {
			return rel, s
		}
		end := strings.IndexAny(s, "=;,")
		if end < 0 {
			return rel, ""
		}
		name, value := strings.TrimSpace(s[:end]), ""
		if s = s[end:]; s[0] == '=' {
			value, s = linkValue(strings.TrimLeft(s[1:], " \t"))
		}
		if strings.EqualFold(name, "rel") && rel == "" {
			rel = value
		}
	}
}

func linkValue(s string) (value, rest string) {
	if quoted, ok := strings.CutPrefix(s, `"`); ok {
		value, rest, _ = strings.Cut(quoted, `"`)
		return value, rest
	}
	end := strings.IndexAny(s, ";,")
	if end < 0 {
		end = len(s)
	}
	return strings.TrimSpace(s[:end]), s[end:]
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
