//go:build conformance

package conformance

const (
	certificate      = "arn:aws:acm:us-east-1:000000000000:certificate/7f8a1b2c-0000-4000-8000-000000000001"
	otherCertificate = "arn:aws:acm:us-east-1:000000000000:certificate/7f8a1b2c-0000-4000-8000-000000000002"
)

// configuration of a domain name of which nothing but the certificate was said.
var configuration = object{
	"ApiGatewayDomainName": re(`^d-[a-z0-9]{10}\.execute-api\.us-east-1\.localhost$`),
	"CertificateArn":       certificate,
	"DomainNameStatus":     "AVAILABLE",
	"EndpointType":         "REGIONAL",
	"HostedZoneId":         "Z1UJRXOUMOOFQ8",
	"IpAddressType":        "ipv4",
	"SecurityPolicy":       "TLS_1_2",
}

// domainName is what comes back for a domain name of which nothing but the certificate
// was said.
func domainName(name string) object {
	return object{
		"ApiMappingSelectionExpression": "$request.basepath",
		"DomainName":                    name,
		"DomainNameArn":                 "arn:aws:apigateway:us-east-1::/domainnames/" + name,
		"DomainNameConfigurations":      list{configuration},
		"RoutingMode":                   "API_MAPPING_ONLY",
	}
}

// newDomainName makes a domain name and returns where it is.
func (s *story) newDomainName(name string) object {
	s.Helper()
	s.ok("CreateDomainName", object{"DomainName": name, "DomainNameConfigurations": list{object{"CertificateArn": certificate}}}, domainName(name))
	return object{"DomainName": name}
}

// newStage makes an API with a stage and returns the API's id.
func (s *story) newStage(name, stage string) string {
	s.Helper()
	api := s.newAPI(name)
	s.ok("CreateStage", object{"ApiId": api, "StageName": stage}, nil)
	return api
}

// domainNames have one configuration, and may ask clients for certificates.
func domainNames(s *story) {
	const name, wildcard = "pets.example.com", "*.pets.example.com"
	at := object{"DomainName": name}
	made := s.create("DomainName", with(at, object{
		"DomainNameConfigurations": list{object{
			"CertificateArn": certificate, "CertificateName": "pets", "EndpointType": "REGIONAL", "SecurityPolicy": "TLS_1_2", "IpAddressType": "dualstack",
			"OwnershipVerificationCertificateArn": otherCertificate,
		}},
		"MutualTlsAuthentication": object{"TruststoreUri": "s3://bucket/trust/store.pem", "TruststoreVersion": "v1/+=:2"},
		"RoutingMode":             "ROUTING_RULE_THEN_API_MAPPING",
		"Tags":                    object{"team": "pets"},
	}), with(domainName(name), object{
		"DomainNameConfigurations": list{with(configuration, object{
			"CertificateName": "pets", "IpAddressType": "dualstack", "OwnershipVerificationCertificateArn": otherCertificate,
		})},
		"RoutingMode": "ROUTING_RULE_THEN_API_MAPPING",
		"Tags":        object{"team": "pets"},
	}))
	star := s.create("DomainName", object{"DomainName": wildcard, "DomainNameConfigurations": list{object{"CertificateArn": certificate}}}, domainName(wildcard))
	s.fails("CreateDomainName", with(at, object{"DomainNameConfigurations": list{object{"CertificateArn": certificate}}}),
		"BadRequestException", "The domain name you provided already exists.")

	listed := s.byName(s.byHand("GetDomainNames", object{}, nil), "DomainName")
	s.want("GetDomainNames", list{made, star}, list{listed[name], listed[wildcard]})

	// Of the configuration those members change that are sent. What clients were
	// answered they may send back.
	settled := made["DomainNameConfigurations"].(list)[0].(object)
	changed := with(made, object{"DomainNameConfigurations": list{with(settled, object{"CertificateArn": otherCertificate, "IpAddressType": "ipv4"})}})
	s.ok("UpdateDomainName", with(at, object{
		"DomainNameConfigurations": list{with(settled, object{"CertificateArn": otherCertificate, "IpAddressType": "ipv4", "ApiGatewayDomainName": "d-mine.example.com", "HostedZoneId": "Z"})},
	}), changed)
	s.ok("UpdateDomainName", with(at, object{"DomainNameConfigurations": list{object{"CertificateArn": otherCertificate}}}), changed)

	// Of the trust store, too; without an address there is none.
	changed = with(changed, object{
		"MutualTlsAuthentication": object{"TruststoreUri": "s3://bucket/trust/store.pem", "TruststoreVersion": "v2"}, "RoutingMode": "ROUTING_RULE_ONLY",
	})
	s.ok("UpdateDomainName", with(at, object{"MutualTlsAuthentication": object{"TruststoreVersion": "v2"}, "RoutingMode": "ROUTING_RULE_ONLY"}), changed)
	s.ok("GetDomainName", at, changed)
	changed = with(changed, object{"MutualTlsAuthentication": nil, "RoutingMode": "API_MAPPING_ONLY"})
	s.ok("UpdateDomainName", with(at, object{"MutualTlsAuthentication": object{"TruststoreUri": ""}, "RoutingMode": "API_MAPPING_ONLY"}), changed)
	s.ok("GetDomainName", at, changed)

	for _, one := range []object{at, {"DomainName": wildcard}} {
		s.ok("DeleteDomainName", one, object{})
		for _, op := range []string{"GetDomainName", "GetApiMappings", "DeleteDomainName"} {
			s.fails(op, one, "NotFoundException", "Invalid domain name identifier specified")
		}
	}
}

