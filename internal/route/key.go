// Package route holds the route keys of an API and finds the route of a request.
//
// A route key of an HTTP API is "$default" or a method and a path:
//
//	GET /pets
//	GET /pets/{id}
//	ANY /pets/{proxy+}
//
// A Table is built once from keys and never changes. A request path goes through
// Decode, then Match:
//
//	path, err := route.Decode(rawPath, nil)
//	value, ok := table.Match("GET", path, &vars)
//
// Paths are without the stage and without the query.
package route

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// defaultKey is the route that takes what no other route takes.
const defaultKey = "$default"

// anyMethod is the method of a key that takes every method.
const anyMethod = "ANY"

// A Key is a parsed route key of an HTTP API. Keys come from ParseKey; the zero
// Key is no route key.
type Key struct {
	// Method is ANY, DELETE, GET, HEAD, OPTIONS, PATCH, POST or PUT, and "" for
	// $default.
	Method string
	// Path is the path as written, and "$default" for $default.
	Path string
	// Segments are what stands between the slashes of Path. The path "/" has one,
	// the empty literal; $default has none.
	Segments []Segment
}

// A Segment is one part of the path of a Key.
type Segment struct {
	Kind SegmentKind
	// Text is the literal, or the name of the variable without braces and plus.
	Text string
}

// A SegmentKind says what a segment matches. Kinds are ordered by precedence: of
// two keys that match, the one that first has the lower kind wins.
type SegmentKind uint8

const (
	// Literal matches one segment with the same bytes.
	Literal SegmentKind = iota
	// Variable, written {name}, matches one segment.
	Variable
	// Greedy, written {name+}, matches the rest of the path.
	Greedy
)

// String returns the segment as it stands in a path.
func (s Segment) String() string {
	switch s.Kind {
	case Variable:
		return "{" + s.Text + "}"
	case Greedy:
		return "{" + s.Text + "+}"
	default:
		return s.Text
	}
}

// String returns the key as written.
func (k Key) String() string {
	if k.Method == "" {
		return k.Path
	}
	return k.Method + " " + k.Path
}

// Default reports whether k is $default.
func (k Key) Default() bool {
	return k.Method == "" && k.Path == defaultKey
}

// Vars returns the names of the path variables, in path order. Match fills in
// their values in the same order.
func (k Key) Vars() []string {
	var names []string
	for _, s := range k.Segments {
		if s.Kind != Literal {
			names = append(names, s.Text)
		}
	}
	return names
}

// ConflictsWith reports whether k and other name a variable differently on the
// same level below the same parent, which one API may not do, whatever the
// methods. {name} and {name+} are different levels of precedence and do not
// conflict with each other. Equal keys do not conflict; they are duplicates.
func (k Key) ConflictsWith(other Key) bool {
	for i := range min(len(k.Segments), len(other.Segments)) {
		a, b := k.Segments[i], other.Segments[i]
		if a.Kind != b.Kind {
			return false
		}
		if a.Text != b.Text {
			return a.Kind != Literal
		}
	}
	return false
}

// A KeyErrorKind says which rule a route key breaks. The control plane has a
// message for each.
type KeyErrorKind uint8

const (
	// Malformed: the key is neither "$default" nor "METHOD /path".
	Malformed KeyErrorKind = iota + 1
	// InvalidPart: a segment of the path is not allowed where it stands.
	InvalidPart
)

// A KeyError says why a route key does not parse.
type KeyError struct {
	Kind   KeyErrorKind
	Key    string
	Offset int    // in bytes, into Key
	Reason string // what is wrong there
}

func (e *KeyError) Error() string {
	return fmt.Sprintf("route key %q: offset %d: %s", e.Key, e.Offset, e.Reason)
}

