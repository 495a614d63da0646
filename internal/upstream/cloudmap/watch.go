package cloudmap

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/servicediscovery"
	"github.com/aws/aws-sdk-go-v2/service/servicediscovery/types"

	"penstock/internal/upstream"
)

// maxResults is how many instances are asked for: the most that Cloud Map returns, and the
// most that a service has. There is no second page.
const maxResults = 1000

// A watch is what one Run knows.
type watch struct {
	*Source
	update func([]upstream.Instance)
	failed func(error)

	service, namespace string // names; empty if they are not known
	listed             bool   // update was called
	list               []upstream.Instance
	skipped            map[string]string // why instances are not in the list, by their IDs
	// failures is how many times in a row there was no answer that could be used, and
	// refused how many times in a row Cloud Map did not want to answer.
	failures, refused int
}

// errDeleted says that Cloud Map does not know the ID of the service. IDs are not given to
// another service.
var errDeleted = errors.New("the service was deleted, or has never been there")

// ask asks for the instances and passes on what is new.
func (w *watch) ask(ctx context.Context) {
	found, err := w.discover(ctx)
	if ctx.Err() != nil {
		return
	}
	deleted := errors.Is(err, errDeleted)
	if err != nil && !deleted {
		w.failures++
		if isRefusal(err) {
			w.refused++
		} else {
			w.refused = 0
		}
		w.failed(w.explain(err))
		return
	}
	list, skipped := instances(found)
	if !w.listed || w.failures > 0 && !deleted || !equal(list, w.list) || !maps.Equal(skipped, w.skipped) {
		// The callee gets its own.
		w.update(clone(list))
	}
	for _, id := range slices.Sorted(maps.Keys(skipped)) {
		if why := skipped[id]; w.skipped[id] != why {
			w.failed(fmt.Errorf("the instance %q of %s is left out: %s", id, w.arn, why))
		}
	}
	w.listed, w.list, w.skipped = true, list, skipped
	if deleted {
		w.failures++
		w.refused++ // it will hardly come back
		w.failed(w.explain(err))
		return
	}
	w.failures, w.refused = 0, 0
}

// discover returns the healthy instances that have the attributes. Names that turn out to
// be wrong are asked for again at once.
func (w *watch) discover(ctx context.Context) ([]types.HttpInstanceSummary, error) {
	for {
		known := w.service != ""
		if !known {
			if err := w.resolve(ctx); err != nil {
				return nil, err
			}
		}
		ctx, cancel := context.WithTimeout(ctx, callTime)
		out, err := w.client.DiscoverInstances(ctx, &servicediscovery.DiscoverInstancesInput{
			NamespaceName:   &w.namespace,
			ServiceName:     &w.service,
			HealthStatus:    types.HealthStatusFilterHealthy,
			MaxResults:      aws.Int32(maxResults),
			QueryParameters: w.attributes,
		})
		cancel()
		if err == nil {
			return out.Instances, nil
		}
		var noService *types.ServiceNotFound
		var noNamespace *types.NamespaceNotFound
		if !errors.As(err, &noService) && !errors.As(err, &noNamespace) {
			return nil, err
		}
		w.service, w.namespace = "", ""
		if !known {
			return nil, err
		}
	}
}

// resolve asks for the names of the service and of its namespace.
func (w *watch) resolve(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*callTime)
	defer cancel()
	service, err := w.client.GetService(ctx, &servicediscovery.GetServiceInput{Id: &w.id})
	if err != nil {
		if gone := (*types.ServiceNotFound)(nil); errors.As(err, &gone) {
			return fmt.Errorf("%w: %w", errDeleted, err)
		}
		return err
	}
	if service.Service == nil || aws.ToString(service.Service.Name) == "" || aws.ToString(service.Service.NamespaceId) == "" {
		return errors.New("the answer to GetService has no name or no namespace")
	}
	namespace, err := w.client.GetNamespace(ctx, &servicediscovery.GetNamespaceInput{Id: service.Service.NamespaceId})
	if err != nil {
		return err
	}
	name := namespaceName(namespace.Namespace)
	if name == "" {
		return errors.New("the answer to GetNamespace has no name")
	}
	w.service, w.namespace = *service.Service.Name, name
	return nil
}

