package main

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"penstock"
)

// configuration returns what serve would work with.
func configuration(t *testing.T, file string, environ []string, flags serveCommand) (penstock.Config, error) {
	t.Helper()
	if file != "" {
		flags.Config = filepath.Join(t.TempDir(), "penstock.yaml")
		if err := os.WriteFile(flags.Config, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return flags.config(environ)
}

func TestConfigurationErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, file string
		want       string // after the name of the file
	}{
		{"unknown key", "admin: 127.0.0.1:1\nlissten: 127.0.0.1:2\n", `:2: unknown key "lissten"; the nearest known key is "listen"`},
		{"unknown key below", "limits:\n  # bytes\n  bodyy: 1\n", `:3: unknown key "limits.bodyy"; the nearest known key is "limits.body"`},
		{"key of another place", "body: 1\n", `:1: unknown key "body"; the nearest known key is "limits.body"`},
		{"letter case", "accountID: 1\n", `:1: unknown key "accountID"; the nearest known key is "accountId"`},
		{"beginning of a key", "endpointSuf: a\n", `:1: unknown key "endpointSuf"; the nearest known key is "endpointSuffix"`},
		{"unknown key in a list", "credentials:\n  - accessKeyId: A\n    secretKey: hush\n", `:3: unknown key "credentials[0].secretKey"; the nearest known key is "credentials[0].secretAccessKey"`},
		{"key without field", "Logger: a\n", `:1: unknown key "Logger"; the nearest known key is "log"`},
		{"hidden key", "'-': a\n", `:1: unknown key "-"`},
		{"not a number", "limits:\n  body: ten\n", `:2: limits.body: want a whole number, got "ten"`},
		{"not a whole number", "limits:\n  routes: 1.5\n", `:2: limits.routes: want a whole number, got "1.5"`},
		{"number out of range", "limits:\n  body: 99999999999999999999\n", `:2: limits.body: want a whole number`},
		{"not a fraction", "limits:\n  controlPlaneRate: fast\n", `:2: limits.controlPlaneRate: want a number, got "fast"`},
		{"not a boolean", "memory: yes\n", `:1: memory: want true or false, got "yes"`},
		{"not an optional boolean", "allowPrivateUpstreams: 1\n", `:1: allowPrivateUpstreams: want true or false, got "1"`},
		{"not a duration", "drainTimeout: 30\n", `:1: drainTimeout: want a duration such as 30s or 5m, got "30"`},
		{"list for a text", "region: [a]\n", `:1: region: want a text, not a list or keys`},
		{"keys for a text", "region: {a: b}\n", `:1: region: want a text, not a list or keys`},
		{"text for keys", "limits: many\n", `:1: limits: want keys and values, such as body: …`},
		{"text for a list", "credentials: hush\n", `:1: credentials: want a list`},
		{"text in a list", "credentials: [hush]\n", `:1: credentials[0]: want keys and values, such as accessKeyId: …`},
		{"no value", "region:\n", `:1: region has no value: give one or leave the key out`},
		{"twice", "region: a\nadmin: b\nregion: c\n", `:3: region is there twice, first in line 1`},
		{"list", "- region: a\n", `:1: want keys and values, such as listen: …`},
		{"second document", "region: a\n---\nregion: b\n", `:2: a second document begins: want one`},
		{"alias", "region: &hush a\nadmin: *hush\n", `:2: admin: aliases are not understood: write the value out`},
		{"unknown anchor", "credentials: [{secretAccessKey: *hush}]\n", `: this is not YAML: a value that begins with * must stand in quotes`},
		{"list for names", "functions: [a]\n", `:1: functions: want names and values, such as name: …`},
		{"name twice", "functions:\n  a: {runtime: x}\n  b: {runtime: y}\n  a: {runtime: z}\n", `:4: functions.a is there twice, first in line 2`},
		{"unknown key of a name", "functions:\n  a:\n    handle: x\n", `:3: unknown key "functions.a.handle"; the nearest known key is "functions.a.handler"`},
		{"hidden key of a name", "functions:\n  a:\n    Invoke: x\n", `:3: unknown key "functions.a.Invoke"`},
		{"keys for a name", "functions: {a: {environment: {K: {}}}}\n", `:1: functions.a.environment.K: want a text, not a list or keys`},
		{"text for a command", "functionHost: {commands: {java21: java}}\n", `:1: functionHost.commands.java21: want a list`},
		{"not a delay", "functionHost: {retryDelays: [soon]}\n", `:1: functionHost.retryDelays[0]: want a duration such as 30s or 5m, got "soon"`},
		{"not YAML", "region: a\n  b: c\n", `:2: this is not YAML: `},
		{"tab", "limits:\n\tbody: 1\n", `:2: this is not YAML: `},
	} {
		_, err := configuration(t, tt.file, nil, serveCommand{})
		if err == nil {
			t.Errorf("%s: no error", tt.name)
			continue
		}
		_, got, _ := strings.Cut(err.Error(), "penstock.yaml")
		if !strings.HasPrefix(got, tt.want) || strings.Contains(got, "hush") {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}

	for _, tt := range []struct{ name, variable, want string }{
		{"unknown", "PENSTOCK_LISSTEN=a", "unknown environment variable PENSTOCK_LISSTEN; the nearest known one is PENSTOCK_LISTEN"},
		{"beginning", "PENSTOCK_LOG=debug", "unknown environment variable PENSTOCK_LOG; the nearest known one is PENSTOCK_LOG_FORMAT"},
		{"number", "PENSTOCK_LIMITS_BODY=ten", `PENSTOCK_LIMITS_BODY: limits.body: want a whole number, got "ten"`},
		{"boolean", "PENSTOCK_ALLOW_PRIVATE_UPSTREAMS=yes", `PENSTOCK_ALLOW_PRIVATE_UPSTREAMS: allowPrivateUpstreams: want true or false, got "yes"`},
		{"list", "PENSTOCK_CREDENTIALS=hush", "PENSTOCK_CREDENTIALS: credentials: want a list"},
		{"key in a list", "PENSTOCK_CREDENTIALS=[{accessKey: A, secretAccessKey: hush}]", `PENSTOCK_CREDENTIALS: unknown key "credentials[0].accessKey"; the nearest known key is "credentials[0].accessKeyId"`},
		{"file", "PENSTOCK_CONFIG=/nonexistent/penstock.yaml", "read configuration: open /nonexistent/penstock.yaml"},
	} {
		_, err := configuration(t, "", []string{tt.variable}, serveCommand{})
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
}

// Flags override the environment, which overrides the file, which overrides the
// defaults.
func TestConfigurationOrder(t *testing.T) {
	t.Parallel()
	file := `
# A comment.
listen: 127.0.0.1:1
admin: 127.0.0.1:2
region: eu-west-1
accountId: 012345678901
drainTimeout: 1m30s
allowPrivateUpstreams: false
credentials:
  - accessKeyId: FILE
    secretAccessKey: "*hush"
functions:
  hello: {runtime: nodejs22.x, handler: index.handler, code: ./hello, timeout: 10s, memory: 256, environment: {TABLE: pets, N: 1}}
  other: {runtime: provided.al2023, code: other.zip, concurrency: 2}
functionHost:
  commands: {java21: [java, -jar, f.jar]}
  enforcePermissions: true
  retryDelays: [1s, 2s]
remoteFunctions:
  - functions: "*"
    endpoint: http://127.0.0.1:4566
roles:
  - {arn: "arn:aws:iam::000000000000:role/a", profile: p, policy: {Statement: []}}
limits:
  body: 1
  controlPlaneRate: 0.5
log: {level: debug}
`
	environ := []string{
		"EDITOR=vi", "PENSTOCK_ADMIN=127.0.0.1:3", "PENSTOCK_REGION=eu-west-2", "PENSTOCK_LIMITS_IN_MEMORY_BODY=2", "PENSTOCK_DATA=",
		"PENSTOCK_CREDENTIALS=[{accessKeyId: ENV, secretAccessKey: hush, sessionToken: token}]", "PENSTOCK_ALLOW_PRIVATE_UPSTREAMS=true",
		// Not ours.
		"PENSTOCK_SERVICE_HOST=10.0.0.1", "PENSTOCK_PORT=tcp://10.0.0.1:80", "PENSTOCK_PORT_80_TCP_ADDR=10.0.0.1", "PENSTOCK_KILL_ROUNDS=5",
	}
	got, err := configuration(t, file, environ, serveCommand{Region: new("eu-west-3"), LogFormat: new("json")})
	if err != nil {
		t.Fatal(err)
	}
	want := penstock.DefaultConfig()
	want.Listen = "127.0.0.1:1"
	want.Admin = "127.0.0.1:3"
	want.Region = "eu-west-3"
	want.AccountID = "012345678901"
	want.DrainTimeout = 90 * time.Second
	want.AllowPrivateUpstreams = new(true)
	want.Credentials = []penstock.Credential{{AccessKeyID: "ENV", SecretAccessKey: "hush", SessionToken: "token"}}
	want.Limits.Body, want.Limits.InMemoryBody, want.Limits.ControlPlaneRate = 1, 2, 0.5
	want.Log = penstock.Log{Level: "debug", Format: "json"}
	want.Functions = map[string]penstock.Function{
		"hello": {Runtime: "nodejs22.x", Handler: "index.handler", Code: "./hello", Timeout: 10 * time.Second, Memory: 256, Environment: map[string]string{"TABLE": "pets", "N": "1"}},
		"other": {Runtime: "provided.al2023", Code: "other.zip", Concurrency: 2},
	}
	want.FunctionHost.Commands = map[string][]string{"java21": {"java", "-jar", "f.jar"}}
	want.FunctionHost.EnforcePermissions = new(true)
	want.FunctionHost.RetryDelays = []time.Duration{time.Second, 2 * time.Second}
	want.RemoteFunctions = []penstock.RemoteFunction{{Functions: "*", Endpoint: "http://127.0.0.1:4566"}}
	want.Roles = []penstock.Role{{ARN: "arn:aws:iam::000000000000:role/a", Profile: "p", Policy: `{"Statement":[]}`}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}

	for _, tt := range []struct {
		name, file string
		environ    []string
		flags      serveCommand
		data       string
		memory     bool
	}{
		{"default", "", nil, serveCommand{}, "penstock-data", false},
		{"comments only", "# nothing\n", nil, serveCommand{}, "penstock-data", false},
		{"memory in the file", "memory: true", nil, serveCommand{}, "penstock-data", true},
		{"data by flag", "memory: true", nil, serveCommand{settings: settings{Data: new("d")}}, "d", false},
		{"memory by flag", "data: d", nil, serveCommand{Memory: new(true)}, "d", true},
		{"memory by variable", "data: d", []string{"PENSTOCK_MEMORY=true"}, serveCommand{}, "d", true},
	} {
		c, err := configuration(t, tt.file, tt.environ, tt.flags)
		if err != nil || c.Data != tt.data || c.Memory != tt.memory {
			t.Errorf("%s: got data %q, memory %v (%v), want %q, %v", tt.name, c.Data, c.Memory, err, tt.data, tt.memory)
		}
	}
}

// Every key can be set by its variable.
func TestEnvironment(t *testing.T) {
	t.Parallel()
	for _, key := range allKeys(reflect.TypeFor[penstock.Config](), "") {
		v := reflect.ValueOf(new(penstock.Config)).Elem()
		text := map[reflect.Kind]string{
			reflect.String: "7", reflect.Int: "7", reflect.Float64: "7", reflect.Bool: "true", reflect.Pointer: "true",
		}
		f := v
		for part := range strings.SplitSeq(key, ".") {
			f, _ = fieldOf(f, part)
		}
		value := text[f.Kind()]
		if f.Kind() == reflect.Slice {
			value = "[a]"
			switch of := f.Type().Elem(); {
			case of.Kind() == reflect.Struct:
				value = "[{" + keysOf(of)[0] + ": A}]"
			case of == reflect.TypeFor[time.Duration]():
				value = "[7s]"
			}
		}
		if f.Kind() == reflect.Map {
			value = "{a: [b]}"
			if of := f.Type().Elem(); of.Kind() == reflect.Struct {
				value = "{a: {" + keysOf(of)[0] + ": A}}"
			} else if of.Kind() == reflect.String {
				value = "{a: b}"
			}
		}
		if f.Kind() == reflect.Int64 {
			value = "7"
			if f.Type() == reflect.TypeFor[time.Duration]() {
				value = "7s"
			}
		}
		if err := readEnvironment(v, map[string]string{variable(key): value}); err != nil || f.IsZero() {
			t.Errorf("%s=%s: %s is %v (%v)", variable(key), value, key, f, err)
		}
	}
}

var update = flag.Bool("update", false, "rewrite docs/configuration.md")

// TestConfigurationPage holds docs/configuration.md to the comments of the
// configuration, and these to the defaults.
func TestConfigurationPage(t *testing.T) {
	t.Parallel()
	want := configurationPage(t)
	file := filepath.Join("..", "..", "docs", "configuration.md")
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what the comments say: run go generate ./...", file)
	}
}

const configurationHead = `<!-- Made from the comments in config.go, traffic.go, functions.go, upstreams.go, sockets.go and limits.go by go generate; edit those. -->

# Configuration

Penstock is configured by a YAML file, ` + "`penstock serve --config FILE`" + `. Every key has
a default; an empty file is one that works:

` + "```yaml" + `
listen: 127.0.0.1:8080
admin: 127.0.0.1:8081
data: /var/lib/penstock
credentials:
  - accessKeyId: AKIAIOSFODNN7EXAMPLE
    secretAccessKey: wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
limits:
  body: 1048576
log:
  format: json
` + "```" + `

Unknown keys, values of another type and keys that are there twice are errors that
name the line.

An environment variable overrides the file, a flag overrides both. The variable of a
key is ` + "`PENSTOCK_`" + ` and the key in capitals, with ` + "`_`" + ` between words: ` + "`limits.inMemoryBody`" + `
is ` + "`PENSTOCK_LIMITS_IN_MEMORY_BODY`" + `. ` + "`PENSTOCK_CONFIG`" + ` names the file. An unknown variable
that begins with ` + "`PENSTOCK_`" + ` is an error, but for those that Kubernetes sets beside a
service called penstock. ` + "`penstock serve --help`" + ` lists the flags.
`

// configurationPage makes the page.
func configurationPage(t *testing.T) []byte {
	fset := token.NewFileSet()
	comments := map[string]string{} // by Type.Field
	for _, name := range []string{"config.go", "traffic.go", "functions.go", "upstreams.go", "sockets.go", "limits.go"} {
		source, err := parser.ParseFile(fset, filepath.Join("..", "..", name), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range source.Decls {
			d, ok := d.(*ast.GenDecl)
			if !ok || d.Tok != token.TYPE {
				continue
			}
			for _, spec := range d.Specs {
				if s, ok := spec.(*ast.TypeSpec).Type.(*ast.StructType); ok {
					for _, f := range s.Fields.List {
						comments[spec.(*ast.TypeSpec).Name.Name+"."+f.Names[0].Name] = f.Doc.Text()
					}
				}
			}
		}
	}
	p := &page{t: t, comments: comments, keys: map[string]string{}}
	config := reflect.TypeFor[penstock.Config]()
	p.learn(config, "")
	p.WriteString(configurationHead)
	p.section(reflect.ValueOf(penstock.DefaultConfig()), "", "##")
	return p.Bytes()
}

// A page is the reference page being written.
type page struct {
	bytes.Buffer
	t        *testing.T
	comments map[string]string
	keys     map[string]string // by Type.Field
}

// learn finds the keys of a struct and of those in it.
func (p *page) learn(typ reflect.Type, under string) {
	for i := range typ.NumField() {
		f := typ.Field(i)
		key := under + f.Tag.Get("yaml")
		p.keys[typ.Name()+"."+f.Name] = key
		switch {
		case f.Type.Kind() == reflect.Struct:
			p.learn(f.Type, key+".")
		case f.Type.Kind() == reflect.Slice && f.Type.Elem().Kind() == reflect.Struct:
			p.learn(f.Type.Elem(), key+"[].")
		case f.Type.Kind() == reflect.Map && f.Type.Elem().Kind() == reflect.Struct:
			p.learn(f.Type.Elem(), key+".{name}.")
		}
	}
}

var (
	reference   = regexp.MustCompile(`\[(\w+\.\w+)\]`)
	defaultText = regexp.MustCompile(`Default: ([^ ]*[^ .])`)
)

// section writes about the keys of a struct.
func (p *page) section(v reflect.Value, under, heading string) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name := v.Type().Name() + "." + f.Name
		key, text := p.keys[name], p.comments[name]
		if f.Tag.Get("yaml") == "-" {
			continue
		}
		first, rest, _ := strings.Cut(text, " ")
		if first != f.Name {
			p.t.Errorf("the comment of %s begins with %q", name, first)
		}
		text = reference.ReplaceAllStringFunc("`"+f.Tag.Get("yaml")+"` "+rest, func(link string) string {
			key := p.keys[link[1:len(link)-1]]
			if key == "" {
				p.t.Errorf("the comment of %s links to nothing: %s", name, link)
			}
			return "`" + key + "`"
		})
		p.checkDefault(name, text, v.Field(i))
		doc := new(comment.Parser).Parse(text)
		fmt.Fprintf(p, "\n%s %s\n\n", heading, key)
		if kind := kindText(v.Field(i)); kind != "" {
			fmt.Fprintf(p, "%s", kind)
			if !strings.Contains(key, "[]") && !strings.Contains(key, "{name}") {
				fmt.Fprintf(p, ", `%s`", variable(key))
			}
			fmt.Fprint(p, "\n\n")
		}
		p.Write((&comment.Printer{TextWidth: 80}).Text(doc))
		switch v.Field(i).Kind() {
		case reflect.Struct:
			p.section(v.Field(i), key+".", heading+"#")
		case reflect.Slice:
			if of := v.Field(i).Type().Elem(); of.Kind() == reflect.Struct {
				p.section(reflect.New(of).Elem(), key+"[].", heading+"#")
			}
		case reflect.Map:
			if of := v.Field(i).Type().Elem(); of.Kind() == reflect.Struct {
				p.section(reflect.New(of).Elem(), key+".{name}.", heading+"#")
			}
		}
	}
}

