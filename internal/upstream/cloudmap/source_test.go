package cloudmap

import (
	"context"
	"errors"
	"net"
	"net/http/httptest"
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
	for _, tt := range []struct {
		name   string
		config Config
		want   string // in the error
	}{
		{"service", Config{ARN: testARN}, ""},
		{"China", Config{ARN: "arn:aws-cn:servicediscovery:cn-north-1:123456789012:service/srv-pets"}, ""},
		{"region", Config{ARN: testARN, Region: "us-east-1"}, ""},
		{"path of the endpoint", Config{ARN: testARN, Endpoint: "https://aws.test/cloudmap"}, ""},
		{"nothing", Config{}, "is not the ARN of a Cloud Map service"},
		{"listener", Config{ARN: "arn:aws:elasticloadbalancing:eu-west-1:123456789012:service/srv-pets"}, "is not the ARN"},
		{"namespace", Config{ARN: "arn:aws:servicediscovery:eu-west-1:123456789012:namespace/ns-shop"}, "is not the ARN"},
		{"no ID", Config{ARN: "arn:aws:servicediscovery:eu-west-1:123456789012:service/srv-"}, "is not the ARN"},
		{"strange ID", Config{ARN: testARN + "?stage=prod"}, "is not the ARN"},
		{"no region", Config{ARN: "arn:aws:servicediscovery::123456789012:service/srv-pets"}, "is not the ARN"},
		{"region with a dot", Config{ARN: "arn:aws:servicediscovery:a.b:123456789012:service/srv-pets"}, "is not the ARN"},
		{"no account", Config{ARN: "arn:aws:servicediscovery:eu-west-1::service/srv-pets"}, "is not the ARN"},
		{"wrong region", Config{ARN: testARN, Region: "evil.test/"}, "is not the name of a region"},
		{"endpoint", Config{ARN: testARN, Endpoint: "localhost:4566"}, "the endpoint is not"},
		{"password in the endpoint", Config{ARN: testARN, Endpoint: "http://a:secret@localhost"}, "the endpoint is not"},
		{"interval", Config{ARN: testARN, Interval: -1}, "the interval"},
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
	if _, err := New(Config{ARN: testARN}); err == nil {
		t.Error("no credentials: got no error")
	}
}

// All operations of a source go to the endpoint, over TCP, and are signed.
func TestEndpoint(t *testing.T) {
	t.Parallel()
	s := newService()
	s.instances["a"] = at("10.0.0.7", "8080", "stage=prod")
	s.instances["b"] = at("10.0.0.8", "8080", "stage=dev")
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	source, err := New(Config{
		ARN: testARN, Attributes: map[string]string{"stage": "prod", "AWS_INSTANCE_PORT": "8080"},
		Endpoint: server.URL, Credentials: testCredentials, Interval: time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	r := launch(t, source)
	e := await(t, r.events)
	want := []upstream.Instance{{Host: "10.0.0.7", Port: 8080, Attributes: at("10.0.0.7", "8080", "stage=prod")}}
	if e.err != nil || !reflect.DeepEqual(e.list, want) {
		t.Errorf("got %v and %v, want %v", e.list, e.err, want)
	}
	host := strings.TrimPrefix(server.URL, "http://")
	for _, want := range []request{
		{operation: "GetService", body: map[string]any{"Id": "srv-pets"}},
		{operation: "GetNamespace", body: map[string]any{"Id": "ns-shop"}},
		{operation: "DiscoverInstances", body: map[string]any{
			"NamespaceName": "shop.local", "ServiceName": "pets", "HealthStatus": "HEALTHY", "MaxResults": 1000.0,
			"QueryParameters": map[string]any{"stage": "prod", "AWS_INSTANCE_PORT": "8080"},
		}},
	} {
		got := await(t, s.asked)
		if got.operation != want.operation || got.region != "eu-west-1" || got.host != host || !reflect.DeepEqual(got.body, want.body) {
			t.Errorf("got %s in %s at %s: %v, want %s: %v", got.operation, got.region, got.host, got.body, want.operation, want.body)
		}
	}
}

// Without an endpoint, AWS is asked.
func TestHosts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ arn, region, control, data string }{
		{testARN, "", "servicediscovery.eu-west-1.amazonaws.com:443", "data-servicediscovery.eu-west-1.amazonaws.com:443"},
		{testARN, "us-east-2", "servicediscovery.us-east-2.amazonaws.com:443", "data-servicediscovery.us-east-2.amazonaws.com:443"},
		{"arn:aws-cn:servicediscovery:cn-north-1:123456789012:service/srv-pets", "",
			"servicediscovery.cn-north-1.amazonaws.com.cn:443", "data-servicediscovery.cn-north-1.amazonaws.com.cn:443"},
	} {
		source, err := New(Config{ARN: tt.arn, Region: tt.region, Credentials: testCredentials})
		if err != nil {
			t.Fatal(err)
		}
		var dialled string
		source.transport.DialContext = func(_ context.Context, _, address string) (net.Conn, error) {
			dialled = address
			return nil, errors.New("not today")
		}
		w := watch{Source: source}
		if _, err := w.discover(t.Context()); err == nil || dialled != tt.control {
			t.Errorf("%s: resolve went to %s, want %s", tt.arn, dialled, tt.control)
		}
		w.service, w.namespace = "pets", "shop.local"
		if _, err := w.discover(t.Context()); err == nil || dialled != tt.data {
			t.Errorf("%s: discover went to %s, want %s", tt.arn, dialled, tt.data)
		}
	}
}

// The list is asked for in intervals, and passed on if it is another one.
func TestChanges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newService()
		s.instances["b"] = at("10.0.0.8", "8080")
		s.instances["a"] = at("10.0.0.7", "8080", "stage=dev")
		r := start(t, s, Config{})
		if got := r.mustList(t); got != "10.0.0.7:8080 10.0.0.8:8080" {
			t.Errorf("first: got %s", got)
		}
		if got, want := s.drain(), []string{"GetService", "GetNamespace", "DiscoverInstances"}; !slices.Equal(got, want) {
			t.Errorf("first: asked %v, want %v", got, want)
		}
		// Another order is the same list.
		s.change(func(s *service) { s.order = slices.Reverse[[]string] })
		last := time.Now()
		for range 20 {
			q := await(t, s.asked)
			if d := q.at.Sub(last); q.operation != "DiscoverInstances" || d < 4500*time.Millisecond || d > 5500*time.Millisecond {
				t.Errorf("asked %s after %s, want DiscoverInstances after some 5 s", q.operation, d)
			}
			last = q.at
		}
		synctest.Wait()
		r.mustBeSilent(t)
		for _, tt := range []struct {
			name   string
			change func(*service)
			want   string
		}{
			{"one more", func(s *service) { s.instances["c"] = at("10.0.0.9", "81") }, "10.0.0.7:8080 10.0.0.8:8080 10.0.0.9:81"},
			{"one less", func(s *service) { delete(s.instances, "b") }, "10.0.0.7:8080 10.0.0.9:81"},
			{"another port", func(s *service) { s.instances["c"] = at("10.0.0.9", "82") }, "10.0.0.7:8080 10.0.0.9:82"},
			{"another attribute", func(s *service) { s.instances["a"] = at("10.0.0.7", "8080", "stage=prod") }, "10.0.0.7:8080 10.0.0.9:82"},
			{"none", func(s *service) { clear(s.instances) }, ""},
		} {
			s.change(tt.change)
			if got := r.mustList(t); got != tt.want {
				t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
			}
		}
	})
}

