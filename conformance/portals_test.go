//go:build conformance

package conformance

const productARN = `arn:aws:apigateway:us-east-1:000000000000:/portalproducts/`

var id10to30 = re(`^[a-z0-9]{10,30}$`)

// content is what a portal shows.
var content = object{
	"DisplayName": "Pets & toys", "Description": "all about ünicorns",
	"Theme": object{"CustomColors": object{
		"AccentColor": "#000001", "BackgroundColor": "#000002", "ErrorValidationColor": "#000003",
		"HeaderColor": "#000004", "NavigationColor": "#000005", "TextColor": "#000006",
	}},
}

// newProduct makes a portal product and returns it.
func (s *story) newProduct(name string) object {
	s.Helper()
	return s.create("PortalProduct", object{"DisplayName": name}, object{
		"LastModified": when, "PortalProductId": id10to30, "PortalProductArn": re(`^` + productARN + `[a-z0-9]{10,30}$`),
	})
}

// portals show products to readers, once they are published.
func portals(s *story) {
	product := s.newProduct("shown")
	in := object{
		"Authorization": object{"CognitoConfig": object{
			"AppClientId": "client", "UserPoolArn": "arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_a", "UserPoolDomain": "https://pool.auth.example.com",
		}},
		"EndpointConfiguration":     object{"AcmManaged": object{"CertificateArn": certificate, "DomainName": "portal.example.com"}},
		"IncludedPortalProductArns": list{product["PortalProductArn"]},
		"PortalContent":             content,
		"RumAppMonitorName":         "monitor",
		"Tags":                      object{"team": "pets"},
	}
	endpoint := object{
		"PortalDefaultDomainName":  re(`^portal-[a-z0-9]{10,30}\.execute-api\.us-east-1\.localhost$`),
		"PortalDomainHostedZoneId": "Z1UJRXOUMOOFQ8",
	}
	made := s.create("Portal", in, object{
		"EndpointConfiguration": with(endpoint, object{"CertificateArn": certificate, "DomainName": "portal.example.com"}),
		"LastModified":          when, "PortalId": id10to30, "PublishStatus": "DISABLED",
		"PortalArn": re(`^arn:aws:apigateway:us-east-1:000000000000:/portals/[a-z0-9]{10,30}$`),
	})
	one := object{"PortalId": made["PortalId"]}

	// Whether there is a logo is told by when it came.
	logo := with(content, object{"Theme": with(content["Theme"].(object), object{"LogoLastUploaded": when})})
	bare := s.create("Portal", object{
		"Authorization": object{"None": object{}}, "EndpointConfiguration": object{"None": object{}}, "PortalContent": content, "LogoUri": "s3://bucket/logo.png",
	}, object{
		"EndpointConfiguration": endpoint, "IncludedPortalProductArns": list{}, "LogoUri": nil, "PortalContent": logo,
		"LastModified": when, "PortalId": id10to30, "PortalArn": anyText, "PublishStatus": "DISABLED",
	})
	listed := s.byName(s.byHand("ListPortals", object{}, nil), "PortalId")
	s.want("ListPortals", list{made, bare}, list{listed[made["PortalId"].(string)], listed[bare["PortalId"].(string)]})
	bareOne := object{"PortalId": bare["PortalId"]}
	s.ok("UpdatePortal", with(bareOne, object{"LogoUri": ""}), with(bare, object{"PortalContent": content, "LastModified": when}))

	changed := with(made, object{
		"Authorization": object{"None": object{}}, "EndpointConfiguration": endpoint, "LastModified": when,
		"PortalContent": with(content, object{"DisplayName": "Pets"}), "RumAppMonitorName": "other monitor",
	})
	s.ok("UpdatePortal", with(one, object{
		"Authorization": object{"None": object{}}, "EndpointConfiguration": object{"None": object{}},
		"PortalContent": with(content, object{"DisplayName": "Pets"}), "RumAppMonitorName": "other monitor",
	}), changed)
	s.ok("GetPortal", one, changed)

	// The editors see it first, then everybody, until it is disabled.
	s.ok("PreviewPortal", one, object{})
	changed["Preview"] = object{"PreviewStatus": "PREVIEW_READY", "PreviewUrl": re(`^https://portal-` + made["PortalId"].(string) + `\.execute-api\.us-east-1\.localhost/preview$`)}
	s.ok("GetPortal", one, changed)
	s.ok("PublishPortal", with(one, object{"Description": "the first"}), object{})
	changed["PublishStatus"], changed["LastPublished"], changed["LastPublishedDescription"] = "PUBLISHED", when, "the first"
	s.ok("GetPortal", one, changed)
	s.fails("DeletePortal", one, "BadRequestException", "The portal is published. Disable it before it is deleted")
	s.fails("DeletePortalProduct", object{"PortalProductId": product["PortalProductId"]}, "BadRequestException", anyText)
	s.ok("DisablePortal", one, object{})
	changed["PublishStatus"] = "DISABLED"
	s.ok("GetPortal", one, changed)

	for _, tt := range []object{
		{"Authorization": object{}},
		{"Authorization": object{"None": object{}, "CognitoConfig": in["Authorization"].(object)["CognitoConfig"]}},
		{"EndpointConfiguration": object{}},
		{"IncludedPortalProductArns": list{"arn:aws:apigateway:us-east-1::/apis/abcdefghij"}},
		{"PortalContent": with(content, object{"DisplayName": "ab"})},
	} {
		s.fails("CreatePortal", with(in, tt), "BadRequestException", anyText)
	}

	// A product that is not there is told by the status.
	s.ok("DeletePortalProduct", object{"PortalProductId": product["PortalProductId"]}, object{})
	missing := object{"Exception": "NotFoundException", "Message": "Invalid PortalProduct identifier specified " + product["PortalProductArn"].(string)}
	s.ok("PublishPortal", one, object{})
	s.ok("PreviewPortal", one, object{})
	s.ok("GetPortal", one, with(changed, object{
		"PublishStatus": "PUBLISH_FAILED", "StatusException": missing,
		"Preview": object{"PreviewStatus": "PREVIEW_FAILED", "StatusException": missing},
	}))
	for _, portal := range []object{one, bareOne} {
		s.ok("DeletePortal", portal, object{})
		for _, op := range []string{"GetPortal", "PublishPortal", "PreviewPortal", "DisablePortal", "DeletePortal"} {
			s.fails(op, portal, "NotFoundException", "Invalid Portal identifier specified "+portal["PortalId"].(string))
		}
	}
}

