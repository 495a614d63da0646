package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/coder/websocket"
)

const (
	// maxFrame is how many bytes the service takes in one frame: developer guide,
	// apigateway-execution-service-websocket-limits-table.
	maxFrame = 32 << 10
	// maxMessage is how many bytes of a line are sent. The service takes fewer, and says so.
	maxMessage = 1 << 20
	// maxReceived is how many bytes of a message are taken.
	maxReceived = 16 << 20

	// lossTimeout is how long to wait for the reason why nothing can be sent any more.
	lossTimeout = 5 * time.Second
)

// A session is a connection and what it is used for. It reads in one goroutine, sends in
// another and pings in a third, so that neither side waits for the other.
type session struct {
	conn     *websocket.Conn
	dialogue *dialogue
	count    int      // of messages to end after; 0: any number
	execute  []string // what to send first
	in       io.Reader
	wait     time.Duration // after the end of the input
	ping     time.Duration // 0: never

	pongTimeout time.Duration

	came int // messages, to be read after run
}

// An outputError is one of standard output, not of the connection.
type outputError struct{ error }

func (e outputError) Unwrap() error { return e.error }

// errUnsent says that the connection does not take messages any more. Why not, the reader
// knows.
var errUnsent = errors.New("the server takes nothing any more")

// run ends when the connection is closed: by the server, or with 1000 because there are
// no more messages to send or to wait for, or because ctx ended. It returns an error if
// the end was not a normal one; that is the cause of ctx if its deadline has passed.
func (s *session) run(ctx context.Context) error {
	s.conn.SetReadLimit(maxReceived)
	// The connection is to be closed when ctx ends, not cut.
	live, cut := context.WithCancel(context.WithoutCancel(ctx))
	received, sent, pinged := make(chan error, 1), make(chan error, 1), make(chan error, 1)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cut()
	defer s.conn.CloseNow() // nothing, if it is closed
	wg.Go(func() { received <- s.receive(live) })
	go func() { sent <- s.send(live) }() // may wait for a line for ever
	if s.ping > 0 {
		wg.Go(func() { pinged <- s.pings(live) })
	}
	var over <-chan time.Time
	var failure error
	for {
		select {
		case err := <-received:
			if output := (outputError{}); err == nil || errors.As(err, &output) {
				return cmp.Or(err, s.close(nil))
			}
			return s.closed(err)
		case failure = <-sent:
			switch {
			case errors.Is(failure, errUnsent):
				over = time.After(lossTimeout)
			case failure != nil || s.wait == 0:
				return cmp.Or(failure, s.close(received))
			default:
				over = time.After(s.wait)
			}
		case err := <-pinged:
			return cmp.Or(err, s.close(received))
		case <-over:
			return cmp.Or(failure, s.close(received))
		case <-ctx.Done():
			err := s.close(received)
			if err == nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
				err = context.Cause(ctx)
			}
			return err
		}
	}
}

// close closes the connection with 1000 and says how that went. The server gets a few
// seconds to answer. If it has closed the connection at the same time, for a reason that
// is not a normal one, that is the error. The reader still has to tell how it ended if
// received is not nil.
func (s *session) close(received <-chan error) error {
	err := s.conn.Close(websocket.StatusNormalClosure, "")
	s.conn.CloseNow()
	if received != nil {
		if last := <-received; websocket.CloseStatus(last) != -1 {
			err = last
		}
	}
	switch code := websocket.CloseStatus(err); {
	case err == nil, code == websocket.StatusNormalClosure, code == websocket.StatusNoStatusRcvd:
		s.dialogue.note("closed: 1000")
	case code == -1:
		s.dialogue.note("closed: 1000; the server does not confirm it")
	default:
		return s.closed(err)
	}
	return nil
}

