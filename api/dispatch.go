package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"time"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/event"
	"github.com/breakwater-sec/breakwater/exception"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/live"
	"github.com/breakwater-sec/breakwater/query"
	"github.com/breakwater-sec/breakwater/registries"
	"github.com/breakwater-sec/breakwater/report"
	"github.com/breakwater-sec/breakwater/rule"
	"github.com/breakwater-sec/breakwater/scope"
	"github.com/breakwater-sec/breakwater/store"
	"github.com/breakwater-sec/breakwater/vuln"
)

// session is one request of somebody who is signed in, and all that a handler
// has: handlers are its methods. What it leads to is what that somebody may see;
// the server, which holds everything, is not to be had from here.
type session struct {
	*scope.Reader
	*constants
	// receiving is which of the asker's clusters send events; none if none are taken.
	receiving func(context.Context) ([]Receiving, error)
	// coverage is which detections can fire on the asker's clusters.
	coverage func(context.Context) ([]AlertCoverage, error)
	// waits are the nodes of the asker's clusters that want to join and may not yet.
	waits func(context.Context) ([]NodeWaits, error)
	// storage is what is stored of everything; nil for who does not see everything.
	storage func(context.Context) (Storage, error)
	noRoom  string // why nothing more is stored
	until   time.Time
	who     string // asks, as the maker of the sign-in said
	// still says whether the session is not ended yet.
	still func(context.Context) bool
	whole bool // they may see everything, whatever they want to see now
}

// constants are the same for everybody, and of no estate.
type constants struct {
	version    string
	log        *slog.Logger
	vocabulary *query.Vocabulary
	templates  []query.Template
	schema     Schema
	detections []rule.Head
	advisories func() *vuln.DB
	exceptions func(context.Context) (*exception.Set, error)
	activities Activities
	about      func(w *live.World, cluster string, e event.Entity) (detect.About, bool)
	coded      func(*collect.Facts, analyse.Path) analyse.Path
	bounds     *bounds
	shown      func(map[string]uint64) []Bound
}

type sessionKey struct{}

// signedIn lets only requests with a valid session in, each as somebody who may
// see what the session says: the cookie of a browser, or a bearer token of the
// command line. It is the one place where a scope comes from.
func (s *server) signedIn(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asker, ok := s.asks(w, r)
		if !ok {
			return
		}
		if !welcome(w, r, asker.who) {
			return
		}
		within := r.URL.Query().Get("within")
		if within != "" && asker.Clusters[within] == nil { // nothing found there would read as safe
			problem(w, http.StatusNotFound, "not found", "no cluster "+within)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), sessionKey{}, asker)))
	})
}

// knownWithin is how long the store may take to say who asks: those who wait for one that says nothing would become more
// and more.
const knownWithin = 10 * time.Second

// asks is who asks: the operator over the socket, or by their token who is signed in.
func (s *server) asks(w http.ResponseWriter, r *http.Request) (session, bool) {
	within := r.URL.Query().Get("within")
	if o, ok := operatorOf(r.Context()); ok {
		asker := s.asker(o.Sees, o.Person, time.Now().Add(sessionLasts), within)
		asker.still = func(context.Context) bool { return true } // as long as the connection
		return asker, true
	}
	token := s.sessionToken(r)
	if token == "" {
		problem(w, http.StatusUnauthorized, "not signed in",
			"open the sign-in link that the server printed, or print a new one with: breakwater sign-in")
		return session{}, false
	}
	known, cancel := context.WithTimeout(r.Context(), knownWithin)
	defer cancel()
	signed, err := s.Sessions.Session(known, token)
	switch {
	case errors.Is(err, store.ErrNotFound):
		problem(w, http.StatusUnauthorized, http.StatusText(http.StatusUnauthorized),
			"the session has ended; print a new sign-in link with: breakwater sign-in")
		return session{}, false
	case err != nil:
		s.unknown(w, r, err)
		return session{}, false
	}
	var sees graph.Scope
	if err := json.Unmarshal([]byte(signed.Scope), &sees); err != nil {
		failed(s.Log, w, r, fmt.Errorf("read what the session may see: %w", err))
		return session{}, false
	}
	asker := s.asker(sees, signed.Person, signed.Until, within)
	asker.still = func(ctx context.Context) bool {
		_, err := s.Sessions.Session(ctx, token)
		return !errors.Is(err, store.ErrNotFound)
	}
	return asker, true
}

