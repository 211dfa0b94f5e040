package server

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificate is a pair of files, read again when they change: who renews it need not stop
// the server. A new pair that cannot be used is said so, and the old one stays.
type certificate struct {
	certFile, keyFile string
	log               *slog.Logger
	mu                struct {
		sync.Mutex
		pair   *tls.Certificate
		files  [2]time.Time // when they changed last, as of the last look
		looked time.Time
	}
}

// lookAgain is how long the files are believed to be as they were.
const lookAgain = time.Second

// openCertificate reads a pair for the first time.
func openCertificate(certFile, keyFile string, log *slog.Logger) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile, log: log}
	files, err := c.changed()
	if err != nil {
		return nil, err
	}
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, err
	}
	c.mu.pair, c.mu.files, c.mu.looked = &pair, files, time.Now()
	return c, nil
}

// TLS is how a listener shows the pair.
func (c *certificate) TLS() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current(time.Now()), nil }}
}

func (c *certificate) changed() (at [2]time.Time, err error) {
	for i, file := range []string{c.certFile, c.keyFile} {
		info, failed := os.Stat(file)
		if err = errors.Join(err, failed); failed == nil {
			at[i] = info.ModTime()
		}
	}
	return at, err
}

// current is the pair to show now.
func (c *certificate) current(now time.Time) *tls.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Sub(c.mu.looked) < lookAgain {
		return c.mu.pair
	}
	c.mu.looked = now
	files, err := c.changed()
	if files == c.mu.files {
		return c.mu.pair
	}
	c.mu.files = files // a broken pair is told once
	if err == nil {
		var pair tls.Certificate
		if pair, err = tls.LoadX509KeyPair(c.certFile, c.keyFile); err == nil {
			c.mu.pair = &pair
			c.log.Info("the certificate was renewed", "file", c.certFile, "until", pair.Leaf.NotAfter)
			return c.mu.pair
		}
	}
	c.log.Error("the new certificate cannot be used, and the old one stays", "file", c.certFile, "key", c.keyFile, "error", err)
	return c.mu.pair
}

// paired says what is missing of --tls-cert and --tls-key.
func (c Config) paired() error {
	switch {
	case c.TLSCert != "" && c.TLSKey == "":
		return fmt.Errorf("--tls-cert %s: give --tls-key too", c.TLSCert)
	case c.TLSKey != "" && c.TLSCert == "":
		return fmt.Errorf("--tls-key %s: give --tls-cert too", c.TLSKey)
	}
	return nil
}
