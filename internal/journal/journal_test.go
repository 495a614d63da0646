package journal

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestJournal(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		// do has "+id" for Add, "-id" for Remove, and "/" for another start.
		do   string
		want string
	}{
		{"nothing", "", ""},
		{"nothing twice", "/", ""},
		{"one is open", "+a", "a"},
		{"the order is that of Add", "+c +a +b", "c a b"},
		{"one has ended", "+a +b -a", "b"},
		{"all have ended", "+a +b -a -b", ""},
		{"one ends twice", "+a +b -a -a", "b"},
		{"a stranger ends", "+a -z", "a"},
		{"an end before the beginning", "-a +a", "a"},
		{"added once more", "+a +b +a", "b a"},
		{"added once more after its end", "+a +b -a +a", "b a"},
		{"open over two starts", "+a / +b /", "a b"},
		{"ends after a start", "+a +b / -a", "b"},
		{"ends after a start, and another start", "+a +b / -a /", "b"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "connections")
			j, _ := mustOpen(t, path, Options{})
			for _, op := range strings.Fields(tt.do) {
				switch id := op[1:]; op[0] {
				case '+':
					must(t, j.Add(testEntry(id)))
				case '-':
					must(t, j.Remove(id))
				default:
					must(t, j.Close())
					j, _ = mustOpen(t, path, Options{})
				}
			}
			must(t, j.Close())
			_, open := mustOpen(t, path, Options{})
			if got := ids(open); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			for _, e := range open {
				if want := testEntry(e.ID); !reflect.DeepEqual(&e, want) {
					t.Errorf("got %+v, want %+v", &e, want)
				}
			}
		})
	}
}

func TestEntry(t *testing.T) {
	t.Parallel()
	long := func(n int) string { return strings.Repeat("x", n) }
	for _, tt := range []struct {
		name string
		e    Entry
		// want is what comes back, if it is something else.
		want *Entry
		err  string
	}{
		{name: "only an ID", e: Entry{ID: "a"}},
		{name: "all", e: *testEntry("a")},
		{name: "as long as it may be", e: Entry{ID: long(255), API: long(255), Stage: long(255), SourceIP: long(255), DomainName: long(1024), UserAgent: long(1024), Extra: []byte(long(61440))}},
		{name: "not UTF-8", e: Entry{ID: "\xff\x00", UserAgent: "\xc3", Extra: []byte{0, 255}}},
		{name: "long texts of strangers", e: Entry{ID: "a", DomainName: long(8192), UserAgent: long(1025)}, want: &Entry{ID: "a", DomainName: long(1024), UserAgent: long(1024)}},
		{name: "a character at the cut", e: Entry{ID: "a", UserAgent: long(1022) + "€"}, want: &Entry{ID: "a", UserAgent: long(1022)}},
		{name: "bytes at the cut", e: Entry{ID: "a", UserAgent: strings.Repeat("\x80", 2000)}, want: &Entry{ID: "a", UserAgent: strings.Repeat("\x80", 1020)}},
		{name: "empty extra", e: Entry{ID: "a", Extra: []byte{}}, want: &Entry{ID: "a"}},
		{name: "time of another place", e: Entry{ID: "a", ConnectedAt: time.Date(2024, 2, 19, 8, 11, 42, 105_000_999, time.FixedZone("", 3600))}, want: &Entry{ID: "a", ConnectedAt: time.Date(2024, 2, 19, 7, 11, 42, 105_000_000, time.UTC)}},
		{name: "no ID", err: "add a connection to the journal: there is no ID"},
		{name: "long ID", e: Entry{ID: long(256)}, err: "add a connection to the journal: ID: 256 bytes are more than 255"},
		{name: "long API", e: Entry{ID: "a", API: long(256)}, err: "add a connection to the journal: API: 256 bytes are more than 255"},
		{name: "long stage", e: Entry{ID: "a", Stage: long(300)}, err: "add a connection to the journal: stage: 300 bytes are more than 255"},
		{name: "long source IP", e: Entry{ID: "a", SourceIP: long(256)}, err: "add a connection to the journal: source IP: 256 bytes are more than 255"},
		{name: "long extra", e: Entry{ID: "a", Extra: make([]byte, 61441)}, err: "add a connection to the journal: extra: 61441 bytes are more than 61440"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "connections")
			j, _ := mustOpen(t, path, Options{})
			err := j.Add(&tt.e)
			if got := fmt.Sprint(err); err != nil && got != tt.err || err == nil && tt.err != "" {
				t.Fatalf("got error %q, want %q", got, tt.err)
			}
			must(t, j.Add(&Entry{ID: "behind"}))
			must(t, j.Close())
			want := []Entry{{ID: "behind"}}
			if tt.want == nil {
				tt.want = &tt.e
			}
			if tt.err == "" {
				want = []Entry{*tt.want, want[0]}
			}
			if _, open := mustOpen(t, path, Options{}); !reflect.DeepEqual(open, want) {
				t.Errorf("got %+v, want %+v", open, want)
			}
		})
	}
}

