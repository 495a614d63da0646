package function

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"penstock/internal/integration"
	"penstock/internal/lambda"
)

// do makes a call of the Lambda API. Header fields are pairs of names and values.
func (s *stage) do(method, path, body string, header ...string) *http.Response {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Result()
}

func bodyOf(r *http.Response) string {
	var b bytes.Buffer
	if _, err := b.ReadFrom(r.Body); err != nil {
		return err.Error()
	}
	return b.String()
}

func invocationsOf(name string) string { return "/2015-03-31/functions/" + name + "/invocations" }

func TestInvoke(t *testing.T) {
	t.Parallel()
	s := openStage(t, Options{Enforce: true, Declared: map[string]Declared{"echo": {Invoke: echo, Concurrency: -1}}})
	s.scripts["pets:$LATEST"].do = func(_ context.Context, call lambda.Call) (lambda.Result, error) {
		switch string(call.Payload) {
		case `"throw"`:
			return lambda.Result{Payload: []byte(`{"errorType":"Error","errorMessage":"no"}`), FunctionError: "Unhandled"}, nil
		case `"throttle"`:
			return lambda.Result{}, lambda.ErrThrottled
		case `"busy"`:
			return lambda.Result{}, lambda.ErrBusy
		case `"late"`:
			return lambda.Result{}, context.DeadlineExceeded
		case `"broken"`:
			return lambda.Result{}, errors.New("secret")
		case `"log"`:
			return lambda.Result{Payload: []byte("1"), Log: []byte("START\n")}, nil
		case `"html"`:
			return lambda.Result{Payload: []byte("<p>"), ContentType: "text/html"}, nil
		case `"nothing"`:
			return lambda.Result{}, nil
		}
		return lambda.Result{Payload: call.Payload}, nil
	}
	const (
		refused = `{"Type":"User","message":`
		unread  = refused + `"Could not parse request body into json: `
	)
	for _, tt := range []struct {
		name, path, body string
		header           []string
		status           int
		want             string   // start of the body
		fields           []string // header fields of the answer
	}{
		{"plain", invocationsOf("pets"), `{"a":1}`, nil, 200, `{"a":1}`,
			[]string{"X-Amz-Executed-Version", "$LATEST", "Content-Type", "application/json", "X-Amz-Function-Error", "", "X-Amz-Log-Result", ""}},
		{"no body", invocationsOf("pets"), ``, nil, 200, `{}`, nil},
		{"spaces", invocationsOf("pets"), " 1 \n", nil, 200, " 1 \n", nil},
		{"alias", invocationsOf("pets:live"), `1`, nil, 200, `"pets 1"`, []string{"X-Amz-Executed-Version", "1"}},
		{"qualifier", invocationsOf("pets") + "?Qualifier=live", `1`, nil, 200, `"pets 1"`, []string{"X-Amz-Executed-Version", "1"}},
		{"ARN", invocationsOf(here + "pets:live"), `1`, nil, 200, `"pets 1"`, nil},
		{"declared", invocationsOf("echo"), `[2]`, nil, 200, `[2]`, nil},
		{"throws", invocationsOf("pets"), `"throw"`, nil, 200, `{"errorType":"Error","errorMessage":"no"}`, []string{"X-Amz-Function-Error", "Unhandled"}},
		{"log", invocationsOf("pets"), `"log"`, []string{"X-Amz-Log-Type", "Tail"}, 200, "1", []string{"X-Amz-Log-Result", "U1RBUlQK"}},
		{"log not asked for", invocationsOf("pets"), `"log"`, []string{"X-Amz-Log-Type", "None"}, 200, "1", []string{"X-Amz-Log-Result", ""}},
		{"content type", invocationsOf("pets"), `"html"`, nil, 200, "<p>", []string{"Content-Type", "text/html"}},
		{"nothing", invocationsOf("pets"), `"nothing"`, nil, 200, "", []string{"Content-Length", "0"}},
		{"trace", invocationsOf("pets"), `1`, []string{"X-Amzn-Trace-Id", "Root=1-2-3;Sampled=1"}, 200, "1", []string{"X-Amzn-Trace-Id", "Root=1-2-3;Sampled=1"}},
		{"explicit", invocationsOf("pets"), `1`, []string{"X-Amz-Invocation-Type", "RequestResponse"}, 200, "1", nil},
		{"dry run", invocationsOf("pets:live"), `1`, []string{"X-Amz-Invocation-Type", "DryRun"}, 204, "", []string{"X-Amz-Executed-Version", "1"}},

		{"unknown", invocationsOf("cats"), `1`, nil, 404, `{"Type":"User","Message":"Function not found: ` + here + `cats"}`, []string{"X-Amzn-Errortype", "ResourceNotFoundException"}},
		{"unknown alias", invocationsOf("pets:beta"), `1`, nil, 404, `{"Type":"User","Message":"Function not found: ` + here + `pets:beta"}`, nil},
		{"unknown, dry run", invocationsOf("cats"), `1`, []string{"X-Amz-Invocation-Type", "DryRun"}, 404, `{"Type":"User","Message":"Function not found: `, nil},
		{"unknown, event", invocationsOf("cats"), `1`, []string{"X-Amz-Invocation-Type", "Event"}, 404, `{"Type":"User","Message":"Function not found: `, nil},
		{"other region", invocationsOf("arn:aws:lambda:eu-west-1:123456789012:function:pets"), `1`, nil, 404, `{"Type":"User","Message":"Functions from 'eu-west-1' are not reachable in this region ('us-east-1')"}`, nil},
		{"two qualifiers", invocationsOf("pets:live") + "?Qualifier=1", `1`, nil, 400, refused + `"The derived qualifier from the function name does not match the specified qualifier."}`, []string{"X-Amzn-Errortype", "InvalidParameterValueException"}},
		{"not JSON", invocationsOf("pets"), `{"a":`, nil, 400, unread + `unexpected end of JSON input"}`, []string{"X-Amzn-Errortype", "InvalidRequestContentException"}},
		{"two values", invocationsOf("pets"), `1 2`, nil, 400, unread, nil},
		{"not UTF-8", invocationsOf("pets"), "\"\xff\"", nil, 400, unread + "the text is not UTF-8", nil},
		{"not JSON, event", invocationsOf("pets"), `x`, []string{"X-Amz-Invocation-Type", "Event"}, 400, unread, nil},
		{"throttled", invocationsOf("pets"), `"throttle"`, nil, 429, `{"Reason":"ReservedFunctionConcurrentInvocationLimitExceeded","Type":"User","message":"Rate Exceeded."}`,
			[]string{"X-Amzn-Errortype", "TooManyRequestsException", "Retry-After", "1"}},
		{"busy", invocationsOf("pets"), `"busy"`, nil, 429, `{"Reason":"ConcurrentInvocationLimitExceeded","Type":"User","message":"Rate Exceeded."}`, nil},
		{"late", invocationsOf("pets"), `"late"`, nil, 504, `{"Type":"Service","Message":"The function did not answer in time."}`, nil},
		{"broken", invocationsOf("pets"), `"broken"`, nil, 500, `{"Type":"Service","Message":"The server failed: its log says why."}`, []string{"X-Amzn-Errortype", "ServiceException"}},
		{"kind", invocationsOf("pets"), `1`, []string{"X-Amz-Invocation-Type", "Later"}, 400,
			refused + `"1 validation error detected: Value 'Later' at 'invocationType' failed to satisfy constraint: Member must satisfy enum value set: [Event, RequestResponse, DryRun]"}`,
			[]string{"X-Amzn-Errortype", "ValidationException"}},
		{"log type", invocationsOf("pets"), `1`, []string{"X-Amz-Log-Type", "Head"}, 400, refused + `"1 validation error detected: Value 'Head' at 'logType' failed`, nil},
		{"context", invocationsOf("pets"), `1`, []string{"X-Amz-Client-Context", "e30"}, 400, refused + `"Client context must be a valid Base64-encoded JSON object."}`, []string{"X-Amzn-Errortype", "InvalidRequestContentException"}},
		{"context is no object", invocationsOf("pets"), `1`, []string{"X-Amz-Client-Context", "WzFd"}, 400, refused + `"Client context must be`, nil},
		{"context is too long", invocationsOf("pets"), `1`, []string{"X-Amz-Client-Context", strings.Repeat("A", 3584)}, 400, refused + `"Client context must not be longer than 3583 bytes`, nil},
		{"too large", invocationsOf("pets"), `"` + strings.Repeat("x", integration.MaxPayload) + `"`, nil, 413,
			refused + `"Request must be smaller than 6291456 bytes for the InvokeFunction operation"}`, []string{"X-Amzn-Errortype", "RequestTooLargeException"}},
		{"too large, event", invocationsOf("pets"), `"` + strings.Repeat("x", maxEventPayload) + `"`, []string{"X-Amz-Invocation-Type", "Event"}, 413,
			refused + `"Request must be smaller than 1048576 bytes for the InvokeFunction operation"}`, nil},
	} {
		r := s.do("POST", tt.path, tt.body, tt.header...)
		if body := bodyOf(r); r.StatusCode != tt.status || !strings.HasPrefix(body, tt.want) || len(tt.want) < 2 && body != tt.want {
			t.Errorf("%s: got %d %.300s, want %d %s", tt.name, r.StatusCode, body, tt.status, tt.want)
		}
		for i := 0; i < len(tt.fields); i += 2 {
			if got := r.Header.Get(tt.fields[i]); got != tt.fields[i+1] {
				t.Errorf("%s: %s is %q, want %q", tt.name, tt.fields[i], got, tt.fields[i+1])
			}
		}
		if len(r.Header.Get("x-amzn-RequestId")) != 36 {
			t.Errorf("%s: request %q", tt.name, r.Header.Get("x-amzn-RequestId"))
		}
		if ok := r.StatusCode < 300; ok != (r.Header.Get("X-Amzn-Trace-Id") != "") {
			t.Errorf("%s: trace %q", tt.name, r.Header.Get("X-Amzn-Trace-Id"))
		}
	}
}

