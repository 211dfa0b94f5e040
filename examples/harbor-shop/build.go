package harborshop

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
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

// file is one file of a layer.
type file struct{ name, content string }

// step is a command of the image's build; without files it made no layer.
type step struct {
	command string
	files   []file
}

// image builds a bundle for one platform.
func (b bundle) image(platform string) (v1.Image, error) {
	system, architecture, _ := strings.Cut(platform, "/")
	config := &v1.ConfigFile{OS: system, Architecture: architecture, Created: v1.Time{Time: built},
		Config: v1.Config{
			User:       b.User,
			Entrypoint: b.entrypoint(),
			WorkingDir: "/",
			Env:        []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
		}}
	img, err := mutate.ConfigFile(mutate.MediaType(empty.Image, types.OCIManifestSchema1), config)
	if err != nil {
		return nil, err
	}
	img = mutate.ConfigMediaType(img, types.OCIConfigJSON)
	steps, err := b.steps(architecture)
	if err != nil {
		return nil, err
	}
	for _, s := range steps {
		a := mutate.Addendum{History: v1.History{Created: v1.Time{Time: built}, CreatedBy: s.command, EmptyLayer: len(s.files) == 0}}
		if len(s.files) > 0 {
			if a.Layer, err = pack(s.files); err != nil {
				return nil, err
			}
		}
		if img, err = mutate.Append(img, a); err != nil {
			return nil, err
		}
	}
	return img, nil
}

func (b bundle) entrypoint() []string {
	if len(b.Files) == 0 {
		return nil
	}
	return b.Files[:1]
}

// steps are what built the image, first to last.
func (b bundle) steps(architecture string) ([]step, error) {
	var out []step
	release, err := distribution(b.Release, "os-release")
	if err != nil {
		return nil, err
	}
	inBase, err := distribution(b.Base, "packages")
	if err != nil {
		return nil, err
	}
	base, added := packages(inBase), packages(b.Added)
	if b.Release != "" {
		files := append([]file{{"etc/os-release", release}}, b.install(nil, base, architecture)...)
		out = append(out, step{"ADD rootfs.tar.gz / # " + b.Release, files})
	}
	if len(added) > 0 {
		var names []string
		for _, p := range added {
			names = append(names, p.name+"="+p.version)
		}
		out = append(out, step{b.installer() + strings.Join(names, " "), b.install(base, added, architecture)})
	}
	var own []file
	for _, name := range b.Files {
		content := "the program of " + b.Name + "\n"
		if path.Ext(name) == ".jar" {
			if content, err = b.jar(); err != nil {
				return nil, err
			}
		}
		own = append(own, file{strings.TrimPrefix(name, "/"), content})
	}
	if len(own) > 0 {
		out = append(out, step{"COPY " + strings.Join(b.Files, " ") + " /", own}, step{command: "ENTRYPOINT [\"" + b.Files[0] + "\"]"})
	}
	if b.User != "" {
		out = append(out, step{command: "USER " + b.User})
	}
	return out, nil
}

// jar is the program as Maven packs one: its archive says what it is.
func (b bundle) jar() (string, error) {
	project, version, _ := strings.Cut(b.Name, ":")
	group, artifact := "example.harbor-shop", path.Base(project)
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, f := range []file{
		{"META-INF/MANIFEST.MF", "Manifest-Version: 1.0\r\nImplementation-Title: " + artifact + "\r\nImplementation-Version: " + version + "\r\n\r\n"},
		{path.Join("META-INF/maven", group, artifact, "pom.properties"),
			"groupId=" + group + "\nartifactId=" + artifact + "\nversion=" + version + "\n"},
	} {
		w, err := z.CreateHeader(&zip.FileHeader{Name: f.name, Method: zip.Store, Modified: built})
		if err != nil {
			return "", err
		}
		if _, err := io.WriteString(w, f.content); err != nil {
			return "", err
		}
	}
	if err := z.Close(); err != nil { // before the text is read: it writes the table of members
		return "", err
	}
	return out.String(), nil
}

func (b bundle) installer() string {
	if strings.HasPrefix(b.Release, "alpine") {
		return "RUN apk add --no-cache "
	}
	return "RUN apt-get update && apt-get install -y --no-install-recommends "
}

// pack makes a layer; equal files make an equal digest. It is not compressed, so
// that no other version of a compressor makes another digest.
func pack(files []file) (v1.Layer, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.NoCompression)
	if err != nil {
		return nil, err
	}
	t := tar.NewWriter(z)
	made := map[string]bool{}
	for _, f := range files {
		for _, dir := range parents(f.name) {
			if !made[dir] {
				made[dir] = true
				err = errors.Join(
					err,
					t.WriteHeader(&tar.Header{Name: dir + "/", Typeflag: tar.TypeDir, Mode: 0o755, ModTime: built, Format: tar.FormatUSTAR}),
				)
			}
		}
		h := &tar.Header{Name: f.name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(f.content)), ModTime: built, Format: tar.FormatUSTAR}
		err = errors.Join(err, t.WriteHeader(h))
		_, wrote := io.WriteString(t, f.content)
		err = errors.Join(err, wrote)
	}
	if err := errors.Join(err, t.Close(), z.Close()); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(
		func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil },
		tarball.WithMediaType(types.OCILayer),
	)
}

// parents are the folders above a file, outermost first.
func parents(name string) (out []string) {
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		out = append(out, dir)
	}
	slices.Reverse(out)
	return out
}
