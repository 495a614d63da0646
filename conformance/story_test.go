//go:build conformance

package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"penstock/internal/model"
)

// A story is one client at one server.
type story struct {
	*testing.T
	program string
	server  *server
	subject subject
	client  client
	other   client // somebody else at the same server
	known   map[string]ability
	unknown map[string][]string // members of operations that the client is too old to know
	called  *calls
}

// Calls are the operations that a subject called with success, by all its chapters.
type calls struct {
	mu  sync.Mutex // guards ops
	ops map[string]bool
}

func (c *calls) add(op string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ops[op] = true
}

// stepTime bounds one step; the AWS CLI needs most of a second to start.
const stepTime = 30 * time.Second

// ok runs an operation that must succeed with the wanted output and returns it.
// Values of want may be matches; a nil want accepts any output.
func (s *story) ok(op string, in, want object) object {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), stepTime)
	defer cancel()
	in = s.without(op, in)
	got, err := s.client.call(ctx, op, in)
	if err != nil {
		s.Fatalf("%s %s\ngot error %v", op, text(in), err)
	}
	if status := model.FindOperation(op).Status; got.status != 0 && got.status != status {
		s.Fatalf("%s %s\nwant status %d, got %d", op, text(in), status, got.status)
	}
	if want != nil {
		s.want(fmt.Sprintf("%s %s", op, text(in)), s.without(op, want), got.out)
	}
	s.called.add(op)
	return got.out
}

// knows reports whether the client knows all of some operations.
func (s *story) knows(ops ...string) bool {
	return !slices.ContainsFunc(ops, func(op string) bool { _, ok := s.known[op]; return !ok })
}

// without returns what the client sends or shows of an input or output: a copy that
// lacks the members it does not know at every depth.
func (s *story) without(op string, o object) object {
	return without(o, s.unknown[op]).(object)
}

// fails runs an operation that must fail with an error of the service. The
// message is a string or a match.
func (s *story) fails(op string, in object, class string, message any) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), stepTime)
	defer cancel()
	got, err := s.client.call(ctx, op, s.without(op, in))
	var e *apiError
	if err == nil {
		s.Fatalf("%s %s\nwant %s: %v\ngot %s", op, text(in), class, message, text(got.out))
	}
	if !errors.As(err, &e) {
		s.Fatalf("%s %s\nwant %s: %v\ngot %v", op, text(in), class, message, err)
	}
	if e.Code != class || same(message, e.Message, "message") != nil {
		s.Fatalf("%s %s\nwant %s: %v\ngot  %s: %s", op, text(in), class, message, e.Code, e.Message)
	}
	untyped := s.subject.perOperation || !slices.Contains(typed, class)
	if e.Class != class && !(untyped && e.Class == s.subject.generic) {
		s.Fatalf("%s %s\nwant error class %s, got %s", op, text(in), class, e.Class)
	}
}

// all returns every item of a list, two to a page: as the client pages by
// itself if it does, and by hand through nextToken. Nobody may change the list
// meanwhile.
func (s *story) all(op string, in object) list {
	s.Helper()
	byHand := s.byHand(op, in, nil)
	if s.known[op].Pages {
		ctx, cancel := context.WithTimeout(s.Context(), stepTime)
		defer cancel()
		got, err := s.client.all(ctx, op, in, pageSize)
		if err != nil {
			s.Fatalf("%s %s by the client's pages: %v", op, text(in), err)
		}
		s.want(op+" by the client's pages", byHand, got[items(op)])
	}
	return byHand
}

// pageSize is how many items the story lets a page have.
const pageSize = 2

// byHand pages through a list by MaxResults and NextToken. It calls between,
// unless that is nil, after each page that is not the last.
func (s *story) byHand(op string, in object, between func(page list)) list {
	s.Helper()
	var all list
	for ask := with(in, object{"MaxResults": maxResults(op, pageSize)}); ; {
		out := s.ok(op, ask, nil)
		page, ok := out[items(op)].(list)
		if !ok || len(page) > pageSize {
			s.Fatalf("%s %s\nwant at most %d items, got %s", op, text(ask), pageSize, text(out))
		}
		all = append(all, page...)
		token, more := out["NextToken"].(string)
		if !more {
			return all
		}
		if len(all) > 1000 {
			s.Fatalf("%s %s\npages do not end", op, text(in))
		}
		if between != nil {
			between(page)
		}
		ask["NextToken"] = token
	}
}

