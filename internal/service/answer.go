package service

import (
	"bytes"
	"cmp"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"

	"penstock/internal/gateway"
	"penstock/internal/integration"
)

// denied are the error codes that say that a call is not permitted in the name it was made
// in. Source: common errors in the API references of the services, and error responses of
// S3.
var denied = map[string]bool{
	"AccessDenied":                true,
	"AccessDeniedException":       true,
	"AuthFailure":                 true,
	"AuthorizationError":          true,
	"ExpiredToken":                true,
	"ExpiredTokenException":       true,
	"IncompleteSignature":         true,
	"InvalidAccessKeyId":          true,
	"InvalidClientTokenId":        true,
	"InvalidSecurity":             true,
	"InvalidSignature":            true,
	"InvalidToken":                true,
	"MissingAuthenticationToken":  true,
	"NotAuthorized":               true,
	"OptInRequired":               true,
	"RequestExpired":              true,
	"RequestTimeTooSkewed":        true,
	"SignatureDoesNotMatch":       true,
	"UnauthorizedOperation":       true,
	"UnrecognizedClient":          true,
	"UnrecognizedClientException": true,

	"IncompleteSignatureException":        true,
	"InvalidSignatureException":           true,
	"MissingAuthenticationTokenException": true,
	"NotAuthorizedException":              true,
}

// Bounds on what is read of an answer that is an error, and what is told of it, in bytes.
const (
	maxErrorBody = 64 << 10
	maxErrorText = 1 << 10
)

// judge notes what an answer says about itself, and refuses the call if the service does
// not permit it. Services of JSON say so with the status 400, others with 403.
func (c *Client) judge(x *gateway.Exchange, r *integration.ServiceRequest, in *integration.Incoming, who *aws.Credentials) error {
	if id := cmp.Or(fieldOf(in.Header, "x-amzn-requestid"), fieldOf(in.Header, "x-amz-request-id")); id != "" {
		x.Integration.RequestID = strings.Clone(cut(id, maxErrorText))
	}
	if in.Status < 400 {
		return nil
	}
	code, message := failure(in)
	text := fmt.Sprintf("%d", in.Status)
	if code != "" {
		text += " " + code
	}
	if message != "" {
		text += ": " + message
	}
	text = printable(redact(text, who))
	x.Integration.Answer = text
	if (in.Status == 400 || in.Status == 401 || in.Status == 403) && denied[code] {
		return integration.Refused(x, fmt.Errorf("%w: %s in %s answered %s", integration.ErrNotPermitted, r.Service, r.Region, text))
	}
	return nil
}

// failure returns the code and the message of an answer that is an error, as far as it has
// some.
func failure(in *integration.Incoming) (code, message string) {
	code = errorCode(fieldOf(in.Header, "x-amzn-errortype"))
	body := bytes.TrimSpace(in.Body[:min(len(in.Body), maxErrorBody)])
	var found, said string
	switch {
	case len(body) == 0:
	case body[0] == '{':
		found, said = jsonFailure(body)
	case body[0] == '<':
		found, said = xmlFailure(body)
	}
	return cmp.Or(code, found), said
}

// jsonFailure reads {"__type": …, "message": …}, and what services of the query protocol
// answer to those who accept JSON: {"Error": {"Code": …, "Message": …}}.
func jsonFailure(body []byte) (code, message string) {
	type said struct {
		Code    json.RawMessage
		Type    string `json:"__type"`
		Message string // or message
	}
	var all struct {
		said
		Error json.RawMessage
	}
	var inner said
	_ = json.Unmarshal(body, &all) // what cannot be read is empty
	if len(all.Error) > 0 {
		_ = json.Unmarshal(all.Error, &inner)
	}
	text := func(raw json.RawMessage) (s string) {
		_ = json.Unmarshal(raw, &s) // a number is no code
		return s
	}
	return errorCode(cmp.Or(all.Type, text(all.Code), text(inner.Code))), cmp.Or(all.Message, inner.Message)
}

// xmlFailure reads the first <Code> and <Message>, wherever they are.
func xmlFailure(body []byte) (code, message string) {
	d := xml.NewDecoder(bytes.NewReader(body))
	for code == "" || message == "" {
		token, err := d.RawToken()
		if err != nil {
			return errorCode(code), message
		}
		start, ok := token.(xml.StartElement)
		if !ok || start.Name.Local != "Code" && start.Name.Local != "Message" {
			continue
		}
		value, err := d.RawToken()
		if err != nil {
			return errorCode(code), message
		}
		text, _ := value.(xml.CharData)
		if start.Name.Local == "Code" {
			code = cmp.Or(code, string(text))
		} else {
			message = cmp.Or(message, string(text))
		}
	}
	return errorCode(code), message
}

// errorCode returns the code in namespace#code:URL, of which only the code must be there.
func errorCode(s string) string {
	s, _, _ = strings.Cut(s, ":")
	return strings.TrimSpace(s[strings.LastIndexByte(s, '#')+1:])
}

// redact takes secrets out of a text: a service that finds a signature wrong may say what
// it should have been made of, and of that the session token is a part.
func redact(s string, who *aws.Credentials) string {
	if before, _, found := strings.Cut(s, "The Canonical String for this request should have been"); found {
		s = before
	}
	for _, secret := range [...]string{who.SecretAccessKey, who.SessionToken} {
		if secret != "" {
			s = strings.ReplaceAll(s, secret, "[secret]")
		}
	}
	return s
}

// printable returns the beginning of a text on one line.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, cut(strings.ToValidUTF8(s, ""), maxErrorText))
	return strings.Clone(strings.TrimSpace(s))
}

// cut returns the beginning of a text, at most n bytes of it.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// fieldOf returns the first value of a field.
func fieldOf(fields []gateway.Field, name string) string {
	for i := range fields {
		if len(fields[i].Name) == len(name) && gateway.EqualFold(fields[i].Name, name) {
			return fields[i].Value
		}
	}
	return ""
}

// describe says what a service is asked for, and in whose name. Of the query it shows the
// names of parameters. The text is one of its own.
func describe(r *integration.ServiceRequest, key string) string {
	var room [512]byte
	b := append(room[:0], r.Method...)
	b = append(b, ' ')
	path, query, _ := strings.Cut(cut(r.Target, maxErrorText), "?")
	b = append(b, path...)
	separator := byte('?')
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		name, _, _ := strings.Cut(pair, "=")
		b = append(append(b, separator), name...)
		separator = '&'
	}
	if target := fieldOf(r.Header, "X-Amz-Target"); target != "" {
		b = append(b, " X-Amz-Target: "...)
		b = append(b, cut(target, 200)...)
	} else if r.Action != "" {
		b = append(b, " Action: "...)
		b = append(b, cut(r.Action, 200)...)
	}
	b = append(b, ", signed for "...)
	b = append(b, r.Service...)
	b = append(b, " in "...)
	b = append(b, r.Region...)
	if r.CredentialsARN != "" {
		b = append(b, " as "...)
		b = append(b, r.CredentialsARN...)
	}
	b = append(b, " ("...)
	b = append(b, key...)
	return string(append(b, ')'))
}
