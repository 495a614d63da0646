package penstock

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"penstock/internal/functionlog"
)

// A log is followed for longer than a request may take to arrive.
func TestFollowForLong(t *testing.T) {
	t.Parallel()
	s, err := Open(Config{Memory: true, Listen: "127.0.0.1:0", Admin: "127.0.0.1:0", Log: Log{Level: "error"}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const readTimeout = 50 * time.Millisecond
	admin := httptest.NewUnstartedServer(s.adminHandler())
	admin.Config.ReadTimeout, admin.Config.ReadHeaderTimeout = readTimeout, readTimeout/2
	admin.Start()
	defer admin.Close()
	resp, err := http.Get(admin.URL + "/_penstock/functions/logs?follow=true")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	later := time.AfterFunc(4*readTimeout, func() { s.lambda.log.Append(functionlog.Line{Function: "pets", Text: "late"}) })
	defer later.Stop()
	lines := bufio.NewScanner(resp.Body)
	if !lines.Scan() || !strings.Contains(lines.Text(), `"late"`) {
		t.Errorf("got %q (%v)", lines.Text(), lines.Err())
	}
	s.endStreams()
	if lines.Scan() {
		t.Errorf("then %q", lines.Text())
	}
}
