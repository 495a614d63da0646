package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestBackup(t *testing.T) {
	t.Parallel()
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.URL.Path) }))
	defer backend.Close()
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	must := func(args ...string) string {
		t.Helper()
		status, out, log := result(args...)
		if status != 0 || log != "" {
			t.Fatalf("penstock %q: exit status %d, %s", args, status, log)
		}
		return out
	}
	fails := func(want string, args ...string) {
		t.Helper()
		if status, _, log := result(args...); status != 1 || !strings.Contains(log, want) {
			t.Errorf("penstock %q: exit status %d, %q, want %q", args, status, log, want)
		}
	}

	c := serve(t, "--data", in("data"))
	_, id, _ := strings.Cut(c.quickCreate(t, backend.URL), "/_aws/execute-api/")
	id = strings.TrimSuffix(id, "/$default")
	fails("another process has it open", "backup", in("held"), "--data", in("data"))
	fails("--admin takes the backup from that", "backup", in("held"), "--data", in("data"))
	if out := must("backup", in("running"), "--admin", c.admin); !strings.Contains(out, "revision 1, 2 documents") {
		t.Errorf("backup of a running server: %s", out)
	}
	fails("another process has it open", "restore", in("running"), "--data", in("data"), "--force")
	piped := must("backup", "-", "--admin", c.admin)
	c.signal(t, syscall.SIGTERM)
	c.end(t, 20*time.Second)

	must("backup", in("stopped"), "--data", in("data"))
	fails("exists", "backup", in("stopped"), "--data", in("data"))
	must("backup", in("stopped"), "--data", in("data"), "--force")
	fails("exists", "restore", in("stopped"), "--data", in("data"))
	running, err := os.ReadFile(in("running"))
	if err != nil {
		t.Fatal(err)
	}
	stopped, err := os.ReadFile(in("stopped"))
	if err != nil {
		t.Fatal(err)
	}
	if piped != string(running) || string(stopped) != string(running) {
		t.Errorf("three backups of one revision differ: %d, %d and %d bytes", len(piped), len(running), len(stopped))
	}

	// A damaged backup restores nothing, and replaces nothing.
	damaged := []byte(strings.Replace(string(running), "HTTP_PROXY", "HTTP_PROXI", 1))
	if err := os.WriteFile(in("damaged"), damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	fails("damaged", "restore", in("damaged"), "--data", in("new"))
	if err := os.WriteFile(in("short"), running[:len(running)-1], 0o600); err != nil {
		t.Fatal(err)
	}
	fails("ends early", "restore", in("short"), "--data", in("data"), "--force")

	must("restore", in("running"), "--data", in("new"))
	must("restore", in("running"), "--data", in("data"), "--force")
	for _, data := range []string{"new", "data"} {
		c := serve(t, "--data", in(data))
		if status, body := get(t, c.path(id)+"/x"); status != http.StatusOK || body != "/x" {
			t.Errorf("restored to %s: got %d %s", data, status, body)
		}
	}
	left, err := filepath.Glob(in("*.new"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
}

// A server with credentials gives its backup to who has one.
func TestBackupSigned(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	config, file := filepath.Join(dir, "penstock.yaml"), filepath.Join(dir, "backup")
	if err := os.WriteFile(config, []byte("credentials: [{accessKeyId: AKIDADA, secretAccessKey: hush}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := serve(t, "--memory", "--config", config)
	if status, _, log := result("backup", file, "--admin", c.admin); status != 1 || !strings.Contains(log, "403") {
		t.Errorf("unsigned: exit status %d, %s", status, log)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("a backup that was refused has left a file")
	}
	if status, out, log := result("backup", file, "--admin", c.admin, "--config", config); status != 0 {
		t.Errorf("signed: exit status %d, %s%s", status, out, log)
	}
	child := start(t, "backup", "-", "--admin", c.admin)
	child.end(t, 20*time.Second)
	if !strings.Contains(child.log.String(), "MissingAuthenticationToken") && !strings.Contains(child.log.String(), "Missing Authentication Token") {
		t.Errorf("unsigned: %s", child.log.String())
	}
	c.signal(t, syscall.SIGTERM)
	c.end(t, 20*time.Second)
	if strings.Contains(c.log.String(), "hush") {
		t.Errorf("the log tells a secret: %s", c.log.String())
	}
}
