package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/coder/websocket"

	"penstock/internal/sigv4"
)

// A handshake is what the server is asked for.
type handshake struct {
	target    *url.URL // http or https
	address   string   // what messages call it: without query and user
	options   websocket.DialOptions
	transport *http.Transport
}

var (
	// stageHost matches the host name of an API and finds the region.
	stageHost = regexp.MustCompile(`(?i)^[a-z0-9-]+\.execute-api\.([a-z0-9-]+)\.`)
	// headerName matches what may stand before the colon of a header.
	headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
	// requestID matches what may be copied into a command line.
	requestID = regexp.MustCompile(`^[A-Za-z0-9_=-]{1,100}$`)
)

// handshake returns the handshake that the flags ask for. Its errors do not have what may
// be secret: the values of headers, and the query.
func (c *wsCommand) handshake(p *program) (*handshake, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Scheme != "ws" && u.Scheme != "wss" || u.Hostname() == "" || strings.Contains(c.URL, "#") {
		return nil, errors.New("the URL is not one of a stage, such as ws://a1b2c3.execute-api.us-east-1.localhost:8080/dev")
	}
	h := &handshake{
		target:  u,
		address: u.Scheme + "://" + escape(u.Host+u.EscapedPath(), ""),
		transport: &http.Transport{
			DialContext:     dialLocalhost,
			TLSClientConfig: &tls.Config{InsecureSkipVerify: c.Insecure}, // only with --insecure
		},
	}
	u.Scheme = map[string]string{"ws": "http", "wss": "https"}[u.Scheme]
	r := &http.Request{Method: http.MethodGet, URL: u, Host: u.Host, Header: http.Header{"User-Agent": {"penstock"}}}
	if err := c.addHeaders(r); err != nil {
		return nil, err
	}
	if c.Sign {
		if err := c.sign(p, r); err != nil {
			return nil, err
		}
	}
	h.options = websocket.DialOptions{
		HTTPClient: &http.Client{
			Transport: h.transport,
			// A handshake that is answered with another address is refused.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		HTTPHeader:   r.Header,
		Host:         r.Host,
		Subprotocols: c.Subprotocol,
	}
	if c.Deflate {
		// Frames of compressed messages would not be those that a person asked for.
		h.options.CompressionMode, h.options.CompressionThreshold = websocket.CompressionNoContextTakeover, math.MaxInt
	}
	return h, nil
}

// addHeaders gives r the headers of the command line.
func (c *wsCommand) addHeaders(r *http.Request) error {
	seen := map[string]bool{}
	for i, line := range c.Header {
		name, value, found := strings.Cut(line, ":")
		value = strings.Trim(value, " \t")
		control := func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }
		if !found || !headerName.MatchString(name) || strings.ContainsFunc(value, control) {
			return fmt.Errorf("--header number %d is not like 'Name: value'", i+1)
		}
		switch name = http.CanonicalHeaderKey(name); {
		case name == "Host":
			r.Host = value
			continue
		case strings.HasPrefix(name, "Sec-Websocket-"), name == "Connection", name == "Upgrade":
			return fmt.Errorf("--header: %s belongs to the handshake itself; --subprotocol and --deflate say what is offered", name)
		case !seen[name]:
			r.Header.Del(name)
		}
		seen[name] = true
		r.Header.Add(name, value)
	}
	for _, name := range c.Subprotocol {
		if !headerName.MatchString(name) {
			return fmt.Errorf("--subprotocol: %q is not a token", name)
		}
	}
	if c.APIKey != "" {
		r.Header.Set("X-Api-Key", c.APIKey)
	}
	return nil
}

