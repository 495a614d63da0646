package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A language is what a runtime asks for.
type language struct {
	name string // of the program, for people
	// programs are the names that its interpreter may have, the best first.
	programs []string
	// probe are the arguments that make it print its version and its path.
	probe []string
	// version is the one that the runtime names, oldest the first that the bootstrap runs
	// on.
	version, oldest version
	// entry is the file to run, heap the option that bounds the heap, in MiB; empty if
	// there is none.
	entry, heap string
}

// A version is a version of an interpreter. Of Node.js, only the first number counts.
type version struct {
	major, minor int
}

func (v version) String() string {
	if v.minor < 0 {
		return strconv.Itoa(v.major)
	}
	return fmt.Sprintf("%d.%d", v.major, v.minor)
}

// covers reports whether v is the version that is asked for.
func (v version) covers(asked version) bool {
	return v.major == asked.major && (asked.minor < 0 || v.minor == asked.minor)
}

func (v version) less(other version) bool {
	return v.major < other.major || v.major == other.major && v.minor < other.minor
}

var (
	nodeRuntime   = regexp.MustCompile(`^nodejs([1-9][0-9]{0,3})\.x$`)
	pythonRuntime = regexp.MustCompile(`^python([1-9][0-9]{0,3})\.([0-9]{1,4})$`)
	versionText   = regexp.MustCompile(`^v?([0-9]{1,4})\.([0-9]{1,4})`)
)

// parseRuntime returns what the name of a runtime asks for.
func parseRuntime(runtime string) (language, bool) {
	if m := nodeRuntime.FindStringSubmatch(runtime); m != nil {
		return language{
			name:     "Node.js",
			programs: []string{"node"},
			probe:    []string{"-p", `process.version + "\n" + process.execPath`},
			version:  version{atoi(m[1]), -1},
			oldest:   version{18, 0},
			entry:    "node/index.mjs",
			heap:     "--max-old-space-size=",
		}, true
	}
	if m := pythonRuntime.FindStringSubmatch(runtime); m != nil && m[1] == "3" {
		return language{
			name:     "Python",
			programs: []string{"python3." + m[2], "python3"},
			probe:    []string{"-c", `import sys; print("%d.%d" % sys.version_info[:2]); print(sys.executable)`},
			version:  version{atoi(m[1]), atoi(m[2])},
			oldest:   version{3, 8},
			entry:    "python/bootstrap.py",
		}, true
	}
	return language{}, false
}

// atoi converts digits that a regular expression has limited.
func atoi(digits string) int {
	n, _ := strconv.Atoi(digits)
	return n
}

// An interpreter is a program that was found. Its path is what it says about itself:
// what stands on the PATH may be a script that looks for it each time.
type interpreter struct {
	path    string
	version version
}

// probeTimeout is how long an interpreter may take to say its version.
const probeTimeout = 10 * time.Second

// find returns the interpreter of a language. A program that is there and does not work is
// passed over; what is found is remembered for as long as it is there, what is not found is
// looked for again.
func (r *Runtimes) find(l language) (interpreter, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var reasons []error
	for _, program := range l.programs {
		path, err := exec.LookPath(program)
		if err != nil {
			continue
		}
		found, ok := r.probed[path]
		if ok {
			// An upgrade may have removed the directory of the version before.
			_, err := os.Stat(found.path)
			ok = err == nil
		}
		if !ok {
			if found, err = probe(path, l.probe); err != nil {
				reasons = append(reasons, err)
				continue
			}
			r.probed[path] = found
		}
		if found.version.less(l.oldest) {
			reasons = append(reasons, fmt.Errorf("%s is version %s", path, found.version))
			continue
		}
		return found, nil
	}
	missing := fmt.Errorf("functions in %s need %s: install %[1]s %[3]s or later, so that %[2]s is on the PATH",
		l.name, l.programs[len(l.programs)-1], l.oldest)
	if len(reasons) > 0 {
		return interpreter{}, fmt.Errorf("%w (%w)", missing, errors.Join(reasons...))
	}
	return interpreter{}, missing
}

// probe runs a program that prints its version and its path. Who is waiting for it does
// not end it, because what it answers is for all; it ends by itself or by probeTimeout.
func probe(path string, args []string) (interpreter, error) {
	ctx, cancel := context.WithTimeout(context.Background(), probeTimeout)
	defer cancel()
	command := exec.CommandContext(ctx, path, args...)
	command.WaitDelay = time.Second
	output, err := command.Output()
	if err != nil {
		return interpreter{}, fmt.Errorf("%s does not work: %w", path, err)
	}
	first, second, _ := strings.Cut(strings.TrimSpace(string(output)), "\n")
	m := versionText.FindStringSubmatch(first)
	if m == nil {
		return interpreter{}, fmt.Errorf("%s says that it is version %.40q", path, first)
	}
	if real := strings.TrimSpace(second); real != "" {
		path = real
	}
	return interpreter{path: path, version: version{atoi(m[1]), atoi(m[2])}}, nil
}
