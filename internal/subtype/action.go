// Package subtype holds the integrations of HTTP APIs that call an action of an AWS service
// with no function in between: IntegrationSubtype.
//
//	i, err := subtype.New(subtype.Spec{Subtype: "SQS-SendMessage", Parameters: map[string]string{
//		"QueueUrl":    "https://sqs.us-east-1.amazonaws.com/123456789012/orders",
//		"MessageBody": "$request.body",
//	}, Service: service})
//
// What goes out is made of the parameters alone: the method, the header and the query of the
// client do not. The request is put together when the integration is compiled, as far as it
// is known then; what is left of a request is to write its values into the gaps.
package subtype

// A kind says how the value of a parameter is written, which is text before.
type kind uint8

const (
	text    kind = iota // a string
	integer             // a number; what is none is a string, which the service refuses
	seconds             // a time as a number, from seconds since 1970 or ISO 8601; else as integer
	object              // a JSON object as it is
	list                // a JSON array as it is; what is none is a list of one string
	binary              // a string with the bytes of the value in base64
	segment             // one segment of a path
	query               // a value in a query
	region              // where the call goes, and what it is signed for: in no body
)

// A parameter is one of an action. The names are case-sensitive.
type parameter struct {
	name string
	// wire is what the service calls it; for those in a path, what stands before it.
	wire     string
	kind     kind
	required bool
	// empty says that the service takes an empty text.
	empty bool
}

// An action is what a subtype calls.
type action struct {
	// name is that of the operation, host the first label of the service's, service the
	// name that calls are signed with.
	name, host, service string
	method              string
	// contentType and target are the fields Content-Type and X-Amz-Target; "" for actions
	// without a body.
	contentType, target string
	// open and close stand around the parameters, which are in the order of the service's
	// model.
	open, close string
	parameters  []parameter
	// xml is the query protocol's answer to the action; nil for actions of services that
	// never had that protocol.
	xml func(w *writer, answer []byte) error
	// keep is a field of the answer that goes to the client besides Content-Type; "" for
	// none.
	keep string
}

const (
	json10 = "application/x-amz-json-1.0"
	json11 = "application/x-amz-json-1.1"
)

var (
	inRegion   = parameter{name: "Region", kind: region}
	queueURL   = parameter{name: "QueueUrl", wire: "QueueUrl", required: true}
	machineARN = parameter{name: "StateMachineArn", wire: "stateMachineArn", required: true}
)

