package credential

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"penstock/internal/sigv4"
)

const (
	testRole = "arn:aws:iam::123456789012:role/team/caller"
	testUser = "arn:aws:iam::000000000000:user/bob"
)

var testKey = Spec{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "secret of the server"}

// A tokenService plays STS, without a network. It refuses what is not signed with testKey.
type tokenService struct {
	// answer returns the status and the body, or hangs with 0 until the caller leaves.
	answer func(n int) (int, string)

	mu    sync.Mutex // guards the fields below
	forms []url.Values
	bad   error // of what was no call
}

func (s *tokenService) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	go s.serve(server)
	return client, nil
}

func (s *tokenService) serve(c net.Conn) {
	defer c.Close()
	br := bufio.NewReader(c)
	for {
		r, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		v := sigv4.NewVerifier(sigv4.Options{Service: "sts", Lookup: func(id string) (sigv4.Credential, bool) {
			return sigv4.Credential{AccessKeyID: id, SecretAccessKey: testKey.SecretAccessKey}, id == testKey.AccessKeyID
		}})
		_, refused := v.Verify(r, body)
		form, malformed := url.ParseQuery(string(body))
		s.mu.Lock()
		for _, err := range []error{refused, malformed} {
			if err != nil {
				s.bad = err
			}
		}
		s.forms = append(s.forms, form)
		n := len(s.forms)
		s.mu.Unlock()
		status, text := s.answer(n)
		if status == 0 {
			_, _ = br.ReadByte() // until the connection is closed
			return
		}
		fmt.Fprintf(c, "HTTP/1.1 %d X\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n%s", status, len(text), text)
	}
}

func (s *tokenService) calls() (int, url.Values, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.forms) == 0 {
		return 0, nil, s.bad
	}
	return len(s.forms), s.forms[len(s.forms)-1], s.bad
}

// assumed is an answer of STS with credentials that have a number and a time.
func assumed(n int, lasts time.Duration) string {
	return fmt.Sprintf(`<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleResult>
    <AssumedRoleUser><AssumedRoleId>AROAEXAMPLE:penstock</AssumedRoleId><Arn>arn:aws:sts::123456789012:assumed-role/caller/penstock</Arn></AssumedRoleUser>
    <Credentials><AccessKeyId>ASIA%d</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken><Expiration>%s</Expiration></Credentials>
  </AssumeRoleResult>
  <ResponseMetadata><RequestId>c6104cbe-af31-11e0-8154-cbc7ccf896c7</RequestId></ResponseMetadata>
</AssumeRoleResponse>`, n, time.Now().Add(lasts).UTC().Format(time.RFC3339))
}

func stsError(code, message string) string {
	return fmt.Sprintf(`<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>1</RequestId></ErrorResponse>`, code, message)
}

// mustKeyring returns a Keyring for which every role is to be assumed, with testKey.
func mustKeyring(t testing.TB, s *tokenService) *Keyring {
	t.Helper()
	k, err := NewKeyring(Config{STS: "http://sts.test", Region: "eu-west-1", DialContext: s.dial, Roles: func(arn string) (Spec, bool) {
		spec := testKey
		spec.AssumeRole = true
		return spec, strings.Contains(arn, ":role/")
	}})
	if err != nil {
		t.Fatal(err)
	}
	return k
}
