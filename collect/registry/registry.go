// Package registry reads what OCI registries hold: which repositories, which
// tags, which digest behind each; never a layer. It is polite: so many requests
// a second, and it waits as it is asked to. What a registry refuses, or what is
// cut at a bound, is a gap that says what is not seen.
//
// It keeps no password: each is read where it lies when it is needed. It knows
// neither clusters nor what is inside an image.
package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/egress"
	"github.com/breakwater-sec/breakwater/image"
)

// Bounds on what one registry may make us read.
type Bounds struct {
	Repositories int
	Tags         int // of one repository
	AllTags      int // of all of them
}

// DefaultBounds are far above what people keep, and far below what hurts.
var DefaultBounds = Bounds{Repositories: 10_000, Tags: 5_000, AllTags: 200_000}

// Reader reads registries.
type Reader struct {
	// Logins are accounts by host; for others docker's configuration is asked.
	Logins map[string]Login
	// Policy says what may be reached; the registry that is read is one that a person named. Transport is used in its
	// place if set.
	Policy    egress.Policy
	Transport http.RoundTripper
	// PerSecond is how many requests one registry gets at most; 20 unless set.
	PerSecond float64
	// Outlines remembers what images say of themselves; nil if nothing is remembered.
	Outlines Outlines
	// Backoff is the first pause where a registry does not say how long; one
	// second unless set.
	Backoff time.Duration
	Bounds  Bounds
}

// ErrCatalog says that the registry does not list its repositories.
var ErrCatalog = errors.New("the registry does not list its repositories: name those to read")

// Parse is a registry as people write it: HOST, or HOST/REPOSITORY where the
// repository may be a pattern.
func Parse(host string) (name.Registry, error) {
	r, err := name.NewRegistry(host)
	if err != nil {
		return r, fmt.Errorf("registry %q: want HOST or HOST:PORT, without a scheme: %w", host, err)
	}
	return r, nil
}

// session is one registry being read.
type session struct {
	reader Reader
	what   collect.Registry
	host   name.Registry
	auth   authn.Authenticator
	paced  http.RoundTripper
	base   http.RoundTripper // paced, and tried again
	bounds Bounds
	// read counts the repositories that could be read; refused is why one could not.
	read    int
	refused error
	left    left
	// told is told what is made of each tag; nil if nobody asked.
	told func(collect.Choice)
}

// errAccount says that the account could not be looked up.
var errAccount = errors.New("find the account")

func (r Reader) open(ctx context.Context, what collect.Registry) (*session, error) {
	if r.Backoff == 0 {
		r.Backoff = time.Second
	}
	if r.PerSecond == 0 {
		r.PerSecond = 20
	}
	if r.Bounds == (Bounds{}) {
		r.Bounds = DefaultBounds
	}
	host, err := Parse(what.Host)
	if err != nil {
		return nil, err
	}
	if what.Insecure {
		if host, err = name.NewRegistry(what.Host, name.Insecure); err != nil {
			return nil, err
		}
	}
	s := &session{reader: r, what: what, host: host, bounds: r.Bounds}
	if what.Tags > 0 {
		s.bounds.Tags = min(s.bounds.Tags, what.Tags)
	}
	if s.auth, err = authn.Resolve(ctx, r.Keychain(), host); err != nil {
		return nil, fmt.Errorf("%w for registry %s: %w", errAccount, what.Host, err)
	}
	if r.Transport == nil {
		policy, err := Way(r.Policy, what)
		if err != nil {
			return nil, err
		}
		r.Transport = policy.Transport()
	}
	s.paced = &paced{next: egress.For(r.Transport, host.RegistryStr()), every: time.Duration(float64(time.Second) / r.PerSecond)}
	polite := image.Dialect(image.Retry(s.paced, r.Backoff), host, s.auth)
	s.base = transport.NewRetry(polite, transport.WithRetryBackoff(transport.Backoff{Duration: r.Backoff,
		Factor: 3, Jitter: 0.3, Steps: 3}),
		transport.WithRetryStatusCodes(http.StatusRequestTimeout, http.StatusInternalServerError, http.StatusBadGateway,
			http.StatusGatewayTimeout))
	return s, nil
}

// client may do what the scope says, if the registry lets it.
func (s *session) client(ctx context.Context, scope string) (*http.Client, error) {
	t, err := transport.NewWithContext(ctx, s.host, s.auth, s.base, []string{scope})
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: t, Timeout: time.Minute}, nil
}

// explain puts an error into words for the person who connected the registry.
func (s *session) explain(err error) error {
	if err == nil {
		return nil
	}
	said := image.ExplainHost(err, s.what.Host)
	if refusal(err) != nil || errors.Is(err, ErrCatalog) {
		return collect.Refusal{Err: said}
	}
	return said
}

const catalogScope = "registry:catalog:*"

func pullScope(repository string) string { return "repository:" + repository + ":pull" }

// url of a path below /v2/; which scheme is spoken the transport knows.
func (s *session) url(path string) string {
	return s.host.Scheme() + "://" + s.host.RegistryStr() + "/v2/" + path
}
