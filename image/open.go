package image

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Options say how an image is opened and read.
type Options struct {
	// Platform picks from an index. Unless set it is linux/amd64 or, where that is
	// not there, the first for Linux, or the first.
	Platform string
	// Prefer says of a registry's host which builds of its indexes are read, the most wanted first, where Platform is not set.
	// An index that has none of them is read as if nobody preferred any.
	Prefer func(host string) []string
	// Keychain finds credentials; the usual files of docker and podman unless set.
	Keychain authn.Keychain
	// Transport reaches registries, as egress.For has it. Unless set, who asks named the image's registry, and its
	// account and layers stay with it.
	Transport http.RoundTripper
	// Insecure says of a registry's host that a person said it speaks plain HTTP.
	Insecure func(host string) bool
	Limits   Limits
	// Backoff is the first pause before a registry is asked again, tripled
	// three times, where it does not say how long to wait: one second unless set.
	Backoff time.Duration
	// Patience is for how long a registry may send next to nothing: 30 seconds unless set.
	Patience time.Duration
	// Cache keeps what was read of layers; nothing unless set.
	Cache Cache
	// Salt is what secrets are hashed with: who has the same tells the same one by the same hash. Unless set, this process has
	// one of its own.
	Salt []byte
	// Progress is told before each layer.
	Progress func(Progress)
}

// Progress is how far the reading of an image has come.
type Progress struct {
	Reference string
	Layer, Of int
	Bytes     int64 // of the layer as stored
	FromCache bool
}

// Cache keeps layer contents by key; Layer returns an error if there is none.
type Cache interface {
	Layer(ctx context.Context, key string) ([]byte, error)
	PutLayer(ctx context.Context, key string, content []byte) error
}

func (o Options) withDefaults() Options {
	if o.Keychain == nil {
		o.Keychain = authn.DefaultKeychain
	}
	if o.Limits == (Limits{}) {
		o.Limits = DefaultLimits
	}
	if o.Backoff == 0 {
		o.Backoff = time.Second
	}
	if o.Patience == 0 {
		o.Patience = 30 * time.Second
	}
	if len(o.Salt) == 0 {
		o.Salt = ownSalt()
	}
	if o.Progress == nil {
		o.Progress = func(Progress) {}
	}
	return o
}

// prefers are the builds that are preferred of a registry's indexes.
func (o Options) prefers(host string) []string {
	if o.Prefer == nil {
		return nil
	}
	return o.Prefer(host)
}

// opened is an image whose layers can be read: a manifest's, or a folder, or folders.
type opened struct {
	reference, digest, platform string
	image                       v1.Image
	builds                      []Build
	folder                      string
	// stack are layers that lie unpacked, the lowest first, with their image's configuration.
	stack        []diff
	config       *v1.ConfigFile
	configDigest string
}

// manifest is what a digest or a tag stands for, read whole.
type manifest struct {
	kind   types.MediaType
	digest v1.Hash
	raw    []byte
	// image reads it as an image.
	image func() (v1.Image, error)
}

// reach goes from a manifest to the image for a platform, through indexes if it is one.
// get finds the others by their digest.
func reach(m manifest, get func(v1.Hash) (manifest, error), platform string, prefer ...string) (*opened, error) {
	out := &opened{digest: m.digest.String()}
	for range maxNested {
		switch {
		case m.kind.IsIndex():
			index, err := v1.ParseIndexManifest(bytes.NewReader(m.raw))
			if err != nil {
				return nil, fmt.Errorf("want an index of images: %w", err)
			}
			if out.builds == nil {
				out.builds = builds(index)
			}
			d, err := preferred(index, platform, prefer)
			if err != nil {
				return nil, err
			}
			if m, err = get(d.Digest); err != nil {
				return nil, err
			}
		case m.kind.IsImage():
			var err error
			out.image, err = m.image()
			return out, err
		case m.kind.IsSchema1():
			return nil, fmt.Errorf("%w: the image has the old manifest schema 1; push it again with a current tool", ErrUnsupported)
		default:
			return nil, fmt.Errorf("%w: %q is no container image", ErrUnsupported, m.kind)
		}
	}
	return nil, fmt.Errorf("want indexes within indexes at most %d deep: %w", maxNested, errBound)
}

