// Package backup writes what a server keeps into one archive, while it runs, and makes a data
// folder of such an archive.
//
// An archive is a gzipped tar of regular files, in this order:
//
//	breakwater.json      the Manifest: format, program, schema, when
//	advisories/…         as imported
//	authority/ca.…       the certificate authority that vouches for the server, and its key
//	authority/clients.…  that which vouches for senders, and its key
//	breakwater.db        the records, of one moment; not there if they are in PostgreSQL
//	clusters/….dump      the facts of each cluster as last saved
//	owner                the server's name among those that share a database
//	sha256sums           of each file above, one a line; with it the archive is whole
//
// Names come in the order of their bytes, between the first and the last. What is not in it:
// events that wait to be analysed, which their senders do not send again; sign-ins are.
package backup

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/breakwater-sec/breakwater/datadir"
	"github.com/breakwater-sec/breakwater/store"
)

// Format is the version of archives that this program writes, and the newest it reads. Those of 1 have no authority
// that vouches for senders.
const Format = 2

// Names of files of an archive that are no files of the data folder.
const (
	manifestName = "breakwater.json"
	sumsName     = "sha256sums"
	databaseName = "breakwater.db"
)

// Manifest says what an archive is.
type Manifest struct {
	Format  int    `json:"format"`
	Version string `json:"version"` // of the program that wrote it
	Schema  int    `json:"schema"`  // of the records
	// Records are "sqlite" if they are in the archive, "postgres" if they are in a database
	// that has to be backed up with its own tools.
	Records string    `json:"records"`
	Made    time.Time `json:"made"`
}

// Write writes an archive of a data folder to a file that only its owner can read. The server
// may run and be busy.
func Write(ctx context.Context, file string, d datadir.Dir, version string) (m Manifest, err error) {
	st, err := d.Open(ctx)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	work, err := os.MkdirTemp(filepath.Dir(file), ".backup-*")
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	m = Manifest{Format: Format, Version: version, Records: "postgres", Made: time.Now().UTC()}
	if m.Schema, err = st.Schema(ctx); err != nil {
		return m, err
	}
	files := map[string]string{}
	switch err := st.CopyTo(ctx, filepath.Join(work, databaseName)); {
	case err == nil:
		m.Records, files[databaseName] = "sqlite", filepath.Join(work, databaseName)
	case !errors.Is(err, store.ErrNoFile):
		return m, err
	}
	for range tries {
		all, before := maps.Clone(files), advisories(d)
		if err := pick(string(d), all); err != nil {
			return m, err
		}
		err := datadir.WriteFile(file, func(w io.Writer) error { return writeArchive(ctx, w, m, all) })
		if err != nil || advisories(d) == before {
			return m, err
		}
	}
	return m, errors.Join(errors.New("advisories are imported all the time: back up when that is done"), os.Remove(file))
}

// tries is how often an archive is written anew because advisories were imported meanwhile:
// half of the old and half of the new are none.
const tries = 3

// advisories tells one state of the advisories from another.
func advisories(d datadir.Dir) string {
	var b strings.Builder
	files, _ := os.ReadDir(d.Advisories()) // none is a state too
	for _, f := range files {
		if info, err := f.Info(); err == nil {
			fmt.Fprintln(&b, f.Name(), info.Size(), info.ModTime().UnixNano())
		}
	}
	return b.String()
}

// pick finds what of a data folder belongs into an archive, by its name there.
func pick(dir string, files map[string]string) error {
	for _, pattern := range append(slices.Clone(single), "clusters/*.dump", "advisories/*") {
		found, _ := filepath.Glob(filepath.Join(dir, filepath.FromSlash(pattern))) // the pattern is well-formed
		for _, file := range found {
			info, err := os.Lstat(file)
			if errors.Is(err, fs.ErrNotExist) {
				continue // it was replaced
			}
			if err != nil {
				return err
			}
			name := path.Join(path.Dir(pattern), filepath.Base(file))
			if info.Mode().IsRegular() && known(name) {
				files[name] = file
			}
		}
	}
	return nil
}

// single are the files of a data folder of which there is one each, beside the records.
var single = []string{"owner", "authority/ca.crt", "authority/ca.key", "authority/clients.crt", "authority/clients.key"}

// known says that a file of an archive may have this name: it is all that decides where a
// file is written to.
func known(name string) bool {
	if name == databaseName || slices.Contains(single, name) {
		return true
	}
	folder, base := path.Split(name)
	if base == "" || len(base) > 200 || strings.HasPrefix(base, ".") || strings.Trim(base, letters) != "" {
		return false
	}
	return folder == "clusters/" && strings.HasSuffix(base, ".dump") || folder == "advisories/" && base != "lock"
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

func writeArchive(ctx context.Context, to io.Writer, m Manifest, files map[string]string) error {
	z := gzip.NewWriter(to)
	w := &archive{tar: tar.NewWriter(z), made: m.Made}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	if err := w.add(manifestName, int64(len(text)), bytes.NewReader(text)); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := w.addFile(name, files[name]); err != nil {
			return fmt.Errorf("back up %s: %w", name, err)
		}
	}
	sums := w.sums.String()
	if err := w.add(sumsName, int64(len(sums)), strings.NewReader(sums)); err != nil {
		return err
	}
	return errors.Join(w.tar.Close(), z.Close())
}

// archive is one that is written.
type archive struct {
	tar  *tar.Writer
	made time.Time
	sums strings.Builder
}

func (a *archive) addFile(name, file string) error {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it was replaced by one of another name since it was found
	}
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat() // a file that is replaced meanwhile stays as it was opened
	if err != nil {
		return err
	}
	return a.add(name, info.Size(), f)
}

func (a *archive) add(name string, size int64, from io.Reader) error {
	err := a.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600, ModTime: a.made.Truncate(time.Second)})
	if err != nil {
		return err
	}
	sum := sha256.New()
	if _, err := io.CopyN(io.MultiWriter(a.tar, sum), from, size); err != nil {
		return err
	}
	fmt.Fprintf(&a.sums, "%s  %s\n", hex.EncodeToString(sum.Sum(nil)), name)
	return nil
}
