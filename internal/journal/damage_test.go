package journal

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A step is one record of the journal that the tests of damage damage.
type step struct {
	op    string // as in TestJournal
	start int    // where its record begins
}

// sample returns a small journal, and its steps. Another one of no record is at the end. No
// record ends with a zero byte.
func sample() (file []byte, steps []step) {
	m := marker{0x9d, 0x31, 0xe6, 0x5b}
	file = appendHeader(nil, m)
	for op := range strings.FieldsSeq("+a +b +c -b +d -e +e -a +fg") {
		steps = append(steps, step{op, len(file)})
		if op[0] == '+' {
			e := testEntry(op[1:])
			// What looks like a record, but for the marker, is none.
			e.Extra = appendEnded(nil, marker{}, "d")
			file = appendOpened(file, m, e)
		} else {
			file = appendEnded(file, m, op[1:])
		}
	}
	return file, append(steps, step{"", len(file)})
}

// expect returns what is open after the steps for which f is true.
func expect(steps []step, f func(i int) bool) string {
	var open []string
	for i, s := range steps[:len(steps)-1] {
		if !f(i) {
			continue
		}
		open = slices.DeleteFunc(open, func(id string) bool { return id == s.op[1:] })
		if s.op[0] == '+' {
			open = append(open, s.op[1:])
		}
	}
	return strings.Join(open, " ")
}

// reopens fails unless a file opens with some entries, takes another one, and has them all
// the next time.
func reopens(t *testing.T, name string, file []byte, want string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "connections")
	must(t, os.WriteFile(path, file, 0o600))
	j, open := mustOpen(t, path, Options{})
	if got := ids(open); got != want {
		t.Errorf("%s: got %q, want %q", name, got, want)
	}
	must(t, j.Add(testEntry("new")))
	must(t, j.Close())
	j, open = mustOpen(t, path, Options{})
	if got, want := ids(open), strings.TrimSpace(want+" new"); got != want {
		t.Errorf("%s, next time: got %q, want %q", name, got, want)
	}
	must(t, j.Close())
}

// reads fails unless a file has some entries. Every so many files it is opened, too, which
// takes longer.
func reads(t *testing.T, number int, name string, file []byte, want string) {
	t.Helper()
	in := bytes.NewReader(file)
	s, err := examine(in, in.Size())
	open, _ := s.entries(in)
	if got := ids(open); err != nil || got != want {
		t.Errorf("%s: got %q, %v, want %q", name, got, err, want)
	}
	if number%29 == 0 {
		reopens(t, name, file, want)
	}
}

func TestTruncation(t *testing.T) {
	t.Parallel()
	file, steps := sample()
	for n := range len(file) + 1 {
		want := expect(steps, func(i int) bool { return steps[i+1].start <= n })
		reads(t, n, fmt.Sprintf("the first %d bytes", n), file[:n], want)
	}
	for _, s := range steps {
		for n := s.start - 1; n <= s.start+1 && n <= len(file); n++ {
			want := expect(steps, func(i int) bool { return steps[i+1].start <= n })
			reopens(t, fmt.Sprintf("the first %d bytes", n), file[:n], want)
		}
	}
}

// What is cut off may be replaced by zeros when the power fails.
func TestZeros(t *testing.T) {
	t.Parallel()
	file, steps := sample()
	for n := int(headerSize); n <= len(file); n++ {
		want := expect(steps, func(i int) bool { return steps[i+1].start <= n })
		reads(t, n, fmt.Sprintf("zeros from %d", n), append(slices.Clone(file[:n]), make([]byte, 4096)...), want)
	}
}

// One damaged byte costs one record, and none in the header.
func TestFlippedBits(t *testing.T) {
	t.Parallel()
	file, steps := sample()
	for n := range file {
		want := expect(steps, func(i int) bool { return n < steps[i].start || n >= steps[i+1].start })
		for i, bits := range []byte{1 << (n % 8), 255, file[n]} {
			if bits == 0 {
				continue
			}
			damaged := slices.Clone(file)
			damaged[n] ^= bits
			reads(t, 3*n+i, fmt.Sprintf("byte %d ^ %#x", n, bits), damaged, want)
		}
	}
}

func TestGarbage(t *testing.T) {
	t.Parallel()
	file, steps := sample()
	m := marker(file[len(magic):])
	all := expect(steps, func(int) bool { return true })
	insert := func(i int, b []byte) []byte { return slices.Insert(slices.Clone(file), steps[i].start, b...) }
	huge := append(slices.Clone(m[:]), 0xff, 0xff, 0xff, 0xff)
	long := append(slices.Clone(m[:]), 0, 0, 1, 0)
	none := append(slices.Clone(m[:]), 0, 0, 0, 0)
	for _, tt := range []struct {
		name string
		file []byte
		want string
	}{
		{"empty", nil, ""},
		{"text", []byte(strings.Repeat("hello, world\n", 1000)), ""},
		{"zeros", make([]byte, 1<<20), ""},
		{"only markers", bytes.Repeat(m[:], 1<<20), ""},
		{"markers with a length", append(appendHeader(nil, m), bytes.Repeat(long, 1<<20)...), ""},
		{"zeros first", insert(0, make([]byte, 100)), all},
		{"zeros between", insert(3, make([]byte, 1<<20)), all},
		{"half a marker between", insert(3, m[:3]), all},
		{"a marker between", insert(3, m[:]), all},
		{"a huge length between", insert(3, huge), all},
		{"a length beyond the end between", insert(3, long), all},
		{"no length between", insert(3, none), all},
		{"a marker across the read buffer", insert(3, make([]byte, int(headerSize)+readBuffer-steps[3].start-2)), all},
		{"a record of another marker", insert(8, appendEnded(nil, marker{1, 2, 3, 4}, "d")), all},
		{"a record of another kind", insert(8, finish(append(begin(nil, m, 77), "d"...), 0)), all},
		{"an ID that is too long", insert(8, finish(append(begin(nil, m, ended), 200, 'd'), 0)), all},
		{"an ID that is empty", insert(8, finish(append(begin(nil, m, opened), 0), 0)), all},
		{"a field that is new", insert(8, finish(append(appendText(begin(nil, m, ended), "d"), "new"...), 0)), strings.Replace(all, "d ", "", 1)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			reopens(t, tt.name, tt.file, tt.want)
		})
	}
}

