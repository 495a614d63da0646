package control

import (
	"regexp"
	"slices"
	"strings"

	"penstock/internal/model"
)

var (
	corsOrigin = regexp.MustCompile(`(?i)^(?:\*|https?://(?:\*|[^\s/*?#@]+))$`)
	token      = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")
)

// corsLists are the lists of a CORS configuration: in which form an entry is
// stored, which is how it is compared with requests, and what it may be.
func corsLists(cors *model.Cors) []corsList {
	return []corsList{
		{"allowOrigins", cors.AllowOrigins, strings.ToLower, corsOrigin, msgCorsOrigin},
		{"allowMethods", cors.AllowMethods, strings.ToUpper, token, msgCorsMethod},
		{"allowHeaders", cors.AllowHeaders, strings.ToLower, token, msgCorsHeader},
		{"exposeHeaders", cors.ExposeHeaders, strings.ToLower, token, msgCorsHeader},
	}
}

type corsList struct {
	name    string
	entries []string
	form    func(string) string
	valid   *regexp.Regexp
	message string
}

// settleCors brings the CORS configuration of an API into the form it is stored
// in. What is no entry stays as it is.
func settleCors(api *model.API) {
	if api.CorsConfiguration == nil {
		return
	}
	for _, list := range corsLists(api.CorsConfiguration) {
		for i, entry := range list.entries {
			if list.valid.MatchString(entry) {
				list.entries[i] = list.form(entry)
			}
		}
	}
}

func checkCors(c *call, d *model.APIDocument) error {
	cors := d.API.CorsConfiguration
	if cors == nil {
		return nil
	}
	if isWebSocket(d) {
		return BadRequest(msgWebSocketCors)
	}
	for _, list := range corsLists(cors) {
		if len(list.entries) > c.Limits.CorsEntries {
			return BadRequest(msgCorsEntries, list.name, c.Limits.CorsEntries)
		}
		for _, entry := range list.entries {
			if !list.valid.MatchString(entry) {
				return BadRequest(list.message, entry)
			}
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
