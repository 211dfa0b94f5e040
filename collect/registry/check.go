package registry

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/breakwater-sec/breakwater/collect"
)

// checkWithin bounds a permission check: somebody waits for it.
const checkWithin = 45 * time.Second

// needs are what reading a registry takes, each with what stays unseen without it.
var needs = []struct{ what, blind string }{
	{"reach the registry", "Nothing of the registry is seen."},
	{"sign in", "Nothing of the registry is seen."},
	{"list repositories", "Repositories that are not named here are not seen, nor what is in them."},
	{"list tags", "Images in the registry that nothing runs are not seen."},
	{"read manifests", "Images cannot be told apart or opened: what is in them is unknown."},
	{"read layers", "Packages inside images, and their vulnerabilities, are unknown."},
}

// Check tries each thing that reading a registry needs, one after the other.
func (r Reader) Check(ctx context.Context, what collect.Registry) []collect.Permission {
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	c := &check{}
	s, err := r.open(ctx, what)
	if errors.Is(err, errAccount) {
		return c.skip("it was not tried: there is no account to try it with").say(err).done()
	}
	if err != nil {
		return c.say(err).done()
	}
	c.session = s
	return c.run(ctx).done()
}

// check is one run of Check: what was found so far, in the order of needs.
type check struct {
	session *session
	found   []collect.Permission
}

// say is the answer to the next question: nil is yes.
func (c *check) say(err error) *check {
	p := collect.Permission{What: needs[len(c.found)].what, State: collect.Allowed}
	if err != nil {
		p.State, p.Why, p.Blind = collect.Refused, collect.Why(err), needs[len(c.found)].blind
	}
	c.found = append(c.found, p)
	return c
}

// skip is for what could not be tried.
func (c *check) skip(why string) *check {
	n := needs[len(c.found)]
	c.found = append(c.found, collect.Permission{What: n.what, State: collect.Untried, Why: why, Blind: n.blind})
	return c
}

// done fills in what the last refusal kept from being tried.
func (c *check) done() []collect.Permission {
	for len(c.found) < len(needs) {
		c.skip("it was not tried: something before it is refused")
	}
	return c.found
}

func (c *check) run(ctx context.Context) *check {
	s := c.session
	if _, err := transport.Ping(ctx, s.host, s.base); err != nil {
		return c.say(err)
	}
	c.say(nil)
	// Who may pull but not list is signed in all the same.
	scope, named := catalogScope, s.named()
	if named != "" {
		scope = pullScope(named)
	}
	client, err := s.client(ctx, scope)
	if err == nil {
		err = s.ping(ctx, client)
	}
	if c.say(s.explain(err)); err != nil {
		return c
	}
	listed := c.repositories(ctx)
	repository := cmp.Or(named, listed)
	if repository == "" {
		return c.skip("there is no repository to try it on: name one").skip("there is no image to try it on").
			skip("there is no image to try it on")
	}
	if client, err = s.client(ctx, pullScope(repository)); err != nil {
		return c.say(s.explain(err))
	}
	return c.image(ctx, client, repository)
}

func (s *session) ping(ctx context.Context, c *http.Client) error {
	at, err := url.Parse(s.url(""))
	if err != nil {
		return err
	}
	_, _, err = get(ctx, c, at, maxPage)
	return err
}

// named is a repository that somebody named outright, if any.
func (s *session) named() string {
	for _, f := range s.what.Repositories {
		if !pattern(f) {
			return f
		}
	}
	return ""
}

// repositories tries the catalog and finds a repository to try the rest on.
func (c *check) repositories(ctx context.Context) (one string) {
	client, err := c.session.client(ctx, catalogScope)
	if err == nil {
		err = c.session.list(ctx, client, "_catalog", func(repository string) bool {
			if validRepository(repository) && wanted(c.session.what.Repositories, repository) {
				one = repository
			}
			return one == ""
		})
	}
	c.say(c.session.explain(err))
	return one
}

// image tries to read an image of the repository as far as its first layer.
func (c *check) image(ctx context.Context, client *http.Client, repository string) *check {
	s, tag := c.session, ""
	err := s.list(ctx, client, repository+"/tags/list", func(t string) bool { tag = t; return false })
	if c.say(s.explain(err)); err != nil {
		tag = "latest" // which may be there even where listing is refused
	}
	if tag == "" {
		return c.skip("repository " + repository + " has no tag").skip("repository " + repository + " has no tag")
	}
	blob, err := s.blobOf(ctx, client, repository, tag, 0)
	if c.say(s.explain(err)); err != nil {
		return c
	}
	return c.say(s.explain(s.head(ctx, client, repository+"/blobs/"+blob)))
}

// blobOf is a blob of the image behind a tag or digest: its last layer, or its
// configuration if it has none.
func (s *session) blobOf(ctx context.Context, c *http.Client, repository, reference string, depth int) (string, error) {
	at, err := url.Parse(s.url(repository + "/manifests/" + reference))
	if err != nil {
		return "", err
	}
	body, _, err := get(ctx, c, at, maxManifest)
	if err != nil {
		return "", err
	}
	type descriptor struct {
		Digest string `json:"digest"`
	}
	var m struct {
		Manifests, Layers []descriptor
		Config            descriptor
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return "", fmt.Errorf("want a manifest: %w", err)
	}
	switch {
	case len(m.Layers) > 0:
		return m.Layers[len(m.Layers)-1].Digest, nil
	case m.Config.Digest != "":
		return m.Config.Digest, nil
	case len(m.Manifests) > 0 && depth < 3:
		return s.blobOf(ctx, c, repository, m.Manifests[0].Digest, depth+1)
	}
	return "", errors.New("the manifest names no layer")
}

func (s *session) head(ctx context.Context, c *http.Client, path string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodHead, s.url(path), nil)
	if err != nil {
		return err
	}
	resp, err := c.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return transport.CheckError(resp, http.StatusOK)
}
