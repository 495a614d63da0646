//go:build linux

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// What servers answer to a message of the route echo.
const (
	wantEcho     = "echo"     // the message
	wantConstant = "constant" // the connection ID in a text that is always the same
)

// constantHead is what a constant answer begins with, constantTail what it ends with; the
// ID of the connection, 16 characters, is between them. It is as long as a message.
const (
	constantHead = `{"pong":"`
	constantTail = `","text":"..............................................................."}`
	idSize       = 16
)

// A loadResult is what the load generator tells on standard output in the end.
type loadResult struct {
	Done    int64         // messages, connections or requests
	Elapsed time.Duration // of the measured part
	Last    []time.Duration
}

// A load has two halves: first prepare, and then, when the other side has read what the
// server has used so far, the measured part.
type load interface {
	prepare() error
	measured() (loadResult, error)
}

// loadSettings are the flags of the load generator.
type loadSettings struct {
	target
	want        string
	conns       int
	each        time.Duration
	warmUp      time.Duration
	broadcasts  int
	silence     time.Duration // after which an answer that is missing is an error
	region      string
	accessKeyID string
	secret      string
}

// arguments are the flags that say the same.
func (s loadSettings) arguments(kind string) []string {
	return []string{"load", kind, "-addr", s.addr, "-host", s.host, "-path", s.path, "-want", s.want,
		"-conns", fmt.Sprint(s.conns), "-each", s.each.String(), "-warm-up", s.warmUp.String(), "-broadcasts", fmt.Sprint(s.broadcasts),
		"-region", s.region, "-key", s.accessKeyID, "-secret", s.secret}
}

// runLoad prepares, prints a line, waits for one, measures, and prints the result.
func runLoad(args []string) error {
	if len(args) == 0 {
		return errors.New("load: which one?")
	}
	s := loadSettings{silence: 10 * time.Second}
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	flags.StringVar(&s.addr, "addr", "", "of the server")
	flags.StringVar(&s.host, "host", "", "Host header")
	flags.StringVar(&s.path, "path", "/", "of the handshake")
	flags.StringVar(&s.want, "want", wantEcho, "answer")
	flags.IntVar(&s.conns, "conns", 64, "connections")
	flags.DurationVar(&s.each, "each", 5*time.Second, "measured time")
	flags.DurationVar(&s.warmUp, "warm-up", 2*time.Second, "time before")
	flags.IntVar(&s.broadcasts, "broadcasts", 10, "measured messages to the group")
	flags.StringVar(&s.region, "region", "us-east-1", "of the signature")
	flags.StringVar(&s.accessKeyID, "key", "", "access key ID")
	flags.StringVar(&s.secret, "secret", "", "access key")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	makeLoad, ok := map[string]func(loadSettings) (load, error){
		"idle": newIdle, "echo": newEcho, "connect": newConnect, "post": newPost, "broadcast": newBroadcast,
	}[args[0]]
	if !ok {
		return fmt.Errorf("load: none is called %q", args[0])
	}
	l, err := makeLoad(s)
	if err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	if err := l.prepare(); err != nil {
		return fmt.Errorf("%s: prepare: %w", args[0], err)
	}
	runtime.GC()
	fmt.Println("ready")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return fmt.Errorf("%s: nobody waits: %w", args[0], err)
	}
	result, err := l.measured()
	if err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	return json.NewEncoder(os.Stdout).Encode(result)
}

// idle holds connections that say nothing.
type idle struct {
	loadSettings
	crowd *crowd
}

func newIdle(s loadSettings) (load, error) {
	w, err := newCrowd()
	return &idle{s, w}, err
}

func (l *idle) prepare() error { return l.crowd.gather(l.target, l.conns) }

// measured makes sure that all are still open, and that some of them work.
func (l *idle) measured() (loadResult, error) {
	if err := l.crowd.allOpen(); err != nil {
		return loadResult{}, err
	}
	sample := &echo{loadSettings: l.loadSettings, crowd: l.crowd}
	for i := 0; i < len(l.crowd.conns); i += max(1, len(l.crowd.conns)/100) {
		if err := sample.say(l.crowd.conns[i]); err != nil {
			return loadResult{}, err
		}
	}
	if err := sample.quiet(); err != nil {
		return loadResult{}, err
	}
	return loadResult{Done: sample.done}, nil
}

