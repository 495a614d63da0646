package authorizer

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"penstock/internal/issuertest"
)

func TestParseKeys(t *testing.T) {
	t.Parallel()
	good := issuertest.RSA("a", 0)
	with := func(name string, v any) *issuertest.Key { return good.With(map[string]any{name: v}) }
	n := good.Public()["n"].(string)
	other := issuertest.RSA("b", 1)
	for _, tt := range []struct {
		name string
		keys []*issuertest.Key
		want string // the kids that can be used
	}{
		{"one", []*issuertest.Key{good}, "a"},
		{"none", nil, ""},
		{"two", []*issuertest.Key{good, other}, "a b"},
		{"without use", []*issuertest.Key{with("use", nil)}, "a"},
		{"for encryption", []*issuertest.Key{with("use", "enc"), other}, "b"},
		{"use in another case", []*issuertest.Key{with("use", "SIG")}, ""},
		{"use of another type", []*issuertest.Key{with("use", []string{"sig"})}, ""},
		{"operations", []*issuertest.Key{with("key_ops", []string{"verify"})}, "a"},
		{"other operations", []*issuertest.Key{with("key_ops", []string{"sign"})}, ""},
		{"operations of another type", []*issuertest.Key{with("key_ops", "verify")}, ""},
		{"on a curve", []*issuertest.Key{issuertest.EC("c"), good}, "a"},
		{"on a curve with the name of another", []*issuertest.Key{issuertest.EC("a"), good}, "a"},
		{"1024 bits", []*issuertest.Key{issuertest.Weak("w"), good}, "a"},
		{"more than 8192 bits", []*issuertest.Key{with("n", strings.Repeat("_", 1368))}, ""},
		{"even modulus", []*issuertest.Key{with("n", n[:len(n)-2]+"AA")}, ""},
		{"padded modulus", []*issuertest.Key{with("n", n+"==")}, ""},
		{"modulus in base64", []*issuertest.Key{with("n", strings.Repeat("+/", 170)+"w")}, ""},
		{"no modulus", []*issuertest.Key{with("n", nil)}, ""},
		{"modulus a number", []*issuertest.Key{with("n", 7)}, ""},
		{"e of 1", []*issuertest.Key{with("e", "AQ")}, ""},
		{"e of 2", []*issuertest.Key{with("e", "Ag")}, ""},
		{"e of 3", []*issuertest.Key{with("e", "Aw")}, "a"},
		{"e of 65536", []*issuertest.Key{with("e", "AQAA")}, ""},
		{"e of 2^31-1", []*issuertest.Key{with("e", "f____w")}, "a"},
		{"e of 2^31+1", []*issuertest.Key{with("e", "gAAAAQ")}, ""},
		{"e of 2^64+1", []*issuertest.Key{with("e", "AQAAAAAAAAAB")}, ""},
		{"no e", []*issuertest.Key{with("e", nil)}, ""},
		{"no name", []*issuertest.Key{with("kid", nil)}, ""},
		{"an empty name", []*issuertest.Key{with("kid", "")}, ""},
		{"a number for a name", []*issuertest.Key{with("kid", 7)}, ""},
		{"a long name", []*issuertest.Key{with("kid", strings.Repeat("k", maxKeyID+1))}, ""},
		{"another type", []*issuertest.Key{with("kty", "rsa")}, ""},
		{"no type", []*issuertest.Key{with("kty", nil)}, ""},
		{"for RS256", []*issuertest.Key{with("alg", "RS256")}, "a"},
		{"for PS256", []*issuertest.Key{with("alg", "PS256")}, ""},
		{"for a number", []*issuertest.Key{with("alg", 7)}, ""},
		{"a name twice", []*issuertest.Key{good, other, issuertest.RSA("a", 2)}, "b"},
		{"a key twice", []*issuertest.Key{good, good}, ""},
		{"a name three times", []*issuertest.Key{good, good, good}, ""},
	} {
		set, err := parseKeys(string(issuertest.KeySet(tt.keys...)), time.Time{})
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		var kids []string
		for kid, k := range set.keys {
			if k == nil {
				t.Errorf("%s: no key behind %q", tt.name, kid)
			}
			kids = append(kids, kid)
		}
		slices.Sort(kids)
		if got := strings.Join(kids, " "); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
	for _, bad := range []string{``, `[]`, `{}`, `{"keys":{}}`, `{"keys":[]} x`, `{"keys":[],"keys":[]}`, `{"Keys":[]}`,
		`{"keys":[{"kid":"a","kid":"b"}]}`, "{\"keys\":[\"\xff\"]}", `{"keys":` + strings.Repeat(" ", maxIssuerJSON) + `[]}`} {
		if _, err := parseKeys(bad, time.Time{}); err == nil {
			t.Errorf("%.40q: no error", bad)
		}
	}
	// Whatever stands in the place of a key does no harm.
	if set, err := parseKeys(`{"keys":[null,7,"a",[],{},true]}`, time.Time{}); err != nil || len(set.keys) != 0 {
		t.Errorf("odd keys: %v, %v", set, err)
	}
}

// Keys beyond the first thousand are not looked at.
func TestParseKeysBound(t *testing.T) {
	t.Parallel()
	good, err := json.Marshal(issuertest.RSA("a", 0).Public())
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ before, want int }{{maxKeys - 1, 1}, {maxKeys, 0}, {10_000, 0}} {
		text := fmt.Sprintf(`{"keys":[%s%s]}`, strings.Repeat("{},", tt.before), good)
		set, err := parseKeys(text, time.Time{})
		if err != nil || len(set.keys) != tt.want {
			t.Errorf("%d keys before: %v, %v", tt.before, set, err)
		}
	}
}

// FuzzKeys: a key that can be used keeps the limits.
func FuzzKeys(f *testing.F) {
	f.Add(string(issuertest.KeySet(issuertest.RSA("a", 0), issuertest.EC("b"), issuertest.Weak("c"))))
	f.Add(`{"keys":[{"kty":"RSA","kid":"a","n":"AQ","e":"AQ"}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		set, err := parseKeys(text, time.Time{})
		if err != nil {
			return
		}
		for kid, k := range set.keys {
			if bits := k.public.N.BitLen(); kid == "" || bits < minKeyBits || bits > maxKeyBits || k.public.E < 3 || k.public.E%2 == 0 {
				t.Errorf("key %q has %d bits and e %d", kid, bits, k.public.E)
			}
		}
		set.inherit(set)
	})
}

func TestDecodeSegment(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text string
		ok   bool
	}{
		{"", true}, {"YQ", true}, {"YWI", true}, {"YWJj", true}, {"-_-_", true},
		{"YR", false}, {"YWJ", false}, {"YQ==", false}, {"Y", false}, {"+/+/", false}, {"YW\nI", false}, {"YWI\r\n", false},
		{" YQ", false}, {"YQ ", false}, {"Y%51", false}, {"YQ\x00", false}, {"é", false},
	} {
		if _, ok := decodeSegment(tt.text); ok != tt.ok {
			t.Errorf("%q: got %t", tt.text, ok)
		}
	}
}
