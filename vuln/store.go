package vuln

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A database directory holds one table per source and a manifest that names the
// tables in force. Tables never change; the manifest is replaced by a rename.
// So a reader that opens the directory sees the old state or the new one, also after
// a kill at any moment.
const (
	manifestName  = "advisories.json"
	formatVersion = 1
	tableSuffix   = ".advisories"
	// readingVersion is how sources are read: what was read in another way is read again.
	readingVersion = 3
)

type manifest struct {
	Format int         `json:"format"`
	Tables []tableFile `json:"tables"`
}

type tableFile struct {
	File string `json:"file"`
	// Fingerprint is of the source's content: the same again is not read twice.
	Fingerprint string       `json:"fingerprint"`
	Status      SourceStatus `json:"status"`
	// Previous is what was in force before; its file is kept.
	Previous *tableFile `json:"previous,omitempty"`
}

// files are those of the table and of the one before it.
func (t tableFile) files() []string {
	if t.Previous == nil {
		return []string{t.File}
	}
	return []string{t.File, t.Previous.File}
}

// Open opens a database directory. One that nothing was imported into yet, or
// that does not exist, is an empty database: every package is then a gap.
func Open(dir string) (*DB, error) {
	db, err := open(dir)
	if errors.Is(err, fs.ErrNotExist) {
		db, err = open(dir) // an import replaced a table between manifest and table
	}
	return db, err
}

func open(dir string) (*DB, error) {
	m, err := readManifest(dir)
	if err != nil {
		return nil, err
	}
	db := &DB{}
	var tables []*table
	db.close = func() error {
		var errs []error
		for _, t := range tables {
			errs = append(errs, t.Close())
		}
		return errors.Join(errs...)
	}
	var sources []SourceStatus
	for _, each := range m.Tables {
		t, err := openTable(filepath.Join(dir, filepath.Base(each.File)))
		if err != nil {
			return nil, errors.Join(fmt.Errorf("open advisories: %w", err), db.close())
		}
		tables = append(tables, t)
		db.sources = append(db.sources, t)
		sources = append(sources, each.Status)
	}
	db.status = summarise(sources)
	return db, nil
}

// locked reads a database directory that nobody else changes until unlock is called. doing begins what is said if it cannot be.
func locked(dir, doing string) (m manifest, unlock func(), err error) {
	if unlock, err = Lock(dir); err != nil {
		return m, nil, fmt.Errorf("%s %s: %w", doing, dir, err)
	}
	if m, err = readManifest(dir); err != nil {
		unlock()
		return m, nil, err
	}
	return m, unlock, nil
}

func readManifest(dir string) (manifest, error) {
	data, err := os.ReadFile(filepath.Join(dir, manifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return manifest{Format: formatVersion}, nil
	}
	if err != nil {
		return manifest{}, fmt.Errorf("open advisories: %w", err)
	}
	var m manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return manifest{}, fmt.Errorf("open advisories: %s: want the list of tables that an import writes: %w",
			filepath.Join(dir, manifestName), err)
	}
	if m.Format != formatVersion {
		return manifest{}, fmt.Errorf("open advisories: %s: want format %d, got %d; remove the directory and import again", dir,
			formatVersion, m.Format)
	}
	return m, nil
}

// write replaces the manifest; when it returns, the new state survives power loss.
func (m manifest) write(dir string) error {
	data, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return err
	}
	name := filepath.Join(dir, manifestName)
	f, err := os.Create(name + ".new")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(name+".new", name); err != nil {
		return err
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// sweep removes tables that the manifest does not name and what a killed import
// left behind. A reader that has an old table open keeps reading it.
func (m manifest) sweep(dir string) error {
	names, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, each := range names {
		inForce := slices.ContainsFunc(m.Tables, func(t tableFile) bool { return slices.Contains(t.files(), each.Name()) })
		ours := strings.HasSuffix(each.Name(), tableSuffix) || strings.HasPrefix(each.Name(), "import-")
		if ours && !inForce {
			errs = append(errs, os.RemoveAll(filepath.Join(dir, each.Name())))
		}
	}
	return errors.Join(errs...)
}