// namespaceName returns the name by which instances in a namespace are discovered, which
// is not the name of the namespace if that was given before. Source: API reference of
// Cloud Map, DiscoverInstances.
func namespaceName(n *types.Namespace) string {
	if n == nil {
		return ""
	}
	if p := n.Properties; p != nil && p.HttpProperties != nil && aws.ToString(p.HttpProperties.HttpName) != "" {
		return *p.HttpProperties.HttpName
	}
	return aws.ToString(n.Name)
}

// Attributes that Cloud Map itself knows.
const (
	attributeIPv4  = "AWS_INSTANCE_IPV4"
	attributeIPv6  = "AWS_INSTANCE_IPV6"
	attributePort  = "AWS_INSTANCE_PORT"
	attributeCNAME = "AWS_INSTANCE_CNAME"
	attributeAlias = "AWS_ALIAS_DNS_NAME"
)

// instances returns the instances that can be reached, sorted, and why the others cannot,
// by their IDs. Cloud Map returns them in any order. Of instances with the same address
// and port, the one whose ID comes first counts.
func instances(found []types.HttpInstanceSummary) (list []upstream.Instance, skipped map[string]string) {
	slices.SortFunc(found, func(a, b types.HttpInstanceSummary) int {
		return cmp.Compare(aws.ToString(a.InstanceId), aws.ToString(b.InstanceId))
	})
	for _, f := range found {
		i, why := instance(f.Attributes)
		if why == "" {
			list = append(list, i)
			continue
		}
		if skipped == nil {
			skipped = map[string]string{}
		}
		skipped[aws.ToString(f.InstanceId)] = why
	}
	slices.SortStableFunc(list, func(a, b upstream.Instance) int {
		return cmp.Or(cmp.Compare(a.Host, b.Host), cmp.Compare(a.Port, b.Port))
	})
	list = slices.CompactFunc(list, func(a, b upstream.Instance) bool {
		return a.Host == b.Host && a.Port == b.Port
	})
	return list, skipped
}

// instance returns the instance with these attributes, or why it cannot be reached. One
// that has both kinds of address is reached over IPv4. Names are not taken for addresses:
// the service does private integrations with addresses only.
func instance(attributes map[string]string) (upstream.Instance, string) {
	v4, v6, port := attributes[attributeIPv4], attributes[attributeIPv6], attributes[attributePort]
	var host netip.Addr
	var err error
	switch {
	case v4 != "":
		if host, err = netip.ParseAddr(v4); err != nil || !host.Is4() {
			return upstream.Instance{}, fmt.Sprintf("%s %.64q is not an address", attributeIPv4, v4)
		}
	case v6 != "":
		if host, err = netip.ParseAddr(v6); err != nil || !host.Is6() || host.Zone() != "" {
			return upstream.Instance{}, fmt.Sprintf("%s %.64q is not an address", attributeIPv6, v6)
		}
	case attributes[attributeCNAME] != "":
		return upstream.Instance{}, fmt.Sprintf("it has %s and no address; register it with %s", attributeCNAME, attributeIPv4)
	case attributes[attributeAlias] != "":
		return upstream.Instance{}, fmt.Sprintf("it is an alias (%s); refer to the listener of the load balancer instead", attributeAlias)
	default:
		return upstream.Instance{}, fmt.Sprintf("it has neither %s nor %s", attributeIPv4, attributeIPv6)
	}
	if port == "" {
		return upstream.Instance{}, fmt.Sprintf("it has no %s; register it with one, which Amazon ECS does for services with SRV records", attributePort)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return upstream.Instance{}, fmt.Sprintf("%s %.64q is not a port", attributePort, port)
	}
	return upstream.Instance{Host: host.String(), Port: uint16(n), Attributes: attributes}, ""
}

// equal reports whether two sorted lists say the same.
func equal(a, b []upstream.Instance) bool {
	return slices.EqualFunc(a, b, func(a, b upstream.Instance) bool {
		return a.Host == b.Host && a.Port == b.Port && maps.Equal(a.Attributes, b.Attributes)
	})
}

// clone returns a copy that shares nothing.
func clone(list []upstream.Instance) []upstream.Instance {
	list = slices.Clone(list)
	for i := range list {
		list[i].Attributes = maps.Clone(list[i].Attributes)
	}
	return list
}
