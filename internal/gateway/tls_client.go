package gateway

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// Limits on the certificates of clients. The length of a chain and the strength of keys
// and signatures are the service's (developer guide, http-api-mutual-tls); the others
// keep a certificate from being made to cost time.
const (
	maxChain       = 4        // certificates, with that of the client and the authority's
	maxCertificate = 16 << 10 // bytes
	maxNames       = 100      // of one certificate
)

// verifyClient returns the chain from a client's certificate to an authority in the
// pool. sent is what the client has shown, its own certificate first.
func verifyClient(sent []*x509.Certificate, pool *x509.CertPool, now time.Time) ([]*x509.Certificate, error) {
	if len(sent) == 0 {
		return nil, errors.New("the client has no certificate")
	}
	if len(sent) > maxChain {
		return nil, errors.New("the chain of certificates is too long")
	}
	for _, c := range sent {
		if err := checkStrength(c); err != nil {
			return nil, err
		}
	}
	intermediates := x509.NewCertPool()
	for _, c := range sent[1:] {
		intermediates.AddCert(c)
	}
	chains, err := sent[0].Verify(x509.VerifyOptions{
		Roots: pool, Intermediates: intermediates, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return nil, err
	}
	err = errors.New("the chain of certificates is too long")
	for _, chain := range chains {
		if len(chain) > maxChain {
			continue
		}
		if err = checkChain(chain); err == nil {
			return chain, nil
		}
	}
	return nil, err
}

func checkChain(chain []*x509.Certificate) error {
	for _, c := range chain {
		if err := checkStrength(c); err != nil {
			return err
		}
	}
	return nil
}

// checkStrength looks at one certificate by itself.
func checkStrength(c *x509.Certificate) error {
	if len(c.Raw) > maxCertificate {
		return errors.New("a certificate is too large")
	}
	if len(c.DNSNames)+len(c.EmailAddresses)+len(c.IPAddresses)+len(c.URIs) > maxNames {
		return errors.New("a certificate has too many names")
	}
	switch c.SignatureAlgorithm {
	case x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA,
		x509.SHA256WithRSAPSS, x509.SHA384WithRSAPSS, x509.SHA512WithRSAPSS,
		x509.ECDSAWithSHA256, x509.ECDSAWithSHA384, x509.ECDSAWithSHA512:
	default:
		return fmt.Errorf("a certificate is signed with %v", c.SignatureAlgorithm)
	}
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		if key.N.BitLen() < 2048 {
			return errors.New("an RSA key is shorter than 2048 bits")
		}
	case *ecdsa.PublicKey:
		if key.Curve.Params().BitSize < 256 {
			return errors.New("an ECDSA key is shorter than 256 bits")
		}
	default:
		return fmt.Errorf("a certificate has a key of kind %v", c.PublicKeyAlgorithm)
	}
	return nil
}
