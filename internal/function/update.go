package function

import (
	"maps"
	"net/http"
)

// change edits $LATEST of the function that a call is about, which the API must have
// made. A revision, if one is given, must be that of the configuration.
func (c *call) change(revision *string, change func(d *Document) error) error {
	if c.qualifier != "" && c.qualifier != latest {
		return invalid("Only %s can be changed: %s is a version or an alias.", latest, c.qualifier)
	}
	_, err := c.edit(c.r.Context(), c.principal, c.name, func(d *Document) error {
		if _, ok := c.Declared[c.name]; ok {
			return declaredConflict(c.name)
		}
		if revision != nil && *revision != "" && *revision != d.Latest.Configuration.RevisionID {
			return errRevision
		}
		return change(d)
	})
	return err
}

func updateFunctionConfiguration(c *call) (answer, error) {
	var in struct {
		settings
		RevisionID *string `json:"RevisionId"`
	}
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	if _, err := c.find(c.name); err != nil {
		return answer{}, err
	}
	if err := in.check(); err != nil {
		return answer{}, err
	}
	err := c.change(in.RevisionID, func(d *Document) error {
		if err := in.apply(&d.Latest.Configuration); err != nil {
			return err
		}
		c.touch(&d.Latest.Configuration)
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	return c.described(http.StatusOK, latest, "")
}

func updateFunctionCode(c *call) (answer, error) {
	var in struct {
		codeRequest
		Architectures []string
		DryRun        bool
		Publish       bool
		PublishTo     *string
		RevisionID    *string `json:"RevisionId"`
	}
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	c.body = nil // the zip is held once
	f, err := c.find(c.name)
	if err != nil {
		return answer{}, err
	}
	if f.declared != nil {
		return answer{}, declaredConflict(c.name)
	}
	var v violations
	v.architectures(in.Architectures)
	if err := v.err(); err != nil {
		return answer{}, err
	}
	if in.PublishTo != nil {
		return answer{}, unavailableMember("PublishTo", "leave it out")
	}
	if err := in.check(); err != nil {
		return answer{}, err
	}
	code, release, err := c.upload(in.ZipFile)
	if err != nil {
		return answer{}, err
	}
	defer release()
	in.ZipFile = nil
	version, qualifier := latest, ""
	var planned *Document
	err = c.change(in.RevisionID, func(d *Document) error {
		code.apply(d.Latest, in.Architectures)
		if in.DryRun {
			planned = d
			return errDryRun
		}
		c.touch(&d.Latest.Configuration)
		if in.Publish {
			version = c.publish(d, nil)
			qualifier = version
		}
		return nil
	})
	if err == errDryRun {
		plan := function{name: f.name, arn: f.arn, document: planned}
		return answer{status: http.StatusOK, body: plan.describe(latest, "", false)}, nil
	}
	if err != nil {
		return answer{}, err
	}
	return c.described(http.StatusOK, version, qualifier)
}

// errDryRun ends an edit that shall change nothing. Nobody sees it.
var errDryRun = conflict("dry run")

// deleteFunction deletes a function, or one version of it.
func deleteFunction(c *call) (answer, error) {
	f, err := c.find(c.name)
	switch {
	case err != nil:
		return answer{}, err
	case c.qualifier == latest:
		return answer{}, invalid("$LATEST version cannot be deleted without deleting the function.")
	case f.declared != nil:
		return answer{}, declaredConflict(c.name)
	}
	_, err = c.replace(c.r.Context(), c.principal, c.name, func(d *Document) (*Document, error) {
		if d == nil {
			return nil, c.notFound(c.name, "")
		}
		if c.qualifier == "" {
			return nil, nil
		}
		return d, c.deleteVersion(d)
	})
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

func (c *call) deleteVersion(d *Document) error {
	if d.Aliases[c.qualifier] != nil {
		return invalid("Deletion of aliases is not currently supported.")
	}
	if d.Versions[c.qualifier] == nil {
		return c.notFound(c.name, c.qualifier)
	}
	if used := d.aliasesOf(c.qualifier); len(used) > 0 {
		return conflict("Version was not deleted because it is referenced by the following aliases: %v", used)
	}
	d.Versions = maps.Clone(d.Versions)
	delete(d.Versions, c.qualifier)
	delete(d.Policies, c.qualifier)
	return nil
}
