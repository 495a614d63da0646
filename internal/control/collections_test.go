package control

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"penstock/internal/model"
)

// A bench is a fixture with a server.
type bench struct {
	*tester
	fixture
	fixed
	creating, getting, listing, updating, deleting *model.Operation
}

func (f fixture) on(s *tester) bench {
	s.Helper()
	b := bench{tester: s, fixture: f}
	named := func(names ...string) *model.Operation {
		s.Helper()
		for _, name := range names {
			if op := model.FindOperation(name); op != nil {
				return op
			}
		}
		s.Fatalf("no operation is called one of %q", names)
		return nil
	}
	b.creating = named("Create" + f.kind)
	b.getting = named("Get" + f.kind)
	b.listing = named("Get"+f.kind+"s", "List"+f.kind+"s")
	b.updating = named("Update"+f.kind, "Put"+f.kind)
	b.deleting = named("Delete" + f.kind)
	b.fixed = f.make(s)
	return b
}

// eachCollection runs a test of every collection, with a server of its own.
func eachCollection(t *testing.T, test func(b bench)) {
	for _, f := range fixtures {
		t.Run(f.kind, func(t *testing.T) {
			t.Parallel()
			test(f.on(newTester(t)))
		})
	}
}

func (b bench) item(made map[string]any) string {
	return b.path + "/" + url.PathEscape(id(made, b.idMember))
}

func (b bench) create(body string) map[string]any {
	b.Helper()
	return b.call(b.creating.Status, "POST", b.path, body)
}

func (b bench) read(path string) map[string]any {
	b.Helper()
	return b.call(b.getting.Status, "GET", path, "")
}

func (b bench) change(path, body string) map[string]any {
	b.Helper()
	return b.call(b.updating.Status, b.updating.Method, path, body)
}

func (b bench) remove(path string) {
	b.Helper()
	b.call(b.deleting.Status, "DELETE", path, "")
}

// settled returns what a get answers, from what the create has.
func (b bench) settled(made map[string]any) string {
	b.Helper()
	if b.created == "" {
		return text(made)
	}
	b.shows(made, b.created)
	return with(text(made), `{"vpcLinkStatus":"AVAILABLE","vpcLinkStatusMessage":"VPC link is ready to route traffic"}`)
}

// alike returns an item without what tells it from others with the same input.
func (b bench) alike(made map[string]any) string {
	form := text(made)
	if b.idForm != nil {
		form = strings.ReplaceAll(form, id(made, b.idMember), "ID")
	}
	if b.random != nil {
		form = b.random.ReplaceAllString(form, "")
	}
	return form
}

// required returns the members of an update that it must have.
func (b bench) required() string {
	var all map[string]any
	if err := json.Unmarshal([]byte(b.update), &all); err != nil {
		b.Fatal(err)
	}
	maps.DeleteFunc(all, func(name string, _ any) bool { return !find(b.updating.Input, name).Required })
	return text(all)
}

// find returns a member that is in the body, or an empty one.
func find(s *model.Shape, name string) model.Member {
	for _, m := range s.Members {
		if m.Name == name && m.Location == model.Body {
			return m
		}
	}
	return model.Member{}
}

// dump returns all that is stored. The date of the newest deployment there ever was
// is left out: it is meant to stay.
func (b bench) dump() string {
	var all strings.Builder
	for _, stored := range b.store.List("") {
		fmt.Fprintf(&all, "%s %s\n", stored.Key, lastDeployment.ReplaceAll(stored.Data, nil))
	}
	return all.String()
}

var lastDeployment = regexp.MustCompile(`,"lastDeployment":"[^"]*"`)

// notFoundText is what is said of an item that does not exist.
func notFoundText(kind, id string) string {
	switch kind {
	case "Api":
		return "Invalid API identifier specified 123456789012:" + id
	case "Stage":
		return "Invalid stage identifier specified"
	case "Deployment":
		return "Invalid Deployment identifier specified"
	case "DomainName":
		return "Invalid domain name identifier specified"
	default:
		return "Invalid " + kind + " identifier specified " + id
	}
}

