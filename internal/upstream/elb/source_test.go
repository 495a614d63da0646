package elb

import (
	"context"
	"errors"
	"net"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"penstock/internal/upstream"
)

func TestNew(t *testing.T) {
	t.Parallel()
	const prefix = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:"
	for _, tt := range []struct {
		name   string
		config Config
		want   string // in the error
	}{
		{"application", Config{ListenerARN: testARN}, ""},
		{"network", Config{ListenerARN: prefix + "listener/net/Pets-1/50dc6c495c0c9188/f2f7dc8efc522ab2"}, ""},
		{"China", Config{ListenerARN: "arn:aws-cn:elasticloadbalancing:cn-north-1:123456789012:listener/app/pets/1/2"}, ""},
		{"region", Config{ListenerARN: testARN, Region: "us-east-1"}, ""},
		{"nothing", Config{}, "is not the ARN of a listener"},
		{"gateway", Config{ListenerARN: prefix + "listener/gwy/pets/1/2"}, "is not the ARN"},
		{"load balancer", Config{ListenerARN: testBalancer}, "is not the ARN"},
		{"rule", Config{ListenerARN: prefix + "listener-rule/app/pets/1/2/3"}, "is not the ARN"},
		{"classic", Config{ListenerARN: prefix + "loadbalancer/pets"}, "is not the ARN"},
		{"no ID", Config{ListenerARN: prefix + "listener/app/pets/1/"}, "is not the ARN"},
		{"query", Config{ListenerARN: testARN + "?stage=prod"}, "is not the ARN"},
		{"service", Config{ListenerARN: strings.Replace(testARN, "elasticloadbalancing", "servicediscovery", 1)}, "is not the ARN"},
		{"no region", Config{ListenerARN: strings.Replace(testARN, "eu-west-1", "", 1)}, "is not the ARN"},
		{"no account", Config{ListenerARN: strings.Replace(testARN, "123456789012", "", 1)}, "is not the ARN"},
		{"wrong region", Config{ListenerARN: testARN, Region: "evil.test/"}, "is not the name of a region"},
		{"endpoint", Config{ListenerARN: testARN, Endpoint: "localhost:4566"}, "the endpoint is not"},
		{"password in the endpoint", Config{ListenerARN: testARN, Endpoint: "http://a:secret@localhost"}, "the endpoint is not"},
		{"interval", Config{ListenerARN: testARN, Interval: -1}, "the interval"},
	} {
		tt.config.Credentials = testCredentials
		_, err := New(tt.config)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error tells a secret: %v", tt.name, err)
		}
	}
	if _, err := New(Config{ListenerARN: testARN}); err == nil {
		t.Error("no credentials: got no error")
	}
}

// Both operations go to the endpoint, over TCP, and are signed.
func TestEndpoint(t *testing.T) {
	t.Parallel()
	s := newService()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	source, err := New(Config{ListenerARN: testARN, Region: "us-east-2", Endpoint: server.URL, Credentials: testCredentials, Interval: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	r := launch(t, source)
	e := await(t, r.events)
	if want := []upstream.Instance{{Host: testName, Port: 80}}; e.err != nil || !reflect.DeepEqual(e.list, want) {
		t.Errorf("got %v and %v, want %v", e.list, e.err, want)
	}
	host := strings.TrimPrefix(server.URL, "http://")
	for _, want := range []url.Values{
		{"Action": {"DescribeListeners"}, "Version": {"2015-12-01"}, "ListenerArns.member.1": {testARN}},
		{"Action": {"DescribeLoadBalancers"}, "Version": {"2015-12-01"}, "LoadBalancerArns.member.1": {testBalancer}},
	} {
		got := await(t, s.asked)
		if got.region != "us-east-2" || got.host != host || !reflect.DeepEqual(got.form, want) {
			t.Errorf("got %v in %s at %s, want %v", got.form, got.region, got.host, want)
		}
	}
}

// Without an endpoint, AWS is asked.
func TestHosts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ arn, region, want string }{
		{testARN, "", "elasticloadbalancing.eu-west-1.amazonaws.com:443"},
		{testARN, "us-east-2", "elasticloadbalancing.us-east-2.amazonaws.com:443"},
		{"arn:aws-cn:elasticloadbalancing:cn-north-1:123456789012:listener/app/pets/1/2", "", "elasticloadbalancing.cn-north-1.amazonaws.com.cn:443"},
	} {
		source, err := New(Config{ListenerARN: tt.arn, Region: tt.region, Credentials: testCredentials})
		if err != nil {
			t.Fatal(err)
		}
		var dialled string
		source.transport.DialContext = func(_ context.Context, _, address string) (net.Conn, error) {
			dialled = address
			return nil, errors.New("not today")
		}
		if _, _, err := source.find(t.Context()); err == nil || dialled != tt.want {
			t.Errorf("%s: went to %s, want %s", tt.arn, dialled, tt.want)
		}
	}
}

