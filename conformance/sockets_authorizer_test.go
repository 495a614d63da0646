//go:build conformance

package conformance

import (
	"regexp"
	"testing"
)

// TestSocketAuthorizer lets clients in by a function, whose context all events of the
// connection have.
func TestSocketAuthorizer(t *testing.T) {
	t.Parallel()
	p := newSocketPlane(t, "")
	api := p.api(openGo(t, p.admin, tester), nil, func(api string, do func(string, object) object) object {
		id := do("CreateAuthorizer", object{
			"ApiId": api, "Name": "guard", "AuthorizerType": "REQUEST", "AuthorizerUri": functionURI("guard"),
			"IdentitySource": list{"route.request.querystring.token"},
		})["AuthorizerId"]
		return object{"AuthorizationType": "CUSTOM", "AuthorizerId": id}
	})
	stage := p.socketURL(api, "")
	latency := regexp.MustCompile(`"integrationLatency":\d+,`)
	for _, by := range peers {
		t.Run(by.name, func(t *testing.T) {
			c := by.open(t)
			c.opens(stage + "?token=Ada")
			event, id := p.connected(t)
			c.send("hello", 1)
			c.wants("default: hello")
			message := p.event(t, "MESSAGE", id)
			c.do(object{"do": "close", "code": 1000}, new(object))
			c.ends(1000, "")
			for _, e := range []object{event, message, p.event(t, "DISCONNECT", id)} {
				about := e["requestContext"].(object)
				got := latency.ReplaceAllString(text(about["authorizer"]), "")
				if want := `{"member":"true","number":"7","principalId":"Ada","room":"lobby"}`; got != want {
					t.Errorf("%s: authorizer %s, want %s", about["eventType"], text(about["authorizer"]), want)
				}
			}
			p.notary.all()
			for _, tt := range []struct {
				name, query string
				status      int
				message     string
				asked       bool
			}{
				{"Deny", "?token=Eve", 403, "Forbidden", true},
				{"unauthorized", "?token=none", 401, "Unauthorized", true},
				{"broken", "?token=broken", 500, "Internal server error", true},
				{"empty token", "?token=", 401, "Unauthorized", false},
				{"no token", "", 401, "Unauthorized", false},
			} {
				got := c.open(stage+tt.query, nil)
				if got.Status != tt.status || !regexp.MustCompile(errorFrame(tt.message)).MatchString(got.Body) {
					t.Errorf("%s: got %d %s, want %d %s", tt.name, got.Status, got.Body, tt.status, errorFrame(tt.message))
				}
				events := p.notary.all()
				if !tt.asked {
					if len(events) != 0 {
						t.Errorf("%s: functions got %s", tt.name, text(events))
					}
					continue
				}
				if len(events) != 1 || events[0]["type"] != "REQUEST" ||
					events[0]["methodArn"] != "arn:aws:execute-api:us-east-1:000000000000:"+api+"/dev/$connect" {
					t.Errorf("%s: functions got %s", tt.name, text(events))
				}
			}
		})
	}
}
