package vtl

import (
	"errors"
	"slices"
	"strings"
	"unicode/utf8"
)

// What RE2 cannot match is matched by trying, as Java does: looking ahead and behind,
// references to groups, possessive quantifiers and intersections of classes. It takes as
// long as it takes, but for a limit of steps.

// A regexNode is a part of a regular expression. Match calls next at every place where
// the part can end, until next returns true.
type regexNode interface {
	match(m *matcher, at int, next func(int) bool) bool
}

// A backtracker is a regular expression that is matched by trying.
type backtracker struct {
	root   regexNode
	groups int
	names  map[string]int
	weight int
}

// A matcher is one search.
type matcher struct {
	text   string
	groups []int // the ends of the groups, in pairs; -1 where there are none
	steps  int   // left
	depth  int
}

var errBacktrack = errors.New("the regular expression takes too long")

// maxBacktrack is how many parts may wait for each other.
const maxBacktrack = 20_000

// try counts a step, and reports whether there are any left.
func (m *matcher) try() bool {
	m.steps--
	return m.steps >= 0
}

// find returns the groups of the first match at an offset or after it, nil if there is
// none. With whole it must be the whole text.
func (b *backtracker) find(m *matcher, from int, whole bool) ([]int, error) {
	for at := from; at <= len(m.text); {
		for i := range m.groups {
			m.groups[i] = -1
		}
		end := -1
		if b.root.match(m, at, func(i int) bool {
			if whole && i != len(m.text) {
				return false
			}
			end = i
			return true
		}) && m.steps >= 0 {
			m.groups[0], m.groups[1] = at, end
			return m.groups, nil
		}
		if m.steps < 0 {
			return nil, errBacktrack
		}
		if whole {
			return nil, nil
		}
		_, size := utf8.DecodeRuneInString(m.text[at:])
		at += max(1, size)
	}
	return nil, nil
}

type (
	// one character of a class
	regexClass struct{ has func(rune) bool }
	// one after the other
	regexSequence []regexNode
	regexChoice   []regexNode
	regexGroup    struct {
		n     int
		inner regexNode
	}
	regexBack struct {
		n    int
		fold bool
	}
	// a place with nothing of its own
	regexPlace struct {
		holds func(m *matcher, at int) bool
	}
	// looking ahead or behind, or (atomic) matching without second thoughts
	regexLook struct {
		inner                  regexNode
		behind, negate, atomic bool
	}
	regexRepeat struct {
		inner     regexNode
		low, high int // high is -1 without an end
		lazy      bool
	}
)

func (n regexClass) match(m *matcher, at int, next func(int) bool) bool {
	if !m.try() || at >= len(m.text) {
		return false
	}
	c, size := utf8.DecodeRuneInString(m.text[at:])
	return n.has(c) && next(at+size)
}

func (n regexSequence) match(m *matcher, at int, next func(int) bool) bool {
	if len(n) == 0 {
		return next(at)
	}
	return n[0].match(m, at, func(i int) bool { return n[1:].match(m, i, next) })
}

func (n regexChoice) match(m *matcher, at int, next func(int) bool) bool {
	for _, one := range n {
		if one.match(m, at, next) {
			return true
		}
	}
	return false
}

func (n regexGroup) match(m *matcher, at int, next func(int) bool) bool {
	from, to := m.groups[2*n.n], m.groups[2*n.n+1]
	if n.inner.match(m, at, func(i int) bool {
		innerFrom, innerTo := m.groups[2*n.n], m.groups[2*n.n+1]
		m.groups[2*n.n], m.groups[2*n.n+1] = at, i
		if next(i) {
			return true
		}
		m.groups[2*n.n], m.groups[2*n.n+1] = innerFrom, innerTo
		return false
	}) {
		return true
	}
	m.groups[2*n.n], m.groups[2*n.n+1] = from, to
	return false
}

