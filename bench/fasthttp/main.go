// Command fasthttp is a reverse proxy out of fasthttp's server and client and
// nothing else: a row of the comparison in docs/benchmarks.md, and the measure of
// what Penstock's own connection loop must not fall behind.
//
//	fasthttp 127.0.0.1:8080 http://127.0.0.1:9000
package main

import (
	"fmt"
	"net/url"
	"os"
	"time"

	"github.com/valyala/fasthttp"
)

func main() {
	if err := serve(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "fasthttp:", err)
		os.Exit(1)
	}
}

// timeout stands for the limits that a proxy needs: on a head, a body, an answer.
const timeout = 30 * time.Second

func serve(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("want an address and an upstream URL, got %d arguments", len(args))
	}
	upstream, err := url.Parse(args[1])
	if err != nil {
		return fmt.Errorf("upstream: %w", err)
	}
	client := &fasthttp.HostClient{
		Addr:                          upstream.Host,
		MaxConns:                      1024,
		NoDefaultUserAgentHeader:      true,
		DisableHeaderNamesNormalizing: true,
	}
	server := &fasthttp.Server{
		StreamRequestBody:             true,
		ReadTimeout:                   timeout,
		WriteTimeout:                  timeout,
		IdleTimeout:                   timeout,
		NoDefaultServerHeader:         true,
		DisableHeaderNamesNormalizing: true,
		Handler: func(x *fasthttp.RequestCtx) {
			x.Request.Header.Del(fasthttp.HeaderConnection)
			x.Request.SetHost(upstream.Host)
			if err := client.DoTimeout(&x.Request, &x.Response, timeout); err != nil {
				x.Error("Service Unavailable", fasthttp.StatusServiceUnavailable)
				return
			}
			x.Response.Header.Del(fasthttp.HeaderConnection)
		},
	}
	return server.ListenAndServe(args[0])
}
