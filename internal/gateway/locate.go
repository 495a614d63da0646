package gateway

import (
	"slices"
	"strings"

	"penstock/internal/route"
)

// pathForm starts the addresses for clients that cannot choose a host:
// /_aws/execute-api/{api}/{stage}/….
const pathForm = "/_aws/execute-api/"

const defaultStage = "$default"

// locate finds the API and the stage of a request: from its host and the first
// segment of its path, or by the API mappings and routing rules of a domain.
func (x *Exchange) locate(snapshot *Snapshot) error {
	host := Hostname(x.Request.Host)
	id := x.server.apiID(host)
	if id == "" {
		if d := snapshot.Domain(host); d != nil {
			return x.locateByDomain(snapshot, d)
		}
	}
	if x.misdirected(nil) {
		return closing(errMisdirected, "the TLS connection was made for a domain with mutual TLS")
	}
	x.RawPath = x.Request.Path
	byPath := id == ""
	if byPath {
		rest, ok := strings.CutPrefix(x.Request.Path, pathForm)
		if !ok {
			return because(errNotFound, "the host is neither that of an API nor a custom domain name")
		}
		id, x.RawPath = rest, "/"
		if i := strings.IndexByte(rest, '/'); i >= 0 {
			id, x.RawPath = rest[:i], rest[i:]
		}
	}
	x.API = snapshot.API(id)
	if x.API == nil {
		return because(errNotFound, "no such API")
	}
	if err := x.decodePath(); err != nil {
		return err
	}
	first, rest := x.Path[1:], "/"
	if i := strings.IndexByte(first, '/'); i >= 0 {
		first, rest = first[:i], first[i:]
	}
	x.RoutePath = x.Path
	switch stage := x.API.Stages[first]; {
	case stage != nil && first != defaultStage:
		x.Stage, x.RoutePath = stage, rest
	case byPath && first == defaultStage:
		// Only an address in path form names $default; it is not part of the path
		// that the API sees.
		x.RawPath = x.RawPath[rawLen(x.RawPath, len("/"+defaultStage)):]
		if !strings.HasPrefix(x.RawPath, "/") { // empty, or an escaped slash
			x.RawPath = "/" + x.RawPath[min(len("%2F"), len(x.RawPath)):]
		}
		x.Stage, x.Path, x.RoutePath = stage, rest, rest
	default:
		x.Stage = x.API.Stages[defaultStage]
	}
	x.SentRawPath, x.SentPath = x.RawPath, x.Path
	missing := errNotFound
	if x.API.WebSocket {
		missing = errSocketForbidden
	}
	if x.Stage == nil {
		return because(missing, "no such stage")
	}
	if x.Stage.EndpointDisabled {
		return because(missing, "the execute-api endpoint is disabled")
	}
	return nil
}

// What the health paths of WebSocket APIs answer.
var (
	textFields  = []Field{{"Content-Type", "text/plain"}}
	healthyText = []byte("healthy")
)

// connectionsPath is in the paths of requests about connections.
const connectionsPath = "/@connections/"

// notLocated returns the answer when no stage was found. Those who want to speak WebSocket,
// or to manage connections, have answers of their own, as far as anybody knows what they
// want.
func (x *Exchange) notLocated(err *Error) error {
	if x.server.healthy && x.API != nil && x.API.WebSocket && (x.Path == "/ping" || x.Path == "/sping") {
		x.Response = Response{Status: 200, Header: textFields, Body: Body{Bytes: healthyText, Length: int64(len(healthyText))}}
		return nil
	}
	if err.Close || err.Status != errNotFound.Status && err.Status != errForbidden.Status {
		return err
	}
	if x.Domain != nil && strings.Contains(x.Path, connectionsPath) {
		return NewError(errNotFound.Status, "No method found matching route "+x.Path[1:]+" for http method "+x.Request.Method+".", errNotFound.Type, "NotFoundException").With(err.Cause)
	}
	if upgrade, ok := x.Request.Field("Upgrade"); ok && EqualFold(upgrade, "websocket") {
		// What comes behind a handshake need not be a request.
		c := errSocketForbidden.With(err.Cause)
		c.Close = true
		return c
	}
	return err
}

