package source

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A member is an entry of an archive of these tests.
type member struct {
	name, contents string
	mode           fs.FileMode // 0: the archive was made on Windows and has no modes
}

const (
	regular = 0o644
	symlink = fs.ModeSymlink | 0o777
)

// archiveOf returns a zip of members, which zip.Writer writes as they are told.
func archiveOf(t testing.TB, members ...member) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, m := range members {
		h := &zip.FileHeader{Name: m.name, Method: zip.Deflate}
		if m.mode != 0 {
			h.SetMode(m.mode)
		}
		f, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, m.contents); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Where members of the header of an entry are in the directory of an archive.
const (
	atFlags  = 8
	atMethod = 10
	atSum    = 16
	atPacked = 20
	atLength = 24
	atStart  = 42
	atName   = 46
)

// header returns where the header of an entry is in the directory of an archive.
func header(t testing.TB, b []byte, name string) int {
	t.Helper()
	for i := len(b); ; {
		if i = bytes.LastIndex(b[:i], []byte("PK\x01\x02")); i < 0 {
			t.Fatalf("no entry %q", name)
		}
		if bytes.HasPrefix(b[i+atName:], []byte(name)) {
			return i
		}
	}
}

// with returns an archive with another number in the header of an entry.
func with(t testing.TB, b []byte, name string, at int, n uint32) []byte {
	b = bytes.Clone(b)
	p := b[header(t, b, name)+at:]
	if at == atFlags || at == atMethod {
		binary.LittleEndian.PutUint16(p, uint16(n))
	} else {
		binary.LittleEndian.PutUint32(p, n)
	}
	return b
}

