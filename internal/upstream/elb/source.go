// Package elb finds where a listener of Elastic Load Balancing is reached, by asking the
// Elastic Load Balancing API (version 2: Application and Network Load Balancers).
//
//	source, err := elb.New(elb.Config{
//		ListenerARN: "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/pets/50dc6c495c0c9188/f2f7dc8efc522ab2",
//		Credentials: credentials,
//	})
//
// That is one instance: the DNS name of the load balancer and the port of the listener.
// It is spoken to in clear text, whatever the protocol of the listener, unless the
// integration says otherwise. It stays while the API cannot be asked, or refuses; only a
// listener that was deleted, or cannot be reached by anyone, has no instance.
package elb

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"penstock/internal/upstream"
)

const (
	// defaultInterval is from one question to the next. Load balancers keep their names,
	// and listeners seldom change.
	defaultInterval = 30 * time.Second
	// maxPause is how long a source waits at most after it was refused, unless the
	// interval is longer.
	maxPause = 2 * time.Minute
)

// A Config says which listener is found, and on whose behalf.
type Config struct {
	// ListenerARN is
	// arn:{partition}:elasticloadbalancing:{region}:{account}:listener/{app|net}/{name}/{id}/{id}.
	ListenerARN string
	// Region is where the listener is asked for. Default: the region in the ARN.
	Region string
	// Endpoint is the URL of the Elastic Load Balancing API. Default: that of AWS in the
	// region.
	Endpoint string
	// Credentials are what calls are signed with. They must be allowed to do
	// elasticloadbalancing:DescribeListeners and
	// elasticloadbalancing:DescribeLoadBalancers. The provider keeps what it has
	// retrieved.
	Credentials aws.CredentialsProvider
	// Interval is the time from one question to the next. Default: 30 s.
	Interval time.Duration
}

// A Source finds where one listener is reached. It implements upstream.Source.
type Source struct {
	arn, region string
	interval    time.Duration
	transport   *transport
	client      *elasticloadbalancingv2.Client
}

// New returns a Source. It connects to nothing.
func New(c Config) (*Source, error) {
	a, err := arn.Parse(c.ListenerARN)
	if err != nil || a.Service != "elasticloadbalancing" || a.Partition == "" || a.AccountID == "" || !validRegion(a.Region) || !validListener(a.Resource) {
		return nil, fmt.Errorf("%q is not the ARN of a listener, arn:{partition}:elasticloadbalancing:{region}:{account}:listener/{app|net}/{name}/{id}/{id}", c.ListenerARN)
	}
	if c.Region == "" {
		c.Region = a.Region
	}
	if !validRegion(c.Region) {
		return nil, fmt.Errorf("%q is not the name of a region", c.Region)
	}
	if c.Credentials == nil {
		return nil, errors.New("there are no credentials to ask Elastic Load Balancing with")
	}
	if c.Interval < 0 {
		return nil, fmt.Errorf("the interval %s is less than nothing", c.Interval)
	}
	if c.Interval == 0 {
		c.Interval = defaultInterval
	}
	s := &Source{arn: c.ListenerARN, region: c.Region, interval: c.Interval, transport: newTransport()}
	if s.client, err = newClient(c, s.transport); err != nil {
		return nil, err
	}
	return s, nil
}

// validListener reports whether the resource of an ARN has the form of a listener of a
// load balancer that understands HTTP, or does not mind.
func validListener(resource string) bool {
	parts := strings.Split(resource, "/")
	if len(parts) != 5 || parts[0] != "listener" || parts[1] != "app" && parts[1] != "net" {
		return false
	}
	for _, p := range parts[2:] {
		if p == "" || len(p) > 64 || strings.ContainsFunc(p, func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-'
		}) {
			return false
		}
	}
	return true
}

// validRegion reports whether s has the form of the name of a region. It becomes part of
// a host name.
func validRegion(s string) bool {
	return s != "" && len(s) <= 32 && s[0] != '-' && s[len(s)-1] != '-' && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-'
	})
}

// Run implements upstream.Source. It returns when ctx ends and not before: permissions may
// be given, and listeners made, while it asks.
//
// After a failure, update is called even if the list is what it was before. If nobody can
// reach the listener, both are called: update with no instance, and failed with why.
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

// A watch is what one Run knows.
type watch struct {
	*Source
	update func([]upstream.Instance)
	failed func(error)

	listed bool              // update was called
	found  upstream.Instance // the instance; none if it has no port
	// failures is how many times in a row there was no instance to be found, and refused
	// how many times in a row the API did not want to answer.
	failures, refused int
}

// ask asks for the instance and passes on what is new.
func (w *watch) ask(ctx context.Context) {
	host, port, err := w.find(ctx)
	if ctx.Err() != nil {
		return
	}
	unusable := errors.Is(err, errUnusable)
	if err == nil || unusable {
		i := upstream.Instance{Host: host, Port: port}
		if !w.listed || w.failures > 0 && err == nil || i.Host != w.found.Host || i.Port != w.found.Port {
			var list []upstream.Instance
			if err == nil {
				list = []upstream.Instance{i}
			}
			w.update(list)
		}
		w.listed, w.found = true, i
	}
	if err == nil {
		w.failures, w.refused = 0, 0
		return
	}
	w.failures++
	if isRefusal(err) {
		w.refused++
	} else {
		w.refused = 0
	}
	w.failed(w.explain(err))
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
