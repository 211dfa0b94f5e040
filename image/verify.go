package image

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

const (
	maxLayers = 1000
	// maxConfig bounds the configuration; the largest real ones have some hundred kB.
	maxConfig = 16 << 20
)

// verify holds a manifest and a configuration against their digests, which not
// every source of images does, and refuses what is no container image.
func verify(img v1.Image) error {
	m, err := img.Manifest()
	if err != nil {
		return fmt.Errorf("read its manifest: %w", err)
	}
	if len(m.Layers) > maxLayers {
		return fmt.Errorf("want at most %d layers, have %d: %w", maxLayers, len(m.Layers), errBound)
	}
	if !isConfig(m.Config.MediaType) {
		return fmt.Errorf("%w: its configuration is %q: an artifact, no container image", ErrUnsupported, m.Config.MediaType)
	}
	if m.Config.Size < 0 || m.Config.Size > maxConfig { // of a negative size the library reads whatever comes
		return fmt.Errorf("want a configuration of 0 to %d bytes, it has %d: %w", maxConfig, m.Config.Size, errBound)
	}
	for i, l := range m.Layers {
		if l.Size < 0 {
			return fmt.Errorf("want layers of at least 0 bytes, layer %d has %d: %w", i+1, l.Size, errBound)
		}
	}
	raw, err := img.RawConfigFile() // no longer than the manifest says
	if err != nil {
		return fmt.Errorf("read its configuration: %w", plainly(err))
	}
	if !has(raw, m.Config.Digest) {
		return fmt.Errorf("its configuration is not what its manifest says (%s): the image is corrupt or was tampered with", m.Config.Digest)
	}
	if err := modest(raw); err != nil {
		return fmt.Errorf("read its configuration: %w", err)
	}
	return nil
}

// has says whether a digest is that of the content.
func has(content []byte, digest v1.Hash) bool {
	h := newHashed(bytes.NewReader(content), digest.String())
	_, err := io.Copy(io.Discard, h)
	return err == nil && h.check() == nil
}

// hashed sums what is read of a blob, to hold it against its digest.
type hashed struct {
	r      io.Reader
	digest string
	sum    hash.Hash
}

func newHashed(r io.Reader, digest string) *hashed {
	if strings.HasPrefix(digest, "sha512:") {
		return &hashed{r, digest, sha512.New()}
	}
	return &hashed{r, digest, sha256.New()}
}

func (h *hashed) Read(p []byte) (int, error) {
	n, err := h.r.Read(p)
	h.sum.Write(p[:n])
	return n, err
}

// check compares what was read, which must be all of it, with what was promised.
func (h *hashed) check() error {
	algorithm, want, _ := strings.Cut(h.digest, ":")
	if got := hex.EncodeToString(h.sum.Sum(nil)); got != want {
		return fmt.Errorf("the blob has digest %s:%s, want %s: it is corrupt, cut short or was tampered with", algorithm, got, h.digest)
	}
	return nil
}
