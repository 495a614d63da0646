package control

import (
	"regexp"
	"slices"
	"strings"

	"penstock/internal/model"
)

var (
	corsOrigin = regexp.MustCompile(`^(?:\*|https?://(?:\*|[^\s/*?#@]+))$`)
	token      = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")
)

// settleCors brings the CORS configuration of an API into the form in which it is
// compared with requests, and checks it.
func settleCors(c *call, d *model.APIDocument) error {
	cors := d.API.CorsConfiguration
	if cors == nil {
		return nil
	}
	if isWebSocket(d) {
		return BadRequest(msgWebSocketCors)
	}
	for _, list := range []struct {
		name    string
		entries []string
		form    func(string) string
		valid   *regexp.Regexp
		message string
	}{
		{"allowOrigins", cors.AllowOrigins, strings.ToLower, corsOrigin, msgCorsOrigin},
		{"allowMethods", cors.AllowMethods, strings.ToUpper, token, msgCorsMethod},
		{"allowHeaders", cors.AllowHeaders, strings.ToLower, token, msgCorsHeader},
		{"exposeHeaders", cors.ExposeHeaders, strings.ToLower, token, msgCorsHeader},
	} {
		if len(list.entries) > c.Limits.CorsEntries {
			return BadRequest(msgCorsEntries, list.name, c.Limits.CorsEntries)
		}
		for i, entry := range list.entries {
			if !list.valid.MatchString(strings.ToLower(entry)) {
				return BadRequest(list.message, entry)
			}
			list.entries[i] = list.form(entry)
		}
	}
	if val(cors.AllowCredentials) && slices.Contains(cors.AllowOrigins, "*") {
		return BadRequest(msgCorsCredentials)
	}
	return nil
}

func deleteCorsConfiguration(c *call) (any, error) {
	return nil, apiRoot.edit(c, func(e *edit, d *model.APIDocument) error {
		if d.API.CorsConfiguration == nil {
			return nil
		}
		d.API.CorsConfiguration = nil
		return e.deployAutomatically(d)
	})
}
