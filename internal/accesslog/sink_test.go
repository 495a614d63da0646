package accesslog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A recorder keeps what is written to it, and when.
type recorder struct {
	mu    sync.Mutex
	text  bytes.Buffer
	times []time.Time
	// take, if set, says how many bytes are taken of a write, and what is answered.
	take func(b []byte) (int, error)
}

func (r *recorder) Write(b []byte) (n int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n = len(b)
	if r.take != nil {
		n, err = r.take(b)
	}
	r.text.Write(b[:min(max(n, 0), len(b))])
	r.times = append(r.times, time.Now())
	return n, err
}

func (r *recorder) lines() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Split(strings.TrimSuffix(r.text.String(), "\n"), "\n")
}

// A journal keeps what a Sink tells the log.
type journal struct {
	mu      sync.Mutex
	entries []string
}

func (j *journal) Enabled(context.Context, slog.Level) bool { return true }
func (j *journal) WithAttrs([]slog.Attr) slog.Handler       { return j }
func (j *journal) WithGroup(string) slog.Handler            { return j }
func (j *journal) Handle(_ context.Context, r slog.Record) error {
	entry := r.Message
	r.Attrs(func(a slog.Attr) bool {
		entry += " " + a.String()
		return true
	})
	j.mu.Lock()
	defer j.mu.Unlock()
	j.entries = append(j.entries, entry)
	return nil
}

func (j *journal) all() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.entries)
}

func mustClose(t testing.TB, c io.Closer) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestWriteKeepsOrder(t *testing.T) {
	t.Parallel()
	var r recorder
	s := NewWriter(WriterConfig{Writer: &r, Buffer: 64 << 20})
	var want []string
	line := make([]byte, 0, 64)
	for i := range 50000 {
		line = fmt.Appendf(line[:0], "line %d", i)
		want = append(want, string(line))
		s.Write(line)
		clear(line) // the Sink has its own copy
	}
	mustClose(t, s)
	if got := r.lines(); !slices.Equal(got, want) {
		t.Errorf("got %d lines, want %d in order", len(got), len(want))
	}
	if n := s.Dropped(); n != 0 {
		t.Errorf("%d lines dropped", n)
	}
	s.Write([]byte("late"))
	if n := s.Dropped(); n != 1 {
		t.Errorf("%d lines dropped after Close, want 1", n)
	}
	mustClose(t, s)
}

func TestCut(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, line string
		max        int
		want       string
	}{
		{"short", "abc", 4, "abc"},
		{"exact", "abcd", 4, "abcd"},
		{"long", "abcde", 4, "abcd"},
		{"before two bytes", "abcdé", 4, "abcd"},
		{"within two bytes", "abcé", 4, "abc"},
		{"within four bytes", "a😀", 4, "a"},
		{"after four bytes", "😀a", 4, "😀"},
		{"no text", "\x80\x80\x80\x80\x80\x80", 5, "\x80\x80\x80\x80\x80"},
		{"empty", "", 4, ""},
	} {
		if got := string(cut([]byte(tt.line), tt.max)); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestWriteCutsLongLines(t *testing.T) {
	t.Parallel()
	var r recorder
	s := NewWriter(WriterConfig{Writer: &r})
	s.Write(bytes.Repeat([]byte("ä"), maxLine))
	s.Write(append([]byte("x"), bytes.Repeat([]byte("ä"), maxLine)...))
	mustClose(t, s)
	lines := r.lines()
	if len(lines) != 2 || lines[0] != strings.Repeat("ä", maxLine/2) || lines[1] != "x"+strings.Repeat("ä", maxLine/2-1) {
		t.Errorf("got %d lines, the first with %d bytes", len(lines), len(lines[0]))
	}
}

// A writer that takes nothing delays nobody: what does not fit is dropped.
func TestBlockedWriter(t *testing.T) {
	t.Parallel()
	reader, writer := io.Pipe()
	s := NewWriter(WriterConfig{Writer: writer, Buffer: 32 << 10})
	line := bytes.Repeat([]byte("x"), 127)
	slowest := time.Duration(0)
	begin := time.Now()
	for range 20000 {
		before := time.Now()
		s.Write(line)
		slowest = max(slowest, time.Since(before))
	}
	if d := time.Since(begin); d > 2*time.Second {
		t.Errorf("20000 lines took %v", d)
	}
	t.Logf("slowest of 20000 writes to a blocked pipe: %v", slowest)
	if got := s.Dropped(); got != 20000-256 {
		t.Errorf("%d lines dropped, want %d: 256 fit into the buffer", got, 20000-256)
	}
	read := make(chan int)
	go func() {
		b, _ := io.ReadAll(reader)
		read <- bytes.Count(b, newline)
	}()
	mustClose(t, s)
	writer.Close()
	if got := <-read; got != 256 {
		t.Errorf("%d lines arrived, want 256", got)
	}
}

// The batch that a blocked writer holds counts: a Sink never has more than its buffer.
func TestBufferIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		reader, writer := io.Pipe()
		s := NewWriter(WriterConfig{Writer: writer, Buffer: 10})
		for range 5 {
			for range 2 {
				s.Write([]byte("x"))
			}
			time.Sleep(time.Second)
			synctest.Wait()
		}
		if n := s.Dropped(); n != 5 {
			t.Errorf("%d of 10 lines dropped, want 5", n)
		}
		reader.Close()
		mustClose(t, s)
	})
}

func TestCloseIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		reader, writer := io.Pipe()
		s := NewWriter(WriterConfig{Writer: writer})
		s.Write([]byte("x"))
		begin := time.Now()
		if err := s.Close(); !errors.Is(err, errUnfinished) {
			t.Errorf("got %v, want %v", err, errUnfinished)
		}
		if d := time.Since(begin); d != closeTimeout {
			t.Errorf("Close took %v, want %v", d, closeTimeout)
		}
		reader.Close()
		mustClose(t, s)
		if n := s.Dropped(); n != 1 {
			t.Errorf("%d lines dropped, want 1", n)
		}
	})
}

// Lines wait 100 ms for others, long batches do not wait, and nothing happens while
// nothing comes.
func TestFlushTimes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var r recorder
		s := NewWriter(WriterConfig{Writer: &r})
		begin := time.Now()
		time.Sleep(time.Hour)
		s.Write([]byte("a"))
		time.Sleep(50 * time.Millisecond)
		s.Write([]byte("b"))
		time.Sleep(time.Hour)
		for range 1024 {
			s.Write(bytes.Repeat([]byte("c"), 63))
		}
		synctest.Wait()
		time.Sleep(time.Hour)
		var got []time.Duration
		for _, at := range r.times {
			got = append(got, at.Sub(begin))
		}
		want := []time.Duration{time.Hour + flushAfter, 2*time.Hour + 50*time.Millisecond}
		if !slices.Equal(got, want) {
			t.Errorf("written at %v, want %v", got, want)
		}
		mustClose(t, s)
	})
}

