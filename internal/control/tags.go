package control

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"penstock/internal/model"
)

const maxTagKey = 128 // characters

// checkTags checks the tags of a resource. The lengths of values are in the model.
func checkTags(tags map[string]string, limits Limits) error {
	if len(tags) > limits.Tags {
		return BadRequest(msgTagCount, limits.Tags)
	}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		if key == "" || utf8.RuneCountInString(key) > maxTagKey || strings.HasPrefix(strings.ToLower(key), "aws:") {
			return BadRequest(msgTagKey, key)
		}
	}
	return nil
}

// taggedAPI finds what an ARN names and returns its tags in a document.
type taggedAPI func(d *model.APIDocument) (*map[string]string, error)

// tagged makes c a call about the API in the ARN of its path, and returns the way
// to what is tagged there.
func tagged(c *call) (taggedAPI, error) {
	arn := c.labels[restLabel]
	unknown := BadRequest(msgTagResource, arn)
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "apigateway" || parts[4] != "" {
		return nil, unknown
	}
	path, ok := strings.CutPrefix(parts[5], "/apis/")
	if !ok {
		return nil, unknown
	}
	segments := strings.Split(path, "/")
	c.labels[apiRoot.label] = segments[0]
	switch {
	case len(segments) == 1:
		return func(d *model.APIDocument) (*map[string]string, error) { return &d.API.Tags, nil }, nil
	case len(segments) == 3 && segments[1] == "stages":
		return func(d *model.APIDocument) (*map[string]string, error) {
			if s := d.Stages[segments[2]]; s != nil {
				return &s.Tags, nil
			}
			return nil, NotFound("Stage", segments[2])
		}, nil
	default:
		return nil, unknown
	}
}

func getTags(c *call) (any, error) {
	tags, err := tagged(c)
	if err != nil {
		return nil, err
	}
	d, err := apiRoot.read(c)
	if err != nil {
		return nil, err
	}
	found, err := tags(d)
	if err != nil {
		return nil, err
	}
	return map[string]any{"tags": *found}, nil
}

func tagResource(c *call) (any, error) {
	return nil, editTags(c, func(tags map[string]string) error {
		maps.Copy(tags, c.input.(*model.TagResourceRequest).Tags)
		return checkTags(tags, c.Limits)
	})
}

func untagResource(c *call) (any, error) {
	return nil, editTags(c, func(tags map[string]string) error {
		for _, key := range c.input.(*model.UntagResourceRequest).TagKeys {
			delete(tags, key)
		}
		return nil
	})
}

// editTags changes the tags of the resource in the path of a call.
func editTags(c *call, change func(tags map[string]string) error) error {
	tags, err := tagged(c)
	if err != nil {
		return err
	}
	if _, err := apiRoot.read(c); err != nil {
		return err
	}
	if err := c.decode(); err != nil {
		return err
	}
	return apiRoot.edit(c, func(_ *edit, d *model.APIDocument) error {
		found, err := tags(d)
		if err != nil {
			return err
		}
		return change(*found)
	})
}
