//go:build conformance

package conformance

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// A heard WebSocket is what the JavaScript of a page got of it.
type heard struct {
	Opened               bool
	Protocol, Extensions string
	Messages             []string
	Error                string
	Code                 int
	Reason               string
	Clean                bool
}

// presigned returns the address of a stage with a signature in its query, the only place
// that pages have for one.
func (p *socketPlane) presigned(api string, as *credentials, region string) string {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, "http"+strings.TrimPrefix(p.socketURL(api, "?X-Amz-Expires=60"), "ws"), nil)
	if err != nil {
		p.t.Fatal(err)
	}
	const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" // SHA-256 of no body
	signed, _, err := v4.NewSigner().PresignHTTP(p.t.Context(),
		aws.Credentials{AccessKeyID: as.AccessKeyID, SecretAccessKey: as.SecretAccessKey, SessionToken: as.SessionToken},
		r, empty, "execute-api", region, time.Now())
	if err != nil {
		p.t.Fatal(err)
	}
	u, err := url.Parse(signed)
	if err != nil {
		p.t.Fatal(err)
	}
	u.Scheme = "ws"
	return u.String()
}

// iam is a $connect route that wants a signature.
func iam(string, func(string, object) object) object { return object{"AuthorizationType": "AWS_IAM"} }

// TestSocketBrowser lets a page open WebSockets: what it sends and hears, how they end, and
// what it learns when they do not begin.
func TestSocketBrowser(t *testing.T) {
	t.Parallel()
	p := newSocketPlane(t, "webSockets: {compression: true}")
	sdk := openGo(t, p.admin, tester)
	api, signed := p.api(sdk, nil, nil), p.api(sdk, nil, iam)
	stage := p.socketURL(api, "")
	many := long(20_000)
	const noEnd = -1 // the function is asked, and refuses
	const deflate = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
	refused := heard{Messages: []string{}, Error: "error", Code: 1006}
	talks := []struct {
		name   string
		plan   object
		want   heard
		code   int // that the function learns of the end; 0: nobody asks it
		reason string
	}{
		{
			"messages", object{"url": stage, "say": list{"hello", "é😀", `{"action":"post","text":"from the function"}`, many}, "close": list{4000, "that is all"}},
			heard{true, "", deflate, []string{"default: hello", "default: é😀", "posted: from the function", "default: " + many}, "", 4000, "", true},
			4000, "that is all",
		},
		{
			"a subprotocol", object{"url": stage, "protocols": list{"chat.v1", "chat.v2"}, "say": list{"x"}},
			heard{true, "chat.v2", deflate, []string{"default: x"}, "", 1005, "", true}, 1005, "Client-side close frame status not set",
		},
		{
			"the path of an API", object{"url": "ws" + strings.TrimPrefix(p.listen, "http") + "/_aws/execute-api/" + api + "/dev?a=1", "say": list{"x"}, "close": list{1000}},
			heard{true, "", deflate, []string{"default: x"}, "", 1000, "", true}, 1000, "",
		},
		{
			"TLS", object{"url": "wss://" + host(api) + ":" + port(p.tls) + "/dev", "say": list{"x"}, "close": list{1000}},
			heard{true, "", deflate, []string{"default: x"}, "", 1000, "", true}, 1000, "",
		},
		{"bytes", object{"url": stage, "say": list{"bytes: no text"}}, heard{true, "", deflate, []string{}, "", 1003, "", true}, 1003, ""},
		{"presigned", object{"url": p.presigned(signed, tester, "us-east-1"), "say": list{"x"}, "close": list{1000}}, heard{true, "", deflate, []string{"default: x"}, "", 1000, "", true}, 1000, ""},
		{"presigned for another region", object{"url": p.presigned(signed, tester, "eu-west-1"), "say": list{}}, refused, 0, ""},
		{"unsigned", object{"url": p.socketURL(signed, ""), "say": list{}}, refused, 0, ""},
		{"the function refuses", object{"url": stage + "?status=403", "say": list{}}, refused, noEnd, ""},
		// A page that has offered subprotocols wants one.
		{"no subprotocol", object{"url": stage, "protocols": list{"chat.v1"}, "say": list{}}, refused, 1006, "Connection closed abnormally"},
	}
	plans := list{}
	for _, tt := range talks {
		plans = append(plans, tt.plan)
	}
	results := make(chan []heard, 1)
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServer(http.Dir("browser")))
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, "browser/sockets.html") })
	mux.HandleFunc("GET /sockets", func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(plans) })
	mux.HandleFunc("POST /heard", func(_ http.ResponseWriter, r *http.Request) {
		var all []heard
		if err := json.NewDecoder(r.Body).Decode(&all); err != nil {
			t.Errorf("what the page heard: %v", err)
		}
		results <- all
	})
	pages := httptest.NewServer(mux)
	t.Cleanup(pages.Close)
	got := visit(t, pages, results, "localhost")
	if len(got) != len(talks) {
		t.Fatalf("the page tells of %d WebSockets, want %d", len(got), len(talks))
	}
	for i, tt := range talks {
		// In which order answers come is up to the functions.
		if !sameTexts(got[i].Messages, tt.want.Messages) {
			t.Errorf("%s: the page heard %.300q, want %.300q", tt.name, got[i].Messages, tt.want.Messages)
		}
		got[i].Messages, tt.want.Messages = nil, nil
		if !reflect.DeepEqual(got[i], tt.want) {
			t.Errorf("%s: the page got %+v, want %+v", tt.name, got[i], tt.want)
		}
		if tt.code == 0 {
			continue
		}
		event, id := p.connected(t)
		if got, want := event["headers"].(object)["Origin"], "http://localhost:"+port(pages.URL); got != want {
			t.Errorf("%s: Origin %v, want %s", tt.name, got, want)
		}
		about := event["requestContext"].(object)
		identity := about["identity"].(object)
		if about["apiId"] == signed && identity["userArn"] != "arn:aws:iam::000000000000:user/"+tester.AccessKeyID {
			t.Errorf("%s: identity %s", tt.name, text(identity))
		}
		if tt.code != noEnd {
			p.ended(t, id, tt.code, tt.reason)
		}
	}
}

