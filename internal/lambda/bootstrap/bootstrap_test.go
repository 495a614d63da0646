package bootstrap

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestInstall(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "runtimes")
	old := filepath.Join(dir, "node", "index.mjs")
	if err := os.MkdirAll(filepath.Dir(old), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(old, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Install(dir); err != nil {
		t.Fatal(err)
	}
	var names []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o644)
		if entry.IsDir() {
			want = 0o755
		}
		if path == dir {
			return nil
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", path, got, want)
		}
		name, err := filepath.Rel(dir, path)
		if !entry.IsDir() {
			names = append(names, filepath.ToSlash(name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"node/connection.mjs", "node/console.mjs", "node/errors.mjs", "node/handler.mjs",
		"node/index.mjs", "node/stream.mjs", "python/bootstrap.py",
	}
	if !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
	if data, err := os.ReadFile(old); err != nil || string(data) == "old" {
		t.Errorf("the old file is still there, %v", err)
	}
	if _, err := Install(filepath.Join(old, "below")); err == nil {
		t.Error("installed below a file")
	}
}

// script returns a program that behaves as an interpreter when it is asked who it is.
func script(version, path string) string {
	return "#!/bin/sh\nprintf '" + version + "\\n" + path + "\\n'\n"
}

func TestCommand(t *testing.T) {
	const broken = "#!/bin/sh\nexit 127\n"
	for _, tt := range []struct {
		name     string
		programs map[string]string
		runtime  string
		command  string // $BIN and $DIR stand for directories
		mismatch string
		err      string
	}{
		{
			name: "node", programs: map[string]string{"node": script("v22.1.0", "/opt/node")}, runtime: "nodejs22.x",
			command: "/opt/node --max-old-space-size=460 $DIR/node/index.mjs",
		},
		{
			name: "other node", programs: map[string]string{"node": script("v20.11.1", "/opt/node")}, runtime: "nodejs22.x",
			command: "/opt/node --max-old-space-size=460 $DIR/node/index.mjs", mismatch: "functions of the runtime nodejs22.x run on Node.js 20.11 (/opt/node)",
		},
		{
			name: "old node", programs: map[string]string{"node": script("v16.0.0", "/opt/node")}, runtime: "nodejs22.x",
			err: "functions in Node.js need node: install Node.js 18.0 or later, so that node is on the PATH ($BIN/node is version 16.0)",
		},
		{
			name: "no node", runtime: "nodejs22.x",
			err: "functions in Node.js need node: install Node.js 18.0 or later, so that node is on the PATH",
		},
		{
			name: "no version", programs: map[string]string{"node": "#!/bin/sh\necho hello\n"}, runtime: "nodejs22.x",
			err: `functions in Node.js need node: install Node.js 18.0 or later, so that node is on the PATH ($BIN/node says that it is version "hello")`,
		},
		{
			name: "named python", programs: map[string]string{"python3": script("3.11", "/opt/a"), "python3.12": script("3.12", "/opt/b")},
			runtime: "python3.12", command: "/opt/b $DIR/python/bootstrap.py",
		},
		{
			name: "other python", programs: map[string]string{"python3": script("3.11", "/opt/a")},
			runtime: "python3.12", command: "/opt/a $DIR/python/bootstrap.py",
			mismatch: "functions of the runtime python3.12 run on Python 3.11 (/opt/a)",
		},
		{
			name: "broken python", programs: map[string]string{"python3": script("3.11", ""), "python3.12": broken},
			runtime: "python3.12", command: "$BIN/python3 $DIR/python/bootstrap.py",
			mismatch: "functions of the runtime python3.12 run on Python 3.11 ($BIN/python3)",
		},
		{
			name: "no python", programs: map[string]string{"python3.13": broken}, runtime: "python3.13",
			err: "functions in Python need python3: install Python 3.8 or later, so that python3 is on the PATH ($BIN/python3.13 does not work: exit status 127)",
		},
		{name: "java", runtime: "java21", err: `"java21" is none of the runtimes that come along: nodejs22.x, python3.13 and other versions of these`},
		{name: "no runtime", runtime: "", err: `"" is none of the runtimes that come along: nodejs22.x, python3.13 and other versions of these`},
		{name: "path", runtime: "nodejs22.x/../x", err: `"nodejs22.x/../x" is none of the runtimes that come along: nodejs22.x, python3.13 and other versions of these`},
		{name: "python 2", runtime: "python2.7", err: `"python2.7" is none of the runtimes that come along: nodejs22.x, python3.13 and other versions of these`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bin, dir := t.TempDir(), t.TempDir()
			for name, text := range tt.programs {
				if err := os.WriteFile(filepath.Join(bin, name), []byte(text), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			t.Setenv("PATH", bin)
			runtimes, err := Install(dir)
			if err != nil {
				t.Fatal(err)
			}
			expand := strings.NewReplacer("$BIN", bin, "$DIR", dir)
			for range 2 { // found, and remembered
				command, env, err := runtimes.Command(tt.runtime, 512)
				if got, want := strings.Join(command, " "), expand.Replace(tt.command); got != want {
					t.Errorf("got %q, want %q", got, want)
				}
				if want := expand.Replace(tt.err); want != "" {
					if err == nil || err.Error() != want {
						t.Errorf("got error %v, want %s", err, want)
					}
				} else if err != nil || env["AWS_EXECUTION_ENV"] != "AWS_Lambda_"+tt.runtime || env["LAMBDA_RUNTIME_DIR"] != dir || len(env) != 2 {
					t.Errorf("got environment %v, error %v", env, err)
				}
			}
			if got, want := runtimes.Mismatch(tt.runtime), expand.Replace(tt.mismatch); got != want {
				t.Errorf("got mismatch %q, want %q", got, want)
			}
			if got := runtimes.Mismatch(tt.runtime); got != "" {
				t.Errorf("got mismatch %q the second time", got)
			}
		})
	}
}

// A function without a limit of its memory runs on an interpreter without one.
func TestNoLimit(t *testing.T) {
	bin := t.TempDir()
	t.Setenv("PATH", bin)
	if err := os.WriteFile(filepath.Join(bin, "node"), []byte(script("v22.1.0", "/opt/node")), 0o755); err != nil {
		t.Fatal(err)
	}
	r := &Runtimes{dir: "/runtimes", probed: make(map[string]interpreter)}
	command, _, err := r.Command("nodejs22.x", 0)
	if want := []string{"/opt/node", "/runtimes/node/index.mjs"}; err != nil || !slices.Equal(command, want) {
		t.Errorf("got %q, %v; want %q", command, err, want)
	}
}

// An interpreter that was replaced by another version is found at its new place.
func TestUpgrade(t *testing.T) {
	bin := t.TempDir()
	t.Setenv("PATH", bin)
	runtimes, err := Install(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{"22.1.0", "24.0.1"} {
		program := filepath.Join(t.TempDir(), "node")
		if err := os.WriteFile(program, nil, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(bin, "node"), []byte(script("v"+version, program)), 0o755); err != nil {
			t.Fatal(err)
		}
		command, _, err := runtimes.Command("nodejs22.x", 512)
		if err != nil || command[0] != program {
			t.Errorf("version %s: got %q, %v; want %s", version, command, err, program)
		}
		if err := os.Remove(program); err != nil {
			t.Fatal(err)
		}
	}
}
