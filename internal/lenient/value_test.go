package lenient

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
)

func TestMap(t *testing.T) {
	t.Parallel()
	var m Map
	m.Put("b", int64(1))
	m.Put("a", int64(2))
	m.Put("b", int64(3))
	if got := string(AppendJSON(nil, &m)); got != `{"b":3,"a":2}` || m.Len() != 2 {
		t.Errorf("one put again keeps its place: got %s", got)
	}
	if v, ok := m.Delete("b"); v != int64(3) || !ok {
		t.Errorf("deleted %v, %v", v, ok)
	}
	if v, ok := m.Delete("b"); v != nil || ok {
		t.Errorf("deleted again %v, %v", v, ok)
	}
	if v, ok := m.Get("b"); v != nil || ok {
		t.Errorf("got what was deleted: %v, %v", v, ok)
	}
	m.Put("b", nil)
	if got := m.Keys(); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("one deleted and put again is the last: got %q", got)
	}
	c := m.Clone()
	m.Clear()
	if m.Len() != 0 || len(m.Keys()) != 0 || c.Len() != 2 {
		t.Errorf("cleared %d, its clone %d", m.Len(), c.Len())
	}
	m.Put("x", nil)
	if v, ok := m.Get("x"); v != nil || !ok || m.Len() != 1 {
		t.Errorf("put after clearing: %v, %v", v, ok)
	}
	if v, ok := (*Map)(nil).Get("x"); v != nil || ok {
		t.Errorf("a nil map has %v, %v", v, ok)
	}
}

// TestMapMany: a map with and without an index does what a slice does.
func TestMapMany(t *testing.T) {
	t.Parallel()
	var m Map
	var want []string
	seed := uint32(7)
	for n := range 20_000 {
		seed = seed*1664525 + 1013904223
		name := strconv.Itoa(int(seed>>16) % 40)
		if i := slices.Index(want, name); seed>>8&3 == 0 || n > 19_950 {
			if _, ok := m.Delete(name); ok != (i >= 0) {
				t.Fatalf("deleted %s: %v", name, ok)
			}
			if i >= 0 {
				want = slices.Delete(want, i, i+1)
			}
		} else {
			m.Put(name, n)
			if i < 0 {
				want = append(want, name)
			}
			if v, ok := m.Get(name); v != n || !ok {
				t.Fatalf("got %v, %v for %s, want %d", v, ok, name, n)
			}
		}
		if m.Len() != len(want) || n%50 == 0 && (!slices.Equal(m.Keys(), want) || !slices.Equal(m.Clone().Keys(), want)) {
			t.Fatalf("after %d: got %q, want %q", n, m.Keys(), want)
		}
	}
}

// TestMapChanged: members may come and go while they are looked at.
func TestMapChanged(t *testing.T) {
	t.Parallel()
	var m Map
	for i := range 100 {
		m.Put(fmt.Sprint(i), i)
	}
	seen := 0
	for name := range m.All() {
		seen++
		m.Delete(name)
		m.Put("more"+name, nil)
	}
	if seen > 100 || m.Len() < 100 {
		t.Errorf("saw %d, left %d", seen, m.Len())
	}
}

func TestListClone(t *testing.T) {
	t.Parallel()
	l := NewList("a", "b")
	c := l.Clone()
	c.Items[0] = "x"
	if l.Items[0] != "a" || !c.JSON || len(c.Items) != 2 {
		t.Errorf("got %v and %v", l, c)
	}
}

// BenchmarkMapDelete: taking away and putting back does not move the other members.
func BenchmarkMapDelete(b *testing.B) {
	var m Map
	names := make([]string, 10_000)
	for i := range names {
		names[i] = strconv.Itoa(i)
		m.Put(names[i], nil)
	}
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		m.Delete(names[i%len(names)])
		m.Put(names[i%len(names)], nil)
		i++
	}
}
