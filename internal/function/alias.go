package function

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// An aliasRequest is the body of CreateAlias and UpdateAlias.
type aliasRequest struct {
	Name, Description, FunctionVersion *string
	RoutingConfig                      *struct{ AdditionalVersionWeights map[string]float64 }
	RevisionID                         *string `json:"RevisionId"`
}

const (
	aliasPattern   = `(?!^[0-9]+$)([a-zA-Z0-9-_]+)`
	versionPattern = `(\$LATEST|[0-9]+)`
)

var (
	aliasForm   = whole(`[a-zA-Z0-9-_]*[a-zA-Z-_][a-zA-Z0-9-_]*`)
	versionForm = whole(versionPattern)
)

func (in *aliasRequest) check(create bool) error {
	var v violations
	if create {
		v.required(in.Name, "name")
		v.required(in.FunctionVersion, "functionVersion")
	}
	v.length(in.Name, "name", 1, maxQualifier)
	v.pattern(in.Name, "name", aliasPattern, aliasForm)
	v.length(in.FunctionVersion, "functionVersion", 1, 1024)
	v.pattern(in.FunctionVersion, "functionVersion", versionPattern, versionForm)
	v.length(in.Description, "description", 0, 256)
	if in.RoutingConfig != nil {
		for version, weight := range in.RoutingConfig.AdditionalVersionWeights {
			v.pattern(&version, "routingConfig.additionalVersionWeights", `[0-9]+`, versionForm)
			if !(weight >= 0 && weight <= 1) {
				v.add(version, "routingConfig.additionalVersionWeights", "Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value greater than or equal to 0.0]")
			}
		}
	}
	return v.err()
}

// apply makes an alias what a checked request says.
func (in *aliasRequest) apply(c *call, d *Document, a *Alias) error {
	set(&a.Description, in.Description)
	set(&a.FunctionVersion, in.FunctionVersion)
	if in.RoutingConfig != nil {
		a.Weights = maps.Clone(in.RoutingConfig.AdditionalVersionWeights)
	}
	if err := c.checkVersion(d, a.FunctionVersion); err != nil {
		return err
	}
	if len(a.Weights) > 1 {
		return invalid("Number of items in AdditionalVersionWeights cannot be greater than 1")
	}
	for version := range a.Weights {
		switch {
		case a.FunctionVersion == latest || version == latest:
			return invalid("$LATEST is not supported for an alias pointing to more than 1 version")
		case version == a.FunctionVersion:
			return invalid("Invalid function version %s. Function version %s is already included in routing configuration.", version, version)
		}
		if err := c.checkVersion(d, version); err != nil {
			return err
		}
	}
	a.RevisionID = newUUID()
	return nil
}

// checkVersion refuses a version that is not there. A function of the configuration
// has $LATEST only.
func (c *call) checkVersion(d *Document, version string) error {
	if version == latest {
		return nil
	}
	if _, declared := c.Declared[c.name]; declared || d.Versions[version] == nil {
		return c.notFound(c.name, version)
	}
	return nil
}

// aliasesOf returns the names of the aliases that lead to a version.
func (d *Document) aliasesOf(version string) (names []string) {
	for name, a := range d.Aliases {
		if _, also := a.Weights[version]; also || a.FunctionVersion == version {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// An aliasAnswer is what the API answers of an alias.
type aliasAnswer struct {
	AliasARN        string `json:"AliasArn"`
	Name            string
	FunctionVersion string
	Description     string
	RoutingConfig   *routing `json:",omitempty"`
	RevisionID      string   `json:"RevisionId"`
}

type routing struct{ AdditionalVersionWeights map[string]float64 }

func (c *call) describeAlias(a *Alias) aliasAnswer {
	out := aliasAnswer{
		AliasARN:        c.arn(c.name) + ":" + a.Name,
		Name:            a.Name,
		FunctionVersion: a.FunctionVersion,
		Description:     a.Description,
		RevisionID:      a.RevisionID,
	}
	if len(a.Weights) > 0 {
		out.RoutingConfig = &routing{a.Weights}
	}
	return out
}

func (c *call) aliasNotFound() error {
	return missing("Cannot find alias arn: %s:%s", c.arn(c.name), clip(c.labels[labelAlias]))
}

func createAlias(c *call) (answer, error) {
	var in aliasRequest
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	if err := in.check(true); err != nil {
		return answer{}, err
	}
	a := &Alias{Name: *in.Name}
	_, err := c.edit(c.r.Context(), c.principal, c.name, func(d *Document) error {
		if d.Aliases[a.Name] != nil {
			return conflict("Alias already exists: %s:%s", c.arn(c.name), a.Name)
		}
		if err := in.apply(c, d, a); err != nil {
			return err
		}
		if d.Aliases == nil {
			d.Aliases = map[string]*Alias{}
		}
		d.Aliases[a.Name] = a
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusCreated, body: c.describeAlias(a)}, nil
}

func getAlias(c *call) (answer, error) {
	f, err := c.find(c.name)
	if err != nil {
		return answer{}, err
	}
	a := f.document.Aliases[c.labels[labelAlias]]
	if a == nil {
		return answer{}, c.aliasNotFound()
	}
	return answer{status: http.StatusOK, body: c.describeAlias(a)}, nil
}

func updateAlias(c *call) (answer, error) {
	var in aliasRequest
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	in.Name = nil
	if err := in.check(false); err != nil {
		return answer{}, err
	}
	var a *Alias
	_, err := c.edit(c.r.Context(), c.principal, c.name, func(d *Document) error {
		if a = d.Aliases[c.labels[labelAlias]]; a == nil {
			return c.aliasNotFound()
		}
		if valueOf(in.RevisionID) != "" && *in.RevisionID != a.RevisionID {
			return errRevision
		}
		return in.apply(c, d, a)
	})
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, body: c.describeAlias(a)}, nil
}

// deleteAlias deletes an alias and its policy. That there is none is no error.
func deleteAlias(c *call) (answer, error) {
	_, err := c.edit(c.r.Context(), c.principal, c.name, func(d *Document) error {
		if name := c.labels[labelAlias]; d.Aliases[name] != nil {
			delete(d.Aliases, name)
			delete(d.Policies, name)
		}
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

// listAliases answers the aliases of a function, or those of them that lead to one
// version.
func listAliases(c *call) (answer, error) {
	f, err := c.find(c.name)
	if err != nil {
		return answer{}, err
	}
	k, err := c.cursor()
	if err != nil {
		return answer{}, err
	}
	names := slices.Sorted(maps.Keys(f.document.Aliases))
	if version := c.query.Get("FunctionVersion"); version != "" {
		names = f.document.aliasesOf(version)
	}
	out := struct {
		Aliases    []aliasAnswer
		NextMarker string `json:",omitempty"`
	}{Aliases: []aliasAnswer{}}
	names, out.NextMarker = k.page(names, strings.Compare)
	for _, name := range names {
		out.Aliases = append(out.Aliases, c.describeAlias(f.document.Aliases[name]))
	}
	return answer{status: http.StatusOK, body: out}, nil
}
