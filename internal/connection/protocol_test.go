package connection

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

// frames joins frames.
func frames(all ...[]byte) []byte { return bytes.Join(all, nil) }

// with returns the frame with bits of its first byte flipped.
func with(b []byte, bits byte) []byte {
	b[0] ^= bits
	return b
}

// unmasked returns a frame without a mask.
func unmasked(op ws.OpCode, payload string) []byte { return serverFrame(op, payload) }

// header returns the start of a masked text frame that says how long it is in n bytes.
func header(n int, length uint64) []byte {
	b := binary.BigEndian.AppendUint64([]byte{0x81, 0xff}, length)
	if n == 2 {
		b = append([]byte{0x81, 0xfe}, b[8:]...)
	}
	return append(b, mask[:]...)
}

// closes is what the server sends to end a connection.
func closes(code int) []byte { return appendClose(nil, code, "") }

// fragments are text in so many fragments of a size.
func fragments(n, size int, last string) (b []byte) {
	op := ws.OpText
	for range n {
		b = append(b, frame(false, op, strings.Repeat("x", size))...)
		op = ws.OpContinuation
	}
	return append(b, frame(true, op, last)...)
}

// A protocolCase is what a client sends, and what comes of it. Where the code is 0 the
// connection stays open.
type protocolCase struct {
	name     string
	send     []byte
	want     []byte
	messages []string
	code     int
	reason   string
}

