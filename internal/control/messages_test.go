package control

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"io"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// Every text in messages.go is in an answer that a tester has got. Whether one is
// missing is known when all tests have run, and not before.
func TestMain(m *testing.M) {
	flag.Parse()
	if wholePackage() {
		messages, err := readMessages("messages.go")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		answers.expect(messages)
	}
	code := m.Run()
	for _, missing := range answers.left() {
		fmt.Printf("--- FAIL: no answer has the message %s: %q\n", missing.name, missing.text)
		code = max(code, 1)
	}
	os.Exit(code)
}

// wholePackage reports whether all tests run and nothing else.
func wholePackage() bool {
	for _, name := range []string{"run", "skip", "list", "bench", "fuzz"} {
		if flag.Lookup("test."+name).Value.String() != "" {
			return false
		}
	}
	return !testing.Short() && flag.Lookup("test.fuzzworker").Value.String() == "false"
}

// answers are the bodies that testers have got in this process.
var answers recorder

// A recorder crosses off the messages that it sees. What was seen is not kept.
type recorder struct {
	mu   sync.Mutex // guards the field below
	open []*message // not seen yet
}

func (r *recorder) expect(all []*message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open = all
}

func (r *recorder) left() []*message {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.open
}

// see takes the body of an answer.
func (r *recorder) see(body string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open = slices.DeleteFunc(r.open, func(m *message) bool { return m.in(body) })
}

// A message is a constant of messages.go.
type message struct {
	name, text string
	pieces     []string   // what stands between the verbs, as it is written in JSON
	special    []*message // messages that have the form of this one and say something else
}

var verb = regexp.MustCompile(`%(?:\[[0-9]+\])?[a-z]`)

func newMessage(name, format string) *message {
	m := &message{name: name, text: format}
	for _, piece := range verb.Split(format, -1) {
		quoted := text(strings.ReplaceAll(piece, "%%", "%"))
		m.pieces = append(m.pieces, quoted[1:len(quoted)-1])
	}
	return m
}

// fits reports whether a text has the pieces of the message in their order.
func (m *message) fits(text string) bool {
	for _, piece := range m.pieces {
		_, rest, found := strings.Cut(text, piece)
		if !found {
			return false
		}
		text = rest
	}
	return true
}

// in reports whether a body has the message. That another message has its form does
// not count, unless the message is in what that one leaves open.
func (m *message) in(body string) bool {
	if !m.fits(body) {
		return false
	}
	for _, other := range m.special {
		if !other.fits(body) {
			continue
		}
		for _, piece := range other.pieces {
			if piece != "" {
				body = strings.Replace(body, piece, "\x00", 1)
			}
		}
	}
	return slices.ContainsFunc(strings.Split(body, "\x00"), m.fits)
}

