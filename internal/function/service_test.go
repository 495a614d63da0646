package function

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"penstock/internal/lambda"
	"penstock/internal/store"
)

const (
	testAccount = "123456789012"
	testRegion  = "us-east-1"
	testRole    = "arn:aws:iam::123456789012:role/r"
)

// testTime is what the clock of a registry shows.
var testTime = time.Date(2026, 11, 24, 9, 10, 11, 123e6, time.UTC)

// A registry is a Service as tests see it.
type registry struct {
	*Service
	t       testing.TB
	mu      sync.Mutex // guards runners
	runners map[string]*recorder
}

// A recorder is a runner that does nothing but remember what it is.
type recorder struct {
	mu     sync.Mutex // guards what follows
	spec   lambda.Spec
	specs  int
	closed bool
}

func (r *recorder) Invoke(context.Context, lambda.Call) (lambda.Result, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return lambda.Result{}, lambda.ErrClosed
	}
	dir, _, err := r.spec.Source.Code()
	if err != nil {
		return lambda.Result{}, err
	}
	text, _ := os.ReadFile(filepath.Join(dir, "index.js"))
	return lambda.Result{Payload: fmt.Appendf(nil, "%q", text)}, nil
}

func (r *recorder) Configure(s lambda.Spec) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.spec = s
	r.specs++
}

func (r *recorder) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
}

