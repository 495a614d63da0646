//go:build velocity

package velocity

import (
	"regexp"
	"strconv"
	"strings"
)

// A difference is one that there has to be between the service and Velocity by itself. Cases
// in which it shows are not compared: those that Oracle.java skips under the name, and those
// that here finds in what both have made of the template.
type difference struct {
	name, reason string
	here         func(velocity answer, got example, message string) bool
}

var differences = []difference{
	{"paths", "only definite paths are known to Oracle.java; all others have tests of their own", nil},
	{"payloads", "the service takes text that is no JSON, and has tests of its own for it", nil},
	{"decoders", "what urlDecode and base64Decode do with text that they cannot decode is no matter of Velocity", nil},
	{"null path", "a path that is null is no matter of Velocity", nil},
	{"null argument of $util", "what functions of $util make of null is no matter of Velocity", nil},
	{"objects", "methods of objects of Velocity itself are not known in the service", nil},
	{"objects in JSON", "a list of JSON can hold what JSON cannot say, like an element of a map", nil},
	{"types", "methods of the service do not tell a long from an int that has the same value, nor other types of numbers", nil},
	{"time", "Velocity has no limits", nil},
	{"addresses", "an object without a text of its own is its class and its address in Java, and nothing here",
		func(velocity answer, got example, _ string) bool {
			return address.MatchString(velocity.text) || strings.Contains(got.Template, "base64Encode") && strings.Contains(got.Template, ".split")
		}},
	{"blocks as keys", "a block of #define that is a key is rendered when its map is made, and by Velocity when it is printed",
		func(_ answer, got example, _ string) bool {
			return strings.Contains(got.Template, "#define") && key.MatchString(got.Template)
		}},
	{"doubles", "before Java 19 some doubles and floats have a digit more than it takes to tell them",
		func(velocity answer, got example, _ string) bool {
			bits := 64
			if strings.Contains(got.Template, "floatValue") {
				bits = 32
			}
			return velocity.kind == "ok" && velocity.text != got.Output && shortened(velocity.text, bits) == shortened(got.Output, bits)
		}},
	{"halves", "looking for nothing cuts characters beyond U+FFFF in two in Java, and no half of one is text",
		func(_ answer, got example, _ string) bool {
			return (strings.Contains(got.Template, ".split") || strings.Contains(got.Template, ".replace")) && strings.ContainsFunc(got.Template, func(r rune) bool { return r > 0xffff })
		}},
	{"limits", "Velocity has no limits",
		func(_ answer, _ example, message string) bool { return limit.MatchString(message) }},
}

var (
	address = regexp.MustCompile(`(\[[BCLI]|[a-z]\.[A-Z])[A-Za-z.$;]*@[0-9a-f]+`)
	key     = regexp.MustCompile(`[{,]\s*\$!?\{?[A-Za-z0-9_]+\}?\s*:`)
	limit   = regexp.MustCompile(`more than \d+|longer than \d+`)
)

var double = regexp.MustCompile(`\d\.\d+(E-?\d+)?`)

// shortened returns a text with no more digits of fractions than it takes to tell them in so
// many bits.
func shortened(text string, bits int) string {
	return double.ReplaceAllStringFunc(text, func(number string) string {
		f, err := strconv.ParseFloat(number, bits)
		if err != nil {
			return number
		}
		return strconv.FormatFloat(f, 'e', -1, bits)
	})
}

// excused returns the name of the difference that makes a case none to compare, or "".
func excused(velocity answer, got example, message string) string {
	if velocity.kind == "skip" {
		return velocity.text
	}
	for _, d := range differences {
		if d.here != nil && d.here(velocity, got, message) {
			return d.name
		}
	}
	return ""
}

// alike reports whether an outcome is what Velocity says.
func alike(got example, velocity answer) bool {
	if velocity.kind == "ok" {
		return got.Err == "" && got.Output == strings.ToValidUTF8(velocity.text, "\ufffd")
	}
	return got.Err == velocity.kind
}
