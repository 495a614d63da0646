package penstock

import (
	"cmp"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// newRegistry returns a registry with what every server reports. Each server has
// its own, so that a process can have several.
func newRegistry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collectors.NewBuildInfoCollector(),
	)
	return r
}

// observeControl returns what counts the answers of the control plane.
func (s *Server) observeControl() func(operation string, status int, took time.Duration) {
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "penstock_control_requests_total", Help: "Requests answered by the control plane.",
	}, []string{"operation", "status"})
	latency := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "penstock_control_latency_seconds", Help: "Time from the head of a request to its answer.",
		Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
	}, []string{"operation", "status"})
	s.metrics.MustRegister(requests, latency)
	return func(operation string, status int, took time.Duration) {
		operation, code := cmp.Or(operation, "(none)"), strconv.Itoa(status)
		requests.WithLabelValues(operation, code).Inc()
		latency.WithLabelValues(operation, code).Observe(took.Seconds())
	}
}

// observeStore reports how far the store is, and how far what is served.
func (s *Server) observeStore() {
	s.metrics.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "penstock_store_revision", Help: "Revision of the last commit.",
		}, func() float64 { return float64(s.store.Last()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "penstock_served_revision", Help: "Revision that requests are served from.",
		}, func() float64 { return float64(s.gateway.Snapshot().Revision) }),
	)
}

// observeLosses reports what was dropped because it could not leave in time.
func (s *Server) observeLosses() {
	s.metrics.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "penstock_access_log_lines_dropped_total", Help: "Lines of access logs that could not be written in time.",
	}, func() float64 { return float64(s.accessLogs.Dropped()) }))
	if s.tracer != nil {
		s.metrics.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "penstock_spans_dropped_total", Help: "Spans that the collector of traces never got.",
		}, func() float64 { return float64(s.tracer.Dropped()) }))
	}
}
