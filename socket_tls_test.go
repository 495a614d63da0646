package penstock_test

import (
	"crypto/tls"
	"encoding/binary"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"penstock"
	"penstock/internal/sigv4"
)

// A secureWorld is a world whose APIs are reached over TLS, with the certificate of its own
// authority.
type secureWorld struct {
	*world
	ca *identity
	fn *lambdaFunction
	// api has $connect and $disconnect, echo answers every message with itself.
	api string
}

func newSecureWorld(t testing.TB, c penstock.Config) *secureWorld {
	t.Helper()
	s := &secureWorld{ca: newAuthority(t), fn: answering(`{"statusCode":200}`)}
	leaf := s.ca.sign(t, "*.execute-api.us-east-1.amazonaws.com")
	c.ListenTLS = "127.0.0.1:0"
	c.Certificates = []penstock.Certificate{{Certificate: leaf.certPEM(), PrivateKey: leaf.keyPEM(t)}}
	c.Functions = functions(map[string]*lambdaFunction{"fn": s.fn})
	s.world = newWorld(t, c)
	s.api = s.sockets(socketSpec{routes: map[string]socketRoute{
		"$connect": lambdaRoute("fn"), "$disconnect": lambdaRoute("fn"), "$default": two(proxyRoute("/echo", nil)),
	}})
	return s
}

// dialTLS returns a connection that trusts nothing but the authority.
func (w *secureWorld) dialTLS(protocols ...string) *tls.Conn {
	w.t.Helper()
	nc, err := tls.DialWithDialer(&net.Dialer{Timeout: 10 * time.Second}, "tcp", strings.TrimPrefix(w.server.TLSURL(), "https://"),
		&tls.Config{ServerName: host(w.api), RootCAs: w.ca.pool(), NextProtos: protocols})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { nc.NetConn().Close() })
	nc.SetDeadline(time.Now().Add(20 * time.Second))
	return nc
}

// shakeHead is the head of a handshake for the stage dev.
func shakeHead(api string) string {
	return "GET /dev HTTP/1.1\r\nHost: " + host(api) + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + socketKey + "\r\n\r\n"
}

// connectTLS opens a connection, and returns it with its ID.
func (w *secureWorld) connectTLS() (*socket, string) {
	w.t.Helper()
	s := talk(w.t, w.dialTLS("http/1.1"), shakeHead(w.api))
	if s.shake.StatusCode != http.StatusSwitchingProtocols || s.shake.Header.Get("Sec-WebSocket-Accept") != acceptedKey {
		w.t.Fatalf("the handshake got %d %s", s.shake.StatusCode, s.shake.body)
	}
	return s, at(w.fn.wait(w.t), "requestContext.connectionId").(string)
}

// TestSecureMessages: wss:// carries messages of all sizes, and what the client says before
// it has been let in, whether that comes in the record of the handshake or in the next.
func TestSecureMessages(t *testing.T) {
	t.Parallel()
	w := newSecureWorld(t, penstock.Config{WebSockets: penstock.WebSockets{Ordered: true}})
	s, _ := w.connectTLS()
	for _, text := range []string{"hello", strings.Repeat("é", 50<<10), strings.Repeat("x", 128<<10), "bye"} {
		s.send(text)
		if got := s.next(); got != text {
			t.Fatalf("%d bytes came back as %d: %.40q", len(text), len(got), got)
		}
	}
	s.quiet()
	early := string(appendFrame(nil, 0x80|opText, "early"))
	one := talk(t, w.dialTLS(), shakeHead(w.api)+early)
	nc := w.dialTLS()
	rest := string(appendFrame(nil, 0x80|opText, strings.Repeat("y", 20<<10)))
	if _, err := io.WriteString(nc, shakeHead(w.api)+early+rest[:100]); err != nil {
		t.Fatal(err)
	}
	many := talk(t, nc, rest[100:])
	for _, s := range []*socket{one, many} {
		if got := s.next(); got != "early" {
			t.Errorf("got %.40q", got)
		}
	}
	if got := many.next(); len(got) != 20<<10 {
		t.Errorf("got %d bytes", len(got))
	}
}

// TestSecureEnds: however a connection ends, its client hears of it as over plain TCP: the
// code, then the end of the TLS stream in order, and $disconnect hears what happened.
func TestSecureEnds(t *testing.T) {
	t.Parallel()
	w := newSecureWorld(t, penstock.Config{})
	for _, v := range []struct {
		name   string
		do     func(s *socket, id string)
		code   int // -1: the client hears nothing
		told   int
		reason string
	}{
		{"close", func(s *socket, _ string) { s.frame(0x80|opClose, "\x03\xe8bye") }, 1000, 1000, "bye"},
		{"close without code", func(s *socket, _ string) { s.frame(0x80|opClose, "") }, 1005, 1005, "Client-side close frame status not set"},
		{"binary message", func(s *socket, _ string) { s.frame(0x80|opBinary, "x") }, 1003, 1003, ""},
		{"frame too long", func(s *socket, _ string) { s.frame(0x80|opText, strings.Repeat("x", 32<<10+1)) }, 1009, 1009, ""},
		{"no UTF-8", func(s *socket, _ string) { s.frame(0x80|opText, "\xff") }, 1007, 1007, ""},
		{"reserved opcode", func(s *socket, _ string) { s.frame(0x80|3, "") }, 1002, 1002, ""},
		{"DELETE", func(_ *socket, id string) {
			if a := w.management(w.api, "DELETE /dev/@connections/"+id, "", somebody); a.StatusCode != 204 {
				t.Errorf("DELETE got %d", a.StatusCode)
			}
		}, 1000, 1000, ""},
		{"end of the TLS stream", func(s *socket, _ string) { s.nc.(*tls.Conn).CloseWrite() }, -1, 1006, "Connection closed abnormally"},
		{"end of the TCP connection", func(s *socket, _ string) { s.nc.(*tls.Conn).NetConn().Close() }, -1, 1006, "Connection closed abnormally"},
	} {
		t.Run(v.name, func(t *testing.T) {
			s, id := w.connectTLS()
			v.do(s, id)
			if v.code >= 0 {
				first, payload, err := s.read()
				code := 1005
				if len(payload) >= 2 {
					code = int(binary.BigEndian.Uint16([]byte(payload)))
				}
				if first != 0x80|opClose || code != v.code {
					t.Errorf("got a frame %#x of code %d and %v, want code %d", first, code, err, v.code)
				}
				// All else would be a connection that was cut off.
				if _, _, err := s.read(); err != io.EOF {
					t.Errorf("the TLS stream ended with %v", err)
				}
			}
			e := w.fn.wait(t)
			if at(e, "requestContext.connectionId") != id || at(e, "requestContext.disconnectStatusCode") != float64(v.told) || at(e, "requestContext.disconnectReason") != v.reason {
				t.Errorf("$disconnect got %v, want %d %q", e, v.told, v.reason)
			}
		})
	}
}

