package feed

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/breakwater-sec/breakwater/backoff"
	"github.com/breakwater-sec/breakwater/egress"
	"github.com/breakwater-sec/breakwater/vuln"
)

// Updater brings feeds into a database directory.
type Updater struct {
	// Dir is the database's. Folder is where what is fetched lies until it is read, and what is remembered of feeds.
	Dir, Folder string
	// Policy says what may be fetched from: a feed's own host is named by who lists it.
	Policy egress.Policy
	// Mirror is where all feeds are fetched instead, as Feed.Under reads it.
	Mirror string
	// Anyway takes a feed also where it holds far less than the one in force.
	Anyway bool
	// Attempts is how often a feed is asked before the next one; 4 if it is zero.
	Attempts int
	// Progress is told how each feed is read; nil for nobody.
	Progress func(vuln.Progress)
	// wait is backoff.Pause; tests have another.
	wait func(context.Context, time.Duration) bool
}

// Outcome is what came of one feed.
type Outcome struct {
	Feed string `json:"feed"`
	// Fresh says that it was fetched and is in force; otherwise it was the same, or Problem says why not.
	Fresh   bool   `json:"fresh"`
	Records int    `json:"records"`
	Bytes   int64  `json:"bytes,omitempty"`
	Problem string `json:"problem,omitempty"`
}

// least is how much of what is in force a newer feed has to hold: fewer records are a broken file more likely than news.
const least = 0.5

// Update fetches the feeds, one after the other, and puts each in force when it is whole. An error is for what concerns all of
// them; what concerns one is its outcome's.
func (u Updater) Update(ctx context.Context, feeds []Feed) ([]Outcome, error) {
	folder := u.Folder
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("fetch advisories: %w", err)
	}
	release, err := vuln.Lock(folder)
	if err != nil {
		return nil, fmt.Errorf("fetch advisories into %s: %w", u.Dir, err)
	}
	defer release()
	m, err := readMemory(folder)
	if err != nil {
		return nil, fmt.Errorf("fetch advisories: %w", err)
	}
	var out []Outcome
	for _, f := range feeds {
		k := m.of(f.Name)
		one, err := u.one(ctx, folder, f, k, func() error { return m.write(folder) })
		k.Problem = ""
		if err != nil {
			k.Problem = err.Error()
			one.Problem = k.Problem
		}
		out = append(out, one)
		if err := m.write(folder); err != nil {
			return out, fmt.Errorf("fetch advisories: %w", err)
		}
		if ctx.Err() != nil {
			return out, ctx.Err()
		}
	}
	return out, nil
}

// one fetches a feed and reads it into the database.
func (u Updater) one(ctx context.Context, folder string, f Feed, k *known, save func() error) (Outcome, error) {
	out := Outcome{Feed: f.Name}
	if u.Mirror != "" {
		mirrored, err := f.Under(u.Mirror)
		if err != nil {
			return out, err
		}
		f = mirrored
	}
	held, there, err := u.held(f.Name)
	if err != nil {
		return out, err
	}
	if !there { // what is not in force is not the same as last time
		k.Tag, k.Modified = "", ""
	}
	out.Records = held.Records + held.KEV + held.EPSS
	file := filepath.Join(folder, f.file())
	fresh, err := u.fetch(ctx, f, file, k, save)
	if err != nil || !fresh {
		if err == nil {
			k.Checked = time.Now().UTC()
		}
		return out, err
	}
	tag, modified := k.Tag, k.Modified
	k.Tag, k.Modified = "", "" // until it is in force
	defer os.Remove(file)
	if err := whole(file); err != nil {
		return out, err
	}
	status, err := vuln.Import(ctx, u.Dir, []vuln.Source{{Name: f.Name, Path: file, Accept: u.accept}}, u.Progress)
	if err != nil {
		return out, err
	}
	k.Tag, k.Modified, k.Fetched = tag, modified, time.Now().UTC()
	k.Checked = k.Fetched
	out.Fresh, out.Bytes = true, k.Bytes
	for _, s := range status.Sources {
		if s.Name == f.Name {
			out.Records = s.Records + s.KEV + s.EPSS
		}
	}
	return out, nil
}

// held is what is in force of a feed.
func (u Updater) held(name string) (vuln.SourceStatus, bool, error) {
	status, err := vuln.StatusOf(u.Dir)
	if err != nil {
		return vuln.SourceStatus{}, false, err
	}
	for _, s := range status.Sources {
		if s.Name == name {
			return s, true, nil
		}
	}
	return vuln.SourceStatus{}, false, nil
}

