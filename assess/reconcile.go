package assess

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/breakwater-sec/breakwater/image"
)

// Changes is what is different since the last ones, to be taken as a whole.
type Changes struct {
	Images []Assessed
	// Gone are images that no cluster uses and no registry lists any more.
	Gone []string
	// Means are the images that uses mean, by id; empty where no cluster has such a
	// use any more. A use that is not among them is not answered yet.
	Means map[Key]string
	// Clusters use an image that is assessed anew, or by a name that means another.
	Clusters []string
}

// Assessed is an image as it stands now.
type Assessed struct {
	ID string
	// Assessment is nil if it is what was told before.
	Assessment *Assessment
	// Use speaks for the clusters that use it; nil if none does.
	Use *Use
	// Places are where it is stored; nil if no registry lists it nor ever did.
	Places          []Place
	Listed, Running bool
	// Upload is what a build told of it; nil if none did.
	Upload *Upload
}

// known is what is known of an image that is there.
type known struct {
	Image
	host string
	// assessment is kept for as long as a cluster uses the image.
	assessment *Assessment
	// recall says that the store is to be asked, again perhaps.
	recall bool
	// readings counts what workers found, so that what was remembered before does
	// not replace it.
	readings int
	wanted   Urgency // as the store has it
	// tried are references that did not lead to the image since all of them were tried.
	tried map[string]bool
	told  struct {
		once            bool
		assessment      *Assessment
		use             Use
		places          []Place
		listed, running bool
		upload          Upload
	}
}

// follow reconciles whenever something was touched, until ctx ends.
func (a *Assessor) follow(ctx context.Context, tell func(context.Context, Changes)) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-a.changed:
		}
		for a.reconcile(ctx, tell) && ctx.Err() == nil {
		}
	}
}

// reconcile brings some of the images that were touched up to date: what is new is
// looked up in the store and queued, what nobody has leaves, and what is different
// is told. It reports false if nothing was left to do.
func (a *Assessor) reconcile(ctx context.Context, tell func(context.Context, Changes)) bool {
	names, dropped := a.take()
	if len(names)+len(dropped) == 0 {
		return false
	}
	look, before := a.register(names)
	found := make(map[string]remembered, len(look))
	for _, id := range look {
		found[id] = a.remember(ctx, id)
	}
	err := errors.Join(a.enqueue(ctx, names), a.correct(ctx, found))
	if c := a.changes(names, dropped, found, before); !c.empty() {
		tell(ctx, c)
	}
	if err != nil && ctx.Err() == nil {
		a.config.Log.Error("cannot queue images; trying again", "error", err)
		pause(ctx, time.Second)
		a.mu.Lock()
		a.touch(names, false)
		a.mu.Unlock()
	}
	return true
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

func (c *Changes) empty() bool { return len(c.Images)+len(c.Gone)+len(c.Means) == 0 }

// take is the next names to reconcile.
func (a *Assessor) take() (names []string, dropped []Key) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, from := range []map[string]bool{a.mu.urgent, a.mu.dirty} {
		for name := range from {
			if len(names) == a.batch {
				break
			}
			names = append(names, name)
			delete(from, name)
		}
	}
	dropped, a.mu.dropped = a.mu.dropped, nil
	a.mu.telling = len(names)+len(dropped) > 0
	slices.Sort(names)
	return names, dropped
}

// register makes known what is new, and says of which images the store is to be asked;
// before is how often each of them had been read until now.
func (a *Assessor) register(names []string) (look []string, before map[string]int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	before = map[string]int{}
	for _, id := range names {
		s := a.mu.demand.standing(id)
		k := a.mu.images[id]
		if !s.there() {
			continue
		}
		if k == nil {
			k = &known{Image: Image{ID: id, State: Queued}, recall: true}
			a.mu.images[id] = k
		}
		k.refer(s)
		if k.recall || k.assessment == nil && len(s.users) > 0 {
			look, before[id] = append(look, id), k.readings
		}
	}
	return look, before
}

// refer says where the image is read.
func (k *known) refer(s standing) {
	switch {
	case len(s.places) > 0:
		k.Reference, k.host = s.places[0].At(k.ID), s.places[0].Registry
	case s.use != nil:
		k.Reference, k.host = s.use.Reference, s.use.Registry
	default: // nobody asks a registry for it
		k.Reference, k.host = s.upload.Name(), ""
	}
}

