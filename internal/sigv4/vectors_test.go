package sigv4

import (
	"bufio"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	vectorTime       = time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)
	vectorCredential = Credential{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
)

// Which session token a vector has.
const (
	noToken = iota
	shortToken
	longToken
	lateToken // longToken, added after signing
)

var vectorTokens = []string{
	noToken:    "",
	shortToken: "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267",
	longToken:  "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==",
	lateToken:  "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==",
}

// How a vector signs the path.
const (
	exact      = false
	normalized = true // without "//" and dot segments, which we refuse: the path that is served must be the one that is signed
)

// The signatures of the test suite that AWS publishes for Signature Version 4:
// region us-east-1, service "service", host example.amazonaws.com, signed with
// vectorCredential at vectorTime, and presigned for an hour. Paths are encoded once,
// as on the wire.
var vectors = []struct {
	name, method, target string
	header, body         string
	token                int
	normalized           bool
	signature            string // in the header
	presigned            string // in the query
}{
	{"get-header-key-duplicate", "GET", "/",
		"My-Header1:value2\nMy-Header1:value2\nMy-Header1:value1", "", noToken, exact,
		"c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
		"3349ee0b81b4b589da0ff28a395c3591e04de515651dd74f298fa992d1507a97"},
	{"get-header-value-multiline", "GET", "/",
		"My-Header1:value1\n  value2\n     value3", "", noToken, exact,
		"cfd34249e4b1c8d6b91ef74165d41a32e5fab3306300901bb65a51a73575eefd",
		"e6f5def831211aca02987a44b96826706278c7bc078112ae0263659c5b2f2d56"},
	{"get-header-value-order", "GET", "/",
		"My-Header1:value4\nMy-Header1:value1\nMy-Header1:value3\nMy-Header1:value2", "", noToken, exact,
		"08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01",
		"313720e71ca6202fdcfa9b20f88de01a4eb0638a83c833b1c184359a4eda864e"},
	{"get-header-value-trim", "GET", "/",
		"My-Header1: value1\nMy-Header2: \"a   b   c\"", "", noToken, exact,
		"acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
		"e7bb0fd515e125e1aec2ecc4c0c17484fb06f6846b927c35e46005dd3df3acd4"},
	{"get-relative-normalized", "GET", "/example/..",
		"", "", noToken, normalized,
		"5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
		"e93c787ed7f371d5c6b165c1b38ede9550f4dce4144713e844b25b7192d3865d"},
	{"get-relative-relative-normalized", "GET", "/example1/example2/../..",
		"", "", noToken, normalized,
		"5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
		"e93c787ed7f371d5c6b165c1b38ede9550f4dce4144713e844b25b7192d3865d"},
	{"get-relative-relative-unnormalized", "GET", "/example1/example2/../..",
		"", "", noToken, exact,
		"dc33e0856fd4baca4d7aa2146c38958283844764f38c74252a333df5e613003b",
		"b45db0bfd1cf15003493b733e33aa208dd981bd0e63037a6ed953f71d2118a16"},
	{"get-relative-unnormalized", "GET", "/example/..",
		"", "", noToken, exact,
		"eca7ead57bb5aa5c8e28007acd4ff04e1ff9a0ff3b237ec1554a184887ff9282",
		"cbcb213b928a077e43275df47b500f1dfaa864ab3f5a18f6b95f4ff0938167ee"},
	{"get-slash-dot-slash-normalized", "GET", "/./",
		"", "", noToken, normalized,
		"5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
		"e93c787ed7f371d5c6b165c1b38ede9550f4dce4144713e844b25b7192d3865d"},
	{"get-slash-dot-slash-unnormalized", "GET", "/./",
		"", "", noToken, exact,
		"68714168e6557f8f2de0ef956fc24dc2593a4bd2961f8df51898d8a134695145",
		"a9b13e8f3484d9505bf1a6f347219f8f35b0fe8f128ceea597efc146a3dfe90c"},
	{"get-slash-normalized", "GET", "//",
		"", "", noToken, normalized,
		"5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
		"e93c787ed7f371d5c6b165c1b38ede9550f4dce4144713e844b25b7192d3865d"},
	{"get-slash-pointless-dot-normalized", "GET", "/./example",
		"", "", noToken, normalized,
		"ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5",
		"35034b1a0bdd969f346975386daf8aedfd4976573b8348cf4f67eaa41c5857de"},
	{"get-slash-pointless-dot-unnormalized", "GET", "/./example",
		"", "", noToken, exact,
		"beb03f223f7deae4146464f06e29eebbee9c8afbe15c290cf07aa8b119e14cff",
		"72b11f16d9530b18204bfb71f2d6ab085894c0ed8d352730a6e76234c58b5e10"},
	{"get-slash-unnormalized", "GET", "//",
		"", "", noToken, exact,
		"c88bcd3d312d75078c0cd961d6deae3f4c754924b01669efcfcb439fd5e5b76e",
		"b2a9542809db687769200f56a844a03f2bd0291d6eb90232d5101c6a579446cd"},
	{"get-slashes-normalized", "GET", "//example//",
		"", "", noToken, normalized,
		"9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84",
		"c1834e8fb0307243711f0f907f6ab7311ed300d87f13792d7ee4da89ab93e082"},
	{"get-slashes-unnormalized", "GET", "//example//",
		"", "", noToken, exact,
		"87cca117541a147f6df867677d98a7d80dff226d2bfca9e4ffa899665623c7e5",
		"822a5a9ba28072c5ab2bb4a6307d0c88276d40e49fec6b724c03fb4d4ba60fc2"},
	{"get-space-normalized", "GET", "/example%20space/",
		"", "", noToken, exact,
		"652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741",
		"7a1f416954786484c9824d93c1f26ef64acb9b1b6c9154d08c9f07d0e394abf6"},
	{"get-space-unnormalized", "GET", "/example%20space/",
		"", "", noToken, exact,
		"652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741",
		"7a1f416954786484c9824d93c1f26ef64acb9b1b6c9154d08c9f07d0e394abf6"},
	{"get-unreserved", "GET", "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
		"", "", noToken, exact,
		"07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
		"95968482db1b9e0fadef6efc1bd24689f77c77d9ef56919c96a28cc92e0d6005"},
	{"get-utf8", "GET", "/%E1%88%B4",
		"", "", noToken, exact,
		"8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
		"10eae3f14a260bd3911cc6d008d3c576d143b05b62f09782a7a4b37f52178e44"},
	{"get-vanilla-empty-query-key", "GET", "/?Param1=value1",
		"", "", noToken, exact,
		"a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb",
		"49096700cbbaa5753443850f40df10f904fc2fdb544dc9512203cc77c471a9de"},
	{"get-vanilla-query-order-encoded", "GET", "/?Param-3=Value3&Param=Value2&%E1%88%B4=Value1",
		"", "", noToken, exact,
		"371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac",
		"c5f1848ceec943ac2ca68ee720460c23aaae30a2300586597ada94c4a65e4787"},
	{"get-vanilla-query-order-key-case", "GET", "/?Param2=value2&Param1=value1",
		"", "", noToken, exact,
		"b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
		"86012e2c9ad4d77369f5d81c11f75158aae4f895a085212cc6d3f923d300bed5"},
	{"get-vanilla-query-unreserved", "GET", "/?-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz=-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
		"", "", noToken, exact,
		"9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
		"8e76a88a7433637b12778d5592799b29ad21ecd6cf6325051c21d86f0acda2bf"},
	{"get-vanilla-query", "GET", "/",
		"", "", noToken, exact,
		"5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
		"e93c787ed7f371d5c6b165c1b38ede9550f4dce4144713e844b25b7192d3865d"},
	{"get-vanilla-utf8-query", "GET", "/?ሴ=bar",
		"", "", noToken, exact,
		"2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
		"0bdd809b1519ac4f0c1dc3540e2cc46bd0c7f778eda408b2ebf3b913d21ff600"},
	{"get-vanilla-with-session-token", "GET", "/",
		"", "", shortToken, exact,
		"07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8",
		"7ff2b50b376cb4d151970630573d6291dc128cc5c2a12ffb237f73cc53f67b6c"},
	{"get-vanilla", "GET", "/",
		"", "", noToken, exact,
		"5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
		"e93c787ed7f371d5c6b165c1b38ede9550f4dce4144713e844b25b7192d3865d"},
	{"post-header-key-case", "POST", "/",
		"", "", noToken, exact,
		"5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
		"2ce6e6d2e0cf2f9d1b55fafec88cd20574c31dc2e7631979f71ba2310083e95b"},
	{"post-header-key-sort", "POST", "/",
		"My-Header1:value1", "", noToken, exact,
		"c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
		"c09d07e0d55871f10f2a6d350d994acf6825a3cae70673d7def55616e6119dd7"},
	{"post-header-value-case", "POST", "/",
		"My-Header1:VALUE1", "", noToken, exact,
		"cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
		"0698bc9e4f7f9139065ba2909c0e99da257e8e2a42492a097bcd46d792391fed"},
	{"post-sts-header-after", "POST", "/",
		"", "", lateToken, exact,
		"5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
		"2ce6e6d2e0cf2f9d1b55fafec88cd20574c31dc2e7631979f71ba2310083e95b"},
	{"post-sts-header-before", "POST", "/",
		"", "", longToken, exact,
		"85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
		"46c2e3c63c1dbe7d39f8ada16fe7f001c1f56c5791441565323677f96308871c"},
	{"post-vanilla-empty-query-value", "POST", "/?Param1=value1",
		"", "", noToken, exact,
		"28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
		"a9ef26247f293bffe40eeff86a0480ba8c14d31503b2e0c3399e3a16bf1a3682"},
	{"post-vanilla-query", "POST", "/?Param1=value1",
		"", "", noToken, exact,
		"28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
		"a9ef26247f293bffe40eeff86a0480ba8c14d31503b2e0c3399e3a16bf1a3682"},
	{"post-vanilla", "POST", "/",
		"", "", noToken, exact,
		"5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
		"2ce6e6d2e0cf2f9d1b55fafec88cd20574c31dc2e7631979f71ba2310083e95b"},
	{"post-x-www-form-urlencoded-parameters", "POST", "/",
		"Content-Type:application/x-www-form-urlencoded; charset=utf-8\nContent-Length:13\nX-Amz-Content-Sha256:9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e", "Param1=value1", noToken, exact,
		"328d1b9eaadca9f5818ef05e8392801e091653bafec24fcab71e7344e7f51422",
		"0dbeb9b026c7b6675f266b8427efec9b4fa8b1f6ef1477d717aea231106eab4d"},
	{"post-x-www-form-urlencoded", "POST", "/",
		"Content-Type:application/x-www-form-urlencoded\nContent-Length:13\nX-Amz-Content-Sha256:9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e", "Param1=value1", noToken, exact,
		"d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
		"89a40deed0f26f9461242825a082d2222717248abc7ab41f552ad84a94ad46e9"},
}

