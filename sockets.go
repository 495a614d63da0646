package penstock

import "time"

// WebSockets says how the connections of WebSocket APIs are kept. Sizes are in bytes. The
// limits are those of the real service where it has one.
type WebSockets struct {
	// Frame is the longest frame in either direction; a longer one ends the connection with
	// code 1009. Default: 32768.
	Frame int `yaml:"frame"`

	// Message is the longest message in either direction; a longer one ends the connection
	// with code 1009, or is answered with 413. Default: 131072.
	Message int `yaml:"message"`

	// IdleTimeout is how long a connection lives without a message in either direction.
	// Default: 10m0s.
	IdleTimeout time.Duration `yaml:"idleTimeout"`

	// Lifetime is how long a connection lives at most. Default: 2h0m0s.
	Lifetime time.Duration `yaml:"lifetime"`

	// ConnectRate is how many new connections all APIs together take per second in the long
	// run, and at once; more get 429. -1 means any number. Default: 500.
	ConnectRate int `yaml:"connectRate"`

	// InFlight is how many messages of a connection are handled at the same time; what
	// comes beyond waits in the network. Default: 16.
	InFlight int `yaml:"inFlight"`

	// InFlightBytes bounds the memory of all messages that are handled at the same time.
	// When it is reached, each connection has one. Default: 268435456 (256 MiB).
	InFlightBytes int64 `yaml:"inFlightBytes"`

	// Ordered has the messages of a connection wait for the one before to be handled.
	// Otherwise they begin in the order of arrival. Default: false.
	Ordered bool `yaml:"ordered"`

	// QueueBytes is how much may wait for a client that reads slowly; a message beyond gets
	// 429. Default: 1048576 (1 MiB).
	QueueBytes int `yaml:"queueBytes"`

	// QueueMessages is how many messages may wait for it. Default: 256.
	QueueMessages int `yaml:"queueMessages"`

	// StallTimeout is how long a client has to make room for half of what may wait, once a
	// message has found no room. Then its connection ends with code 1011. Default: 10s.
	StallTimeout time.Duration `yaml:"stallTimeout"`

	// PingInterval is how often clients are pinged; one that says nothing until the next
	// ping is gone. 0 means never, as the real service has it. Default: 0s.
	PingInterval time.Duration `yaml:"pingInterval"`

	// Compression has clients that offer permessage-deflate compress their messages, without
	// context takeover. Default: false.
	Compression bool `yaml:"compression"`

	// HealthPaths has /ping and /sping of a WebSocket API answer 200 healthy. Default: false.
	HealthPaths bool `yaml:"healthPaths"`

	// RequireSignature says that requests for @connections and @groups must be signed (AWS
	// Signature Version 4, service execute-api) by one of [Config.Credentials], whose policy
	// must allow execute-api:ManageConnections. Without credentials, any signature counts if
	// [Config.Listen] and [Config.ListenTLS] are loopback addresses, and none otherwise.
	// Default: true.
	RequireSignature *bool `yaml:"requireSignature"`
}

// An APIKey lets handshakes in to $connect routes that require an API key. The real service
// has API keys in its API for REST APIs, which Penstock does not speak.
type APIKey struct {
	// ID is what events and access logs show of the key. Required.
	ID string `yaml:"id"`

	// Value is what clients send as x-api-key. Required.
	Value string `yaml:"value" json:"-"`

	// Stages are those that the key is for: {apiId}/{stage}, {apiId}/* or *, at least one.
	// Default: none.
	Stages []string `yaml:"stages"`

	// Rate is how many handshakes per second the key lets in, in the long run; more get 429.
	// 0 means any number. Default: 0.
	Rate float64 `yaml:"rate"`

	// Burst is how many may come at once under [APIKey.Rate]. Default: 0.
	Burst int `yaml:"burst"`

	// Quota is how many handshakes the key lets in per period; more get 429. 0 means any
	// number. Default: 0.
	Quota int `yaml:"quota"`

	// Period is that of the quota: DAY, WEEK or MONTH. Default: none.
	Period string `yaml:"period"`

	// Disabled keeps the key from letting anybody in. Default: false.
	Disabled bool `yaml:"disabled"`
}

// checkSockets says of every key about WebSocket APIs with a value that cannot work what
// would.
func (c Config) checkSockets(wrong func(format string, args ...any)) {
	w := c.WebSockets
	for _, one := range []struct {
		key        string
		value, min int
		max        int
	}{
		{"frame", w.Frame, 125, 16 << 20}, {"message", w.Message, 125, 16 << 20},
		{"inFlight", w.InFlight, 1, 1 << 15}, {"queueBytes", w.QueueBytes, 1, 1 << 30}, {"queueMessages", w.QueueMessages, 1, 1 << 20},
		{"connectRate", w.ConnectRate, -1, 1 << 30},
	} {
		if one.value < one.min || one.value > one.max {
			wrong("webSockets.%s: %d is out of range: want %d to %d", one.key, one.value, one.min, one.max)
		}
	}
	for _, one := range []struct {
		key   string
		value time.Duration
	}{{"idleTimeout", w.IdleTimeout}, {"lifetime", w.Lifetime}, {"stallTimeout", w.StallTimeout}} {
		if one.value < time.Second {
			wrong("webSockets.%s: %v is too short: want 1s or more", one.key, one.value)
		}
	}
	if w.PingInterval != 0 && w.PingInterval < time.Second {
		wrong("webSockets.pingInterval: %v is too short: want 1s or more, or 0 for no pings", w.PingInterval)
	}
	if w.InFlightBytes < 1 {
		wrong("webSockets.inFlightBytes: %d is out of range: want 1 or more", w.InFlightBytes)
	}
	ids, values := map[string]bool{}, map[string]bool{}
	for i, k := range c.APIKeys {
		switch {
		case k.ID == "":
			wrong("apiKeys[%d].id is missing", i)
		case ids[k.ID]:
			wrong("apiKeys[%d].id: %s is there twice", i, k.ID)
		case k.Value == "":
			wrong("apiKeys[%d].value is missing", i)
		case values[k.Value]:
			wrong("apiKeys[%d].value is that of another key", i)
		case len(k.Stages) == 0:
			wrong("apiKeys[%d].stages is missing: want a list such as [a1b2c3/dev], or [\"*\"] for all", i)
		}
		ids[k.ID], values[k.Value] = true, true
	}
}