// Every collection has a fixture: no kind is left out when one is added.
func TestCollectionFixtures(t *testing.T) {
	var kinds []string
	for _, op := range model.Operations {
		kind, ok := strings.CutPrefix(op.Name, "Create")
		if !ok {
			continue
		}
		kinds = append(kinds, kind)
		if !slices.ContainsFunc(fixtures, func(f fixture) bool { return f.kind == kind }) {
			t.Errorf("%s has no fixture", kind)
		}
	}
	if len(kinds) != 17 || len(fixtures) != 17 {
		t.Errorf("%d kinds, %d fixtures, want 17", len(kinds), len(fixtures))
	}
}

// What was created is read, listed once, and gone when it is deleted; everything
// else stays as it was.
func TestCollectionLife(t *testing.T) {
	eachCollection(t, func(b bench) {
		empty := b.dump()
		if got := b.do("GET", b.path, "").body; got != `{"`+b.listing.Result+`":[]}` {
			b.Errorf("the list of nothing is %s", got)
		}
		others := []map[string]any{}
		if b.most == 0 {
			others = append(others, b.create(b.body(0)), b.create(b.body(1)))
		}
		before := b.dump()
		made := b.create(b.full)
		b.conforms(b.creating.Output, made)
		path := b.item(made)
		if b.idForm != nil && !b.idForm.MatchString(id(made, b.idMember)) {
			b.Errorf("ID %q, want the form %v", id(made, b.idMember), b.idForm)
		}
		got := b.read(path)
		b.conforms(b.getting.Output, got)
		if want := b.settled(made); text(got) != want {
			b.Errorf("read %s\ncreated %s", text(got), want)
		}
		if again := b.read(path); text(again) != text(got) {
			b.Errorf("read %s and then %s", text(got), text(again))
		}
		listed := b.list(b.path + "?maxResults=100")
		b.conforms(b.listing.Output, map[string]any{b.listing.Result: anys(listed)})
		if n := len(others) + 1; len(listed) != n {
			b.Errorf("%d items are listed, want %d", len(listed), n)
		}
		found := 0
		for _, entry := range listed {
			if id(entry, b.idMember) != id(made, b.idMember) {
				continue
			}
			found++
			for name, value := range entry { // a summary has some members of the item
				if own, ok := got[name]; ok && text(own) != text(value) {
					b.Errorf("%s is listed as %s and read as %s", name, text(value), text(own))
				}
			}
		}
		if found != 1 {
			b.Errorf("it is listed %d times", found)
		}
		for _, other := range others {
			if text(b.read(b.item(other))) != b.settled(other) {
				b.Errorf("another item has changed: %s", text(b.read(b.item(other))))
			}
		}
		b.remove(path)
		if after := b.dump(); after != before {
			b.Errorf("after the delete there is\n%s\nwant\n%s", after, before)
		}
		unknown := notFoundText(b.kind, id(made, b.idMember))
		b.refuse(404, unknown, "GET", path, "")
		b.refuse(404, unknown, b.updating.Method, path, b.required())
		b.refuse(404, unknown, "DELETE", path, "")
		if left := b.list(b.path + "?maxResults=100"); len(left) != len(others) {
			b.Errorf("%d items are listed after the delete, want %d", len(left), len(others))
		}
		for _, other := range others {
			b.remove(b.item(other))
		}
		if after := b.dump(); after != empty {
			b.Errorf("after all deletes there is\n%s\nwant\n%s", after, empty)
		}
	})
}