func (n regexBack) match(m *matcher, at int, next func(int) bool) bool {
	from, to := m.groups[2*n.n], m.groups[2*n.n+1]
	if !m.try() || from < 0 || len(m.text)-at < to-from {
		return false
	}
	m.steps -= (to - from) / 16
	a, b := m.text[from:to], m.text[at:at+to-from]
	return (a == b || n.fold && strings.EqualFold(a, b)) && next(at+to-from)
}

func (n regexPlace) match(m *matcher, at int, next func(int) bool) bool {
	return m.try() && n.holds(m, at) && next(at)
}

func (n regexLook) match(m *matcher, at int, next func(int) bool) bool {
	before := slices.Clone(m.groups)
	end := -1
	found := false
	if n.behind {
		for from := at; from >= 0 && !found && m.try(); from-- {
			if from < len(m.text) && !utf8.RuneStart(m.text[from]) {
				continue
			}
			found = n.inner.match(m, from, func(i int) bool { return i == at })
		}
	} else {
		found = n.inner.match(m, at, func(i int) bool {
			end = i
			return true
		})
	}
	if n.negate || !found {
		copy(m.groups, before)
	}
	if found == n.negate || m.steps < 0 {
		return false
	}
	if !n.atomic {
		end = at
	}
	if next(end) {
		return true
	}
	copy(m.groups, before)
	return false
}

func (n regexRepeat) match(m *matcher, at int, next func(int) bool) bool {
	if one, ok := n.inner.(regexClass); ok {
		return n.characters(m, at, one.has, next)
	}
	return n.from(m, at, 0, next)
}

// characters repeats one character, without a call for each.
func (n regexRepeat) characters(m *matcher, at int, has func(rune) bool, next func(int) bool) bool {
	i, rounds := at, 0
	more := func() bool {
		if !m.try() || i >= len(m.text) || n.high >= 0 && rounds >= n.high {
			return false
		}
		c, size := utf8.DecodeRuneInString(m.text[i:])
		if !has(c) {
			return false
		}
		i += size
		rounds++
		return true
	}
	if n.lazy {
		for rounds < n.low {
			if !more() {
				return false
			}
		}
		for !next(i) {
			if !more() {
				return false
			}
		}
		return true
	}
	for more() {
	}
	for ; rounds >= n.low && m.try(); rounds-- {
		if next(i) {
			return true
		}
		_, size := utf8.DecodeLastRuneInString(m.text[:i])
		i -= size
	}
	return false
}

// from matches on after so many rounds.
func (n regexRepeat) from(m *matcher, at, rounds int, next func(int) bool) bool {
	if m.depth++; m.depth > maxBacktrack {
		m.steps = -1
	}
	defer func() { m.depth-- }()
	if !m.try() {
		return false
	}
	again := func() bool {
		if n.high >= 0 && rounds >= n.high {
			return false
		}
		return n.inner.match(m, at, func(i int) bool {
			if i == at && rounds >= n.low { // another round of nothing changes nothing
				return false
			}
			return n.from(m, i, rounds+1, next)
		})
	}
	switch {
	case rounds < n.low:
		return again()
	case n.lazy:
		return next(at) || again()
	default:
		return again() || next(at)
	}
}

// all returns the groups of all matches, or of the first n. A match of nothing may follow
// one of something right away.
func (b *backtracker) all(m *matcher, n int) ([][]int, error) {
	var found [][]int
	for at := 0; at <= len(m.text) && len(found) != n; {
		groups, err := b.find(m, at, false)
		if err != nil || groups == nil {
			return found, err
		}
		found = append(found, slices.Clone(groups))
		m.steps -= matchSteps
		at = groups[1]
		if groups[0] == groups[1] {
			_, size := utf8.DecodeRuneInString(m.text[at:])
			at += max(1, size)
		}
	}
	return found, nil
}

// matchSteps is what a match costs that is kept.
const matchSteps = 8
