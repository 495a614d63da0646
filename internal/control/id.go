package control

import (
	"crypto/rand"
	"encoding/base64"
	"strings"
)

const idAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789"

// newID returns n random lower-case letters and digits.
func newID(n int) string {
	id := make([]byte, 0, n)
	var random [32]byte
	for {
		rand.Read(random[:])
		for _, b := range random {
			if b >= 252 { // the largest multiple of 36 in a byte: no letter is likelier than another
				continue
			}
			if id = append(id, idAlphabet[b%36]); len(id) == n {
				return string(id)
			}
		}
	}
}

// unusedID returns a new ID for which used is false.
func unusedID(n int, used func(id string) bool) string {
	for {
		if id := newID(n); !used(id) {
			return id
		}
	}
}

// isID reports whether s has the form of an ID. Nothing else is looked up.
func isID(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, idAlphabet) == ""
}

// extendedRequestID returns the value of x-amz-apigw-id: 16 characters, the last
// of them "=".
func extendedRequestID() string {
	var random [11]byte
	rand.Read(random[:])
	return base64.URLEncoding.EncodeToString(random[:])
}
