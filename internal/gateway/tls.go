package gateway

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"time"
)

// A TLSConfig says whom a TLS listener is, and whom it trusts.
type TLSConfig struct {
	// Certificate returns the certificate for a server name, in lower case and without
	// the dot at its end. The name is empty if the client gave none, or an IP address.
	Certificate func(serverName string) (*tls.Certificate, error)
	// ClientAuth returns what clients need that ask for a server name; nil means
	// nothing. It is asked at each handshake, and again for each request on a connection
	// whose client had to have a certificate. Nil means that no name asks for mutual TLS.
	ClientAuth func(serverName string) *ClientAuth
	// Challenge returns the certificate for clients that offer only the protocol
	// acme-tls/1; their connections end with the handshake. Nil refuses them.
	Challenge func(*tls.ClientHelloInfo) (*tls.Certificate, error)
}

// A ClientAuth says which clients a domain with mutual TLS trusts. It does not change.
type ClientAuth struct {
	// Pool holds the authorities. If it is nil, or Err is not, nobody is trusted.
	Pool *x509.CertPool
	// Version is another one whenever Pool is.
	Version string
	Err     error
}

const (
	protocolHTTP1 = "http/1.1"
	protocolHTTP2 = "h2"
	protocolACME  = "acme-tls/1"
)

// maxHandshake is how many bytes a client may send until its handshake is complete.
// A hello has up to 2 KiB, a chain of certificates up to 10: what is longer only costs
// time to take apart.
const maxHandshake = 32 << 10

// A tlsListener is what the connections of a listener have in common.
type tlsListener struct {
	TLSConfig
	server *Server
	config *tls.Config // for names without mutual TLS; it has the keys of their sessions
}

// ServeTLS accepts TLS connections until the listener or the server closes. HTTP/2 is
// spoken with clients that offer it. It returns nil after Shutdown or Close.
func (s *Server) ServeTLS(l net.Listener, c TLSConfig) error {
	t := &tlsListener{TLSConfig: c, server: s}
	t.config = t.newConfig()
	t.config.NextProtos = []string{protocolHTTP2, protocolHTTP1}
	t.config.GetConfigForClient = t.configFor
	return s.accept(l, t)
}

// newConfig returns what all handshakes have in common.
func (t *tlsListener) newConfig() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		// Those of TLS 1.3 are always offered.
		CipherSuites: []uint16{
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		},
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			return t.Certificate(serverName(hello.ServerName))
		},
		DynamicRecordSizingDisabled: true, // a system call for each record of 1 KiB costs more than it saves
	}
}

// configFor returns the configuration for one handshake; nil means the listener's. A
// domain with mutual TLS gets one of its own, without sessions: no handshake for it is
// ever cut short, whatever ticket the client has, and none of its sessions can be
// resumed elsewhere.
func (t *tlsListener) configFor(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	h := hello.Conn.(*socket).handshake
	h.name = serverName(hello.ServerName)
	if len(hello.SupportedProtos) == 1 && hello.SupportedProtos[0] == protocolACME {
		if t.Challenge == nil {
			return nil, errors.New("no certificates are ordered here")
		}
		c := t.newConfig()
		c.NextProtos = []string{protocolACME}
		c.GetCertificate = t.Challenge
		c.SessionTicketsDisabled = true
		return c, nil
	}
	auth := t.clientAuth(h.name)
	if auth == nil {
		return nil, nil
	}
	if auth.Err != nil {
		return nil, auth.Err
	}
	if auth.Pool == nil {
		return nil, errors.New("there is no trust store")
	}
	h.mutual = true
	if d := t.server.snapshot.Load().Domain(h.name); d != nil {
		h.domain = d.Name
	}
	c := t.newConfig()
	c.NextProtos = t.config.NextProtos
	c.SessionTicketsDisabled = true
	// The chain is checked below, by rules that are stricter than crypto/tls's.
	c.ClientAuth = tls.RequireAnyClientCert
	c.VerifyConnection = func(state tls.ConnectionState) error {
		chain, err := verifyClient(state.PeerCertificates, auth.Pool, time.Now())
		if err != nil {
			return err
		}
		h.trust(chain, auth.Version)
		return nil
	}
	return c, nil
}

// clientAuth returns what clients of a name need. A domain that asks for mutual TLS in
// the snapshot never does without, whatever else is known of it.
func (t *tlsListener) clientAuth(name string) *ClientAuth {
	if name == "" || t.ClientAuth == nil {
		if d := t.server.snapshot.Load().Domain(name); name != "" && d != nil && d.MutualTLS != nil {
			return &ClientAuth{Err: errors.New("the listener has no trust stores")}
		}
		return nil
	}
	auth := t.ClientAuth(name)
	if d := t.server.snapshot.Load().Domain(name); auth == nil && d != nil && d.MutualTLS != nil {
		return &ClientAuth{Err: errors.New("the trust store of the domain is not known")}
	}
	return auth
}

// serverName returns the name that a client asks for: in lower case, without the dot at
// its end; "" for an IP address, which is no name.
func serverName(sni string) string {
	name := strings.ToLower(strings.TrimSuffix(sni, "."))
	if net.ParseIP(strings.Trim(name, "[]")) != nil {
		return ""
	}
	return name
}

