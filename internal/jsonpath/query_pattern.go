package jsonpath

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	// maxPattern is how many bytes a pattern may have.
	maxPattern = 1000
	// maxProgram is how many instructions a pattern may be compiled to. Repetitions make
	// many out of a few characters, and matching takes its time for each of them.
	maxProgram = 5000
)

// A pattern is a regular expression that is about a whole text.
type pattern struct {
	*regexp.Regexp
	size int // in instructions
}

// CompilePattern compiles a regular expression of Java that is about a whole text, as
// filters have it behind =~.
func CompilePattern(expression string) (interface{ MatchString(string) bool }, error) {
	return compilePattern(expression, "")
}

// compilePattern compiles a regular expression of Java with flags of its own. It is
// matched in linear time, which is why what needs more is an error: looking around,
// references back, possessive quantifiers and atomic groups. So are comments, and classes
// that are joined or cut. Case is ignored as in Unicode, where Java by default does so
// only for ASCII letters.
func compilePattern(expression, flags string) (*pattern, error) {
	if len(expression) > maxPattern {
		return nil, fmt.Errorf("a pattern must not be longer than %d bytes", maxPattern)
	}
	t := translator{in: expression}
	ours, err := t.flags(flags)
	if err == nil {
		err = t.translate()
	}
	if err != nil {
		return nil, fmt.Errorf("pattern: %w", err)
	}
	if ours != "" {
		ours = "(?" + ours + ")"
	}
	text := ours + `\A(?:` + t.out.String() + `)\z`
	tree, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, fmt.Errorf("pattern: %s", reason(err))
	}
	program, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return nil, fmt.Errorf("pattern: %w", err)
	}
	if len(program.Inst) > maxProgram {
		return nil, errors.New("pattern: too many repetitions")
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, fmt.Errorf("pattern: %s", reason(err))
	}
	return &pattern{re, len(program.Inst)}, nil
}

// reason is what is wrong with an expression, without the expression.
func reason(err error) string {
	var e *syntax.Error
	if errors.As(err, &e) {
		return e.Code.String()
	}
	return err.Error()
}

// A translator writes a regular expression of Java in the syntax of RE2.
type translator struct {
	in     string
	i      int
	out    strings.Builder
	mode   mode
	groups []mode // what was in force outside of the groups that are open
}

// A mode says what a dot is.
type mode struct {
	everything bool // any character, line terminators too
	unix       bool // all but \n
}

// flags puts flags of Java into force and returns those that RE2 has to know.
func (t *translator) flags(flags string) (string, error) {
	ours, on := "", true
	for _, c := range flags {
		switch c {
		case '-':
			on = false
			ours += "-"
		case 's':
			t.mode.everything = on
		case 'd':
			t.mode.unix = on
		case 'i', 'm':
			ours += string(c)
		case 'u': // Unicode, which case is ignored by anyway
		default:
			return "", fmt.Errorf("flag %q is not supported", c)
		}
	}
	return strings.TrimSuffix(ours, "-"), nil
}

func (t *translator) translate() error {
	for t.i < len(t.in) {
		c := t.in[t.i]
		t.i++
		var err error
		switch c {
		case '\\':
			err = t.escape(false)
		case '[':
			err = t.class()
		case '(':
			err = t.group()
		case ')':
			if n := len(t.groups); n > 0 {
				t.mode, t.groups = t.groups[n-1], t.groups[:n-1]
			} else {
				err = errors.New("unexpected )")
			}
			t.out.WriteByte(c)
		case '.':
			switch {
			case t.mode.everything:
				t.out.WriteString(`(?s:.)`)
			case t.mode.unix:
				t.out.WriteString(`[^\n]`)
			default:
				t.out.WriteString(`[^\n\r\x{85}\x{2028}\x{2029}]`)
			}
		case '*', '+', '?', '{':
			err = t.quantifier(c)
		case ']', '}':
			t.out.WriteByte('\\')
			t.out.WriteByte(c)
		default:
			t.out.WriteByte(c)
		}
		if err != nil {
			return err
		}
	}
	if len(t.groups) > 0 {
		return errors.New("unclosed (")
	}
	return nil
}

