package vuln

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/cespare/xxhash/v2"
)

// Source is a file or directory of advisories: OSV records as JSON or YAML, zip
// and tar.gz archives of them, CISA's catalogue (JSON), EPSS scores (CSV), VEX documents
// (OpenVEX, CycloneDX).
type Source struct {
	// Name identifies the source; importing the name again replaces it. Empty
	// means the absolute path.
	Name string
	Path string
	// FS is read instead of Path if set.
	FS fs.FS
	// Accept says, if set, why what was read is not to take the place of what the source brought before.
	Accept func(before, now SourceStatus) error
}

// Progress is how far an import has come.
type Progress struct {
	// Source is number Number of Of.
	Source     string
	Number, Of int
	// Status counts what was read of the source so far.
	Status SourceStatus
	// Unchanged says that the source was imported before and not read again.
	Unchanged bool
	Done      bool
}

// Import reads sources into a database directory and returns what it then holds.
// Sources imported before and unchanged are not read again; other sources of the
// directory stay. Each source takes effect, whole, when it is read: an import
// that was cut off goes on where it was. What cannot be read inside a source is
// counted and skipped; a source with nothing readable is an error and leaves
// what the directory held of it.
func Import(ctx context.Context, dir string, sources []Source, progress func(Progress)) (Status, error) {
	if progress == nil {
		progress = func(Progress) {}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return Status{}, fmt.Errorf("import advisories: %w", err)
	}
	m, unlock, err := locked(dir, "import advisories into")
	if err != nil {
		return Status{}, err
	}
	defer unlock()
	if err := m.sweep(dir); err != nil {
		return Status{}, fmt.Errorf("import advisories: %w", err)
	}
	var errs []error
	for i, s := range sources {
		if s.Name == "" {
			s.Name = nameOf(s.Path)
		}
		report := func(p Progress) { p.Source, p.Number, p.Of = s.Name, i+1, len(sources); progress(p) }
		if err := m.importSource(ctx, dir, s, report); err != nil {
			errs = append(errs, fmt.Errorf("import advisories from %s: %w", s.Name, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	return m.status(), errors.Join(errs...)
}

// Forget removes a source from a database directory.
func Forget(dir, name string) error {
	m, unlock, err := locked(dir, "forget advisories in")
	if err != nil {
		return err
	}
	defer unlock()
	for i, t := range m.Tables {
		if t.Status.Name == name {
			m.Tables = append(m.Tables[:i], m.Tables[i+1:]...)
			return errors.Join(m.write(dir), m.sweep(dir))
		}
	}
	return fmt.Errorf("forget advisories in %s: no source is named %q", dir, name)
}

func nameOf(path string) string {
	if absolute, err := filepath.Abs(path); err == nil {
		return absolute
	}
	return path
}

func (m manifest) status() Status {
	var sources []SourceStatus
	for _, t := range m.Tables {
		sources = append(sources, t.Status)
	}
	return summarise(sources)
}

// importSource reads one source into a new table and puts it in force.
func (m *manifest) importSource(ctx context.Context, dir string, s Source, report func(Progress)) error {
	print, err := s.fingerprint()
	if err != nil {
		return err
	}
	for _, t := range m.Tables {
		if t.Status.Name == s.Name && t.Fingerprint == print {
			report(Progress{Status: t.Status, Unchanged: true, Done: true})
			return nil
		}
	}
	work, err := os.MkdirTemp(dir, "import-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	status, err := s.compile(ctx, work, report)
	if err != nil {
		return err
	}
	if s.Accept != nil {
		for _, t := range m.Tables {
			if t.Status.Name != s.Name {
				continue
			}
			if err := s.Accept(t.Status, status); err != nil {
				return err
			}
		}
	}
	file := print + "-" + strconv.FormatInt(status.ImportedAt.UnixNano(), 36) + tableSuffix
	if err := os.Rename(filepath.Join(work, "table"), filepath.Join(dir, file)); err != nil {
		return err
	}
	m.put(tableFile{File: file, Fingerprint: print, Status: status})
	if err := m.write(dir); err != nil {
		return err
	}
	report(Progress{Status: status, Done: true})
	return m.sweep(dir)
}

// put replaces the source's table, or appends it: later sources win ties. The one that was in force is kept beside it.
func (m *manifest) put(t tableFile) {
	for i := range m.Tables {
		if m.Tables[i].Status.Name == t.Status.Name {
			before := m.Tables[i]
			before.Previous = nil
			t.Previous = &before
			m.Tables[i] = t
			return
		}
	}
	m.Tables = append(m.Tables, t)
}

// Restore puts in force what a source brought before it was imported last; doing so again undoes it.
func Restore(dir, name string) error {
	m, unlock, err := locked(dir, "restore advisories in")
	if err != nil {
		return err
	}
	defer unlock()
	for i, t := range m.Tables {
		if t.Status.Name != name {
			continue
		}
		if t.Previous == nil {
			return fmt.Errorf("restore advisories in %s: %q was imported once only", dir, name)
		}
		m.put(*t.Previous)
		m.Tables[i].Previous.Previous = nil
		return m.write(dir)
	}
	return fmt.Errorf("restore advisories in %s: no source is named %q", dir, name)
}

// StatusOf is what a database directory holds, without opening its tables.
func StatusOf(dir string) (Status, error) {
	m, err := readManifest(dir)
	return m.status(), err
}

// compile reads the source and writes its table in the work directory.
func (s Source) compile(ctx context.Context, work string, report func(Progress)) (SourceStatus, error) {
	status := SourceStatus{Name: s.Name, Path: s.Path, ImportedAt: time.Now().UTC().Truncate(time.Second)}
	sorted := &sorter{dir: work, budget: sortBudget}
	in := &intake{ctx: ctx, limits: DefaultLimits, put: sorted.add, status: &status,
		progress: func(now SourceStatus) { report(Progress{Status: now}) }}
	if err := s.read(in); err != nil {
		return status, err
	}
	if status.Records+status.Withdrawn+status.KEV+status.EPSS+status.VEX == 0 {
		return status, nothingIn(status)
	}
	var err error
	status.Bytes, err = sorted.writeTable(filepath.Join(work, "table"), &status)
	return status, err
}

func nothingIn(status SourceStatus) error {
	if len(status.Skipped) > 0 {
		return fmt.Errorf("nothing in it could be read: %s: %s", status.Skipped[0].File, status.Skipped[0].Why)
	}
	return errNothing
}

// read walks a directory, or opens a single file.
func (s Source) read(in *intake) error {
	if s.FS != nil {
		return in.tree(s.FS, ".", s.Name)
	}
	info, err := os.Stat(s.Path)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return in.tree(os.DirFS(s.Path), ".", s.Path)
	}
	f, err := os.Open(s.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	return in.open(s.Path, f)
}

func (s *sorter) writeTable(name string, status *SourceStatus) (int64, error) {
	f, err := os.Create(name)
	if err != nil {
		return 0, err
	}
	buffered := bufio.NewWriterSize(f, 1<<20)
	size, err := s.fill(buffered, status)
	return size, errors.Join(err, buffered.Flush(), f.Sync(), f.Close())
}

func (s *sorter) fill(w *bufio.Writer, status *SourceStatus) (int64, error) {
	out, err := newTableWriter(w)
	if err != nil {
		return 0, err
	}
	chosen := &revisionChooser{status: status, emit: out.add}
	if err := s.merge(chosen.add); err != nil {
		return 0, err
	}
	if err := chosen.flush(); err != nil {
		return 0, err
	}
	return out.finish()
}

// fingerprint tells whether a source has changed: names, sizes and times of its
// files, or its bytes where the file system has no times (embedded files).
func (s Source) fingerprint() (string, error) {
	fsys, root := s.FS, "."
	if fsys == nil {
		fsys, root = os.DirFS(filepath.Dir(nameOf(s.Path))), filepath.Base(nameOf(s.Path))
	}
	hash := xxhash.New()
	err := fs.WalkDir(fsys, root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := fs.Stat(fsys, name)
		if err != nil || !info.Mode().IsRegular() {
			return nil // reading it says so
		}
		fmt.Fprintf(hash, "%s %d %d\n", name, info.Size(), info.ModTime().UnixNano())
		if s.FS != nil {
			data, err := fs.ReadFile(fsys, name)
			_, _ = hash.Write(data)
			return err
		}
		return nil
	})
	return fmt.Sprintf("%d-%016x", readingVersion, hash.Sum64()), err
}
