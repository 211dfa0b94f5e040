package feed

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/breakwater-sec/breakwater/vuln"
)

// TestWhatASiteAnswers to one request, with something begun before it or nothing.
func TestWhatASiteAnswers(t *testing.T) {
	f := Feed{URL: "http://feed.example/all.zip"}
	for _, c := range []struct {
		name    string
		begun   string
		code    int
		header  http.Header
		body    io.Reader
		fresh   bool
		again   bool
		problem string
		partial string // what is remembered as begun
		file    string
	}{
		{name: "all of it", code: 200, header: http.Header{"Etag": {`"b"`}}, fresh: true, file: "body"},
		{name: "all of it, though something was begun", begun: "xyz", code: 200, header: http.Header{"Etag": {`"b"`}}, fresh: true, file: "body"},
		{name: "the rest", begun: "xyz", code: 206, header: http.Header{"Content-Range": {"bytes 3-6/7"}}, fresh: true, file: "xyzbody"},
		{name: "a rest of nothing", code: 206, header: http.Header{"Content-Range": {"bytes 0-3/4"}}, problem: "answers 206"},
		{name: "another rest", begun: "xyz", code: 206, header: http.Header{"Content-Range": {"bytes 4-7/8"}}, again: true,
			problem: "another part", file: "xyz"},
		{name: "nothing new", code: 304},
		{name: "nothing new, though something was begun", begun: "xyz", code: 304, problem: "answers 304", partial: `"a"`, file: "xyz"},
		{name: "no more", begun: "xyz", code: 416, again: true, problem: "begun anew", file: "xyz"},
		{name: "no more of nothing", code: 416, problem: "answers 416"},
		{name: "busy", code: 429, header: http.Header{"Retry-After": {"7"}}, again: true, problem: "answers 429"},
		{name: "broken", code: 500, again: true, problem: "answers 500"},
		{name: "broken, and it says until when", code: 503, header: http.Header{"Retry-After": {"7"}}, again: true, problem: "answers 503"},
		{name: "not there", code: 404, problem: "answers 404"},
		{name: "too early", code: 499, problem: "answers 499"},
		{name: "it breaks off", code: 200, header: http.Header{"Etag": {`"b"`}}, again: true, problem: "torn", partial: `"b"`, file: "bo",
			body: io.MultiReader(strings.NewReader("bo"), iotest.ErrReader(errors.New("torn")))},
		{name: "it is another", code: 200, header: http.Header{"Etag": {`"b"`}, "Digest": {"md5=AAAA"}}, again: true,
			problem: "its md5 is another",
			file:    "body"},
	} {
		name := filepath.Join(t.TempDir(), "file")
		k, saved := &known{URL: f.URL, Tag: `"old"`}, 0
		if c.begun != "" {
			k.Partial = `"a"`
			if err := os.WriteFile(name, []byte(c.begun), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		client := &http.Client{Transport: answering(func(*http.Request) *http.Response {
			if c.body == nil {
				c.body = strings.NewReader("body")
			}
			if c.header == nil {
				c.header = http.Header{}
			}
			return &http.Response{StatusCode: c.code, Header: c.header, ContentLength: -1, Body: io.NopCloser(c.body)}
		})}
		fresh, err := download(t.Context(), client, f, name, k, func() error { saved++; return nil })
		var again errAgain
		if fresh != c.fresh || errors.As(err, &again) != c.again || (err == nil) != (c.problem == "") ||
			err != nil && !strings.Contains(err.Error(), c.problem) || k.Partial != c.partial {
			t.Errorf("%s: %v, %v, begun %s, want %v, %s, begun %s", c.name, fresh, err, k.Partial, c.fresh, c.problem, c.partial)
		}
		if text, _ := os.ReadFile(name); string(text) != c.file {
			t.Errorf("%s: the file has %q, want %q", c.name, text, c.file)
		}
		if c.header.Get("Retry-After") != "" && again.after != 7*time.Second {
			t.Errorf("%s: again after %s", c.name, again.after)
		}
		if c.fresh && (k.Tag != c.header.Get("Etag") || k.Bytes != int64(len(c.file)) || k.SHA256 == "" || saved != 1) {
			t.Errorf("%s: %+v, saved %d times", c.name, k, saved)
		}
		if !c.fresh && k.Tag != `"old"` {
			t.Errorf("%s: it is remembered as whole: %+v", c.name, k)
		}
	}
	unsaved := errors.New("the disk is full")
	client := &http.Client{Transport: answering(func(*http.Request) *http.Response {
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("body"))}
	})}
	if fresh, err := download(t.Context(), client, f, filepath.Join(t.TempDir(), "a"), &known{}, func() error { return unsaved }); fresh ||
		!errors.Is(err, unsaved) {
		t.Errorf("what cannot be remembered is fetched: %v, %v", fresh, err)
	}
	if fresh, err := download(t.Context(), client, Feed{URL: "%zz"}, "a", &known{}, nil); fresh || err == nil {
		t.Errorf("what is no address is fetched: %v, %v", fresh, err)
	}
}

func TestWhatHoldsFarLessIsRefused(t *testing.T) {
	s := func(records, kev, epss int) vuln.SourceStatus {
		return vuln.SourceStatus{Records: records, KEV: kev, EPSS: epss}
	}
	for _, c := range []struct {
		old, fresh vuln.SourceStatus
		anyway, ok bool
	}{
		{s(4, 0, 0), s(2, 0, 0), false, true}, {s(4, 0, 0), s(1, 0, 0), false, false}, {s(4, 0, 0), s(1, 0, 0), true, true},
		{s(0, 0, 0), s(0, 0, 0), false, true}, {s(1, 1, 2), s(2, 0, 0), false, true}, {s(1, 1, 2), s(1, 0, 0), false, false},
		{s(0, 10, 0), s(0, 4, 0), false, false}, {s(0, 0, 10), s(0, 0, 4), false, false}, {s(4, 0, 0), s(0, 1, 1), false, true},
		{s(4, 0, 0), s(0, 0, 2), false, true},
	} {
		if err := (Updater{Anyway: c.anyway}).accept(c.old, c.fresh); (err == nil) != c.ok {
			t.Errorf("%+v after %+v: %v", c.fresh, c.old, err)
		}
	}
}