// quantifier translates *, +, ? and {n,m}, whose first character has been read.
func (t *translator) quantifier(c byte) error {
	t.out.WriteByte(c)
	if c == '{' {
		end := strings.IndexByte(t.in[t.i:], '}')
		if end < 0 {
			return errors.New("unclosed {")
		}
		text := t.in[t.i : t.i+end]
		low, high, both := strings.Cut(text, ",")
		if !digits(low) || both && high != "" && !digits(high) {
			return errors.New("bad repetition")
		}
		t.out.WriteString(text + "}")
		t.i += end + 1
	}
	if t.i < len(t.in) && t.in[t.i] == '?' {
		t.out.WriteByte('?')
		t.i++
	} else if t.i < len(t.in) && t.in[t.i] == '+' {
		return errors.New("possessive quantifiers are not supported")
	}
	return nil
}

func digits(s string) bool {
	_, err := strconv.ParseUint(s, 10, 16)
	return err == nil && s[0] != '+'
}

// group translates what stands behind an opening parenthesis.
func (t *translator) group() error {
	outside := t.mode
	rest := t.in[t.i:]
	switch {
	case !strings.HasPrefix(rest, "?"):
		t.out.WriteByte('(')
	case strings.HasPrefix(rest, "?:"):
		t.out.WriteString("(?:")
		t.i += 2
	case strings.HasPrefix(rest, "?=") || strings.HasPrefix(rest, "?!") || strings.HasPrefix(rest, "?<=") || strings.HasPrefix(rest, "?<!"):
		return errors.New("looking around is not supported")
	case strings.HasPrefix(rest, "?>"):
		return errors.New("atomic groups are not supported")
	case strings.HasPrefix(rest, "?<"):
		end := strings.IndexByte(rest, '>')
		if end < 0 {
			return errors.New("unclosed name of a group")
		}
		t.out.WriteString("(" + rest[:end+1])
		t.i += end + 1
	default:
		end := strings.IndexAny(rest, ":)")
		if end < 0 {
			return errors.New("unclosed (")
		}
		ours, err := t.flags(rest[1:end])
		if err != nil {
			return err
		}
		t.i += end + 1
		if rest[end] == ')' { // up to the end of the group that is open
			if ours != "" {
				t.out.WriteString("(?" + ours + ")")
			}
			return nil
		}
		t.out.WriteString("(?" + ours + ":")
	}
	t.groups = append(t.groups, outside)
	return nil
}

// class translates what stands behind an opening bracket, and the closing one.
func (t *translator) class() error {
	t.out.WriteByte('[')
	if t.i < len(t.in) && t.in[t.i] == '^' {
		t.out.WriteByte('^')
		t.i++
	}
	for first := true; t.i < len(t.in); first = false {
		c := t.in[t.i]
		t.i++
		switch {
		case c == ']' && !first:
			t.out.WriteByte(']')
			return nil
		case c == '[', c == '&' && t.i < len(t.in) && t.in[t.i] == '&':
			return errors.New("classes in classes are not supported")
		case c == '\\':
			if err := t.escape(true); err != nil {
				return err
			}
		case c == ']', c == '^':
			t.out.WriteByte('\\')
			t.out.WriteByte(c)
		default:
			t.out.WriteByte(c)
		}
	}
	return errors.New("unclosed [")
}

const (
	horizontal = `\t \x{a0}\x{1680}\x{180e}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}`
	vertical   = `\n\x{b}\f\r\x{85}\x{2028}\x{2029}`
	blanks     = `\t\n\x{b}\f\r `
)

