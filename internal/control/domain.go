package control

import (
	"cmp"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"penstock/internal/model"
)

var domains = collection[model.DomainName, model.DomainDocument]{
	kind:     "DomainName",
	root:     domainRoot,
	own:      func(d *model.DomainDocument) *model.DomainName { return &d.DomainName },
	name:     func(n *model.DomainName) **string { return &n.DomainName },
	quota:    func(l Limits) int { return l.DomainNames },
	defaults: defaultDomain,
	check:    checkDomain,
	answer:   answerDomain,
}

type domainChange = change[model.DomainName, model.DomainDocument]

// mappingSelection is how every domain name selects an API mapping.
const mappingSelection = "$request.basepath"

// domainForm is that of a domain name: labels in lower case, the first of which may
// stand for any one label.
var domainForm = regexp.MustCompile(`^(?:\*\.)?[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$`)

const maxDomainName = 512 // characters

func isDomainName(s string) bool { return len(s) <= maxDomainName && domainForm.MatchString(s) }

// defaultDomain fills in what a domain name always has. An update changes those
// members of the configuration that it sends; what only the service says is not
// taken from clients, which send back what they were answered.
func defaultDomain(x *domainChange) {
	n := x.item
	n.APIMappingSelectionExpression = new(mappingSelection)
	n.DomainNameARN = new(x.arn("/domainnames/" + val(n.DomainName)))
	setDefault(&n.RoutingMode, model.RoutingModeAPIMappingOnly)
	if len(n.DomainNameConfigurations) == 1 {
		sent := n.DomainNameConfigurations[0]
		settled := model.DomainNameConfiguration{
			APIGatewayDomainName: new("d-" + newID(10)),
			DomainNameStatus:     new(model.DomainNameStatusAvailable),
		}
		if x.old != nil {
			settled = x.old.DomainNameConfigurations[0]
		}
		for _, member := range []struct{ to, from **string }{
			{&settled.CertificateARN, &sent.CertificateARN},
			{&settled.CertificateName, &sent.CertificateName},
			{&settled.EndpointType, &sent.EndpointType},
			{&settled.IpAddressType, &sent.IpAddressType},
			{&settled.OwnershipVerificationCertificateARN, &sent.OwnershipVerificationCertificateARN},
			{&settled.SecurityPolicy, &sent.SecurityPolicy},
		} {
			if *member.from != nil {
				*member.to = *member.from
			}
			if val(*member.to) == "" {
				*member.to = nil
			}
		}
		setDefault(&settled.EndpointType, model.EndpointTypeRegional)
		setDefault(&settled.IpAddressType, model.IpAddressTypeIpv4)
		setDefault(&settled.SecurityPolicy, model.SecurityPolicyTLS12)
		n.DomainNameConfigurations = []model.DomainNameConfiguration{settled}
	}
	if m := n.MutualTLSAuthentication; m != nil && m.TruststoreURI == nil && !sendsTruststoreVersion(x) {
		n.MutualTLSAuthentication = nil // turned off
	}
}

func sendsTruststoreVersion(x *domainChange) bool {
	var m *model.MutualTLSAuthenticationInput
	switch in := x.input.(type) {
	case *model.CreateDomainNameRequest:
		m = in.MutualTLSAuthentication
	case *model.UpdateDomainNameRequest:
		m = in.MutualTLSAuthentication
	}
	return m != nil && val(m.TruststoreVersion) != ""
}

// certificateARN is the form of the ARN of a certificate; the region is in the
// first group.
var certificateARN = regexp.MustCompile(`^arn:[^:\s]+:acm:([a-z0-9-]+):[0-9]*:certificate/\S+$`)

func checkDomain(x *domainChange) error {
	n := x.item
	if x.old == nil {
		if !isDomainName(*n.DomainName) {
			return BadRequest(msgDomainName, *n.DomainName)
		}
		if _, exists := x.Store.Get(model.DomainKey(*n.DomainName)); exists {
			return BadRequest(msgDomainExists)
		}
	}
	if len(n.DomainNameConfigurations) != 1 {
		return BadRequest(msgDomainConfiguration)
	}
	c := n.DomainNameConfigurations[0]
	certificate := certificateARN.FindStringSubmatch(val(c.CertificateARN))
	switch {
	case c.CertificateARN == nil:
		return BadRequest(msgProblems+msgRequired, "domainNameConfigurations[0].certificateArn")
	case certificate == nil:
		return BadRequest(msgCertificate, *c.CertificateARN)
	case certificate[1] != x.Region:
		return BadRequest(msgCertificateRegion, *c.CertificateARN, x.Region)
	case *c.EndpointType != model.EndpointTypeRegional:
		return BadRequest(msgEndpointType, *c.EndpointType)
	case *c.SecurityPolicy != model.SecurityPolicyTLS12:
		return BadRequest(msgSecurityPolicy, *c.SecurityPolicy)
	}
	if err := checkTruststore(x); err != nil {
		return err
	}
	return checkTags(n.Tags, x.Limits)
}

