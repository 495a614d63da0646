package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	"time"

	"penstock"
	"penstock/internal/sigv4"
)

// access is the flags of every command that calls a running server.
type access struct {
	Config   string `help:"Read the configuration, with the address and the credentials, from this file." placeholder:"FILE" short:"c"`
	Endpoint string `help:"Control plane of the server. Default: admin of the configuration." placeholder:"URL"`
}

// accessHelp is what Help of these commands ends with.
const accessHelp = `

The server is that of --endpoint, or else of admin in the configuration (--config, PENSTOCK_ADMIN), or else http://127.0.0.1:8081. If it has credentials, calls are signed with the first one of the configuration or with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.`

const (
	callTimeout = 2 * time.Minute // as long as a server takes to write an answer
	dialTimeout = 10 * time.Second
	maxAnswer   = 64 << 20 // bytes

	// Larger bodies, in bytes, are announced: a server that refuses one says so before
	// it is sent, not by closing the connection meanwhile.
	announced       = 64 << 10
	announceTimeout = time.Second
)

// A client calls the control plane of a running server.
type client struct {
	endpoint string        // URL without a slash at its end
	signer   *sigv4.Signer // nil if calls are not signed
	http     *http.Client
}

// client returns a client of the server that the flags and the configuration name.
func (a access) client(p *program) (*client, error) {
	config, err := settings{Config: a.Config}.load(p.environ)
	if err != nil {
		return nil, err
	}
	c := &client{http: &http.Client{
		Timeout: callTimeout,
		Transport: &http.Transport{
			DisableKeepAlives:     true,
			DialContext:           (&net.Dialer{Timeout: dialTimeout}).DialContext,
			ExpectContinueTimeout: announceTimeout,
		},
		// What answers with another address is not the control plane.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if a.Endpoint != "" {
		c.endpoint, err = parseEndpoint(a.Endpoint)
	} else {
		c.endpoint, err = adminEndpoint(config.Admin)
	}
	if credential := p.credential(config); credential.AccessKeyID != "" {
		c.signer = &sigv4.Signer{Credential: sigv4.Credential{AccessKeyID: credential.AccessKeyID, SecretAccessKey: credential.SecretAccessKey, SessionToken: credential.SessionToken}, Region: config.Region, Service: "apigateway"}
	}
	return c, err
}

// credential returns what calls are signed with: the first credential of the
// configuration, or else that of the environment. Without either, it has no access
// key ID.
func (p *program) credential(config penstock.Config) penstock.Credential {
	if len(config.Credentials) > 0 {
		return config.Credentials[0]
	}
	return penstock.Credential{
		AccessKeyID:     p.getenv("AWS_ACCESS_KEY_ID"),
		SecretAccessKey: p.getenv("AWS_SECRET_ACCESS_KEY"),
		SessionToken:    p.getenv("AWS_SESSION_TOKEN"),
	}
}

// interruptible returns a context that ends with SIGINT or SIGTERM. Until stop is
// called, they end nothing else.
func interruptible() (ctx context.Context, stop context.CancelFunc) {
	return signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
}

// parseEndpoint returns the URL of a control plane; host:port means one without
// TLS.
func parseEndpoint(text string) (string, error) {
	wrong := fmt.Errorf("endpoint: %q is not the URL of a control plane, such as http://127.0.0.1:8081", text)
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return "", wrong
	}
	return strings.TrimRight(u.String(), "/"), nil
}

