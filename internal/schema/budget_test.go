package schema

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// costly are schemas and values that would take very long to check, or did in checkers
// that are not careful. Most are given up, some are simply done fast.
func costly() map[string][2]string {
	var oneOf, wide, properties strings.Builder
	for i := range 40 {
		fmt.Fprintf(&oneOf, `"d%d":{"oneOf":[{"$ref":"#/definitions/d%d"},{"$ref":"#/definitions/d%d"}]},`, i, i+1, i+1)
		fmt.Fprintf(&wide, `"d%d":{"allOf":[{"$ref":"#/definitions/d%d"},{"$ref":"#/definitions/d%d"}]},`, i, i+1, i+1)
	}
	for i := range 2000 {
		fmt.Fprintf(&properties, `"k%d":0,`, i)
	}
	var members, enum strings.Builder
	for i := range 90_000 {
		fmt.Fprintf(&members, `"m%d":0,`, i)
	}
	for i := range 4500 {
		fmt.Fprintf(&enum, `"%d",`, i)
	}
	var needs, patterns strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&needs, `"x%d":["m1"],`, i)
		fmt.Fprintf(&patterns, `"a%d(.*)b(.*)c":{},`, i)
	}
	list := func(n int, item string) string { return `[` + strings.Repeat(item+`,`, n-1) + item + `]` }
	distinct := func(n int, format string) string {
		all := make([]string, n)
		for i := range all {
			all[i] = fmt.Sprintf(format, i)
		}
		return `[` + strings.Join(all, ",") + `]`
	}
	return map[string][2]string{
		"oneOf, exponential":           {`{"$ref":"#/definitions/d0","definitions":{` + oneOf.String() + `"d40":{"type":"string"}}}`, `"a"`},
		"oneOf, exponential, no":       {`{"$ref":"#/definitions/d0","definitions":{` + oneOf.String() + `"d40":{"type":"string"}}}`, `1`},
		"allOf, exponential":           {`{"$ref":"#/definitions/d0","definitions":{` + wide.String() + `"d40":{}}}`, `1`},
		"not, exponential":             {`{"not":{"$ref":"#/definitions/d0"},"definitions":{` + wide.String() + `"d40":{}}}`, `1`},
		"anyOf at each level":          {`{"anyOf":[{"items":{"$ref":"#"},"minItems":1},{"items":{"$ref":"#"},"maxItems":1},{"type":"null"}]}`, strings.Repeat("[", 500) + "0" + strings.Repeat("]", 500)},
		"pattern, quadratic":           {`{"pattern":"(a+)+$"}`, `"` + strings.Repeat("a", 1<<20) + `b"`},
		"pattern, many instructions":   {`{"pattern":"(x{0,900}y?){0,1}$"}`, `"` + strings.Repeat("xy", 1<<19) + `"`},
		"pattern, for each element":    {`{"items":{"pattern":"(.{0,500})(b|c){0,100}$"}}`, list(50_000, `"aaaaaaaaaa"`)},
		"patternProperties":            {`{"patternProperties":{` + strings.TrimSuffix(patterns.String(), ",") + `}}`, `{` + members.String() + `"z":1}`},
		"uniqueItems":                  {`{"uniqueItems":true}`, distinct(99_000, `%d`)},
		"uniqueItems of lists":         {`{"uniqueItems":true,"items":{"uniqueItems":true}}`, list(300, list(300, `0`))},
		"uniqueItems at each level":    {`{"uniqueItems":true,"items":{"$ref":"#"}}`, strings.Repeat("[", 500) + distinct(90_000, `%d`) + strings.Repeat("]", 500)},
		"uniqueItems of objects":       {`{"uniqueItems":true}`, distinct(30_000, `{"b":%[1]d,"a":"x"}`)},
		"enum":                         {`{"items":{"enum":[` + enum.String() + `"x"]}}`, list(90_000, `"y"`)},
		"enum of what is large":        {`{"items":{"enum":[[1],{}]}}`, list(300, list(300, `0`))},
		"enum at each level":           {`{"anyOf":[{"enum":[[1]]},{"items":{"$ref":"#"}}]}`, strings.Repeat("[", 500) + list(90_000, `0`) + strings.Repeat("]", 500)},
		"required of many":             {`{"required":[` + enum.String() + `"x"]}`, `{` + members.String() + `"z":1}`},
		"dependencies of many":         {`{"dependencies":{` + needs.String() + `"z":["z"]}}`, `{` + members.String() + `"z":1}`},
		"multipleOf of long numbers":   {`{"items":{"multipleOf":` + strings.Repeat("7", 999) + `e-400}}`, list(1000, strings.Repeat("9", 999)+"e400")},
		"comparing long numbers":       {`{"items":{"minimum":` + strings.Repeat("7", 999) + `}}`, list(1000, strings.Repeat("7", 999))},
		"format of long strings":       {`{"items":{"format":"uri"}}`, list(10, `"http://`+strings.Repeat("a", 100_000)+`"`)},
		"names that are long":          {`{"additionalProperties":{"additionalProperties":false}}`, `{"` + strings.Repeat("a", 900_000) + `":{"` + strings.Repeat("b", 90_000) + `":1}}`},
		"all elements wrong":           {`{"items":{"type":"object"}}`, list(99_000, `1`)},
		"all elements wrong, by oneOf": {`{"items":{"oneOf":[{"minimum":5},{"maximum":-5},{"type":"null"}]}}`, list(99_000, `1`)},
		"deep rules under deep values": {strings.Repeat(`{"allOf":[`, 25) + `{"items":{"$ref":"#"}}` + strings.Repeat(`]}`, 25), strings.Repeat("[", 510) + strings.Repeat("]", 510)},
		"members":                      {`{"properties":{"a":{}}}`, `{` + members.String() + `"z":1}`},
	}
}

// No value takes long to check, under any schema.
func TestValidateTakesNoTime(t *testing.T) {
	for name, c := range costly() {
		s, err := Compile(c[0], nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		start := time.Now()
		err = s.Validate([]byte(c[1]))
		took := time.Since(start)
		reason := "valid"
		if err != nil {
			if reason = err.Error(); len(reason) > maxFaults*(maxPlace+2*maxQuoted+100) {
				t.Errorf("%s: the reason has %d bytes", name, len(reason))
			}
			reason = reason[:min(len(reason), 100)]
		}
		t.Logf("%-30s %6.1f ms %s", name, float64(took.Microseconds())/1000, reason)
		if took > 2*time.Second {
			t.Errorf("%s took %v", name, took)
		}
	}
}

// What has run out of steps is refused, also where a rule asks for something not to be.
func TestValidateGivesUpRefusing(t *testing.T) {
	t.Parallel()
	all := costly()
	for _, name := range []string{"oneOf, exponential", "allOf, exponential", "not, exponential", "patternProperties", "dependencies of many", "deep rules under deep values"} {
		for _, schema := range []string{all[name][0], `{"not":` + strings.ReplaceAll(all[name][0], `"#/`, `"#/not/`) + `}`} {
			err := compiled(t, schema).Validate([]byte(all[name][1]))
			if err == nil || err.Error() != "#: takes too many steps to check" {
				t.Errorf("%s: got %v", name, err)
			}
		}
	}
}
