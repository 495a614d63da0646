package credential

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"penstock/internal/integration"
)

// For each ARN, the configuration decides what signs.
func TestFor(t *testing.T) {
	t.Parallel()
	specs := map[string]Spec{
		testUser:                        {AccessKeyID: "AKIABOB", SecretAccessKey: "secret of bob"},
		testRole:                        {AccessKeyID: "ASIAROLE", SecretAccessKey: "x", SessionToken: "token"},
		testRole + "/empty":             {},
		testRole + "/half":              {AccessKeyID: "AKIA"},
		testRole + "/secret":            {SecretAccessKey: "hidden", AssumeRole: true},
		testRole + "/both":              {AccessKeyID: "AKIA", SecretAccessKey: "hidden", Profile: "pets"},
		testRole + "/profile":           {Profile: "there-is-no-such-profile"},
		testUser + "/assumed":           {AssumeRole: true},
		"arn:aws:iam::1:role/a:user/b/": {AccessKeyID: "AKIAODD", SecretAccessKey: "x"},
	}
	k, err := NewKeyring(Config{Roles: func(arn string) (Spec, bool) { s, ok := specs[arn]; return s, ok }})
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	own, err := k.Own(testKey)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ arn, key, text string }{
		{"", "AKIAEXAMPLE", ""},
		{testRole + "/empty", "AKIAEXAMPLE", ""},
		{testUser, "AKIABOB", ""},
		{testRole, "ASIAROLE", ""},
		{"arn:aws:iam::1:role/a:user/b/", "AKIAODD", ""},
		{"arn:aws:iam::1:role/other", "", "name it under roles"},
		{"arn:aws:iam::1:user/eve", "", "name the user under credentials"},
		{"nonsense", "", "name it under roles"},
		{testRole + "/half", "", "need an access key ID and a secret access key"},
		{testRole + "/secret", "", "need an access key ID and a secret access key"},
		{testRole + "/both", "", "not both"},
		{testRole + "/profile", "", "there-is-no-such-profile"},
		{testUser + "/assumed", "", "is no role"},
	} {
		p, err := k.For(tt.arn, own)
		if tt.text != "" {
			if !errors.Is(err, integration.ErrCredentials) || !strings.Contains(err.Error(), tt.text) || strings.Contains(err.Error(), "hidden") {
				t.Errorf("%s: got %v, want %s", tt.arn, err, tt.text)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tt.arn, err)
			continue
		}
		again, _ := k.For(tt.arn, own)
		if c, err := p.Retrieve(t.Context()); err != nil || c.AccessKeyID != tt.key || again != p {
			t.Errorf("%s: got %s, %v, again %t", tt.arn, c.AccessKeyID, err, again == p)
		}
	}
	if p, err := k.Own(Spec{AssumeRole: true}); err == nil {
		t.Errorf("a role of nobody: %v", p)
	}
}

func TestNewKeyringRefuses(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"sts", "ftp://sts", "http://", "http://a:b@sts", "http://sts?a", "http://sts#a"} {
		if _, err := NewKeyring(Config{STS: url}); err == nil {
			t.Errorf("%s: no error", url)
		}
	}
}

// What prints a Spec prints no secret.
func TestSpecPrinted(t *testing.T) {
	t.Parallel()
	s := Spec{AccessKeyID: "AKIA", SecretAccessKey: "hidden", SessionToken: "hidden"}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		for _, v := range []any{s, struct{ Spec Spec }{s}, []Spec{s}} {
			if text := fmt.Sprintf(format, v); strings.Contains(text, "hidden") || !strings.Contains(text, "AKIA") {
				t.Errorf("%s: %s", format, text)
			}
		}
	}
}

