package upstream

import (
	"net"
	"strconv"
	"sync/atomic"
	"time"

	"penstock/internal/integration"
)

// A member is an instance of a group for as long as lists have it. Its connections, counts
// and what is known of its health stay while its host, port and TLS are the same.
type member struct {
	endpoint integration.Endpoint // its Member is this member

	_ [64]byte // what requests write lies on a line of memory of its own
	// inFlight is how many requests are under way.
	inFlight atomic.Int64
	// strikes are the failures in a row. See Ejection.
	strikes atomic.Int32
	// row is how often the member has been ejected without a success in between.
	row atomic.Int32
	// ejected says that failed requests have put the member out of the way.
	ejected atomic.Bool
	_       [64]byte

	// The group's mu guards what follows.
	key
	weight     uint32
	attributes map[string]string
	// down says that health checks fail, and why is the last failure. checked says that
	// there was a check, and run is how many in a row spoke against what down says.
	down, checked bool
	why           error
	run           int
	// until is when the ejection ends, by back.
	until time.Time
	back  *time.Timer
	// unwatch ends the health checks.
	unwatch func()
}

// A key is what makes a member the same in two lists.
type key struct {
	host string
	port uint16
	tls  bool
}

func (k key) String() string { return net.JoinHostPort(k.host, strconv.Itoa(int(k.port))) }

// newMember returns a member, which counts as healthy.
func newMember(k key) *member {
	m := &member{key: k, endpoint: integration.Endpoint{Host: k.host, Port: k.port, TLS: k.tls}}
	m.endpoint.Member = m
	return m
}
