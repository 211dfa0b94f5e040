package assess

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/image"
)

// Upload is what a build said is in an image. It is somebody's word: what was read here counts before it, always.
type Upload struct {
	// ID is the image's id in the graph: its digest.
	ID string
	// Reference is the image as the build names it.
	Reference string
	// By is the build, as who made its token named it, and Token that token's id.
	By, Token string
	At        time.Time
	Platform  string
	Size      int64
	// Inventory is the JSON of what it said; nil where a method says that it leaves it out.
	Inventory []byte
}

// MaxUpload is how much of it is read, in bytes.
const MaxUpload = image.MaxUploaded

// ErrUpload says what is wrong with what a build sent.
var ErrUpload = errors.New("inventory of an image")

// ReadUpload reads what a build sends: an inventory in JSON, as breakwater scan image --upload does.
func ReadUpload(text []byte) (Upload, error) {
	inv, err := image.ReadUploaded(text)
	if err != nil {
		return Upload{}, fmt.Errorf("%w: %w", ErrUpload, err)
	}
	u := Upload{ID: cmp.Or(inv.Digest, inv.Config), Reference: inv.Reference, At: time.Now(), Platform: inv.Platform, Size: inv.Size()}
	if u.Inventory, err = json.Marshal(inv); err != nil {
		return Upload{}, err
	}
	return u, nil
}

// use is how the build names the image; ok is false if that is no reference, as of an archive.
func (u Upload) use() (Use, bool) {
	use, err := UseOf(u.Reference, "")
	use.ID, use.Digest = u.ID, u.ID
	return use, err == nil
}

// Name is the image as the build names it.
func (u Upload) Name() string {
	if use, ok := u.use(); ok {
		return use.Name
	}
	return u.Reference
}

// Uploaded replaces what builds told, by image.
func (a *Assessor) Uploaded(all map[string]Upload) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var touched []string
	for id, u := range all {
		if have, known := a.mu.demand.uploads[id]; !known || !have.same(u) {
			touched = append(touched, id)
		}
	}
	for id := range a.mu.demand.uploads {
		if _, stays := all[id]; !stays {
			touched = append(touched, id)
		}
	}
	a.mu.demand.uploads = all
	for _, id := range touched {
		if k := a.mu.images[id]; k != nil {
			k.recall = true
		}
	}
	if len(touched) > 0 {
		a.touch(touched, true)
	}
}

func (u Upload) same(v Upload) bool {
	return u.At.Equal(v.At) && u.Reference == v.Reference && u.By == v.By
}

// orUploaded is what was found of an image or, where it was never read here, what a build said of it.
func (a *Assessor) orUploaded(ctx context.Context, id string, found *Assessment) *Assessment {
	a.mu.Lock()
	_, told := a.mu.demand.uploads[id]
	a.mu.Unlock()
	if !told || found.Scanned || a.config.Records == nil {
		return found
	}
	r, queued, err := a.config.Records.Image(ctx, id)
	if err != nil || len(r.Inventory) > 0 {
		return found // it was read here once: that is known better, even where it cannot be read again
	}
	if !queued {
		found = NotScanned(id, Unsupported, "no registry that is read has it, and nothing is known to run it")
	}
	u, ok, err := a.config.Records.Upload(ctx, id)
	if !ok || err != nil {
		if err != nil && ctx.Err() == nil {
			a.config.Log.Error("cannot read what a build said of an image", "image", id, "error", err)
		}
		return found
	}
	inv, err := inventoryOf(Record{Inventory: u.Inventory})
	if inv == nil || err != nil {
		return found // of another version
	}
	said := a.assess(id, inv)
	said.ToldBy, said.ToldAt = u.By, u.At
	said.gap([]collect.Gap{{Source: "image", What: "what is in " + u.Name(), Since: u.At,
		Why: fmt.Sprintf("it was not read here (%s): build %s told it, on %s", found.Why, u.By,
			u.At.UTC().Format("2006-01-02 15:04 MST")),
		Consequence: "What is found in it is as true as that build's word; that something is not found says nothing.",
		Kinds:       []string{"Package", "HAS_PACKAGE", "HAS_VULNERABILITY"}}})
	return said
}
