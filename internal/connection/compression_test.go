package connection

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// deflated returns a text as a client compresses it that works harder than we do.
func deflated(text string) string {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		panic(err)
	}
	_, _ = io.WriteString(w, text)
	_ = w.Flush()
	return strings.TrimSuffix(b.String(), flushMark)
}

// finished returns a text compressed in blocks of which the last one says that it is.
func finished(text string) string {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		panic(err)
	}
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return b.String()
}

// compressedFrame returns a frame of a client that begins a compressed message.
func compressedFrame(fin bool, payload string) []byte {
	return with(frame(fin, ws.OpText, payload), 0x40)
}

// noise returns a text that is hard to compress.
func noise(n int) string {
	random := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, n)
	for i := range b {
		b[i] = ' ' + byte(random.IntN(95))
	}
	return string(b)
}

// bomb returns a compressed message of 1 KB that inflates to 200 KB.
func bomb() string {
	packed := deflated(noise(850) + strings.Repeat("x", 200<<10-850))
	if len(packed) < 800 || len(packed) > 1200 {
		panic(len(packed))
	}
	return packed
}

// compressionCases are RFC 7692 in bytes.
var compressionCases = []protocolCase{
	// The examples of the RFC: one block, in fragments, one that is not compressed, one
	// that says it is the last one, two of them.
	{name: "Hello", send: compressedFrame(true, "\xf2\x48\xcd\xc9\xc9\x07\x00"), messages: []string{"Hello"}},
	{name: "Hello in fragments", send: frames(compressedFrame(false, "\xf2\x48\xcd"), frame(true, ws.OpContinuation, "\xc9\xc9\x07\x00")),
		messages: []string{"Hello"}},
	{name: "Hello, stored", send: compressedFrame(true, "\x00\x05\x00\xfa\xffHello\x00"), messages: []string{"Hello"}},
	{name: "Hello, last block", send: compressedFrame(true, "\xf3\x48\xcd\xc9\xc9\x07\x00\x00"), messages: []string{"Hello"}},
	{name: "Hello, two blocks", send: compressedFrame(true, "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"), messages: []string{"Hello"}},
	{name: "last block, nothing behind", send: compressedFrame(true, finished("Hello")), messages: []string{"Hello"}},
	{name: "mark not taken away", send: compressedFrame(true, "\xf2\x48\xcd\xc9\xc9\x07\x00"+flushMark), want: closes(Violation), code: Violation},
	{name: "empty", send: compressedFrame(true, "\x00"), messages: []string{""}},

	{name: "plain among compressed", send: frames(text("a"), compressedFrame(true, deflated("b")), text("c")), messages: []string{"a", "b", "c"}},
	{name: "plain fragments after compressed ones", send: frames(
		compressedFrame(false, deflated("a")[:1]), frame(true, ws.OpContinuation, deflated("a")[1:]),
		frame(false, ws.OpText, "\xc3"), frame(true, ws.OpContinuation, "\xa9")), messages: []string{"a", "é"}},
	{name: "no memory of the message before", send: frames(compressedFrame(true, deflated("Hello")), compressedFrame(true, "\xf2\x00\x11\x00\x00")),
		want: closes(Violation), messages: []string{"Hello"}, code: Violation},
	{name: "ping between fragments", send: frames(compressedFrame(false, "\xf2\x48"), frame(true, ws.OpPing, "p"),
		frame(true, ws.OpContinuation, "\xcd\xc9\xc9\x07\x00")), want: serverFrame(ws.OpPong, "p"), messages: []string{"Hello"}},
	{name: "empty fragments", send: frames(compressedFrame(false, ""), frame(false, ws.OpContinuation, "\xf2\x48\xcd"),
		frame(false, ws.OpContinuation, ""), frame(false, ws.OpContinuation, "\xc9\xc9\x07\x00"), frame(true, ws.OpContinuation, "")),
		messages: []string{"Hello"}},
	{name: "131072 bytes", send: compressedFrame(true, deflated(strings.Repeat("x", 131072))), messages: []string{strings.Repeat("x", 131072)}},
	{name: "131072 bytes of noise", send: split(deflated(noise(131072)), 32768), messages: []string{noise(131072)}},
	{name: "character in two fragments of bytes", send: frames(compressedFrame(false, deflated("aé")[:2]), frame(true, ws.OpContinuation, deflated("aé")[2:])),
		messages: []string{"aé"}},

	{name: "131073 bytes", send: compressedFrame(true, deflated(strings.Repeat("x", 131073))), want: closes(TooBig), code: TooBig},
	{name: "1 KB that inflates to 200 KB", send: compressedFrame(true, bomb()), want: closes(TooBig), code: TooBig},
	{name: "1 KB that inflates to 200 KB, in fragments", send: split(bomb(), 100), want: closes(TooBig), code: TooBig},
	{name: "frame too long", send: with(header(2, 32769), 0x40), want: closes(TooBig), code: TooBig},
	{name: "compressed bytes too many", send: frames(with(fragments(4, 32768, "y"), 0x40)), want: closes(TooBig), code: TooBig},

	{name: "bad text", send: compressedFrame(true, deflated("\xc3\x28")), want: closes(InvalidText), code: InvalidText},
	{name: "half a character", send: compressedFrame(true, deflated("abc\xc3")), want: closes(InvalidText), code: InvalidText},
	{name: "no block", send: compressedFrame(true, ""), want: closes(Violation), code: Violation},
	{name: "reserved block", send: compressedFrame(true, "\x07"), want: closes(Violation), code: Violation},
	{name: "plain text", send: compressedFrame(true, "Hello"), want: closes(Violation), code: Violation},
	{name: "cut", send: compressedFrame(true, deflated(noise(300))[:100]), want: closes(Violation), code: Violation},
	{name: "wrong length of a stored block", send: compressedFrame(true, "\x00\x05\x00\xfa\xfeHello\x00"), want: closes(Violation), code: Violation},
	{name: "distance before the start", send: compressedFrame(true, "\x02\x02\x00\x00"), want: closes(Violation), code: Violation},
	{name: "more behind the last block", send: compressedFrame(true, finished("Hello")+"\xf2\x48\xcd\xc9\xc9\x07\x00"),
		want: closes(Violation), code: Violation},
	{name: "a byte behind the last block", send: compressedFrame(true, finished("Hello")+"\x01"), want: closes(Violation), code: Violation},
	{name: "after a bad one", send: frames(compressedFrame(true, "\x07"), text("a")), want: closes(Violation), code: Violation},

	{name: "binary", send: with(frame(true, ws.OpBinary, "\x00"), 0x40), want: closes(Unacceptable), code: Unacceptable},
	{name: "RSV1 of a continuation", send: frames(compressedFrame(false, "\xf2"), with(frame(true, ws.OpContinuation, ""), 0x40)),
		want: closes(Violation), code: Violation},
	{name: "RSV1 of a plain continuation", send: frames(frame(false, ws.OpText, "a"), with(frame(true, ws.OpContinuation, ""), 0x40)),
		want: closes(Violation), code: Violation},
	{name: "RSV1 of a continuation first", send: with(frame(true, ws.OpContinuation, ""), 0x40), want: closes(Violation), code: Violation},
	{name: "compressed text in a message", send: frames(frame(false, ws.OpText, "a"), compressedFrame(true, "\x00")),
		want: closes(Violation), code: Violation},
	{name: "RSV1 of a ping", send: with(frame(true, ws.OpPing, ""), 0x40), want: closes(Violation), code: Violation},
	{name: "RSV1 of a pong", send: with(frame(true, ws.OpPong, ""), 0x40), want: closes(Violation), code: Violation},
	{name: "RSV1 of a close", send: with(closeFrame(1000, ""), 0x40), want: closes(Violation), code: Violation},
	{name: "RSV1 of opcode 3", send: with(frame(true, 3, ""), 0x40), want: closes(Violation), code: Violation},
	{name: "RSV1 and RSV2", send: with(text("\x00"), 0x60), want: closes(Violation), code: Violation},
	{name: "RSV2", send: with(text("\x00"), 0x20), want: closes(Violation), code: Violation},
	{name: "RSV3", send: with(text("\x00"), 0x10), want: closes(Violation), code: Violation},
	{name: "unmasked", send: with(unmasked(ws.OpText, "\x00"), 0x40), want: closes(Violation), code: Violation},
}

