package service

import (
	"strings"
	"testing"
)

// The most specific endpoint counts.
func TestEndpoints(t *testing.T) {
	t.Parallel()
	e, err := ParseEndpoints(map[string]string{
		"sqs":           "http://localhost:9324",
		"sqs/eu-west-1": "https://sqs.example/queues/",
		"states":        "HTTP://{service}.{region}.test:8083/{region}/",
		"s3":            "http://[::1]:9000/a%2Fb",
		"*":             "http://any.test/{service}",
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ service, region, want string }{
		{"sqs", "us-east-1", "http://localhost:9324"},
		{"sqs", "eu-west-1", "https://sqs.example/queues"},
		{"states", "eu-west-1", "http://states.eu-west-1.test:8083/eu-west-1"},
		{"s3", "eu-west-1", "http://[::1]:9000/a%2Fb"},
		{"sns", "eu-west-1", "http://any.test/sns"},
	} {
		if got, ok := e.URL(tt.service, tt.region); got != tt.want || !ok {
			t.Errorf("%s in %s: got %s, %t, want %s", tt.service, tt.region, got, ok, tt.want)
		}
	}
	if e, err = ParseEndpoints(nil); err != nil {
		t.Fatal(err)
	}
	if got, ok := e.URL("sqs", "us-east-1"); ok {
		t.Errorf("without any: %s", got)
	}
}

// What cannot work is named by its key.
func TestEndpointsRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ key, url, text string }{
		{"", "http://a", "endpoints.: the key"},
		{"SQS", "http://a", "endpoints.SQS: the key"},
		{"sqs.eu", "http://a", "the key is the name of a service"},
		{"sqs/", "http://a", "endpoints.sqs/: \"\" is not the name of a region"},
		{"sqs/eu/west", "http://a", "is not the name of a region"},
		{"*/eu-west-1", "http://a", "the key"},
		{"sync-states", "http://a", "endpoints.sync-states: calls are signed for states"},
		{"eventbridge", "http://a", "calls are signed for events"},
		{"sqs", "", "endpoints.sqs: want an http or https URL"},
		{"sqs", "localhost:9324", "want an http or https URL"},
		{"sqs", "ftp://a", "want an http or https URL"},
		{"sqs", "http://", "want an http or https URL"},
		{"sqs", "http://:80", "want an http or https URL"},
		{"sqs", "http://a:b@c", "want an http or https URL"},
		{"sqs", "http://a?b=c", "want an http or https URL"},
		{"sqs", "http://a?", "want an http or https URL"},
		{"sqs", "http://a#b", "want an http or https URL"},
		{"sqs", "http://a:port", "want an http or https URL"},
		{"sqs", "{service}://a", "want an http or https URL"},
		{"sqs", "http://{Region}", "only {region} and {service} can be filled in"},
		{"sqs", "http://a/{queue}", "only {region} and {service} can be filled in"},
		{"sqs", "http://a/é", "the path is not escaped"},
		{"sqs", "http://a/b c", "the path is not escaped"},
		{"sqs", "http://a:99999", "endpoints.sqs: "},
		{"*", "http://a,b", "endpoints.*: "},
	} {
		_, err := New(Config{Endpoints: map[string]string{tt.key: tt.url}, HTTP: newHTTP(t), Keyring: newKeyring(t)})
		if err == nil || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%q: %q: got %v, want %s", tt.key, tt.url, err, tt.text)
		}
	}
}

// A place is made of names, whatever is called a region or a host.
func TestPlaces(t *testing.T) {
	t.Parallel()
	c := mustNew(t, Config{Endpoints: map[string]string{"sqs": "http://localhost:1/{region}"}})
	for _, tt := range []struct{ service, region, host, want string }{
		{"sqs", "eu-west-1", "sqs.eu-west-1.amazonaws.com", "http://localhost:1/eu-west-1"},
		{"states", "eu-west-1", "sync-states.eu-west-1.amazonaws.com", "https://sync-states.eu-west-1.amazonaws.com"},
		{"states", "eu-west-1", "states.eu-west-1.amazonaws.com", "https://states.eu-west-1.amazonaws.com"},
		{"sqs", "evil.example/", "sqs.evil.example/.amazonaws.com", ""},
		{"sqs", "", "sqs..amazonaws.com", ""},
		{"sqs", "-", "sqs", ""},
		{"", "eu-west-1", "a", ""},
		{"sns", "eu-west-1", "a@b", ""},
		{"sns", "eu-west-1", "a:80", ""},
		{"sns", "eu-west-1", "", ""},
		{"sns", "eu-west-1", "a/b", ""},
	} {
		r := request(tt.service, tt.region)
		r.Host = tt.host
		p, err := c.place(r)
		if (err == nil) != (tt.want != "") || err == nil && p.origin+p.path != tt.want {
			t.Errorf("%s in %s at %s: got %+v, %v, want %s", tt.service, tt.region, tt.host, p, err, tt.want)
		}
	}
	for n := range maxPlaces + 10 {
		r := request("sqs", "region-"+strings.Repeat("a", n%50)+string(rune('a'+n/50)))
		if _, err := c.place(r); err != nil {
			t.Fatal(err)
		}
	}
	if len(c.places) > maxPlaces {
		t.Errorf("%d places", len(c.places))
	}
}
