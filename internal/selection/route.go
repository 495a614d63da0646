package selection

// Select returns what the text of an expression selects among the routes of an API by
// their keys, and otherwise $default, if there is one.
//
// Texts that begin with a dollar sign select nothing by themselves: the keys of control
// events are not for clients to choose, who could otherwise have $connect and $disconnect
// run whenever they like, and other keys of that kind are reserved. Empty text selects
// nothing either.
func Select[T any](routes map[string]T, text []byte) (route T, found bool) {
	if len(text) > 0 && text[0] != '$' {
		if route, found = routes[string(text)]; found {
			return route, true
		}
	}
	route, found = routes[defaultKey]
	return route, found
}

// SelectRoute returns the route of a message. One whose key cannot be evaluated, because it
// is not JSON or for another reason, is for $default, if there is such a route. The error
// says why, for logs: there may be a route nevertheless.
func SelectRoute[T any](routes map[string]T, e *Expression, v *Values) (route T, found bool, err error) {
	var buf [256]byte
	text, err := e.Append(buf[:0], v)
	if err != nil {
		text = nil
	}
	route, found = Select(routes, text)
	return route, found, err
}
