package vtl

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
)

// A pattern is a regular expression of Java. As far as RE2 has it, it takes time in
// proportion to the text; what RE2 has not is matched by trying.
type pattern struct {
	text     string
	re       *regexp.Regexp // nil if it is matched by trying
	whole    *regexp.Regexp // matches nothing but a whole text
	literal  string         // what the pattern matches if it is but one text
	atEnd    bool           // whether it says something about the end of the text
	boundary bool           // whether it says something about the ends of words
	trying   *backtracker
	err      error
}

// compilePattern never fails: an error is for whoever uses the pattern.
func compilePattern(text string) *pattern {
	p := &pattern{text: text}
	if len(text) > maxPattern {
		p.err = fmt.Errorf("a regular expression of more than %d bytes", maxPattern)
		return p
	}
	trying, bad := parseRegex(text)
	if bad != nil {
		p.err = fmt.Errorf("regular expression %q: %w", text, bad)
		return p
	}
	p.trying = trying
	t := translation{src: text}
	translated, err := t.translate()
	if err == nil {
		p.re, err = regexp.Compile(translated)
	}
	if err != nil {
		p.re = nil
		return p
	}
	p.atEnd, p.boundary = t.atEnd, t.boundary
	p.whole = regexp.MustCompile(`\A(?:` + translated + `)\z`)
	if literal, complete := p.re.LiteralPrefix(); complete {
		p.literal = literal
	}
	// Of matches of nothing RE2 has others than Java.
	if tree, err := syntax.Parse(translated, syntax.Perl); err == nil && mayBeEmpty(tree) {
		p.re = nil
	}
	return p
}

// cost returns how many bytes of work it is to compile the pattern.
func (p *pattern) cost() int {
	cost := 1000 * (len(p.text) + 1)
	if p.trying != nil {
		cost += 1000 * p.trying.weight
	}
	// A property of Unicode is hundreds of ranges of characters, for each place it has.
	return cost + 200_000*(strings.Count(p.text, `\p`)+strings.Count(p.text, `\P`))
}

// mayBeEmpty reports whether an expression matches nothing at all, among other things.
func mayBeEmpty(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpLiteral, syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL, syntax.OpNoMatch:
		return false
	case syntax.OpCapture, syntax.OpPlus:
		return mayBeEmpty(re.Sub[0])
	case syntax.OpRepeat:
		return re.Min == 0 || mayBeEmpty(re.Sub[0])
	case syntax.OpConcat:
		return !slices.ContainsFunc(re.Sub, func(sub *syntax.Regexp) bool { return !mayBeEmpty(sub) })
	case syntax.OpAlternate:
		return slices.ContainsFunc(re.Sub, mayBeEmpty)
	}
	return true
}

// maxPattern is how long regular expressions may be.
const maxPattern = 1000

// pattern returns the pattern of a call, which has been compiled before if it was known.
func (r *run) pattern(s *step, text string) (*pattern, error) {
	p := s.pattern
	if p == nil || p.text != text {
		p = compilePattern(text)
		if err := r.spend(p.cost()); err != nil {
			return nil, err
		}
	}
	return p, p.err
}

// search counts what a search with RE2 costs, which is many times what reading the text
// does.
func (r *run) search(s string, p *pattern) error {
	if p.literal != "" {
		return r.spend(len(s))
	}
	return r.spend(len(s) * (16 + 2*len(p.text)))
}

// bytesPerStep is how many bytes of work a step of matching by trying is.
const bytesPerStep = 16

// try does something with a matcher that may take what is left of the work.
func (r *run) try(p *pattern, text string, do func(*matcher) error) error {
	m := &matcher{text: text, groups: make([]int, 2*p.trying.groups+2), steps: r.work / bytesPerStep}
	before := m.steps
	if err := do(m); err != nil {
		return err
	}
	return r.spend((before - m.steps) * bytesPerStep)
}

// byTrying reports whether RE2 will not do. It has no end of a text before the end of the
// last line, and no letters in words but those of ASCII.
func (p *pattern) byTrying(text string, re *regexp.Regexp) bool {
	return re == nil || p.atEnd && (strings.HasSuffix(text, "\n") || strings.HasSuffix(text, "\r")) ||
		p.boundary && !isASCII(text)
}

