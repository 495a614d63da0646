package schema

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Limits of patterns. What a pattern compiles to is what a match takes time for, and
// memory: .{1000} is short and large.
const (
	maxPattern      = 1024    // bytes of one
	maxInstructions = 5000    // of one
	maxProgram      = 100_000 // instructions of all patterns of a schema
)

// An expression is a pattern that is ready to match.
type expression struct {
	*regexp.Regexp
	instructions int
}

// compilePattern compiles a regular expression of ECMA-262. What Go reads in another way
// than ECMA-262, or not at all, is an error: a pattern that matches something else than
// its author meant lets through what it should refuse.
func compilePattern(text string) (*expression, error) {
	if len(text) > maxPattern {
		return nil, fmt.Errorf("the pattern is longer than %d bytes", maxPattern)
	}
	if other := otherMeaning(text); other != "" {
		return nil, fmt.Errorf("the pattern %q has %s, which RE2 reads otherwise than ECMA-262", cut(text), other)
	}
	tree, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		var bad *syntax.Error
		if errors.As(err, &bad) {
			return nil, fmt.Errorf("the pattern %q cannot be read by RE2: %s: %q", cut(text), bad.Code, cut(bad.Expr))
		}
		return nil, fmt.Errorf("the pattern %q cannot be read by RE2", cut(text))
	}
	program, err := syntax.Compile(tree.Simplify())
	if err != nil || len(program.Inst) > maxInstructions {
		return nil, fmt.Errorf("the pattern %q is too complex", cut(text))
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, fmt.Errorf("the pattern %q cannot be read by RE2", cut(text))
	}
	return &expression{re, len(program.Inst)}, nil
}

// otherMeaning returns what in a pattern means one thing in ECMA-262 and another one in
// the syntax of Go, "" if there is nothing.
func otherMeaning(text string) string {
	for i := 0; i < len(text); i++ {
		switch {
		case strings.HasPrefix(text[i:], "[:") && strings.Contains(text[i:], ":]"):
			return "[:"
		case text[i] != '\\' || i+1 == len(text):
			continue
		}
		i++
		c := text[i]
		switch {
		case strings.IndexByte("AzQECa123456789", c) >= 0, c|0x20 == 'p' && !strings.HasPrefix(text[i+1:], "{"):
			return text[i-1 : i+1]
		case c == 'x' && strings.HasPrefix(text[i:], "x{"):
			return `\x{`
		case c == '0' && i+1 < len(text) && '0' <= text[i+1] && text[i+1] <= '9':
			return text[i-1 : i+2]
		}
	}
	return ""
}

// A format is a rule for strings with a name. It does not apply to other values.
type format func(text string) bool

// maxFormatted is how long a string of any format may be, in bytes.
const maxFormatted = 8 << 10

// formats are those that are checked: the ones of draft-04, and three that later drafts
// have and schemas name all the same.
var formats = sync.OnceValue(func() map[string]format {
	all := map[string]format{}
	for _, name := range []string{"date-time", "email", "hostname", "ipv4", "ipv6", "uri", "date", "time", "uuid"} {
		c := jsonschema.NewCompiler()
		c.DefaultDraft(jsonschema.Draft4)
		c.UseLoader(nowhere{})
		if err := c.AddResource(anyURL, map[string]any{"format": name}); err != nil {
			panic(err) // the schema is ours
		}
		check := c.MustCompile(anyURL).Format.Validate
		all[name] = func(text string) bool { return len(text) <= maxFormatted && check(text) == nil }
	}
	return all
})

// maxQuoted is how much of a text a reason shows.
const maxQuoted = 64

// cut returns a text that is not longer than what a reason shows, and ends between two
// characters.
func cut(text string) string {
	if len(text) <= maxQuoted {
		return text
	}
	return strings.ToValidUTF8(text[:maxQuoted], "") + "…"
}
