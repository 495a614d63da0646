package penstock_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The boundaries between packages, each with its reason. A package may import
// the packages of this module that its row names; nothing else. Adding an arrow
// means adding it here, with a reason that holds.
var boundaries = []struct {
	pkg    string
	may    []string
	reason string
}{
	{"internal/model", nil,
		"shapes and documents are what the planes agree on; they depend on nobody"},
	{"internal/model/generate", nil,
		"the generator reads two JSON files and writes Go"},
	{"internal/route", nil,
		"route keys and tables are a small language of their own"},
	{"internal/sigv4", nil,
		"signing knows requests, not what they ask for"},
	{"internal/store", nil,
		"the store keeps bytes under keys; what they mean is the control plane's business"},
	{"internal/store/ledger", []string{"internal/store"},
		"an engine persists commits and knows nothing above"},
	{"internal/store/storetest", []string{"internal/store"},
		"one suite for every engine"},
	{"internal/openapi", []string{"internal/model"},
		"a document becomes a description and back; whether it may be is the control plane's business"},
	{"internal/jsontree", nil,
		"JSON text becomes a tree; what it says, and how a place in it is written, is its reader's business"},
	{"internal/policy", []string{"internal/jsontree"},
		"policies are JSON text and know actions, resources and condition keys, not what they are about"},
	{"internal/schema", []string{"internal/jsontree"},
		"JSON Schema is a language of its own, written in JSON text"},
	{"internal/audit", nil,
		"lines about calls are written in one place, whatever was called"},
	{"internal/control", []string{"internal/audit", "internal/model", "internal/openapi", "internal/policy", "internal/route", "internal/schema", "internal/store"},
		"the control plane writes documents; it never sees a compiled stage, so it can neither serve nor break traffic"},
	{"internal/certificate", nil,
		"certificates and trust stores are files; who shows them to whom is no concern of theirs"},
	{"internal/gateway", []string{"internal/route"},
		"the data plane serves snapshots; it never sees a stored document, so no store failure reaches a request"},
	{"internal/gateway/gatewaytest", []string{"internal/gateway", "internal/route"},
		"what tests have gateways serve is made in one place"},
	{"internal/lenient", nil,
		"JSON as templates know it is a language of its own"},
	{"internal/jsonpath", []string{"internal/lenient"},
		"paths into JSON text, and queries of values, are small languages of their own"},
	{"internal/selection", []string{"internal/jsonpath", "internal/lenient"},
		"selection expressions choose by messages; what is chosen is their caller's business"},
	{"vtl", []string{"internal/jsonpath", "internal/lenient"},
		"templates know values and queries; where they come from is their caller's business"},
	{"internal/connection", nil,
		"connections carry messages; what these mean is no concern of theirs"},
	{"internal/journal", nil,
		"which connections are open is kept in a file; what their ends mean is no concern of it"},
	{"internal/provenance", []string{"internal/gateway"},
		"what tells who asked is known in one place, for events and backends alike"},
	{"internal/mapping", []string{"internal/gateway", "internal/jsonpath", "internal/provenance", "internal/route"},
		"expressions name parts of an exchange; who evaluates them is no concern of theirs"},
	{"internal/integration", []string{"internal/event", "internal/gateway", "internal/mapping", "internal/provenance"},
		"integrations answer exchanges; they are compiled from plain specs, not from documents"},
	{"internal/event", []string{"internal/gateway", "internal/mapping", "internal/provenance"},
		"events are what functions see of an exchange; who calls them is no concern of theirs"},
	{"internal/functionlog", nil,
		"lines are kept and read; who writes them is no concern of theirs"},
	{"internal/lambda", []string{"internal/functionlog"},
		"the host runs functions as processes; who calls them, and why they may, is no concern of its"},
	{"internal/lambda/bootstrap", nil,
		"what runs handlers is two scripts and how to start them"},
	{"internal/lambda/source", nil,
		"code is files; who runs them is no concern of theirs"},
	{"internal/credential", []string{"internal/integration"},
		"credentials are found for ARNs; what is signed with them is no concern of theirs"},
	{"internal/service", []string{"internal/credential", "internal/gateway", "internal/integration", "internal/sigv4"},
		"services are called with what others have put together"},
	{"internal/subtype", []string{"internal/event", "internal/gateway", "internal/integration", "internal/jsonpath", "internal/jsontree", "internal/mapping"},
		"a subtype makes one call of a service out of a request; who sends it is no concern of its"},
	{"internal/upstream", []string{"internal/integration"},
		"groups of endpoints are chosen from; who finds them is known below, who calls them above"},
	{"internal/upstream/cloudmap", []string{"internal/upstream"},
		"a source of instances, like the others"},
	{"internal/upstream/dns", []string{"internal/upstream"},
		"a source of instances, like the others"},
	{"internal/upstream/elb", []string{"internal/upstream"},
		"a source of instances, like the others"},
	{"internal/lambda/remote", []string{"internal/credential", "internal/integration", "internal/sigv4"},
		"functions elsewhere are called in the same way as those here, but signed"},
	{"internal/function", []string{"internal/audit", "internal/integration", "internal/lambda", "internal/lambda/source", "internal/policy", "internal/store"},
		"which functions there are, and who may call them, is known in one place; how they run is the host's business, what calls them the gateway's"},
	{"internal/authorizer", []string{"internal/event", "internal/gateway", "internal/integration", "internal/jsontree", "internal/mapping", "internal/policy", "internal/sigv4"},
		"authorizers decide about exchanges; they are compiled from plain specs, and their caches outlive snapshots"},
	{"internal/pipeline", []string{"internal/event", "internal/gateway", "internal/integration", "internal/jsonpath", "internal/lenient", "internal/mapping", "internal/provenance", "internal/selection", "vtl"},
		"an event goes through its integration; which route that is, and whose connection, is known above"},
	{"internal/websocket", []string{"internal/authorizer", "internal/connection", "internal/event", "internal/gateway", "internal/journal", "internal/mapping", "internal/pipeline", "internal/schema", "internal/selection"},
		"the runtime of WebSocket APIs ties connections to stages; it is compiled from plain values, not from documents"},
	{"internal/issuertest", nil,
		"an issuer of tokens for tests is a server like any other"},
	{"internal/accesslog", nil,
		"sinks take lines, whatever is in them"},
	{"internal/tracing", []string{"internal/gateway"},
		"traces follow exchanges and decide nothing"},
	{"internal/validation", []string{"internal/gateway", "internal/schema"},
		"bodies are checked against schemas, before an integration sees them"},
	{"internal/compile", []string{"internal/authorizer", "internal/gateway", "internal/integration", "internal/mapping", "internal/model", "internal/pipeline", "internal/route", "internal/schema", "internal/selection", "internal/store", "internal/subtype", "internal/validation", "internal/websocket"},
		"the one place where documents meet snapshots"},
	{"", []string{"internal/accesslog", "internal/audit", "internal/authorizer", "internal/certificate", "internal/compile", "internal/connection", "internal/control", "internal/credential", "internal/function", "internal/functionlog", "internal/gateway", "internal/integration", "internal/journal", "internal/lambda", "internal/lambda/bootstrap", "internal/lambda/remote", "internal/model", "internal/policy", "internal/schema", "internal/service", "internal/sigv4", "internal/store", "internal/store/ledger", "internal/tracing", "internal/upstream", "internal/upstream/cloudmap", "internal/upstream/dns", "internal/upstream/elb", "internal/websocket"},
		"the root package wires everything, and only wires"},
	{"cmd/penstock", []string{"", "internal/function", "internal/sigv4", "internal/store", "internal/store/ledger", "vtl"},
		"the command is a user of the root package; it signs its own calls; backup and restore work on a store without a server"},
}

