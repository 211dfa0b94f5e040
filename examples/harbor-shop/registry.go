package harborshop

import (
	"context"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Transport is base with one more host in the world: requests to Host, over
// HTTPS or not, are answered by the estate's registry. A nil base is
// http.DefaultTransport.
func (e *Estate) Transport(base http.RoundTripper) http.RoundTripper {
	if base == nil {
		base = http.DefaultTransport
	}
	return alias{e.Registry, base}
}

type alias struct {
	registry string
	base     http.RoundTripper
}

// RoundTrip implements http.RoundTripper. The answer belongs to the request that
// was asked, so that redirects are followed from there.
func (a alias) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.EqualFold(r.URL.Hostname(), Host) {
		return a.base.RoundTrip(r)
	}
	there := r.Clone(r.Context())
	there.URL.Scheme, there.URL.Host, there.Host = "http", a.registry, a.registry
	answer, err := a.base.RoundTrip(there)
	if answer != nil {
		answer.Request = r
	}
	return answer, err
}

// push builds an image and puts it into the registry, unless it is one that the
// registry has lost since.
func (e *Estate) push(ctx context.Context, b bundle) error {
	ref, err := name.NewTag(e.Registry+"/"+b.Name, name.Insecure)
	if err != nil {
		return err
	}
	var digest v1.Hash
	if len(b.Platforms) == 0 {
		digest, err = pushImage(ctx, ref, b)
	} else {
		digest, err = pushIndex(ctx, ref, b)
	}
	e.Digests[Host+"/"+b.Name] = digest.String()
	return err
}

func pushImage(ctx context.Context, ref name.Tag, b bundle) (v1.Hash, error) {
	img, err := b.image("linux/amd64")
	if err != nil {
		return v1.Hash{}, err
	}
	digest, err := img.Digest()
	if err != nil || b.Lost {
		return digest, err
	}
	return digest, remote.Write(ref, img, remote.WithContext(ctx))
}

func pushIndex(ctx context.Context, ref name.Tag, b bundle) (v1.Hash, error) {
	index, err := b.index()
	if err != nil {
		return v1.Hash{}, err
	}
	digest, err := index.Digest()
	if err != nil {
		return digest, err
	}
	return digest, remote.WriteIndex(ref, index, remote.WithContext(ctx))
}

// index is the bundle built for each of its platforms.
func (b bundle) index() (v1.ImageIndex, error) {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, p := range b.Platforms {
		img, err := b.image(p)
		if err != nil {
			return nil, err
		}
		platform, err := v1.ParsePlatform(p)
		if err != nil {
			return nil, err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: platform}})
	}
	return index, nil
}
