// Package credential finds what calls to AWS are signed with, for the ARN of a role or a
// user.
//
//	keyring, err := credential.NewKeyring(credential.Config{Roles: known})
//	own, err := keyring.Own(credential.Spec{Profile: "pets"})
//	p, err := keyring.For("arn:aws:iam::123456789012:role/caller", own)
//	who, err := p.Retrieve(ctx)
//
// Credentials are kept, and renewed before they expire. However many goroutines want some,
// they are asked for once; a failure is remembered for a while. Only the end of its context
// ends a Retrieve before there is an answer.
package credential

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"

	"penstock/internal/integration"
)

// A Spec says what credentials there are: an access key, the name of a profile, or, if both
// are empty, what the AWS SDKs find by themselves: in the environment, in the files of the
// AWS CLI, or from the machine or the container that the process runs in. Printing one
// shows no secrets.
type Spec struct {
	AccessKeyID, SecretAccessKey string
	// SessionToken comes with temporary access keys.
	SessionToken string
	// Profile is a profile in the files of the AWS CLI.
	Profile string
	// AssumeRole says that the role is assumed with these credentials, or, without any,
	// with those that the server has itself.
	AssumeRole bool
}

// String returns what may be shown of a Spec.
func (s Spec) String() string {
	text := "the credentials of the server"
	switch {
	case s.AccessKeyID != "":
		text = "the access key " + s.AccessKeyID
	case s.Profile != "":
		text = "the profile " + s.Profile
	}
	if s.AssumeRole {
		text = "a role assumed with " + text
	}
	return text
}

// GoString returns what String does.
func (s Spec) GoString() string { return s.String() }

// check reports what of a Spec contradicts itself.
func (s Spec) check() error {
	key := s.AccessKeyID != "" || s.SecretAccessKey != "" || s.SessionToken != ""
	switch {
	case key && s.Profile != "":
		return errors.New("credentials are an access key or a profile, not both")
	case key && (s.AccessKeyID == "" || s.SecretAccessKey == ""):
		return errors.New("credentials need an access key ID and a secret access key")
	}
	return nil
}

// A Config says what a Keyring knows.
type Config struct {
	// Roles returns what there is for the ARN of a role or a user, and false if it is not
	// known. Default: none is.
	Roles func(arn string) (Spec, bool)
	// STS is the URL that roles are assumed at. Default: that of AWS in the region.
	STS string
	// Region is the one that roles are assumed in. Default: us-east-1.
	Region string
	// DialContext connects to STS. Default: net.Dialer, with 5 s to connect.
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)
}

// maxProviders bounds the providers of a Keyring. There are as many as credentials in the
// configuration, and with each change of it some more.
const maxProviders = 4096

// A Keyring finds credentials. It may be used by any number of goroutines.
type Keyring struct {
	roles     func(arn string) (Spec, bool)
	sts       string
	region    string
	client    *http.Client
	transport *http.Transport

	mu     sync.RWMutex // guards known
	known  map[owner]*Provider
	closed bool
	ended  sync.WaitGroup
	// begin returns a context for asking for credentials, end ends all of them.
	begin func() (context.Context, context.CancelFunc)
	end   context.CancelFunc
}

// An owner is what a Provider is for.
type owner struct {
	spec Spec
	arn  string    // of a role that is assumed, or ""
	own  *Provider // that it is assumed with
}

// NewKeyring returns a Keyring. It reads and connects to nothing.
func NewKeyring(c Config) (*Keyring, error) {
	if c.STS != "" {
		u, err := url.Parse(c.STS)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return nil, errors.New("the endpoint of sts is not an http or https URL without user and query")
		}
	}
	if c.Roles == nil {
		c.Roles = func(string) (Spec, bool) { return Spec{}, false }
	}
	if c.Region == "" {
		c.Region = "us-east-1"
	}
	if c.DialContext == nil {
		c.DialContext = (&net.Dialer{Timeout: 5 * time.Second}).DialContext
	}
	ctx, cancel := context.WithCancel(context.Background())
	k := &Keyring{
		roles: c.Roles, sts: c.STS, region: c.Region, known: map[owner]*Provider{}, end: cancel,
		begin: func() (context.Context, context.CancelFunc) { return context.WithTimeout(ctx, fetchTimeout) },
	}
	k.transport = &http.Transport{
		DialContext:            c.DialContext,
		TLSHandshakeTimeout:    5 * time.Second,
		MaxIdleConnsPerHost:    4,
		IdleConnTimeout:        time.Minute,
		MaxResponseHeaderBytes: 64 << 10,
	}
	k.client = &http.Client{
		Transport:     shortAnswers{k.transport},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return k, nil
}