// fetch sends a request through the gateway.
func (s *story) fetch(r request) response {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), stepTime)
	defer cancel()
	resp, err := s.client.fetch(ctx, r)
	if err != nil {
		s.Fatalf("%s %s: %v", r.Method, r.URL, err)
	}
	return resp
}

// want fails the story unless got is what was wanted.
func (s *story) want(what string, want, got any) {
	s.Helper()
	if err := same(want, got, ""); err != nil {
		s.Fatalf("%s\n%v\nwant %s\ngot  %s", what, err, text(want), text(got))
	}
}

// as returns the client's story at another server or with other credentials. The
// other client is there, too.
func (s *story) as(server *server, who *credentials) *story {
	told := *s
	told.server = server
	if c, ok := s.client.(mover); ok {
		told.client = c.at(server.admin, who)
	} else {
		told.client = s.subject.open(s.T, server.admin, who)
	}
	if server != s.server {
		told.other = openGo(s.T, server.admin, who)
	}
	return &told
}

// A match stands for a value that differs from run to run.
type match struct{ *regexp.Regexp }

func re(pattern string) match { return match{regexp.MustCompile(pattern)} }

func (m match) MarshalText() ([]byte, error) { return []byte("/" + m.String() + "/"), nil }

// Values that the service makes up, by control-plane rules: identifiers have a
// length by kind, times are UTC and at most as fine as milliseconds.
var (
	id6     = re(`^[a-z0-9]{6}$`)
	id7     = re(`^[a-z0-9]{7}$`)
	id10    = re(`^[a-z0-9]{10}$`)
	when    = re(`^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|\+00:00)$`)
	anyText = re(`.`)
)

// same compares a wanted value, which may hold matches, with what came, and says
// where they differ first.
func same(want, got any, at string) error {
	switch want := want.(type) {
	case match:
		if value, ok := got.(string); !ok || !want.MatchString(value) {
			return fmt.Errorf("%s: want %v, got %s", at, want, text(got))
		}
		return nil
	case object:
		got, ok := got.(object)
		if !ok {
			return fmt.Errorf("%s: want an object, got %s", at, text(got))
		}
		for _, name := range slices.Sorted(maps.Keys(want)) {
			if _, ok := got[name]; !ok {
				return fmt.Errorf("%s.%s: missing, want %s", at, name, text(want[name]))
			}
			if err := same(want[name], got[name], at+"."+name); err != nil {
				return err
			}
		}
		for _, name := range slices.Sorted(maps.Keys(got)) {
			if _, ok := want[name]; !ok {
				return fmt.Errorf("%s.%s: not wanted, got %s", at, name, text(got[name]))
			}
		}
		return nil
	case list:
		got, ok := got.(list)
		if !ok || len(got) != len(want) {
			return fmt.Errorf("%s: want %d items, got %s", at, len(want), text(got))
		}
		for i := range want {
			if err := same(want[i], got[i], fmt.Sprintf("%s[%d]", at, i)); err != nil {
				return err
			}
		}
		return nil
	}
	if text(want) != text(got) {
		return fmt.Errorf("%s: want %s, got %s", at, text(want), text(got))
	}
	return nil
}

// text renders a value as JSON on one line, which is how numbers compare: what
// was wanted are integers, what came are floats.
func text(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	return strings.TrimSpace(b.String())
}

// with returns a copy of an object with some members set; nil takes one away.
func with(o object, changes object) object {
	copied := maps.Clone(o)
	for name, value := range changes {
		if value == nil {
			delete(copied, name)
			continue
		}
		copied[name] = value
	}
	return copied
}

// byName returns the items of a list keyed by a member, which they all have.
func (s *story) byName(items list, member string) object {
	s.Helper()
	out := object{}
	for _, item := range items {
		o, _ := item.(object)
		name, ok := o[member].(string)
		if _, twice := out[name]; !ok || twice {
			s.Fatalf("list: item without a %s of its own: %s", member, text(item))
		}
		out[name] = o
	}
	return out
}
