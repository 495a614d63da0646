package gateway

import (
	"errors"
	"io"
)

// WholeBody makes the whole body available and returns it in one piece, which is the
// one that an integration gets: Request.Body is in memory from then on. A body longer
// than limit is answered with 413, one of known length before it is read. The memory for
// long bodies comes out of the budget of all spools. The error is a gateway error.
func (x *Exchange) WholeBody(limit int64) ([]byte, error) {
	if x.Request.ContentLength > limit {
		return nil, closing(errTooLarge, "declared length above the limit of the route")
	}
	if err := x.ReadBody(); err != nil {
		return nil, err
	}
	body := &x.Request.Body
	if body.Length > limit {
		return nil, closing(errTooLarge, "body above the limit of the route")
	}
	if body.Stream == nil {
		return body.Bytes, nil
	}
	spool, ok := body.Stream.(*Spool)
	if !ok {
		spool = x.Spool()
		if err := spool.Fill(body.Stream, limit); err != nil {
			return nil, spoolFailure(err)
		}
	}
	n := spool.Len()
	if n != body.Length {
		return nil, closing(errBadRequest, "the body is not as long as announced")
	}
	b, err := x.Reserve(n)
	if err != nil {
		return nil, err
	}
	if _, err := io.ReadFull(spool, b); err != nil {
		return nil, InternalError(errors.New("the body was read before it was needed whole"))
	}
	spool.free()
	*body = Body{Bytes: b, Length: n}
	return b, nil
}

// Reserve returns room for n bytes that counts against the budget of all spools until
// the exchange ends. The error is a gateway error.
func (x *Exchange) Reserve(n int64) ([]byte, error) {
	s := x.Spool()
	if s.budget.Add(n) > s.max {
		s.budget.Add(-n)
		return nil, spoolFailure(ErrNoMemory)
	}
	s.held = n
	return make([]byte, n), nil
}
