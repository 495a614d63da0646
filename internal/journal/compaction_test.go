package journal

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// Whatever happens while the file is written anew is in the new file.
func TestCompactionAmidTraffic(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "connections")
	j, _ := mustOpen(t, path, Options{Waste: 8 << 10})
	const writers, each, stay = 4, 3000, 20
	models := make([]map[string]bool, writers)
	var wg sync.WaitGroup
	for w := range writers {
		models[w] = make(map[string]bool)
		wg.Go(func() {
			for i := range each {
				id := fmt.Sprintf("%d.%d", w, i)
				if err := j.Add(testEntry(id)); err != nil {
					t.Error(err)
				}
				models[w][id] = true
				// One of a hundred is open for ever, the others for some time.
				if i < stay || (i-stay)%100 == 0 {
					continue
				}
				id = fmt.Sprintf("%d.%d", w, i-stay)
				if err := j.Remove(id); err != nil {
					t.Error(err)
				}
				delete(models[w], id)
			}
		})
	}
	wg.Wait()
	j.compaction.Wait()
	first, err := os.Stat(path)
	must(t, err)
	must(t, j.rewrite())
	must(t, j.Close())
	_, open := mustOpen(t, path, Options{})
	var want []string
	for _, m := range models {
		for id := range m {
			want = append(want, id)
		}
	}
	slices.Sort(want)
	if got := sortedIDs(open); !slices.Equal(got, want) {
		t.Errorf("got %d entries, want %d: %v, %v", len(got), len(want), got, want)
	}
	for _, e := range open {
		if want := testEntry(e.ID); !reflect.DeepEqual(&e, want) {
			t.Fatalf("got %+v, want %+v", &e, want)
		}
	}
	// Without compaction there would be 2 MB.
	if first.Size() > 200<<10 {
		t.Errorf("the file has grown to %d bytes", first.Size())
	}
}

// A file in which connections only come is not written anew, as nothing would be gained,
// nor is one whose waste is little.
func TestCompactionIsWorthIt(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		add       int
		remove    int
		compacted bool
	}{
		{"all are open", 1000, 0, false},
		{"a third has ended", 1000, 300, false},
		{"most have ended", 1000, 800, true},
		{"most of a few have ended", 10, 9, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "connections")
			j, _ := mustOpen(t, path, Options{Waste: 4 << 10})
			// The file stays open, so that no other gets its number.
			file, err := os.Open(path)
			must(t, err)
			defer file.Close()
			before, err := file.Stat()
			must(t, err)
			for i := range tt.add {
				must(t, j.Add(testEntry(strconv.Itoa(i))))
			}
			for i := range tt.remove {
				must(t, j.Remove(strconv.Itoa(i)))
			}
			j.compaction.Wait()
			after, err := os.Stat(path)
			must(t, err)
			if got := !os.SameFile(before, after); got != tt.compacted {
				t.Errorf("written anew: %v, size %d", got, after.Size())
			}
			must(t, j.Close())
		})
	}
}

// The estimates are exact after a compaction, even if they were wrong before: here the
// connections that end are far longer than the others, and some end twice.
func TestCompactionCorrectsEstimates(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "connections")
	j, _ := mustOpen(t, path, Options{})
	var live int64
	for i := range 100 {
		e := testEntry(strconv.Itoa(i))
		if i%2 == 0 {
			e.Extra = make([]byte, 4000)
		} else {
			live += int64(len(appendOpened(nil, j.marker, e)))
		}
		must(t, j.Add(e))
	}
	for i := range 100 {
		must(t, j.Remove(strconv.Itoa(i&^1)))
	}
	must(t, j.rewrite())
	if j.live != 50 || j.dead != 0 || j.size != headerSize+live {
		t.Errorf("got %d live, %d dead, size %d, want size %d", j.live, j.dead, j.size, headerSize+live)
	}
	must(t, j.Close())
}

// As long as the new file cannot be made the old one serves; when it can, it is.
func TestCompactionFails(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "connections")
	var log buffer
	j, _ := mustOpen(t, path, Options{Waste: 1 << 10, Logger: log.logger()})
	must(t, os.Mkdir(path+".new", 0o700))
	must(t, j.Add(testEntry("stays")))
	next := 0
	churn := func(n int) int64 {
		for range n {
			id := strconv.Itoa(next)
			next++
			must(t, j.Add(testEntry(id)))
			must(t, j.Remove(id))
		}
		j.compaction.Wait()
		info, err := os.Stat(path)
		must(t, err)
		return info.Size()
	}
	if size := churn(400); size < 40<<10 {
		t.Errorf("got size %d while nothing can be compacted", size)
	}
	if !strings.Contains(log.String(), "compact the journal") {
		t.Errorf("got log %q", log.String())
	}
	if n := strings.Count(log.String(), "\n"); n > 100 {
		t.Errorf("tried %d times", n)
	}
	must(t, j.Close())
	j, open := mustOpen(t, path, Options{Waste: 1 << 10, Logger: log.logger()})
	if got := ids(open); got != "stays" {
		t.Errorf("got %q", got)
	}
	must(t, os.Remove(path+".new"))
	if size := churn(400); size > 10<<10 {
		t.Errorf("got size %d", size)
	}
	must(t, j.Close())
	if _, open = mustOpen(t, path, Options{}); ids(open) != "stays" {
		t.Errorf("got %q", ids(open))
	}
}

// What a compaction has left behind that had no end does no harm.
func TestLeftover(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "connections")
	j, _ := mustOpen(t, path, Options{})
	must(t, j.Add(testEntry("a")))
	must(t, os.WriteFile(path+".new", []byte(strings.Repeat("x", 1<<16)), 0o600))
	must(t, j.rewrite())
	must(t, j.Close())
	if _, open := mustOpen(t, path, Options{}); ids(open) != "a" {
		t.Errorf("got %q", ids(open))
	}
	if _, err := os.Stat(path + ".new"); !os.IsNotExist(err) {
		t.Errorf("got %v", err)
	}
}
