package provenance

import (
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"strings"
	"testing"
	"time"

	"penstock/internal/gateway"
)

func TestOf(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		kind  Kind
		alias bool
	}{
		{"", Other, false},
		{"_", Other, false},
		{"x", Other, false},
		{"X-A", Other, false},
		{"X_A", Other, false},
		{"Cookie", Other, false},
		{"Connections", Other, false},
		{"connection", Hop, false},
		{"CONTENT-LENGTH", Framing, false},
		{"content_length", Framing, true},
		{"Content-Type", Other, false},
		{"Expect", Framing, false},
		{"Host", Framing, false},
		{"HTTP2-Settings", Hop, false},
		{"Http2_Settings", Hop, true},
		{"keep-alive", Hop, false},
		{"KEEP_ALIVE", Hop, true},
		{"Proxy-", Hop, false},
		{"proxy-connection", Hop, false},
		{"Proxy-A_B", Hop, false},
		{"Proxy_A-B", Hop, true},
		{"Proxy", Other, false},
		{"te", Hop, false},
		{"Trailer", Hop, false},
		{"transfer_encoding", Hop, true},
		{"Traceparent", Other, false},
		{"UPGRADE", Hop, false},
		{"User-Agent", Other, false},
		{"forwarded", Forwarded, false},
		{"Via", Via, false},
		{"Vary", Other, false},
		{"x-forwarded-for", ForwardedFor, false},
		{"X_Forwarded-For", ForwardedFor, true},
		{"X-Forwarded_Host", ForwardedHost, true},
		{"X-Forwarded-Host", ForwardedHost, false},
		{"X-FORWARDED-PROTO", ForwardedProto, false},
		{"X-Forwarded-Port", ForwardedPort, false},
		{"X-Forwarded-", ForwardedOther, false},
		{"x_forwarded_client_cert", ForwardedOther, true},
		{"X-Forwarded-A_B", ForwardedOther, false},
		{"X-Forwarded", Other, false},
		{"X-Amzn-Trace-Id", Trace, false},
		{"x-amzn-trace_id", Trace, true},
		{"X-Amzn-Trace-Ids", Amazon, false},
		{"X_Amzn_Oidc", Amazon, true},
		{"X-Amz-Date", Other, false},
		{"\xd8-Amzn-Trace-Id", Other, false},
	} {
		if kind, alias := Of(tt.name); kind != tt.kind || alias != tt.alias {
			t.Errorf("%q: got %d, %t, want %d, %t", tt.name, kind, alias, tt.kind, tt.alias)
		}
	}
}

// FuzzOf: case changes nothing, and "_" for "-" only whether the name is an alias.
func FuzzOf(f *testing.F) {
	for _, s := range []string{"x_forwarded_for", "X-Amzn-Trace-Id", "Te", "Proxy-x", "", "_"} {
		f.Add(s)
	}
	ascii := func(change func(c rune) rune) func(rune) rune {
		return func(c rune) rune {
			if c < 0x80 {
				return change(c)
			}
			return c
		}
	}
	upper := ascii(func(c rune) rune {
		if 'a' <= c && c <= 'z' {
			return c - ('a' - 'A')
		}
		return c
	})
	f.Fuzz(func(t *testing.T, name string) {
		kind, alias := Of(name)
		if k, a := Of(strings.Map(upper, name)); k != kind || a != alias {
			t.Errorf("%q: %d, %t, and %d, %t in upper case", name, kind, alias, k, a)
		}
		if k, a := Of(strings.ReplaceAll(name, "_", "-")); k != kind || a {
			t.Errorf("%q: %d, and %d, %t with dashes", name, kind, k, a)
		}
		if alias && (kind == Other || strings.IndexByte(name, '_') < 0) {
			t.Errorf("%q: an alias of kind %d", name, kind)
		}
	})
}

func TestSame(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"", "", true},
		{"X-User", "x_uSER", true},
		{"X-User", "X-Users", false},
		{"a-b", "a\rb", false},
		{"@", "`", false},
	} {
		if Same(tt.a, tt.b) != tt.want || Same(tt.b, tt.a) != tt.want {
			t.Errorf("%q and %q: want %t", tt.a, tt.b, tt.want)
		}
	}
}

