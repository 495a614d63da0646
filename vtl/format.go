package vtl

import (
	"fmt"
	"strconv"
	"strings"

	"penstock/internal/lenient"
)

// format is String.format for the conversions %s %d %x %X %o %c %b %e %f %n %% with flags,
// widths and precisions.
func (r *run) format(f string, args []any) (any, error) {
	if len(args) == 1 {
		if l, ok := args[0].(*array); ok {
			args = l.items
		}
	}
	var b strings.Builder
	next := 0
	for {
		i := strings.IndexByte(f, '%')
		if i < 0 {
			b.WriteString(f)
			return r.made(b.String())
		}
		b.WriteString(f[:i])
		f = f[i:]
		n := 1
		for n < len(f) && strings.IndexByte("-+ 0,#(.0123456789$", f[n]) >= 0 {
			n++
		}
		if n == len(f) {
			return nil, fmt.Errorf("format: %q is not complete", f)
		}
		spec, verb := f[1:n], f[n]
		f = f[n+1:]
		switch verb {
		case '%':
			text, err := pad(spec, "%")
			if err != nil {
				return nil, err
			}
			b.WriteString(text)
			continue
		case 'n':
			if spec != "" {
				return nil, fmt.Errorf("format: %%%sn has a width", spec)
			}
			b.WriteByte('\n')
			continue
		}
		if at, rest, ok := strings.Cut(spec, "$"); ok {
			if _, err := fmt.Sscanf(at, "%d", &next); err != nil || next < 1 {
				return nil, fmt.Errorf("format: no argument %q", at)
			}
			next--
			spec = rest
		}
		if next >= len(args) {
			return nil, fmt.Errorf("format: no argument for %%%c", verb)
		}
		text, err := r.formatOne(spec, verb, args[next])
		if err != nil {
			return nil, err
		}
		next++
		b.WriteString(text)
		if b.Len() > r.limits.String {
			return nil, fmt.Errorf("a string is longer than %d bytes", r.limits.String)
		}
	}
}

// formatOne formats one value.
func (r *run) formatOne(spec string, verb byte, v any) (string, error) {
	if len(spec) > 8 {
		return "", fmt.Errorf("format: %q is too long", spec)
	}
	for _, part := range strings.FieldsFunc(spec, func(c rune) bool { return c < '0' || c > '9' }) {
		if len(strings.TrimLeft(part, "0")) > 4 {
			return "", fmt.Errorf("format: a width of %s", part)
		}
	}
	if strings.ContainsAny(spec, ",(") {
		return "", fmt.Errorf("format: the flags , and ( are not known")
	}
	if _, precision, ok := strings.Cut(spec, "."); ok && (precision == "" || strings.IndexByte("dxXoc", verb) >= 0) {
		return "", fmt.Errorf("format: a precision of %%%c", verb)
	}
	bad := fmt.Errorf("format: %%%c of a value that is none", verb)
	if v == nil && strings.IndexByte("dxXocCfeE", verb) >= 0 {
		text := "null"
		if verb < 'a' {
			text = "NULL"
		}
		return pad(strings.TrimLeft(spec, "+ ,#(0"), text)
	}
	switch verb {
	case 's', 'S', 'b', 'B':
		text, err := r.text(v)
		switch {
		case err != nil:
			return "", err
		case (verb == 'b' || verb == 'B') && v != true:
			text = fmt.Sprint(v != false && v != nil)
		case v == nil:
			text = "null"
		}
		if verb == 'S' || verb == 'B' {
			text = strings.ToUpper(text)
		}
		return pad(spec, text)
	case 'd', 'x', 'X', 'o':
		n := bigOf(v)
		if n == nil {
			return "", bad
		}
		if i, ok := v.(int64); ok && verb != 'd' {
			if isInt32(i) {
				return fmt.Sprintf("%"+spec+string(verb), uint32(i)), nil
			}
			return fmt.Sprintf("%"+spec+string(verb), uint64(i)), nil
		}
		return fmt.Sprintf("%"+spec+string(verb), n), nil
	case 'f', 'e', 'E':
		switch v.(type) {
		case float64, lenient.Decimal:
			return fmt.Sprintf("%"+spec+string(verb), floatOf(v)), nil
		}
		return "", bad
	case 'c':
		switch v := v.(type) {
		case character:
			return pad(spec, string(v))
		case int64:
			return pad(spec, string(rune(v)))
		}
		return "", bad
	}
	return "", fmt.Errorf("format: unknown conversion %%%c", verb)
}

// pad writes text with a width and a precision, which count UTF-16 units.
func pad(spec, text string) (string, error) {
	left := strings.HasPrefix(spec, "-")
	if strings.ContainsAny(spec[:min(1, len(spec))], "+ 0#") || spec == "-" {
		return "", fmt.Errorf("format: the flags of %q", spec)
	}
	width, precision, found := strings.Cut(strings.TrimPrefix(spec, "-"), ".")
	if found {
		n, err := strconv.Atoi(precision)
		if err != nil {
			return "", fmt.Errorf("format: %q is no precision", precision)
		}
		text = cut(text, 0, min(n, lengthOf(text)))
	}
	if width == "" {
		return text, nil
	}
	n, err := strconv.Atoi(width)
	if err != nil {
		return "", fmt.Errorf("format: %q is no width", width)
	}
	blanks := strings.Repeat(" ", max(0, n-lengthOf(text)))
	if left {
		return text + blanks, nil
	}
	return blanks + text, nil
}
