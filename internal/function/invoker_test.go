package function

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"penstock/internal/integration"
	"penstock/internal/lambda"
	"penstock/internal/store"
)

const (
	here     = "arn:aws:lambda:us-east-1:123456789012:function:"
	petRoute = api + "/prod/GET/pets/{id}"
)

// A script is a runner that does what a test says. It remembers its calls.
type script struct {
	lambda.Spec
	do func(ctx context.Context, call lambda.Call) (lambda.Result, error)

	mu    sync.Mutex
	calls []lambda.Call
}

func (s *script) Configure(lambda.Spec) {}
func (s *script) Close()                {}

func (s *script) Invoke(ctx context.Context, call lambda.Call) (lambda.Result, error) {
	s.mu.Lock()
	s.calls = append(s.calls, call)
	s.mu.Unlock()
	if s.do == nil {
		return lambda.Result{Payload: []byte(`"` + s.Name + " " + s.Version + `"`)}, nil
	}
	return s.do(ctx, call)
}

func (s *script) last() lambda.Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[len(s.calls)-1]
}

// A stage is a Service with the functions of a test.
type stage struct {
	*Service
	scripts map[string]*script // by name and version, such as pets:$LATEST
}

// openStage opens a Service whose functions are scripts. It has a function pets that was
// made by the API, with a version 1 and an alias live to it, and those that the options
// declare.
func openStage(t testing.TB, o Options) *stage {
	t.Helper()
	s := &stage{scripts: map[string]*script{}}
	o.Account, o.Region, o.Dir = "123456789012", "us-east-1", t.TempDir()
	o.start = func(spec lambda.Spec) runner {
		made := &script{Spec: spec}
		s.scripts[spec.Name+":"+spec.Version] = made
		return made
	}
	if o.Store == nil {
		o.Store = store.NewMemory()
		version := func() *Version {
			return &Version{Configuration: Configuration{Runtime: "nodejs22.x", Handler: "a.b", Timeout: 3, MemorySize: 128}}
		}
		text, err := encode(Document{
			Name:     "pets",
			Latest:   version(),
			Versions: map[string]*Version{"1": version()},
			Aliases:  map[string]*Alias{"live": {Name: "live", FunctionVersion: "1"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := o.Store.Append(t.Context(), store.Batch{Actor: "test", Changes: []store.Change{{Key: documentPrefix + "pets", Data: text}}}); err != nil {
			t.Fatal(err)
		}
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

// permitPets permits a function to be called from everywhere in the API of these tests.
func (s *stage) permitPets(t testing.TB, name, qualifier string) {
	t.Helper()
	_, err := s.edit(t.Context(), Principal{Name: "test"}, name, func(d *Document) error {
		if d.Policies == nil {
			d.Policies = map[string]*Policy{}
		}
		d.Policies[qualifier] = &Policy{Statements: []Statement{invokeFrom(api + "/*")}}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// echo is a function in this process.
func echo(_ context.Context, payload []byte) ([]byte, error) { return payload, nil }

// roles are the roles of these tests.
type roles map[string]error

func (r roles) MayInvoke(role, function string) error {
	if err, ok := r[role+" "+function]; ok {
		return err
	}
	return errors.New("it does not exist")
}

func TestInvoker(t *testing.T) {
	t.Parallel()
	const role = "arn:aws:iam::123456789012:role/r"
	s := openStage(t, Options{
		Enforce: true,
		Roles: roles{
			role + " " + here + "pets":   nil,
			role + " " + here + "pets:1": integration.ErrNotPermitted,
		},
		Declared: map[string]Declared{
			"echo":  {Invoke: echo, Concurrency: -1},
			"other": {Invoke: echo, Concurrency: -1},
		},
	})
	s.permitPets(t, "pets", "live")
	s.permitPets(t, "pets", "")
	s.permitPets(t, "echo", "")
	s.permitPets(t, "echo", "imported")
	for _, tt := range []struct {
		name     string
		function string
		role     string
		source   string
		want     string // payload, or text in the error
		err      error
	}{
		{"latest", here + "pets", "", petRoute, `"pets $LATEST"`, nil},
		{"latest by name", here + "pets:$LATEST", "", petRoute, `"pets $LATEST"`, nil},
		{"alias", here + "pets:live", "", petRoute, `"pets 1"`, nil},
		{"bare name", "pets", "", petRoute, `"pets $LATEST"`, nil},
		{"bare name and alias", "pets:live", "", petRoute, `"pets 1"`, nil},
		{"version has no policy", here + "pets:1", "", petRoute,
			"aws lambda add-permission --function-name pets --qualifier '1' --statement-id apigateway-", integration.ErrNotPermitted},
		{"other API", here + "pets", "", "arn:aws:execute-api:us-east-1:123456789012:z9/prod/GET/o'x",
			`--action lambda:InvokeFunction --principal apigateway.amazonaws.com --source-arn 'arn:aws:execute-api:us-east-1:123456789012:z9/prod/GET/o'\''x'`, integration.ErrNotPermitted},
		{"no source", here + "pets", "", "", "the policy of " + here + "pets", integration.ErrNotPermitted},
		{"unknown function", here + "cats", "", petRoute, here + "cats", integration.ErrNoFunction},
		{"unknown alias", here + "pets:beta", "", petRoute, "; " + here + "pets has no version or alias beta", integration.ErrNoFunction},
		{"other account", "arn:aws:lambda:us-east-1:210987654321:function:pets", "", petRoute, "; there is one of that name in account 123456789012 and region us-east-1", integration.ErrNoFunction},
		{"other region", "arn:aws:lambda:eu-west-1:123456789012:function:pets", "", petRoute, "; there is one of that name", integration.ErrNoFunction},
		{"no ARN", "arn:aws:s3:::bucket", "", petRoute, "is not the ARN of a function", integration.ErrNoFunction},
		{"empty", "", "", petRoute, "is not the ARN of a function", integration.ErrNoFunction},
		{"empty qualifier", here + "pets:", "", petRoute, "is not the ARN of a function", integration.ErrNoFunction},
		{"two qualifiers", here + "pets:live:1", "", petRoute, "is not the ARN of a function", integration.ErrNoFunction},
		{"too short", "arn:aws:lambda:us-east-1:123456789012:function", "", petRoute, "is not the ARN of a function", integration.ErrNoFunction},

		{"declared", here + "echo", "", petRoute, `{}`, nil},
		{"declared, from elsewhere", "arn:aws-cn:lambda:cn-north-1:210987654321:function:echo", "", petRoute, `{}`, nil},
		{"declared, any qualifier", "arn:aws:lambda:eu-west-1:210987654321:function:echo:imported", "", petRoute, `{}`, nil},
		{"declared, qualifier without policy", here + "echo:beta", "", petRoute, "--qualifier 'beta'", integration.ErrNotPermitted},
		{"declared without policy", here + "other", "", petRoute, "--function-name other --statement-id", integration.ErrNotPermitted},

		{"role", here + "pets", role, "", `"pets $LATEST"`, nil},
		{"role that may not", here + "pets:1", role, petRoute, "may not be called", integration.ErrNotPermitted},
		{"unknown role", here + "pets", role + "2", petRoute, role + "2: it does not exist", integration.ErrCredentials},
		{"identity of the caller", here + "pets", callerIdentity, petRoute, "the identity of the caller is not known", integration.ErrCredentials},
	} {
		got, err := s.Invoke(t.Context(), integration.Invocation{Function: tt.function, Payload: []byte("{}"), SourceARN: tt.source, CredentialsARN: tt.role})
		switch {
		case tt.err != nil && (!errors.Is(err, tt.err) || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: got error %v, want %v with %q", tt.name, err, tt.err, tt.want)
		case tt.err == nil && (err != nil || string(got.Payload) != tt.want || len(got.RequestID) != 36):
			t.Errorf("%s: got %q, request %q, error %v", tt.name, got.Payload, got.RequestID, err)
		}
	}
}

// Without permissions everything that exists may be called.
func TestInvokerWithoutPermissions(t *testing.T) {
	t.Parallel()
	s := openStage(t, Options{})
	for _, role := range []string{"", callerIdentity, "arn:aws:iam::123456789012:role/r"} {
		if _, err := s.Invoke(t.Context(), integration.Invocation{Function: here + "pets:1", CredentialsARN: role}); err != nil {
			t.Errorf("role %q: %v", role, err)
		}
	}
	enforced := openStage(t, Options{Enforce: true})
	_, err := enforced.Invoke(t.Context(), integration.Invocation{Function: here + "pets", CredentialsARN: "arn:aws:iam::123456789012:role/r"})
	if !errors.Is(err, integration.ErrCredentials) {
		t.Errorf("a role that nobody knows: got %v", err)
	}
}

// What a call says arrives, and what the function says comes back.
func TestInvokerCall(t *testing.T) {
	t.Parallel()
	s := openStage(t, Options{Now: func() time.Time { return time.Unix(0x67fd88cb, 0) }})
	pets := s.scripts["pets:1"]
	pets.do = func(context.Context, lambda.Call) (lambda.Result, error) {
		return lambda.Result{Payload: []byte("x"), FunctionError: "Unhandled", ContentType: integration.StreamedResponse}, nil
	}
	got, err := s.Invoke(t.Context(), integration.Invocation{Function: here + "pets:live", Payload: []byte(`{"a":1}`), TraceID: "Root=1-2"})
	call := pets.last()
	if err != nil || string(got.Payload) != "x" || got.FunctionError != "Unhandled" || got.ContentType != integration.StreamedResponse || got.RequestID != call.RequestID {
		t.Errorf("got %+v, error %v", got, err)
	}
	if string(call.Payload) != `{"a":1}` || call.TraceID != "Root=1-2" || call.InvokedARN != here+"pets:live" || call.Tail {
		t.Errorf("called with %+v", call)
	}
	if _, err := s.Invoke(t.Context(), integration.Invocation{Function: "pets:live"}); err != nil {
		t.Error(err)
	}
	if call = pets.last(); call.InvokedARN != here+"pets:live" || !regexp.MustCompile(`^Root=1-67fd88cb-[0-9a-f]{24}$`).MatchString(call.TraceID) {
		t.Errorf("called with %+v", call)
	}
	if _, err := s.Invoke(t.Context(), integration.Invocation{Function: "pets", Payload: make([]byte, integration.MaxPayload)}); err != nil {
		t.Errorf("the greatest event: %v", err)
	}
	if _, err := s.Invoke(t.Context(), integration.Invocation{Function: "pets", Payload: make([]byte, integration.MaxPayload+1)}); !errors.Is(err, integration.ErrPayloadTooLarge) {
		t.Errorf("an event that is too long: %v", err)
	}
}

func TestInvokerErrors(t *testing.T) {
	t.Parallel()
	s := openStage(t, Options{Declared: map[string]Declared{"slow": {Code: t.TempDir(), Runtime: "nodejs22.x"}}})
	odd := errors.New("odd")
	for _, tt := range []struct {
		function string
		err      error
		want     error
		text     string
	}{
		{"pets", lambda.ErrThrottled, integration.ErrThrottled, "its reserved concurrency"},
		{"slow", lambda.ErrThrottled, integration.ErrThrottled, "functions.slow.concurrency"},
		{"pets", lambda.ErrBusy, integration.ErrThrottled, "functionHost.environments"},
		{"pets", context.DeadlineExceeded, context.DeadlineExceeded, ""},
		{"pets", lambda.ErrClosed, lambda.ErrClosed, ""},
		{"pets", odd, odd, ""},
	} {
		s.scripts[tt.function+":$LATEST"].do = func(context.Context, lambda.Call) (lambda.Result, error) {
			return lambda.Result{}, fmt.Errorf("host: %w", tt.err)
		}
		if _, err := s.Invoke(t.Context(), integration.Invocation{Function: here + tt.function}); !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s, %v: got %v", tt.function, tt.err, err)
		}
	}
}

// A version that is closed after it was looked up is looked up again, and so is whether
// it may be called.
func TestInvokerReplaced(t *testing.T) {
	t.Parallel()
	s := openStage(t, Options{Enforce: true})
	s.permitPets(t, "pets", "")
	tries := 0
	s.scripts["pets:$LATEST"].do = func(context.Context, lambda.Call) (lambda.Result, error) {
		if tries++; tries == 1 {
			return lambda.Result{}, lambda.ErrClosed
		}
		return lambda.Result{Payload: []byte("new")}, nil
	}
	call := integration.Invocation{Function: here + "pets", SourceARN: petRoute}
	if got, err := s.Invoke(t.Context(), call); err != nil || string(got.Payload) != "new" {
		t.Errorf("got %q, %v", got.Payload, err)
	}
	s.scripts["pets:$LATEST"].do = func(context.Context, lambda.Call) (lambda.Result, error) {
		_, err := s.edit(context.WithoutCancel(t.Context()), Principal{Name: "test"}, "pets", func(d *Document) error {
			d.Policies = nil
			return nil
		})
		return lambda.Result{}, errors.Join(err, lambda.ErrClosed)
	}
	if _, err := s.Invoke(t.Context(), call); !errors.Is(err, integration.ErrNotPermitted) {
		t.Errorf("after the permission was taken: %v", err)
	}
}

// A permission is in force when it was given, and not any more when it was taken.
func TestInvokerPermissionEdited(t *testing.T) {
	t.Parallel()
	s := openStage(t, Options{Enforce: true})
	call := integration.Invocation{Function: here + "pets", SourceARN: petRoute}
	for range 3 {
		if _, err := s.Invoke(t.Context(), call); !errors.Is(err, integration.ErrNotPermitted) {
			t.Errorf("without a permission: %v", err)
		}
		s.permitPets(t, "pets", "")
		if _, err := s.Invoke(t.Context(), call); err != nil {
			t.Errorf("with a permission: %v", err)
		}
		if _, err := s.edit(t.Context(), Principal{Name: "test"}, "pets", func(d *Document) error { delete(d.Policies, ""); return nil }); err != nil {
			t.Fatal(err)
		}
	}
}

func TestInvokeInProcess(t *testing.T) {
	t.Parallel()
	do := func(f func(context.Context, []byte) ([]byte, error)) Declared {
		return Declared{Invoke: f, Concurrency: -1}
	}
	s := openStage(t, Options{Declared: map[string]Declared{
		"echo":   do(echo),
		"error":  do(func(context.Context, []byte) ([]byte, error) { return nil, errors.New(`no "pets"`) }),
		"panic":  do(func(context.Context, []byte) ([]byte, error) { panic("oh") }),
		"index":  do(func(_ context.Context, payload []byte) ([]byte, error) { return payload[len(payload)+1:][:1], nil }),
		"gone":   do(func(context.Context, []byte) ([]byte, error) { runtime.Goexit(); return nil, nil }),
		"large":  do(func(context.Context, []byte) ([]byte, error) { return make([]byte, integration.MaxResult), nil }),
		"larger": do(func(context.Context, []byte) ([]byte, error) { return make([]byte, integration.MaxResult+1), nil }),
		"none":   {Invoke: echo, Concurrency: 0},
	}})
	for _, tt := range []struct{ function, want, functionError string }{
		{"echo", `{"a":1}`, ""},
		{"error", `{"errorType":"Error","errorMessage":"no \"pets\""}`, "Unhandled"},
		{"panic", `{"errorType":"Error","errorMessage":"panic: oh"}`, "Unhandled"},
		{"index", `{"errorType":"Error","errorMessage":"panic: runtime error: slice bounds out of range [8:7]"}`, "Unhandled"},
		{"gone", `{"errorType":"Error","errorMessage":"the function ended without an answer"}`, "Unhandled"},
		{"large", strings.Repeat("\x00", integration.MaxResult), ""},
		{"larger", `{"errorType":"Function.ResponseSizeTooLarge","errorMessage":"Response payload size exceeded maximum allowed payload size (6291556 bytes)."}`, "Unhandled"},
	} {
		got, err := s.Invoke(t.Context(), integration.Invocation{Function: here + tt.function, Payload: []byte(`{"a":1}`)})
		if err != nil || string(got.Payload) != tt.want || got.FunctionError != tt.functionError {
			t.Errorf("%s: got %.100q, %q, error %v", tt.function, got.Payload, got.FunctionError, err)
		}
	}
	if _, err := s.Invoke(t.Context(), integration.Invocation{Function: here + "none"}); !errors.Is(err, integration.ErrThrottled) || !strings.Contains(err.Error(), "functions.none.concurrency") {
		t.Errorf("a function that may not run: %v", err)
	}
}

// A function that ignores its context is not waited for. Until it returns it counts as
// running, and the event that it has is its own.
func TestInvokeInProcessAbandoned(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		saw := make(chan string, 2)
		p := &process{}
		d := &Declared{Invoke: func(_ context.Context, payload []byte) ([]byte, error) {
			time.Sleep(time.Minute)
			saw <- string(payload)
			return payload, nil
		}}
		event := []byte("event")
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := p.invoke(ctx, "f", d, 1, event); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("got %v after %v", err, time.Since(start))
		}
		copy(event, "other")
		if _, err := p.invoke(t.Context(), "f", d, 1, event); !errors.Is(err, lambda.ErrThrottled) {
			t.Errorf("while it runs: %v", err)
		}
		if got := <-saw; got != "event" {
			t.Errorf("it saw %q", got)
		}
		synctest.Wait()
		if got, err := p.invoke(t.Context(), "f", d, 1, event); err != nil || string(got.Payload) != "other" {
			t.Errorf("when it has returned: %q, %v", got.Payload, err)
		}
	})
}

func TestInvokeInProcessConcurrency(t *testing.T) {
	t.Parallel()
	var running, most atomic.Int32
	s := openStage(t, Options{Declared: map[string]Declared{"f": {Concurrency: 3, Invoke: func(context.Context, []byte) ([]byte, error) {
		n := running.Add(1)
		defer running.Add(-1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		runtime.Gosched()
		return nil, nil
	}}}})
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			for range 50 {
				if _, err := s.Invoke(t.Context(), integration.Invocation{Function: "f"}); err != nil && !errors.Is(err, integration.ErrThrottled) {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if most.Load() > 3 {
		t.Errorf("%d invocations at one time", most.Load())
	}
	if s.process.running["f"] != 0 {
		t.Errorf("%d invocations are left", s.process.running["f"])
	}
}

func TestRequestIDs(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	var mu sync.Mutex
	seen := map[string]bool{}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 1000 {
				id := newUUID()
				mu.Lock()
				if !form.MatchString(id) || seen[id] {
					t.Errorf("got %q", id)
				}
				seen[id] = true
				mu.Unlock()
			}
		})
	}
	all.Wait()
}

func TestInvokerAllocations(t *testing.T) {
	s := openStage(t, Options{Enforce: true, Log: slog.New(slog.DiscardHandler)})
	s.permitPets(t, "pets", "live")
	quick := &quickRunner{}
	(*s.live.Load())["pets"].qualified["live"].first.function = quick
	call := integration.Invocation{Function: here + "pets:live", Payload: []byte("{}"), SourceARN: petRoute}
	if n := testing.AllocsPerRun(200, func() {
		if _, err := s.Invoke(t.Context(), call); err != nil {
			t.Error(err)
		}
	}); n > 3 {
		t.Errorf("%v allocations", n)
	}
}

// A quickRunner answers without doing anything.
type quickRunner struct{}

func (quickRunner) Invoke(context.Context, lambda.Call) (lambda.Result, error) {
	return lambda.Result{}, nil
}
func (quickRunner) Configure(lambda.Spec) {}
func (quickRunner) Close()                {}

func BenchmarkInvoker(b *testing.B) {
	s := openStage(b, Options{Enforce: true, Declared: map[string]Declared{"echo": {Invoke: echo, Concurrency: -1}}})
	s.permitPets(b, "pets", "live")
	s.permitPets(b, "echo", "")
	(*s.live.Load())["pets"].qualified["live"].first.function = quickRunner{}
	for name, function := range map[string]string{"overhead": here + "pets:live", "in process": here + "echo"} {
		b.Run(name, func(b *testing.B) {
			call := integration.Invocation{Function: function, Payload: []byte("{}"), SourceARN: petRoute}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Invoke(b.Context(), call); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
