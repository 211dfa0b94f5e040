package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/breakwater-sec/breakwater/exception"
	"github.com/breakwater-sec/breakwater/store"
)

// exceptions are what people accepted: those of a file, and those that were made in the portal or by command. That something of it
// cannot be read any more is logged, once for each reason.
type exceptions struct {
	file *exception.File
	made madeExceptions // nil if nothing is stored
	warn func(why error)
	mu   struct {
		sync.Mutex
		told  string
		stand string         // of made, as it was read
		read  *exception.Set // of made
		from  [2]*exception.Set
		all   *exception.Set // from joined
	}
}

// madeExceptions is what the store knows of them.
type madeExceptions interface {
	Exceptions(context.Context) ([]store.Exception, error)
	ExceptionsStand(context.Context) (string, error)
}

func openExceptions(name string, made madeExceptions, warn func(error)) (*exceptions, error) {
	e := &exceptions{made: made, warn: warn}
	if name == "" {
		return e, nil
	}
	var err error
	e.file, err = exception.Open(name)
	return e, err
}

// now is what was accepted by now. What cannot be read counts as it was, with the error.
func (e *exceptions) now(ctx context.Context) (*exception.Set, error) {
	file, err := e.file.Now()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.made != nil {
		err = errors.Join(err, e.look(ctx))
	}
	switch {
	case err == nil:
		e.mu.told = ""
	case e.mu.told != err.Error() && ctx.Err() == nil:
		e.mu.told = err.Error()
		e.warn(err)
	}
	if from := [2]*exception.Set{file, e.mu.read}; e.mu.all == nil || from != e.mu.from {
		e.mu.from, e.mu.all = from, exception.Join(file, e.mu.read)
	}
	return e.mu.all, err
}

// look reads what was made, if it is not what it was. It is called with mu held.
func (e *exceptions) look(ctx context.Context) error {
	stand, err := e.made.ExceptionsStand(ctx)
	if err != nil || stand == e.mu.stand {
		return err
	}
	kept, err := e.made.Exceptions(ctx)
	if err != nil {
		return err
	}
	var all []*exception.Exception
	for _, k := range kept {
		if !k.EndedAt.IsZero() {
			continue
		}
		one, err := madeException(k)
		if err != nil {
			return fmt.Errorf("exception %s as it is stored: %w", k.ID, err)
		}
		all = append(all, one)
	}
	e.mu.read, e.mu.stand = exception.SetOf(all...), stand
	return nil
}

// madeException reads one as it is stored.
func madeException(k store.Exception) (*exception.Exception, error) {
	var e exception.Exception
	if err := json.Unmarshal([]byte(k.Body), &e); err != nil {
		return nil, err
	}
	e.Author = k.Author
	return exception.New(e, exception.Portal(k.ID))
}
