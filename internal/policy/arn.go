package policy

import (
	"strings"

	"penstock/internal/jsontree"
)

// arnParts is how many parts an ARN has. Only the last one, the resource, may have
// colons in it.
const arnParts = 6

// arns is the test of ArnEquals and ArnLike, which are the same: ARNs are compared
// part by part, each with its wildcards and variables. A wildcard, and the value of
// a variable, stays within its part.
type arns [][arnParts]pattern

func (t arns) holds(value string, values func(string) []string) truth {
	var parts [arnParts]string
	rest := value
	for i := range arnParts - 1 {
		var found bool
		if parts[i], rest, found = strings.Cut(rest, ":"); !found {
			return open
		}
	}
	parts[arnParts-1] = rest
	result := no
	for i := range t {
		all := yes
		for j := range t[i] {
			switch t[i][j].match(parts[j], values) {
			case open:
				return open
			case no:
				all = no
			}
		}
		result = max(result, all)
	}
	return result
}

func parseARNs(p *parser, list []*jsontree.Node) (test, error) {
	t := make(arns, len(list))
	for i, n := range list {
		whole, err := p.pattern(n, true)
		if err != nil {
			return nil, err
		}
		var ok bool
		if t[i], ok = split(whole); !ok {
			return nil, fail(n, "%q is no ARN, which has six parts: \"arn:partition:service:region:account:resource\"", n.Text)
		}
	}
	return t, nil
}

// split cuts a pattern at its first five colons. It is no ARN if there are fewer,
// or if the first part cannot be "arn".
func split(whole pattern) (parts [arnParts]pattern, ok bool) {
	i := 0
	for _, p := range whole.parts {
		for p.kind == literal && i < arnParts-1 {
			before, after, found := strings.Cut(p.text, ":")
			if !found {
				break
			}
			if before != "" {
				parts[i].append(part{kind: literal, text: before})
			}
			i++
			p.text = after
		}
		if p.kind == literal && p.text == "" {
			continue
		}
		parts[i].append(p)
		parts[i].variable = parts[i].variable || p.kind == variable
	}
	return parts, i == arnParts-1 && (parts[0].variable || matchParts(parts[0].parts, "arn"))
}