// readMessages returns the constants of a file whose names begin with msg.
func readMessages(file string) ([]*message, error) {
	source, err := parser.ParseFile(gotoken.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var all []*message
	for _, declaration := range source.Decls {
		group, ok := declaration.(*ast.GenDecl)
		if !ok || group.Tok != gotoken.CONST {
			continue
		}
		for _, spec := range group.Specs {
			for i, name := range spec.(*ast.ValueSpec).Names {
				if !strings.HasPrefix(name.Name, "msg") {
					continue
				}
				literal, ok := spec.(*ast.ValueSpec).Values[i].(*ast.BasicLit)
				if !ok {
					return nil, fmt.Errorf("%s: %s is not one string", file, name.Name)
				}
				format, err := strconv.Unquote(literal.Value)
				if err != nil {
					return nil, fmt.Errorf("%s: %s: %w", file, name.Name, err)
				}
				all = append(all, newMessage(name.Name, format))
			}
		}
	}
	for _, m := range all {
		for _, other := range all {
			if !slices.Equal(m.pieces, other.pieces) && m.fits(strings.Join(other.pieces, "")) {
				m.special = append(m.special, other)
			}
		}
	}
	return all, nil
}

func TestReadMessages(t *testing.T) {
	all, err := readMessages("messages.go")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]*message{}
	for _, m := range all {
		named[m.name] = m
	}
	if len(all) < 200 || len(named) != len(all) {
		t.Fatalf("%d messages, %d different", len(all), len(named))
	}
	for _, tt := range []struct {
		name, body string
		want       bool
	}{
		{"msgAPIName", `{"message":"Invalid API name specified"}`, true},
		{"msgAPIName", `{"message":"Invalid API identifier specified 1:a"}`, false},
		{"msgNotFound", `{"message":"Invalid Route identifier specified a"}`, true},
		{"msgNotFound", `{"message":"Invalid API identifier specified 1:a"}`, false},
		{"msgNotHTTP", `{"message":"RequestModels is not currently supported for HTTP APIs."}`, true},
		{"msgNotHTTP", `{"message":"ApiKeyRequired is not currently supported for HTTP APIs."}`, false},
		{"msgHTTPExpression", `{"message":"Route selection expression is currently limited to \"${request.method} ${request.path}\""}`, true},
		{"msgQuota", `{"message":"Maximum number of Routes for this API has been reached.  Please contact AWS if you need additional Routes."}`, true},
		{"msgQuota", `{"message":"Maximum number of Apis for this account has been reached.  Please contact AWS if you need additional Apis."}`, true},
		{"msgRuleGlob", `{"message":"Invalid valueGlob \"(\" in a routing rule: must have less than 128 characters of a-zA-Z0-9?-!#$%&'.^_` + "`" + `|~, and * only at its ends"}`, true},
		{"msgMapping", `{"message":"Invalid mapping expression specified: Validation Result: warnings : [], errors : [x]"}`, true},
		{"msgWebSocketMapping", `{"message":"Invalid mapping expression specified: Validation Result: warnings : [], errors : [x]"}`, false},
		{"msgWebSocketMapping", `{"message":"Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression specified: x]"}`, true},
		{"msgVpcLinkPending", `{"name":"n","vpcLinkStatusMessage":"VPC link is provisioning ENIs"}`, true},
	} {
		if got := named[tt.name].in(tt.body); got != tt.want {
			t.Errorf("%s in %s: got %v", tt.name, tt.body, got)
		}
	}
	var r recorder
	r.expect([]*message{newMessage("a", "%s is a"), newMessage("b", "b of %d")})
	r.see(`{"message":"this is a"}`)
	r.see(`{"message":"this is b"}`)
	if left := r.left(); len(left) != 1 || left[0].name != "b" {
		t.Errorf("%d messages are left", len(left))
	}
}

// What is answered to a body that does not arrive.
func TestBodyMessages(t *testing.T) {
	s := newTester(t)
	for _, tt := range []struct {
		name   string
		err    error
		status int
		want   string
	}{
		{"timeout", context.DeadlineExceeded, 408, "The request body did not arrive in time"},
		{"deadline of the connection", os.ErrDeadlineExceeded, 408, "The request body did not arrive in time"},
		{"cut off", io.ErrUnexpectedEOF, 400, "The request body could not be read"},
		{"reset", errors.New("connection reset by peer"), 400, "The request body could not be read"},
	} {
		r := httptest.NewRequest("POST", "http://localhost/v2/apis", io.MultiReader(strings.NewReader("{"), failing{tt.err}))
		w := httptest.NewRecorder()
		s.server.ServeHTTP(w, r)
		answers.see(w.Body.String())
		if want := `{"message":"` + tt.want + `"}`; w.Code != tt.status || w.Body.String() != want {
			t.Errorf("%s: got %d %s, want %d %s", tt.name, w.Code, w.Body, tt.status, want)
		}
	}
	if got := s.store.Last(); got != 0 {
		t.Errorf("revision %d after bodies that did not arrive", got)
	}
}

// More entries than any list or map may have are refused before they are kept.
func TestEntryMessages(t *testing.T) {
	s := newTester(t)
	api := s.api("HTTP")
	list := "[" + strings.Repeat(`"a",`, 10_000) + `"a"]`
	tags := make([]string, 10_001)
	for i := range tags {
		tags[i] = fmt.Sprintf(`"k%d":"v"`, i)
	}
	s.refuseAll([]refused{
		{"list", 400, "Invalid request input: corsConfiguration.allowMethods must not have more than 10000 entries", "PATCH", api, `{"corsConfiguration":{"allowMethods":` + list + `}}`},
		{"map", 400, "Invalid request input: tags must not have more than 10000 entries", "POST", "/v2/apis", `{"name":"n","protocolType":"HTTP","tags":{` + strings.Join(tags, ",") + `}}`},
	})
	if r := s.do("GET", "/v2/nothing", ""); r.status != 404 || r.body != `{"message":"Unable to determine service/operation name to be authorized"}` {
		t.Errorf("got %d %s", r.status, r.body)
	}
}
