package integration

import (
	"bufio"
	"bytes"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"penstock/internal/gateway"
)

// FuzzResponseHead: whatever head of a backend is accepted, net/http and fasthttp
// read the same way: the status, and where the body ends. (fasthttp refuses the
// same Content-Length twice, and both refuse some names in a Trailer field, which
// the gateway drops.) What goes on to the client has no framing and nothing that
// belongs to the connection.
func FuzzResponseHead(f *testing.F) {
	for _, seed := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\nConnection: X-A, close\r\nX-A: b\r\n\r\n0\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 404 Not Found\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\n",
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 02\r\nTransfer-Encoding:\r\n chunked\r\n\r\n",
		"HTTP/1.1 304 \r\nProxy-A: b\r\nKeep-Alive: x\r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		x := new(gateway.Exchange)
		c := &conn{br: bufio.NewReader(bytes.NewReader(in))}
		var r head
		if readHead(c, x, &r) != nil {
			return
		}
		raw := x.Buffers.Head
		if r.status < 200 || r.status > 599 || r.length < -1 || r.chunked && r.length >= 0 {
			t.Fatalf("%+v of %q", r, raw)
		}
		for _, field := range x.Buffers.Response {
			if hopByHop(field.Name) || strings.EqualFold(field.Name, "Content-Length") || strings.ContainsAny(field.Name+field.Value, "\r\n\x00") {
				t.Fatalf("field %q goes on, of %q", field, raw)
			}
		}

		got, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(raw)), &http.Request{Method: http.MethodGet})
		if err != nil && !strings.Contains(err.Error(), "trailer") {
			t.Fatalf("net/http refuses %q: %v", raw, err)
		}
		if err == nil {
			length := r.length
			if r.status == http.StatusNoContent {
				length = 0
			}
			if r.status == http.StatusNotModified {
				length = got.ContentLength // whatever is announced, there is none
			}
			if got.StatusCode != r.status || got.ContentLength != length && length >= 0 || slices.Contains(got.TransferEncoding, "chunked") != (r.chunked && !bodiless("", r.status)) {
				t.Fatalf("net/http reads %d, length %d, %q; gateway %+v of %q", got.StatusCode, got.ContentLength, got.TransferEncoding, r, raw)
			}
			if got.Close && !r.close && r.length < 0 && !r.chunked && !bodiless("", r.status) {
				r.close = true // the end of the body is the end of the connection
			}
			if got.Close && !r.close {
				t.Fatalf("net/http closes, the gateway does not: %q", raw)
			}
		}

		var fast fasthttp.ResponseHeader
		fastErr := fast.Read(bufio.NewReaderSize(bytes.NewReader(raw), 2*maxResponseHead))
		if fastErr != nil && !strings.Contains(fastErr.Error(), "trailer") && !errors.Is(fastErr, fasthttp.ErrDuplicateContentLength) {
			t.Fatalf("fasthttp refuses %q: %v", raw, fastErr)
		}
		if fastErr == nil && (fast.StatusCode() != r.status || r.length >= 0 && int64(fast.ContentLength()) != r.length || r.chunked && fast.ContentLength() != -1) && !bodiless("", r.status) {
			t.Fatalf("fasthttp reads %d, length %d; gateway %+v of %q", fast.StatusCode(), fast.ContentLength(), r, raw)
		}
	})
}
