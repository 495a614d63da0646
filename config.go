package penstock

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"penstock/internal/control"
	"penstock/internal/policy"
)

//go:generate go test -run ^TestConfigurationPage$ ./cmd/penstock -update

// A Config is what a [Server] needs to know. Every field has a default, which the
// zero value stands for. The comments of this file, of traffic.go, functions.go, upstreams.go, sockets.go and limits.go
// are the reference page of the configuration.
type Config struct {
	// Listen is the address that the APIs are served on, host:port. Port 0 takes a
	// free one, no host means every address of the machine. Default: 127.0.0.1:8080.
	Listen string `yaml:"listen"`

	// ListenTLS is the address that the APIs are served on over TLS, host:port, with
	// HTTP/2 and HTTP/1.1. Which certificate a name gets is said by
	// [Config.Certificates]. Default: none.
	ListenTLS string `yaml:"listenTls"`

	// Admin is the address of the control plane, host:port. The same address serves
	// /_penstock/health, /_penstock/ready and /metrics, to everyone who reaches it.
	// An address that is not loopback needs [Config.Credentials]. Default:
	// 127.0.0.1:8081.
	Admin string `yaml:"admin"`

	// Data is the directory that everything is kept in, in the file penstock.db. It
	// is made if it does not exist. A write is on disk before it is acknowledged.
	// One process at a time can use a directory. Default: penstock-data in the
	// working directory.
	Data string `yaml:"data"`

	// Memory keeps everything in memory, to be forgotten at the end; [Config.Data]
	// is then not used. Default: false.
	Memory bool `yaml:"memory"`

	// Region is the AWS region that ARNs and the host names of APIs name. Callers
	// may sign for any region. Default: us-east-1.
	Region string `yaml:"region"`

	// AccountID is the account number that ARNs name, 12 digits. Default:
	// 000000000000.
	AccountID string `yaml:"accountId"`

	// EndpointSuffix is the domain under which the APIs have their host names:
	// {apiId}.execute-api.{region}.{endpointSuffix}. All names under it must lead to
	// [Config.Listen]; those under localhost lead to the machine itself. Default:
	// localhost.
	EndpointSuffix string `yaml:"endpointSuffix"`

	// Credentials are those that may call the control plane. With them, every call
	// must be signed (AWS Signature Version 4, service apigateway) by one of them.
	// Without, every caller is let in, and [Config.Admin] must be a loopback address.
	// The same credentials sign requests to routes whose authorization type is AWS_IAM
	// (service execute-api); without any, such routes let nobody in. They are a list, or keys
	// by name: an access key ID for a caller, the ARN of a role for one of [Config.Roles].
	// Default: none.
	Credentials []Credential `yaml:"credentials"`

	// Certificates are those of [Config.ListenTLS]: custom domain names find theirs by its
	// ARN, all other names by the names in it. A name without one gets a certificate that
	// Penstock signs itself, which clients do not trust. Default: none.
	Certificates []Certificate `yaml:"certificates"`

	// ACME gets certificates from a certificate authority such as Let's Encrypt.
	ACME ACME `yaml:"acme"`

	// Truststores say where the trust stores of mutual TLS are that domain names give as
	// s3://…, which Penstock does not read. Default: none.
	Truststores []Truststore `yaml:"truststores"`

	// AccessLogs say where access logs go, by the destination ARN of the stage. Logs that
	// are not named go nowhere. Default: none.
	AccessLogs []AccessLog `yaml:"accessLogs"`

	// ExecutionLogs say where the execution logs of the stages of WebSocket APIs go, as
	// accessLogs does: the destination ARN is that of the log group
	// /aws/apigateway/{apiId}/{stage}, such as
	// arn:aws:logs:us-east-1:000000000000:log-group:/aws/apigateway/a1b2c3/dev, or an
	// asterisk. Logs that are not named go to the log of the server. Default: none.
	ExecutionLogs []AccessLog `yaml:"executionLogs"`

	// Tracing says where traces go.
	Tracing Tracing `yaml:"tracing"`

	// Explain says what is remembered of requests, for penstock explain.
	Explain Explain `yaml:"explain"`

	// Extensions are what the real service does not have.
	Extensions Extensions `yaml:"extensions"`

	// Functions are the Lambda functions that run here, by their names. They answer to
	// their ARNs in any account and region. Others are made through the Lambda API on
	// [Config.Admin], as aws lambda create-function does. Default: none.
	Functions map[string]Function `yaml:"functions"`

	// FunctionHost says how functions run here.
	FunctionHost FunctionHost `yaml:"functionHost"`

	// RemoteFunctions say where the functions are that run elsewhere. Default: none.
	RemoteFunctions []RemoteFunction `yaml:"remoteFunctions"`

	// Roles are the IAM roles that integrations and authorizers may name as their
	// credentials. Default: none.
	Roles []Role `yaml:"roles"`

	// Endpoints are the URLs of AWS services, by what requests to them are signed for: sqs,
	// events, kinesis, states, appconfig, sts and so on; sqs/eu-west-1 is that of one region,
	// and * that of all services. {region} and {service} in a URL stand for what is called.
	// Services that are not named are those of AWS. Default: none.
	Endpoints map[string]string `yaml:"endpoints"`

	// SQSResponse is the form in which clients get the answers of SQS: xml, as from the real
	// service, or json. Default: xml.
	SQSResponse string `yaml:"sqsResponse"`

	// Upstreams say where private integrations lead. Default: none.
	Upstreams []Upstream `yaml:"upstreams"`

	// UpstreamCAFile is a file with certificates, in PEM, of the authorities that the backends
	// of private integrations are verified with, beside those of the system. Default: none.
	UpstreamCAFile string `yaml:"upstreamCaFile"`

	// VpcLinks say how connections are made through VPC links, by the ID of the link or * for
	// all. Without it, they are made directly. Default: none.
	VpcLinks map[string]VpcLink `yaml:"vpcLinks"`

	// WebSockets says how the connections of WebSocket APIs are kept.
	WebSockets WebSockets `yaml:"webSockets"`

	// APIKeys are those that let clients of WebSocket APIs in. Default: none.
	APIKeys []APIKey `yaml:"apiKeys"`

	// AuditLog is where a line of JSON is written for each call of the control plane:
	// time, who called and from where, operation, resource, outcome and request ID, and
	// nothing of what was sent. It is stderr, stdout, none, or a file that lines are
	// appended to. A program that embeds Penstock and leaves it empty has none.
	// Default: stderr.
	AuditLog string `yaml:"auditLog"`

	// HostedZoneID is answered for custom domain names and portals, beside the name
	// that their DNS records lead to. Default: Z1UJRXOUMOOFQ8.
	HostedZoneID string `yaml:"hostedZoneId"`

	// Authorizers says how authorizers are checked.
	Authorizers Authorizers `yaml:"authorizers"`

	// Limits are bounds of what can be asked for.
	Limits Limits `yaml:"limits"`

	// AllowPrivateUpstreams says whether integrations may call loopback and private
	// addresses. Link-local addresses, where clouds keep instance metadata, and
	// Penstock's own listeners are never called. Default: true if
	// [Config.Listen] and [Config.ListenTLS] are loopback addresses, otherwise false.
	AllowPrivateUpstreams *bool `yaml:"allowPrivateUpstreams"`

	// DrainTimeout is how long requests under way may take to finish when the
	// process is told to end. What is left then is cut off. Default: 30s.
	DrainTimeout time.Duration `yaml:"drainTimeout"`

	// Log says what is logged, to standard error.
	Log Log `yaml:"log"`

	// Logger takes the log instead of standard error; Log is then not used.
	Logger *slog.Logger `yaml:"-"`
}