// The pages of a list have each item once, in one order, whatever their size.
func TestCollectionPages(t *testing.T) {
	eachCollection(t, func(b bench) {
		n := 4
		if b.most > 0 {
			n = b.most
		}
		want := map[string]bool{}
		for i := range n {
			want[id(b.create(b.body(i)), b.idMember)] = true
		}
		whole := b.list(b.path + "?maxResults=100")
		for _, entry := range whole {
			delete(want, id(entry, b.idMember))
		}
		if len(whole) != n || len(want) != 0 {
			b.Fatalf("%d items are listed of %d, without %v", len(whole), n, want)
		}
		for _, size := range []int{1, 2, 3, n} {
			if paged := b.list(b.path + "?maxResults=" + strconv.Itoa(size)); text(paged) != text(whole) {
				b.Errorf("pages of %d: %s, want %s", size, text(paged), text(whole))
			}
		}
		token := ""
		for i := range n {
			got := b.call(200, "GET", b.path+"?maxResults=1&nextToken="+url.QueryEscape(token), "")
			if items := got[b.listing.Result].([]any); len(items) != 1 {
				b.Errorf("page %d has %d items", i, len(items))
			}
			if token = id(got, "nextToken"); (token == "") != (i == n-1) {
				b.Errorf("page %d of %d has the token %q", i, n, token)
			}
		}
		b.refuse(400, "Invalid maxResults value", "GET", b.path+"?maxResults=0", "")
		b.refuse(400, "Invalid token", "GET", b.path+"?nextToken=x", "")
	})
}

// An update changes what it sends and keeps the rest; what is sent as it is changes
// nothing; a null is not sent. That holds for an item with what is required and for
// one with everything.
func TestCollectionUpdates(t *testing.T) {
	eachCollection(t, func(b bench) {
		for _, body := range []string{b.body(0), b.full} {
			path := b.item(b.create(body))
			b.keeps(path)
			b.changes(path)
			b.remove(path)
		}
	})
}

// keeps makes updates that change nothing.
func (b bench) keeps(path string) {
	b.Helper()
	before := b.read(path)
	base := b.echo(before)
	nulls := map[string]any{}
	for _, m := range b.updating.Input.Members {
		if m.Location == model.Body && !m.Required {
			nulls[m.Name] = nil
		}
	}
	bodies := []string{base, merged(base, nulls)}
	for name, value := range before {
		m, out := find(b.updating.Input, name), find(b.getting.Output, name)
		if m.Shape != nil && m.Shape == out.Shape {
			bodies = append(bodies, with(base, `{"`+name+`":`+text(value)+`}`))
		}
	}
	for _, body := range bodies {
		if got := b.change(path, body); text(got) != text(before) {
			b.Errorf("an update with %s\nmakes %s\n  was %s", body, text(got), text(before))
		}
	}
}

// changes makes the update of the fixture.
func (b bench) changes(path string) {
	b.Helper()
	before := b.read(path)
	got := b.change(path, b.update)
	b.conforms(b.updating.Output, got)
	names := maps.Clone(before)
	maps.Copy(names, got)
	var changed []string
	for name := range names {
		if text(before[name]) != text(got[name]) {
			changed = append(changed, name)
		}
	}
	for _, name := range changed {
		if _, sent := decodeText(b.update)[name]; !sent {
			b.Errorf("%s was not sent and is now %s, before %s", name, text(got[name]), text(before[name]))
		}
	}
	if len(changed) == 0 {
		b.Errorf("the update has changed nothing: %s", text(got))
	}
	if read := b.read(path); text(read) != text(got) {
		b.Errorf("read %s\nupdated %s", text(read), text(got))
	}
}

// echo returns those members of an item that an update must send.
func (b bench) echo(item map[string]any) string {
	members := map[string]any{}
	for name, value := range item {
		if find(b.updating.Input, name).Required {
			members[name] = value
		}
	}
	return text(members)
}

// merged returns an object with members added, nulls as they are.
func merged(object string, more map[string]any) string {
	var members map[string]any
	if err := json.Unmarshal([]byte(object), &members); err != nil {
		panic(err)
	}
	maps.Copy(members, more)
	return text(members)
}

