package control

import (
	"maps"
	"regexp"
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

// A tagged resource is one that an ARN names.
type tagged interface {
	// tags returns the tags of the resource as they are. They are shared.
	tags(c *call) (map[string]string, error)
	// edit changes them.
	edit(c *call, change func(tags map[string]string) error) error
}

// taggedIn are resources in documents D.
type taggedIn[D any] struct {
	root root[D]
	find func(d *D) (*map[string]string, error)
	omit bool // tags are not answered if there are none
}

func (t taggedIn[D]) tags(c *call) (map[string]string, error) {
	d, err := t.root.read(c)
	if err != nil {
		return nil, err
	}
	found, err := t.find(d)
	if err != nil {
		return nil, err
	}
	return *found, nil
}

func (t taggedIn[D]) edit(c *call, change func(tags map[string]string) error) error {
	return t.root.edit(c, func(_ *edit, d *D) error {
		found, err := t.find(d)
		if err != nil {
			return err
		}
		if *found == nil {
			*found = map[string]string{}
		}
		if err := change(*found); err != nil {
			return err
		}
		if t.omit && len(*found) == 0 {
			*found = nil
		}
		return nil
	})
}

// taggable are the kinds of resources that have tags, by the beginning of the path
// in their ARNs, and whether that names the account. Source: developer guide,
// apigateway-tagging-supported-resources.
var taggable = map[string]struct {
	account bool
	label   string
	find    func(segments []string) tagged
}{
	"apis": {false, apiRoot.label, func(segments []string) tagged {
		switch {
		case len(segments) == 2:
			return taggedIn[model.APIDocument]{root: apiRoot, find: func(d *model.APIDocument) (*map[string]string, error) { return &d.API.Tags, nil }}
		case len(segments) == 4 && segments[2] == "stages":
			return taggedIn[model.APIDocument]{root: apiRoot, find: func(d *model.APIDocument) (*map[string]string, error) {
				if s := d.Stages[segments[3]]; s != nil {
					return &s.Tags, nil
				}
				return nil, NotFound("Stage", segments[3])
			}}
		}
		return nil
	}},
	"domainnames": {false, domainRoot.label, whole(domainRoot, true, func(d *model.DomainDocument) *map[string]string { return &d.DomainName.Tags })},
	"vpclinks":    {false, vpcLinkRoot.label, whole(vpcLinkRoot, false, func(d *model.VpcLinkDocument) *map[string]string { return &d.VpcLink.Tags })},
	"portals":     {true, portalRoot.label, whole(portalRoot, true, func(d *model.PortalDocument) *map[string]string { return &d.Portal.Tags })},
	"portalproducts": {true, portalProductRoot.label, whole(portalProductRoot, true, func(d *model.PortalProductDocument) *map[string]string {
		return &d.Product.Tags
	})},
}

// whole finds the tags of what a document is about.
func whole[D any](r root[D], omit bool, tags func(d *D) *map[string]string) func(segments []string) tagged {
	return func(segments []string) tagged {
		if len(segments) != 2 {
			return nil
		}
		return taggedIn[D]{r, func(d *D) (*map[string]string, error) { return tags(d), nil }, omit}
	}
}

// arnForm is the form of the ARN of a resource of the control plane: the account, if
// it names one, and the path are in the groups. Which partition and region it names is
// up to the region that the caller works in.
var arnForm = regexp.MustCompile(`^arn:[a-z0-9-]+:apigateway:[a-z0-9-]+:([0-9]*):/([^/]+)/(.+)$`)

// named makes c a call about the resource in the ARN of its path, and returns that.
func named(c *call) (tagged, error) {
	text := c.labels[restLabel]
	unknown := BadRequest(msgTagResource, text)
	groups := arnForm.FindStringSubmatch(text)
	if groups == nil {
		return nil, unknown
	}
	kind, known := taggable[groups[2]]
	if !known || kind.account != (groups[1] != "") || kind.account && groups[1] != c.Account {
		return nil, unknown
	}
	segments := append([]string{groups[2]}, strings.Split(groups[3], "/")...)
	found := kind.find(segments)
	if found == nil {
		return nil, unknown
	}
	c.labels[kind.label] = segments[1]
	return found, nil
}

// canonicalARN returns the one ARN of a tagged resource, however a caller writes it.
func (s *Server) canonicalARN(text string) string {
	groups := arnForm.FindStringSubmatch(text)
	if groups == nil {
		return text
	}
	return s.arnIn(groups[1], "/"+groups[2]+"/"+groups[3])
}

func getTags(c *call) (any, error) {
	resource, err := named(c)
	if err != nil {
		return nil, err
	}
	tags, err := resource.tags(c)
	if err != nil {
		return nil, err
	}
	if tags == nil {
		tags = map[string]string{}
	}
	return map[string]any{"tags": tags}, nil
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
	resource, err := named(c)
	if err != nil {
		return err
	}
	if _, err := resource.tags(c); err != nil {
		return err
	}
	if err := c.decode(); err != nil {
		return err
	}
	return resource.edit(c, change)
}
