package penstock

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"penstock/internal/control"
	"penstock/internal/function"
	"penstock/internal/sigv4"
	"penstock/internal/store"
)

// newAdmin returns the server of the admin address.
func (s *Server) newAdmin() *http.Server {
	return &http.Server{
		Handler:           s.adminHandler(),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		WriteTimeout:      2 * time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ConnState: func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				s.conns.Add(1)
			case http.StateClosed:
				s.conns.Done()
			}
		},
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug), // what clients do wrong
	}
}

// adminHandler answers on the admin address. The path is taken as it was escaped,
// so that no other spelling of it means the same.
func (s *Server) adminHandler() http.Handler {
	metrics := promhttp.HandlerFor(s.metrics, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
	foreign := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.verifier == nil {
			err := checkHost(r.Host)
			if err == nil && foreign.Check(r) != nil {
				err = errors.New("without credentials the control plane does not take calls from pages of other origins: configure credentials")
			}
			if err != nil {
				refuse(w, http.StatusForbidden, "AccessDeniedException", err.Error())
				return
			}
		}
		path := r.URL.EscapedPath()
		if own := path == "/metrics" || strings.HasPrefix(path, "/_penstock/"); own && r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			refuse(w, http.StatusMethodNotAllowed, "MethodNotAllowedException", "use GET")
			return
		}
		switch path {
		case "/_penstock/health":
			report(w, http.StatusOK, `{"status":"ok"}`)
		case "/_penstock/ready":
			if reason := *s.unready.Load(); reason != "" {
				report(w, http.StatusServiceUnavailable, fmt.Sprintf(`{"status":"not ready","reason":%q}`, reason))
				return
			}
			report(w, http.StatusOK, `{"status":"ready"}`)
		case "/metrics":
			metrics.ServeHTTP(w, r)
		case "/_penstock/backup":
			s.serveBackup(w, r)
		case "/_penstock/requests":
			s.serveRequests(w, r)
		case "/_penstock/functions/logs":
			s.serveFunctionLogs(w, r)
		default:
			if isLambdaPath(path) {
				s.serveLambda(w, r)
				return
			}
			if name, ok := codePath(path); ok {
				s.serveCode(w, r, name)
				return
			}
			if id, ok := strings.CutPrefix(path, "/_penstock/requests/"); ok {
				s.serveRequest(w, r, id)
				return
			}
			s.serveControl(w, r)
		}
	})
}

func report(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	io.WriteString(w, body+"\n")
}

// refuse answers in the form of the control plane.
func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("x-amzn-ErrorType", code)
	report(w, status, fmt.Sprintf(`{"message":%q}`, message))
}

func (s *Server) serveControl(w http.ResponseWriter, r *http.Request) {
	c := s.control.Load()
	if c == nil {
		w.Header().Set("Retry-After", "1")
		refuse(w, http.StatusServiceUnavailable, "ServiceUnavailableException", starting)
		return
	}
	c.ServeHTTP(w, r)
}

// checkHost refuses names that somebody else can point at this machine: where no
// signature is asked for, a page of theirs in a browser here could otherwise read
// and write as if it were local. Addresses, names without a dot, and names under
// localhost and internal are nobody's to give away.
func checkHost(host string) error {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	if _, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return nil
	}
	if !strings.Contains(name, ".") || strings.HasSuffix(name, ".localhost") || strings.HasSuffix(name, ".internal") {
		return nil
	}
	return fmt.Errorf("without credentials the control plane does not answer to the name %s: use localhost, or configure credentials", name)
}

// newVerifier returns what verifies signatures for a service.
func newVerifier(credentials []Credential, service string) *sigv4.Verifier {
	known := make(map[string]sigv4.Credential, len(credentials))
	for _, c := range credentials {
		known[c.AccessKeyID] = c.signing()
	}
	return sigv4.NewVerifier(sigv4.Options{
		Service: service,
		Lookup: func(id string) (sigv4.Credential, bool) {
			c, ok := known[id]
			return c, ok
		},
	})
}

