package function

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"
)

// violations are what is wrong with the members of a request, as the service lists it.
type violations []string

// maxShown is how many bytes of a value an error repeats.
const maxShown = 512

func (v *violations) add(value, member, constraint string, args ...any) {
	if len(value) > maxShown {
		value = strings.ToValidUTF8(value[:maxShown], "") + "..."
	}
	*v = append(*v, "Value '"+value+"' at '"+member+"' failed to satisfy constraint: "+fmt.Sprintf(constraint, args...))
}

// required reports whether a member is there.
func (v *violations) required(value *string, member string) bool {
	if value == nil {
		*v = append(*v, "Value null at '"+member+"' failed to satisfy constraint: Member must not be null")
	}
	return value != nil
}

// length checks how many characters a value has.
func (v *violations) length(value *string, member string, least, most int) {
	if value == nil {
		return
	}
	switch n := utf8.RuneCountInString(*value); {
	case n < least:
		v.add(*value, member, "Member must have length greater than or equal to %d", least)
	case n > most:
		v.add(*value, member, "Member must have length less than or equal to %d", most)
	}
}

func (v *violations) between(value *int, member string, least, most int) {
	switch {
	case value == nil:
	case *value < least:
		v.add(strconv.Itoa(*value), member, "Member must have value greater than or equal to %d", least)
	case *value > most:
		v.add(strconv.Itoa(*value), member, "Member must have value less than or equal to %d", most)
	}
}

func (v *violations) oneOf(value *string, member string, values ...string) {
	if value == nil {
		return
	}
	for _, one := range values {
		if one == *value {
			return
		}
	}
	v.add(*value, member, "Member must satisfy enum value set: [%s]", strings.Join(values, ", "))
}

// err returns the violations as one error; nil if there are none.
func (v violations) err() error {
	if len(v) == 0 {
		return nil
	}
	detected := "1 validation error"
	if len(v) > 1 {
		detected = strconv.Itoa(len(v)) + " validation errors"
	}
	return &Error{
		Status:  http.StatusBadRequest,
		Code:    "ValidationException",
		Message: detected + " detected: " + strings.Join(v, "; "),
	}
}