// What the service says becomes one instance, none, or a failure that leaves the list.
func TestFind(t *testing.T) {
	t.Parallel()
	const none = "none"
	for _, tt := range []struct {
		name   string
		change func(*service)
		want   string // the list; none for no list
		why    string // in the failure
	}{
		{"HTTP", func(*service) {}, testName + ":80", ""},
		{"HTTPS stays clear text", func(s *service) { s.listener.protocol, s.listener.port = "HTTPS", "443" }, testName + ":443", ""},
		{"TCP", func(s *service) { s.listener.protocol = "TCP" }, testName + ":80", ""},
		{"TLS", func(s *service) { s.listener.protocol = "TLS" }, testName + ":80", ""},
		{"TCP and UDP", func(s *service) { s.listener.protocol = "TCP_UDP" }, testName + ":80", ""},
		{"highest port", func(s *service) { s.listener.port = "65535" }, testName + ":65535", ""},
		{"internet-facing", func(s *service) { s.balancer.scheme = "internet-facing" }, testName + ":80", ""},
		{"impaired", func(s *service) { s.balancer.state = "active_impaired" }, testName + ":80", ""},
		{"UDP", func(s *service) { s.listener.protocol = "UDP" }, "", "it cannot be reached: its protocol UDP does not carry HTTP"},
		{"QUIC", func(s *service) { s.listener.protocol = "QUIC" }, "", "its protocol QUIC"},
		{"provisioning", func(s *service) { s.balancer.state, s.balancer.reason = "provisioning", "soon" }, "", "it cannot be reached: the load balancer is in the state provisioning (soon)"},
		{"failed", func(s *service) { s.balancer.state = "failed" }, "", "in the state failed"},
		{"no listener", func(s *service) { s.listener.arn = "" }, "", "it cannot be reached: DescribeListeners was answered 400 ListenerNotFound: One or more listeners not found"},
		{"no load balancer", func(s *service) { s.balancer.arn = "" }, "", "it cannot be reached: DescribeLoadBalancers was answered 400 LoadBalancerNotFound"},
		{"unknown state", func(s *service) { s.balancer.state = "sleeping" }, none, `in the unknown state "sleeping"`},
		{"no state", func(s *service) { s.balancer.state = "" }, none, "has no state"},
		{"other listener", func(s *service) { s.listener.arn = testARN + "3" }, none, "DescribeListeners is not about it"},
		{"other load balancer", func(s *service) { s.balancer.arn = testBalancer + "9" }, none, "DescribeLoadBalancers is not about"},
		{"no load balancer named", func(s *service) { s.listener.balancer = "" }, none, "names no load balancer"},
		{"port 0", func(s *service) { s.listener.port = "0" }, none, "has the port 0"},
		{"port 65536", func(s *service) { s.listener.port = "65536" }, none, "has the port 65536"},
		{"no name", func(s *service) { s.balancer.name = "" }, none, `has the DNS name ""`},
		{"strange name", func(s *service) { s.balancer.name = "a.test/evil" }, none, `has the DNS name "a.test/evil"`},
		{"no XML", func(s *service) { s.refuse["DescribeListeners"] = &refusal{status: 200, raw: "{}"} }, none, "DescribeListeners"},
		{"cut", func(s *service) {
			s.refuse["DescribeListeners"] = &refusal{status: 200, raw: "<DescribeListenersResponse><DescribeListenersResult><Listeners><member>"}
		}, none, "DescribeListeners"},
		{"too long", func(s *service) {
			s.refuse["DescribeListeners"] = &refusal{status: 200, raw: "<DescribeListenersResponse>" + strings.Repeat(" ", 2*maxAnswer) +
				"<DescribeListenersResult><Listeners><member><ListenerArn>" + testARN + "</ListenerArn><LoadBalancerArn>" + testBalancer +
				"</LoadBalancerArn><Port>80</Port><Protocol>HTTP</Protocol></member></Listeners></DescribeListenersResult></DescribeListenersResponse>"}
		}, none, "DescribeListeners"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newService()
				tt.change(s)
				r := start(t, s, Config{})
				if tt.want != none {
					e := await(t, r.events)
					if e.err != nil || text(e.list) != tt.want {
						t.Errorf("got %s and %v, want %s", text(e.list), e.err, tt.want)
					}
					for _, i := range e.list {
						if i.TLS {
							t.Error("the instance is spoken to over TLS")
						}
					}
				}
				if tt.why != "" {
					if got := r.mustFail(t); !strings.Contains(got, tt.why) || !strings.Contains(got, testARN) || len(got) > maxErrorText {
						t.Errorf("got %.2000s, want %s", got, tt.why)
					}
				}
				synctest.Wait()
				r.mustBeSilent(t)
			})
		})
	}
}

