package penstock_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"penstock"
	"penstock/internal/issuertest"
	"penstock/internal/model"
	"penstock/internal/store"
	"penstock/internal/store/ledger"
)

// TestScript tells the stories in testdata/script. Each has a server of its own
// and these commands besides those of testscript:
//
//	backend [FILE] -> NAME             serve FILE, or nothing, to any request; NAME is the URL, NAME_host its host
//	backend-saw URL METHOD TARGET [Field:value …]
//	                                   compare the oldest request of that backend not yet compared
//	[!] api OPERATION MEMBER=VALUE … [-> NAME[=MEMBER]]
//	                                   call the control plane; NAME is the ID of what was made, or MEMBER of the answer
//	call METHOD TARGET [Field:value …] [@BODY]
//	                                   call an API: TARGET is $api/path; Host:name calls it by another name
//	explain                            show what the server remembers of the last call
//	issuer CLAIMS -> NAME              start an issuer of tokens; NAME is its URL, NAME_token a token with these claims
//	status N                           compare the status of the last answer
//	header FIELD VALUE                 compare a field of the last answer
//	body TEXT                          compare the body of the last answer
//	restart                            stop the server and start it again
//	backup FILE, restore FILE          save everything, start from what was saved
//
// The values of members are texts, or JSON where the member is no text; @FILE reads
// one from a file. The answers of api, call and explain are on standard output, those of
// api and explain in the order of names. The function named door lets in who says "open"
// in the field Authorization, as somebody named ada.
func TestScript(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                filepath.Join("testdata", "script"),
		RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error {
			s := &story{t: t, data: filepath.Join(e.WorkDir, ".data"), backends: map[string]*recorder{}}
			e.Values[storyKey{}] = s
			e.Defer(func() { s.server.Close() })
			return s.open()
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"api":         command((*story).api),
			"backend":     command((*story).backend),
			"backend-saw": command((*story).backendSaw),
			"backup":      command((*story).backup),
			"body":        command((*story).body),
			"call":        command((*story).call),
			"explain":     command((*story).explain),
			"header":      command((*story).header),
			"issuer":      command((*story).issuer),
			"restart":     command((*story).restart),
			"restore":     command((*story).restore),
			"status":      command((*story).status),
		},
	})
}

// A story is one script under way.
type story struct {
	t        testing.TB // of all stories
	data     string
	server   *penstock.Server
	backends map[string]*recorder // by URL
	last     *http.Response
	lastBody string
}

type storyKey struct{}

// command turns a method into a command of scripts.
func command(f func(*story, *testscript.TestScript, bool, []string)) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		f(ts.Value(storyKey{}).(*story), ts, neg, args)
	}
}

// usage ends a script that uses a command wrongly.
func usage(ts *testscript.TestScript, ok bool, text string) {
	if !ok {
		ts.Fatalf("usage: %s", text)
	}
}

func (s *story) open() (err error) {
	s.server, err = penstock.Open(penstock.Config{
		Data: s.data, Listen: "127.0.0.1:0", Admin: "127.0.0.1:0", Log: penstock.Log{Level: "error"},
		Functions: map[string]penstock.Function{"door": {Invoke: door}},
	})
	return err
}

// door is the function of Lambda authorizers in stories.
func door(_ context.Context, event []byte) ([]byte, error) {
	var asked struct {
		IdentitySource []string `json:"identitySource"`
	}
	if err := json.Unmarshal(event, &asked); err != nil {
		return nil, err
	}
	open := slices.Contains(asked.IdentitySource, "open")
	return fmt.Appendf(nil, `{"isAuthorized":%t,"context":{"name":"ada"}}`, open), nil
}

func (s *story) restart(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 0, "restart")
	ts.Check(s.server.Close())
	ts.Check(s.open())
}

func (s *story) backup(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 1, "backup FILE")
	f, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Check(errors.Join(s.server.Backup(f), f.Close()))
}

func (s *story) restore(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 1, "restore FILE")
	b, err := store.ReadBackup(strings.NewReader(ts.ReadFile(args[0])))
	ts.Check(err)
	ts.Check(s.server.Close())
	ts.Check(ledger.Restore(filepath.Join(s.data, penstock.DataFile), b, true))
	ts.Check(s.open())
}