// errNoMapping is the answer when nothing leads from a domain to an API. Some
// reports have 404 here.
var errNoMapping = because(errForbidden, "no API mapping or routing rule of the domain name matches")

// locateByDomain finds the stage that a custom domain name leads to.
func (x *Exchange) locateByDomain(snapshot *Snapshot, d *Domain) error {
	x.Domain = d
	switch {
	case x.misdirected(d):
		return closing(errMisdirected, "the TLS connection was made for another domain")
	case d.MutualTLS != nil && x.Request.TLS == nil:
		return closing(errForbidden, "the domain name asks for mutual TLS")
	}
	x.RawPath = x.Request.Path
	if err := x.decodePath(); err != nil {
		return err
	}
	x.SentRawPath, x.SentPath = x.RawPath, x.Path
	to, rule, base, strip, ok := d.find(&x.Request, x.Path)
	if !ok {
		return errNoMapping
	}
	x.BasePath, x.Rule = base, rule
	if x.API = snapshot.API(to.APIID); x.API == nil {
		return because(errNotFound, "the API that the domain name leads to does not exist")
	}
	if x.Stage = x.API.Stages[to.Stage]; x.Stage == nil {
		return because(errNotFound, "the stage that the domain name leads to has no deployment")
	}
	raw, path := x.RawPath, x.Path
	if strip && base != "" {
		raw, path = raw[rawLen(raw, len("/")+len(base)):], path[len("/")+len(base):]
		switch {
		case path == "":
			raw, path = "/", "/"
		case raw[0] == '%': // an escaped slash
			raw = "/" + raw[len("%2F"):]
		}
	}
	x.RawPath, x.Path, x.RoutePath = raw, path, path
	if to.Stage != defaultStage {
		// An API sees its stage in the path, whatever the client sees.
		b := slices.Grow(x.stageBuf[:0], 2*(len(to.Stage)+1)+len(raw)+len(path))
		b = append(append(append(b, '/'), to.Stage...), raw...)
		n := len(b)
		b = append(append(append(b, '/'), to.Stage...), path...)
		x.stageBuf = b
		x.RawPath, x.Path = text(b[:n]), text(b[n:])
	}
	return nil
}

// decodePath decodes RawPath into Path and refuses what a backend could
// understand otherwise than the routes do.
func (x *Exchange) decodePath() error {
	if cap(x.pathBuf) < len(x.RawPath) {
		x.pathBuf = make([]byte, 0, len(x.RawPath)+256)
	}
	path, err := route.Decode(x.RawPath, x.pathBuf)
	if err != nil {
		return errBadRequest.With(err)
	}
	if route.Suspicious(path) {
		return because(errBadRequest, "path with a dot segment or a backslash")
	}
	if strings.IndexByte(path, '%') >= 0 {
		// Some backends decode twice.
		if twice, err := route.Decode(path, nil); err == nil && route.Suspicious(twice) {
			return because(errBadRequest, "path with a dot segment or a backslash, escaped twice")
		}
	}
	x.Path = path
	if len(path) < len(x.RawPath) {
		// An escaped question mark has ended the path: backends get no more of it
		// than the routes.
		x.RawPath = x.RawPath[:rawLen(x.RawPath, len(path))]
	}
	return nil
}

// rawLen returns the length of that part of an escaped path which decodes to n
// bytes.
func rawLen(raw string, n int) int {
	i := 0
	for ; n > 0; n-- {
		if raw[i] == '%' {
			i += 2
		}
		i++
	}
	return i
}

// Hostname returns the name in a Host field: without port and the dot at its end.
func Hostname(host string) string {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && host[len(host)-1] != ']' {
		host = host[:i]
	}
	return strings.TrimSuffix(host, ".")
}

// apiID returns the id in the name of an execute-api host, or "".
func (s *Server) apiID(name string) string {
	id, domain, _ := strings.Cut(name, ".")
	for _, e := range s.endpoints {
		if EqualFold(domain, e) {
			return strings.ToLower(id)
		}
	}
	return ""
}
