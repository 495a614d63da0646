package main

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestExport(t *testing.T) {
	t.Parallel()
	const exports = "GET /v2/apis/a1/exports/OAS30"
	for _, tt := range []struct{ args, call string }{
		{"", exports + "?includeExtensions=true&outputType=YAML"},
		{"--format yaml", exports + "?includeExtensions=true&outputType=YAML"},
		{"--format json", exports + "?includeExtensions=true&outputType=JSON"},
		{"--no-extensions", exports + "?includeExtensions=false&outputType=YAML"},
		{"--stage $default", exports + "?includeExtensions=true&outputType=YAML&stageName=%24default"},
		{"--stage a/b&c --output -", exports + "?includeExtensions=true&outputType=YAML&stageName=a%2Fb%26c"},
	} {
		// What arrives is not changed: no line end is added.
		const document = "openapi: 3.0.1\r\nx: \"\xff\""
		s := record(t, map[string]answered{listAPIs: threeAs, tt.call: {200, "", document}})
		status, out, log := resultIn(signing, append([]string{"export", "pets", "--endpoint", s.URL}, strings.Fields(tt.args)...)...)
		if status != 0 || out != document || log != "" || s.signed != nil {
			t.Errorf("%s: exit status %d, %q, %q, signature %v", tt.args, status, out, log, s.signed)
		}
		s.check(t, "GET /v2/apis/pets", listAPIs, tt.call)
		s.answers[tt.call] = answered{400, "BadRequestException", `{"message":"Only HTTP APIs"}`}
		file := filepath.Join(t.TempDir(), "openapi.yaml")
		status, out, log = result(append([]string{"export", "pets", "--endpoint", s.URL}, strings.Fields(tt.args+" --output "+file)...)...)
		if _, err := os.Stat(file); status != 1 || out != "" || log != "penstock: BadRequestException: Only HTTP APIs\n" || !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: exit status %d, %q, %q, file: %v", tt.args, status, out, log, err)
		}
	}
}

func TestExportFile(t *testing.T) {
	t.Parallel()
	s := record(t, map[string]answered{
		listAPIs: threeAs,
		"GET /v2/apis/a1/exports/OAS30?includeExtensions=true&outputType=YAML": {200, "", "openapi: 3.0.1\n"},
	})
	dir := t.TempDir()
	file := filepath.Join(dir, "openapi.yaml")
	for range 2 { // made, then replaced
		if status, out, log := result("export", "a1", "-o", file, "--endpoint", s.URL); status != 0 || out+log != "" {
			t.Fatalf("exit status %d, %q, %q", status, out, log)
		}
		if text, err := os.ReadFile(file); err != nil || string(text) != "openapi: 3.0.1\n" {
			t.Errorf("got %q (%v)", text, err)
		}
		if err := os.WriteFile(file, []byte("old, and longer than the new one"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if status, out, log := result("export", "a1", "-o", filepath.Join(dir, "none", "x"), "--endpoint", s.URL); status != 1 || out != "" || !strings.HasPrefix(log, "penstock: export: ") || !strings.Contains(log, "no such file") {
		t.Errorf("exit status %d, %q, %q", status, out, log)
	}
}

func TestWriteWhole(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	content := func(name, want string) {
		t.Helper()
		if text, err := os.ReadFile(in(name)); err != nil || string(text) != want {
			t.Errorf("%s: got %q (%v), want %q", name, text, err, want)
		}
	}
	text := func(text string, err error) func(*os.File) error {
		return func(f *os.File) error {
			_, failed := f.WriteString(text)
			return errors.Join(failed, err)
		}
	}
	if err := writeWhole(in("file"), 0o600, text("one", nil)); err != nil {
		t.Fatal(err)
	}
	content("file", "one")
	if err := writeWhole(in("file"), 0o600, text("two", errors.New("halfway"))); err == nil || err.Error() != "halfway" {
		t.Errorf("got %v", err)
	}
	content("file", "one")
	if err := os.Symlink("file", in("link")); err != nil {
		t.Fatal(err)
	}
	if err := writeWhole(in("link"), 0o600, text("three", nil)); err != nil {
		t.Error(err)
	}
	content("file", "three")
	if info, err := os.Lstat(in("link")); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is no longer one: %v (%v)", info, err)
	}
	socket, err := net.Listen("unix", in("socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	for _, name := range []string{"socket", "."} {
		if err := writeWhole(in(name), 0o600, text("four", nil)); err == nil || !strings.Contains(err.Error(), "is not a file that can be replaced") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 3 {
		t.Errorf("left: %v (%v)", left, err)
	}
}
