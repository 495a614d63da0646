package authorizer

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"penstock/internal/gateway"
)

func mustKeys(t testing.TB, now func() time.Time, specs ...APIKeySpec) *APIKeys {
	t.Helper()
	k, err := NewAPIKeys(specs, now)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// keyOutcome returns the ID of a key that may be used, or the status and the text of the
// answer.
func keyOutcome(t testing.TB, k *APIKeys, api, stage, value string) string {
	t.Helper()
	id, err := k.Check(api, stage, value)
	if err == nil {
		return id
	}
	var e *gateway.Error
	if !errors.As(err, &e) || id != "" || e.Cause == nil || e.ErrorType == "" {
		t.Fatalf("%q, %v is no answer", id, err)
	}
	return fmt.Sprintf("%d %s %s %s", e.Status, e.Message, e.Type, e.ErrorType)
}

const (
	keyNo   = "403 Forbidden INVALID_API_KEY ForbiddenException"
	keySlow = "429 Too Many Requests THROTTLED TooManyRequestsException"
	keyDone = "429 Limit Exceeded QUOTA_EXCEEDED LimitExceededException"
)

// TestAPIKeys: which key is for what.
func TestAPIKeys(t *testing.T) {
	t.Parallel()
	k := mustKeys(t, nil,
		APIKeySpec{ID: "one", Value: "v-one", Stages: []string{"a1/dev", "a2/prod"}},
		APIKeySpec{ID: "api", Value: "v-api", Stages: []string{"a1/*"}},
		APIKeySpec{ID: "all", Value: "v-all", Stages: []string{"*"}},
		APIKeySpec{ID: "none", Value: "v-none"},
		APIKeySpec{ID: "off", Value: "v-off", Stages: []string{"*"}, Disabled: true},
	)
	for _, tt := range []struct{ api, stage, value, want string }{
		{"a1", "dev", "", keyNo}, // A19
		{"a1", "dev", "v-one", "one"},
		{"a2", "prod", "v-one", "one"},
		{"a1", "prod", "v-one", keyNo},
		{"a2", "dev", "v-one", keyNo},
		{"a1", "*", "v-one", keyNo},
		{"*", "*", "v-one", keyNo},
		{"a1", "prod", "v-api", "api"},
		{"a2", "prod", "v-api", keyNo},
		{"a1/prod", "", "v-api", keyNo},
		{"a3", "x", "v-all", "all"},
		{"a1", "dev", "v-none", keyNo},
		{"a1", "dev", "v-off", keyNo},
		{"a1", "dev", "V-one", keyNo},
		{"a1", "dev", "v-one ", keyNo},
		{"a1", "dev", "v-on", keyNo},
		{"a1", "dev", "one", keyNo},
		{"a1", "dev", "v-one\x00", keyNo},
		{"a1", "dev", strings.Repeat("x", 1<<20), keyNo},
	} {
		if got := keyOutcome(t, k, tt.api, tt.stage, tt.value); got != tt.want {
			t.Errorf("%s/%s, %.20q: %s, want %s", tt.api, tt.stage, tt.value, got, tt.want)
		}
	}
	for _, none := range []*APIKeys{nil, mustKeys(t, nil)} {
		if got := keyOutcome(t, none, "a1", "dev", "v-one"); got != keyNo {
			t.Errorf("no keys: %s", got)
		}
	}
}

func TestNewAPIKeys(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(*APIKeySpec)
		want   string
	}{
		{"ID", func(s *APIKeySpec) { s.ID = "" }, "API key 1 has no ID"},
		{"ID twice", func(s *APIKeySpec) { s.ID = "first" }, "API key first is there twice"},
		{"value twice", func(s *APIKeySpec) { s.Value = "first-secret" }, "API keys first and k have the same value"},
		{"no value", func(s *APIKeySpec) { s.Value = "" }, "API key k: the value must be one or more visible characters of ASCII"},
		{"space", func(s *APIKeySpec) { s.Value = "a-secret " }, "API key k: the value must be one or more visible characters of ASCII"},
		{"umlaut", func(s *APIKeySpec) { s.Value = "ä-secret" }, "API key k: the value must be one or more visible characters of ASCII"},
		{"negative rate", func(s *APIKeySpec) { s.Rate, s.Burst = -1, 1 }, "API key k: rate and burst must be numbers, and not negative"},
		{"no number", func(s *APIKeySpec) { s.Rate, s.Burst = math.NaN(), 1 }, "API key k: rate and burst must be numbers, and not negative"},
		{"endless rate", func(s *APIKeySpec) { s.Rate, s.Burst = math.Inf(1), 1 }, "API key k: rate and burst must be numbers, and not negative"},
		{"negative burst", func(s *APIKeySpec) { s.Rate, s.Burst = 1, -1 }, "API key k: rate and burst must be numbers, and not negative"},
		{"rate alone", func(s *APIKeySpec) { s.Rate = 1 }, "API key k: rate and burst need each other"},
		{"burst alone", func(s *APIKeySpec) { s.Burst = 1 }, "API key k: rate and burst need each other"},
		{"negative quota", func(s *APIKeySpec) { s.Quota, s.Period = -1, "DAY" }, "API key k: the quota is negative"},
		{"quota alone", func(s *APIKeySpec) { s.Quota = 1 }, "API key k: quota and period need each other"},
		{"period alone", func(s *APIKeySpec) { s.Period = "DAY" }, "API key k: quota and period need each other"},
		{"period", func(s *APIKeySpec) { s.Quota, s.Period = 1, "day" }, `API key k: the period is "day", want DAY, WEEK or MONTH`},
		{"stage", func(s *APIKeySpec) { s.Stages = []string{"a1"} }, `API key k: the stage "a1" is none: want "{API}/{stage}", "{API}/*" or "*"`},
		{"stage of no API", func(s *APIKeySpec) { s.Stages = []string{"/dev"} }, `API key k: the stage "/dev" is none: want "{API}/{stage}", "{API}/*" or "*"`},
		{"stage of all APIs", func(s *APIKeySpec) { s.Stages = []string{"*/dev"} }, `API key k: the stage "*/dev" is none: want "{API}/{stage}", "{API}/*" or "*"`},
		{"route", func(s *APIKeySpec) { s.Stages = []string{"a1/dev/x"} }, `API key k: the stage "a1/dev/x" is none: want "{API}/{stage}", "{API}/*" or "*"`},
	} {
		spec := APIKeySpec{ID: "k", Value: "k-secret"}
		tt.change(&spec)
		_, err := NewAPIKeys([]APIKeySpec{{ID: "first", Value: "first-secret"}, spec}, nil)
		if got := fmt.Sprint(err); got != tt.want || strings.Contains(got, "secret") {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// A keyClock is a time that a test sets.
type keyClock struct{ time.Time }

func (c *keyClock) now() time.Time { return c.Time }

// TestAPIKeyThrottle: a bucket of two, filled by one in ten seconds.
func TestAPIKeyThrottle(t *testing.T) {
	t.Parallel()
	c := &keyClock{iamNow}
	k := mustKeys(t, c.now,
		APIKeySpec{ID: "k", Value: "v", Stages: []string{"a1/*"}, Rate: 0.1, Burst: 2},
		APIKeySpec{ID: "other", Value: "w", Stages: []string{"*"}, Rate: 0.1, Burst: 1})
	for i, tt := range []struct {
		wait time.Duration
		want string
	}{
		{0, "k"}, {0, "k"}, {0, keySlow},
		{9 * time.Second, keySlow}, {time.Second, "k"}, {0, keySlow},
		{time.Hour, "k"}, {-time.Hour, "k"}, {0, keySlow},
		{0, keySlow}, {time.Hour + 9*time.Second, keySlow}, {time.Second, "k"}, {0, keySlow},
	} {
		c.Time = c.Add(tt.wait)
		if got := keyOutcome(t, k, "a1", "dev", "v"); got != tt.want {
			t.Errorf("use %d: %s, want %s", i, got, tt.want)
		}
	}
	// Neither another key nor a stage that the key is not for takes anything away.
	keyOutcome(t, k, "a1", "dev", "w")
	c.Time = c.Add(10 * time.Second)
	if got := keyOutcome(t, k, "a2", "dev", "v"); got != keyNo {
		t.Errorf("another API: %s", got)
	}
	if got := keyOutcome(t, k, "a1", "dev", "v"); got != "k" {
		t.Errorf("after others: %s", got)
	}
}

// TestAPIKeyQuota: quotas are those of the calendar, and a use that is refused is none.
func TestAPIKeyQuota(t *testing.T) {
	t.Parallel()
	at := func(s string) time.Time {
		v, err := time.Parse("2006-01-02 15:04:05.9 -0700", s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, tt := range []struct{ period, first, same, next string }{
		{"DAY", "2026-03-01 00:00:00 +0000", "2026-03-01 23:59:59.9 +0000", "2026-03-02 00:00:00 +0000"},
		{"DAY", "2026-03-01 23:00:00 -0200", "2026-03-02 23:59:59 +0000", "2026-03-02 22:00:00 -0200"},
		{"WEEK", "2026-03-01 00:00:00 +0000", "2026-03-07 23:59:59.9 +0000", "2026-03-08 00:00:00 +0000"}, // a Sunday
		{"WEEK", "2026-12-31 12:00:00 +0000", "2027-01-02 23:59:59 +0000", "2027-01-03 00:00:00 +0000"},
		{"MONTH", "2026-02-28 00:00:00 +0000", "2026-02-01 00:00:00 +0000", "2026-03-01 00:00:00 +0000"},
		{"MONTH", "2026-12-01 00:00:00 +0000", "2026-12-31 23:59:59.9 +0000", "2027-01-01 00:00:00 +0000"},
	} {
		c := &keyClock{at(tt.first)}
		k := mustKeys(t, c.now, APIKeySpec{ID: "k", Value: "v", Stages: []string{"*"}, Quota: 2, Period: tt.period})
		for _, use := range []struct{ at, want string }{
			{tt.first, "k"}, {tt.same, "k"}, {tt.same, keyDone}, {tt.first, keyDone}, {tt.next, "k"}, {tt.first, "k"}, {tt.next, keyDone},
		} {
			c.Time = at(use.at)
			if got := keyOutcome(t, k, "a1", "dev", "v"); got != use.want {
				t.Errorf("%s at %s: %s, want %s", tt.period, use.at, got, use.want)
			}
		}
	}
	c := &keyClock{iamNow}
	k := mustKeys(t, c.now, APIKeySpec{ID: "k", Value: "v", Stages: []string{"*"}, Rate: 1, Burst: 1, Quota: 2, Period: "DAY"})
	for i, want := range []string{"k", keySlow, keySlow, keySlow} {
		if got := keyOutcome(t, k, "a1", "dev", "v"); got != want {
			t.Errorf("use %d: %s, want %s", i, got, want)
		}
	}
	c.Time = c.Add(time.Second)
	for i, want := range []string{"k", keyDone} {
		if got := keyOutcome(t, k, "a1", "dev", "v"); got != want {
			t.Errorf("later use %d: %s, want %s", i, got, want)
		}
	}
}

// TestAPIKeyTogether: many who use a key at once get what there is, and not more.
func TestAPIKeyTogether(t *testing.T) {
	t.Parallel()
	c := &keyClock{iamNow}
	k := mustKeys(t, c.now,
		APIKeySpec{ID: "bucket", Value: "b", Stages: []string{"*"}, Rate: 1, Burst: 50},
		APIKeySpec{ID: "quota", Value: "q", Stages: []string{"*"}, Quota: 70, Period: "DAY"})
	var bucket, quota atomic.Int64
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			for range 10 {
				if _, err := k.Check("a1", "dev", "b"); err == nil {
					bucket.Add(1)
				}
				if _, err := k.Check("a1", "dev", "q"); err == nil {
					quota.Add(1)
				}
			}
		})
	}
	all.Wait()
	if bucket.Load() != 50 || quota.Load() != 70 {
		t.Errorf("%d by the bucket, %d by the quota", bucket.Load(), quota.Load())
	}
}

// TestAPIKeysStrangers: values that are no keys leave nothing behind.
func TestAPIKeysStrangers(t *testing.T) {
	t.Parallel()
	k := mustKeys(t, nil, APIKeySpec{ID: "k", Value: "v", Stages: []string{"*"}})
	for i := range 10_000 {
		k.Check("a1", "dev", fmt.Sprint("x", i))
	}
	if len(k.byValue) != 1 {
		t.Errorf("%d keys", len(k.byValue))
	}
}

func BenchmarkAPIKeys(b *testing.B) {
	specs := make([]APIKeySpec, 1000)
	for i := range specs {
		specs[i] = APIKeySpec{ID: fmt.Sprint(i), Value: fmt.Sprintf("%040d", i), Stages: []string{"a1/*"}, Rate: 1e9, Burst: 1e9, Quota: 1 << 60, Period: "DAY"}
	}
	k := mustKeys(b, nil, specs...)
	for name, value := range map[string]string{"known": specs[500].Value, "unknown": strings.Repeat("x", 40)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				k.Check("a1", "dev", value)
			}
		})
	}
}
