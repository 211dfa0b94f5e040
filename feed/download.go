package feed

import (
	"context"
	"crypto/md5" //nolint:gosec // what publishers say of a file, against a broken copy and not against a forged one
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/breakwater-sec/breakwater/backoff"
	"github.com/breakwater-sec/breakwater/egress"
)

// Bounds on what a site may make us do.
const (
	// maxFile is the largest feed: OSV's, all of them in one, has less.
	maxFile = 8 << 30
	// maxTag is the longest entity tag that is kept.
	maxTag = 512
	// stalledAfter is how long a connection may take for leastBrought: a site that sends a byte now and then would hold all
	// other feeds for years.
	stalledAfter = time.Minute
	leastBrought = 64 << 10
	// longest is how long one feed may take in all; what came of it is gone on with the next time.
	longest = 6 * time.Hour
)

// known is what we remember of a feed: what to ask for, and with what.
type known struct {
	URL      string    `json:"url"`
	Tag      string    `json:"tag,omitempty"`
	Modified string    `json:"modified,omitempty"`
	SHA256   string    `json:"sha256,omitempty"`
	Bytes    int64     `json:"bytes,omitempty"`
	Fetched  time.Time `json:"fetched,omitzero"`
	Checked  time.Time `json:"checked,omitzero"`
	// Partial is the tag of what lies in the file of the feed and is not whole yet.
	Partial string `json:"partial,omitempty"`
	// Problem is why the last attempt brought nothing.
	Problem string `json:"problem,omitempty"`
}

// errAgain is an attempt that may do better a moment later.
type errAgain struct {
	error
	after time.Duration
}

func (e errAgain) Unwrap() error { return e.error }

// download brings the file that a feed leads to.
func (f Feed) download(ctx context.Context, client *http.Client, name string, k *known, save func() error) (bool, error) {
	found, sum, err := f.follow(ctx, client)
	if err != nil {
		return false, err
	}
	fresh, err := download(ctx, client, found, name, k, save)
	if err == nil && fresh && sum != "" && k.SHA256 != sum {
		k.Tag, k.Modified = "", "" // or it would not be asked for again
		return false, errAgain{fmt.Errorf("%s: what came is not what its repository says it is: its SHA-256 is another", found.URL), 0}
	}
	return fresh, err
}

// download brings a feed's file to name; save keeps what is known of it before much comes, for what a kill cuts off. It
// reports false if the site has what it had last time.
func download(ctx context.Context, client *http.Client, f Feed, name string, k *known, save func() error) (fresh bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	have := k.resumable(f, name)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, f.URL, nil)
	if err != nil {
		return false, err
	}
	k.condition(request, f, have)
	response, err := client.Do(request)
	if err != nil {
		return false, errAgain{reason(ctx, err), 0}
	}
	defer response.Body.Close()
	switch code := response.StatusCode; {
	case code == http.StatusNotModified && have == 0:
		return false, nil
	case code == http.StatusRequestedRangeNotSatisfiable && have > 0:
		k.Partial = ""
		return false, errAgain{errors.New("the site has no more of what was begun: it is begun anew"), 0}
	case code == http.StatusPartialContent && have > 0:
		if err := continues(response, have); err != nil {
			k.Partial = ""
			return false, errAgain{err, 0}
		}
	case code == http.StatusOK:
		have = 0
	case code == http.StatusTooManyRequests || code >= 500:
		return false, errAgain{fmt.Errorf("the site answers %d %s", code, http.StatusText(code)), retryAfter(response)}
	default:
		return false, fmt.Errorf("the site answers %d %s", code, http.StatusText(code))
	}
	k.URL, k.Partial = f.URL, tagOf(response)
	if err := save(); err != nil {
		return false, err
	}
	sum, size, err := write(stalling(response.Body, stalledAfter, cancel), name, have)
	if err != nil {
		return false, errAgain{reason(ctx, err), 0}
	}
	if err := sum.check(response, size, have); err != nil {
		k.Partial = ""
		return false, errAgain{err, 0}
	}
	k.Tag, k.Modified, k.Partial = k.Partial, clipped(response.Header.Get("Last-Modified")), ""
	k.SHA256, k.Bytes = fmt.Sprintf("%x", sum.sha256.Sum(nil)), size
	return true, nil
}

// reason is the error of ours, where one is in what a client made of it.
func reason(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if ours := egress.Cause(err); ours != nil {
		return ours
	}
	return err
}