// What a request says reaches the function.
func TestInvokePassesOn(t *testing.T) {
	t.Parallel()
	s := openStage(t, Options{})
	encode := base64.StdEncoding.EncodeToString
	generated := regexp.MustCompile(`^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$`)
	for _, tt := range []struct {
		context, trace         string
		wantContext, wantTrace string
	}{
		{"", "", "", ""},
		{encode([]byte("{\n \"custom\": {\"a\": \"b\\n\"}\n}")), "Root=1-2", `{"custom":{"a":"b\n"}}`, "Root=1-2"},
		{encode([]byte("{\"ä\": \"\x7f𝄞\"}")), "", `{"\u00e4":"\u007f\ud834\udd1e"}`, ""},
		{encode([]byte(" null ")), "Root=1-2\tX", "null", ""},
		{"", "Root=1-2" + strings.Repeat("x", 300), "", ""},
	} {
		r := s.do("POST", invocationsOf("pets:live"), `[1]`, "X-Amz-Client-Context", tt.context, "X-Amzn-Trace-Id", tt.trace, "X-Amz-Log-Type", "Tail")
		call := s.scripts["pets:1"].last()
		if r.StatusCode != 200 || string(call.Payload) != "[1]" || !call.Tail || call.InvokedARN != here+"pets:live" || call.RequestID != r.Header.Get("x-amzn-RequestId") {
			t.Errorf("%+v: answer %d, called with %+v", tt, r.StatusCode, call)
		}
		if call.ClientContext != tt.wantContext || call.TraceID != r.Header.Get("X-Amzn-Trace-Id") || tt.wantTrace != "" && call.TraceID != tt.wantTrace || tt.wantTrace == "" && !generated.MatchString(call.TraceID) {
			t.Errorf("%+v: context %q, trace %q", tt, call.ClientContext, call.TraceID)
		}
	}
}