// The listener is asked for in intervals, and passed on if it is another one.
func TestChanges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newService()
		r := start(t, s, Config{})
		r.mustList(t)
		if got, want := s.drain(), []string{"DescribeListeners", "DescribeLoadBalancers"}; !slices.Equal(got, want) {
			t.Errorf("asked %v, want %v", got, want)
		}
		last := time.Now()
		for range 10 {
			q := await(t, s.asked)
			if d := q.at.Sub(last); q.operation != "DescribeListeners" || d < 27*time.Second || d > 33*time.Second {
				t.Errorf("asked %s after %s, want DescribeListeners after some 30 s", q.operation, d)
			}
			last = q.at
			await(t, s.asked)
		}
		synctest.Wait()
		r.mustBeSilent(t)
		for _, tt := range []struct {
			name   string
			change func(*service)
			want   string
		}{
			{"another port", func(s *service) { s.listener.port = "8080" }, testName + ":8080"},
			{"another name", func(s *service) { s.balancer.name = "other.test" }, "other.test:8080"},
			{"deleted", func(s *service) { s.listener.arn = "" }, ""},
			{"back", func(s *service) { s.listener.arn = testARN }, "other.test:8080"},
		} {
			s.change(tt.change)
			if got := r.mustList(t); got != tt.want {
				t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
			}
			if tt.want == "" {
				// That there is none is said once, why not is said again.
				for range 3 {
					r.mustFail(t)
				}
			}
		}
	})
}

