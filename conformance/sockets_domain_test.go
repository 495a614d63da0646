//go:build conformance

package conformance

import (
	"errors"
	"testing"
)

// TestSocketDomain opens connections with TLS: by the name of an API, and by a custom
// domain name, whose mapping takes the place of the stage. The function sends to both.
func TestSocketDomain(t *testing.T) {
	t.Parallel()
	p := newSocketPlane(t, "")
	sdk := openGo(t, p.admin, tester)
	api := p.api(sdk, nil, nil)
	const name = "chat.example.com"
	for _, step := range []struct {
		op string
		in object
	}{
		{"CreateDomainName", object{"DomainName": name, "DomainNameConfigurations": list{object{"CertificateArn": certificate}}}},
		{"CreateApiMapping", object{"DomainName": name, "ApiId": api, "Stage": "dev", "ApiMappingKey": "rooms"}},
	} {
		if _, err := sdk.call(t.Context(), step.op, step.in); err != nil {
			t.Fatalf("%s: %v", step.op, err)
		}
	}
	at := func(host, path string) string { return "wss://" + host + ":" + port(p.tls) + path }
	trust := object{"authority": p.authority.file}
	for _, by := range peers {
		t.Run(by.name, func(t *testing.T) {
			c := by.open(t)
			for _, tt := range []struct{ url, host string }{
				{at(host(api), "/dev"), host(api)},
				{at(host(api), "/dev/"), host(api)},
				{at(name, "/rooms"), name},
				{at(name, "/rooms?a=1"), name},
			} {
				if got := c.open(tt.url, trust); got != (opening{Status: 101}) {
					t.Fatalf("%s: %+v", tt.url, got)
				}
				event, id := p.connected(t)
				about := event["requestContext"].(object)
				if about["domainName"] != tt.host || about["stage"] != "dev" || about["apiId"] != api {
					t.Errorf("%s: event %s", tt.url, text(about))
				}
				c.send(`{"action":"post","text":"hello"}`, 1)
				c.wants("posted: hello")
				ask := management{endpoint: "http://" + name + ":" + port(p.listen) + "/rooms", as: tester, do: "post", id: id, text: "by the domain name"}
				if _, err := (goManager{}).manage(t.Context(), ask); err != nil {
					t.Fatalf("%s: %v", tt.url, err)
				}
				c.wants("by the domain name")
				ask.endpoint = "http://" + name + ":" + port(p.listen) + "/dev"
				var e *apiError
				if _, err := (goManager{}).manage(t.Context(), ask); !errors.As(err, &e) || *e != (apiError{
					"GenericAPIError", "NotFoundException", "No method found matching route dev/@connections/" + id + " for http method POST.",
				}) {
					t.Errorf("%s: without a mapping: %+v", tt.url, err)
				}
				c.do(object{"do": "close", "code": 1000}, new(object))
				c.ends(1000, "")
				p.ended(t, id, 1000, "")
			}
			for _, url := range []string{at(name, ""), at(name, "/dev"), at(name, "/rooms/dev"), at(host(api), "/rooms")} {
				if got := c.open(url, trust); got.Status != 403 || got.Body != `{"message":"Forbidden"}` {
					t.Errorf("%s: got %d %s, want 403 Forbidden", url, got.Status, got.Body)
				}
			}
		})
	}
}