// escape translates what stands behind a backslash.
func (t *translator) escape(class bool) error {
	if t.i == len(t.in) {
		return errors.New(`unexpected end behind \`)
	}
	r, size := utf8.DecodeRuneInString(t.in[t.i:])
	t.i += size
	switch r {
	case 'd', 'D', 'w', 'W', 't', 'n', 'r', 'f', 'a':
		t.out.WriteString(`\` + string(r))
	case 's':
		t.set(blanks, false, class)
	case 'S':
		if class {
			t.out.WriteString(`\x{0}-\x{8}\x{e}-\x{1f}\x{21}-\x{10ffff}`)
			return nil
		}
		t.set(blanks, true, class)
	case 'h':
		t.set(horizontal, false, class)
	case 'v':
		t.set(vertical, false, class)
	case 'H', 'V', 'R', 'b', 'B', 'A', 'z', 'Z':
		if class {
			return fmt.Errorf(`\%c in a class is not supported`, r)
		}
		switch r {
		case 'H':
			t.set(horizontal, true, class)
		case 'V':
			t.set(vertical, true, class)
		case 'R':
			t.out.WriteString(`(?:\r\n|[` + vertical + `])`)
		case 'Z': // before the last line terminator, which a whole text has to go beyond
			t.out.WriteString(`\z`)
		default:
			t.out.WriteString(`\` + string(r))
		}
	case 'Q':
		text, _, _ := strings.Cut(t.in[t.i:], `\E`)
		t.i = min(t.i+len(text)+2, len(t.in))
		if class {
			text = strings.ReplaceAll(regexp.QuoteMeta(text), "-", `\-`)
			t.out.WriteString(text)
			return nil
		}
		t.out.WriteString(regexp.QuoteMeta(text))
	case 'e':
		t.out.WriteString(`\x{1b}`)
	case '0':
		return t.number(8, 3)
	case 'x':
		if end := strings.IndexByte(t.in[t.i:], '}'); end > 0 && t.in[t.i] == '{' {
			text := t.in[t.i+1 : t.i+end]
			t.i += end + 1
			return t.character(text, 16)
		}
		return t.number(16, 2)
	case 'u':
		return t.number(16, 4)
	case 'p', 'P':
		return t.property(r == 'P', class)
	default:
		switch {
		case '1' <= r && r <= '9', r == 'k':
			return errors.New("references back are not supported")
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z':
			return fmt.Errorf(`\%c is not supported`, r)
		case r < utf8.RuneSelf:
			t.out.WriteByte('\\')
		}
		t.out.WriteRune(r)
	}
	return nil
}

// set writes a set of characters, as a class of its own or into one.
func (t *translator) set(set string, not, class bool) {
	switch {
	case class:
		t.out.WriteString(set)
	case not:
		t.out.WriteString("[^" + set + "]")
	default:
		t.out.WriteString("[" + set + "]")
	}
}

// number translates a character by its number: n hexadecimal digits, or up to n octal ones.
func (t *translator) number(base, n int) error {
	end := t.i
	for end < len(t.in) && end < t.i+n {
		if _, err := strconv.ParseUint(t.in[t.i:end+1], base, 32); err != nil || base == 8 && end == t.i+2 && t.in[t.i] > '3' {
			break
		}
		end++
	}
	text := t.in[t.i:end]
	if base == 16 && len(text) < n {
		return errors.New("bad number of a character")
	}
	t.i = end
	return t.character(text, base)
}

func (t *translator) character(text string, base int) error {
	n, err := strconv.ParseUint(text, base, 32)
	if err != nil || !utf8.ValidRune(rune(n)) || n > utf8.MaxRune {
		return errors.New("bad number of a character")
	}
	fmt.Fprintf(&t.out, `\x{%x}`, n)
	return nil
}

// posix are the classes that Java has from POSIX, with their names in RE2.
var posix = map[string]string{
	"Lower": "lower", "Upper": "upper", "ASCII": "ascii", "Alpha": "alpha", "Digit": "digit", "Alnum": "alnum",
	"Punct": "punct", "Graph": "graph", "Print": "print", "Blank": "blank", "Cntrl": "cntrl", "XDigit": "xdigit", "Space": "space",
}

// property translates \p, which has been read.
func (t *translator) property(not, class bool) error {
	var name string
	if strings.HasPrefix(t.in[t.i:], "{") {
		var closed bool
		if name, _, closed = strings.Cut(t.in[t.i+1:], "}"); !closed {
			return errors.New("unclosed {")
		}
		t.i += len(name) + 2
	} else if t.i < len(t.in) {
		_, size := utf8.DecodeRuneInString(t.in[t.i:])
		name = t.in[t.i : t.i+size]
		t.i += size
	}
	sign := ""
	if not {
		sign = "^"
	}
	if set, ok := posix[name]; ok {
		if set = "[:" + sign + set + ":]"; !class {
			set = "[" + set + "]"
		}
		t.out.WriteString(set)
		return nil
	}
	if strings.ContainsAny(name, `^\{`) || name == "" {
		return errors.New("bad name of a property")
	}
	t.out.WriteString(`\p{` + sign + strings.TrimPrefix(name, "Is") + "}")
	return nil
}