// A list that was handed out is the callee's: what it does to it changes nothing.
func TestListIsCopied(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newService()
		s.instances["a"] = at("10.0.0.7", "8080")
		r := start(t, s, Config{})
		e := await(t, r.events)
		e.list[0].Host, e.list[0].Attributes["stage"] = "elsewhere", "prod"
		s.drain()
		await(t, s.asked)
		synctest.Wait()
		r.mustBeSilent(t)
	})
}

// The name by which instances are discovered may be another than that of the namespace.
func TestNamespaceName(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name       string
		properties map[string]any
		want       string
	}{
		{"name and HTTP name", map[string]any{"HttpProperties": map[string]any{"HttpName": "shop.local-1a2b"}}, "shop.local-1a2b"},
		{"empty HTTP name", map[string]any{"HttpProperties": map[string]any{"HttpName": ""}}, "shop.local"},
		{"DNS", map[string]any{"DnsProperties": map[string]any{"HostedZoneId": "Z1"}}, "shop.local"},
		{"no properties", nil, "shop.local"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newService()
				s.namespace["Properties"] = tt.properties
				start(t, s, Config{}).mustList(t)
				await(t, s.asked)
				await(t, s.asked)
				if q := await(t, s.asked); q.body["NamespaceName"] != tt.want {
					t.Errorf("asked for %v, want %s", q.body["NamespaceName"], tt.want)
				}
			})
		})
	}
}

