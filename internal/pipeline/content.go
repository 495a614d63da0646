package pipeline

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"unicode/utf8"
)

var (
	errBase64 = errors.New("content handling: the text is not base64")
	errUTF8   = errors.New("the bytes for the client are not text in UTF-8")
)

// decodeBase64 decodes standard base64, with padding or without, in one line or several.
func decodeBase64(text []byte) ([]byte, error) {
	encoding := base64.RawStdEncoding
	if bytes.HasSuffix(bytes.TrimRight(text, "\r\n"), []byte("=")) {
		encoding = base64.StdEncoding
	}
	b, err := encoding.AppendDecode(nil, text)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errBase64, err)
	}
	return b, nil
}

// convertRequest applies the content handling of an integration to the body of a request.
func convertRequest(handling string, body []byte) ([]byte, error) {
	switch handling {
	case toBinary:
		b, err := decodeBase64(body)
		if err != nil {
			return nil, ErrConfiguration.With(err)
		}
		return b, nil
	case toText:
		return base64.StdEncoding.AppendEncode(nil, body), nil
	}
	return body, nil
}

// validText returns text with U+FFFD for each byte that is not UTF-8. What is too long to be
// sent is left as it is.
func validText(b []byte) []byte {
	if len(b) > maxText || utf8.Valid(b) {
		return b
	}
	valid := make([]byte, 0, len(b)+64)
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		valid = utf8.AppendRune(valid, r)
		b = b[size:]
	}
	return valid
}
