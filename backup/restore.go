package backup

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/breakwater-sec/breakwater/datadir"
	"github.com/breakwater-sec/breakwater/store"
)

// ErrArchive says that a file is no archive of ours, or not a whole one.
var ErrArchive = errors.New("not a backup")

const (
	// maxManifest bounds the first file, maxFiles how many there are.
	maxManifest = 64 << 10
	maxFiles    = 50_000
)

// Restore makes a data folder of an archive. The folder must be empty, or not be there: nothing
// is ever replaced. It is there whole or not at all.
func Restore(ctx context.Context, file string, d datadir.Dir) (m Manifest, err error) {
	f, err := os.Open(file)
	if err != nil {
		return m, err
	}
	defer f.Close()
	dir := filepath.Clean(string(d))
	if err := empty(dir); err != nil {
		return m, err
	}
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return m, err
	}
	room, err := datadir.SpaceOf(parent)
	if err != nil {
		return m, err
	}
	work, err := os.MkdirTemp(parent, filepath.Base(dir)+".restoring-*")
	if err != nil {
		return m, err
	}
	defer os.RemoveAll(work) // gone already when all went well
	if m, err = read(ctx, f, work, int64(room.Free)); err != nil {
		return m, fmt.Errorf("restore %s: %w", file, err)
	}
	if m.Records == "sqlite" {
		if err := checked(ctx, filepath.Join(work, databaseName)); err != nil {
			return m, fmt.Errorf("restore %s: %w", file, err)
		}
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) { // an empty folder
		return m, err
	}
	if err := os.Rename(work, dir); err != nil {
		return m, err
	}
	return m, synced(parent)
}

// empty refuses a folder that holds something.
func empty(dir string) error {
	there, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if len(there) > 0 {
		return fmt.Errorf("%s is not empty: a backup is restored into a folder of its own, give one with --data", dir)
	}
	return nil
}

// checked opens the records, brings them to this program's schema and reads them through. That is done with a file that
// has our tables and nothing beside them: views and triggers would be run by who reads and writes.
func checked(ctx context.Context, file string) error {
	if err := store.Ours(ctx, file); err != nil {
		return err
	}
	st, err := store.Open(ctx, file)
	if err != nil {
		return err
	}
	return errors.Join(st.Check(ctx), st.Close())
}

// read writes the files of an archive below dir, at most so many bytes, and checks that it is
// whole.
func read(ctx context.Context, from io.Reader, dir string, most int64) (m Manifest, err error) {
	z, err := gzip.NewReader(from)
	if err != nil {
		return m, fmt.Errorf("%w: %w", ErrArchive, err)
	}
	r := &reading{tar: tar.NewReader(z), dir: dir, left: most}
	if m, err = r.manifest(); err != nil {
		return m, err
	}
	for {
		if err := ctx.Err(); err != nil {
			return m, err
		}
		h, err := r.next()
		if err != nil {
			return m, err
		}
		if h.Name == sumsName {
			return m, r.end(h, m)
		}
		if err := r.file(h); err != nil {
			return m, err
		}
	}
}

// reading is an archive that is read.
type reading struct {
	tar     *tar.Reader
	dir     string
	left    int64 // bytes that may still be written
	files   int
	last    string
	sums    strings.Builder
	records bool
}

func refuse(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrArchive, fmt.Errorf(format, args...))
}

// next is the head of the next file: a regular one, of a size that can be.
func (r *reading) next() (*tar.Header, error) {
	h, err := r.tar.Next()
	switch {
	case errors.Is(err, io.EOF):
		return nil, refuse("it ends too early")
	case err != nil:
		return nil, refuse("%w", err)
	case h.Typeflag != tar.TypeReg || h.Size < 0:
		return nil, refuse("%q is no regular file", h.Name)
	case r.files >= maxFiles:
		return nil, refuse("it holds more than %d files", maxFiles)
	}
	r.files++
	return h, nil
}

func (r *reading) manifest() (m Manifest, err error) {
	h, err := r.next()
	if err != nil {
		return m, err
	}
	if h.Name != manifestName || h.Size > maxManifest {
		return m, refuse("it does not begin with %s", manifestName)
	}
	text, err := io.ReadAll(io.LimitReader(r.tar, maxManifest))
	if err != nil {
		return m, refuse("%w", err)
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, refuse("read %s: %w", manifestName, err)
	}
	switch {
	case m.Format < 1:
		return m, refuse("%s names no format", manifestName)
	case m.Format > Format:
		return m, fmt.Errorf("the backup is of format %d, newer than this program's %d: use the newer program", m.Format, Format)
	case m.Schema > store.NewestSchema():
		return m, fmt.Errorf("the backup's records are of schema %d, newer than this program's %d: use the newer program", m.Schema,
			store.NewestSchema())
	case m.Records != "sqlite" && m.Records != "postgres":
		return m, refuse("%s names no records", manifestName)
	}
	r.sum(manifestName, sha256.Sum256(text))
	return m, nil
}

func (r *reading) sum(name string, sum [sha256.Size]byte) {
	fmt.Fprintf(&r.sums, "%s  %s\n", hex.EncodeToString(sum[:]), name)
}

// file writes one file to where its name says, which is one of few.
func (r *reading) file(h *tar.Header) error {
	if !known(h.Name) {
		return refuse("%q is not a name of it", h.Name)
	}
	if h.Name <= r.last {
		return refuse("%q is not in order", h.Name)
	}
	r.last, r.records = h.Name, r.records || h.Name == databaseName
	if h.Size > r.left {
		return fmt.Errorf("the backup is bigger than the room that is left on the disk")
	}
	r.left -= h.Size
	to := filepath.Join(r.dir, filepath.FromSlash(h.Name))
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(f, sum), io.LimitReader(r.tar, h.Size))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return refuse("read %q: %w", h.Name, err)
	}
	if n != h.Size {
		return refuse("%q ends too early", h.Name)
	}
	r.sum(h.Name, [sha256.Size]byte(sum.Sum(nil)))
	return synced(filepath.Dir(to))
}

// end checks the sums: they are those of all files, in order, and nothing follows.
func (r *reading) end(h *tar.Header, m Manifest) error {
	want := r.sums.String()
	if h.Size != int64(len(want)) {
		return refuse("its checksums are of other files")
	}
	have, err := io.ReadAll(io.LimitReader(r.tar, h.Size))
	if err != nil {
		return refuse("%w", err)
	}
	if string(have) != want {
		return refuse("its checksums are of other files: it was damaged or changed")
	}
	if _, err := r.tar.Next(); !errors.Is(err, io.EOF) {
		return refuse("something follows its checksums")
	}
	if r.records != (m.Records == "sqlite") {
		return refuse("its records are not what %s says", manifestName)
	}
	return nil
}

// synced makes names in a folder durable.
func synced(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