// resumable is how much of the feed lies in the file already.
func (k *known) resumable(f Feed, name string) int64 {
	info, err := os.Stat(name)
	if err != nil || k.Partial == "" || k.URL != f.URL || strings.HasPrefix(k.Partial, "W/") {
		return 0
	}
	return info.Size()
}

// condition asks for the rest of what was begun, or for what is other than last time.
func (k *known) condition(r *http.Request, f Feed, have int64) {
	r.Header.Set("Accept-Encoding", "identity") // the file as it is: its size and sums are of that
	switch {
	case have > 0:
		r.Header.Set("Range", fmt.Sprintf("bytes=%d-", have))
		r.Header.Set("If-Range", k.Partial)
	case k.URL == f.URL && k.Tag != "":
		r.Header.Set("If-None-Match", k.Tag)
	case k.URL == f.URL && k.Modified != "":
		r.Header.Set("If-Modified-Since", k.Modified)
	}
}

// continues says whether a part begins where ours ends.
func continues(r *http.Response, have int64) error {
	if !strings.HasPrefix(r.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", have)) {
		return fmt.Errorf("the site sends another part than the one from byte %d on", have)
	}
	return nil
}

func tagOf(r *http.Response) string { return clipped(r.Header.Get("ETag")) }

// clipped leaves out what is too long to be sent back.
func clipped(s string) string {
	if len(s) > maxTag {
		return ""
	}
	return s
}

// retryAfter is when the site wants to be asked again, within reason.
func retryAfter(r *http.Response) time.Duration {
	wait, _ := backoff.Asked(r.Header.Get("Retry-After"), time.Now())
	return min(wait, 10*time.Minute)
}

// sums are what publishers say of their files.
type sums struct{ sha256, md5, crc32c hash.Hash }

func newSums() sums {
	return sums{sha256.New(), md5.New(), crc32.New(crc32.MakeTable(crc32.Castagnoli))} //nolint:gosec // see above
}

func (s sums) writer() io.Writer { return io.MultiWriter(s.sha256, s.md5, s.crc32c) }

// check holds what came to what the site said of it: its length, and every sum that it sent.
func (s sums) check(r *http.Response, size, before int64) error {
	if r.ContentLength >= 0 && size != before+r.ContentLength {
		return fmt.Errorf("want %d bytes, got %d", before+r.ContentLength, size)
	}
	for _, header := range []string{"X-Goog-Hash", "Repr-Digest", "Digest"} {
		for _, value := range r.Header.Values(header) {
			for part := range strings.SplitSeq(value, ",") {
				if err := s.agrees(strings.TrimSpace(part)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// agrees compares one sum, NAME=BASE64; what is no sum of ours says nothing.
func (s sums) agrees(said string) error {
	name, value, _ := strings.Cut(said, "=")
	ours, known := map[string]hash.Hash{"sha-256": s.sha256, "md5": s.md5, "crc32c": s.crc32c}[strings.ToLower(name)]
	want, err := base64.StdEncoding.DecodeString(strings.Trim(value, ":"))
	if !known || err != nil {
		return nil
	}
	if got := ours.Sum(nil); string(got) != string(want) {
		return fmt.Errorf("what came is not what the site says it is: its %s is another", name)
	}
	return nil
}

// write puts what comes behind the bytes that are there, and sums up all of it.
func write(from io.Reader, name string, have int64) (sums, int64, error) {
	s := newSums()
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return s, 0, err
	}
	defer f.Close()
	if err := f.Truncate(have); err != nil {
		return s, 0, err
	}
	if _, err := io.Copy(s.writer(), f); err != nil {
		return s, 0, err
	}
	n, err := io.Copy(io.MultiWriter(f, s.writer()), io.LimitReader(from, maxFile-have+1))
	if err == nil && have+n > maxFile {
		err = fmt.Errorf("want a file of at most %d bytes", int64(maxFile))
	}
	return s, have + n, errors.Join(err, f.Sync(), f.Close())
}

// stalling ends a request whose answer brings next to nothing for too long.
func stalling(from io.Reader, after time.Duration, cancel context.CancelCauseFunc) io.Reader {
	timer := time.AfterFunc(after, func() { cancel(fmt.Errorf("the site sent fewer than %d bytes in %s", leastBrought, after)) })
	return &stall{from, timer, after, 0}
}

type stall struct {
	io.Reader
	timer *time.Timer
	after time.Duration
	came  int
}

func (s *stall) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if s.came += n; err != nil {
		s.timer.Stop()
	} else if s.came >= leastBrought {
		s.came = 0
		s.timer.Reset(s.after)
	}
	return n, err
}
