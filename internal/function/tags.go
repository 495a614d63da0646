package function

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	maxTags     = 50
	maxTagKey   = 128 // characters
	maxTagValue = 256
)

const taggable = `arn:(aws[a-zA-Z-]*):lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:(function:[a-zA-Z0-9-_]+(:(\$LATEST|[a-zA-Z0-9-_]+))?|code-signing-config:csc-[a-z0-9]{17}|event-source-mapping:[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12})`

var taggableForm = regexp.MustCompile(`^` + taggable + `$`)

// taggedFunction finds out which function the ARN in the path is of.
func (c *call) taggedFunction() error {
	arn := c.labels[labelResource]
	var v violations
	v.pattern(&arn, "resource", taggable, taggableForm)
	if err := v.err(); err != nil {
		return err
	}
	if !strings.Contains(arn, ":function:") {
		return missing("The resource you requested does not exist.")
	}
	name, qualifier, err := c.target(arn, "", c.principal, c.op.permission())
	if err != nil {
		return err
	}
	if qualifier != "" {
		return invalid("Tags on function aliases and versions are not supported. Please specify a function ARN.")
	}
	c.name = name
	return nil
}

// checkTags checks the tags that a function shall have.
func checkTags(tags map[string]string) error {
	if len(tags) > maxTags {
		return invalid("Number of tags exceeds resource tag limit.")
	}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		switch {
		case key == "" || utf8.RuneCountInString(key) > maxTagKey:
			return invalid("The key of a tag must have 1 to %d characters: %s", maxTagKey, clip(key))
		case utf8.RuneCountInString(tags[key]) > maxTagValue:
			return invalid("The value of a tag must have at most %d characters: %s", maxTagValue, clip(key))
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			return invalid("The key of a tag must not begin with aws: %s", clip(key))
		}
	}
	return nil
}

func listTags(c *call) (answer, error) {
	f, err := c.find(c.name)
	if err != nil {
		return answer{}, err
	}
	tags := f.document.Tags
	if tags == nil {
		tags = map[string]string{}
	}
	return answer{status: http.StatusOK, body: struct{ Tags map[string]string }{tags}}, nil
}

func tagResource(c *call) (answer, error) {
	var in struct{ Tags map[string]string }
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	if in.Tags == nil {
		var v violations
		v.required(nil, "tags")
		return answer{}, v.err()
	}
	return c.editTags(func(tags map[string]string) { maps.Copy(tags, in.Tags) })
}

func untagResource(c *call) (answer, error) {
	keys := c.query["tagKeys"]
	if len(keys) == 0 {
		var v violations
		v.required(nil, "tagKeys")
		return answer{}, v.err()
	}
	return c.editTags(func(tags map[string]string) {
		for _, key := range keys {
			delete(tags, key)
		}
	})
}

func (c *call) editTags(change func(tags map[string]string)) (answer, error) {
	_, err := c.edit(c.r.Context(), c.principal, c.name, func(d *Document) error {
		if d.Tags == nil {
			d.Tags = map[string]string{}
		}
		change(d.Tags)
		return checkTags(d.Tags)
	})
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}
