package sensor

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Identity is under which name and key a node's sensor speaks. The key is made here and
// never leaves: the server gives a certificate for it, first for the cluster's join token,
// then for the certificate before.
type Identity struct {
	// Node is the node's name in its cluster.
	Node string
	// Pod is the uid of the pod that the sensor runs in; empty outside of pods.
	Pod string
	// Dir holds key and certificate, readable by the owner alone; "" keeps them in memory.
	Dir string
	// Token is asked for whenever the sensor has to join: it may be renewed meanwhile.
	Token func() (string, error)
}

const (
	keyFile         = "key.pem"
	certificateFile = "certificate.pem"
	// renewAgain is how long to wait after a certificate could not be renewed.
	renewAgain = time.Minute
	// leastRenewal keeps a server that says nonsense from being asked without end.
	leastRenewal = 10 * time.Second
)

// credential is a key with the certificate that the server gave for it, if it has.
type credential struct {
	key   *ecdsa.PrivateKey
	chain [][]byte
	renew time.Time // when the certificate is to be renewed, by this process's clock
}

// load reads what an earlier run left, and makes a key if there is none.
func (i *Identity) load() (*credential, error) {
	c, err := i.read()
	if err != nil {
		return nil, fmt.Errorf("read this node's key: %w", err)
	}
	if c.key != nil {
		return c, nil
	}
	if c.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, fmt.Errorf("make this node's key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(c.key)
	if err == nil {
		err = i.write(keyFile, &pem.Block{Type: "PRIVATE KEY", Bytes: der})
	}
	if err != nil {
		return nil, fmt.Errorf("keep this node's key: %w", err)
	}
	return c, nil
}

func (i *Identity) read() (*credential, error) {
	c := &credential{}
	if i.Dir == "" {
		return c, nil
	}
	file := filepath.Join(i.Dir, keyFile)
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s is readable by others: remove it, and the sensor joins under a new one", file)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s holds no key: remove it, and the sensor joins under a new one", file)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	ours, ok := key.(*ecdsa.PrivateKey)
	if err != nil || !ok {
		return nil, fmt.Errorf("%s holds no key of ours: remove it, and the sensor joins under a new one", file)
	}
	c.key = ours
	text, err = os.ReadFile(filepath.Join(i.Dir, certificateFile))
	if err == nil {
		_ = c.take(text) // one that cannot be read is got anew
	}
	return c, nil
}

// take puts a certificate (PEM) beside its key. When it is to be renewed goes by its own
// times, unless the server says it better.
func (c *credential) take(text []byte) error {
	block, _ := pem.Decode(text)
	if block == nil {
		return errors.New("no certificate")
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return err
	}
	if !c.key.PublicKey.Equal(leaf.PublicKey) {
		return errors.New("a certificate of another key")
	}
	c.chain = [][]byte{leaf.Raw}
	c.renew = leaf.NotAfter.Add(-leaf.NotAfter.Sub(leaf.NotBefore) / 3)
	return nil
}

