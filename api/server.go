// Package api serves the portal and everything it shows over HTTP. openapi.yaml
// is the contract: gen.go is made from it, handlers are functions from a request
// to an answer. The package computes nothing of its own: it reads the current
// World, asks the query engine, and looks into the store.
package api

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"time"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/live"
	"github.com/breakwater-sec/breakwater/packs/queries"
	"github.com/breakwater-sec/breakwater/query"
	"github.com/breakwater-sec/breakwater/registries"
	"github.com/breakwater-sec/breakwater/rule"
	"github.com/breakwater-sec/breakwater/store"
	"github.com/breakwater-sec/breakwater/vuln"
)

//go:generate go tool oapi-codegen -config oapi-codegen.yaml openapi.yaml

// Lives is what the store knows of attack paths.
type Lives interface {
	PathLives(ctx context.Context, since time.Time) ([]store.PathLife, error)
	PathHistory(ctx context.Context, cluster, id string) ([]store.PathEvent, error)
}

// Sessions is what the store knows of who is signed in.
type Sessions interface {
	SignIn(ctx context.Context, token string, valid time.Duration) (string, error)
	Session(ctx context.Context, token string) (time.Time, error)
	SignOut(ctx context.Context, token string) error
}

// Config is what the server shows and how.
type Config struct {
	Live *live.Live
	// Images are assessed, Registries read beside it.
	Images     *assess.Assessor
	Registries *registries.Watcher
	// Context says what the graph knows of the things that alerts name.
	Context  detect.Context
	Store    Lives
	Sessions Sessions
	Alerts   Alerts
	// Sensors is what sensors say of themselves; nil if no events are taken.
	Sensors Sensors
	// Queue is what the store knows of images in registries.
	Queue Queue
	// Receiving is which clusters send events; nil if none are taken.
	Receiving func(context.Context) ([]Receiving, error)
	// Detections are the rules that make alerts.
	Detections []rule.Head
	Advisories func() *vuln.DB
	// PathTypes are the kinds of attack path there are.
	PathTypes []rule.Head
	// Assets is the built portal, or a page that says how to build it.
	Assets fs.FS
	// Hosts are names beyond loopback that the server answers to.
	Hosts   []string
	Version string
	Log     *slog.Logger
	// Secure says that the server speaks TLS: cookies are then kept off plain HTTP.
	Secure bool
}

type server struct {
	Config
	vocabulary *query.Vocabulary
	templates  []query.Template
	schema     Schema
	reach      reachCache
	advice     adviceCache
	paths      pathCache
}

// New is the whole server.
func New(c Config) (http.Handler, error) {
	s := &server{Config: c, vocabulary: query.Schema()}
	var err error
	if s.templates, err = query.LoadTemplates(s.vocabulary, queries.Files); err != nil {
		return nil, err
	}
	s.schema = s.describe()
	strict := NewStrictHandlerWithOptions(s, nil, StrictHTTPServerOptions{
		RequestErrorHandlerFunc: func(w http.ResponseWriter, _ *http.Request, err error) {
			problem(w, http.StatusBadRequest, "the request cannot be read", err.Error())
		},
		ResponseErrorHandlerFunc: s.failed,
	})
	private := http.NewServeMux()
	HandlerWithOptions(strict, StdHTTPServerOptions{BaseURL: "/api/v1", BaseRouter: private,
		ErrorHandlerFunc: func(w http.ResponseWriter, _ *http.Request, err error) {
			problem(w, http.StatusBadRequest, "the request cannot be read", err.Error())
		}})
	private.HandleFunc("GET /api/v1/events", s.events)
	private.HandleFunc("GET /api/v1/query/export", s.export)
	private.HandleFunc("POST /api/v1/report/query", s.reportQuery)
	private.HandleFunc("GET /api/v1/report/{name}", s.report)
	private.HandleFunc("DELETE /api/v1/session", s.signOut)
	private.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) {
		problem(w, http.StatusNotFound, "no such page", r.Method+" "+r.URL.Path)
	})
	all := http.NewServeMux()
	all.HandleFunc("POST /api/v1/session", s.signIn)
	all.Handle("/api/", signedIn(c.Sessions, private))
	all.Handle("/", portal(c.Assets))
	return headers(knownHost(c.Hosts, sameOrigin(bounded(all)))), nil
}

// missing is what was asked for and is not there; asked an error of the asker.
// Both are in words for the asker.
type missing string

func (m missing) Error() string { return string(m) }

type asked struct{ error }

// failed turns a handler's error into a status: the only place that does.
func (s *server) failed(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.As(err, &asked{}):
		problem(w, http.StatusBadRequest, "this cannot be asked", err.Error())
	case errors.As(err, new(missing)):
		problem(w, http.StatusNotFound, "not found", err.Error())
	case r.Context().Err() != nil:
		return
	default:
		s.Log.Error("answer", "path", r.URL.Path, "error", err)
		problem(w, http.StatusInternalServerError, "the server could not do this", err.Error())
	}
}

// scope is what the asker may see. There is one role today, and it sees all.
func (s *server) scope(context.Context) graph.Scope { return graph.Everything }

// asOf is when the oldest of the pictures shown was true, nil if nothing is.
func asOf(w *live.World) *time.Time {
	var oldest *time.Time
	for _, c := range w.Clusters {
		if c.Segment != nil && (oldest == nil || c.AsOf.Before(*oldest)) {
			oldest = new(c.AsOf)
		}
	}
	return oldest
}

func refOf(n graph.Node) Ref {
	r := Ref{Kind: n.Kind(), Id: n.ID(), Name: query.Name(n)}
	if c := n.Cluster(); c != "" {
		r.Cluster = &c
	}
	if ns := n.Text("namespace"); ns != "" {
		r.Namespace = &ns
	}
	return r
}

// text is nil for an empty text: absent in JSON.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// deref is the zero value where nothing was given.
func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// list is never nil: [] in JSON.
func list[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}

// pageSize is how many items a page holds.
func pageSize(limit *int) int {
	if limit == nil {
		return 100
	}
	return max(1, min(*limit, 1000))
}

// page cuts a sorted list at a cursor, the key of the last item before.
func page[T any](items []T, cursor *string, limit *int, key func(T) string) (part []T, next *string, err error) {
	from := 0
	if cursor != nil && *cursor != "" {
		for from = 0; from < len(items) && key(items[from]) != *cursor; from++ {
		}
		if from == len(items) {
			return nil, nil, asked{errors.New("the list has changed since this page: begin at its top")}
		}
		from++
	}
	end := min(len(items), from+pageSize(limit))
	if end < len(items) {
		next = new(key(items[end-1]))
	}
	return list(items[from:end]), next, nil
}