// fetch asks again, later each time, while that may help.
func (u Updater) fetch(ctx context.Context, f Feed, file string, k *known, save func() error) (fresh bool, err error) {
	host, err := f.host()
	if err != nil {
		return false, err
	}
	transport := u.Policy.With(host).Transport()
	defer transport.CloseIdle()
	client := &http.Client{Transport: transport.Files(host.Name)}
	ctx, cancel := context.WithTimeoutCause(ctx, longest, fmt.Errorf("it took more than %s", longest))
	defer cancel()
	wait, attempts := u.wait, u.Attempts
	if wait == nil {
		wait = backoff.Pause
	}
	if attempts == 0 {
		attempts = 4
	}
	for n := range attempts {
		fresh, err = f.download(ctx, client, file, k, save)
		var again errAgain
		if err == nil || !errors.As(err, &again) || ctx.Err() != nil || refused(err) || n == attempts-1 {
			break
		}
		if !wait(ctx, max(again.after, time.Second<<n)) {
			break
		}
	}
	if err != nil {
		return false, fmt.Errorf("%s: %w", f.URL, err)
	}
	return fresh, nil
}

func refused(err error) bool { var r *egress.Refused; return errors.As(err, &r) }

// older is by how much the newest record of a feed may be older than the one in force: a record may be taken back.
const older = 7 * 24 * time.Hour

// accept refuses what holds far less than what is in force, and what is of before: who can hand out an old file would have what
// became known since forgotten.
func (u Updater) accept(old, fresh vuln.SourceStatus) error {
	before, now := old.Records+old.KEV+old.EPSS, fresh.Records+fresh.KEV+fresh.EPSS
	newest := old.Newest
	if newest.After(old.ImportedAt) { // a record that says it is of the future holds nothing up
		newest = old.ImportedAt
	}
	switch {
	case u.Anyway:
		return nil
	case fresh.Newest.Before(newest.Add(-older)):
		if fresh.Newest.IsZero() {
			return errors.New("no record of it says when it was changed: the one in force stays (--anyway takes it)")
		}
		return fmt.Errorf("its newest record is of %s, and that of the one in force of %s: the one in force stays (--anyway takes it)",
			fresh.Newest.Format(time.DateOnly), newest.Format(time.DateOnly))
	case float64(now) >= least*float64(before):
		return nil
	}
	return fmt.Errorf("it holds %d records, and the one in force %d: the one in force stays (--anyway takes it)", now, before)
}

// whole reads an archive to its end, so that each member's sum is held to it before anything of it counts.
func whole(file string) error {
	if !strings.HasSuffix(file, ".zip") {
		return nil
	}
	archive, err := zip.OpenReader(file)
	if err != nil {
		return fmt.Errorf("want a zip archive: %w", err)
	}
	info, err := os.Stat(file)
	if err != nil {
		return errors.Join(err, archive.Close())
	}
	defer archive.Close()
	limits := vuln.DefaultLimits
	if len(archive.File) > limits.Files {
		return fmt.Errorf("want at most %d files in it", limits.Files)
	}
	left := min(limits.Total, limits.Slack+info.Size()*limits.Ratio)
	for _, member := range archive.File {
		r, err := member.Open()
		if err != nil {
			return fmt.Errorf("%s: %w", member.Name, err)
		}
		n, err := io.Copy(io.Discard, io.LimitReader(r, min(left, limits.Document)+1))
		if left -= n; err == nil && (left < 0 || n > limits.Document) {
			err = fmt.Errorf("want at most %d bytes in one record and %d in all", limits.Document, limits.Total)
		}
		_ = r.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", member.Name, err)
		}
	}
	return nil
}

// memory is what is known of every feed, in a file beside what is fetched.
type memory map[string]*known

const memoryName = "feeds.json"

func (m memory) of(name string) *known {
	if m[name] == nil {
		m[name] = &known{}
	}
	return m[name]
}

func readMemory(folder string) (memory, error) {
	m := memory{}
	data, err := os.ReadFile(filepath.Join(folder, memoryName))
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return nil, err
	}
	if json.Unmarshal(data, &m) != nil || m == nil {
		return memory{}, nil // every feed is asked for as a whole
	}
	return m, nil
}

// write replaces the file: it is the old one or the new one also after a kill.
func (m memory) write(folder string) error {
	data, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return err
	}
	name := filepath.Join(folder, memoryName)
	if err := os.WriteFile(name+".new", data, 0o600); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}
