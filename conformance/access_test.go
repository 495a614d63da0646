//go:build conformance

package conformance

import (
	"context"
	"fmt"
	"sync"
)

// pages are read two items at a time while somebody else creates and deletes:
// what stays throughout is seen exactly once.
func pages(s *story) {
	at := object{"ApiId": s.newAPI("pages")}
	in := with(at, object{"IntegrationType": "HTTP_PROXY", "IntegrationMethod": "GET", "IntegrationUri": "https://example.com"})
	create := func(description string) string {
		made, err := s.other.call(s.Context(), "CreateIntegration", with(in, object{"Description": description}))
		if err != nil {
			s.Errorf("other writer: %v", err)
			return ""
		}
		return made.out["IntegrationId"].(string)
	}
	remove := func(id string) {
		if _, err := s.other.call(s.Context(), "DeleteIntegration", with(at, object{"IntegrationId": id})); err != nil {
			s.Errorf("other writer: %v", err)
		}
	}

	stay, leave := map[string]bool{}, map[string]bool{}
	for i := range 10 {
		stay[create(fmt.Sprint("stays ", i))] = true
		leave[create(fmt.Sprint("leaves ", i))] = true
	}
	var writer sync.WaitGroup
	ctx, cancel := context.WithCancel(s.Context())
	stop := func() { cancel(); writer.Wait() }
	defer stop()
	writer.Go(func() {
		for i := 0; ctx.Err() == nil && !s.Failed(); i++ {
			remove(create(fmt.Sprint("passes by ", i)))
		}
	})
	seen := map[string]int{}
	for _, item := range s.byHand("GetIntegrations", at, func(page list) {
		// The last item of a page goes, if it may: a token must not depend on it.
		last := page[len(page)-1].(object)["IntegrationId"].(string)
		if leave[last] {
			remove(last)
			delete(leave, last)
		}
		for id := range leave {
			remove(id)
			delete(leave, id)
			break
		}
	}) {
		seen[item.(object)["IntegrationId"].(string)]++
	}
	for id := range stay {
		if seen[id] != 1 {
			s.Errorf("integration %s, there all the time, was listed %d times", id, seen[id])
		}
	}
	for id, n := range seen {
		if n > 1 {
			s.Errorf("integration %s was listed %d times", id, n)
		}
	}
	stop()

	if got := len(s.all("GetIntegrations", at)); got != len(stay)+len(leave) {
		s.Errorf("at rest: got %d integrations, want %d that stayed and %d not yet gone", got, len(stay), len(leave))
	}
	token := s.ok("GetIntegrations", with(at, object{"MaxResults": "2"}), nil)["NextToken"]
	s.fails("GetRoutes", with(at, object{"NextToken": token}), "BadRequestException", "Invalid token")
	s.fails("GetIntegrations", object{"ApiId": s.newAPI("other pages"), "NextToken": token}, "BadRequestException", "Invalid token")
}

// signatures are checked when the server knows credentials, and only then.
func signatures(s *story) {
	s.ok("GetApis", object{"MaxResults": "1"}, nil)
	const unknownToken = "The security token included in the request is invalid."
	for _, tt := range []struct {
		who     *credentials
		class   string
		message any
	}{
		{&credentials{tester.AccessKeyID, "wrong", tester.SessionToken}, "InvalidSignatureException", re("^The request signature we calculated does not match the signature you provided")},
		{&credentials{"AKIDUNKNOWN", tester.SecretAccessKey, tester.SessionToken}, "UnrecognizedClientException", unknownToken},
		{&credentials{tester.AccessKeyID, tester.SecretAccessKey, "wrong"}, "UnrecognizedClientException", unknownToken},
		{nil, "MissingAuthenticationTokenException", "Missing Authentication Token"},
	} {
		s.as(s.server, tt.who).fails("GetApis", object{}, tt.class, tt.message)
	}

	open := serve(s.T, s.program, "")
	s.as(open, &credentials{"anyone", "anything", ""}).ok("GetApis", object{}, object{"Items": list{}})
	s.as(open, nil).ok("CreateApi", object{"Name": "unsigned", "ProtocolType": "HTTP"}, nil)
}

