package gateway

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"penstock/internal/route"
)

// parseHead reads the head at the start of in as a connection does. It reports
// false if the head is refused or not complete.
func parseHead(in []byte) (r *Request, f framing, head []byte, ok bool) {
	var scan HeadScanner
	n, err := scan.End(in)
	if n == 0 || n > maxRawHead || err != nil {
		return nil, f, nil, false
	}
	r, head = &Request{}, bytes.Clone(in[:n])
	f, err = r.parse(head)
	return r, f, in[:n], err == nil
}

// FuzzHead: whatever head is accepted, net/http and fasthttp accept and read the
// same way: the method, the target, the host, and how long the body is. So no
// backend that reads like them sees another request than the gateway did.
//
// Two differences are left: net/http refuses a path with a malformed escape at
// once, the gateway when it decodes the path; and both refuse some names in a
// Trailer field, which the gateway drops.
//
// The input is tried as it is and spelled: see spell.
func FuzzHead(f *testing.F) {
	for _, seed := range []string{
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"\r\nPOST /a%20b?c=d HTTP/1.1\r\nHost: a.b:80\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc",
		"PUT http://a/b HTTP/1.1\r\nhost: A\r\nTransfer-Encoding: chunked\r\nX: \ty \r\n\r\n0\r\n\r\n",
		"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: [::1]:8080\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n",
		"OPTIONS /\xc3\xa9?\xff HTTP/1.1\r\nHost: a\r\nCookie: a=\xff\r\nCookie:\r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Add([]byte{128, 129, 130, 128 + 16, 131, 132, 134, 130, 128 + 10, 132, '3', 131, 131})
	check := func(t *testing.T, in []byte) {
		r, framing, head, ok := parseHead(in)
		if !ok {
			return
		}
		if len(r.Header) > maxFields {
			t.Fatalf("%d fields", len(r.Header))
		}
		for _, field := range r.Header {
			if field.Name == "" || strings.ContainsAny(field.Name, " \t\r\n:\x00") || strings.ContainsAny(field.Value, "\r\n\x00") || strings.Trim(field.Value, " \t") != field.Value {
				t.Fatalf("field %q", field)
			}
		}
		if strings.ContainsAny(r.Target, " \t\r\n\x00#\\") || r.Path[0] != '/' {
			t.Fatalf("target %q, path %q", r.Target, r.Path)
		}
		compareNetHTTP(t, r, framing, head)
		compareFasthttp(t, r, framing, head)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		check(t, in)
		check(t, spell(in))
	})
}

var pieces = []string{
	"GET", " ", "/", "\r\n", ":", "HTTP/1.1", "Host", "a.b", "\n", "\r", "Content-Length", "Transfer-Encoding", "chunked", "Connection", "close", "keep-alive", " HTTP/1.1\r\n", "Host: a\r\n",
	"\r\n\r\n", "Content-Length: ", "Transfer-Encoding: chunked\r\n", ", ", "\t", "Expect: 100-continue\r\n", "HTTP/1.0", "http://", "POST /", "[::1]", ":80", "?", "%2e", "%", "@", "Upgrade", "\x00", "Trailer",
	"GET / HTTP/1.1\r\nHost: a\r\n", "\xff", "identity", "X-A: b\r\n", "0", "+", "#", "\\", ";", "Content-Length: 1\r\n",
}

// spell replaces bytes from 128 on by the pieces that heads are made of, so that
// short inputs become whole heads.
func spell(in []byte) (out []byte) {
	for _, b := range in {
		if b < 128 {
			out = append(out, b)
		} else {
			out = append(out, pieces[int(b-128)%len(pieces)]...)
		}
	}
	return out
}

