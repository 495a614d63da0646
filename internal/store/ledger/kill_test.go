package ledger_test

import (
	"bufio"
	"context"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"penstock/internal/store"
	"penstock/internal/store/ledger"
)

// The test binary is also the process that gets killed: see TestKill.
const childVariable = "PENSTOCK_LEDGER_CHILD"

func TestMain(m *testing.M) {
	if path := os.Getenv(childVariable); path != "" {
		if err := writeForEver(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// killKeep keeps all commits of a round, of which there are a few thousand.
var killKeep = store.Keep{Commits: 1 << 20, Bytes: 1 << 30}

// writeForEver appends from several goroutines and prints the revision and the hash
// of each commit when it is acknowledged. It returns only on an error.
func writeForEver(path string) error {
	l, err := ledger.Open(path, ledger.Options{Keep: killKeep})
	if err != nil {
		return err
	}
	fmt.Println("open")
	errs := make(chan error)
	for w := range 4 {
		go func() {
			random := rand.New(rand.NewPCG(uint64(w), uint64(os.Getpid())))
			for {
				c, err := l.Append(context.Background(), killBatch(random))
				if err != nil {
					errs <- err
					return
				}
				// One short write to a pipe is whole or not there.
				fmt.Printf("%d %x\n", c.Rev, c.Hash)
			}
		}()
	}
	return <-errs
}

// killBatch changes two documents in the same way, so that half a commit shows.
func killBatch(random *rand.Rand) store.Batch {
	k := random.IntN(20)
	left, right := fmt.Sprint("left.", k), fmt.Sprint("right.", k)
	if random.IntN(10) == 0 {
		return store.Batch{Changes: []store.Change{{Key: left, Delete: true}, {Key: right, Delete: true}}}
	}
	size := 100
	if random.IntN(20) == 0 {
		size = 20_000
	}
	data := []byte(strings.Repeat(strconv.Itoa(random.IntN(1e9)), 1+random.IntN(size)/9))
	return store.Batch{Actor: "child", Changes: []store.Change{{Key: left, Data: data}, {Key: right, Data: data}}}
}

// A process that writes as fast as it can is killed at a random moment, again and
// again. Every commit that it was told is durable is there afterwards, with the
// same hash, and no commit by half. PENSTOCK_KILL_ROUNDS says how often, 5 times if
// it does not say.
func TestKill(t *testing.T) {
	t.Parallel()
	rounds := number(t, "PENSTOCK_KILL_ROUNDS", 5)
	path := newPath(t)
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	total := 0
	var slowest time.Duration
	for round := range rounds {
		if round%10 == 9 { // the file would become too large to be read often
			path = filepath.Join(filepath.Dir(path), fmt.Sprint(round, ".db"))
		}
		early := round%5 == 0 // perhaps before the file is there, the first time
		acknowledged := killOne(t, path, early, time.Duration(random.IntN(150_000))*time.Microsecond)
		start := time.Now()
		l := mustOpen(t, path, killKeep)
		slowest = max(slowest, time.Since(start))
		checkAcknowledged(t, l, acknowledged)
		mustClose(t, l)
		total += len(acknowledged)
	}
	t.Logf("%d rounds, %d acknowledged commits, none lost; slowest open %v", rounds, total, slowest)
	if total < rounds {
		t.Errorf("only %d commits in %d rounds: nothing was tested", total, rounds)
	}
	if slowest > 2*time.Second {
		t.Errorf("opening took %v", slowest)
	}
}

// killOne lets a process write to path, kills it some time after its start or its
// first commit, and returns the hashes of the commits it acknowledged.
func killOne(t *testing.T, path string, early bool, after time.Duration) map[uint64]string {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), childVariable+"="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	var once sync.Once
	kill := func() { once.Do(func() { cmd.Process.Kill() }) }
	defer time.AfterFunc(time.Minute, kill).Stop()
	if early {
		time.AfterFunc(after/5, kill)
	}

	acknowledged := make(map[uint64]string)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		rev, hash, ok := strings.Cut(lines.Text(), " ")
		if !ok { // "open"
			continue
		}
		n, err := strconv.ParseUint(rev, 10, 64)
		must(t, err)
		if len(acknowledged) == 0 && !early {
			time.AfterFunc(after, kill)
		}
		acknowledged[n] = hash
	}
	cmd.Wait()
	if cmd.ProcessState.Exited() || len(acknowledged) == 0 && !early {
		t.Fatalf("the process ended by itself after %d commits: %v", len(acknowledged), cmd.ProcessState)
	}
	return acknowledged
}

func checkAcknowledged(t *testing.T, s store.Store, acknowledged map[uint64]string) {
	t.Helper()
	commits, err := s.Read(t.Context(), 0)
	must(t, err)
	for rev, hash := range acknowledged {
		if rev > uint64(len(commits)) || hex.EncodeToString(commits[rev-1].Hash[:]) != hash {
			t.Fatalf("commit %d was acknowledged with hash %s and is not there; the last one is %d", rev, hash, len(commits))
		}
	}
	left, right := s.List("left."), s.List("right.")
	if len(left) != len(right) {
		t.Fatalf("%d left and %d right documents: a commit is there by half", len(left), len(right))
	}
	for i := range left {
		if left[i].Rev != right[i].Rev || string(left[i].Data) != string(right[i].Data) {
			t.Fatalf("%s has revision %d, %s %d: a commit is there by half", left[i].Key, left[i].Rev, right[i].Key, right[i].Rev)
		}
	}
}

// number returns the value of an environment variable.
func number(t *testing.T, variable string, otherwise int) int {
	t.Helper()
	s := os.Getenv(variable)
	if s == "" {
		return otherwise
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		t.Fatalf("%s is %q, not a number of at least 1", variable, s)
	}
	return n
}
