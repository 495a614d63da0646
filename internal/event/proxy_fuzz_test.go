package event

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"mime"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"penstock/internal/gateway"
)

// What follows says the rules of events once more, in maps, without a thought for speed.

// pairs are names and values in order.
type pairs [][2]string

// referenceHeader returns the fields that an event shows.
func referenceHeader(x *gateway.Exchange) (fields pairs) {
	canonical := func(name string) string { return strings.ReplaceAll(lowerASCII(name), "_", "-") }
	for _, f := range x.Request.Header {
		out := false
		for _, c := range x.Mapped.Header {
			same := lowerASCII(c.Name) == lowerASCII(f.Name) || canonical(c.Name) == canonical(f.Name) && strings.Contains(f.Name, "_")
			out = out || c.Kind != gateway.Append && same
		}
		if !out {
			fields = append(fields, [2]string{f.Name, f.Value})
		}
	}
	for _, c := range x.Mapped.Header {
		if c.Kind != gateway.Remove && lowerASCII(c.Name) != "host" {
			fields = append(fields, [2]string{c.Name, c.Value})
		}
	}
	kept := fields[:0]
	for _, f := range fields {
		c := canonical(f[0])
		alias := lowerASCII(f[0]) != c
		switch {
		case f[0] == "", c == "connection", c == "content-length", c == "expect", c == "host", c == "http2-settings", c == "keep-alive",
			c == "te", c == "trailer", c == "transfer-encoding", c == "upgrade",
			c == "x-forwarded-for", c == "x-forwarded-port", c == "x-forwarded-proto",
			strings.HasPrefix(c, "proxy-"), strings.HasPrefix(c, "x-amzn-"):
		case (c == "forwarded" || c == "via" || c == "x-forwarded-host") && alias:
		case strings.HasPrefix(c, "x-forwarded-") && c != "x-forwarded-host" && lowerASCII(f[0])[:12] != c[:12]:
		default:
			kept = append(kept, f)
		}
	}
	return kept
}

func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// referenceQuery returns the decoded parameters of a query, and the query as it is sent on.
func referenceQuery(x *gateway.Exchange) (parameters pairs, raw string) {
	raw = x.Request.Query
	for p := range strings.SplitSeq(raw, "&") {
		if p == "" {
			continue
		}
		name, value, _ := strings.Cut(p, "=")
		n, err1 := url.QueryUnescape(name)
		v, err2 := url.QueryUnescape(value)
		if err1 != nil || err2 != nil || !utf8.ValidString(n) || !utf8.ValidString(v) {
			n, v = name, value
		}
		parameters = append(parameters, [2]string{n, v})
	}
	return parameters, raw
}

// referenceText reports whether a body is text.
func referenceText(fields pairs, body []byte) bool {
	contentType, found := "", false
	for _, f := range fields {
		switch lowerASCII(f[0]) {
		case "content-encoding":
			return false
		case "content-type":
			if !found {
				contentType, found = f[1], true
			}
		}
	}
	media, _, _ := strings.Cut(contentType, ";")
	media = lowerASCII(strings.Trim(media, " \t"))
	if strings.HasPrefix(media, "text/") && media != "text/" {
		_, parameters, err := mime.ParseMediaType(contentType)
		charset := lowerASCII(parameters["charset"])
		if err == nil && charset != "" && charset != "utf-8" && charset != "utf8" && charset != "us-ascii" {
			return false
		}
		return utf8.Valid(body)
	}
	return utf8.Valid(body) && (media == "application/json" || media == "application/javascript" || media == "application/xml")
}