// Names are asked for again when Cloud Map does not know them any more.
func TestOtherNames(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newService()
		s.instances["a"] = at("10.0.0.7", "8080")
		r := start(t, s, Config{})
		r.mustList(t)
		for _, change := range []func(*service){
			func(s *service) { s.name, s.instances["a"] = "pets-2", at("10.0.0.7", "8081") },
			func(s *service) {
				s.namespace, s.instances["a"] = map[string]any{"Id": "ns-2", "Name": "other.local"}, at("10.0.0.7", "8082")
			},
		} {
			s.drain()
			s.change(change)
			r.mustList(t)
			r.mustBeSilent(t)
			if got, want := s.drain(), []string{"DiscoverInstances", "GetService", "GetNamespace", "DiscoverInstances"}; !slices.Equal(got, want) {
				t.Errorf("asked %v, want %v", got, want)
			}
		}
		// What was just resolved and is not there is an error, and no reason to turn in
		// circles.
		s.change(func(s *service) {
			s.refuse["DiscoverInstances"] = &refusal{status: 400, code: "ServiceNotFound", text: "Service not found."}
		})
		s.drain()
		if got := r.mustFail(t); !strings.Contains(got, "DiscoverInstances was answered 400 ServiceNotFound") {
			t.Errorf("got %s", got)
		}
		if got, want := s.drain(), []string{"DiscoverInstances", "GetService", "GetNamespace", "DiscoverInstances"}; !slices.Equal(got, want) {
			t.Errorf("asked %v, want %v", got, want)
		}
	})
}

// A service that was deleted has no instances. It may come back.
func TestDeleted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newService()
		s.instances["a"] = at("10.0.0.7", "8080")
		r := start(t, s, Config{})
		r.mustList(t)
		s.change(func(s *service) { s.id, s.name = "", "" })
		if got := r.mustList(t); got != "" {
			t.Errorf("got %s, want nothing", got)
		}
		for range 3 {
			if got := r.mustFail(t); !strings.Contains(got, "was deleted") || !strings.Contains(got, testARN) {
				t.Errorf("got %s", got)
			}
		}
		s.change(func(s *service) { s.id, s.name = "srv-pets", "pets" })
		if got := r.mustList(t); got != "10.0.0.7:8080" {
			t.Errorf("got %s", got)
		}
	})
}

