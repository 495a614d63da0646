package functionlog

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"
)

// numbers returns those of lines.
func numbers(lines []Line) []uint64 {
	var n []uint64
	for _, l := range lines {
		n = append(n, l.Number)
	}
	return n
}

// upTo returns first, first+step, ... up to last.
func upTo(first, last, step uint64) []uint64 {
	var n []uint64
	for ; first <= last; first += step {
		n = append(n, first)
	}
	return n
}

// room returns how many bytes so many lines of so long a text need.
func room(lines, text int) int {
	return lines * (overhead + text)
}

func TestLines(t *testing.T) {
	t.Parallel()
	l := New(0)
	for i := range 3000 { // 1, 4, 7... of a; 2, 5, 8... of b
		l.Append(Line{Function: string("abc"[i%3]), Text: fmt.Sprint(i + 1)})
	}
	for _, tt := range []struct {
		name, function string
		after          uint64
		limit          int
		want           []uint64
	}{
		{"all", "", 0, 0, upTo(1, 3000, 1)},
		{"all of a function", "a", 0, 0, upTo(1, 3000, 3)},
		{"all of another one", "c", 0, 0, upTo(3, 3000, 3)},
		{"no such function", "d", 0, 0, nil},
		{"the oldest", "", 0, 5, upTo(1, 5, 1)},
		{"the oldest of a function", "b", 0, 4, upTo(2, 11, 3)},
		{"the newest", "", 0, -5, upTo(2996, 3000, 1)},
		{"the newest of a function", "b", 0, -3, upTo(2993, 2999, 3)},
		{"after one", "", 2990, 0, upTo(2991, 3000, 1)},
		{"after one of another function", "b", 2991, 0, upTo(2993, 2999, 3)},
		{"after one, the oldest", "b", 10, 2, upTo(11, 14, 3)},
		{"after one, the newest", "b", 2990, -20, upTo(2993, 2999, 3)},
		{"after the last one", "", 3000, 0, nil},
		{"after the last one, the newest", "", 3000, -9, nil},
		{"after one that there is not yet", "", 3001, 2, upTo(1, 2, 1)},
		{"after the greatest number", "a", ^uint64(0), -1, upTo(2998, 2998, 1)},
		{"many", "", 100, 1500, upTo(101, 1600, 1)},
		{"many of the newest", "", 100, -1500, upTo(1501, 3000, 1)},
		{"more than there are", "a", 0, 5000, upTo(1, 3000, 3)},
		{"more of the newest than there are", "a", 0, -5000, upTo(1, 3000, 3)},
	} {
		got := l.Lines(tt.function, tt.after, tt.limit)
		if !slices.Equal(numbers(got), tt.want) {
			t.Errorf("%s: got %v", tt.name, numbers(got))
		}
		for _, line := range got {
			if line.Text != fmt.Sprint(line.Number) {
				t.Errorf("%s: line %d is %q", tt.name, line.Number, line.Text)
			}
		}
	}
}

func TestLinesKeepsTheNewest(t *testing.T) {
	t.Parallel()
	l := New(room(10, 4))
	l.Append(Line{Function: "quiet", Text: "once"})
	for range 99 {
		l.Append(Line{Function: "busy", Text: "text"})
	}
	if got := numbers(l.Lines("busy", 0, 0)); !slices.Equal(got, upTo(91, 100, 1)) {
		t.Errorf("got %v", got)
	}
	if got := numbers(l.Lines("", 0, 0)); !slices.Equal(got, append([]uint64{1}, upTo(91, 100, 1)...)) {
		t.Errorf("of all: got %v", got)
	}
	if got := numbers(l.Lines("", 0, -11)); !slices.Equal(got, append([]uint64{1}, upTo(91, 100, 1)...)) {
		t.Errorf("the newest of all: got %v", got)
	}
	// A long line takes the place of several.
	l.Append(Line{Function: "busy", Text: strings.Repeat("x", room(4, 4))})
	if got := numbers(l.Lines("busy", 0, 0)); !slices.Equal(got, upTo(96, 101, 1)) {
		t.Errorf("after a long line: got %v", got)
	}
	// One that has no room at all is cut, between characters.
	l.Append(Line{Function: "busy", Text: strings.Repeat("ä", room(10, 4))})
	got := l.Lines("busy", 0, 0)
	if len(got) != 1 || len(got[0].Text) > room(10, 4) || len(got[0].Text) < room(10, 4)-overhead-1 || !utf8.ValidString(got[0].Text) {
		t.Errorf("after a line without end: got %v", numbers(got))
	}
	tiny := New(1)
	for range 3 {
		tiny.Append(Line{Function: "a", Text: "text"})
	}
	if got := tiny.Lines("", 0, 0); len(got) != 1 || got[0].Number != 3 {
		t.Errorf("of a tiny log: got %v", got)
	}
}