// A Credential is what a caller signs with. Printing or logging one shows the
// access key ID only.
type Credential struct {
	// AccessKeyID names the credential, such as AKIAIOSFODNN7EXAMPLE. Required.
	AccessKeyID string `yaml:"accessKeyId"`

	// SecretAccessKey is what the caller signs with. Required.
	SecretAccessKey string `yaml:"secretAccessKey" json:"-"`

	// SessionToken must come with the calls of a temporary credential. Default: none.
	SessionToken string `yaml:"sessionToken" json:"-"`

	// UserName names the caller in ARNs: in the audit log, in denials and to policies.
	// Without one, that is the access key ID. Default: none.
	UserName string `yaml:"userName"`

	// Policy is an IAM policy document that says what the caller may do on the control
	// plane: statements with Effect Allow or Deny, actions apigateway:GET, POST, PUT,
	// PATCH and DELETE, and resources such as arn:aws:apigateway:us-east-1::/apis/*; and
	// which routes with AWS_IAM the caller may call: the action execute-api:Invoke, and
	// resources such as arn:aws:execute-api:us-east-1:000000000000:a1b2c3/*. It is written as keys or as a text of JSON. An explicit deny counts most; what is not
	// allowed is denied. Conditions may ask about aws:SourceIp, aws:CurrentTime,
	// aws:ResourceTag/KEY, aws:RequestTag/KEY, aws:TagKeys and more; one that cannot be
	// evaluated is an error at the start. A caller without a policy may do everything.
	// Default: none.
	Policy PolicyDocument `yaml:"policy"`
}

