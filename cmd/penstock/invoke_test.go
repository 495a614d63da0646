package main

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"penstock/internal/sigv4"
)

// lambdaAPI answers invocations with what the function of a test says.
func lambdaAPI(t *testing.T, answer func(w http.ResponseWriter, r *http.Request, payload string)) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		payload, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		answer(w, r, string(payload))
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func TestInvoke(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "event.json")
	if err := os.WriteFile(file, []byte(`{"from":"file"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name        string
		args        []string
		asked       string // path, type of the invocation, payload
		header      map[string]string
		status      int
		answer      string
		want        int // exit status
		stdout, log string
	}{
		{"plain", []string{"hello"}, "/2015-03-31/functions/hello/invocations RequestResponse {}", nil, 200, `"hi"`, 0, "\"hi\"\n", ""},
		{"payload", []string{"hello", "--payload", `{"a":1}`}, `/2015-03-31/functions/hello/invocations RequestResponse {"a":1}`, nil, 200, "{}\n", 0, "{}\n", ""},
		{"file", []string{"hello", "--payload", "@" + file}, `/2015-03-31/functions/hello/invocations RequestResponse {"from":"file"}`, nil, 200, `1`, 0, "1\n", ""},
		{"qualifier", []string{"hello", "--qualifier", "live"}, "/2015-03-31/functions/hello/invocations?Qualifier=live RequestResponse {}", nil, 200, `1`, 0, "1\n", ""},
		{"ARN", []string{"arn:aws:lambda:us-east-1:000000000000:function:a/b"}, "/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:a%2Fb/invocations RequestResponse {}", nil, 200, `1`, 0, "1\n", ""},
		{"event", []string{"hello", "--event"}, "/2015-03-31/functions/hello/invocations Event {}", nil, 202, "", 0, "", ""},
		{"log", []string{"hello", "--log"}, "/2015-03-31/functions/hello/invocations RequestResponse {}", map[string]string{"X-Amz-Log-Result": base64.StdEncoding.EncodeToString([]byte("START\n\x1b[31mEND\n"))}, 200, `1`, 0, "1\n", "START\n\\x1b[31mEND\n"},
		{"no log", []string{"hello"}, "/2015-03-31/functions/hello/invocations RequestResponse {}", map[string]string{"X-Amz-Log-Result": base64.StdEncoding.EncodeToString([]byte("START\n"))}, 200, `1`, 0, "1\n", ""},
		{"function error", []string{"hello"}, "/2015-03-31/functions/hello/invocations RequestResponse {}", map[string]string{"X-Amz-Function-Error": "Unhandled", "X-Amz-Log-Result": base64.StdEncoding.EncodeToString([]byte("oh\n"))},
			200, `{"errorType":"TypeError","errorMessage":"no pets"}`, 1, `{"errorType":"TypeError","errorMessage":"no pets"}` + "\n", "oh\npenstock: the function failed: TypeError: no pets\n"},
		{"error of another form", []string{"hello"}, "/2015-03-31/functions/hello/invocations RequestResponse {}", map[string]string{"X-Amz-Function-Error": "Unhandled"}, 200, `7`, 1, "7\n", "penstock: the function failed: Unhandled: \n"},
		{"refused", []string{"hello"}, "/2015-03-31/functions/hello/invocations RequestResponse {}", map[string]string{"x-amzn-ErrorType": "ResourceNotFoundException"}, 404, `{"Message":"Function not found: x","Type":"User"}`, 1, "", "penstock: ResourceNotFoundException: Function not found: x\n"},
		{"not JSON", []string{"hello", "--payload", "{"}, "", nil, 200, "", 1, "", "penstock: --payload: { is not JSON\n"},
		{"no file", []string{"hello", "--payload", "@/nonexistent"}, "", nil, 200, "", 1, "", "penstock: --payload: open /nonexistent: no such file or directory\n"},
	} {
		asked := ""
		url := lambdaAPI(t, func(w http.ResponseWriter, r *http.Request, payload string) {
			asked = fmt.Sprint(r.RequestURI, " ", r.Header.Get("X-Amz-Invocation-Type"), " ", payload)
			for name, value := range tt.header {
				w.Header().Set(name, value)
			}
			w.WriteHeader(tt.status)
			io.WriteString(w, tt.answer)
		})
		status, out, log := result(append([]string{"invoke", "--endpoint", url}, tt.args...)...)
		if asked != tt.asked || status != tt.want || out != tt.stdout || log != tt.log {
			t.Errorf("%s: asked %q, exit status %d, %q, %q", tt.name, asked, status, out, log)
		}
	}
}

// Calls of the Lambda API are signed for it.
func TestInvokeSigned(t *testing.T) {
	t.Parallel()
	verifier := sigv4.NewVerifier(sigv4.Options{Service: "lambda", Lookup: func(id string) (sigv4.Credential, bool) {
		return sigv4.Credential{AccessKeyID: "AKIDADA", SecretAccessKey: "hush", SessionToken: "token"}, id == "AKIDADA"
	}})
	url := lambdaAPI(t, func(w http.ResponseWriter, r *http.Request, payload string) {
		if _, err := verifier.Verify(r, []byte(payload)); err != nil {
			t.Error(err)
		}
		io.WriteString(w, "1")
	})
	if status, _, log := resultIn(signing, "invoke", "hello", "--endpoint", url); status != 0 {
		t.Errorf("exit status %d, %q", status, log)
	}
}

func TestLogs(t *testing.T) {
	t.Parallel()
	const lines = `{"number":1,"time":"2025-01-02T03:04:05.006Z","function":"hello","text":"START"}` + "\n" +
		`{"number":2,"time":"2025-01-02T03:04:05.007Z","function":"hello","text":"a\tb\u001b[2J"}` + "\n"
	for _, tt := range []struct {
		name   string
		args   []string
		asked  string
		status int
		code   string
		answer string
		want   int
		stdout string
		log    string
	}{
		{"all", nil, "/_penstock/functions/logs?last=100", 200, "", lines, 0, "hello START\nhello a\tb\\x1b[2J\n", ""},
		{"one", []string{"hello", "--last", "2", "-f"}, "/_penstock/functions/logs?follow=true&function=hello&last=2", 200, "", lines[:0], 0, "", ""},
		{"JSON", []string{"--json"}, "/_penstock/functions/logs?last=100", 200, "", lines, 0, lines, ""},
		{"refused", []string{"nobody"}, "/_penstock/functions/logs?function=nobody&last=100", 404, "NotFoundException", `{"message":"there is no function nobody"}`, 1, "", "penstock: NotFoundException: there is no function nobody\n"},
		{"something else", nil, "/_penstock/functions/logs?last=100", 200, "", "<html>", 1, "", "answers what cannot be read"},
	} {
		asked := ""
		url := lambdaAPI(t, func(w http.ResponseWriter, r *http.Request, _ string) {
			asked = r.RequestURI
			if tt.code != "" {
				w.Header().Set("x-amzn-ErrorType", tt.code)
			}
			w.WriteHeader(tt.status)
			io.WriteString(w, tt.answer)
		})
		status, out, log := result(append([]string{"logs", "--endpoint", url}, tt.args...)...)
		if !strings.HasPrefix(tt.stdout, "{") {
			var all strings.Builder
			for line := range strings.Lines(out) {
				_, rest, _ := strings.Cut(line, " ") // the time is that of the place
				all.WriteString(rest)
			}
			out = all.String()
		}
		if asked != tt.asked || status != tt.want || out != tt.stdout || !strings.Contains(log, tt.log) {
			t.Errorf("%s: asked %q, exit status %d, %q, %q", tt.name, asked, status, out, log)
		}
	}
}
