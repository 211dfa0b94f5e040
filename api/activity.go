package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/breakwater-sec/breakwater/redact"
	"github.com/breakwater-sec/breakwater/store"
)

// Activities is what the store knows of what people did.
type Activities interface {
	Record(ctx context.Context, a store.Activity) error
	Activities(ctx context.Context, f store.ActivityFilter, cursor string, limit int) ([]store.Activity, string, error)
	CountActivities(ctx context.Context, f store.ActivityFilter) (int, error)
	ActivityFacets(ctx context.Context) (people, actions []string, err error)
}

// asking are the operations that change nothing and hand nothing out but to a page, though they are no GET.
var asking = []string{"POST /query", "POST /query/check", "POST /query/values", "POST /query/facets", "POST /what-if",
	"POST /exceptions/trial"}

// handing are the operations by which what is known leaves the portal as a file.
var handing = []string{"GET /query/export", "GET /report/{name}"}

// named are the words for operations that are recorded, and of which fields of a request their object and how it
// was done are told. One that has no words is recorded all the same, by its address.
var named = map[string]struct {
	action         string
	object, detail []string
}{
	"DELETE /session":     {action: "sign out"},
	"POST /sign-in-links": {"make a sign-in link", []string{"person"}, nil},
	"PUT /alerts":         {"work on alerts", []string{"alerts"}, []string{"change"}},
	"POST /registries": {"connect a registry", []string{"host"}, []string{"repositories", "tagNames", "tags", "maxAge", "platforms", "every",
		"hours", "vex", "insecure", "mirror", "proxy", "authorities"}},
	"POST /registries/check":   {"check a registry", []string{"host"}, nil},
	"POST /registries/preview": {"preview a registry", []string{"host"}, nil},
	"DELETE /registry":         {"disconnect a registry", []string{"host"}, nil},
	"POST /registry/rescan":    {"read a registry again", []string{"host"}, nil},
	"DELETE /tokens/{id}":      {"end a token", []string{"id"}, []string{"joined"}},
	"POST /tokens/{id}/rotate": {"rotate a token", []string{"id"}, []string{"keepHours"}},
	"POST /exceptions": {"accept vulnerabilities", []string{"vulnerability", "package", "image", "repository", "digest", "path", "unfixed"},
		[]string{"reason", "expires"}},
	"DELETE /exceptions/{id}": {"end an exception", []string{"id"}, nil},
	"GET /query/export":       {"export rows", nil, []string{"text"}},
	"GET /report/{name}":      {"export a report", []string{"name"}, []string{"within", "id", "format"}},
	"POST /report/query":      {"export rows", nil, []string{"text"}},
}

// recorded is what people do by the operations of a mux, recorded when its outcome is known and before they are told of it: what
// cannot be recorded is answered as failed.
func (s *server) recorded(operations *http.ServeMux, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, pattern := operations.Handler(r)
		operation := strings.Replace(pattern, " /api/v1", " ", 1)
		if !isRecorded(operation) {
			next.ServeHTTP(w, r)
			return
		}
		said := &kept{ReadCloser: r.Body}
		r.Body = said
		out := &outcome{ResponseWriter: w, record: func(status int) error {
			return s.Sessions.Record(context.WithoutCancel(r.Context()), activityOf(operation, r, said.Bytes(), status))
		}, failed: func(err error) {
			s.Log.Error("what a person did cannot be recorded", "operation", operation, "error", err)
		}}
		next.ServeHTTP(out, r)
		out.WriteHeader(http.StatusOK) // of an answer without a body
	})
}

// isRecorded says which operations are: all that may change something, and all that hand something out.
func isRecorded(operation string) bool {
	method, path, ok := strings.Cut(operation, " ")
	if !ok || path == "/api/" || slices.Contains(asking, operation) {
		return false
	}
	return method != http.MethodGet && method != http.MethodHead || slices.Contains(handing, operation)
}

// activityOf is what a request is, in the words of the record.
func activityOf(operation string, r *http.Request, body []byte, status int) store.Activity {
	words, ok := named[operation]
	if !ok {
		words.action = operation
		for name := range r.URL.Query() {
			words.object = append(words.object, name)
		}
		slices.Sort(words.object)
	}
	var fields map[string]any
	_ = json.Unmarshal(body, &fields) // what is no JSON has no fields to tell
	who := sessionOf(r.Context())
	a := store.Activity{Person: who.who, Role: store.Operator, Address: address(r), Action: words.action,
		Object: valuesOf(operation, r, fields, words.object, "/"), Detail: valuesOf(operation, r, fields, words.detail, ", "),
		Outcome: store.Done}
	if status >= 400 {
		a.Outcome = "refused: " + strings.ToLower(http.StatusText(status))
	}
	if status >= 500 {
		a.Outcome = "failed: " + strings.ToLower(http.StatusText(status))
	}
	return a
}