// A role is assumed once for all that want it, and again before its credentials expire,
// while those that there are go on; what STS refuses is remembered for a while.
func TestRenewal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		denied := false
		s := &tokenService{}
		s.answer = func(n int) (int, string) {
			if denied {
				return 403, stsError("AccessDenied", "not authorized to perform: sts:AssumeRole")
			}
			return 200, assumed(n, time.Hour)
		}
		k := mustKeyring(t, s)
		defer k.Close()
		p, err := k.For(testRole, nil)
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if c, err := p.Retrieve(t.Context()); err != nil || c.AccessKeyID != "ASIA1" || c.SessionToken != "token" {
					t.Errorf("got %s, %v", c.AccessKeyID, err)
				}
			})
		}
		wg.Wait()
		n, form, bad := s.calls()
		if n != 1 || bad != nil || form.Get("Action") != "AssumeRole" || form.Get("RoleArn") != testRole || form.Get("RoleSessionName") != "penstock" {
			t.Fatalf("%d calls, %v, %v", n, form, bad)
		}
		for _, step := range []struct {
			name   string
			after  time.Duration
			denied bool
			key    string // "" for ErrCredentials
			calls  int
		}{
			{"kept", 54 * time.Minute, false, "ASIA1", 1},
			{"renewed meanwhile", time.Minute, false, "ASIA1", 2},
			{"the new ones", 0, false, "ASIA2", 2},
			{"no renewal", 56 * time.Minute, true, "ASIA2", 3},
			{"remembered", time.Second, true, "ASIA2", 3},
			{"tried again", failureTime, true, "ASIA2", 4},
			{"expired", 4 * time.Minute, true, "", 5},
			{"refused", time.Second, false, "", 5},
			{"assumed again", failureTime, false, "ASIA6", 6},
		} {
			time.Sleep(step.after)
			denied = step.denied
			c, err := p.Retrieve(t.Context())
			synctest.Wait()
			if n, _, _ := s.calls(); n != step.calls || c.AccessKeyID != step.key || (err != nil) != (step.key == "") || err != nil && !errors.Is(err, integration.ErrCredentials) {
				t.Errorf("%s: got %q, %v after %d calls, want %q after %d", step.name, c.AccessKeyID, err, n, step.key, step.calls)
			}
			if err != nil && !strings.Contains(err.Error(), "AccessDenied") {
				t.Errorf("%s: %v does not say why", step.name, err)
			}
		}
	})
}

// A Retrieve ends with its context, the attempt with its time or with the Keyring.
func TestHanging(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &tokenService{answer: func(int) (int, string) { return 0, "" }}
		k := mustKeyring(t, s)
		p, err := k.For(testRole, nil)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := p.Retrieve(ctx); err != context.DeadlineExceeded || time.Since(start) != time.Second {
			t.Errorf("got %v after %v", err, time.Since(start))
		}
		if _, err := p.Retrieve(ctx); err != context.DeadlineExceeded {
			t.Errorf("ended beforehand: %v", err)
		}
		if _, err := p.Retrieve(t.Context()); !errors.Is(err, integration.ErrCredentials) || time.Since(start) != fetchTimeout {
			t.Errorf("got %v after %v", err, time.Since(start))
		}
		if n, _, _ := s.calls(); n != 1 {
			t.Errorf("%d calls", n)
		}
		time.Sleep(failureTime)
		start = time.Now()
		result := make(chan error)
		go func() {
			_, err := p.Retrieve(t.Context())
			result <- err
		}()
		synctest.Wait()
		k.Close()
		if err := <-result; !errors.Is(err, integration.ErrCredentials) || time.Since(start) != 0 {
			t.Errorf("at the end: %v", err)
		}
		time.Sleep(failureTime)
		if _, err := p.Retrieve(t.Context()); !errors.Is(err, errClosed) {
			t.Errorf("after the end: %v", err)
		}
	})
}

