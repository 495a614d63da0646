package jsonpath

import (
	"fmt"
	"strings"
	"testing"

	"penstock/internal/lenient"
)

// bodies have a member at the end that lookups want, behind orders that they go past.
var bodies = []struct {
	name string
	text []byte
}{{"1KB", body(9)}, {"100KB", body(960)}}

func body(orders int) []byte {
	var b strings.Builder
	b.WriteString(`{"orders":[`)
	for i := range orders {
		fmt.Fprintf(&b, `{"id":%d,"name":"Article number %[1]d","price":%d.50,"tags":["new","blue"],"note":"as \"agreed\""},`, i, i%20)
	}
	b.WriteString(`{"id":7}],"user":{"id":"u1","name":"Ada"}}`)
	return []byte(b.String())
}

// BenchmarkLookup: one value in the text of a body. By scan, nothing is made of the text; by
// tree, it is parsed first, which "in tree" leaves out.
func BenchmarkLookup(b *testing.B) {
	for _, body := range bodies {
		b.Run("scan/"+body.name, func(b *testing.B) {
			p := mustParse(b, ".user.name")
			b.SetBytes(int64(len(body.text)))
			b.ReportAllocs()
			for b.Loop() {
				if v, ok := p.Select(body.text); !ok || string(v) != `"Ada"` {
					b.Fatal(string(v))
				}
			}
		})
		b.Run("tree/"+body.name, func(b *testing.B) {
			q := mustQuery(b, "$.user.name")
			b.SetBytes(int64(len(body.text)))
			b.ReportAllocs()
			for b.Loop() {
				root, err := lenient.Parse(body.text, lenient.Limits{})
				if err != nil {
					b.Fatal(err)
				}
				if v, _, err := q.Select(root); err != nil || v != "Ada" {
					b.Fatal(v, err)
				}
			}
		})
		for _, query := range []struct{ name, path string }{
			{"definite", "$.user.name"},
			{"filter", "$.orders[?(@.price > 10 && @.tags)].id"},
			{"deep scan", "$..price"},
		} {
			b.Run("in tree/"+query.name+"/"+body.name, func(b *testing.B) {
				q := mustQuery(b, query.path)
				root := mustValue(b, string(body.text))
				b.ReportAllocs()
				for b.Loop() {
					if _, found, err := q.Select(root); !found || err != nil {
						b.Fatal(found, err)
					}
				}
			})
		}
	}
}