// adminEndpoint returns the URL for the address that a server listens on, if it
// runs on this machine.
func adminEndpoint(admin string) (string, error) {
	host, port, err := net.SplitHostPort(admin)
	if err != nil {
		return parseEndpoint(admin)
	}
	if port == "0" {
		return "", fmt.Errorf("admin is %s, so a server takes any free port: name it with --endpoint, as in the line that penstock serve begins with", admin)
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return parseEndpoint("http://" + net.JoinHostPort(host, port))
}

// resource returns the path of what the segments name. Whatever is in a segment,
// it stays one.
func resource(segments ...string) string {
	var path strings.Builder
	path.WriteString("/v2")
	for _, s := range segments {
		path.WriteString("/" + url.PathEscape(s))
	}
	return path.String()
}

// A refusal is an answer of the control plane that says why there is no other.
type refusal struct {
	status        int
	code, message string
}

// Error returns code and message. Lines of the message stay lines.
func (r *refusal) Error() string { return escape(r.code, "") + ": " + escape(r.message, "\n\t") }

// call makes one call and returns the body of the answer as it came. input is what
// to send as JSON, nil for nothing.
func (c *client) call(ctx context.Context, method, path string, query url.Values, input any) ([]byte, error) {
	q := question{method: method, path: path, query: query}
	if input != nil {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if err := e.Encode(input); err != nil {
			return nil, err
		}
		q.body, q.contentType = bytes.TrimSuffix(b.Bytes(), []byte("\n")), "application/json"
	}
	_, answer, err := c.ask(ctx, q)
	return answer, err
}

// A question is one call.
type question struct {
	method, path string
	query        url.Values
	header       map[string]string
	body         []byte
	contentType  string // of the body
	service      string // that the call is signed for; empty for the control plane
}

// ask makes one call and reads the answer, which is a good one.
func (c *client) ask(ctx context.Context, q question) (http.Header, []byte, error) {
	resp, err := c.send(ctx, q)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, nil, c.failure(resp.Request, err)
	}
	if len(answer) > maxAnswer {
		return nil, nil, fmt.Errorf("%s answers with more than %d MiB", c.endpoint, maxAnswer>>20)
	}
	return resp.Header, answer, nil
}

// send makes one call and returns the answer, which is a good one. The caller closes its
// body.
func (c *client) send(ctx context.Context, q question) (*http.Response, error) {
	target := c.endpoint + q.path
	if len(q.query) > 0 {
		target += "?" + q.query.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, q.method, target, bytes.NewReader(q.body))
	if err != nil {
		return nil, err
	}
	if q.contentType != "" {
		r.Header.Set("Content-Type", q.contentType)
	}
	for name, value := range q.header {
		r.Header.Set(name, value)
	}
	if len(q.body) > announced {
		r.Header.Set("Expect", "100-continue")
	}
	if c.signer != nil {
		signer := *c.signer
		signer.Service = cmp.Or(q.service, signer.Service)
		if err := signer.Sign(r, q.body); err != nil {
			return nil, err
		}
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return nil, c.failure(r, err)
	}
	if resp.StatusCode/100 == 2 {
		return resp, nil
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, c.failure(r, err)
	}
	return nil, c.refusal(resp, answer)
}

// refusal returns the error for an answer that is none.
func (c *client) refusal(resp *http.Response, answer []byte) error {
	var body struct {
		Type    string `json:"__type"`
		Message string `json:"message"` // or Message
	}
	if json.Unmarshal(answer, &body) != nil {
		body.Message = ""
	}
	// The code may come with more after a colon, or with a name space before a #.
	code, _, _ := strings.Cut(cmp.Or(resp.Header.Get("X-Amzn-ErrorType"), body.Type), ":")
	code = code[strings.LastIndexByte(code, '#')+1:]
	if code == "" {
		text := strings.TrimSpace(string(answer[:min(len(answer), 1<<10)]))
		return fmt.Errorf("%s answers %s: %s\nThis is not the control plane: name that with --endpoint", c.endpoint, escape(resp.Status, ""), escape(text, "\n\t"))
	}
	r := &refusal{resp.StatusCode, code, cmp.Or(body.Message, resp.Status)}
	if c.signer == nil && strings.HasPrefix(code, "MissingAuthenticationToken") {
		return fmt.Errorf("%w\nThe server wants signed calls: give a credential with --config, or in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY", r)
	}
	return r
}