// enqueue tells the store how urgent images are now; those it does not know wait
// to be read from then on.
func (a *Assessor) enqueue(ctx context.Context, names []string) error {
	if !a.serving || a.config.Records == nil || a.config.Scan == nil {
		return nil
	}
	var wanted []Record
	var again []string
	a.mu.Lock()
	for _, id := range names {
		k := a.mu.images[id]
		if k == nil {
			continue
		}
		if k.State == Failed && k.tried != nil && slices.ContainsFunc(a.mu.demand.references(id), func(at asked) bool {
			return !k.tried[at.reference]
		}) {
			again = append(again, id)
		}
		s := a.mu.demand.standing(id)
		if u := s.urgency(); u != k.wanted { // what is only listed was queued with its list
			wanted = append(wanted, Record{ID: id, Reference: k.Reference, Host: k.host, Wanted: u})
		}
	}
	a.mu.Unlock()
	for _, id := range again { // it may be found by a reference that is new
		if err := a.config.Records.RequeueFailed(ctx, id); err != nil {
			return err
		}
		a.mu.Lock()
		if k := a.mu.images[id]; k != nil && k.State == Failed {
			k.State = Queued
		}
		a.mu.Unlock()
		a.Wake()
	}
	if len(wanted) == 0 {
		return nil
	}
	if err := a.config.Records.WantImages(ctx, a.config.Owner, wanted); err != nil {
		return err
	}
	a.mu.Lock()
	for _, w := range wanted {
		if k := a.mu.images[w.ID]; k != nil {
			k.wanted = w.Wanted
		}
	}
	a.mu.Unlock()
	a.Wake()
	return nil
}

// correct mends what the store says of images: an inventory of another version is
// read again, and the advisories of now may say more or less of what was read.
func (a *Assessor) correct(ctx context.Context, found map[string]remembered) (err error) {
	if !a.serving || a.config.Records == nil {
		return nil
	}
	var states []Record
	for _, id := range slices.Sorted(maps.Keys(found)) {
		f := found[id]
		switch was := f.record; {
		case f.outdated && a.config.Scan != nil:
			err = errors.Join(err, a.config.Records.RequeueOutdated(ctx, was))
		case f.read && (was.State == Done || was.State == Unsupported) && was.State != f.assessment.State:
			states = append(states, Record{ID: id, State: f.assessment.State, Error: f.assessment.Why})
		}
	}
	if len(states) > 0 {
		err = errors.Join(err, a.config.Records.SetImageStates(ctx, states))
	}
	return err
}

// changes takes what the store remembered and says what is different.
func (a *Assessor) changes(names []string, dropped []Key, found map[string]remembered, before map[string]int) Changes {
	a.mu.Lock()
	defer a.mu.Unlock()
	c := Changes{Means: map[Key]string{}}
	clusters := map[string]bool{}
	for id, f := range found {
		if k := a.mu.images[id]; k != nil && k.readings == before[id] {
			k.take(f.assessment)
			if k.State == Failed && k.tried == nil { // by an earlier run
				k.tried = map[string]bool{f.record.Reference: true}
			}
		}
	}
	for _, id := range names {
		s := a.mu.demand.standing(id)
		k := a.mu.images[id]
		switch {
		case k == nil:
		case s.there():
			if told, changed := k.tell(s); changed {
				c.Images = append(c.Images, told)
				if told.Assessment != nil {
					for _, cluster := range s.users {
						clusters[cluster] = true
					}
				}
			}
		default:
			a.leave(k, &c)
		}
	}
	for _, id := range names {
		for _, name := range append(a.mu.demand.names(id), id) {
			a.answer(name, &c, clusters)
		}
	}
	for _, key := range dropped {
		if _, told := a.mu.means[key]; told && a.mu.demand.users[key] == 0 {
			delete(a.mu.means, key)
			c.Means[key] = ""
		}
		if key.Resolve && a.mu.demand.users[key] == 0 {
			a.resolver.forget(key.ID)
		}
	}
	c.Clusters = slices.Sorted(maps.Keys(clusters))
	return c
}

// take replaces what is known by what the store remembers.
func (k *known) take(assessment *Assessment) {
	k.recall = false
	if k.State != Scanning {
		k.State, k.Why = assessment.State, assessment.Why
	}
	if k.told.assessment != nil && reflect.DeepEqual(k.told.assessment, assessment) {
		assessment = k.told.assessment // nothing new to tell
	}
	k.assessment = assessment
}

