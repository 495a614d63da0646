// Package provenance knows what tells of a request who asked, and by which way: the
// header fields that only the gateway may write, the trace that the request is part of
// and the certificate of the client.
//
//	kind, alias := provenance.Of("X_Forwarded_For") // ForwardedFor, true
//
// Backends and functions hear of it in different fields. What clients send under these
// names is one question, and has one answer here.
package provenance

import "strings"

// A Kind says what a header field is about.
type Kind uint8

const (
	// Other is everything that lies between the client and the backend.
	Other Kind = iota
	// Hop belongs to one connection (RFC 9110, 7.6.1, and what older software uses).
	Hop
	// Framing is Host, Content-Length and Expect: each server on the way writes its own.
	Framing
	// The fields that tell of earlier hops. ForwardedOther is any X-Forwarded- field that
	// is not one of the others.
	Forwarded
	Via
	ForwardedFor
	ForwardedHost
	ForwardedProto
	ForwardedPort
	ForwardedOther
	// Trace is X-Amzn-Trace-Id, Amazon any other X-Amzn- field.
	Trace
	Amazon
)

// Prefixes of names that go by them, in lower case as all names here.
const (
	hopPrefix       = "proxy-"
	forwardedPrefix = "x-forwarded-"
	amazonPrefix    = "x-amzn-"
)

// Of returns what a field is about. An alias is a name that some servers read as one of
// these because it has "_" where that has "-", such as X_Forwarded_For; what it says is
// never to be believed. Of names that go by their prefix, such as Proxy-, the prefix
// alone decides.
func Of(name string) (kind Kind, alias bool) {
	if name == "" {
		return Other, false
	}
	known := name // the part that kind goes by
	switch folded[name[0]] {
	case 'c':
		switch {
		case is(name, "connection"):
			kind = Hop
		case is(name, "content-length"):
			kind = Framing
		}
	case 'e':
		if is(name, "expect") {
			kind = Framing
		}
	case 'f':
		if is(name, "forwarded") {
			kind = Forwarded
		}
	case 'h':
		switch {
		case is(name, "host"):
			kind = Framing
		case is(name, "http2-settings"):
			kind = Hop
		}
	case 'k':
		if is(name, "keep-alive") {
			kind = Hop
		}
	case 'p':
		if begins(name, hopPrefix) {
			kind, known = Hop, name[:len(hopPrefix)]
		}
	case 't':
		if is(name, "te") || is(name, "trailer") || is(name, "transfer-encoding") {
			kind = Hop
		}
	case 'u':
		if is(name, "upgrade") {
			kind = Hop
		}
	case 'v':
		if is(name, "via") {
			kind = Via
		}
	case 'x':
		switch {
		case begins(name, forwardedPrefix):
			kind, known = forwarded(name[len(forwardedPrefix):]), name[:len(forwardedPrefix)]
		case is(name, "x-amzn-trace-id"):
			kind = Trace
		case begins(name, amazonPrefix):
			kind, known = Amazon, name[:len(amazonPrefix)]
		}
	}
	return kind, kind != Other && strings.IndexByte(known, '_') >= 0
}

// forwarded returns the kind of X-Forwarded-{rest}.
func forwarded(rest string) Kind {
	switch {
	case is(rest, "for"):
		return ForwardedFor
	case is(rest, "host"):
		return ForwardedHost
	case is(rest, "proto"):
		return ForwardedProto
	case is(rest, "port"):
		return ForwardedPort
	}
	return ForwardedOther
}

func begins(name, prefix string) bool {
	return len(name) >= len(prefix) && is(name[:len(prefix)], prefix)
}

// is reports whether a server may read a name as another, given in lower case.
func is(name, lower string) bool {
	if len(name) != len(lower) {
		return false
	}
	for i := range len(name) {
		if folded[name[i]] != lower[i] {
			return false
		}
	}
	return true
}

// Same reports whether a server may read two names as the same: case does not matter,
// and some take "_" for "-".
func Same(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if folded[a[i]] != folded[b[i]] {
			return false
		}
	}
	return true
}

// folded has each byte in lower case, and "-" for "_".
var folded = func() (table [256]byte) {
	for c := range table {
		table[c] = byte(c)
	}
	for c := 'A'; c <= 'Z'; c++ {
		table[c] += 'a' - 'A'
	}
	table['_'] = '-'
	return table
}()