// ParseKey parses the route key of an HTTP API:
//
//	key     = "$default" | method " " path
//	method  = "ANY" | "DELETE" | "GET" | "HEAD" | "OPTIONS" | "PATCH" | "POST" | "PUT"
//	path    = "/" | { "/" segment }
//	segment = literal | "{" name "}" | "{" name "+}"      the last form only at the end
//	literal = ( letter | digit | one of -._~!$&'()*+,;=:@% ) ...
//	name    = ( letter | digit | one of -._ ) ...          once in a key
//
// The error is a *KeyError.
func ParseKey(s string) (Key, error) {
	if s == defaultKey {
		return Key{Path: defaultKey}, nil
	}
	bad := func(kind KeyErrorKind, offset int, format string, args ...any) (Key, error) {
		return Key{}, &KeyError{Kind: kind, Key: s, Offset: offset, Reason: fmt.Sprintf(format, args...)}
	}
	method, path, found := strings.Cut(s, " ")
	if !found {
		return bad(Malformed, 0, "want \"$default\" or a method, one space and a path")
	}
	if methodIndex(method) < 0 {
		return bad(Malformed, 0, "unknown method %q, want ANY, DELETE, GET, HEAD, OPTIONS, PATCH, POST or PUT", method)
	}
	offset := len(method) + 1
	if !strings.HasPrefix(path, "/") {
		return bad(Malformed, offset, "the path must start with \"/\"")
	}
	k := Key{Method: method, Path: path, Segments: make([]Segment, 0, strings.Count(path, "/"))}
	if path == "/" {
		k.Segments = append(k.Segments, Segment{})
		return k, nil
	}
	var names map[string]bool
	for text := range strings.SplitSeq(path[1:], "/") {
		offset++ // the slash
		segment, reason := parseSegment(text)
		switch {
		case reason != "":
			return bad(InvalidPart, offset, "%s", reason)
		case segment.Kind == Greedy && offset+len(text) < len(s):
			return bad(InvalidPart, offset, "%s must be the last segment", text)
		case segment.Kind != Literal && names[segment.Text]:
			return bad(InvalidPart, offset, "the variable %q stands twice", segment.Text)
		}
		if segment.Kind != Literal {
			if names == nil {
				names = make(map[string]bool)
			}
			names[segment.Text] = true
		}
		k.Segments = append(k.Segments, segment)
		offset += len(text)
	}
	return k, nil
}

// parseSegment returns what text is, or the reason why it is nothing.
func parseSegment(text string) (s Segment, reason string) {
	if text == "" {
		return s, "empty segment; a path has no \"//\" and, but for \"/\" itself, no \"/\" at the end"
	}
	if name, found := strings.CutPrefix(text, "{"); found {
		s.Kind = Variable
		if name, found = strings.CutSuffix(name, "}"); !found {
			return s, fmt.Sprintf("%q must be a literal or one variable in braces", text)
		}
		if cut, found := strings.CutSuffix(name, "+"); found {
			s.Kind, name = Greedy, cut
		}
		if name == "" || strings.ContainsFunc(name, notName) {
			return s, fmt.Sprintf("bad variable name %q, want letters, digits, \"-\", \".\" and \"_\"", name)
		}
		s.Text = name
		return s, ""
	}
	if strings.ContainsAny(text, "{}") {
		return s, fmt.Sprintf("%q must be a literal or one variable in braces", text)
	}
	if i := strings.IndexFunc(text, notLiteral); i >= 0 {
		_, size := utf8.DecodeRuneInString(text[i:])
		return s, fmt.Sprintf("%q must not have %q", text, text[i:i+size])
	}
	s.Text = text
	return s, ""
}

func notName(r rune) bool {
	return notAlphanumeric(r) && !strings.ContainsRune("-._", r)
}

func notLiteral(r rune) bool {
	return notAlphanumeric(r) && !strings.ContainsRune("-._~!$&'()*+,;=:@%", r)
}

func notAlphanumeric(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
}

// CheckWebSocketKey reports what is wrong with the route key of a WebSocket API,
// as a *KeyError. Any text is a key that is not empty; $connect, $disconnect and
// $default have a meaning of their own.
func CheckWebSocketKey(s string) error {
	if s == "" {
		return &KeyError{Kind: Malformed, Reason: "a WebSocket route key must not be empty"}
	}
	return nil
}
