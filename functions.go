package penstock

import (
	"context"
	"fmt"
	"maps"
	"os/user"
	"regexp"
	"slices"
	"strings"
	"time"

	"penstock/internal/policy"
)

// A Function is a Lambda function that the configuration declares. It runs beside the
// gateway, as processes of its own.
type Function struct {
	// Runtime is what runs it: nodejs22.x and the like with the node of this machine,
	// python3.13 and the like with its python3, provided.al2023 and provided.al2 with the
	// program bootstrap in [Function.Code], and others with
	// [FunctionHost.Commands]. Required.
	Runtime string `yaml:"runtime"`

	// Handler is what the runtime calls: index.handler is handler in index.js, index.mjs
	// or index.py. Programs called bootstrap need none. Default: none.
	Handler string `yaml:"handler"`

	// Code is the directory, or the zip file, that the code is in; a relative path begins
	// in the working directory of the server. When it changes, the
	// next request runs the new code, and those under way finish with the old. Required.
	Code string `yaml:"code"`

	// Environment are environment variables. The function sees these, those of the Lambda
	// environment, PATH, and nothing else of the server's. Default: none.
	Environment map[string]string `yaml:"environment"`

	// Timeout is how long one invocation may take; 0 means 3s. Default: 0s.
	Timeout time.Duration `yaml:"timeout"`

	// Memory is how much memory the processes of one environment may hold, in MiB; 0 means
	// 128. What the interpreter itself needs counts. Linux only. Default: 0.
	Memory int `yaml:"memory"`

	// Concurrency is how many invocations the function may have at one time; those beyond
	// are throttled. 0 means as many as [FunctionHost.Environments]. Default: 0.
	Concurrency int `yaml:"concurrency"`

	// Invoke is the function itself, in a program that embeds Penstock: it gets an event
	// and returns an answer, both JSON. An error is one of the function. It runs in that
	// program, and everything else here but [Function.Concurrency] is then not used.
	Invoke func(ctx context.Context, event []byte) ([]byte, error) `yaml:"-"`
}

// A FunctionHost says how functions run here.
type FunctionHost struct {
	// Environments is how many environments, which are processes, all functions may have
	// together. Idle ones make room. Default: 100.
	Environments int `yaml:"environments"`

	// IdleTimeout is how long an environment may wait for its next invocation. Default:
	// 10m0s.
	IdleTimeout time.Duration `yaml:"idleTimeout"`

	// InitTimeout is how long a function may take to start. Default: 10s.
	InitTimeout time.Duration `yaml:"initTimeout"`

	// EnforcePermissions says whether an API may call a function here only if the
	// resource policy of the function permits it (lambda add-permission), or the
	// credentials of its integration do. Default: false if [Config.Listen] and
	// [Config.ListenTLS] are loopback addresses, otherwise true.
	EnforcePermissions *bool `yaml:"enforcePermissions"`

	// User is the user of this machine that functions run as. It needs a server that runs
	// as root. Default: none.
	User string `yaml:"user"`

	// AccessKeyID is what functions find in AWS_ACCESS_KEY_ID, to call AWS or what stands
	// for it. Default: none.
	AccessKeyID string `yaml:"accessKeyId"`

	// SecretAccessKey is what they find in AWS_SECRET_ACCESS_KEY. Default: none.
	SecretAccessKey string `yaml:"secretAccessKey" json:"-"`

	// SessionToken is what they find in AWS_SESSION_TOKEN. Default: none.
	SessionToken string `yaml:"sessionToken" json:"-"`

	// Commands are what starts the functions of runtimes that Penstock does not bring, by
	// the name of the runtime: a program and its arguments, such as [java, -cp, "lib/*",
	// com.amazonaws.services.lambda.runtime.api.client.AWSLambda, com.example.Handler]
	// for java21. It runs in the directory of the code and speaks the Lambda Runtime API.
	// Default: none.
	Commands map[string][]string `yaml:"commands"`

	// LogMemory is how many bytes of its newest log lines are kept of each function, for
	// penstock logs. Default: 1048576 (1 MiB).
	LogMemory int `yaml:"logMemory"`

	// RetryDelays are how long to wait before each further attempt of an asynchronous
	// invocation that failed; an empty list means none. Without the key: 1m and 2m.
	// Default: none.
	RetryDelays []time.Duration `yaml:"retryDelays"`
}

