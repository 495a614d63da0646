package function

import (
	"maps"
	"slices"
	"time"

	"penstock/internal/lambda"
)

// A function is what is known of one function. It never changes.
type function struct {
	name     string
	arn      string
	document *Document
	declared *Declared // nil if the function was made by the API
	// versions are by $LATEST or number, qualified by everything that can be called:
	// "", $LATEST, numbers, and names of aliases.
	versions  map[string]*target
	qualified map[string]choice
}

// A choice is what a qualifier leads to: first or, for a part of the invocations,
// second.
type choice struct {
	first, second *target
	weight        float64 // of second
}

// A target is a version of a function, as a qualifier leads to it. It never changes.
type target struct {
	name, version   string
	qualifier       string // that was asked for
	arn, invokedARN string // without the qualifier, and with the one that was asked for
	spec            lambda.Spec
	function        runner // nil if the function is in this process
	declared        *Declared
	document        *Document
}

// build returns the function of a document, with the runners of what it was before;
// nil if there is nothing to call.
func (s *Service) build(name string, d *Document, old *function) *function {
	d.compile()
	f := &function{
		name:      name,
		arn:       s.arn(name),
		document:  d,
		versions:  map[string]*target{},
		qualified: map[string]choice{},
	}
	base := target{name: name, arn: f.arn, document: d}
	if declared, ok := s.Declared[name]; ok {
		f.declared = &declared
		base.declared = &declared
		f.add(s, base, latest, s.declaredSpec(name, declared), old)
	} else if d.Latest == nil {
		return nil
	} else {
		f.add(s, base, latest, s.spec(d, latest, d.Latest), old)
		for version, v := range d.Versions {
			f.add(s, base, version, s.spec(d, version, v), old)
		}
	}
	for version, t := range f.versions {
		f.qualified[version] = choice{first: t.as(version)}
	}
	f.qualified[""] = choice{first: f.versions[latest].as("")}
	for alias, a := range d.Aliases {
		first := f.versions[a.FunctionVersion]
		if first == nil {
			continue // of a version that a configuration no longer hides
		}
		c := choice{first: first.as(alias)}
		for version, weight := range a.Weights {
			if second := f.versions[version]; second != nil {
				c.second, c.weight = second.as(alias), weight
			}
		}
		f.qualified[alias] = c
	}
	return f
}

// add adds a version. Its runner is the one that it had before, if it had one.
func (f *function) add(s *Service, t target, version string, spec lambda.Spec, old *function) {
	t.version, t.spec = version, spec
	if f.declared == nil || f.declared.Invoke == nil {
		var before *target
		if old != nil {
			before = old.versions[version]
		}
		switch {
		case before == nil || before.function == nil:
			t.function = s.start(spec)
		case same(before.spec, spec):
			t.function = before.function
		default:
			t.function = before.function
			t.function.Configure(spec)
		}
	}
	f.versions[version] = &t
}

// as returns a version as a qualifier leads to it.
func (t target) as(qualifier string) *target {
	t.qualifier, t.invokedARN = qualifier, t.arn
	if qualifier != "" {
		t.invokedARN += ":" + qualifier
	}
	return &t
}

// close closes the runners that another function does not have. f may be nil.
func (f *function) close(other *function) {
	for version, t := range f.versions {
		if t.function != nil && (other == nil || other.versions[version] == nil) {
			t.function.Close()
		}
	}
}

// codes returns the sums of the code of all versions.
func (f *function) codes() (sums []string) {
	for _, t := range f.versions {
		if c, ok := t.spec.Source.(*code); ok {
			sums = append(sums, c.sum)
		}
	}
	return sums
}

// isReferenced reports whether a function has code of a sum.
func (s *Service) isReferenced(sum string) bool {
	for _, f := range *s.live.Load() {
		if slices.Contains(f.codes(), sum) {
			return true
		}
	}
	return false
}

// same reports whether two specs are the same.
func same(a, b lambda.Spec) bool {
	if !maps.Equal(a.Environment, b.Environment) || a.Source != b.Source {
		return false
	}
	return a.Name == b.Name && a.Version == b.Version && a.ARN == b.ARN && a.Runtime == b.Runtime && a.Handler == b.Handler &&
		a.Timeout == b.Timeout && a.Memory == b.Memory && a.Concurrency == b.Concurrency && a.LogGroup == b.LogGroup && a.LogFormat == b.LogFormat
}

// spec returns how to run a version that was made by the API.
func (s *Service) spec(d *Document, version string, v *Version) lambda.Spec {
	c := &v.Configuration
	concurrency := -1
	if d.Concurrency != nil {
		concurrency = *d.Concurrency
	}
	logging := c.logging()
	return lambda.Spec{
		Name:        d.Name,
		Version:     version,
		ARN:         s.arn(d.Name),
		Runtime:     c.Runtime,
		Handler:     c.Handler,
		Source:      s.codes.source(v.Code),
		Environment: c.Environment,
		Timeout:     time.Duration(c.Timeout) * time.Second,
		Memory:      c.MemorySize,
		Concurrency: concurrency,
		LogGroup:    logging.LogGroup,
		LogFormat:   logging.LogFormat,
	}
}

// declaredSpec returns how to run a function of the configuration.
func (s *Service) declaredSpec(name string, d Declared) lambda.Spec {
	spec := lambda.Spec{
		Name:        name,
		Version:     latest,
		ARN:         s.arn(name),
		Runtime:     d.Runtime,
		Handler:     d.Handler,
		Environment: d.Environment,
		Timeout:     d.Timeout,
		Memory:      d.Memory,
		Concurrency: d.Concurrency,
	}
	if spec.Timeout <= 0 {
		spec.Timeout = defaultTimeout * time.Second
	}
	if spec.Memory <= 0 {
		spec.Memory = defaultMemory
	}
	if code := s.declared[name]; code != nil {
		spec.Source = code
	}
	return spec
}
