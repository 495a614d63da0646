package pipeline

import (
	"unicode/utf8"

	"penstock/internal/mapping"
)

// A Format is a compiled format of the access log of a WebSocket API, whose lines are about
// events that are over. It never changes.
type Format = mapping.Line[*Event]

// ParseFormat parses the format of an access log, as mapping.ParseLine has it.
func ParseFormat(s string) (*Format, error) {
	return mapping.ParseLine[*Event](s, ParseVariable)
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
