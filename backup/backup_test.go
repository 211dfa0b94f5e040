package backup

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/datadir"
	"github.com/breakwater-sec/breakwater/store"
)

// folder is a data folder as a server leaves it, with one alert that somebody dismissed.
func folder(t *testing.T) (datadir.Dir, *store.Store) {
	t.Helper()
	d := datadir.Dir(filepath.Join(t.TempDir(), "data"))
	for name, content := range map[string]string{"owner": "me", "authority/ca.crt": "cert", "authority/ca.key": "key",
		"authority/clients.crt": "cert of senders", "authority/clients.key": "key of senders",
		"clusters/prod-1.dump": "facts", "advisories/manifest.json": "{}", "advisories/lock": "", "lock": "", "ballast": "000",
		"server.json": "{}", "events/jetstream/x": "waiting", "clusters/.new-1": "half"} {
		write(t, filepath.Join(string(d), name), content)
	}
	st, err := store.Open(t.Context(), d.Database())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	putAlert(t, st, "first")
	drill := store.AlertChange{Status: new(store.AlertDismissed), Reason: "a drill", By: "alice"}
	if err := st.ChangeAlert(t.Context(), "prod", "first", drill); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(d.RunningFile()); err != nil {
		t.Fatal(err)
	}
	return d, st
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(content), 0o600)); err != nil {
		t.Fatal(err)
	}
}

func putAlert(t *testing.T, st *store.Store, id string) {
	t.Helper()
	err := st.PutAnalysed(t.Context(), store.Analysed{Cluster: "prod", Alerts: []store.AlertSeen{{Cluster: "prod", ID: id, Rule: "r",
		Severity: "high", FirstSeen: time.Now(), LastSeen: time.Now(), Events: []string{id}, Body: []byte(`{"title":"t"}`)}}})
	if err != nil {
		t.Error(err)
	}
}