// Packages of other modules that only some files may import.
var confined = []struct {
	module string
	files  []string // path patterns
	reason string
}{
	{"github.com/valyala/fasthttp", []string{"internal/gateway/*_test.go", "internal/integration/*_test.go", "bench/fasthttp/main.go"},
		"a witness in tests and a row in benchmarks; see docs/design/0005-connection-loop.md"},
	{"golang.org/x/net", []string{"internal/gateway/http2*.go", "internal/gateway/*_test.go", "*_test.go", "internal/integration/dialer*.go"},
		"frames of HTTP/2 are read in one place; SOCKS5 is spoken in one"},
	{"github.com/caddyserver/certmagic", []string{"internal/certificate/acme*.go"},
		"one file orders certificates, nothing else knows by what"},
	{"go.uber.org/zap", []string{"internal/certificate/acme*.go"},
		"certmagic logs with it, we do not"},
	{"net/http", []string{"internal/gateway/errors.go", "internal/gateway/upgrade.go", "internal/connection/*_test.go", "internal/gateway/http2.go", "internal/gateway/http2_stream.go", "internal/gateway/response.go", "internal/gateway/server.go", "internal/gateway/cors.go", "internal/gateway/*_test.go",
		"internal/authorizer/iam.go", "internal/authorizer/issuer.go", "internal/authorizer/*_test.go", "internal/issuertest/*.go", "internal/mapping/*_test.go", "internal/tracing/*.go",
		"internal/integration/http.go", "internal/integration/*_test.go", "internal/control/*.go", "internal/sigv4/*.go",
		"*.go", "cmd/penstock/*.go", "bench/*/*.go", "conformance/*.go", "internal/compile/*_test.go", "internal/model/*.go", "internal/certificate/*_test.go",
		"internal/audit/*.go", "internal/function/*.go", "internal/pipeline/*_test.go", "internal/websocket/*.go", "internal/lambda/remote/*.go", "internal/credential/*.go", "internal/service/*_test.go", "internal/subtype/*_test.go", "internal/upstream/*.go", "internal/upstream/*/*.go", "internal/lambda/*_test.go", "internal/lambda/bootstrap/*_test.go"},
		"net/http serves the control plane, and fetches keys; the data plane takes its constants, and its form of HTTP/2 and signed requests"},
	{"github.com/golang-jwt/jwt", []string{"internal/authorizer/*.go"},
		"tokens are verified in one place"},
	{"go.opentelemetry.io/", []string{"internal/tracing/*.go"},
		"one package knows how traces travel"},
	{"penstock/internal/issuertest", []string{"*_test.go", "*/*_test.go", "internal/*/*_test.go"},
		"a server does not carry an issuer for tests"},
	{"github.com/aws/aws-sdk-go-v2", []string{"*_test.go", "*/*_test.go", "internal/*/*_test.go", "internal/*/*/*_test.go", "internal/credential/*.go", "internal/service/*.go", "internal/upstream/cloudmap/*.go", "internal/upstream/elb/*.go", "cmd/penstock/demo*.go", "internal/lambda/remote/*.go", "internal/function/stream*.go"},
		"the SDK is a client, of tests and of the demo, which is one; it finds credentials, asks AWS where private integrations lead, and knows the form of streamed answers"},
	{"github.com/aws/aws-lambda-go", []string{"*_test.go", "*/*_test.go", "internal/*/*_test.go", "cmd/penstock/demo*.go", "conformance/functions/*/*.go", "bench/*/*.go"},
		"functions are written with it; what runs them is not"},
	{"github.com/santhosh-tekuri/jsonschema", []string{"internal/schema/*.go"},
		"one package compiles schemas, nothing else knows by what"},
	{"github.com/gobwas/ws", []string{"internal/connection/*.go"},
		"one package knows the frames of WebSocket"},
	{"github.com/coder/websocket", []string{"internal/*/*_test.go", "*_test.go", "cmd/penstock/ws*.go", "cmd/penstock/demo*.go", "cmd/penstock/*_test.go", "conformance/*_test.go"},
		"a client: of tests, of penstock ws, which is one, and of the demo"},
	{"go.etcd.io/bbolt", []string{"internal/store/ledger/*.go"},
		"one engine is built on bbolt, nothing else knows it"},
	{"testing", []string{"*_test.go", "*/*_test.go", "*/*/*_test.go", "*/*/*/*_test.go", "internal/store/storetest/*.go", "internal/issuertest/*.go", "internal/gateway/gatewaytest/*.go"},
		"a server does not carry a test framework"},
	{"unsafe", []string{"internal/gateway/exchange.go", "internal/integration/head.go", "internal/mapping/field.go", "internal/route/path.go"},
		"bytes are viewed as strings in four places, each with the lifetime said"},
}

