package function

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"penstock/internal/lambda"
)

// A textLog keeps what was logged, without times.
type textLog struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *textLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *textLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func newLog() (*textLog, *slog.Logger) {
	l := &textLog{}
	return l, slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// Each row is a list of outcomes of tries: "" is success, "f" a failure, "t" a throttle,
// "l" an event that is lost. want says when the tries are.
func TestQueue(t *testing.T) {
	t.Parallel()
	throttles := func(n int) []string { return strings.Split(strings.TrimSuffix(strings.Repeat("t ", n), " "), " ") }
	for _, tt := range []struct {
		name     string
		outcomes []string
		want     string // seconds after the start
		log      string
	}{
		{"success", []string{""}, "0", `level=DEBUG msg="event was handled" function=f request=r`},
		{"second try", []string{"f", ""}, "0 60", `level=WARN msg="event will be tried again" function=f request=r after=1m0s error=broken`},
		{"third try", []string{"f", "f", ""}, "0 60 180", "event was handled"},
		{"too many failures", []string{"f", "f", "f"}, "0 60 180", `level=ERROR msg="event is lost, its function failed too often" function=f request=r tries=3 error=broken`},
		{"throttled", []string{"t", "t", ""}, "0 1 3", "event was handled"},
		{"throttles are no failures", []string{"t", "f", "t", "f", "t", "f"}, "0 1 61 63 183 187", "failed too often"},
		{"too many throttles", throttles(10), "0 1 3 7 15 31 63 127 255 511", `level=ERROR msg="event is lost, its function was throttled too often" function=f request=r tries=10`},
		{"no function", []string{"l"}, "0", `level=ERROR msg="event is lost" function=f`},
		{"function is deleted", []string{"f", "l"}, "0 60", `level=ERROR msg="event is lost" function=f`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				text, logger := newLog()
				start, tries := time.Now(), []string{}
				q := newQueue(defaultRetries, logger, func(_ context.Context, e *event) error {
					outcome := tt.outcomes[len(tries)]
					tries = append(tries, fmt.Sprint(int(time.Since(start).Seconds())))
					switch outcome {
					case "t":
						return fmt.Errorf("%w: full", errThrottledEvent)
					case "l":
						return fmt.Errorf("%w: gone", errLostEvent)
					case "f":
						return errors.New("broken")
					}
					return nil
				})
				if err := q.add(&event{name: "f", requestID: "r", payload: []byte("{}")}); err != nil {
					t.Fatal(err)
				}
				time.Sleep(24 * time.Hour)
				synctest.Wait()
				if got := strings.Join(tries, " "); got != tt.want {
					t.Errorf("tried after %s, want %s", got, tt.want)
				}
				if !strings.Contains(text.String(), tt.log) {
					t.Errorf("logged %s, want %s", text, tt.log)
				}
				if q.count != 0 || q.bytes != 0 || q.workers != 0 || len(q.later)+len(q.running)+len(q.waiting) != 0 {
					t.Errorf("something is left: %+v", q)
				}
				q.close()
				if strings.Contains(text.String(), "shutting down") {
					t.Errorf("logged %s", text)
				}
			})
		})
	}
}

// A function that does not answer does not keep others waiting, and all of them together
// do not run more events than there may be.
func TestQueueShares(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, logger := newLog()
		var mu sync.Mutex
		running, most, ran := map[string]int{}, 0, map[string]int{}
		q := newQueue(defaultRetries, logger, func(ctx context.Context, e *event) error {
			mu.Lock()
			running[e.name]++
			ran[e.name]++
			total := 0
			for name, n := range running {
				if total += n; n > maxEventsOfOne {
					t.Errorf("%d events of %s run", n, name)
				}
			}
			most = max(most, total)
			mu.Unlock()
			time.Sleep(time.Hour)
			mu.Lock()
			running[e.name]--
			mu.Unlock()
			return nil
		})
		defer q.close()
		for i := range 100 {
			if err := q.add(&event{name: "slow", payload: []byte("{}")}); err != nil {
				t.Fatal(i, err)
			}
		}
		if err := q.add(&event{name: "quick"}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if ran["slow"] != maxEventsOfOne || ran["quick"] != 1 {
			t.Errorf("at first %v run", ran)
		}
		for i := range 100 {
			if err := q.add(&event{name: fmt.Sprint("f", i)}); err != nil {
				t.Fatal(i, err)
			}
		}
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if len(ran) != 102 || ran["slow"] != 100 || most != maxEventWorkers {
			t.Errorf("%d functions ran, %d events of slow, at most %d at one time", len(ran), ran["slow"], most)
		}
	})
}

