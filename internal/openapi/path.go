package openapi

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A path says where in a document a value stands: paths.'/pets'(get).security. The
// nil path is the document. It is written out only where something is reported, as
// there are more values than reports.
type path struct {
	up   *path
	step string
	form stepForm
}

// A stepForm is how a step of a path is written.
type stepForm uint8

const (
	memberStep    stepForm = iota // .name
	quotedStep                    // .'/pets'
	operationStep                 // (get)
	indexStep                     // [2]
)

func (p *path) member(name string) *path { return &path{p, name, memberStep} }
func (p *path) item(i int) *path         { return &path{p, strconv.Itoa(i), indexStep} }

func (p *path) String() string {
	if p == nil {
		return "document"
	}
	var steps []*path
	for q := p; q != nil; q = q.up {
		steps = append(steps, q)
	}
	var b strings.Builder
	for i := len(steps) - 1; i >= 0; i-- {
		step := shown(steps[i].step)
		switch form := steps[i].form; {
		case form == operationStep:
			b.WriteString("(" + step + ")")
		case form == indexStep:
			b.WriteString("[" + step + "]")
		default:
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			if form == quotedStep {
				step = "'" + step + "'"
			}
			b.WriteString(step)
		}
	}
	return b.String()
}

// maxShown bounds what a report repeats of a document, in bytes.
const maxShown = 256

// shown returns s as it is put into a report: on one line and not too long.
func shown(s string) string {
	if len(s) > maxShown {
		end := maxShown
		for !utf8.RuneStart(s[end]) {
			end--
		}
		s = s[:end] + "…"
	}
	if strings.ContainsFunc(s, unicode.IsControl) {
		s = strings.Trim(strconv.Quote(s), `"`)
	}
	return s
}
