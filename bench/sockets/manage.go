//go:build linux

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// sign signs a request with a body for a service.
func sign(req *http.Request, body []byte, c aws.Credentials, service, region string) error {
	hash := sha256.Sum256(body)
	return v4.NewSigner().SignHTTP(req.Context(), c, req, hex.EncodeToString(hash[:]), service, region, time.Now())
}

// signed returns the text of a signed request to the stage.
func (s loadSettings) signed(method, below string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(context.Background(), method, "http://"+s.host+s.path+below, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if err := sign(req, body, aws.Credentials{AccessKeyID: s.accessKeyID, SecretAccessKey: s.secret}, "execute-api", s.region); err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "bench/1.0")
	text := bytes.NewBuffer(nil)
	fmt.Fprintf(text, "%s %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n", method, req.URL.EscapedPath(), s.host, len(body))
	if err := req.Header.Write(text); err != nil {
		return nil, err
	}
	fmt.Fprintf(text, "\r\n%s", body)
	return text.Bytes(), nil
}

// connectionPath is where a connection is managed, and groupPath where a group is, escaped
// as the SDKs do it.
func connectionPath(id string) string { return "/%40connections/" + escapeID(id) }

func groupPath(id string) string {
	path := "/%40groups/everybody"
	if id != "" {
		path += "/" + escapeID(id)
	}
	return path
}

func escapeID(id string) string { return strings.ReplaceAll(id, "=", "%3D") }

// answer returns the status of the response, if all of it has come. It has a
// Content-Length, or no body.
func (c *conn) answer() (status int, body []byte, err error) {
	head, rest, ok := bytes.Cut(c.unread, []byte("\r\n\r\n"))
	if !ok {
		return 0, nil, nil
	}
	if len(head) < 12 {
		return 0, nil, fmt.Errorf("response %q", head)
	}
	if status, err = strconv.Atoi(string(head[9:12])); err != nil {
		return 0, nil, fmt.Errorf("response %q", head)
	}
	size := 0
	for line := range bytes.SplitSeq(head, []byte("\r\n")) {
		name, value, _ := bytes.Cut(line, []byte(":"))
		if bytes.EqualFold(name, []byte("Content-Length")) {
			if size, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil || size < 0 {
				return 0, nil, fmt.Errorf("response %q", head)
			}
		}
	}
	if len(rest) < size {
		return 0, nil, nil
	}
	c.drop(len(head) + 4 + size)
	return status, rest[:size], nil
}

// callers is how many connections carry requests to @connections and @groups at once.
const callers = 16

// A manager is a crowd of members, and connections that carry requests about them.
type manager struct {
	loadSettings
	members *echo
	calls   map[*conn]bool // what carries requests; true while one is under way
	// heard is how many messages members got that they had not asked for.
	heard int64
	want  []byte
	lastN time.Time // when the last of them came
}

func newManager(s loadSettings) (*manager, error) {
	w, err := newCrowd()
	s.want = wantConstant
	return &manager{loadSettings: s, members: &echo{loadSettings: s, crowd: w}, calls: map[*conn]bool{}}, err
}

// prepare opens the connections and has each of them tell its ID.
func (m *manager) prepare() error {
	if err := m.members.crowd.gather(m.target, m.conns); err != nil {
		return err
	}
	for i, c := range m.members.crowd.conns {
		if err := m.members.say(c); err != nil {
			return err
		}
		if i%256 == 255 { // so that the server sheds nothing
			if err := m.members.quiet(); err != nil {
				return err
			}
		}
	}
	if err := m.members.quiet(); err != nil {
		return err
	}
	for i := range callers {
		c, err := dial(m.addr, i)
		if err != nil {
			return err
		}
		m.calls[c] = false
		if err := m.members.crowd.add(c); err != nil {
			return err
		}
	}
	return nil
}