// tell says what of the image is different since it was last told.
func (k *known) tell(s standing) (Assessed, bool) {
	out := Assessed{ID: k.ID, Use: s.use, Running: s.running, Listed: len(s.places) > 0, Upload: s.upload}
	if len(s.places) > 0 || k.told.places != nil {
		out.Places = s.places
		if s.use != nil && !slices.ContainsFunc(s.places, func(p Place) bool { return p.Name() == s.use.Place().Name() }) {
			out.Places = append(slices.Clone(s.places), s.use.Place())
		}
	}
	use := Use{}
	if s.use != nil {
		use = *s.use
	}
	upload := Upload{}
	if s.upload != nil {
		upload = *s.upload
	}
	t := &k.told
	if k.assessment != t.assessment {
		out.Assessment = k.assessment
	}
	changed := !t.once || out.Assessment != nil || t.use != use || !slices.EqualFunc(t.places, out.Places, Place.equal) ||
		t.listed != out.Listed || t.running != out.Running || !t.upload.same(upload)
	t.once, t.use, t.places, t.listed, t.running, t.assessment = true, use, out.Places, out.Listed, out.Running, k.assessment
	t.upload = upload
	if len(s.users) == 0 {
		k.assessment, t.assessment = nil, nil
	}
	return out, changed
}

// leave forgets an image that nobody has.
func (a *Assessor) leave(k *known, c *Changes) {
	delete(a.mu.images, k.ID)
	if k.told.once {
		c.Gone = append(c.Gone, k.ID)
	}
}

// answer says which image a digest or name means, once that is known and something
// is known of the image.
func (a *Assessor) answer(name string, c *Changes, clusters map[string]bool) {
	id := a.mu.demand.image(name)
	k := a.mu.images[id]
	if k == nil || k.assessment == nil {
		return
	}
	for cluster, uses := range a.mu.demand.uses[name] {
		for key := range uses {
			if key.Resolve && !a.resolver.answered(key.ID) {
				continue
			}
			if a.mu.means[key] != id || c.Means[key] == id {
				a.mu.means[key], c.Means[key] = id, id
				clusters[cluster] = true
			}
		}
	}
}

// remembered is what earlier runs made of an image.
type remembered struct {
	record     Record
	assessment *Assessment
	read       bool // it was read, by a version that this one understands
	outdated   bool // it was read by another
}

// remember asks the store.
func (a *Assessor) remember(ctx context.Context, id string) remembered {
	out := remembered{}
	if a.config.Records != nil {
		r, ok, err := a.config.Records.Image(ctx, id)
		if err != nil && ctx.Err() == nil {
			a.config.Log.Error("cannot read what is stored of an image", "image", id, "error", err)
		}
		if ok {
			out.record = r
			inv, err := inventoryOf(r)
			if inv != nil && err == nil {
				out.read, out.assessment = true, a.assess(id, inv)
				return out
			}
			out.outdated = len(r.Inventory) > 0 && (r.State == Done || r.State == Unsupported)
		}
	}
	r := &out.record
	switch {
	case a.config.Scan == nil:
		out.assessment = NotScanned(id, Unknown, "images are not read here: nobody looked into it")
	case a.serving && !out.outdated && (r.State == Failed || r.State == Unsupported):
		out.assessment = NotScanned(id, r.State, r.Error)
	default:
		out.assessment = NotScanned(id, Queued, "it waits to be read")
	}
	out.assessment = a.orUploaded(ctx, id, out.assessment)
	return out
}

// inventoryOf reads what is stored, nil if it is of another version.
func inventoryOf(r Record) (*image.Inventory, error) {
	if len(r.Inventory) == 0 {
		return nil, nil
	}
	inv := &image.Inventory{}
	if err := json.Unmarshal(r.Inventory, inv); err != nil {
		return nil, err
	}
	if inv.Version != image.InventoryVersion {
		return nil, nil
	}
	return inv, nil
}

// assess joins an inventory with the advisories of now.
func (a *Assessor) assess(id string, inv *image.Inventory) *Assessment {
	db := a.config.Advisories()
	if db == nil {
		return NotScanned(id, Unsupported, "no advisories were imported: breakwater db update, or db import")
	}
	if a.config.Beside != nil {
		db = a.config.Beside(context.Background(), id, inv, db)
	}
	return Inventory(id, inv, db)
}
