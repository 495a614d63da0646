package vtl

import (
	"math/big"

	"penstock/internal/lenient"
)

// call calls a method of a value. The methods are those of the Java types that values have
// in the service, except what reaches beyond the value. A method that does not exist, or
// not for such arguments, gives nil; one that throws an exception in Java gives an error.
func (r *run) call(s *step, of any, args []any) (any, error) {
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
		return callLoop(s.name, of, args)
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
	return nil, nil
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
	case *array:
		return items(v.items)
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
	return nil, nil
}