func (i *Identity) write(name string, block *pem.Block) error {
	if i.Dir == "" {
		return nil
	}
	if err := os.MkdirAll(i.Dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(i.Dir, ".new-*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone already when all went well
	if err := errors.Join(pem.Encode(f, block), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), filepath.Join(i.Dir, name))
}

// forget removes key and certificate: they are not used again.
func (i *Identity) forget() error {
	if i.Dir == "" {
		return nil
	}
	var failed error
	for _, name := range []string{certificateFile, keyFile} {
		if err := os.Remove(filepath.Join(i.Dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

// request is what the server gives a certificate for.
func (c *credential) request() (string, error) {
	der, err := x509.CreateCertificateRequest(rand.Reader,
		&x509.CertificateRequest{Subject: pkix.Name{CommonName: "breakwater sensor"}}, c.key)
	if err != nil {
		return "", fmt.Errorf("make a certificate request: %w", err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})), nil
}

// certified is the way to the server with a certificate that is not to be renewed yet. It
// joins and renews where it has to, one at a time.
func (l *Link) certified(ctx context.Context) (*http.Client, error) {
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if l.own == nil {
		own, err := l.identity.load()
		if err != nil {
			return nil, err
		}
		l.use(own)
	}
	if l.own.chain != nil && time.Now().Before(l.own.renew) {
		return l.client, nil
	}
	if l.own.chain != nil {
		err := l.ask(ctx, "v1/sensor/renew", nil)
		var answer *answerError
		switch {
		case err == nil:
			return l.client, nil
		case !errors.As(err, &answer) || answer.status != http.StatusUnauthorized:
			l.own.renew = time.Now().Add(renewAgain) // the one we have may count still
			return l.client, nil
		}
		l.own.chain = nil
		l.use(l.own)
	}
	token, err := l.identity.Token()
	if err != nil {
		return nil, fmt.Errorf("read the join token: %w", err)
	}
	if err := l.ask(ctx, "v1/sensor/join", http.Header{"Authorization": {"Bearer " + strings.TrimSpace(token)}}); err != nil {
		return nil, fmt.Errorf("join: %w", err)
	}
	l.joined = true
	return l.client, nil
}

// ask asks for a certificate and uses it.
func (l *Link) ask(ctx context.Context, path string, header http.Header) error {
	csr, err := l.own.request()
	if err != nil {
		return err
	}
	body, err := json.Marshal(map[string]string{"node": l.identity.Node, "pod": l.identity.Pod, "csr": csr})
	if err != nil {
		return err
	}
	if header == nil {
		header = http.Header{}
	}
	header.Set("Content-Type", "application/json")
	text, err := l.send(ctx, l.client, path, body, header)
	if answer := (*answerError)(nil); errors.As(err, &answer) {
		answer.joining = true
	}
	if err != nil {
		return err
	}
	var joined struct {
		Certificate string `json:"certificate"`
		RenewAfter  int64  `json:"renewAfterSeconds"`
	}
	next := &credential{key: l.own.key}
	if err := json.Unmarshal(text, &joined); err != nil {
		return errors.New("the server's answer holds no certificate")
	}
	if err := next.take([]byte(joined.Certificate)); err != nil {
		return fmt.Errorf("the server's answer: %w", err)
	}
	next.renew = time.Now().Add(max(leastRenewal, time.Duration(min(joined.RenewAfter, 1<<30))*time.Second))
	if err := l.identity.write(certificateFile, &pem.Block{Type: "CERTIFICATE", Bytes: next.chain[0]}); err != nil {
		return fmt.Errorf("keep this node's certificate: %w", err)
	}
	l.use(next)
	return nil
}

// use makes further requests show a certificate, or none. What is under way ends as it began.
func (l *Link) use(own *credential) {
	if l.client != nil {
		l.client.CloseIdleConnections()
	}
	l.own, l.client = own, l.dial(own)
}

// stranger notes that the server does not take the certificate with which a request was sent.
func (l *Link) stranger(ctx context.Context, with *http.Client) {
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return
	}
	if l.client == with { // nobody has another meanwhile
		l.own.chain = nil
		l.use(l.own)
	}
}

// Joined says whether the link got its first certificate in this run.
func (l *Link) Joined() bool { return l.joined }

// Leave ends what this node has, so that its successor may join: key and certificate are
// not used again.
func (l *Link) Leave(ctx context.Context) error {
	client, err := l.certified(ctx)
	if err != nil {
		return err
	}
	if _, err := l.send(ctx, client, "v1/sensor/leave", nil, http.Header{}); err != nil {
		return fmt.Errorf("leave: %w", err)
	}
	return l.identity.forget()
}

// dial is a client that shows the certificate, if there is one.
func (l *Link) dial(own *credential) *http.Client {
	config := &tls.Config{RootCAs: l.roots, MinVersion: tls.VersionTLS12}
	if own.chain != nil {
		pair := &tls.Certificate{Certificate: own.chain, PrivateKey: own.key}
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return pair, nil }
	}
	return &http.Client{
		Timeout: patience,
		Transport: &http.Transport{
			TLSClientConfig:   config,
			ForceAttemptHTTP2: true,
			MaxIdleConns:      2,
			IdleConnTimeout:   time.Minute,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
