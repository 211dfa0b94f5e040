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

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/event"
	"github.com/breakwater-sec/breakwater/exception"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/live"
	"github.com/breakwater-sec/breakwater/packs/queries"
	"github.com/breakwater-sec/breakwater/query"
	"github.com/breakwater-sec/breakwater/registries"
	"github.com/breakwater-sec/breakwater/rule"
	"github.com/breakwater-sec/breakwater/scope"
	"github.com/breakwater-sec/breakwater/store"
	"github.com/breakwater-sec/breakwater/vuln"
)

//go:generate go tool oapi-codegen -config oapi-codegen.yaml openapi.yaml

// Sessions is what the store knows of who is signed in, and of what they did.
type Sessions interface {
	Activities
	NewSignIn(ctx context.Context, valid time.Duration, scope, person string) (string, error)
	SignIn(ctx context.Context, token string, valid time.Duration) (string, error)
	Session(ctx context.Context, token string) (store.Session, error)
	SignOut(ctx context.Context, token string) error
}

// Config is what the server shows and how.
type Config struct {
	// Unscoped is everything there is; handlers see of it what the scope of the asker shows.
	Unscoped scope.Config
	// About says what the graph knows of the things that alerts name.
	About    func(w *live.World, cluster string, e event.Entity) (detect.About, bool)
	Sessions Sessions
	// Senders are asked what a registry shows that tells of pushes, which Pushed takes, and a build; nil if none may.
	Senders Senders
	Pushed  func(host string, pushes []registries.Push) (taken int, err error)
	// Uploaded takes what a build said is in an image.
	Uploaded func(context.Context, assess.Upload) error
	// Receiving is which clusters send events; nil if none are taken.
	Receiving func(context.Context) ([]Receiving, error)
	// Coverage is which detections can fire on which clusters; nil if no events are taken.
	Coverage func(context.Context) ([]AlertCoverage, error)
	// Waiting are the nodes that want to join and may not yet; nil if none can.
	Waiting func(context.Context) ([]NodeWaits, error)
	// Unready says why the server is not ready yet or any more, and Room why nothing more is
	// stored, "" while there is room; Storage is what is stored. Each may be nil.
	Unready func() (reasons []string)
	Room    func() (why string)
	Storage func(context.Context) (Storage, error)
	// Detections are the rules that make alerts.
	Detections []rule.Head
	Advisories func() *vuln.DB
	// Exceptions is what people accepted, as it is written now; nil if nothing is.
	Exceptions func(context.Context) (*exception.Set, error)
	// PathTypes are the kinds of attack path there are.
	PathTypes []rule.Head
	// Coded is a path with the code of its fixes, from the facts of its cluster.
	Coded func(*collect.Facts, analyse.Path) analyse.Path
	// Assets is the built portal, or a page that says how to build it.
	Assets fs.FS
	// URL is where browsers find the portal.
	URL string
	// Hosts are further names at which browsers may sign in.
	Hosts   []string
	Version string
	Log     *slog.Logger
	// Secure says that the server speaks TLS: cookies are then kept off plain HTTP.
	Secure bool
	Limits Limits
	// Shown are all limits of this server; it is told how often those of here were in somebody's way.
	Shown func(refused map[string]uint64) []Bound
}

// server holds everything; what handlers get of it is a session.
type server struct {
	Config
	constants
	unscoped *scope.Unscoped
	failures failures
}

// New is the whole server.
func New(c Config) (http.Handler, error) {
	vocabulary := query.Schema()
	templates, err := query.LoadTemplates(vocabulary, queries.Files)
	if err != nil {
		return nil, err
	}
	s := &server{Config: c, unscoped: scope.New(c.Unscoped),
		constants: constants{version: c.Version, log: c.Log, vocabulary: vocabulary, templates: templates,
			schema: describe(vocabulary, c.PathTypes), detections: c.Detections, advisories: c.Advisories, about: c.About,
			coded: c.Coded, activities: c.Sessions, bounds: newBounds(c.Limits), shown: c.Shown}}
	if s.exceptions = c.Exceptions; s.exceptions == nil {
		s.exceptions = func(context.Context) (*exception.Set, error) { return nil, nil }
	}
	strict := NewStrictHandlerWithOptions(nobody, []StrictMiddlewareFunc{asAsker}, StrictHTTPServerOptions{
		RequestErrorHandlerFunc:  unread,
		ResponseErrorHandlerFunc: func(w http.ResponseWriter, r *http.Request, err error) { failed(c.Log, w, r, err) },
	})
	private := http.NewServeMux()
	HandlerWithOptions(strict, StdHTTPServerOptions{BaseURL: "/api/v1", BaseRouter: private,
		ErrorHandlerFunc: unread})
	private.HandleFunc("GET /api/v1/events", of(session.events))
	private.HandleFunc("GET /api/v1/query/export", of(session.export))
	private.HandleFunc("POST /api/v1/report/query", of(session.reportQuery))
	private.HandleFunc("GET /api/v1/report/{name}", of(session.report))
	private.HandleFunc("DELETE /api/v1/session", s.signOut)
	private.HandleFunc("POST /api/v1/sign-in-links", s.newSignInLink)
	private.HandleFunc("/api/", notFound)
	all := http.NewServeMux()
	all.HandleFunc("POST /api/v1/session", s.signIn)
	all.HandleFunc("POST /api/v1/registry/pushes", s.pushes)
	all.HandleFunc("OPTIONS /api/v1/registry/pushes", s.allowPushes)
	all.Handle("/api/v1/", s.signedIn(s.recorded(private, s.bounds.bounded(private))))
	all.HandleFunc("/api/", notFound)
	all.HandleFunc("/api", notFound)
	all.Handle("/", portal(c.Assets))
	outer := http.NewServeMux()
	outer.HandleFunc("GET /healthz", s.health)
	outer.HandleFunc("GET /readyz", s.ready)
	outer.Handle("POST /api/v1/uploads", s.knownHost(sameOrigin(http.HandlerFunc(s.uploads)))) // it has bounds of its own
	outer.Handle("/", s.knownHost(sameOrigin(bounded(all))))
	return headers(c.Secure, outer), nil
}

// missing is what was asked for and is not there; asked an error of the asker.
// Both are in words for the asker.
type missing string

func (m missing) Error() string { return string(m) }

type asked struct{ error }

func refOf(n graph.Node) Ref {
	return Ref{Kind: n.Kind(), Id: n.ID(), Name: query.Name(n), Cluster: text(n.Cluster()), Namespace: text(n.Text("namespace"))}
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