// portalProducts put pages in an order.
func portalProducts(s *story) {
	made := s.create("PortalProduct", object{"DisplayName": "Pets", "Description": "all of them", "Tags": object{"team": "pets"}}, object{
		"LastModified": when, "PortalProductId": id10to30, "PortalProductArn": re(`^` + productARN + `[a-z0-9]{10,30}$`),
	})
	at := object{"PortalProductId": made["PortalProductId"]}
	page := s.ok("CreateProductPage", with(at, object{"DisplayContent": object{"Title": "t", "Body": "b"}}), nil)["ProductPageArn"]
	endpoint := s.ok("CreateProductRestEndpointPage", with(at, object{
		"RestEndpointIdentifier": object{"IdentifierParts": object{"RestApiId": "zzzzzzzzzz", "Stage": "s", "Method": "GET", "Path": "/"}},
	}), nil)["ProductRestEndpointPageArn"]
	order := object{
		"OverviewPageArn": page, "ProductPageArns": list{page},
		"Contents": list{object{"SectionName": "Reference", "ProductRestEndpointPageArns": list{endpoint}}},
	}
	changed := with(made, object{"DisplayName": "Animals", "Description": nil, "DisplayOrder": order, "LastModified": when})
	s.ok("UpdatePortalProduct", with(at, object{"DisplayName": "Animals", "Description": "", "DisplayOrder": order}), changed)
	s.ok("GetPortalProduct", at, changed)
	s.fails("UpdatePortalProduct", with(at, object{"DisplayOrder": object{"OverviewPageArn": made["PortalProductArn"].(string) + "/productpages/zzzzzzzzzz"}}),
		"BadRequestException", re("zzzzzzzzzz"))

	// A list tells less, but always a description.
	summary := with(changed, object{"Description": "", "DisplayOrder": nil})
	listed := s.byName(s.byHand("ListPortalProducts", object{"ResourceOwner": "SELF"}, nil), "PortalProductId")
	s.want("ListPortalProducts", summary, listed[made["PortalProductId"].(string)])
	s.ok("ListPortalProducts", object{"ResourceOwner": "OTHER_ACCOUNTS"}, object{"Items": list{}})

	s.ok("DeletePortalProduct", at, object{})
	for _, op := range []string{"GetPortalProduct", "ListProductPages", "GetPortalProductSharingPolicy", "DeletePortalProduct"} {
		s.fails(op, at, "NotFoundException", "Invalid PortalProduct identifier specified "+made["PortalProductId"].(string))
	}
}

