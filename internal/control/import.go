package control

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"penstock/internal/model"
	"penstock/internal/openapi"
)

// importAPI makes an API of an OpenAPI document. There is no stage under it yet.
func importAPI(c *call) (any, error) {
	if err := c.decode(); err != nil {
		return nil, err
	}
	in := c.input.(*model.ImportAPIRequest)
	i, err := c.read(*in.Body, in.Basepath, in.FailOnWarnings)
	if err != nil {
		return nil, err
	}
	var answer any
	rev, err := apis.add(c, func(x *apiChange) error {
		x.item.ProtocolType = new(model.ProtocolTypeHTTP)
		if err := i.fill(x); err != nil {
			return err
		}
		answer = i.answer(c, x.item)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return answer, c.served(rev)
}

// reimportAPI makes an existing API what a document says: its routes, integrations
// and authorizers are replaced, its stages and deployments stay.
func reimportAPI(c *call) (any, error) {
	d, err := apiRoot.begin(c)
	if err != nil {
		return nil, err
	}
	if isWebSocket(d) {
		return nil, BadRequest(msgImportProtocol)
	}
	in := c.input.(*model.ReimportAPIRequest)
	i, err := c.read(*in.Body, in.Basepath, in.FailOnWarnings)
	if err != nil {
		return nil, err
	}
	var answer any
	err = apiRoot.edit(c, func(e *edit, d *model.APIDocument) error {
		old := d.API
		d.Resources = model.NewAPIDocument(model.API{}).Resources
		x := &apiChange{edit: e, doc: d, item: &d.API, old: &old}
		if err := i.fill(x); err != nil {
			return err
		}
		answer = i.answer(c, &d.API)
		return e.deployAutomatically(d)
	})
	return answer, err
}

// maxProblems is how many errors of a document are told. What is beyond the quota of
// routes would otherwise be told thousands of times.
const maxProblems = 1000

// An imported document, and what was found in it.
type imported struct {
	*openapi.Description
	problems       []string // of the document itself
	failOnWarnings bool
}

// read reads a document. Authorizers whose issuers are not found are left out of
// what it describes, and so are the routes that would ask them.
func (c *call) read(document string, basePath *string, failOnWarnings *bool) (*imported, error) {
	if err := c.imports.Acquire(c.request.Context(), 1); err != nil {
		return nil, err
	}
	defer c.imports.Release(1)
	d, err := openapi.Import(document, c.importOptions(basePath))
	var bad *openapi.Error
	if errors.As(err, &bad) {
		if d == nil {
			return nil, importError(bad.Problems, bad.Warnings)
		}
		return &imported{Description: d, problems: bad.Problems}, nil
	}
	if err != nil {
		return nil, err
	}
	i := &imported{Description: d, failOnWarnings: val(failOnWarnings)}
	return i, i.discover(c)
}

func (s *Server) importOptions(basePath *string) openapi.Options {
	return openapi.Options{BasePath: val(basePath), Partition: s.Partition, Region: s.Region, Account: s.Account}
}

// discover asks the issuers of a document for their configurations.
func (i *imported) discover(c *call) error {
	missing := map[string]bool{}
	var kept []openapi.Authorizer
	for _, a := range i.Authorizers {
		if jwt := a.JWTConfiguration; jwt != nil && isIssuer(val(jwt.Issuer)) {
			var refused *Error
			if err := c.discover(*jwt.Issuer); errors.As(err, &refused) {
				missing[*a.Name] = true
				i.Warnings = append(i.Warnings, a.At+": "+fmt.Sprintf(msgImportAuthorizer, *a.Name, refused.Message))
				continue
			} else if err != nil {
				return err
			}
		}
		kept = append(kept, a)
	}
	i.Authorizers = kept
	i.Routes = slices.DeleteFunc(i.Routes, func(r openapi.Route) bool {
		if !missing[r.Authorizer] {
			return false
		}
		i.Warnings = append(i.Warnings, fmt.Sprintf(msgImportDenied, r.At, r.Authorizer))
		return true
	})
	return nil
}

// fill puts what a document describes into an API, which has nothing under it but
// stages. Every rule of what is made one by one holds here, too; all that breaks
// one is told.
func (i *imported) fill(x *apiChange) error {
	problems := slices.Clone(i.problems)
	// note keeps a refusal for the answer; other errors end the import, nil is none.
	note := func(at string, err error) error {
		var refused *Error
		if !errors.As(err, &refused) {
			return err
		}
		if len(problems) < maxProblems {
			problems = append(problems, at+": "+refused.Message)
		}
		return nil
	}
	if err := i.settleAPI(x, note); err != nil {
		return err
	}
	names := map[string]string{}
	for _, a := range i.Authorizers {
		item := a.Authorizer
		if err := note(a.At, place(x.edit, x.doc, authorizers, x.doc.Authorizers, &item)); err != nil {
			return err
		}
		names[*a.Name] = *item.AuthorizerID
	}
	targets := make([]string, len(i.Integrations))
	for n, in := range i.Integrations {
		item := in.Integration
		if err := note(in.At, place(x.edit, x.doc, integrations, x.doc.Integrations, &item)); err != nil {
			return err
		}
		targets[n] = *item.IntegrationID
	}
	refused := len(problems) > 0
	for _, r := range i.Routes {
		item := r.Route
		if r.Integration >= 0 && (!refused || x.doc.Integrations[targets[r.Integration]] != nil) {
			item.Target = new(target(targets[r.Integration]))
		}
		if r.Authorizer != "" {
			item.AuthorizerID = new(names[r.Authorizer])
			if refused && x.doc.Authorizers[*item.AuthorizerID] == nil {
				continue // is told already
			}
		}
		if err := note(r.At, place(x.edit, x.doc, routes, x.doc.Routes, &item)); err != nil {
			return err
		}
	}
	if len(problems) > 0 {
		return importError(problems, i.Warnings)
	}
	if i.failOnWarnings && len(i.Warnings) > 0 {
		return BadRequest("%s", list(msgImportWarnings, i.Warnings))
	}
	return nil
}

// settleAPI makes the API itself what the document says. If something is wrong with
// the document, that is told without saying it again in other words.
func (i *imported) settleAPI(x *apiChange, note func(at string, err error) error) error {
	i.fillAPI(x.item)
	apis.shape().Settle(x.item)
	defaultAPI(x)
	if len(i.problems) > 0 {
		return nil
	}
	for _, rule := range []struct {
		at    string
		check func() error
	}{
		{"info", func() error { return checkShape("CreateApi", x.item) }},
		{"info.title", func() error { return checkAPIName(x.item) }},
		{"x-amazon-apigateway-cors", func() error { return checkCors(x.call, x.doc) }},
		{"tags", func() error { return checkTags(x.item.Tags, x.Limits) }},
	} {
		if err := note(rule.at, rule.check()); err != nil {
			return err
		}
	}
	return nil
}

// fillAPI takes over what a document says about the API itself. What it does not
// say stays, but for the CORS configuration, which is part of what is replaced.
func (i *imported) fillAPI(api *model.API) {
	api.Name = i.API.Name
	for _, member := range []struct{ to, from **string }{
		{&api.Description, &i.API.Description},
		{&api.Version, &i.API.Version},
	} {
		if *member.from != nil {
			*member.to = *member.from
		}
	}
	if i.API.DisableExecuteAPIEndpoint != nil {
		api.DisableExecuteAPIEndpoint = i.API.DisableExecuteAPIEndpoint
	}
	api.CorsConfiguration = i.API.CorsConfiguration
	api.Tags = maps.Clone(api.Tags)
	if api.Tags == nil {
		api.Tags = map[string]string{}
	}
	maps.Copy(api.Tags, i.API.Tags)
}

// place puts an item into an API as a create would.
func place[T any](e *edit, d *model.APIDocument, k collection[T, model.APIDocument], all items[T], item *T) error {
	id := unusedID(k.length, func(id string) bool { return all[id] != nil })
	*k.name(item) = &id
	if err := checkShape("Create"+k.kind, item); err != nil {
		return err
	}
	if err := k.settle(&change[T, model.APIDocument]{edit: e, doc: d, item: item}); err != nil {
		return err
	}
	if err := k.admit(e.call, len(all)); err != nil {
		return err
	}
	all[id] = item
	return nil
}

// checkShape refuses a resource outside the limits of the operation that would make
// it by hand.
func checkShape(operation string, resource any) error {
	if err := model.FindOperation(operation).Check(resource); err != nil {
		return refusal(err)
	}
	return nil
}

func (i *imported) answer(c *call, api *model.API) any {
	answer := answerAPI(c, api).(*model.API)
	answer.Warnings, answer.ImportInfo = i.Warnings, i.Info
	return answer
}

// importError returns the error for a document that describes no API that could be
// made, with everything that was found.
func importError(problems, warnings []string) *Error {
	text := list(msgImportErrors, problems)
	if len(warnings) > 0 {
		text += "\n" + list(msgImportWarnings, warnings)
	}
	return BadRequest("%s", text)
}

func list(title string, lines []string) string {
	return title + "\n\t" + strings.Join(lines, "\n\t")
}

// A document is an answer that is neither JSON of ours nor empty.
type document struct {
	contentType string
	text        []byte
}

// exportAPI answers an OpenAPI document of an API as it is, or as it was deployed
// to a stage.
func exportAPI(c *call) (any, error) {
	d, err := apiRoot.begin(c)
	if err != nil {
		return nil, err
	}
	in := c.input.(*model.ExportAPIRequest)
	o := openapi.ExportOptions{
		YAML:       val(in.OutputType) == "YAML",
		Extensions: in.IncludeExtensions == nil || *in.IncludeExtensions,
		Stage:      val(in.StageName),
		Endpoint:   c.Endpoint(*d.API.APIID, *d.API.ProtocolType),
	}
	switch {
	case isWebSocket(d):
		return nil, BadRequest(msgImportProtocol)
	case in.ExportVersion != nil && *in.ExportVersion != "1.0":
		return nil, BadRequest(msgExportVersion, *in.ExportVersion)
	}
	api, resources := &d.API, &d.Resources
	if o.Stage != "" {
		stage := d.Stages[o.Stage]
		if stage == nil {
			return nil, NotFound("Stage", o.Stage)
		}
		stored, ok := c.deployment(*d.API.APIID, val(stage.DeploymentID))
		if !ok {
			return nil, BadRequest(msgExportStage, o.Stage)
		}
		deployed, err := model.ParseDeployment(stored.Data)
		if err != nil {
			return nil, err
		}
		api, resources = &deployed.API, &deployed.Resources
	}
	text, err := openapi.Export(api, resources, o)
	if err != nil {
		return nil, BadRequest(msgExport, err)
	}
	if o.YAML {
		return document{"application/yaml", text}, nil
	}
	return document{"application/json", text}, nil
}
