package collect

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"
)

// Registry says which registry to read, and what of it.
type Registry struct {
	// Host is the registry's name as image references write it.
	Host string `json:"host"`
	// Repositories are names or patterns ("shop/*"), and those with a ! before them are left out ("!shop/old-*");
	// without one that is not left out it is all that the registry lists.
	Repositories []string `json:"repositories,omitempty"`
	// TagNames are names or patterns of tags in the same way ("v*", "!*-debug").
	TagNames []string `json:"tagNames,omitempty"`
	// Tags is how many tags of one repository are read at most; 0 is the bound
	// of the reader.
	Tags int `json:"tags,omitempty"`
	// MaxAge is how long ago an image may have been made, by what it says of itself; 0 is any time. What says nothing is read.
	MaxAge Span `json:"maxAge,omitempty"`
	// Platforms are those that images are read for, the most wanted first: an index is read for the first of them that it has,
	// and what is for none of them is left out. Empty means any.
	Platforms []string `json:"platforms,omitempty"`
	// Every is the least time between two readings, if longer than the server's; Hours are when it is read: empty is at any time.
	Every Span  `json:"every,omitempty"`
	Hours Hours `json:"hours,omitempty"`
	// Insecure says that it speaks plain HTTP.
	Insecure bool `json:"insecure,omitempty"`
	// Mirror is where it is reached instead, [http://]HOST[:PORT]; Proxy through which proxy, in place of that of the server's
	// environment, or "none"; Authorities are certificates (PEM) of who may sign for it, beside those that the server knows.
	Mirror      string `json:"mirror,omitempty"`
	Proxy       string `json:"proxy,omitempty"`
	Authorities string `json:"authorities,omitempty"`
}

// Permission is one thing that reading a registry needs, tried.
type Permission struct {
	What  string          `json:"what"`
	State PermissionState `json:"state"`
	// Why, in the registry's words where it refuses.
	Why string `json:"why"`
	// Blind is what is not seen therefore.
	Blind string `json:"blind"`
}

// PermissionState says whether something may be done.
type PermissionState string

const (
	Allowed PermissionState = "ok"
	Refused PermissionState = "refused"
	// Untried: something else stood in the way.
	Untried PermissionState = "unknown"
)

// Tag is what a registry says a name stands for.
type Tag struct {
	Name string
	// Digest is of the index or manifest behind the tag.
	Digest string
}

// Listing is what became of reading a registry's list of images.
type Listing struct {
	// Repositories are there, whether or not their tags could be read.
	Repositories map[string]bool
	// Whole says that every repository asked for is among them: others are gone.
	Whole bool
	Gaps  []Gap
}

// Refusal is an error that says: the registry answers, and does not let us in.
type Refusal struct{ Err error }

func (r Refusal) Error() string { return r.Err.Error() }
func (r Refusal) Unwrap() error { return r.Err }

// Valid is the registry with its host as image references write it, or what is
// wrong with the wish.
func (r Registry) Valid() (Registry, error) {
	r.Host = strings.ToLower(strings.TrimSuffix(r.Host, "/"))
	if r.Host == "index.docker.io" || r.Host == "registry-1.docker.io" {
		r.Host = "docker.io"
	}
	switch {
	case strings.Contains(r.Host+strings.Join(r.Repositories, ""), "@"): // it may be a password: it is not told again
		return r, errors.New("registry: want HOST or HOST:PORT without a user or password; accounts come from docker login or the " +
			"server's configuration file")
	case len(r.Host) > 255 || !host.MatchString(r.Host):
		return r, fmt.Errorf("registry %.300q: want HOST or HOST:PORT, such as registry.example:5000, without a scheme", r.Host)
	case !strings.ContainsAny(r.Host, ".:") && r.Host != "localhost":
		return r, fmt.Errorf("registry %q: want a host with a dot or a port: image references take others for a folder of docker.io",
			r.Host)
	case r.Tags < 0:
		return r, fmt.Errorf("registry %s: want at least 0 tags of a repository, have %d", r.Host, r.Tags)
	}
	for _, f := range r.Repositories {
		bare := strings.TrimPrefix(f, "!")
		if !repository.MatchString(bare) || strings.Contains(f, "..") || strings.Contains(f, "//") {
			return r, fmt.Errorf("registry %s: repository %.300q: want a name or a pattern such as shop/*, or !shop/old to leave it out",
				r.Host, f)
		}
		if _, err := path.Match(bare, ""); err != nil {
			return r, fmt.Errorf("registry %s: repository %q: %w", r.Host, f, err)
		}
	}
	if err := r.validPolicy(); err != nil {
		return r, fmt.Errorf("registry %s: %w", r.Host, err)
	}
	return r, nil
}

var (
	host = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:]+\])(:[0-9]{1,5})?$`)
	// repository is a name of the OCI distribution specification, or a pattern.
	repository = regexp.MustCompile(`^[a-z0-9*?\[]([a-z0-9*?\[\]._/-]{0,253}[a-z0-9*?\]])?$`)
)