// kindText says what a key takes; nothing for a group of keys.
func kindText(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Struct:
		return ""
	case reflect.Slice:
		return "A list"
	case reflect.Map:
		return "Names and values"
	case reflect.Pointer:
		v = reflect.New(v.Type().Elem()).Elem()
	default:
		v = reflect.New(v.Type()).Elem()
	}
	w := wanted(v)
	return strings.ToUpper(w[:1]) + w[1:]
}

// checkDefault compares what a comment says with what is.
func (p *page) checkDefault(name, text string, v reflect.Value) {
	if v.Kind() == reflect.Struct {
		return
	}
	says := defaultText.FindStringSubmatch(strings.ReplaceAll(text, "\n", " "))
	if says == nil {
		if v.Kind() != reflect.String || !strings.Contains(text, "Required.") {
			p.t.Errorf("the comment of %s says no default", name)
		}
		return
	}
	is := fmt.Sprint(v)
	switch {
	case v.Kind() == reflect.Slice, v.Kind() == reflect.Map, v.Kind() == reflect.String && is == "":
		is = "none"
	case v.Kind() == reflect.Pointer:
		return // it depends
	}
	if says[1] != is {
		p.t.Errorf("the comment of %s says that the default is %q, it is %q", name, says[1], is)
	}
}
