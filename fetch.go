package penstock

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"penstock/internal/integration"
	"penstock/internal/model"
)

// Limits of what is fetched because somebody has named it to the control plane.
// Those of issuers are the real service's.
const (
	discoveryTimeout  = 1500 * time.Millisecond
	maxDiscovery      = 150_000 // bytes
	truststoreTimeout = 3 * time.Second
	maxTruststore     = 1 << 20 // bytes
	maxCertificates   = 1000    // of a trust store
)

// A fetcher reads what callers of the control plane name. It reaches no address
// that integrations may not reach, and follows no redirects.
type fetcher struct{ client *http.Client }

func newFetcher(c *integration.Client) fetcher {
	return fetcher{&http.Client{
		Transport:     &http.Transport{DialContext: c.DialContext, DisableKeepAlives: true, TLSHandshakeTimeout: truststoreTimeout},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// fetch returns what a URL answers with 200, of at most that many bytes.
func (f fetcher) fetch(ctx context.Context, from string, timeout time.Duration, most int64) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return nil, err
	}
	resp, err := f.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the answer is %s", resp.Status)
	}
	return readAll(resp.Body, most)
}

func readAll(r io.Reader, most int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(text)) > most {
		err = fmt.Errorf("it has more than %d bytes", most)
	}
	return text, err
}

// discover asks an issuer for its configuration, by the URL of that. It must say
// where the keys are, and be the issuer's that is asked.
func (f fetcher) discover(ctx context.Context, from string) error {
	text, err := f.fetch(ctx, from, discoveryTimeout, maxDiscovery)
	if err != nil {
		return err
	}
	var configuration struct {
		Issuer string `json:"issuer"`
		Keys   string `json:"jwks_uri"`
	}
	if err := json.Unmarshal(text, &configuration); err != nil {
		return err
	}
	if configuration.Issuer == "" || configuration.Keys == "" {
		return errors.New("the configuration has no issuer or no jwks_uri")
	}
	if asked := strings.TrimSuffix(from, model.DiscoveryPath); strings.TrimSuffix(configuration.Issuer, "/") != asked {
		return fmt.Errorf("the configuration is that of another issuer than %s", asked)
	}
	return nil
}

// truststore reads the certificates of a trust store and says what is wrong with
// those that cannot be used. One without a certificate that can be used is an error.
func (f fetcher) truststore(ctx context.Context, from string) (warnings []string, err error) {
	u, err := url.Parse(from)
	if err != nil {
		return nil, err
	}
	var text []byte
	if u.Scheme == "file" {
		text, err = readFile(u.Path)
	} else {
		text, err = f.fetch(ctx, from, truststoreTimeout, maxTruststore)
	}
	if err != nil {
		return nil, err
	}
	good := 0
	for n := 1; ; n++ {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		if n > maxCertificates {
			return nil, fmt.Errorf("it has more than %d certificates", maxCertificates)
		}
		if problem := certificateProblem(block); problem != "" {
			warnings = append(warnings, fmt.Sprintf("Certificate %d: %s", n, problem))
			continue
		}
		good++
	}
	if good == 0 {
		return nil, errors.New("it has no certificate in PEM that could be used")
	}
	if len(bytes.TrimSpace(text)) > 0 {
		warnings = append(warnings, "What follows the last certificate is no PEM")
	}
	return warnings, nil
}

func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return nil, errors.New("there is no such file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, errors.New("the file cannot be opened")
	}
	defer f.Close()
	return readAll(f, maxTruststore)
}

// certificateProblem says why the certificate of an authority cannot be used, or
// nothing if it can. Source: developer guide, http-api-mutual-tls.
func certificateProblem(block *pem.Block) string {
	if block.Type != "CERTIFICATE" {
		return "it is a " + block.Type
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return "it cannot be parsed: " + err.Error()
	}
	switch c.SignatureAlgorithm {
	case x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.DSAWithSHA1, x509.ECDSAWithSHA1:
		return "its signature is weaker than SHA-256"
	}
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		if key.N.BitLen() < 2048 {
			return "its RSA key is shorter than 2048 bits"
		}
	case *ecdsa.PublicKey:
		if key.Curve.Params().BitSize < 256 {
			return "its ECDSA key is shorter than 256 bits"
		}
	}
	if !c.IsCA {
		return "it is not the certificate of an authority"
	}
	return ""
}
