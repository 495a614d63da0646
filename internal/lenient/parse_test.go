package lenient

import (
	"bufio"
	"encoding/json"
	"errors"
	"math"
	"os"
	"strings"
	"testing"
	"time"
)

func mustParse(t testing.TB, text string) any {
	t.Helper()
	v, err := Parse([]byte(text), Limits{})
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return v
}

// TestValues: texts, and what the service's own libraries make of them, as JSON and as
// text.
func TestValues(t *testing.T) {
	t.Parallel()
	f, err := os.Open("testdata/values.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := 0
	for s := bufio.NewScanner(f); s.Scan(); lines++ {
		var tt struct {
			In, JSON, Text string
			Err            bool
		}
		if err := json.Unmarshal(s.Bytes(), &tt); err != nil {
			t.Fatalf("%s: %v", s.Bytes(), err)
		}
		v, err := Parse([]byte(tt.In), Limits{})
		if tt.Err {
			var syntax *SyntaxError
			if !errors.As(err, &syntax) || syntax.Offset < 0 || syntax.Offset > len(tt.In) {
				t.Errorf("%q: got %s, %v, want a syntax error", tt.In, AppendJSON(nil, v), err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", tt.In, err)
			continue
		}
		if got, ok := AppendCompact(nil, tt.In, Limits{}, 1000); ok && string(got) != tt.JSON {
			t.Errorf("%q copied as JSON: got %s, want %s", tt.In, got, tt.JSON)
		}
		if got := string(AppendJSON(nil, v)); got != tt.JSON {
			t.Errorf("%q as JSON: got %s, want %s", tt.In, got, tt.JSON)
		}
		if got := string(AppendText(nil, v)); got != tt.Text {
			t.Errorf("%q as text: got %s, want %s", tt.In, got, tt.Text)
		}
	}
	if lines < 100 {
		t.Errorf("only %d lines", lines)
	}
}

// TestParse: what is decided here and not by a library.
func TestParse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"number before other characters", "5é", `"5é"`},
		{"the same in a list", "[5 é]", `["5 é"]`},
		{"half a pair", `["\ud83d","\ude00\ud83d","\ud83d\u0041"]`, "[\"\ufffd\",\"\ufffd\ufffd\",\"\ufffdA\"]"},
		{"not UTF-8", "[\"\xff\", \xc3]", "[\"\ufffd\",\"\ufffd\"]"},
		{"zero byte", "[\x00]", `[""]`},
		{"long integer", strings.Repeat("9", maxDigits), strings.Repeat("9", maxDigits)},
		{"longer integer", "-00" + strings.Repeat("9", maxDigits+1), "-" + strings.Repeat("9", maxDigits+1)},
		{"great exponent", "1.00000000000000000e2000000000", "1.00000000000000000E+2000000000"},
		{"deep enough", strings.Repeat("[", 100) + strings.Repeat("]", 100), strings.Repeat("[", 100) + strings.Repeat("]", 100)},
		{"deep again and again", strings.Repeat("[[]]", 1000), "[[]]"},
	} {
		v, err := Parse([]byte(tt.in), Limits{})
		if got := string(AppendJSON(nil, v)); err != nil || got != tt.want {
			t.Errorf("%s: got %s, %v, want %s", tt.name, got, err, tt.want)
		}
	}
}

func TestParseTypes(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"null": "nil", "1": "int64", "9223372036854775808": "*big.Int", "1.5": "float64", "1e400": "float64",
		"1.123456789012345678": "Decimal", strings.Repeat("1", maxDigits+1): "Decimal",
		"x": "string", "true": "bool", "{}": "*Map", "[]": "*List",
	} {
		if got := typeName(mustParse(t, in)); got != want {
			t.Errorf("%.40s: got %s, want %s", in, got, want)
		}
	}
}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{`{"a":1`, "offset 6: unexpected end"},
		{`{"a" x:1}`, "offset 5: unexpected 'x'"},
		{`["é":1]`, "offset 5: unexpected ':'"},
		{`"\u00g0"`, "offset 5: want 4 hexadecimal digits"},
		{`[1, 1e+]`, `offset 4: "1e+" is no number`},
		{`[1.0000000000000000000e9999999999]`, `offset 1: "1.0000000000000000000e9999999999" is no number`},
		{strings.Repeat("[", 101), "offset 100: nested deeper than 100"},
		{strings.Repeat(`{"a":`, 1<<20), "offset 500: nested deeper than 100"},
	} {
		if v, err := Parse([]byte(tt.in), Limits{}); err == nil || err.Error() != tt.want {
			t.Errorf("%.40s: got %v, %v, want %s", tt.in, v, err, tt.want)
		}
	}
	_, err := Parse([]byte("[[]]"), Limits{Depth: 1})
	if depth := (*DepthError)(nil); !errors.As(err, &depth) || depth.Depth != 1 {
		t.Errorf("a depth of its own: %v", err)
	}
}

