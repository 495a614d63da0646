package function

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"penstock/internal/lambda"
)

// Code that no version has any more goes: its zip at once, and the directory when no
// invocation can still run in it.
func TestRetire(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var used sync.Map // by sum
		c, err := openCodes(t.TempDir(), slog.New(slog.DiscardHandler), func(sum string) bool { _, ok := used.Load(sum); return ok })
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		names := func() string {
			entries, _ := os.ReadDir(c.dir)
			var all []string
			for _, e := range entries {
				all = append(all, strings.TrimLeft(e.Name(), "0123456789abcdef"))
			}
			slices.Sort(all)
			return strings.Join(all, " ")
		}
		put := func() (string, func()) {
			sum, release, err := c.put(zipOf("one"))
			if err != nil {
				t.Fatal(err)
			}
			return sum, release
		}
		check := func(when, want string) {
			t.Helper()
			if got := names(); got != want {
				t.Errorf("%s: got %q, want %q", when, got, want)
			}
		}

		_, release := put()
		check("while it is held", ".zip")
		release()
		check("nobody took it", "")

		sum, release := put()
		used.Store(sum, nil)
		release()
		dir, revision, err := c.source(sum).Code()
		if err != nil || revision == 0 {
			t.Fatal(err)
		}
		if text, err := os.ReadFile(filepath.Join(dir, "index.js")); string(text) != "one" {
			t.Errorf("got %q, %v", text, err)
		}
		check("unpacked", " .zip")

		used.Delete(sum)
		c.retire([]string{sum})
		check("retired", "")
		if _, err := os.Stat(dir); err != nil {
			t.Errorf("the directory is gone: %v", err)
		}
		time.Sleep(retirement / 2)
		used.Store(sum, nil) // it was uploaded again
		_, release = put()
		release()
		time.Sleep(retirement)
		check("in use again", " .zip")

		used.Delete(sum)
		c.retire([]string{sum, sum, "", "../x"})
		time.Sleep(retirement - time.Second)
		if _, err := os.Stat(dir); err != nil {
			t.Errorf("the directory is gone: %v", err)
		}
		time.Sleep(2 * time.Second)
		check("after its time", "")
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			t.Errorf("the directory is there: %v", err)
		}

		// An invocation unpacks it while its last version goes.
		if err := c.write(sum, zipOf("one")); err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.source(sum).Code(); err != nil {
			t.Error(err)
		}
		check("unpacked late", "")
		time.Sleep(retirement + time.Second)
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			t.Errorf("the directory is there: %v", err)
		}
	})
}

// Who found a function before an edit, and asks for code that never ran and is gone,
// hears that it shall look again. Code that is missing otherwise is an error.
func TestCodeThatWasReplaced(t *testing.T) {
	t.Parallel()
	s := openRegistry(t, Options{})
	s.create("pets", "one")
	before := s.runners["pets:$LATEST"].spec.Source
	s.want(200, "", "PUT", functions+"/pets/code", map[string]any{"ZipFile": zipOf("two")})
	if _, _, err := before.Code(); !errors.Is(err, lambda.ErrClosed) {
		t.Errorf("replaced: got %v", err)
	}
	if err := os.Remove(filepath.Join(s.codes.dir, s.files()[0])); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.runners["pets:$LATEST"].spec.Source.Code(); err == nil || errors.Is(err, lambda.ErrClosed) {
		t.Errorf("missing: got %v", err)
	}
}

