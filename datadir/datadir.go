// Package datadir is the folder in which a server keeps what must outlive it, and how
// other commands on the machine find the server.
package datadir

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Dir is where a server keeps what must outlive it.
type Dir string

// Default is ~/.local/share/breakwater, or what XDG_DATA_HOME says.
func Default() string {
	if d := os.Getenv("XDG_DATA_HOME"); d != "" {
		return filepath.Join(d, "breakwater")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ".breakwater"
	}
	return filepath.Join(home, ".local", "share", "breakwater")
}

func (d Dir) Database() string    { return filepath.Join(string(d), "breakwater.db") }
func (d Dir) Advisories() string  { return filepath.Join(string(d), "advisories") }
func (d Dir) Feeds() string       { return filepath.Join(string(d), "feeds") }
func (d Dir) SigningKey() string  { return filepath.Join(string(d), "advisories.key") }
func (d Dir) Authority() string   { return filepath.Join(string(d), "authority") }
func (d Dir) RunningFile() string { return filepath.Join(string(d), "server.json") }

// Sample is the folder of the sample estate alone: nothing of it lies where a user's data does.
func (d Dir) Sample() Dir { return Dir(filepath.Join(string(d), "sample")) }

// Dump is the file of a cluster's saved facts; names of clusters are free text.
func (d Dir) Dump(cluster string) string {
	safe := strings.Map(func(r rune) rune {
		if r == '-' || r == '.' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			return r
		}
		return '_'
	}, cluster)
	return filepath.Join(string(d), "clusters", fmt.Sprintf("%s-%08x.dump", safe, hash32(cluster)))
}

func hash32(s string) uint32 { // FNV-1a: keeps two odd names apart
	h := uint32(2166136261)
	for i := range len(s) {
		h = (h ^ uint32(s[i])) * 16777619
	}
	return h
}

// Owner names this folder's server among those that share a database, the same after
// every restart.
func (d Dir) Owner() (string, error) {
	file := filepath.Join(string(d), "owner")
	name, err := os.ReadFile(file)
	if err == nil && len(name) > 0 {
		return string(name), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read who owns the data folder: %w", err)
	}
	made := rand.Text()
	if err := os.WriteFile(file, []byte(made), 0o600); err != nil {
		return "", fmt.Errorf("name the owner of the data folder: %w", err)
	}
	return made, nil
}

// Lock makes the folder this process's own until the returned func is called.
func (d Dir) Lock() (func(), error) {
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(string(d), "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the data folder: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("another breakwater is using %s: stop it, or give this one its own folder with --data", d)
	}
	return func() { _ = f.Close() }, nil
}

// WriteFiles puts files into a folder, readable by their owner alone.
func WriteFiles(dir string, files map[string][]byte) error {
	for name, content := range files {
		if err := WriteFile(filepath.Join(dir, name), func(w io.Writer) error { _, err := w.Write(content); return err }); err != nil {
			return err
		}
	}
	return nil
}

// WriteFile replaces a file so that a reader, or the next start after kill -9
// or power loss, sees the old content or the new, never half.
func WriteFile(file string, write func(io.Writer) error) error {
	dir := filepath.Dir(file)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone already when all went well
	if err := errors.Join(write(f), f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	if err := os.Rename(f.Name(), file); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Running is what a server tells other commands on this machine.
type Running struct {
	URL string `json:"url"`
	PID int    `json:"pid"`
	// Ingest is where clusters send events, empty if none are taken.
	Ingest string `json:"ingest,omitempty"`
	// Store is where its records are, without a password; empty if in the folder.
	Store string `json:"store,omitempty"`
}

func (d Dir) Announce(r Running) error {
	return WriteFile(d.RunningFile(), func(w io.Writer) error { return json.NewEncoder(w).Encode(r) })
}

var ErrNoServer = errors.New("no server is running")

// Served is the folder that a server runs on: this one, or the sample's if only the sample is served.
func (d Dir) Served() (at Dir, sample bool) {
	if _, err := os.Stat(d.RunningFile()); err == nil {
		return d, false
	}
	if _, err := os.Stat(d.Sample().RunningFile()); err == nil {
		return d.Sample(), true
	}
	return d, false
}

// Server is the running server of this folder.
func (d Dir) Server() (Running, error) {
	var r Running
	b, err := os.ReadFile(d.RunningFile())
	if errors.Is(err, fs.ErrNotExist) {
		return r, fmt.Errorf("%w on %s: start one with breakwater serve, or give --from", ErrNoServer, d)
	}
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return r, fmt.Errorf("read %s: %w", d.RunningFile(), err)
	}
	return r, nil
}
