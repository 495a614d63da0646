package penstock

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"penstock/internal/audit"
	"penstock/internal/credential"
	"penstock/internal/function"
	"penstock/internal/functionlog"
	"penstock/internal/integration"
	"penstock/internal/lambda"
	"penstock/internal/lambda/bootstrap"
	"penstock/internal/lambda/remote"
	"penstock/internal/policy"
)

// A lambdas is everything about functions that a server has.
type lambdas struct {
	log     *functionlog.Log
	host    *lambda.Host
	service *function.Service
	remotes []*remote.Invoker
	invoker integration.Invoker
	scratch string // directory that lasts as long as the server
	code    string // directory of the zips
}

// openFunctions starts what runs functions, and what calls those that run elsewhere.
func (s *Server) openFunctions(known roles) (err error) {
	l, c := &s.lambda, s.config
	l.log = functionlog.New(c.FunctionHost.LogMemory)
	if l.scratch, err = s.openScratch(); err != nil {
		return fmt.Errorf("functionHost: %w", err)
	}
	runtimes, err := bootstrap.Install(filepath.Join(l.scratch, "runtimes"))
	if err != nil {
		return fmt.Errorf("functionHost: %w", err)
	}
	if l.host, err = lambda.NewHost(lambda.Config{
		MaxEnvironments: c.FunctionHost.Environments,
		IdleTimeout:     c.FunctionHost.IdleTimeout,
		InitTimeout:     c.FunctionHost.InitTimeout,
		Commands:        c.FunctionHost.Commands,
		BootstrapCommand: func(runtime string, memory int) ([]string, map[string]string, error) {
			if text := runtimes.Mismatch(runtime); text != "" {
				s.log.Warn(text)
			}
			command, env, err := runtimes.Command(runtime, memory)
			if err != nil {
				err = fmt.Errorf("%w; functionHost.commands.%s in the configuration can name another program", err, runtime)
			}
			return command, env, err
		},
		Region:      c.Region,
		Credentials: lambda.Credentials{AccessKeyID: c.FunctionHost.AccessKeyID, SecretAccessKey: c.FunctionHost.SecretAccessKey, SessionToken: c.FunctionHost.SessionToken},
		User:        c.FunctionHost.User,
		Dir:         l.scratch,
		Log:         l.log,
		Logger:      s.log,
	}); err != nil {
		return fmt.Errorf("functionHost: %w", err)
	}
	s.observeFunctions()
	if l.code = CodeDir(c.Data); c.Memory {
		l.code = filepath.Join(l.scratch, "code")
	}
	o := function.Options{
		Store:    s.store,
		Dir:      l.code,
		Host:     l.host,
		Account:  c.AccountID,
		Region:   c.Region,
		Declared: c.declared(),
		Enforce:  s.enforcesPermissions(),
		Roles:    known,
		Retries:  c.FunctionHost.RetryDelays,
		Audit:    audit.New(s.audit.Writer, time.Now, s.log),
		Log:      s.log,
	}
	if len(c.Credentials) > 0 {
		if o.Authenticate, err = c.functionCallers(); err != nil {
			return err
		}
	}
	if l.service, err = function.Open(o); err != nil {
		return err
	}
	l.invoker, err = s.newRouter()
	return err
}

// CodeDir returns the directory in [Config.Data] that the code of functions is kept in.
func CodeDir(data string) string { return filepath.Join(data, "functions") }

// openScratch makes the directory for what lasts as long as the server. What is left of
// a server that was killed is removed.
func (s *Server) openScratch() (string, error) {
	if s.config.Memory {
		dir, err := os.MkdirTemp("", "penstock-")
		if err == nil {
			err = os.Chmod(dir, 0o755) // functions may run as another user
		}
		return dir, err
	}
	dir, err := filepath.Abs(filepath.Join(s.config.Data, "scratch"))
	if err != nil {
		return "", err
	}
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	return dir, os.MkdirAll(dir, 0o755)
}

