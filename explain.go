package penstock

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"penstock/internal/gateway"
)

// How many requests are listed, if nobody says, and at most.
const (
	listedRequests = 20
	maxListed      = 1000
)

const recordsReason = "what is remembered of requests is about all APIs: only callers without a policy may read it"

// serveRequest answers why a request got its answer.
func (s *Server) serveRequest(w http.ResponseWriter, r *http.Request, escaped string) {
	if !s.admitsRecords(w, r) {
		return
	}
	id, err := url.PathUnescape(escaped)
	if err != nil {
		refuse(w, http.StatusBadRequest, "BadRequestException", "the request ID is not escaped as it should be")
		return
	}
	record, ok := s.gateway.Record(id)
	if !ok {
		refuse(w, http.StatusNotFound, "NotFoundException",
			fmt.Sprintf("no request with ID %s is among the last %d: the ID is the apigw-requestid of its response", id, s.config.Explain.Requests))
		return
	}
	writeJSON(w, record)
}

// admitsRecords reports whether a caller may know what is remembered of requests, and
// whether anything is; it says so if not.
func (s *Server) admitsRecords(w http.ResponseWriter, r *http.Request) bool {
	if !s.admits(w, r, recordsReason) {
		return false
	}
	if !s.gateway.Remembers() {
		refuse(w, http.StatusNotFound, "NotFoundException", "requests are not remembered: set explain.requests")
		return false
	}
	return true
}

// serveRequests answers the last requests, newest first.
func (s *Server) serveRequests(w http.ResponseWriter, r *http.Request) {
	if !s.admitsRecords(w, r) {
		return
	}
	n := listedRequests
	if text := r.URL.Query().Get("last"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil || n < 1 || n > maxListed {
			refuse(w, http.StatusBadRequest, "BadRequestException", fmt.Sprintf("last: want a number from 1 to %d", maxListed))
			return
		}
	}
	records := s.gateway.Records(n)
	if records == nil {
		records = []gateway.Record{} // a list, also without any
	}
	writeJSON(w, map[string]any{"items": records})
}

func writeJSON(w http.ResponseWriter, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		refuse(w, http.StatusInternalServerError, "InternalServerErrorException", "the answer cannot be written")
		return
	}
	report(w, http.StatusOK, string(text))
}
