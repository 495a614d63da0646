package penstock

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"penstock/internal/accesslog"
	"penstock/internal/authorizer"
	"penstock/internal/connection"
	"penstock/internal/gateway"
	"penstock/internal/journal"
	"penstock/internal/websocket"
)

// JournalFile is the name of the file in [Config.Data] that says which WebSocket
// connections are open.
const JournalFile = "connections.journal"

// A socketServer is everything about WebSocket APIs that a server has.
type socketServer struct {
	server  *websocket.Server
	journal *journal.Journal
	open    []journal.Entry // when the process before ended
	logs    *accesslog.Destinations
}

// handlers is how many messages are handled at the same time at most: each takes a
// goroutine, which may wait for its backend as long as the timeout of an integration.
const handlers = 16 << 10

// openSockets makes what keeps WebSocket connections. The store has been opened: its lock
// is that of the journal, too.
func (s *Server) openSockets() (err error) {
	w := s.config.WebSockets
	k := &s.sockets
	if !s.config.Memory {
		path := filepath.Join(s.config.Data, JournalFile)
		if k.journal, k.open, err = journal.Open(path, journal.Options{Logger: s.log}); err != nil {
			return fmt.Errorf("data: %w", err)
		}
	}
	var list []accesslog.Destination
	for _, l := range s.config.ExecutionLogs {
		list = append(list, accesslog.Destination{
			ARN: l.DestinationARN, File: l.File, MaxSize: l.MaxSize, MaxFiles: l.MaxFiles, Stream: l.Stream, Writer: l.Writer,
		})
	}
	if k.logs, err = accesslog.Open(list, s.log); err != nil {
		return fmt.Errorf("executionLogs: %w", err)
	}
	callers, err := s.config.callers()
	if err != nil {
		return err
	}
	var keys []authorizer.APIKeySpec
	for _, one := range s.config.APIKeys {
		keys = append(keys, authorizer.APIKeySpec{
			ID: one.ID, Value: one.Value, Stages: one.Stages, Rate: one.Rate, Burst: one.Burst,
			Quota: one.Quota, Period: one.Period, Disabled: one.Disabled,
		})
	}
	known, err := authorizer.NewAPIKeys(keys, nil)
	if err != nil {
		return fmt.Errorf("apiKeys: %w", err)
	}
	var rate *gateway.Limit
	if w.ConnectRate >= 0 {
		rate = gateway.NewLimit(float64(w.ConnectRate), w.ConnectRate)
	}
	k.server = websocket.New(websocket.Config{
		Hub: connection.New(connection.Config{
			Limits: connection.Limits{
				Frame: w.Frame, Message: w.Message, Idle: w.IdleTimeout, Life: w.Lifetime,
				QueueBytes: w.QueueBytes, QueueMessages: w.QueueMessages, Stall: w.StallTimeout,
				InFlight: w.InFlight, InFlightBytes: w.InFlightBytes,
			},
			Ordered:      w.Ordered,
			PingInterval: w.PingInterval,
			Workers:      handlers,
			Logger:       s.log,
		}),
		Journal: k.journal,
		Management: authorizer.NewManagement(authorizer.ManagementSpec{
			Callers:      callers,
			Require:      w.RequireSignature == nil || *w.RequireSignature,
			AnySignature: s.onLoopback(),
		}),
		Keys:         known,
		Rate:         rate,
		MessageLimit: w.Message,
		Compression:  w.Compression,
		Metrics:      s.metrics,
		Logger:       s.log,
	})
	k.server.Use(s.gateway)
	return nil
}

// recover tells of the connections that were open when the process before ended.
func (k *socketServer) recover() {
	k.server.Recover(k.open)
	k.open = nil
}

// closeTimeout is how long the ends of connections may take to be told when everything is
// cut off. Those that are not are told after the next start.
const closeTimeout = 2 * time.Second

// cutTimeout is how long backends may take to notice that nobody waits for them any more.
const cutTimeout = time.Second

// close ends all connections that are left, and what their events still wait for.
func (k *socketServer) close(g *gateway.Server) error {
	if k.server != nil {
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		k.server.Drain(ctx)
	}
	// What is cut off was not told: the journal must not hear that it was.
	err := k.journal.Close()
	if k.server != nil {
		ctx, cancel := context.WithTimeout(context.Background(), cutTimeout)
		defer cancel()
		g.CutOff(ctx)
	}
	return errors.Join(err, k.logs.Close())
}

// executionLog returns where the execution logs of stages go: to a destination of the
// configuration, or else to the log of the server.
func (s *Server) executionLog() func(apiID, stage string) websocket.Sink {
	return func(apiID, stage string) websocket.Sink {
		group := "/aws/apigateway/" + apiID + "/" + stage
		arn := strings.Join([]string{"arn:aws:logs", s.config.Region, s.config.AccountID, "log-group", group}, ":")
		if sink := s.sockets.logs.Sink(arn); sink != nil {
			return sink
		}
		return serverLog{s, group}
	}
}

// A serverLog writes an execution log to the log of the server.
type serverLog struct {
	server *Server
	group  string
}

// Write implements websocket.Sink.
func (l serverLog) Write(line []byte) {
	l.server.log.Info("execution log", "group", l.group, "line", string(line))
}
