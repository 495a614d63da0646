package penstock

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"penstock/internal/certificate"
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
	_, warnings, err = certificate.Authorities(text)
	return warnings, err
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
