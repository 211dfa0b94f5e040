package image

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Reference names an image in a registry. Only ParseReference makes one: what holds a
// Reference holds no path, no scheme and no text that others wrote unread.
type Reference struct{ registry, repository, tag, digest string }

// longestReference bounds what is looked at: a repository of 255 characters, a host of as
// many, a tag of 128 and the longest digest are less.
const longestReference = 1024

// ParseReference reads [HOST[:PORT]/]REPOSITORY[:TAG][@DIGEST] as container runtimes do:
// without a host it is docker.io's, without tag and digest it is latest.
func ParseReference(text string) (Reference, error) {
	r, err := parseReference(text)
	if err == nil {
		_, err = r.named() // the library that asks the registry reads it the same way
	}
	if err != nil {
		return Reference{}, fmt.Errorf("%s is no reference of an image, [HOST/]REPOSITORY[:TAG][@DIGEST]: %w", shown(text), err)
	}
	return r, nil
}

// shown is text that strangers wrote, short and in quotes.
func shown(text string) string {
	const most = 80
	if len(text) > most {
		return fmt.Sprintf("%q…", text[:most])
	}
	return fmt.Sprintf("%q", text)
}

func parseReference(text string) (r Reference, err error) {
	if len(text) > longestReference {
		return r, fmt.Errorf("want at most %d characters, have %d", longestReference, len(text))
	}
	rest, digest, has := strings.Cut(text, "@")
	if r.digest = digest; has {
		if err := Digest(digest); err != nil {
			return r, err
		}
	}
	if at := strings.LastIndexByte(rest, ':'); at > strings.LastIndexByte(rest, '/') {
		if rest, r.tag = rest[:at], rest[at+1:]; !tagName.MatchString(r.tag) {
			return r, fmt.Errorf("%s is no tag", shown(r.tag))
		}
	}
	host, path, slash := strings.Cut(rest, "/")
	switch {
	case !slash:
		host, path = dockerHub, "library/"+rest
	case !strings.ContainsAny(host, ".:[") && host != "localhost":
		host, path = dockerHub, rest
	}
	if r.registry, err = hostOf(host); err != nil {
		return r, err
	}
	if r.repository = path; !ValidRepository(path) {
		return r, fmt.Errorf("%s is no repository", shown(path))
	}
	if r.tag == "" && r.digest == "" {
		r.tag = "latest"
	}
	return r, nil
}

// dockerHub is the registry of references without one.
const dockerHub = "docker.io"

// Names as the OCI distribution specification has them: they become parts of paths, so
// nothing else will do.
var (
	repositoryName = regexp.MustCompile(`^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$`)
	tagName        = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$`)
	hostName       = regexp.MustCompile(`^([a-z0-9]|[a-z0-9][a-z0-9-]{0,61}[a-z0-9])(\.([a-z0-9]|[a-z0-9][a-z0-9-]{0,61}[a-z0-9]))*$`)
)

// ValidRepository and ValidTag say whether a registry may have such a name.
func ValidRepository(repository string) bool {
	return len(repository) <= 255 && repositoryName.MatchString(repository)
}

// ValidTag says whether a repository may have such a tag.
func ValidTag(tag string) bool { return tagName.MatchString(tag) }

// Digest says what is wrong with a digest, which is of SHA-256 or SHA-512.
func Digest(digest string) error {
	if _, err := v1.NewHash(digest); err != nil {
		return fmt.Errorf("%s is no digest", shown(digest))
	}
	return nil
}

// hostOf is a registry's host with its port, in lower case: a name, or an address.
func hostOf(text string) (string, error) {
	host, port, hasPort := text, "", false
	if at := strings.LastIndexByte(text, ':'); at > strings.LastIndexByte(text, ']') {
		host, port, hasPort = text[:at], text[at+1:], true
	}
	if hasPort {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || strconv.FormatUint(n, 10) != port {
			return "", fmt.Errorf("%s is no port", shown(port))
		}
	}
	if inside, bracketed := strings.CutPrefix(host, "["); bracketed {
		inside, closed := strings.CutSuffix(inside, "]")
		if ip, err := netip.ParseAddr(inside); !closed || err != nil || !ip.Is6() || ip.Zone() != "" {
			return "", fmt.Errorf("%s is no address", shown(host))
		}
	} else if host = strings.ToLower(host); len(host) > 253 || !hostName.MatchString(host) {
		return "", fmt.Errorf("%s is no host", shown(host))
	}
	if host == "index.docker.io" && !hasPort {
		host = dockerHub
	}
	if hasPort {
		host += ":" + port
	}
	return host, nil
}

// Registry is the host, with its port, that has the image; docker.io is one.
func (r Reference) Registry() string { return r.registry }

// Repository is where in its registry the image is.
func (r Reference) Repository() string { return r.repository }

// Tag is the tag, empty if only a digest is named.
func (r Reference) Tag() string { return r.tag }

// Digest is the digest, empty if only a tag is named.
func (r Reference) Digest() string { return r.digest }

// String is the reference with nothing left out; ParseReference reads it as the same.
func (r Reference) String() string {
	s := r.registry + "/" + r.repository
	if r.tag != "" {
		s += ":" + r.tag
	}
	if r.digest != "" {
		s += "@" + r.digest
	}
	return s
}

// At is what has that digest in the repository, whatever the tag stands for.
func (r Reference) At(digest string) (Reference, error) {
	if err := Digest(digest); err != nil {
		return Reference{}, err
	}
	return Reference{registry: r.registry, repository: r.repository, digest: digest}, nil
}

// MarshalText implements encoding.TextMarshaler.
func (r Reference) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler: it parses.
func (r *Reference) UnmarshalText(text []byte) (err error) {
	*r, err = ParseReference(string(text))
	return err
}

// named is the reference as the library has it.
func (r Reference) named(options ...name.Option) (name.Reference, error) {
	if r.repository == "" {
		return nil, errors.New("nothing is named")
	}
	return name.ParseReference(r.String(), options...)
}
