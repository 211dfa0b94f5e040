package image

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/types"
)

// maxManifest is what the distribution specification wants every registry to take.
const maxManifest = 4 << 20

// bare is a media type without its parameters and in the case of the specification:
// neither says anything of what it names.
func bare(mediaType string) types.MediaType {
	name, _, _ := strings.Cut(mediaType, ";")
	return types.MediaType(strings.ToLower(strings.TrimSpace(name)))
}

// isConfig and isLayer say what a descriptor of a manifest stands for.
func isConfig(mt types.MediaType) bool { return bare(string(mt)).IsConfig() }

func isLayer(mt types.MediaType) bool {
	switch b := bare(string(mt)); b {
	case "application/vnd.docker.image.rootfs.diff.tar.zstd", restrictedZstd:
		return true
	default:
		return b.IsLayer()
	}
}

// isDistributable says whether registries hold a layer.
func isDistributable(mt types.MediaType) bool {
	b := bare(string(mt))
	return b != restrictedZstd && b.IsDistributable()
}

const restrictedZstd = "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd"

// kindOf is what a manifest is. Its parts say so first, as the digest is over them; then
// its own media type, and only then the header, in which registries write many things.
func kindOf(header string, body []byte) (types.MediaType, error) {
	var m struct {
		MediaType                   string
		Manifests, Layers, FSLayers []json.RawMessage
		Config                      *json.RawMessage
	}
	said := bare(header)
	if err := modest(body); err != nil {
		return "", err
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return "", fmt.Errorf("want a manifest, have %q that is none, perhaps the page of a proxy: %w", said, err)
	}
	fits, usual := types.MediaType.IsSchema1, types.DockerManifestSchema1
	switch index, image := m.Manifests != nil, m.Layers != nil || m.Config != nil; {
	case index && image:
		return "", errors.New("want a manifest of an image or an index of images, have one that is both: no two programs read it the same way")
	case index:
		fits, usual = types.MediaType.IsIndex, types.OCIImageIndex
	case image:
		fits, usual = types.MediaType.IsImage, types.OCIManifestSchema1
	case m.FSLayers == nil:
		if m.MediaType != "" {
			return bare(m.MediaType), nil
		}
		return said, nil
	}
	if own := bare(m.MediaType); own != "" {
		if known := own.IsIndex() || own.IsImage() || own.IsSchema1(); known && !fits(own) {
			return "", fmt.Errorf("want a manifest that is what it says, have one that says %q and has the parts of %s", own, usual)
		}
		return own, nil
	}
	if fits(said) {
		return said, nil
	}
	return usual, nil
}
