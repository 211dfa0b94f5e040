package harborshop

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// built is when every image says it was made: the same input makes the same digest.
var built = time.Date(2024, 3, 1, 9, 0, 0, 0, time.UTC)

// file is one entry of a layer.
type file struct{ name, content string }

// image builds a bundle for one platform.
func (b bundle) image(platform string) (v1.Image, error) {
	operating, architecture, _ := strings.Cut(platform, "/")
	img, err := mutate.ConfigFile(mutate.MediaType(empty.Image, types.OCIManifestSchema1),
		&v1.ConfigFile{OS: operating, Architecture: architecture, Created: v1.Time{Time: built}})
	if err != nil {
		return nil, fmt.Errorf("build image %s: %w", b.name, err)
	}
	img = mutate.ConfigMediaType(img, types.OCIConfigJSON)
	for _, l := range b.layers(architecture) {
		layer, err := pack(l.files)
		if err != nil {
			return nil, fmt.Errorf("build image %s: %w", b.name, err)
		}
		img, err = mutate.Append(img, mutate.Addendum{Layer: layer, History: v1.History{Created: v1.Time{Time: built}, CreatedBy: l.command}})
		if err != nil {
			return nil, fmt.Errorf("build image %s: %w", b.name, err)
		}
	}
	return img, nil
}

type step struct {
	command string
	files   []file
}

// layers are the steps that built the image, lowest first.
func (b bundle) layers(architecture string) []step {
	var steps []step
	if b.release != "" {
		base := []file{{"etc/os-release", releases[b.release]}}
		steps = append(steps, step{"ADD " + b.release + ".tar.gz /", append(base, b.install(nil, b.base, architecture)...)})
	}
	if len(b.added) > 0 {
		names := make([]string, len(b.added))
		for i, p := range b.added {
			names[i] = p.name
		}
		steps = append(steps, step{"RUN install " + strings.Join(names, " "), b.install(b.base, b.added, architecture)})
	}
	var own []file
	for _, name := range b.files {
		own = append(own, file{strings.TrimPrefix(name, "/"), "the program of " + b.name + "\n"})
	}
	if len(own) > 0 {
		steps = append(steps, step{"COPY . /", own})
	}
	return steps
}

// install is what a package manager leaves behind: the packages' files, and the
// whole database with what was there before.
func (b bundle) install(before, added []pkg, architecture string) []file {
	var out []file
	for _, p := range added {
		for _, name := range p.files {
			out = append(out, file{strings.TrimPrefix(name, "/"), p.name + " " + p.version + "\n"})
		}
	}
	all := slices.Concat(before, added)
	switch {
	case strings.HasPrefix(b.release, "alpine"):
		return append(out, file{"lib/apk/db/installed", apkDatabase(all, architecture)})
	case b.distroless:
		for _, p := range added {
			out = append(out, file{"var/lib/dpkg/status.d/" + p.name, p.paragraph(architecture, "")})
		}
		return out
	}
	var status strings.Builder
	for _, p := range all {
		status.WriteString(p.paragraph(architecture, "Status: install ok installed\n") + "\n")
	}
	for _, p := range added {
		out = append(out, file{"var/lib/dpkg/info/" + p.name + ".list", "/.\n" + strings.Join(p.files, "\n") + "\n"})
	}
	return append(out, file{"var/lib/dpkg/status", status.String()})
}

// paragraph is the package's record as dpkg writes it.
func (p pkg) paragraph(architecture, status string) string {
	source := ""
	if p.source != "" && p.source != p.name {
		source = "Source: " + p.source + "\n"
	}
	return fmt.Sprintf("Package: %s\n%sPriority: optional\nSection: misc\nMaintainer: Harbor Shop <platform@harbor.example>\nArchitecture: %s\n%sVersion: %s\nDescription: %s\n",
		p.name, status, architecture, source, p.version, p.name)
}

func apkDatabase(all []pkg, architecture string) string {
	if architecture == "amd64" {
		architecture = "x86_64"
	}
	var b strings.Builder
	for _, p := range all {
		fmt.Fprintf(&b, "P:%s\nV:%s\nA:%s\nL:MIT\no:%s\n", p.name, p.version, architecture, p.source)
		for _, name := range p.files {
			fmt.Fprintf(&b, "F:%s\nR:%s\n", strings.TrimPrefix(path.Dir(name), "/"), path.Base(name))
		}
		b.WriteString("\n")
	}
	return b.String()
}

// pack makes a layer; equal files make an equal digest.
func pack(files []file) (v1.Layer, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	t := tar.NewWriter(z)
	for _, f := range files {
		if err := t.WriteHeader(&tar.Header{Name: f.name, Mode: 0o644, Size: int64(len(f.content)), ModTime: built, Format: tar.FormatUSTAR}); err != nil {
			return nil, err
		}
		if _, err := io.WriteString(t, f.content); err != nil {
			return nil, err
		}
	}
	if err := t.Close(); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil }, tarball.WithMediaType(types.OCILayer))
}