// protocolCases are RFC 6455 in bytes.
var protocolCases = []protocolCase{
	// Messages.
	{name: "text", send: text("hi"), messages: []string{"hi"}},
	{name: "empty text", send: text(""), messages: []string{""}},
	{name: "two at once", send: frames(text("a"), text("b")), messages: []string{"a", "b"}},
	{name: "125 bytes", send: text(strings.Repeat("a", 125)), messages: []string{strings.Repeat("a", 125)}},
	{name: "126 bytes", send: text(strings.Repeat("a", 126)), messages: []string{strings.Repeat("a", 126)}},
	{name: "32768 bytes", send: text(strings.Repeat("a", 32768)), messages: []string{strings.Repeat("a", 32768)}},
	{name: "32769 bytes", send: header(2, 32769), want: closes(TooBig), code: TooBig},
	{name: "65536 bytes", send: header(8, 65536), want: closes(TooBig), code: TooBig},
	{name: "2^63-1 bytes", send: header(8, 1<<63-1), want: closes(TooBig), code: TooBig},
	{name: "2^63 bytes", send: header(8, 1<<63), want: closes(Violation), code: Violation},
	{name: "2^64-1 bytes", send: header(8, 1<<64-1), want: closes(Violation), code: Violation},
	{name: "125 in two bytes", send: header(2, 125), want: closes(Violation), code: Violation},
	{name: "65535 in eight bytes", send: header(8, 65535), want: closes(Violation), code: Violation},
	{name: "binary", send: frame(true, ws.OpBinary, "hi"), want: closes(Unacceptable), code: Unacceptable},
	{name: "empty binary", send: frame(true, ws.OpBinary, ""), want: closes(Unacceptable), code: Unacceptable},
	{name: "binary too long", send: with(header(8, 1<<40), 3), want: closes(Unacceptable), code: Unacceptable},
	{name: "binary, continued", send: frames(frame(false, ws.OpBinary, "a"), frame(true, ws.OpContinuation, "b")),
		want: closes(Unacceptable), code: Unacceptable},
	{name: "binary, continued by text", send: frames(frame(false, ws.OpBinary, "a"), text("b")),
		want: closes(Unacceptable), code: Unacceptable},
	{name: "0 in two bytes", send: header(2, 0), want: closes(Violation), code: Violation},
	{name: "0 in eight bytes", send: header(8, 0), want: closes(Violation), code: Violation},
	{name: "125 in eight bytes", send: header(8, 125), want: closes(Violation), code: Violation},

	// Fragments.
	{name: "two fragments", send: frames(frame(false, ws.OpText, "a"), frame(true, ws.OpContinuation, "b")),
		messages: []string{"ab"}},
	{name: "empty fragments", send: frames(frame(false, ws.OpText, ""), frame(false, ws.OpContinuation, ""), frame(true, ws.OpContinuation, "")),
		messages: []string{""}},
	{name: "empty last fragment", send: fragments(2, 1, ""), messages: []string{"xx"}},
	{name: "single bytes", send: fragments(300, 1, "y"), messages: []string{strings.Repeat("x", 300) + "y"}},
	{name: "flood of single bytes", send: fragments(5000, 1, ""), messages: []string{strings.Repeat("x", 5000)}},
	{name: "sizes of headers", send: frames(frame(false, ws.OpText, strings.Repeat("a", 125)),
		frame(false, ws.OpContinuation, strings.Repeat("b", 126)), frame(true, ws.OpContinuation, strings.Repeat("c", 127))),
		messages: []string{strings.Repeat("a", 125) + strings.Repeat("b", 126) + strings.Repeat("c", 127)}},
	{name: "131072 bytes", send: fragments(4, 32768, ""), messages: []string{strings.Repeat("x", 131072)}},
	{name: "131073 bytes", send: fragments(4, 32768, "y"), want: closes(TooBig), code: TooBig},
	{name: "fragment too long", send: frames(frame(false, ws.OpText, "a"), with(header(2, 32769), 1)),
		want: closes(TooBig), code: TooBig},
	{name: "ping between fragments", send: frames(frame(false, ws.OpText, "a"), frame(true, ws.OpPing, "p"), frame(true, ws.OpContinuation, "b")),
		want: serverFrame(ws.OpPong, "p"), messages: []string{"ab"}},
	{name: "controls between all fragments", send: frames(frame(true, ws.OpPong, ""), frame(false, ws.OpText, "a"),
		frame(true, ws.OpPing, "p"), frame(true, ws.OpPong, "x"), frame(false, ws.OpContinuation, "b"), frame(true, ws.OpPing, "q"),
		frame(true, ws.OpContinuation, "c"), frame(true, ws.OpPing, "r"), frame(false, ws.OpText, "d"), frame(true, ws.OpContinuation, "e")),
		want:     frames(serverFrame(ws.OpPong, "p"), serverFrame(ws.OpPong, "q"), serverFrame(ws.OpPong, "r")),
		messages: []string{"abc", "de"}},
	{name: "fragmented ping between fragments", send: frames(frame(false, ws.OpText, "a"), frame(false, ws.OpPing, "p")),
		want: closes(Violation), code: Violation},
	{name: "continuation of a control frame", send: frames(frame(true, ws.OpPing, "p"), frame(true, ws.OpContinuation, "b")),
		want: frames(serverFrame(ws.OpPong, "p"), closes(Violation)), code: Violation},
	{name: "close between fragments", send: frames(frame(false, ws.OpText, "a"), closeFrame(1000, "")),
		want: closes(Normal), code: Normal},
	{name: "continuation first", send: frame(true, ws.OpContinuation, "a"), want: closes(Violation), code: Violation},
	{name: "open continuation first", send: frame(false, ws.OpContinuation, "a"), want: closes(Violation), code: Violation},
	{name: "continuation after the end", send: frames(fragments(1, 1, ""), frame(true, ws.OpContinuation, "a")),
		want: closes(Violation), messages: []string{"x"}, code: Violation},
	{name: "text in a message", send: frames(frame(false, ws.OpText, "a"), text("b")), want: closes(Violation), code: Violation},
	{name: "binary in a message", send: frames(frame(false, ws.OpText, "a"), frame(true, ws.OpBinary, "b")),
		want: closes(Violation), code: Violation},

	// Masks, bits and opcodes.
	{name: "unmasked text", send: unmasked(ws.OpText, "hi"), want: closes(Violation), code: Violation},
	{name: "unmasked empty text", send: unmasked(ws.OpText, ""), want: closes(Violation), code: Violation},
	{name: "unmasked ping", send: unmasked(ws.OpPing, ""), want: closes(Violation), code: Violation},
	{name: "unmasked close", send: unmasked(ws.OpClose, "\x03\xe8"), want: closes(Violation), code: Violation},
	{name: "after a message", send: frames(text("a"), unmasked(ws.OpText, "b"), text("c")),
		want: closes(Violation), messages: []string{"a"}, code: Violation},
	{name: "unmasked continuation", send: frames(frame(false, ws.OpText, "a"), unmasked(ws.OpContinuation, "b")),
		want: closes(Violation), code: Violation},
	{name: "unmasked binary", send: unmasked(ws.OpBinary, "a"), want: closes(Violation), code: Violation},
	{name: "mask of zeros", send: []byte{0x81, 0x82, 0, 0, 0, 0, 'h', 'i'}, messages: []string{"hi"}},
	{name: "another mask", send: []byte{0x81, 0x85, 1, 2, 3, 4, 'h' ^ 1, 'e' ^ 2, 'l' ^ 3, 'l' ^ 4, 'o' ^ 1}, messages: []string{"hello"}},
	{name: "the wrong mask", send: []byte{0x81, 0x82, 0xff, 0xff, 0xff, 0xff, 'h', 'i'}, want: closes(InvalidText), code: InvalidText},
	{name: "a new mask in each frame", send: []byte{0x01, 0x81, 1, 2, 3, 4, 'a' ^ 1, 0x80, 0x81, 9, 2, 3, 4, 'b' ^ 9}, messages: []string{"ab"}},
	{name: "all RSV bits", send: with(text("hi"), 0x70), want: closes(Violation), code: Violation},
	{name: "RSV3 of a pong", send: with(frame(true, ws.OpPong, ""), 0x10), want: closes(Violation), code: Violation},
	{name: "RSV1 of a fragment", send: with(frame(false, ws.OpText, "a"), 0x40), want: closes(Violation), code: Violation},
	{name: "RSV1 of a binary message", send: with(frame(true, ws.OpBinary, "a"), 0x40), want: closes(Violation), code: Violation},
	{name: "RSV1", send: with(text("hi"), 0x40), want: closes(Violation), code: Violation},
	{name: "RSV2", send: with(text("hi"), 0x20), want: closes(Violation), code: Violation},
	{name: "RSV3", send: with(text("hi"), 0x10), want: closes(Violation), code: Violation},
	{name: "RSV1 of a ping", send: with(frame(true, ws.OpPing, ""), 0x40), want: closes(Violation), code: Violation},
	{name: "RSV2 of a close", send: with(closeFrame(1000, ""), 0x20), want: closes(Violation), code: Violation},
	{name: "RSV1 of a continuation", send: frames(frame(false, ws.OpText, "a"), with(frame(true, ws.OpContinuation, ""), 0x40)),
		want: closes(Violation), code: Violation},

	// Pings and pongs.
	{name: "ping", send: frame(true, ws.OpPing, "x"), want: serverFrame(ws.OpPong, "x")},
	{name: "empty ping", send: frame(true, ws.OpPing, ""), want: serverFrame(ws.OpPong, "")},
	{name: "binary ping", send: frame(true, ws.OpPing, "\xff\xfe\x00"), want: serverFrame(ws.OpPong, "\xff\xfe\x00")},
	{name: "ping of 125 bytes", send: frame(true, ws.OpPing, strings.Repeat("p", 125)),
		want: serverFrame(ws.OpPong, strings.Repeat("p", 125))},
	{name: "ping of 126 bytes", send: frame(true, ws.OpPing, strings.Repeat("p", 126)), want: closes(Violation), code: Violation},
	{name: "fragmented ping", send: frame(false, ws.OpPing, "p"), want: closes(Violation), code: Violation},
	{name: "ten pings", send: bytes.Repeat(frame(true, ws.OpPing, "p"), 10), want: bytes.Repeat(serverFrame(ws.OpPong, "p"), 10)},
	{name: "flood of pongs", send: frames(bytes.Repeat(frame(true, ws.OpPong, "x"), 2000), text("a")), messages: []string{"a"}},
	{name: "ping after close", send: frames(closeFrame(1000, ""), frame(true, ws.OpPing, "p")), want: closes(Normal), code: Normal},
	{name: "two closes", send: frames(closeFrame(1000, "a"), closeFrame(1001, "b")), want: closes(Normal), code: Normal, reason: "a"},
	{name: "pong", send: frame(true, ws.OpPong, "x")},
	{name: "pong of 126 bytes", send: frame(true, ws.OpPong, strings.Repeat("p", 126)), want: closes(Violation), code: Violation},
	{name: "pong and text", send: frames(frame(true, ws.OpPong, ""), text("a")), messages: []string{"a"}},

	// Ends.
	{name: "close", send: closeFrame(1000, "bye"), want: closes(Normal), code: Normal, reason: "bye"},
	{name: "close without reason", send: closeFrame(1001, ""), want: closes(GoingAway), code: GoingAway},
	{name: "close without code", send: frame(true, ws.OpClose, ""), want: serverFrame(ws.OpClose, ""),
		code: NoStatus, reason: "Client-side close frame status not set"},
	{name: "close of one byte", send: frame(true, ws.OpClose, "\x03"), want: closes(Violation), code: Violation},
	{name: "close with a long reason", send: closeFrame(1000, strings.Repeat("r", 123)), want: closes(Normal),
		code: Normal, reason: strings.Repeat("r", 123)},
	{name: "close of 126 bytes", send: frame(true, ws.OpClose, "\x03\xe8"+strings.Repeat("r", 124)), want: closes(Violation), code: Violation},
	{name: "fragmented close", send: frame(false, ws.OpClose, "\x03\xe8"), want: closes(Violation), code: Violation},
	{name: "close with a bad reason", send: closeFrame(1000, "\xc3\x28"), want: closes(InvalidText), code: InvalidText},
	{name: "close with half a character", send: closeFrame(1000, "abc\xe2\x82"), want: closes(InvalidText), code: InvalidText},
	{name: "close with a bad code and a bad reason", send: closeFrame(999, "\xff"), want: closes(Violation), code: Violation},
	{name: "text after close", send: frames(closeFrame(1000, ""), text("a")), want: closes(Normal), code: Normal},
	{name: "text before close", send: frames(text("a"), closeFrame(1000, "")), want: closes(Normal),
		messages: []string{"a"}, code: Normal},

	// Texts.
	{name: "two-byte character", send: text("é"), messages: []string{"é"}},
	{name: "all lengths", send: text("a é € 😀 \U0010ffff \x00"), messages: []string{"a é € 😀 \U0010ffff \x00"}},
	{name: "character in two fragments", send: frames(frame(false, ws.OpText, "\xc3"), frame(true, ws.OpContinuation, "\xa9")),
		messages: []string{"é"}},
	{name: "character in four fragments", send: frames(frame(false, ws.OpText, "\xf0"), frame(false, ws.OpContinuation, "\x9f"),
		frame(false, ws.OpContinuation, "\x98"), frame(true, ws.OpContinuation, "\x80")), messages: []string{"😀"}},
	{name: "character around an empty fragment", send: frames(frame(false, ws.OpText, "\xc3"), frame(false, ws.OpContinuation, ""),
		frame(true, ws.OpContinuation, "\xa9")), messages: []string{"é"}},
	{name: "C3 28", send: text("\xc3\x28"), want: closes(InvalidText), code: InvalidText},
	{name: "surrogate", send: text("\xed\xa0\x80"), want: closes(InvalidText), code: InvalidText},
	{name: "overlong", send: text("\xc0\xaf"), want: closes(InvalidText), code: InvalidText},
	{name: "above U+10FFFF", send: text("\xf4\x90\x80\x80"), want: closes(InvalidText), code: InvalidText},
	{name: "half a character", send: text("abc\xc3"), want: closes(InvalidText), code: InvalidText},
	{name: "half a character in fragments", send: frames(frame(false, ws.OpText, "a\xc3"), frame(true, ws.OpContinuation, "")),
		want: closes(InvalidText), code: InvalidText},
	{name: "bad before the last fragment", send: frame(false, ws.OpText, "abc\xf4\x90"), want: closes(InvalidText), code: InvalidText},
	{name: "bad across fragments", send: frames(frame(false, ws.OpText, "\xe2\x82"), frame(false, ws.OpContinuation, "a")),
		want: closes(InvalidText), code: InvalidText},
}