func vectorVerifier(token string) *Verifier {
	return NewVerifier(Options{
		Service:    "service",
		Region:     "us-east-1",
		EncodeOnce: true,
		Now:        func() time.Time { return vectorTime },
		Lookup: func(id string) (Credential, bool) {
			credential := vectorCredential
			credential.SessionToken = token
			return credential, id == credential.AccessKeyID
		},
	})
}

// receive parses a request as a server does.
func receive(t *testing.T, method, target, header, body string) *http.Request {
	t.Helper()
	text := method + " " + target + " HTTP/1.1\r\nHost:example.amazonaws.com\r\n"
	if header != "" {
		text += strings.ReplaceAll(header, "\n", "\r\n") + "\r\n"
	}
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text + "\r\n" + body)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// headerNames returns the names of headers and of more, as they stand in a signature.
func headerNames(r *http.Request, more ...string) string {
	names := append([]string{"host"}, more...)
	for name := range r.Header {
		names = append(names, strings.ToLower(name))
	}
	slices.Sort(names)
	return strings.Join(names, ";")
}

const vectorScope = "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request"

func checkVector(t *testing.T, r *http.Request, body, token string, normalized bool) {
	t.Helper()
	identity, err := vectorVerifier(token).Verify(r, []byte(body))
	if normalized {
		if err != errMismatch {
			t.Errorf("got %v, want a mismatch: the signed path is not the one on the wire", err)
		}
		return
	}
	if err != nil || identity.AccessKeyID != "AKIDEXAMPLE" || identity.Region != "us-east-1" || !identity.Time.Equal(vectorTime) {
		t.Errorf("got %+v, %v", identity, err)
	}
}

