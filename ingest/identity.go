package ingest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Identity is who may send what: a node's sensor, or a cluster's API server. A certificate
// says it in one URI, breakwater:///CLUSTER/NODE or breakwater:///CLUSTER, each name
// percent-encoded. Names are compared whole: none of them stands for others.
type Identity struct {
	Cluster string
	// Node is empty for the API server.
	Node string
}

func (i Identity) kind() Kind {
	if i.Node == "" {
		return Audit
	}
	return Runtime
}

const scheme = "breakwater"

// uri is the identity's one spelling.
func (i Identity) uri() *url.URL {
	u := &url.URL{Scheme: scheme, Path: "/" + i.Cluster, RawPath: "/" + url.PathEscape(i.Cluster)}
	if i.Node != "" {
		u.Path, u.RawPath = u.Path+"/"+i.Node, u.RawPath+"/"+url.PathEscape(i.Node)
	}
	return u
}

// identityOf reads what a certificate says. It must say it as uri writes it, and nothing else.
func identityOf(c *x509.Certificate) (i Identity, err error) {
	if len(c.URIs) != 1 || len(c.DNSNames)+len(c.IPAddresses)+len(c.EmailAddresses) > 0 {
		return i, errors.New("want a certificate with one name, a URI")
	}
	u := c.URIs[0]
	names := strings.Split(strings.TrimPrefix(u.EscapedPath(), "/"), "/")
	if len(names) > 2 {
		return i, errors.New("its name is none of ours")
	}
	if i.Cluster, err = url.PathUnescape(names[0]); err == nil && len(names) == 2 {
		i.Node, err = url.PathUnescape(names[1])
	}
	if err != nil || i.Cluster == "" || len(names) == 2 && i.Node == "" || i.uri().String() != u.String() {
		return Identity{}, errors.New("its name is none of ours")
	}
	return i, nil
}

// Vouch makes a certificate that lives for a while from now. All it takes from who asks is the key.
func (a *Authority) Vouch(of Identity, key *ecdsa.PublicKey, life time.Duration) (*x509.Certificate, error) {
	t := certificate("breakwater sender", life)
	t.KeyUsage, t.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	t.BasicConstraintsValid = true
	t.URIs = []*url.URL{of.uri()}
	der, err := x509.CreateCertificate(rand.Reader, t, a.cert, key, a.key)
	if err != nil {
		return nil, fmt.Errorf("vouch for %s: %w", of.uri(), err)
	}
	return x509.ParseCertificate(der)
}

// vouchedFor says whether the authority made a certificate for a sender, and that it counts at a time.
func (a *Authority) vouchedFor(c *x509.Certificate, now time.Time) error {
	roots := x509.NewCertPool()
	roots.AddCert(a.cert)
	_, err := c.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	return err
}

// Serial is a certificate's number as it is kept and shown.
func Serial(c *x509.Certificate) string { return fmt.Sprintf("%032x", c.SerialNumber) }

// KeyHash names a public key.
func KeyHash(key *ecdsa.PublicKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:]), nil
}

// maxRequest bounds a certificate request; one of an ordinary key has some hundred bytes.
const maxRequest = 4 << 10

// keyOf takes the key out of a certificate request (PEM), which must be of ECDSA on P-256
// and have signed the request. Whatever names, extensions and attributes the request asks
// for are not looked at.
func keyOf(text []byte) (*ecdsa.PublicKey, error) {
	if len(text) > maxRequest {
		return nil, fmt.Errorf("the certificate request has more than %d bytes", maxRequest)
	}
	block, rest := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE REQUEST" || len(strings.TrimSpace(string(rest))) > 0 {
		return nil, errors.New("want one certificate request in PEM")
	}
	request, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return nil, errors.New("the certificate request cannot be read")
	}
	key, ok := request.PublicKey.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, errors.New("want a key of ECDSA on P-256")
	}
	if request.CheckSignature() != nil {
		return nil, errors.New("the certificate request is not signed with its key")
	}
	return key, nil
}

// nodeName says what is no name of a node: Kubernetes allows lower-case letters, digits,
// dots and dashes; capitals and underscores are let pass for hosts without a cluster.
func nodeName(name string) error {
	if name == "" || len(name) > 253 || strings.Trim(name, ".") == "" {
		return errors.New("want a node's name of 1 to 253 letters")
	}
	for _, c := range []byte(name) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '.' && c != '-' && c != '_' {
			return errors.New("a node's name has letters, digits, dots and dashes only")
		}
	}
	return nil
}
