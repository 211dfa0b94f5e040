package image

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Options say how an image is opened and read.
type Options struct {
	// Platform picks from an index. Unless set it is linux/amd64 or, where that is
	// not there, the first for Linux, or the first.
	Platform string
	// Keychain finds credentials; the usual files of docker and podman unless set.
	Keychain authn.Keychain
	// Transport reaches registries; http.DefaultTransport with timeouts unless set.
	Transport http.RoundTripper
	// Insecure says of a registry's host that it may speak plain HTTP; beyond
	// loopback and private addresses none does unless set.
	Insecure func(host string) bool
	Limits   Limits
	// Backoff is the first pause before a registry is asked again, tripled
	// three times, where it does not say how long to wait: one second unless set.
	Backoff time.Duration
	// Cache keeps what was read of layers; nothing unless set.
	Cache Cache
	// Progress is told before each layer.
	Progress func(Progress)
}

// Progress is how far the reading of an image has come.
type Progress struct {
	Reference  string
	Layer, Of  int
	Digest     string
	Bytes      int64 // of the layer as stored
	FromCache  bool
	Resolved   string // digest, once it is known
	Downloaded int64
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
	if o.Transport == nil {
		o.Transport = Transport()
	}
	if o.Limits == (Limits{}) {
		o.Limits = DefaultLimits
	}
	if o.Backoff == 0 {
		o.Backoff = time.Second
	}
	if o.Progress == nil {
		o.Progress = func(Progress) {}
	}
	return o
}

// opened is an image whose layers can be read: a manifest's, or a folder.
type opened struct {
	reference, digest, platform string
	image                       v1.Image
	builds                      []Build
	folder                      string
}

// open understands registry/ref, oci:DIR, docker-archive:FILE and rootfs:DIR.
func open(ctx context.Context, ref string, o Options) (*opened, error) {
	scheme, rest, _ := strings.Cut(ref, ":")
	switch scheme {
	case "rootfs":
		if info, err := os.Stat(rest); err != nil {
			return nil, fmt.Errorf("open %s: %w", ref, err)
		} else if !info.IsDir() {
			return nil, fmt.Errorf("open %s: want a folder", ref)
		}
		return &opened{reference: ref, folder: rest}, nil
	case "oci":
		return openLayout(ref, rest, o)
	case "docker-archive":
		img, err := tarball.ImageFromPath(rest, nil)
		if err != nil {
			return nil, fmt.Errorf("open %s: want an archive as docker save writes it, of one image: %w", ref, err)
		}
		return withDigest(ref, img)
	}
	return openRemote(ctx, ref, o)
}

func withDigest(ref string, img v1.Image) (*opened, error) {
	d, err := img.Digest()
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", ref, err)
	}
	return &opened{reference: ref, digest: d.String(), image: img}, nil
}

// openLayout takes oci:DIR, oci:DIR:TAG and oci:DIR@sha256:….
func openLayout(ref, rest string, o Options) (*opened, error) {
	dir, want := rest, ""
	if _, err := os.Stat(dir); err != nil {
		if d, digest, ok := strings.Cut(rest, "@"); ok {
			dir, want = d, digest
		} else if i := strings.LastIndex(rest, ":"); i > 0 {
			dir, want = rest[:i], rest[i+1:]
		}
	}
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return nil, fmt.Errorf("open %s: want an OCI layout (a folder with index.json and oci-layout): %w", ref, err)
	}
	m, err := index.IndexManifest()
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", ref, err)
	}
	var fit []v1.Descriptor
	for _, d := range m.Manifests {
		if want == "" || d.Digest.String() == want || d.Annotations["org.opencontainers.image.ref.name"] == want {
			fit = append(fit, d)
		}
	}
	if len(fit) == 0 {
		return nil, fmt.Errorf("open %s: no image %q among %d in the layout", ref, want, len(m.Manifests))
	}
	if len(fit) > 1 && distinct(fit) {
		return nil, fmt.Errorf("open %s: %d images are in the layout: name one as oci:%s:TAG or oci:%s@DIGEST", ref, len(fit), dir, dir)
	}
	out := &opened{reference: ref, digest: fit[0].Digest.String()}
	out.image, err = pick(index, fit[0], o.Platform)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", ref, err)
	}
	return out, nil
}

func distinct(ds []v1.Descriptor) bool {
	for _, d := range ds {
		if d.Digest != ds[0].Digest {
			return true
		}
	}
	return false
}

// pick opens what a descriptor of an index stands for.
func pick(index v1.ImageIndex, d v1.Descriptor, platform string) (v1.Image, error) {
	if !d.MediaType.IsIndex() {
		return index.Image(d.Digest)
	}
	inner, err := index.ImageIndex(d.Digest)
	if err != nil {
		return nil, err
	}
	return choose(inner, platform, 0)
}

// choose goes from an index to its image for a platform.
func choose(index v1.ImageIndex, platform string, depth int) (v1.Image, error) {
	if depth > 3 {
		return nil, errors.New("want an index that is not nested deeper than four")
	}
	m, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	d, err := forPlatform(m, platform)
	if err != nil {
		return nil, err
	}
	if !d.MediaType.IsIndex() {
		return index.Image(d.Digest)
	}
	inner, err := index.ImageIndex(d.Digest)
	if err != nil {
		return nil, err
	}
	return choose(inner, platform, depth+1)
}

