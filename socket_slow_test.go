package penstock_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"penstock/internal/sigv4"
)

// slowVariable says how many connections do not read, and how many do, in TestSlowReaders.
const slowVariable = "PENSTOCK_SLOW_READERS"

// slowDialer makes connections for which hardly anything fits into the kernel: the client
// announces a small window, and small segments keep the buffer of the server small.
var slowDialer = net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
	var err error
	control := c.Control(func(fd uintptr) {
		if err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4096); err == nil {
			err = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_MAXSEG, 1400)
		}
	})
	if control != nil {
		return control
	}
	return err
}}

// resident returns the memory of a process, in bytes.
func resident(t testing.TB, pid int) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Skipf("how much memory a process has cannot be read here: %v", err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	kilobytes, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kilobytes << 10
}

// signed sends a signed request to the data plane of a server and returns the answer.
func (k *childServer) signed(client *http.Client, api, method, target, body string) (string, error) {
	r, err := http.NewRequest(method, "http://"+k.addr+target, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	r.Host = host(api)
	signer := sigv4.Signer{Credential: *somebody, Region: "us-east-1", Service: "execute-api"}
	if err := signer.Sign(r, []byte(body)); err != nil {
		return "", err
	}
	resp, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode >= 300 {
		err = fmt.Errorf("%s %s got %s %s", method, target, resp.Status, text)
	}
	return string(text), err
}

// join makes connections the members of a group.
func (k *childServer) join(api, group string, ids []string) {
	k.t.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}}
	defer client.CloseIdleConnections()
	var g errgroup.Group
	g.SetLimit(8)
	for _, id := range ids {
		g.Go(func() error {
			_, err := k.signed(client, api, http.MethodPut, "/dev/@groups/"+group+"/"+id, "")
			return err
		})
	}
	if err := g.Wait(); err != nil {
		k.t.Fatal(err)
	}
}

// wireOf returns the frames of a message.
func wireOf(text string) []byte {
	const most = 32 << 10
	var b []byte
	for first := byte(opText); ; first = opContinuation {
		n := min(len(text), most)
		if n == len(text) {
			first |= 0x80
		}
		b = append(b, first, 126, byte(n>>8), byte(n))
		b = append(b, text[:n]...)
		if text = text[n:]; text == "" {
			return b
		}
	}
}

// expect reads what must come next.
func (s *socket) expect(want []byte) error {
	var room [4096]byte
	for at := 0; at < len(want); {
		n, err := s.br.Read(room[:min(len(room), len(want)-at)])
		if !bytes.Equal(room[:n], want[at:at+n]) {
			return fmt.Errorf("something else came in the place of byte %d of %d", at, len(want))
		}
		if at += n; err != nil {
			return fmt.Errorf("%w after %d of %d bytes", err, at, len(want))
		}
	}
	return nil
}

// percentile returns the part p of some durations, which it sorts.
func percentile(all []time.Duration, p float64) time.Duration {
	slices.Sort(all)
	return all[int(p*float64(len(all)-1))]
}

// TestSlowReaders: many that do not read cost no more than a queue of pointers to what is
// sent to all, do not delay those that read, and are ended. PENSTOCK_SLOW_READERS says how
// many there are, and as many that read.
func TestSlowReaders(t *testing.T) { // not parallel: it measures
	const messages, pingers = 20, 4
	n := fewer(2000)
	if v := os.Getenv(slowVariable); v != "" {
		var err error
		if n, err = strconv.Atoi(v); err != nil {
			t.Fatal(err)
		}
	}
	told := newTelling(t)
	k := startChild(t, childConfig{Recorder: told.URL, Stall: 2 * time.Second})
	api := k.sockets(socketSpec{routes: map[string]socketRoute{"id": says("$context.connectionId"), "$disconnect": lambdaRoute("tell")}})
	good, goodIDs := k.clients(n, api, "/dev")
	echo, _ := k.clients(pingers, api, "/dev")
	slow := make([]*socket, n)
	for i := range slow {
		nc, err := slowDialer.Dial("tcp", k.addr)
		if err != nil {
			t.Fatal(err)
		}
		slow[i] = k.connectOn(nc, api, "/dev")
	}
	slowIDs := idsOf(t, slow)
	k.join(api, "good", goodIDs)
	k.join(api, "all", slices.Concat(goodIDs, slowIDs))
	longer(slices.Concat(good, echo, slow))

	body := strings.Repeat("x", 128<<10-2)
	wires := make([][]byte, messages)
	for i := range wires {
		wires[i] = wireOf(fmt.Sprintf("%02d", i) + body)
	}
	client := &http.Client{}
	defer client.CloseIdleConnections()
	// broadcast says something to a group, and waits until all that read have it.
	broadcast := func(group string, i int) (answer string) {
		var readers errgroup.Group
		for _, s := range good {
			readers.Go(func() error { return s.expect(wires[i]) })
		}
		answer, err := k.signed(client, api, http.MethodPost, "/dev/@groups/"+group, fmt.Sprintf("%02d", i)+body)
		if err == nil {
			err = readers.Wait()
		}
		if err != nil {
			t.Fatalf("message %d to the group %s: %v", i, group, err)
		}
		return answer
	}
	// beside measures how long others wait for answers while f runs.
	beside := func(f func()) time.Duration {
		ctx, stop := context.WithCancel(t.Context())
		var mu sync.Mutex // guards all
		var all []time.Duration
		var g sync.WaitGroup
		for _, s := range echo {
			g.Go(func() {
				for ctx.Err() == nil {
					start := time.Now()
					s.nc.Write(appendFrame(nil, 0x80|opText, `{"action":"id"}`))
					first, text, err := s.read()
					took := time.Since(start)
					if err != nil || first != 0x80|opText || len(text) != 16 {
						t.Errorf("got %#x %q %v", first, text, err)
						return
					}
					mu.Lock()
					all = append(all, took)
					mu.Unlock()
				}
			})
		}
		f()
		stop()
		g.Wait()
		if len(all) == 0 {
			t.Fatal("nobody was answered")
		}
		return percentile(all, 0.99)
	}

	alone := beside(func() {
		for i := range messages / 4 {
			if answer, want := broadcast("good", i), fmt.Sprintf(`{"sent":%d,"failed":0}`, n); answer != want {
				t.Errorf("the answer to message %d is %s, want %s", i, answer, want)
			}
		}
	})
	before := resident(t, k.process.Process.Pid)
	most, failed := before, 0
	together := beside(func() {
		for i := range messages {
			var sent, full int
			if _, err := fmt.Sscanf(broadcast("all", i), `{"sent":%d,"failed":%d}`, &sent, &full); err != nil || sent < n {
				t.Errorf("message %d was sent to %d: %v", i, sent, err)
			}
			failed = max(failed, full)
			most = max(most, resident(t, k.process.Process.Pid))
		}
	})
	// All messages together, once, and what each queue needs to point to them. Copies would
	// be a megabyte for each of those that do not read.
	bound := int64(messages*128<<10+n*16<<10) + 96<<20
	t.Logf("%d read and %d do not: memory grew by %d KiB, want %d at most; answers took %v, without the slow ones %v (99 of 100)",
		n, n, (most-before)>>10, bound>>10, together, alone)
	if most-before > bound {
		t.Errorf("memory grew by %d KiB, want %d at most", (most-before)>>10, bound>>10)
	}
	if together > 2*alone+50*time.Millisecond {
		t.Errorf("99 of 100 answers took %v at most, and without the slow ones %v", together, alone)
	}
	if failed < n*9/10 {
		t.Errorf("the queues of only %d of %d were full", failed, n)
	}
	told.wait(t, n)
	if got := told.count(); got != n {
		t.Errorf("%d connections ended, want the %d that did not read", got, n)
	}
	told.mu.Lock()
	defer told.mu.Unlock()
	for _, id := range slowIDs {
		if e := told.ends[id]; len(e) != 1 || at(e[0], "requestContext.disconnectStatusCode") != float64(1011) {
			t.Fatalf("the end of connection %s, which did not read: %v", id, e)
		}
	}
	for _, s := range slow {
		s.nc.Close()
	}
	idsOf(t, good) // they are still there
}