func domainNameErrors(s *story) {
	in := object{"DomainName": "errors.example.com", "DomainNameConfigurations": list{object{"CertificateArn": certificate}}}
	configured := func(changes object) object {
		return with(in, object{"DomainNameConfigurations": list{with(object{"CertificateArn": certificate}, changes)}})
	}
	const elsewhere = "arn:aws:acm:eu-west-1:000000000000:certificate/1"
	for _, tt := range []struct {
		in      object
		message any
	}{
		{with(in, object{"DomainName": "Upper.example.com"}), anyText},
		{with(in, object{"DomainName": "under_score.example.com"}), anyText},
		{with(in, object{"DomainName": "a.*.example.com"}), anyText},
		{with(in, object{"DomainNameConfigurations": nil}), "Invalid input. Expected one domain name configuration"},
		{with(in, object{"DomainNameConfigurations": list{}}), "Invalid input. Expected one domain name configuration"},
		{configured(object{"CertificateArn": nil}), anyText},
		{configured(object{"CertificateArn": elsewhere}), "Invalid certificate ARN: " + elsewhere + ". Certificate must be in 'us-east-1'."},
		{configured(object{"EndpointType": "EDGE"}), "EDGE endpoint type is not supported for APIGatewayV2 domainName"},
		{configured(object{"SecurityPolicy": "TLS_1_0"}), re("TLS_1_0")},
		{with(in, object{"MutualTlsAuthentication": object{"TruststoreUri": "ftp://bucket/key"}}), re("ftp://bucket/key")},
		{with(in, object{"MutualTlsAuthentication": object{"TruststoreVersion": "1"}}), anyText},
	} {
		s.fails("CreateDomainName", tt.in, "BadRequestException", tt.message)
	}
	s.fails("UpdateDomainName", with(in, object{"DomainName": "nobody.example.com"}), "NotFoundException", "Invalid domain name identifier specified")
}

