package mapping

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxEntry is the longest line of an access log in bytes, a quota of the service.
const maxEntry = 1 << 20

// A Line is a compiled format of lines about Ts. It never changes.
type Line[T any] struct{ pieces []linePiece[T] }

// A linePiece is text or, if value is not nil, a variable.
type linePiece[T any] struct {
	text  string // of a variable without "$context."
	shown string // the text without control characters
	value func(b []byte, v T) ([]byte, bool)
}

// lineText returns the piece of a text.
func lineText[T any](text string) linePiece[T] {
	shown := strings.Map(func(r rune) rune {
		if r < utf8.RuneSelf && isControl(byte(r)) {
			return ' '
		}
		return r
	}, text)
	return linePiece[T]{text: text, shown: shown}
}

// ParseLine parses the format of an access log:
//
//	format = { text | "$context." variable }
//
// The name of a variable is as long as letters, digits, "_" and "." go; dots at its
// end are text. What a variable stands for is asked of a function.
func ParseLine[T any, F ~func(b []byte, v T) ([]byte, bool)](s string, variable func(name string) (F, error)) (*Line[T], error) {
	const open = "$context."
	f := &Line[T]{}
	from := 0 // where the text begins that has not been kept
	for at := 0; ; {
		i := strings.Index(s[at:], open)
		if i < 0 {
			break
		}
		start := at + i + len(open)
		at = start
		for at < len(s) && inName(s[at]) {
			at++
		}
		name := strings.TrimRight(s[start:at], ".")
		at = start + len(name)
		if name == "" {
			continue
		}
		value, err := variable(name)
		if err != nil {
			return nil, fmt.Errorf("access log format: offset %d: %w", start, err)
		}
		if text := s[from : start-len(open)]; text != "" {
			f.pieces = append(f.pieces, lineText[T](text))
		}
		f.pieces = append(f.pieces, linePiece[T]{text: name, value: value})
		from = at
	}
	if from < len(s) {
		f.pieces = append(f.pieces, lineText[T](s[from:]))
	}
	return f, nil
}

func inName(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c == '.'
}

// Append appends the line of a value, without a line end. What has no value is "-".
// All stands as it is, but for control characters: each becomes a space, so that it is
// one line. What is longer than 1 MB is cut off.
func (f *Line[T]) Append(b []byte, v T) []byte {
	start := len(b)
	for i := range f.pieces {
		p := &f.pieces[i]
		if p.value == nil {
			b = append(b, p.shown...)
		} else {
			from := len(b)
			if b, _ = p.value(b, v); len(b) == from {
				b = append(b, '-')
			}
			for k := from; k < len(b); k++ {
				if isControl(b[k]) {
					b[k] = ' '
				}
			}
		}
		if len(b)-start > maxEntry {
			end := start + maxEntry
			for end > start && !utf8.RuneStart(b[end]) {
				end--
			}
			return b[:end]
		}
	}
	return b
}

// String returns the format as it was written.
func (f *Line[T]) String() string {
	var b strings.Builder
	for _, p := range f.pieces {
		if p.value != nil {
			b.WriteString("$context.")
		}
		b.WriteString(p.text)
	}
	return b.String()
}
