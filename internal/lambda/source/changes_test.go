package source

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// changes are what happens to a project, and whether its code is another one then.
var changes = []struct {
	name  string
	make  func(t *testing.T, dir string)
	count bool
}{
	{"nothing", func(*testing.T, string) {}, false},
	{"a file is read", func(t *testing.T, dir string) {
		_, err := os.ReadFile(filepath.Join(dir, "index.js"))
		must(t, err)
	}, false},
	{"a directory is listed", func(t *testing.T, dir string) {
		_, err := os.ReadDir(filepath.Join(dir, "lib"))
		must(t, err)
	}, false},
	{"a file is opened for writing and closed", func(t *testing.T, dir string) {
		f, err := os.OpenFile(filepath.Join(dir, "index.js"), os.O_RDWR, 0)
		must(t, err)
		must(t, f.Close())
	}, false},
	{"a file beside the directory is written", func(t *testing.T, dir string) { write(t, dir+".js", "x") }, false},
	{"a file beside the directory is removed", func(t *testing.T, dir string) {
		write(t, dir+".js", "x")
		must(t, os.Remove(dir+".js"))
	}, false},
	{"version control", func(t *testing.T, dir string) {
		write(t, filepath.Join(dir, ".git/HEAD"), "x")
		must(t, os.MkdirAll(filepath.Join(dir, ".git/refs/heads"), 0o755))
		write(t, filepath.Join(dir, ".git/refs/heads/main"), "x")
	}, false},
	{"Python's caches", func(t *testing.T, dir string) {
		write(t, filepath.Join(dir, "__pycache__/a.cpython-313.pyc"), "x")
		must(t, os.Mkdir(filepath.Join(dir, "lib/__pycache__"), 0o755))
		write(t, filepath.Join(dir, "lib/__pycache__/a.cpython-313.pyc.139872"), "x")
		must(t, os.Rename(filepath.Join(dir, "lib/__pycache__/a.cpython-313.pyc.139872"), filepath.Join(dir, "lib/__pycache__/a.cpython-313.pyc")))
		write(t, filepath.Join(dir, "lib/b.pyc"), "x")
	}, false},
	{"caches of build tools", func(t *testing.T, dir string) {
		must(t, os.MkdirAll(filepath.Join(dir, "node_modules/.cache/babel"), 0o755))
		write(t, filepath.Join(dir, "node_modules/.cache/babel/x.json"), "x")
	}, false},
	{"what editors drop", func(t *testing.T, dir string) {
		for _, name := range []string{"index.js~", ".index.js.swp", ".index.js.swx", "4913", ".#index.js", "#index.js#", ".DS_Store"} {
			write(t, filepath.Join(dir, "lib", name), "x")
			must(t, os.Remove(filepath.Join(dir, "lib", name)))
		}
	}, false},

	{"a file is written", func(t *testing.T, dir string) { write(t, filepath.Join(dir, "index.js"), "changed") }, true},
	{"a file is written with as many bytes", func(t *testing.T, dir string) { write(t, filepath.Join(dir, "index.js"), "ORIGINAL") }, true},
	{"a file far below is written", func(t *testing.T, dir string) { write(t, filepath.Join(dir, "lib/deep/er/b.js"), "changed") }, true},
	{"a dependency is written", func(t *testing.T, dir string) { write(t, filepath.Join(dir, "node_modules/pets/index.js"), "changed") }, true},
	{"a file is made empty", func(t *testing.T, dir string) { must(t, os.Truncate(filepath.Join(dir, "index.js"), 0)) }, true},
	{"a file is made", func(t *testing.T, dir string) { write(t, filepath.Join(dir, "new.js"), "") }, true},
	{"a file is removed", func(t *testing.T, dir string) { must(t, os.Remove(filepath.Join(dir, "lib/a.js"))) }, true},
	{"a file is renamed", func(t *testing.T, dir string) {
		must(t, os.Rename(filepath.Join(dir, "lib/a.js"), filepath.Join(dir, "lib/b.js")))
	}, true},
	{"a file is made executable", func(t *testing.T, dir string) { must(t, os.Chmod(filepath.Join(dir, "index.js"), 0o755)) }, true},
	{"a file is touched", func(t *testing.T, dir string) {
		must(t, os.Chtimes(filepath.Join(dir, "index.js"), time.Now(), time.Unix(1, 0)))
	}, true},
	{"a link is made", func(t *testing.T, dir string) { must(t, os.Symlink("index.js", filepath.Join(dir, "main.js"))) }, true},
	{"a cache is not where caches are", func(t *testing.T, dir string) { must(t, os.Mkdir(filepath.Join(dir, "lib/.cache"), 0o755)) }, true},
	{"an editor saves by renaming", func(t *testing.T, dir string) {
		write(t, filepath.Join(dir, "index.js.tmp123"), "changed")
		must(t, os.Rename(filepath.Join(dir, "index.js.tmp123"), filepath.Join(dir, "index.js")))
	}, true},
	{"an editor saves by renaming an ignored file", func(t *testing.T, dir string) {
		write(t, filepath.Join(dir, ".index.js.swp"), "changed")
		must(t, os.Rename(filepath.Join(dir, ".index.js.swp"), filepath.Join(dir, "index.js")))
	}, true},
	{"Vim saves", func(t *testing.T, dir string) {
		must(t, os.Rename(filepath.Join(dir, "index.js"), filepath.Join(dir, "index.js~")))
		write(t, filepath.Join(dir, "index.js"), "changed")
		must(t, os.Remove(filepath.Join(dir, "index.js~")))
	}, true},
	{"directories are made and written to", func(t *testing.T, dir string) {
		must(t, os.MkdirAll(filepath.Join(dir, "x/y/z"), 0o755))
		write(t, filepath.Join(dir, "x/y/z/a.js"), "a")
	}, true},
	{"a directory is renamed", func(t *testing.T, dir string) {
		must(t, os.Rename(filepath.Join(dir, "lib"), filepath.Join(dir, "src")))
	}, true},
	{"a directory is moved in", func(t *testing.T, dir string) {
		must(t, os.MkdirAll(dir+"2/x", 0o755))
		write(t, dir+"2/x/a.js", "a")
		must(t, os.Rename(dir+"2/x", filepath.Join(dir, "x")))
	}, true},
	{"a directory is moved out", func(t *testing.T, dir string) { must(t, os.Rename(filepath.Join(dir, "old"), dir+"2")) }, true},
	{"a directory is removed", func(t *testing.T, dir string) { must(t, os.RemoveAll(filepath.Join(dir, "old"))) }, true},
	{"another branch is checked out", func(t *testing.T, dir string) {
		must(t, os.RemoveAll(filepath.Join(dir, "lib")))
		for i := range 200 {
			sub := filepath.Join(dir, fmt.Sprint("lib/d", i%20))
			must(t, os.MkdirAll(sub, 0o755))
			write(t, filepath.Join(sub, fmt.Sprint("f", i)), "branch")
		}
		write(t, filepath.Join(dir, ".git/HEAD"), "branch")
	}, true},
	{"the directory is replaced by another one", func(t *testing.T, dir string) {
		must(t, os.Mkdir(dir+".new", 0o755))
		write(t, filepath.Join(dir+".new", "index.js"), "changed")
		must(t, os.Rename(dir, dir+".old"))
		must(t, os.Rename(dir+".new", dir))
	}, true},
	{"the directory is removed and made", func(t *testing.T, dir string) {
		must(t, os.RemoveAll(dir))
		must(t, os.Mkdir(dir, 0o755))
		write(t, filepath.Join(dir, "index.js"), "changed")
	}, true},
	{"the directory above is replaced", func(t *testing.T, dir string) {
		parent := filepath.Dir(dir)
		must(t, os.MkdirAll(parent+".new/code", 0o755))
		write(t, parent+".new/code/index.js", "changed")
		must(t, os.Rename(parent, parent+".old"))
		must(t, os.Rename(parent+".new", parent))
		t.Cleanup(func() { _ = os.RemoveAll(parent + ".old") })
	}, true},
}
