// Package function knows which Lambda functions there are: those that the configuration
// declares, and those that were made through the Lambda API, which it serves. It calls
// them for the gateway, if they may be called on behalf of who asks.
package function

import (
	"context"
	"encoding/json"
	"time"
)

// A Document is everything that is stored of one function, under the key
// "function.{name}".
type Document struct {
	Name string `json:"name"`
	// Latest is $LATEST; nil if the function is declared by the configuration and only
	// its permissions, aliases and tags are stored. Versions are what was published, by
	// number.
	Latest   *Version            `json:"latest,omitempty"`
	Versions map[string]*Version `json:"versions,omitempty"`
	// LastVersion is the greatest number that was published, deleted ones included.
	LastVersion int               `json:"lastVersion,omitzero"`
	Aliases     map[string]*Alias `json:"aliases,omitempty"`
	// Policies are the resource policies, by qualifier: "" for the function itself, or
	// the name of an alias or a version.
	Policies map[string]*Policy `json:"policies,omitempty"`
	Tags     map[string]string  `json:"tags,omitempty"`
	// Concurrency is how many invocations are reserved; nil for none.
	Concurrency *int `json:"concurrency,omitempty"`

	permissions *permissions // Policies as they are evaluated; see compile
}

// A Version is the configuration of a function and where its code is.
type Version struct {
	// Configuration is what the API answers, but for what is derived.
	Configuration Configuration `json:"configuration"`
	// Code is the hexadecimal SHA-256 of the zip.
	Code string `json:"code,omitempty"`
}

// A Configuration is a function's as the Lambda API has it. Names are those of the wire.
type Configuration struct {
	Description  string            `json:"Description"`
	Runtime      string            `json:"Runtime,omitempty"`
	Role         string            `json:"Role"`
	Handler      string            `json:"Handler,omitempty"`
	Timeout      int               `json:"Timeout"`    // seconds
	MemorySize   int               `json:"MemorySize"` // MiB
	CodeSize     int64             `json:"CodeSize"`
	CodeSha256   string            `json:"CodeSha256"` // base64
	LastModified string            `json:"LastModified"`
	RevisionID   string            `json:"RevisionId"`
	Environment  map[string]string `json:"Environment,omitzero"` // nil if none was given
	// Rest are the members that are kept and have no effect here, as they were given.
	Rest map[string]json.RawMessage `json:"Rest,omitempty"`
}

// An Alias points at a version, and with Weights at a second one.
type Alias struct {
	Name            string             `json:"Name"`
	FunctionVersion string             `json:"FunctionVersion"`
	Description     string             `json:"Description"`
	Weights         map[string]float64 `json:"AdditionalVersionWeights,omitempty"`
	RevisionID      string             `json:"RevisionId"`
}

// A Policy is the resource policy of one qualifier.
type Policy struct {
	Statements []Statement `json:"statements"`
	RevisionID string      `json:"revisionId"`
}

// A Statement permits something to a principal.
type Statement struct {
	Sid       string `json:"sid"`
	Action    string `json:"action"` // lambda:InvokeFunction
	Principal string `json:"principal"`
	// SourceARN and SourceAccount are its conditions; empty for none.
	SourceARN     string `json:"sourceArn,omitempty"`
	SourceAccount string `json:"sourceAccount,omitempty"`
	// These are further conditions, which no caller here fulfils.
	OrgID                 string `json:"orgId,omitempty"`
	EventSourceToken      string `json:"eventSourceToken,omitempty"`
	FunctionURLAuth       string `json:"functionUrlAuth,omitempty"`
	InvokedViaFunctionURL bool   `json:"invokedViaFunctionUrl,omitzero"`
}

// A Declared function stands in the configuration.
type Declared struct {
	Runtime, Handler string
	// Code is a directory or a zip file.
	Code        string
	Environment map[string]string
	Timeout     time.Duration // 0 for 3 s
	Memory      int           // MiB; 0 for 128
	Concurrency int           // -1 for no limit of its own
	// Invoke is the function itself if it runs in this process; nothing else is then
	// looked at.
	Invoke func(ctx context.Context, payload []byte) ([]byte, error)
}
