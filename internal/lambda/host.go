package lambda

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"syscall"
	"time"

	"penstock/internal/functionlog"
)

// A Config says how a host runs functions.
type Config struct {
	// MaxEnvironments is how many processes of functions there may be; 0 for 100.
	MaxEnvironments int
	// IdleTimeout is how long an environment waits for its next invocation before it
	// ends; 0 for 10 minutes.
	IdleTimeout time.Duration
	// InitTimeout is how long an environment may take until it asks for its first
	// invocation; 0 for 10 seconds. It is not part of the function's timeout.
	InitTimeout time.Duration
	// Commands are what starts the runtimes that are not shipped, such as java21. A
	// command runs in the directory of the code; its first word is a path, or a program
	// that is looked up in PATH.
	Commands map[string][]string
	// BootstrapCommand returns what starts a runtime that is shipped, for a function that
	// may use so many MiB, and the variables that belong to it; an error for any other.
	// nil if none is shipped.
	BootstrapCommand func(runtime string, memory int) (command []string, env map[string]string, err error)
	// Region is what functions are told is theirs.
	Region string
	// Credentials are given to functions; empty for none.
	Credentials Credentials
	// User is the system user that functions run as, with nothing but its own group;
	// empty for the user of this process. Only root can run them as somebody else. The
	// user must be able to read the code.
	User string
	// Dir is where temporary directories are made; empty for that of the system.
	Dir string
	// Log gets what functions write; nil for nobody.
	Log Log
	// Logger gets what is wrong with functions and cannot be told to their callers; nil
	// for slog.Default.
	Logger *slog.Logger
}

// Credentials are those that functions use with AWS services.
type Credentials struct{ AccessKeyID, SecretAccessKey, SessionToken string }

// A Log takes the lines that functions log. Append does not wait for anything: a
// function that writes much would wait with it. It may be called by many goroutines.
type Log interface {
	Append(functionlog.Line)
}

// A Host runs functions in processes of their own. It is process isolation and no
// virtual machine: a function can see what its user can see, and what leaves its process
// group is not counted and not ended with it. If this process is killed and cannot close
// the host, the system kills the processes of environments, on Linux, and not what those
// have started.
type Host struct {
	config     Config
	dir        string
	null       *os.File
	credential *syscall.Credential
	starts     chan *start
	wake       chan struct{} // for the watcher: something has begun
	stop       chan struct{} // closed when no environment is left

	environments sync.WaitGroup // one for each
	tasks        sync.WaitGroup // the goroutines of the host itself

	// mu guards what follows, all pools, and the place of each environment.
	mu       sync.Mutex
	closed   bool
	watching bool
	ended    chan struct{} // closed when Close is done
	members  map[*environment]struct{}
	active   map[*Function]struct{}
	total    int // environments that count towards the limit
	busy     int
	counts   Counts
}

// Counts are what has happened since the host was made.
type Counts struct {
	// Starts are environments that were started. Crashes are those that ended without
	// being asked to, failed initialisations and used up memory included. Timeouts are
	// invocations that took too long, Throttles those that found no place.
	Starts, Crashes, Timeouts, Throttles uint64
}

// NewHost returns a host without functions.
func NewHost(config Config) (*Host, error) {
	if config.MaxEnvironments == 0 {
		config.MaxEnvironments = 100
	}
	if config.IdleTimeout == 0 {
		config.IdleTimeout = 10 * time.Minute
	}
	if config.InitTimeout == 0 {
		config.InitTimeout = 10 * time.Second
	}
	if config.MaxEnvironments < 0 || config.IdleTimeout < 0 || config.InitTimeout < 0 {
		return nil, errors.New("limits of the function host cannot be negative")
	}
	if config.Logger == nil {
		config.Logger = slog.Default()
	}
	h := &Host{
		config:  config,
		starts:  make(chan *start),
		wake:    make(chan struct{}, 1),
		stop:    make(chan struct{}),
		ended:   make(chan struct{}),
		members: make(map[*environment]struct{}),
		active:  make(map[*Function]struct{}),
	}
	if config.User != "" {
		credential, err := lookupCredential(config.User)
		if err != nil {
			return nil, err
		}
		h.credential = credential
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	h.null = null
	h.dir, err = os.MkdirTemp(config.Dir, "penstock-functions-")
	if err != nil {
		null.Close()
		return nil, fmt.Errorf("make the directory of functions: %w", err)
	}
	// Functions of another user pass through to their own directories.
	if err := os.Chmod(h.dir, 0o711); err != nil {
		null.Close()
		os.Remove(h.dir)
		return nil, fmt.Errorf("make the directory of functions: %w", err)
	}
	keepDescriptors()
	h.tasks.Go(h.startProcesses)
	h.tasks.Go(h.reap)
	h.tasks.Go(h.watch)
	return h, nil
}

// NewFunction adds a function. It has no environment before it is invoked.
func (h *Host) NewFunction(spec Spec) *Function {
	f := &Function{host: h, spec: spec}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		f.closed = true
	} else {
		h.active[f] = struct{}{}
	}
	return f
}

// Stats returns how many environments there are, and how many have an invocation.
func (h *Host) Stats() (environments, busy int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.members), h.busy
}

// Counts returns what has happened so far.
func (h *Host) Counts() Counts {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.counts
}

// terminationGrace is how long functions have between SIGTERM and SIGKILL when the host
// closes.
const terminationGrace = 500 * time.Millisecond

// Close ends all environments and waits for them. Functions that are running are told by
// SIGTERM and have half a second; who waits for them gets ErrClosed.
func (h *Host) Close() error {
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		<-h.ended
		return nil
	}
	h.closed = true
	for f := range h.active {
		f.close()
	}
	running := make([]*environment, 0, len(h.members))
	for e := range h.members {
		running = append(running, e)
	}
	h.mu.Unlock()
	defer close(h.ended)

	for _, e := range running {
		e.terminate()
	}
	kill := time.AfterFunc(terminationGrace, func() {
		for _, e := range running {
			e.end(nil)
		}
	})
	h.environments.Wait()
	kill.Stop()
	close(h.stop)
	h.tasks.Wait()
	h.null.Close()
	return os.RemoveAll(h.dir)
}

// reap ends environments that have been idle for long.
func (h *Host) reap() {
	timer := time.NewTimer(h.config.IdleTimeout)
	defer timer.Stop()
	for {
		select {
		case <-h.stop:
			return
		case now := <-timer.C:
			timer.Reset(h.reapIdle(now))
		}
	}
}

// reapIdle ends what has been idle for long at a time, and returns when to look again.
func (h *Host) reapIdle(now time.Time) time.Duration {
	next := h.config.IdleTimeout
	var reaped []*environment
	h.mu.Lock()
	for f := range h.active {
		if f.pool == nil {
			continue
		}
		for len(f.pool.idle) > 0 {
			e := f.pool.idle[0]
			left := h.config.IdleTimeout - now.Sub(e.idleSince)
			if left > 0 {
				next = min(next, left)
				break
			}
			h.move(e, leaving)
			reaped = append(reaped, e)
		}
	}
	h.mu.Unlock()
	for _, e := range reaped {
		e.end(nil)
	}
	return max(next, time.Millisecond)
}
