package penstock_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"penstock"
)

// What functions cannot be like is an error that names the key and says what would do.
func TestFunctionConfiguration(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	good := penstock.Function{Runtime: "nodejs22.x", Handler: "index.handler", Code: dir}
	one := func(edit func(*penstock.Function)) func(*penstock.Config) {
		return func(c *penstock.Config) {
			f := good
			edit(&f)
			c.Functions = map[string]penstock.Function{"pets": f}
		}
	}
	host := func(edit func(*penstock.FunctionHost)) func(*penstock.Config) {
		return func(c *penstock.Config) { edit(&c.FunctionHost) }
	}
	remote := func(r penstock.RemoteFunction) func(*penstock.Config) {
		return func(c *penstock.Config) { c.RemoteFunctions = []penstock.RemoteFunction{r} }
	}
	roles := func(r ...penstock.Role) func(*penstock.Config) {
		return func(c *penstock.Config) { c.Roles = r }
	}
	const role, pattern = "arn:aws:iam::000000000000:role/a", "arn:aws:lambda:*:*:function:*"
	for _, tt := range []struct {
		edit func(*penstock.Config)
		want string
	}{
		{func(c *penstock.Config) { c.Functions = map[string]penstock.Function{"a b": good} }, "functions.a b: want a name of up to 64 letters, digits, hyphens and underscores"},
		{one(func(f *penstock.Function) { f.Runtime = "" }), "functions.pets.runtime is missing: such as nodejs22.x, python3.13 or provided.al2023"},
		{one(func(f *penstock.Function) { f.Runtime = "java21" }), `functions.pets.runtime: "java21" is not one that comes along: want such as nodejs22.x, python3.13 or provided.al2023, or a program for it in functionHost.commands`},
		{one(func(f *penstock.Function) { f.Handler = "" }), "functions.pets.handler is missing: such as index.handler"},
		{one(func(f *penstock.Function) { f.Code = "" }), "functions.pets.code is missing: want a directory or a zip file"},
		{one(func(f *penstock.Function) { f.Code = dir + "/none" }), "functions.pets.code: stat " + dir + "/none: no such file or directory: want a directory or a zip file"},
		{one(func(f *penstock.Function) { f.Code = "functions_test.go" }), "functions.pets.code: "},
		{one(func(f *penstock.Function) { f.Timeout = time.Hour }), "functions.pets.timeout: 1h0m0s is out of range: want up to 15m0s"},
		{one(func(f *penstock.Function) { f.Timeout = -1 }), "functions.pets.timeout: -1ns is out of range"},
		{one(func(f *penstock.Function) { f.Memory = 10241 }), "functions.pets.memory: 10241 is out of range: want up to 10240 MiB"},
		{one(func(f *penstock.Function) { f.Concurrency = -1 }), "functions.pets.concurrency: -1 is negative"},
		{one(func(f *penstock.Function) { f.Environment = map[string]string{"A=": "hush"} }), `functions.pets.environment: "A=" is not a name of a variable: want letters, digits and underscores`},
		{host(func(h *penstock.FunctionHost) { h.Environments = -1 }), "functionHost.environments: -1 is out of range: want 1 to 4000"},
		{host(func(h *penstock.FunctionHost) { h.IdleTimeout = -1 }), "functionHost: idleTimeout and initTimeout are not negative"},
		{host(func(h *penstock.FunctionHost) { h.LogMemory = -1 }), "functionHost.logMemory: -1 is negative"},
		{host(func(h *penstock.FunctionHost) { h.SecretAccessKey = "hush" }), "functionHost: give both of accessKeyId and secretAccessKey, or none"},
		{host(func(h *penstock.FunctionHost) { h.User = "no such user" }), "functionHost.user: there is no user no such user on this machine"},
		{host(func(h *penstock.FunctionHost) { h.Commands = map[string][]string{"java21": {}} }), "functionHost.commands.java21: want a program and its arguments"},
		{host(func(h *penstock.FunctionHost) { h.RetryDelays = []time.Duration{-1} }), "functionHost.retryDelays[0]: -1ns is negative"},
		{remote(penstock.RemoteFunction{Functions: "pets"}), `remoteFunctions[0].functions: "pets" matches no ARN: want such as arn:aws:lambda:*:111122223333:function:*`},
		{remote(penstock.RemoteFunction{Functions: pattern, Endpoint: "127.0.0.1:4566"}), `remoteFunctions[0].endpoint: "127.0.0.1:4566" is not an http or https URL`},
		{remote(penstock.RemoteFunction{Functions: pattern, Endpoint: "http://ada:hush@127.0.0.1"}), "remoteFunctions[0]: "},
		{remote(penstock.RemoteFunction{Functions: pattern, Region: "US"}), `remoteFunctions[0].region: "US" is not a region`},
		{remote(penstock.RemoteFunction{Functions: pattern, AccessKeyID: "A"}), "remoteFunctions[0]: give both of accessKeyId and secretAccessKey, or none"},
		{remote(penstock.RemoteFunction{Functions: pattern, AccessKeyID: "A", SecretAccessKey: "hush", Profile: "p"}), "remoteFunctions[0]: give one of accessKeyId and profile"},
		{remote(penstock.RemoteFunction{Functions: "arn:aws:lambda:pets"}), "remoteFunctions: "},
		{roles(penstock.Role{ARN: "role/a"}), `roles[0].arn: "role/a" is not the ARN of a role, such as arn:aws:iam::000000000000:role/apigateway`},
		{roles(penstock.Role{ARN: role}, penstock.Role{ARN: role}), "roles[1].arn: " + role + " is there twice"},
		{roles(penstock.Role{ARN: role, Policy: `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"aws:x":"true"}}}}`}), "roles[0].policy: "},
	} {
		c := quiet
		tt.edit(&c)
		s, err := penstock.Open(c)
		if err == nil {
			s.Close()
			t.Errorf("opened, want %s", tt.want)
			continue
		}
		if !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("got %q, want %q", err, tt.want)
		}
	}
	// What is not looked at may be anything, and a runtime with a command needs no handler.
	c := quiet
	c.Functions = map[string]penstock.Function{
		"inside": {Invoke: func(context.Context, []byte) ([]byte, error) { return nil, nil }},
		"java":   {Runtime: "java21", Code: dir},
	}
	c.FunctionHost.Commands = map[string][]string{"java21": {"java"}}
	open(t, c)
}