// asker is one who asks; within names the one cluster that they want to see.
func (s *server) asker(sees graph.Scope, who string, until time.Time, within string) session {
	whole := sees.All
	if within != "" {
		sees = sees.Only(within)
	}
	r := s.unscoped.For(sees)
	var storage func(context.Context) (Storage, error)
	if r.World.All() {
		storage = s.Storage
	}
	return session{Reader: r, constants: &s.constants, until: until, who: who, whole: whole, storage: storage, noRoom: s.room(),
		waits: func(ctx context.Context) ([]NodeWaits, error) {
			if s.Waiting == nil {
				return nil, nil
			}
			all, err := s.Waiting(ctx)
			return slices.DeleteFunc(all, func(w NodeWaits) bool { return !r.Whole(w.Cluster) }), err
		},
		coverage: func(ctx context.Context) ([]AlertCoverage, error) {
			if s.Coverage == nil {
				return []AlertCoverage{}, nil
			}
			all, err := s.Coverage(ctx)
			return slices.DeleteFunc(list(slices.Clone(all)), func(of AlertCoverage) bool { return !r.Whole(of.Cluster) }), err
		},
		receiving: func(ctx context.Context) ([]Receiving, error) {
			if s.Receiving == nil {
				return []Receiving{}, nil
			}
			all, err := s.Receiving(ctx)
			return slices.DeleteFunc(list(slices.Clone(all)), func(of Receiving) bool { return !r.Whole(of.Cluster) }), err
		}}
}

// sessionOf is the session of a request that signedIn let in.
func sessionOf(ctx context.Context) session { return ctx.Value(sessionKey{}).(session) }

// of makes a handler of a method of the session.
func of(handle func(session, http.ResponseWriter, *http.Request)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { handle(sessionOf(r.Context()), w, r) }
}

// asAsker answers an operation of the contract with the method of that name of the
// asker's session. The generated code would call it on one value for everybody.
func asAsker(_ StrictHandlerFunc, operation string) StrictHandlerFunc {
	method, _ := reflect.TypeFor[session]().MethodByName(operation)
	return func(ctx context.Context, _ http.ResponseWriter, _ *http.Request, request any) (any, error) {
		out := method.Func.Call([]reflect.Value{reflect.ValueOf(sessionOf(ctx)), reflect.ValueOf(ctx), reflect.ValueOf(request)})
		err, _ := out[1].Interface().(error)
		return out[0].Interface(), err
	}
}

// nobody has a method for every operation, of which none is ever called: see asAsker.
var nobody StrictServerInterface = session{}

// ofTheAsker are the errors beside asked by which others say that something cannot be asked so.
var ofTheAsker = []error{store.ErrCursor, scope.ErrNothing, scope.ErrUnread, analyse.ErrAssumption, report.ErrFix, registries.ErrRefused}

// failed turns a handler's error into a status: the only place that does.
func failed(log *slog.Logger, w http.ResponseWriter, r *http.Request, err error) {
	var unclear query.Problems // what is asked holds a parameter that was not given
	switch {
	case errors.As(err, &unclear), errors.As(err, &asked{}),
		slices.ContainsFunc(ofTheAsker, func(known error) bool { return errors.Is(err, known) }):
		problem(w, http.StatusBadRequest, "this cannot be asked", err.Error())
	case errors.As(err, new(missing)):
		problem(w, http.StatusNotFound, "not found", err.Error())
	case errors.Is(err, scope.ErrOutside):
		problem(w, http.StatusForbidden, "not in your scope", err.Error())
	case errors.Is(err, query.ErrMemory), errors.Is(err, query.ErrNoMemory):
		later(w, http.StatusServiceUnavailable, "too large for now", err)
	case errors.Is(context.Cause(r.Context()), errTooLong):
		later(w, http.StatusServiceUnavailable, "this took too long", errTooLong)
	case r.Context().Err() != nil:
		return
	default:
		log.Error("answer", "path", r.URL.Path, "error", err)
		problem(w, http.StatusInternalServerError, "the server could not do this", err.Error())
	}
}