// sign signs r for the region of its host, which may be a custom domain: then for that
// of the configuration.
func (c *wsCommand) sign(p *program, r *http.Request) error {
	config, err := settings{Config: c.Config}.load(p.environ)
	if err != nil {
		return err
	}
	credential := p.credential(config)
	if credential.AccessKeyID == "" || credential.SecretAccessKey == "" {
		return errors.New("--sign: no credential: give one with --config, or in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	}
	region := cmp.Or(c.Region, config.Region)
	if m := stageHost.FindStringSubmatch(r.Host); m != nil && c.Region == "" {
		region = strings.ToLower(m[1])
	}
	signer := sigv4.Signer{
		Credential: sigv4.Credential{AccessKeyID: credential.AccessKeyID, SecretAccessKey: credential.SecretAccessKey, SessionToken: credential.SessionToken},
		Region:     region,
		Service:    "execute-api",
	}
	if err := signer.Sign(r, nil); err != nil {
		return errors.New("--sign: the query has an invalid percent escape")
	}
	return nil
}

// dial makes the handshake. It gives up with ctx, whose cause is the error if its deadline
// has passed, or after a while.
func (h *handshake) dial(ctx context.Context) (*websocket.Conn, *http.Response, error) {
	limited, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	defer h.transport.CloseIdleConnections()
	conn, resp, err := websocket.Dial(limited, h.target.String(), &h.options)
	switch {
	case err == nil:
		return conn, resp, nil
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return nil, nil, context.Cause(ctx)
	case ctx.Err() != nil:
		return nil, nil, errors.New("interrupted")
	case limited.Err() != nil:
		return nil, nil, fmt.Errorf("%s does not answer the handshake within %v", h.address, handshakeTimeout)
	case resp != nil && resp.StatusCode != http.StatusSwitchingProtocols:
		return nil, nil, h.refused(resp)
	default:
		return nil, nil, h.failure(err)
	}
}

// failure returns the error for a handshake that has no good answer. Errors of net/http
// begin with the whole URL, which may have a secret in its query.
func (h *handshake) failure(err error) error {
	if outer := (*url.Error)(nil); errors.As(err, &outer) {
		err = outer.Err
	} else if inner := errors.Unwrap(err); inner != nil {
		err = inner // says what the client was doing no more
	}
	var network *net.OpError
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	switch text := escape(err.Error(), ""); {
	case errors.As(err, &certificate):
		return fmt.Errorf("%s: %s\n--insecure takes any certificate", h.address, text)
	case errors.As(err, &record), strings.Contains(text, "HTTP response to HTTPS client"):
		return fmt.Errorf("%s answers without TLS: try ws://", h.address)
	case errors.As(err, &network) && network.Op == "dial":
		return fmt.Errorf("no server answers at %s (%w)", h.address, network.Err)
	default:
		return fmt.Errorf("%s: %s", h.address, text)
	}
}

// refused returns the error for an answer that is not a connection, with what can be
// done about it.
func (h *handshake) refused(resp *http.Response) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s refuses the handshake: %s", h.address, escape(resp.Status, ""))
	code, _, _ := strings.Cut(resp.Header.Get("X-Amzn-ErrorType"), ":")
	if code != "" {
		fmt.Fprintf(&b, " (%s)", escape(code, ""))
	}
	if location := resp.Header.Get("Location"); location != "" {
		fmt.Fprintf(&b, "\nLocation: %s", escape(location, ""))
	}
	body, _ := io.ReadAll(resp.Body) // of up to 1 KB; what is missing was not sent
	if body = bytes.TrimSpace(body); len(body) > 0 {
		fmt.Fprintf(&b, "\n%s", escape(string(body), "\n\t"))
	}
	if advice := refusalAdvice(resp.StatusCode, code); advice != "" {
		fmt.Fprintf(&b, "\n%s", advice)
	}
	if id := answerID(resp); requestID.MatchString(id) {
		fmt.Fprintf(&b, "\npenstock explain %s tells why", id)
	}
	return errors.New(b.String())
}

// answerID returns the ID that the server gave the handshake, or "".
func answerID(resp *http.Response) string {
	return cmp.Or(resp.Header.Get("Apigw-Requestid"), resp.Header.Get("X-Amzn-Requestid"))
}

// refusalAdvice returns what to do about a refused handshake.
func refusalAdvice(status int, code string) string {
	switch code {
	case "MissingAuthenticationTokenException":
		return "The route wants a signature: --sign."
	case "InvalidSignatureException", "SignatureDoesNotMatch", "IncompleteSignatureException", "UnrecognizedClientException":
		return "The signature is not that of a known credential for this host and region: check the credential, --region and the clock."
	case "ExpiredTokenException":
		return "The session token, or the signature in the query, is no longer valid."
	case "AccessDeniedException":
		return "The authorizer or a policy denies it: check what they are given, and execute-api:Invoke for $connect."
	}
	switch {
	case status == http.StatusBadRequest:
		return "A header or query parameter that $connect requires may be missing, or the backend of $connect refuses."
	case status == http.StatusUnauthorized:
		return "The authorizer of $connect does not know the caller: check what it reads, which --header or the query gives it."
	case status == http.StatusForbidden:
		return "Check the API in the host name, the stage in the path and whether it is deployed, the API key (--api-key), and the authorizer."
	case status == http.StatusNotFound:
		return "Nothing has this address: check the host name and the stage in the path."
	case status == http.StatusUpgradeRequired:
		return "The server has not seen a handshake that it knows: something on the way, such as a proxy, may drop the header Upgrade."
	case status == http.StatusTooManyRequests:
		return "There are too many handshakes: try again later, or raise the throttle of the stage or the usage plan."
	case status == http.StatusGatewayTimeout:
		return "The integration of $connect took too long."
	case status >= 500:
		return "The integration or the authorizer of $connect failed: check its log."
	case status/100 == 3:
		return "The backend of $connect answers with another address, and no client follows it."
	case status/100 == 2:
		return "This is not a WebSocket API."
	}
	return ""
}

// connected says what the handshake has brought.
func (h *handshake) connected(resp *http.Response) string {
	text := "connected to " + h.address
	if name := resp.Header.Get("Sec-Websocket-Protocol"); name != "" {
		text += "; subprotocol " + name
	} else if len(h.options.Subprotocols) > 0 {
		text += "; no subprotocol, for which browsers would close the connection"
	}
	if extensions := resp.Header.Values("Sec-Websocket-Extensions"); len(extensions) > 0 {
		text += "; extensions " + strings.Join(extensions, ", ")
	}
	if id := answerID(resp); id != "" {
		text += "; request ID " + id
	}
	return escape(text, "")
}

// dialLocalhost is Dial of net.Dialer, but for localhost and the names under it: they are
// this machine, which not every resolver knows. IPv4 comes first.
func dialLocalhost(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: dialTimeout}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host != "localhost" && !strings.HasSuffix(host, ".localhost") {
		return dialer.DialContext(ctx, network, address)
	}
	conn, err := dialer.DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		var err6 error
		if conn, err6 = dialer.DialContext(ctx, network, net.JoinHostPort("::1", port)); err6 != nil {
			return nil, err
		}
	}
	return conn, nil
}
