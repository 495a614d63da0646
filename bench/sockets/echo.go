//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"

	coder "github.com/coder/websocket"
	gorilla "github.com/gorilla/websocket"
	"github.com/lxzan/gws"
)

// serveEcho listens on a loopback port, says where, and sends every message back until
// the context ends. Each server is set up as its own documentation does it.
func serveEcho(ctx context.Context, name string) error {
	serve, ok := map[string]func(net.Listener) error{
		"gws":      serveGWS,
		"gws-http": overHTTP(upgradeGWS),
		"gorilla":  overHTTP(upgradeGorilla),
		"coder":    overHTTP(upgradeCoder),
	}[name]
	if !ok {
		return fmt.Errorf("serve: no server is called %q", name)
	}
	return listen(ctx, serve)
}

// serveBackend is what an HTTP_PROXY integration calls.
func serveBackend(ctx context.Context) error {
	return listen(ctx, overHTTP(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
		_, _ = w.Write(body)
	}))
}

// listen says where it listens as Penstock does. It ends with the context, as programs
// that are stopped do.
func listen(ctx context.Context, serve func(net.Listener) error) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("listening listen=http://%s\n", l.Addr())
	done := make(chan error, 1)
	go func() { done <- serve(l) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return nil
	}
}

func overHTTP(handle http.HandlerFunc) func(net.Listener) error {
	return func(l net.Listener) error { return http.Serve(l, handle) }
}

// echoing sends messages back. What else happens to a connection is left to the library.
type echoing struct{ gws.BuiltinEventHandler }

func (echoing) OnMessage(c *gws.Conn, m *gws.Message) {
	defer m.Close()
	_ = c.WriteMessage(m.Opcode, m.Bytes()) // a connection that fails ends its read loop
}

func serveGWS(l net.Listener) error {
	server := gws.NewServer(echoing{}, &gws.ServerOption{})
	server.OnError = func(net.Conn, error) {} // the load generator counts what fails
	return server.RunListener(l)
}

var gwsUpgrader = gws.NewUpgrader(echoing{}, &gws.ServerOption{})

// upgradeGWS leaves the goroutine of net/http for one of its own, which is what gws says
// to do: the first one keeps buffers alive.
func upgradeGWS(w http.ResponseWriter, r *http.Request) {
	c, err := gwsUpgrader.Upgrade(w, r)
	if err != nil {
		return
	}
	go c.ReadLoop()
}

var gorillaUpgrader = gorilla.Upgrader{}

func upgradeGorilla(w http.ResponseWriter, r *http.Request) {
	c, err := gorillaUpgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer c.Close()
	for {
		kind, text, err := c.ReadMessage()
		if err != nil || c.WriteMessage(kind, text) != nil {
			return
		}
	}
}

func upgradeCoder(w http.ResponseWriter, r *http.Request) {
	c, err := coder.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer func() { _ = c.CloseNow() }()
	for {
		kind, text, err := c.Read(r.Context())
		if err != nil || c.Write(r.Context(), kind, text) != nil {
			return
		}
	}
}
