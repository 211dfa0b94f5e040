package vuln

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
)

// signedHead is a bundle of nothing but a head, signed.
func signedHead(key ed25519.PrivateKey, head []byte) []byte {
	signed := append([]byte(bundleMagic), binary.BigEndian.AppendUint32(nil, uint32(len(head)))...)
	signed = append(signed, head...)
	return append(signed, ed25519.Sign(key, signed)...)
}

// TestAHeadThatIsSignedIsStillLookedAt: who signs may err.
func TestAHeadThatIsSignedIsStillLookedAt(t *testing.T) {
	public, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	sum := strings.Repeat("0", 64)
	table := func(sum string, size int64, name string) []bundledTable {
		return []bundledTable{{SHA256: sum, Size: size, Status: SourceStatus{Name: name}}}
	}
	many := func(n int) []bundledTable {
		out := make([]bundledTable, n)
		for i := range out {
			out[i] = table(sum, 1, "a")[0]
		}
		return out
	}
	for name, c := range map[string]struct {
		tables []bundledTable
		want   string
	}{
		"one":                    {table(sum, 1, "a"), "ends too early"}, // only the table itself is missing
		"one that is empty":      {table(sum, 0, "a"), "not what was signed"},
		"as many as may be":      {many(maxBundled), "ends too early"},
		"none":                   {nil, "want from 1 to 10000 tables, it names 0"},
		"too many":               {many(maxBundled + 1), "want from 1 to 10000 tables, it names 10001"},
		"a sum that is short":    {table(sum[1:], 1, "a"), "with its size and SHA-256"},
		"a size below nothing":   {table(sum, -1, "a"), "with its size and SHA-256"},
		"a source with no name":  {table(sum, 1, ""), "with its size and SHA-256"},
		"another after a proper": {append(table(sum, 1, "a"), table("", 1, "b")...), `got "b"`},
	} {
		head, err := json.Marshal(bundleHead{Tables: c.tables})
		if err != nil {
			t.Fatal(err)
		}
		m := manifest{Format: formatVersion}
		err = m.unpack(t.Context(), t.TempDir(), bytes.NewReader(signedHead(key, head)), []ed25519.PublicKey{public})
		if err == nil || !strings.Contains(err.Error(), c.want) || len(m.Tables) != 0 {
			t.Errorf("%s: %v, want %q; %d tables are in force", name, err, c.want, len(m.Tables))
		}
	}
	longest := binary.BigEndian.AppendUint32([]byte(bundleMagic), 64<<20)
	if _, err := readHead(bytes.NewReader(longest), nil); err == nil || !strings.Contains(err.Error(), "ends too early") {
		t.Errorf("a head of 64 MiB: %v", err)
	}
	longest[len(longest)-1]++
	if _, err := readHead(bytes.NewReader(longest), nil); err == nil || !strings.Contains(err.Error(), "at most 67108864 bytes") {
		t.Errorf("a head of one byte more: %v", err)
	}
	torn := iotest.TimeoutReader(iotest.OneByteReader(bytes.NewReader(longest)))
	if _, err := readHead(torn, nil); err == nil {
		t.Error("what cannot be read is a bundle")
	}
}

func TestABundleBringsAllThatIsInForceAndNothingElseStays(t *testing.T) {
	public, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	from, to := t.TempDir(), t.TempDir()
	if _, err := Export(from, &bytes.Buffer{}, key); err == nil || !strings.Contains(err.Error(), "nothing was imported") {
		t.Errorf("a directory without advisories is exported: %v", err)
	}
	imported(t, from, "first", strings.NewReplacer("left", "right", "GHSA-1", "GHSA-2").Replace(oneRecord))
	imported(t, from, "second", oneRecord)
	bundle := filepath.Join(t.TempDir(), "bundle")
	for range 3 {
		if err := os.WriteFile(bundle, exported(t, from, key), 0o600); err != nil {
			t.Fatal(err)
		}
		status, err := ImportBundle(t.Context(), to, bundle, []ed25519.PublicKey{public}, false)
		if err != nil || len(status.Sources) != 2 || status.Sources[0].Name == status.Sources[1].Name {
			t.Fatalf("%+v, %v", status.Sources, err)
		}
	}
	if finds(t, to) != 1 {
		t.Error("the second table is not in force")
	}
	tables, err := filepath.Glob(filepath.Join(to, "*"+tableSuffix))
	if err != nil || len(tables) != 4 { // of each source the one in force and the one before
		t.Errorf("%d tables after three imports of two sources: %v", len(tables), err)
	}
	if IsBundle(filepath.Join(to, "nobody")) {
		t.Error("a file that is not there is a bundle")
	}
	if err := os.WriteFile(bundle, []byte(bundleMagic[:5]), 0o600); err != nil {
		t.Fatal(err)
	}
	if IsBundle(bundle) {
		t.Error("a file that is shorter than its sign is a bundle")
	}
	for _, text := range []string{"", "no base64!", PublicKey(public[:31]), PublicKey(append(bytes.Clone(public), 0))} {
		if k, err := ParsePublicKey(text); err == nil || k != nil {
			t.Errorf("%q is the key %v", text, k)
		}
	}
}
