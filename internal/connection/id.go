package connection

import (
	"crypto/rand"
	"encoding/base64"
)

const (
	// idBytes is how many random bytes an ID is made of. Source: IDs of the service.
	idBytes = 11
	// idLength is how many characters they are, with the padding.
	idLength = 16
)

// strict refuses IDs with bits behind the last byte: each connection has one name.
var strict = base64.URLEncoding.Strict()

// NewID returns a new ID of a connection, a request or a message: 11 random bytes in
// URL-safe base64 with padding. It cannot be guessed. It does not begin with a hyphen, which
// command lines would take for a flag.
func NewID() string {
	var random [idBytes]byte
	var text [idLength]byte
	for text[0] == 0 || text[0] == '-' {
		rand.Read(random[:])
		base64.URLEncoding.Encode(text[:], random[:])
	}
	return string(text[:])
}

// ValidID reports whether NewID could have made the ID. Whether there is such a
// connection is another question.
func ValidID(id string) bool {
	if len(id) != idLength {
		return false
	}
	// The decoder skips line breaks, which are no part of an ID.
	for i := range len(id) {
		if id[i] < '-' {
			return false
		}
	}
	var text [idLength]byte
	var raw [idLength]byte
	copy(text[:], id)
	n, err := strict.Decode(raw[:], text[:])
	return err == nil && n == idBytes
}