// forPlatform picks one build of an index; attestations are none.
func forPlatform(m *v1.IndexManifest, platform string) (v1.Descriptor, error) {
	want, err := v1.ParsePlatform(cmp.Or(platform, "linux/amd64"))
	if err != nil {
		return v1.Descriptor{}, fmt.Errorf("platform %q: want OS/ARCHITECTURE: %w", platform, err)
	}
	asked := normal(*want)
	var all []v1.Descriptor
	var have []string
	for _, d := range m.Manifests {
		if d.Platform == nil || d.Platform.OS == "unknown" {
			continue
		}
		if normal(*d.Platform).Satisfies(asked) {
			return d, nil
		}
		all, have = append(all, d), append(have, d.Platform.String())
	}
	switch {
	case len(m.Manifests) == 1:
		return m.Manifests[0], nil
	case len(all) == 0:
		return v1.Descriptor{}, fmt.Errorf("%w: the index names no image", ErrUnsupported)
	case platform != "":
		return v1.Descriptor{}, fmt.Errorf("the image is not built for %s; it is for %s", platform, strings.Join(have, ", "))
	}
	if linux := slices.IndexFunc(all, func(d v1.Descriptor) bool { return d.Platform.OS == "linux" }); linux >= 0 {
		return all[linux], nil
	}
	return all[0], nil
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
func builds(index v1.ImageIndex) (out []Build, err error) {
	m, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	for _, d := range m.Manifests {
		if d.Platform != nil && d.Platform.OS != "unknown" && d.MediaType.IsImage() && len(out) < maxBuilds {
			out = append(out, Build{d.Digest.String(), d.Platform.String()})
		}
	}
	return out, nil
}

func openRemote(ctx context.Context, ref string, o Options) (*opened, error) {
	r, err := parseReference(ref, o)
	if err != nil {
		return nil, fmt.Errorf("open %q: want registry/repository:tag, oci:DIR, docker-archive:FILE or rootfs:DIR: %w", ref, err)
	}
	d, err := remote.Get(r, remoteOptions(ctx, o)...)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", ref, Explain(err, r))
	}
	out := &opened{reference: ref, digest: d.Digest.String()}
	switch {
	case d.MediaType.IsIndex():
		index, err := d.ImageIndex()
		if err != nil {
			return nil, fmt.Errorf("open %s: %w", ref, err)
		}
		if out.image, err = choose(index, o.Platform, 0); err != nil {
			return nil, fmt.Errorf("open %s: %w", ref, Explain(err, r))
		}
		if out.builds, err = builds(index); err != nil {
			return nil, fmt.Errorf("open %s: %w", ref, err)
		}
	case d.MediaType.IsImage():
		if out.image, err = d.Image(); err != nil {
			return nil, fmt.Errorf("open %s: %w", ref, Explain(err, r))
		}
	case d.MediaType == types.DockerManifestSchema1 || d.MediaType == types.DockerManifestSchema1Signed:
		return nil, fmt.Errorf("open %s: %w: the image has the old manifest schema 1; push it again with a current tool", ref, ErrUnsupported)
	default:
		return nil, fmt.Errorf("open %s: %w: %s is no container image", ref, ErrUnsupported, d.MediaType)
	}
	return out, nil
}

func parseReference(ref string, o Options) (name.Reference, error) {
	r, err := name.ParseReference(ref)
	if err == nil && o.Insecure != nil && o.Insecure(r.Context().RegistryStr()) {
		return name.ParseReference(ref, name.Insecure)
	}
	return r, err
}

// Resolve asks a registry what a reference stands for now.
func Resolve(ctx context.Context, ref string, o Options) (digest string, err error) {
	o = o.withDefaults()
	r, err := parseReference(ref, o)
	if err != nil {
		return "", fmt.Errorf("resolve %q: %w", ref, err)
	}
	d, err := remote.Head(r, remoteOptions(ctx, o)...)
	if err != nil {
		return "", fmt.Errorf("resolve %s: %w", ref, Explain(err, r))
	}
	return d.Digest.String(), nil
}

func remoteOptions(ctx context.Context, o Options) []remote.Option {
	return []remote.Option{remote.WithContext(ctx), remote.WithAuthFromKeychain(o.Keychain),
		remote.WithTransport(Retry(o.Transport, o.Backoff)),
		remote.WithUserAgent("breakwater"), remote.WithRetryBackoff(remote.Backoff{Duration: o.Backoff, Factor: 3, Jitter: 0.3, Steps: 4})}
}

// ErrUnsupported says that the image is there and of a kind we cannot read.
var ErrUnsupported = errors.New("not supported")

// Explain says what a registry's refusal means for the user.
func Explain(err error, r name.Reference) error {
	host := r.Context().RegistryStr()
	var refused *transport.Error
	if errors.As(err, &refused) && refused.StatusCode == http.StatusNotFound {
		return fmt.Errorf("registry %s has no such image (404): %w", host, err)
	}
	return ExplainHost(err, host)
}

// ExplainHost is Explain where no image was asked for.
func ExplainHost(err error, host string) error {
	var refused *transport.Error
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