// apiMappings lead from the beginning of a path to a stage, which stays as long.
func apiMappings(s *story) {
	const name = "mapped.example.com"
	at := s.newDomainName(name)
	pets, toys := s.newStage("mapped pets", "$default"), s.newStage("mapped toys", "v1")
	root := s.create("ApiMapping", with(at, object{"ApiId": pets, "Stage": "$default"}), object{"ApiMappingId": re(`^[a-z0-9]{6,10}$`)})
	deep := s.create("ApiMapping", with(at, object{"ApiId": toys, "Stage": "v1", "ApiMappingKey": "shop/v1/toys$-_.+!*'()"}), object{"ApiMappingId": re(`^[a-z0-9]{6,10}$`)})
	oneRoot, oneDeep := with(at, object{"ApiMappingId": root["ApiMappingId"]}), with(at, object{"ApiMappingId": deep["ApiMappingId"]})
	s.want("GetApiMappings", object{root["ApiMappingId"].(string): root, deep["ApiMappingId"].(string): deep},
		s.byName(s.ok("GetApiMappings", at, nil)["Items"].(list), "ApiMappingId"))

	mapping := with(at, object{"ApiId": pets, "Stage": "$default", "ApiMappingKey": "x"})
	for _, tt := range []struct {
		in      object
		class   string
		message any
	}{
		{object{"ApiMappingKey": "shop/v1/toys$-_.+!*'()"}, "ConflictException", "ApiMapping key already exists for this domain name"},
		{object{"ApiMappingKey": ""}, "ConflictException", "ApiMapping key already exists for this domain name"},
		{object{"ApiMappingKey": "/a"}, "BadRequestException", "API mapping key should not start with a '/' or have consecutive '/'s."},
		{object{"ApiMappingKey": "a//b"}, "BadRequestException", "API mapping key should not start with a '/' or have consecutive '/'s."},
		{object{"ApiMappingKey": "a/"}, "BadRequestException", "API mapping key should not end with a '/'."},
		{object{"ApiMappingKey": "a b"}, "BadRequestException", "An ApiMapping key may contain only letters, numbers and one of $-_.+!*'(),"},
		{object{"ApiId": "zzzzzzzzzz"}, "BadRequestException", "Invalid API identifier specified: zzzzzzzzzz"},
		{object{"Stage": "nobody"}, "BadRequestException", "Invalid stage identifier specified"},
		{object{"DomainName": "nobody.example.com"}, "NotFoundException", "Invalid domain name identifier specified"},
	} {
		s.fails("CreateApiMapping", with(mapping, tt.in), tt.class, tt.message)
	}

	// What is mapped stays.
	const inUse = ` failed\. Please remove all `
	s.fails("DeleteStage", object{"ApiId": pets, "StageName": "$default"}, "BadRequestException",
		"Deleting stage $default failed. Please remove all base path mappings related to the stage in your domains: "+name)
	s.fails("DeleteApi", object{"ApiId": toys}, "BadRequestException", re("^Deleting API "+toys+inUse+"API mappings for the API from your custom domain names\\.$"))

	changed := with(deep, object{"ApiId": pets, "Stage": "$default", "ApiMappingKey": "shop"})
	s.ok("UpdateApiMapping", with(oneDeep, object{"ApiId": pets, "Stage": "$default", "ApiMappingKey": "shop"}), changed)
	s.ok("DeleteStage", object{"ApiId": toys, "StageName": "v1"}, object{})
	s.ok("DeleteApi", object{"ApiId": toys}, object{})
	s.fails("UpdateApiMapping", with(oneDeep, object{"ApiId": pets, "ApiMappingKey": ""}), "ConflictException", "ApiMapping key already exists for this domain name")
	s.ok("DeleteApiMapping", oneRoot, object{})
	changed = with(changed, object{"ApiMappingKey": nil})
	s.ok("UpdateApiMapping", with(oneDeep, object{"ApiId": pets, "ApiMappingKey": ""}), changed)
	s.ok("GetApiMapping", oneDeep, changed)
	s.ok("GetApiMappings", at, object{"Items": list{changed}})
	s.ok("DeleteApiMapping", oneDeep, object{})
	s.ok("GetApiMappings", at, object{"Items": list{}})
	for _, op := range []string{"GetApiMapping", "DeleteApiMapping"} {
		s.fails(op, oneRoot, "NotFoundException", "Invalid ApiMapping identifier specified "+root["ApiMappingId"].(string))
	}
	s.ok("DeleteStage", object{"ApiId": pets, "StageName": "$default"}, object{})
	s.ok("DeleteApi", object{"ApiId": pets}, object{})
}