// call sends the requests that next returns, until it returns nil, and returns how many
// were answered 2xx. Any other answer is an error. It ends when the members have heard
// what they should: as many messages as expected in all.
func (m *manager) call(next func() ([]byte, error), expected func(calls int64) int64) (int64, error) {
	m.heard = 0
	var done int64
	underWay, more := 0, true
	send := func(c *conn) error {
		request, err := next()
		if err != nil {
			return err
		}
		m.calls[c] = request != nil
		if request == nil {
			more = false
			return nil
		}
		underWay++
		return c.write(request)
	}
	for c := range m.calls {
		if err := send(c); err != nil {
			return 0, err
		}
	}
	quiet := time.Now()
	for more || underWay > 0 || m.heard < expected(done) {
		before := done + m.heard
		if err := m.members.crowd.wait(100*time.Millisecond, func(c *conn) error {
			busy, calls := m.calls[c]
			if !calls {
				return m.listen(c)
			}
			status, body, err := c.answer()
			if err != nil || status == 0 {
				return err
			}
			if status/100 != 2 || !busy {
				return fmt.Errorf("request is answered with %d %q", status, body)
			}
			underWay--
			done++
			return send(c)
		}); err != nil {
			return 0, err
		}
		if done+m.heard != before {
			quiet = time.Now()
		} else if time.Since(quiet) > m.silence {
			return 0, fmt.Errorf("nothing for %v: %d requests are answered, %d are not, %d messages of %d are heard", m.silence, done, underWay, m.heard, expected(done))
		}
	}
	if m.heard > expected(done) {
		return 0, fmt.Errorf("%d messages are heard for %d requests", m.heard, done)
	}
	return done, nil
}

// listen counts and checks what a member hears.
func (m *manager) listen(c *conn) error {
	for {
		got, ok, err := c.message()
		if err != nil || !ok {
			return err
		}
		if !bytes.Equal(got, m.want) {
			return fmt.Errorf("a member hears %q", got)
		}
		m.heard++
		m.lastN = time.Now()
	}
}

// notice is what members are told, 100 bytes.
var notice = fmt.Appendf(nil, `{"action":"notice","text":"%s"}`, strings.Repeat(".", 71))

// post tells members one by one.
type post struct{ *manager }

func newPost(s loadSettings) (load, error) {
	m, err := newManager(s)
	return post{m}, err
}

func (l post) prepare() error {
	if err := l.manager.prepare(); err != nil {
		return err
	}
	_, err := l.tell(l.warmUp)
	return err
}

func (l post) measured() (loadResult, error) {
	start := time.Now()
	done, err := l.tell(l.each)
	return loadResult{Done: done, Elapsed: time.Since(start)}, err
}

// tell posts to one member after the other. Each request is signed when it is sent: the
// server gets no two that are alike in a second.
func (l post) tell(d time.Duration) (int64, error) {
	l.want = notice
	until, i := time.Now().Add(d), 0
	return l.call(func() ([]byte, error) {
		if !time.Now().Before(until) {
			return nil, nil
		}
		i++
		return l.signed(http.MethodPost, connectionPath(l.members.crowd.conns[i%l.conns].id()), notice)
	}, func(calls int64) int64 { return calls })
}

// broadcast tells a group.
type broadcast struct{ *manager }

func newBroadcast(s loadSettings) (load, error) {
	m, err := newManager(s)
	return broadcast{m}, err
}

// prepare puts everybody in the group and tells it something once.
func (l broadcast) prepare() error {
	if err := l.manager.prepare(); err != nil {
		return err
	}
	i := 0
	if _, err := l.call(func() ([]byte, error) {
		if i == l.conns {
			return nil, nil
		}
		i++
		return l.signed(http.MethodPut, groupPath(l.members.crowd.conns[i-1].id()), nil)
	}, func(int64) int64 { return 0 }); err != nil {
		return fmt.Errorf("join: %w", err)
	}
	_, err := l.tell()
	return err
}

func (l broadcast) measured() (loadResult, error) {
	var result loadResult
	start := time.Now()
	for range l.broadcasts {
		took, err := l.tell()
		if err != nil {
			return result, err
		}
		result.Last = append(result.Last, took)
		result.Done += int64(l.conns)
	}
	result.Elapsed = time.Since(start)
	return result, nil
}

// tell posts once, and returns how long it took until the last member had it.
func (l broadcast) tell() (time.Duration, error) {
	l.want = notice
	request, err := l.signed(http.MethodPost, groupPath(""), notice)
	if err != nil {
		return 0, err
	}
	start := time.Now()
	_, err = l.call(func() ([]byte, error) {
		now := request
		request = nil
		return now, nil
	}, func(int64) int64 { return int64(l.conns) })
	return l.lastN.Sub(start), err
}
