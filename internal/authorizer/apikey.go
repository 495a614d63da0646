package authorizer

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	"penstock/internal/gateway"
)

// An APIKeySpec is an API key and its usage plan.
type APIKeySpec struct {
	// ID is the name of the key, Value what clients send.
	ID, Value string
	// Stages are those that the key is for: "{API}/{stage}", "{API}/*" or "*".
	Stages []string
	// Rate is how many times a second the key may be used in the long run, and Burst how
	// many times at once. Both are 0 for a key without a throttle.
	Rate  float64
	Burst int
	// Quota is how many times the key may be used in a Period, "DAY", "WEEK" or "MONTH" of
	// the calendar in UTC; a week begins with Sunday. Both are zero for a key without a
	// quota. What is used is not kept when the process ends.
	Quota  int
	Period string
	// Disabled says that the key opens nothing for now.
	Disabled bool
}

// APIKeys are all API keys. They may be used by many goroutines. What clients send that
// is no key leaves nothing behind.
type APIKeys struct {
	now func() time.Time
	// byValue has the hashes of values, so that finding one takes the same time whatever it
	// has in common with others.
	byValue map[[sha256.Size]byte]*apiKey
}

// An apiKey is an APIKeySpec and what is left of it.
type apiKey struct {
	spec    APIKeySpec
	anyAPI  bool
	stages  map[string]bool // "{API}/{stage}" and "{API}/*"
	refused *gateway.Error  // to uses that the key is not for

	mu     sync.Mutex // guards the fields below
	tokens float64    // in the bucket
	filled time.Time  // when tokens was computed
	begun  time.Time  // the period that used is about
	used   int
}

// NewAPIKeys returns keys, whose buckets and quotas are full. The clock is now, or
// time.Now if that is nil. The error names a key by its ID or its place, not by its value.
func NewAPIKeys(specs []APIKeySpec, now func() time.Time) (*APIKeys, error) {
	if now == nil {
		now = time.Now
	}
	k := &APIKeys{now, make(map[[sha256.Size]byte]*apiKey, len(specs))}
	ids := make(map[string]bool, len(specs))
	for i, spec := range specs {
		if spec.ID == "" {
			return nil, fmt.Errorf("API key %d has no ID", i)
		}
		if ids[spec.ID] {
			return nil, fmt.Errorf("API key %s is there twice", spec.ID)
		}
		ids[spec.ID] = true
		key, err := newAPIKey(spec, now())
		if err != nil {
			return nil, fmt.Errorf("API key %s: %w", spec.ID, err)
		}
		hash := sha256.Sum256([]byte(spec.Value))
		if other := k.byValue[hash]; other != nil {
			return nil, fmt.Errorf("API keys %s and %s have the same value", other.spec.ID, spec.ID)
		}
		k.byValue[hash] = key
	}
	return k, nil
}

func newAPIKey(spec APIKeySpec, now time.Time) (*apiKey, error) {
	switch {
	case spec.Value == "" || strings.ContainsFunc(spec.Value, func(r rune) bool { return r <= ' ' || r > '~' }):
		return nil, errors.New("the value must be one or more visible characters of ASCII")
	case !(spec.Rate >= 0) || math.IsInf(spec.Rate, 1) || spec.Burst < 0:
		return nil, errors.New("rate and burst must be numbers, and not negative")
	case (spec.Rate == 0) != (spec.Burst == 0):
		return nil, errors.New("rate and burst need each other")
	case spec.Quota < 0:
		return nil, errors.New("the quota is negative")
	case (spec.Quota == 0) != (spec.Period == ""):
		return nil, errors.New("quota and period need each other")
	case spec.Period != "" && spec.Period != "DAY" && spec.Period != "WEEK" && spec.Period != "MONTH":
		return nil, fmt.Errorf("the period is %q, want DAY, WEEK or MONTH", spec.Period)
	}
	k := &apiKey{spec: spec, stages: map[string]bool{}, tokens: float64(spec.Burst), filled: now}
	for _, s := range spec.Stages {
		if s == "*" {
			k.anyAPI = true
			continue
		}
		if api, stage, _ := strings.Cut(s, "/"); api == "" || api == "*" || stage == "" || strings.Contains(stage, "/") {
			return nil, fmt.Errorf(`the stage %q is none: want "{API}/{stage}", "{API}/*" or "*"`, s)
		}
		k.stages[s] = true
	}
	k.refused = keyForbidden.With(fmt.Errorf("the API key %s is not for this stage", spec.ID))
	if spec.Disabled {
		k.refused = keyForbidden.With(fmt.Errorf("the API key %s is disabled", spec.ID))
	}
	return k, nil
}

var (
	keyForbidden = gateway.NewError(403, "Forbidden", "INVALID_API_KEY", "ForbiddenException")
	keyMissing   = keyForbidden.With(errors.New("there is no API key"))
	keyUnknown   = keyForbidden.With(errors.New("the API key is not known"))
	keyThrottled = gateway.NewError(429, "Too Many Requests", "THROTTLED", "TooManyRequestsException").
			With(errors.New("the API key is used too often"))
	keyExceeded = gateway.NewError(429, "Limit Exceeded", "QUOTA_EXCEEDED", "LimitExceededException").
			With(errors.New("the quota of the API key is used up"))
)

// Check uses a key for a stage, and returns its ID. What clients get does not tell a key
// that is not for the stage, or is disabled, from one that does not exist: 403. One that
// may not be used now gets 429; such a use does not count. There are no keys in a nil
// *APIKeys.
func (k *APIKeys) Check(api, stage, value string) (id string, err error) {
	if value == "" {
		return "", keyMissing
	}
	if k == nil {
		return "", keyUnknown
	}
	key := k.byValue[sha256.Sum256([]byte(value))]
	switch {
	case key == nil:
		return "", keyUnknown
	case !key.opens(api, stage):
		return "", key.refused
	}
	if err := key.use(k.now()); err != nil {
		return "", err
	}
	return key.spec.ID, nil
}

// opens reports whether the key is for a stage.
func (k *apiKey) opens(api, stage string) bool {
	return !k.spec.Disabled && (k.anyAPI || k.stages[api+"/*"] || k.stages[api+"/"+stage])
}

// use counts a use of the key.
func (k *apiKey) use(now time.Time) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	// A clock that was set back neither fills the bucket nor begins a period again.
	if begin := beginning(k.spec.Period, now); begin.After(k.begun) {
		k.begun, k.used = begin, 0
	}
	if k.spec.Quota > 0 && k.used >= k.spec.Quota {
		return keyExceeded
	}
	if k.spec.Burst > 0 {
		if elapsed := now.Sub(k.filled); elapsed > 0 {
			k.tokens = min(float64(k.spec.Burst), k.tokens+k.spec.Rate*elapsed.Seconds())
			k.filled = now
		}
		if k.tokens < 1 {
			return keyThrottled
		}
		k.tokens--
	}
	if k.spec.Quota > 0 {
		k.used++
	}
	return nil
}

// beginning returns when the period began that a time is in; the zero time without one.
func beginning(period string, now time.Time) time.Time {
	year, month, day := now.UTC().Date()
	switch period {
	case "DAY":
	case "WEEK":
		day -= int(now.UTC().Weekday())
	case "MONTH":
		day = 1
	default:
		return time.Time{}
	}
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}
