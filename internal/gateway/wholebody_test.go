package gateway_test

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	"penstock/internal/gateway"
)

// whole asks for whole bodies, and answers the length of the body and what an integration
// gets.
type whole struct{ limit int64 }

func (w whole) Invoke(x *gateway.Exchange) error {
	b, err := x.WholeBody(w.limit)
	if err != nil {
		return err
	}
	again, err := x.WholeBody(w.limit)
	if err != nil {
		return err
	}
	body := &x.Request.Body
	same := body.Stream == nil && body.Length == int64(len(b)) && bytes.Equal(body.Bytes, b) && bytes.Equal(again, b)
	text := fmt.Sprintf("%d %t %t", len(b), same, strings.Trim(string(b), "b") == "")
	x.Response.Status = 200
	x.Response.Body = gateway.Body{Bytes: []byte(text), Length: int64(len(text))}
	return nil
}

// chunks returns a body in chunks of at most 10,000 bytes.
func chunks(body string) string {
	var b strings.Builder
	for len(body) > 0 {
		n := min(len(body), 10_000)
		fmt.Fprintf(&b, "%x\r\n%s\r\n", n, body[:n])
		body = body[n:]
	}
	return b.String() + "0\r\n\r\n"
}

// TestWholeBody: a body is whole however it comes, the memory for it comes out of a
// budget, and comes back.
func TestWholeBody(t *testing.T) {
	t.Parallel()
	const limit = 300_000
	_, addr := serveOne(t, gateway.Config{Limits: gateway.Limits{Spooled: 1 << 20}}, whole{limit})
	for _, tt := range []struct {
		name   string
		length int
		want   string
	}{
		{"none", 0, "0 true true"},
		{"short", 10, "10 true true"},
		{"in memory", 64 << 10, "65536 true true"},
		{"streamed", 64<<10 + 1, "65537 true true"},
		{"at the limit", limit, "300000 true true"},
		{"above the limit", limit + 1, `{"message":"Request Entity Too Large"}`},
	} {
		body := strings.Repeat("b", tt.length)
		for how, request := range map[string]string{
			"length": request("POST /x HTTP/1.1", "Content-Length: "+strconv.Itoa(tt.length)) + body,
			"chunks": request("POST /x HTTP/1.1", "Transfer-Encoding: chunked") + chunks(body),
		} {
			for range 5 { // the budget is for three of the longest at a time
				c := dial(t, addr)
				_, _ = io.WriteString(c.nc, request)
				a := c.read("POST")
				if a.body != tt.want || a.Close != strings.HasPrefix(tt.want, "{") {
					t.Fatalf("%s by %s: got %d %s, close %t, want %s", tt.name, how, a.StatusCode, a.body, a.Close, tt.want)
				}
				c.nc.Close()
			}
		}
	}
	c := dial(t, addr)
	for range 2 { // the connection goes on behind a long body
		c.send(request("POST /x HTTP/1.1", "Content-Length: 100000"), strings.Repeat("b", 100_000))
		if a := c.read("POST"); a.body != "100000 true true" {
			t.Errorf("one after the other: got %s", a.body)
		}
	}
}

// TestWholeBodyHasABudget: bodies that must be whole do not take more memory than there
// is for them, and what is only announced takes none.
func TestWholeBodyHasABudget(t *testing.T) {
	t.Parallel()
	_, addr := serveOne(t, gateway.Config{Limits: gateway.Limits{Spooled: 300_000}}, whole{1 << 20})
	const unavailable = `{"message":"Service Unavailable"}`
	for i := range 3 {
		c := dial(t, addr)
		c.send(request("POST /x HTTP/1.1", "Content-Length: 200000"), strings.Repeat("b", 200_000)) // twice, for a moment
		if a := c.read("POST"); a.StatusCode != 503 || a.body != unavailable {
			t.Fatalf("%d: got %d %s", i, a.StatusCode, a.body)
		}
	}
	for range 20 { // begin a body, and send no more of it
		c := dial(t, addr)
		c.send(request("POST /x HTTP/1.1", "Content-Length: 1000000"), strings.Repeat("b", 1000))
	}
	// What was refused may still be on its way out of memory when its answer is here.
	for start := time.Now(); ; {
		c := dial(t, addr)
		c.send(request("POST /x HTTP/1.1", "Content-Length: 100000"), strings.Repeat("b", 100_000))
		a := c.read("POST")
		if a.body == "100000 true true" {
			break
		}
		if time.Since(start) > 5*time.Second {
			t.Fatalf("beside others that send nothing: got %d %s", a.StatusCode, a.body)
		}
	}
}

// TestWholeBodyCutShort: a client that leaves, or is too slow, ends its exchange.
func TestWholeBodyCutShort(t *testing.T) {
	t.Parallel()
	_, addr := serveOne(t, gateway.Config{Limits: gateway.Limits{BodyIdle: 50 * time.Millisecond}}, whole{1 << 20})
	c := dial(t, addr)
	c.send(request("POST /x HTTP/1.1", "Content-Length: 200000"), strings.Repeat("b", 100_000))
	if a := c.read("POST"); a.StatusCode != 408 || !a.Close {
		t.Errorf("too slow: got %d, close %t", a.StatusCode, a.Close)
	}
}
