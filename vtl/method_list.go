package vtl

import (
	"errors"
	"fmt"
	"slices"

	"penstock/internal/lenient"
)

// errIndex is the exception for an index that a list or a text does not have.
func errIndex(i, size int) error {
	return fmt.Errorf("index %d of %d", i, size)
}

// intOf returns an argument that is an int of Java.
func intOf(v any) (int, bool) {
	i, ok := v.(int64)
	return int(i), ok && isInt32(i)
}

// callList calls a method of a list. Those that search read all of it.
func (r *run) callList(s *step, l *lenient.List, args []any) (any, error) {
	switch len(args) {
	case 0:
		switch s.name {
		case "clear":
			l.Items = nil
			return emptyText, nil
		}
	case 1:
		switch s.name {
		case "add":
			l.Items = append(l.Items, args[0])
			return true, r.spend(itemSize)
		case "addAll":
			items, ok := itemsOf(args[0])
			if args[0] == nil {
				return nil, errNull
			}
			if !ok {
				return nil, errNoMethod
			}
			if err := r.spend(itemSize * len(items)); err != nil {
				return nil, err
			}
			l.Items = append(l.Items, items...)
			return len(items) > 0, nil
		case "remove":
			return r.removeItem(l, args[0])
		case "removeAll", "retainAll":
			return r.filter(l, args[0], s.name == "retainAll")
		}
	case 2:
		i, ok := intOf(args[0])
		if !ok {
			return nil, errNoMethod
		}
		switch s.name {
		case "add":
			if i < 0 || i > len(l.Items) {
				return nil, errIndex(i, len(l.Items))
			}
			l.Items = slices.Insert(l.Items, i, args[1])
			return emptyText, r.spend(itemSize * (len(l.Items) - i))
		case "addAll":
			items, ok := itemsOf(args[1])
			if args[1] == nil {
				return nil, errNull
			}
			if !ok {
				return nil, errNoMethod
			}
			if i < 0 || i > len(l.Items) {
				return nil, errIndex(i, len(l.Items))
			}
			if err := r.spend(itemSize * (len(items) + len(l.Items) - i)); err != nil {
				return nil, err
			}
			l.Items = slices.Insert(l.Items, i, items...)
			return len(items) > 0, nil
		}
	}
	return r.callItems(s.name, l, l.Items, args)
}

// errFixed is the exception for what would change the length of an array.
var errFixed = errors.New("the length of an array cannot change")

// callArray calls a method of what split returns, which is a list of fixed length.
func (r *run) callArray(s *step, a *array, args []any) (any, error) {
	switch s.name {
	case "add", "addAll", "remove", "removeAll", "retainAll", "clear":
		// What does not change anything is no mistake.
		l := lenient.List{Items: slices.Clone(a.items)}
		if err := r.spend(itemSize * len(a.items)); err != nil {
			return nil, err
		}
		v, err := r.callList(s, &l, args)
		if err == nil && (len(l.Items) != len(a.items) || s.name == "add") {
			return nil, errFixed
		}
		return v, err
	}
	return r.callItems(s.name, a, a.items, args)
}

// callItems calls a method that leaves the length of a list as it is.
func (r *run) callItems(name string, of any, items []any, args []any) (any, error) {
	switch len(args) {
	case 0:
		switch name {
		case "size", "count":
			return int64(len(items)), nil
		case "isEmpty":
			return len(items) == 0, nil
		case "iterator":
			return &iterator{items: slices.Clone(items)}, r.spend(itemSize * len(items))
		}
	case 1:
		switch name {
		case "get":
			i, ok := intOf(args[0])
			if !ok {
				return nil, errNoMethod
			}
			if i < 0 || i >= len(items) {
				return nil, errIndex(i, len(items))
			}
			return items[i], nil
		case "contains":
			i, err := r.indexOf(items, args[0], 1)
			return i >= 0, err
		case "indexOf":
			i, err := r.indexOf(items, args[0], 1)
			return int64(i), err
		case "lastIndexOf":
			i, err := r.indexOf(items, args[0], -1)
			return int64(i), err
		case "containsAll":
			others, ok := itemsOf(args[0])
			if args[0] == nil {
				return nil, errNull
			}
			if !ok {
				return nil, errNoMethod
			}
			for _, other := range others {
				if i, err := r.indexOf(items, other, 1); i < 0 || err != nil {
					return false, err
				}
			}
			return true, nil
		}
	case 2:
		i, ok := intOf(args[0])
		if !ok {
			return nil, errNoMethod
		}
		switch name {
		case "set":
			if i < 0 || i >= len(items) {
				return nil, errIndex(i, len(items))
			}
			old := items[i]
			items[i] = args[1]
			return old, nil
		case "subList":
			j, ok := intOf(args[1])
			if !ok {
				return nil, errNoMethod
			}
			if i < 0 || j > len(items) || i > j {
				return nil, fmt.Errorf("elements %d to %d of a list of %d", i, j, len(items))
			}
			return &lenient.List{Items: slices.Clone(items[i:j])}, r.spend(itemSize * (j - i))
		}
	}
	return r.callObject(name, of, args)
}

// itemsOf returns what is in a collection, and whether v is one.
func itemsOf(v any) ([]any, bool) {
	switch v := v.(type) {
	case *lenient.List:
		return v.Items, true
	case *view:
		return v.items(), true
	}
	return nil, false
}

// indexOf returns where in items a value is, the first place or with a direction of -1 the
// last, and -1 if nowhere.
func (r *run) indexOf(items []any, v any, direction int) (int, error) {
	i := 0
	if direction < 0 {
		i = len(items) - 1
	}
	for ; i >= 0 && i < len(items); i += direction {
		if same, err := r.equal(v, items[i]); same || err != nil {
			return i, err
		}
	}
	return -1, nil
}

// removeItem takes away the element with an index, which it returns, or the first that is
// equal to what is no index, and tells whether there was one.
func (r *run) removeItem(l *lenient.List, what any) (any, error) {
	if err := r.spend(itemSize * len(l.Items)); err != nil {
		return nil, err
	}
	if i, ok := intOf(what); ok {
		if i < 0 || i >= len(l.Items) {
			return nil, errIndex(i, len(l.Items))
		}
		old := l.Items[i]
		l.Items = slices.Delete(l.Items, i, i+1)
		return old, nil
	}
	i, err := r.indexOf(l.Items, what, 1)
	if err != nil || i < 0 {
		return false, err
	}
	l.Items = slices.Delete(l.Items, i, i+1)
	return true, nil
}

// filter keeps or takes away what is in another collection, and tells whether anything was
// taken away.
func (r *run) filter(l *lenient.List, of any, keep bool) (any, error) {
	others, ok := itemsOf(of)
	if of == nil {
		return nil, errNull
	}
	if !ok {
		return nil, errNoMethod
	}
	var kept []any
	for _, item := range l.Items {
		i, err := r.indexOf(others, item, 1)
		if err != nil {
			return nil, err
		}
		if (i >= 0) == keep {
			kept = append(kept, item)
		}
	}
	changed := len(kept) != len(l.Items)
	l.Items = kept
	return changed, r.spend(itemSize * len(kept))
}
