package penstock_test

import (
	"bytes"
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/smithy-go"

	"penstock"
	"penstock/internal/sigv4"
	"penstock/internal/store"
	"penstock/internal/store/ledger"
)

func TestCredentials(t *testing.T) {
	t.Parallel()
	ada := penstock.Credential{AccessKeyID: "AKIDADA", SecretAccessKey: "a/secret+of=ada"}
	bob := penstock.Credential{AccessKeyID: "ASIABOB", SecretAccessKey: "bob", SessionToken: "a//token=="}
	c := quiet
	c.Credentials = []penstock.Credential{ada, bob}
	s := open(t, c)

	for _, tt := range []struct {
		name string
		who  penstock.Credential
		code string // "" if let in
	}{
		{"known", ada, ""},
		{"with session token", bob, ""},
		{"wrong secret", penstock.Credential{AccessKeyID: ada.AccessKeyID, SecretAccessKey: "wrong"}, "InvalidSignatureException"},
		{"unknown", penstock.Credential{AccessKeyID: "AKIDEVE", SecretAccessKey: ada.SecretAccessKey}, "UnrecognizedClientException"},
		{"without session token", penstock.Credential{AccessKeyID: bob.AccessKeyID, SecretAccessKey: bob.SecretAccessKey}, "UnrecognizedClientException"},
	} {
		// The stage name and the ARN need escapes, which the signature covers.
		_, err := sdk(s, tt.who).GetTags(t.Context(), &apigatewayv2.GetTagsInput{
			ResourceArn: aws.String("arn:aws:apigateway:us-east-1::/apis/zzzzzzzzzz/stages/$default"),
		})
		var refused smithy.APIError
		if !errors.As(err, &refused) {
			t.Fatalf("%s: %v", tt.name, err)
		}
		want := tt.code
		if want == "" {
			want = "NotFoundException" // let in, to find nothing
		}
		if refused.ErrorCode() != want {
			t.Errorf("%s: got %s, want %s", tt.name, refused.ErrorCode(), want)
		}
		var backup bytes.Buffer
		if err := penstock.DownloadBackup(t.Context(), &backup, s.AdminURL(), tt.who); (err == nil) != (tt.code == "") {
			t.Errorf("%s: backup: %v", tt.name, err)
		} else if err != nil && !strings.Contains(err.Error(), "403") {
			t.Errorf("%s: backup: %v, want 403", tt.name, err)
		}
	}

	signer := sigv4.Signer{Credential: sigv4.Credential{AccessKeyID: ada.AccessKeyID, SecretAccessKey: ada.SecretAccessKey, SessionToken: ada.SessionToken}, Region: "us-east-1", Service: "apigateway"}
	presign := func(expires time.Duration, spoil string) string {
		r, err := http.NewRequest(http.MethodGet, s.AdminURL()+"/v2/apis?maxResults=1", nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := signer.Presign(r, nil, expires); err != nil {
			t.Fatal(err)
		}
		return r.URL.String() + spoil
	}
	for _, tt := range []struct {
		name, url string
		want      int
	}{
		{"presigned", presign(time.Minute, ""), http.StatusOK},
		{"presigned and changed", presign(time.Minute, "&nextToken=x"), http.StatusForbidden},
		{"presigned for longer than a week", presign(8*24*time.Hour, ""), http.StatusForbidden},
		{"unsigned", s.AdminURL() + "/v2/apis", http.StatusForbidden},
		{"unsigned and unknown", s.AdminURL() + "/v2/nothing", http.StatusForbidden},
		{"unsigned backup", s.AdminURL() + "/_penstock/backup", http.StatusForbidden},
		{"ready is for everyone", s.AdminURL() + "/_penstock/ready", http.StatusOK},
		{"health is for everyone", s.AdminURL() + "/_penstock/health", http.StatusOK},
		{"metrics are for everyone", s.AdminURL() + "/metrics", http.StatusOK},
	} {
		if status, body := get(t, s, tt.url); status != tt.want {
			t.Errorf("%s: got %d %s, want %d", tt.name, status, body, tt.want)
		}
	}
}

func TestAdmin(t *testing.T) {
	t.Parallel()
	s := open(t, quiet)
	api := quickCreate(t, s, echo(t))
	get(t, s, *api.ApiEndpoint+"/pets")
	get(t, s, s.AdminURL()+"/v2/apis/zzzzzzzzzz")
	counted := `aws_apigateway_count_total{ApiId="` + *api.ApiId + `",Route="",Stage="$default"} 1`
	for { // a request is counted when its response has been sent
		if _, text := get(t, s, s.AdminURL()+"/metrics"); strings.Contains(text, counted) {
			break
		}
	}
	for _, tt := range []struct {
		name, method, path string
		header             []string // name, value
		status             int
		want               []string
	}{
		{"health", "GET", "/_penstock/health", nil, 200, []string{`{"status":"ok"}`}},
		{"ready", "GET", "/_penstock/ready", nil, 200, []string{`{"status":"ready"}`}},
		{"metrics", "GET", "/metrics", nil, 200, []string{
			counted,
			`penstock_control_requests_total{operation="CreateApi",status="201"} 1`,
			`penstock_control_requests_total{operation="GetApi",status="404"} 1`,
			`penstock_control_latency_seconds_count{operation="CreateApi",status="201"} 1`,
			"penstock_store_revision 1\n", "penstock_served_revision 1\n", "go_goroutines ", "process_open_fds ",
		}},
		{"unknown operation", "GET", "/v2/nothing", nil, 404, []string{`"message"`}},
		{"only GET", "POST", "/_penstock/ready", nil, 405, []string{"use GET"}},
		{"unknown path", "GET", "/_penstock/nothing", nil, 404, nil},
		{"other spelling", "GET", "/%6detrics", nil, 404, nil},
		{"other host", "GET", "/v2/apis", []string{"Host", "rebound.example.com"}, 403, []string{"rebound.example.com", "use localhost", "credentials"}},
		{"metrics for other host", "GET", "/metrics", []string{"Host", "rebound.example.com:80"}, 403, nil},
		{"localhost", "GET", "/v2/apis", []string{"Host", "penstock.localhost:8081"}, 200, nil},
		{"version 6", "GET", "/v2/apis", []string{"Host", "[::1]:8081"}, 200, nil},
		{"service name", "GET", "/v2/apis", []string{"Host", "penstock:8081"}, 200, nil},
		{"other origin", "POST", "/v2/apis", []string{"Origin", "https://example.com"}, 403, []string{"other origins"}},
		{"other site", "POST", "/v2/apis", []string{"Sec-Fetch-Site", "cross-site"}, 403, []string{"other origins"}},
		{"same origin", "DELETE", "/v2/apis/zzzzzzzzzz", []string{"Sec-Fetch-Site", "same-origin"}, 404, nil},
	} {
		r, err := http.NewRequest(tt.method, s.AdminURL()+tt.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(tt.header) > 0 {
			r.Header.Set(tt.header[0], tt.header[1])
			r.Host = r.Header.Get("Host")
		}
		status, body, err := do(s, r)
		if err != nil {
			t.Fatal(err)
		}
		if status != tt.status {
			t.Errorf("%s: got %d %s, want %d", tt.name, status, body, tt.status)
		}
		for _, want := range tt.want {
			if !strings.Contains(body, want) {
				t.Errorf("%s: got %s, want %s in it", tt.name, body, want)
			}
		}
	}
}

func TestBackup(t *testing.T) {
	t.Parallel()
	s := open(t, quiet)
	api := quickCreate(t, s, echo(t))
	var local, remote bytes.Buffer
	if err := s.Backup(&local); err != nil {
		t.Fatal(err)
	}
	if err := penstock.DownloadBackup(t.Context(), &remote, s.AdminURL()+"/", penstock.Credential{}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(local.Bytes(), remote.Bytes()) {
		t.Errorf("local and remote backups differ: %d and %d bytes", local.Len(), remote.Len())
	}
	b, err := store.ReadBackup(&remote)
	if err != nil {
		t.Fatal(err)
	}
	c := quiet
	c.Memory, c.Data = false, t.TempDir()
	if err := ledger.Restore(filepath.Join(c.Data, penstock.DataFile), b, false); err != nil {
		t.Fatal(err)
	}
	s = open(t, c)
	after, err := sdk(s, anyone).GetApi(t.Context(), &apigatewayv2.GetApiInput{ApiId: api.ApiId})
	if err != nil {
		t.Fatal(err)
	}
	if status, body := get(t, s, *after.ApiEndpoint+"/pets"); status != http.StatusOK || body != "/pets" {
		t.Errorf("got %d %s", status, body)
	}
}
