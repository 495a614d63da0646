package penstock_test

import (
	"context"
	"io"
	"testing"
	"time"

	"penstock"
)

// TestShutdownWhileConnecting: a client whose $connect ends when the server is about to leave
// is not let in any more, and whoever was told of its coming is told of its end.
func TestShutdownWhileConnecting(t *testing.T) {
	t.Parallel()
	free := make(chan struct{})
	fn := newFunction(func(ctx context.Context, _ string) (string, error) {
		<-free
		return `{"statusCode":200}`, nil
	})
	w := newWorld(t, penstock.Config{Functions: functions(map[string]*lambdaFunction{"fn": fn})})
	api := w.sockets(socketSpec{routes: map[string]socketRoute{"$connect": lambdaRoute("fn"), "$disconnect": lambdaRoute("fn")}})
	other := w.sockets(socketSpec{routes: map[string]socketRoute{"$default": {}}}) // where nothing has to be waited for
	nc := w.dial()
	if _, err := io.WriteString(nc, shakeHead(api)); err != nil {
		t.Fatal(err)
	}
	coming := fn.wait(t)
	done := make(chan error, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	go func() { done <- w.server.Shutdown(ctx) }()
	w.until("handshakes are refused", func() bool {
		return w.handshake(other, "/dev").shake.StatusCode == 503
	})
	close(free)
	if text, err := io.ReadAll(nc); err == nil && len(text) > 0 {
		t.Errorf("the client got %q", text)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	going := fn.wait(t)
	if at(going, "requestContext.eventType") != "DISCONNECT" || at(going, "requestContext.disconnectStatusCode") != float64(1001) ||
		at(going, "requestContext.connectionId") != at(coming, "requestContext.connectionId") {
		t.Errorf("the event of the end is %v", going)
	}
}