// TestSecureManagement: @connections over https, by HTTP/1.1 and HTTP/2, while a handshake
// over HTTP/2 is told that there is none.
func TestSecureManagement(t *testing.T) {
	t.Parallel()
	w := newSecureWorld(t, penstock.Config{})
	s, id := w.connectTLS()
	for protocol, want := range map[string]string{"h2": "HTTP/2.0", "http/1.1": "HTTP/1.1"} {
		transport := &http.Transport{
			TLSClientConfig:   &tls.Config{RootCAs: w.ca.pool(), ServerName: host(w.api), NextProtos: []string{protocol}},
			ForceAttemptHTTP2: protocol == "h2",
		}
		defer transport.CloseIdleConnections()
		ask := func(method, path, body string, status int) string {
			t.Helper()
			r, err := http.NewRequestWithContext(t.Context(), method, w.server.TLSURL()+path, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			r.Host = host(w.api)
			signer := sigv4.Signer{Credential: *somebody, Region: "us-east-1", Service: "execute-api"}
			if err := signer.Sign(r, []byte(body)); err != nil {
				t.Fatal(err)
			}
			resp, err := (&http.Client{Transport: transport}).Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			text, err := io.ReadAll(resp.Body)
			if err != nil || resp.StatusCode != status || resp.Proto != want {
				t.Errorf("%s %s got %s %d %s (%v), want %s %d", method, path, resp.Proto, resp.StatusCode, text, err, want, status)
			}
			return string(text)
		}
		long := strings.Repeat(protocol[:2], 50<<10)
		ask("POST", "/dev/@connections/"+id, long, 200)
		if got := s.next(); got != long {
			t.Errorf("%s: got %d bytes", protocol, len(got))
		}
		var state struct{ Identity struct{ SourceIP string } }
		if err := json.Unmarshal([]byte(ask("GET", "/dev/@connections/"+id, "", 200)), &state); err != nil || state.Identity.SourceIP != "127.0.0.1" {
			t.Errorf("%s: got %+v, %v", protocol, state, err)
		}
		ask("PUT", "/dev/@groups/g/"+id, "", 204)
		ask("POST", "/dev/@connections/"+id, strings.Repeat("x", 128<<10+1), 413)
		ask("GET", "/dev", "", 426)
		ask("GET", "/nostage", "", 403)
		ask("DELETE", "/dev/@connections/AAAAAAAAAAAAAAA=", "", 410)
	}
}

// TestSecureSlowReader: a client that does not read is cut off over TLS as well, though a
// write to it waits.
func TestSecureSlowReader(t *testing.T) {
	t.Parallel()
	w := newSecureWorld(t, penstock.Config{WebSockets: penstock.WebSockets{StallTimeout: time.Second}})
	s, id := w.connectTLS()
	body := strings.Repeat("x", 128<<10)
	w.until("the client is cut off", func() bool {
		return w.management(w.api, "POST /dev/@connections/"+id, body, somebody).StatusCode == 410
	})
	if e := w.fn.wait(t); at(e, "requestContext.disconnectStatusCode") != float64(1011) {
		t.Errorf("event %v", e)
	}
	// What waited in the kernel for the client is dropped, too.
	if _, err := io.Copy(io.Discard, s.nc); err == nil || !strings.Contains(err.Error(), "reset") {
		t.Errorf("the connection ended with %v, want a reset", err)
	}
}

// TestSecureShutdown: clients over TLS are told to go away, and are not waited for longer than
// they need.
func TestSecureShutdown(t *testing.T) {
	t.Parallel()
	w := newSecureWorld(t, penstock.Config{})
	var all []*socket
	for range 10 {
		s, _ := w.connectTLS()
		all = append(all, s)
	}
	done := make(chan error, 1)
	go func() { done <- w.server.Shutdown(t.Context()) }()
	for _, s := range all {
		if code, reason := s.closed(); code != 1001 || reason != "Going away" {
			t.Errorf("got %d %q", code, reason)
		}
		s.nc.Close()
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if n := len(w.fn.take()); n != 2*len(all) {
		t.Errorf("%d events of %d connections", n, len(all))
	}
}
