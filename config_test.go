package penstock_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"penstock"
)

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	held := t.TempDir()
	c := quiet
	c.Memory, c.Data = false, held
	open(t, c)

	for _, tt := range []struct {
		name string
		edit func(*penstock.Config)
		want []string
	}{
		{"everyone", func(c *penstock.Config) { c.Admin = "0.0.0.0:0" }, []string{"admin: 0.0.0.0:0 is not a loopback address", "set credentials", "admin: 127.0.0.1:8081"}},
		{"everyone, version 6", func(c *penstock.Config) { c.Admin = "[::]:0" }, []string{"admin: [::]:0 is not a loopback address"}},
		{"no host", func(c *penstock.Config) { c.Admin = ":0" }, []string{"admin: :0 is not a loopback address"}},
		{"busy", func(c *penstock.Config) { c.Listen = busy.Addr().String() }, []string{"listen: " + busy.Addr().String() + " is in use", "choose another"}},
		{"busy admin", func(c *penstock.Config) { c.Admin = busy.Addr().String() }, []string{"admin: " + busy.Addr().String() + " is in use"}},
		{"foreign address", func(c *penstock.Config) { c.Listen = "192.0.2.1:0" }, []string{"listen: cannot listen on 192.0.2.1:0"}},
		{"no port", func(c *penstock.Config) { c.Listen = "localhost" }, []string{`listen: "localhost" is not an address`, "want host:port"}},
		{"port out of range", func(c *penstock.Config) { c.Admin = "127.0.0.1:65536" }, []string{`admin: "127.0.0.1:65536" is not an address`}},
		{"data is a file", func(c *penstock.Config) { c.Memory, c.Data = false, file }, []string{"data: cannot use " + file + " as data directory"}},
		{"data under a file", func(c *penstock.Config) { c.Memory, c.Data = false, file+"/data" }, []string{"data: cannot use " + file + "/data"}},
		{"data in use", func(c *penstock.Config) { c.Memory, c.Data = false, held }, []string{"data: ", held, "another process has it open"}},
		{"region", func(c *penstock.Config) { c.Region = "us east" }, []string{`region: "us east"`, "us-east-1"}},
		{"account", func(c *penstock.Config) { c.AccountID = "12" }, []string{`accountId: "12"`, "12 digits"}},
		{"suffix", func(c *penstock.Config) { c.EndpointSuffix = "example.com:80" }, []string{`endpointSuffix: "example.com:80"`, "without port"}},
		{"level", func(c *penstock.Config) { c.Log.Level = "loud" }, []string{`log.level: "loud"`, "debug, info, warn or error"}},
		{"format", func(c *penstock.Config) { c.Log.Format = "xml" }, []string{`log.format: "xml"`, "text or json"}},
		{"drain", func(c *penstock.Config) { c.DrainTimeout = -1 }, []string{"drainTimeout: -1ns is negative"}},
		{"body", func(c *penstock.Config) { c.Limits.Body = -1 }, []string{"limits.body: -1"}},
		{"routes", func(c *penstock.Config) { c.Limits.Routes = -1 }, []string{"limits.routes: -1"}},
		{"timeout", func(c *penstock.Config) { c.Limits.IdleTimeout = 1 }, []string{"limits.idleTimeout: 1ns is too short"}},
		{"rate", func(c *penstock.Config) { c.Limits.ControlPlaneRate = -1 }, []string{"limits.controlPlaneRate: -1", "0 for no limit"}},
		{"no secret", func(c *penstock.Config) { c.Credentials = []penstock.Credential{{AccessKeyID: "A"}} }, []string{"credentials[0].secretAccessKey is missing"}},
		{"no key", func(c *penstock.Config) { c.Credentials = []penstock.Credential{{SecretAccessKey: "hush"}} }, []string{"credentials[0].accessKeyId is missing"}},
		{"twice", func(c *penstock.Config) {
			c.Credentials = []penstock.Credential{{AccessKeyID: "A", SecretAccessKey: "hush"}, {AccessKeyID: "A", SecretAccessKey: "hush"}}
		}, []string{"credentials[1].accessKeyId: A is there twice"}},
		{"all that is wrong", func(c *penstock.Config) { c.Region, c.AccountID = "?", "?" }, []string{"region: ", "accountId: "}},
	} {
		c := quiet
		tt.edit(&c)
		s, err := penstock.Open(c)
		if err == nil {
			s.Close()
			t.Errorf("%s: opened", tt.name)
			continue
		}
		for _, want := range tt.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %q, want %q in it", tt.name, err, want)
			}
		}
		if strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %q tells a secret", tt.name, err)
		}
	}
}

// Limits of the configuration are those that are applied.
func TestLimits(t *testing.T) {
	t.Parallel()
	c := quiet
	c.Limits.APIs, c.Limits.Body = 1, 5
	s := open(t, c)
	api := quickCreate(t, s, echo(t))
	_, err := sdk(s, anyone).CreateApi(t.Context(), &apigatewayv2.CreateApiInput{Name: aws.String("second"), ProtocolType: types.ProtocolTypeHttp})
	if err == nil {
		t.Error("a second API was created")
	}
	for body, want := range map[string]int{"12345": http.StatusOK, "123456": http.StatusRequestEntityTooLarge} {
		r, err := http.NewRequest(http.MethodPost, *api.ApiEndpoint+"/", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if status, text, err := do(s, r); err != nil || status != want {
			t.Errorf("body of %d bytes: got %d %s (%v), want %d", len(body), status, text, err, want)
		}
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	t.Parallel()
	c := penstock.Config{Credentials: []penstock.Credential{{AccessKeyID: "AKIDADA", SecretAccessKey: "hush", SessionToken: "hush"}}}
	asJSON, err := json.Marshal(c.Credentials)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprint(c), fmt.Sprintf("%+v", c), fmt.Sprintf("%#v", c), fmt.Sprintf("%v", c.Credentials[0].LogValue()), string(asJSON)} {
		if strings.Contains(text, "hush") || !strings.Contains(text, "AKIDADA") {
			t.Errorf("printed as %s", text)
		}
	}
}
