package connection

import (
	"strings"
	"testing"
)

func TestNegotiate(t *testing.T) {
	t.Parallel()
	const plain = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
	const window = plain + "; server_max_window_bits=15"
	for _, tt := range []struct {
		name   string
		offers []string
		want   string
	}{
		{"nothing", nil, ""},
		{"empty", []string{""}, ""},
		{"plain", []string{"permessage-deflate"}, plain},
		{"browser", []string{"permessage-deflate; client_max_window_bits"}, plain},
		{"all parameters", []string{"permessage-deflate; client_max_window_bits=10; server_no_context_takeover; " +
			"client_no_context_takeover; server_max_window_bits=15"}, window},
		{"blanks", []string{" \tpermessage-deflate\t ;  client_max_window_bits = 9 "}, plain},
		{"no blanks", []string{"permessage-deflate;server_no_context_takeover"}, plain},
		{"quoted", []string{`permessage-deflate; client_max_window_bits="9"; server_max_window_bits="15"`}, window},
		{"our window", []string{"permessage-deflate; server_max_window_bits=15"}, window},
		{"smaller window", []string{"permessage-deflate; server_max_window_bits=12"}, ""},
		{"smaller window, then any", []string{"permessage-deflate; server_max_window_bits=12, permessage-deflate"}, plain},
		{"first wins", []string{"permessage-deflate; server_max_window_bits=15, permessage-deflate"}, window},
		{"first wins, of two headers", []string{"permessage-deflate", "permessage-deflate; server_max_window_bits=15"}, plain},
		{"second header", []string{"x-webkit-deflate-frame", "permessage-deflate"}, plain},
		{"others before", []string{"foo; a=1, bar; b=\"x,y;z\", permessage-deflate"}, plain},
		{"empty elements", []string{", ,permessage-deflate,"}, plain},
		{"comma in quotes", []string{`foo; a="permessage-deflate, permessage-deflate"`}, ""},
		{"escaped quote", []string{`foo; a="\", permessage-deflate; \"", permessage-deflate; server_max_window_bits=15`}, window},

		{"other extension", []string{"permessage-bzip2"}, ""},
		{"other case", []string{"Permessage-Deflate"}, ""},
		{"longer name", []string{"permessage-deflate2"}, ""},
		{"unknown parameter", []string{"permessage-deflate; foo"}, ""},
		{"unknown parameter with value", []string{"permessage-deflate; foo=1"}, ""},
		{"case of a parameter", []string{"permessage-deflate; Client_max_window_bits"}, ""},
		{"twice", []string{"permessage-deflate; client_max_window_bits; client_max_window_bits=9"}, ""},
		{"twice the same", []string{"permessage-deflate; server_no_context_takeover; server_no_context_takeover"}, ""},
		{"value too much", []string{"permessage-deflate; server_no_context_takeover=1"}, ""},
		{"empty value too much", []string{"permessage-deflate; client_no_context_takeover="}, ""},
		{"no value", []string{"permessage-deflate; server_max_window_bits"}, ""},
		{"empty value", []string{"permessage-deflate; client_max_window_bits="}, ""},
		{"empty quotes", []string{`permessage-deflate; client_max_window_bits=""`}, ""},
		{"window too small", []string{"permessage-deflate; client_max_window_bits=7"}, ""},
		{"window too large", []string{"permessage-deflate; client_max_window_bits=16"}, ""},
		{"server window too large", []string{"permessage-deflate; server_max_window_bits=16"}, ""},
		{"leading zero", []string{"permessage-deflate; client_max_window_bits=09"}, ""},
		{"sign", []string{"permessage-deflate; server_max_window_bits=+15"}, ""},
		{"semicolon at the end", []string{"permessage-deflate;"}, ""},
		{"semicolons", []string{"permessage-deflate;; client_max_window_bits"}, ""},
		{"open quotes", []string{`permessage-deflate; client_max_window_bits="9`}, ""},
		{"open quotes before", []string{`foo; a=", permessage-deflate`}, ""},
		{"backslash at the end", []string{`permessage-deflate; client_max_window_bits="9\`}, ""},
		{"two words", []string{"permessage-deflate client_max_window_bits"}, ""},
		{"only a semicolon", []string{";"}, ""},
	} {
		if got := Negotiate(tt.offers); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

// FuzzNegotiate has clients offer anything. The answer is one that Adopt takes, and no
// more than was asked for.
func FuzzNegotiate(f *testing.F) {
	f.Add("permessage-deflate; client_max_window_bits", "permessage-deflate; server_max_window_bits=15")
	f.Add(`foo; a="\", x", permessage-deflate`, ",;\"\\")
	f.Fuzz(func(t *testing.T, a, b string) {
		got := Negotiate([]string{a, b})
		if _, ok := agreed(got); !ok {
			t.Errorf("answered %q", got)
		}
		if got != "" && !strings.Contains(a+b, "permessage-deflate") {
			t.Errorf("answered %q without an offer", got)
		}
		if strings.Contains(got, "max_window_bits") && !strings.Contains(a+b, "server_max_window_bits") {
			t.Errorf("answered %q without being asked", got)
		}
	})
}

func BenchmarkNegotiate(b *testing.B) {
	b.ReportAllocs()
	offers := []string{"permessage-deflate; client_max_window_bits"}
	for b.Loop() {
		Negotiate(offers)
	}
}
