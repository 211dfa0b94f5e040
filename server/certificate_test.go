package server

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// issue writes a pair for a name into a folder, as of a moment.
func issue(t *testing.T, dir, name string, at time.Time) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "tls.crt"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), at)
	write(t, filepath.Join(dir, "tls.key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), at)
}

func write(t *testing.T, file string, content []byte, at time.Time) {
	t.Helper()
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(file, at, at); err != nil {
		t.Fatal(err)
	}
}

func TestACertificateIsReadAgainWhenItsFilesChangeAndABrokenOneChangesNothing(t *testing.T) {
	dir, began := t.TempDir(), time.Now()
	issue(t, dir, "first", began)
	var said bytes.Buffer
	c, err := openCertificate(filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key"), slog.New(slog.NewTextHandler(&said, nil)))
	if err != nil {
		t.Fatal(err)
	}
	shows := func(after time.Duration, want string) {
		t.Helper()
		if got := c.current(began.Add(after)).Leaf.Subject.CommonName; got != want {
			t.Errorf("after %v it shows %s, want %s", after, got, want)
		}
	}
	shows(0, "first")
	issue(t, dir, "second", began.Add(time.Minute))
	shows(time.Hour, "second")
	write(t, filepath.Join(dir, "tls.crt"), []byte("no certificate"), began.Add(2*time.Minute))
	shows(2*time.Hour, "second")
	shows(3*time.Hour, "second")
	if n := strings.Count(said.String(), "the new certificate cannot be used"); n != 1 {
		t.Errorf("it was said %d times: %s", n, said.String())
	}
	if err := os.Remove(filepath.Join(dir, "tls.key")); err != nil {
		t.Fatal(err)
	}
	shows(4*time.Hour, "second")
	issue(t, dir, "third", began.Add(3*time.Minute))
	shows(5*time.Hour, "third")
}

func TestAPairThatIsNotWholeIsRefused(t *testing.T) {
	for _, c := range []Config{{TLSCert: "tls.crt"}, {TLSKey: "tls.key"}} {
		c.Sample, c.Listen, c.Data = true, "127.0.0.1:0", t.TempDir()
		err := Run(t.Context(), c, &bytes.Buffer{}, nil)
		if err == nil || !strings.Contains(err.Error(), "give --tls-") {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if err := (Config{TLSCert: "a", TLSKey: "b"}).paired(); err != nil {
		t.Error(err)
	}
}
