package certificate

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// maxAuthorities is how many certificates a trust store may have, a quota of the
// service.
const maxAuthorities = 1000

// Authorities reads the PEM text of a trust store and says what is wrong with those
// certificates that cannot be used. A text without one that can be used is an error.
func Authorities(text []byte) (pool *x509.CertPool, warnings []string, err error) {
	if len(text) > maxFile {
		return nil, nil, errLarge
	}
	pool = x509.NewCertPool()
	good := 0
	for n := 1; ; n++ {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		if n > maxAuthorities {
			return nil, nil, fmt.Errorf("it has more than %d certificates", maxAuthorities)
		}
		c, problem := authority(block)
		if problem != "" {
			warnings = append(warnings, fmt.Sprintf("Certificate %d: %s", n, problem))
			continue
		}
		pool.AddCert(c)
		good++
	}
	if good == 0 {
		return nil, nil, errors.New("it has no certificate in PEM that could be used")
	}
	if len(bytes.TrimSpace(text)) > 0 {
		warnings = append(warnings, "What follows the last certificate is no PEM")
	}
	return pool, warnings, nil
}

// authority returns the certificate of an authority, or why it cannot be used. Source:
// developer guide, http-api-mutual-tls.
func authority(block *pem.Block) (c *x509.Certificate, problem string) {
	if block.Type != "CERTIFICATE" {
		return nil, "it is a " + block.Type
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, "it cannot be parsed: " + err.Error()
	}
	switch c.SignatureAlgorithm {
	case x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.DSAWithSHA1, x509.ECDSAWithSHA1:
		return nil, "its signature is weaker than SHA-256"
	}
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		if key.N.BitLen() < 2048 {
			return nil, "its RSA key is shorter than 2048 bits"
		}
	case *ecdsa.PublicKey:
		if key.Curve.Params().BitSize < 256 {
			return nil, "its ECDSA key is shorter than 256 bits"
		}
	}
	if !c.IsCA {
		return nil, "it is not the certificate of an authority"
	}
	return c, ""
}
