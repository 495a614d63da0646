package openapi

import (
	"fmt"
	"strings"
)

// An Error says why a document was refused, and what else was found in it.
type Error struct {
	Problems []string // each starts with where in the document it is, if it can be told
	Warnings []string // as in a Description
}

func (e *Error) Error() string { return strings.Join(e.Problems, "\n") }

// maxFindings bounds what is told of one document in each category.
const maxFindings = 1000

// Findings are what is reported about a document, in the order it was found.
type findings struct {
	texts []string
	more  int // that are not told
}

// add reports something. The text is not made if it is not told.
func (f *findings) add(format string, args ...any) {
	if len(f.texts) == maxFindings {
		f.more++
		return
	}
	f.texts = append(f.texts, fmt.Sprintf(format, args...))
}

// all returns what was found, nil if nothing.
func (f *findings) all() []string {
	if f.more > 0 {
		return append(f.texts, fmt.Sprintf("and %d more", f.more))
	}
	return f.texts
}

// Categories of findings: a problem refuses the document, a warning does if the
// caller wants that, and info never does.

func (x *importer) problem(v value, format string, args ...any) {
	if v.node != nil && v.line > 1 {
		format += fmt.Sprintf(" (line %d)", v.line)
	}
	x.problems.add("%s: "+format, append([]any{v.at}, args...)...)
}

func (x *importer) warn(at *path, format string, args ...any) {
	x.warnings.add("%s: "+format, append([]any{at}, args...)...)
}

func (x *importer) inform(at *path, format string, args ...any) {
	x.info.add("%s: "+format, append([]any{at}, args...)...)
}

// ignored reports what HTTP APIs do not have.
func (x *importer) ignored(at *path) {
	x.inform(at, "not supported for HTTP APIs, ignored")
}