// echo sends a message on each connection and another one when it is answered.
type echo struct {
	loadSettings
	crowd    *crowd
	underWay int
	done     int64
	frame    []byte
}

func newEcho(s loadSettings) (load, error) {
	w, err := newCrowd()
	return &echo{loadSettings: s, crowd: w}, err
}

// prepare connects and talks for as long as it takes to be warm.
func (l *echo) prepare() error {
	if err := l.crowd.gather(l.target, l.conns); err != nil {
		return err
	}
	return l.talk(l.warmUp)
}

func (l *echo) measured() (loadResult, error) {
	l.done = 0
	start := time.Now()
	err := l.talk(l.each)
	return loadResult{Done: l.done, Elapsed: time.Since(start)}, err
}

// talk ends when everything that was said is answered.
func (l *echo) talk(d time.Duration) error {
	until := time.Now().Add(d)
	for _, c := range l.crowd.conns {
		if err := l.say(c); err != nil {
			return err
		}
	}
	for time.Now().Before(until) {
		if err := l.crowd.wait(100*time.Millisecond, func(c *conn) error {
			heard, err := l.hear(c)
			if err != nil || !heard {
				return err
			}
			return l.say(c)
		}); err != nil {
			return err
		}
	}
	return l.quiet()
}

// quiet waits for the answers to what was said.
func (l *echo) quiet() error {
	for until := time.Now().Add(l.silence); l.underWay > 0; {
		if time.Now().After(until) {
			return fmt.Errorf("%d messages are not answered", l.underWay)
		}
		if err := l.crowd.wait(100*time.Millisecond, func(c *conn) error {
			_, err := l.hear(c)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// text is what is said: 100 bytes, of which the number changes with every message.
const (
	textHead = `{"action":"echo","number":"`
	textTail = `","text":"................................................"}`
)

// say sends the next message of a connection.
func (l *echo) say(c *conn) error {
	c.serial++
	c.sent = fmt.Appendf(c.sent[:0], "%s%013d%s", textHead, c.serial, textTail)
	l.frame = appendFrame(l.frame[:0], opText, c.sent)
	l.underWay++
	return c.write(l.frame)
}

// hear reports whether the answer has come, and checks it.
func (l *echo) hear(c *conn) (bool, error) {
	got, ok, err := c.message()
	if err != nil || !ok {
		return false, err
	}
	if l.want == wantEcho {
		if !bytes.Equal(got, c.sent) {
			return false, fmt.Errorf("%q is answered with %q", c.sent, got)
		}
	} else if err := c.constant(got); err != nil {
		return false, err
	}
	l.underWay--
	l.done++
	return true, nil
}

// constant checks that an answer has the form it should, and is the one that the
// connection always gets.
func (c *conn) constant(got []byte) error {
	if c.first == nil {
		if len(got) != len(constantHead)+idSize+len(constantTail) ||
			!bytes.HasPrefix(got, []byte(constantHead)) || !bytes.HasSuffix(got, []byte(constantTail)) {
			return fmt.Errorf("%q is answered with %q", c.sent, got)
		}
		c.first = bytes.Clone(got)
	}
	if !bytes.Equal(got, c.first) {
		return fmt.Errorf("%q is answered with %q, earlier with %q", c.sent, got, c.first)
	}
	return nil
}

// id returns the ID in the constant answer.
func (c *conn) id() string { return string(c.first[len(constantHead):][:idSize]) }

// connect makes connections and ends them.
type connect struct{ loadSettings }

func newConnect(s loadSettings) (load, error) { return &connect{s}, nil }

func (l *connect) prepare() error {
	_, err := l.come(l.warmUp)
	return err
}

func (l *connect) measured() (loadResult, error) {
	start := time.Now()
	done, err := l.come(l.each)
	return loadResult{Done: done, Elapsed: time.Since(start)}, err
}

// come has as many clients as there are connections, which come and go again and again.
func (l *connect) come(d time.Duration) (int64, error) {
	until := time.Now().Add(d)
	errs := make([]error, l.conns)
	var done, from atomic.Int64
	var group sync.WaitGroup
	for g := range l.conns {
		group.Go(func() {
			for time.Now().Before(until) {
				c, err := l.open(int(from.Add(1)))
				if err == nil {
					err = c.end()
				}
				if err != nil {
					errs[g] = err
					return
				}
				done.Add(1)
			}
		})
	}
	group.Wait()
	return done.Load(), errors.Join(errs...)
}
