package scope

import (
	"context"
	"slices"
	"time"

	"github.com/breakwater-sec/breakwater/store"
)

// Tokens is what the store knows of what senders show.
type Tokens interface {
	IngestTokens(ctx context.Context) ([]store.IngestToken, error)
	Certificates(ctx context.Context) ([]store.Certificate, error)
	RevokeIngestToken(ctx context.Context, id, by string) error
	RevokeJoined(ctx context.Context, token, by string) error
	RevokeCertificate(ctx context.Context, cluster, serial, by string) error
	RotateIngestToken(ctx context.Context, id, by string, both time.Duration) (string, store.IngestToken, error)
}

// Tokens lists what senders of the clusters that are seen whole show.
func (r *Reader) Tokens(ctx context.Context) ([]store.IngestToken, []store.Certificate, error) {
	tokens, err := r.unscoped.config.Tokens.IngestTokens(ctx)
	if err != nil {
		return nil, nil, err
	}
	certificates, err := r.unscoped.config.Tokens.Certificates(ctx)
	return slices.DeleteFunc(tokens, func(t store.IngestToken) bool { return !r.Whole(t.Cluster) }),
		slices.DeleteFunc(certificates, func(c store.Certificate) bool { return !r.Whole(c.Cluster) }), err
}

// RevokeToken ends a token or certificate by its id and, if joined is set, what was got with it.
func (r *Reader) RevokeToken(ctx context.Context, id string, joined bool, by string) error {
	tokens, certificates, err := r.Tokens(ctx)
	if err != nil {
		return err
	}
	all := r.unscoped.config.Tokens
	for _, c := range certificates {
		if c.Serial == id {
			return all.RevokeCertificate(ctx, c.Cluster, c.Serial, by)
		}
	}
	if !slices.ContainsFunc(tokens, func(t store.IngestToken) bool { return t.ID == id }) {
		return store.ErrNotFound
	}
	if joined {
		if err := all.RevokeJoined(ctx, id, by); err != nil {
			return err
		}
	}
	return all.RevokeIngestToken(ctx, id, by)
}

// RotateToken makes the next token in place of one, which counts beside it for a while.
func (r *Reader) RotateToken(ctx context.Context, id string, both time.Duration, by string) (string, store.IngestToken, error) {
	tokens, _, err := r.Tokens(ctx)
	if err != nil {
		return "", store.IngestToken{}, err
	}
	if !slices.ContainsFunc(tokens, func(t store.IngestToken) bool { return t.ID == id }) {
		return "", store.IngestToken{}, store.ErrNotFound
	}
	return r.unscoped.config.Tokens.RotateIngestToken(ctx, id, by, both)
}