func TestQueueBounds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, logger := newLog()
		hang := func(ctx context.Context, e *event) error { <-ctx.Done(); return ctx.Err() }
		q := newQueue(defaultRetries, logger, hang)
		for i := range maxEvents {
			if err := q.add(&event{name: "f"}); err != nil {
				t.Fatal(i, err)
			}
		}
		if err := q.add(&event{name: "g"}); !errors.Is(err, errTooManyEvents) {
			t.Errorf("one more: %v", err)
		}
		q.close()
		if err := q.add(&event{name: "f"}); !errors.Is(err, errEventsClosed) {
			t.Errorf("after the end: %v", err)
		}

		q = newQueue(defaultRetries, logger, hang)
		defer q.close()
		megabyte := make([]byte, 1<<20)
		for i := range maxEventBytes >> 20 {
			if err := q.add(&event{name: "f", payload: megabyte}); err != nil {
				t.Fatal(i, err)
			}
		}
		if err := q.add(&event{name: "f", payload: megabyte[:1]}); !errors.Is(err, errTooManyEvents) {
			t.Errorf("one more byte: %v", err)
		}
	})
}

// Closing ends what runs and what waits, for a worker or for another try.
func TestQueueClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		text, logger := newLog()
		q := newQueue(defaultRetries, logger, func(ctx context.Context, e *event) error {
			if e.name == "fails" {
				return errors.New("broken")
			}
			<-ctx.Done()
			return ctx.Err()
		})
		for _, name := range append(strings.Split(strings.Repeat("hangs,", maxEventsOfOne+5), ",")[:maxEventsOfOne+5], "fails", "fails") {
			if err := q.add(&event{name: name}); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		start := time.Now()
		q.close()
		q.close()
		if time.Since(start) != 0 {
			t.Errorf("closing took %v", time.Since(start))
		}
		if want := fmt.Sprintf("events=%d", maxEventsOfOne+5+2); strings.Count(text.String(), want) != 1 {
			t.Errorf("logged %s, want %s once", text, want)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := strings.Count(text.String(), "tried again"); n != 2 {
			t.Errorf("%d tries failed: %s", n, text)
		}
	})
}

// What an event meets in a Service.
func TestTry(t *testing.T) {
	t.Parallel()
	s := openStage(t, Options{})
	do := func(result lambda.Result, err error) func(context.Context, lambda.Call) (lambda.Result, error) {
		return func(ctx context.Context, _ lambda.Call) (lambda.Result, error) {
			if deadline, ok := ctx.Deadline(); !ok || time.Until(deadline) > maxEventTime {
				t.Error("an event may take for ever")
			}
			return result, err
		}
	}
	for _, tt := range []struct {
		name   string
		result lambda.Result
		err    error
		want   error
		text   string
	}{
		{"pets", lambda.Result{Payload: []byte("1")}, nil, nil, ""},
		{"pets", lambda.Result{Payload: []byte(`{"errorType":"E"}` + strings.Repeat(" ", 4000)), FunctionError: "Unhandled"}, nil, nil, `the function failed: {"errorType":"E"}`},
		{"pets", lambda.Result{}, lambda.ErrThrottled, errThrottledEvent, "reserved concurrency"},
		{"pets", lambda.Result{}, lambda.ErrBusy, errThrottledEvent, "functionHost.environments"},
		{"pets", lambda.Result{}, lambda.ErrClosed, lambda.ErrClosed, ""},
		{"cats", lambda.Result{}, nil, errLostEvent, "Function not found: " + here + "cats:live"},
	} {
		s.scripts["pets:1"].do = do(tt.result, tt.err)
		err := s.try(t.Context(), &event{name: tt.name, qualifier: "live", requestID: "r", payload: []byte("[]"), clientContext: "{}", traceID: "t"})
		failed := tt.want != nil || tt.text != ""
		if (err != nil) != failed || tt.want != nil && !errors.Is(err, tt.want) || failed && (!strings.Contains(err.Error(), tt.text) || len(err.Error()) > 1000) {
			t.Errorf("%v: got %v", tt, err)
		}
	}
	if call := s.scripts["pets:1"].last(); call.RequestID != "r" || string(call.Payload) != "[]" || call.ClientContext != "{}" || call.TraceID != "t" || call.InvokedARN != here+"pets:live" {
		t.Errorf("called with %+v", call)
	}
}
