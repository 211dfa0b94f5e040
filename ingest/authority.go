package ingest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Authority is a small certificate authority of our own, for those who bring
// no certificate: senders get its certificate together with their token.
type Authority struct {
	// PEM is what senders must trust.
	PEM  []byte
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

const (
	authorityLife = 10 * 365 * 24 * time.Hour
	leafLife      = 90 * 24 * time.Hour
)

// OpenAuthority reads the authority in a folder that vouches for the server, or makes it.
// Its key is readable by the owner only.
func OpenAuthority(dir string) (*Authority, error) {
	return openAuthority(dir, "ca", "Breakwater events")
}

// OpenClients reads or makes the authority that vouches for those who send. It is another
// than the server's: no sender's certificate is ever good for a server, nor the other way.
func OpenClients(dir string) (*Authority, error) {
	return openAuthority(dir, "clients", "Breakwater senders")
}

func openAuthority(dir, file, name string) (*Authority, error) {
	certFile, keyFile := filepath.Join(dir, file+".crt"), filepath.Join(dir, file+".key")
	a, err := readAuthority(certFile, keyFile)
	if !errors.Is(err, fs.ErrNotExist) {
		return a, err
	}
	if a, err = newAuthority(name); err != nil {
		return nil, fmt.Errorf("make a certificate authority: %w", err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(a.key)
	if err != nil {
		return nil, fmt.Errorf("make a certificate authority: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make a certificate authority: %w", err)
	}
	// The key comes last: without it there is no authority, and the next start makes one.
	err = errors.Join(writeSynced(certFile, a.PEM, 0o644),
		writeSynced(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), 0o600))
	if err != nil {
		return nil, fmt.Errorf("make a certificate authority: %w", err)
	}
	return a, nil
}

func readAuthority(certFile, keyFile string) (*Authority, error) {
	info, err := os.Stat(keyFile)
	if err != nil {
		return nil, fmt.Errorf("read the certificate authority: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("read the certificate authority: %s is readable by others: make it readable by its owner only (chmod 600), "+
			"or remove it and %s and connect the senders again", keyFile, filepath.Base(certFile))
	}
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("read the certificate authority: %w", err)
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok || !pair.Leaf.IsCA {
		return nil, fmt.Errorf("read the certificate authority: %s is none of ours", certFile)
	}
	return &Authority{pemOf(pair.Leaf.Raw), pair.Leaf, key}, nil
}

func newAuthority(name string) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	t := certificate(name, authorityLife)
	t.IsCA, t.BasicConstraintsValid, t.MaxPathLenZero, t.KeyUsage = true, true, true, x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, t, t, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	return &Authority{pemOf(der), cert, key}, err
}

// TLS is a configuration with a certificate for these host names and addresses.
// It lives for some months and is renewed in use.
func (a *Authority) TLS(hosts ...string) *tls.Config {
	l := &leaf{authority: a, hosts: hosts}
	return &tls.Config{MinVersion: tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return l.current(time.Now()) }}
}

// leaf is the certificate that the endpoint shows.
type leaf struct {
	authority *Authority
	hosts     []string
	mu        struct {
		sync.Mutex
		cert *tls.Certificate
	}
}

func (l *leaf) current(now time.Time) (*tls.Certificate, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c := l.mu.cert; c != nil && now.Before(c.Leaf.NotAfter.Add(-leafLife/3)) {
		return c, nil
	}
	c, err := l.authority.issue(l.hosts, now)
	if err != nil {
		return nil, fmt.Errorf("issue a certificate: %w", err)
	}
	l.mu.cert = c
	return c, nil
}

func (a *Authority) issue(hosts []string, now time.Time) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	t := certificate("breakwater", leafLife)
	t.NotBefore, t.NotAfter = now.Add(-time.Hour), now.Add(leafLife)
	t.KeyUsage, t.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, h)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, t, a.cert, &key.PublicKey, a.key)
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParseCertificate(der)
	return &tls.Certificate{Certificate: [][]byte{der, a.cert.Raw}, PrivateKey: key, Leaf: parsed}, err
}

func certificate(name string, life time.Duration) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127)) // crypto/rand never fails
	return &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(life)}
}

func pemOf(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// writeSynced writes a new file through to the disk.
func writeSynced(file string, content []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Sync(), f.Close())
}
