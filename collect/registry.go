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
	// Repositories are names or patterns ("shop/*"); empty means all that the
	// registry lists.
	Repositories []string `json:"repositories,omitempty"`
	// Tags is how many tags of one repository are read at most; 0 is the bound
	// of the reader.
	Tags int `json:"tags,omitempty"`
	// Insecure says that it speaks plain HTTP.
	Insecure bool `json:"insecure,omitempty"`
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
		if !repository.MatchString(f) || strings.Contains(f, "..") || strings.Contains(f, "//") {
			return r, fmt.Errorf("registry %s: repository %.300q: want a name or a pattern such as shop/*", r.Host, f)
		}
		if _, err := path.Match(f, ""); err != nil {
			return r, fmt.Errorf("registry %s: repository %q: %w", r.Host, f, err)
		}
	}
	return r, nil
}

var (
	host = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:]+\])(:[0-9]{1,5})?$`)
	// repository is a name of the OCI distribution specification, or a pattern.
	repository = regexp.MustCompile(`^[a-z0-9*?\[]([a-z0-9*?\[\]._/-]{0,253}[a-z0-9*?\]])?$`)
)