// declared returns the functions of the configuration.
func (c Config) declared() map[string]function.Declared {
	all := map[string]function.Declared{}
	for name, f := range c.Functions {
		d := function.Declared{
			Runtime: f.Runtime, Handler: f.Handler, Code: f.Code, Environment: f.Environment,
			Timeout: f.Timeout, Memory: f.Memory,
			Concurrency: cmp.Or(f.Concurrency, -1), Invoke: f.Invoke,
		}
		all[name] = d
	}
	return all
}

// enforcesPermissions reports whether resource policies decide who may call functions.
func (s *Server) enforcesPermissions() bool {
	if enforce := s.config.FunctionHost.EnforcePermissions; enforce != nil {
		return *enforce
	}
	return !s.onLoopback()
}

// newRouter returns what calls functions, wherever they are.
func (s *Server) newRouter() (integration.Invoker, error) {
	if len(s.config.RemoteFunctions) == 0 {
		return s.lambda.service, nil
	}
	var routes []function.Route
	for i, r := range s.config.RemoteFunctions {
		invoker, err := remote.New(remote.Config{
			Endpoint:    r.Endpoint,
			Region:      r.Region,
			Keyring:     s.keyring,
			Credentials: credential.Spec{AccessKeyID: r.AccessKeyID, SecretAccessKey: r.SecretAccessKey, SessionToken: r.SessionToken, Profile: r.Profile},
		})
		if err != nil {
			return nil, fmt.Errorf("remoteFunctions[%d]: %w", i, err)
		}
		s.lambda.remotes = append(s.lambda.remotes, invoker)
		routes = append(routes, function.Route{Match: r.Functions, Invoker: invoker})
	}
	router, err := function.NewRouter(routes, s.lambda.service)
	if err != nil {
		return nil, fmt.Errorf("remoteFunctions: %w", err)
	}
	return router, nil
}

// A role is what the configuration says of an IAM role.
type role struct {
	credentials credential.Spec
	policy      *policy.Document // nil: it may call every function
}

// roles are those of the configuration, by ARN, and the callers.
type roles map[string]role

func (c Config) roles() (roles, error) {
	all := roles{}
	for i, r := range c.Roles {
		document, err := r.policy()
		if err != nil {
			return nil, fmt.Errorf("roles[%d].policy: %w", i, err)
		}
		all[r.ARN] = role{credential.Spec{AccessKeyID: r.AccessKeyID, SecretAccessKey: r.SecretAccessKey, SessionToken: r.SessionToken, Profile: r.Profile, AssumeRole: r.AssumeRole}, document}
	}
	// Callers are there for integrations that are called as the caller.
	for i, cr := range c.Credentials {
		document, err := cr.policy()
		if err != nil {
			return nil, fmt.Errorf("credentials[%d].policy: %w", i, err)
		}
		all[cr.arn(c.AccountID)] = role{credential.Spec{AccessKeyID: cr.AccessKeyID, SecretAccessKey: cr.SecretAccessKey, SessionToken: cr.SessionToken}, document}
	}
	return all, nil
}

// MayInvoke implements function.Roles.
func (r roles) MayInvoke(roleARN, functionARN string) error {
	known, ok := r[roleARN]
	if !ok {
		return fmt.Errorf("%w: roles in the configuration do not name %s", integration.ErrCredentials, roleARN)
	}
	if known.policy == nil {
		return nil
	}
	if d := known.policy.Evaluate(policy.Request{Action: "lambda:InvokeFunction", Resource: functionARN}); d != policy.Allowed {
		return fmt.Errorf("%w: lambda:InvokeFunction on %s is %s by the policy of %s", integration.ErrNotPermitted, functionARN, d, roleARN)
	}
	return nil
}

// credentials returns what calls for a role are signed with.
func (r roles) credentials(roleARN string) (credential.Spec, bool) {
	known, ok := r[roleARN]
	return known.credentials, ok
}

// functionCallers returns what lets in who may call the Lambda API.
func (c Config) functionCallers() (func(r *http.Request, body []byte) (function.Principal, error), error) {
	a, err := newAuthenticator(newVerifier(c.Credentials, "lambda"), c)
	if err != nil {
		return nil, err
	}
	return func(r *http.Request, body []byte) (function.Principal, error) {
		p, err := a.Authenticate(r, body)
		return function.Principal(p), err
	}, nil
}

