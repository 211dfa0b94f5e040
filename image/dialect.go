package image

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// Dialect is a transport to one registry that turns what registries say into what the
// distribution specification has: a manifest's media type is what its content says, one
// challenge of several is given on, and one that a request meets though the registry
// first asked for another is answered. The account goes to that registry's host alone.
func Dialect(next http.RoundTripper, registry name.Registry, account authn.Authenticator) http.RoundTripper {
	return &dialect{next, registry, account}
}

type dialect struct {
	next     http.RoundTripper
	registry name.Registry
	account  authn.Authenticator
}

func (d *dialect) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := d.next.RoundTrip(r)
	if err == nil && resp.StatusCode == http.StatusUnauthorized && r.URL.Host == d.registry.RegistryStr() {
		resp, err = d.challenged(r, resp)
	}
	if err == nil && resp.StatusCode == http.StatusOK && strings.Contains(origin(r).URL.Path, "/manifests/") {
		err = understand(r, resp)
	}
	if err != nil {
		return nil, err
	}
	return resp, nil
}

// origin is the request that redirects led away from.
func origin(r *http.Request) *http.Request {
	for r.Response != nil && r.Response.Request != nil {
		r = r.Response.Request
	}
	return r
}

// challenged leaves one challenge of a response and answers it where the request was
// signed otherwise. What merely asks who is there (/v2/) is left to the library.
func (d *dialect) challenged(r *http.Request, resp *http.Response) (*http.Response, error) {
	c, known := best(challenges(resp.Header.Values("WWW-Authenticate")))
	if !known {
		resp.Header.Del("WWW-Authenticate") // what the library does not understand it tells
		return resp, nil
	}
	resp.Header.Set("WWW-Authenticate", c.String())
	sent, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(sent, c.scheme) || r.URL.Path == "/v2/" || !strings.HasPrefix(r.URL.Path, "/v2/") {
		return resp, nil
	}
	signature, err := d.sign(r, c)
	if err != nil {
		_ = resp.Body.Close()
		return nil, err
	}
	if signature == "" {
		return resp, nil
	}
	_ = resp.Body.Close()
	again := r.Clone(r.Context())
	again.Header.Set("Authorization", signature)
	return d.next.RoundTrip(again)
}

// sign is the answer to a challenge, empty if there is no account for it.
func (d *dialect) sign(r *http.Request, c challenge) (string, error) {
	if c.scheme == "bearer" {
		to := &transport.Challenge{Scheme: c.scheme, Parameters: c.params, Insecure: r.URL.Scheme == "http"}
		t, err := transport.Exchange(r.Context(), d.registry, d.account, d.next, strings.Fields(c.params["scope"]), to)
		if err != nil {
			return "", err
		}
		if t.AccessToken != "" {
			t.Token = t.AccessToken
		}
		return "Bearer " + t.Token, nil
	}
	who, err := authn.Authorization(r.Context(), d.account)
	if err != nil || who.Username == "" {
		return "", err
	}
	signed := &http.Request{Header: http.Header{}}
	signed.SetBasicAuth(who.Username, who.Password)
	return signed.Header.Get("Authorization"), nil
}

// understand reads a manifest, bounded, and puts into the header what it is.
func understand(r *http.Request, resp *http.Response) error {
	if r.Method == http.MethodHead {
		resp.Header.Set("Content-Type", string(bare(resp.Header.Get("Content-Type"))))
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxManifest+1))
	_ = resp.Body.Close()
	if err != nil {
		return fmt.Errorf("read a manifest: %w", err)
	}
	if len(body) > maxManifest {
		return fmt.Errorf("want a manifest of at most %d MiB: %w", maxManifest>>20, errBound)
	}
	kind, err := kindOf(resp.Header.Get("Content-Type"), body)
	if err != nil {
		return err
	}
	resp.Header.Set("Content-Type", string(kind))
	resp.Header.Set("Content-Length", strconv.Itoa(len(body)))
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return nil
}
