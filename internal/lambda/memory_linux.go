package lambda

import (
	"bytes"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// sampleInterval is how often the memory of busy environments is looked at.
	sampleInterval = 50 * time.Millisecond
	// scanInterval is how often all processes are gone through for those of the groups
	// of environments, and idleScanInterval how often while nothing is busy. Going
	// through them takes at most a scanShare-th of the time.
	scanInterval     = 250 * time.Millisecond
	idleScanInterval = 2 * time.Second
	scanShare        = 20
	// quietTime is how long environments are still looked at after the last was busy.
	quietTime = time.Second
	// maxProcesses is how many processes an environment may have. Source: Lambda quotas.
	maxProcesses = 1024
)

var pageSize = int64(os.Getpagesize())

// A watcher looks at how much memory environments use: that of all processes of the
// group which is resident. An interpreter's own share counts. Pages that processes share
// are counted for each at first, which is quick; if that is too much, each gets its part
// of them, so that a process that has forked does not count twice.
type watcher struct {
	host    *Host
	members map[*environment][]int // the others of each group, if it has others
	shared  map[*environment]int64 // what is counted too often, as it was measured last
	groups  map[int]*group         // by number
	buffer  []byte
}

func newWatcher(h *Host) *watcher {
	return &watcher{
		host:    h,
		members: make(map[*environment][]int),
		shared:  make(map[*environment]int64),
		groups:  make(map[int]*group),
		buffer:  make([]byte, 1024),
	}
}

// A group is what a scan has found of a process group.
type group struct {
	environment *environment
	members     []int // without the leader
	processes   int
	memory      int64
}

// watch looks at environments until the host has closed.
func (h *Host) watch() {
	w := newWatcher(h)
	timer := time.NewTimer(idleScanInterval)
	defer timer.Stop()
	var scanned, quiet time.Time
	for {
		select {
		case <-h.stop:
			return
		case <-h.wake:
			quiet = time.Time{}
		case <-timer.C:
		}
		now := time.Now()
		rests := !quiet.IsZero() && now.Sub(quiet) > quietTime
		environments, busy := w.environments(rests)
		pause := sampleInterval
		switch {
		case busy > 0:
			quiet = time.Time{}
		case quiet.IsZero():
			quiet = now
		case rests:
			pause = idleScanInterval
		}
		if len(environments) == 0 {
			timer.Reset(pause)
			continue
		}
		if now.Sub(scanned) >= scanInterval {
			w.scan(environments)
			took := time.Since(now)
			// Many processes take long to go through: then it is done less often.
			scanned = now.Add(max(0, scanShare*took-scanInterval))
		} else {
			w.sample(environments)
		}
		timer.Reset(pause)
	}
}

// environments returns all environments, and how many of them are busy: have an
// invocation, or initialise. If none is, the watcher may rest until one is.
func (w *watcher) environments(rests bool) ([]*environment, int) {
	h := w.host
	h.mu.Lock()
	defer h.mu.Unlock()
	all, busy := make([]*environment, 0, len(h.members)), h.busy
	for e := range h.members {
		all = append(all, e)
		if e.place == starting {
			busy++
		}
	}
	if busy == 0 && rests {
		h.watching = false
	}
	return all, busy
}

// sample looks at the processes that the last scan has found, of environments that do
// not end what they do within an interval. For the others scans are enough.
func (w *watcher) sample(environments []*environment) {
	for _, e := range environments {
		p := e.laboring(sampleInterval)
		if p == nil {
			continue
		}
		memory := p.memory()
		for _, pid := range w.members[e] {
			memory += memoryOf(pid)
		}
		w.judge(e, memory, 1)
	}
}

// scan goes through all processes.
func (w *watcher) scan(environments []*environment) {
	clear(w.groups)
	clear(w.members)
	clear(w.shared)
	for _, e := range environments {
		if p := e.current(); p != nil {
			w.groups[p.leader.Pid] = &group{environment: e}
		}
	}
	proc, err := os.Open("/proc")
	if err != nil {
		return
	}
	defer proc.Close()
	names, err := proc.Readdirnames(-1)
	if err != nil {
		return
	}
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		number, memory, ok := w.stat(name)
		g := w.groups[number]
		if !ok || g == nil {
			continue
		}
		g.processes++
		g.memory += memory
		if pid != number {
			g.members = append(g.members, pid)
		}
	}
	for _, g := range w.groups {
		if len(g.members) > 0 {
			w.members[g.environment] = g.members
		}
		w.judge(g.environment, g.memory, g.processes)
	}
}

