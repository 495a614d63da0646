package function

import (
	"maps"
	"net/http"
	"reflect"
	"strconv"
)

// publishVersion makes a version of $LATEST, or answers the newest one if nothing has
// changed since.
func publishVersion(c *call) (answer, error) {
	var in struct {
		CodeSha256  *string
		Description *string
		RevisionID  *string `json:"RevisionId"`
		PublishTo   *string
	}
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	var v violations
	v.length(in.Description, "description", 0, 256)
	if err := v.err(); err != nil {
		return answer{}, err
	}
	if in.PublishTo != nil {
		return answer{}, unavailableMember("PublishTo", "leave it out")
	}
	var version string
	err := c.change(in.RevisionID, func(d *Document) error {
		if has := d.Latest.Configuration.CodeSha256; valueOf(in.CodeSha256) != "" && *in.CodeSha256 != has {
			return invalid("CodeSHA256 (%s) is different from current CodeSHA256 in $LATEST (%s). Please try again with the CodeSHA256 in $LATEST.", clip(*in.CodeSha256), has)
		}
		version = c.publish(d, in.Description)
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	return c.described(http.StatusCreated, version, version)
}

// unchanged returns the newest version if it is what $LATEST is; "" if it is not.
func (d *Document) unchanged() string {
	version := strconv.Itoa(d.LastVersion)
	last := d.Versions[version]
	if last == nil || last.Code != d.Latest.Code {
		return ""
	}
	a, b := last.Configuration, d.Latest.Configuration
	for _, c := range []*Configuration{&a, &b} {
		c.Description, c.LastModified, c.RevisionID = "", "", ""
		if len(c.Rest) == 0 {
			c.Rest = nil
		}
	}
	if !reflect.DeepEqual(a, b) {
		return ""
	}
	return version
}

// publish makes a version of $LATEST, with a description of its own if one is given. If
// nothing has changed since the newest version, it returns that one.
func (c *call) publish(d *Document, description *string) (version string) {
	if version = d.unchanged(); version != "" {
		return version
	}
	d.LastVersion++
	version = strconv.Itoa(d.LastVersion)
	v := *d.Latest
	v.Configuration.Environment = maps.Clone(v.Configuration.Environment)
	v.Configuration.Rest = maps.Clone(v.Configuration.Rest)
	if description != nil && *description != "" {
		v.Configuration.Description = *description
	}
	if d.Versions == nil {
		d.Versions = map[string]*Version{}
	}
	c.touch(&v.Configuration)
	d.Versions[version] = &v
	return version
}
