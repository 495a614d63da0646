package policy

import (
	"strings"

	"penstock/internal/jsontree"
)

// texts is the test of StringEquals and StringLike.
type texts []pattern

func (t texts) holds(value string, values func(string) []string) truth {
	return matchAny(t, value, values)
}

// parseTexts parses values in which * and ? are ordinary characters.
func parseTexts(p *parser, list []*jsontree.Node) (test, error) {
	t, err := p.texts(list, false)
	return t, err
}

func parseLike(p *parser, list []*jsontree.Node) (test, error) {
	t, err := p.texts(list, true)
	return t, err
}

func (p *parser) texts(list []*jsontree.Node, wild bool) (texts, error) {
	t := make(texts, len(list))
	for i, n := range list {
		var err error
		if t[i], err = p.pattern(n, wild); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// folded is the test of StringEqualsIgnoreCase: case is ignored as Unicode folds
// it.
type folded []pattern

func (f folded) holds(value string, values func(string) []string) truth {
	t := no
	for i := range f {
		parts, ok := f[i].expand(values)
		if !ok {
			return open
		}
		if equalFold(parts, value) {
			t = yes
		}
	}
	return t
}

// equalFold compares what literals are together with s.
func equalFold(parts []part, s string) bool {
	if len(parts) == 1 {
		return strings.EqualFold(parts[0].text, s)
	}
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(p.text)
	}
	return strings.EqualFold(b.String(), s)
}

func parseFolded(p *parser, list []*jsontree.Node) (test, error) {
	t, err := p.texts(list, false)
	return folded(t), err
}

// booleans is the test of Bool.
type booleans struct{ yes, no bool }

func (b booleans) holds(value string, _ func(string) []string) truth {
	switch {
	case strings.EqualFold(value, "true"):
		return truthOf(b.yes)
	case strings.EqualFold(value, "false"):
		return truthOf(b.no)
	default:
		return open
	}
}

func parseBooleans(_ *parser, list []*jsontree.Node) (test, error) {
	var b booleans
	for _, n := range list {
		switch {
		case strings.EqualFold(n.Text, "true"):
			b.yes = true
		case strings.EqualFold(n.Text, "false"):
			b.no = true
		default:
			return nil, fail(n, "%q is neither true nor false", n.Text)
		}
	}
	return b, nil
}