// An event is answered before the function runs, and runs until it succeeds. What does
// not fit is refused.
func TestInvokeEvent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		text, logger := newLog()
		s := openStage(t, Options{Log: logger, Now: time.Now})
		tries := 0
		s.scripts["pets:1"].do = func(context.Context, lambda.Call) (lambda.Result, error) {
			if tries++; tries == 1 {
				return lambda.Result{Payload: []byte(`{"errorType":"E"}`), FunctionError: "Unhandled"}, nil
			}
			return lambda.Result{}, nil
		}
		event := []string{"X-Amz-Invocation-Type", "Event"}
		r := s.do("POST", invocationsOf("pets:live"), `{"n":1}`, event...)
		if body := bodyOf(r); r.StatusCode != 202 || body != "" || r.Header.Get("X-Amz-Executed-Version") != "1" {
			t.Errorf("got %d %q, %v", r.StatusCode, body, r.Header)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		call := s.scripts["pets:1"].last()
		if tries != 2 || string(call.Payload) != `{"n":1}` || call.RequestID != r.Header.Get("x-amzn-RequestId") {
			t.Errorf("%d tries, called with %+v", tries, call)
		}
		if !strings.Contains(text.String(), `after=1m0s`) {
			t.Errorf("logged %s", text)
		}

		s.scripts["pets:1"].do = func(ctx context.Context, _ lambda.Call) (lambda.Result, error) {
			<-ctx.Done()
			return lambda.Result{}, ctx.Err()
		}
		for i := range maxEvents {
			if r := s.do("POST", invocationsOf("pets:live"), `1`, event...); r.StatusCode != 202 {
				t.Fatalf("event %d: %d", i, r.StatusCode)
			}
		}
		r = s.do("POST", invocationsOf("pets:live"), `1`, event...)
		if body := bodyOf(r); r.StatusCode != 429 || body != `{"Reason":"CallerRateLimitExceeded","Type":"User","message":"Rate Exceeded."}` || r.Header.Get("X-Amzn-Errortype") != "TooManyRequestsException" {
			t.Errorf("one more: %d %s", r.StatusCode, body)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if !strings.Contains(text.String(), "events=1000") {
			t.Error("what is lost is not logged")
		}
		if r := s.do("POST", invocationsOf("pets:live"), `1`, event...); r.StatusCode < 400 {
			t.Errorf("after the end: %d", r.StatusCode)
		}
	})
}

