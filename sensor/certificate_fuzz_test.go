package sensor

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"testing"
	"time"
)

// FuzzCertificate: of what a server answers to a join, a certificate is taken that is of the sensor's own key.
func FuzzCertificate(f *testing.F) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	as := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<31, 0)}
	own, err := x509.CreateCertificate(rand.Reader, as, as, &key.PublicKey, key)
	if err != nil {
		f.Fatal(err)
	}
	whole := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: own})
	if err := (&credential{key: key}).take(whole); err != nil {
		f.Fatal(err)
	}
	for _, seed := range [][]byte{whole, whole[:len(whole)/2], own,
		[]byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), nil} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c := &credential{key: key}
		if err := c.take(text); (err == nil) != (len(c.chain) == 1 && !c.renew.IsZero()) {
			t.Errorf("%v, and the chain is %v until %v", err, c.chain, c.renew)
		}
	})
}
