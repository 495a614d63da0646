package gateway

import (
	"bufio"
	"errors"
	"io"
)

// A ChunkReader decodes a body that comes in chunks (RFC 9112, 7.1). Where
// parsers are known to disagree – white space around a size, a bare line feed, a
// long extension, a missing end – it ends with an error. Extensions and trailers
// are dropped. After io.EOF the reader below stands behind the body; after any
// other error nothing more can be said about it.
type ChunkReader struct {
	r     *bufio.Reader
	left  int64 // of the current chunk
	begun bool  // a chunk has been read
	spare int   // what extensions and trailers may still take
	err   error
}

const (
	// maxChunkExtra bounds what a body may hold besides its data, sizes and line
	// ends aside.
	maxChunkExtra = 8 << 10
	// maxChunkDigits bounds a chunk size; 15 digits do not overflow.
	maxChunkDigits = 15
)

var (
	errChunk      = errors.New("malformed chunk")
	errChunkExtra = errors.New("chunk extensions or trailers too long")
)

// Reset makes c read a body from r, whose buffer bounds the length of a line.
func (c *ChunkReader) Reset(r *bufio.Reader) { *c = ChunkReader{r: r, spare: maxChunkExtra} }

// Read implements io.Reader.
func (c *ChunkReader) Read(p []byte) (int, error) {
	if len(p) == 0 || c.err != nil {
		return 0, c.err
	}
	if c.left == 0 {
		if c.err = c.next(); c.err != nil {
			return 0, c.err
		}
	}
	n, err := c.r.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	c.err = cutShort(err)
	return n, c.err
}

// next reads up to the data of the next chunk:
//
//	[ CRLF ] size [ ";" extension ] CRLF
//
// The size 0 ends the body: trailers and an empty line follow.
func (c *ChunkReader) next() error {
	if c.begun {
		end, err := c.r.Peek(2)
		if len(end) > 0 && end[0] != '\r' || len(end) > 1 && end[1] != '\n' {
			return errChunk
		}
		if err != nil {
			return cutShort(err)
		}
		c.r.Discard(2)
	}
	c.begun = true
	line, err := c.line()
	if err != nil {
		return err
	}
	digits := 0
	for digits < len(line) {
		d := hexDigit[line[digits]]
		if d == 0 {
			break
		}
		c.left = c.left<<4 | int64(d-1)
		digits++
	}
	extension := line[digits:]
	if digits == 0 || digits > maxChunkDigits || len(extension) > 0 && extension[0] != ';' {
		return errChunk
	}
	for _, b := range extension {
		if b < ' ' && b != '\t' || b == 0x7f {
			return errChunk
		}
	}
	if c.spare -= len(extension); c.spare < 0 {
		return errChunkExtra
	}
	if c.left > 0 {
		return nil
	}
	for {
		line, err := c.line()
		if err != nil {
			return err
		}
		if len(line) == 0 {
			return io.EOF
		}
		if _, err := ParseField(line); err != nil {
			return err
		}
		if c.spare -= len(line); c.spare < 0 {
			return errChunkExtra
		}
	}
}

// line reads a line and returns it without its CR LF.
func (c *ChunkReader) line() ([]byte, error) {
	line, err := c.r.ReadSlice('\n')
	switch {
	case err == bufio.ErrBufferFull:
		return nil, errChunkExtra
	case err != nil:
		return nil, cutShort(err)
	case len(line) < 2 || line[len(line)-2] != '\r':
		return nil, errLineEnd
	}
	return line[:len(line)-2], nil
}

// cutShort makes the end of the input an error: there is more to a body.
func cutShort(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// hexDigit holds the value of each hexadecimal digit plus 1, and 0 for the rest.
var hexDigit = func() (table [256]uint8) {
	for i, c := range "0123456789abcdef" {
		table[c] = uint8(i + 1)
	}
	for i, c := range "ABCDEF" {
		table[c] = uint8(i + 11)
	}
	return table
}()
