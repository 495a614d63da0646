package lambda

import "strconv"

// Answers that are always the same.
var (
	accepted = answer("202 Accepted", "application/json", `{"status":"OK"}`)
	pong     = answer("200 OK", "text/plain", "pong")
	proceed  = []byte("HTTP/1.1 100 Continue\r\n\r\n")

	malformed   = refusal("400 Bad Request", "InvalidRequest", "Invalid request", true)
	truncated   = refusal("400 Bad Request", "TruncatedHTTPRequest", "HTTP request detected as truncated", true)
	wrongID     = refusal("400 Bad Request", "InvalidRequestID", "Invalid request ID", false)
	wrongMode   = refusal("400 Bad Request", "InvalidFunctionResponseMode", "Invalid function response mode", false)
	wrongState  = refusal("403 Forbidden", "InvalidStateTransition", "Transition from the current state is not allowed", false)
	noOperation = refusal("404 Not Found", "NotFound", "There is no such operation", false)
	tooLong     = refusal("413 Request Entity Too Large", "RequestEntityTooLarge", "Exceeded maximum allowed payload size ("+strconv.Itoa(maxResponse)+" bytes).", false)
	noTelemetry = answer("202 Accepted", "application/json", `{"errorType":"Telemetry.NotSupported","errorMessage":"Telemetry API is not supported"}`)
)

func answer(status, contentType, body string) []byte {
	return []byte("HTTP/1.1 " + status + "\r\nContent-Type: " + contentType + "\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body)
}

func refusal(status, kind, message string, closes bool) []byte {
	body := `{"errorMessage":"` + message + `","errorType":"` + kind + `"}`
	if closes {
		status += "\r\nConnection: close"
	}
	return answer(status, "application/json", body)
}