// What only the server says, and what nobody knows, is ignored in a body, whatever
// its value.
func TestCollectionReadOnlyMembers(t *testing.T) {
	eachCollection(t, func(b bench) {
		made := b.create(b.full)
		want := b.alike(made)
		b.remove(b.item(made))
		foreign := func(op *model.Operation) map[string]any {
			more := map[string]any{"unknown": []any{1, nil, map[string]any{"a": "b"}}, "Name": 7, "": "x"}
			for _, m := range b.getting.Output.Members {
				if find(op.Input, m.Name).Shape == nil {
					more[m.Name] = map[string]any{"planted": 7}
				}
			}
			return more
		}
		body := merged(b.full, foreign(b.creating))
		made = b.create(body)
		if got := b.alike(made); got != want {
			b.Errorf("%s\nmakes %s\n want %s", body, got, want)
		}
		path := b.item(made)
		before := b.read(path)
		body = merged(b.echo(before), foreign(b.updating))
		if got := b.change(path, body); text(got) != text(before) {
			b.Errorf("%s\nmakes %s\n want %s", body, text(got), text(before))
		}
		if strings.Contains(b.dump(), "planted") {
			b.Error("a member that was to be ignored is stored")
		}
	})
}

// What stands in a path and does not exist is told, and is told of the parent before
// the body is looked at.
func TestCollectionUnknown(t *testing.T) {
	eachCollection(t, func(b bench) {
		made := b.create(b.full)
		whole := b.item(made)
		before := b.dump()
		for _, name := range []string{"zzzzzz", strings.Repeat("z", 64), strings.Repeat("z", 65), "..", "a/b", "A", "ä", "\x00", " ", id(made, b.idMember) + "x"} {
			path, unknown := b.path+"/"+strings.ReplaceAll(url.PathEscape(name), "..", "%2E%2E"), notFoundText(b.kind, name)
			b.refuse(404, unknown, "GET", path, "")
			b.refuse(404, unknown, b.updating.Method, path, b.required())
			b.refuse(404, unknown, "DELETE", path, "")
		}
		template, segments := strings.Split(b.getting.Path, "/"), strings.Split(whole, "/")
		for i, label := range template[:len(template)-1] {
			if !strings.HasPrefix(label, "{") {
				continue
			}
			kind := strings.TrimSuffix(strings.Trim(label, "{}"), "Id")
			kind = strings.ToUpper(kind[:1]) + kind[1:]
			elsewhere := slices.Clone(segments)
			elsewhere[i] = "zzzzzz"
			item := strings.Join(elsewhere, "/")
			collection := strings.Join(elsewhere[:len(elsewhere)-1], "/")
			unknown := notFoundText(kind, "zzzzzz")
			b.refuse(404, unknown, "POST", collection, `{"`)
			b.refuse(404, unknown, "GET", collection, "")
			b.refuse(404, unknown, "GET", item, "")
			b.refuse(404, unknown, b.updating.Method, item, `{"`)
			b.refuse(404, unknown, "DELETE", item, "")
		}
		if r := b.do(b.updating.Method, b.path+"/zzzzzz", `{"`); r.status != 400 && strings.Count(b.getting.Path, "{") > 1 {
			b.Errorf("an update of nothing that is no JSON: got %d %s, want 400", r.status, r.body)
		}
		if after := b.dump(); after != before {
			b.Error("a refused call has changed something")
		}
	})
}

// An item of one parent is not reached through another.
func TestCollectionForeignParents(t *testing.T) {
	eachCollection(t, func(b bench) {
		if strings.Count(b.getting.Path, "{") < 2 {
			return // it has no parent
		}
		other := b.fixture.make(b.tester)
		if other.path == b.path {
			b.Fatalf("one parent: %s", b.path)
		}
		made := b.create(b.full)
		own, foreign := strings.Split(b.item(made), "/"), strings.Split(other.path, "/")
		template := strings.Split(b.getting.Path, "/")
		before := b.dump()
		for mask := 1; mask < 4; mask++ { // the first parent, the second, both
			mixed, parents := slices.Clone(own), 0
			kind, name := b.kind, id(made, b.idMember)
			for i, label := range template[:len(template)-1] {
				if !strings.HasPrefix(label, "{") {
					continue
				}
				if parents++; mask&parents != 0 {
					mixed[i] = foreign[i]
				}
			}
			if path := strings.Join(mixed, "/"); path != strings.Join(own, "/") {
				if parents == 2 && mask != 3 { // the second parent is not in the first
					kind = strings.TrimSuffix(b.kind, "Response")
					name = mixed[len(mixed)-3]
				}
				unknown := notFoundText(kind, name)
				if b.idForm == nil {
					unknown = notFoundText(kind, "")
				}
				b.refuse(404, unknown, "GET", path, "")
				b.refuse(404, unknown, b.updating.Method, path, other.updateBase(b))
				b.refuse(404, unknown, "DELETE", path, "")
			}
		}
		if after := b.dump(); after != before {
			b.Errorf("a refused call has changed something: %s", after)
		}
		if got := text(b.read(b.item(made))); got != b.settled(made) {
			b.Errorf("the item is now %s, was %s", got, b.settled(made))
		}
	})
}

