package tracing

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"strings"
	"time"

	"go.opentelemetry.io/otel/trace"

	"penstock/internal/gateway"
)

const (
	fieldParent = "traceparent"
	fieldState  = "tracestate"
	fieldAmazon = "X-Amzn-Trace-Id"

	// parentLength is the length of a traceparent of version 00.
	parentLength = len("00-00000000000000000000000000000000-0000000000000000-00")
	// maxAmazon and maxState are the longest X-Amzn-Trace-Id and tracestate that are read
	// and written, in bytes. Receivers of a tracestate must take that many.
	maxAmazon = 256
	maxState  = 512
	// maxStates is how many members a tracestate has at most.
	maxStates = 32
)

// A decision is what a caller says about whether its trace is recorded.
type decision uint8

const (
	undecided decision = iota
	skip
	record
)

// A parent is what a request says about the trace that it is part of. The strings are
// those of the request.
type parent struct {
	trace    trace.TraceID // zero: the request is part of no trace
	span     trace.SpanID  // zero: not known
	decision decision
	state    string // tracestate; "" if there is none that is worth passing on
	amazon   string // X-Amzn-Trace-Id, if it is well-formed
}

// read finds out what the header of a request says. A field that stands there twice
// counts as absent, as does one that is not well-formed. A traceparent comes before an
// X-Amzn-Trace-Id, and only with a traceparent there is a tracestate.
func (p *parent) read(header []gateway.Field) {
	var parentValue, amazonValue string
	parents, amazons := 0, 0
	for i := range header {
		f := &header[i]
		switch len(f.Name) {
		case len(fieldParent):
			if gateway.EqualFold(f.Name, fieldParent) {
				parentValue = f.Value
				parents++
			}
		case len(fieldState):
			if gateway.EqualFold(f.Name, fieldState) {
				p.addState(f.Value)
			}
		case len(fieldAmazon):
			if gateway.EqualFold(f.Name, fieldAmazon) {
				amazonValue = f.Value
				amazons++
			}
		}
	}
	var amazon parent
	if amazons == 1 && amazon.parseAmazon(amazonValue) {
		p.amazon = amazonValue
	}
	if parents == 1 && p.parseParent(parentValue) {
		if !validState(p.state) {
			p.state = ""
		}
		return
	}
	p.state = ""
	p.trace, p.span, p.decision = amazon.trace, amazon.span, amazon.decision
}

// addState adds a line of a tracestate, which may stand on several.
func (p *parent) addState(value string) {
	switch {
	case p.state == "":
		p.state = value
	case len(p.state) <= maxState: // or it is too long already
		p.state += "," + value
	}
}

// parseParent reads
//
//	version "-" trace "-" span "-" flags      in 2, 32, 16 and 2 lower-case hex digits
//
// Version 00 ends there. Later versions, up to fe, may go on after another "-".
func (p *parent) parseParent(s string) bool {
	if len(s) < parentLength || s[2] != '-' || s[35] != '-' || s[52] != '-' {
		return false
	}
	if len(s) > parentLength && (s[:2] == "00" || s[parentLength] != '-') {
		return false
	}
	var version, flags [1]byte
	var t trace.TraceID
	var span trace.SpanID
	if !unhex(version[:], s[:2]) || version[0] == 0xff || !unhex(t[:], s[3:35]) || !unhex(span[:], s[36:52]) || !unhex(flags[:], s[53:55]) {
		return false
	}
	if !t.IsValid() || !span.IsValid() {
		return false
	}
	p.trace, p.span, p.decision = t, span, skip
	if flags[0]&1 != 0 {
		p.decision = record
	}
	return true
}

// parseAmazon reads members with ";" in between, in any order, of which
//
//	"Root=1-" time "-" random      in 8 and 24 lower-case hex digits
//
// must be there, and
//
//	"Parent=" span                 in 16
//	"Sampled=" ( "0" | "1" | "?" )
//
// may be.
func (p *parent) parseAmazon(s string) bool {
	if len(s) > maxAmazon {
		return false
	}
	var t trace.TraceID
	var span trace.SpanID
	d, decided := undecided, false
	for member := range strings.SplitSeq(s, ";") {
		name, value, _ := strings.Cut(strings.Trim(member, " "), "=")
		switch name {
		case "Root":
			if t.IsValid() || len(value) != 35 || value[:2] != "1-" || value[10] != '-' || !unhex(t[:4], value[2:10]) || !unhex(t[4:], value[11:]) || !t.IsValid() {
				return false
			}
		case "Parent":
			if span.IsValid() || !unhex(span[:], value) || !span.IsValid() {
				return false
			}
		case "Sampled":
			if decided {
				return false
			}
			decided = true
			switch value {
			case "0":
				d = skip
			case "1":
				d = record
			case "?":
			default:
				return false
			}
		}
	}
	if !t.IsValid() {
		return false
	}
	p.trace, p.span, p.decision = t, span, d
	return true
}

