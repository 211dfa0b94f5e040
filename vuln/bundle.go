package vuln

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// A bundle is a database as one signed file, for sites that fetch nothing:
//
//	magic, length of the head (32 bits), head (JSON), signature of magic and head (Ed25519), the tables in the head's order
//
// The head names each table's size and sum, so that its signature stands for all.
const bundleMagic = "breakwater advisories 1\n"

const (
	// maxBundleHead bounds the head: a source is a few kilobytes of it.
	maxBundleHead = 64 << 20
	// maxBundled is how many tables a bundle may bring.
	maxBundled = 10_000
)

type bundleHead struct {
	Created time.Time      `json:"created"`
	Tables  []bundledTable `json:"tables"`
}

type bundledTable struct {
	Fingerprint string       `json:"fingerprint"`
	Size        int64        `json:"size"`
	SHA256      string       `json:"sha256"`
	Status      SourceStatus `json:"status"`
}

// IsBundle says that a file begins as a bundle does.
func IsBundle(name string) bool {
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	magic := make([]byte, len(bundleMagic))
	_, err = io.ReadFull(f, magic)
	return err == nil && string(magic) == bundleMagic
}

// PublicKey is a key as people write it: what import is told to trust.
func PublicKey(key ed25519.PublicKey) string { return base64.StdEncoding.EncodeToString(key) }

// ParsePublicKey reads what PublicKey wrote.
func ParsePublicKey(text string) (ed25519.PublicKey, error) {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("want the public key that breakwater db export prints, got %.60q", text)
	}
	return raw, nil
}

// Export writes a database directory as a bundle.
func Export(dir string, w io.Writer, key ed25519.PrivateKey) (Status, error) {
	m, unlock, err := locked(dir, "export advisories of") // no import takes a table away meanwhile
	if err != nil {
		return Status{}, err
	}
	defer unlock()
	if len(m.Tables) == 0 {
		return Status{}, fmt.Errorf("export advisories of %s: nothing was imported", dir)
	}
	if err := m.bundle(dir, w, key); err != nil {
		return Status{}, fmt.Errorf("export advisories of %s: %w", dir, err)
	}
	return m.status(), nil
}

func (m manifest) bundle(dir string, w io.Writer, key ed25519.PrivateKey) error {
	head := bundleHead{Created: time.Now().UTC().Truncate(time.Second)}
	for _, t := range m.Tables {
		sum := sha256.New()
		size, err := copyFile(sum, filepath.Join(dir, filepath.Base(t.File)))
		if err != nil {
			return err
		}
		head.Tables = append(head.Tables, bundledTable{t.Fingerprint, size, hex.EncodeToString(sum.Sum(nil)), t.Status})
	}
	text, err := json.Marshal(head)
	if err != nil {
		return err
	}
	signed := append([]byte(bundleMagic), binary.BigEndian.AppendUint32(nil, uint32(len(text)))...) //nolint:gosec // far below 4 GiB
	signed = append(signed, text...)
	if _, err := w.Write(append(signed, ed25519.Sign(key, signed)...)); err != nil {
		return err
	}
	for _, t := range m.Tables {
		if _, err := copyFile(w, filepath.Join(dir, filepath.Base(t.File))); err != nil {
			return err
		}
	}
	return nil
}

func copyFile(w io.Writer, name string) (int64, error) {
	f, err := os.Open(name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return io.Copy(w, f)
}

// ImportBundle puts the tables of a bundle in force that one of the trusted keys signed, all of them or none. Other sources of
// the directory stay. A bundle of before what is in force is taken only if older is true: its signature is as good as a newer one's.
func ImportBundle(ctx context.Context, dir, name string, trusted []ed25519.PublicKey, older bool) (Status, error) {
	f, err := os.Open(name)
	if err != nil {
		return Status{}, fmt.Errorf("import advisories: %w", err)
	}
	defer f.Close()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return Status{}, fmt.Errorf("import advisories: %w", err)
	}
	m, unlock, err := locked(dir, "import advisories into")
	if err != nil {
		return Status{}, err
	}
	defer unlock()
	if err := m.unpack(ctx, dir, bufio.NewReaderSize(f, 1<<20), trusted, older); err != nil {
		return Status{}, fmt.Errorf("import advisories from %s: %w", name, err)
	}
	return m.status(), nil
}