// maxNested bounds indexes of indexes; honest ones have two at most.
const maxNested = 5

// preferred picks one build of an index: the platform that was asked for, or else the first preferred one that is there.
func preferred(m *v1.IndexManifest, platform string, prefer []string) (v1.Descriptor, error) {
	if platform == "" {
		for _, p := range prefer {
			if d, err := forPlatform(m, p); err == nil {
				return d, nil
			}
		}
	}
	return forPlatform(m, platform)
}

// forPlatform picks one build of an index; attestations are none.
func forPlatform(m *v1.IndexManifest, platform string) (v1.Descriptor, error) {
	asked, err := parsePlatform(cmp.Or(platform, "linux/amd64"))
	if err != nil {
		return v1.Descriptor{}, err
	}
	var all, unsaid []v1.Descriptor
	var have []string
	for _, d := range m.Manifests {
		switch {
		case attestation(d):
		case d.Platform == nil:
			unsaid = append(unsaid, d)
		case normal(*d.Platform).Satisfies(asked):
			return d, nil
		default:
			all, have = append(all, d), append(have, d.Platform.String())
		}
	}
	switch {
	case len(all)+len(unsaid) == 0:
		return v1.Descriptor{}, fmt.Errorf("%w: the index names no image", ErrUnsupported)
	case len(all) == 0 && len(unsaid) == 1:
		return unsaid[0], nil
	case len(all) == 0:
		return v1.Descriptor{}, fmt.Errorf("the index names %d images and says of none for which platform: name one by its digest, such as @%s",
			len(unsaid), unsaid[0].Digest)
	case platform != "":
		return v1.Descriptor{}, fmt.Errorf("the image is not built for %s; it is for %s", platform, strings.Join(have, ", "))
	}
	if linux := slices.IndexFunc(all, func(d v1.Descriptor) bool { return d.Platform.OS == "linux" }); linux >= 0 {
		return all[linux], nil
	}
	return all[0], nil
}

// attestation says whether an index names something that is kept beside its images.
func attestation(d v1.Descriptor) bool {
	return d.Platform != nil && d.Platform.OS == "unknown" || d.Annotations["vnd.docker.reference.type"] != "" ||
		d.ArtifactType != "" && !isConfig(types.MediaType(d.ArtifactType))
}

func parsePlatform(s string) (v1.Platform, error) {
	p, err := v1.ParsePlatform(s)
	if err != nil {
		return v1.Platform{}, fmt.Errorf("platform %q: want OS/ARCHITECTURE: %w", s, err)
	}
	return normal(*p), nil
}

// builtFor holds what an image says of itself against the platform that was asked for.
func builtFor(c *v1.ConfigFile, platform string) error {
	if platform == "" || c.OS == "" || c.Architecture == "" {
		return nil
	}
	asked, err := parsePlatform(platform)
	if err != nil {
		return err
	}
	is := c.Platform()
	have := normal(*is)
	if is.Variant == "" { // most configurations do not say it
		have.Variant = asked.Variant
	}
	if !have.Satisfies(asked) {
		return fmt.Errorf("the image is not built for %s; it is for %s", platform, is)
	}
	return nil
}

// normal writes a platform as container runtimes compare it: the spellings of an
// architecture are one, and so are its first variant and none. An Arm of 32 bits
// that says no variant is v7.
func normal(p v1.Platform) v1.Platform {
	switch p.Architecture {
	case "aarch64":
		p.Architecture = "arm64"
	case "x86_64", "x86-64":
		p.Architecture = "amd64"
	}
	if v := p.Variant; v != "" && v[0] >= '0' && v[0] <= '9' {
		p.Variant = "v" + v
	}
	switch p.Architecture + "/" + p.Variant {
	case "arm64/v8", "amd64/v1":
		p.Variant = ""
	case "arm/":
		p.Variant = "v7"
	}
	return p
}

// maxBuilds bounds what is kept of an index.
const maxBuilds = 200

// builds lists the images of an index; attestations are none.
func builds(index *v1.IndexManifest) (out []Build) {
	for _, d := range index.Manifests {
		if d.Platform != nil && !attestation(d) && bare(string(d.MediaType)).IsImage() && len(out) < maxBuilds {
			out = append(out, Build{d.Digest.String(), d.Platform.String()})
		}
	}
	return out
}
