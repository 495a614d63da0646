package authorizer

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"penstock/internal/gateway"
	"penstock/internal/jsontree"
)

func mustClaims(t testing.TB, text string) *jsontree.Node {
	t.Helper()
	n, err := jsontree.Read(text, jsontree.Limits{What: "the claims", Length: maxToken, Depth: maxTokenDepth})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestClaimFields(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ json, want string }{
		{`"text"`, `text`},
		{`""`, ``},
		{`"é\u0000\""`, "é\x00\""},
		{`9999999999`, `9999999999`},
		{`123456789012345678901234567890`, `123456789012345678901234567890`},
		{`-7`, `-7`},
		{`0`, `0`},
		{`1.50`, `1.5`},
		{`1e3`, `1000`},
		{`1.0`, `1`},
		{`1e20`, `100000000000000000000`},
		{`1e21`, `1e+21`},
		{`0.00001`, `0.00001`},
		{`1e-9`, `1e-09`},
		{`0.0`, `0`},
		{`1e400`, `1e400`},
		{`true`, `true`},
		{`false`, `false`},
		{`["admin","poweruser"]`, `[admin poweruser]`},
		{`[]`, `[]`},
		{`[1, 2.50, true, null, "a b"]`, `[1 2.5 true null a b]`},
		{`[["a"], ["b", "c"]]`, `[[a] [b c]]`},
		{`[{"a": 1}]`, `[{"a":1}]`},
		{`{"b": [1.0, "x<y"], "a": null, "c": {"d": "\""}}`, `{"b":[1.0,"x<y"],"a":null,"c":{"d":"\""}}`},
		{`{}`, `{}`},
	} {
		c := claims{object: mustClaims(t, `{"z":1,"nick":null,"c":`+tt.json+`,"a":2}`)}
		want := []gateway.Field{{Name: "a", Value: "2"}, {Name: "c", Value: tt.want}, {Name: "z", Value: "1"}}
		if got := c.fields(); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", tt.json, got, want)
		}
	}
}

func TestCheckClaims(t *testing.T) {
	t.Parallel()
	const good = `"iss":"https://i","aud":"a","exp":1001`
	for _, tt := range []struct {
		name, claims string
		want         refusal // "" if they are accepted
	}{
		{"good", good, ""},
		{"no iss", `"aud":"a","exp":1001`, refusedIssuer},
		{"iss as a list", `"iss":["https://i"],"aud":"a","exp":1001`, refusedIssuer},
		{"iss with a slash more", `"iss":"https://i/","aud":"a","exp":1001`, refusedIssuer},
		{"iss in another case", `"iss":"HTTPS://i","aud":"a","exp":1001`, refusedIssuer},
		{"no aud", `"iss":"https://i","exp":1001`, refusedAudience},
		{"aud null is an aud", `"iss":"https://i","aud":null,"client_id":"a","exp":1001`, refusedAudience},
		{"aud empty", `"iss":"https://i","aud":[],"client_id":"a","exp":1001`, refusedAudience},
		{"aud with a number", `"iss":"https://i","aud":["a",7],"exp":1001`, refusedAudience},
		{"aud an object", `"iss":"https://i","aud":{"a":1},"exp":1001`, refusedAudience},
		{"aud that begins so", `"iss":"https://i","aud":"ab","exp":1001`, refusedAudience},
		{"client_id a list", `"iss":"https://i","client_id":["a"],"exp":1001`, refusedAudience},
		{"no exp", `"iss":"https://i","aud":"a"`, refusedExpired},
		{"exp with a fraction", `"iss":"https://i","aud":"a","exp":1000.5`, ""},
		{"exp in this second", `"iss":"https://i","aud":"a","exp":1000.0`, refusedExpired},
		{"exp less than a microsecond away", `"iss":"https://i","aud":"a","exp":1000.0000004`, refusedExpired},
		{"exp with an exponent", `"iss":"https://i","aud":"a","exp":1.1e3`, ""},
		{"exp far away", `"iss":"https://i","aud":"a","exp":1e11`, ""},
		{"nbf now", good + `,"nbf":1000`, ""},
		{"nbf less than a microsecond away", good + `,"nbf":1000.0000004`, refusedNotYet},
		{"nbf later", good + `,"nbf":1001`, refusedNotYet},
		{"iat later", good + `,"iat":1000.5`, refusedFuture},
		{"iat now", good + `,"iat":1000`, ""},
	} {
		_, err := checkClaims(mustClaims(t, "{"+tt.claims+"}"), "https://i", []string{"a", "b"}, time.Unix(1000, 0))
		if got := refusal(""); err != nil {
			if got = refusalOf(err); got != tt.want {
				t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
			}
		} else if tt.want != "" {
			t.Errorf("%s: accepted, want %q", tt.name, tt.want)
		}
	}
	for _, name := range []string{"exp", "nbf", "iat"} {
		for _, bad := range []string{`"1001"`, `""`, `-1`, `-0`, `1e400`, `-1e400`, `1e12`, `100000000001`, `null`, `true`, `[1001]`, `{"a":1001}`} {
			text := strings.Replace("{"+good+"}", `"exp":1001`, fmt.Sprintf(`"exp":1001,"%s":%s`, name, bad), 1)
			if name == "exp" {
				text = strings.Replace("{"+good+"}", "1001", bad, 1)
			}
			_, err := checkClaims(mustClaims(t, text), "https://i", []string{"a"}, time.Unix(1000, 0))
			if err == nil || refusalOf(err) != refusedMalformed {
				t.Errorf("%s %s: got %v", name, bad, err)
			}
		}
	}
}

// A detail of a failure is for the operator only.
func TestFailure(t *testing.T) {
	t.Parallel()
	if got := refusalOf(malformedToken("secret")); got != refusedMalformed {
		t.Errorf("got %q", got)
	}
	if got := malformedToken("a detail").Error(); got != "token is malformed: a detail" {
		t.Errorf("got %q", got)
	}
	if got := refusalOf(errors.New("anything")); got != refusedMalformed {
		t.Errorf("got %q", got)
	}
}
