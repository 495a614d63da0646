package gateway

import (
	"encoding/base64"
	"encoding/binary"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"time"
)

// requestID fills b with a request id: 11 random bytes in URL-safe base64, 15
// characters and "=". It identifies, it does not protect. It does not begin with a hyphen,
// which command lines would take for a flag.
func requestID(b *[16]byte) string {
	var raw [16]byte
	binary.LittleEndian.PutUint64(raw[:], rand.Uint64())
	binary.LittleEndian.PutUint64(raw[8:], rand.Uint64())
	if raw[0]>>2 == hyphen {
		raw[0] ^= 0x80
	}
	base64.URLEncoding.Encode(b[:], raw[:11])
	return text(b[:])
}

// hyphen is the value of "-" in URL-safe base64.
const hyphen = 62

// A limiter lets ten things through per second, so that a broken backend does
// not fill the log.
type limiter struct {
	mu     sync.Mutex // guards the fields below
	second int64
	n      int
}

func (l *limiter) allow(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := now.Unix(); s != l.second {
		l.second, l.n = s, 0
	}
	l.n++
	return l.n <= 10
}

func stack() string { return string(debug.Stack()) }
