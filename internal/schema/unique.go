package schema

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"slices"
)

// unique refuses an object that has two members of one name: which of both counts
// differs between readers of JSON.
func (i *instance) unique(n int) error {
	o := &i.values[n]
	if o.size <= few {
		for a := n + 1; a < int(o.next); a = int(i.values[a].next) {
			for b := n + 1; b < a; b = int(i.values[b].next) {
				if bytes.Equal(i.bytes(i.values[a].name), i.bytes(i.values[b].name)) {
					return i.fail("a member stands twice in an object")
				}
			}
		}
		return nil
	}
	i.clearTable(int(o.size))
	for c := n + 1; c < int(o.next); c = int(i.values[c].next) {
		name := i.bytes(i.values[c].name)
		if i.seen(name, c, func(other int) []byte { return i.bytes(i.values[other].name) }) {
			return i.fail("a member stands twice in an object")
		}
	}
	return nil
}

var seed = maphash.MakeSeed()

// clearTable makes the table empty, with room for n entries and more.
func (i *instance) clearTable(n int) {
	size := 1
	for size < 2*n {
		size *= 2
	}
	if cap(i.table) < size {
		i.table = make([]int32, size)
		return
	}
	i.table = i.table[:size]
	clear(i.table)
}

// seen puts key under a number above 0 into the table, and reports whether an equal
// key is there already.
func (i *instance) seen(key []byte, number int, keyOf func(number int) []byte) bool {
	mask := uint64(len(i.table) - 1)
	for at := maphash.Bytes(seed, key) & mask; ; at = (at + 1) & mask {
		switch other := i.table[at]; {
		case other == 0:
			i.table[at] = int32(number)
			return false
		case bytes.Equal(keyOf(int(other)), key):
			return true
		}
	}
}

// canonical appends a value in a form that equal values share, and no others: the order
// of members does not count, nor how strings and numbers were written.
func (i *instance) canonical(b []byte, n int) []byte {
	v := &i.values[n]
	switch v.kind {
	case kindNull:
		return append(b, 'n')
	case kindBoolean:
		return append(b, i.bytes(v.text)[0])
	case kindString:
		return appendText(append(b, '"'), i.bytes(v.text))
	case kindNumber:
		d, _ := parseDecimal(i.bytes(v.text)) // was read, so it is within the limits
		b = binary.AppendVarint(append(b, '0'+byte(d.sign()+1)), int64(d.exponent))
		return d.append(binary.AppendUvarint(b, uint64(d.count())))
	case kindList:
		b = binary.AppendUvarint(append(b, '['), uint64(v.size))
		for c := n + 1; c < int(v.next); c = int(i.values[c].next) {
			b = i.canonical(b, c)
		}
		return b
	}
	members := make([]int, 0, v.size)
	for c := n + 1; c < int(v.next); c = int(i.values[c].next) {
		members = append(members, c)
	}
	slices.SortFunc(members, func(x, y int) int { return bytes.Compare(i.bytes(i.values[x].name), i.bytes(i.values[y].name)) })
	b = binary.AppendUvarint(append(b, '{'), uint64(v.size))
	for _, c := range members {
		b = i.canonical(appendText(b, i.bytes(i.values[c].name)), c)
	}
	return b
}

// appendText appends a text so that where it ends can be told.
func appendText(b, text []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}