// openRegistry opens a Service. What the options do not say is made for the test.
func openRegistry(t testing.TB, o Options) *registry {
	t.Helper()
	s := &registry{t: t, runners: map[string]*recorder{}}
	if o.Store == nil {
		o.Store = store.NewMemory()
	}
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	if o.Now == nil {
		o.Now = func() time.Time { return testTime }
	}
	o.Account, o.Region = testAccount, testRegion
	o.start = func(spec lambda.Spec) runner {
		r := &recorder{spec: spec}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.runners[spec.Name+":"+spec.Version] = r
		return r
	}
	var err error
	if s.Service, err = Open(o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// do makes a request of the API. Its body is JSON text, or a value to encode.
func (s *registry) do(method, path string, body any) *httptest.ResponseRecorder {
	s.t.Helper()
	var text []byte
	switch b := body.(type) {
	case nil:
	case string:
		text = []byte(b)
	default:
		var err error
		if text, err = json.Marshal(b); err != nil {
			s.t.Fatal(err)
		}
	}
	r := httptest.NewRequest(method, path, bytes.NewReader(text))
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// want makes a request and expects a status and a text in the answer.
func (s *registry) want(status int, text, method, path string, body any) string {
	s.t.Helper()
	w := s.do(method, path, body)
	if w.Code != status || !strings.Contains(w.Body.String(), text) {
		s.t.Errorf("%s %s: got %d %s, want %d %s", method, path, w.Code, w.Body, status, text)
	}
	return w.Body.String()
}

// fields makes a request that succeeds, and returns what was answered.
func (s *registry) fields(method, path string, body any) map[string]any {
	s.t.Helper()
	w := s.do(method, path, body)
	var fields map[string]any
	if w.Code >= 300 || json.Unmarshal(w.Body.Bytes(), &fields) != nil {
		s.t.Fatalf("%s %s: got %d %s", method, path, w.Code, w.Body)
	}
	return fields
}

const functions = "/2015-03-31/functions"

// create makes a function whose code answers a text.
func (s *registry) create(name, text string) {
	s.t.Helper()
	s.want(http.StatusCreated, name, "POST", functions, creation(name, text))
}

func creation(name, text string) map[string]any {
	return map[string]any{
		"FunctionName": name, "Role": testRole, "Runtime": "nodejs22.x", "Handler": "index.handler",
		"Code": map[string]any{"ZipFile": zipOf(text)},
	}
}

// with returns a copy of a request with one member more, or without it if it is nil.
func with(request map[string]any, member string, value any) map[string]any {
	all := map[string]any{}
	for k, v := range request {
		all[k] = v
	}
	if all[member] = value; value == nil {
		delete(all, member)
	}
	return all
}

// zipOf returns a zip of one file.
func zipOf(text string) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.Create("index.js")
	if err == nil {
		_, err = io.WriteString(f, text)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic(err) // a buffer takes everything
	}
	return b.Bytes()
}

// call invokes a function as far as a recorder does.
func (s *registry) call(name, qualifier string) string {
	s.t.Helper()
	target, err := s.resolve(name, qualifier)
	if err != nil {
		return err.Error()
	}
	result, err := target.function.Invoke(s.t.Context(), lambda.Call{})
	if err != nil {
		return err.Error()
	}
	return string(result.Payload)
}

// files returns the names of what is in the directory of code, sums cut short.
func (s *registry) files() (names []string) {
	s.t.Helper()
	entries, err := os.ReadDir(s.codes.dir)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	slices.Sort(names)
	return names
}

func TestRegistryServesWhatWasWritten(t *testing.T) {
	t.Parallel()
	s := openRegistry(t, Options{})
	s.create("pets", "one")
	if got := s.call("pets", ""); got != `"one"` {
		t.Errorf("created: got %s", got)
	}
	s.want(201, `"Version":"1"`, "POST", functions+"/pets/versions", nil)
	s.want(201, "", "POST", functions+"/pets/aliases", `{"Name":"live","FunctionVersion":"1"}`)
	s.want(200, "", "PUT", functions+"/pets/code", map[string]any{"ZipFile": zipOf("two")})
	for qualifier, want := range map[string]string{"": `"two"`, "$LATEST": `"two"`, "1": `"one"`, "live": `"one"`} {
		if got := s.call("pets", qualifier); got != want {
			t.Errorf("%q: got %s, want %s", qualifier, got, want)
		}
	}
	if got := s.call("pets", "2"); !strings.Contains(got, "Function not found: arn:aws:lambda:us-east-1:123456789012:function:pets:2") {
		t.Errorf("got %s", got)
	}
	target, err := s.resolve("pets", "live")
	if err != nil || target.version != "1" || target.arn != s.arn("pets") || target.invokedARN != s.arn("pets")+":live" {
		t.Errorf("got %+v, %v", target, err)
	}
	latestRunner := s.runners["pets:$LATEST"]
	if latestRunner.specs != 1 {
		t.Errorf("$LATEST was configured %d times, want once", latestRunner.specs)
	}
	if s.runners["pets:1"].specs != 0 {
		t.Error("a version was configured again")
	}
	s.want(204, "", "DELETE", functions+"/pets", nil)
	if !latestRunner.closed || !s.runners["pets:1"].closed {
		t.Error("a runner of a deleted function is open")
	}
	if got := s.call("pets", ""); !strings.Contains(got, "ResourceNotFoundException") {
		t.Errorf("got %s", got)
	}
}

// An edit that fails changes nothing, and one that another process has overtaken is
// made again.
func TestEdit(t *testing.T) {
	t.Parallel()
	s := openRegistry(t, Options{})
	s.create("pets", "one")
	failed := errUnzip
	if _, err := s.edit(t.Context(), Principal{}, "pets", func(d *Document) error {
		d.Tags = map[string]string{"a": "b"}
		return failed
	}); err != failed {
		t.Errorf("got %v", err)
	}
	s.want(200, `{"Tags":{}}`, "GET", "/2017-03-31/tags/"+s.arn("pets"), nil)

	rounds := 0
	d, err := s.edit(t.Context(), Principal{Name: "ada"}, "pets", func(d *Document) error {
		if rounds++; rounds == 1 {
			stored, _ := s.Store.Get(documentPrefix + "pets")
			other := bytes.Replace(stored.Data, []byte(`"name":"pets"`), []byte(`"name":"pets","tags":{"other":"1"}`), 1)
			if _, err := s.Store.Append(t.Context(), store.Batch{Changes: []store.Change{{Key: stored.Key, Data: other}}}); err != nil {
				t.Fatal(err)
			}
		}
		if d.Tags == nil {
			d.Tags = map[string]string{}
		}
		d.Tags["own"] = "2"
		return nil
	})
	if err != nil || rounds != 2 || d.Tags["other"] != "1" || d.Tags["own"] != "2" {
		t.Errorf("got %v, %v after %d rounds", d, err, rounds)
	}
	commits, err := s.Store.Read(t.Context(), s.Store.Last()-1)
	if err != nil || commits[0].Actor != "ada" {
		t.Errorf("the last commit is of %v, %v", commits, err)
	}
	if _, err := s.edit(t.Context(), Principal{}, "none", func(*Document) error { return nil }); err == nil || !strings.Contains(err.Error(), "Function not found") {
		t.Errorf("got %v", err)
	}
}

// Everything is there again after a restart on the same store and directory, and what
// belongs to nothing is gone.
func TestReopen(t *testing.T) {
	t.Parallel()
	documents, dir := store.NewMemory(), t.TempDir()
	s := openRegistry(t, Options{Store: documents, Dir: dir})
	s.create("pets", "one")
	s.want(201, "", "POST", functions+"/pets/versions", nil)
	s.want(201, "", "POST", functions+"/pets/aliases", `{"Name":"live","FunctionVersion":"1"}`)
	s.want(200, "", "PUT", functions+"/pets/code", map[string]any{"ZipFile": zipOf("two")})
	before := s.want(200, "", "GET", functions+"/pets/configuration", nil)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	zips := len(s.files())
	for _, name := range []string{strings.Repeat("a", 64) + ".zip", strings.Repeat("b", 64) + "/index.js", "upload-1.new", "declared-1.new/1/x", "." + strings.Repeat("c", 64) + ".part-1/x", "notes.txt"} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s = openRegistry(t, Options{Store: documents, Dir: dir})
	if after := s.want(200, "", "GET", functions+"/pets/configuration", nil); after != before {
		t.Errorf("got %s, want %s", after, before)
	}
	if s.call("pets", "") != `"two"` || s.call("pets", "live") != `"one"` {
		t.Errorf("got %s and %s", s.call("pets", ""), s.call("pets", "live"))
	}
	// Two zips are unpacked now, and what nobody here has written stays.
	if got := s.files(); len(got) != zips+3 || !slices.Contains(got, "notes.txt") {
		t.Errorf("got %q", got)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, key, data, want string }{
		{"no JSON", "function.a", `{`, "document function.a"},
		{"of another", "function.a", `{"name":"b"}`, `it is of function "b"`},
		{"a piece alone", codePrefix + strings.Repeat("a", 64) + ".001", `x`, "is not a piece"},
		{"a piece that is not what it says", codePrefix + strings.Repeat("a", 64) + ".000", `x`, "is not what its name says"},
	} {
		s := store.NewMemory()
		if _, err := s.Append(t.Context(), store.Batch{Changes: []store.Change{{Key: tt.key, Data: []byte(tt.data)}}}); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(Options{Store: s, Dir: t.TempDir()}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
		}
	}
	_, err := Open(Options{Store: store.NewMemory(), Dir: t.TempDir(), Declared: map[string]Declared{"pets": {Code: "/does/not/exist"}}})
	if err == nil || !strings.Contains(err.Error(), "functions.pets.code: ") {
		t.Errorf("got %v", err)
	}
}

// A function whose zip is lost does not keep the others from being served, and the log
// names it.
func TestLostCode(t *testing.T) {
	t.Parallel()
	documents, dir := store.NewMemory(), t.TempDir()
	s := openRegistry(t, Options{Store: documents, Dir: dir})
	s.create("pets", "one")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range s.files() {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	var log bytes.Buffer
	s = openRegistry(t, Options{Store: documents, Dir: dir, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if !strings.Contains(log.String(), "the code of a function is missing") || !strings.Contains(log.String(), "function=pets") {
		t.Errorf("the log says %s", log.String())
	}
	if got := s.call("pets", ""); !strings.Contains(got, "the code of the function is missing") {
		t.Errorf("got %s", got)
	}
	s.want(200, "", "PUT", functions+"/pets/code", map[string]any{"ZipFile": zipOf("one")})
	if got := s.call("pets", ""); got != `"one"` {
		t.Errorf("after an update: got %s", got)
	}
}

func TestTemporaryDirectory(t *testing.T) {
	t.Parallel()
	s, err := Open(Options{Store: store.NewMemory(), start: func(lambda.Spec) runner { return &recorder{} }})
	if err != nil {
		t.Fatal(err)
	}
	dir := s.codes.dir
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o711 {
		t.Errorf("got %v, %v", info, err)
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("got %v", err)
	}
}

// Many callers change and call functions at the same time; nobody sees half a change.
func TestConcurrentEdits(t *testing.T) {
	t.Parallel()
	s := openRegistry(t, Options{})
	s.create("shared", "one")
	const each = 20
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			own := fmt.Sprintf("own-%d", i)
			for j := range each {
				s.want(204, "", "POST", "/2017-03-31/tags/"+s.arn("shared"), fmt.Sprintf(`{"Tags":{"t%d":"%d"}}`, i, j))
				s.create(own, "same code for all")
				if got := s.call(own, ""); got != `"same code for all"` {
					t.Errorf("got %s", got)
				}
				s.want(204, "", "DELETE", functions+"/"+own, nil)
				s.fields("GET", functions, nil)
			}
		})
	}
	wg.Wait()
	tags := s.fields("GET", "/2017-03-31/tags/"+s.arn("shared"), nil)["Tags"].(map[string]any)
	if len(tags) != 8 || tags["t3"] != fmt.Sprint(each-1) {
		t.Errorf("got %v", tags)
	}
	zips := slices.DeleteFunc(s.files(), func(name string) bool { return !strings.HasSuffix(name, ".zip") })
	if len(zips) != 1 {
		t.Errorf("zips that are left: %q", zips)
	}
}

// An alias of two versions leads to both, as often as it says.
func TestResolveWeights(t *testing.T) {
	t.Parallel()
	s := openRegistry(t, Options{})
	s.create("pets", "one")
	s.want(201, "", "POST", functions+"/pets/versions", nil)
	s.want(200, `"Version":"2"`, "PUT", functions+"/pets/code", map[string]any{"ZipFile": zipOf("two"), "Publish": true})
	s.want(201, `{"AdditionalVersionWeights":{"2":0.25}}`, "POST", functions+"/pets/aliases", `{"Name":"live","FunctionVersion":"1","RoutingConfig":{"AdditionalVersionWeights":{"2":0.25}}}`)
	second := 0
	const all = 4000
	for range all {
		target, err := s.resolve("pets", "live")
		if err != nil || target.invokedARN != s.arn("pets")+":live" {
			t.Fatalf("got %+v, %v", target, err)
		}
		if target.version == "2" {
			second++
		}
	}
	if second < all/5 || second > all*3/10 { // six standard deviations and more
		t.Errorf("%d of %d calls went to the second version, want a quarter", second, all)
	}
}

func BenchmarkResolve(b *testing.B) {
	s := openRegistry(b, Options{})
	for i := range 100 {
		s.create(fmt.Sprintf("f%d", i), "one")
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.resolve("f42", ""); err != nil {
			b.Fatal(err)
		}
	}
}

// encoded returns a zip as requests have it.
func encoded(zip []byte) string { return base64.StdEncoding.EncodeToString(zip) }

func newRequest(method, path string, body io.Reader) *http.Request {
	return httptest.NewRequest(method, path, body)
}

// respondTo answers a request that a test has made itself.
func (s *registry) respondTo(r *http.Request) (int, string) {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}