// A socket is the connection below TLS. It bounds what a client may send until its
// handshake is complete.
type socket struct {
	net.Conn
	handshake *handshake
	left      int // bytes; negative: any number
}

// NetConn returns the connection itself, for those who take it over and end it their way.
func (s *socket) NetConn() net.Conn { return s.Conn }

var errHandshakeLarge = errors.New("the handshake is too large")

func (s *socket) Read(p []byte) (int, error) {
	if s.left < 0 {
		return s.Conn.Read(p)
	}
	if s.left == 0 {
		return 0, errHandshakeLarge
	}
	n, err := s.Conn.Read(p[:min(len(p), s.left)])
	s.left -= n
	return n, err
}

// A handshake is what is known of the client of a TLS connection. All exchanges of the
// connection share it; only trusted changes once the handshake is complete.
type handshake struct {
	listener *tlsListener
	name     string // the server name that the client asked for
	// mutual says that the client had to have a certificate, and domain for which
	// domain; "" if no snapshot had it.
	mutual  bool
	domain  string
	trusted atomic.Pointer[trusted]
}

// A trusted chain is one that a version of a trust store has vouched for.
type trusted struct {
	chain    []*x509.Certificate
	version  string
	notAfter time.Time // the first of them
}

func (h *handshake) trust(chain []*x509.Certificate, version string) {
	t := &trusted{chain: chain, version: version, notAfter: chain[0].NotAfter}
	for _, c := range chain {
		if c.NotAfter.Before(t.notAfter) {
			t.notAfter = c.NotAfter
		}
	}
	h.trusted.Store(t)
}

// check says whether the client is still trusted, which costs a comparison as long as
// the trust store does not change. It returns the answer to a client that is not.
func (h *handshake) check(now time.Time) error {
	if h == nil || !h.mutual {
		return nil
	}
	t := h.trusted.Load()
	if now.After(t.notAfter) {
		return closing(errForbidden, "the certificate of the client has expired")
	}
	auth := h.listener.clientAuth(h.name)
	switch {
	case auth == nil:
		return nil // the domain no longer asks for certificates
	case auth.Err != nil || auth.Pool == nil:
		return closing(errForbidden, "the trust store cannot be read")
	case auth.Version == t.version:
		return nil
	}
	chain, err := verifyClient(t.chain, auth.Pool, now)
	if err != nil {
		return closing(errForbidden, "the trust store no longer has the authority of the client: "+err.Error())
	}
	h.trust(chain, auth.Version)
	return nil
}

// misdirected reports whether a request must not be served on its TLS connection. d is
// the domain that its Host belongs to, nil for none. A domain with mutual TLS is served
// on connections whose handshake was for it and no other, and these serve nothing else:
// what a client had to show for one name says nothing about another.
func (x *Exchange) misdirected(d *Domain) bool {
	h := x.handshake
	if h == nil {
		return false // cleartext, or a connection of a test
	}
	if h.mutual {
		return d == nil || d.Name != h.domain
	}
	return d != nil && d.MutualTLS != nil
}

// secure makes a new connection one that begins with a TLS handshake.
func (c *conn) secure(t *tlsListener) {
	c.handshake = &handshake{listener: t}
	c.x.handshake = c.handshake
	c.below = &socket{Conn: c.nc, handshake: c.handshake, left: maxHandshake}
	c.tls = tls.Server(c.below, t.config)
	c.nc = c.tls
	c.br.Reset(c.nc)
}

// shake completes the handshake and reports whether there are requests to serve.
func (c *conn) shake() bool {
	c.enter(phaseHandshake)
	if err := c.tls.Handshake(); err != nil {
		// What is not TLS, or a client that does not trust the certificate, is no news.
		c.s.log.Debug("TLS handshake", "peer", c.x.Request.Peer, "serverName", c.handshake.name, "error", err)
		return false
	}
	c.below.left = -1
	state := c.tls.ConnectionState()
	state.ServerName = c.handshake.name
	if t := c.handshake.trusted.Load(); t != nil {
		state.VerifiedChains = [][]*x509.Certificate{t.chain}
	}
	c.x.Request.TLS = &state
	c.enter(phaseIdle)
	return state.NegotiatedProtocol != protocolACME
}

// cutOff closes the connection at once, with what has not been sent. Any goroutine may
// call it: it does not wait, as the end of a TLS connection would.
func (c *conn) cutOff() {
	if c.below != nil {
		c.below.Conn.Close()
		return
	}
	c.nc.Close()
}

// inOneRecord is how much of a response fits into one TLS record.
const inOneRecord = 16 << 10

// writeParts sends a head and a long body. Under TLS, each write is a record at least:
// the first is filled up.
func (c *conn) writeParts(head, body []byte) error {
	if c.tls != nil {
		n := min(len(body), max(inOneRecord-len(head), 0))
		c.out = append(head, body[:n]...)
		if err := c.write(c.out); err != nil || n == len(body) {
			return err
		}
		return c.write(body[n:])
	}
	c.parts = [2][]byte{head, body}
	c.vector = c.parts[:]
	_, err := c.vector.WriteTo(c.nc)
	c.parts = [2][]byte{}
	return c.sent(err)
}

var _ io.ReadWriteCloser = (*socket)(nil)
