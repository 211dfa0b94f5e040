package vuln

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

const oneRecord = `{"id":"GHSA-1","modified":"2024-01-01T00:00:00Z","aliases":["CVE-2024-0001"],"affected":[{"package":
	{"ecosystem":"npm","name":"left"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"2.0.0"}]}]}]}`

func imported(t *testing.T, dir, name, record string) {
	t.Helper()
	if _, err := Import(t.Context(), dir, []Source{{Name: name, FS: fstest.MapFS{"a.json": {Data: []byte(record)}}}}, nil); err != nil {
		t.Fatal(err)
	}
}

func exported(t *testing.T, dir string, key ed25519.PrivateKey) []byte {
	t.Helper()
	var out bytes.Buffer
	if _, err := Export(dir, &out, key); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func finds(t *testing.T, dir string) int {
	t.Helper()
	db, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	return len(db.Match(Package{Ecosystem: "npm", Name: "left", Version: "1.0.0"}))
}

func TestABundleBringsADatabaseToAnother(t *testing.T) {
	public, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	other, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	from, to := t.TempDir(), filepath.Join(t.TempDir(), "new")
	imported(t, from, "feed", oneRecord)
	whole := exported(t, from, key)
	bundle := filepath.Join(t.TempDir(), "bundle")
	write := func(data []byte) {
		if err := os.WriteFile(bundle, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	at := func(i int) []byte { b := bytes.Clone(whole); b[i] ^= 1; return b }
	for _, c := range []struct {
		name string
		data []byte
		keys []ed25519.PublicKey
		want string
	}{
		{"nobody is trusted", whole, nil, "none of the trusted keys"},
		{"another is trusted", whole, []ed25519.PublicKey{other}, "none of the trusted keys"},
		{"the head was changed", at(len(bundleMagic) + 40), []ed25519.PublicKey{public}, "none of the trusted keys"},
		{"a table was changed", at(len(whole) - 30), []ed25519.PublicKey{public}, "not what was signed"},
		{"it was cut off", whole[:len(whole)-1], []ed25519.PublicKey{public}, "ends too early"},
		{"the head was cut off", whole[:len(bundleMagic)+20], []ed25519.PublicKey{public}, "ends too early"},
		{"it is no bundle", []byte(oneRecord), []ed25519.PublicKey{public}, "no bundle"},
		{"the head is endless", append([]byte(bundleMagic), 255, 255, 255, 255), []ed25519.PublicKey{public}, "want a head of at most"},
	} {
		write(c.data)
		if _, err := ImportBundle(t.Context(), to, bundle, c.keys, false); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
		if n := finds(t, to); n != 0 {
			t.Errorf("%s: something of it is in force", c.name)
		}
	}
	write(whole)
	if !IsBundle(bundle) || IsBundle(filepath.Join(from, manifestName)) {
		t.Error("a bundle is not told from another file")
	}
	imported(t, to, "own", strings.NewReplacer("left", "right", "GHSA-1", "GHSA-2").Replace(oneRecord))
	status, err := ImportBundle(t.Context(), to, bundle, []ed25519.PublicKey{other, public}, false)
	if err != nil || finds(t, to) != 1 || len(status.Sources) != 2 {
		t.Errorf("after the import: %v, %d sources, %d findings", err, len(status.Sources), finds(t, to))
	}
	if back, err := ParsePublicKey(PublicKey(public)); err != nil || !back.Equal(public) {
		t.Errorf("the key reads as %v, %v", back, err)
	}
}

// TestABundleOfBeforeDoesNotTakeThePlaceOfWhatIsNewer: who keeps an old one has a good signature.
func TestABundleOfBeforeDoesNotTakeThePlaceOfWhatIsNewer(t *testing.T) {
	public, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	from, to := t.TempDir(), t.TempDir()
	imported(t, from, "feed", oneRecord)
	m, err := readManifest(from)
	if err != nil {
		t.Fatal(err)
	}
	bundle := filepath.Join(t.TempDir(), "bundle")
	bring := func(days int, older bool) error {
		m.Tables[0].Status.ImportedAt = time.Date(2026, 1, days, 0, 0, 0, 0, time.UTC)
		if err := errors.Join(m.write(from), os.WriteFile(bundle, exported(t, from, key), 0o600)); err != nil {
			t.Fatal(err)
		}
		_, err := ImportBundle(t.Context(), to, bundle, []ed25519.PublicKey{public}, older)
		return err
	}
	if err := errors.Join(bring(5, false), bring(5, false), bring(6, false)); err != nil {
		t.Fatal(err)
	}
	if err := bring(5, false); err == nil || !strings.Contains(err.Error(), "feed is of 2026-01-05 00:00:00 in it, and what is in force of 2026-01-06") {
		t.Errorf("an older one: %v", err)
	}
	if status, err := StatusOf(to); err != nil || status.Sources[0].ImportedAt.Day() != 6 {
		t.Errorf("%+v, %v", status.Sources, err)
	}
	if err := bring(5, true); err != nil {
		t.Errorf("an older one, anyway: %v", err)
	}
}

func TestWhatWasInForceBeforeCanBeRestored(t *testing.T) {
	dir := t.TempDir()
	imported(t, dir, "feed", oneRecord)
	if err := Restore(dir, "feed"); err == nil {
		t.Error("there is nothing before the first import")
	}
	imported(t, dir, "feed", strings.Replace(oneRecord, "2.0.0", "0.5.0", 1))
	for i, want := range []int{0, 1, 0, 1} {
		if got := finds(t, dir); got != want {
			t.Errorf("restored %d times: %d findings, want %d", i, got, want)
		}
		if err := Restore(dir, "feed"); err != nil {
			t.Fatal(err)
		}
	}
	imported(t, dir, "feed", strings.Replace(oneRecord, "2.0.0", "3.0.0", 1))
	tables, err := filepath.Glob(filepath.Join(dir, "*"+tableSuffix))
	if err != nil || len(tables) != 2 {
		t.Errorf("%d tables are kept, want the one in force and the one before: %v", len(tables), err)
	}
	if err := Restore(dir, "nobody"); err == nil {
		t.Error("a source that is none was restored")
	}
}

func TestAnImportCanBeRefused(t *testing.T) {
	dir := t.TempDir()
	imported(t, dir, "feed", oneRecord)
	source := Source{Name: "feed", FS: fstest.MapFS{"a.json": {Data: []byte(strings.Replace(oneRecord, "2.0.0", "0.5.0", 1))}},
		Accept: func(before, now SourceStatus) error {
			if before.Records != 1 || now.Records != 1 {
				t.Errorf("before %d records, now %d", before.Records, now.Records)
			}
			return os.ErrInvalid
		}}
	if _, err := Import(t.Context(), dir, []Source{source}, nil); err == nil || finds(t, dir) != 1 {
		t.Errorf("%v, %d findings: what was refused is in force", err, finds(t, dir))
	}
}

// FuzzBundle reads anything as a bundle whose signature holds.
func FuzzBundle(f *testing.F) {
	public, key, err := ed25519.GenerateKey(bytes.NewReader(make([]byte, 64)))
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(`{"tables":[{"fingerprint":"1","size":3,"sha256":"00","status":{"name":"a"}}]}`), []byte("abc"), true)
	f.Add([]byte(`{}`), []byte(nil), false)
	f.Fuzz(func(t *testing.T, head, rest []byte, sign bool) {
		signed := append([]byte(bundleMagic), byte(len(head)>>24), byte(len(head)>>16), byte(len(head)>>8), byte(len(head)))
		signed = append(signed, head...)
		if sign {
			signed = append(signed, ed25519.Sign(key, signed)...)
		}
		m := manifest{Format: formatVersion}
		if err := m.unpack(t.Context(), t.TempDir(), bytes.NewReader(append(signed, rest...)), []ed25519.PublicKey{public}, false); err == nil {
			t.Error("a table that is none is in force")
		}
	})
}