// A body whose length is not announced is cut off at the same place.
func TestInvokeChunked(t *testing.T) {
	t.Parallel()
	s := openStage(t, Options{Log: slog.New(slog.DiscardHandler)})
	r := httptest.NewRequest("POST", invocationsOf("pets"), struct{ *strings.Reader }{strings.NewReader(strings.Repeat(" ", integration.MaxPayload) + "1")})
	r.ContentLength = -1
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func FuzzInvoke(f *testing.F) {
	s := openStage(f, Options{Log: slog.New(slog.DiscardHandler)})
	f.Add(`{"a":1}`, "Event", "Tail", "e30=", "Root=1")
	f.Add(`x`, "DryRun", "None", "WzFd", "\n")
	f.Fuzz(func(t *testing.T, body, kind, logType, clientContext, trace string) {
		r := s.do("POST", invocationsOf("pets"), body, "X-Amz-Invocation-Type", kind, "X-Amz-Log-Type", logType, "X-Amz-Client-Context", clientContext, "X-Amzn-Trace-Id", trace)
		if r.StatusCode >= 500 {
			t.Errorf("got %d %s", r.StatusCode, bodyOf(r))
		}
		if r.StatusCode == http.StatusOK {
			call := s.scripts["pets:$LATEST"].last()
			if strings.ContainsFunc(call.ClientContext+call.TraceID, func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Errorf("called with %+v", call)
			}
			if call.ClientContext != "" {
				given, err := base64.StdEncoding.DecodeString(clientContext)
				var want, got any
				if err = errors.Join(err, json.Unmarshal(given, &want), json.Unmarshal([]byte(call.ClientContext), &got)); err != nil || !reflect.DeepEqual(got, want) {
					t.Errorf("%s became %s, %v", given, call.ClientContext, err)
				}
			}
		}
	})
}
