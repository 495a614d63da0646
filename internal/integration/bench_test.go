package integration_test

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"strings"
	"testing"

	"penstock/internal/gateway"
)

// A mill is a backend that answers every request at once with the same bytes, and
// allocates nothing.
func mill(b *testing.B, answer string) string {
	l := listen(b)
	b.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				br := bufio.NewReaderSize(c, 64<<10)
				out := []byte(answer)
				for {
					line, err := br.ReadSlice('\n')
					if err != nil {
						return
					}
					if n, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
						length := 0
						for _, d := range n {
							if d >= '0' {
								length = length*10 + int(d-'0')
							}
						}
						if _, err := br.Discard(2 + length); err != nil {
							return
						}
						if _, err := c.Write(out); err != nil {
							return
						}
					}
				}
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

// exchange sends a request again and again on one connection.
func exchange(b *testing.B, addr string, request []byte) {
	b.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	br := bufio.NewReaderSize(c, 64<<10)
	once := func() {
		if _, err := c.Write(request); err != nil {
			b.Fatal(err)
		}
		length := -1
		for {
			line, err := br.ReadSlice('\n')
			if err != nil {
				b.Fatal(err)
			}
			if n, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
				length = 0
				for _, d := range n {
					if d >= '0' {
						length = length*10 + int(d-'0')
					}
				}
			}
			if len(line) == 2 {
				break
			}
		}
		if _, err := br.Discard(length); err != nil {
			b.Fatal(err)
		}
	}
	once()
	b.ReportAllocs()
	for b.Loop() {
		once()
	}
}

// BenchmarkExchange is a whole exchange: client, gateway and backend in one
// process, over two loopback connections that stay.
func BenchmarkExchange(b *testing.B) {
	body := strings.Repeat("x", 400)
	ok := "HTTP/1.1 200 OK\r\nServer: mill\r\nDate: Mon, 23 Nov 2026 07:30:00 GMT\r\nContent-Type: application/json\r\nContent-Length: 400\r\nConnection: keep-alive\r\n\r\n" + body
	chunked := "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n190\r\n" + body + "\r\n0\r\n\r\n"
	head := func(line string, more ...string) string {
		return line + " HTTP/1.1\r\nHost: " + host + "\r\nUser-Agent: bench/1.0\r\nAccept: */*\r\nAccept-Encoding: gzip\r\nConnection: keep-alive\r\nAuthorization: Bearer x\r\nCookie: a=b\r\n" + strings.Join(more, "") + "\r\n"
	}
	request := []string{"append:header.x-id", "$context.requestId", "overwrite:header.x-agent", "${request.header.user-agent} ${context.stage}", "overwrite:header.authorization-of", "$request.header.authorization"}
	response := map[string]map[string]string{"200": {"append:header.x-id": "$context.requestId", "remove:header.server": "''"}}
	for _, bb := range []struct{ name, key, uri, request, answer string }{
		{"default", "$default", "", head("GET /pets/7?verbose=true"), ok},
		{"variable", "GET /pets/{id}", "/animals/{id}", head("GET /pets/7?verbose=true"), ok},
		{"mapped", "GET /pets/{id}", "/animals/{id}", head("GET /pets/7?verbose=true"), ok},
		{"escaped", "GET /pets/{id}", "/animals/{id}", head("GET /pets/a%20b%C3%A9"), ok},
		{"post", "$default", "", head("POST /pets", "Content-Length: 400\r\n") + body, ok},
		{"post 32 KiB", "$default", "", head("POST /pets", "Content-Length: 32768\r\n") + strings.Repeat("x", 32768), ok},
		{"answer in chunks", "$default", "", head("GET /pets"), chunked},
		{"answer of 32 KiB", "$default", "", head("GET /pets"), "HTTP/1.1 200 OK\r\nContent-Length: 32768\r\n\r\n" + strings.Repeat("x", 32768)},
		{"answer of 1 MiB", "$default", "", head("GET /pets"), "HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n" + strings.Repeat("x", 1<<20)},
	} {
		b.Run(bb.name, func(b *testing.B) {
			to := proxy(b, newClient(b), bb.key, mill(b, bb.answer)+bb.uri)
			if bb.name == "mapped" {
				to = mapped(b, newClient(b), bb.key, mill(b, bb.answer)+bb.uri, request, response)
			}
			addr := serve(b, gateway.Config{}, to)
			exchange(b, addr, []byte(bb.request))
		})
	}
}

// Whole exchanges on as many connections as there are cores, to see what cores
// share.
func BenchmarkExchangeParallel(b *testing.B) {
	addr := serve(b, gateway.Config{}, proxy(b, newClient(b), "$default", mill(b, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")))
	request := fmt.Appendf(nil, "GET /pets HTTP/1.1\r\nHost: %s\r\n\r\n", host)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			b.Error(err)
			return
		}
		defer c.Close()
		br := bufio.NewReader(c)
		for pb.Next() {
			c.Write(request)
			for {
				line, err := br.ReadSlice('\n')
				if err != nil {
					b.Error(err)
					return
				}
				if len(line) == 2 {
					break
				}
			}
			br.Discard(len("ok"))
		}
	})
}
