package gateway

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// A CORSSpec is the CORS configuration of an API.
type CORSSpec struct {
	AllowOrigins, AllowMethods, AllowHeaders, ExposeHeaders []string
	AllowCredentials                                        bool
	MaxAge                                                  *int // seconds; -1 turns caching off
}

// CORS is a compiled CORS configuration. It never refuses a request: it decides
// which fields a response has, so that browsers do.
type CORS struct {
	any         bool     // every origin
	scheme      []string // "https://", "http://": every origin that begins so
	origins     []string
	credentials bool

	// Values of fields; empty ones are left out.
	methods, headers, expose, maxAge string
}

// NewCORS compiles a configuration. Origins are in lower case, as browsers send
// them, and so are the names of headers.
func NewCORS(spec CORSSpec) *CORS {
	c := &CORS{
		credentials: spec.AllowCredentials,
		methods:     strings.Join(spec.AllowMethods, ","),
		headers:     strings.ToLower(strings.Join(spec.AllowHeaders, ",")),
		expose:      strings.Join(spec.ExposeHeaders, ","),
	}
	if spec.MaxAge != nil {
		c.maxAge = strconv.Itoa(*spec.MaxAge)
	}
	for _, o := range spec.AllowOrigins {
		switch o {
		case "*":
			c.any = true
		case "https://*", "http://*":
			c.scheme = append(c.scheme, strings.TrimSuffix(o, "*"))
		default:
			c.origins = append(c.origins, o)
		}
	}
	return c
}

// allows reports whether pages of an origin may read responses.
func (c *CORS) allows(origin string) bool {
	return c.any || slices.Contains(c.origins, origin) ||
		slices.ContainsFunc(c.scheme, func(scheme string) bool { return strings.HasPrefix(origin, scheme) && len(origin) > len(scheme) })
}

// appendOrigin adds the fields that every response to a page of an origin has.
func (c *CORS) appendOrigin(fields []Field, origin string) []Field {
	echo := !c.any || c.credentials
	if !echo {
		origin = "*"
	}
	fields = append(fields, Field{"Access-Control-Allow-Origin", origin})
	if c.credentials {
		fields = append(fields, Field{"Access-Control-Allow-Credentials", "true"})
	}
	if echo {
		fields = append(fields, Field{"Vary", "origin"})
	}
	return fields
}

// appendPreflight adds what a browser asks for before it sends a request.
func (c *CORS) appendPreflight(fields []Field) []Field {
	for _, f := range [...]Field{
		{"Access-Control-Allow-Methods", c.methods},
		{"Access-Control-Allow-Headers", c.headers},
		{"Access-Control-Max-Age", c.maxAge},
	} {
		if f.Value != "" {
			fields = append(fields, f)
		}
	}
	return fields
}

// origin returns the origin that a request says it comes from. Several are none,
// also if all but one are empty.
func (r *Request) origin() string {
	origin, seen := "", false
	for i := range r.Header {
		if len(r.Header[i].Name) == len("Origin") && EqualFold(r.Header[i].Name, "Origin") {
			if seen {
				return ""
			}
			origin, seen = r.Header[i].Value, true
		}
	}
	return origin
}

// preflight answers an OPTIONS request that no route takes.
func (x *Exchange) preflight() {
	fields := x.cors[:0]
	if origin := x.Request.origin(); origin != "" && x.Stage.CORS.allows(origin) {
		fields = x.Stage.CORS.appendPreflight(x.Stage.CORS.appendOrigin(fields, origin))
	}
	x.cors = fields
	x.preflighted = true
	x.Response = Response{Status: http.StatusNoContent, Header: fields, Body: Body{Length: -1}, Bodiless: true}
}

const corsPrefix = "Access-Control-"

// stampCORS replaces what a backend says about origins by what the configuration of
// the API says. It is the last step before a response is sent, also of one that the
// gateway gives itself.
func (x *Exchange) stampCORS() {
	if x.Stage == nil || x.Stage.CORS == nil || x.preflighted {
		return
	}
	c, r := x.Stage.CORS, &x.Response
	origin := x.Request.origin()
	says := func(f Field) bool {
		return len(f.Name) > len(corsPrefix) && EqualFold(f.Name[:len(corsPrefix)], corsPrefix)
	}
	if origin == "" && !slices.ContainsFunc(r.Header, says) {
		return
	}
	fields := x.cors[:0]
	for _, f := range r.Header {
		if !says(f) {
			fields = append(fields, f)
		}
	}
	if origin != "" && c.allows(origin) {
		fields = c.appendOrigin(fields, origin)
		if c.expose != "" {
			fields = append(fields, Field{"Access-Control-Expose-Headers", c.expose})
		}
		if x.Request.Method == http.MethodOptions {
			if _, asks := x.Request.Field("Access-Control-Request-Method"); asks {
				fields = c.appendPreflight(fields)
			}
		}
	}
	x.cors = fields
	r.Header = fields
}
