// Package model is the service model of API Gateway V2 in Go: a struct for every
// structure, a table of every operation, the limits of every shape, and the
// documents the control plane stores.
//
// Everything in the files ending in _gen.go comes from two files. service.json
// is what the service publishes about itself: members, wire names, enums,
// ranges, HTTP bindings. overlay.json is what that leaves out: limits that hide
// in the names of shapes, what clears a member in an update, members that are
// never absent, checks that are made by hand. Every row of the overlay says
// where it is from.
//
// Members are optional: a nil pointer, slice or map is an absent member and is
// not written; an empty slice or map that is present is written.
//
//	var in model.CreateAPIRequest
//	err := model.Operations[i].Input.Decode(body, &in)
package model

//go:generate go run ./generate

// An Operation is one operation of the service.
type Operation struct {
	Name   string
	Method string
	Path   string     // with labels in braces: /v2/apis/{apiId}
	Status int        // of a successful answer
	Input  *Shape     // a structure
	New    func() any // returns a pointer to a new value of the type of Input
	Output *Shape     // nil if the answer has no body
	Result string     // the member of Output that holds a page of a list; empty if the operation is not a list
}

// A Shape is a type of the service model and its limits.
type Shape struct {
	Name     string // in the model
	Kind     Kind
	Members  []Member // of a structure, in the order of the fields of its Go type
	Element  *Shape   // of a list or map
	Min, Max int      // length of a string in characters, or range of an integer; both zero if there is no limit
	Enum     []string // the values a string may have; nil if any
}

// A Kind says what JSON value a shape is written as.
type Kind uint8

const (
	Structure Kind = iota
	List
	Map
	String
	Integer
	Double
	Boolean
	Timestamp // a string in ISO-8601
	Blob      // the body itself
)

// A Member is a member of a structure.
type Member struct {
	Name     string // on the wire
	Shape    *Shape
	Location Location
	Required bool
	Own      Checks // checks that the control plane makes itself, with messages of their own
	Patch    Patch
	Always   bool // written even when empty
}

// A Location says where in a request or answer a member is.
type Location uint8

const (
	Body    Location = iota // a member of the JSON object in the body
	Label                   // a segment of the path
	Query                   // a query parameter
	Payload                 // the body itself
)

// Checks is a set of the checks that decoding makes.
type Checks uint8

const (
	OwnRequired Checks = 1 << iota
	OwnLength
	OwnRange
	OwnEnum
)

// A Patch says what a member of an update does to the member it updates.
type Patch uint8

const (
	PatchSet     Patch = iota // replaces it
	PatchClear                // replaces it; an empty string, list or structure makes it absent, whatever its limits
	PatchMerge                // replaces entries of a map by key; an empty entry removes its key
	PatchUpsert               // replaces entries of a map by key, removes none
	PatchMembers              // replaces the members that are present in a structure; an empty string makes one absent
)

// DiscoveryPath is what stands behind the name of an issuer of tokens in the URL of its
// configuration, which says where its keys are.
const DiscoveryPath = "/.well-known/openid-configuration"

// FindOperation returns the operation of that name, or nil.
func FindOperation(name string) *Operation {
	return operationsByName[name]
}

var operationsByName = func() map[string]*Operation {
	m := make(map[string]*Operation, len(Operations))
	for _, op := range Operations {
		m[op.Name] = op
	}
	return m
}()
