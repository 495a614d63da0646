package penstock_test

import (
	"io"
	"strings"
	"testing"

	"penstock"
)

// BenchmarkSocketEcho is a message through a two-way route and back, with its client.
func BenchmarkSocketEcho(b *testing.B) {
	w := newWorld(b, penstock.Config{Limits: penstock.Limits{AccountRate: -1}})
	for _, v := range []struct {
		name  string
		route socketRoute
		want  int // bytes of the answer
	}{
		{"mock", two(mockRoute(template(`{"statusCode":200}`), response("$default", template(`{"id":"$context.connectionId"}`)))), len(`{"id":"AAAAAAAAAAAAAAA="}`)},
		{"http proxy", two(proxyRoute("/echo", nil)), 100},
	} {
		b.Run(v.name, func(b *testing.B) {
			s := w.connect(w.sockets(socketSpec{routes: map[string]socketRoute{"send": v.route}}), "/dev")
			text := `{"action":"send","text":"`
			text += strings.Repeat("x", 98-len(text)) + `"}`
			frame := appendFrame(nil, 0x80|opText, text)
			answer := make([]byte, 2+v.want)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.nc.Write(frame); err != nil {
					b.Fatal(err)
				}
				if _, err := io.ReadFull(s.br, answer); err != nil {
					b.Fatal(err)
				}
				w.mu.Lock()
				w.seen = nil // nobody looks at it
				w.mu.Unlock()
			}
			if answer[0] != 0x80|opText || int(answer[1]) != v.want {
				b.Errorf("answer %q", answer)
			}
		})
	}
}
