package gateway

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"
)

// blockSize is the unit in which long bodies are kept in memory.
const blockSize = 64 << 10

type block [blockSize]byte

var blocks = sync.Pool{New: func() any { return new(block) }}

// A Spool holds a body that must be complete before it can go on and that is too
// long for the buffers of one exchange: one that came in chunks, or an answer that
// came while the request was still being sent. It is filled once, then read once.
// All spools of a server share one budget of memory.
type Spool struct {
	budget *atomic.Int64 // bytes in use by all spools
	max    int64
	blocks []*block
	length int64
	read   int64
	held   int64 // bytes of the budget that are not for blocks
}

var (
	// ErrTooLong says that a body is longer than allowed.
	ErrTooLong = errors.New("body longer than allowed")
	// ErrNoMemory says that the budget of all spools is used up.
	ErrNoMemory = errors.New("the memory for bodies that must be kept whole is used up")
)

// Fill reads r to its end. The error is r's, or ErrTooLong when there are more than
// limit bytes, or ErrNoMemory.
func (s *Spool) Fill(r io.Reader, limit int64) error {
	for {
		at := int(s.length % blockSize)
		if at == 0 && int64(len(s.blocks))*blockSize == s.length {
			if s.budget.Add(blockSize) > s.max {
				s.budget.Add(-blockSize)
				return ErrNoMemory
			}
			s.blocks = append(s.blocks, blocks.Get().(*block))
		}
		n, err := r.Read(s.blocks[len(s.blocks)-1][at:])
		s.length += int64(n)
		switch {
		case s.length > limit:
			return ErrTooLong
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}

// Len returns the length of the body.
func (s *Spool) Len() int64 { return s.length }

// prefix returns a copy of the first n bytes, or of all.
func (s *Spool) prefix(n int64) []byte {
	p := make([]byte, 0, min(n, s.length))
	for i := 0; len(p) < cap(p); i++ {
		p = append(p, s.blocks[i][:min(blockSize, cap(p)-len(p))]...)
	}
	return p
}

// Read implements io.Reader.
func (s *Spool) Read(p []byte) (int, error) {
	if s.read == s.length {
		return 0, io.EOF
	}
	b := s.blocks[s.read/blockSize]
	at := s.read % blockSize
	n := copy(p, b[at:min(blockSize, at+s.length-s.read)])
	s.read += int64(n)
	return n, nil
}

func (s *Spool) free() {
	s.budget.Add(-int64(len(s.blocks))*blockSize - s.held)
	for _, b := range s.blocks {
		blocks.Put(b)
	}
	s.blocks, s.length, s.read, s.held = nil, 0, 0, 0
}
