// Command reverseproxy is the reverse proxy of Go's standard library and nothing
// else: a row of the comparison in docs/benchmarks.md.
//
//	reverseproxy 127.0.0.1:8080 http://127.0.0.1:9000
package main

import (
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
)

func main() {
	if err := serve(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "reverseproxy:", err)
		os.Exit(1)
	}
}

func serve(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("want an address and an upstream URL, got %d arguments", len(args))
	}
	upstream, err := url.Parse(args[1])
	if err != nil {
		return fmt.Errorf("upstream: %w", err)
	}
	// The default of two idle connections per host would open a new connection
	// for most requests of the benchmark.
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns = 0
	transport.MaxIdleConnsPerHost = 256
	return http.ListenAndServe(args[0], &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(upstream) },
		Transport: transport,
	})
}
