package vtl

import (
	"errors"
	"fmt"
	"math/big"
	"slices"

	"penstock/internal/lenient"
)

// call calls a method of a value. The methods are those of the Java types that values have
// in the service, except what reaches beyond the value. A method that does not exist, or
// not for such arguments, gives nil; one that throws an exception in Java gives an error.
func (r *run) call(s *step, of any, args []any) (any, error) {
	v, err := r.callValue(s, of, args)
	if err != errNoMethod {
		return v, err
	}
	// A method without parameters is found for any arguments, but cannot be called with them.
	if len(args) > 0 && takesNothing(of, s.name) {
		return nil, fmt.Errorf("%s: want no arguments", s.name)
	}
	return nil, nil
}

// errNoMethod says that there is no method of that name for such arguments.
var errNoMethod = errors.New("no such method")

// errNull is the exception for null where a method wants a value.
var errNull = errors.New("null as an argument")

// bare are the methods that take no arguments, beside those of every value.
var bare = map[string][]string{
	"string":     {"length", "isEmpty", "isBlank", "toLowerCase", "toUpperCase", "trim", "strip", "stripLeading", "stripTrailing", "intern", "toCharArray"},
	"list":       {"size", "isEmpty", "clear", "iterator"},
	"map":        {"size", "isEmpty", "keySet", "values", "entrySet", "clear"},
	"collection": {"size", "isEmpty", "iterator"},
	"entry":      {"getKey", "getValue"},
	"iterator":   {"hasNext", "next"},
	"input":      {"params"},
	"number":     {"intValue", "longValue", "shortValue", "byteValue", "doubleValue", "floatValue", "isNaN", "isInfinite"},
	"bool":       {"booleanValue"},
	"loop":       {"getIndex", "getCount", "hasNext", "getHasNext", "isFirst", "getFirst", "isLast", "getLast", "getParent", "getTopmost", "getReplaced", "size", "isEmpty", "keySet", "values", "entrySet", "clear"},
}

// takesNothing reports whether a value has a method of that name without parameters.
func takesNothing(of any, name string) bool {
	kind := ""
	switch of.(type) {
	case utilObject, *block:
		return false
	case string:
		kind = "string"
	case *lenient.List, *array:
		kind = "list"
	case *lenient.Map, contextObject, stageObject:
		kind = "map"
	case *view:
		kind = "collection"
	case *entry:
		kind = "entry"
	case *iterator:
		kind = "iterator"
	case inputObject:
		kind = "input"
	case bool:
		kind = "bool"
	case *loop:
		kind = "loop"
	case float64:
		kind = "number"
	case int64, *big.Int, lenient.Decimal:
		if kind = "number"; name == "isNaN" || name == "isInfinite" {
			return false
		}
	}
	if kind != "input" && (name == "toString" || name == "hashCode") {
		return true
	}
	return slices.Contains(bare[kind], name)
}

// callValue is call for the methods that there are.
func (r *run) callValue(s *step, of any, args []any) (any, error) {
	switch of := of.(type) {
	case string:
		return r.callString(s, of, args)
	case *lenient.Map:
		return r.callMap(s, of, args)
	case *lenient.List:
		return r.callList(s, of, args)
	case inputObject:
		return r.callInput(s, args)
	case utilObject:
		return r.callUtil(s.name, args)
	case int64, float64, *big.Int, lenient.Decimal:
		return r.callNumber(s.name, of, args)
	case bool:
		return r.callBool(s.name, of, args)
	case contextObject:
		return r.callMap(s, r.context.all(), args)
	case stageObject:
		return r.callMap(s, r.stage.all(), args)
	case *array:
		return r.callArray(s, of, args)
	case *view:
		return r.callView(s.name, of, args)
	case *entry:
		return r.callEntry(s.name, of, args)
	case *iterator:
		return callIterator(s.name, of, args)
	case *loop:
		return r.callLoop(s, of, args)
	}
	return r.callObject(s.name, of, args)
}

// callObject calls a method that every value has.
func (r *run) callObject(name string, of any, args []any) (any, error) {
	switch {
	case name == "toString" && len(args) == 0:
		if _, ok := of.(*block); ok {
			return nil, nil
		}
		text, err := r.text(of)
		if err != nil {
			return nil, err
		}
		return r.made(text)
	case name == "equals" && len(args) == 1:
		if of == args[0] {
			return true, nil
		}
		return r.equal(of, args[0])
	case name == "hashCode" && len(args) == 0:
		h, err := r.hash(of, 0)
		return int64(h), err
	}
	return nil, errNoMethod
}

// hash returns the hash code that a value has in Java.
func (r *run) hash(v any, depth int) (int32, error) {
	if depth > r.limits.Depth {
		return 0, lenient.ErrTooDeep
	}
	if err := r.step(0); err != nil {
		return 0, err
	}
	items := func(items []any) (int32, error) {
		h := int32(1)
		for _, item := range items {
			one, err := r.hash(item, depth+1)
			if err != nil {
				return 0, err
			}
			h = 31*h + one
		}
		return h, nil
	}
	switch v := v.(type) {
	case string:
		return hashText(v), r.spend(len(v))
	case character:
		return hashText(string(v)), nil
	case bool:
		if v {
			return 1231, nil
		}
		return 1237, nil
	case int64, float64, *big.Int, lenient.Decimal:
		return hashNumber(v), nil
	case *lenient.List:
		return items(v.Items)
	case *view:
		h := int32(0)
		for _, item := range v.items() {
			one, err := r.hash(item, depth+1)
			if err != nil {
				return 0, err
			}
			h += one
		}
		return h, nil
	case *entry:
		key, err := r.hash(keyValue(v.key), depth+1)
		if err != nil {
			return 0, err
		}
		value, err := r.hash(v.value(), depth+1)
		return key ^ value, err
	case *loop:
		return r.hash(v.storage(), depth)
	case *lenient.Map:
		h := int32(0)
		for name, value := range v.All() {
			one, err := r.hash(value, depth+1)
			if err != nil {
				return 0, err
			}
			key, err := r.hash(keyValue(name), depth+1)
			if err != nil {
				return 0, err
			}
			h += key ^ one
		}
		return h, nil
	}
	return 0, nil
}

// callEntry calls a method of a member of a map.
func (r *run) callEntry(name string, e *entry, args []any) (any, error) {
	switch {
	case name == "getKey" && len(args) == 0:
		return keyValue(e.key), nil
	case name == "getValue" && len(args) == 0:
		return e.value(), nil
	case name == "setValue" && len(args) == 1:
		old := e.value()
		return old, r.put(e.of, e.key, args[0])
	}
	return r.callObject(name, e, args)
}

// callIterator calls a method of what iterator() gives.
func callIterator(name string, it *iterator, args []any) (any, error) {
	switch {
	case name == "hasNext" && len(args) == 0:
		return it.next < len(it.items), nil
	case name == "next" && len(args) == 0:
		if it.next >= len(it.items) {
			return nil, errIndex(it.next, len(it.items))
		}
		it.next++
		return it.items[it.next-1], nil
	}
	return nil, errNoMethod
}