// tree returns what is in a directory: the contents of files, the targets of links, and
// the modes. It follows no link.
func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == dir {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		short, _ := filepath.Rel(dir, name)
		switch info.Mode().Type() {
		case fs.ModeDir:
			found[short+"/"] = fmt.Sprintf("%o", info.Mode().Perm())
		case fs.ModeSymlink:
			target, err := os.Readlink(name)
			found[short] = "-> " + target
			return err
		case 0:
			b, err := os.ReadFile(name)
			found[short] = fmt.Sprintf("%o %s", info.Mode()&^fs.ModeType, b)
			return err
		default:
			t.Errorf("%s is %v", name, info.Mode())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestExtract(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		archive []byte
		want    map[string]string
	}{
		{"nothing", archiveOf(t), map[string]string{}},
		{"files", archiveOf(t, member{"index.js", "a", regular}, member{"lib/x/y.js", "b", regular}),
			map[string]string{"index.js": "644 a", "lib/": "755", "lib/x/": "755", "lib/x/y.js": "644 b"}},
		{"directories, once or twice, empty or not", archiveOf(t, member{"a/", "", fs.ModeDir | 0o700}, member{"a/b", "x", regular}, member{"c/", "", 0}, member{"c/", "", 0}),
			map[string]string{"a/": "755", "a/b": "644 x", "c/": "755"}},
		{"a directory without a slash", archiveOf(t, member{"a", "", fs.ModeDir | 0o700}), map[string]string{"a/": "755"}},
		{"a directory after what is in it", archiveOf(t, member{"a/b", "x", regular}, member{"a/", "", fs.ModeDir | 0o700}),
			map[string]string{"a/": "755", "a/b": "644 x"}},
		{"from here", archiveOf(t, member{"./", "", fs.ModeDir | 0o755}, member{"./index.js", "a", regular}), map[string]string{"index.js": "644 a"}},
		{"an empty file", archiveOf(t, member{"a", "", regular}), map[string]string{"a": "644 "}},
		{"modes", archiveOf(t, member{"bootstrap", "a", 0o755}, member{"b", "b", 0o600}, member{"c", "c", 0o010 | 0o600}, member{"d", "d", 0o666}),
			map[string]string{"bootstrap": "755 a", "b": "644 b", "c": "755 c", "d": "644 d"}},
		{"modes without bits of power", archiveOf(t, member{"a", "a", fs.ModeSetuid | 0o755}, member{"b", "b", fs.ModeSetgid | fs.ModeSticky | 0o777}),
			map[string]string{"a": "755 a", "b": "755 b"}},
		{"bootstrap without a mode", archiveOf(t, member{"bootstrap", "a", 0}, member{"lib/bootstrap", "a", 0}, member{"c", "c", 0}),
			map[string]string{"bootstrap": "755 a", "lib/": "755", "lib/bootstrap": "644 a", "c": "644 c"}},
		{"bootstrap with a mode", archiveOf(t, member{"bootstrap", "a", regular}), map[string]string{"bootstrap": "644 a"}},
		{"names that look dangerous", archiveOf(t, member{"..a", "a", regular}, member{"a..", "b", regular}, member{"...", "c", regular}, member{"ä ö\n", "d", regular}, member{"-rf", "e", regular}),
			map[string]string{"..a": "644 a", "a..": "644 b", "...": "644 c", "ä ö\n": "644 d", "-rf": "644 e"}},
		{"links", archiveOf(t, member{"node_modules/.bin/tsc", "../typescript/bin/tsc", symlink}, member{"node_modules/typescript/bin/tsc", "x", 0o755},
			member{"here", ".", symlink}, member{"a/up", "..", symlink}, member{"later", "not/yet", symlink}, member{"a/round", "up/a/round2", symlink}, member{"a/round2", "../here/a", symlink}),
			map[string]string{"node_modules/": "755", "node_modules/.bin/": "755", "node_modules/.bin/tsc": "-> ../typescript/bin/tsc", "node_modules/typescript/": "755",
				"node_modules/typescript/bin/": "755", "node_modules/typescript/bin/tsc": "755 x", "here": "-> .", "a/": "755", "a/up": "-> ..", "later": "-> not/yet",
				"a/round": "-> up/a/round2", "a/round2": "-> ../here/a"}},
		{"a link of Windows is a file", archiveOf(t, member{"a", "/etc/passwd", 0}), map[string]string{"a": "644 /etc/passwd"}},
		{"behind another program", append([]byte("#!/bin/sh\nexec unzip $0\n"), archiveOf(t, member{"a", "a", regular})...), map[string]string{"a": "644 a"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if err := Check(bytes.NewReader(tt.archive), int64(len(tt.archive)), Limits{}); err != nil {
				t.Errorf("Check: %v", err)
			}
			parent := t.TempDir()
			dir := filepath.Join(parent, "code")
			if err := Extract(bytes.NewReader(tt.archive), int64(len(tt.archive)), dir, Limits{}); err != nil {
				t.Fatal(err)
			}
			if got := tree(t, dir); !maps.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
			if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o755 {
				t.Errorf("the directory has mode %v, %v", info.Mode(), err)
			}
			if entries, _ := os.ReadDir(parent); len(entries) != 1 {
				t.Errorf("left beside the directory: %v", entries)
			}
		})
	}
}

func TestExtractRefuses(t *testing.T) {
	t.Parallel()
	one := func(name string, mode fs.FileMode) []byte { return archiveOf(t, member{name, "x", mode}) }
	two := archiveOf(t, member{"a", strings.Repeat("abc", 100), regular}, member{"b", "y", regular})
	stored := func() []byte {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		f, _ := w.CreateHeader(&zip.FileHeader{Name: "a", Method: zip.Store})
		_, _ = io.WriteString(f, "contents that stand here as they are")
		_ = w.Close()
		return b.Bytes()
	}()
	var many, links []member
	for i := range 5000 {
		many = append(many, member{fmt.Sprint(i), "", regular})
	}
	// Each link leads twice through the one before: 2^30 steps if followed without end.
	links = append(links, member{"l0", ".", symlink})
	for i := 1; i <= 30; i++ {
		links = append(links, member{fmt.Sprint("l", i), fmt.Sprintf("l%d/l%d", i-1, i-1), symlink})
	}
	small := Limits{Entries: 100, Bytes: 1000, Path: 20}
	for _, tt := range []struct {
		name    string
		archive []byte
		limits  Limits
		entry   string
		reason  string
	}{
		{"no archive", []byte("hello"), Limits{}, "", "is not a zip archive"},
		{"an empty file", nil, Limits{}, "", "is not a zip archive"},
		{"the first half", two[:len(two)/2], Limits{}, "", "is not a zip archive"},
		{"all but a byte", two[:len(two)-1], Limits{}, "", "is not a zip archive"},
		{"no name", one("", regular), Limits{}, "", "has no name"},
		{"upwards", one("../evil", regular), Limits{}, "../evil", `has ".."`},
		{"upwards later", one("a/../../evil", regular), Limits{}, "a/../../evil", `has ".."`},
		{"upwards at the end", one("a/..", regular), Limits{}, "a/..", `has ".."`},
		{"only upwards", archiveOf(t, member{"../", "", fs.ModeDir | 0o755}), Limits{}, "../", `has ".."`},
		{"a dot inside", one("a/./b", regular), Limits{}, "a/./b", `has ".."`},
		{"nothing between slashes", one("a//b", regular), Limits{}, "a//b", `has ".."`},
		{"two slashes at the end", archiveOf(t, member{"a//", "", 0}), Limits{}, "a//", `has ".."`},
		{"a dot as a file", one(".", regular), Limits{}, ".", `has ".."`},
		{"absolute", one("/etc/passwd", regular), Limits{}, "/etc/passwd", "has an absolute name"},
		{"absolute after a dot", one(".//etc/passwd", regular), Limits{}, ".//etc/passwd", `has ".."`},
		{"backslash", one(`..\evil`, regular), Limits{}, `..\evil`, "has a NUL or a backslash"},
		{"NUL", one("a\x00b", regular), Limits{}, "a\x00b", "has a NUL or a backslash"},
		{"not UTF-8", one("a\xff", regular), Limits{}, "a\xff", "not UTF-8"},
		{"a long name", one(strings.Repeat("a/", 600)+"b", 0), Limits{}, strings.Repeat("a/", 600) + "b", "more than 1024 bytes"},
		{"a long part of a name", one(strings.Repeat("a", 256), regular), Limits{}, strings.Repeat("a", 256), "more than 255 bytes"},
		{"a name twice", archiveOf(t, member{"a", "x", regular}, member{"a", "y", regular}), Limits{}, "a", "stands there twice"},
		{"a name twice, written in two ways", archiveOf(t, member{"a", "x", regular}, member{"./a", "y", regular}), Limits{}, "./a", "stands there twice"},
		{"a file and a directory", archiveOf(t, member{"a", "x", regular}, member{"a/", "", 0}), Limits{}, "a/", "is two things"},
		{"a file in a file", archiveOf(t, member{"a", "x", regular}, member{"a/b", "", regular}), Limits{}, "a/b", `is inside of "a"`},
		{"a directory that turns out to be a file", archiveOf(t, member{"a/b", "x", regular}, member{"a", "", regular}), Limits{}, "a", "is two things"},
		{"a device", one("a", fs.ModeDevice|0o644), Limits{}, "a", "is neither"},
		{"a character device", one("a", fs.ModeDevice|fs.ModeCharDevice|0o644), Limits{}, "a", "is neither"},
		{"a pipe", one("a", fs.ModeNamedPipe|0o644), Limits{}, "a", "is neither"},
		{"a socket", one("a", fs.ModeSocket|0o644), Limits{}, "a", "is neither"},
		{"a link with a slash", archiveOf(t, member{"a/", "", symlink}), Limits{}, "a/", "is neither"},
		{"a directory with contents", with(t, archiveOf(t, member{"a/", "", 0}), "a/", atLength, 9), Limits{}, "a/", "is a directory and has contents"},
		{"encrypted", with(t, one("a", regular), "a", atFlags, 9), Limits{}, "a", "is encrypted"},
		{"another compression", with(t, one("a", regular), "a", atMethod, 12), Limits{}, "a", "method 12"},

		{"a link that leads outside", archiveOf(t, member{"a", "..", symlink}), Limits{}, "a", "leads outside"},
		{"a link that leads outside and back", archiveOf(t, member{"a/b", "../../code/x", symlink}), Limits{}, "a/b", "leads outside"},
		{"an absolute link", archiveOf(t, member{"a", "/etc/passwd", symlink}), Limits{}, "a", "is absolute"},
		{"a link to nothing", archiveOf(t, member{"a", "", symlink}), Limits{}, "a", "is empty"},
		{"a link with a backslash", archiveOf(t, member{"a", `..\x`, symlink}), Limits{}, "a", "is no path"},
		{"a link with a NUL", archiveOf(t, member{"a", "x\x00", symlink}), Limits{}, "a", "is no path"},
		{"a link with a long target", archiveOf(t, member{"a", strings.Repeat("x", 1025), symlink}), Limits{}, "a", "more than 1024 bytes"},
		{"a link outside by way of another one", archiveOf(t, member{"d/e/up", "../..", symlink}, member{"out", "d/e/up/../x", symlink}), Limits{}, "out", "leads outside"},
		{"a link outside by way of a later one", archiveOf(t, member{"out", "d/x", symlink}, member{"d", "a/b/..", symlink}, member{"a/b", "../..", symlink}), Limits{}, "", "leads outside"},
		{"a link to itself", archiveOf(t, member{"a", "a", symlink}), Limits{}, "a", "too many links"},
		{"links in a circle", archiveOf(t, member{"a", "b/x", symlink}, member{"b", "a/y", symlink}), Limits{}, "", "too many links"},
		{"links that double", archiveOf(t, links...), Limits{}, "", "too many links"},
		{"a file through a link", archiveOf(t, member{"a", "b", symlink}, member{"b/", "", 0}, member{"a/x", "x", regular}), Limits{}, "a/x", `is inside of "a"`},
		{"a link instead of a directory", archiveOf(t, member{"a/x", "x", regular}, member{"a", "b", symlink}), Limits{}, "a", "is two things"},
		{"a link twice", archiveOf(t, member{"a", "b", symlink}, member{"a", "..", symlink}), Limits{}, "a", "stands there twice"},
		{"a link over a file", archiveOf(t, member{"a", "b", regular}, member{"a", "..", symlink}), Limits{}, "a", "is two things"},

		{"too many entries", archiveOf(t, many[:101]...), small, "", "more than 100 entries"},
		{"far too many entries", archiveOf(t, many...), small, "", "more than 100 entries"},
		{"another number of entries", func() []byte {
			b := bytes.Clone(two)
			binary.LittleEndian.PutUint16(b[len(b)-12:], 77)
			return b
		}(), Limits{}, "", "is not a zip archive"},
		{"too many bytes", archiveOf(t, member{"a", strings.Repeat("x", 1001), regular}), small, "", "more than 1000 bytes"},
		{"too many bytes together", archiveOf(t, member{"a", strings.Repeat("x", 600), regular}, member{"b", strings.Repeat("x", 600), regular}), small, "", "more than 1000 bytes"},
		{"lengths that overflow together", with(t, with(t, two, "a", atLength, 1<<32-2), "b", atLength, 1<<32-2), Limits{Bytes: 1<<33 - 5}, "", "more than 8589934587 bytes"},
		{"a ratio", archiveOf(t, member{"a", strings.Repeat("x", 20<<20), regular}), Limits{}, "", "more than 200 times"},
		{"longer than it says", with(t, two, "a", atLength, 100), Limits{}, "a", "is damaged"},
		{"shorter than it says", with(t, two, "a", atLength, 400), Limits{}, "a", "is damaged"},
		{"packed longer than the archive", with(t, two, "a", atPacked, 1<<30), Limits{}, "a", "is cut short"},
		{"packed shorter than it is", with(t, stored, "a", atPacked, 9), Limits{}, "a", "is damaged"},
		{"another checksum", with(t, two, "b", atSum, 12345), Limits{}, "b", "checksum"},
		{"no checksum", with(t, with(t, two, "b", atSum, 0), "b", atFlags, 0), Limits{}, "b", "checksum"},
		{"other contents", bytes.Replace(stored, []byte("stand here"), []byte("stood here"), 1), Limits{}, "a", "checksum"},
		{"an entry outside of the archive", with(t, two, "b", atStart, 1<<30), Limits{}, "b", "cannot be read"},
		{"two entries of the same bytes", with(t, two, "b", atStart, 0), Limits{}, "", "overlaps with"},
		{"an entry inside of another one", func() []byte {
			inner := archiveOf(t, member{"b", "inner", regular})
			var b bytes.Buffer
			w := zip.NewWriter(&b)
			f, _ := w.CreateHeader(&zip.FileHeader{Name: "a", Method: zip.Store})
			_, _ = f.Write(inner)
			f, _ = w.CreateHeader(&zip.FileHeader{Name: "b", Method: zip.Deflate})
			_, _ = io.WriteString(f, "inner")
			_ = w.Close()
			return with(t, b.Bytes(), "b", atStart, uint32(bytes.Index(b.Bytes(), inner)))
		}(), Limits{}, "b", "overlaps with"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			parent := t.TempDir()
			dir := filepath.Join(parent, "in", "code")
			if err := os.Mkdir(filepath.Dir(dir), 0o755); err != nil {
				t.Fatal(err)
			}
			r, size := bytes.NewReader(tt.archive), int64(len(tt.archive))
			checked, extracted := Check(r, size, tt.limits), Extract(r, size, dir, tt.limits)
			for _, err := range []error{checked, extracted} {
				bad, ok := err.(*ArchiveError)
				if !ok {
					t.Fatalf("got %v, want an *ArchiveError", err)
				}
				if tt.entry != "" && bad.Entry != tt.entry || !strings.Contains(bad.Reason, tt.reason) {
					t.Errorf("got %v\nwant %q: ...%s...", bad, tt.entry, tt.reason)
				}
			}
			if got := tree(t, parent); len(got) != 1 {
				t.Errorf("left behind: %q", got)
			}
		})
	}
}