func TestProtocol(t *testing.T) {
	t.Parallel()
	cases := slices.Clone(protocolCases)
	for code := range 70000 {
		// All codes whose neighbour is treated differently, and the neighbours.
		if code > 0xffff || code > 0 && validCode(code) == validCode(code-1) && (code < 999 || code > 1016) {
			continue
		}
		c := cases[0]
		c.name, c.messages = fmt.Sprintf("close %d", code), nil
		c.send = closeFrame(code, "")
		c.want, c.code = closes(code), code
		if code < 1000 || code == 1004 || code == 1005 || code == 1006 || code >= 1015 && code <= 2999 || code > 4999 {
			c.want, c.code = closes(Violation), Violation
		}
		cases = append(cases, c)
	}
	if len(cases) < len(protocolCases)+20 {
		t.Fatalf("only %d cases of codes", len(cases)-len(protocolCases))
	}
	for op := range ws.OpCode(16) {
		if op.IsReserved() {
			for name, send := range map[string][]byte{
				"alone":        frame(true, op, ""),
				"with payload": frame(true, op, "hi"),
				"fragmented":   frame(false, op, "hi"),
				"in a message": frames(frame(false, ws.OpText, "a"), frame(true, op, "b")),
			} {
				cases = append(cases, protocolCase{name: fmt.Sprintf("opcode %d %s", op, name), send: send, want: closes(Violation), code: Violation})
			}
		}
	}
	// A text of characters of all lengths, cut in two at every byte, and a bad one, which
	// is found in the first fragment that shows it.
	const all, bad = "aé€😀", "aé€\xf4\x90😀"
	for i := range len(all) + 1 {
		cases = append(cases, protocolCase{name: fmt.Sprintf("cut at %d", i), messages: []string{all},
			send: frames(frame(false, ws.OpText, all[:i]), frame(true, ws.OpContinuation, all[i:]))})
	}
	for i := range len(bad) + 1 {
		cases = append(cases, protocolCase{name: fmt.Sprintf("bad, cut at %d", i), want: closes(InvalidText), code: InvalidText,
			send: frames(frame(false, ws.OpText, bad[:i]), frame(false, ws.OpContinuation, bad[i:]))})
	}
	testProtocol(t, cases, "")
}

