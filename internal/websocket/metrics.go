package websocket

import (
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"penstock/internal/connection"
	"penstock/internal/gateway"
	"penstock/internal/pipeline"
)

// A meter counts the events of a stage or of one route. Names and units are those of the
// service (developer guide, apigateway-websocket-api-logging).
type meter struct {
	connects, messages, integrationErrors, clientErrors, executionErrors prometheus.Counter
	latency                                                              prometheus.Observer
}

// A meterCell remembers a meter where it is used.
type meterCell = atomic.Pointer[meter]

// meters hands out the meters. They outlive snapshots.
type meters struct {
	connects, messages, integrationErrors, clientErrors, executionErrors *prometheus.CounterVec
	latency                                                              *prometheus.HistogramVec

	// lost is for what is told of stages that have gone: it is in no series.
	lost *meter

	mu    sync.Mutex // guards known
	known map[meterKey]*meter
}

type meterKey struct{ api, stage, route string }

var meterLabels = []string{"ApiId", "Stage", "Route"}

func newMeters(r prometheus.Registerer) *meters {
	counter := func(name, help string) *prometheus.CounterVec {
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "aws_apigateway", Name: name, Help: help}, meterLabels)
		r.MustRegister(v)
		return v
	}
	latency := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: "aws_apigateway", Name: "websocket_integration_latency_milliseconds",
		Help:    "IntegrationLatency: time from an event of a WebSocket API to the answer of its backend.",
		Buckets: []float64{.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000},
	}, meterLabels)
	r.MustRegister(latency)
	nowhere := func() prometheus.Counter { return prometheus.NewCounter(prometheus.CounterOpts{Name: "lost"}) }
	return &meters{
		lost: &meter{nowhere(), nowhere(), nowhere(), nowhere(), nowhere(), prometheus.NewHistogram(prometheus.HistogramOpts{Name: "lost"})},

		connects:          counter("connect_count_total", "ConnectCount: handshakes that were sent to the integration of $connect."),
		messages:          counter("message_count_total", "MessageCount: messages of WebSocket APIs, from clients and to them."),
		integrationErrors: counter("integration_error_total", "IntegrationError: events whose integration answered with 4xx or 5xx, or failed."),
		clientErrors:      counter("client_error_total", "ClientError: events refused with 4xx before an integration was called."),
		executionErrors:   counter("execution_error_total", "ExecutionError: events whose integration could not be called."),
		latency:           latency,
		known:             map[meterKey]*meter{},
	}
}

// observe reports how many connections and groups there are.
func observe(r prometheus.Registerer, hub *connection.Hub, bus *localBus) {
	gauge := func(name, help string, value func() int) {
		r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return float64(value()) }))
	}
	gauge("penstock_websocket_connections", "Open WebSocket connections.", hub.Total)
	gauge("penstock_websocket_groups", "Groups that WebSocket connections are in.", bus.count)
}

// of returns the meter of a route, if it has one of its own, or of its stage. The route may
// be nil. Connections may end after their stage, and must not bring its series back.
func (m *meters) of(st *Stage, r *Route) *meter {
	cell, key := &st.meter, meterKey{st.APIID, st.Name, ""}
	if r != nil && r.Gateway.Detailed {
		cell, key.route = &r.meter, r.Gateway.Key
	}
	if found := cell.Load(); found != nil {
		return found
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	found := m.known[key]
	if found == nil && stageOf(st.Server.gateway.Snapshot(), stageKey{key.api, key.stage}) == nil {
		return m.lost
	}
	if found == nil {
		found = &meter{
			connects:          m.connects.WithLabelValues(key.api, key.stage, key.route),
			messages:          m.messages.WithLabelValues(key.api, key.stage, key.route),
			integrationErrors: m.integrationErrors.WithLabelValues(key.api, key.stage, key.route),
			clientErrors:      m.clientErrors.WithLabelValues(key.api, key.stage, key.route),
			executionErrors:   m.executionErrors.WithLabelValues(key.api, key.stage, key.route),
			latency:           m.latency.WithLabelValues(key.api, key.stage, key.route),
		}
		m.known[key] = found
	}
	cell.Store(found)
	return found
}

// ended counts how an event has ended. What a backend said, or a function that failed, is the
// integration's; what kept them from being asked, or from answering in time, is not.
func (m *meters) ended(st *Stage, r *Route, e *pipeline.Event) {
	meter, x := m.of(st, r), e.Exchange
	switch outcome := &x.Integration; {
	case outcome.Status >= http.StatusBadRequest || outcome.Failed:
		meter.integrationErrors.Inc()
	case e.Failure == nil || e.Failure.Status < http.StatusBadRequest:
	case e.Failure.Status < http.StatusInternalServerError:
		meter.clientErrors.Inc()
	default:
		meter.executionErrors.Inc()
	}
	if x.IntegrationLatency > 0 && r != nil && !r.Mock {
		meter.latency.Observe(float64(x.IntegrationLatency) / float64(time.Millisecond))
	}
}

// sweep drops the meters of what a snapshot does not have.
func (m *meters) sweep(next *gateway.Snapshot) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for k := range m.known {
		st := stageOf(next, stageKey{k.api, k.stage})
		if st != nil && (k.route == "" || st.has(k.route)) {
			continue
		}
		delete(m.known, k)
		for _, v := range []*prometheus.CounterVec{m.connects, m.messages, m.integrationErrors, m.clientErrors, m.executionErrors} {
			v.DeleteLabelValues(k.api, k.stage, k.route)
		}
		m.latency.DeleteLabelValues(k.api, k.stage, k.route)
	}
}

// has reports whether the stage has a route with a key.
func (st *Stage) has(key string) bool {
	for _, r := range st.Gateway.Routes {
		if r.Key == key {
			return true
		}
	}
	return false
}
