package function

import (
	"encoding/base64"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// version returns the function that a call is about and the version that its qualifier
// leads to: the first of an alias. Only what was made counts as a qualifier here, for
// functions of the configuration too.
func (c *call) version() (*function, string, error) {
	f, err := c.find(c.name)
	if err != nil {
		return nil, "", c.notFound(c.name, c.qualifier)
	}
	choice, ok := f.qualified[c.qualifier]
	if !ok {
		return nil, "", c.notFound(c.name, c.qualifier)
	}
	return f, choice.first.version, nil
}

func getFunction(c *call) (answer, error) {
	f, version, err := c.version()
	if err != nil {
		return answer{}, err
	}
	type location struct {
		RepositoryType string
		Location       string `json:",omitempty"`
	}
	type concurrency struct{ ReservedConcurrentExecutions int }
	out := struct {
		Configuration configurationAnswer
		Code          *location
		Tags          map[string]string `json:",omitempty"`
		Concurrency   *concurrency      `json:",omitempty"`
	}{
		Configuration: f.describe(version, c.qualifier, false),
		Code:          &location{"S3", c.codeURL(f, version)},
		Tags:          f.document.Tags,
	}
	if n := f.concurrency(); n != nil {
		out.Concurrency = &concurrency{*n}
	}
	return answer{status: http.StatusOK, body: out}, nil
}

// concurrency returns how many invocations are reserved; nil for none.
func (f *function) concurrency() *int {
	switch {
	case f.declared == nil:
		return f.document.Concurrency
	case f.declared.Concurrency < 0:
		return nil
	default:
		return &f.declared.Concurrency
	}
}

func getFunctionConfiguration(c *call) (answer, error) {
	f, version, err := c.version()
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, body: f.describe(version, c.qualifier, false)}, nil
}

// maxPage is how many items a page has at most; source: Lambda API reference.
const maxPage = 50

// A cursor says where a page of a list begins: behind the item of a name.
type cursor struct {
	after string
	limit int
}

func (c *call) cursor() (k cursor, err error) {
	n, err := c.number("MaxItems", "maxItems", 1, 10000, maxPage)
	if err != nil {
		return k, err
	}
	k.limit = min(n, maxPage)
	if marker := c.query.Get("Marker"); marker != "" {
		after, err := base64.RawURLEncoding.DecodeString(marker)
		if err != nil || len(after) == 0 || len(after) > 2*maxQualifier {
			return k, invalid("Invalid marker: %s", clip(marker))
		}
		k.after = string(after)
	}
	return k, nil
}

// page returns the items of a page and the marker of the next; "" if there is none. The
// names are in the order of compare.
func (k cursor) page(names []string, compare func(a, b string) int) (page []string, next string) {
	if k.after != "" {
		first, found := slices.BinarySearchFunc(names, k.after, compare)
		if found {
			first++
		}
		names = names[first:]
	}
	if len(names) <= k.limit {
		return names, ""
	}
	page = names[:k.limit]
	return page, base64.RawURLEncoding.EncodeToString([]byte(page[k.limit-1]))
}

// listFunctions answers $LATEST of all functions, or with FunctionVersion=ALL every
// version of them. A page ends between functions or between versions.
func listFunctions(c *call) (answer, error) {
	k, err := c.cursor()
	if err != nil {
		return answer{}, err
	}
	all := c.query.Get("FunctionVersion")
	if all != "" {
		var v violations
		v.oneOf(&all, "functionVersion", "ALL")
		if err := v.err(); err != nil {
			return answer{}, err
		}
	}
	live := *c.live.Load()
	var names []string
	for name, f := range live {
		if all == "" {
			names = append(names, name)
			continue
		}
		for version := range f.versions {
			names = append(names, name+":"+version)
		}
	}
	slices.SortFunc(names, compareQualified)
	out := struct {
		Functions  []configurationAnswer
		NextMarker string `json:",omitempty"`
	}{Functions: []configurationAnswer{}}
	names, out.NextMarker = k.page(names, compareQualified)
	for _, one := range names {
		name, version, qualified := strings.Cut(one, ":")
		if !qualified {
			version = latest
		}
		qualifier := ""
		if qualified {
			qualifier = version
		}
		out.Functions = append(out.Functions, live[name].describe(version, qualifier, true))
	}
	return answer{status: http.StatusOK, body: out}, nil
}

// compareQualified orders names by name and then by version.
func compareQualified(a, b string) int {
	name, version, _ := strings.Cut(a, ":")
	other, otherVersion, _ := strings.Cut(b, ":")
	if n := strings.Compare(name, other); n != 0 {
		return n
	}
	return compareVersions(version, otherVersion)
}

// compareVersions puts $LATEST first, and numbers in their order.
func compareVersions(a, b string) int {
	if n := len(a) - len(b); n != 0 && a != latest && b != latest {
		return n
	}
	return strings.Compare(a, b) // $ is before digits
}

func listVersions(c *call) (answer, error) {
	f, err := c.find(c.name)
	if err != nil {
		return answer{}, err
	}
	k, err := c.cursor()
	if err != nil {
		return answer{}, err
	}
	out := struct {
		Versions   []configurationAnswer
		NextMarker string `json:",omitempty"`
	}{Versions: []configurationAnswer{}}
	versions, next := k.page(slices.SortedFunc(maps.Keys(f.versions), compareVersions), compareVersions)
	for _, version := range versions {
		out.Versions = append(out.Versions, f.describe(version, version, true))
	}
	out.NextMarker = next
	return answer{status: http.StatusOK, body: out}, nil
}
