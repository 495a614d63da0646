package function

import (
	"strconv"
	"strings"
	"testing"
)

// api is the start of the ARNs of the routes and authorizers of an API.
const api = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3"

func permissionsOf(statements ...Statement) *permissions {
	return compilePermissions(&Document{Policies: map[string]*Policy{"": {Statements: statements}}})
}

// invokeFrom is what add-permission makes for an API.
func invokeFrom(source string) Statement {
	return Statement{Sid: "s", Action: invokeAction, Principal: gatewayPrincipal, SourceARN: source}
}

func TestPermits(t *testing.T) {
	t.Parallel()
	const (
		pets       = api + "/prod/GET/pets/{id}"
		anyPets    = api + "/prod/ANY/pets"
		starPets   = api + "/prod/*/pets"
		byDefault  = api + "/$default/$default"
		authorizer = api + "/authorizers/x9"
	)
	with := func(change func(s *Statement)) Statement {
		s := invokeFrom(api + "/*")
		change(&s)
		return s
	}
	for _, tt := range []struct {
		name      string
		statement Statement
		source    string
		aliases   []string
		want      bool
	}{
		{"whole API", invokeFrom(api + "/*/*"), pets, nil, true},
		{"whole API, $default", invokeFrom(api + "/*/*"), byDefault, nil, true},
		{"whole API, one star", invokeFrom(api + "/*"), pets, nil, true},
		{"no source condition", invokeFrom(""), pets, nil, true},
		{"SAM, variables are stars", invokeFrom(api + "/*/GET/pets/*"), pets, nil, true},
		{"SAM, other method", invokeFrom(api + "/*/POST/pets/*"), pets, nil, false},
		{"SAM, $default", invokeFrom(api + "/*/$default"), byDefault, nil, true},
		{"CDK, variables stay", invokeFrom(api + "/*/*/pets/{id}"), pets, nil, true},
		{"CDK, other variable", invokeFrom(api + "/*/*/pets/{pet}"), pets, nil, false},
		{"CDK, $default", invokeFrom(api + "/*/$default"), byDefault, nil, true},
		{"concrete path", invokeFrom(api + "/*/GET/pets/7"), pets, nil, false},
		{"stage", invokeFrom(api + "/prod/*"), pets, nil, true},
		{"other stage", invokeFrom(api + "/beta/*"), pets, nil, false},
		{"other route", invokeFrom(api + "/*/GET/owners"), pets, nil, false},
		{"question mark", invokeFrom(api + "/pro?/*"), pets, nil, true},
		{"ANY as ANY", invokeFrom(api + "/*/ANY/pets"), anyPets, []string{starPets}, true},
		{"ANY as star", invokeFrom(api + "/*/*/pets"), anyPets, []string{starPets}, true},
		{"ANY by its second name", invokeFrom(api + "/*/GET/pets"), anyPets, []string{starPets, api + "/prod/GET/pets"}, true},
		{"ANY, other method", invokeFrom(api + "/*/POST/pets"), anyPets, []string{starPets, api + "/prod/GET/pets"}, false},
		{"authorizer", invokeFrom(api + "/authorizers/x9"), authorizer, nil, true},
		{"authorizers", invokeFrom(api + "/authorizers/*"), authorizer, nil, true},
		{"other authorizer", invokeFrom(api + "/authorizers/y8"), authorizer, nil, false},
		{"routes are no authorizers", invokeFrom(api + "/*/GET/*"), authorizer, nil, false},
		{"other API", invokeFrom("arn:aws:execute-api:us-east-1:123456789012:d4e5f6/*/*"), pets, nil, false},
		{"API with a longer ID", invokeFrom("arn:aws:execute-api:us-east-1:123456789012:a1b2c/*/*"), pets, nil, false},
		{"other account in the source", invokeFrom("arn:aws:execute-api:us-east-1:210987654321:a1b2c3/*/*"), pets, nil, false},
		{"other region", invokeFrom("arn:aws:execute-api:eu-west-1:123456789012:a1b2c3/*/*"), pets, nil, false},
		{"a star stays in its part", invokeFrom("arn:aws:execute-api:*/*"), pets, nil, false},
		{"a star for the account", invokeFrom("arn:aws:execute-api:us-east-1:*:a1b2c3/*"), pets, nil, true},
		{"no ARN", invokeFrom("*"), pets, nil, false},
		{"a variable", invokeFrom("arn:aws:execute-api:us-east-1:123456789012:${aws:PrincipalTag/api}/*"), pets, nil, false},
		{"the source as a variable", invokeFrom("${AWS:SourceArn}"), pets, nil, false},

		{"account", with(func(s *Statement) { s.SourceAccount = "123456789012" }), pets, nil, true},
		{"account alone", with(func(s *Statement) { s.SourceARN, s.SourceAccount = "", "123456789012" }), pets, nil, true},
		{"wrong account", with(func(s *Statement) { s.SourceAccount = "210987654321" }), pets, nil, false},
		{"organization", with(func(s *Statement) { s.OrgID = "o-1234567890" }), pets, nil, false},
		{"event source", with(func(s *Statement) { s.EventSourceToken = "token" }), pets, nil, false},
		{"function URL", with(func(s *Statement) { s.FunctionURLAuth = "NONE" }), pets, nil, false},
		{"by function URL", with(func(s *Statement) { s.InvokedViaFunctionURL = true }), pets, nil, false},

		{"everybody", with(func(s *Statement) { s.Principal = "*" }), pets, nil, true},
		{"owner", with(func(s *Statement) { s.Principal = "123456789012" }), pets, nil, true},
		{"root of the owner", with(func(s *Statement) { s.Principal = "arn:aws:iam::123456789012:root" }), pets, nil, true},
		{"another account", with(func(s *Statement) { s.Principal = "210987654321" }), pets, nil, false},
		{"root of another account", with(func(s *Statement) { s.Principal = "arn:aws:iam::210987654321:root" }), pets, nil, false},
		{"role of the owner", with(func(s *Statement) { s.Principal = "arn:aws:iam::123456789012:role/root" }), pets, nil, false},
		{"another service", with(func(s *Statement) { s.Principal = "s3.amazonaws.com" }), pets, nil, false},
		{"service of a similar name", with(func(s *Statement) { s.Principal = "apigateway.amazonaws.com.evil.example" }), pets, nil, false},

		{"all of lambda", with(func(s *Statement) { s.Action = "lambda:*" }), pets, nil, true},
		{"all", with(func(s *Statement) { s.Action = "*" }), pets, nil, true},
		{"pattern", with(func(s *Statement) { s.Action = "lambda:Invoke*" }), pets, nil, true},
		{"case of the action", with(func(s *Statement) { s.Action = "lambda:invokefunction" }), pets, nil, true},
		{"another action", with(func(s *Statement) { s.Action = "lambda:InvokeFunctionUrl" }), pets, nil, false},
		{"reading", with(func(s *Statement) { s.Action = "lambda:GetFunction" }), pets, nil, false},
		{"no action", with(func(s *Statement) { s.Action = "" }), pets, nil, false},

		{"source is no ARN", invokeFrom(""), "a1b2c3/prod/GET/pets", nil, false},
		{"source without account", invokeFrom(""), "arn:aws:execute-api:us-east-1::a1b2c3/x", nil, false},
		{"no source", invokeFrom(""), "", nil, false},
	} {
		if got := permissionsOf(tt.statement).permits("", tt.source, tt.aliases); got != tt.want {
			t.Errorf("%s: got %t for %s", tt.name, got, tt.source)
		}
	}
}

