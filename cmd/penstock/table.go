package main

import (
	"bytes"
	"cmp"
	"io"
	"strings"
	"unicode/utf8"
)

// A table is rows under headings, for people to read.
type table struct {
	heads []string
	rows  []row
}

// A row is a cell for each column but the last, any number of lines in the last
// one, and lines below. Nothing in it may control a terminal.
type row struct {
	cells []string // "" shows as a hyphen
	last  []string
	below []string
}

// A wider cell moves the rest of its own row, not the column.
const maxColumn = 60

// write writes the table at once.
func (t *table) write(w io.Writer) error {
	widths := make([]int, len(t.heads)-1)
	for i := range widths {
		widths[i] = utf8.RuneCountInString(t.heads[i])
		for _, r := range t.rows {
			if n := utf8.RuneCountInString(r.cells[i]); n <= maxColumn {
				widths[i] = max(widths[i], n)
			}
		}
	}
	var b bytes.Buffer
	line := func(cells []string, last string) {
		var text strings.Builder
		for i, cell := range cells {
			text.WriteString(cell)
			text.WriteString(strings.Repeat(" ", max(0, widths[i]-utf8.RuneCountInString(cell))+2))
		}
		b.WriteString(strings.TrimRight(text.String()+last, " ") + "\n")
	}
	line(t.heads[:len(widths)], t.heads[len(widths)])
	for _, r := range t.rows {
		cells := make([]string, len(widths))
		for i := range cells {
			cells[i] = cmp.Or(r.cells[i], "-")
		}
		last := r.last
		if len(last) == 0 {
			last = []string{"-"}
		}
		line(cells, last[0])
		for _, more := range last[1:] {
			line(make([]string, len(widths)), more)
		}
		for _, text := range r.below {
			b.WriteString(text + "\n")
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}
