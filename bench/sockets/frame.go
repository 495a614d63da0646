//go:build linux

package main

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The operations of frames that the load generator knows.
const (
	opText  = 1
	opClose = 8
)

// mask is what the client's payloads are masked with. The rules ask for a random one;
// a server cannot tell, and has the same work with this one.
var mask = [4]byte{0x37, 0xfa, 0x21, 0x3d}

// appendFrame adds a masked frame with a payload of at most 65535 bytes.
func appendFrame(to []byte, op byte, payload []byte) []byte {
	to = append(to, 0x80|op)
	if len(payload) < 126 {
		to = append(to, 0x80|byte(len(payload)))
	} else {
		to = append(to, 0x80|126)
		to = binary.BigEndian.AppendUint16(to, uint16(len(payload)))
	}
	to = append(to, mask[:]...)
	for i, b := range payload {
		to = append(to, b^mask[i&3])
	}
	return to
}

// parseFrame returns the operation and the payload of the frame that b begins with, and
// how long the frame is. A length of 0 means that more has to be read. A masked or
// fragmented frame is refused: no server has a reason to send one here.
func parseFrame(b []byte) (op byte, payload []byte, length int, err error) {
	if len(b) < 2 {
		return 0, nil, 0, nil
	}
	if b[0]&0xf0 != 0x80 || b[1]&0x80 != 0 {
		return 0, nil, 0, fmt.Errorf("frame begins with %#x %#x", b[0], b[1])
	}
	head, size := 2, uint64(b[1])
	switch {
	case size == 126 && len(b) >= 4:
		head, size = 4, uint64(binary.BigEndian.Uint16(b[2:]))
	case size == 127 && len(b) >= 10:
		head, size = 10, binary.BigEndian.Uint64(b[2:])
	case size >= 126:
		return 0, nil, 0, nil
	}
	if size > 1<<20 {
		return 0, nil, 0, errors.New("frame of more than a mebibyte")
	}
	length = head + int(size)
	if len(b) < length {
		return 0, nil, 0, nil
	}
	return b[0] & 0xf, b[head:length], length, nil
}