// Where something is already, nothing is extracted, and it stays as it is.
func TestExtractOverSomething(t *testing.T) {
	t.Parallel()
	b := archiveOf(t, member{"a", "new", regular})
	dir := filepath.Join(t.TempDir(), "code")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := Extract(bytes.NewReader(b), int64(len(b)), dir, Limits{}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over an empty directory: got %v", err)
	}
	if err := Extract(bytes.NewReader(b), int64(len(b)), filepath.Join(dir, "none", "code"), Limits{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a parent: got %v", err)
	}
	if got := tree(t, filepath.Dir(dir)); len(got) != 1 {
		t.Errorf("found %q", got)
	}
}

// An archive that cannot be read to its end, or written, leaves nothing behind.
func TestExtractFails(t *testing.T) {
	t.Parallel()
	noise := strings.Repeat("0123456789abcdefghijklmnopqrstuvwxyz", 10)
	b := archiveOf(t, member{"a", "first", regular}, member{"b", noise, regular})
	broken := errors.New("the disk is broken")
	start := int64(bytes.LastIndex(b, []byte("PK\x03\x04"))) + 31
	parent := t.TempDir()
	err := Extract(readerAt(func(p []byte, off int64) (int, error) {
		if off == start && len(p) > 26 { // the contents of b
			return 0, broken
		}
		return bytes.NewReader(b).ReadAt(p, off)
	}), int64(len(b)), filepath.Join(parent, "code"), Limits{})
	bad, ok := errors.AsType[*ArchiveError](err)
	if !ok || bad.Entry != "b" || !strings.Contains(bad.Reason, broken.Error()) {
		t.Errorf("got %v", err)
	}
	if got := tree(t, parent); len(got) != 0 {
		t.Errorf("left behind: %q", got)
	}
}

type readerAt func(p []byte, off int64) (int, error)

func (r readerAt) ReadAt(p []byte, off int64) (int, error) { return r(p, off) }

// Headers of entries take much memory: most of them are not read if there are too many.
func TestTooManyEntriesAreNotRead(t *testing.T) {
	t.Parallel()
	var many []member
	for i := range 10_000 {
		many = append(many, member{fmt.Sprint(i), "", regular})
	}
	b := archiveOf(t, many...)
	first := int64(header(t, b, "0"))
	var last int64
	err := Check(readerAt(func(p []byte, off int64) (int, error) {
		if off < int64(len(b))-70_000 { // not in search of the end
			last = max(last, off)
		}
		return bytes.NewReader(b).ReadAt(p, off)
	}), int64(len(b)), Limits{Entries: 100})
	if err == nil || !strings.Contains(err.Error(), "more than 100 entries") {
		t.Errorf("got %v", err)
	}
	if read, all := last-first, int64(len(b))-first; read > all/2 {
		t.Errorf("read %d of %d bytes of the directory", read, all)
	}
}

func FuzzExtract(f *testing.F) {
	f.Add(archiveOf(f, member{"a/b", "x", regular}, member{"l", "a/b", symlink}, member{"d/", "", 0}))
	f.Add(archiveOf(f, member{"../a", "x", regular}, member{"/b", "x", 0}, member{`\c`, "x", 0}))
	f.Add(archiveOf(f, member{"a", "..", symlink}, member{"a/x", "x", regular}))
	f.Add(archiveOf(f, member{"d/e/up", "../..", symlink}, member{"out", "d/e/up/../x", symlink}))
	f.Add(archiveOf(f, member{"a", "", regular}, member{"a", strings.Repeat("x", 5000), regular}))
	limits := Limits{Entries: 20, Bytes: 4000, Path: 40}
	f.Fuzz(func(t *testing.T, b []byte) {
		parent, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(parent, "outer", "code")
		if err := os.Mkdir(filepath.Dir(dir), 0o755); err != nil {
			t.Fatal(err)
		}
		checked := Check(bytes.NewReader(b), int64(len(b)), limits)
		err = Extract(bytes.NewReader(b), int64(len(b)), dir, limits)
		if (checked == nil) != (err == nil) {
			t.Errorf("Check: %v, Extract: %v", checked, err)
		}
		if err != nil {
			if _, ok := err.(*ArchiveError); !ok {
				t.Errorf("got %T %v", err, err)
			}
			if got := tree(t, parent); len(got) != 1 {
				t.Errorf("left behind: %q", got)
			}
			return
		}
		var bytes int64
		entries := 0
		_ = filepath.WalkDir(parent, func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				t.Fatal(err)
			}
			info, err := d.Info()
			if err != nil {
				t.Fatal(err)
			}
			short, _ := filepath.Rel(dir, name)
			if !filepath.IsLocal(short) && name != parent && name != filepath.Dir(dir) {
				t.Errorf("%s is outside", name)
			}
			entries++
			switch {
			case info.Mode().IsRegular():
				bytes += info.Size()
				if p := info.Mode(); p != 0o644 && p != 0o755 {
					t.Errorf("%s has mode %v", name, p)
				}
			case info.Mode()&fs.ModeSymlink != 0:
				// The kernel's opinion of where a link leads counts.
				end, err := filepath.EvalSymlinks(name)
				if err == nil && end != dir && !strings.HasPrefix(end, dir+"/") {
					t.Errorf("%s leads to %s", name, end)
				}
			case !d.IsDir():
				t.Errorf("%s is %v", name, info.Mode())
			}
			return nil
		})
		if bytes > limits.Bytes || entries > 3+2*limits.Entries {
			t.Errorf("extracted %d bytes, %d entries", bytes, entries)
		}
	})
}

func BenchmarkExtract(b *testing.B) {
	var members []member
	for i := range 2000 {
		members = append(members, member{fmt.Sprintf("node_modules/p%d/lib/f%d.js", i/20, i), strings.Repeat("module.exports = 1;\n", 50), regular})
	}
	z := archiveOf(b, members...)
	parent := b.TempDir()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		dir := filepath.Join(parent, fmt.Sprint(i))
		if err := Extract(bytes.NewReader(z), int64(len(z)), dir, Limits{}); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		_ = os.RemoveAll(dir)
		b.StartTimer()
	}
}
