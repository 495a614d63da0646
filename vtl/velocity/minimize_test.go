//go:build velocity

package velocity

// minimize returns the smallest example it finds in which package vtl and Velocity still
// differ in the same way: it takes away pieces of the template, great ones first, and the
// payload.
func minimize(e *engine, c example) example {
	kinds := func(c example) (bool, string) {
		a := e.ask([]example{c})[0]
		got, message := render(c.Template, c.Payload)
		differs := excused(a, got, message) == "" && !alike(got, a)
		return differs, a.kind + "/" + got.Err
	}
	_, kind := kinds(c)
	differs := func(c example) bool {
		yes, k := kinds(c)
		return yes && k == kind
	}
	if smaller := (example{Template: c.Template}); c.Payload != "" && differs(smaller) {
		c = smaller
	}
	text := []rune(c.Template)
	without := func(at, size int) bool {
		smaller := string(text[:at]) + string(text[at+size:])
		if !differs(example{Template: smaller, Payload: c.Payload}) {
			return false
		}
		text = []rune(smaller)
		return true
	}
	for size := len(text) / 2; size > 8; size /= 2 {
		for at := 0; at+size <= len(text); {
			if !without(at, size) {
				at += size / 2
			}
		}
	}
	for again := true; again; {
		again = false
		for size := min(24, len(text)); size > 0; size-- {
			for at := 0; at+size <= len(text); {
				if without(at, size) {
					again = true
				} else {
					at++
				}
			}
		}
	}
	c.Template = string(text)
	return c
}