// Each qualifier has a policy of its own. That of the function is that of $LATEST too.
func TestPermitsQualifier(t *testing.T) {
	t.Parallel()
	one := []Statement{invokeFrom(api + "/*")}
	for _, tt := range []struct {
		policy, called string
		want           bool
	}{
		{"", "", true},
		{"", "$LATEST", true},
		{"", "live", false},
		{"", "1", false},
		{"live", "live", true},
		{"live", "", false},
		{"live", "$LATEST", false},
		{"live", "beta", false},
		{"1", "1", true},
		{"1", "live", false},
	} {
		p := compilePermissions(&Document{Policies: map[string]*Policy{tt.policy: {Statements: one}}})
		if got := p.permits(tt.called, api+"/prod/GET/pets", nil); got != tt.want {
			t.Errorf("policy of %q, called %q: got %t", tt.policy, tt.called, got)
		}
	}
	if (*permissions)(nil).permits("", api+"/x", nil) || compilePermissions(&Document{Policies: map[string]*Policy{"": nil}}).permits("", api+"/x", nil) {
		t.Error("permitted by nothing")
	}
}

// A statement that permits nothing does not take anything from the others.
func TestPermitsAny(t *testing.T) {
	t.Parallel()
	p := permissionsOf(invokeFrom("nonsense"), invokeFrom("arn:${"), invokeFrom(api+"/beta/*"), invokeFrom(api+"/prod/*"))
	if !p.permits("", api+"/prod/GET/pets", nil) {
		t.Error("not permitted")
	}
	if p.permits("", api+"/gamma/GET/pets", nil) {
		t.Error("permitted")
	}
}

