package mapping

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"penstock/internal/gateway"
	"penstock/internal/route"
)

// A Request is the compiled request mapping of an integration. It never changes.
type Request struct {
	header, query []change
	path          *Expression
	readsBody     bool
}

// A change is what a mapping does with one header or query parameter; value is nil
// for Remove.
type change struct {
	kind  gateway.ChangeKind
	name  string
	host  bool // the header is Host
	value *Expression
}

// CompileRequest compiles the request parameters of an integration. Keys are
//
//	( "append" | "overwrite" | "remove" ) ":" ( "header." | "querystring." ) name
//	"overwrite:path"
//
// and values as ParseRequest has them. It returns nil if there are none.
func CompileRequest(parameters map[string]string, scope Scope) (*Request, error) {
	if len(parameters) == 0 {
		return nil, nil
	}
	r := &Request{}
	err := compileChanges(parameters, ParseRequest, scope, func(place string, c change) bool {
		switch {
		case place == "header":
			if c.host = gateway.EqualFold(c.name, "Host"); c.host {
				// A request has one Host, always.
				if c.kind == gateway.Remove {
					return true
				}
				c.kind = gateway.Overwrite
			}
			r.header = append(r.header, c)
		case place == "querystring" && c.name != "":
			r.query = append(r.query, c)
		case place == "path" && c.kind == gateway.Overwrite && c.name == "":
			r.path = c.value
		default:
			return false
		}
		r.readsBody = r.readsBody || c.value != nil && c.value.readsBody
		return true
	})
	if err != nil {
		return nil, err
	}
	order(r.header)
	order(r.query)
	return r, nil
}

// compileChanges compiles parameters in the order of their keys and adds each where its
// key says; add reports false if a mapping can change nothing there. Names of headers
// have been checked.
func compileChanges(parameters map[string]string, parse func(string, Scope) (*Expression, error), scope Scope, add func(place string, c change) bool) error {
	for _, key := range slices.Sorted(maps.Keys(parameters)) {
		kind, place, name, err := parseKey(key)
		if err != nil {
			return err
		}
		c := change{kind: kind, name: name}
		if kind != gateway.Remove {
			if c.value, err = parse(parameters[key], scope); err != nil {
				return fmt.Errorf("parameter %q: %w", key, err)
			}
		}
		if place == "header" {
			if err := checkName(name); err != nil {
				return fmt.Errorf("parameter %q: %w", key, err)
			}
		}
		if !add(place, c) {
			return fmt.Errorf("parameter %q: nothing that a mapping can change", key)
		}
	}
	return nil
}

// order sorts changes into the order in which they are applied: removes, overwrites,
// appends. Within a kind they keep the order of their keys.
func order(changes []change) {
	slices.SortStableFunc(changes, func(a, b change) int { return int(a.kind) - int(b.kind) })
}

// parseKey takes a key apart: what is done, where, and with what name.
func parseKey(key string) (kind gateway.ChangeKind, place, name string, err error) {
	operation, rest, _ := strings.Cut(key, ":")
	switch operation {
	case "append":
		kind = gateway.Append
	case "overwrite":
		kind = gateway.Overwrite
	case "remove":
		kind = gateway.Remove
	default:
		return 0, "", "", fmt.Errorf("parameter %q: want append, overwrite or remove before a colon", key)
	}
	place, name, dotted := strings.Cut(rest, ".")
	if dotted && name == "" {
		return 0, "", "", fmt.Errorf("parameter %q: no name", key)
	}
	return kind, place, name, nil
}

// ReadsBody reports whether a value depends on the body of the request, which must
// then be in memory as far as mappings can see it.
func (r *Request) ReadsBody() bool { return r != nil && r.readsBody }

// Apply sets x.Mapped to what the mapping changes. Values are those of the request as
// it came, never the result of another change. A change whose value is missing is
// left out; but what would have been overwritten with something known of the caller
// is removed, since it would be the client's own word for it.
//
// The error is an answer of the gateway: BadRequest if a value cannot stand where the
// mapping puts it.
func (r *Request) Apply(x *gateway.Exchange) error {
	if r == nil {
		return nil
	}
	m := &x.Mapped
	m.Path, m.HasPath = "", false
	limit := len(m.Text) + maxMapped
	var err error
	if m.Header, err = apply(m.Header[:0], r.header, x, limit, true); err != nil {
		return err
	}
	if m.Query, err = apply(m.Query[:0], r.query, x, limit, false); err != nil {
		return err
	}
	if r.path != nil {
		return r.applyPath(x, limit)
	}
	return nil
}

// apply evaluates changes and appends them to to. The limit is that of the room for
// all values.
func apply(to []gateway.Change, changes []change, x *gateway.Exchange, limit int, header bool) ([]gateway.Change, error) {
	m := &x.Mapped
	removes := 0
	for i := range changes {
		c := &changes[i]
		if c.kind == gateway.Remove {
			to = append(to, gateway.Change{Kind: gateway.Remove, Name: c.name})
			removes++
			continue
		}
		n := len(m.Text)
		var found bool
		if m.Text, found = c.value.Append(m.Text, x); !found {
			if c.kind == gateway.Overwrite && c.value.identity && !c.host {
				to = slices.Insert(to, removes, gateway.Change{Kind: gateway.Remove, Name: c.name})
				removes++
			}
			continue
		}
		if len(m.Text) > limit {
			return to, gateway.BadRequest(errMapped)
		}
		if header {
			check := checkValue
			if c.host {
				check = checkHost
			}
			if err := check(m.Text[n:]); err != nil {
				return to, gateway.BadRequest(fmt.Errorf("%s:header.%s: %w", c.kind, c.name, err))
			}
		}
		change := gateway.Change{Kind: c.kind, Name: c.name, Value: keep(m, n)}
		if header && c.kind == gateway.Overwrite {
			if k := indexOverwrite(to, c.name); k >= 0 { // in another case
				to[k] = change
				continue
			}
		}
		to = append(to, change)
	}
	return to, nil
}

// indexOverwrite returns where a header is overwritten already, or -1.
func indexOverwrite(changes []gateway.Change, name string) int {
	for i := range changes {
		if changes[i].Kind == gateway.Overwrite && gateway.EqualFold(changes[i].Name, name) {
			return i
		}
	}
	return -1
}

var errPath = errors.New("overwrite:path: the path has a dot segment, a backslash or a control character")

// applyPath sets the path. One that a backend could read as another place than it
// names is refused, as in the path of a request.
func (r *Request) applyPath(x *gateway.Exchange, limit int) error {
	m := &x.Mapped
	n := len(m.Text)
	m.Text = append(m.Text, '/')
	var found bool
	if m.Text, found = r.path.Append(m.Text, x); !found {
		m.Text = m.Text[:n]
		return nil
	}
	if len(m.Text) > n+1 && m.Text[n+1] == '/' {
		n++
	}
	if len(m.Text) > limit {
		return gateway.BadRequest(errMapped)
	}
	p := keep(m, n)
	if !SafePath(p) {
		return gateway.BadRequest(errPath)
	}
	m.Path, m.HasPath = p, true
	return nil
}

// SafePath reports whether a path, decoded, may be sent to a backend: no control
// character, and nothing that a backend could read as another place than it names,
// even one that decodes it once more.
func SafePath(path string) bool {
	for i := range len(path) {
		if isControl(path[i]) {
			return false
		}
	}
	if route.Suspicious(path) {
		return false
	}
	if strings.IndexByte(path, '%') < 0 {
		return true
	}
	twice, err := route.Decode(path, nil)
	return err != nil || !route.Suspicious(twice)
}
