package image

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/breakwater-sec/breakwater/egress"
)

// openRemote finds an image in its registry.
func openRemote(ctx context.Context, ref Reference, o Options) (*opened, error) {
	r, err := o.asked(ref)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", ref, err)
	}
	from, err := pull(ctx, r, o)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", ref, err)
	}
	return from.open(ctx, r, ref, o)
}

// open finds an image in the repository.
func (p puller) open(ctx context.Context, r name.Reference, ref Reference, o Options) (*opened, error) {
	get := func(r name.Reference) (manifest, error) {
		d, err := p.Get(ctx, r)
		if err != nil {
			return manifest{}, Explain(err, r)
		}
		return manifest{d.MediaType, d.Digest, d.Manifest, d.Image}, nil
	}
	m, err := get(r)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", ref, err)
	}
	out, err := reach(m, func(h v1.Hash) (manifest, error) { return get(r.Context().Digest(h.String())) }, o.Platform,
		o.prefers(ref.Registry())...)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", ref, err)
	}
	out.reference = ref.String()
	return out, nil
}

// Try opens an image as Scan does, reading no layer: whether its manifest can be read, and
// whether the registry gives out its configuration and layers.
func Try(ctx context.Context, ref Reference, o Options) (manifest, layers error) {
	o = o.withDefaults()
	img, err := openRemote(ctx, ref, o)
	if err != nil {
		return err, nil
	}
	m, err := img.image.Manifest()
	if err != nil {
		return err, nil
	}
	if err := verify(img.image); err != nil {
		if errors.Is(err, ErrUnsupported) {
			return err, nil
		}
		return nil, err
	}
	if len(m.Layers) == 0 {
		return nil, nil
	}
	l, err := img.image.LayerByDigest(m.Layers[len(m.Layers)-1].Digest)
	if err != nil {
		return nil, err
	}
	r, err := l.Compressed()
	if err != nil {
		return nil, plainly(err)
	}
	return nil, r.Close()
}

// asked is the reference as it is asked for: over plain HTTP where that is allowed.
func (o Options) asked(ref Reference) (name.Reference, error) {
	r, err := ref.named()
	if err == nil && o.Insecure != nil && o.Insecure(r.Context().RegistryStr()) {
		return ref.named(name.Insecure)
	}
	return r, err
}

// Resolve asks a registry what a reference stands for now.
func Resolve(ctx context.Context, ref Reference, o Options) (digest string, err error) {
	o = o.withDefaults()
	r, err := o.asked(ref)
	if err != nil {
		return "", fmt.Errorf("resolve %s: %w", ref, err)
	}
	from, err := pull(ctx, r, o)
	if err != nil {
		return "", fmt.Errorf("resolve %s: %w", ref, err)
	}
	if d, err := from.Head(ctx, r); err == nil {
		return d.Digest.String(), nil
	}
	d, err := from.Get(ctx, r) // which says more than HEAD, to which some give no digest
	if err != nil {
		return "", fmt.Errorf("resolve %s: %w", ref, Explain(err, r))
	}
	return d.Digest.String(), nil
}

// puller asks one repository.
type puller struct{ *remote.Puller }

// pull asks one repository, with the account that is found for it.
func pull(ctx context.Context, r name.Reference, o Options) (puller, error) {
	account, err := authn.Resolve(ctx, o.Keychain, r.Context())
	if err != nil {
		return puller{}, err
	}
	p, err := remote.NewPuller(remote.WithContext(ctx), remote.WithAuth(account),
		remote.WithTransport(Dialect(Retry(Hurry(o.way(r.Context().RegistryStr()), o.Patience), o.Backoff), r.Context().Registry, account)),
		remote.WithUserAgent("breakwater"), remote.WithRetryBackoff(remote.Backoff{Duration: o.Backoff, Factor: 3, Jitter: 0.3, Steps: 4}))
	return puller{p}, err
}

// way is how a registry is reached.
func (o Options) way(registry string) http.RoundTripper {
	if o.Transport != nil {
		return egress.For(o.Transport, registry)
	}
	named := egress.Host{Name: registry, Plain: o.Insecure != nil && o.Insecure(registry)}
	return egress.Policy{}.With(named).Transport().For(registry)
}

// ErrUnsupported says that the image is there and of a kind we cannot read.
var ErrUnsupported = errors.New("not supported")

// Explain says what a registry's refusal means for the user.
func Explain(err error, r name.Reference) error {
	host := r.Context().RegistryStr()
	err = plainly(err)
	var refused *transport.Error
	if errors.As(err, &refused) && refused.StatusCode == http.StatusNotFound {
		return fmt.Errorf("registry %s has no such image (404): %w", host, err)
	}
	return ExplainHost(err, host)
}

// ExplainHost is Explain where no image was asked for.
func ExplainHost(err error, host string) error {
	var refused *transport.Error
	err = plainly(err)
	if !errors.As(err, &refused) {
		return err
	}
	switch refused.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("registry %s refuses (%d): sign in with docker login %s, or give this account read access: %w", host,
			refused.StatusCode, host, err)
	case http.StatusNotFound:
		return fmt.Errorf("registry %s has nothing there (404): %w", host, err)
	}
	return err
}
