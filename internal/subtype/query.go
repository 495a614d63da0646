package subtype

import (
	"errors"
	"slices"
	"strings"

	"penstock/internal/gateway"
	"penstock/internal/integration"
	"penstock/internal/jsonpath"
	"penstock/internal/jsontree"
)

const (
	declaration = `<?xml version="1.0"?>`
	namespace   = ` xmlns="http://queue.amazonaws.com/doc/2012-11-05/">`
)

var xmlFields = []gateway.Field{{Name: "Content-Type", Value: "text/xml"}}

// answerXML returns the answer of the query protocol that says what an answer in JSON says.
// One that is no JSON stays as it is if it is XML, or an error of something else than the
// service. The answer lies in x.Mapped.Text, or in other room of the exchange.
func (i *Integration) answerXML(x *gateway.Exchange, in *integration.Incoming) (body []byte, header []gateway.Field, err error) {
	failed := in.Status >= 300
	if strings.Contains(field(in.Header, "Content-Type"), "xml") {
		return in.Body, in.Header, nil
	}
	if _, ok := (jsonpath.Path{}).Select(in.Body); !ok {
		switch {
		case failed:
			return in.Body, in.Header, nil
		case len(in.Body) > 0:
			return nil, nil, errors.New("it is not JSON")
		}
	}
	id := x.Integration.RequestID
	if id == "" {
		if id = field(in.Header, "x-amzn-requestid"); id == "" {
			id = x.ID // a server that gives its calls no names
		}
	}
	show := i.writeAnswer
	if failed {
		show = writeError
	}
	w := writer{}
	if len(in.Body) > smallAnswer {
		count := writer{counts: true}
		if err := show(&count, in, id); err != nil {
			return nil, nil, err
		}
		if w.b, err = room(x, count.n); err != nil {
			return nil, nil, err
		}
		w.received = count.received
		err = show(&w, in, id)
		return w.b, xmlFields, err
	}
	start := len(x.Mapped.Text)
	w.b = x.Mapped.Text
	if err := show(&w, in, id); err != nil {
		return nil, nil, err
	}
	x.Mapped.Text = w.b
	return w.b[start:], xmlFields, nil
}

// smallAnswer is the length of answers that are not counted before they are written: as XML
// they have some times that length, and mostly much less.
const smallAnswer = 4 << 10

// writeAnswer writes the answer of an action that was done.
func (i *Integration) writeAnswer(w *writer, in *integration.Incoming, id string) error {
	name := i.action.name
	w.raw(declaration, "<", name, "Response", namespace)
	if err := i.action.xml(w, in.Body); err != nil {
		return err
	}
	w.raw("<ResponseMetadata>")
	w.element("RequestId", id)
	w.raw("</ResponseMetadata></", name, "Response>")
	return nil
}

func writeNothing(*writer, []byte) error { return nil }

// A result is an element of an answer and the member of the JSON that it shows.
type result struct {
	name string
	path jsonpath.Path
}

func mustResults(names ...string) (all []result) {
	for _, name := range names {
		path, err := jsonpath.Parse("." + name)
		if err != nil {
			panic(err)
		}
		all = append(all, result{name, path})
	}
	return all
}

var sentResults = mustResults("MessageId", "MD5OfMessageBody", "MD5OfMessageAttributes", "MD5OfMessageSystemAttributes", "SequenceNumber")

// writeSent writes what is known of a message that was sent.
func writeSent(w *writer, answer []byte) error {
	w.raw("<SendMessageResult>")
	for i := range sentResults {
		r := &sentResults[i]
		if value, ok := r.path.Select(answer); ok && value[0] == '"' {
			w.open(r.name)
			w.quoted(value)
			w.close(r.name)
		}
	}
	w.raw("</SendMessageResult>")
	return nil
}

// maxDepth is how deep messages are nested in an answer: messages, attributes, attribute,
// list.
const maxDepth = 8

