package lambda

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A program that something has open for writing, such as a child of this process that has
// not come to its own program yet, is started when it is closed.
func TestStartWhileWritten(t *testing.T) {
	t.Parallel()
	child, err := buildChild()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	f, err := os.OpenFile(filepath.Join(dir, "bootstrap"), os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("#!/bin/sh\nexec " + child + "/bootstrap\n"); err != nil {
		t.Fatal(err)
	}
	spec := testSpec(t)
	spec.Source = &directory{dir: dir}
	time.AfterFunc(startPatience/4, func() { f.Close() })
	r := mustInvoke(t, newTestHost(t, Config{}).NewFunction(spec), `{"x":1}`)
	if string(r.Payload) != `{"x":1}` {
		t.Errorf("got %s", r.Payload)
	}
}
