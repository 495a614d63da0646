package control

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"penstock/internal/model"
	"penstock/internal/schema"
)

var models = collection[model.Model, model.APIDocument]{
	kind:   "Model",
	root:   apiRoot,
	in:     func(d *model.APIDocument, _ *call) (items[model.Model], error) { return d.Models, nil },
	name:   func(m *model.Model) **string { return &m.ModelID },
	length: 6,
	defaults: func(x *modelChange) {
		setDefault(&x.item.ContentType, "application/json")
	},
	check: checkModel,
	inUse: modelInUse,
	after: func(x *modelChange) error { return x.deployAutomatically(x.doc) },
}

type modelChange = change[model.Model, model.APIDocument]

var modelName = regexp.MustCompile(`^[A-Za-z0-9]+$`)

func checkModel(x *modelChange) error {
	m := x.item
	if !isWebSocket(x.doc) && !x.RequestModels {
		return BadRequest(msgModelHTTP)
	}
	if !modelName.MatchString(val(m.Name)) {
		return BadRequest(msgModelName, val(m.Name))
	}
	for id, other := range x.doc.Models {
		if id != *m.ModelID && val(other.Name) == *m.Name {
			return Conflict(msgModelExists)
		}
	}
	if x.old != nil && *x.old.Name != *m.Name { // routes know models by their names
		if err := modelInUse(&modelChange{doc: x.doc, item: x.old}); err != nil {
			return err
		}
	}
	if !isWebSocket(x.doc) {
		return checkCompiles(x)
	}
	if val(x.doc.API.DisableSchemaValidation) {
		return nil
	}
	if err := schema.Check(val(m.Schema)); err != nil {
		return BadRequest(msgModelSchema, err)
	}
	return nil
}

// checkCompiles checks that bodies can be checked against a model of an HTTP API, an
// extension, and still against those that refer to it. One schema may make another one
// useless: by leading back to it, or without what a reference leads to.
func checkCompiles(x *modelChange) error {
	m := x.item
	texts := map[string]string{}
	for _, other := range x.doc.Models {
		texts[val(other.Name)] = val(other.Schema)
	}
	if x.old != nil {
		delete(texts, *x.old.Name)
	}
	texts[*m.Name] = val(m.Schema)
	concerned := false
	find := func(name string) (string, bool) {
		concerned = concerned || name == *m.Name
		text, ok := texts[name]
		return text, ok
	}
	if _, err := schema.Compile(val(m.Schema), find); err != nil {
		return BadRequest(msgModelSchema, err)
	}
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		if name == *m.Name || !strings.Contains(texts[name], "models") { // it refers to no other
			continue
		}
		concerned = false
		if _, err := schema.Compile(texts[name], find); err != nil && concerned {
			return BadRequest(msgModelBreaks, name, err)
		}
	}
	return nil
}

// modelInUse refuses to take a model from routes and route responses that name it. Of
// HTTP APIs, other models count, too: what they say of bodies depends on it.
func modelInUse(x *modelChange) error {
	name := *x.item.Name
	names := func(models map[string]string) bool { return slices.Contains(slices.Collect(maps.Values(models)), name) }
	for _, id := range slices.Sorted(maps.Keys(x.doc.Routes)) {
		used := names(x.doc.Routes[id].RequestModels)
		for _, response := range x.doc.RouteResponses[id] {
			used = used || names(response.ResponseModels)
		}
		if used {
			return Conflict(msgModelInUse, name, *x.doc.Routes[id].RouteKey)
		}
	}
	if isWebSocket(x.doc) {
		return nil
	}
	for _, id := range slices.Sorted(maps.Keys(x.doc.Models)) {
		other := x.doc.Models[id]
		if id != *x.item.ModelID && slices.Contains(schema.References(val(other.Schema)), name) {
			return Conflict(msgModelNeeded, name, val(other.Name))
		}
	}
	return nil
}

// checkModels checks that an API has the models that are named.
func checkModels(d *model.APIDocument, named map[string]string) error {
	known := map[string]bool{}
	for _, m := range d.Models {
		known[val(m.Name)] = true
	}
	for _, key := range slices.Sorted(maps.Keys(named)) {
		if name := named[key]; !known[name] {
			return BadRequest(msgRouteModel, name)
		}
	}
	return nil
}

// getModelTemplate answers a mapping template that makes what a model describes.
func getModelTemplate(c *call) (any, error) {
	d, err := apiRoot.read(c)
	if err != nil {
		return nil, err
	}
	m, err := models.find(c, d)
	if err != nil {
		return nil, err
	}
	text, err := schema.Template(val(m.Schema))
	if err != nil {
		return nil, BadRequest(msgModelSchema, err)
	}
	return &model.GetModelTemplateResponse{Value: &text}, nil
}