func TestRemoveRefuses(t *testing.T) {
	t.Parallel()
	j, _ := mustOpen(t, filepath.Join(t.TempDir(), "connections"), Options{})
	for _, id := range []string{"", strings.Repeat("x", 256)} {
		if j.Remove(id) == nil {
			t.Errorf("removed %q", id)
		}
	}
	must(t, j.Close())
}

func TestNilJournal(t *testing.T) {
	t.Parallel()
	var j *Journal
	must(t, j.Add(testEntry("a")))
	must(t, j.Remove("a"))
	must(t, j.Close())
}

func TestClosedJournal(t *testing.T) {
	t.Parallel()
	j, _ := mustOpen(t, filepath.Join(t.TempDir(), "connections"), Options{})
	must(t, j.Close())
	must(t, j.Close())
	if err := j.Add(testEntry("a")); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Add: got %v", err)
	}
	if err := j.Remove("a"); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Remove: got %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for _, path := range []string{filepath.Join(t.TempDir(), "missing", "connections"), t.TempDir()} {
		if j, _, err := Open(path, Options{}); err == nil {
			t.Errorf("opened %s", path)
			must(t, j.Close())
		}
	}
}

func TestMode(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "connections")
	mode := func(when string) {
		t.Helper()
		info, err := os.Stat(path)
		must(t, err)
		if got := info.Mode(); got != 0o600 {
			t.Errorf("%s: got mode %v", when, got)
		}
	}
	j, _ := mustOpen(t, path, Options{})
	mode("new")
	must(t, j.Add(testEntry("a")))
	must(t, j.Close())
	must(t, os.Chmod(path, 0o644))
	j, _ = mustOpen(t, path, Options{})
	mode("opened")
	must(t, j.rewrite())
	mode("written anew")
	must(t, j.Close())
}

// Neither a connection that comes nor one that goes leaves anything in memory.
func TestAllocations(t *testing.T) {
	j, _ := mustOpen(t, filepath.Join(t.TempDir(), "connections"), Options{})
	e := testEntry("a")
	if n := testing.AllocsPerRun(100, func() { must(t, j.Add(e)) }); n != 0 {
		t.Errorf("Add: got %v allocations", n)
	}
	if n := testing.AllocsPerRun(100, func() { must(t, j.Remove("a")) }); n != 0 {
		t.Errorf("Remove: got %v allocations", n)
	}
	must(t, j.Close())
}

// mustOpen opens a journal and has it closed in the end.
func mustOpen(t testing.TB, path string, o Options) (*Journal, []Entry) {
	t.Helper()
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	j, open, err := Open(path, o)
	must(t, err)
	t.Cleanup(func() { j.Close() })
	return j, open
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// testEntry returns an entry that is different for each ID, and not always equally long.
func testEntry(id string) *Entry {
	return &Entry{
		ID: id, API: "abc123", Stage: "dev", DomainName: "abc123.execute-api.us-east-1.amazonaws.com",
		ConnectedAt: time.UnixMilli(1708326702105).UTC(), SourceIP: "192.0.2.7",
		UserAgent: strings.Repeat("ua/"+id+" ", 1+len(id)%5), Extra: []byte(`{"principalId":"` + id + `"}`),
	}
}

func ids(entries []Entry) string {
	var all []string
	for _, e := range entries {
		all = append(all, e.ID)
	}
	return strings.Join(all, " ")
}

// sortedIDs returns the IDs of entries without their order.
func sortedIDs(entries []Entry) []string {
	all := strings.Fields(ids(entries))
	slices.Sort(all)
	return all
}

// A buffer is a log that several goroutines may write. The handlers of slog write one line
// at a time; a test reads when they have written.
type buffer struct{ bytes.Buffer }

func (b *buffer) logger() *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }
