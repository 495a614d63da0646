//go:build conformance

package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// A toxiproxy stands between the gateway and an upstream and does to their connections
// what it is told to.
type toxiproxy struct {
	t     *testing.T
	admin string // http://127.0.0.1:PORT
	url   string // of the upstream, through the proxy
}

// A toxic is what happens to the bytes in one direction.
type toxic struct {
	Type       string
	Stream     string // upstream: from the gateway; downstream: to it
	Attributes object
}

// toxics starts a proxy before an upstream.
func toxics(t *testing.T, upstream string) *toxiproxy {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free := l.Addr().String()
	l.Close()
	cmd := exec.Command(tool(t, "toxiproxy-server"), "-host", "127.0.0.1", "-port", port(free))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	x := &toxiproxy{t: t, admin: "http://" + free}
	if !eventually(10*time.Second, func() bool {
		_, _, err := get(http.DefaultClient, "GET", x.admin+"/version", "")
		return err == nil
	}) {
		t.Fatal("toxiproxy does not answer")
	}
	out := x.do("POST", "/proxies", object{"name": "upstream", "listen": "127.0.0.1:0", "upstream": strings.TrimPrefix(upstream, "http://"), "enabled": true})
	x.url = "http://" + out["listen"].(string)
	// Its port must be the same after the proxy was switched off.
	x.do("POST", "/proxies/upstream", object{"listen": out["listen"]})
	return x
}

// do calls the API of the proxy.
func (x *toxiproxy) do(method, path string, in any) object {
	x.t.Helper()
	text, err := json.Marshal(in)
	if err != nil {
		x.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(x.t.Context(), method, x.admin+path, bytes.NewReader(text))
	if err != nil {
		x.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		x.t.Fatalf("toxiproxy: %v", err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode/100 != 2 {
		x.t.Fatalf("toxiproxy: %s %s: %s %s %v", method, path, resp.Status, got, err)
	}
	out := object{}
	if len(got) > 0 {
		if err := json.Unmarshal(got, &out); err != nil {
			x.t.Fatalf("toxiproxy: %s: %v", got, err)
		}
	}
	return out
}

// enable switches the proxy on or off: off, its connections end and nobody listens.
func (x *toxiproxy) enable(on bool) {
	x.t.Helper()
	x.do("POST", "/proxies/upstream", object{"enabled": on})
}

// with adds toxics for the time of a call.
func (x *toxiproxy) with(all []toxic, call func()) {
	x.t.Helper()
	for i, one := range all {
		name := fmt.Sprintf("toxic%d", i)
		x.do("POST", "/proxies/upstream/toxics", object{"name": name, "type": one.Type, "stream": one.Stream, "toxicity": 1, "attributes": one.Attributes})
		defer x.do("DELETE", "/proxies/upstream/toxics/"+name, nil)
	}
	call()
}
