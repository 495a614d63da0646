package remote

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"penstock/internal/integration"
)

// Credentials are an access key, the name of a profile, or, if all of it is empty, what
// the AWS SDKs find by themselves: in the environment, in the files of the AWS CLI, or
// from the machine or the container that the process runs in.
type Credentials struct {
	AccessKeyID, SecretAccessKey string
	// SessionToken comes with temporary access keys.
	SessionToken string
	// Profile is a profile in the files of the AWS CLI.
	Profile string
}

// caller returns what to sign a call with. A role whose credentials are empty has those
// of the configuration.
func (i *Invoker) caller(role string) (aws.CredentialsProvider, error) {
	if role == "" {
		return i.own, nil
	}
	c, ok := i.roles(role)
	if !ok {
		return nil, fmt.Errorf("%w: there are no credentials for %s", integration.ErrCredentials, role)
	}
	if c == (Credentials{}) {
		return i.own, nil
	}
	p, err := i.provider(c)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", integration.ErrCredentials, role, err)
	}
	return p, nil
}

// provider returns the provider of credentials: always the same one for a profile.
func (i *Invoker) provider(c Credentials) (aws.CredentialsProvider, error) {
	key := c.AccessKeyID != "" && c.SecretAccessKey != ""
	switch {
	case key && c.Profile == "":
		return credentials.StaticCredentialsProvider{Value: aws.Credentials{
			AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken,
		}}, nil
	case c == Credentials{Profile: c.Profile}:
		return i.profiles.provider(c.Profile)
	case c.Profile != "":
		return nil, errors.New("credentials are an access key or a profile, not both")
	default:
		return nil, errors.New("credentials need an access key ID and a secret access key")
	}
}

// profiles are the providers of profiles, "" for what is found without one. There are
// as many as the configuration names.
type profiles struct {
	mu    sync.Mutex // guards known
	known map[string]*found
}

// provider returns that of a profile. A profile that does not exist is looked for again
// the next time.
func (p *profiles) provider(profile string) (aws.CredentialsProvider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if f := p.known[profile]; f != nil {
		return f, nil
	}
	var options []func(*config.LoadOptions) error
	if profile != "" {
		options = append(options, config.WithSharedConfigProfile(profile))
	}
	c, err := config.LoadDefaultConfig(context.Background(), options...)
	if err != nil {
		return nil, fmt.Errorf("find credentials: %w", err)
	}
	f := &found{of: c.Credentials}
	if p.known == nil {
		p.known = map[string]*found{}
	}
	p.known[profile] = f
	return f, nil
}

// failureTime is for how long a failure to find credentials is remembered: where there
// are none, asking the machine for some takes a second or more.
const failureTime = 5 * time.Second

// found are credentials that the SDK finds, keeps, and renews before they expire.
type found struct {
	of    aws.CredentialsProvider
	mu    sync.Mutex // guards err and until
	err   error      // of the last time
	until time.Time  // when to try again
}

// Retrieve implements aws.CredentialsProvider. Unless the context has ended, its errors
// are integration.ErrCredentials.
func (f *found) Retrieve(ctx context.Context) (aws.Credentials, error) {
	f.mu.Lock()
	err := f.err
	if err != nil && !time.Now().Before(f.until) {
		err, f.err = nil, nil
	}
	f.mu.Unlock()
	if err != nil {
		return aws.Credentials{}, err
	}
	c, err := f.of.Retrieve(ctx)
	if err == nil {
		return c, nil
	}
	if ended := ctx.Err(); ended != nil {
		return aws.Credentials{}, ended
	}
	err = fmt.Errorf("%w: %w", integration.ErrCredentials, err)
	f.mu.Lock()
	f.err, f.until = err, time.Now().Add(failureTime)
	f.mu.Unlock()
	return aws.Credentials{}, err
}