func TestTrace(t *testing.T) {
	t.Parallel()
	const made = "Root=1-67fda4eb-24224fe22c183c77042604f2"
	sent := func(values ...string) (fields []gateway.Field) {
		for _, v := range values {
			fields = append(fields, gateway.Field{Name: "x-amzn-trace-ID", Value: v})
		}
		return fields
	}
	for _, tt := range []struct {
		name   string
		of     string // the trace of the exchange
		header []gateway.Field
		id     string
		want   string
	}{
		{"made", "", nil, "JCJP4iwYPHcEJgQ=", made},
		{"known", "Root=1-a", sent("Root=1-b"), "JCJP4iwYPHcEJgQ=", "Root=1-a"},
		{"sent", "", sent("Self=1;Root=1-b;x=\"y\""), "JCJP4iwYPHcEJgQ=", "Self=1;Root=1-b;x=\"y\""},
		{"sent twice", "", sent("Root=1-b", "Root=1-c"), "JCJP4iwYPHcEJgQ=", "Root=1-b"},
		{"the first does not count", "", sent("Self=1", "Root=1-c"), "JCJP4iwYPHcEJgQ=", "Root=1-c"},
		{"as long as may be", "", sent("Root=" + strings.Repeat("a", 251)), "", "Root=" + strings.Repeat("a", 251)},
		{"too long", "", sent("Root=" + strings.Repeat("a", 252)), "JCJP4iwYPHcEJgQ=", made},
		{"control character", "", sent("Root=1\t"), "JCJP4iwYPHcEJgQ=", made},
		{"not ASCII", "", sent("Root=\x80"), "JCJP4iwYPHcEJgQ=", made},
		{"alias", "", []gateway.Field{{Name: "X_Amzn_Trace_Id", Value: "Root=1-b"}}, "JCJP4iwYPHcEJgQ=", made},
		{"no id", "", nil, "", "Root=1-67fda4eb-000000000000000000000000"},
		{"another id", "", nil, "________________", "Root=1-67fda4eb-ffffffffffffffffffffff00"},
	} {
		x := &gateway.Exchange{ID: tt.id, Start: time.Unix(0x67fda4eb, 623e6), Trace: gateway.Trace{Amazon: tt.of}}
		x.Request.Header = tt.header
		for range 2 { // the same each time
			got := KnownTrace(x)
			if got == "" {
				got = string(AppendNewTrace(nil, x))
			}
			if got != tt.want {
				t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
			}
		}
	}
}

func TestCertificate(t *testing.T) {
	t.Parallel()
	leaf, other := new(x509.Certificate), new(x509.Certificate)
	for _, tt := range []struct {
		name  string
		state *tls.ConnectionState
		want  *x509.Certificate
	}{
		{"cleartext", nil, nil},
		{"none", &tls.ConnectionState{}, nil},
		{"not verified", &tls.ConnectionState{PeerCertificates: []*x509.Certificate{leaf}}, nil},
		{"empty chain", &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{}}}, nil},
		{"verified", &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{leaf, other}, {other}}}, leaf},
	} {
		x := &gateway.Exchange{Request: gateway.Request{TLS: tt.state}}
		if got := Certificate(x); got != tt.want {
			t.Errorf("%s: got %p, want %p", tt.name, got, tt.want)
		}
	}
}

func TestAppendSerial(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		serial *big.Int
		want   string
	}{
		{nil, ""},
		{new(big.Int), "00"},
		{big.NewInt(0xa10b), "a1:0b"},
	} {
		if got := string(AppendSerial(nil, &x509.Certificate{SerialNumber: tt.serial})); got != tt.want {
			t.Errorf("%v: got %q, want %q", tt.serial, got, tt.want)
		}
	}
}

func TestAppendValidity(t *testing.T) {
	t.Parallel()
	at := time.Date(2021, 8, 5, 11, 36, 4, 0, time.FixedZone("", 7200))
	if got := string(AppendValidity(nil, at)); got != "Aug  5 09:36:04 2021 GMT" {
		t.Errorf("got %q", got)
	}
}

func BenchmarkOf(b *testing.B) {
	names := []string{"Host", "User-Agent", "Accept", "X-Forwarded-For", "X-Request-Id", "content_length", "Traceparent", "Cookie"}
	b.ReportAllocs()
	for b.Loop() {
		for _, name := range names {
			Of(name)
		}
	}
}

func BenchmarkTrace(b *testing.B) {
	x := &gateway.Exchange{ID: "JCJP4iwYPHcEJgQ=", Start: time.Unix(0x67fda4eb, 0)}
	x.Request.Header = []gateway.Field{{Name: "Host"}, {Name: "User-Agent"}, {Name: "Accept"}, {Name: "Accept-Encoding"}}
	room := make([]byte, 0, 64)
	b.ReportAllocs()
	for b.Loop() {
		if KnownTrace(x) == "" {
			room = AppendNewTrace(room[:0], x)
		}
	}
}