// isLambdaPath reports whether a path is one of the Lambda API, each of which begins with
// the date of its version.
func isLambdaPath(path string) bool {
	if len(path) < 12 || path[0] != '/' || path[11] != '/' {
		return false
	}
	_, err := time.Parse(time.DateOnly, path[1:11])
	return err == nil
}

// invocationTimeout is how long the answer to a call of the Lambda API may take: as long
// as a function may run, and some more.
const invocationTimeout = maxFunctionTimeout + time.Minute

// serveLambda answers a call of the Lambda API.
func (s *Server) serveLambda(w http.ResponseWriter, r *http.Request) {
	if s.control.Load() == nil {
		w.Header().Set("Retry-After", "1")
		refuse(w, http.StatusServiceUnavailable, "ServiceException", starting)
		return
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(invocationTimeout)) // if it cannot be, it is shorter
	s.lambda.service.ServeHTTP(w, r)
}

// serveCode answers the zip of a function, to whoever has got the URL of GetFunction.
func (s *Server) serveCode(w http.ResponseWriter, r *http.Request, escaped string) {
	name, err := url.PathUnescape(escaped)
	if err != nil || s.control.Load() == nil {
		refuse(w, http.StatusNotFound, "NotFoundException", "there is no such code")
		return
	}
	s.lambda.service.ServeCode(w, r, name)
}

const logsReason = "what functions log is about all of them: only callers without a policy may read it"

// maxLastLines is how many log lines can be asked for.
const maxLastLines = 100_000

// serveFunctionLogs answers what functions have logged: one object of JSON a line, and
// with follow=true those that come, until the caller leaves.
func (s *Server) serveFunctionLogs(w http.ResponseWriter, r *http.Request) {
	if !s.admits(w, r, logsReason) {
		return
	}
	query := r.URL.Query()
	last := 100
	if text := query.Get("last"); text != "" {
		var err error
		if last, err = strconv.Atoi(text); err != nil || last < 0 || last > maxLastLines {
			refuse(w, http.StatusBadRequest, "BadRequestException", fmt.Sprintf("last: want a number up to %d", maxLastLines))
			return
		}
	}
	name := query.Get("function")
	if name != "" && !s.lambda.service.Has(name) && len(s.lambda.log.Lines(name, 0, 1)) == 0 {
		refuse(w, http.StatusNotFound, "NotFoundException", fmt.Sprintf("there is no function %s", name))
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Header().Set("Cache-Control", "no-store")
	out := &patient{w: w, control: http.NewResponseController(w)}
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	after := uint64(0)
	for _, line := range s.lambda.log.Lines(name, 0, -max(last, 1)) {
		after = line.Number
		if last > 0 && encoder.Encode(line) != nil {
			return
		}
	}
	if query.Get("follow") != "true" {
		return
	}
	_ = out.control.Flush() // that there is nothing yet is an answer, too
	ctx, cancel := s.untilEnd(r.Context())
	defer cancel()
	for line := range s.lambda.log.Follow(ctx, name, after) {
		if encoder.Encode(line) != nil || out.control.Flush() != nil {
			return
		}
	}
}

// closeFunctions ends everything about functions.
func (s *Server) closeFunctions() error {
	l := &s.lambda
	var all []error
	if l.service != nil {
		all = append(all, l.service.Close())
	}
	if l.host != nil {
		all = append(all, l.host.Close())
	}
	for _, r := range l.remotes {
		r.Close()
	}
	if l.scratch != "" {
		all = append(all, os.RemoveAll(l.scratch))
	}
	return errors.Join(all...)
}

// codePath returns the name of the function whose code a path is about, if it is.
func codePath(path string) (name string, ok bool) {
	name, ok = strings.CutPrefix(path, "/_penstock/functions/")
	if !ok {
		return "", false
	}
	return strings.CutSuffix(name, "/code")
}