// sharingPolicies say which accounts may show a product. There is one or none.
func sharingPolicies(s *story) {
	at := object{"PortalProductId": s.newProduct("shared")["PortalProductId"]}
	const policy = `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "111111111111"}, "Action": "apigateway:GetPortalProduct", "Resource": "*"}]}`
	for _, op := range []string{"GetPortalProductSharingPolicy", "DeletePortalProductSharingPolicy"} {
		s.fails(op, at, "NotFoundException", anyText)
	}
	s.ok("PutPortalProductSharingPolicy", with(at, object{"PolicyDocument": policy}), object{})
	s.ok("GetPortalProductSharingPolicy", at, with(at, object{"PolicyDocument": policy}))
	s.fails("PutPortalProductSharingPolicy", with(at, object{"PolicyDocument": "no policy"}), "BadRequestException", anyText)
	s.ok("DeletePortalProductSharingPolicy", at, object{})
	s.fails("GetPortalProductSharingPolicy", at, "NotFoundException", anyText)
}

// productPages are texts.
func productPages(s *story) {
	product := s.newProduct("with pages")
	at := object{"PortalProductId": product["PortalProductId"]}
	text := object{"Title": "Überblick", "Body": "# Pets\n\n* a <b> & \"c\"\n"}
	made := s.create("ProductPage", with(at, object{"DisplayContent": text}), object{
		"LastModified": when, "ProductPageId": id10to30, "ProductPageArn": re(`^` + product["PortalProductArn"].(string) + `/productpages/[a-z0-9]{10,30}$`),
	})
	one := with(at, object{"ProductPageId": made["ProductPageId"]})
	changed := with(made, object{"DisplayContent": object{"Title": "Pets", "Body": "none"}, "LastModified": when})
	s.ok("UpdateProductPage", with(one, object{"DisplayContent": changed["DisplayContent"]}), changed)
	s.ok("GetProductPage", one, changed)
	s.ok("ListProductPages", at, object{"Items": list{with(changed, object{"DisplayContent": nil, "PageTitle": "Pets"})}})
	s.fails("CreateProductPage", with(at, object{"DisplayContent": object{"Title": "", "Body": "b"}}), "BadRequestException", anyText)

	other := object{"PortalProductId": s.newProduct("without pages")["PortalProductId"], "ProductPageId": made["ProductPageId"]}
	s.fails("GetProductPage", other, "NotFoundException", "Invalid ProductPage identifier specified "+made["ProductPageId"].(string))
	s.ok("DeleteProductPage", one, object{})
	for _, op := range []string{"GetProductPage", "DeleteProductPage"} {
		s.fails(op, one, "NotFoundException", "Invalid ProductPage identifier specified "+made["ProductPageId"].(string))
	}
}

