package registry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/image"
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
	_, _, err = get(ctx, c, at)
	return err
}

// named is a repository that somebody named outright, if any.
func (s *session) named() string {
	in, _ := apart(s.what.Repositories)
	for _, f := range in {
		if !pattern(f) && wanted(s.what.Repositories, f) {
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
			if image.ValidRepository(repository) && wanted(c.session.what.Repositories, repository) {
				one = repository
			}
			return one == ""
		})
	}
	c.say(c.session.explain(err))
	return one
}

// tries is how many tags are tried in search of a container image.
const tries = 5

// image tries to read an image of the repository as a scan does, as far as its layers.
func (c *check) image(ctx context.Context, client *http.Client, repository string) *check {
	s := c.session
	var tags []string
	err := s.list(ctx, client, repository+"/tags/list", func(t string) bool {
		tags = append(tags, t)
		return len(tags) < tries
	})
	if c.say(s.explain(err)); err != nil {
		tags = []string{"latest"} // which may be there even where listing is refused
	}
	if len(tags) == 0 {
		return c.skip("repository " + repository + " has no tag").skip("repository " + repository + " has no tag")
	}
	for _, tag := range tags {
		manifest, layers := s.try(ctx, repository, tag)
		if errors.Is(manifest, image.ErrUnsupported) {
			err = manifest
			continue
		}
		if c.say(manifest); manifest != nil {
			return c
		}
		return c.say(s.explain(layers))
	}
	return c.say(nil).skip(fmt.Sprintf("what was tried of repository %s is no image whose layers could be read: %v", repository, err))
}

func (s *session) try(ctx context.Context, repository, tag string) (manifest, layers error) {
	ref, err := image.ParseReference(s.what.Host + "/" + repository + ":" + tag)
	if err != nil {
		return err, nil
	}
	return image.Try(ctx, ref, s.options())
}

// options are those of the session for one image.
func (s *session) options() image.Options {
	return image.Options{Transport: s.paced, Keychain: account{s.auth}, Backoff: s.reader.Backoff,
		Insecure: func(string) bool { return s.what.Insecure }, Prefer: func(string) []string { return s.what.Platforms }}
}

// account is the one that was found, whatever is asked.
type account struct{ authn.Authenticator }

// Resolve implements authn.Keychain.
func (a account) Resolve(authn.Resource) (authn.Authenticator, error) { return a.Authenticator, nil }
