package elb

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// errUnusable says that the API knows that nobody can reach the listener.
var errUnusable = errors.New("it cannot be reached")

// find returns where the listener is reached. An error is errUnusable if that is nowhere.
func (s *Source) find(ctx context.Context) (host string, port uint16, err error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	listener, err := s.listener(ctx)
	if err != nil {
		return "", 0, err
	}
	switch listener.Protocol {
	case types.ProtocolEnumUdp, types.ProtocolEnumQuic, types.ProtocolEnumGeneve:
		return "", 0, fmt.Errorf("%w: its protocol %s does not carry HTTP", errUnusable, listener.Protocol)
	}
	p := aws.ToInt32(listener.Port)
	if p < 1 || p > math.MaxUint16 {
		return "", 0, fmt.Errorf("the answer to DescribeListeners has the port %d", p)
	}
	balancer, err := s.balancer(ctx, aws.ToString(listener.LoadBalancerArn))
	if err != nil {
		return "", 0, err
	}
	if balancer.State == nil {
		return "", 0, errors.New("the answer to DescribeLoadBalancers has no state")
	}
	switch code := balancer.State.Code; code {
	case types.LoadBalancerStateEnumActive, types.LoadBalancerStateEnumActiveImpaired:
	case types.LoadBalancerStateEnumProvisioning, types.LoadBalancerStateEnumFailed:
		return "", 0, fmt.Errorf("%w: the load balancer is in the state %s (%.256s)", errUnusable, code, aws.ToString(balancer.State.Reason))
	default:
		return "", 0, fmt.Errorf("the load balancer is in the unknown state %.64q", code)
	}
	name := aws.ToString(balancer.DNSName)
	if !validName(name) {
		return "", 0, fmt.Errorf("the answer to DescribeLoadBalancers has the DNS name %.300q", name)
	}
	return name, uint16(p), nil
}

// listener describes the listener.
func (s *Source) listener(ctx context.Context) (*types.Listener, error) {
	out, err := s.client.DescribeListeners(ctx, &elasticloadbalancingv2.DescribeListenersInput{ListenerArns: []string{s.arn}})
	if err != nil {
		if gone := (*types.ListenerNotFoundException)(nil); errors.As(err, &gone) {
			return nil, fmt.Errorf("%w: %w", errUnusable, err)
		}
		return nil, err
	}
	// There is no second page for one listener.
	for i := range out.Listeners {
		if aws.ToString(out.Listeners[i].ListenerArn) == s.arn {
			return &out.Listeners[i], nil
		}
	}
	return nil, errors.New("the answer to DescribeListeners is not about it")
}

// balancer describes the load balancer of the listener, which has no listeners any more
// when it was deleted.
func (s *Source) balancer(ctx context.Context, arn string) (*types.LoadBalancer, error) {
	if arn == "" {
		return nil, errors.New("the answer to DescribeListeners names no load balancer")
	}
	out, err := s.client.DescribeLoadBalancers(ctx, &elasticloadbalancingv2.DescribeLoadBalancersInput{LoadBalancerArns: []string{arn}})
	if err != nil {
		if gone := (*types.LoadBalancerNotFoundException)(nil); errors.As(err, &gone) {
			return nil, fmt.Errorf("%w: %w", errUnusable, err)
		}
		return nil, err
	}
	for i := range out.LoadBalancers {
		if aws.ToString(out.LoadBalancers[i].LoadBalancerArn) == arn {
			return &out.LoadBalancers[i], nil
		}
	}
	return nil, errors.New("the answer to DescribeLoadBalancers is not about its load balancer")
}

// validName reports whether s has the form of a host name.
func validName(s string) bool {
	return s != "" && len(s) <= 253 && s[0] != '.' && s[0] != '-' && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '.'
	})
}
