package egress

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// What a foreign server says beside what it was asked for is not handed on: it may be the text of a machine that nobody
// meant to show. Of an error stay its status, its length and the code words of the distribution specification; of a
// token server's answer stay the tokens.

const (
	maxSaid  = 64 << 10
	maxToken = 16 << 10
)

// saidWithin is how long is listened to what is not handed on, or is small: who says a byte now and then holds nobody.
var saidWithin = 5 * time.Second

// readBounded is what a server says within bounds of size and time. One that goes on is cut off: what it said until then is as good.
func readBounded(resp *http.Response) ([]byte, error) {
	stop := time.AfterFunc(saidWithin, func() { _ = resp.Body.Close() })
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxSaid+1))
	stop.Stop()
	return b, errors.Join(err, resp.Body.Close())
}

// answer is what of a response is handed on.
func (s *session) answer(r *http.Request, resp *http.Response, token bool) (*http.Response, error) {
	switch code := resp.StatusCode; {
	case code >= 300 && code < 400 && resp.Header.Get("Location") != "":
		return s.redirect(r, resp, token)
	case code != http.StatusOK && (code != http.StatusPartialContent || r.Header.Get("Range") == ""):
		return said(r, resp), nil
	case token:
		return s.tokens(r, resp)
	}
	resp.Body = &body{resp.Body, s.named(r.URL)}
	return resp, nil
}

// redirect judges where a response leads before anybody goes there.
func (s *session) redirect(r *http.Request, resp *http.Response, token bool) (*http.Response, error) {
	_ = resp.Body.Close()
	to, err := r.URL.Parse(resp.Header.Get("Location"))
	if err != nil {
		return nil, &Refused{Host: s.registry, Why: "leads to an address that is none of HTTP"}
	}
	method := r.Method
	if code := resp.StatusCode; code != http.StatusTemporaryRedirect && code != http.StatusPermanentRedirect {
		method = http.MethodGet
	}
	if err := s.may(to, method, true, token); err != nil {
		return nil, err
	}
	replace(resp, nil)
	return resp, nil
}

// codes are the words of the OCI distribution specification, and of the implementation that it grew from.
var codes = []string{"BLOB_UNKNOWN", "BLOB_UPLOAD_INVALID", "BLOB_UPLOAD_UNKNOWN", "DIGEST_INVALID", "MANIFEST_BLOB_UNKNOWN",
	"MANIFEST_INVALID", "MANIFEST_UNKNOWN", "MANIFEST_UNVERIFIED", "NAME_INVALID", "NAME_UNKNOWN", "SIZE_INVALID", "TAG_INVALID",
	"UNAUTHORIZED", "DENIED", "UNSUPPORTED", "TOOMANYREQUESTS", "UNKNOWN", "UNAVAILABLE", "PAGINATION_NUMBER_INVALID", "RANGE_INVALID"}

// said puts our words in place of what came with a status.
func said(r *http.Request, resp *http.Response) *http.Response {
	b, _ := readBounded(resp)
	if r.Method == http.MethodHead || len(b) == 0 {
		replace(resp, nil)
		return resp
	}
	about := fmt.Sprintf("%d %s, with %d bytes that are not shown", resp.StatusCode, http.StatusText(resp.StatusCode), len(b))
	if len(b) > maxSaid {
		about = fmt.Sprintf("%d %s, with more than %d bytes that are not shown", resp.StatusCode, http.StatusText(resp.StatusCode), maxSaid)
	}
	type diagnostic struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	var foreign, ours struct {
		Errors []diagnostic `json:"errors"`
	}
	_ = json.Unmarshal(b, &foreign) // what is no JSON has no code
	for _, e := range foreign.Errors {
		if slices.Contains(codes, e.Code) && len(ours.Errors) < 3 {
			ours.Errors = append(ours.Errors, diagnostic{e.Code, about})
		}
	}
	if ours.Errors == nil {
		replace(resp, fmt.Appendf(nil, "%d bytes that are not shown", len(b)))
		return resp
	}
	text, _ := json.Marshal(ours) // two strings
	replace(resp, text)
	return resp
}

func replace(resp *http.Response, b []byte) {
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
	resp.Header.Set("Content-Length", strconv.Itoa(len(b)))
	resp.Header.Set("Content-Type", "application/json")
	resp.Trailer = nil
}

// tokenForm is a token as RFC 6750 has it.
var tokenForm = regexp.MustCompile(`^[A-Za-z0-9._~+/-]+=*$`)

// tokens hands on the tokens of an answer, if they are some. Their names count in their own case: documents of other
// services have fields of almost the same name.
func (s *session) tokens(r *http.Request, resp *http.Response) (*http.Response, error) {
	b, err := readBounded(resp)
	if err != nil {
		return nil, inOurWords(s.named(r.URL), err)
	}
	refused := &Refused{Host: s.named(r.URL), Why: fmt.Sprintf("was asked for a token, and what it answers is none (%d bytes)", len(b))}
	var fields map[string]json.RawMessage
	if len(b) > maxSaid || json.Unmarshal(b, &fields) != nil {
		return nil, refused
	}
	out := map[string]any{}
	for _, name := range []string{"token", "access_token", "refresh_token"} {
		var t string
		if json.Unmarshal(fields[name], &t) != nil || t == "" {
			continue
		}
		if len(t) > maxToken || !tokenForm.MatchString(t) {
			return nil, refused
		}
		out[name] = t
	}
	if out["token"] == nil && out["access_token"] == nil {
		return nil, refused
	}
	var seconds int
	if json.Unmarshal(fields["expires_in"], &seconds) == nil && seconds > 0 {
		out["expires_in"] = seconds
	}
	text, err := json.Marshal(out)
	if err != nil {
		return nil, err
	}
	replace(resp, text)
	return resp, nil
}

// body is what was asked for, with the network's errors in our words.
type body struct {
	io.ReadCloser
	host string
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = inOurWords(b.host, err)
	}
	return n, err
}