// actions are what there is to call, by subtype. Source: developer guide,
// http-api-develop-integrations-aws-services-reference; the names on the wire are those of
// the services' API references.
var actions = map[string]*action{
	"EventBridge-PutEvents": jsonAction("events", "events", json11, "AWSEvents", "PutEvents",
		parameter{name: "Detail", wire: "Detail", required: true},
		parameter{name: "DetailType", wire: "DetailType", required: true},
		parameter{name: "Source", wire: "Source", required: true},
		parameter{name: "Time", wire: "Time", kind: seconds},
		parameter{name: "EventBusName", wire: "EventBusName"},
		parameter{name: "Resources", wire: "Resources", kind: list},
		parameter{name: "TraceHeader", wire: "TraceHeader"},
		inRegion,
	).around(`{"Entries":[{`, `}]}`),

	"SQS-SendMessage": sqsAction("SendMessage", writeSent,
		queueURL,
		parameter{name: "MessageBody", wire: "MessageBody", required: true},
		parameter{name: "DelaySeconds", wire: "DelaySeconds", kind: integer},
		parameter{name: "MessageAttributes", wire: "MessageAttributes", kind: object},
		parameter{name: "MessageDeduplicationId", wire: "MessageDeduplicationId"},
		parameter{name: "MessageGroupId", wire: "MessageGroupId"},
		parameter{name: "MessageSystemAttributes", wire: "MessageSystemAttributes", kind: object},
		inRegion,
	),
	"SQS-ReceiveMessage": sqsAction("ReceiveMessage", writeReceived,
		queueURL,
		parameter{name: "AttributeNames", wire: "AttributeNames", kind: list},
		parameter{name: "MaxNumberOfMessages", wire: "MaxNumberOfMessages", kind: integer},
		parameter{name: "MessageAttributeNames", wire: "MessageAttributeNames", kind: list},
		parameter{name: "ReceiveRequestAttemptId", wire: "ReceiveRequestAttemptId"},
		parameter{name: "VisibilityTimeout", wire: "VisibilityTimeout", kind: integer},
		parameter{name: "WaitTimeSeconds", wire: "WaitTimeSeconds", kind: integer},
		inRegion,
	),
	"SQS-DeleteMessage": sqsAction("DeleteMessage", nil,
		queueURL,
		parameter{name: "ReceiptHandle", wire: "ReceiptHandle", required: true},
		inRegion,
	),
	"SQS-PurgeQueue": sqsAction("PurgeQueue", nil, queueURL, inRegion),

	"AppConfig-GetConfiguration": {
		name: "GetConfiguration", host: "appconfig", service: "appconfig", method: "GET", keep: "Configuration-Version",
		parameters: []parameter{
			{name: "Application", wire: "/applications/", kind: segment, required: true},
			{name: "Environment", wire: "/environments/", kind: segment, required: true},
			{name: "Configuration", wire: "/configurations/", kind: segment, required: true},
			{name: "ClientId", wire: "?client_id=", kind: query, required: true},
			{name: "ClientConfigurationVersion", wire: "&client_configuration_version=", kind: query},
			inRegion,
		},
	},

	"Kinesis-PutRecord": jsonAction("kinesis", "kinesis", json11, "Kinesis_20131202", "PutRecord",
		parameter{name: "StreamName", wire: "StreamName", required: true},
		parameter{name: "Data", wire: "Data", kind: binary, required: true},
		parameter{name: "PartitionKey", wire: "PartitionKey", required: true},
		parameter{name: "ExplicitHashKey", wire: "ExplicitHashKey"},
		parameter{name: "SequenceNumberForOrdering", wire: "SequenceNumberForOrdering"},
		inRegion,
	),

	"StepFunctions-StartExecution": jsonAction("states", "states", json10, "AWSStepFunctions", "StartExecution",
		machineARN,
		parameter{name: "Name", wire: "name"},
		parameter{name: "Input", wire: "input"},
		inRegion,
	),
	"StepFunctions-StartSyncExecution": jsonAction("sync-states", "states", json10, "AWSStepFunctions", "StartSyncExecution",
		machineARN,
		parameter{name: "Name", wire: "name"},
		parameter{name: "Input", wire: "input"},
		parameter{name: "TraceHeader", wire: "traceHeader"},
		inRegion,
	),
	"StepFunctions-StopExecution": jsonAction("states", "states", json10, "AWSStepFunctions", "StopExecution",
		parameter{name: "ExecutionArn", wire: "executionArn", required: true},
		parameter{name: "Error", wire: "error", empty: true},
		parameter{name: "Cause", wire: "cause", empty: true},
		inRegion,
	),
}

// jsonAction returns an action whose parameters are members of a JSON object.
func jsonAction(host, service, contentType, family, name string, parameters ...parameter) *action {
	return &action{
		name: name, host: host, service: service, method: "POST", contentType: contentType, target: family + "." + name,
		open: "{", close: "}", parameters: parameters,
	}
}

// sqsAction returns an action of queues. It is called in JSON, which all servers that stand
// for the service have known since its own clients speak nothing else. The answer in XML has
// what result writes, nil for nothing.
func sqsAction(name string, result func(w *writer, answer []byte) error, parameters ...parameter) *action {
	a := jsonAction("sqs", "sqs", json10, "AmazonSQS", name, parameters...)
	a.xml = result
	if result == nil {
		a.xml = writeNothing
	}
	return a
}

// around changes what stands around the parameters.
func (a *action) around(open, close string) *action {
	a.open, a.close = open, close
	return a
}