func TestParseStrict(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{"", "{}"},
		{" \n", `""`},
		{` {"a": [1.50, null]} `, `{"a":[1.5,null]}`},
		{"5", "5"},
		{`{'a':1}`, ""},
		{`{"a":1} x`, ""},
		{"a=b", ""},
		{"[1,]", ""},
		{"[01]", ""},
	} {
		v, err := Parse([]byte(tt.in), Limits{Strict: true})
		if err != nil {
			if tt.want != "" {
				t.Errorf("%q: %v", tt.in, err)
			}
			continue
		}
		if got := string(AppendJSON(nil, v)); got != tt.want {
			t.Errorf("%q: got %s, want %s", tt.in, got, tt.want)
		}
	}
}

// TestParseLinear: half a megabyte takes milliseconds, whatever it looks like. If some text
// were gone through again and again, it would take much longer than what is allowed here
// for slow machines.
func TestParseLinear(t *testing.T) {
	t.Parallel()
	for _, part := range []string{`"a":1,`, `1 `, `"`, `'a`, `\`, `[1],`, `{"a":1},`, `9`, `-`, `1.`, `,`, `:`, `"\u0041`, `a:b,`, "\xff"} {
		for _, before := range []string{"{", "[", `["\n`} {
			text := []byte(before + strings.Repeat(part, 1<<19/len(part)))
			start := time.Now()
			v, err := Parse(text, Limits{})
			if (v == nil) == (err == nil) {
				t.Errorf("%s%s…: %v, %v", before, part, v, err)
			}
			if took := time.Since(start); took > 3*time.Second {
				t.Errorf("%s%s…: %v", before, part, took)
			}
		}
	}
}

// FuzzParse: no text makes it panic; what it makes of one is written as JSON, and read
// again, the same.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`{"a":[1,2.50,1e21,null],b:'c',}`, `[1 2,"\u0041\x41\ud83d\ude00\q"]`, "5 6", "-", "[1.12345678901234567890e-30]",
		"{'\u2028':\"\x7f\"}", "[NaN,1e400]", "[,,[{}],{a:}]", "\"\n\\", "\x00[",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := Parse(text, Limits{})
		if err != nil {
			if direct, ok := AppendCompact(nil, string(text), Limits{}, 1<<30); ok {
				t.Fatalf("%q is copied as %q: %v", text, direct, err)
			}
			if strict, _ := Parse(text, Limits{Strict: true}); strict != nil {
				t.Fatalf("%q is JSON, but not leniently so: %v", text, err)
			}
			return
		}
		AppendText(nil, v)
		if direct, ok := AppendCompact([]byte("> "), string(text), Limits{}, 1<<30); ok {
			if want := AppendJSON([]byte("> "), v); string(direct) != string(want) {
				t.Fatalf("%q is copied as %q, but printed as %q", text, direct, want)
			}
		} else if string(direct) != "> " {
			t.Fatalf("%q leaves %q behind", text, direct)
		}
		v = printable(v)
		printed := AppendJSON(nil, v)
		again, err := Parse(printed, Limits{})
		if err != nil {
			t.Fatalf("%q is printed as %q: %v", text, printed, err)
		}
		if reprinted := AppendJSON(nil, again); string(reprinted) != string(printed) {
			t.Fatalf("%q is printed as %q, then as %q", text, printed, reprinted)
		}
		steps := 1 << 30
		if !Equal(v, again, &steps) {
			t.Fatalf("%q is not what is printed: %q", text, printed)
		}
	})
}

// printable returns v with the numbers that are read again. Doubles with a long text are read
// as decimals, and decimals with a short one as doubles; null stands for those of which one
// becomes the other each time, and for those that JSON has no text for.
func printable(v any) any {
	switch v := v.(type) {
	case float64, Decimal:
		if f, ok := v.(float64); ok && math.IsNaN(f) {
			return v
		}
		n := any(v)
		for range 3 {
			again, _ := ParseNumber(string(AppendJSON(nil, n)))
			if again == n {
				return n
			}
			n = again
		}
		return nil
	case *List:
		for i := range v.Items {
			v.Items[i] = printable(v.Items[i])
		}
	case *Map:
		for name, value := range v.All() {
			v.Put(name, printable(value))
		}
	}
	return v
}

// kilobyte is an event of some 1 KB.
var kilobyte = []byte(`{"action":"sendMessage","connection":{"id":"L0SM9cOFvHcCIhw=","at":1700000000000,"ip":"192.0.2.7"},"items":[` +
	strings.Repeat(`{"id":12345,"name":"A name, \"quoted\"","price":12.50,"tags":["a","b"],"sold":true,"note":null},`, 8) +
	`{"id":1}],"total":8}`)

func BenchmarkParse(b *testing.B) {
	b.SetBytes(int64(len(kilobyte)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(kilobyte, Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendCompact(b *testing.B) {
	text := string(kilobyte)
	var out []byte
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		var ok bool
		if out, ok = AppendCompact(out[:0], text, Limits{}, 1<<20); !ok {
			b.Fatal("not copied")
		}
	}
}

func BenchmarkAppendJSON(b *testing.B) {
	v := mustParse(b, string(kilobyte))
	var out []byte
	b.SetBytes(int64(len(kilobyte)))
	b.ReportAllocs()
	for b.Loop() {
		out = AppendJSON(out[:0], v)
	}
}

func BenchmarkAppendText(b *testing.B) {
	v := mustParse(b, string(kilobyte))
	var out []byte
	b.SetBytes(int64(len(kilobyte)))
	b.ReportAllocs()
	for b.Loop() {
		out = AppendText(out[:0], v)
	}
}