// unpack writes the tables, looks at each, and puts them in force with one manifest.
func (m *manifest) unpack(ctx context.Context, dir string, r io.Reader, trusted []ed25519.PublicKey, older bool) error {
	head, err := readHead(r, trusted)
	if err != nil {
		return err
	}
	if !older {
		if err := m.isNewer(head); err != nil {
			return err
		}
	}
	work, err := os.MkdirTemp(dir, "import-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	now := time.Now().UTC()
	names := make([]string, len(head.Tables))
	for i, t := range head.Tables {
		if err := ctx.Err(); err != nil {
			return err
		}
		names[i] = filepath.Join(work, strconv.Itoa(i))
		if err := t.unpack(names[i], r); err != nil {
			return fmt.Errorf("%s: %w", t.Status.Name, err)
		}
	}
	for i, t := range head.Tables {
		file := "bundle-" + t.SHA256[:16] + "-" + strconv.FormatInt(now.UnixNano()+int64(i), 36) + tableSuffix
		if err := os.Rename(names[i], filepath.Join(dir, file)); err != nil {
			return err
		}
		m.put(tableFile{File: file, Fingerprint: t.Fingerprint, Status: t.Status})
	}
	if err := m.write(dir); err != nil {
		return err
	}
	return m.sweep(dir)
}

// isNewer refuses a bundle with a source that was imported before what is in force of it.
func (m *manifest) isNewer(head bundleHead) error {
	for _, t := range head.Tables {
		for _, have := range m.Tables {
			if was, is := have.Status.ImportedAt, t.Status.ImportedAt; have.Status.Name == t.Status.Name && is.Before(was) {
				return fmt.Errorf("%s is of %s in it, and what is in force of %s: that stays (--anyway takes it)", t.Status.Name,
					is.Format(time.DateTime), was.Format(time.DateTime))
			}
		}
	}
	return nil
}

var errNotWhole = errors.New("it ends too early, or is no bundle of advisories")

// readHead reads what is signed and holds it to the keys before anything of it counts.
func readHead(r io.Reader, trusted []ed25519.PublicKey) (head bundleHead, err error) {
	fixed := make([]byte, len(bundleMagic)+4)
	if _, err := io.ReadFull(r, fixed); err != nil || string(fixed[:len(bundleMagic)]) != bundleMagic {
		return head, errNotWhole
	}
	length := binary.BigEndian.Uint32(fixed[len(bundleMagic):])
	if length > maxBundleHead {
		return head, fmt.Errorf("want a head of at most %d bytes, it says %d", maxBundleHead, length)
	}
	text, err := io.ReadAll(io.LimitReader(r, int64(length)))
	if err != nil || len(text) < int(length) {
		return head, errNotWhole
	}
	signature := make([]byte, ed25519.SignatureSize)
	if _, err := io.ReadFull(r, signature); err != nil {
		return head, errNotWhole
	}
	signed := slices.Concat(fixed, text)
	if !slices.ContainsFunc(trusted, func(key ed25519.PublicKey) bool { return ed25519.Verify(key, signed, signature) }) {
		return head, errors.New("none of the trusted keys signed it")
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return head, fmt.Errorf("want the head of a bundle: %w", err)
	}
	if len(head.Tables) == 0 || len(head.Tables) > maxBundled {
		return head, fmt.Errorf("want from 1 to %d tables, it names %d", maxBundled, len(head.Tables))
	}
	for _, t := range head.Tables {
		if len(t.SHA256) != hex.EncodedLen(sha256.Size) || t.Size < 0 || t.Status.Name == "" {
			return head, fmt.Errorf("want a source with its size and SHA-256, got %.60q", t.Status.Name)
		}
	}
	return head, nil
}

// unpack writes one table and opens it: what is not what the head says is not in force.
func (t bundledTable) unpack(name string, r io.Reader) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(f, sum), io.LimitReader(r, t.Size))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if n < t.Size {
		return errNotWhole
	}
	if !sameSum(sum, t.SHA256) {
		return errors.New("it is not what was signed")
	}
	opened, err := openTable(name)
	if err != nil {
		return err
	}
	return opened.Close()
}

func sameSum(sum hash.Hash, want string) bool { return hex.EncodeToString(sum.Sum(nil)) == want }
