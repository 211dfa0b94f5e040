package image

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Local is a file or folder of this machine that holds an image. It is of what a person
// says on the command line and of nothing else: ParseLocal must never be given text of a
// cluster or a registry.
type Local struct{ scheme, rest string }

// ParseLocal reads oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:TAG], containers-storage:DIR[:NAME],
// containerd:DIR[@DIGEST] and rootfs:DIR. It reports false where text is none of them; a path alone is an error that says how
// to name what lies there.
func ParseLocal(text string) (l Local, is bool, err error) {
	scheme, rest, _ := strings.Cut(text, ":")
	switch scheme {
	case "rootfs", "oci", "oci-archive", "docker-archive", "containers-storage", "containerd":
		return Local{scheme, rest}, true, nil
	}
	if err := isFile(text); err != nil {
		return l, false, fmt.Errorf("open %s: %w", text, err)
	}
	return l, false, nil
}

// String is how people name it.
func (l Local) String() string { return l.scheme + ":" + l.rest }

// ScanLocal opens an image on this machine and lists what is inside.
func ScanLocal(ctx context.Context, l Local, o Options) (*Inventory, error) {
	o = o.withDefaults()
	img, err := l.open(o)
	if err != nil {
		return nil, err
	}
	return o.read(ctx, img)
}

// place is the file or folder, without what names an image inside.
func (l Local) place() string {
	at := l.rest
	for i := len(at); i > 0; i = strings.LastIndexAny(at[:i], ":@") {
		if _, err := os.Stat(at[:i]); err == nil {
			return at[:i]
		}
	}
	return at
}

func (l Local) open(o Options) (*opened, error) {
	switch ref := l.String(); l.scheme {
	case "oci":
		return openLayout(ref, l.rest, o)
	case "oci-archive":
		return openLayoutArchive(ref, l.rest, o)
	case "docker-archive":
		return openArchive(ref, l.rest, o)
	case "containers-storage":
		return openStorage(ref, l.rest, o)
	case "containerd":
		return openContentStore(ref, l.rest, o)
	default:
		if info, err := os.Stat(l.rest); err != nil {
			return nil, fmt.Errorf("open %s: %w", ref, err)
		} else if !info.IsDir() {
			return nil, fmt.Errorf("open %s: want a folder", ref)
		}
		return &opened{reference: ref, folder: l.rest}, nil
	}
}

// isFile says how to name what lies on this machine, where a path was given and no
// registry can be meant.
func isFile(ref string) error {
	if !strings.HasPrefix(ref, "/") && !strings.HasPrefix(ref, "./") && !strings.HasPrefix(ref, "../") {
		return nil
	}
	has := func(name string) bool { _, err := os.Stat(filepath.Join(ref, name)); return err == nil }
	info, err := os.Stat(ref)
	switch {
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("want docker-archive:%s for what docker save wrote, or oci-archive:%s", ref, ref)
	case has("index.json"):
		return fmt.Errorf("want oci:%s", ref)
	case has("overlay-images"), has("vfs-images"):
		return fmt.Errorf("want containers-storage:%s", ref)
	case has("io.containerd.content.v1.content"), has("blobs") && has("ingest"):
		return fmt.Errorf("want containerd:%s", ref)
	}
	return fmt.Errorf("want rootfs:%s for an unpacked root filesystem, or oci:%s for an OCI layout", ref, ref)
}