// testProtocol has clients that extensions were agreed on with do what the cases say, at
// once and in pieces.
func testProtocol(t *testing.T, cases []protocolCase, extensions string) {
	t.Helper()
	for _, carrier := range carriers {
		h := newHub(t, Config{Limits: Limits{Controls: 1 << 15}, Ordered: true})
		for _, tt := range cases {
			for _, piece := range []int{1 << 20, 1} {
				if len(tt.send) > 4096 && piece == 1 {
					piece = 1000
				}
				name := fmt.Sprintf("%s/%s/%d", carrier, tt.name, piece)
				r := newRecorder()
				server, client := pair(t, carrier)
				adoptAgreed(t, h, server, r, extensions)
				send, want := tt.send, tt.want
				if tt.code == 0 {
					// What is answered comes before the answer to the last ping.
					send = frames(send, frame(true, ws.OpPing, "end"))
					want = frames(want, serverFrame(ws.OpPong, "end"))
				}
				for p := send; len(p) > 0; p = p[min(piece, len(p)):] {
					// The server may have ended already.
					if _, err := client.Write(p[:min(piece, len(p))]); err != nil {
						break
					}
				}
				got := make([]byte, len(want))
				n, err := io.ReadFull(client, got)
				if err != nil || !bytes.Equal(got, want) {
					t.Fatalf("%s: read %.200x, %v, want %.200x", name, got[:n], err, want)
				}
				if tt.code != 0 {
					// The end may be a reset: the client went on after its own close frame.
					if n, err := client.Read(make([]byte, 1)); n > 0 || err == nil {
						t.Errorf("%s: more after the close frame", name)
					}
					if e := await(t, r.ends); e.code != tt.code || e.reason != tt.reason {
						t.Errorf("%s: ended with %d %q, want %d %q", name, e.code, e.reason, tt.code, tt.reason)
					}
				}
				for _, m := range tt.messages {
					if got := await(t, r.messages); got != m {
						t.Errorf("%s: got message %q, want %q", name, got, m)
					}
				}
				if len(r.messages) > 0 {
					t.Errorf("%s: message %q too many", name, <-r.messages)
				}
				client.Close()
			}
		}
	}
}