// referenceProxy adds to an event what depends on the input of the fuzzer.
func referenceProxy(x *gateway.Exchange, version string, body []byte) map[string]any {
	fields := referenceHeader(x)
	parameters, raw := referenceQuery(x)
	e := map[string]any{"version": version, "isBase64Encoded": false}
	own := map[string]string{"content-length": fmt.Sprint(len(body)), "host": x.Request.Host, "x-amzn-trace-id": "Root=1-67fda4eb-24224fe22c183c77042604f2",
		"x-forwarded-port": "80", "x-forwarded-proto": "http", "x-forwarded-for": "unknown"}
	forwarded := ""
	for _, f := range x.Request.Header {
		if lowerASCII(f.Name) == "x-forwarded-for" && f.Value != "" {
			forwarded += f.Value + ", "
		}
	}
	own["x-forwarded-for"] = forwarded + "unknown"
	for _, f := range x.Request.Header {
		if lowerASCII(f.Name) == "x-amzn-trace-id" && len(f.Value) <= 256 && strings.Contains(f.Value, "Root=") && strings.IndexFunc(f.Value, func(r rune) bool { return r < ' ' || r > '~' }) < 0 {
			own["x-amzn-trace-id"] = f.Value
			break
		}
	}
	for _, c := range x.Mapped.Header {
		switch {
		case lowerASCII(c.Name) == "host" && c.Kind != gateway.Remove:
			own["host"] = c.Value
		case lowerASCII(c.Name) == "x-forwarded-port" && c.Value != "":
			own["x-forwarded-port"] = c.Value
		case lowerASCII(c.Name) == "x-forwarded-port":
			delete(own, "x-forwarded-port")
		}
	}
	switch {
	case len(body) == 0:
	case referenceText(fields, body):
		e["body"] = string(body)
	default:
		e["body"], e["isBase64Encoded"] = base64.StdEncoding.EncodeToString(body), true
	}
	if version == "2.0" {
		header := map[string]string{}
		var cookies []string
		for _, f := range fields {
			name := lowerASCII(f[0])
			if name == "cookie" {
				for c := range strings.SplitSeq(f[1], ";") {
					if c = strings.Trim(c, " \t"); c != "" {
						cookies = append(cookies, c)
					}
				}
			} else if before, ok := header[name]; ok {
				header[name] = before + "," + f[1]
			} else {
				header[name] = f[1]
			}
		}
		for name, value := range own {
			header[name] = value
		}
		e["headers"], e["rawPath"], e["rawQueryString"] = header, x.Path, raw
		if cookies != nil {
			e["cookies"] = cookies
		}
		if parameters != nil {
			joined := map[string]string{}
			for _, p := range parameters {
				if before, ok := joined[p[0]]; ok {
					p[1] = before + "," + p[1]
				}
				joined[p[0]] = p[1]
			}
			e["queryStringParameters"] = joined
		}
		return e
	}
	titles := map[string]string{"authorization": "Authorization", "content-type": "Content-Type", "cookie": "Cookie", "user-agent": "User-Agent",
		"content-length": "Content-Length", "host": "Host", "x-amzn-trace-id": "X-Amzn-Trace-Id", "x-forwarded-for": "X-Forwarded-For", "x-forwarded-port": "X-Forwarded-Port", "x-forwarded-proto": "X-Forwarded-Proto"}
	first := map[string]string{}
	all, last := map[string][]string{}, map[string]string{}
	for _, f := range fields {
		lower := lowerASCII(f[0])
		if _, ok := first[lower]; !ok {
			if first[lower] = titles[lower]; first[lower] == "" {
				first[lower] = f[0]
			}
		}
		all[first[lower]], last[first[lower]] = append(all[first[lower]], f[1]), f[1]
	}
	for name, value := range own {
		all[titles[name]], last[titles[name]] = []string{value}, value
	}
	e["headers"], e["multiValueHeaders"], e["path"] = last, all, x.SentRawPath
	e["queryStringParameters"], e["multiValueQueryStringParameters"] = nil, nil
	if parameters != nil {
		lastOf, allOf := map[string]string{}, map[string][]string{}
		for _, p := range parameters {
			lastOf[p[0]], allOf[p[0]] = p[1], append(allOf[p[0]], p[1])
		}
		e["queryStringParameters"], e["multiValueQueryStringParameters"] = lastOf, allOf
	}
	if len(body) == 0 {
		e["body"] = nil
	}
	return e
}

// fuzzProxy: whatever the request is, its event is a JSON object with each member once, and
// says what the reference says.
func fuzzProxy(f *testing.F, version string, write func([]byte, *gateway.Exchange, []byte) []byte, constant ...string) {
	f.Add("a=1&b=%zz&a=2", "X-A", "\xff\"", "x-a", "2", "/\x01", "s=1;;t", "application/json", "{}", uint8(0))
	f.Add("%00=%0a&+", "X_Forwarded_For", "1", "Cookie", ";", "/a", "", "text/plain; charset=latin1", "\x80", uint8(1))
	f.Add("&=&", "x-forwarded-host", "1", "X_Forwarded_Host", "2", "/a", "", "text/x", "\"\\\x00\x1fabcdefghijklmnü", uint8(2))
	f.Add("a", "Via", "1", "X-Forwarded-Port", "2", "/a", "", "image/png", "ab", uint8(3))
	f.Add("a", "content-encoding", "gzip", "hOST", "2", "/a", "", "text/x", "ab", uint8(2))
	f.Add("a", "X_B", "old", "x-b", "new", "/a", "", "text/x;charset=\"utf-8\"", "ab", uint8(2))
	x := posted(f)
	f.Fuzz(func(t *testing.T, query, name1, value1, name2, value2, path, cookies, contentType, body string, change uint8) {
		for _, c := range name1 + name2 {
			if c <= ' ' || c > '~' || c == '"' || c == '\\' {
				return // names of fields are tokens
			}
		}
		if _, _, err := mime.ParseMediaType(contentType); err != nil && strings.Contains(contentType, ";") {
			return // what is malformed is read in another way
		}
		if strings.ContainsAny(contentType, "\\*%") || strings.Count(lowerASCII(contentType), "charset") > 1 || strings.Count(contentType, "\"")%2 != 0 || strings.Contains(contentType, "\"\"") {
			return
		}
		x.Mapped = gateway.Mapped{}
		x.Request.Query, x.Path, x.SentRawPath = query, path, path
		x.Request.Header = []gateway.Field{{Name: name1, Value: value1}, {Name: "Content-Type", Value: contentType}, {Name: "Cookie", Value: cookies}}
		switch change % 4 {
		case 0:
			x.Request.Header = append(x.Request.Header, gateway.Field{Name: name2, Value: value2})
		case 1, 2, 3:
			x.Mapped.Header = []gateway.Change{{Kind: gateway.ChangeKind(change%4 - 1), Name: name2, Value: value2}}
			if change%4 == 1 {
				x.Mapped.Header[0].Value = ""
			}
		}
		b := write(nil, x, []byte(body))
		once(t, b)
		got := decode(t, b)
		for _, name := range constant {
			if _, ok := got[name]; !ok {
				t.Errorf("no %s", name)
			}
			delete(got, name)
		}
		text, err := json.Marshal(referenceProxy(x, version, []byte(body)))
		if err != nil {
			t.Fatal(err)
		}
		if want := decode(t, text); !reflect.DeepEqual(got, want) {
			t.Errorf("got\n%v\nwant\n%v", got, want)
		}
	})
}

func FuzzProxy20(f *testing.F) {
	fuzzProxy(f, "2.0", AppendProxy20, "routeKey", "requestContext", "pathParameters", "stageVariables")
}

func FuzzProxy10(f *testing.F) {
	fuzzProxy(f, "1.0", AppendProxy10, "resource", "httpMethod", "requestContext", "pathParameters", "stageVariables")
}
