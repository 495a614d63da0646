package remote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"penstock/internal/credential"
	"penstock/internal/integration"
)

// Whatever a function is called, its name is one segment of the path, below that of the
// endpoint, and signed as it is sent.
func TestRequestPath(t *testing.T) {
	t.Parallel()
	const arn, escaped = "arn:aws:lambda:eu-west-1:123456789012:function:", "arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3A"
	s := serve(t, answerOK)
	for _, tt := range []struct{ endpoint, name, want string }{
		{"", "pets", "/2015-03-31/functions/" + escaped + "pets/invocations"},
		{"/", "pets", "/2015-03-31/functions/" + escaped + "pets/invocations"},
		{"/aws/", "pets", "/aws/2015-03-31/functions/" + escaped + "pets/invocations"},
		{"/a%2Fb/c", "pets", "/a%2Fb/c/2015-03-31/functions/" + escaped + "pets/invocations"},
		{"", "../../x?y#z", "/2015-03-31/functions/" + escaped + "..%2F..%2Fx%3Fy%23z/invocations"},
		{"", "a b+c%2Fd\r\né", "/2015-03-31/functions/" + escaped + "a%20b%2Bc%252Fd%0D%0A%C3%A9/invocations"},
	} {
		i, err := New(Config{Keyring: keyring(t, nil), Endpoint: s.URL + tt.endpoint, Credentials: testCredentials})
		if err != nil {
			t.Fatal(err)
		}
		_, err = i.Invoke(t.Context(), integration.Invocation{Function: arn + tt.name})
		i.Close()
		if r, _ := s.last(); err != nil || r.uri != tt.want {
			t.Errorf("%s %q: got %s, %v, want %s", tt.endpoint, tt.name, r.uri, err, tt.want)
		}
	}
}

func TestDomainOf(t *testing.T) {
	t.Parallel()
	for region, want := range map[string]string{
		"eu-west-1": "amazonaws.com", "us-gov-west-1": "amazonaws.com", "cn-north-1": "amazonaws.com.cn", "eusc-de-east-1": "amazonaws.eu",
		"us-iso-east-1": "c2s.ic.gov", "us-isob-east-1": "sc2s.sgov.gov", "us-isof-south-1": "csp.hci.ic.gov", "eu-isoe-west-1": "cloud.adc-e.uk",
	} {
		if got := domainOf(region); got != want {
			t.Errorf("%s: got %s, want %s", region, got, want)
		}
	}
}

// The code of an error stands in the header or the body, and what cannot be read has the
// text that came, as far as it is not too long.
func TestRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, header, body string
		status             int
		want               error // nil for none of those that callers know
		text               string
	}{
		{"code in the body", "", `{"code":"ResourceNotFoundException","message":"no pets"}`, 404, integration.ErrNoFunction, "404 ResourceNotFoundException: no pets"},
		{"type in the body", "", `{"__type":"a.b#TooManyRequestsException","Message":"no pets"}`, 400, integration.ErrThrottled, "400 TooManyRequestsException: no pets"},
		{"the header counts", "ServiceException", `{"__type":"ResourceNotFoundException"}`, 500, nil, "500 ServiceException: {"},
		{"the code counts", "ResourceNotFoundException", `{}`, 403, integration.ErrNoFunction, "403 ResourceNotFoundException: {}"},
		{"no JSON", "", "<h1>\xff", 403, integration.ErrNotPermitted, "403 Forbidden: <h1>\uFFFD"},
		{"no body", "", "", 500, nil, "500 Internal Server Error: "},
		{"long", "", strings.Repeat("é", 1<<20), 500, nil, "500 Internal Server Error: éé"},
		{"colons only", ":", "x", 500, nil, "500 Internal Server Error: x"},
	} {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			if tt.header != "" {
				w.Header().Set("X-Amzn-ErrorType", tt.header)
			}
			w.WriteHeader(tt.status)
			fmt.Fprint(w, tt.body)
		})
		_, err := mustNew(t, s, Config{}).Invoke(t.Context(), integration.Invocation{Function: testARN})
		if err == nil || !strings.Contains(err.Error(), tt.text) || len(err.Error()) > 2*maxErrorText || !utf8.ValidString(err.Error()) {
			t.Errorf("%s: got %.200v", tt.name, err)
		}
		for _, known := range []error{integration.ErrNoFunction, integration.ErrNotPermitted, integration.ErrThrottled} {
			if errors.Is(err, known) != (known == tt.want) {
				t.Errorf("%s: got %.200v, want %v", tt.name, err, tt.want)
			}
		}
	}
}

// A closing connection tells when it is closed.
type closing struct {
	net.Conn
	closed func()
}

func (c closing) Close() error {
	c.closed()
	return c.Conn.Close()
}

// A call that looks for credentials while Close is called leaves no connection behind.
func TestCloseBetween(t *testing.T) {
	t.Parallel()
	closed := make(chan bool)
	var i *Invoker
	roles := func(string) (credential.Spec, bool) {
		i.Close()
		return credential.Spec{}, true
	}
	i = mustNew(t, serve(t, answerOK), Config{Keyring: keyring(t, roles), DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, address)
		return closing{c, sync.OnceFunc(func() { close(closed) })}, err
	}})
	if _, err := i.Invoke(t.Context(), integration.Invocation{Function: testARN, CredentialsARN: testRole}); err != nil {
		t.Fatal(err)
	}
	select {
	case <-closed:
	case <-time.After(10 * time.Second):
		t.Error("the connection is open")
	}
}