// endpointPages are about a route of a deployed stage, if there is one.
func endpointPages(s *story) {
	api := s.newAPI("documented")
	s.ok("CreateRoute", object{"ApiId": api, "RouteKey": "GET /pets/{id}", "OperationName": "GetPet", "Target": s.proxy(object{"ApiId": api}, "https://example.com")}, nil)
	s.ok("CreateStage", object{"ApiId": api, "StageName": "live", "AutoDeploy": true}, nil)
	endpoint := s.ok("GetApi", object{"ApiId": api}, nil)["ApiEndpoint"].(string) + "/live"

	product := s.newProduct("with endpoints")
	at := object{"PortalProductId": product["PortalProductId"]}
	about := object{"IdentifierParts": object{"RestApiId": api, "Stage": "live", "Method": "GET", "Path": "/pets/{id}"}}
	always := object{
		"LastModified": when, "ProductRestEndpointPageId": id10to30, "Status": "AVAILABLE", "TryItState": "DISABLED",
		"ProductRestEndpointPageArn": re(`^` + product["PortalProductArn"].(string) + `/productrestendpointpages/[a-z0-9]{10,30}$`),
	}
	made := s.create("ProductRestEndpointPage", with(at, object{"RestEndpointIdentifier": about}), with(always, object{
		"DisplayContent": object{"Endpoint": endpoint, "OperationName": "GetPet"},
	}))
	overrides := object{"Body": "*one* pet", "Endpoint": "https://pets.example.com", "OperationName": "Get a pet"}
	other := s.create("ProductRestEndpointPage", with(at, object{
		"RestEndpointIdentifier": about, "DisplayContent": object{"Overrides": overrides}, "TryItState": "ENABLED",
	}), with(always, object{"DisplayContent": overrides, "TryItState": "ENABLED"}))
	missing := object{"IdentifierParts": object{"RestApiId": api, "Stage": "live", "Method": "PUT", "Path": "/pets"}}
	failed := s.create("ProductRestEndpointPage", with(at, object{"RestEndpointIdentifier": missing}), with(always, object{
		"DisplayContent": object{"Endpoint": endpoint}, "Status": "FAILED",
		"StatusException": object{"Exception": "NotFoundException", "Message": "Invalid Route identifier specified PUT /pets"},
	}))

	one := with(at, object{"ProductRestEndpointPageId": made["ProductRestEndpointPageId"]})
	changed := with(made, object{"DisplayContent": object{"Endpoint": endpoint, "OperationName": "GetPet", "Body": "text"}, "TryItState": "ENABLED", "LastModified": when})
	s.ok("UpdateProductRestEndpointPage", with(one, object{"DisplayContent": object{"Overrides": object{"Body": "text"}}, "TryItState": "ENABLED"}), changed)
	s.ok("GetProductRestEndpointPage", one, changed)
	s.ok("GetProductRestEndpointPage", with(one, object{"IncludeRawDisplayContent": "true"}), with(changed, object{"RawDisplayContent": `{"overrides":{"body":"text"}}`}))
	summaries := object{}
	for _, page := range []object{changed, other, failed} {
		shown := page["DisplayContent"].(object)
		summary := with(page, object{"DisplayContent": nil, "Endpoint": shown["Endpoint"]})
		if name, ok := shown["OperationName"]; ok {
			summary["OperationName"] = name
		}
		summaries[page["ProductRestEndpointPageId"].(string)] = summary
	}
	s.want("ListProductRestEndpointPages", summaries, s.byName(s.ok("ListProductRestEndpointPages", at, nil)["Items"].(list), "ProductRestEndpointPageId"))

	s.fails("CreateProductRestEndpointPage", with(at, object{"RestEndpointIdentifier": object{}}), "BadRequestException", anyText)
	s.fails("CreateProductRestEndpointPage", with(at, object{"RestEndpointIdentifier": about, "DisplayContent": object{"None": object{}, "Overrides": overrides}}), "BadRequestException", anyText)
	s.ok("UpdateProductRestEndpointPage", with(one, object{"DisplayContent": object{"None": object{}}}), with(made, object{"TryItState": "ENABLED", "LastModified": when}))
	s.ok("DeleteProductRestEndpointPage", one, object{})
	for _, op := range []string{"GetProductRestEndpointPage", "DeleteProductRestEndpointPage"} {
		s.fails(op, one, "NotFoundException", "Invalid ProductRestEndpointPage identifier specified "+made["ProductRestEndpointPageId"].(string))
	}
}
