package websocket

import (
	"context"
	"testing"
	"time"

	"penstock/internal/connection"
	"penstock/internal/gateway"
	"penstock/internal/journal"
	"penstock/internal/pipeline"
)

// A brokenLog panics.
type brokenLog struct{}

func (brokenLog) Log(*pipeline.Event) { panic("broken") }

// newServer returns a server with a stage, dev of the API a, that is served.
func newServer(t *testing.T, j *journal.Journal, log AccessLog) (*Server, *Stage) {
	t.Helper()
	s := New(Config{Hub: connection.New(connection.Config{}), Journal: j})
	api := &gateway.API{ID: "a", WebSocket: true}
	st := &Stage{Server: s, API: api, APIID: "a", Name: "dev", AccessLog: log}
	st.Gateway = &gateway.Stage{APIID: "a", Name: "dev", Sockets: st}
	api.Stages = map[string]*gateway.Stage{"dev": st.Gateway}
	g := gateway.NewServer(gateway.Config{Region: "us-east-1"})
	g.Publish(gateway.NewSnapshot(1, []*gateway.API{api}))
	s.Use(g)
	t.Cleanup(func() { s.Drain(context.Background()) })
	return s, st
}

// TestEndPanics: an end that cannot be told is over all the same: it is counted, and neither
// stops the server nor comes back at each start.
func TestEndPanics(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/journal"
	j, _, err := journal.Open(path, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	entry := journal.Entry{ID: connection.NewID(), API: "a", Stage: "dev", SourceIP: "192.0.2.1", ConnectedAt: time.Now()}
	if err := j.Add(&entry); err != nil {
		t.Fatal(err)
	}
	s, st := newServer(t, j, brokenLog{})
	s.Recover([]journal.Entry{entry})
	s.events.Wait()
	s.enter(st)
	s.closed(&connection.Info{ID: connection.NewID(), API: "a", Stage: "dev"}, connection.Normal, "")
	if len(s.stages) != 0 {
		t.Errorf("a connection that has ended is counted: %v", s.stages)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j, open, err := journal.Open(path, journal.Options{})
	if err != nil || len(open) != 0 {
		t.Errorf("open after all: %v, %v", open, err)
	}
	j.Close()
}
