package mapping

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"penstock/internal/gateway"
)

// A Response is the compiled response mapping of an integration. It never changes.
type Response struct{ statuses map[int]*statusMapping }

// A statusMapping is what happens to answers with one status.
type statusMapping struct {
	header    []change
	status    *Expression
	readsBody bool
}

// CompileResponse compiles the response parameters of an integration: for each status
// a map whose keys are
//
//	( "append" | "overwrite" | "remove" ) ":header." name
//	"overwrite:statuscode"
//
// and whose values are as ParseResponse has them. It returns nil if there are none.
func CompileResponse(parameters map[string]map[string]string, scope Scope) (*Response, error) {
	if len(parameters) == 0 {
		return nil, nil
	}
	r := &Response{make(map[int]*statusMapping, len(parameters))}
	for _, status := range slices.Sorted(maps.Keys(parameters)) {
		n, ok := parseStatus(status)
		if !ok {
			return nil, fmt.Errorf("status %q: want a number from 200 to 599", status)
		}
		m, err := compileStatus(parameters[status], scope)
		if err != nil {
			return nil, fmt.Errorf("status %s: %w", status, err)
		}
		r.statuses[n] = m
	}
	return r, nil
}

func compileStatus(parameters map[string]string, scope Scope) (*statusMapping, error) {
	m := &statusMapping{}
	err := compileChanges(parameters, ParseResponse, scope, func(place string, c change) bool {
		switch {
		case place == "header":
			m.header = append(m.header, c)
		case place == "statuscode" && c.kind == gateway.Overwrite && c.name == "":
			m.status = c.value
		default:
			return false
		}
		m.readsBody = m.readsBody || c.value != nil && c.value.readsBody
		return true
	})
	if err != nil {
		return nil, err
	}
	order(m.header)
	return m, nil
}

// parseStatus reads three digits, from 200 to 599.
func parseStatus[T string | []byte](s T) (int, bool) {
	if len(s) != 3 {
		return 0, false
	}
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = 10*n + int(s[i]-'0')
	}
	return n, 200 <= n && n <= 599
}

// ReadsBody reports whether the mapping looks into the body of an answer with a
// status.
func (r *Response) ReadsBody(status int) bool {
	if r == nil {
		return false
	}
	m := r.statuses[status]
	return m != nil && m.readsBody
}

var errStatus = errors.New("overwrite:statuscode: the value is not a number from 200 to 599")

// Apply changes x.Response, the answer of an integration. Its status says which
// changes; those of a status that they lead to do not follow. Values are those of the
// answer as it came. A change whose value is missing is left out. If the new status
// allows no body there is none.
//
// The error is an answer of the gateway: InternalError if a value cannot stand where
// the mapping puts it.
func (r *Response) Apply(x *gateway.Exchange) error {
	if r == nil {
		return nil
	}
	resp := &x.Response
	m := r.statuses[resp.Status]
	if m == nil {
		return nil
	}
	limit := len(x.Mapped.Text) + maxMapped
	var room [16]gateway.Change
	changes := room[:0]
	for i := range m.header {
		c := &m.header[i]
		value := ""
		if c.value != nil {
			n := len(x.Mapped.Text)
			var found bool
			if x.Mapped.Text, found = c.value.Append(x.Mapped.Text, x); !found {
				continue
			}
			if len(x.Mapped.Text) > limit {
				return gateway.InternalError(errMapped)
			}
			if err := checkValue(x.Mapped.Text[n:]); err != nil {
				return gateway.InternalError(fmt.Errorf("%s:header.%s: %w", c.kind, c.name, err))
			}
			value = keep(&x.Mapped, n)
		}
		changes = append(changes, gateway.Change{Kind: c.kind, Name: c.name, Value: value})
	}
	status := resp.Status
	if m.status != nil {
		n := len(x.Mapped.Text)
		var found bool
		if x.Mapped.Text, found = m.status.Append(x.Mapped.Text, x); found {
			var ok bool
			if status, ok = parseStatus(x.Mapped.Text[n:]); !ok {
				return gateway.InternalError(fmt.Errorf("%w: %q", errStatus, shortened(x.Mapped.Text[n:])))
			}
		}
	}
	changeHeader(x, changes)
	setStatus(x, status)
	return nil
}

func shortened(b []byte) string { return string(b[:min(len(b), 20)]) }

// changeHeader applies changes to the header of the response. The fields may be those
// of something that is shared, so they are changed in the room of the exchange.
func changeHeader(x *gateway.Exchange, changes []gateway.Change) {
	if len(changes) == 0 {
		return
	}
	fields := x.Response.Header
	if room := x.Buffers.Response; len(fields) > 0 && (cap(room) == 0 || &room[:1][0] != &fields[0]) {
		fields = append(room[:0], fields...)
	}
	for i := range changes {
		c := &changes[i]
		if c.Kind == gateway.Append {
			fields = append(fields, gateway.Field{Name: c.Name, Value: c.Value})
			continue
		}
		written := c.Kind == gateway.Remove
		kept := fields[:0]
		for _, f := range fields {
			if gateway.EqualFold(f.Name, c.Name) {
				if written {
					continue
				}
				f, written = gateway.Field{Name: c.Name, Value: c.Value}, true
			}
			kept = append(kept, f)
		}
		if fields = kept; !written {
			fields = append(fields, gateway.Field{Name: c.Name, Value: c.Value})
		}
	}
	x.Response.Header, x.Buffers.Response = fields, fields
}

// setStatus changes the status of the response, and with it whether there is a body:
// its end must be where the client looks for it.
func setStatus(x *gateway.Exchange, status int) {
	resp := &x.Response
	had, has := allowsBody(resp.Status), allowsBody(status)
	resp.Status = status
	switch {
	case !has:
		resp.Bodiless = true
		if had || status == noContent {
			resp.Body.Length = -1
		}
	case !had && x.Request.Method != "HEAD":
		resp.Bodiless = false
		resp.Body = gateway.Body{}
	}
}

// The statuses of answers without a body.
const (
	noContent   = 204
	notModified = 304
)

func allowsBody(status int) bool { return status != noContent && status != notModified }
