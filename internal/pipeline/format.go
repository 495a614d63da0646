package pipeline

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxEntry is the longest line of an access log in bytes, a quota of the service.
const maxEntry = 1 << 20

// A Format is a compiled format of the access log of a WebSocket API. It never changes.
type Format struct{ pieces []piece }

// A piece is text or, if value is not nil, a variable.
type piece struct {
	text  string // of a variable without "$context."
	value Variable
}

// ParseFormat parses the format of an access log:
//
//	format = { text | "$context." variable }
//
// The name of a variable is as long as letters, digits, "_" and "." go; dots at its end are
// text.
func ParseFormat(s string) (*Format, error) {
	const open = "$context."
	f := &Format{}
	from := 0 // where the text begins that has not been kept
	for at := 0; ; {
		i := strings.Index(s[at:], open)
		if i < 0 {
			break
		}
		start := at + i + len(open)
		for at = start; at < len(s) && inName(s[at]); {
			at++
		}
		name := strings.TrimRight(s[start:at], ".")
		at = start + len(name)
		if name == "" {
			continue
		}
		value, err := ParseVariable(name)
		if err != nil {
			return nil, fmt.Errorf("access log format: offset %d: %w", start, err)
		}
		if text := s[from : start-len(open)]; text != "" {
			f.pieces = append(f.pieces, piece{text: text})
		}
		f.pieces = append(f.pieces, piece{name, value})
		from = at
	}
	if from < len(s) {
		f.pieces = append(f.pieces, piece{text: s[from:]})
	}
	return f, nil
}

func inName(c byte) bool {
	return digit(c) || 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_' || c == '.'
}

// Append appends the line of an event that is over, without a line end. What has no value is
// "-". Each control character becomes a space, so that an event has one line. What is longer
// than 1 MB is cut off.
func (f *Format) Append(b []byte, e *Event) []byte {
	start := len(b)
	for i := range f.pieces {
		p := &f.pieces[i]
		from := len(b)
		if p.value == nil {
			b = append(b, p.text...)
		} else if b, _ = p.value(b, e); len(b) == from {
			b = append(b, '-')
		}
		blank(b[from:])
		if len(b)-start > maxEntry {
			return b[:cut(b, start+maxEntry)]
		}
	}
	return b
}

// blank makes spaces of control characters.
func blank(b []byte) {
	for i, c := range b {
		if c < ' ' || c == 0x7f {
			b[i] = ' '
		}
	}
}

// cut returns where to cut b off, at most at end, so that no character is cut.
func cut(b []byte, end int) int {
	for end > 0 && !utf8.RuneStart(b[end]) {
		end--
	}
	return end
}

// String returns the format as it was written.
func (f *Format) String() string {
	var b strings.Builder
	for _, p := range f.pieces {
		if p.value != nil {
			b.WriteString("$context.")
		}
		b.WriteString(p.text)
	}
	return b.String()
}
