package openapi

import (
	"fmt"
	"strings"
	"testing"
)

func TestPaths(t *testing.T) {
	t.Parallel()
	name := strings.Repeat("é", maxOperationName)
	importAll(t, []imported{
		{"every method", paths("  /a: {get: {}, put: {}, post: {}, delete: {}, options: {}, head: {}, patch: {}}"), []string{
			"GET /a NONE", "PUT /a NONE", "POST /a NONE", "DELETE /a NONE", "OPTIONS /a NONE", "HEAD /a NONE", "PATCH /a NONE",
		}},
		{"trace", paths("  /a: {trace: {}, get: {}}"), []string{"GET /a NONE", "warning paths.'/a'(trace): the method is not supported, ignored"}},
		{"any method", paths("  /a: {x-amazon-apigateway-any-method: {}}"), []string{"ANY /a NONE"}},
		{"any method that says it is no default", paths("  /a: {x-amazon-apigateway-any-method: {isDefaultRoute: false}}"), []string{"ANY /a NONE"}},
		{"default route", paths("  /$default: {x-amazon-apigateway-any-method: {}}"), []string{"$default NONE"}},
		{"default route that says so", paths("  /$default: {x-amazon-apigateway-any-method: {isDefaultRoute: true}}"), []string{"$default NONE"}},
		{"default route without a slash", paths("  $default: {x-amazon-apigateway-any-method: {isDefaultRoute: true}}"), []string{"$default NONE", "warning Parse issue: attribute paths. Resource $default should start with /"}},
		{"default route on another path", paths("  /a/{proxy+}: {x-amazon-apigateway-any-method: {isDefaultRoute: true}}"), []string{"$default NONE"}},
		{"default route on another path, a string", paths("  /a: {x-amazon-apigateway-any-method: {isDefaultRoute: 'true'}}"), []string{"$default NONE"}},
		{"default route with a method", paths("  /$default: {get: {}, x-amazon-apigateway-any-method: {}}"), []string{
			"$default NONE",
			"warning paths.'/$default'(get): the default route takes every method: only x-amazon-apigateway-any-method is supported, ignored",
		}},
		{"path without a slash", paths("  a: {get: {}}\n  /b: {get: {}}"), []string{"GET /b NONE", "warning Parse issue: attribute paths. Resource a should start with /"}},
		{"paths are copied", paths("  /a/{id}/{proxy+}: {get: {}}\n  /a b/{x}.json/: {get: {}}"), []string{"GET /a/{id}/{proxy+} NONE", "GET /a b/{x}.json/ NONE"}},
		{"extensions of paths", paths("  x-other: {get: {}}\n  /a: {x-other: {get: {}}}"), nil},
		{"methods are lower case", paths("  /a: {GET: {}, query: {}}"), []string{
			"warning paths.'/a'.GET: unknown member, ignored", "warning paths.'/a'.query: unknown member, ignored",
		}},
		{"null is absent", paths("  /a:\n  /b: {get: }\n  /c: {get: {security: ~, operationId: ~, x-amazon-apigateway-integration: ~, x-amazon-apigateway-auth: ~}}"), []string{"GET /c NONE"}},
		{"operations of other types", paths("  /a: {get: [], x-amazon-apigateway-any-method: x, put: {operationId: []}}\n  /b: []"), []string{
			"problem paths.'/a'(get): must be an object, not a list (line 4)",
			"problem paths.'/a'(x-amazon-apigateway-any-method): must be an object, not a string (line 4)",
			"problem paths.'/a'(put).operationId: must be a string, not a list (line 4)",
			"problem paths.'/b': must be an object, not a list (line 5)",
		}},
		{"default of another type", paths("  /a: {x-amazon-apigateway-any-method: {isDefaultRoute: 1}}"), []string{
			"problem paths.'/a'(x-amazon-apigateway-any-method).isDefaultRoute: must be true or false (line 4)",
		}},
		{"operation names", paths("  /a: {get: {operationId: getA}, put: {operationId: GET HTTP}, post: {operationId: 7}, head: {operationId: ''}, patch: {operationId: " + name + "}}"), []string{
			"GET /a NONE = getA", "PUT /a NONE = GET HTTP", "POST /a NONE = 7", "HEAD /a NONE", "PATCH /a NONE = " + name,
		}},
		{"operation name too long", paths("  /a: {get: {operationId: " + name + "x}}"), []string{
			"GET /a NONE", "info paths.'/a'(get).operationId: longer than 64 characters, ignored",
		}},
		{"what HTTP APIs ignore of a path", paths("  /a: {parameters: [], summary: s, description: d, servers: [], x-amazon-apigateway-request-validator: v}"), []string{
			"info paths.'/a'.parameters: not supported for HTTP APIs, ignored",
			"info paths.'/a'.summary: not supported for HTTP APIs, ignored",
			"info paths.'/a'.description: not supported for HTTP APIs, ignored",
			"info paths.'/a'.servers: not supported for HTTP APIs, ignored",
			"info paths.'/a'.x-amazon-apigateway-request-validator: not supported for HTTP APIs, ignored",
		}},
		{"what HTTP APIs ignore of an operation", paths("  /a: {post: {tags: [x], summary: s, description: d, externalDocs: {}, requestBody: {}, callbacks: {}, deprecated: true, servers: [], x-amazon-apigateway-request-validator: v, x-other: 1}}"), []string{
			"POST /a NONE",
			"info paths.'/a'(post).externalDocs: not supported for HTTP APIs, ignored",
			"info paths.'/a'(post).requestBody: not supported for HTTP APIs, ignored",
			"info paths.'/a'(post).callbacks: not supported for HTTP APIs, ignored",
			"info paths.'/a'(post).deprecated: not supported for HTTP APIs, ignored",
			"info paths.'/a'(post).servers: not supported for HTTP APIs, ignored",
			"info paths.'/a'(post).x-amazon-apigateway-request-validator: not supported for HTTP APIs, ignored",
		}},
		{"unknown members of an operation", paths("  /a: {get: {produces: [x]}}"), []string{"GET /a NONE", "warning paths.'/a'(get).produces: unknown member, ignored"}},
		{"responses that say nothing", paths("  /a: {get: {responses: {}}, put: {responses: {default: {description: d}, 200: {description: e}, 404: }}}"), []string{"GET /a NONE", "PUT /a NONE"}},
		{"responses with details", paths("  /a: {get: {responses: {200: {headers: {}}}}, put: {responses: []}, post: {responses: {200: x}}}"), []string{
			"GET /a NONE", "PUT /a NONE", "POST /a NONE",
			"info paths.'/a'(get).responses: not supported for HTTP APIs, ignored",
			"info paths.'/a'(put).responses: not supported for HTTP APIs, ignored",
			"info paths.'/a'(post).responses: not supported for HTTP APIs, ignored",
		}},
		{"parameters that the path has", paths("  /a/{b}: {get: {parameters: [{name: b, in: path, required: true, schema: {type: string}}]}, put: {parameters: [{name: b, in: path}]}}"), []string{"GET /a/{b} NONE", "PUT /a/{b} NONE"}},
		{"parameters that are not checked", paths("  /a/{b}: {get: {parameters: [{name: b, in: query}]}, put: {parameters: [{name: b, in: path, schema: {type: integer}}]}, post: {parameters: [x]}, head: {parameters: {}}}"), []string{
			"GET /a/{b} NONE", "PUT /a/{b} NONE", "POST /a/{b} NONE", "HEAD /a/{b} NONE",
			"info paths.'/a/{b}'(get).parameters: not supported for HTTP APIs, ignored",
			"info paths.'/a/{b}'(put).parameters: not supported for HTTP APIs, ignored",
			"info paths.'/a/{b}'(post).parameters: not supported for HTTP APIs, ignored",
			"info paths.'/a/{b}'(head).parameters: not supported for HTTP APIs, ignored",
		}},
	})
}