// Close ends what is under way, and waits for it. Credentials that are known stay so; no
// others are asked for.
func (k *Keyring) Close() {
	k.mu.Lock()
	k.closed = true
	k.mu.Unlock()
	k.end()
	k.ended.Wait()
	k.transport.CloseIdleConnections()
}

// Own returns the provider of credentials that are for no ARN: those that the server signs
// with itself. It is the same one for equal Specs. A role cannot be assumed, since there is
// none.
func (k *Keyring) Own(s Spec) (*Provider, error) {
	if s.AssumeRole {
		return nil, errors.New("assumeRole: these credentials are those of no role")
	}
	return k.provider(owner{spec: s})
}

// For returns the provider of credentials for the ARN of a role or a user; own for "", and
// for those that the configuration has nothing special for. The error wraps
// integration.ErrCredentials.
func (k *Keyring) For(arn string, own *Provider) (*Provider, error) {
	if arn == "" {
		return own, nil
	}
	s, ok := k.roles(arn)
	switch {
	case !ok && strings.Contains(arn, ":user/"):
		return nil, fmt.Errorf("%w: the configuration has nothing to sign with for the user %s: name the user under credentials, or the ARN under roles", integration.ErrCredentials, arn)
	case !ok:
		return nil, fmt.Errorf("%w: the configuration has nothing to sign with for %s: name it under roles", integration.ErrCredentials, arn)
	case s == (Spec{}):
		return own, nil
	}
	who := owner{spec: s}
	if s.AssumeRole {
		if !strings.Contains(arn, ":role/") {
			return nil, fmt.Errorf("%w: assumeRole: %s is no role", integration.ErrCredentials, arn)
		}
		who.arn = arn
		if s == (Spec{AssumeRole: true}) {
			who.own = own
		}
	}
	p, err := k.provider(who)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", integration.ErrCredentials, arn, err)
	}
	return p, nil
}

// provider returns the one provider for an owner. A profile that does not exist is looked
// for again the next time.
func (k *Keyring) provider(who owner) (*Provider, error) {
	k.mu.RLock()
	p := k.known[who]
	k.mu.RUnlock()
	if p != nil {
		return p, nil
	}
	p, err := k.newProvider(who)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if first := k.known[who]; first != nil {
		return first, nil
	}
	if len(k.known) >= maxProviders {
		clear(k.known)
	}
	// An ARN may lie in memory that is reused.
	who.arn = strings.Clone(who.arn)
	k.known[who] = p
	return p, nil
}

func (k *Keyring) newProvider(who owner) (*Provider, error) {
	s := who.spec
	if err := s.check(); err != nil {
		return nil, err
	}
	switch {
	case who.arn != "":
		source := who.own
		if source == nil {
			s.AssumeRole = false
			var err error
			if source, err = k.provider(owner{spec: s}); err != nil {
				return nil, err
			}
		}
		return &Provider{keyring: k, fetch: k.assume(strings.Clone(who.arn), source), early: true}, nil
	case s.AccessKeyID != "":
		p := &Provider{keyring: k}
		p.last.Store(&kept{Credentials: aws.Credentials{AccessKeyID: s.AccessKeyID, SecretAccessKey: s.SecretAccessKey, SessionToken: s.SessionToken}})
		return p, nil
	}
	var options []func(*config.LoadOptions) error
	if s.Profile != "" {
		options = append(options, config.WithSharedConfigProfile(s.Profile))
	}
	ctx, cancel := k.begin()
	defer cancel()
	c, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return nil, fmt.Errorf("find credentials: %w", err)
	}
	return &Provider{keyring: k, fetch: c.Credentials.Retrieve}, nil
}
