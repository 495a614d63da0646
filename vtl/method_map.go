package vtl

import (
	"slices"

	"penstock/internal/lenient"
)

// callMap calls a method of a map.
func (r *run) callMap(s *step, m *lenient.Map, args []any) (any, error) {
	switch len(args) {
	case 0:
		switch s.name {
		case "size":
			return int64(m.Len()), nil
		case "isEmpty":
			return m.Len() == 0, nil
		case "keySet":
			r.odd = true
			return &view{m, keysView}, nil
		case "values":
			r.odd = true
			return &view{m, valuesView}, nil
		case "entrySet":
			r.odd = true
			return &view{m, entriesView}, nil
		case "clear":
			m.Clear()
			return emptyText, nil
		}
		return r.callObject(s.name, m, args)
	case 1:
		switch s.name {
		case "putAll":
			return emptyText, r.putAll(m, args[0])
		case "containsValue":
			i, err := r.indexOf(valuesOf(m), args[0], 1)
			return i >= 0, err
		case "get", "containsKey", "remove":
		default:
			return r.callObject(s.name, m, args)
		}
	case 2:
		switch s.name {
		case "put", "putIfAbsent", "getOrDefault", "replace", "remove":
		default:
			return nil, errNoMethod
		}
	case 3:
		if s.name != "replace" {
			return nil, errNoMethod
		}
	default:
		return nil, errNoMethod
	}
	if _, ok := args[0].(*block); ok && (s.name == "get" || s.name == "containsKey") {
		if s.name == "get" {
			return nil, nil
		}
		return false, nil
	}
	name, err := r.key(args[0])
	if err != nil {
		return nil, err
	}
	old, found := m.Get(name)
	switch s.name {
	case "get":
		return old, nil
	case "containsKey":
		return found, nil
	case "remove":
		if len(args) == 2 {
			same, err := r.equal(old, args[1])
			if same = same && found; same {
				m.Delete(name)
			}
			return same, err
		}
		m.Delete(name)
		return old, nil
	case "getOrDefault":
		if !found {
			return args[1], nil
		}
		return old, nil
	case "putIfAbsent":
		if old != nil {
			return old, nil
		}
	case "replace":
		if len(args) == 3 {
			same, err := r.equal(old, args[1])
			if same = same && found; same && err == nil {
				err = r.put(m, name, args[2])
			}
			return same, err
		}
		if !found {
			return nil, nil
		}
	}
	return old, r.put(m, name, args[1])
}

// putAll puts the members of another map.
func (r *run) putAll(m *lenient.Map, of any) error {
	other, ok := of.(*lenient.Map)
	if !ok {
		switch of := of.(type) {
		case contextObject:
			other = r.context.all()
		case stageObject:
			other = r.stage.all()
		case *loop:
			other = of.storage()
		case nil:
			return errNull
		default:
			return errNoMethod
		}
	}
	for name, v := range other.All() {
		if err := r.put(m, name, v); err != nil {
			return err
		}
	}
	return nil
}

// callView calls a method of the keys, the values or the entries of a map.
func (r *run) callView(name string, v *view, args []any) (any, error) {
	switch len(args) {
	case 0:
		switch name {
		case "size":
			return int64(v.of.Len()), nil
		case "isEmpty":
			return v.of.Len() == 0, nil
		case "iterator":
			return &iterator{items: v.items()}, r.spend(itemSize * v.of.Len())
		case "toArray":
			return &array{v.items()}, r.spend(itemSize * v.of.Len())
		}
	case 1:
		switch name {
		case "contains":
			if v.kind == keysView {
				key, err := r.key(args[0])
				_, found := v.of.Get(key)
				return found, err
			}
			i, err := r.indexOf(v.items(), args[0], 1)
			return i >= 0, err
		case "containsAll":
			return r.callItems(name, v, v.items(), args)
		case "remove":
			items := v.items()
			i, err := r.indexOf(items, args[0], 1)
			if err != nil || i < 0 {
				return false, err
			}
			v.of.Delete(slices.Clone(v.of.Keys())[i])
			return true, nil
		}
	}
	return r.callObject(name, v, args)
}
