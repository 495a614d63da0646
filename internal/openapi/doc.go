// Package openapi turns an OpenAPI document into the description of an HTTP API,
// and an API into a document.
//
//	paths:
//	  /pets/{id}:
//	    get:
//	      security: [{jwt: [read]}]
//	      x-amazon-apigateway-integration: {$ref: "#/components/x-amazon-apigateway-integrations/be"}
//
// is a route GET /pets/{id}, an integration that other routes may share, and the
// name of the authorizer that is asked first. [Import] reports what is specific to
// documents: what cannot be read, contradicts itself, or is no part of HTTP APIs.
// What holds for every route, integration and authorizer, however it was made, is
// checked by whoever makes them; each says where in the document it stands.
//
// Documents come from strangers. Nothing a document names is fetched, and time and
// memory are bounded by its length, whatever it refers to or repeats. An operation
// whose authorizer cannot be had is no route, rather than an open one.
package openapi
