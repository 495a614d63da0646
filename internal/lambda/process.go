//go:build unix

package lambda

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A start is a process to be started.
type start struct {
	command     []string
	dir         string
	environment []string
	output      *os.File
	done        chan started
}

// started is what has become of a start.
type started struct {
	process *os.Process
	err     error
}

// A process is the leader of a process group of its own.
type process struct {
	leader *os.Process
	statm  *os.File // what the system says of its memory; nil if it says nothing

	mu     sync.Mutex
	reaped bool // the number may be somebody else's by now
}

// startProcesses starts processes one after another, all from one thread, until the host
// has closed: processes are killed when the thread that has started them ends.
func (h *Host) startProcesses() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for {
		select {
		case <-h.stop:
			return
		case s := <-h.starts:
			p, err := os.StartProcess(s.command[0], s.command, &os.ProcAttr{
				Dir:   s.dir,
				Env:   s.environment,
				Files: []*os.File{h.null, s.output, s.output},
				Sys:   attributes(h.credential),
			})
			s.done <- started{p, err}
		}
	}
}

// A program that somebody has open for writing cannot be started: who has just written it
// may have it open still, and so may a child of this process, for the moment until it
// comes to a program of its own. It is tried again for a while.
const (
	startPatience = 400 * time.Millisecond
	startPause    = 5 * time.Millisecond
)

// startProcess starts a process with nothing open but its input, which is empty, and its
// output.
func (h *Host) startProcess(s *start) (*process, error) {
	s.done = make(chan started, 1)
	h.starts <- s
	r := <-s.done
	for began := time.Now(); errors.Is(r.err, syscall.ETXTBSY) && time.Since(began) < startPatience; {
		time.Sleep(startPause)
		h.starts <- s
		r = <-s.done
	}
	if r.err != nil {
		return nil, r.err
	}
	limit(r.process.Pid)
	return &process{leader: r.process, statm: openMemory(r.process.Pid)}, nil
}

// wait waits until the process has ended, kills what is left of its group, and returns
// how it ended: such as "exit status 3", and "" if it reported success.
func (p *process) wait() string {
	// The group is killed while its number is taken by the leader that nobody has waited
	// for; later it could be another group's. Where the end of a leader cannot be awaited
	// without waiting for it, the group is killed right behind.
	var state *os.ProcessState
	var err error
	if awaitExit(p.leader.Pid) {
		p.kill()
		p.mu.Lock()
		state, err = p.leader.Wait()
	} else {
		state, err = p.leader.Wait()
		p.mu.Lock()
		_ = syscall.Kill(-p.leader.Pid, syscall.SIGKILL)
	}
	defer p.mu.Unlock()
	p.reaped = true
	if p.statm != nil {
		p.statm.Close()
	}
	switch {
	case err != nil:
		return err.Error()
	case state.Success():
		return ""
	default:
		return state.String()
	}
}

// kill kills the process group.
func (p *process) kill() { p.signal(syscall.SIGKILL) }

// terminate asks the process group to end.
func (p *process) terminate() { p.signal(syscall.SIGTERM) }

func (p *process) signal(signal syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.reaped {
		// An error says that the group is gone.
		_ = syscall.Kill(-p.leader.Pid, signal)
	}
}

// groupPatience is how long a group may take to end after it was killed.
const groupPatience = 200 * time.Millisecond

// waitGroup waits until no process of a killed group is left whose leader is gone. Where
// this process is the first one of a container, the others are its children by now, which
// nobody else waits for.
func (p *process) waitGroup() {
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for began := time.Now(); time.Since(began) < groupPatience; {
		for {
			if pid, err := syscall.Wait4(-p.leader.Pid, nil, syscall.WNOHANG, nil); err != nil || pid <= 0 {
				break
			}
		}
		if syscall.Kill(-p.leader.Pid, 0) != nil {
			return
		}
		<-ticker.C
	}
}

// command returns what starts a runtime, and the variables that belong to it.
func (h *Host) command(spec *Spec, dir string) ([]string, map[string]string, *failure) {
	if command := h.config.Commands[spec.Runtime]; len(command) > 0 {
		return resolve(command, nil)
	}
	if strings.HasPrefix(spec.Runtime, "provided") {
		return bootstrap(dir)
	}
	if h.config.BootstrapCommand == nil {
		return nil, nil, &failure{kind: kindRuntime, text: fmt.Sprintf("There is no command for the runtime %q; configure one", spec.Runtime)}
	}
	command, extra, err := h.config.BootstrapCommand(spec.Runtime, spec.Memory)
	if err != nil {
		return nil, nil, &failure{kind: kindRuntime, text: err.Error()}
	}
	if len(command) == 0 {
		return nil, nil, &failure{kind: kindRuntime, text: fmt.Sprintf("There is no command for the runtime %q; configure one", spec.Runtime)}
	}
	return resolve(command, extra)
}

// resolve finds the program of a command.
func resolve(command []string, extra map[string]string) ([]string, map[string]string, *failure) {
	if strings.Contains(command[0], "/") {
		return command, extra, nil
	}
	program, err := exec.LookPath(command[0])
	if err != nil {
		return nil, nil, &failure{kind: kindEntrypoint, text: fmt.Sprintf("%s is not in PATH; install it, or configure another command", command[0])}
	}
	return append([]string{program}, command[1:]...), extra, nil
}

// bootstrap returns the program that a function brings itself.
func bootstrap(dir string) ([]string, map[string]string, *failure) {
	program, err := filepath.Abs(filepath.Join(dir, "bootstrap"))
	if err != nil {
		return nil, nil, codeFailure(err)
	}
	info, err := os.Stat(program)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil, &failure{kind: kindEntrypoint, text: fmt.Sprintf("Couldn't find valid bootstrap(s): [%s]", program)}
	case err != nil:
		return nil, nil, codeFailure(err)
	case !info.Mode().IsRegular() || info.Mode()&0o111 == 0:
		return nil, nil, &failure{kind: kindEntrypoint, text: fmt.Sprintf("Couldn't find valid bootstrap(s): [%s]: it is not an executable file", program)}
	}
	return []string{program}, nil, nil
}

// lookupCredential returns the user and the group of a system user, and no other groups.
func lookupCredential(name string) (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, fmt.Errorf("functions can run as user %s only if root starts them", name)
	}
	u, err := user.Lookup(name)
	if err != nil {
		return nil, fmt.Errorf("user of functions: %w", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("user %s of functions: %w", name, err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("user %s of functions: %w", name, err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid), Groups: []uint32{}}, nil
}
