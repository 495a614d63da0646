// Package issuertest is an issuer of tokens for tests: a real server on a loopback
// address that publishes its configuration and its keys, signs tokens with them, and
// misbehaves on demand. Nothing of it touches a disk.
//
//	issuer := issuertest.New(t)
//	token := issuer.Token(map[string]any{"aud": "pets", "exp": 9999999999})
//	issuer.SetFault(issuertest.Failing)
package issuertest

import (
	"crypto/x509"
	"encoding/json"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// Paths that an issuer serves.
const (
	DiscoveryPath = "/.well-known/openid-configuration"
	KeysPath      = "/keys"
)

// A Fault is what is wrong with an issuer. It concerns the configuration, or the keys
// where its name says so.
type Fault int

const (
	// Healthy: nothing is wrong.
	Healthy Fault = iota
	// Slow: an answer is not sent until Release.
	Slow
	// SlowKeys: as Slow, for the keys.
	SlowKeys
	// Failing: the status is 500, whatever the body.
	Failing
	// FailingKeys: as Failing, for the keys.
	FailingKeys
	// Oversize: the body is 10 MB of white space before the JSON text.
	Oversize
	// OversizeKeys: as Oversize, for the keys.
	OversizeKeys
	// Redirect: the answer sends the client to a place with a good one.
	Redirect
	// RedirectKeys: as Redirect, for the keys.
	RedirectKeys
	// WrongIssuer: the configuration is that of another issuer.
	WrongIssuer
	// NoJSON: the body is not JSON.
	NoJSON
	// NoJSONKeys: as NoJSON, for the keys.
	NoJSONKeys
)

const (
	oversize = 10 << 20
	moved    = "/moved"
)

// An Issuer is a running issuer. Its methods may be called by any goroutine.
type Issuer struct {
	// URL is the name of the issuer and where it is.
	URL string

	server *httptest.Server

	mu            sync.Mutex // guards what follows
	keys          []*Key
	raw           string // in the place of the key set
	configuration map[string]any
	fault         Fault
	released      chan struct{} // closed by Release
	configs, sets int
}

// New starts an issuer with one key, named "k1", by http. It ends with the test.
func New(t testing.TB) *Issuer { return start(t, (*httptest.Server).Start) }

// NewTLS is like New, by https. Roots returns what a client must trust.
func NewTLS(t testing.TB) *Issuer {
	return start(t, (*httptest.Server).StartTLS)
}

func start(t testing.TB, start func(*httptest.Server)) *Issuer {
	i := &Issuer{keys: []*Key{RSA("k1", 0)}, released: make(chan struct{})}
	i.server = httptest.NewUnstartedServer(http.HandlerFunc(i.serve))
	i.server.Config.SetKeepAlivesEnabled(false)
	i.server.Config.ErrorLog = log.New(io.Discard, "", 0) // clients go away on purpose
	start(i.server)
	i.URL = i.server.URL
	t.Cleanup(i.close)
	return i
}

// close ends the issuer and all who wait for it.
func (i *Issuer) close() {
	i.Release()
	i.server.CloseClientConnections()
	i.server.Close()
}

// Roots returns the authorities that certify an issuer of NewTLS.
func (i *Issuer) Roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(i.server.Certificate())
	return pool
}

// SetKeys makes the issuer publish exactly these keys, and sign with the first.
func (i *Issuer) SetKeys(keys ...*Key) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys, i.raw = keys, ""
}

// SetKeySet makes the issuer publish a text in the place of its keys.
func (i *Issuer) SetKeySet(text string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.raw = text
}

// SetConfiguration replaces members of the configuration, such as jwks_uri.
func (i *Issuer) SetConfiguration(members map[string]any) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.configuration = members
}

// SetFault makes something wrong with the issuer, from the next request on.
func (i *Issuer) SetFault(f Fault) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.fault = f
}

// Release sends the answers that are held back, and holds back no more until the
// next Hold.
func (i *Issuer) Release() {
	i.mu.Lock()
	defer i.mu.Unlock()
	select {
	case <-i.released:
	default:
		close(i.released)
	}
}

// Hold makes Slow hold back answers again after a Release.
func (i *Issuer) Hold() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.released = make(chan struct{})
}

// Requests returns how often the configuration and the keys were asked for.
func (i *Issuer) Requests() (configurations, keySets int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.configs, i.sets
}

func (i *Issuer) serve(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, moved)
	i.mu.Lock()
	var body []byte
	// The faults of the keys follow those of the configuration.
	var slow, failing, oversized, redirect, broken Fault
	switch path {
	case DiscoveryPath:
		i.configs++
		slow, failing, oversized, redirect, broken = Slow, Failing, Oversize, Redirect, NoJSON
		c := map[string]any{"issuer": i.URL, "jwks_uri": i.URL + KeysPath}
		if i.fault == WrongIssuer {
			c["issuer"] = i.URL + ".example"
		}
		maps.Copy(c, i.configuration)
		body, _ = json.Marshal(c)
	case KeysPath:
		i.sets++
		slow, failing, oversized, redirect, broken = SlowKeys, FailingKeys, OversizeKeys, RedirectKeys, NoJSONKeys
		body = []byte(i.raw)
		if i.raw == "" {
			body = KeySet(i.keys...)
		}
	default:
		i.mu.Unlock()
		http.NotFound(w, r)
		return
	}
	fault, released := i.fault, i.released
	i.mu.Unlock()

	if path != r.URL.Path {
		fault = Healthy
	}
	w.Header().Set("Content-Type", "application/json")
	switch fault {
	case slow:
		select {
		case <-released:
		case <-r.Context().Done():
			return
		}
	case failing:
		w.WriteHeader(http.StatusInternalServerError)
	case redirect:
		http.Redirect(w, r, moved+path, http.StatusFound)
		return
	case oversized:
		blank := []byte(strings.Repeat(" ", 64<<10))
		for range oversize / len(blank) {
			if _, err := w.Write(blank); err != nil {
				return
			}
		}
	case broken:
		body = []byte("<html>")
	}
	_, _ = w.Write(body) // the client may be gone
}