// writeReceived writes the messages that were received.
func writeReceived(w *writer, answer []byte) error {
	var messages []*jsontree.Node
	if w.received == nil && len(answer) > 0 {
		root, err := jsontree.Read(string(answer), jsontree.Limits{What: "the answer", Length: len(answer), Depth: maxDepth})
		if err != nil {
			return err
		}
		w.received = root
	}
	if w.received != nil {
		if m := w.received.Member("Messages"); m != nil {
			messages = m.Items
		}
	}
	if len(messages) == 0 {
		w.raw("<ReceiveMessageResult/>")
		return nil
	}
	w.raw("<ReceiveMessageResult>")
	for _, m := range messages {
		w.open("Message")
		w.members(m, "MessageId", "ReceiptHandle", "MD5OfBody", "Body")
		if all := m.Member("Attributes"); all != nil {
			for _, a := range all.Items {
				w.open("Attribute")
				w.element("Name", a.Name)
				w.element("Value", a.Text)
				w.close("Attribute")
			}
		}
		w.members(m, "MD5OfMessageAttributes")
		if all := m.Member("MessageAttributes"); all != nil {
			for _, a := range all.Items {
				w.attribute(a)
			}
		}
		w.close("Message")
	}
	w.raw("</ReceiveMessageResult>")
	return nil
}

// attribute writes an attribute that the sender has given to a message.
func (w *writer) attribute(a *jsontree.Node) {
	w.open("MessageAttribute")
	w.element("Name", a.Name)
	w.open("Value")
	w.members(a, "StringValue", "BinaryValue")
	for _, kind := range [...]string{"StringListValue", "BinaryListValue"} {
		if values := a.Member(kind + "s"); values != nil {
			for _, v := range values.Items {
				w.element(kind, v.Text)
			}
		}
	}
	w.members(a, "DataType")
	w.close("Value")
	w.close("MessageAttribute")
}

// legacyCodes are the errors whose names in the query protocol differ from those in JSON.
// Servers that stand for the service say only the latter. Source: the model of the service.
var legacyCodes = map[string]string{
	"BatchEntryIdsNotDistinct":     "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
	"BatchRequestTooLong":          "AWS.SimpleQueueService.BatchRequestTooLong",
	"EmptyBatchRequest":            "AWS.SimpleQueueService.EmptyBatchRequest",
	"InvalidBatchEntryId":          "AWS.SimpleQueueService.InvalidBatchEntryId",
	"MessageNotInflight":           "AWS.SimpleQueueService.MessageNotInflight",
	"PurgeQueueInProgress":         "AWS.SimpleQueueService.PurgeQueueInProgress",
	"QueueDeletedRecently":         "AWS.SimpleQueueService.QueueDeletedRecently",
	"QueueDoesNotExist":            "AWS.SimpleQueueService.NonExistentQueue",
	"QueueNameExists":              "QueueAlreadyExists",
	"ResourceNotFoundException":    "ResourceNotFoundException",
	"TooManyEntriesInBatchRequest": "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
	"UnsupportedOperation":         "AWS.SimpleQueueService.UnsupportedOperation",
}

var (
	errorType     = mustResults("__type")[0].path
	errorMessages = mustResults("message", "Message")
)

// writeError writes an error of the service.
func writeError(w *writer, in *integration.Incoming, id string) error {
	kind := "Sender"
	if in.Status >= 500 {
		kind = "Receiver"
	}
	code, fault, _ := strings.Cut(field(in.Header, "x-amzn-query-error"), ";")
	if fault == "Sender" || fault == "Receiver" {
		kind = fault
	}
	if code == "" {
		value, _ := errorType.Select(in.Body)
		decoded, _ := jsonpath.AppendText(nil, value)
		code = string(decoded[slices.Index(decoded, '#')+1:])
		if legacy, ok := legacyCodes[code]; ok {
			code = legacy
		}
	}
	w.raw(declaration, "<ErrorResponse", namespace, "<Error>")
	w.element("Type", kind)
	w.element("Code", code)
	w.open("Message")
	for i := range errorMessages {
		if value, ok := errorMessages[i].path.Select(in.Body); ok && value[0] == '"' {
			w.quoted(value)
			break
		}
	}
	w.close("Message")
	w.raw("<Detail/></Error>")
	w.element("RequestId", id)
	w.raw("</ErrorResponse>")
	return nil
}
