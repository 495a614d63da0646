package connection

import (
	"encoding/binary"
	"errors"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// Close codes, as RFC 6455 names them. NoStatus and Abnormal never stand in a frame:
// they say that there was no code, or no close frame at all.
const (
	Normal       = 1000
	GoingAway    = 1001
	Violation    = 1002
	Unacceptable = 1003
	NoStatus     = 1005
	Abnormal     = 1006
	InvalidText  = 1007
	TooBig       = 1009
	Internal     = 1011
)

// Reasons of the codes that have one. Source: events of the service.
const (
	goingAwayText = "Going away"
	noStatusText  = "Client-side close frame status not set"
	abnormalText  = "Connection closed abnormally"
)

const (
	// maxHeader is the length of the longest header of a frame.
	maxHeader = ws.MaxHeaderSize
	// maxControl is what a control frame may carry.
	maxControl = ws.MaxControlFramePayloadSize
)

var errHeader = errors.New("the length of the frame is malformed")

// parseHeader reads the header of a frame. The number of its bytes is 0 while there are
// too few of them. A length that is not in its shortest form is an error, and so is one
// with the top bit set.
func parseHeader(p []byte) (h ws.Header, n int, err error) {
	if len(p) < 2 {
		return h, 0, nil
	}
	h = ws.Header{
		Fin:    p[0]&0x80 != 0,
		Rsv:    p[0] & 0x70 >> 4,
		OpCode: ws.OpCode(p[0] & 0x0f),
		Masked: p[1]&0x80 != 0,
		Length: int64(p[1] & 0x7f),
	}
	n = 2
	switch h.Length {
	case 126:
		if n += 2; len(p) < n {
			return h, 0, nil
		}
		if h.Length = int64(binary.BigEndian.Uint16(p[2:])); h.Length < 126 {
			return h, 0, errHeader
		}
	case 127:
		if n += 8; len(p) < n {
			return h, 0, nil
		}
		length := binary.BigEndian.Uint64(p[2:])
		if length>>63 != 0 || length <= 0xffff {
			return h, 0, errHeader
		}
		h.Length = int64(length)
	}
	if h.Masked {
		if n += 4; len(p) < n {
			return h, 0, nil
		}
		copy(h.Mask[:], p[n-4:])
	}
	return h, n, nil
}

// appendFrame appends a frame of the server, which has no mask.
func appendFrame(dst []byte, fin bool, op ws.OpCode, payload []byte) []byte {
	first := byte(op)
	if fin {
		first |= 0x80
	}
	switch n := len(payload); {
	case n < 126:
		dst = append(dst, first, byte(n))
	case n <= 0xffff:
		dst = append(dst, first, 126, byte(n>>8), byte(n))
	default:
		dst = append(dst, first, 127)
		dst = binary.BigEndian.AppendUint64(dst, uint64(n))
	}
	return append(dst, payload...)
}

// appendMessage appends a text message, in frames of at most size bytes.
func appendMessage(dst, text []byte, size int) []byte {
	op := ws.OpText
	for len(text) > size {
		dst = appendFrame(dst, false, op, text[:size])
		text, op = text[size:], ws.OpContinuation
	}
	return appendFrame(dst, true, op, text)
}

// appendClose appends a close frame. One of NoStatus carries nothing, and a reason that
// is too long for a control frame is cut before the character that does not fit.
func appendClose(dst []byte, code int, reason string) []byte {
	if code == NoStatus {
		return appendFrame(dst, true, ws.OpClose, nil)
	}
	if len(reason) > maxControl-2 {
		end := maxControl - 2
		for end > 0 && !utf8.RuneStart(reason[end]) {
			end--
		}
		reason = reason[:end]
	}
	var payload [maxControl]byte
	binary.BigEndian.PutUint16(payload[:], uint16(code))
	n := 2 + copy(payload[2:], reason)
	return appendFrame(dst, true, ws.OpClose, payload[:n])
}

// validCode reports whether a close frame may carry the code. Codes above 4999 belong to
// nobody.
func validCode(code int) bool {
	switch {
	case code == 1004, code == NoStatus, code == Abnormal:
		return false
	case code >= 1000 && code <= 1014:
		return true
	default:
		return code >= 3000 && code <= 4999
	}
}

// parseClose returns what a close frame of the client says, or what is wrong with it. The
// code is the one to answer with.
func parseClose(payload []byte) (code int, reason string) {
	if len(payload) == 0 {
		return NoStatus, noStatusText
	}
	if len(payload) == 1 {
		return Violation, ""
	}
	status, reason := ws.ParseCloseFrameData(payload)
	switch {
	case !validCode(int(status)):
		return Violation, ""
	case !utf8.ValidString(reason):
		return InvalidText, ""
	}
	return int(status), reason
}
