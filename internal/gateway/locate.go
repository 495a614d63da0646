package gateway

import (
	"strings"

	"penstock/internal/route"
)

// pathForm starts the addresses for clients that cannot choose a host:
// /_aws/execute-api/{api}/{stage}/….
const pathForm = "/_aws/execute-api/"

const defaultStage = "$default"

// locate finds the API and the stage of a request, from its host and the first
// segment of its path.
func (x *Exchange) locate(snapshot *Snapshot) error {
	id := x.server.apiID(x.Request.Host)
	x.RawPath = x.Request.Path
	byPath := id == ""
	if byPath {
		rest, ok := strings.CutPrefix(x.Request.Path, pathForm)
		if !ok {
			return because(errNotFound, "the host names no API")
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
	if x.Stage == nil {
		return because(errNotFound, "no such stage")
	}
	if x.Stage.EndpointDisabled {
		return because(errNotFound, "the execute-api endpoint is disabled")
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
		return errBadRequest.with(err)
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

// apiID returns the id in an execute-api host, or "".
func (s *Server) apiID(host string) string {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && host[len(host)-1] != ']' {
		host = host[:i]
	}
	host = strings.TrimSuffix(host, ".")
	id, domain, _ := strings.Cut(host, ".")
	for _, e := range s.endpoints {
		if EqualFold(domain, e) {
			return strings.ToLower(id)
		}
	}
	return ""
}