// signing returns what a credential signs with.
func (c Credential) signing() sigv4.Credential {
	return sigv4.Credential{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken}
}

// An authenticator lets in who has signed with a known credential.
type authenticator struct {
	verifier   *sigv4.Verifier
	principals map[string]control.Principal // by access key ID
}

func newAuthenticator(v *sigv4.Verifier, c Config) (authenticator, error) {
	a := authenticator{v, map[string]control.Principal{}}
	for _, cr := range c.Credentials {
		document, err := cr.policy()
		if err != nil {
			return a, err
		}
		a.principals[cr.AccessKeyID] = control.Principal{Name: cmp.Or(cr.UserName, cr.AccessKeyID), ARN: cr.arn(c.AccountID), Policy: document}
	}
	return a, nil
}

func (a authenticator) Authenticate(r *http.Request, body []byte) (control.Principal, error) {
	identity, err := a.verifier.Verify(r, body)
	if err != nil {
		return control.Principal{}, err
	}
	return a.principals[identity.AccessKeyID], nil
}

// Backup writes everything that is stored, as it is at one moment, to w. What was
// written can be restored by `penstock restore`.
func (s *Server) Backup(w io.Writer) error {
	with, err := function.WithCode(s.store, s.lambda.code)
	if err != nil {
		return err
	}
	return store.WriteBackup(w, with)
}

// admits reports whether a caller may have what is not told by the control plane
// itself, and says so if not: one without a policy, since policies do not know of it.
// The reason says why it is not for everyone.
func (s *Server) admits(w http.ResponseWriter, r *http.Request, reason string) bool {
	if s.verifier != nil {
		identity, err := s.verifier.Verify(r, nil)
		if err != nil {
			var refused *sigv4.Error
			errors.As(err, &refused)
			refuse(w, http.StatusForbidden, refused.Code(), refused.Error())
			return false
		}
		if s.config.restricted(identity.AccessKeyID) {
			refuse(w, http.StatusForbidden, "AccessDeniedException", reason)
			return false
		}
	}
	if s.control.Load() == nil {
		refuse(w, http.StatusServiceUnavailable, "ServiceUnavailableException", starting)
		return false
	}
	return true
}

// serveBackup streams a backup to whoever may call the control plane.
func (s *Server) serveBackup(w http.ResponseWriter, r *http.Request) {
	if !s.admits(w, r, "a backup holds everything: only callers without a policy may take one") {
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	out := &patient{w: w, control: http.NewResponseController(w)}
	switch err := s.Backup(out); {
	case err == nil:
	case out.begun:
		s.log.Error("backup ended early", "error", err)
		panic(http.ErrAbortHandler) // so that the client sees that it is not whole
	default:
		s.log.Error("backup", "error", err)
		refuse(w, http.StatusInternalServerError, "InternalServerErrorException", "the backup failed: see the log of the server")
	}
}

// patient writes a response of any length: each part may take as long as a whole
// response usually may.
type patient struct {
	w       io.Writer
	control *http.ResponseController
	begun   bool
}

func (p *patient) Write(b []byte) (int, error) {
	p.begun = true
	if err := p.control.SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
		return 0, err
	}
	return p.w.Write(b)
}

// DownloadBackup writes a backup of the server at an admin URL, such as
// http://127.0.0.1:8081, to w. The credential signs the request; one without an
// access key ID leaves it unsigned. What has arrived is whole if the error is nil.
func DownloadBackup(ctx context.Context, w io.Writer, adminURL string, c Credential) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(adminURL, "/")+"/_penstock/backup", nil)
	if err != nil {
		return err
	}
	if c.AccessKeyID != "" {
		signer := sigv4.Signer{Credential: c.signing(), Region: "us-east-1", Service: "apigateway"}
		if err := signer.Sign(r, nil); err != nil {
			return err
		}
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
		return fmt.Errorf("%s answers %s: %s", adminURL, resp.Status, strings.TrimSpace(string(text)))
	}
	_, err = io.Copy(w, resp.Body)
	return err
}