func TestWhatIsRestoredIsWhatWasThereWhileTheServerWasBusy(t *testing.T) {
	d, st := folder(t)
	token, err := st.NewIngestToken(t.Context(), store.IngestToken{Cluster: "prod", Kind: "audit"})
	if err != nil {
		t.Fatal(err)
	}
	before := 20
	for i := range before {
		putAlert(t, st, fmt.Sprint("before", i))
	}
	var busy sync.WaitGroup
	stop := make(chan struct{})
	busy.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				putAlert(t, st, fmt.Sprint("during", i))
			}
		}
	})
	file := filepath.Join(t.TempDir(), "backup.tar.gz")
	m, err := Write(t.Context(), file, d, "v1")
	close(stop)
	busy.Wait()
	if err != nil || m.Records != "sqlite" || m.Format != Format {
		t.Fatalf("%+v, %v", m, err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v: want a file that its owner alone reads", info.Mode(), err)
	}
	to := datadir.Dir(filepath.Join(t.TempDir(), "deep", "restored"))
	if m, err = Restore(t.Context(), file, to); err != nil || m.Version != "v1" {
		t.Fatalf("%+v, %v", m, err)
	}
	for name, want := range map[string]string{"owner": "me", "authority/ca.key": "key", "clusters/prod-1.dump": "facts",
		"authority/clients.crt": "cert of senders", "authority/clients.key": "key of senders", "advisories/manifest.json": "{}"} {
		if got, err := os.ReadFile(filepath.Join(string(to), name)); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	err = filepath.WalkDir(string(to), func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if info, err := e.Info(); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is for others too: %v, %v", path, info.Mode(), err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	for _, none := range []string{"events", "ballast", "lock", "server.json", "advisories/lock"} {
		if _, err := os.Stat(filepath.Join(string(to), none)); err == nil {
			t.Errorf("%s is in the backup", none)
		}
	}
	again, err := store.Open(t.Context(), to.Database())
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if a, err := again.Alert(t.Context(), "prod", "first"); err != nil || a.Status != store.AlertDismissed || a.DecidedBy != "alice" {
		t.Errorf("%+v, %v", a, err)
	}
	if of, err := again.IngestToken(t.Context(), token); err != nil || of.Cluster != "prod" {
		t.Errorf("%+v, %v", of, err)
	}
	for i := range before {
		if _, err := again.Alert(t.Context(), "prod", fmt.Sprint("before", i)); err != nil {
			t.Errorf("alert %d: %v", i, err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(file), ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestNothingIsRestoredOverWhatIsThere(t *testing.T) {
	d, _ := folder(t)
	file := filepath.Join(t.TempDir(), "b")
	if _, err := Write(t.Context(), file, d, "v1"); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(t.Context(), file, d); err == nil || !strings.Contains(err.Error(), "is not empty") {
		t.Errorf("a folder with a server's data: %v", err)
	}
	vacant := t.TempDir()
	if _, err := Restore(t.Context(), file, datadir.Dir(vacant)); err != nil {
		t.Errorf("an empty folder: %v", err)
	}
}

// entry is a file of an archive that somebody made up.
type entry struct {
	name, content string
	kind          byte
	link          string
}

func made(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Size: int64(len(e.content)), Typeflag: tar.TypeReg, Linkname: e.link, Mode: 0o777}
		if e.kind != 0 {
			h.Typeflag, h.Size = e.kind, 0
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			if _, err := w.Write([]byte(e.content)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// summed adds the checksums of files, as they should be.
func summed(entries ...entry) []entry {
	var b strings.Builder
	for _, e := range entries {
		sum := sha256.Sum256([]byte(e.content))
		fmt.Fprintf(&b, "%s  %s\n", hex.EncodeToString(sum[:]), e.name)
	}
	return append(entries, entry{name: sumsName, content: b.String()})
}

var head = entry{name: manifestName, content: `{"format":1,"schema":1,"records":"postgres"}`}

func TestAnArchiveThatIsNoneOfOursWritesNothingOutsideItsFolder(t *testing.T) {
	owner := entry{name: "owner", content: "me"}
	for name, c := range map[string]struct {
		archive []byte
		want    string
	}{
		"no archive":       {[]byte("hello"), "not a backup"},
		"nothing":          {nil, "not a backup"},
		"no manifest":      {made(t, summed(owner)...), "does not begin with"},
		"no JSON":          {made(t, entry{name: manifestName, content: "{"}), "read breakwater.json"},
		"a format to come": {made(t, entry{name: manifestName, content: `{"format":3}`}), "use the newer program"},
		"a schema to come": {made(t, entry{name: manifestName, content: `{"format":1,"schema":9999,"records":"sqlite"}`}),
			"use the newer program"},
		"no end":                 {made(t, head, owner), "ends too early"},
		"a path upwards":         {made(t, summed(head, entry{name: "../owner", content: "x"})...), "not a name of it"},
		"a path from the root":   {made(t, summed(head, entry{name: "/tmp/owner", content: "x"})...), "not a name of it"},
		"a path through another": {made(t, summed(head, entry{name: "clusters/../../x.dump", content: "x"})...), "not a name of it"},
		"a hidden file":          {made(t, summed(head, entry{name: "clusters/.dump", content: "x"})...), "not a name of it"},
		"a file of another name": {made(t, summed(head, entry{name: "server.json", content: "x"})...), "not a name of it"},
		"a link":                 {made(t, head, entry{name: "owner", kind: tar.TypeSymlink, link: "/etc/passwd"}), "no regular file"},
		"a hard link":            {made(t, head, entry{name: "owner", kind: tar.TypeLink, link: "/etc/passwd"}), "no regular file"},
		"a device":               {made(t, head, entry{name: "owner", kind: tar.TypeChar}), "no regular file"},
		"a folder":               {made(t, head, entry{name: "clusters/", kind: tar.TypeDir}), "no regular file"},
		"the same twice":         {made(t, summed(head, owner, owner)...), "not in order"},
		"another order":          {made(t, summed(head, owner, entry{name: "authority/ca.key", content: "k"})...), "not in order"},
		"another content": {made(t, head, entry{name: "owner", content: "ym"}, summed(head, owner)[2]),
			"damaged or changed"},
		"sums of other files": {made(t, append([]entry{head, owner}, summed(head)[1])...), "checksums are of other files"},
		"an owner that fills the memory": {made(t, summed(head, entry{name: "owner", content: strings.Repeat("x", 64<<10+1)})...),
			"want at most 65536"},
		"something after":        {made(t, append(summed(head, owner), owner)...), "something follows"},
		"records where none are": {made(t, summed(head, entry{name: databaseName, content: "x"})...), "records are not what"},
		"more than there is":     {made(t, summed(head, entry{name: "owner", content: strings.Repeat("x", 5000)})...), "bigger than the room"},
	} {
		around := t.TempDir()
		dir := filepath.Join(around, "work")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if _, err := read(t.Context(), bytes.NewReader(c.archive), dir, 4096); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", name, err, c.want)
		}
		if there, _ := os.ReadDir(around); len(there) != 1 {
			t.Errorf("%s: %v lies beside the folder", name, there)
		}
		file, to := filepath.Join(t.TempDir(), "b"), filepath.Join(t.TempDir(), "to")
		write(t, file, string(c.archive))
		if name == "more than there is" { // there is, in earnest
			continue
		}
		if _, err := Restore(t.Context(), file, datadir.Dir(to)); err == nil {
			t.Errorf("%s is restored", name)
		}
		if left, _ := os.ReadDir(filepath.Dir(to)); len(left) > 0 {
			t.Errorf("%s leaves %v behind", name, left)
		}
	}
}

// Whatever an archive says, at most so much is written, under names that are known.
func FuzzRestore(f *testing.F) {
	f.Add(made(f, summed(head, entry{name: "authority/ca.key", content: "k"}, entry{name: "owner", content: "me"})...))
	f.Add(made(f, head, entry{name: "../x", content: "x"}))
	f.Add([]byte("\x1f\x8b"))
	f.Fuzz(func(t *testing.T, archive []byte) {
		around := t.TempDir()
		dir := filepath.Join(around, "work")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		_, _ = read(t.Context(), bytes.NewReader(archive), dir, 1<<16)
		var n int64
		err := filepath.WalkDir(around, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			name, err := filepath.Rel(dir, path)
			if err != nil || !known(filepath.ToSlash(name)) {
				t.Errorf("%s, %v", name, err)
			}
			info, err := e.Info()
			n += info.Size()
			return err
		})
		if err != nil || n > 1<<16 {
			t.Errorf("%d bytes, %v", n, err)
		}
	})
}