// split returns a compressed message in fragments of a size.
func split(data string, size int) (b []byte) {
	op, first := ws.OpText, byte(0x40)
	for len(data) > size {
		b = append(b, with(frame(false, op, data[:size]), first)...)
		data, op, first = data[size:], ws.OpContinuation, 0
	}
	return append(b, with(frame(true, op, data), first)...)
}

func TestCompression(t *testing.T) {
	t.Parallel()
	cases := append([]protocolCase{}, compressionCases...)
	// A message may be cut anywhere.
	const hello = "\xf2\x48\xcd\xc9\xc9\x07\x00"
	for i := range len(hello) + 1 {
		cases = append(cases, protocolCase{name: fmt.Sprintf("cut at %d", i), messages: []string{"Hello"},
			send: frames(compressedFrame(false, hello[:i]), frame(true, ws.OpContinuation, hello[i:]))})
	}
	testProtocol(t, cases, deflateResponse)
}

// TestSendCompressed reads what is sent to clients that inflate.
func TestSendCompressed(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name       string
		extensions string
		size       int
		text       string
		want       string
		compressed bool
		fragments  int
	}{
		{"short", deflateResponse, 1000, strings.Repeat("x", 255), "", false, 1},
		{"long enough", deflateResponse, 1000, strings.Repeat("x", 256), "", true, 1},
		{"other answer", windowResponse, 1000, strings.Repeat("x", 256), "", true, 1},
		{"without extension", "", 1000, strings.Repeat("x", 256), "", false, 1},
		{"empty", deflateResponse, 1000, "", "", false, 1},
		{"no shorter", deflateResponse, 1000, incompressible(260), "", false, 1},
		{"no shorter, fragments", deflateResponse, 100, incompressible(260), "", false, 3},
		{"fragments", deflateResponse, 1000, noise(5000), "", true, 5},
		{"greatest", deflateResponse, 1000, strings.Repeat("x", 131072), "", true, 1},
		{"no text", deflateResponse, 1000, strings.Repeat("\xff", 300), strings.Repeat("\ufffd", 300), true, 1},
	} {
		if tt.want == "" {
			tt.want = tt.text
		}
		for _, carrier := range carriers {
			h := newHub(t, Config{Limits: Limits{Frame: tt.size}})
			server, client := pair(t, carrier)
			c := adoptAgreed(t, h, server, newRecorder(), tt.extensions)
			p, err := h.Prepare([]byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			for name, send := range map[string]func() error{
				"Send":         func() error { return c.Send([]byte(tt.text)) },
				"SendPrepared": func() error { return c.SendPrepared(p) },
			} {
				if err := send(); err != nil {
					t.Fatal(err)
				}
				got, compressed, fragments := readMessage(t, client, tt.size)
				if got != tt.want || compressed != tt.compressed || fragments != tt.fragments {
					t.Errorf("%s: %s: %s: read %.50q, compressed %t, %d fragments", carrier, tt.name, name, got, compressed, fragments)
				}
			}
			client.Close()
		}
	}
}