// Code that went while it was unpacked, and came back, is unpacked twice at one time.
func TestUnpackAtOnce(t *testing.T) {
	t.Parallel()
	for range 20 {
		c, err := openCodes(t.TempDir(), slog.New(slog.DiscardHandler), func(string) bool { return true })
		if err != nil {
			t.Fatal(err)
		}
		sum, release, err := c.put(zipOf("one"))
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 4 {
			source := c.source(sum)
			delete(c.sources, sum)
			wg.Go(func() {
				if _, _, err := source.Code(); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		release()
	}
}

// Many upload the same zip and others at the same time. Whoever holds one has it.
func TestPutAtOnce(t *testing.T) {
	t.Parallel()
	c, err := openCodes(t.TempDir(), slog.New(slog.DiscardHandler), func(string) bool { return false })
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 10 {
				sum, release, err := c.put(zipOf(strings.Repeat("x", (i+j)%3)))
				if err != nil {
					t.Error(err)
					return
				}
				if _, _, err := c.source(sum).Code(); err != nil || !c.has(sum) {
					t.Errorf("who holds code does not have it: %v", err)
				}
				release()
			}
		})
	}
	wg.Wait()
	if entries, _ := filepath.Glob(filepath.Join(c.dir, "*.*")); len(entries) > 0 {
		t.Errorf("left: %q", entries)
	}
	if len(c.held) > 0 || len(c.sources) > 0 {
		t.Errorf("left: %v, %v", c.held, c.sources)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if _, _, err := c.put(zipOf("x")); err == nil {
		t.Error("closed, and takes a zip")
	}
}

func TestCodeWithoutAName(t *testing.T) {
	t.Parallel()
	c, err := openCodes(t.TempDir(), slog.New(slog.DiscardHandler), func(string) bool { return false })
	if err != nil {
		t.Fatal(err)
	}
	for _, sum := range []string{"", "..", "../x", strings.Repeat("g", 64), strings.Repeat("a", 63) + "/", strings.Repeat("a", 60) + ".zip"} {
		if dir, _, err := c.source(sum).Code(); err == nil {
			t.Errorf("%q: got %s", sum, dir)
		}
	}
}

// Zips that strangers made are refused before anything is kept.
func TestHostileZips(t *testing.T) {
	t.Parallel()
	s := openRegistry(t, Options{})
	make := func(add func(w *zip.Writer) error) []byte {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		if err := add(w); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	named := func(names ...string) []byte {
		return make(func(w *zip.Writer) error {
			for _, name := range names {
				if _, err := w.Create(name); err != nil {
					return err
				}
			}
			return nil
		})
	}
	good := zipOf("one")
	for name, text := range map[string][]byte{
		"above":           named("../x"),
		"absolute":        named("/x"),
		"backslashes":     named(`..\x`),
		"twice":           named("a", "a"),
		"in a file":       named("a", "a/b"),
		"null":            named("a\x00b"),
		"cut short":       good[:len(good)-10],
		"only the end":    good[len(good)-22:],
		"a link out":      make(func(w *zip.Writer) error { return link(w, "x", "../../etc/passwd") }),
		"an absolute one": make(func(w *zip.Writer) error { return link(w, "x", "/etc/passwd") }),
		"a bomb": make(func(w *zip.Writer) error {
			w.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) { return flate.NewWriter(out, flate.BestSpeed) })
			f, err := w.Create("x")
			if err == nil {
				_, err = io.CopyN(f, zeros{}, 17<<20)
			}
			return err
		}),
	} {
		w := s.do("POST", functions, with(creation("pets", ""), "Code", map[string]any{"ZipFile": text}))
		if w.Code != 400 || !strings.Contains(w.Body.String(), "Could not unzip uploaded file. Please check your file, then try to upload again.") {
			t.Errorf("%s: got %d %s", name, w.Code, w.Body)
		}
	}
	s.want(400, "Uploaded file must be a non-empty zip", "POST", functions, with(creation("pets", ""), "Code", map[string]any{"ZipFile": named()}))
	if files := s.files(); len(files) > 0 {
		t.Errorf("left: %q", files)
	}
}

func link(w *zip.Writer, name, target string) error {
	h := &zip.FileHeader{Name: name}
	h.SetMode(os.ModeSymlink | 0o777)
	f, err := w.CreateHeader(h)
	if err == nil {
		_, err = io.WriteString(f, target)
	}
	return err
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