func TestVectors(t *testing.T) {
	for _, tt := range vectors {
		t.Run(tt.name, func(t *testing.T) {
			r := receive(t, tt.method, tt.target, tt.header, tt.body)
			r.Header.Set("X-Amz-Date", vectorTime.Format(timeFormat))
			token := vectorTokens[tt.token]
			if token != "" && tt.token != lateToken {
				r.Header.Set("X-Amz-Security-Token", token)
			}
			names := headerNames(r)
			if tt.token == lateToken {
				r.Header.Set("X-Amz-Security-Token", token)
			}
			r.Header.Set("Authorization", algorithm+" Credential="+vectorScope+", SignedHeaders="+names+", Signature="+tt.signature)
			checkVector(t, r, tt.body, token, tt.normalized)
		})
	}
}

func TestPresignedVectors(t *testing.T) {
	for _, tt := range vectors {
		t.Run(tt.name, func(t *testing.T) {
			token := vectorTokens[tt.token]
			if tt.token == lateToken {
				token = "" // what is in the query is signed
			}
			plain := receive(t, tt.method, tt.target, tt.header, tt.body)
			plain.Header.Del("X-Amz-Content-Sha256") // not part of the presigned vectors
			query := url.Values{
				"X-Amz-Algorithm":     {algorithm},
				"X-Amz-Credential":    {vectorScope},
				"X-Amz-Date":          {vectorTime.Format(timeFormat)},
				"X-Amz-Expires":       {"3600"},
				"X-Amz-SignedHeaders": {headerNames(plain)},
				"X-Amz-Signature":     {tt.presigned},
			}
			if token != "" {
				query.Set("X-Amz-Security-Token", token)
			}
			separator := "?"
			if strings.Contains(tt.target, "?") {
				separator = "&"
			}
			r := receive(t, tt.method, tt.target+separator+query.Encode(), tt.header, tt.body)
			checkVector(t, r, tt.body, token, tt.normalized)
		})
	}
}
