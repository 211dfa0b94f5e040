package assess

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/breakwater-sec/breakwater/image"
)

// asked is where an image may be asked for.
type asked struct{ reference, host string }

// references are all that name the image, the most trustworthy first: where connected
// registries list it, what a node pulled, and what is merely written. Who writes a
// reference to a registry that is dead, or worse, must not hide what is found by another.
func (d *demand) references(id string) (out []asked) {
	for _, p := range d.places[id] {
		out = append(out, asked{p.At(id), p.Registry})
	}
	var uses []Use
	for _, name := range d.names(id) {
		for _, cluster := range d.uses[name] {
			for _, u := range cluster {
				uses = append(uses, u)
			}
		}
	}
	slices.SortFunc(uses, func(u, v Use) int {
		return cmp.Or(cmp.Compare(rank(u.Pulled), rank(v.Pulled)), cmp.Compare(u.Name, v.Name), cmp.Compare(u.Reference, v.Reference))
	})
	for _, u := range uses {
		if at := (asked{u.Reference, u.Registry}); !slices.Contains(out, at) {
			out = append(out, at)
		}
	}
	return out
}

func rank(first bool) int {
	if first {
		return 0
	}
	return 1
}

// triedAtOnce is how many references of an image are tried before others have their turn.
const triedAtOnce = 4

// errElsewhere says that an image may still be read from where nobody asked yet.
var errElsewhere = errors.New("not all registries that may have it were asked")

// next are the references to try now, those that were not tried yet. When all were, it
// begins anew.
func (a *Assessor) next(r Record) (now []asked, more bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := []asked{{r.Reference, r.Host}}
	k := a.mu.images[r.ID]
	if k == nil {
		return all, false // of another server's cluster
	}
	if have := a.mu.demand.references(r.ID); len(have) > 0 {
		all = have
	}
	untried := slices.DeleteFunc(slices.Clone(all), func(at asked) bool { return k.tried[at.reference] })
	if len(untried) == 0 {
		k.tried, untried = nil, all
	}
	return untried[:min(len(untried), triedAtOnce)], len(untried) > triedAtOnce
}

// tried notes that a reference did not lead to the image.
func (a *Assessor) tried(id, reference string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	k := a.mu.images[id]
	if k == nil {
		return
	}
	if k.tried == nil {
		k.tried = map[string]bool{}
	}
	k.tried[reference] = true
}

// scan reads an image by one reference after the other until one leads to it. What it
// returns of several failures is the gravest: that a reader was ended before that a
// registry failed, and that before what is not supported, which another may not be.
func (a *Assessor) scan(ctx context.Context, r *Record) (*image.Inventory, error) {
	if r.Ended > mostEnds {
		return nil, image.Ended(cmp.Or(r.Error, "this server ended while it was read"))
	}
	within, cancel := context.WithTimeout(ctx, scanWithin)
	defer cancel()
	now, more := a.next(*r)
	var failed []error
	for _, at := range now {
		if !a.enter(r.ID, at.host) {
			more = true // there is no place for it: later
			continue
		}
		inv, err := a.scanOne(within, r.ID, at)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		var busy *image.Busy
		if errors.As(err, &busy) || errors.Is(err, errSlow) {
			r.Reference, r.Host = at.reference, at.host
			failed, more = append(failed, err), true
			continue
		}
		if err == nil {
			r.Reference, r.Host = at.reference, at.host
			return inv, nil
		}
		a.tried(r.ID, at.reference)
		failed = append(failed, err)
	}
	return nil, gravest(failed, more)
}

// scanOne reads what the queue names, which may be older than the parser of today. It is
// ended where it lasts and its place is wanted.
func (a *Assessor) scanOne(ctx context.Context, id string, at asked) (*image.Inventory, error) {
	ref, err := image.ParseReference(at.reference)
	if err != nil {
		return nil, err
	}
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	lasts := time.AfterFunc(a.patience, func() {
		if a.lasts(id) {
			end(errSlow)
		}
	})
	defer lasts.Stop()
	began := time.Now()
	inv, err := a.config.Scan(ctx, ref)
	a.prompt.read(at.host, time.Since(began), inv)
	if err != nil && errors.Is(context.Cause(ctx), errSlow) {
		err = errSlow
	}
	return inv, err
}

func gravest(failed []error, more bool) error {
	var busy *image.Busy
	is := func(e error) int {
		switch {
		case errors.Is(e, image.ErrEnded):
			return 0
		case errors.As(e, &busy), errors.Is(e, errSlow):
			return 1
		case errors.Is(e, image.ErrUnsupported):
			return 3
		}
		return 2
	}
	if len(failed) == 0 {
		return errNoPlace
	}
	slices.SortStableFunc(failed, func(x, y error) int { return cmp.Compare(is(x), is(y)) })
	if more && is(failed[0]) > 1 {
		return errElsewhere
	}
	if len(failed) == 1 || is(failed[0]) < 2 {
		return failed[0]
	}
	if is(failed[len(failed)-1]) == 3 && is(failed[0]) == 2 { // that one is unsupported decides nothing
		failed = slices.DeleteFunc(failed, func(e error) bool { return is(e) == 3 })
	}
	all := failed[0]
	for _, err := range failed[1:] {
		all = fmt.Errorf("%w; %w", all, err)
	}
	return all
}
