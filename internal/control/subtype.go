package control

import (
	"maps"
	"slices"
	"strings"

	"penstock/internal/model"
)

// A subtype is an action of an AWS service that an HTTP API can call without a
// function in between. The names of parameters are case-sensitive. Source:
// developer guide, http-api-develop-integrations-aws-services-reference.
type subtype struct {
	required, optional []string
}

var subtypes = map[string]subtype{
	"AppConfig-GetConfiguration": {
		required: []string{"Application", "Environment", "Configuration", "ClientId"},
		optional: []string{"ClientConfigurationVersion", "Region"},
	},
	"EventBridge-PutEvents": {
		required: []string{"Detail", "DetailType", "Source"},
		optional: []string{"EventBusName", "Region", "Resources", "Time", "TraceHeader"},
	},
	"Kinesis-PutRecord": {
		required: []string{"StreamName", "Data", "PartitionKey"},
		optional: []string{"ExplicitHashKey", "Region", "SequenceNumberForOrdering"},
	},
	"SQS-DeleteMessage": {
		required: []string{"ReceiptHandle", "QueueUrl"},
		optional: []string{"Region"},
	},
	"SQS-PurgeQueue": {
		required: []string{"QueueUrl"},
		optional: []string{"Region"},
	},
	"SQS-ReceiveMessage": {
		required: []string{"QueueUrl"},
		optional: []string{"AttributeNames", "MaxNumberOfMessages", "MessageAttributeNames", "ReceiveRequestAttemptId", "Region", "VisibilityTimeout", "WaitTimeSeconds"},
	},
	"SQS-SendMessage": {
		required: []string{"QueueUrl", "MessageBody"},
		optional: []string{"DelaySeconds", "MessageAttributes", "MessageDeduplicationId", "MessageGroupId", "MessageSystemAttributes", "Region"},
	},
	"StepFunctions-StartExecution": {
		required: []string{"StateMachineArn"},
		optional: []string{"Input", "Name", "Region"},
	},
	"StepFunctions-StartSyncExecution": {
		required: []string{"StateMachineArn"},
		optional: []string{"Input", "Name", "Region", "TraceHeader"},
	},
	"StepFunctions-StopExecution": {
		required: []string{"ExecutionArn"},
		optional: []string{"Cause", "Error", "Region"},
	},
}

// checkSubtype checks an integration that calls an AWS service by its subtype.
// The names of its request parameters are those of the service.
func checkSubtype(i *model.Integration) error {
	name := *i.IntegrationSubtype
	if val(i.IntegrationType) != model.IntegrationTypeAWSProxy {
		return BadRequest(msgSubtypeType)
	}
	action, ok := subtypes[name]
	if !ok || val(i.PayloadFormatVersion) != "1.0" {
		return BadRequest(msgSubtype, name)
	}
	if i.IntegrationURI != nil {
		return BadRequest(msgSubtypeURI)
	}
	if i.CredentialsARN == nil {
		return BadRequest(msgSubtypeRole, name)
	}
	for _, parameter := range action.required {
		if _, ok := i.RequestParameters[parameter]; !ok {
			return BadRequest(msgSubtypeParameters, name, strings.Join(action.required, ", "))
		}
	}
	for _, parameter := range slices.Sorted(maps.Keys(i.RequestParameters)) {
		if !slices.Contains(action.required, parameter) && !slices.Contains(action.optional, parameter) {
			return BadRequest(msgSubtypeParameter, name, parameter)
		}
	}
	return nil
}
