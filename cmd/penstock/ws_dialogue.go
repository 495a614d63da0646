package main

import (
	"encoding/base64"
	"io"
	"os"
	"sync"
)

// A dialogue writes what comes, and what there is to say about the connection. Many
// goroutines may use it.
type dialogue struct {
	screen  bool // out is a terminal, which messages must not control
	prompts bool // so is the input: a person writes between what comes

	mu         sync.Mutex // guards what follows
	out, notes io.Writer
	prompted   bool // the cursor stands after a prompt
	ended      bool // nothing more is written
}

const (
	promptSent     = "> "
	promptReceived = "< "
	clearLine      = "\r\x1b[K" // takes a prompt away, and what was typed after it
)

// message writes a message that came. Bytes of text are written as they are, unless to a
// terminal.
func (d *dialogue) message(data []byte, binary bool) error {
	text := string(data)
	if binary {
		text = "binary: " + base64.StdEncoding.EncodeToString(data)
	}
	if d.screen {
		text = escape(text, "\n\t")
	}
	text += "\n"
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended {
		return nil
	}
	if d.prompts {
		text = clearLine + promptReceived + text + promptSent
		d.prompted = true
	}
	_, err := io.WriteString(d.out, text)
	return err
}

// prompt asks for the next message.
func (d *dialogue) prompt() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.prompts && !d.ended {
		io.WriteString(d.out, clearLine+promptSent)
		d.prompted = true
	}
}

// note says something about the connection.
func (d *dialogue) note(text string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.clear()
	io.WriteString(d.notes, text+"\n")
}

// end takes the last prompt away. A line that is read later finds no dialogue.
func (d *dialogue) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.clear()
	d.ended = true
}

// clear takes a prompt away. The mutex is held.
func (d *dialogue) clear() {
	if d.prompted {
		io.WriteString(d.out, clearLine)
		d.prompted = false
	}
}

// isTerminal reports whether a person may be at the other end of f: whether it is a
// character device, but not the one that is always empty.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}