func compareNetHTTP(t *testing.T, r *Request, f framing, head []byte) {
	// net/http drops an empty line before a request only in its server.
	head = bytes.TrimPrefix(head, []byte("\r\n"))
	if _, err := url.ParseRequestURI(r.Target); err != nil {
		if _, decodeErr := route.Decode(r.Path, nil); decodeErr == nil {
			t.Fatalf("net/http refuses the target %q: %v", r.Target, err)
		}
		return
	}
	got, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(head)))
	if err != nil && aboutTrailer(r, err) {
		return
	}
	if err != nil {
		t.Fatalf("net/http refuses %q: %v", head, err)
	}
	host := got.Host
	if r.Target[0] != '/' && EqualFold(host, r.Host) {
		host = r.Host // the authority of the target, in its own case
	}
	if got.Method != r.Method || got.RequestURI != r.Target || host != r.Host || got.ProtoMinor != r.Minor {
		t.Fatalf("net/http reads %q %q %q 1.%d, gateway %q %q %q 1.%d", got.Method, got.RequestURI, got.Host, got.ProtoMinor, r.Method, r.Target, r.Host, r.Minor)
	}
	if got.ContentLength != f.length || slices.Contains(got.TransferEncoding, "chunked") != (f.length < 0) {
		t.Fatalf("net/http reads a body of %d (%q), gateway of %d", got.ContentLength, got.TransferEncoding, f.length)
	}
	if got.Close && !f.close {
		t.Fatalf("net/http closes the connection, the gateway does not: %q", head)
	}
	n := 0
	for _, values := range got.Header {
		n += len(values)
	}
	for _, field := range r.Header {
		if EqualFold(field.Name, "Host") || EqualFold(field.Name, "Transfer-Encoding") || EqualFold(field.Name, "Trailer") && f.length < 0 {
			n++ // taken out of Header
		}
	}
	if n != len(r.Header) {
		t.Fatalf("net/http reads %d fields, gateway %d: %q", n, len(r.Header), head)
	}
}

func aboutTrailer(r *Request, err error) bool {
	_, announced := r.Field("Trailer")
	return announced && strings.Contains(err.Error(), "trailer")
}

func compareFasthttp(t *testing.T, r *Request, f framing, head []byte) {
	var got fasthttp.RequestHeader
	err := got.Read(bufio.NewReaderSize(bytes.NewReader(head), maxRawHead))
	if err != nil && aboutTrailer(r, err) {
		return
	}
	if err != nil {
		t.Fatalf("fasthttp refuses %q: %v", head, err)
	}
	if string(got.Method()) != r.Method || string(got.RequestURI()) != r.Target || string(got.Host()) != r.Host {
		t.Fatalf("fasthttp reads %q %q %q, gateway %q %q %q", got.Method(), got.RequestURI(), got.Host(), r.Method, r.Target, r.Host)
	}
	length := int64(got.ContentLength())
	if length == -2 {
		length = 0 // none announced
	}
	if length != f.length {
		t.Fatalf("fasthttp reads a body of %d, gateway of %d: %q", length, f.length, head)
	}
}

// FuzzChunks: whatever body in chunks is accepted, net/http decodes to the same
// bytes and ends at the same place.
func FuzzChunks(f *testing.F) {
	for _, seed := range []string{
		"0\r\n\r\n", "3\r\nabc\r\n0\r\n\r\nGET", "3;a=b\r\nabc\r\n02\r\nde\r\n0\r\nA: b\r\n\r\n", "3 \r\nabc\r\n0\r\n\r\n", "3\nabc\r\n0\r\n\r\n", "A\r\n0123456789\r\n0;\"\r\n\r\n", "0_2e\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		ours := bufio.NewReaderSize(bytes.NewReader(in), readBuffer)
		var c ChunkReader
		c.Reset(ours)
		body, err := io.ReadAll(&c)
		if n, again := c.Read(make([]byte, 1)); n != 0 || again == nil {
			t.Fatalf("read behind the end: %d, %v", n, again)
		}
		if err != nil {
			return
		}
		rest, _ := io.ReadAll(ours)

		theirs := bufio.NewReader(bytes.NewReader(in))
		want, err := io.ReadAll(httputil.NewChunkedReader(theirs))
		if err != nil {
			t.Fatalf("net/http refuses %q: %v", in, err)
		}
		if !bytes.Equal(body, want) {
			t.Fatalf("net/http reads %q, gateway %q", want, body)
		}
		behind, _ := io.ReadAll(theirs) // trailers and what comes behind
		if !bytes.HasSuffix(behind, rest) || !bytes.HasSuffix(behind[:len(behind)-len(rest)], []byte("\r\n")) {
			t.Fatalf("net/http ends before %q, gateway before %q", behind, rest)
		}
	})
}
