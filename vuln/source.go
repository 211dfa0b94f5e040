package vuln

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/bzip2"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"sigs.k8s.io/yaml"

	"github.com/breakwater-sec/breakwater/strictyaml"
)

// Limits bound what a source may make us do; hostile archives expand without end.
type Limits struct {
	// Document is the largest single record or file held in memory.
	Document int64
	// Total is the most bytes read from one source after decompression.
	Total int64
	// Files is the most files or members of one source.
	Files int
	// Archive is the largest archive read from an fs.FS that cannot seek.
	Archive int64
	// Ratio is how many times its size an archive may unpack to, beyond Slack bytes.
	Ratio, Slack int64
}

// DefaultLimits hold all of OSV's published data with room to spare.
var DefaultLimits = Limits{Document: 16 << 20, Total: 128 << 30, Files: 10_000_000, Archive: 256 << 20, Ratio: 300, Slack: 256 << 20}

// intake reads one source and files what it finds.
type intake struct {
	ctx    context.Context
	limits Limits
	put    func(key string, value []byte) error
	status *SourceStatus
	// progress is called now and then with what was read so far.
	progress func(SourceStatus)
	read     int64
	files    int
	// allowed is where read ends for the archive at hand; 0 is no such bound.
	allowed int64
	// known counts the files whose kind we read.
	known int
}

// errNothing is what an import says of a place without advisories.
var errNothing = errors.New("want OSV records (.json, .yaml, .zip, .tar.gz, .tar.zst), CISA's catalogue, VEX documents or Photon's list " +
	"(.json), updates of a distribution (.xml) or EPSS scores (.csv), found none")

// errStop ends a source: the store failed, a bound was passed or the caller left.
type errStop struct{ error }

func stop(err error) error { return errStop{err} }

func (e errStop) Unwrap() error { return e.error }

// tree reads every file under a directory, in name order.
func (in *intake) tree(fsys fs.FS, root, shown string) error {
	return fs.WalkDir(fsys, root, func(name string, d fs.DirEntry, err error) error {
		at := path.Join(shown, name)
		switch {
		case err != nil:
			in.status.unread(at, err)
			if name == root {
				return stop(fmt.Errorf("read %s: %w", at, err))
			}
			return nil
		case d.IsDir() && name != root && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case d.IsDir():
			return nil
		}
		// A link leads to a file, as those of a mounted ConfigMap do; a folder behind one is not followed.
		info, err := fs.Stat(fsys, name)
		switch {
		case err != nil:
			in.status.unread(at, err)
			return nil
		case info.IsDir() && strings.HasPrefix(d.Name(), "."):
			return nil
		case !info.Mode().IsRegular():
			in.status.unread(at, fmt.Errorf("want a regular file, not %s", info.Mode().Type()))
			return nil
		}
		f, err := fsys.Open(name)
		if err != nil {
			in.status.unread(at, err)
			return nil
		}
		defer f.Close()
		return in.open(at, f)
	})
}

// open reads a file that may be an archive. Only reasons to stop are returned;
// anything else wrong with the file is counted against it.
func (in *intake) open(name string, f fs.File) error {
	switch low := strings.ToLower(name); {
	case strings.HasSuffix(low, ".zip"):
		return in.archive(name, f, func() error { return in.zip(name, f) })
	case strings.HasSuffix(low, ".tar.gz"), strings.HasSuffix(low, ".tgz"), strings.HasSuffix(low, ".tar.zst"):
		return in.archive(name, f, func() error { return in.tarball(name, f) })
	default:
		return in.file(name, f)
	}
}

// archive bounds what an archive unpacks to by its size, and notes one that held
// nothing of any kind we read.
func (in *intake) archive(name string, f fs.File, read func() error) error {
	if info, err := f.Stat(); err == nil && in.limits.Ratio > 0 {
		in.allowed = in.read + in.limits.Slack + info.Size()*in.limits.Ratio
		defer func() { in.allowed = 0 }()
	}
	known, skipped := in.known, in.status.SkippedCount
	if err := read(); err != nil {
		return err
	}
	if in.known == known && in.status.SkippedCount == skipped {
		in.status.unread(name, errNothing)
	}
	return nil
}

