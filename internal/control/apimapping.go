package control

import (
	"regexp"
	"strings"

	"penstock/internal/model"
)

var apiMappings = collection[model.APIMapping, model.DomainDocument]{
	kind:   "ApiMapping",
	root:   domainRoot,
	in:     func(d *model.DomainDocument, _ *call) (items[model.APIMapping], error) { return d.Mappings, nil },
	name:   func(m *model.APIMapping) **string { return &m.APIMappingID },
	length: 6,
	quota:  func(l Limits) int { return l.APIMappings },
	check:  checkAPIMapping,
}

type apiMappingChange = change[model.APIMapping, model.DomainDocument]

const maxMappingKey = 300 // characters

var mappingKey = regexp.MustCompile(`^[A-Za-z0-9$_.+!*'()/-]*$`)

func checkAPIMapping(x *apiMappingChange) error {
	m := x.item
	key := val(m.APIMappingKey)
	if err := checkMappingKey(key); err != nil {
		return err
	}
	api, err := x.destination(val(m.APIID), val(m.Stage))
	if err != nil {
		return err
	}
	if isWebSocket(api) && strings.Contains(key, "/") {
		return BadRequest(msgMappingKeyWebSocket)
	}
	for id, other := range x.doc.Mappings {
		if id == *m.APIMappingID {
			continue
		}
		if val(other.APIMappingKey) == key {
			return Conflict(msgMappingExists)
		}
		if err := alike(x.call, api, *other.APIID); err != nil {
			return err
		}
	}
	return nil
}

// checkMappingKey checks a base path: of an API mapping, or in a routing rule.
func checkMappingKey(key string) error {
	switch {
	case len(key) > maxMappingKey:
		return BadRequest(msgProblems+msgLength, "apiMappingKey", 0, maxMappingKey)
	case !mappingKey.MatchString(key):
		return BadRequest(msgMappingKey)
	case strings.HasPrefix(key, "/") || strings.Contains(key, "//"):
		return BadRequest(msgMappingKeyStart)
	case strings.HasSuffix(key, "/"):
		return BadRequest(msgMappingKeyEnd)
	}
	return nil
}

// alike refuses to let a domain lead to both WebSocket APIs and others.
func alike(c *call, api *model.APIDocument, otherID string) error {
	other, err := apiRoot.stored(c.Server, otherID)
	if err != nil || other == nil {
		return err
	}
	switch webSocket := isWebSocket(other); {
	case webSocket && !isWebSocket(api):
		return BadRequest(msgWebSocketDomain)
	case !webSocket && isWebSocket(api):
		return BadRequest(msgHTTPDomain)
	}
	return nil
}
