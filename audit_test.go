package penstock_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"

	"penstock"
)

// auditLines returns the lines of an audit log.
func auditLines(t testing.TB, file string) []map[string]any {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []map[string]any
	for line := range strings.Lines(string(text)) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil || !strings.HasSuffix(line, "\n") {
			t.Fatalf("%v in %q", err, line)
		}
		all = append(all, m)
	}
	return all
}

// Every call of the control plane has a line in the file, behind those that are there,
// that only the owner reads and nothing secret is in.
func TestAuditLog(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "audit.log")
	ada := penstock.Credential{AccessKeyID: "AKIDADA", SecretAccessKey: "hush-secret", SessionToken: "hush-token", UserName: "ada"}
	bob := penstock.Credential{AccessKeyID: "AKIDBOB", SecretAccessKey: "hush-bob", Policy: `{"Statement":{"Effect":"Allow","Action":"apigateway:GET","Resource":"*"}}`}
	c := quiet
	c.AuditLog, c.AccountID = file, "123456789012"
	c.Credentials = []penstock.Credential{ada, bob}
	type line struct{ principal, operation, outcome, errorType string }
	var want []line
	for range 2 { // the second server writes behind what the first has written
		s := open(t, c)
		out, err := sdk(s, ada).GetApis(t.Context(), &apigatewayv2.GetApisInput{})
		if err != nil {
			t.Fatal(err)
		}
		requestID, _ := awsmiddleware.GetRequestIDMetadata(out.ResultMetadata)
		_, err = sdk(s, bob).DeleteApi(t.Context(), &apigatewayv2.DeleteApiInput{ApiId: aws.String("zzzzzzzzzz")})
		if code(t, err) != "AccessDeniedException" {
			t.Errorf("got %v", err)
		}
		wrong := ada
		wrong.SecretAccessKey = "hush-wrong"
		_, err = sdk(s, wrong).GetApis(t.Context(), &apigatewayv2.GetApisInput{})
		if code(t, err) != "InvalidSignatureException" {
			t.Errorf("got %v", err)
		}
		_, err = sdk(s, ada).CreateIntegration(t.Context(), &apigatewayv2.CreateIntegrationInput{ApiId: aws.String("zzzzzzzzzz"), IntegrationType: "HTTP_PROXY", IntegrationUri: aws.String("https://user:hush-uri@example.com"), RequestParameters: map[string]string{"append:header.x-key": "hush-header"}})
		if code(t, err) != "NotFoundException" {
			t.Errorf("got %v", err)
		}
		get(t, s, s.AdminURL()+"/v2/nothing?X-Amz-Signature=hush-signature")
		get(t, s, s.AdminURL()+"/_penstock/health") // is no call of the control plane
		get(t, s, s.AdminURL()+"/metrics")
		if err := s.Close(); err != nil { // by then all is written
			t.Fatal(err)
		}
		want = append(want,
			line{"arn:aws:iam::123456789012:user/ada", "GetApis", "success", ""},
			line{"arn:aws:iam::123456789012:user/AKIDBOB", "DeleteApi", "denied", "AccessDeniedException"},
			line{"", "GetApis", "denied", "InvalidSignatureException"},
			line{"arn:aws:iam::123456789012:user/ada", "CreateIntegration", "refused", "NotFoundException"},
			line{"", "", "denied", "IncompleteSignatureException"})
		all := auditLines(t, file)
		if len(all) != len(want) {
			t.Fatalf("%d lines, want %d: %v", len(all), len(want), all)
		}
		for i, m := range all {
			member := func(name string) string { s, _ := m[name].(string); return s }
			if got := (line{member("principal"), member("operation"), member("outcome"), member("errorType")}); got != want[i] {
				t.Errorf("line %d: got %v, want %v", i, got, want[i])
			}
			if member("sourceIp") != "127.0.0.1" || member("requestId") == "" || member("time") == "" {
				t.Errorf("line %d: %v", i, m)
			}
		}
		if first := all[len(all)-5]; first["requestId"] != requestID || !strings.Contains(first["userAgent"].(string), "aws-sdk-go-v2") {
			t.Errorf("the client was answered request ID %s, the line is %v", requestID, first)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil || strings.Contains(string(text), "hush") {
		t.Errorf("the log (%v) has a secret: %s", err, text)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v: the mode of the file is %v", err, info.Mode())
	}
}

// Lines of calls at the same time are whole.
func TestAuditLogOfConcurrentCalls(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "audit.log")
	c := quiet
	c.AuditLog = file
	s := open(t, c)
	const callers, calls = 16, 20
	var wait sync.WaitGroup
	for range callers {
		wait.Go(func() {
			for range calls {
				r, err := http.NewRequest(http.MethodGet, s.AdminURL()+"/v2/apis", nil)
				if err == nil {
					_, _, err = do(s, r)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	seen := map[any]bool{}
	for _, line := range auditLines(t, file) {
		seen[line["requestId"]] = true
	}
	if len(seen) != callers*calls {
		t.Errorf("%d different lines for %d calls", len(seen), callers*calls)
	}
}

func TestAuditLogPlaces(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	there := filepath.Join(dir, "there.log")
	if err := os.WriteFile(there, []byte("{\"before\":true}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	c := quiet
	c.AuditLog = there
	s := open(t, c)
	get(t, s, s.AdminURL()+"/v2/apis")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if all := auditLines(t, there); len(all) != 2 || all[0]["before"] != true || all[1]["operation"] != "GetApis" {
		t.Errorf("behind what was there: %v", all)
	}

	c.AuditLog = "none"
	s = open(t, c)
	get(t, s, s.AdminURL()+"/v2/apis")
	if _, err := os.Stat("none"); err == nil {
		t.Error("there is a file called none")
	}

	for name, to := range map[string]string{"a directory": dir, "no directory": filepath.Join(dir, "nowhere", "audit.log"), "a file for a directory": filepath.Join(there, "audit.log")} {
		c.AuditLog = to
		s, err := penstock.Open(c)
		if err == nil {
			s.Close()
			t.Errorf("%s: opened", name)
			continue
		}
		for _, want := range []string{"auditLog: ", to, "want stderr, stdout, none, or a file that can be written to"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %q, want %q in it", name, err, want)
			}
		}
	}
}
