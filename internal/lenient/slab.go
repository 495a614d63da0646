package lenient

import "strings"

// A slab is room for the values of one text, so that there are few allocations for many of
// them. It is made for as many as the text seems to have, but not for more than maxSlab at
// once: brackets and commas may be in strings.
type slab struct {
	maps    []Map
	lists   []List
	members []member
	items   []any
	// How many more are expected.
	mapsLeft, listsLeft, membersLeft, itemsLeft int
}

const maxSlab = 64

// expect counts what there may be in a text.
func (s *slab) expect(text string) {
	s.mapsLeft = strings.Count(text, "{")
	s.listsLeft = strings.Count(text, "[")
	s.membersLeft = strings.Count(text, ":")
	if s.listsLeft > 0 {
		// There are commas between members too.
		s.itemsLeft = max(0, s.listsLeft+strings.Count(text, ",")-max(0, s.membersLeft-s.mapsLeft))
	}
}

// room returns how many to make room for if at least n are wanted.
func room(left *int, n int) int {
	size := max(n, min(*left, maxSlab))
	*left -= size
	return size
}

func (s *slab) newMap() *Map {
	if len(s.maps) == 0 {
		s.maps = make([]Map, room(&s.mapsLeft, 1))
	}
	m := &s.maps[0]
	s.maps = s.maps[1:]
	return m
}

func (s *slab) newList() *List {
	if len(s.lists) == 0 {
		s.lists = make([]List, room(&s.listsLeft, 1))
	}
	l := &s.lists[0]
	s.lists = s.lists[1:]
	return l
}

// keepMembers returns a copy of members. Nothing can be appended to it in place.
func (s *slab) keepMembers(members []member) []member {
	n := len(members)
	if n > len(s.members) {
		s.members = make([]member, room(&s.membersLeft, n))
	}
	kept := s.members[:n:n]
	s.members = s.members[n:]
	copy(kept, members)
	return kept
}

// keepItems returns a copy of items. Nothing can be appended to it in place.
func (s *slab) keepItems(items []any) []any {
	n := len(items)
	if n > len(s.items) {
		s.items = make([]any, room(&s.itemsLeft, n))
	}
	kept := s.items[:n:n]
	s.items = s.items[n:]
	copy(kept, items)
	return kept
}