// A PolicyDocument is the JSON text of an IAM policy document.
type PolicyDocument string

// String returns the access key ID.
func (c Credential) String() string { return c.AccessKeyID }

// GoString returns the access key ID.
func (c Credential) GoString() string { return strconv.Quote(c.AccessKeyID) }

// LogValue returns the access key ID.
func (c Credential) LogValue() slog.Value { return slog.StringValue(c.AccessKeyID) }

// arn returns the ARN of the caller in an account.
func (c Credential) arn(account string) string {
	return "arn:aws:iam::" + account + ":user/" + cmp.Or(c.UserName, c.AccessKeyID)
}

// Authorizers says how authorizers are checked.
type Authorizers struct {
	// VerifyIssuerOnCreate asks the issuer of a JWT authorizer for its configuration
	// when the authorizer is created or gets another issuer, and refuses one that does
	// not answer within 1.5 seconds, as the real service does. Default: false.
	VerifyIssuerOnCreate bool `yaml:"verifyIssuerOnCreate"`
}

// Log says what is logged.
type Log struct {
	// Level is the least important level that is logged: debug, info, warn or error.
	// At debug, every request that no backend answered is logged with the reason.
	// Default: info.
	Level string `yaml:"level"`

	// Format is that of a line: text or json. Default: text.
	Format string `yaml:"format"`
}