func (f fixed) updateBase(b bench) string {
	b.fixed = f
	return b.required()
}

// Two items of one parent differ in what the kind says; where it says nothing, two
// with the same input stand beside each other.
func TestCollectionDuplicates(t *testing.T) {
	eachCollection(t, func(b bench) {
		first := b.create(b.full)
		if b.unique == "" {
			second := b.create(b.full)
			if id(first, b.idMember) == id(second, b.idMember) || b.alike(first) != b.alike(second) {
				b.Errorf("got %s and %s", text(first), text(second))
			}
			return
		}
		value := first[b.unique]
		message := b.shared
		if strings.Contains(message, "%s") {
			message = fmt.Sprintf(message, strings.Trim(text(value), `"`))
		}
		b.refuse(b.status, message, "POST", b.path, b.full)
		same := `{"` + b.unique + `":` + text(value) + `}`
		b.refuse(b.status, message, "POST", b.path, with(b.body(0), same))
		if b.most == 0 && find(b.updating.Input, b.unique).Shape != nil {
			path := b.item(b.create(b.body(0)))
			b.refuse(b.status, message, b.updating.Method, path, with(b.required(), same))
			b.remove(path)
		}
		b.remove(b.item(first))
		b.create(b.full)
	})
}

// Every change under an API is deployed to the stages that follow changes.
func TestCollectionsDeployAutomatically(t *testing.T) {
	for _, f := range fixtures {
		if !slices.Contains([]string{"Authorizer", "Integration", "IntegrationResponse", "Model", "Route", "RouteResponse"}, f.kind) {
			continue
		}
		t.Run(f.kind, func(t *testing.T) {
			b := f.on(newTester(t))
			api := strings.Join(strings.Split(b.path, "/")[:4], "/")
			key := "GET /served"
			if b.call(200, "GET", api, "")["protocolType"] == "WEBSOCKET" {
				key = "served"
			}
			b.route(api, key, b.integration(api))
			b.call(201, "POST", api+"/stages", `{"stageName":"live","autoDeploy":true}`)
			deployed := func(after string, want int) {
				b.Helper()
				if n := len(b.list(api + "/deployments?maxResults=100")); n != want {
					b.Errorf("%d deployments after %s, want %d", n, after, want)
				}
			}
			deployed("the stage", 1)
			path := b.item(b.create(b.full))
			deployed("a create", 2)
			b.change(path, b.update)
			deployed("an update", 3)
			b.remove(path)
			deployed("a delete", 4)
			b.refuse(404, notFoundText(b.kind, "zzzzzz"), "DELETE", b.path+"/zzzzzz", "")
			deployed("a refusal", 4)
		})
	}
}

