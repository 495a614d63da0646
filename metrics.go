package penstock

import (
	"cmp"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"penstock/internal/lambda"
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

// observeFunctions reports what the host of functions does.
func (s *Server) observeFunctions() {
	host := s.lambda.host
	gauge := func(name, help string, value func() int) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return float64(value()) })
	}
	counter := func(name, help string, value func(lambda.Counts) uint64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, func() float64 { return float64(value(host.Counts())) })
	}
	s.metrics.MustRegister(
		gauge("penstock_function_environments", "Environments of functions, which are processes.", func() int { all, _ := host.Stats(); return all }),
		gauge("penstock_function_environments_busy", "Environments with an invocation.", func() int { _, busy := host.Stats(); return busy }),
		counter("penstock_function_starts_total", "Environments that were started.", func(c lambda.Counts) uint64 { return c.Starts }),
		counter("penstock_function_crashes_total", "Environments that ended by themselves.", func(c lambda.Counts) uint64 { return c.Crashes }),
		counter("penstock_function_timeouts_total", "Invocations that took longer than they may.", func(c lambda.Counts) uint64 { return c.Timeouts }),
		counter("penstock_function_throttles_total", "Invocations that there was no room for.", func(c lambda.Counts) uint64 { return c.Throttles }),
	)
}