func TestPermitsAllocations(t *testing.T) {
	p := permissionsOf(invokeFrom(api+"/beta/*"), invokeFrom(api+"/*/*/pets"))
	aliases := []string{api + "/prod/*/pets"}
	if n := testing.AllocsPerRun(100, func() {
		if !p.permits("", api+"/prod/ANY/pets", aliases) {
			t.Error("not permitted")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// What a policy remembers is bounded, is what it would decide anew, and is nobody
// else's memory.
func TestPermitsRemembers(t *testing.T) {
	t.Parallel()
	p := permissionsOf(invokeFrom(api + "/*/GET/*"))
	long := api + "/prod/GET/" + strings.Repeat("x", maxDecidedSource)
	for range 2 {
		for i := range 3 * maxDecided {
			method := []string{"GET", "PUT"}[i%2]
			if got := p.permits("", api+"/prod/"+method+"/"+strconv.Itoa(i), nil); got != (method == "GET") {
				t.Fatalf("%s: got %t", method, got)
			}
		}
		if !p.permits("", long, nil) {
			t.Error("a long source is not permitted")
		}
	}
	decided := *p.policies[""].decided.Load()
	if len(decided) > maxDecided {
		t.Errorf("%d decisions are remembered", len(decided))
	}
	if _, ok := decided[long]; ok {
		t.Error("a long source is remembered")
	}
}

func FuzzPermits(f *testing.F) {
	f.Add(api+"/*/GET/pets/*", api+"/prod/GET/pets/{id}", "123456789012")
	f.Add("arn:aws:*:??:*:${x}", "arn:::::", "")
	f.Fuzz(func(t *testing.T, pattern, source, account string) {
		s := invokeFrom(pattern)
		s.SourceAccount = account
		got := permissionsOf(s).permits("", source, nil)
		if got && strings.Count(source, ":") < 5 {
			t.Errorf("%q is permitted by %q", source, pattern)
		}
		if owner, _ := sourceAccount(source); got && account != "" && owner != account {
			t.Errorf("%q is permitted to account %q", source, account)
		}
		p := permissionsOf(s)
		first, remembered := p.permits("", source, nil), p.permits("", source, nil)
		if first != got || remembered != got {
			t.Errorf("%q is decided differently: %t, %t, %t", source, got, first, remembered)
		}
		if plain := !strings.ContainsAny(pattern, "*?$"); got && plain && pattern != "" && pattern != source {
			t.Errorf("%q is permitted by %q", source, pattern)
		}
	})
}

func BenchmarkPermits(b *testing.B) {
	for _, n := range []int{1, 10, 60} {
		var statements []Statement
		for i := range n - 1 {
			statements = append(statements, invokeFrom(api+"/*/*/route"+strconv.Itoa(i)+"/{id}"))
		}
		p := permissionsOf(append(statements, invokeFrom(api+"/*/*/pets/{id}"))...)
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.permits("", api+"/prod/GET/pets/{id}", nil)
			}
		})
		b.Run(strconv.Itoa(n)+"/first", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.policies[""].evaluate(api + "/prod/GET/pets/{id}")
			}
		})
	}
}