// incompressible returns a text that compression does not make shorter, if it is short:
// each of its bytes is about as rare as any other.
func incompressible(n int) string {
	random := rand.New(rand.NewPCG(3, 4))
	var b []byte
	for len(b)+2 <= n {
		if b = append(b, ' '+byte(random.IntN(95))); random.IntN(2) == 0 {
			b = utf8.AppendRune(b[:len(b)-1], rune(0x80+random.IntN(0x780)))
		}
	}
	return string(append(b, noise(n-len(b))...))
}

// readMessage reads one message of the server, and inflates it as the RFC says it is done.
func readMessage(t *testing.T, r io.Reader, size int) (text string, compressed bool, fragments int) {
	t.Helper()
	var b []byte
	for {
		h, err := ws.ReadHeader(r)
		if err != nil {
			t.Fatal(err)
		}
		if fragments == 0 {
			compressed = h.Rsv == 4
		} else if h.Rsv != 0 || h.OpCode != ws.OpContinuation {
			t.Errorf("fragment %d: %+v", fragments, h)
		}
		fragments++
		p := make([]byte, h.Length)
		if _, err := io.ReadFull(r, p); err != nil || len(p) > size {
			t.Fatalf("fragment of %d bytes, %v", len(p), err)
		}
		if b = append(b, p...); h.Fin {
			break
		}
	}
	if !compressed {
		return string(b), false, fragments
	}
	all, err := io.ReadAll(flate.NewReader(io.MultiReader(bytes.NewReader(b), strings.NewReader("\x00\x00\xff\xff\x01\x00\x00\xff\xff"))))
	if err != nil {
		t.Fatal(err)
	}
	return string(all), true, fragments
}