// DefaultConfig returns the defaults. AllowPrivateUpstreams is nil, since it
// depends on Listen.
func DefaultConfig() Config {
	quotas := control.DefaultLimits()
	return Config{
		Listen:         "127.0.0.1:8080",
		Admin:          "127.0.0.1:8081",
		Data:           "penstock-data",
		Region:         "us-east-1",
		AccountID:      "000000000000",
		EndpointSuffix: "localhost",
		DrainTimeout:   30 * time.Second,
		AuditLog:       "stderr",
		HostedZoneID:   control.DefaultHostedZone,
		SQSResponse:    "xml",
		ACME:           ACME{Directory: "https://acme-v02.api.letsencrypt.org/directory"},
		Tracing:        Tracing{Sample: 0.01, ServiceName: "penstock"},
		Explain:        Explain{Requests: 1000},
		Log:            Log{Level: "info", Format: "text"},
		FunctionHost: FunctionHost{
			Environments: 100,
			IdleTimeout:  10 * time.Minute,
			InitTimeout:  10 * time.Second,
			LogMemory:    1 << 20,
		},
		WebSockets: WebSockets{
			Frame:         32 << 10,
			Message:       128 << 10,
			IdleTimeout:   10 * time.Minute,
			Lifetime:      2 * time.Hour,
			ConnectRate:   500,
			InFlight:      16,
			InFlightBytes: 256 << 20,
			QueueBytes:    1 << 20,
			QueueMessages: 256,
			StallTimeout:  10 * time.Second,
		},
		Limits: Limits{
			Body:                 10 << 20,
			InMemoryBody:         64 << 10,
			HeadTimeout:          10 * time.Second,
			BodyTimeout:          30 * time.Second,
			WriteTimeout:         30 * time.Second,
			IdleTimeout:          10 * time.Minute,
			AbandonedAfter:       100 * time.Millisecond,
			BodyMemory:           256 << 20,
			MeteredRoutes:        10000,
			ResponseBody:         10 << 20,
			ValidatedBody:        1 << 20,
			UpstreamConns:        4096,
			UpstreamIdleConns:    512,
			UpstreamIdleTimeout:  55 * time.Second,
			AccountRate:          10000,
			AccountBurst:         5000,
			HandshakeTimeout:     10 * time.Second,
			Streams:              100,
			AuthorizerResults:    10000,
			ControlPlaneBurst:    1,
			APIs:                 quotas.APIs,
			Routes:               quotas.Routes,
			Integrations:         quotas.Integrations,
			Stages:               quotas.Stages,
			Authorizers:          quotas.Authorizers,
			Audiences:            quotas.Audiences,
			DomainNames:          quotas.DomainNames,
			APIMappings:          quotas.APIMappings,
			RoutingRules:         quotas.RoutingRules,
			VpcLinks:             quotas.VpcLinks,
			Subnets:              quotas.Subnets,
			SecurityGroups:       quotas.SecurityGroups,
			Portals:              quotas.Portals,
			PortalProducts:       quotas.PortalProducts,
			ProductPages:         quotas.ProductPages,
			AuthorizationScopes:  quotas.AuthorizationScopes,
			StageVariables:       quotas.StageVariables,
			StageVariableValue:   quotas.StageVariableValue,
			Tags:                 quotas.Tags,
			AccessLogFormat:      quotas.AccessLogFormat,
			MappedParameters:     quotas.MappedParameters,
			CorsEntries:          quotas.CorsEntries,
			AutomaticDeployments: quotas.AutomaticDeployments,
			Document:             quotas.Document,
		},
	}
}

// withDefaults returns c with defaults in place of zero values.
func (c Config) withDefaults() Config {
	defaults := DefaultConfig()
	defaults.AuditLog = auditNone // who embeds the server and says nothing wants to hear nothing
	fill(reflect.ValueOf(&c).Elem(), reflect.ValueOf(&defaults).Elem())
	return c
}

func fill(v, defaults reflect.Value) {
	for i := range v.NumField() {
		switch f := v.Field(i); {
		case f.Kind() == reflect.Struct:
			fill(f, defaults.Field(i))
		case f.IsZero():
			f.Set(defaults.Field(i))
		}
	}
}

