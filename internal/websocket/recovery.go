package websocket

import (
	"encoding/json"
	"time"

	"golang.org/x/sync/errgroup"

	"penstock/internal/connection"
	"penstock/internal/gateway"
	"penstock/internal/journal"
)

// A record is a session in the journal.
type record struct {
	IAM      *gateway.IAMIdentity    `json:"iam,omitempty"`
	Lambda   *gateway.LambdaIdentity `json:"lambda,omitempty"`
	Latency  time.Duration           `json:"latency,omitempty"`
	Key      string                  `json:"key,omitempty"`
	APIKeyID string                  `json:"keyId,omitempty"`
}

// encode returns the session as the journal has it.
func (k *session) encode() []byte {
	r := record{Latency: k.latency, Key: k.key, APIKeyID: k.keyID}
	if i := k.identity; i != nil {
		r.IAM, r.Lambda = i.IAM, i.Lambda
	}
	b, _ := json.Marshal(r)
	return b
}

// decodeSession returns the session of an entry of the journal, nil if it had none.
func decodeSession(extra []byte) *session {
	var r record
	if len(extra) == 0 || json.Unmarshal(extra, &r) != nil {
		return nil
	}
	k := &session{latency: r.Latency, key: r.Key, keyID: r.APIKeyID}
	if r.IAM != nil || r.Lambda != nil {
		k.identity = &gateway.Identity{IAM: r.IAM, Lambda: r.Lambda}
	}
	return k
}

// maxRecovering is how many ends of connections are told at the same time.
const maxRecovering = 16

// Recover tells of the ends of connections that were open when an earlier process of the
// server ended without telling of them. It returns at once; Drain waits for it.
func (s *Server) Recover(entries []journal.Entry) {
	if len(entries) == 0 {
		return
	}
	s.log.Info("telling $disconnect of connections that a crash has ended", "connections", len(entries))
	s.events.Go(func() {
		var g errgroup.Group
		g.SetLimit(maxRecovering)
		for _, e := range entries {
			if s.draining.Load() {
				break // the rest after the next start
			}
			g.Go(func() error {
				info := connection.Info{
					ID: e.ID, API: e.API, Stage: e.Stage, DomainName: e.DomainName,
					SourceIP: e.SourceIP, UserAgent: e.UserAgent, ConnectedAt: e.ConnectedAt,
				}
				if k := decodeSession(e.Extra); k != nil {
					info.Owner = k
				}
				s.tell(&info, connection.Abnormal, "Connection closed abnormally")
				return nil
			})
		}
		g.Wait()
	})
}
