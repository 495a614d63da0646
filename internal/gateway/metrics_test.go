package gateway_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"penstock/internal/gateway"
)

// series returns the values of a counter, and the counts of a histogram, by their
// labels "api stage route".
func series(t *testing.T, r *prometheus.Registry, name string) map[string]float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.Metric {
			labels := map[string]string{}
			for _, l := range m.Label {
				labels[l.GetName()] = l.GetValue()
			}
			value := m.GetCounter().GetValue() + m.GetGauge().GetValue()
			if f.GetType().String() == "HISTOGRAM" {
				value = float64(m.GetHistogram().GetSampleCount())
			}
			got[strings.TrimSpace(labels["ApiId"]+" "+labels["Stage"]+" "+labels["Route"])] = value
		}
	}
	return got
}

// TestMetrics: every answer is counted once, under what it belongs to.
func TestMetrics(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	backend := record(t)
	live := newStage(t, "a", "live", map[string]gateway.Integration{"GET /pot": teapot{}})
	live.Routes[0].Detailed = false
	_, addr := serve(t, gateway.Config{Metrics: registry}, newAPI("a", live,
		newStage(t, "a", "$default", map[string]gateway.Integration{"GET /ok": proxy(t, newClient(t), "http://"+backend.addr), "GET /pot": teapot{}, "GET /broken": nil})))
	for _, path := range []string{"/ok", "/ok", "/pot", "/broken", "/none", "/live/pot", "/live/none", "/.."} {
		get(t, addr, path)
	}
	c := dial(t, addr)
	c.send("nonsense\r\n\r\n")
	c.read("GET")
	// An exchange is counted after its response.
	await(t, "all are counted", func() bool {
		n := 0.0
		for _, v := range series(t, registry, "aws_apigateway_count_total") {
			n += v
		}
		return n == 9
	})
	for name, want := range map[string]map[string]float64{
		"aws_apigateway_count_total": {"": 1, "a": 1, "a $default": 1, "a $default GET /ok": 2, "a $default GET /pot": 1, "a $default GET /broken": 1, "a live": 2},
		"aws_apigateway_4xx_total":   {"": 1, "a": 1, "a $default": 1, "a $default GET /ok": 0, "a $default GET /pot": 1, "a $default GET /broken": 0, "a live": 2},
		"aws_apigateway_5xx_total":   {"": 0, "a": 0, "a $default": 0, "a $default GET /ok": 0, "a $default GET /pot": 0, "a $default GET /broken": 1, "a live": 0},
		"aws_apigateway_latency_milliseconds": {
			"": 1, "a": 1, "a $default": 1, "a $default GET /ok": 2, "a $default GET /pot": 1, "a $default GET /broken": 1, "a live": 2},
		"aws_apigateway_integration_latency_milliseconds": {
			"": 0, "a": 0, "a $default": 0, "a $default GET /ok": 2, "a $default GET /pot": 1, "a $default GET /broken": 0, "a live": 1},
	} {
		if got := series(t, registry, name); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	await(t, "only one connection is open", func() bool { return series(t, registry, "penstock_connections")[""] <= 1 })
}

// TestMetricsAreBounded: beyond the limit, routes share a meter; and meters go with
// what they count.
func TestMetricsAreBounded(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	var keys []string
	for i := range 20 {
		keys = append(keys, fmt.Sprintf("GET /r%d", i))
	}
	stage := func(name string, keys ...string) *gateway.Stage {
		return newStage(t, "a", name, routes(teapot{}, keys...))
	}
	s, addr := serve(t, gateway.Config{Metrics: registry, Limits: gateway.Limits{MeteredRoutes: 5}}, newAPI("a", stage("$default", keys...), stage("live", keys...)))
	c := dial(t, addr) // one connection: an exchange is counted before the next
	ask := func(path string) {
		c.send(request("GET " + path + " HTTP/1.1"))
		c.read("GET")
	}
	// sum waits until so many requests are counted, and returns all counters.
	sum := func(want int) map[string]float64 {
		var got map[string]float64
		await(t, "all are counted", func() bool {
			got = series(t, registry, "aws_apigateway_count_total")
			n := 0.0
			for _, v := range got {
				n += v
			}
			return int(n) == want
		})
		return got
	}
	for i := range keys {
		ask(fmt.Sprintf("/r%d", i))
		ask(fmt.Sprintf("/live/r%d", i))
	}
	got := sum(40)
	if len(got) > 5+2+1 || got["a $default (other)"] == 0 || got["a live (other)"] == 0 {
		t.Errorf("%d series: %v", len(got), got)
	}
	// Paths that no route knows make no series.
	for i := range 50 {
		ask(fmt.Sprintf("/none%d", i))
	}
	if got := sum(90); len(got) > 5+2+1+1 || got["a $default"] != 50 {
		t.Errorf("%d series: %v", len(got), got)
	}

	// A route is gone, then a stage, then the API.
	left := func(want ...string) {
		t.Helper()
		got := series(t, registry, "aws_apigateway_count_total")
		var have []string
		for k := range got {
			have = append(have, k)
		}
		slices.Sort(have)
		slices.Sort(want)
		if !slices.Equal(have, want) {
			t.Errorf("series %q, want %q", have, want)
		}
		for _, name := range []string{"aws_apigateway_4xx_total", "aws_apigateway_5xx_total", "aws_apigateway_latency_milliseconds", "aws_apigateway_integration_latency_milliseconds"} {
			if n := len(series(t, registry, name)); n != len(want) {
				t.Errorf("%s: %d series, want %d", name, n, len(want))
			}
		}
	}
	s.Publish(gateway.NewSnapshot(2, []*gateway.API{newAPI("a", stage("$default", "GET /r0"))}))
	left("", "a $default", "a $default (other)", "a $default GET /r0")
	s.Publish(gateway.NewSnapshot(3, []*gateway.API{newAPI("a")}))
	left("")
	s.Publish(gateway.NewSnapshot(4, nil))
	left("")
	// There is room again.
	s.Publish(gateway.NewSnapshot(5, []*gateway.API{newAPI("a", stage("$default", keys...))}))
	ask("/r7")
	await(t, "a new route is counted by its name", func() bool { return series(t, registry, "aws_apigateway_count_total")["a $default GET /r7"] == 1 })
}

// TestUnchangedRoutesKeepCounting: publishing what did not change resets nothing.
func TestUnchangedRoutesKeepCounting(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	stage := newStage(t, "a", "$default", routes(teapot{}, "GET /r"))
	s, addr := serve(t, gateway.Config{Metrics: registry}, newAPI("a", stage))
	for revision := range uint64(5) {
		get(t, addr, "/r")
		s.Publish(gateway.NewSnapshot(revision+2, []*gateway.API{newAPI("a", stage)}))
		get(t, addr, "/r")
		s.Publish(gateway.NewSnapshot(revision+2, []*gateway.API{newAPI("a", newStage(t, "a", "$default", routes(teapot{}, "GET /r", "GET /s")))}))
		get(t, addr, "/r")
	}
	deadline := time.Now().Add(10 * time.Second)
	for series(t, registry, "aws_apigateway_count_total")["a $default GET /r"] != 15 {
		if time.Now().After(deadline) {
			t.Fatalf("got %v", series(t, registry, "aws_apigateway_count_total"))
		}
	}
}