// A RemoteFunction says where the functions are that do not run here: on AWS, or on
// whatever else speaks its Lambda API.
type RemoteFunction struct {
	// Functions is the ARN of the function, with * and ? for anything and any character:
	// arn:aws:lambda:*:111122223333:function:*. Of several that match, the first
	// counts; a function that none matches runs here. Required.
	Functions string `yaml:"functions"`

	// Endpoint is the URL of the Lambda API, such as http://127.0.0.1:4566. Without one,
	// it is that of AWS in the region. Default: none.
	Endpoint string `yaml:"endpoint"`

	// Region is the region that calls are signed for; without one, that of the ARN.
	// Default: none.
	Region string `yaml:"region"`

	// AccessKeyID is what calls are signed with. Without it and a profile, the usual
	// places are looked into: environment variables, ~/.aws, the role of the machine.
	// Default: none.
	AccessKeyID string `yaml:"accessKeyId"`

	// SecretAccessKey belongs to [RemoteFunction.AccessKeyID]. Default: none.
	SecretAccessKey string `yaml:"secretAccessKey" json:"-"`

	// SessionToken belongs to a temporary [RemoteFunction.AccessKeyID]. Default: none.
	SessionToken string `yaml:"sessionToken" json:"-"`

	// Profile is one of ~/.aws, in place of an access key. Default: none.
	Profile string `yaml:"profile"`
}

// A Role says what stands for an IAM role that integrations and authorizers name as
// their credentials.
type Role struct {
	// ARN is that of the role, such as arn:aws:iam::000000000000:role/apigateway.
	// Required.
	ARN string `yaml:"arn"`

	// AccessKeyID is what calls to services, and to functions elsewhere, are signed with.
	// Without it and a profile, that is what the server itself signs with: that of the
	// remote function, or what is found in the usual places. Default: none.
	AccessKeyID string `yaml:"accessKeyId"`

	// SecretAccessKey belongs to [Role.AccessKeyID]. Default: none.
	SecretAccessKey string `yaml:"secretAccessKey" json:"-"`

	// SessionToken belongs to a temporary [Role.AccessKeyID]. Default: none.
	SessionToken string `yaml:"sessionToken" json:"-"`

	// Profile is one of ~/.aws, in place of an access key. Default: none.
	Profile string `yaml:"profile"`

	// AssumeRole gets credentials for the role from STS, with what is said above, or else with
	// the credentials of the server itself. Default: false.
	AssumeRole bool `yaml:"assumeRole"`

	// Policy is an IAM policy document that says which functions here the role may call:
	// the action lambda:InvokeFunction on their ARNs. Without one, the role may call them
	// all. It is written as that of a credential. Default: none.
	Policy PolicyDocument `yaml:"policy"`
}

// Bounds of functions, those of the service.
const (
	maxFunctionTimeout = 15 * time.Minute
	maxFunctionMemory  = 10240
)

