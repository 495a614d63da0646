package gateway

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// A Meter counts the requests of one route, or of what has no route of its own: an
// API or stage as such, or the server.
type Meter struct {
	count, clientErrors, serverErrors, data prometheus.Counter
	latency, integrationLatency             prometheus.Observer
}

// meters hands out the meters. They outlive snapshots; labels are bounded. Names,
// units and dimensions are those of the service (developer guide, http-api-metrics).
type meters struct {
	count, clientErrors, serverErrors, data *prometheus.CounterVec
	latency, integrationLatency             *prometheus.HistogramVec

	other *Meter // for what names no API

	mu    sync.Mutex // guards the fields below
	max   int
	known int
	byAPI map[string]map[meterKey]*Meter
}

type meterKey struct{ stage, route string }

// overflowRoute stands for the routes that came after the limit.
const overflowRoute = "(other)"

var meterLabels = []string{"ApiId", "Stage", "Route"}

func newMeters(r prometheus.Registerer, max int) *meters {
	// In milliseconds, from well under the overhead of the gateway to the longest
	// timeout.
	buckets := []float64{.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000}
	counter := func(name, help string) *prometheus.CounterVec {
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "aws_apigateway", Name: name, Help: help}, meterLabels)
		r.MustRegister(v)
		return v
	}
	histogram := func(name, help string) *prometheus.HistogramVec {
		v := prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: "aws_apigateway", Name: name, Help: help, Buckets: buckets}, meterLabels)
		r.MustRegister(v)
		return v
	}
	m := &meters{
		count:        counter("count_total", "Count: requests answered."),
		clientErrors: counter("4xx_total", "4xx: requests answered with a status from 400 to 499."),
		serverErrors: counter("5xx_total", "5xx: requests answered with a status from 500 to 599."),
		data:         counter("data_processed_bytes_total", "DataProcessed: bytes of the bodies of requests and responses."),
		latency: histogram("latency_milliseconds",
			"Latency: time from the complete request head to the end of the response."),
		integrationLatency: histogram("integration_latency_milliseconds",
			"IntegrationLatency: time from relaying a request to the backend to its answer."),
		max:   max,
		byAPI: map[string]map[meterKey]*Meter{},
	}
	m.other = m.meter("", meterKey{})
	return m
}

func (m *meters) meter(api string, k meterKey) *Meter {
	return &Meter{
		count:              m.count.WithLabelValues(api, k.stage, k.route),
		clientErrors:       m.clientErrors.WithLabelValues(api, k.stage, k.route),
		serverErrors:       m.serverErrors.WithLabelValues(api, k.stage, k.route),
		data:               m.data.WithLabelValues(api, k.stage, k.route),
		latency:            m.latency.WithLabelValues(api, k.stage, k.route),
		integrationLatency: m.integrationLatency.WithLabelValues(api, k.stage, k.route),
	}
}

// A meterCell remembers a meter where it is used. It is the one thing in a
// snapshot that is filled in later: which meter belongs to a route never
// changes, only when it is first looked up.
type meterCell = atomic.Pointer[Meter]

// resolve returns the meter of an API, stage and route; the latter two may be
// empty.
func (m *meters) resolve(cell *meterCell, api string, k meterKey) *Meter {
	if found := cell.Load(); found != nil {
		return found
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.byAPI[api] == nil {
		m.byAPI[api] = map[meterKey]*Meter{}
	}
	found := m.byAPI[api][k]
	if found == nil && m.known >= m.max && k.route != "" {
		k.route = overflowRoute
		found = m.byAPI[api][k]
	}
	if found == nil {
		found = m.meter(api, k)
		m.byAPI[api][k] = found
		m.known++
	}
	cell.Store(found)
	return found
}

// record counts an exchange that is finished: under its route if that has detailed
// metrics, else under its stage.
func (m *meters) record(x *Exchange) {
	meter := m.other
	switch {
	case x.Route != nil && x.Route.Detailed:
		meter = m.resolve(&x.Route.meter, x.API.ID, meterKey{x.Stage.Name, x.Route.Key})
	case x.Stage != nil:
		meter = m.resolve(&x.Stage.meter, x.API.ID, meterKey{stage: x.Stage.Name})
	case x.API != nil:
		meter = m.resolve(&x.API.meter, x.API.ID, meterKey{})
	}
	meter.count.Inc()
	switch x.Response.Status / 100 {
	case 4:
		meter.clientErrors.Inc()
	case 5:
		meter.serverErrors.Inc()
	}
	if x.DataProcessed > 0 {
		meter.data.Add(float64(x.DataProcessed))
	}
	meter.latency.Observe(float64(x.Latency) / float64(time.Millisecond))
	if x.IntegrationLatency > 0 {
		meter.integrationLatency.Observe(float64(x.IntegrationLatency) / float64(time.Millisecond))
	}
}

// sweep drops the meters of what next no longer has.
func (m *meters) sweep(old, next *Snapshot) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, known := range m.byAPI {
		api := next.API(id)
		if api != nil && api == old.API(id) {
			continue
		}
		for k := range known {
			if api.has(k) {
				continue
			}
			delete(known, k)
			m.known--
			m.count.DeleteLabelValues(id, k.stage, k.route)
			m.data.DeleteLabelValues(id, k.stage, k.route)
			m.clientErrors.DeleteLabelValues(id, k.stage, k.route)
			m.serverErrors.DeleteLabelValues(id, k.stage, k.route)
			m.latency.DeleteLabelValues(id, k.stage, k.route)
			m.integrationLatency.DeleteLabelValues(id, k.stage, k.route)
		}
		if len(known) == 0 {
			delete(m.byAPI, id)
		}
	}
}

// has reports whether an API, which may be nil, has what a meter counts.
func (a *API) has(k meterKey) bool {
	if a == nil {
		return false
	}
	if k.stage == "" {
		return true
	}
	s := a.Stages[k.stage]
	if s == nil {
		return false
	}
	if k.route == "" || k.route == overflowRoute {
		return true
	}
	for _, r := range s.Routes {
		if r.Key == k.route {
			return true
		}
	}
	return false
}