// failure returns the error for a call without an answer.
func (c *client) failure(r *http.Request, err error) error {
	doubt := ""
	if r.Method != http.MethodGet {
		doubt = "; what was asked for may have been done"
	}
	if outer := (*url.Error)(nil); errors.As(err, &outer) {
		err = outer.Err
	}
	var network *net.OpError
	var timeout net.Error
	switch {
	case r.Context().Err() != nil:
		return errors.New("interrupted" + doubt)
	case errors.As(err, &network) && network.Op == "dial":
		return fmt.Errorf("no server answers at %s (%w): penstock serve starts one, --endpoint names another", c.endpoint, network.Err)
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("%s does not answer within %v%s", c.endpoint, c.http.Timeout, doubt)
	default:
		return fmt.Errorf("call %s: %w%s", c.endpoint, err, doubt)
	}
}

// answer makes one call and decodes the answer into output.
func (c *client) answer(ctx context.Context, method, path string, query url.Values, input, output any) ([]byte, error) {
	text, err := c.call(ctx, method, path, query, input)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, output); err != nil {
		return nil, fmt.Errorf("%s answers what cannot be read: %w: --endpoint must name a control plane", c.endpoint, err)
	}
	return text, nil
}

// list returns the items of all pages of a list, each as the server wrote it.
func (c *client) list(ctx context.Context, path string) ([]json.RawMessage, error) {
	all := []json.RawMessage{}
	query := url.Values{"maxResults": {"500"}}
	seen := map[string]bool{}
	for {
		var page struct {
			Items     *[]json.RawMessage `json:"items"`
			NextToken string             `json:"nextToken"`
		}
		if _, err := c.answer(ctx, http.MethodGet, path, query, nil, &page); err != nil {
			return nil, err
		}
		if page.Items == nil {
			return nil, fmt.Errorf("%s answers without a list of items: --endpoint must name a control plane", c.endpoint)
		}
		all = append(all, *page.Items...)
		if page.NextToken == "" {
			return all, nil
		}
		if seen[page.NextToken] {
			return nil, fmt.Errorf("%s gives the same page of %s again: the list would never end", c.endpoint, path)
		}
		seen[page.NextToken] = true
		query.Set("nextToken", page.NextToken)
	}
}

// apiID matches what the IDs of APIs look like.
var apiID = regexp.MustCompile(`^[A-Za-z0-9]+$`)

// api returns the ID of the API that has this ID, or else this name. Who gives an
// ID need not be allowed to list all APIs.
func (c *client) api(ctx context.Context, idOrName string) (string, error) {
	if apiID.MatchString(idOrName) {
		var api struct {
			ID string `json:"apiId"`
		}
		_, err := c.answer(ctx, http.MethodGet, resource("apis", idOrName), nil, nil, &api)
		var refused *refusal
		switch {
		case err == nil && api.ID == idOrName:
			return idOrName, nil
		case errors.As(err, &refused) && (refused.status == http.StatusNotFound || refused.status == http.StatusForbidden):
			// It may be a name.
		case err != nil:
			return "", err
		}
	}
	items, err := c.list(ctx, resource("apis"))
	if err != nil {
		return "", err
	}
	var named []string
	for _, item := range items {
		var api struct {
			ID   string `json:"apiId"`
			Name string `json:"name"`
		}
		if err := json.Unmarshal(item, &api); err != nil {
			return "", fmt.Errorf("read an API: %w", err)
		}
		if api.Name == idOrName {
			named = append(named, api.ID)
		}
	}
	switch len(named) {
	case 0:
		return "", fmt.Errorf("no API has the ID or the name %q: penstock apis lists them", idOrName)
	case 1:
		return named[0], nil
	default:
		return "", fmt.Errorf("%d APIs have the name %q: give one of their IDs: %s", len(named), idOrName, escape(strings.Join(named, ", "), ""))
	}
}