// judge ends an environment that uses more than it may.
func (w *watcher) judge(e *environment, memory int64, processes int) {
	limit := int64(e.pool.spec.Memory) << 20
	if memory -= w.shared[e]; limit > 0 && memory > limit && len(w.members[e]) > 0 && processes <= maxProcesses {
		parts := w.parts(e)
		w.shared[e] += memory - parts
		memory = parts
	}
	e.observe(memory)
	if limit > 0 && memory > limit || processes > maxProcesses {
		e.exhaust()
	}
}

// parts returns how much memory a group uses if pages that processes share are divided
// among them.
func (w *watcher) parts(e *environment) int64 {
	var memory int64
	if p := e.current(); p != nil {
		memory = w.part(p.leader.Pid)
	}
	for _, pid := range w.members[e] {
		memory += w.part(pid)
	}
	return memory
}

// part returns how many bytes a process uses, with its part of what it shares; all of
// that if the system does not say.
func (w *watcher) part(pid int) int64 {
	b, _ := readProc("/proc/"+strconv.Itoa(pid)+"/smaps_rollup", w.buffer)
	_, rest, ok := bytes.Cut(b, []byte("\nPss:"))
	number, _, ok2 := bytes.Cut(bytes.TrimLeft(rest, " \t"), []byte(" kB\n"))
	n, err := strconv.ParseInt(string(number), 10, 64)
	if !ok || !ok2 || err != nil {
		return memoryOf(pid)
	}
	return n << 10
}

// stat reads the group of a process and the memory that it uses. It reports false if
// there is no such process.
func (w *watcher) stat(name string) (number int, memory int64, ok bool) {
	b, ok := readProc("/proc/"+name+"/stat", w.buffer)
	if !ok {
		return 0, 0, false
	}
	// The name of the program may have spaces and parentheses in it.
	i := bytes.LastIndexByte(b, ')')
	if i < 0 {
		return 0, 0, false
	}
	fields := bytes.Fields(b[i+1:])
	if len(fields) < 22 {
		return 0, 0, false
	}
	// They are numbers 3 and up of proc_pid_stat: 5 is the group, 24 the pages.
	number, err := strconv.Atoi(string(fields[2]))
	if err != nil {
		return 0, 0, false
	}
	pages, err := strconv.ParseInt(string(fields[21]), 10, 64)
	return number, pages * pageSize, err == nil
}

// readProc reads a file of a few bytes. It reports false if the process is gone.
func readProc(path string, buffer []byte) ([]byte, bool) {
	// Package os would ask the system more about a file than there is to read.
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, false
	}
	n, err := unix.Read(fd, buffer)
	_ = unix.Close(fd)
	if err != nil || n <= 0 {
		return nil, false
	}
	return buffer[:n], true
}

// openMemory opens what the system says of the memory of a process.
func openMemory(pid int) *os.File {
	f, err := os.Open("/proc/" + strconv.Itoa(pid) + "/statm")
	if err != nil {
		return nil
	}
	return f
}

// memory returns how many bytes the leader of a group uses; 0 if it has ended.
func (p *process) memory() int64 {
	if p == nil || p.statm == nil {
		return 0
	}
	var buffer [128]byte
	n, _ := p.statm.ReadAt(buffer[:], 0)
	return resident(buffer[:n])
}

// memoryOf returns how many bytes a process uses; 0 if it has ended.
func memoryOf(pid int) int64 {
	var buffer [128]byte
	b, _ := readProc("/proc/"+strconv.Itoa(pid)+"/statm", buffer[:])
	return resident(b)
}

// resident returns the second number of statm, in bytes.
func resident(statm []byte) int64 {
	_, rest, _ := bytes.Cut(statm, []byte(" "))
	pages, _, _ := bytes.Cut(rest, []byte(" "))
	n, err := strconv.ParseInt(string(pages), 10, 64)
	if err != nil {
		return 0
	}
	return n * pageSize
}