// Every member that is required, every enumeration, every length and every range is
// checked: the answer names the member and nothing is stored.
func TestCollectionLimits(t *testing.T) {
	eachCollection(t, func(b bench) {
		made := b.create(b.full)
		seen := map[string]bool{}
		for _, door := range b.doors(made) {
			for _, m := range door.op.Input.Members {
				if m.Location != model.Body {
					continue
				}
				for _, bad := range violations(m.Shape, m.Name, m.Own, m.Patch) {
					message := "Invalid request input: " + bad.message
					if bad.own {
						message = b.ownMessage(bad, seen)
					}
					b.refuse(400, message, door.op.Method, door.path, merged(door.base, map[string]any{m.Name: bad.value}))
					if bad.edge == nil {
						continue
					}
					body := merged(door.base, map[string]any{m.Name: bad.edge})
					if _, err := door.op.Decode([]byte(body), nil, nil); err != nil {
						b.Errorf("%s is just inside the limits: %v", body, err)
					}
				}
				if !m.Required && m.Own&model.OwnRequired == 0 {
					continue
				}
				message := "Invalid request input: " + m.Name + " is required"
				if m.Own&model.OwnRequired != 0 {
					message = b.ownMessage(violation{path: m.Name, limit: "required"}, seen)
				}
				for _, without := range []string{with(door.base, `{"`+m.Name+`":null}`), merged(door.base, map[string]any{m.Name: nil})} {
					if message != "" {
						b.refuse(400, message, door.op.Method, door.path, without)
					} else if r := b.do(door.op.Method, door.path, without); r.status != door.op.Status {
						b.Errorf("without %s: got %d %s", m.Name, r.status, r.body)
					} else {
						b.remove(b.item(decodeText(r.body)))
					}
				}
			}
		}
		for key := range b.own {
			if !seen[key] {
				b.Errorf("the fixture has a message for %s, which the model does not leave to the server", key)
			}
		}
	})
}

// ownMessage returns the message of a limit that the model leaves to the server.
func (b bench) ownMessage(v violation, seen map[string]bool) string {
	b.Helper()
	key := v.path + " " + v.limit
	message, ok := b.own[key]
	if !ok {
		b.Errorf("the fixture has no message for %s", key)
	}
	seen[key] = true
	return message
}

// A value of the wrong type is told from one outside its limits.
func TestCollectionTypes(t *testing.T) {
	eachCollection(t, func(b bench) {
		made := b.create(b.full)
		for _, door := range b.doors(made) {
			for _, m := range door.op.Input.Members {
				if m.Location != model.Body {
					continue
				}
				for _, bad := range wrongTypes(m.Shape, m.Name) {
					body := merged(door.base, map[string]any{m.Name: bad.value})
					b.refuse(400, bad.message, door.op.Method, door.path, body)
					if r := b.do(door.op.Method, door.path, body); r.header.Get("x-amzn-ErrorType") != "SerializationException" {
						b.Errorf("%s: error type %s", body, r.header.Get("x-amzn-ErrorType"))
					}
				}
			}
			for _, body := range []string{`[]`, `"x"`, `7`, `true`} {
				b.refuse(400, "the body: must be an object", door.op.Method, door.path, body)
			}
			b.refuse(400, "the body is not JSON: byte 1: unexpected end of JSON input", door.op.Method, door.path, `{`)
			b.refuse(400, "the body is not UTF-8", door.op.Method, door.path, "{\"a\":\"\xff\"}")
		}
	})
}

// A member that is there and empty, wherever it stands, is refused or makes something
// that can be read. Both are said in an answer that the service could give.
func TestCollectionEmpties(t *testing.T) {
	eachCollection(t, func(b bench) {
		for _, op := range []*model.Operation{b.creating, b.updating} {
			for _, m := range op.Input.Members {
				if m.Location != model.Body {
					continue
				}
				for _, value := range empties(m.Shape) {
					method, path, base := op.Method, b.path, b.full
					if op == b.updating {
						path = b.item(b.create(b.full))
						base = b.required()
					}
					body := merged(base, map[string]any{m.Name: value})
					r := b.do(method, path, body)
					if r.status >= 500 || !json.Valid([]byte(r.body)) {
						b.Errorf("%s %s: got %d %s", method, body, r.status, r.body)
					}
					made := decodeText(r.body)
					if op == b.creating && r.status == op.Status {
						path = b.item(made)
					}
					if path == b.path {
						continue // it was refused, and there is nothing
					}
					got := b.read(path)
					if r.status == op.Status && text(got) != b.settledAs(op, made) {
						b.Errorf("%s %s\nmakes %s\n read %s", method, body, text(made), text(got))
					}
					b.conforms(b.getting.Output, got)
					b.list(b.path + "?maxResults=1")
					b.remove(path)
				}
			}
		}
	})
}

func (b bench) settledAs(op *model.Operation, made map[string]any) string {
	if op == b.creating {
		return b.settled(made)
	}
	return text(made)
}