// A recorder is a backend that remembers what it was asked.
type recorder struct {
	body []byte

	mu   sync.Mutex // guards seen
	seen []*http.Request
}

func (b *recorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	b.seen = append(b.seen, r)
	b.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.Write(b.body)
}

func (s *story) backend(ts *testscript.TestScript, neg bool, args []string) {
	args, name, _ := result(args)
	usage(ts, !neg && name != "" && len(args) <= 1, "backend [FILE] -> NAME")
	b := new(recorder)
	if len(args) == 1 {
		b.body = []byte(ts.ReadFile(args[0]))
	}
	server := httptest.NewServer(b)
	ts.Defer(server.Close)
	s.backends[server.URL] = b
	ts.Setenv(name, server.URL)
	ts.Setenv(name+"_host", strings.TrimPrefix(server.URL, "http://"))
}

func (s *story) backendSaw(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) >= 3 && !neg || len(args) == 1 && neg, "backend-saw URL METHOD TARGET [Field:value …], or ! backend-saw URL")
	b := s.backends[args[0]]
	usage(ts, b != nil, "backend-saw URL: no backend has that URL")
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.seen) == 0 != neg {
		ts.Fatalf("the backend saw %d requests", len(b.seen))
	}
	if neg {
		return
	}
	r := b.seen[0]
	b.seen = b.seen[1:]
	if got, want := r.Method+" "+r.RequestURI, args[1]+" "+args[2]; got != want {
		ts.Fatalf("the backend saw %s, want %s", got, want)
	}
	for _, field := range args[3:] {
		name, want, _ := strings.Cut(field, ":")
		if got := strings.Join(r.Header.Values(name), ", "); got != strings.TrimSpace(want) {
			ts.Fatalf("the backend saw %s: %q, want %q", name, got, strings.TrimSpace(want))
		}
	}
}

// result cuts "-> NAME" or "-> NAME=MEMBER" off the end of arguments.
func result(args []string) (rest []string, name, member string) {
	if n := len(args) - 2; n >= 0 && args[n] == "->" {
		name, member, _ = strings.Cut(args[n+1], "=")
		return args[:n], name, member
	}
	return args, "", ""
}

func (s *story) api(ts *testscript.TestScript, neg bool, args []string) {
	args, name, member := result(args)
	usage(ts, len(args) > 0, "api OPERATION MEMBER=VALUE … [-> NAME[=MEMBER]]")
	op := operation(args[0])
	usage(ts, op != nil, "api OPERATION: there is no operation "+args[0])
	r, err := s.request(ts, op, args[1:])
	ts.Check(err)
	s.do(ts, r)

	var answer map[string]any
	if s.lastBody != "" {
		answer = show(ts, s.lastBody)
	}
	switch status := s.last.StatusCode; {
	case neg && (status < 400 || status > 499):
		ts.Fatalf("%s answers %d, want it refused", op.Name, status)
	case !neg && status != op.Status:
		ts.Fatalf("%s answers %d: %s", op.Name, status, s.lastBody)
	}
	if name == "" {
		return
	}
	if member == "" {
		member = strings.ToLower(op.Name[len("Create"):][:1]) + op.Name[len("Create"):][1:] + "Id"
		if op.Name == "CreateStage" {
			member = "stageName"
		}
	}
	value, ok := answer[member].(string)
	if !ok {
		ts.Fatalf("%s answers without %s", op.Name, member)
	}
	ts.Setenv(name, value)
}

// show prints a JSON object in the order of names, and returns it.
func show(ts *testscript.TestScript, text string) (object map[string]any) {
	ts.Check(json.Unmarshal([]byte(text), &object))
	indented, err := json.MarshalIndent(object, "", "  ")
	ts.Check(err)
	fmt.Fprintf(ts.Stdout(), "%s\n", indented)
	return object
}

// operation returns the operation of a name such as create-api.
func operation(name string) *model.Operation {
	i := slices.IndexFunc(model.Operations, func(op *model.Operation) bool {
		return strings.EqualFold(op.Name, strings.ReplaceAll(name, "-", ""))
	})
	if i < 0 {
		return nil
	}
	return model.Operations[i]
}

