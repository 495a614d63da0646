package subtype

import (
	"unicode/utf8"

	"penstock/internal/jsonpath"
	"penstock/internal/jsontree"
)

// A writer writes XML, or only counts how long it is.
type writer struct {
	b        []byte
	counts   bool
	n        int            // what was counted
	scratch  []byte         // of quoted
	received *jsontree.Node // read once
}

// raw writes what is XML already.
func (w *writer) raw(parts ...string) {
	for _, s := range parts {
		write(w, s)
	}
}

func (w *writer) open(name string)  { w.raw("<", name, ">") }
func (w *writer) close(name string) { w.raw("</", name, ">") }

func (w *writer) element(name, value string) {
	w.open(name)
	writeText(w, value)
	w.close(name)
}

// members writes those members of an object that are strings.
func (w *writer) members(n *jsontree.Node, names ...string) {
	for _, name := range names {
		if m := n.Member(name); m != nil && m.Kind == jsontree.String {
			w.element(name, m.Text)
		}
	}
}

// quoted writes a JSON string as text.
func (w *writer) quoted(value []byte) {
	w.scratch, _ = jsonpath.AppendText(w.scratch[:0], value)
	writeText(w, w.scratch)
}

// writeText writes text. A carriage return is written so that readers keep it; what no XML
// may have becomes U+FFFD.
func writeText[T string | []byte](w *writer, s T) {
	done := 0
	for i := 0; i < len(s); {
		var escape string
		size := 1
		switch c := s[i]; {
		case c == '&':
			escape = "&amp;"
		case c == '<':
			escape = "&lt;"
		case c == '>':
			escape = "&gt;"
		case c == '"':
			escape = "&quot;"
		case c == '\r':
			escape = "&#xD;"
		case c < ' ' && c != '\n' && c != '\t':
			escape = "\uFFFD"
		case c >= utf8.RuneSelf:
			var r rune
			if r, size = utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))])); r == utf8.RuneError || r == 0xFFFE || r == 0xFFFF {
				escape = "\uFFFD"
			}
		}
		if escape != "" {
			write(w, s[done:i])
			w.raw(escape)
			done = i + size
		}
		i += size
	}
	write(w, s[done:])
}

// write writes what is XML already.
func write[T string | []byte](w *writer, s T) {
	if w.counts {
		w.n += len(s)
	} else {
		w.b = append(w.b, s...)
	}
}
