// Package cloudmap finds the instances of an AWS Cloud Map service by asking Cloud Map.
//
//	source, err := cloudmap.New(cloudmap.Config{
//		ARN:         "arn:aws:servicediscovery:eu-west-1:123456789012:service/srv-abcdefgh",
//		Attributes:  map[string]string{"stage": "prod"},
//		Credentials: credentials,
//	})
//
// Cloud Map is asked by the name of a service while integrations know its ID, so a source
// asks for the names first and keeps them. Then it asks for the healthy instances again
// and again. What it found stays while it cannot ask, or is refused; only a service that
// was deleted has no instances.
package cloudmap

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/servicediscovery"

	"penstock/internal/upstream"
)

const (
	// defaultInterval is how old the list may be, give or take the jitter.
	defaultInterval = 5 * time.Second
	// maxPause is how long a source waits at most after it was refused, unless the
	// interval is longer.
	maxPause = time.Minute
)

// A Config says which instances of which service are found, and on whose behalf.
type Config struct {
	// ARN is that of the service:
	// arn:{partition}:servicediscovery:{region}:{account}:service/{id}.
	ARN string
	// Attributes are those that instances must have, with exactly these values. Cloud Map
	// chooses by them. Default: any.
	Attributes map[string]string
	// Region is where the service is asked for. Default: the region in the ARN.
	Region string
	// Endpoint is the URL of the Cloud Map API, for all of its operations. Default: those
	// of AWS in the region, which are two.
	Endpoint string
	// Credentials are what calls are signed with. They must be allowed to do
	// servicediscovery:GetService, servicediscovery:GetNamespace and
	// servicediscovery:DiscoverInstances. The provider keeps what it has retrieved.
	Credentials aws.CredentialsProvider
	// Interval is the time from one list to the next. Default: 5 s.
	Interval time.Duration
}

// A Source finds the instances of one service. It implements upstream.Source.
type Source struct {
	arn, id, region string
	attributes      map[string]string
	interval        time.Duration
	transport       *transport
	client          *servicediscovery.Client
}

// New returns a Source. It connects to nothing.
func New(c Config) (*Source, error) {
	a, err := arn.Parse(c.ARN)
	id, ok := strings.CutPrefix(a.Resource, "service/")
	if err != nil || !ok || a.Service != "servicediscovery" || a.Partition == "" || a.AccountID == "" || !validRegion(a.Region) || !validID(id) {
		return nil, fmt.Errorf("%q is not the ARN of a Cloud Map service, arn:{partition}:servicediscovery:{region}:{account}:service/srv-{id}", c.ARN)
	}
	if c.Region == "" {
		c.Region = a.Region
	}
	if !validRegion(c.Region) {
		return nil, fmt.Errorf("%q is not the name of a region", c.Region)
	}
	if c.Credentials == nil {
		return nil, errors.New("there are no credentials to ask Cloud Map with")
	}
	if c.Interval < 0 {
		return nil, fmt.Errorf("the interval %s is less than nothing", c.Interval)
	}
	if c.Interval == 0 {
		c.Interval = defaultInterval
	}
	s := &Source{
		arn: c.ARN, id: id, region: c.Region,
		attributes: maps.Clone(c.Attributes),
		interval:   c.Interval,
		transport:  newTransport(),
	}
	if s.client, err = newClient(c, s.transport); err != nil {
		return nil, err
	}
	return s, nil
}

// validID reports whether s has the form of the ID of a service.
func validID(s string) bool {
	return len(s) <= 64 && strings.HasPrefix(s, "srv-") && len(s) > len("srv-") && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-'
	})
}

// validRegion reports whether s has the form of the name of a region. It becomes part of
// a host name.
func validRegion(s string) bool {
	return s != "" && len(s) <= 32 && s[0] != '-' && s[len(s)-1] != '-' && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-'
	})
}

// Run implements upstream.Source. It returns when ctx ends and not before: permissions may
// be given, and services made, while it asks.
//
// An instance that cannot be reached, because it has no address or no port, is left out
// and failed is called for it: once, not each time. After a failure, update is called even
// if the list is what it was before.
func (s *Source) Run(ctx context.Context, update func([]upstream.Instance), failed func(error)) error {
	defer s.transport.CloseIdleConnections()
	w := watch{Source: s, update: update, failed: failed}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		if w.ask(ctx); ctx.Err() != nil {
			return nil
		}
		timer.Reset(w.pause())
	}
}

// pause returns how long to wait before the next question. Whoever was refused waits
// longer each time. As long as there is no list at all, other failures are not waited for
// so long, because requests fail meanwhile.
func (w *watch) pause() time.Duration {
	d := w.interval
	switch {
	case w.refused > 0:
		for n := 0; n < w.refused && d < maxPause; n++ {
			d *= 2
		}
		d = max(w.interval, min(d, maxPause))
	case w.failures > 0 && !w.listed:
		d = min(d, time.Second<<min(w.failures-1, 10))
	}
	// A tenth more or less keeps sources from asking all at the same time.
	return d - d/10 + rand.N(d/5+1)
}
