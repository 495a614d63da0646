package service

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// Endpoints say where services are reached that are not called at AWS.
type Endpoints struct {
	known map[string]endpoint // by the key of the configuration
}

// An endpoint is a URL with {region} and {service} to fill in.
type endpoint struct {
	origin string // scheme://host:port
	path   string // without a slash at the end
}

// anyService is the key of the endpoint of all services that have none of their own.
const anyService = "*"

// misnomers are names of services that calls are not signed with, and those that they are.
var misnomers = map[string]string{"eventbridge": "events", "stepfunctions": "states", "sync-states": "states"}

// ParseEndpoints reads endpoints: by service (sqs), by service and region (sqs/eu-west-1),
// and * for all others. Services have the names that calls to them are signed with. The
// values are URLs http(s)://host[:port][/path], in which {region} and {service} are those
// of the call. The error names the key.
func ParseEndpoints(urls map[string]string) (*Endpoints, error) {
	e := &Endpoints{known: map[string]endpoint{}}
	for _, key := range slices.Sorted(maps.Keys(urls)) {
		parsed, err := parseEndpoint(key, urls[key])
		if err != nil {
			return nil, fmt.Errorf("endpoints.%s: %w", key, err)
		}
		e.known[key] = parsed
	}
	return e, nil
}

func parseEndpoint(key, text string) (endpoint, error) {
	if key != anyService {
		service, region, both := strings.Cut(key, "/")
		if !validName(service) {
			return endpoint{}, errors.New("the key is the name of a service, such as sqs, or one in a region, such as sqs/eu-west-1, or *")
		}
		if both && !validName(region) {
			return endpoint{}, fmt.Errorf("%q is not the name of a region", region)
		}
		if right := misnomers[service]; right != "" {
			return endpoint{}, fmt.Errorf("calls are signed for %s: that is the name to use", right)
		}
	}
	filled := fill(text, "sqs", "us-east-1")
	if strings.ContainsAny(filled, "{}") {
		return endpoint{}, errors.New("only {region} and {service} can be filled in")
	}
	u, err := url.Parse(filled)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return endpoint{}, errors.New("want an http or https URL without user and query")
	}
	scheme, rest, _ := strings.Cut(text, "://")
	host, path, _ := strings.Cut(rest, "/")
	if path = strings.TrimRight(path, "/"); path != "" {
		path = "/" + path
	}
	for i := range len(path) {
		if path[i] <= ' ' || path[i] >= 0x7f {
			return endpoint{}, errors.New("the path is not escaped")
		}
	}
	return endpoint{strings.ToLower(scheme) + "://" + host, path}, nil
}

func fill(s, service, region string) string {
	if strings.IndexByte(s, '{') < 0 {
		return s
	}
	return strings.NewReplacer("{region}", region, "{service}", service).Replace(s)
}

// find returns the origin and the path of the endpoint of a service, filled in. The most
// specific one counts.
func (e *Endpoints) find(service, region string) (origin, path string, ok bool) {
	if len(e.known) == 0 {
		return "", "", false
	}
	found, ok := e.known[service+"/"+region]
	if !ok {
		found, ok = e.known[service]
	}
	if !ok {
		found, ok = e.known[anyService]
	}
	if !ok {
		return "", "", false
	}
	return fill(found.origin, service, region), fill(found.path, service, region), true
}

// URL returns the URL that a service in a region is reached at, and false if the
// configuration says nothing of it: then it is called at AWS.
func (e *Endpoints) URL(service, region string) (string, bool) {
	origin, path, ok := e.find(service, region)
	return origin + path, ok
}

// validName reports whether s has the form of the name of a service or a region. It becomes
// part of a host name.
func validName(s string) bool {
	return s != "" && len(s) <= 63 && s[0] != '-' && s[len(s)-1] != '-' && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-'
	})
}

// hostOf returns a URL of the host of a service at AWS.
func hostOf(host string) (string, error) {
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || label[0] == '-' || len(label) > 63 || strings.ContainsFunc(label, func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
		}) {
			return "", fmt.Errorf("%q is not the host of a service", cut(host, 100))
		}
	}
	return "https://" + host, nil
}