func TestReferences(t *testing.T) {
	t.Parallel()
	importAll(t, []imported{
		{"path item", paths("  /a: {$ref: '#/components/pathItems/p~1~0 %7Bx%7D'}\ncomponents: {pathItems: {'p/~ {x}': {get: {operationId: o}}}}"), []string{"GET /a NONE = o"}},
		{"path item of a path", paths("  /a: {get: {}}\n  /b: {$ref: '#/paths/~1a'}"), []string{"GET /a NONE", "GET /b NONE"}},
		{"path item with members of its own, which count", paths("  /a: {get: {operationId: a}, put: {operationId: a}}\n  /b: {$ref: '#/paths/~1a', get: {operationId: b}, head: {}}"), []string{
			"GET /a NONE = a", "PUT /a NONE = a", "GET /b NONE = b", "HEAD /b NONE", "PUT /b NONE = a",
		}},
		{"path item over several", paths("  /a: {get: {}}\n  /b: {$ref: '#/x-more/0'}\nx-more: [{$ref: '#/x-more/1'}, {$ref: '#/paths/~1a'}]"), []string{"GET /a NONE", "GET /b NONE"}},
		{"path item that is missing", paths("  /a: {$ref: '#/components/pathItems/p'}"), []string{"warning Parse issue: attribute paths.'/a'.#/components/pathItems/p is missing"}},
		{"path item in another document", paths("  /a: {$ref: 'other.yaml#/paths/a', get: {}}\n  /b: {$ref: 'https://h/x'}"), []string{
			"GET /a NONE",
			"warning paths.'/a': the reference other.yaml#/paths/a leads out of the document, ignored",
			"warning paths.'/b': the reference https://h/x leads out of the document, ignored",
		}},
		{"path item in a circle", paths("  /a: {$ref: '#/paths/~1b'}\n  /b: {$ref: '#/paths/~1a'}"), []string{
			"problem paths.'/a': the references do not end: after 32 there is one more (line 4)",
			"problem paths.'/b': the references do not end: after 32 there is one more (line 5)",
		}},
		{"path item that is itself", paths("  /a: {$ref: '#/paths/~1a'}"), []string{"problem paths.'/a': the references do not end: after 32 there is one more (line 4)"}},
		{"path item that is no object", paths("  /a: {$ref: '#/openapi'}"), []string{"problem openapi: must be an object, not a string"}},
		{"path item that is no reference", paths("  /a: {$ref: [x]}"), []string{"problem paths.'/a'.$ref: must be a string, not a list (line 4)"}},
		{"pointers that lead nowhere", paths("  /a: {$ref: '#/x/0/y'}\n  /b: {$ref: '#/x/-1'}\n  /c: {$ref: '#/x/2'}\n  /d: {$ref: '#x'}\n  /e: {$ref: '#/openapi/x'}\n  /f: {$ref: '#/x-null'}\nx: [a, b]\nx-null: ~"), []string{
			"warning Parse issue: attribute paths.'/a'.#/x/0/y is missing",
			"warning Parse issue: attribute paths.'/b'.#/x/-1 is missing",
			"warning Parse issue: attribute paths.'/c'.#/x/2 is missing",
			"warning Parse issue: attribute paths.'/d'.#x is missing",
			"warning Parse issue: attribute paths.'/e'.#/openapi/x is missing",
			"warning Parse issue: attribute paths.'/f'.#/x-null is missing",
			"info x: unknown member, ignored",
		}},
		{"schemas that are there are not followed", paths("  /a: {get: {responses: {200: {content: {application/json: {schema: {$ref: '#/components/schemas/A'}}}}}}}\ncomponents: {schemas: {A: {$ref: '#/components/schemas/A'}}}"), []string{
			"GET /a NONE",
			"info components.schemas: not supported for HTTP APIs, ignored",
			"info paths.'/a'(get).responses: not supported for HTTP APIs, ignored",
		}},
		{"schemas that are missing", paths("  /update: {get: {responses: {200: {content: {application/json: {schema: {$ref: '#/components/schemas/ModelThatDoesNotExist'}}}}}}}"), []string{
			"GET /update NONE",
			"warning Parse issue: attribute paths.'/update'(get).responses.200.content.schema.#/components/schemas/ModelThatDoesNotExist is missing",
			"info paths.'/update'(get).responses: not supported for HTTP APIs, ignored",
		}},
		{"references wherever they may be missing", paths(`  /a:
    parameters: [{$ref: '#/1'}]
    post:
      parameters: [{in: path, schema: {type: string}}, {$ref: '#/2'}]
      requestBody: {content: {text/plain: {schema: {allOf: [{type: string}, {properties: {$ref: {$ref: '#/3'}}}], example: {$ref: '#/no'}, default: {$ref: '#/no'}, enum: [{$ref: '#/no'}]}, examples: {$ref: '#/no'}}}}
      responses: {400: {$ref: '#/4'}, 500: {$ref: 'e.yaml'}, default: {headers: {$ref: {$ref: '#/5'}}, x-other: {$ref: '#/no'}}}
components: {responses: {$ref: {$ref: '#/6'}}, examples: {e: {value: {$ref: '#/no'}}}}`), []string{
			"POST /a NONE",
			"warning Parse issue: attribute components.responses.$ref.#/6 is missing",
			"warning Parse issue: attribute paths.'/a'.parameters[0].#/1 is missing",
			"warning Parse issue: attribute paths.'/a'(post).responses.400.#/4 is missing",
			"warning paths.'/a'(post).responses.500: the reference e.yaml leads out of the document, ignored",
			"warning Parse issue: attribute paths.'/a'(post).responses.default.headers.$ref.#/5 is missing",
			"warning Parse issue: attribute paths.'/a'(post).parameters[1].#/2 is missing",
			"warning Parse issue: attribute paths.'/a'(post).requestBody.content.schema.allOf[1].properties.$ref.#/3 is missing",
			"info components.responses: not supported for HTTP APIs, ignored",
			"info components.examples: not supported for HTTP APIs, ignored",
			"info paths.'/a'.parameters: not supported for HTTP APIs, ignored",
			"info paths.'/a'(post).requestBody: not supported for HTTP APIs, ignored",
			"info paths.'/a'(post).responses: not supported for HTTP APIs, ignored",
			"info paths.'/a'(post).parameters: not supported for HTTP APIs, ignored",
		}},
	})
}

func TestTooManyOperations(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{maxOperations: "<nil>", maxOperations + 1: "paths: must not have more than 10000 operations (line 3)"} {
		document := head + "paths: {" + strings.ReplaceAll(manyMembers(n, "/a%d:_{get:_{}},"), "_", " ") + "}"
		if _, err := Import(document, testOptions); fmt.Sprint(err) != want {
			t.Errorf("%d: got %.200v, want %q", n, err, want)
		}
	}
}
