package gateway

import "testing"

// BenchmarkStampCORS stamps a response of a backend that has fields of its own.
func BenchmarkStampCORS(b *testing.B) {
	answer := []Field{{"Server", "nginx"}, {"Content-Type", "application/json"}, {"ETag", `"abc"`}, {"Cache-Control", "no-store"}}
	careless := append([]Field{{"Access-Control-Allow-Origin", "*"}}, answer...)
	for name, tt := range map[string]struct {
		origin string
		answer []Field
	}{
		"none":     {"", answer},
		"origin":   {"https://app.example.com", answer},
		"replaced": {"https://app.example.com", careless},
	} {
		b.Run(name, func(b *testing.B) {
			x := corsExchange(tt.origin)
			b.ReportAllocs()
			for b.Loop() {
				x.Response = Response{Status: 200, Header: tt.answer}
				x.stampCORS()
			}
		})
	}
}

// corsExchange returns an exchange of a stage with a CORS configuration.
func corsExchange(origin string) *Exchange {
	x := &Exchange{Stage: &Stage{CORS: NewCORS(CORSSpec{
		AllowOrigins: []string{"https://other.example.com", "https://app.example.com"}, ExposeHeaders: []string{"x-id"}, AllowCredentials: true,
	})}}
	x.Request.Method = "GET"
	x.Request.Header = []Field{{"Host", "a"}, {"Accept", "*/*"}, {"User-Agent", "bench"}, {"Cookie", "a=b"}}
	if origin != "" {
		x.Request.Header = append(x.Request.Header, Field{"Origin", origin})
	}
	return x
}

// TestStampCORSAllocates: stamping costs no memory once the exchange has room.
func TestStampCORSAllocates(t *testing.T) {
	x := corsExchange("https://app.example.com")
	answer := []Field{{"Access-Control-Allow-Origin", "*"}, {"Content-Type", "text/plain"}}
	if n := testing.AllocsPerRun(100, func() {
		x.Response = Response{Status: 200, Header: answer}
		x.stampCORS()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if len(answer) != 2 || answer[0].Value != "*" {
		t.Errorf("the fields of the integration have changed: %v", answer)
	}
	x.Request.Method = "OPTIONS"
	if n := testing.AllocsPerRun(100, x.preflight); n != 0 {
		t.Errorf("preflight: %v allocations", n)
	}
}