var (
	functionForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	roleForm     = regexp.MustCompile(`^arn:[a-z-]+:iam::\d{12}:role/\S+$`)
	runtimeForm  = regexp.MustCompile(`^(nodejs[0-9]+\.x|python3\.[0-9]+|provided|provided\.al2|provided\.al2023)$`)
	variableForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// checkFunctions says of every key about functions with a value that cannot work what
// would.
func (c Config) checkFunctions(wrong func(format string, args ...any)) {
	for _, name := range slices.Sorted(maps.Keys(c.Functions)) {
		f := c.Functions[name]
		if !functionForm.MatchString(name) {
			wrong("functions.%s: want a name of up to 64 letters, digits, hyphens and underscores", name)
		}
		if f.Concurrency < 0 {
			wrong("functions.%s.concurrency: %d is negative", name, f.Concurrency)
		}
		if f.Invoke != nil {
			continue
		}
		switch {
		case f.Runtime == "":
			wrong("functions.%s.runtime is missing: such as nodejs22.x, python3.13 or provided.al2023", name)
		case !runtimeForm.MatchString(f.Runtime) && len(c.FunctionHost.Commands[f.Runtime]) == 0:
			wrong("functions.%s.runtime: %q is not one that comes along: want such as nodejs22.x, python3.13 or provided.al2023, or a program for it in functionHost.commands", name, f.Runtime)
		case f.Handler == "" && !strings.HasPrefix(f.Runtime, "provided") && len(c.FunctionHost.Commands[f.Runtime]) == 0:
			wrong("functions.%s.handler is missing: such as index.handler", name)
		}
		if f.Code == "" {
			wrong("functions.%s.code is missing: want a directory or a zip file", name)
		}
		if f.Timeout < 0 || f.Timeout > maxFunctionTimeout {
			wrong("functions.%s.timeout: %v is out of range: want up to %v", name, f.Timeout, maxFunctionTimeout)
		}
		if f.Memory < 0 || f.Memory > maxFunctionMemory {
			wrong("functions.%s.memory: %d is out of range: want up to %d MiB", name, f.Memory, maxFunctionMemory)
		}
		for _, key := range slices.Sorted(maps.Keys(f.Environment)) {
			if !variableForm.MatchString(key) {
				wrong("functions.%s.environment: %q is not a name of a variable: want letters, digits and underscores", name, key)
			}
		}
	}
	h := c.FunctionHost
	if h.Environments < 1 || h.Environments > maxEnvironments {
		wrong("functionHost.environments: %d is out of range: want 1 to %d", h.Environments, maxEnvironments)
	}
	if h.IdleTimeout < 0 || h.InitTimeout < 0 {
		wrong("functionHost: idleTimeout and initTimeout are not negative")
	}
	if h.LogMemory < 0 {
		wrong("functionHost.logMemory: %d is negative", h.LogMemory)
	}
	if (h.AccessKeyID == "") != (h.SecretAccessKey == "") {
		wrong("functionHost: give both of accessKeyId and secretAccessKey, or none")
	}
	if h.User != "" {
		if _, err := user.Lookup(h.User); err != nil {
			wrong("functionHost.user: there is no user %s on this machine", h.User)
		}
	}
	for _, runtime := range slices.Sorted(maps.Keys(h.Commands)) {
		if len(h.Commands[runtime]) == 0 || h.Commands[runtime][0] == "" {
			wrong("functionHost.commands.%s: want a program and its arguments", runtime)
		}
	}
	for i, d := range h.RetryDelays {
		if d < 0 {
			wrong("functionHost.retryDelays[%d]: %v is negative", i, d)
		}
	}
	c.checkRemote(wrong)
}

// maxEnvironments keeps the processes of functions, with a few descriptors each, within
// what a process can have.
const maxEnvironments = 4000

func (c Config) checkRemote(wrong func(format string, args ...any)) {
	for i, r := range c.RemoteFunctions {
		if !strings.HasPrefix(r.Functions, "arn:") && !strings.HasPrefix(r.Functions, "*") {
			wrong("remoteFunctions[%d].functions: %q matches no ARN: want such as arn:aws:lambda:*:111122223333:function:*", i, r.Functions)
		}
		if r.Endpoint != "" && !isHTTP(r.Endpoint, "http", "https") {
			wrong("remoteFunctions[%d].endpoint: %q is not an http or https URL", i, r.Endpoint)
		}
		if r.Region != "" && !regionForm.MatchString(r.Region) {
			wrong("remoteFunctions[%d].region: %q is not a region", i, r.Region)
		}
		checkSigning(fmt.Sprintf("remoteFunctions[%d]", i), r.AccessKeyID, r.SecretAccessKey, r.Profile, wrong)
	}
	known := map[string]bool{}
	for i, r := range c.Roles {
		switch {
		case !roleForm.MatchString(r.ARN):
			wrong("roles[%d].arn: %q is not the ARN of a role, such as arn:aws:iam::000000000000:role/apigateway", i, r.ARN)
		case known[r.ARN]:
			wrong("roles[%d].arn: %s is there twice", i, r.ARN)
		}
		known[r.ARN] = true
		checkSigning(fmt.Sprintf("roles[%d]", i), r.AccessKeyID, r.SecretAccessKey, r.Profile, wrong)
		if _, err := r.policy(); err != nil {
			wrong("roles[%d].policy: %w", i, err)
		}
	}
}

// checkSigning checks what calls are signed with.
func checkSigning(key, accessKeyID, secretAccessKey, profile string, wrong func(format string, args ...any)) {
	switch {
	case (accessKeyID == "") != (secretAccessKey == ""):
		wrong("%s: give both of accessKeyId and secretAccessKey, or none", key)
	case accessKeyID != "" && profile != "":
		wrong("%s: give one of accessKeyId and profile", key)
	}
}

// policy returns the policy of a role; nil if it has none.
func (r Role) policy() (*policy.Document, error) {
	if r.Policy == "" {
		return nil, nil
	}
	return policy.Parse(string(r.Policy), nil)
}
