package control

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"penstock/internal/model"
	"penstock/internal/store"
)

const (
	defaultPage = 25
	maxPage     = 500
	maxToken    = 8 << 10 // bytes of a nextToken that is looked at
)

// A pageKey signs positions in lists. It is made of what all nodes of an account
// know, so that a token is good on each of them and after a restart. It keeps
// tokens from being mixed up, not from being made: whoever may list may start
// anywhere.
type pageKey [sha256.Size]byte

func newPageKey(account, region string) pageKey {
	return sha256.Sum256([]byte("penstock page token " + account + " " + region))
}

// A position is what a nextToken says: go on after this key.
type position struct {
	After string `json:"after"`
}

const macSize = 16

// tokenStart begins every nextToken: one that began with a hyphen would look like
// an option to the AWS CLI.
const tokenStart = "p"

// token returns the nextToken for a list that is identified by bound.
func (k pageKey) token(bound, after string) string {
	text, _ := json.Marshal(position{after})
	return tokenStart + base64.RawURLEncoding.EncodeToString(append(k.mac(bound, text), text...))
}

// after returns the key in a token that was made for bound.
func (k pageKey) after(bound, token string) (string, bool) {
	text, ok := strings.CutPrefix(token, tokenStart)
	if !ok || len(text) > maxToken {
		return "", false
	}
	data, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(data) < macSize || !hmac.Equal(data[:macSize], k.mac(bound, data[macSize:])) {
		return "", false
	}
	var p position
	err = json.Unmarshal(data[macSize:], &p)
	return p.After, err == nil
}

func (k pageKey) mac(bound string, text []byte) []byte {
	h := hmac.New(sha256.New, k[:])
	h.Write([]byte(strconv.Itoa(len(bound)) + bound))
	h.Write(text)
	return h.Sum(nil)[:macSize]
}

// An encoded answer is one that is JSON already.
type encoded []byte

// page answers a list: the items after the position that was asked for, in the
// order of their keys, which are sorted. item returns the item of the key at i,
// encoded. An item that exists the whole time is on exactly one page, whatever is
// added or removed between two pages.
func page(c *call, keys []string, item func(i int) ([]byte, error)) (any, error) {
	size, err := c.pageSize()
	if err != nil {
		return nil, err
	}
	first := 0
	if token := c.query.Get("nextToken"); token != "" {
		after, ok := c.pages.after(c.listed(), token)
		if !ok {
			return nil, BadRequest(msgNextToken)
		}
		var found bool
		if first, found = slices.BinarySearch(keys, after); found {
			first++
		}
	}
	last := min(first+size, len(keys))
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"%s":[`, c.op.Result)
	for i := first; i < last; i++ {
		text, err := item(i)
		if err != nil {
			return nil, err
		}
		if i > first {
			b.WriteByte(',')
		}
		b.Write(text)
	}
	b.WriteByte(']')
	if last < len(keys) {
		fmt.Fprintf(&b, `,"nextToken":"%s"`, c.pages.token(c.listed(), keys[last-1]))
	}
	b.WriteByte('}')
	return encoded(b.Bytes()), nil
}

// pageSize returns how many items a page has.
func (c *call) pageSize() (int, error) {
	if !c.query.Has("maxResults") {
		return defaultPage, nil
	}
	n, err := strconv.Atoi(c.query.Get("maxResults"))
	if errors.Is(err, strconv.ErrRange) && n > 0 {
		err = nil // a number all the same
	}
	if err != nil || n < 1 {
		return 0, BadRequest(msgMaxResults)
	}
	for i := range c.op.Input.Members { // one list has a limit of its own
		if m := &c.op.Input.Members[i]; m.Name == "maxResults" && m.Shape.Max > 0 && n > m.Shape.Max {
			return 0, BadRequest(msgProblems+msgRange, m.Name, m.Shape.Min, m.Shape.Max)
		}
	}
	return min(n, maxPage), nil
}

// list identifies the list that is answered: the operation and its path. There are
// no more of them than there are things that have lists.
func (c *call) list() string { return c.identify(model.Label) }

// listed identifies the list that is paged: it, and the filters.
func (c *call) listed() string { return c.list() + c.identify(model.Query) }

func (c *call) identify(where model.Location) string {
	parts := []string{c.op.Name}
	for i := range c.op.Input.Members {
		switch m := &c.op.Input.Members[i]; {
		case m.Location != where || m.Name == "maxResults" || m.Name == "nextToken":
		case where == model.Label:
			parts = append(parts, strconv.Quote(c.labels[m.Name]))
		default:
			parts = append(parts, strconv.Quote(c.query.Get(m.Name)))
		}
	}
	return strings.Join(parts, " ")
}

// storedKeys returns the keys of documents that are sorted by key.
func storedKeys(stored []store.Document) []string {
	keys := make([]string, len(stored))
	for i := range stored {
		keys[i] = stored[i].Key
	}
	return keys
}
