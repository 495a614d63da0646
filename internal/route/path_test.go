package route

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

// Numbered rows are from the numbered examples of HTTP API behaviour.
func TestDecode(t *testing.T) {
	for _, tt := range []struct {
		name, raw string
		want      string
		err       error
	}{
		{"empty", "", "", nil},
		{"plain", "/pets/7", "/pets/7", nil},
		{"plus", "/a+b", "/a+b", nil},
		{"8 space", "/capture/space%20value", "/capture/space value", nil},
		{"11 everything", "/RSC/%40id%2Fassets%2Fr.js%23s.txt", "/RSC/@id/assets/r.js#s.txt", nil},
		{"12 slash", "/a%2Fb/thing", "/a/b/thing", nil},
		{"12 slash, lower-case", "/a%2fb/thing", "/a/b/thing", nil},
		{"13 once", "/a%252Fb/thing", "/a%2Fb/thing", nil},
		{"14 question mark", "/a%3Fb/c", "/a", nil},
		{"question mark first", "/%3f", "/", nil},
		{"question mark as it is", "/a?b", "/a", nil},
		{"19", "/%zz", "", ErrEscape},
		{"short escape", "/%2", "", ErrEscape},
		{"lone percent", "/%", "", ErrEscape},
		{"second digit", "/%2g", "", ErrEscape},
		{"overlapping", "/%%20", "", ErrEscape},
		{"escape behind the question mark", "/a%3F%zz", "", ErrEscape},
		{"UTF-8", "/caf%C3%A9", "/café", nil},
		{"UTF-8 as it is", "/café", "/café", nil},
		{"dots stay", "/a/%2e%2E/./b", "/a/.././b", nil},
		{"slashes stay", "//a%2F%2Fb//", "//a//b//", nil},
		{"NUL", "/%00", "", ErrControl},
		{"NUL as it is", "/\x00", "", ErrControl},
		{"line end", "/a%0d%0aX:%20y", "", ErrControl},
		{"tab as it is", "/a\tb", "", ErrControl},
		{"DEL", "/%7F", "", ErrControl},
		{"DEL as it is", "/\x7f", "", ErrControl},
		{"control byte behind the question mark", "/a%3F%0A", "", ErrControl},
		{"invalid UTF-8", "/%ff", "", ErrUTF8},
		{"invalid UTF-8 as it is", "/\xff", "", ErrUTF8},
		{"cut UTF-8", "/%C3", "", ErrUTF8},
		{"overlong slash", "/%c0%af", "", ErrUTF8},
		{"surrogate", "/%ed%a0%80", "", ErrUTF8},
	} {
		for size, buf := range map[string][]byte{"no": nil, "small": make([]byte, 0, 2), "large": make([]byte, 5, 100)} {
			got, err := Decode(tt.raw, buf)
			if got != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("%s, %s buffer: got %q, %v, want %q, %v", tt.name, size, got, err, tt.want, tt.err)
			}
		}
	}
}

func TestDecodeSaysWhere(t *testing.T) {
	_, err := Decode("/abc/%2", nil)
	if want := "offset 5: invalid percent escape in path"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestDecodeDoesNotAllocate(t *testing.T) {
	buf := make([]byte, 0, 64)
	for _, raw := range []string{"/pets/7/toys", "/t/J%20Doe/o/Summer%20Sale", "/café"} {
		if allocs := testing.AllocsPerRun(100, func() { _, _ = Decode(raw, buf) }); allocs != 0 {
			t.Errorf("%s: %v allocations", raw, allocs)
		}
	}
}

func TestSuspicious(t *testing.T) {
	for path, want := range map[string]bool{
		"":              false,
		"/":             false,
		"/a/b.c/d":      false,
		"/.well-known":  false,
		"/..a/b..":      false,
		"/...":          false,
		"/a./b":         false,
		"/a../b":        false,
		"//a":           false,
		"/a;v=1/b":      false,
		"/a;../b":       false,
		"/.":            true,
		"/..":           true,
		"/./a":          true,
		"/a/./b":        true,
		"/a/..":         true,
		"/a/../b":       true,
		"/a/..;/b":      true,
		"/a/.;v=1":      true,
		`/a\b`:          true,
		`/a/..\b`:       true,
		"..":            true,
		"/a.b/c/../d.e": true,
	} {
		if got := Suspicious(path); got != want {
			t.Errorf("%q: got %t", path, got)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, raw := range []string{"/pets/7", "/a%2Fb", "/%zz", "/%", "/caf%C3%A9", "/%00", "/a%3Fb", "/%c0%af"} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got, err := Decode(raw, make([]byte, 0, 16))
		if again, againErr := Decode(raw, nil); again != got || (err == nil) != (againErr == nil) {
			t.Fatalf("%q: got %q, %v, and without a buffer %q, %v", raw, got, err, again, againErr)
		}
		want, unescapeErr := url.PathUnescape(raw)
		switch {
		case unescapeErr != nil:
			if err == nil {
				t.Fatalf("%q: got %q, want %v", raw, got, unescapeErr)
			}
		case !utf8.ValidString(want) || strings.ContainsFunc(want, func(r rune) bool { return r < 0x20 || r == 0x7f }):
			if err == nil {
				t.Fatalf("%q: got %q, want an error", raw, got)
			}
		default:
			want, _, _ = strings.Cut(want, "?")
			if err != nil || got != want {
				t.Fatalf("%q: got %q, %v, want %q", raw, got, err, want)
			}
		}
		Suspicious(got)
	})
}

func BenchmarkDecode(b *testing.B) {
	buf := make([]byte, 0, 256)
	for _, tt := range []struct{ name, raw string }{
		{"plain", "/v1/service1/items/4711/tags/red"},
		{"escaped", "/v1/service1/items/J%20Doe/tags/caf%C3%A9"},
	} {
		b.Run(tt.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				path, err := Decode(tt.raw, buf)
				if err != nil || Suspicious(path) {
					b.Fatal(path, err)
				}
			}
		})
	}
}