func TestFunctionsAreForgotten(t *testing.T) {
	t.Parallel()
	l := New(0)
	for i := range maxFunctions {
		l.Append(Line{Function: fmt.Sprint(i)})
	}
	l.Append(Line{Function: "0"}) // is not the oldest any more
	l.Append(Line{Function: "new"})
	for function, want := range map[string]int{"0": 2, "1": 0, "2": 1, "new": 1} {
		if got := len(l.Lines(function, 0, 0)); got != want {
			t.Errorf("%s has %d lines, want %d", function, got, want)
		}
	}
	if len(l.rings) != maxFunctions {
		t.Errorf("%d functions are kept", len(l.rings))
	}
}

// Memory stays within what is promised, also with lines that have no text.
func TestMemory(t *testing.T) {
	for _, text := range []string{"", strings.Repeat("x", 100), strings.Repeat("x", 10_000)} {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		l := New(1 << 20)
		for range 50_000 {
			l.Append(Line{Function: "a", RequestID: strings.Clone("8476a536-e9f4-11e8-9739-2dfe598c3fcd"), Text: strings.Clone(text)})
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		if used := int64(after.HeapAlloc) - int64(before.HeapAlloc); used > 5<<18 { // 1.25 MiB
			t.Errorf("texts of %d bytes: %d bytes are used", len(text), used)
		}
		runtime.KeepAlive(l)
	}
}

func TestFollow(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, function string
		after          uint64
		early          []string // functions of the lines before
		late           []string // and of those that come; a slow one has read the first by then
		want           []string
	}{
		{"what comes", "a", 0, nil, []string{"a", "b", "a"}, []string{"1", "3"}},
		{"what comes of all", "", 0, nil, []string{"a", "b", "a"}, []string{"1", "2", "3"}},
		{"what is there", "a", 0, []string{"a", "b", "a"}, nil, []string{"1", "3"}},
		{"both", "", 0, []string{"a", "b"}, []string{"b", "a"}, []string{"1", "2", "3", "4"}},
		{"after one", "a", 3, []string{"a", "b", "a", "a"}, []string{"b", "a"}, []string{"4", "6"}},
		{"after one that there is not yet", "a", 300, []string{"a", "b"}, []string{"a"}, []string{"1", "3"}},
		{"gone before", "a", 0, slices.Repeat([]string{"a"}, 15), nil, []string{"6", "7", "8", "9", "10", "11", "12", "13", "14", "15"}},
		{"gone before, of all", "", 0, append([]string{"b"}, slices.Repeat([]string{"a"}, 14)...), []string{"a"}, []string{"1", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16"}},
		{"lost since", "a", 12, slices.Repeat([]string{"a"}, 25), nil, []string{"15: lines were lost", "16", "17", "18", "19", "20", "21", "22", "23", "24", "25"}},
		{"not lost since", "a", 15, slices.Repeat([]string{"a"}, 25), nil, []string{"16", "17", "18", "19", "20", "21", "22", "23", "24", "25"}},
		{"lost since, of all", "", 12, slices.Repeat([]string{"a"}, 25), nil, []string{"15: 3 lines were lost", "16", "17", "18", "19", "20", "21", "22", "23", "24", "25"}},
		{"too slow", "a", 0, []string{"a"}, slices.Repeat([]string{"a", "b"}, 25), []string{"1", "31: 15 lines were lost", "32", "34", "36", "38", "40", "42", "44", "46", "48", "50"}},
		{"too slow by one", "a", 0, []string{"a"}, slices.Repeat([]string{"a"}, 11), []string{"1", "2: 1 line was lost", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"}},
		{"too slow for all", "", 0, []string{"a"}, append(slices.Repeat([]string{"a"}, 12), "b"), []string{"1", "3: 2 lines were lost", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := New(room(10, 0))
				at := time.Now()
				for _, function := range tt.early {
					l.Append(Line{Time: at, Function: function, Version: "$LATEST"})
				}
				ctx, cancel := context.WithCancel(t.Context())
				var got []string
				slow := make(chan struct{})
				done := make(chan struct{})
				go func() {
					defer close(done)
					for line := range l.Follow(ctx, tt.function, tt.after) {
						text := fmt.Sprint(line.Number)
						if line.Version == "" {
							text += ": " + line.Text
							if line.Function != tt.function || !line.Time.Equal(at) {
								t.Errorf("%+v", line)
							}
						} else if tt.function != "" && line.Function != tt.function {
							t.Errorf("%+v", line)
						}
						got = append(got, text)
						<-slow
					}
				}()
				synctest.Wait() // for what is there
				for _, function := range tt.late {
					l.Append(Line{Time: at, Function: function, Version: "$LATEST"})
				}
				close(slow)
				synctest.Wait()
				if !slices.Equal(got, tt.want) {
					t.Errorf("got  %q\nwant %q", got, tt.want)
				}
				cancel()
				<-done
			})
		})
	}
}

// Who stops reading, or whose context is done, is not waited for.
func TestFollowEnds(t *testing.T) {
	t.Parallel()
	l := New(0)
	for range 5 {
		l.Append(Line{Function: "a"})
	}
	n := 0
	for range l.Follow(t.Context(), "", 0) {
		if n++; n == 3 {
			break
		}
	}
	if n != 3 {
		t.Errorf("%d lines before the end", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n = 0
	for range l.Follow(ctx, "", 0) {
		if n++; n == 2 {
			cancel()
		}
	}
	if n != 2 {
		t.Errorf("%d lines before the context was done", n)
	}
	for range l.Follow(ctx, "", 0) {
		t.Error("a line after the context was done")
	}
}

// Every line is read once and in order, or is told as lost, by each follower and by who
// asks again and again, while many append.
func TestConcurrency(t *testing.T) {
	t.Parallel()
	const writers, each = 8, 1000
	l := New(room(300, 4))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var started, readers, appenders sync.WaitGroup
	for i := range 4 {
		l.Append(Line{Function: fmt.Sprint("f", i), Version: "1", Text: "text"})
	}
	for _, function := range []string{"", "f1", "f2"} {
		started.Add(1)
		readers.Go(func() {
			var last, got, lost uint64
			for line := range l.Follow(ctx, function, 0) {
				if line.Number < last || line.Number == last && line.Version != "" {
					t.Errorf("line %d after %d", line.Number, last)
				}
				if last == 0 {
					started.Done()
				}
				last = line.Number
				var n uint64
				switch {
				case line.Version != "":
					got++
				case line.Text == "1 line was lost":
					lost++
				default:
					if _, err := fmt.Sscanf(line.Text, "%d lines were lost", &n); err != nil {
						t.Errorf("%+v", line)
					}
					lost += n
				}
				want := uint64(4 + writers*each)
				if function != "" {
					want /= 4
				}
				if got+lost == want {
					return
				}
			}
			t.Errorf("%q: %d lines and %d lost", function, got, lost)
		})
	}
	readers.Go(func() {
		var last uint64
		for last < 4+writers*each && ctx.Err() == nil {
			for _, line := range l.Lines("", last, 100) {
				if line.Number <= last {
					t.Errorf("line %d after %d", line.Number, last)
				}
				last = line.Number
			}
			if newest := l.Lines("f1", 0, -10); !slices.IsSortedFunc(newest, func(a, b Line) int { return int(a.Number) - int(b.Number) }) {
				t.Errorf("not in order: %v", numbers(newest))
			}
			runtime.Gosched()
		}
	})
	started.Wait()
	for w := range writers {
		appenders.Go(func() {
			for range each {
				l.Append(Line{Function: fmt.Sprint("f", w%4), Version: "1", Text: "text"})
			}
		})
	}
	appenders.Wait()
	readers.Wait()
}

// While functions are forgotten, no Append is lost for good or hangs.
func TestConcurrentForgetting(t *testing.T) {
	t.Parallel()
	l := New(room(4, 0))
	var all sync.WaitGroup
	for w := range 4 {
		all.Go(func() {
			for i := range 1500 {
				l.Append(Line{Function: fmt.Sprint(w, "-", i)})
				l.Append(Line{Function: "shared"})
			}
		})
	}
	all.Wait()
	if len(l.rings) > maxFunctions || l.last.Load() != 4*1500*2 {
		t.Errorf("%d functions, %d lines", len(l.rings), l.last.Load())
	}
	if got := len(l.Lines("shared", 0, 0)); got != 4 {
		t.Errorf("%d lines of the function that always logs", got)
	}
}

func BenchmarkAppend(b *testing.B) {
	line := Line{Function: "orders", Version: "$LATEST", Stream: "2026/11/24/[$LATEST]x", RequestID: "8476a536-e9f4-11e8-9739-2dfe598c3fcd", Text: strings.Repeat("x", 100)}
	b.Run("alone", func(b *testing.B) {
		l := New(0)
		for range 10_000 {
			l.Append(line)
		}
		b.ReportAllocs()
		for b.Loop() {
			l.Append(line)
		}
	})
	b.Run("many", func(b *testing.B) {
		l := New(0)
		for range 10_000 {
			l.Append(line)
		}
		b.ReportAllocs()
		b.RunParallel(func(p *testing.PB) {
			for p.Next() {
				l.Append(line)
			}
		})
	})
}

func BenchmarkLines(b *testing.B) {
	l := New(0)
	for i := range 100_000 {
		l.Append(Line{Function: fmt.Sprint("f", i%100), Text: "text"})
	}
	b.ReportAllocs()
	for b.Loop() {
		if got := len(l.Lines("", 0, -100)); got != 100 {
			b.Fatal(got)
		}
	}
}