// validState reports whether s is a tracestate that is worth passing on:
//
//	key "=" value { "," key "=" value }
//
// It knows which characters are allowed, and not how long a key is or that none stands
// twice: those who wrote it have to know.
func validState(s string) bool {
	if len(s) > maxState {
		return false
	}
	members := 0
	for member := range strings.SplitSeq(s, ",") {
		member = strings.Trim(member, " \t")
		if member == "" {
			continue
		}
		members++
		key, value, found := strings.Cut(member, "=")
		if !found || key == "" || value == "" || members > maxStates {
			return false
		}
		for i := range len(key) {
			c := key[i]
			alphanumeric := 'a' <= c && c <= 'z' || '0' <= c && c <= '9'
			if !alphanumeric && (i == 0 || strings.IndexByte("_-*/@", c) < 0) {
				return false
			}
		}
		for i := range len(value) {
			if c := value[i]; c < ' ' || c > '~' || c == '=' {
				return false
			}
		}
	}
	return members > 0
}

// propagate returns what the backend is told: that the caller of its request is span, in
// a trace that came from p or begins here.
func (p *parent) propagate(id trace.TraceID, span trace.SpanID, sampled bool) gateway.Trace {
	var buf [parentLength + maxAmazon]byte
	b := append(buf[:0], "00-"...)
	b = hex.AppendEncode(b, id[:])
	b = append(b, '-')
	b = hex.AppendEncode(b, span[:])
	b = append(b, "-0"...)
	b = append(b, digit(sampled))

	b = append(b, "Root=1-"...)
	b = hex.AppendEncode(b, id[:4])
	b = append(b, '-')
	b = hex.AppendEncode(b, id[4:])
	b = append(b, ";Parent="...)
	b = hex.AppendEncode(b, span[:])
	b = append(b, ";Sampled="...)
	b = append(b, digit(sampled))
	if p.amazon != "" {
		b = appendOther(b, p.amazon)
	}
	both := string(b)
	return gateway.Trace{Parent: both[:parentLength], Amazon: both[parentLength:], State: p.state}
}

// appendOther appends the members of an X-Amzn-Trace-Id that say nothing about the
// trace, as far as they fit into b.
func appendOther(b []byte, amazon string) []byte {
	for member := range strings.SplitSeq(amazon, ";") {
		member = strings.Trim(member, " ")
		name, value, _ := strings.Cut(member, "=")
		if name == "Root" || name == "Parent" || name == "Sampled" || !visible(name) || !visible(value) {
			continue
		}
		if len(b)+1+len(member) <= cap(b) {
			b = append(append(b, ';'), member...)
		}
	}
	return b
}

// visible reports whether s has characters and they cannot be mistaken for a separator.
func visible(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c > '~' || c == ',' || c == '"' || c == '\\' {
			return false
		}
	}
	return s != ""
}

func digit(sampled bool) byte {
	if sampled {
		return '1'
	}
	return '0'
}

// unhex decodes exactly len(b) bytes from lower-case hexadecimal digits.
func unhex(b []byte, s string) bool {
	if len(s) != 2*len(b) {
		return false
	}
	for i := range b {
		high, low := nibble(s[2*i]), nibble(s[2*i+1])
		if high|low > 15 {
			return false
		}
		b[i] = high<<4 | low
	}
	return true
}

// nibble returns the value of a digit, more than 15 if it is none.
func nibble(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	default:
		return 0xff
	}
}

// newTrace returns the id of a trace that begins now. As X-Ray wants it, it begins with
// the time in seconds; the rest is random.
func newTrace(now time.Time) (id trace.TraceID) {
	binary.BigEndian.PutUint32(id[:], uint32(now.Unix()))
	binary.BigEndian.PutUint32(id[4:], rand.Uint32())
	binary.BigEndian.PutUint64(id[8:], rand.Uint64()|1) // all zeros are no id
	return id
}

// newSpan returns a random id.
func newSpan() (id trace.SpanID) {
	for !id.IsValid() {
		binary.BigEndian.PutUint64(id[:], rand.Uint64())
	}
	return id
}