// While the API cannot be asked, the list stays: update is not called.
func TestLoss(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, operation string
		refusal         refusal
		want            string
		slow            bool
	}{
		{"failure", "DescribeListeners", refusal{status: 500, code: "InternalFailure", text: "oh no"}, "DescribeListeners was answered 500 InternalFailure: oh no", false},
		{"unavailable", "DescribeLoadBalancers", refusal{status: 503, raw: "busy"}, "DescribeLoadBalancers", false},
		{"redirect", "DescribeListeners", refusal{status: 307, raw: "<a/>"}, "DescribeListeners was answered 307", false},
		{"throttled", "DescribeLoadBalancers", refusal{status: 400, code: "Throttling", text: "Rate exceeded"}, "DescribeLoadBalancers was answered 400 Throttling: Rate exceeded", true},
		{"denied listeners", "DescribeListeners", refusal{status: 403, code: "AccessDenied", text: "User is not authorized"},
			"the credentials may not do elasticloadbalancing:DescribeListeners; allow them elasticloadbalancing:DescribeListeners and elasticloadbalancing:DescribeLoadBalancers: DescribeListeners was answered 403 AccessDenied: User is not authorized", true},
		{"denied load balancers", "DescribeLoadBalancers", refusal{status: 403, code: "AccessDenied", text: strings.Repeat("é", 5000)},
			"the credentials may not do elasticloadbalancing:DescribeLoadBalancers;", true},
		{"unknown", "DescribeListeners", refusal{status: 403, code: "InvalidClientTokenId", text: "who?"}, "the credentials are not accepted in eu-west-1", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newService()
				r := start(t, s, Config{})
				r.mustList(t)
				s.change(func(s *service) { s.refuse[tt.operation] = &tt.refusal })
				if got := r.mustFail(t); !strings.Contains(got, tt.want) || !strings.Contains(got, testARN) || len(got) > maxErrorText+8 {
					t.Errorf("got %s, want %s", got, tt.want)
				}
				last := time.Now()
				for _, pause := range []int{60, 120, 120} {
					if !tt.slow {
						pause = 30
					}
					s.drain()
					r.mustFail(t)
					if got := s.drain(); got[len(got)-1] != tt.operation || len(got) > 2 || len(got) == 2 && got[0] == got[1] {
						t.Errorf("asked %v, want nothing twice", got)
					}
					want := time.Duration(pause) * time.Second
					if d := time.Since(last); d < want*9/10 || d > want*11/10 {
						t.Errorf("asked again after %s, want some %s", d, want)
					}
					last = time.Now()
				}
				// The same list again says that all is well.
				s.change(func(s *service) { clear(s.refuse) })
				if got := r.mustList(t); got != testName+":80" {
					t.Errorf("got %s", got)
				}
			})
		})
	}
}

// As long as there is no list, a failure is not waited for so long.
func TestFirstFailures(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newService()
		s.refuse["DescribeListeners"] = &refusal{status: 503, code: "ServiceUnavailable", text: "wait"}
		r := start(t, s, Config{})
		r.mustFail(t)
		last := time.Now()
		for _, want := range []time.Duration{1, 2, 4, 8, 16, 30, 30} {
			r.mustFail(t)
			want *= time.Second
			if d := time.Since(last); d < want*9/10 || d > want*11/10 {
				t.Errorf("asked again after %s, want some %s", d, want)
			}
			last = time.Now()
		}
		s.change(func(s *service) { clear(s.refuse) })
		r.mustList(t)
	})
}

// A provider fails as one does that may not assume a role: with an error that looks like
// one of the API.
type lost struct{ err error }

func (l lost) Retrieve(context.Context) (aws.Credentials, error) { return aws.Credentials{}, l.err }

type denied struct{}

func (denied) Error() string     { return "AccessDenied: not your role" }
func (denied) ErrorCode() string { return "AccessDenied" }

func TestNoCredentials(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := start(t, newService(), Config{Credentials: lost{denied{}}})
		if got := r.mustFail(t); !strings.Contains(got, "there are no credentials to call DescribeListeners with: AccessDenied: not your role") {
			t.Errorf("got %s", got)
		}
	})
}

// A question that is not answered ends, and so does Run with its context.
func TestNoAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newService()
		s.hang["DescribeLoadBalancers"] = make(chan struct{})
		r := start(t, s, Config{})
		began := time.Now()
		if got := r.mustFail(t); !strings.Contains(got, "DescribeLoadBalancers was not answered within 15s") {
			t.Errorf("got %s", got)
		}
		if d := time.Since(began); d != askTime {
			t.Errorf("it took %s, want %s", d, askTime)
		}
	})
}

func TestCancel(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"DescribeListeners", "DescribeLoadBalancers", "pause"} {
		synctest.Test(t, func(t *testing.T) {
			s := newService()
			s.hang[operation] = make(chan struct{})
			r := start(t, s, Config{})
			synctest.Wait()
			if operation == "pause" {
				r.mustList(t)
			}
			began := time.Now()
			r.cancel()
			if err := await(t, r.done); err != nil || time.Since(began) != 0 {
				t.Errorf("%s: Run returned %v after %s", operation, err, time.Since(began))
			}
			r.done <- nil
			r.mustBeSilent(t)
		})
	}
}
