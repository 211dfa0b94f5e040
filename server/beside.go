package server

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/backoff"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/collect/registry"
	"github.com/breakwater-sec/breakwater/image"
	"github.com/breakwater-sec/breakwater/vuln"
)

const (
	// besideEvery is how often it is looked for images beside which nobody looked, and besideAgain how often beside one.
	besideEvery = time.Minute
	besideAgain = 24 * time.Hour
	// besideAtOnce is how many images of a registry are looked beside in one go.
	besideAtOnce = 100
)

// lookBeside reads what registries have beside images, where a person said that it counts, until ctx ends.
func (v *Server) lookBeside(ctx context.Context, reader registry.Reader) {
	for ctx.Err() == nil {
		wants := map[string]bool{}
		for _, r := range v.Registries.Registries() {
			if !r.VEX {
				continue
			}
			wants[r.Host] = true
			if err := v.besideOf(ctx, reader, r.Connection.Registry); err != nil && ctx.Err() == nil {
				v.log.Warn("cannot look for what belongs to images; trying again", "registry", r.Host, "error", collect.Why(err))
			}
		}
		gone, err := v.Store.ForgetDocuments(ctx, wants)
		if err != nil && ctx.Err() == nil {
			v.log.Warn("cannot forget what registries have beside images", "error", err)
		}
		v.Images.Heard(gone)
		backoff.Pause(ctx, besideEvery)
	}
}

// besideOf looks beside the images of one registry beside which nobody looked for a day.
func (v *Server) besideOf(ctx context.Context, reader registry.Reader, what collect.Registry) error {
	due, err := v.Store.Unheard(ctx, what.Host, time.Now().Add(-besideAgain), besideAtOnce)
	if err != nil {
		return err
	}
	for _, r := range due {
		documents, err := v.besideImage(ctx, reader, what, r)
		if busy := new(image.Busy); errors.As(err, &busy) || ctx.Err() != nil {
			return err
		}
		if err != nil { // what was found before stays, until tomorrow
			v.log.Warn("cannot look beside an image; what was found before stays", "image", r.Reference, "error", collect.Why(err))
			if _, documents, err = v.Store.Documents(ctx, r.ID); err != nil {
				return err
			}
		}
		changed, err := v.Store.PutDocuments(ctx, r.ID, what.Host, time.Now(), documents)
		if err != nil {
			return err
		}
		if changed {
			v.Images.Heard([]string{r.ID})
		}
	}
	return nil
}

// besideImage is what the registry has for the digest that the image is known by, as it is kept: nil for nothing.
func (v *Server) besideImage(ctx context.Context, reader registry.Reader, what collect.Registry, r assess.Record) ([]byte, error) {
	ref, err := image.ParseReference(r.Reference)
	if err == nil {
		ref, err = ref.At(r.ID)
	}
	if err != nil {
		return nil, nil // an image without a digest has nothing that belongs to it
	}
	found, left, err := reader.Beside(ctx, what, ref)
	if err != nil {
		return nil, err
	}
	if left > 0 {
		v.log.Info("not all that belongs to an image was read", "image", r.Reference, "left", left)
	}
	var out []vuln.Document
	for _, b := range found {
		out = append(out, vuln.Document{From: "registry " + what.Host + ", " + b.Digest, Body: b.Body})
	}
	if out == nil {
		return nil, nil
	}
	return json.Marshal(out)
}

// beside is the advisories with what was found beside an image.
func (v *Server) beside(ctx context.Context, id string, inv *image.Inventory, db *vuln.DB) *vuln.DB {
	host, text, err := v.Store.Documents(ctx, id)
	if err != nil {
		v.log.Warn("what is beside an image does not count", "image", id, "error", err)
	}
	if len(text) == 0 || err != nil {
		return db
	}
	wanted := false
	for _, r := range v.Registries.Registries() {
		wanted = wanted || r.Host == host && r.VEX
	}
	var documents []vuln.Document
	if !wanted || json.Unmarshal(text, &documents) != nil {
		return db
	}
	with, _, unread := db.Beside(ctx, []string{id, inv.Digest, inv.Manifest}, documents...)
	for _, err := range unread {
		v.log.Info("a document beside an image does not count", "image", id, "error", collect.Why(err))
	}
	return with
}