// While Cloud Map cannot be asked, the list stays: update is not called.
func TestLoss(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		refusal refusal
		want    string
		slow    bool
	}{
		{"failure", refusal{status: 500, code: "InternalFailure", text: "oh no"}, "DiscoverInstances was answered 500 InternalFailure: oh no", false},
		{"no JSON", refusal{status: 502, raw: "<html>"}, "DiscoverInstances", false},
		{"redirect", refusal{status: 307, raw: "{}"}, "DiscoverInstances was answered 307", false},
		{"cut", refusal{status: 200, raw: `{"Instances":[{"InstanceId":"a"`}, "DiscoverInstances", false},
		{"throttled", refusal{status: 400, code: "RequestLimitExceeded", text: "slower"}, "RequestLimitExceeded: slower", true},
		{"throttled in front", refusal{status: 400, code: "ThrottlingException", text: "Rate exceeded"}, "ThrottlingException: Rate exceeded", true},
		{"denied", refusal{status: 400, code: "AccessDeniedException", text: "User: arn:aws:iam::123456789012:user/gateway is not authorized"},
			"the credentials may not do servicediscovery:DiscoverInstances; allow them servicediscovery:GetService, servicediscovery:GetNamespace and servicediscovery:DiscoverInstances: DiscoverInstances was answered 400 AccessDeniedException: User: arn:aws:iam::123456789012:user/gateway is not authorized", true},
		{"expired", refusal{status: 400, code: "ExpiredTokenException", text: "expired"}, "the credentials are not accepted in eu-west-1", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newService()
				s.instances["a"] = at("10.0.0.7", "8080")
				r := start(t, s, Config{})
				r.mustList(t)
				s.change(func(s *service) { s.refuse["DiscoverInstances"] = &tt.refusal })
				if got := r.mustFail(t); !strings.Contains(got, tt.want) || !strings.Contains(got, testARN) {
					t.Errorf("got %s, want %s", got, tt.want)
				}
				last := time.Now()
				for _, pause := range []int{10, 20, 40, 60, 60} {
					if !tt.slow {
						pause = 5
					}
					s.drain()
					r.mustFail(t)
					if got := s.drain(); len(got) != 1 {
						t.Errorf("asked %v, want one operation", got)
					}
					want := time.Duration(pause) * time.Second
					if d := time.Since(last); d < want*9/10 || d > want*11/10 {
						t.Errorf("asked again after %s, want some %s", d, want)
					}
					last = time.Now()
				}
				// The same list again says that all is well.
				s.change(func(s *service) { clear(s.refuse) })
				if got := r.mustList(t); got != "10.0.0.7:8080" {
					t.Errorf("got %s", got)
				}
				last = time.Now()
				s.drain()
				if d := await(t, s.asked).at.Sub(last); d > 5500*time.Millisecond {
					t.Errorf("then asked after %s, want some 5 s", d)
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
		s.instances["a"] = at("10.0.0.7", "8080")
		s.refuse["GetNamespace"] = &refusal{status: 503, code: "ServiceUnavailable", text: "wait"}
		r := start(t, s, Config{Interval: time.Minute})
		r.mustFail(t)
		last := time.Now()
		for _, want := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
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

// Errors of names are told like others, and long ones are cut. That such an answer, longer
// than what is read at once, arrives at all needs a body that survives its closing.
func TestDeniedNames(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"GetService", "GetNamespace"} {
		synctest.Test(t, func(t *testing.T) {
			s := newService()
			s.refuse[operation] = &refusal{status: 400, code: "AccessDeniedException", text: strings.Repeat("é", 5000)}
			r := start(t, s, Config{})
			got := r.mustFail(t)
			if !strings.Contains(got, "may not do servicediscovery:"+operation+";") || len(got) > maxErrorText+8 {
				t.Errorf("got %d bytes: %s", len(got), got)
			}
		})
	}
}

// A provider fails as one does that may not assume a role: with an error that looks like
// one of Cloud Map.
type lost struct{ err error }

func (l lost) Retrieve(context.Context) (aws.Credentials, error) { return aws.Credentials{}, l.err }

type denied struct{}

func (denied) Error() string     { return "AccessDenied: not your role" }
func (denied) ErrorCode() string { return "AccessDenied" }

func TestNoCredentials(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := start(t, newService(), Config{Credentials: lost{denied{}}})
		got := r.mustFail(t)
		if !strings.Contains(got, "there are no credentials to call GetService with: AccessDenied: not your role") {
			t.Errorf("got %s", got)
		}
	})
}

// A call that is not answered ends, and so does Run with its context.
func TestNoAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newService()
		s.hang["DiscoverInstances"] = make(chan struct{})
		r := start(t, s, Config{})
		began := time.Now()
		if got := r.mustFail(t); !strings.Contains(got, "DiscoverInstances was not answered within 10s") {
			t.Errorf("got %s", got)
		}
		if d := time.Since(began); d != callTime {
			t.Errorf("it took %s, want %s", d, callTime)
		}
	})
}

func TestCancel(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"GetService", "GetNamespace", "DiscoverInstances", "pause"} {
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