// check returns an error that names every key with a value that cannot work and
// says what would. c has no zero values where there are defaults.
func (c Config) check() error {
	var all []error
	wrong := func(format string, args ...any) { all = append(all, fmt.Errorf(format, args...)) }
	for _, a := range []struct{ key, value string }{{"listen", c.Listen}, {"listenTls", c.ListenTLS}, {"admin", c.Admin}} {
		if a.key == "listenTls" && a.value == "" {
			continue
		}
		if _, port, err := net.SplitHostPort(a.value); err != nil || !isPort(port) {
			wrong("%s: %q is not an address: want host:port, such as 127.0.0.1:8080", a.key, a.value)
		}
	}
	if !regionForm.MatchString(c.Region) {
		wrong("region: %q is not a region: want lower-case letters, digits and hyphens, such as us-east-1", c.Region)
	}
	if !accountForm.MatchString(c.AccountID) {
		wrong("accountId: %q is not an account number: want 12 digits, such as 000000000000", c.AccountID)
	}
	if !suffixForm.MatchString(c.EndpointSuffix) || len(c.EndpointSuffix) > 190 {
		wrong("endpointSuffix: %q is not a domain name: want labels of lower-case letters, digits and hyphens, without port, such as apis.example.com", c.EndpointSuffix)
	}
	if c.DrainTimeout < 0 {
		wrong("drainTimeout: %v is negative: want how long, such as 30s", c.DrainTimeout)
	}
	if _, err := c.Log.level(); err != nil {
		wrong("log.level: %q is not a level: want debug, info, warn or error", c.Log.Level)
	}
	if c.SQSResponse != "xml" && c.SQSResponse != "json" {
		wrong("sqsResponse: %q is not a form: want xml or json", c.SQSResponse)
	}
	if c.Log.Format != "text" && c.Log.Format != "json" {
		wrong("log.format: %q is not a format: want text or json", c.Log.Format)
	}
	known := map[string]bool{}
	for i, cr := range c.Credentials {
		switch {
		case cr.AccessKeyID == "":
			wrong("credentials[%d].accessKeyId is missing", i)
		case cr.SecretAccessKey == "":
			wrong("credentials[%d].secretAccessKey is missing", i)
		case known[cr.AccessKeyID]:
			wrong("credentials[%d].accessKeyId: %s is there twice", i, cr.AccessKeyID)
		case cr.UserName != "" && !userForm.MatchString(cr.UserName):
			wrong("credentials[%d].userName: %q is not a user name: want up to 64 letters, digits and +=,.@_-", i, cr.UserName)
		}
		if _, err := cr.policy(); err != nil {
			wrong("credentials[%d].policy: %w", i, err)
		}
		known[cr.AccessKeyID] = true
	}
	c.checkTLS(wrong)
	c.checkObservability(wrong)
	c.checkFunctions(wrong)
	c.checkUpstreams(wrong)
	c.checkSockets(wrong)
	c.Limits.check(wrong)
	return errors.Join(all...)
}

var (
	regionForm  = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)
	accountForm = regexp.MustCompile(`^[0-9]{12}$`)
	userForm    = regexp.MustCompile(`^[A-Za-z0-9+=,.@_-]{1,64}$`)
	suffixForm  = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$`)
)

// restricted reports whether a policy says what the caller with an access key may do.
func (c Config) restricted(accessKeyID string) bool {
	return slices.ContainsFunc(c.Credentials, func(cr Credential) bool { return cr.AccessKeyID == accessKeyID && cr.Policy != "" })
}

// policy returns the policy of a credential; nil if it has none.
func (c Credential) policy() (*policy.Document, error) {
	if c.Policy == "" {
		return nil, nil
	}
	return policy.Parse(string(c.Policy), control.ConditionKeys)
}

func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && strconv.FormatUint(n, 10) == s
}

func (l Log) level() (level slog.Level, err error) {
	switch l.Level {
	case "debug", "info", "warn", "error":
		err = level.UnmarshalText([]byte(l.Level))
	default:
		err = errors.New("unknown level")
	}
	return level, err
}

// logger returns the logger that c asks for.
func (c Config) logger() *slog.Logger {
	if c.Logger != nil {
		return c.Logger
	}
	level, _ := c.Log.level() // checked
	o := &slog.HandlerOptions{Level: level}
	if c.Log.Format == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, o))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, o))
}

// endpoint returns the host name of an API, without port.
func (c Config) endpoint(apiID string) string {
	return strings.Join([]string{apiID, "execute-api", c.Region, c.EndpointSuffix}, ".")
}