// routingRules are tried in the order of their priorities and replaced as a whole.
func routingRules(s *story) {
	const name = "ruled.example.com"
	at := s.newDomainName(name)
	api := s.newStage("ruled", "live")
	invoke := object{"ApiId": api, "Stage": "live"}
	made := s.create("RoutingRule", with(at, object{
		"Priority": 1_000_000,
		"Conditions": list{
			object{"MatchHeaders": object{"AnyOf": list{object{"Header": "X-Version", "ValueGlob": "v1*"}, object{"Header": "x-beta", "ValueGlob": "*on*"}}}},
			object{"MatchBasePaths": object{"AnyOf": list{"shop", "shop/v1"}}},
			object{"MatchHeaders": object{"AnyOf": list{object{"Header": "Host", "ValueGlob": "*.com"}}}},
		},
		"Actions": list{object{"InvokeApi": with(invoke, object{"StripBasePath": true})}},
	}), object{"RoutingRuleId": id6, "RoutingRuleArn": re(`^arn:aws:apigateway:us-east-1:000000000000:/domainnames/ruled\.example\.com/routingrules/[a-z0-9]{6}$`)})
	one := with(at, object{"RoutingRuleId": made["RoutingRuleId"]})
	s.want("ARN", "arn:aws:apigateway:us-east-1:000000000000:/domainnames/"+name+"/routingrules/"+made["RoutingRuleId"].(string), made["RoutingRuleArn"])

	plain := object{"Conditions": list{}, "Actions": list{object{"InvokeApi": invoke}}}
	settled := with(plain, object{"Actions": list{object{"InvokeApi": with(invoke, object{"StripBasePath": false})}}})
	replaced := with(settled, object{"Priority": 7, "RoutingRuleId": made["RoutingRuleId"], "RoutingRuleArn": made["RoutingRuleArn"]})
	s.ok("PutRoutingRule", with(with(one, plain), object{"Priority": 7}), replaced)
	s.ok("GetRoutingRule", one, replaced)

	rules := object{made["RoutingRuleId"].(string): replaced}
	for _, priority := range []int{1, 2, 3} {
		rule := s.ok("CreateRoutingRule", with(with(at, plain), object{"Priority": priority}), with(settled, object{
			"Priority": priority, "RoutingRuleId": id6, "RoutingRuleArn": anyText,
		}))
		rules[rule["RoutingRuleId"].(string)] = rule
	}
	s.want("ListRoutingRules", rules, s.byName(s.all("ListRoutingRules", at), "RoutingRuleId"))

	for _, tt := range []struct {
		in      object
		class   string
		message any
	}{
		{object{"Priority": 7}, "ConflictException", re("7")},
		{object{"Priority": 0}, "BadRequestException", anyText},
		{object{"Priority": 1_000_001}, "BadRequestException", anyText},
		{object{"Actions": list{}}, "BadRequestException", anyText},
		{object{"Actions": list{object{"InvokeApi": with(invoke, object{"Stage": "nobody"})}}}, "BadRequestException", "Invalid stage identifier specified"},
		{object{"Conditions": list{object{"MatchBasePaths": object{"AnyOf": list{"/shop"}}}}}, "BadRequestException", re("/shop")},
		{object{"Conditions": list{object{"MatchHeaders": object{"AnyOf": list{object{"Header": "a b", "ValueGlob": "x"}}}}}}, "BadRequestException", re("a b")},
		{object{"Conditions": list{object{"MatchHeaders": object{"AnyOf": list{object{"Header": "a", "ValueGlob": "x*y"}}}}}}, "BadRequestException", re(`x\*y`)},
	} {
		s.fails("CreateRoutingRule", with(with(with(at, plain), object{"Priority": 9}), tt.in), tt.class, tt.message)
	}
	s.fails("PutRoutingRule", with(with(at, plain), object{"Priority": 9, "RoutingRuleId": "zzzzzz"}), "NotFoundException", "Invalid RoutingRule identifier specified zzzzzz")
	s.fails("ListRoutingRules", with(at, object{"MaxResults": 101}), "BadRequestException", anyText)
	s.fails("DeleteStage", object{"ApiId": api, "StageName": "live"}, "BadRequestException", re(name+"$"))
	for id := range rules {
		s.ok("DeleteRoutingRule", with(at, object{"RoutingRuleId": id}), object{})
	}
	s.fails("GetRoutingRule", one, "NotFoundException", "Invalid RoutingRule identifier specified "+made["RoutingRuleId"].(string))
	s.ok("ListRoutingRules", at, object{"RoutingRules": list{}})
	s.ok("DeleteStage", object{"ApiId": api, "StageName": "live"}, object{})
}