// request puts members where the model says they belong.
func (s *story) request(ts *testscript.TestScript, op *model.Operation, members []string) (*http.Request, error) {
	path, query, body := op.Path, url.Values{}, map[string]any{}
	for _, pair := range members {
		name, text, _ := strings.Cut(pair, "=")
		i := slices.IndexFunc(op.Input.Members, func(m model.Member) bool { return m.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("%s has no member %q", op.Name, name)
		}
		if file, ok := strings.CutPrefix(text, "@"); ok {
			text = ts.ReadFile(file)
		}
		switch m := op.Input.Members[i]; {
		case m.Location == model.Label:
			path = strings.ReplaceAll(path, "{"+name+"}", url.PathEscape(text))
		case m.Location == model.Query && m.Shape.Kind == model.List:
			query[name] = strings.Split(text, ",")
		case m.Location == model.Query:
			query.Set(name, text)
		case m.Shape.Kind == model.String:
			body[name] = text
		default:
			if !json.Valid([]byte(text)) {
				return nil, fmt.Errorf("%s: %s is not JSON: %s", op.Name, name, text)
			}
			body[name] = json.RawMessage(text)
		}
	}
	var payload []byte
	if len(body) > 0 {
		var err error
		if payload, err = json.Marshal(body); err != nil {
			return nil, err
		}
	}
	return http.NewRequest(op.Method, s.server.AdminURL()+path+"?"+query.Encode(), bytes.NewReader(payload))
}

func (s *story) call(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) >= 2, "call METHOD TARGET [Field:value …] [@BODY]")
	id, path, _ := strings.Cut(args[1], "/")
	var body io.Reader
	if last := args[len(args)-1]; strings.HasPrefix(last, "@") {
		body = strings.NewReader(ts.ReadFile(last[1:]))
		args = args[:len(args)-1]
	}
	_, port, _ := strings.Cut(s.server.Addr().String(), ":")
	r, err := http.NewRequest(args[0], "http://"+id+".execute-api.us-east-1.localhost:"+port+"/"+path, body)
	ts.Check(err)
	for _, field := range args[2:] {
		name, value, _ := strings.Cut(field, ":")
		if value = strings.TrimSpace(value); name == "Host" {
			r.Host = value
		}
		r.Header.Add(name, value)
	}
	s.do(ts, r)
	fmt.Fprint(ts.Stdout(), s.lastBody)
}

func (s *story) explain(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 0 && s.last != nil, "explain, after call")
	from := s.server.AdminURL() + "/_penstock/requests/" + url.PathEscape(s.last.Header.Get("Apigw-Requestid"))
	for deadline := time.Now().Add(20 * time.Second); ; { // the answer of the call may be sent before it is remembered
		resp, err := s.server.Client().Get(from)
		ts.Check(err)
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		ts.Check(err)
		if resp.StatusCode == http.StatusOK {
			show(ts, string(text))
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s: %s", resp.Status, text)
		}
	}
}

func (s *story) issuer(ts *testscript.TestScript, neg bool, args []string) {
	args, name, _ := result(args)
	var claims map[string]any
	usage(ts, !neg && name != "" && len(args) == 1 && json.Unmarshal([]byte(args[0]), &claims) == nil, "issuer CLAIMS -> NAME")
	issuer := issuertest.New(s.t)
	ts.Setenv(name, issuer.URL)
	ts.Setenv(name+"_token", issuer.Token(claims))
}

// do sends a request and remembers the answer.
func (s *story) do(ts *testscript.TestScript, r *http.Request) {
	client := *s.server.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := client.Do(r)
	ts.Check(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	ts.Check(err)
	s.last, s.lastBody = resp, string(body)
}

func (s *story) status(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 1 && s.last != nil, "status N, after api or call")
	if got := fmt.Sprint(s.last.StatusCode); got != args[0] {
		ts.Fatalf("status %s, want %s: %s", got, args[0], s.lastBody)
	}
}

func (s *story) header(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 2 && s.last != nil, "header FIELD VALUE, after api or call")
	if got := strings.Join(s.last.Header.Values(args[0]), ", "); got != args[1] {
		ts.Fatalf("%s: %q, want %q", args[0], got, args[1])
	}
}

func (s *story) body(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, !neg && len(args) == 1 && s.last != nil, "body TEXT, after api or call")
	if got := strings.TrimSpace(s.lastBody); got != args[0] {
		ts.Fatalf("body %s, want %s", got, args[0])
	}
}