// checkTruststore reads the certificates that clients of a domain must be signed
// by. Those that cannot be used become warnings; a file that cannot be read is an
// error. Nothing is read from s3.
func checkTruststore(x *domainChange) error {
	m := x.item.MutualTLSAuthentication
	if m == nil {
		return nil
	}
	if m.TruststoreURI == nil {
		return BadRequest(msgTruststoreNeeded)
	}
	u, err := url.Parse(*m.TruststoreURI)
	if err != nil || !slices.Contains([]string{"s3", "https", "file"}, u.Scheme) || strings.Trim(u.Path, "/") == "" || (u.Host == "") != (u.Scheme == "file") {
		return BadRequest(msgTruststore, *m.TruststoreURI)
	}
	old := new(model.MutualTLSAuthentication)
	if x.old != nil {
		old = cmp.Or(x.old.MutualTLSAuthentication, old)
	}
	if u.Scheme == "s3" || x.Truststore == nil {
		m.TruststoreWarnings = nil
		return nil
	}
	if val(old.TruststoreURI) == *m.TruststoreURI && val(old.TruststoreVersion) == val(m.TruststoreVersion) {
		return nil
	}
	warnings, err := x.Truststore(x.request.Context(), *m.TruststoreURI)
	if err != nil {
		return BadRequest(msgTruststoreRead, *m.TruststoreURI, err)
	}
	m.TruststoreWarnings = warnings
	return nil
}

// answerDomain returns a domain name as it is answered. What its DNS records must
// lead to depends on where the gateway listens now and is not stored.
func answerDomain(c *call, n *model.DomainName) any {
	shown := *n
	shown.DomainNameConfigurations = slices.Clone(n.DomainNameConfigurations)
	for i := range shown.DomainNameConfigurations {
		configuration := &shown.DomainNameConfigurations[i]
		configuration.APIGatewayDomainName = new(c.host(*configuration.APIGatewayDomainName))
		configuration.HostedZoneID = &c.HostedZone
	}
	return &shown
}

// host returns a name beside those of APIs.
func (s *Server) host(id string) string {
	u, err := url.Parse(s.Endpoint(id, model.ProtocolTypeHTTP))
	if err != nil {
		return id
	}
	return u.Hostname()
}

// domainsOf returns the domain names that lead to an API; to one stage of it,
// unless stage is empty.
func (c *call) domainsOf(apiID, stage string) ([]string, error) {
	var names []string
	for _, stored := range c.Store.List(model.DomainPrefix) {
		d, err := decodedAs(c.Server, stored, model.ParseDomain)
		if err != nil {
			return nil, err
		}
		leads := func(api, to *string) bool { return val(api) == apiID && (stage == "" || val(to) == stage) }
		found := false
		for _, m := range d.Mappings {
			found = found || leads(m.APIID, m.Stage)
		}
		for _, r := range d.Rules {
			for _, action := range r.Actions {
				found = found || leads(action.InvokeAPI.APIID, action.InvokeAPI.Stage)
			}
		}
		if found {
			names = append(names, *d.DomainName.DomainName)
		}
	}
	return names, nil
}

// destination returns the API that a domain is to lead to, which must have the stage. It
// keeps the API as it is until the edit holds.
func (e *edit) destination(apiID, stage string) (*model.APIDocument, error) {
	if !isID(apiID) {
		return nil, BadRequest(msgMappedAPI, apiID)
	}
	stored, ok, err := e.refer(model.APIKey(apiID))
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, BadRequest(msgMappedAPI, apiID)
	}
	d, err := decodedAs(e.Server, stored, model.ParseAPI)
	if err != nil {
		return nil, err
	}
	if d.Stages[stage] == nil {
		return nil, BadRequest(msgStageNotFound)
	}
	return d, nil
}
