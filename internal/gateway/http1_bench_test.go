package gateway

import "testing"

const benchHead = "GET /pets/7?verbose=true HTTP/1.1\r\nHost: a1b2c3d4e5.execute-api.us-east-1.localhost:8080\r\nUser-Agent: bench/1.0\r\nAccept: */*\r\nAccept-Encoding: gzip\r\nAuthorization: Bearer x\r\nCookie: a=b\r\n\r\n"

// BenchmarkParseHead finds the end of a head of 200 bytes and parses it.
func BenchmarkParseHead(b *testing.B) {
	in := []byte(benchHead)
	var r Request
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		var scan HeadScanner
		n, err := scan.End(in)
		if err != nil || n != len(in) {
			b.Fatal(n, err)
		}
		r.Header = r.Header[:0]
		if _, err := r.parse(in); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLocate finds the API, the stage and the route of a request.
func BenchmarkLocate(b *testing.B) {
	for name, path := range map[string]string{"plain": "/pets/7", "escaped": "/pets/a%20b%C3%A9"} {
		b.Run(name, func(b *testing.B) {
			s := NewServer(Config{Region: "us-east-1", Suffixes: []string{"localhost"}})
			snapshot := NewSnapshot(1, []*API{{ID: "a", Stages: map[string]*Stage{"$default": {}, "live": {}}}})
			x := &Exchange{server: s}
			x.Request = Request{Host: "a.execute-api.us-east-1.localhost:8080", Path: path}
			b.ReportAllocs()
			for b.Loop() {
				if err := x.locate(snapshot); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkAppendHead writes the head of a response.
func BenchmarkAppendHead(b *testing.B) {
	s := NewServer(Config{Region: "us-east-1"})
	c := &conn{s: s}
	c.x.ID = requestID(&c.x.idBuf)
	c.x.Response = Response{Status: 200, Header: []Field{{"Server", "nginx"}, {"Content-Type", "application/json"}, {"ETag", `"abc"`}, {"Cache-Control", "no-store"}}, Body: Body{Length: 400}}
	b.ReportAllocs()
	for b.Loop() {
		c.out = c.appendHead(c.out[:0], true)
	}
}

// BenchmarkRequestID makes a request id.
func BenchmarkRequestID(b *testing.B) {
	var buf [16]byte
	b.ReportAllocs()
	for b.Loop() {
		requestID(&buf)
	}
}