// TestBombs has a client that sends little and means much: it is read more slowly.
func TestBombs(t *testing.T) {
	t.Parallel()
	live(t, Config{Limits: Limits{Controls: 8, InFlight: 100}}, false, func(l *lifetime) {
		l.c.mu.Lock()
		l.c.info.Extensions = deflateResponse
		l.c.mu.Unlock()
		// 64 KB are four frames that carry nothing.
		one := compressedFrame(true, deflated(strings.Repeat("x", 64<<10+200)))
		go func() {
			all := frames(bytes.Repeat(one, 5), bytes.Repeat(compressedFrame(true, deflated(strings.Repeat("x", 10_000))), 50))
			_, _ = l.client.Write(all)
		}()
		l.wait(500 * time.Millisecond)
		for tick, want := range []int{2, 4, 55} {
			if got := len(l.messages); got != want {
				t.Errorf("%d messages after %d ticks, want %d", got, tick, want)
			}
			l.wait(time.Second)
		}
	})
}

// FuzzInflate has clients send anything as compressed messages. It is read as the standard
// library reads it, and never more than is allowed.
func FuzzInflate(f *testing.F) {
	for _, s := range []string{"", "\x00", "\x07", "Hello", deflated("Hello"), finished("Hello"), deflated(strings.Repeat("x", 5000)), bomb()} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		const limit = 4500
		before := bytes.Clone(data)
		got, code := inflate(data, limit)
		if !bytes.Equal(data, before) {
			t.Fatal("the message is changed")
		}
		want, err := io.ReadAll(io.LimitReader(flate.NewReader(strings.NewReader(string(data)+inflateTail)), limit+1))
		switch {
		case len(want) > limit:
			if code != TooBig {
				t.Errorf("%d bytes: code %d", len(want), code)
			}
		case err != nil:
			if code != Violation {
				t.Errorf("%v: code %d", err, code)
			}
		case code == Violation:
			// It ends before its end, which the standard library does not mind.
		case code != 0 || !bytes.Equal(got, want):
			t.Errorf("got %q, %d, want %q", got, code, want)
		}
		// What we compress can be read, and is shorter if it is compressed at all.
		if short := deflate([]byte("before"), data); len(short) > len("before") {
			short = short[len("before"):]
			if back, code := inflate(short, len(data)); code != 0 || !bytes.Equal(back, data) || len(short) >= len(data) {
				t.Errorf("%q became %q, and %q, %d", data, short, back, code)
			}
		}
	})
}

// sample returns a text as applications send them.
func sample(n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, `{"action":"update","item":%d,"price":%d.%02d,"name":"Thing %d"},`, i*7919, i*31%1000, i%100, i*i)
	}
	return b.String()[:n]
}

// BenchmarkReceiveCompressed parses, inflates and hands out messages, without a network.
func BenchmarkReceiveCompressed(b *testing.B) {
	for _, size := range []int{64, 1024, 32768, 131072} {
		benchmarkCompressed(b, fmt.Sprint(size), deflated(sample(size)), size)
	}
	benchmarkCompressed(b, "bomb", deflated(strings.Repeat("x", 131072)), 131072)
}

func benchmarkCompressed(b *testing.B, name, packed string, size int) {
	b.Run(name, func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(size))
		h, p := newStill(), new(tape)
		h.config.Limits.Controls = 1 << 15
		c := h.adoptTape(nothing{}, p)
		c.info.Extensions = deflateResponse
		message := split(packed, 32768)
		work := make([]byte, len(message))
		for b.Loop() {
			copy(work, message)
			c.mu.Lock()
			c.paced, c.controls = false, 0
			c.receive(work)
			c.mu.Unlock()
			h.work()
		}
	})
}

// BenchmarkSendCompressed compresses messages and writes them, without a network.
func BenchmarkSendCompressed(b *testing.B) {
	for _, size := range []int{256, 1024, 4096, 131072} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(size))
			h, p := newStill(), new(tape)
			c := h.adoptTape(nothing{}, p)
			c.info.Extensions = deflateResponse
			message := []byte(sample(size))
			for b.Loop() {
				p.written = p.written[:0]
				if err := c.Send(message); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(p.written)), "sent-bytes")
		})
	}
}