func TestReports(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var j journal
		reader, writer := io.Pipe()
		s := NewWriter(WriterConfig{Writer: writer, Name: "stdout", Buffer: 1, Log: slog.New(&j)})
		for range 25 {
			s.Write([]byte("x"))
			synctest.Wait()
			time.Sleep(990 * time.Millisecond)
		}
		reader.Close()
		mustClose(t, s)
		want := []string{
			"access log cannot keep up destination=stdout dropped=1",
			"access log cannot keep up destination=stdout dropped=10",
			"access log cannot keep up destination=stdout dropped=10",
			"access log cannot keep up destination=stdout dropped=4",
		}
		if got := j.all(); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// What a writer does not take is lost, but no line is ever torn without its end being
// visible, and later lines arrive.
func TestFailingWriter(t *testing.T) {
	t.Parallel()
	full := errors.New("disk full")
	for _, tt := range []struct {
		name    string
		first   func(b []byte) (int, error) // answer to the first write, of aa and bb
		text    string
		dropped uint64
		err     string
	}{
		{"takes all", func(b []byte) (int, error) { return len(b), nil }, "aa\nbb\ncc\n", 0, ""},
		{"takes nothing", func([]byte) (int, error) { return 0, full }, "cc\n", 2, "disk full"},
		{"takes a line", func([]byte) (int, error) { return 3, full }, "aa\ncc\n", 1, "disk full"},
		{"takes one and a half", func([]byte) (int, error) { return 4, full }, "aa\nb\ncc\n", 1, "disk full"},
		{"takes all but the newline", func([]byte) (int, error) { return 5, full }, "aa\nbb\ncc\n", 1, "disk full"},
		{"is silent about it", func([]byte) (int, error) { return 3, nil }, "aa\ncc\n", 1, "short write"},
		{"claims too much", func(b []byte) (int, error) { return len(b) + 1, nil }, "aa\nbb\ncc\n", 0, ""},
		{"claims a negative number", func([]byte) (int, error) { return -1, nil }, "cc\n", 2, "short write"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var j journal
				r := recorder{take: tt.first}
				s := NewWriter(WriterConfig{Writer: &r, Name: "w", Log: slog.New(&j)})
				s.Write([]byte("aa"))
				s.Write([]byte("bb"))
				time.Sleep(time.Second)
				synctest.Wait()
				r.take = nil
				s.Write([]byte("cc"))
				mustClose(t, s)
				if got := r.text.String(); got != tt.text {
					t.Errorf("got %q, want %q", got, tt.text)
				}
				if got := s.Dropped(); got != tt.dropped {
					t.Errorf("%d lines dropped, want %d", got, tt.dropped)
				}
				var want []string
				if tt.err != "" {
					want = []string{fmt.Sprintf("access log cannot be written destination=w dropped=%d error=%s", tt.dropped, tt.err)}
				}
				if got := j.all(); !slices.Equal(got, want) {
					t.Errorf("got %q, want %q", got, want)
				}
			})
		})
	}
}

// A log that blocks delays no Write either.
func TestBlockedLog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		reader, writer := io.Pipe()
		s := NewWriter(WriterConfig{Writer: io.Discard, Buffer: 1, Log: slog.New(slog.NewTextHandler(writer, nil))})
		begin := time.Now()
		for range 100 {
			s.Write([]byte("x"))
		}
		synctest.Wait()
		if n := s.Dropped(); n != 100 || time.Since(begin) != 0 {
			t.Errorf("%d lines dropped after %v, want 100 at once", n, time.Since(begin))
		}
		reader.Close()
		mustClose(t, s)
	})
}

func TestWriteAllocates(t *testing.T) {
	s := NewWriter(WriterConfig{Writer: io.Discard})
	defer s.Close()
	line := bytes.Repeat([]byte("x"), 200)
	for range 100000 {
		s.Write(line)
	}
	if n := testing.AllocsPerRun(1000, func() { s.Write(line) }); n != 0 {
		t.Errorf("%v allocations a line", n)
	}
}

func BenchmarkWrite(b *testing.B) {
	line := bytes.Repeat([]byte("x"), 250)
	b.Run("one", func(b *testing.B) {
		s := NewWriter(WriterConfig{Writer: io.Discard})
		b.ReportAllocs()
		for b.Loop() {
			s.Write(line)
		}
		b.ReportMetric(100*float64(s.Dropped())/float64(b.N), "%dropped")
		mustClose(b, s)
	})
	b.Run("parallel", func(b *testing.B) {
		s := NewWriter(WriterConfig{Writer: io.Discard})
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				s.Write(line)
			}
		})
		b.ReportMetric(100*float64(s.Dropped())/float64(b.N), "%dropped")
		mustClose(b, s)
	})
	b.Run("file", func(b *testing.B) {
		s, err := NewFile(FileConfig{Path: b.TempDir() + "/access.log", MaxSize: 8 << 20, MaxFiles: 2})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			s.Write(line)
		}
		b.ReportMetric(100*float64(s.Dropped())/float64(b.N), "%dropped")
		mustClose(b, s)
	})
}
