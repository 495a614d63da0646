package function

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// What is answered of a function has the members and the values of the service.
func TestConfigurationShape(t *testing.T) {
	t.Parallel()
	s := openRegistry(t, Options{})
	zip := zipOf("one")
	digest := sha256.Sum256(zip)
	got := s.fields("POST", functions, creation("pets", "one"))
	revision, _ := got["RevisionId"].(string)
	if len(revision) != 36 {
		t.Errorf("RevisionId %q", revision)
	}
	want := map[string]any{
		"FunctionName":         "pets",
		"FunctionArn":          "arn:aws:lambda:us-east-1:123456789012:function:pets",
		"Runtime":              "nodejs22.x",
		"Role":                 testRole,
		"Handler":              "index.handler",
		"CodeSize":             float64(len(zip)),
		"Description":          "",
		"Timeout":              3.0,
		"MemorySize":           128.0,
		"LastModified":         "2026-11-24T09:10:11.123+0000",
		"CodeSha256":           base64.StdEncoding.EncodeToString(digest[:]),
		"Version":              "$LATEST",
		"TracingConfig":        map[string]any{"Mode": "PassThrough"},
		"RevisionId":           revision,
		"State":                "Active",
		"LastUpdateStatus":     "Successful",
		"PackageType":          "Zip",
		"Architectures":        []any{"x86_64"},
		"EphemeralStorage":     map[string]any{"Size": 512.0},
		"SnapStart":            map[string]any{"ApplyOn": "None", "OptimizationStatus": "Off"},
		"RuntimeVersionConfig": map[string]any{"RuntimeVersionArn": "arn:aws:lambda:us-east-1::runtime:" + strings.Repeat("0", 64)},
		"LoggingConfig":        map[string]any{"LogFormat": "Text", "LogGroup": "/aws/lambda/pets"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if again := s.fields("GET", functions+"/pets/configuration", nil); !reflect.DeepEqual(again, want) {
		t.Errorf("GetFunctionConfiguration: got %v", again)
	}
	for _, member := range []string{"State", "LastUpdateStatus", "RuntimeVersionConfig"} {
		delete(want, member)
	}
	if list := s.fields("GET", functions, nil)["Functions"]; !reflect.DeepEqual(list, []any{want}) {
		t.Errorf("ListFunctions: got %v", list)
	}
}

// Everything that can be configured is kept, answered and, where it acts, acts; what an
// update does not name stays.
func TestConfigure(t *testing.T) {
	t.Parallel()
	s := openRegistry(t, Options{})
	const configuration = functions + "/pets/configuration"
	full := creation("pets", "one")
	for member, value := range map[string]any{
		"Description":      "d",
		"Timeout":          900,
		"MemorySize":       10240,
		"Environment":      map[string]any{"Variables": map[string]string{"KEY": "<&>"}},
		"Architectures":    []string{"arm64"},
		"KMSKeyArn":        "arn:aws:kms:us-east-1:123456789012:key/k",
		"DeadLetterConfig": map[string]any{"TargetArn": "arn:aws:sqs:us-east-1:123456789012:q"},
		"EphemeralStorage": map[string]any{"Size": 1024},
		"TracingConfig":    map[string]any{"Mode": "Active"},
		"LoggingConfig":    map[string]any{"LogFormat": "JSON", "LogGroup": "/own", "SystemLogLevel": "WARN"},
		"VpcConfig":        map[string]any{"SubnetIds": []string{"subnet-1"}, "SecurityGroupIds": []string{"sg-1"}},
		"Tags":             map[string]string{"team": "a"},
	} {
		full[member] = value
	}
	first := s.want(201, "", "POST", functions, full)
	for _, want := range []string{
		`"Description":"d"`, `"Timeout":900`, `"MemorySize":10240`, `"Environment":{"Variables":{"KEY":"<&>"}}`, `"Architectures":["arm64"]`,
		`"KMSKeyArn":"arn:aws:kms:us-east-1:123456789012:key/k"`, `"DeadLetterConfig":{"TargetArn":"arn:aws:sqs:us-east-1:123456789012:q"}`,
		`"EphemeralStorage":{"Size":1024}`, `"TracingConfig":{"Mode":"Active"}`,
		`"LoggingConfig":{"LogFormat":"JSON","ApplicationLogLevel":"INFO","SystemLogLevel":"WARN","LogGroup":"/own"}`,
		`"VpcConfig":{"SubnetIds":["subnet-1"],"SecurityGroupIds":["sg-1"],"Ipv6AllowedForDualStack":false}`,
	} {
		if !strings.Contains(first, want) {
			t.Errorf("CreateFunction: %s is not in %s", want, first)
		}
	}
	spec := s.runners["pets:$LATEST"].spec
	if spec.Timeout.Seconds() != 900 || spec.Memory != 10240 || spec.Environment["KEY"] != "<&>" || spec.LogGroup != "/own" || spec.LogFormat != "JSON" || spec.Concurrency != -1 {
		t.Errorf("the host runs %+v", spec)
	}

	unchanged := s.fields("PUT", configuration, "{}")
	whole := s.fields("GET", configuration, nil)
	delete(unchanged, "RevisionId")
	delete(whole, "RevisionId")
	if !reflect.DeepEqual(unchanged, whole) || !strings.Contains(first, `"Handler":"index.handler"`) || whole["Timeout"] != 900.0 {
		t.Errorf("an empty update: got %v, then %v", unchanged, whole)
	}
	cleared := s.want(200, "", "PUT", configuration, `{
		"Description":"", "Environment":{"Variables":{}}, "KMSKeyArn":"", "DeadLetterConfig":{"TargetArn":""}, "VpcConfig":{"SubnetIds":[],"SecurityGroupIds":[]},
		"Layers":[], "FileSystemConfigs":[], "SnapStart":{"ApplyOn":"None"}, "ImageConfig":null, "LoggingConfig":{"LogFormat":"Text"}, "Runtime":"python3.14", "Role":"arn:aws:iam::123456789012:role/other"}`)
	for _, want := range []string{`"Environment":{"Variables":{}}`, `"Description":""`, `"Runtime":"python3.14"`, `role/other"`, `"LoggingConfig":{"LogFormat":"Text","LogGroup":"/own"}`, `"TracingConfig":{"Mode":"Active"}`} {
		if !strings.Contains(cleared, want) {
			t.Errorf("UpdateFunctionConfiguration: %s is not in %s", want, cleared)
		}
	}
	for _, gone := range []string{"KMSKeyArn", "DeadLetterConfig", "VpcConfig"} {
		if strings.Contains(cleared, gone) {
			t.Errorf("UpdateFunctionConfiguration: %s is in %s", gone, cleared)
		}
	}
	if spec := s.runners["pets:$LATEST"].spec; len(spec.Environment) != 0 || spec.Runtime != "python3.14" || spec.LogFormat != "Text" {
		t.Errorf("the host runs %+v", spec)
	}
}

// Every member that cannot be what it is, is refused in the words of the service.
func TestRefusedMembers(t *testing.T) {
	t.Parallel()
	s := openRegistry(t, Options{})
	good := creation("pets", "one")
	const invalidValue = "InvalidParameterValueException"
	for _, tt := range []struct {
		name   string
		body   any
		status int
		code   string
		want   string
	}{
		{"no JSON", `{`, 400, "InvalidRequestContentException", `{"Type":"User","message":"Could not parse request body into json: unexpected end of JSON input"}`},
		{"no object", `[]`, 400, "InvalidRequestContentException", "the body cannot be of type array"},
		{"another type", with(good, "Timeout", "3"), 400, "InvalidRequestContentException", "json: Timeout cannot be of type string"},
		{"no base64", with(good, "Code", map[string]any{"ZipFile": "*"}), 400, "InvalidRequestContentException", "Could not parse request body into json"},
		{"no name", with(good, "FunctionName", nil), 400, "ValidationException", "1 validation error detected: Value null at 'functionName' failed to satisfy constraint: Member must not be null"},
		{"name", with(good, "FunctionName", "a b"), 400, "ValidationException", "Value 'a b' at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern: (arn:"},
		{"name with a dot", with(good, "FunctionName", "a.b"), 400, "ValidationException", `(function:)?([a-zA-Z0-9-_]+)(:`},
		{"name of 65", with(good, "FunctionName", strings.Repeat("a", 65)), 400, "ValidationException", "at 'functionName' failed to satisfy constraint: Member must have length less than or equal to 64"},
		{"name of 300", with(good, "FunctionName", strings.Repeat("a", 300)), 400, "ValidationException", "at 'functionName' failed to satisfy constraint: Member must have length less than or equal to 140"},
		{"qualified name", with(good, "FunctionName", "pets:1"), 400, invalidValue, "cannot have a qualifier: pets:1"},
		{"another region", with(good, "FunctionName", "arn:aws:lambda:eu-west-1:123456789012:function:pets"), 404, "ResourceNotFoundException", `{"Type":"User","Message":"Functions from 'eu-west-1' are not reachable in this region ('us-east-1')"}`},
		{"no role", with(good, "Role", nil), 400, "ValidationException", "Value null at 'role'"},
		{"role", with(good, "Role", "r1"), 400, "ValidationException", `1 validation error detected: Value 'r1' at 'role' failed to satisfy constraint: Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+`},
		{"no code", with(good, "Code", nil), 400, "ValidationException", "Value null at 'code'"},
		{"empty code", with(good, "Code", map[string]any{}), 400, invalidValue, "Please provide a source for function code"},
		{"two", with(with(good, "Role", nil), "Code", nil), 400, "ValidationException", "2 validation errors detected: Value null at 'role' failed to satisfy constraint: Member must not be null; Value null at 'code'"},
		{"S3", with(good, "Code", map[string]any{"S3Bucket": "b", "S3Key": "k"}), 400, invalidValue, "send a zip in ZipFile"},
		{"image", with(good, "Code", map[string]any{"ImageUri": "i"}), 400, invalidValue, "ImageUri is not available on this server: send a zip in ZipFile."},
		{"encrypted", with(good, "Code", map[string]any{"ZipFile": zipOf("x"), "SourceKMSKeyArn": "k"}), 400, invalidValue, "SourceKMSKeyArn is not available"},
		{"no runtime", with(good, "Runtime", nil), 400, invalidValue, "Runtime and Handler are mandatory parameters for functions created with deployment packages."},
		{"no handler", with(good, "Handler", nil), 400, invalidValue, "Runtime and Handler are mandatory"},
		{"runtime", with(good, "Runtime", "cobol85"), 400, invalidValue, "Value cobol85 at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [nodejs"},
		{"handler", with(good, "Handler", "a b"), 400, "ValidationException", `Value 'a b' at 'handler' failed to satisfy constraint: Member must satisfy regular expression pattern: [^\\s]+`},
		{"long handler", with(good, "Handler", strings.Repeat("h", 129)), 400, "ValidationException", "at 'handler' failed to satisfy constraint: Member must have length less than or equal to 128"},
		{"description", with(good, "Description", strings.Repeat("d", 257)), 400, "ValidationException", "at 'description' failed to satisfy constraint: Member must have length less than or equal to 256"},
		{"timeout 0", with(good, "Timeout", 0), 400, "ValidationException", "Value '0' at 'timeout' failed to satisfy constraint: Member must have value greater than or equal to 1"},
		{"timeout 901", with(good, "Timeout", 901), 400, "ValidationException", "Value '901' at 'timeout' failed to satisfy constraint: Member must have value less than or equal to 900"},
		{"memory 127", with(good, "MemorySize", 127), 400, "ValidationException", "Value '127' at 'memorySize' failed to satisfy constraint: Member must have value greater than or equal to 128"},
		{"memory 10241", with(good, "MemorySize", 10241), 400, "ValidationException", "Value '10241' at 'memorySize'"},
		{"storage", with(good, "EphemeralStorage", map[string]any{"Size": 511}), 400, "ValidationException", "Value '511' at 'ephemeralStorage.size'"},
		{"architecture", with(good, "Architectures", []string{"z80"}), 400, "ValidationException", "Value 'z80' at 'architectures' failed to satisfy constraint: Member must satisfy enum value set: [x86_64, arm64]"},
		{"architectures", with(good, "Architectures", []string{"arm64", "x86_64"}), 400, "ValidationException", "Member must have length less than or equal to 1"},
		{"tracing", with(good, "TracingConfig", map[string]any{"Mode": "On"}), 400, "ValidationException", "Value 'On' at 'tracingConfig.mode'"},
		{"log format", with(good, "LoggingConfig", map[string]any{"LogFormat": "XML"}), 400, "ValidationException", "Value 'XML' at 'loggingConfig.logFormat'"},
		{"log group", with(good, "LoggingConfig", map[string]any{"LogGroup": "a b"}), 400, "ValidationException", "Value 'a b' at 'loggingConfig.logGroup'"},
		{"log level of text", with(good, "LoggingConfig", map[string]any{"SystemLogLevel": "INFO"}), 400, invalidValue, "need the LogFormat JSON"},
		{"key", with(good, "KMSKeyArn", "k"), 400, "ValidationException", "Value 'k' at 'kMSKeyArn'"},
		{"dead letters", with(good, "DeadLetterConfig", map[string]any{"TargetArn": "q"}), 400, "ValidationException", "Value 'q' at 'deadLetterConfig.targetArn'"},
		{"subnets", with(good, "VpcConfig", map[string]any{"SubnetIds": make([]string, 17)}), 400, "ValidationException", "at 'vpcConfig.subnetIds'"},
		{"package type", with(good, "PackageType", "Tar"), 400, "ValidationException", "Value 'Tar' at 'packageType'"},
		{"package type image", with(good, "PackageType", "Image"), 400, invalidValue, "The PackageType Image is not available on this server"},
		{"layers", with(good, "Layers", []string{"arn"}), 400, invalidValue, "Layers is not available on this server"},
		{"file systems", with(good, "FileSystemConfigs", []any{map[string]any{}}), 400, invalidValue, "FileSystemConfigs is not available on this server"},
		{"SnapStart", with(good, "SnapStart", map[string]any{"ApplyOn": "PublishedVersions"}), 400, invalidValue, "SnapStart is not available on this server"},
		{"image configuration", with(good, "ImageConfig", map[string]any{}), 400, invalidValue, "ImageConfig is not available on this server"},
		{"durable", with(good, "DurableConfig", map[string]any{}), 400, invalidValue, "DurableConfig is not available on this server"},
		{"tenancy", with(good, "TenancyConfig", map[string]any{}), 400, invalidValue, "TenancyConfig is not available on this server"},
		{"capacity", with(good, "CapacityProviderConfig", map[string]any{}), 400, invalidValue, "CapacityProviderConfig is not available on this server"},
		{"publish to", with(good, "PublishTo", "LATEST_PUBLISHED"), 400, invalidValue, "PublishTo is not available on this server"},
		{"code signing", with(good, "CodeSigningConfigArn", "arn"), 400, invalidValue, "CodeSigningConfigArn is not available on this server"},
		{"name of a variable", with(good, "Environment", variables("1A", "x")), 400, "ValidationException", "Value '1A' at 'environment.variables' failed to satisfy constraint: Map keys must satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]"},
		{"reserved variable", with(good, "Environment", variables("AWS_REGION", "x")), 400, invalidValue, "contains reserved keys that are currently not supported for modification. Reserved keys used in this request: AWS_REGION"},
		{"large variables", with(good, "Environment", variables("KEY", strings.Repeat("x", 4097-len(`{"KEY":""}`)))), 400, invalidValue, `exceeded the 4KB limit. String measured: {\"KEY\":\"xxx`},
		{"null in a variable", with(good, "Environment", variables("KEY", "a\x00")), 400, invalidValue, "contains a null character: KEY"},
		{"no zip", with(good, "Code", map[string]any{"ZipFile": []byte("no zip")}), 400, invalidValue, "Could not unzip uploaded file. Please check your file, then try to upload again."},
		{"tags", with(good, "Tags", tags(51)), 400, invalidValue, "Number of tags exceeds resource tag limit."},
		{"reserved tag", with(good, "Tags", map[string]string{"AWS:x": "y"}), 400, invalidValue, "must not begin with aws: AWS:x"},
		{"tag without a key", with(good, "Tags", map[string]string{"": "y"}), 400, invalidValue, "must have 1 to 128 characters"},
		{"long tag", with(good, "Tags", map[string]string{"k": strings.Repeat("v", 257)}), 400, invalidValue, "must have at most 256 characters: k"},
	} {
		w := s.do("POST", functions, tt.body)
		if w.Code != tt.status || w.Header().Get("x-amzn-ErrorType") != tt.code || !strings.Contains(w.Body.String(), tt.want) {
			t.Errorf("%s: got %d %s %s, want %d %s %s", tt.name, w.Code, w.Header().Get("x-amzn-ErrorType"), w.Body, tt.status, tt.code, tt.want)
		}
	}
	if list := s.fields("GET", functions, nil)["Functions"].([]any); len(list) > 0 {
		t.Errorf("functions that were refused are there: %v", list)
	}
	if files := s.files(); len(files) > 0 {
		t.Errorf("code that was refused is there: %q", files)
	}
	s.want(201, "", "POST", functions, with(with(good, "Environment", variables("KEY", strings.Repeat("x", 4096-len(`{"KEY":""}`)))), "Tags", tags(50)))
	s.want(200, "", "PUT", functions+"/pets/configuration", map[string]any{"Description": strings.Repeat("語", 256)})
	s.want(400, "Value '0' at 'timeout'", "PUT", functions+"/pets/configuration", `{"Timeout":0}`)
	s.want(400, "Could not parse", "PUT", functions+"/pets/configuration", `{`)
}

func variables(name, value string) map[string]any {
	return map[string]any{"Variables": map[string]string{name: value}}
}

func tags(n int) map[string]string {
	all := map[string]string{}
	for i := range n {
		all["k"+strconv.Itoa(i)] = "v"
	}
	return all
}

// Every runtime that the service still lets functions be made with is one here.
func TestRuntimes(t *testing.T) {
	t.Parallel()
	ours := map[string]bool{}
	for _, name := range runtimes {
		ours[name] = true
	}
	gone := map[string]bool{}
	for _, name := range strings.Fields(`nodejs nodejs4.3 nodejs4.3-edge nodejs6.10 nodejs8.10 nodejs10.x nodejs12.x nodejs14.x java8 go1.x ruby2.5 ruby2.7
		python2.7 python3.6 python3.7 dotnetcore1.0 dotnetcore2.0 dotnetcore2.1 dotnetcore3.1`) {
		gone[name] = true
	}
	for _, name := range types.Runtime("").Values() {
		if ours[string(name)] == gone[string(name)] {
			t.Errorf("%s: is one here: %t", name, ours[string(name)])
		}
		delete(ours, string(name))
	}
	if len(ours) > 0 {
		t.Errorf("runtimes that the service does not have: %v", ours)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	s := openRegistry(t, Options{})
	s.create("pets", "one")
	s.want(201, "", "POST", functions+"/pets/versions", nil)
	const arn = "arn:aws:lambda:us-east-1:123456789012:function:pets"
	for _, tt := range []struct {
		path   string
		status int
		want   string
	}{
		{"pets", 200, `"FunctionArn":"` + arn + `"`},
		{"pets/", 200, `"FunctionArn":"` + arn + `"`},
		{"function:pets", 200, arn + `"`},
		{"123456789012:function:pets", 200, arn + `"`},
		{"123456789012:pets", 200, arn + `"`},
		{"us-east-1:123456789012:function:pets", 200, arn + `"`},
		{arn, 200, arn + `"`},
		{"arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Apets", 200, arn + `"`},
		{arn + ":1", 200, arn + `:1"`},
		{"pets:1", 200, arn + `:1"`},
		{"pets?Qualifier=1", 200, arn + `:1"`},
		{"pets:1?Qualifier=1", 200, arn + `:1"`},
		{"pets:$LATEST", 200, arn + `:$LATEST"`},
		{"pets:1?Qualifier=2", 400, "The derived qualifier from the function name does not match the specified qualifier."},
		{"pets:2", 404, `"Message":"Function not found: ` + arn + `:2"`},
		{"dogs", 404, `{"Type":"User","Message":"Function not found: arn:aws:lambda:us-east-1:123456789012:function:dogs"}`},
		{"arn:aws:lambda:eu-west-1:123456789012:function:pets", 404, "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')"},
		{"arn:aws:lambda:us-east-1:210987654321:function:pets", 403, "User: anonymous is not authorized to perform: lambda:GetFunction on resource: arn:aws:lambda:us-east-1:210987654321:function:pets because no resource-based policy allows the lambda:GetFunction action"},
		{"a%20b", 400, "Value 'a b' at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern"},
		{"..", 404, "Function not found: arn:aws:lambda:us-east-1:123456789012:function:.."},
		{"a%2Fb", 400, "Value 'a/b' at 'functionName'"},
		{"pets?Qualifier=a+b", 400, "Value 'a b' at 'qualifier' failed to satisfy constraint: Member must satisfy regular expression pattern: (|[a-zA-Z0-9$_-]+)"},
		{"pets?Qualifier=" + strings.Repeat("q", 129), 400, "at 'qualifier' failed to satisfy constraint: Member must have length less than or equal to 128"},
	} {
		s.want(tt.status, tt.want, "GET", functions+"/"+tt.path, nil)
	}
}

func TestLists(t *testing.T) {
	t.Parallel()
	s := openRegistry(t, Options{})
	for i := range 12 {
		s.create(fmt.Sprintf("f%02d", i), "one")
	}
	for i := range 11 {
		s.want(200, "", "PUT", functions+"/f05/code", map[string]any{"ZipFile": zipOf(strconv.Itoa(i)), "Publish": true})
	}
	s.want(201, "", "POST", functions+"/f05/aliases", `{"Name":"b","FunctionVersion":"1"}`)
	s.want(201, "", "POST", functions+"/f05/aliases", `{"Name":"a","FunctionVersion":"2","RoutingConfig":{"AdditionalVersionWeights":{"1":0.5}}}`)
	s.want(201, "", "POST", functions+"/f05/aliases", `{"Name":"c","FunctionVersion":"$LATEST"}`)
	versions := "$LATEST 1 2 3 4 5 6 7 8 9 10 11"
	var arns []string
	for i := range 12 {
		name := fmt.Sprintf("f%02d", i)
		arns = append(arns, name+":$LATEST")
		for v := range strings.FieldsSeq(strings.TrimPrefix(versions, "$LATEST ")) {
			if i == 5 {
				arns = append(arns, name+":"+v)
			}
		}
	}
	for _, tt := range []struct {
		path, list, member, want string
	}{
		{functions + "?", "Functions", "FunctionName", "f00 f01 f02 f03 f04 f05 f06 f07 f08 f09 f10 f11"},
		{functions + "/?FunctionVersion=ALL&", "Functions", "FunctionArn", strings.Join(arns, " ")},
		{functions + "/f05/versions?", "Versions", "Version", versions},
		{functions + "/f05/aliases?", "Aliases", "Name", "a b c"},
		{functions + "/f05/aliases?FunctionVersion=1&", "Aliases", "Name", "a b"},
	} {
		for _, size := range []int{1, 5, 50} {
			var got []string
			marker := ""
			for {
				page := s.fields("GET", tt.path+"MaxItems="+strconv.Itoa(size)+"&Marker="+marker, nil)
				items := page[tt.list].([]any)
				if len(items) > size {
					t.Errorf("%s: a page of %d has %d", tt.path, size, len(items))
				}
				for _, item := range items {
					value := item.(map[string]any)[tt.member].(string)
					got = append(got, strings.TrimPrefix(value, "arn:aws:lambda:us-east-1:123456789012:function:"))
				}
				if marker, _ = page["NextMarker"].(string); marker == "" {
					break
				}
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("%s in pages of %d: got %s, want %s", tt.path, size, strings.Join(got, " "), tt.want)
			}
		}
	}
	s.want(400, "Invalid marker: *", "GET", functions+"?Marker=*", nil)
	s.want(400, "at 'maxItems' failed to satisfy constraint: Member must have value greater than or equal to 1", "GET", functions+"?MaxItems=0", nil)
	s.want(400, "Value 'x' at 'maxItems' failed to satisfy constraint: Member must be a number", "GET", functions+"?MaxItems=x", nil)
	s.want(400, "Value 'SOME' at 'functionVersion' failed to satisfy constraint: Member must satisfy enum value set: [ALL]", "GET", functions+"?FunctionVersion=SOME", nil)
	s.want(404, "Function not found", "GET", functions+"/none/versions", nil)
	s.want(404, "Function not found", "GET", functions+"/none/aliases", nil)
	// A marker of something that has gone since then goes on behind it.
	page := s.fields("GET", functions+"?MaxItems=3", nil)
	s.want(204, "", "DELETE", functions+"/f02", nil)
	next := s.fields("GET", functions+"?MaxItems=1&Marker="+page["NextMarker"].(string), nil)
	if got := next["Functions"].([]any)[0].(map[string]any)["FunctionName"]; got != "f03" {
		t.Errorf("got %v, want f03", got)
	}
}

func TestUnknownPaths(t *testing.T) {
	t.Parallel()
	s := openRegistry(t, Options{})
	for _, tt := range []struct {
		method, path string
		status       int
		want         string
	}{
		{"GET", "/2015-03-31/nothing", 404, "There is no operation of the Lambda API at this path with this method."},
		{"PATCH", functions, 404, "There is no operation"},
		{"GET", "/", 404, "There is no operation"},
		{"GET", functions + "//configuration", 404, "There is no operation"},
		{"GET", functions + "/a/b/c/d/e/f/g/h/i/j", 404, "There is no operation"},
		{"GET", "/2018-10-31/layers", 501, "The operation ListLayers is not available on this server."},
		{"POST", "/2015-03-31/event-source-mappings/", 501, "The operation CreateEventSourceMapping is not available on this server."},
	} {
		s.want(tt.status, tt.want, tt.method, tt.path, nil)
	}
	if code := s.do("GET", "/2018-10-31/layers", nil).Header().Get("x-amzn-ErrorType"); code != "NotImplementedException" {
		t.Errorf("got %s", code)
	}
}

func TestBodies(t *testing.T) {
	t.Parallel()
	s := openRegistry(t, Options{})
	s.create("pets", "one")
	big := strings.Repeat(" ", defaultBody+1)
	w := s.do("PUT", functions+"/pets/configuration", big)
	if w.Code != 413 || w.Header().Get("x-amzn-ErrorType") != "RequestTooLargeException" || w.Header().Get("Connection") != "close" {
		t.Errorf("got %d %v %s", w.Code, w.Header(), w.Body)
	}
	s.want(413, "Request must be smaller than 1048576 bytes for the UpdateFunctionConfiguration operation", "PUT", functions+"/pets/configuration", big)
	s.want(413, "Request must be smaller than 6291456 bytes for the InvokeFunction operation", "POST", functions+"/pets/invocations", strings.Repeat(" ", 6<<20+1))
	r := newRequest("POST", functions, strings.NewReader("{}"))
	r.ContentLength = codeBody + 1
	if status, body := s.respondTo(r); status != 413 || !strings.Contains(body, "Request must be smaller than 70167211 bytes for the CreateFunction operation") {
		t.Errorf("got %d %s", status, body)
	}
	r = newRequest("PUT", functions+"/pets/configuration", strings.NewReader(big))
	r.ContentLength = -1 // not told
	if status, body := s.respondTo(r); status != 413 {
		t.Errorf("got %d %s", status, body)
	}
	if err := checkZip(make([]byte, maxZip+1)); err != errZipTooLarge {
		t.Errorf("got %v", err)
	}
	if !s.bodies.TryAcquire(maxBodies) || !s.large.TryAcquire(maxLarge) {
		t.Fatal("room for bodies was not given back")
	}
	w = s.do("PUT", functions+"/pets/configuration", "{}")
	if w.Code != 429 || w.Header().Get("Retry-After") != "1" || !strings.Contains(w.Body.String(), `"Reason":"CallerRateLimitExceeded"`) {
		t.Errorf("got %d %v %s", w.Code, w.Header(), w.Body)
	}
	s.bodies.Release(maxBodies)
	s.large.Release(maxLarge)
	s.want(200, "", "PUT", functions+"/pets/configuration", "{}")
}

// A panic is answered and does not end the process.
func TestPanic(t *testing.T) {
	t.Parallel()
	s := openRegistry(t, Options{Authenticate: func(*http.Request, []byte) (Principal, error) { panic("x") }})
	s.want(500, `{"Type":"Service","Message":"The server failed: its log says why."}`, "GET", functions, nil)
}

// Whatever is asked, the answer is one the service could give.
func FuzzServeHTTP(f *testing.F) {
	f.Add("POST", functions, `{"FunctionName":"pets"}`)
	f.Add("PUT", functions+"/pets/configuration", `{"Environment":{"Variables":{"K":"v"}},"LoggingConfig":{"LogFormat":"JSON"}}`)
	f.Add("PUT", functions+"/pets/code", `{"ZipFile":"UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="}`)
	f.Add("POST", functions+"/pets/aliases", `{"Name":"a","FunctionVersion":"$LATEST","RoutingConfig":{"AdditionalVersionWeights":{"1":1e300}}}`)
	f.Add("GET", functions+"/pets/versions?MaxItems=1&Marker=JExBVEVTVA", "")
	f.Add("DELETE", "/2017-03-31/tags/arn:aws:lambda:us-east-1:123456789012:function:pets?tagKeys=a", "")
	f.Add("POST", functions+"/arn%3Aaws%3Alambda/policy?Qualifier=%", "{}")
	f.Add("POST", functions+"/pets/invocations", "{}")
	s := openRegistry(f, Options{})
	s.create("pets", "one")
	f.Fuzz(func(t *testing.T, method, path, body string) {
		r, err := http.NewRequest(method, "http://admin", strings.NewReader(body))
		if err != nil {
			return
		}
		if r.URL, err = r.URL.Parse(path); err != nil {
			return
		}
		status, text := s.respondTo(r)
		if status < 200 || status == 500 || status >= 300 && !strings.Contains(text, `essage"`) {
			t.Errorf("got %d %s", status, text)
		}
		if strings.HasPrefix(r.URL.Path, functions+"/pets") && method == "DELETE" {
			s.do("POST", functions, creation("pets", "one"))
		}
	})
}