// find returns the groups of all matches, or of the first n.
func (r *run) find(p *pattern, text string, n int) (found [][]int, err error) {
	if p.byTrying(text, p.re) {
		err = r.try(p, text, func(m *matcher) (err error) {
			found, err = p.trying.all(m, n)
			return err
		})
		return found, err
	}
	if err := r.search(text, p); err != nil {
		return nil, err
	}
	return p.re.FindAllStringSubmatchIndex(text, n), nil
}

// matches is String.matches: whether the whole text matches.
func (r *run) matches(s *step, text, re string) (any, error) {
	p, err := r.pattern(s, re)
	if err != nil {
		return nil, err
	}
	if p.byTrying(text, p.whole) {
		found := false
		err := r.try(p, text, func(m *matcher) error {
			groups, err := p.trying.find(m, 0, true)
			found = groups != nil
			return err
		})
		return found, err
	}
	if err := r.search(text, p); err != nil {
		return nil, err
	}
	return p.whole.MatchString(text), nil
}

// split is String.split. Empty strings at the end are left out unless there is a limit,
// and one at the beginning if the separator matches nothing there.
func (r *run) split(s *step, text, re string, limit int) (any, error) {
	p, err := r.pattern(s, re)
	if err != nil {
		return nil, err
	}
	found, err := r.find(p, text, -1)
	if err != nil {
		return nil, err
	}
	r.odd = true
	a := &array{}
	last := 0
	for _, m := range found {
		if limit > 0 && len(a.items) == limit-1 {
			break
		}
		if m[1] == 0 {
			continue
		}
		a.items = append(a.items, text[last:m[0]])
		last = m[1]
	}
	switch {
	case last == 0 && len(a.items) == 0:
		a.items = append(a.items, text)
		return a, r.spend(itemSize)
	default:
		a.items = append(a.items, text[last:])
	}
	if limit == 0 {
		for len(a.items) > 0 && a.items[len(a.items)-1] == emptyText {
			a.items = a.items[:len(a.items)-1]
		}
	}
	return a, r.spend(itemSize * len(a.items))
}

// replacePattern is String.replaceAll, and with n as 1 replaceFirst. In the replacement $1
// and ${name} are groups, and a backslash takes away the meaning of what follows.
func (r *run) replacePattern(s *step, text, re, replacement string, n int) (any, error) {
	p, err := r.pattern(s, re)
	if err != nil {
		return nil, err
	}
	if p.literal != "" && n < 0 && !strings.ContainsAny(replacement, `$\`) {
		return r.replace(text, p.literal, replacement)
	}
	found, err := r.find(p, text, n)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return text, nil
	}
	var b []byte
	last := 0
	for _, m := range found {
		b = append(b, text[last:m[0]]...)
		if b, err = expand(b, replacement, text, m, p); err != nil {
			return nil, err
		}
		last = m[1]
		if len(b) > r.limits.String {
			break
		}
	}
	return r.made(string(append(b, text[last:]...)))
}

// expand appends a replacement for one match.
func expand(b []byte, replacement, text string, m []int, p *pattern) ([]byte, error) {
	for i := 0; i < len(replacement); i++ {
		c := replacement[i]
		switch c {
		default:
			b = append(b, c)
			continue
		case '\\':
			i++
			if i == len(replacement) {
				return nil, fmt.Errorf("a backslash at the end of a replacement")
			}
			b = append(b, replacement[i])
			continue
		case '$':
		}
		rest := replacement[i+1:]
		group := -1
		if name, _, ok := strings.Cut(strings.TrimPrefix(rest, "{"), "}"); ok && strings.HasPrefix(rest, "{") {
			group = p.group(name)
			i += len(name) + 2
		} else if rest != "" && isDigit(rest[0]) {
			group = int(rest[0] - '0')
			i++
			// More digits belong to it as long as there is such a group.
			for i+1 < len(replacement) && isDigit(replacement[i+1]) {
				more := group*10 + int(replacement[i+1]-'0')
				if more >= len(m)/2 {
					break
				}
				group = more
				i++
			}
		}
		if group < 0 || group >= len(m)/2 {
			return nil, fmt.Errorf("a replacement with a group that is not there: %q", replacement)
		}
		if m[2*group] >= 0 {
			b = append(b, text[m[2*group]:m[2*group+1]]...)
		}
	}
	return b, nil
}

// group returns the number of a group with a name, -1 if there is none.
func (p *pattern) group(name string) int {
	if p.re != nil {
		return p.re.SubexpIndex(name)
	}
	if n, ok := p.trying.names[name]; ok {
		return n
	}
	return -1
}