// TestGone has clients that go without a word.
func TestGone(t *testing.T) {
	t.Parallel()
	for _, carrier := range carriers {
		for name, leave := range map[string]func(*testing.T, *Connection, *net.TCPConn){
			"end":   func(_ *testing.T, _ *Connection, client *net.TCPConn) { client.Close() },
			"reset": func(_ *testing.T, _ *Connection, client *net.TCPConn) { _ = client.SetLinger(0); client.Close() },
			"in a message": func(t *testing.T, _ *Connection, client *net.TCPConn) {
				write(t, client, frame(false, ws.OpText, "a"))
				client.Close()
			},
			"in a frame": func(t *testing.T, _ *Connection, client *net.TCPConn) {
				write(t, client, text("hello")[:7])
				client.Close()
			},
			"reset, found by a message": func(t *testing.T, c *Connection, client *net.TCPConn) {
				_ = client.SetLinger(0)
				client.Close()
				for c.Send([]byte("x")) == nil {
				}
			},
		} {
			t.Run(carrier+"/"+name, func(t *testing.T) {
				t.Parallel()
				h, r := newHub(t, Config{}), newRecorder()
				server, client := pair(t, carrier)
				leave(t, adopt(t, h, server, r), client)
				if e := await(t, r.ends); e.code != 1006 || e.reason != "Connection closed abnormally" {
					t.Errorf("ended with %d %q", e.code, e.reason)
				}
				if len(r.messages) > 0 {
					t.Errorf("message %q", <-r.messages)
				}
			})
		}
	}
}
