package pipeline

import (
	"errors"

	"penstock/internal/lenient"
)

// A mock has no backend: the body of the request says what the answer is.
type mock struct{}

var errMockStatus = errors.New("the request for a mock is not an object whose statusCode is an integer from 200 to 599")

// statusCode leads to the status in JSON text.
var statusCode = mustPath(".statusCode")

func (mock) call(c *call) error {
	status := 0
	if t := c.template; t != nil && t.constant {
		status = t.status
	} else {
		status = mockStatus(c.body)
	}
	if status == 0 {
		return ErrConfiguration.With(errMockStatus)
	}
	c.answer.status = status
	c.e.Exchange.Integration.Status = status
	return nil
}

// mockStatus returns the status in the text of an object; 0 if there is none.
func mockStatus(text []byte) int {
	if value, ok := statusCode.Select(text); ok && len(value) == 3 && value[0] >= '2' && value[0] <= '5' && digit(value[1]) && digit(value[2]) {
		return int(value[0]-'0')*100 + int(value[1]-'0')*10 + int(value[2]-'0')
	}
	v, err := lenient.Parse(text, lenient.Limits{})
	if err != nil {
		return 0
	}
	m, _ := v.(*lenient.Map)
	member, _ := m.Get("statusCode")
	n, ok := member.(int64)
	if !ok || n < 200 || n > 599 {
		return 0
	}
	return int(n)
}

func digit(c byte) bool { return '0' <= c && c <= '9' }