func TestDamageIsLogged(t *testing.T) {
	t.Parallel()
	file, steps := sample()
	for _, tt := range []struct {
		name string
		file []byte
		want string
	}{
		{"none", file[:steps[3].start], ""},
		{"in the middle", append(slices.Clone(file[:steps[1].start+20]), file[steps[1].start+21:]...), "is damaged"},
		{"at the end", file[:steps[3].start-1], "is cut off"},
		{"all", []byte("?"), "is cut off"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "connections")
			must(t, os.WriteFile(path, tt.file, 0o600))
			var log buffer
			j, _ := mustOpen(t, path, Options{Logger: log.logger()})
			must(t, j.Close())
			if got := log.String(); tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// Half a record is gone once the file was opened.
func TestHalfRecordIsGone(t *testing.T) {
	t.Parallel()
	file, steps := sample()
	path := filepath.Join(t.TempDir(), "connections")
	must(t, os.WriteFile(path, file[:steps[3].start-1], 0o600))
	mustOpen(t, path, Options{})
	got, err := os.ReadFile(path)
	must(t, err)
	if !bytes.Equal(got, file[:steps[2].start]) {
		t.Errorf("got %d bytes, want %d", len(got), steps[2].start)
	}
}

// A file that is made to be searched for ever is not.
func TestReaderGivesUp(t *testing.T) {
	t.Parallel()
	m := newMarker()
	file := bytes.Repeat(append(m[:], 0, 0, 1, 0), 8*maxMisses)
	r := newReader(bytes.NewReader(file), 0, int64(len(file)), m)
	if ok, err := r.next(); ok || err != nil || r.at != 8*maxMisses {
		t.Errorf("got %v, %v at %d", ok, err, r.at)
	}
}

// FuzzReader reads files of strangers: whatever they have, it is read once and again, and a
// record behind it is found unless the file wears the reader out.
func FuzzReader(f *testing.F) {
	file, steps := sample()
	m := marker(file[len(magic):])
	f.Add(file)
	f.Add(file[:steps[3].start+9])
	f.Add(slices.Insert(slices.Clone(file), steps[2].start+5, m[:]...))
	f.Add(appendHeader(nil, m))
	f.Fuzz(func(t *testing.T, b []byte) {
		in := bytes.NewReader(b)
		s, err := examine(in, int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		if s.end > int64(len(b)) || s.damaged > s.end {
			t.Fatalf("end %d, damaged %d of %d bytes", s.end, s.damaged, len(b))
		}
		if s.end == 0 {
			return
		}
		open, _ := s.entries(in)
		if len(open) > len(s.live) {
			t.Fatalf("%d entries of %d", len(open), len(s.live))
		}
		behind := append(slices.Clone(b[:s.end]), appendEnded(nil, s.marker, "x")...)
		next := survey{marker: s.marker}
		if err := next.examine(bytes.NewReader(behind), int64(len(behind))); err != nil {
			t.Fatal(err)
		}
		if next.end != int64(len(behind)) && len(b) < maxMisses {
			t.Fatalf("read %d of %d bytes", next.end, len(behind))
		}
	})
}

// FuzzEntry parses payloads that are what was written, but written by strangers. What is
// parsed can be written, and is the same when it is parsed again.
func FuzzEntry(f *testing.F) {
	m := newMarker()
	record := appendOpened(nil, m, testEntry("a"))
	f.Add(record[recordHead : len(record)-recordTail])
	f.Add([]byte{opened, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Add([]byte{ended, 1, 'a'})
	f.Fuzz(func(t *testing.T, payload []byte) {
		if len(payload) == 0 || len(payload) > maxPayload {
			return
		}
		record := finish(append(begin(nil, m, payload[0]), payload[1:]...), 0)
		kind, id := recordID(record)
		e, err := parseOpened(record)
		if kind != opened || err != nil {
			return
		}
		if string(id) != e.ID {
			t.Fatalf("ID %q and %q", id, e.ID)
		}
		if e.check() != nil || len(e.UserAgent) > maxText || len(e.DomainName) > maxText {
			return
		}
		again, err := parseOpened(appendOpened(nil, m, &e))
		if err != nil || fmt.Sprintf("%+v", again) != fmt.Sprintf("%+v", e) {
			t.Fatalf("got %+v, %v, want %+v", again, err, e)
		}
	})
}