// What is no answer of STS is ErrCredentials, however long it is.
func TestAnswers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		status int
		body   string
		text   string
	}{
		{"denied", 403, stsError("AccessDenied", "User: x is not authorized"), "User: x is not authorized"},
		{"expired", 200, assumed(1, -time.Minute), "have expired at"},
		{"no credentials", 200, "<AssumeRoleResponse><AssumeRoleResult></AssumeRoleResult></AssumeRoleResponse>", "no credentials"},
		{"half", 200, strings.Replace(assumed(1, time.Hour), "<SessionToken>token</SessionToken>", "", 1), "no credentials"},
		{"no XML", 200, "{}", "assume " + testRole},
		{"down", 503, "", "503"},
		{"moved", 307, "", "307"},
		{"long", 403, stsError("AccessDenied", strings.Repeat("x", 1<<20)), "assume " + testRole},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &tokenService{answer: func(int) (int, string) { return tt.status, tt.body }}
			k := mustKeyring(t, s)
			defer k.Close()
			p, err := k.For(testRole, nil)
			if err != nil {
				t.Fatal(err)
			}
			c, err := p.Retrieve(t.Context())
			if !errors.Is(err, integration.ErrCredentials) || !strings.Contains(err.Error(), tt.text) || c.HasKeys() || len(err.Error()) > 2*maxAnswer {
				t.Errorf("got %v", err)
			}
			if strings.Contains(err.Error(), testKey.SecretAccessKey) {
				t.Errorf("a secret is in %v", err)
			}
			if n, _, _ := s.calls(); n != 1 {
				t.Errorf("%d calls", n)
			}
		})
	}
}

// A failure to find credentials is remembered for a while, and the end of a context is
// none.
func TestFailureRemembered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k, err := NewKeyring(Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer k.Close()
		tried := 0
		var answer error
		p := &Provider{keyring: k, fetch: func(context.Context) (aws.Credentials, error) {
			tried++
			return aws.Credentials{AccessKeyID: "AKIAEXAMPLE", CanExpire: true, Expires: time.Now().Add(time.Second)}, answer
		}}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		cause := errors.New("no role")
		for _, step := range []struct {
			name   string
			ctx    context.Context
			after  time.Duration
			answer error
			want   error
			tried  int
		}{
			{"context ended", ended, 0, nil, context.Canceled, 0},
			{"found", t.Context(), 0, nil, nil, 1},
			{"kept", ended, time.Second - 1, nil, nil, 1},
			{"failed", t.Context(), 1, cause, cause, 2},
			{"remembered", t.Context(), failureTime - 1, nil, integration.ErrCredentials, 2},
			{"tried again", t.Context(), 1, nil, nil, 3},
		} {
			time.Sleep(step.after)
			answer = step.answer
			if _, err := p.Retrieve(step.ctx); !errors.Is(err, step.want) || tried != step.tried {
				t.Errorf("%s: got %v after %d tries, want %v after %d", step.name, err, tried, step.want, step.tried)
			}
		}
	})
}

// The providers of a Keyring are bounded.
func TestBounded(t *testing.T) {
	t.Parallel()
	n := 0
	k, err := NewKeyring(Config{Roles: func(string) (Spec, bool) {
		n++
		return Spec{AccessKeyID: fmt.Sprint("AKIA", n), SecretAccessKey: "x"}, true
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	for range maxProviders + 10 {
		if _, err := k.For(testRole, nil); err != nil {
			t.Fatal(err)
		}
	}
	if len(k.known) > maxProviders {
		t.Errorf("%d providers", len(k.known))
	}
}

func BenchmarkFor(b *testing.B) {
	k, err := NewKeyring(Config{Roles: func(string) (Spec, bool) { return testKey, true }})
	if err != nil {
		b.Fatal(err)
	}
	defer k.Close()
	b.ReportAllocs()
	for b.Loop() {
		p, err := k.For(testRole, nil)
		if err != nil {
			b.Fatal(err)
		}
		if _, ok := p.Current(); !ok {
			b.Fatal("no credentials")
		}
	}
}
