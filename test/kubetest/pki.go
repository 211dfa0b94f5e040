package kubetest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	authv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// pki is a certificate authority for one test cluster.
type pki struct {
	dir                                   string
	cert                                  *x509.Certificate
	key                                   *ecdsa.PrivateKey
	ca, serverCert, serverKey, accountKey string // files
	kubeletCert, kubeletKey               string // by which kubelets know the API server
}

func newPKI(dir string) (p *pki, err error) {
	p = &pki{dir: dir}
	if p.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, err
	}
	p.cert = template("test-ca")
	p.cert.IsCA, p.cert.BasicConstraintsValid, p.cert.KeyUsage = true, true, x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, p.cert, p.cert, &p.key.PublicKey, p.key)
	if err != nil {
		return nil, err
	}
	if p.ca, err = p.write("ca.crt", "CERTIFICATE", der); err != nil {
		return nil, err
	}
	server := template("kube-apiserver")
	server.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(10, 96, 0, 1)}
	server.DNSNames = []string{"localhost", "kubernetes.default.svc"}
	if p.serverCert, p.serverKey, err = p.issue("apiserver", server); err != nil {
		return nil, err
	}
	if p.kubeletCert, p.kubeletKey, err = p.issue("kubelet-client", template("kube-apiserver-kubelet-client", "system:masters")); err != nil {
		return nil, err
	}
	_, p.accountKey, err = p.issue("accounts", template("accounts"))
	return p, err
}

func template(name string, groups ...string) *x509.Certificate {
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		panic(err)
	}
	return &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: name, Organization: groups},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(30 * 24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
}

func (p *pki) issue(file string, t *x509.Certificate) (cert, key string, err error) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", err
	}
	der, err := x509.CreateCertificate(rand.Reader, t, p.cert, &k.PublicKey, p.key)
	if err != nil {
		return "", "", err
	}
	kder, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		return "", "", err
	}
	if cert, err = p.write(file+".crt", "CERTIFICATE", der); err != nil {
		return "", "", err
	}
	key, err = p.write(file+".key", "EC PRIVATE KEY", kder)
	return cert, key, err
}

func (p *pki) write(name, typ string, der []byte) (string, error) {
	path := filepath.Join(p.dir, name)
	return path, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: typ, Bytes: der}), 0o600)
}

// UserKubeconfig is a kubeconfig file for a user with a client certificate; its
// context is named "test".
func (c *Cluster) UserKubeconfig(user string, groups ...string) (string, error) {
	name := strings.ReplaceAll(user, ":", "-")
	cert, key, err := c.pki.issue("user-"+name, template(user, groups...))
	if err != nil {
		return "", err
	}
	return c.kubeconfig(name, clientcmdapi.AuthInfo{ClientCertificate: cert, ClientKey: key})
}

// AccountKubeconfig is a kubeconfig file with a token of a service account,
// which must exist.
func (c *Cluster) AccountKubeconfig(namespace, account string) (string, error) {
	hour := int64(3600)
	tok, err := c.Client.CoreV1().ServiceAccounts(namespace).CreateToken(context.Background(), account,
		&authv1.TokenRequest{Spec: authv1.TokenRequestSpec{ExpirationSeconds: &hour}}, metav1.CreateOptions{})
	if err != nil {
		return "", fmt.Errorf("token of %s/%s: %w", namespace, account, err)
	}
	return c.TokenKubeconfig(namespace+"-"+account, tok.Status.Token)
}

// TokenKubeconfig is a kubeconfig file with any bearer token, good or bad.
func (c *Cluster) TokenKubeconfig(name, token string) (string, error) {
	return c.kubeconfig(name, clientcmdapi.AuthInfo{Token: token})
}

func (c *Cluster) kubeconfig(name string, user clientcmdapi.AuthInfo) (string, error) {
	cfg := clientcmdapi.NewConfig()
	cfg.Clusters["test"] = &clientcmdapi.Cluster{Server: c.server, CertificateAuthority: c.pki.ca}
	cfg.AuthInfos["user"] = &user
	cfg.Contexts["test"] = &clientcmdapi.Context{Cluster: "test", AuthInfo: "user"}
	cfg.CurrentContext = "test"
	path := filepath.Join(c.Dir, name+".kubeconfig")
	return path, clientcmd.WriteToFile(*cfg, path)
}