// TestSignedSockets opens WebSockets of a route that wants a signature, with addresses that
// the AWS SDK for Go has signed.
func TestSignedSockets(t *testing.T) {
	t.Parallel()
	p := newSocketPlane(t, `  - accessKeyId: AKIDSTRANGER
    secretAccessKey: not/allowed
    policy:
      Version: "2012-10-17"
      Statement:
        - {Effect: Allow, Action: "execute-api:Invoke", Resource: "arn:aws:execute-api:us-east-1:000000000000:*/prod/*"}
`)
	api := p.api(openGo(t, p.admin, tester), nil, iam)
	stranger := &credentials{AccessKeyID: "AKIDSTRANGER", SecretAccessKey: "not/allowed"}
	forger := &credentials{AccessKeyID: "AKIDSTRANGER", SecretAccessKey: "guessed"}
	for _, by := range peers {
		t.Run(by.name, func(t *testing.T) {
			c := by.open(t)
			c.opens(p.presigned(api, tester, "us-east-1"))
			_, id := p.connected(t)
			c.send(`{"action":"mock"}`, 1)
			c.wants(`{"route":"mock","connection":"` + id + `"}`)
			c.do(object{"do": "close", "code": 1000}, new(object))
			c.ends(1000, "")
			identity := p.event(t, "DISCONNECT", id)["requestContext"].(object)["identity"].(object)
			if identity["userArn"] != "arn:aws:iam::000000000000:user/"+tester.AccessKeyID || identity["accessKey"] != tester.AccessKeyID {
				t.Errorf("identity at the end: %s", text(identity))
			}
			p.notary.all()
			for _, tt := range []struct{ name, url, body string }{
				{"unsigned", p.socketURL(api, ""), "Missing Authentication Token"},
				{"a wrong secret", p.presigned(api, forger, "us-east-1"), "signature we calculated does not match"},
				{"another region", p.presigned(api, tester, "eu-west-1"), "region"},
				{"the policy is silent", p.presigned(api, stranger, "us-east-1"), "not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:us-east-1:000000000000:" + api + "/dev/$connect"},
			} {
				if got := c.open(tt.url, nil); got.Status != 403 || !strings.Contains(got.Body, tt.body) {
					t.Errorf("%s: got %d %s, want 403 %s", tt.name, got.Status, got.Body, tt.body)
				}
			}
			if events := p.notary.all(); len(events) != 0 {
				t.Errorf("functions got %s", text(events))
			}
		})
	}
}

// sameTexts reports whether the same texts are in both, each as often.
func sameTexts(a, b []string) bool {
	count := map[string]int{}
	for _, one := range a {
		count[one]++
	}
	for _, one := range b {
		count[one]--
	}
	for _, n := range count {
		if n != 0 {
			return false
		}
	}
	return len(a) == len(b)
}
