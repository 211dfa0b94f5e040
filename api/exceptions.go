package api

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/breakwater-sec/breakwater/exception"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/scope"
	"github.com/breakwater-sec/breakwater/store"
)

// mostTried is how many findings a trial tells.
const mostTried = 200

// keptExceptions are those that were made here, for who sees everything and looks at everything.
func (s session) keptExceptions() (scope.Exceptions, error) {
	made, err := s.Reader.Exceptions()
	if err != nil && s.whole {
		return nil, asked{errors.New("exceptions hold in all clusters: choose all clusters, not one")}
	}
	return made, err
}

// ListExceptions implements StrictServerInterface.
func (s session) ListExceptions(ctx context.Context, _ ListExceptionsRequestObject) (ListExceptionsResponseObject, error) {
	made, err := s.keptExceptions()
	if err != nil {
		return nil, err
	}
	set, unread := s.exceptions(ctx)
	out, err := s.countExceptions(ctx, set)
	if err != nil {
		return nil, err
	}
	out.Findings = nil
	if unread != nil {
		out.Error = new(unread.Error())
	}
	if made == nil {
		return ListExceptions200JSONResponse(out), nil
	}
	kept, err := made.Exceptions(ctx)
	if err != nil {
		return nil, err
	}
	for _, k := range kept {
		i := slices.IndexFunc(out.Items, func(r ExceptionRow) bool { return r.Where == exception.Portal(k.ID) })
		if i < 0 { // somebody ended it
			if k.EndedAt.IsZero() {
				continue // it was made since
			}
			row, err := storedRow(k)
			if err != nil {
				return nil, err
			}
			out.Items = append(out.Items, row)
			continue
		}
		out.Items[i].Id, out.Items[i].CreatedAt = &k.ID, &k.CreatedAt
	}
	return ListExceptions200JSONResponse(out), nil
}

// storedRow is one as it is stored, which holds for nothing that is known here.
func storedRow(k store.Exception) (ExceptionRow, error) {
	e, err := exception.Decode(k.Body, k.ID, k.Author)
	if err != nil {
		return ExceptionRow{}, err
	}
	row := exceptionRow(e)
	row.Id, row.CreatedAt = &k.ID, &k.CreatedAt
	if !k.EndedAt.IsZero() {
		row.EndedAt, row.EndedBy = &k.EndedAt, text(k.EndedBy)
	}
	return row, nil
}

// TryExceptions implements StrictServerInterface.
func (s session) TryExceptions(ctx context.Context, r TryExceptionsRequestObject) (TryExceptionsResponseObject, error) {
	if _, err := s.keptExceptions(); err != nil {
		return nil, err
	}
	set, err := s.tried(r.Body)
	if err != nil {
		return nil, asked{err}
	}
	out, err := s.countExceptions(ctx, set)
	return TryExceptions200JSONResponse(out), err
}

// tried is what somebody wants to try: a file, or one.
func (s session) tried(body *ExceptionTrial) (*exception.Set, error) {
	switch {
	case (body.Text == nil) == (body.Exception == nil):
		return nil, errors.New("want text, a file, or exception, one; and not both")
	case body.Text != nil:
		return exception.Read("exceptions", bytes.NewReader([]byte(*body.Text)))
	}
	one, err := exception.New(s.exceptionOf(*body.Exception), "this one")
	if err != nil {
		return nil, err
	}
	return exception.SetOf(one), nil
}

// exceptionOf is what somebody wrote; who asks is its author.
func (s session) exceptionOf(n NewException) exception.Exception {
	return exception.Exception{Vulnerability: deref(n.Vulnerability), Package: deref(n.Package), Image: deref(n.Image),
		Repository: deref(n.Repository), Digest: deref(n.Digest), Path: deref(n.Path), Unfixed: deref(n.Unfixed),
		Reason: strings.TrimSpace(n.Reason), Author: s.who, Expires: n.Expires}
}

// AddException implements StrictServerInterface.
func (s session) AddException(ctx context.Context, r AddExceptionRequestObject) (AddExceptionResponseObject, error) {
	made, err := s.keptExceptions()
	if err != nil {
		return nil, err
	}
	if made == nil {
		return nil, asked{errors.New("this server keeps no exceptions")}
	}
	e, err := exception.New(s.exceptionOf(*r.Body), "")
	if err != nil {
		return nil, asked{err}
	}
	if e.Expired(time.Now()) {
		return nil, asked{fmt.Errorf("expires: %s is over: want a last day that is not", e.Expires)}
	}
	body, err := e.Encode()
	if err != nil {
		return nil, err
	}
	kept, err := made.AddException(ctx, body, s.who)
	if errors.Is(err, store.ErrManyExceptions) {
		return nil, asked{err}
	}
	if err != nil {
		return nil, err
	}
	row, err := storedRow(kept)
	return AddException201JSONResponse(row), err
}

// EndException implements StrictServerInterface.
func (s session) EndException(ctx context.Context, r EndExceptionRequestObject) (EndExceptionResponseObject, error) {
	made, err := s.keptExceptions()
	if err != nil {
		return nil, err
	}
	err = store.ErrNotFound
	if made != nil {
		err = made.EndException(ctx, strings.TrimPrefix(r.Id, exception.Portal("")), s.who)
	}
	if errors.Is(err, store.ErrNotFound) {
		return nil, missing(fmt.Sprintf("no exception %.80s that was made here and that nobody ended; one of a file is ended in the file", r.Id))
	}
	return EndException204Response{}, err
}

func exceptionRow(e *exception.Exception) ExceptionRow {
	return ExceptionRow{Where: e.Where, Reason: e.Reason, Author: e.Author, Until: e.Expires, Unfixed: e.Unfixed,
		Vulnerability: list([]string(e.Vulnerability)), Package: list([]string(e.Package)), Image: list([]string(e.Image)),
		Repository: list([]string(e.Repository)), Digest: list([]string(e.Digest)), Path: list([]string(e.Path))}
}

// countExceptions holds exceptions against everything that was found.
func (s session) countExceptions(ctx context.Context, set *exception.Set) (ExceptionList, error) {
	a := s.acceptsBy(ctx, set)
	out := ExceptionList{Items: []ExceptionRow{}}
	some := []Finding{}
	if !a.None() {
		for e := range vulnerable(s.View) {
			if ctx.Err() != nil {
				return ExceptionList{}, cmp.Or(context.Cause(ctx), errors.New("the asker left"))
			}
			if found := a.of(e); found != nil && len(some) < mostTried {
				f := findingOf(e)
				f.Exception = found
				some = append(some, f)
			}
		}
	}
	for _, c := range a.Tally.Counts() {
		row := exceptionRow(c.Exception)
		row.Expired, row.Findings, row.Images = c.Expired, c.Findings, len(slices.Collect(maps.Keys(a.found[c.Where])))
		out.Items = append(out.Items, row)
	}
	out.Findings = &some
	return out, nil
}

// vulnerable is every finding in an image.
func vulnerable(v *graph.View) iter.Seq[graph.Edge] {
	return func(yield func(graph.Edge) bool) {
		for n := range v.Nodes("Image") {
			for e := range n.Out("HAS_VULNERABILITY") {
				if !yield(e) {
					return
				}
			}
		}
	}
}