// closed tells how the server has ended the connection.
func (s *session) closed(err error) error {
	switch code := websocket.CloseStatus(err); code {
	case websocket.StatusNormalClosure, websocket.StatusNoStatusRcvd:
		s.dialogue.note("closed by the server: " + closeText(err))
		return nil
	case -1:
		if errors.Is(err, websocket.ErrMessageTooBig) {
			return fmt.Errorf("closed: 1009: a message of more than %d MiB came", maxReceived>>20)
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, new(net.Error)) {
			return fmt.Errorf("the connection was lost: 1006, no close frame (%s)", escape(rootOf(err).Error(), ""))
		}
		return fmt.Errorf("the server breaks the protocol: %s", escape(err.Error(), ""))
	default:
		text := "closed by the server: " + closeText(err)
		if m, ok := closeMeanings[code]; ok {
			text += "\n" + m
		}
		return errors.New(text)
	}
}

// rootOf returns the error that all others wrap.
func rootOf(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

// closeMeanings says what codes mean when the service closes a connection.
var closeMeanings = map[websocket.StatusCode]string{
	websocket.StatusGoingAway:               "The connection was idle for 10 minutes or open for 2 hours, the stage is gone, or the server ends.",
	websocket.StatusProtocolError:           "The server says that the protocol was broken.",
	websocket.StatusInvalidFramePayloadData: "What was sent is not UTF-8.",
	websocket.StatusMessageTooBig:           "A message may have 131072 bytes (128 KB), and a frame 32768.",
	websocket.StatusInternalError:           "The server failed: its log says more.",
}

// closeText returns code and reason of a close frame.
func closeText(err error) string {
	var closed websocket.CloseError
	errors.As(err, &closed)
	if closed.Code == websocket.StatusNoStatusRcvd {
		return "no code"
	}
	text := fmt.Sprint(int(closed.Code))
	if closed.Reason != "" {
		text += " " + escape(closed.Reason, "")
	}
	return text
}

// receive prints messages until there are enough, or none can come any more.
func (s *session) receive(ctx context.Context) error {
	for s.count == 0 || s.came < s.count {
		kind, message, err := s.conn.Read(ctx)
		if err != nil {
			return err
		}
		if err := s.dialogue.message(message, kind == websocket.MessageBinary); err != nil {
			return outputError{err}
		}
		s.came++
	}
	return nil
}

// send sends what there is to be sent. It returns nil at the end of the input.
func (s *session) send(ctx context.Context) error {
	for _, text := range s.execute {
		if s.write(ctx, []byte(text)) != nil {
			return errUnsent
		}
	}
	if s.in == nil {
		return nil
	}
	lines := bufio.NewScanner(s.in)
	lines.Buffer(nil, maxMessage)
	s.dialogue.prompt()
	for lines.Scan() {
		if text := lines.Bytes(); len(text) > 0 || !s.dialogue.prompts {
			if s.write(ctx, text) != nil {
				return errUnsent
			}
		}
		s.dialogue.prompt()
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return fmt.Errorf("a line has more than %d bytes: the service takes messages of up to 131072", maxMessage)
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read standard input: %w", err)
	}
	return nil
}

// write sends one text message, in frames that the service takes.
func (s *session) write(ctx context.Context, text []byte) error {
	if len(text) <= maxFrame {
		return s.conn.Write(ctx, websocket.MessageText, text)
	}
	w, err := s.conn.Writer(ctx, websocket.MessageText)
	if err != nil {
		return err
	}
	for frame := range slices.Chunk(text, maxFrame) { // each Write is a frame
		if _, err := w.Write(frame); err != nil {
			return err
		}
	}
	return w.Close()
}

// pings pings until ctx ends, which is no error, or the server does not answer.
func (s *session) pings(ctx context.Context) error {
	ticker := time.NewTicker(s.ping)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		limited, cancel := context.WithTimeout(ctx, s.pongTimeout)
		err := s.conn.Ping(limited)
		late := limited.Err() != nil
		cancel()
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && late:
			return fmt.Errorf("the server does not answer a ping within %v", s.pongTimeout)
		case err != nil:
			<-ctx.Done() // the reader knows more
			return nil
		}
	}
}
