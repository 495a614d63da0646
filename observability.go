package penstock

import (
	"context"
	"fmt"
	"sync"

	"penstock/internal/accesslog"
	"penstock/internal/compile"
	"penstock/internal/tracing"
)

// openAccessLogs opens what access logs are written to.
func (s *Server) openAccessLogs() (err error) {
	var list []accesslog.Destination
	for _, l := range s.config.AccessLogs {
		list = append(list, accesslog.Destination{
			ARN: l.DestinationARN, File: l.File, MaxSize: l.MaxSize, MaxFiles: l.MaxFiles, Stream: l.Stream, Writer: l.Writer,
		})
	}
	if s.accessLogs, err = accesslog.Open(list, s.log); err != nil {
		return fmt.Errorf("accessLogs: %w", err)
	}
	return nil
}

// accessLog returns where the access logs of stages go that name a destination. One
// that the configuration does not have is told once.
func (s *Server) accessLog() func(arn string) compile.AccessLogSink {
	var told sync.Map
	return func(arn string) compile.AccessLogSink {
		if sink := s.accessLogs.Sink(arn); sink != nil {
			return sink
		}
		if _, before := told.LoadOrStore(arn, true); !before {
			s.log.Warn("access logs go nowhere: the configuration has no such destination in accessLogs", "destinationArn", arn)
		}
		return nil
	}
}

// openTracing makes what follows requests, if traces go anywhere.
func (s *Server) openTracing() (err error) {
	t := s.config.Tracing
	if t.Endpoint == "" {
		return nil
	}
	headers := map[string]string{}
	for _, h := range t.Headers {
		headers[h.Name] = h.Value
	}
	s.tracer, err = tracing.New(context.Background(), tracing.Config{
		Endpoint: t.Endpoint, Headers: headers, Sample: max(t.Sample, 0), ServiceName: t.ServiceName, Log: s.log,
	})
	return err // which names the key
}
