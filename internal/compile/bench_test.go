package compile

import (
	"fmt"
	"log/slog"
	"testing"

	"penstock/internal/gateway"
	"penstock/internal/model"
	"penstock/internal/store"
)

// manyRoutes returns an API with n routes that each lead to an integration of
// their own.
func manyRoutes(id string, n int) document {
	d := newDocument(id)
	for i := range n {
		d.route(fmt.Sprintf("GET /orders/%d/{id}", i), model.Integration{
			IntegrationURI:       new(fmt.Sprintf("http://backend.example.com/orders/%d/{id}", i)),
			ConnectionType:       new("INTERNET"),
			PayloadFormatVersion: new("1.0"),
			TimeoutInMillis:      new(30000),
		})
	}
	d.stage("$default", "d1", map[string]string{"env": "test"})
	return d
}

func BenchmarkStage300Routes(b *testing.B) {
	d := manyRoutes("pets", 300)
	data := d.deployed(b, "d1").Data
	o := options(b)
	b.ReportAllocs()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := Stage(o, "pets", settingsOf(d.Stages["$default"], 0), data); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkColdStart compiles 1,000 APIs with 100 routes and integrations each,
// from documents to the published snapshot. Opening the ledger that holds them
// comes on top; it has a benchmark beside it.
func BenchmarkColdStart(b *testing.B) {
	st := store.NewMemory()
	size := 0
	for i := range 1000 {
		d := manyRoutes(fmt.Sprintf("api%07d", i), 100)
		doc, deployment := d.change(b), d.deployed(b, "d1")
		size += len(doc.Data) + len(deployment.Data)
		appendTo(b, st, doc, deployment)
	}
	o := options(b)
	b.ReportAllocs()
	b.SetBytes(int64(size))
	for b.Loop() {
		served := 0
		pub := Start(st, o, func(s *gateway.Snapshot) { served = s.Len() }, slog.New(slog.DiscardHandler))
		if served != 1000 {
			b.Fatalf("%d APIs are served", served)
		}
		pub.Close()
	}
}

// BenchmarkPublish is one edit of one stage among 1,000 APIs, from the commit to
// the published snapshot.
func BenchmarkPublish(b *testing.B) {
	st := store.NewMemory()
	for i := range 1000 {
		appendTo(b, st, newDocument(fmt.Sprintf("api%07d", i)).change(b))
	}
	d := manyRoutes("pets", 300)
	appendTo(b, st, d.change(b), d.deployed(b, "d1"))
	pub := Start(st, options(b), func(*gateway.Snapshot) {}, slog.New(slog.DiscardHandler))
	defer pub.Close()
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		n++
		d.stage("$default", "d1", map[string]string{"env": fmt.Sprint(n)})
		if err := pub.Wait(b.Context(), appendTo(b, st, d.change(b))); err != nil {
			b.Fatal(err)
		}
	}
}