// A source is the imports of one file.
type source struct {
	file, pkg string
	test      bool
	imports   []string
}

// sources parses the import clauses of every Go file of the module. It reads the
// tree in this process: what a child read would be invisible to the test cache.
func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	fset := token.NewFileSet()
	err := filepath.WalkDir(".", func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() {
			if name := e.Name(); p != "." && (strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules") {
				return filepath.SkipDir
			}
			if _, err := os.Stat(filepath.Join(p, "go.mod")); err == nil && p != "." {
				return filepath.SkipDir // another module
			}
			return nil
		}
		if !strings.HasSuffix(p, ".go") {
			return nil
		}
		f, err := parser.ParseFile(fset, p, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		s := source{file: filepath.ToSlash(p), test: strings.HasSuffix(p, "_test.go")}
		if s.pkg = path.Dir(s.file); s.pkg == "." {
			s.pkg = ""
		}
		for _, i := range f.Imports {
			s.imports = append(s.imports, strings.Trim(i.Path.Value, `"`))
		}
		all = append(all, s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 20 {
		t.Fatalf("found only %d files", len(all))
	}
	return all
}

// violations lists what the files import against the tables.
func violations(files []source) (found []string) {
	for _, s := range files {
		row := slices.IndexFunc(boundaries, func(b struct {
			pkg    string
			may    []string
			reason string
		}) bool {
			return b.pkg == s.pkg
		})
		for _, imported := range s.imports {
			if inner, ok := strings.CutPrefix(imported+"/", "penstock/"); ok && !s.test && !strings.HasPrefix(s.pkg, "bench/") {
				inner = strings.TrimSuffix(inner, "/")
				if row < 0 {
					found = append(found, fmt.Sprintf("%s: package %q has no row in the table of boundaries", s.file, s.pkg))
				} else if !slices.Contains(boundaries[row].may, inner) && inner != s.pkg {
					found = append(found, fmt.Sprintf("%s imports %s: %s", s.file, imported, boundaries[row].reason))
				}
			}
			for _, c := range confined {
				if (imported == c.module || strings.HasPrefix(imported, c.module+"/") && c.module != "net/http") && !matches(s.file, c.files) {
					found = append(found, fmt.Sprintf("%s imports %s: %s", s.file, imported, c.reason))
				}
			}
		}
	}
	return found
}

func matches(file string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		ok, err := path.Match(p, file)
		return err == nil && ok
	})
}

func TestArchBoundaries(t *testing.T) {
	for _, v := range violations(sources(t)) {
		t.Error(v)
	}
}

// TestArchBites feeds the check what it is there to find.
func TestArchBites(t *testing.T) {
	for _, s := range []source{
		{file: "internal/gateway/x.go", pkg: "internal/gateway", imports: []string{"penstock/internal/model"}},
		{file: "internal/control/x.go", pkg: "internal/control", imports: []string{"penstock/internal/compile"}},
		{file: "internal/unknown/x.go", pkg: "internal/unknown", imports: []string{"penstock/internal/model"}},
		{file: "internal/gateway/server.go", pkg: "internal/gateway", imports: []string{"github.com/valyala/fasthttp"}},
		{file: "internal/control/x.go", pkg: "internal/control", imports: []string{"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"}},
		{file: "internal/route/x.go", pkg: "internal/route", imports: []string{"testing"}},
	} {
		if len(violations([]source{s})) == 0 {
			t.Errorf("%s may import %s", s.file, s.imports[0])
		}
	}
}
