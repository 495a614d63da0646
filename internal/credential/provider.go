package credential

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"penstock/internal/integration"
)

const (
	// fetchTimeout bounds how long credentials are asked for, whoever waits for them.
	fetchTimeout = 30 * time.Second
	// failureTime is for how long a failure is remembered: where there are no
	// credentials, asking the machine for some takes a second or more.
	failureTime = 5 * time.Second
	// renewal is how long before they expire the credentials of an assumed role are
	// renewed, unless that is more than a quarter of their time.
	renewal = 5 * time.Minute
)

// A Provider has the credentials of one caller. It implements aws.CredentialsProvider.
type Provider struct {
	keyring *Keyring
	fetch   func(ctx context.Context) (aws.Credentials, error) // nil for an access key
	early   bool                                               // renew before they expire
	last    atomic.Pointer[kept]

	mu     sync.Mutex // guards the fields below
	flight *flight    // under way
	err    error      // of the last one
	until  time.Time  // when to try again
}

// Kept credentials, and when to renew them if they expire.
type kept struct {
	aws.Credentials
	renew time.Time
}

// A flight is one attempt to get credentials. The others are set when done is closed.
type flight struct {
	done chan struct{}
	got  aws.Credentials
	err  error
}

// errClosed is the error of attempts after Close.
var errClosed = errors.New("the server ends")

// Current returns the credentials if they are at hand. If they are about to expire, others
// are asked for meanwhile.
func (p *Provider) Current() (aws.Credentials, bool) {
	c := p.last.Load()
	if c == nil {
		return aws.Credentials{}, false
	}
	if !c.CanExpire {
		return c.Credentials, true
	}
	now := time.Now()
	if !now.Before(c.Expires) {
		return aws.Credentials{}, false
	}
	if p.early && !now.Before(c.renew) {
		_, _ = p.start(now) // these are good for a while
	}
	return c.Credentials, true
}

// Retrieve implements aws.CredentialsProvider. Its errors are that of the context, once it
// has ended, and otherwise wrap integration.ErrCredentials.
func (p *Provider) Retrieve(ctx context.Context) (aws.Credentials, error) {
	if c, ok := p.Current(); ok {
		return c, nil
	}
	if err := ctx.Err(); err != nil {
		return aws.Credentials{}, err
	}
	f, err := p.start(time.Now())
	if err != nil {
		return aws.Credentials{}, err
	}
	select {
	case <-f.done:
		return f.got, f.err
	case <-ctx.Done():
		return aws.Credentials{}, ctx.Err()
	}
}

// start returns the attempt that is under way, or begins one. The error is that of the last
// one, if that was a moment ago.
func (p *Provider) start(now time.Time) (*flight, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.flight != nil:
		return p.flight, nil
	case p.err != nil && now.Before(p.until):
		return nil, p.err
	}
	f := &flight{done: make(chan struct{})}
	if !p.keyring.run(func(ctx context.Context) { p.fly(ctx, f) }) {
		return nil, fmt.Errorf("%w: %w", integration.ErrCredentials, errClosed)
	}
	p.flight = f
	return f, nil
}

// run calls f in a goroutine of its own, unless the Keyring is closed. Close waits for it.
func (k *Keyring) run(f func(ctx context.Context)) bool {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if k.closed {
		return false
	}
	k.ended.Go(func() {
		ctx, cancel := k.begin()
		defer cancel()
		f(ctx)
	})
	return true
}

// fly gets credentials.
func (p *Provider) fly(ctx context.Context, f *flight) {
	c, err := p.fetch(ctx)
	now := time.Now()
	if err == nil && c.CanExpire && !now.Before(c.Expires) {
		err = fmt.Errorf("the credentials that came have expired at %s: do the clocks agree?", c.Expires.UTC().Format(time.RFC3339))
	}
	p.mu.Lock()
	p.flight = nil
	if p.err = nil; err == nil {
		f.got = c
		p.last.Store(&kept{c, c.Expires.Add(-min(renewal, c.Expires.Sub(now)/4))})
	} else {
		if !errors.Is(err, integration.ErrCredentials) {
			err = fmt.Errorf("%w: %w", integration.ErrCredentials, err)
		}
		f.err = err
		p.err, p.until = err, now.Add(failureTime)
	}
	p.mu.Unlock()
	close(f.done)
}