// valuesOf are the values of fields of a request: of its path, its query or its body.
func valuesOf(operation string, r *http.Request, body map[string]any, fields []string, between string) string {
	var out []string
	for _, f := range fields {
		v := fromPath(operation, r.URL.Path, f)
		if v == "" {
			v = r.URL.Query().Get(f)
		}
		if v == "" && body[f] != nil {
			if text, ok := body[f].(string); ok {
				v = text
			} else if b, err := json.Marshal(body[f]); err == nil {
				v = f + " " + string(b)
			}
		}
		if at := strings.LastIndex(v, "@"); f == "host" && at >= 0 { // what stands before a host is an account
			v = v[at+1:]
		}
		if v != "" {
			out = append(out, redact.Text(v))
		}
	}
	return strings.Join(out, between)
}

// fromPath is what stands in a path where that of the operation has a field. The request itself does not tell: what is
// behind us may have been given a copy of it, and the copy alone was matched.
func fromPath(operation, path, field string) string {
	_, pattern, _ := strings.Cut(operation, " ")
	is := strings.Split(strings.TrimPrefix(path, "/api/v1"), "/")
	for i, part := range strings.Split(pattern, "/") {
		if part == "{"+field+"}" && i < len(is) {
			return is[i]
		}
	}
	return ""
}

// address is where a request comes from.
func address(r *http.Request) string {
	if o, ok := operatorOf(r.Context()); ok {
		return o.Address
	}
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		return host
	}
	return r.RemoteAddr
}

// kept keeps the beginning of a body that is read.
type kept struct {
	io.ReadCloser
	bytes.Buffer
}

const mostKept = 64 << 10

func (k *kept) Read(b []byte) (int, error) {
	n, err := k.ReadCloser.Read(b)
	k.Write(b[:min(n, mostKept-min(mostKept, k.Len()))])
	return n, err
}

// outcome records an answer when its status is known.
type outcome struct {
	http.ResponseWriter
	record    func(status int) error
	failed    func(error)
	done, bad bool
}

func (o *outcome) Unwrap() http.ResponseWriter { return o.ResponseWriter }

func (o *outcome) WriteHeader(status int) {
	if o.done {
		return
	}
	o.done = true
	if err := o.record(status); err != nil {
		o.failed(err)
		o.bad = true
		for name := range o.Header() {
			if strings.HasPrefix(name, "Content-") && name != "Content-Security-Policy" || name == "Set-Cookie" {
				o.Header().Del(name)
			}
		}
		why := ""
		if store.Full(err) {
			why = ": the disk is full"
		}
		problem(o.ResponseWriter, http.StatusServiceUnavailable, "it could not be recorded",
			"what you asked for cannot be recorded now, and is not told therefore; it may be done"+why)
		return
	}
	o.ResponseWriter.WriteHeader(status)
}

func (o *outcome) Write(b []byte) (int, error) {
	o.WriteHeader(http.StatusOK)
	if o.bad {
		return len(b), nil
	}
	return o.ResponseWriter.Write(b)
}

// ListActivity implements StrictServerInterface: everybody's for who sees everything, else one's own.
func (s session) ListActivity(ctx context.Context, r ListActivityRequestObject) (ListActivityResponseObject, error) {
	f := store.ActivityFilter{Person: deref(r.Params.Person), Action: deref(r.Params.Action), Since: deref(r.Params.Since)}
	out := ListActivity200JSONResponse{Items: []ActivityRow{}, People: []string{s.who}, Actions: []string{}}
	people, actions, err := s.activities.ActivityFacets(ctx)
	if err != nil {
		return nil, err
	}
	if s.whole {
		out.People, out.Actions = list(people), list(actions)
	} else {
		if f.Person != "" && f.Person != s.who {
			return out, nil
		}
		f.Person = s.who
	}
	if out.Total, err = s.activities.CountActivities(ctx, f); err != nil {
		return nil, err
	}
	page, next, err := s.activities.Activities(ctx, f, deref(r.Params.Cursor), pageSize(r.Params.Limit))
	if err != nil {
		return nil, err
	}
	for _, a := range page {
		out.Items = append(out.Items, ActivityRow{Seq: a.Seq, At: a.At, Person: a.Person, Role: a.Role, Address: a.Address, Action: a.Action,
			Object: a.Object, Detail: a.Detail, Outcome: a.Outcome})
	}
	out.Next = text(next)
	return out, nil
}

// signedInAs records a sign-in that came about.
func (s *server) signedInAs(ctx context.Context, r *http.Request, token string) error {
	signed, err := s.Sessions.Session(ctx, token)
	if err != nil {
		return err
	}
	return s.Sessions.Record(ctx, store.Activity{At: time.Now(), Person: signed.Person, Role: store.Operator, Address: address(r),
		Action: "sign in", Outcome: store.Done})
}
