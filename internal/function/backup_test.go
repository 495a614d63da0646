package function

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"penstock/internal/store"
	"penstock/internal/store/ledger"
)

// A backup that is restored into an empty directory has the functions and their code,
// and goes on where the server was.
func TestBackup(t *testing.T) {
	t.Parallel()
	s := openRegistry(t, Options{})
	if plain, err := WithCode(s.Store, s.codes.dir); err != nil || plain != s.Store {
		t.Errorf("without functions: got %v, %v", plain, err)
	}
	s.create("pets", "one")
	s.want(201, "", "POST", functions+"/pets/versions", nil)
	s.want(200, "", "PUT", functions+"/pets/code", map[string]any{"ZipFile": zipOf("two")})
	large := storedZip(t, 8<<10) // of three pieces
	s.want(201, "", "POST", functions, `{"FunctionName":"large","Role":"`+testRole+`","Runtime":"nodejs22.x","Handler":"a.b","Code":{"ZipFile":"`+encoded(large)+`"}}`)
	last := s.Store.Last()

	const length = 4 << 10 // of a piece
	with, err := withCode(s.Store, s.codes.dir, length)
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := store.WriteBackup(&text, with); err != nil {
		t.Fatal(err)
	}
	backup, err := store.ReadBackup(&text)
	if err != nil {
		t.Fatal(err)
	}
	if s.Store.Last() != last || len(s.Store.List(codePrefix)) > 0 {
		t.Error("the backup has changed the store")
	}
	pieces := 0
	for _, e := range backup.Entries() {
		if strings.HasPrefix(e.Key, codePrefix) {
			if pieces++; len(e.Data) > length {
				t.Errorf("%s has %d bytes", e.Key, len(e.Data))
			}
		}
	}
	if pieces != 5 {
		t.Errorf("got %d pieces, want 5", pieces)
	}

	dir := t.TempDir()
	file := filepath.Join(dir, "ledger")
	if err := ledger.Restore(file, backup, false); err != nil {
		t.Fatal(err)
	}
	restored, err := ledger.Open(file, ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer restored.Close()
	r := openRegistry(t, Options{Store: restored, Dir: filepath.Join(dir, "functions")})
	if len(restored.List(codePrefix)) > 0 {
		t.Error("code is left in the store")
	}
	if r.call("pets", "") != `"two"` || r.call("pets", "1") != `"one"` || r.call("large", "") != s.call("large", "") {
		t.Errorf("got %s and %s", r.call("pets", ""), r.call("pets", "1"))
	}
	for _, path := range []string{"/pets", "/pets:1", "/large"} {
		if before, after := s.want(200, "", "GET", functions+path+"/configuration", nil), r.want(200, "", "GET", functions+path+"/configuration", nil); before != after {
			t.Errorf("%s: got %s, want %s", path, after, before)
		}
	}
	r.create("more", "three")
	if whole, err := WithCode(r.Store, r.codes.dir); err != nil || len(whole.List(codePrefix)) != 4 {
		t.Errorf("the next backup: got %v", err)
	}

	// What is wrong with the code is found before a backup is written.
	name := filepath.Join(s.codes.dir, s.files()[slices.IndexFunc(s.files(), func(n string) bool { return strings.HasSuffix(n, ".zip") })])
	if err := os.WriteFile(name, []byte("other"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := WithCode(s.Store, s.codes.dir); err == nil || !strings.Contains(err.Error(), "does not match its name") {
		t.Errorf("got %v", err)
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if _, err := WithCode(s.Store, s.codes.dir); err == nil || !strings.Contains(err.Error(), "the code of a function") {
		t.Errorf("got %v", err)
	}
}

// storedZip returns a zip that is longer than what is in it.
func storedZip(t *testing.T, size int) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.CreateHeader(&zip.FileHeader{Name: "data", Method: zip.Store})
	if err == nil {
		_, err = f.Write(make([]byte, size))
	}
	if err == nil {
		f, err = w.Create("index.js")
	}
	if err == nil {
		_, err = f.Write([]byte("large"))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