func (in *intake) zip(name string, f fs.File) error {
	archive, err := in.openZip(f)
	if err != nil {
		in.status.unread(name, fmt.Errorf("want a zip archive: %w", err))
		return nil
	}
	for _, member := range archive.File {
		if member.FileInfo().IsDir() {
			continue
		}
		at := name + "!" + member.Name
		r, err := member.Open()
		if err != nil {
			in.status.unread(at, err)
			continue
		}
		err = in.file(at, r)
		_ = r.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// openZip uses the file in place if it can seek, else a bounded copy in memory.
func (in *intake) openZip(f fs.File) (*zip.Reader, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if at, ok := f.(io.ReaderAt); ok {
		return zip.NewReader(at, info.Size())
	}
	data, err := readAll(f, in.limits.Archive)
	if err != nil {
		return nil, err
	}
	return zip.NewReader(bytes.NewReader(data), int64(len(data)))
}

func (in *intake) tarball(name string, f io.Reader) error {
	unzipped, _, closeIt, err := unpacked(strings.ToLower(name), f)
	if err != nil {
		in.status.unread(name, fmt.Errorf("want a packed tar archive: %w", err))
		return nil
	}
	defer closeIt()
	archive := tar.NewReader(in.counted(unzipped))
	for {
		header, err := archive.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, new(errStop)):
			return err
		case err != nil:
			in.status.unread(name, fmt.Errorf("want a packed tar archive: %w; the rest of it was not read", err))
			return nil
		case header.Typeflag == tar.TypeDir || header.Typeflag == tar.TypeXGlobalHeader:
			continue
		case header.Typeflag != tar.TypeReg:
			in.status.unread(name+"!"+header.Name, fmt.Errorf("want a regular file, not an entry of type %q", header.Typeflag))
			continue
		}
		if err := in.file(name+"!"+header.Name, archive); err != nil {
			return err
		}
	}
}

// file reads one document; other kinds of files (licences, readmes) are passed over.
func (in *intake) file(name string, r io.Reader) error {
	if err := in.ctx.Err(); err != nil {
		return stop(err)
	}
	if in.files++; in.files > in.limits.Files {
		return stop(fmt.Errorf("%s: want at most %d files in a source", name, in.limits.Files))
	}
	r, low, closeIt, err := unpacked(strings.ToLower(name), r)
	if err != nil {
		in.status.unread(name, err)
		return nil
	}
	defer closeIt()
	var read func(string, io.Reader) error
	switch path.Ext(low) {
	case ".json", ".jsonl", ".ndjson":
		read = in.json
	case ".yaml", ".yml":
		read = in.yaml
	case ".csv":
		read = in.epss
	case ".xml":
		read = in.xml
	default:
		in.status.Passed++
		return nil
	}
	in.known++
	err = read(name, in.counted(r))
	if errors.As(err, new(errStop)) {
		return err
	}
	if err != nil {
		in.status.unread(name, err)
	}
	if in.progress != nil && in.files%1000 == 0 {
		in.progress(*in.status)
	}
	return nil
}

// unpacked is what a file holds that its name says to be packed, and its name without that.
func unpacked(low string, r io.Reader) (io.Reader, string, func(), error) {
	switch path.Ext(low) {
	case ".gz", ".tgz":
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, low, nil, fmt.Errorf("want gzip: %w", err)
		}
		return z, strings.TrimSuffix(low, ".gz"), func() { _ = z.Close() }, nil
	case ".bz2":
		return bzip2.NewReader(r), strings.TrimSuffix(low, ".bz2"), func() {}, nil
	case ".zst":
		z, err := zstd.NewReader(r, zstd.WithDecoderMaxMemory(mostWindow), zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, low, nil, fmt.Errorf("want zstd: %w", err)
		}
		return z, strings.TrimSuffix(low, ".zst"), z.Close, nil
	}
	return r, low, func() {}, nil
}

// mostWindow is the memory that a packed file may want of who unpacks it.
const mostWindow = 128 << 20

func (in *intake) yaml(name string, r io.Reader) error {
	data, err := readAll(r, min(in.limits.Document, 4<<20))
	if err != nil {
		return err
	}
	if err := strictyaml.Spelled(data, in.limits.Document); err != nil {
		return err
	}
	text, err := yaml.YAMLToJSON(data)
	if err != nil {
		return fmt.Errorf("want an OSV record as YAML: %w", err)
	}
	return in.document(name, name, text)
}

// counted adds what is read to the source's total and stops at its bound.
func (in *intake) counted(r io.Reader) io.Reader { return &meter{r, in} }

type meter struct {
	r  io.Reader
	in *intake
}

func (m *meter) Read(p []byte) (int, error) {
	if m.in.read > m.in.limits.Total {
		return 0, stop(fmt.Errorf("want at most %d bytes in a source", m.in.limits.Total))
	}
	if m.in.allowed > 0 && m.in.read > m.in.allowed {
		return 0, stop(fmt.Errorf("want an archive that unpacks to at most %d times its size", m.in.limits.Ratio))
	}
	n, err := m.r.Read(p)
	m.in.read += int64(n)
	return n, err
}

// readAll reads up to a bound and refuses more.
func readAll(r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("want at most %d bytes", limit)
	}
	return data, nil
}
