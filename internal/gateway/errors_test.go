package gateway

import "testing"

// TestErrorBody: what the answers of WebSocket APIs look like.
func TestErrorBody(t *testing.T) {
	t.Parallel()
	for want, e := range map[string]*Error{
		`{"message":"a \"b\""}`: NewError(400, `a "b"`, "", ""),
		``:                      NewErrorBody(410, "", "", "GoneException"),
	} {
		server := NewServer(Config{Region: "us-east-1"})
		x := server.NewExchange()
		x.fail(e)
		if got := string(x.Response.Body.Bytes); got != want {
			t.Errorf("body %q, want %q", got, want)
		}
		if x.Failure() != e {
			t.Errorf("failure %v, want %v", x.Failure(), e)
		}
	}
}
