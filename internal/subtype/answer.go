package subtype

import (
	"fmt"

	"penstock/internal/gateway"
	"penstock/internal/integration"
)

// textAnswer is what access logs show of an answer that cannot be read.
const textAnswer = "The response from the service cannot be read"

// The statuses of answers without a body.
const (
	statusNoContent   = 204
	statusNotModified = 304
)

// answer makes the response out of what the service answered, whatever its status says:
// status, body and Content-Type, and of all other fields only the one that the action keeps.
// The rest is about the call and the server that took it, which are not the client's.
func (i *Integration) answer(x *gateway.Exchange, in *integration.Incoming) error {
	body := in.Body
	fields := in.Header
	if i.xml {
		var err error
		if body, fields, err = i.answerXML(x, in); err != nil {
			x.Integration.Error = textAnswer
			return gateway.InternalError(fmt.Errorf("the answer of the service is malformed: %w", err))
		}
	}
	// Writing goes no further than reading has.
	kept := x.Buffers.Response[:0]
	for _, f := range fields {
		if gateway.EqualFold(f.Name, "Content-Type") || i.action.keep != "" && gateway.EqualFold(f.Name, i.action.keep) {
			kept = append(kept, f)
		}
	}
	x.Buffers.Response = kept
	resp := &x.Response
	resp.Status, resp.Header = in.Status, kept
	resp.Body = gateway.Body{Bytes: body, Length: int64(len(body))}
	switch {
	case in.Status == statusNoContent || in.Status == statusNotModified:
		resp.Bodiless, resp.Body = true, gateway.Body{Length: -1}
	case x.Request.Method == "HEAD":
		resp.Bodiless = true
	}
	return nil
}

// field returns the value of a field of an answer, "" if it has none.
func field(fields []gateway.Field, name string) string {
	for i := range fields {
		if gateway.EqualFold(fields[i].Name, name) {
			return fields[i].Value
		}
	}
	return ""
}
