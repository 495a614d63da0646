package connection

import "strings"

// What Negotiate answers. Messages are compressed each for itself, in both directions: a
// window that outlived its message would cost every idle connection 32 KB and more.
const (
	deflateResponse = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
	// windowResponse says so too to a client that has asked for the full window.
	windowResponse = deflateResponse + "; server_max_window_bits=15"
)

// Negotiate chooses among the extensions that a client offers: the values of its headers
// Sec-WebSocket-Extensions. It returns the value of that header for the response, which
// is for Info.Extensions as well, or "" if there is to be none. The first offer of
// permessage-deflate that can be kept is taken. An offer is declined if it is malformed,
// names a parameter that is not known or stands there twice, or asks for a window of the
// server smaller than 32 KB. Source: RFC 7692.
func Negotiate(offers []string) (response string) {
	for _, rest := range offers {
		for rest != "" {
			var offer string
			offer, rest = cutQuoted(rest, ',')
			if response := accept(offer); response != "" {
				return response
			}
		}
	}
	return ""
}

// agreed returns the answer of Negotiate that a text is equal to, and whether there is
// one. None is the empty one.
func agreed(extensions string) (string, bool) {
	for _, response := range [...]string{"", deflateResponse, windowResponse} {
		if extensions == response {
			return response, true
		}
	}
	return "", false
}

// accept returns the answer to one offer, "" if it is declined.
//
//	offer = name { ";" name [ "=" ( token | quoted ) ] }
func accept(offer string) string {
	name, rest := cutQuoted(offer, ';')
	// What has a separator behind it has a parameter behind that.
	more := len(name) < len(offer)
	if trim(name) != "permessage-deflate" {
		return ""
	}
	response := deflateResponse
	const (
		serverTakeover = 1 << iota
		clientTakeover
		serverBits
		clientBits
	)
	seen := 0
	for more {
		all := rest
		var parameter string
		parameter, rest = cutQuoted(all, ';')
		more = len(parameter) < len(all)
		name, value, valued := strings.Cut(parameter, "=")
		name, value = trim(name), unquote(trim(value))
		bit := 0
		switch name {
		case "server_no_context_takeover":
			if bit = serverTakeover; valued {
				return ""
			}
		case "client_no_context_takeover":
			if bit = clientTakeover; valued {
				return ""
			}
		case "server_max_window_bits":
			// Ours is always the full one.
			if bit = serverBits; value != "15" {
				return ""
			}
			response = windowResponse
		case "client_max_window_bits":
			// The client may say so without a number. Whatever it uses can be read.
			if bit = clientBits; valued && !windowBits(value) {
				return ""
			}
		}
		if bit == 0 || seen&bit != 0 {
			return ""
		}
		seen |= bit
	}
	return response
}

// windowBits reports whether the text is a size of a window: 8 to 15, without zeros
// before it.
func windowBits(s string) bool {
	switch s {
	case "8", "9", "10", "11", "12", "13", "14", "15":
		return true
	}
	return false
}

// cutQuoted cuts the text at the first separator that stands in no quotes. Without one,
// all of it stands before.
func cutQuoted(s string, separator byte) (before, after string) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case quoted && s[i] == '\\':
			i++
		case !quoted && s[i] == separator:
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

// unquote takes quotes away. What is escaped within them stays so, and is no value of any
// parameter then.
func unquote(s string) string {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return s[1 : len(s)-1]
	}
	return s
}

// trim takes away the blanks that headers may have around everything.
func trim(s string) string { return strings.Trim(s, " \t") }