// vpcLinks are told to be on their way by the answer that makes them, and are there.
func vpcLinks(s *story) {
	in := object{"Name": "to the pets", "SubnetIds": list{"subnet-a", "subnet-b"}, "SecurityGroupIds": list{"sg-1"}, "Tags": object{"team": "pets"}}
	pending := s.ok("CreateVpcLink", in, with(in, object{
		"VpcLinkId": id6, "CreatedDate": when, "VpcLinkVersion": "V2",
		"VpcLinkStatus": "PENDING", "VpcLinkStatusMessage": "VPC link is provisioning ENIs",
	}))
	one := object{"VpcLinkId": pending["VpcLinkId"]}
	made := with(pending, object{"VpcLinkStatus": "AVAILABLE", "VpcLinkStatusMessage": "VPC link is ready to route traffic"})
	s.ok("GetVpcLink", one, made)
	bare := s.ok("CreateVpcLink", object{"Name": "to the pets", "SubnetIds": list{"subnet-a"}}, with(pending, object{
		"VpcLinkId": id6, "CreatedDate": when, "SubnetIds": list{"subnet-a"}, "SecurityGroupIds": list{}, "Tags": object{},
	}))
	changed := with(made, object{"Name": "to the toys"})
	s.ok("UpdateVpcLink", with(one, object{"Name": "to the toys"}), changed)
	listed := s.byName(s.byHand("GetVpcLinks", object{}, nil), "VpcLinkId")
	s.want("GetVpcLinks", list{changed, with(bare, object{"VpcLinkStatus": "AVAILABLE", "VpcLinkStatusMessage": "VPC link is ready to route traffic"})},
		list{listed[pending["VpcLinkId"].(string)], listed[bare["VpcLinkId"].(string)]})

	s.fails("CreateVpcLink", object{"Name": "nowhere", "SubnetIds": list{}}, "BadRequestException", "SubnetIds for a vpc link cannot be empty")

	// A link that an integration calls through stays.
	at := object{"ApiId": s.newAPI("linked")}
	integration := s.ok("CreateIntegration", with(at, object{
		"IntegrationType": "HTTP_PROXY", "IntegrationMethod": "ANY", "ConnectionType": "VPC_LINK", "ConnectionId": pending["VpcLinkId"],
		"IntegrationUri": "arn:aws:elasticloadbalancing:us-east-1:000000000000:listener/app/lb/50dc6c495c0c9188/f2f7dc8efc522ab2",
	}), nil)["IntegrationId"].(string)
	s.fails("DeleteVpcLink", one, "BadRequestException", re(`^Cannot delete vpc link\. Vpc link '`+pending["VpcLinkId"].(string)+`', is referenced in \[`+integration+`\]`))
	s.ok("DeleteIntegration", with(at, object{"IntegrationId": integration}), object{})
	for _, link := range []object{one, {"VpcLinkId": bare["VpcLinkId"]}} {
		s.ok("DeleteVpcLink", link, object{})
		for _, op := range []string{"GetVpcLink", "DeleteVpcLink"} {
			s.fails(op, link, "NotFoundException", "Invalid VpcLink identifier specified "+link["VpcLinkId"].(string))
		}
	}
}
