// Package bootstrap has the runtimes for functions in Node.js and Python: small programs
// that load the handler of a function and speak the Lambda Runtime API. They need the
// interpreter and nothing else.
//
//	runtimes, err := bootstrap.Install(dir)
//	command, env, err := runtimes.Command("nodejs22.x", 128)
//	// /usr/bin/node --max-old-space-size=115 dir/node/index.mjs
//
// A function gets the interpreter that is installed, whatever version it asks for;
// Mismatch tells when they differ.
package bootstrap

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
)

//go:embed node/*.mjs python/bootstrap.py
var files embed.FS

// Runtimes are the installed runtimes. They may be used by many goroutines.
type Runtimes struct {
	dir string

	// mu guards what follows.
	mu sync.Mutex
	// probed are the interpreters that have answered, by the path they were found at.
	probed map[string]interpreter
	// told are the runtimes whose mismatch was told.
	told map[string]bool
}

// Install writes the runtimes below dir, which is made if it does not exist. Everybody may
// read them there, if everybody may look into dir: a directory that exists keeps its mode.
// What an earlier version has left in the same place is replaced.
func Install(dir string) (*Runtimes, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("install runtimes: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("install runtimes: %w", err)
	}
	err = fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || name == "." {
			return err
		}
		path := filepath.Join(dir, filepath.FromSlash(name))
		if entry.IsDir() {
			if err := os.MkdirAll(path, 0o755); err != nil {
				return err
			}
			return os.Chmod(path, 0o755)
		}
		data, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		return replaceFile(path, data)
	})
	if err != nil {
		return nil, fmt.Errorf("install runtimes: %w", err)
	}
	return &Runtimes{dir: dir, probed: make(map[string]interpreter), told: make(map[string]bool)}, nil
}

// replaceFile writes a file that everybody may read. Whoever opens it meanwhile gets the
// old one or the new one.
func replaceFile(path string, data []byte) error {
	temp, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	_, err = temp.Write(data)
	if err == nil {
		err = temp.Chmod(0o644)
	}
	if errClose := temp.Close(); err == nil {
		err = errClose
	}
	if err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}

// Command returns what starts a function of a runtime such as nodejs22.x or python3.13,
// and the environment variables that belong to the runtime. Memory is how many MiB the
// function may use, 0 for no limit; interpreters with a limit of their own get one below.
// The error says that there is no such runtime here, or which program has to be installed.
func (r *Runtimes) Command(runtime string, memory int) (command []string, env map[string]string, err error) {
	l, ok := parseRuntime(runtime)
	if !ok {
		return nil, nil, fmt.Errorf("%q is none of the runtimes that come along: nodejs22.x, python3.13 and other versions of these", runtime)
	}
	found, err := r.find(l)
	if err != nil {
		return nil, nil, err
	}
	command = []string{found.path}
	if l.heap != "" && memory > 0 {
		command = append(command, l.heap+strconv.Itoa(memory*9/10))
	}
	return append(command, filepath.Join(r.dir, filepath.FromSlash(l.entry))), map[string]string{
		"AWS_EXECUTION_ENV":  "AWS_Lambda_" + runtime,
		"LAMBDA_RUNTIME_DIR": r.dir,
	}, nil
}

// Mismatch returns a sentence if functions of a runtime run on another version than the
// one that it names: the first time it is asked for this runtime. Otherwise, and if there
// is no interpreter at all, it returns "".
func (r *Runtimes) Mismatch(runtime string) string {
	l, ok := parseRuntime(runtime)
	if !ok {
		return ""
	}
	found, err := r.find(l)
	if err != nil || found.version.covers(l.version) {
		return ""
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.told[runtime] {
		return ""
	}
	r.told[runtime] = true
	return fmt.Sprintf("functions of the runtime %s run on %s %s (%s)", runtime, l.name, found.version, found.path)
}