// throttling answers as the real service does, once it is asked for.
func throttling(s *story) {
	limited := s.as(serve(s.T, s.program, "limits:\n  controlPlaneRate: 0.01\n  controlPlaneBurst: 1\n"), &credentials{"anyone", "anything", ""})
	limited.ok("GetApis", object{}, object{"Items": list{}})
	limited.fails("GetApis", object{}, "TooManyRequestsException", "Too Many Requests")
}

// policies say what a caller may do. Whether what it may not touch exists, it is not
// told.
func policies(s *story) {
	reader := &credentials{AccessKeyID: "AKIDREADER", SecretAccessKey: "reads"}
	keeper := &credentials{AccessKeyID: "AKIDKEEPER", SecretAccessKey: "keeps"}
	guarded := serve(s.T, s.program, testerConfig+`
  - accessKeyId: AKIDREADER
    secretAccessKey: reads
    policy:
      Version: "2012-10-17"
      Statement:
        - Effect: Allow
          Action: apigateway:GET
          Resource: arn:aws:apigateway:us-east-1::/apis/*
  - accessKeyId: AKIDKEEPER
    secretAccessKey: keeps
    userName: keeper
    policy: >-
      {"Version": "2012-10-17", "Statement": [
      {"Effect": "Allow", "Action": "apigateway:*", "Resource": "*"},
      {"Effect": "Deny", "Action": ["apigateway:DELETE"], "Resource": "*", "Condition": {"StringEquals": {"aws:ResourceTag/kept": "yes"}}}]}
`)
	owner := s.as(guarded, tester)
	api := owner.ok("CreateApi", object{"Name": "kept", "ProtocolType": "HTTP", "Tags": object{"kept": "yes"}}, with(httpAPI, object{"Name": "kept", "Tags": object{"kept": "yes"}}))
	at := object{"ApiId": api["ApiId"]}
	arn := "arn:aws:apigateway:us-east-1::/apis/" + api["ApiId"].(string)
	denied := func(user, action, resource string) string {
		return "User: arn:aws:iam::000000000000:user/" + user + " is not authorized to perform: apigateway:" + action + " on resource: " + resource
	}

	reads := s.as(guarded, reader)
	reads.ok("GetApi", at, api)
	reads.ok("GetRoutes", at, object{"Items": list{}})
	for _, tt := range []struct {
		op               string
		in               object
		action, resource string
	}{
		{"GetApis", object{}, "GET", "arn:aws:apigateway:us-east-1::/apis"},
		{"CreateApi", object{"Name": "n", "ProtocolType": "HTTP"}, "POST", "arn:aws:apigateway:us-east-1::/apis"},
		{"ImportApi", object{"Body": pets}, "PUT", "arn:aws:apigateway:us-east-1::/apis"},
		{"UpdateApi", with(at, object{"Name": "n"}), "PATCH", arn},
		{"DeleteApi", at, "DELETE", arn},
		{"DeleteApi", object{"ApiId": "zzzzzzzzzz"}, "DELETE", "arn:aws:apigateway:us-east-1::/apis/zzzzzzzzzz"},
		{"ResetAuthorizersCache", with(at, object{"StageName": "$default"}), "DELETE", arn + "/stages/$default/cache/authorizers"},
		{"CreateDomainName", object{"DomainName": "d.example.com"}, "POST", "arn:aws:apigateway:us-east-1::/domainnames"},
		{"GetTags", object{"ResourceArn": arn}, "GET", "arn:aws:apigateway:us-east-1::/tags/arn%3Aaws%3Aapigateway%3Aus-east-1%3A%3A%2Fapis%2F" + api["ApiId"].(string)},
	} {
		reads.fails(tt.op, tt.in, "AccessDeniedException", denied("AKIDREADER", tt.action, tt.resource))
	}

	keeps := s.as(guarded, keeper)
	other := keeps.ok("CreateApi", object{"Name": "not kept", "ProtocolType": "HTTP"}, with(httpAPI, object{"Name": "not kept"}))
	keeps.ok("DeleteApi", object{"ApiId": other["ApiId"]}, object{})
	keeps.fails("DeleteApi", at, "AccessDeniedException", denied("keeper", "DELETE", arn)+" with an explicit deny")
	keeps.ok("GetApi", at, api)
	owner.ok("DeleteApi", at, object{})
}
