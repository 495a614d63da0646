package function

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

const (
	defaultTimeout = 3   // seconds
	defaultMemory  = 128 // MiB
	defaultStorage = 512 // MiB of /tmp

	maxEnvironment = 4 << 10 // bytes of the variables, as JSON
)

// Members of Configuration.Rest.
const (
	restArchitectures = "Architectures"
	restDeadLetter    = "DeadLetterConfig"
	restKey           = "KMSKeyArn"
	restLogging       = "LoggingConfig"
	restStorage       = "EphemeralStorage"
	restTracing       = "TracingConfig"
	restVPC           = "VpcConfig"
)

// A configurationAnswer is what the API answers of a version.
type configurationAnswer struct {
	FunctionName         string
	FunctionARN          string `json:"FunctionArn"`
	Runtime              string `json:",omitempty"`
	Role                 string
	Handler              string `json:",omitempty"`
	CodeSize             int64
	Description          string
	Timeout              int
	MemorySize           int
	LastModified         string
	CodeSha256           string
	Version              string
	VPCConfig            json.RawMessage `json:"VpcConfig,omitempty"`
	DeadLetterConfig     json.RawMessage `json:",omitempty"`
	Environment          *environment    `json:",omitempty"`
	KMSKeyARN            json.RawMessage `json:"KMSKeyArn,omitempty"`
	TracingConfig        json.RawMessage
	RevisionID           string `json:"RevisionId"`
	State                string `json:",omitempty"`
	LastUpdateStatus     string `json:",omitempty"`
	PackageType          string
	Architectures        json.RawMessage
	EphemeralStorage     json.RawMessage
	SnapStart            snapStart
	RuntimeVersionConfig *runtimeVersion `json:",omitempty"`
	LoggingConfig        logging
}

type environment struct{ Variables map[string]string }

type snapStart struct{ ApplyOn, OptimizationStatus string }

type runtimeVersion struct {
	RuntimeVersionARN string `json:"RuntimeVersionArn"`
}

// logging says where the log of a function goes and what its lines are.
type logging struct {
	LogFormat           string
	ApplicationLogLevel string `json:",omitempty"`
	SystemLogLevel      string `json:",omitempty"`
	LogGroup            string
}

// logging returns what is configured, with an empty LogGroup if none is.
func (c *Configuration) logging() logging {
	l := logging{LogFormat: "Text"}
	if raw := c.Rest[restLogging]; raw != nil {
		_ = json.Unmarshal(raw, &l) // was encoded here
	}
	return l
}

// rest returns a member that has no effect here, or what it is if it was not given.
func (c *Configuration) rest(member, otherwise string) json.RawMessage {
	if raw := c.Rest[member]; raw != nil {
		return raw
	}
	if otherwise == "" {
		return nil
	}
	return json.RawMessage(otherwise)
}

// describe returns what the API answers of a version. The ARN has the qualifier, if
// there is one. Lists have less of it.
func (f *function) describe(version, qualifier string, list bool) configurationAnswer {
	c := f.configuration(version)
	a := configurationAnswer{
		FunctionName:     f.name,
		FunctionARN:      f.arn,
		Runtime:          c.Runtime,
		Role:             c.Role,
		Handler:          c.Handler,
		CodeSize:         c.CodeSize,
		Description:      c.Description,
		Timeout:          c.Timeout,
		MemorySize:       c.MemorySize,
		LastModified:     c.LastModified,
		CodeSha256:       c.CodeSha256,
		Version:          version,
		VPCConfig:        c.rest(restVPC, ""),
		DeadLetterConfig: c.rest(restDeadLetter, ""),
		KMSKeyARN:        c.rest(restKey, ""),
		TracingConfig:    c.rest(restTracing, `{"Mode":"PassThrough"}`),
		RevisionID:       c.RevisionID,
		PackageType:      "Zip",
		Architectures:    c.rest(restArchitectures, `["x86_64"]`),
		EphemeralStorage: c.rest(restStorage, `{"Size":512}`),
		SnapStart:        snapStart{ApplyOn: "None", OptimizationStatus: "Off"},
		LoggingConfig:    c.logging(),
	}
	if qualifier != "" {
		a.FunctionARN += ":" + qualifier
	}
	if c.Environment != nil {
		a.Environment = &environment{c.Environment}
	}
	if a.LoggingConfig.LogGroup == "" {
		a.LoggingConfig.LogGroup = "/aws/lambda/" + f.name
	}
	if !list {
		a.State, a.LastUpdateStatus = "Active", "Successful"
		a.RuntimeVersionConfig = &runtimeVersion{f.runtimeARN()}
	}
	return a
}

// configuration returns that of a version. It must not be changed.
func (f *function) configuration(version string) *Configuration {
	if f.declared != nil {
		return f.declaredConfiguration()
	}
	if version == latest {
		return &f.document.Latest.Configuration
	}
	return &f.document.Versions[version].Configuration
}

// declaredConfiguration shows a function of the server's configuration as the API
// shows those that it has made.
func (f *function) declaredConfiguration() *Configuration {
	parts := strings.Split(f.arn, ":")
	partition, account := parts[1], parts[4]
	spec := f.versions[latest].spec
	c := &Configuration{
		Runtime:      spec.Runtime,
		Role:         "arn:" + partition + ":iam::" + account + ":role/configuration",
		Handler:      spec.Handler,
		Timeout:      int(spec.Timeout / time.Second),
		MemorySize:   spec.Memory,
		LastModified: stamp(time.Unix(0, 0)),
		CodeSha256:   noCode,
		RevisionID:   noRevision,
	}
	if len(spec.Environment) > 0 {
		c.Environment = spec.Environment
	}
	return c
}

const (
	// noCode and noRevision stand where clients expect a value and there is none.
	noCode     = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" // of nothing
	noRevision = "00000000-0000-0000-0000-000000000000"
)

// runtimeARN returns a name for the runtime, which is not kept in versions here.
func (f *function) runtimeARN() string {
	parts := strings.Split(f.arn, ":")
	return "arn:" + parts[1] + ":lambda:" + parts[3] + "::runtime:" + strings.Repeat("0", 64)
}

// stamp is how the API writes times.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000-0700") }

// settings say what a function shall be: of CreateFunction and
// UpdateFunctionConfiguration. Members that are not there stay as they are.
type settings struct {
	Description, Handler, Role, Runtime *string
	Timeout, MemorySize                 *int
	Environment                         *environment
	KMSKeyARN                           *string `json:"KMSKeyArn"`
	DeadLetterConfig                    *struct {
		TargetARN *string `json:"TargetArn"`
	}
	EphemeralStorage *struct{ Size *int }
	LoggingConfig    *struct{ ApplicationLogLevel, LogFormat, LogGroup, SystemLogLevel *string }
	TracingConfig    *struct{ Mode *string }
	VPCConfig        *vpc `json:"VpcConfig"`

	// What would silently not act is refused.
	Layers                 []string
	FileSystemConfigs      []json.RawMessage
	SnapStart              *struct{ ApplyOn *string }
	ImageConfig            *json.RawMessage
	DurableConfig          *json.RawMessage
	TenancyConfig          *json.RawMessage
	PublishTo              *string
	CapacityProviderConfig *json.RawMessage
}

type vpc struct {
	SubnetIDs               []string `json:"SubnetIds"`
	SecurityGroupIDs        []string `json:"SecurityGroupIds"`
	Ipv6AllowedForDualStack bool
}

// runtimes are the names that a function may have for its runtime. Source: Lambda API
// reference.
var runtimes = []string{
	"nodejs16.x", "nodejs18.x", "nodejs20.x", "nodejs22.x", "nodejs24.x", "nodejs26.x",
	"python3.8", "python3.9", "python3.10", "python3.11", "python3.12", "python3.13", "python3.14", "python3.15",
	"java8.al2", "java8.al2023", "java11", "java11.al2023", "java17", "java17.al2023", "java21", "java25",
	"dotnet6", "dotnet8", "dotnet10",
	"ruby3.2", "ruby3.3", "ruby3.4", "ruby4.0",
	"provided", "provided.al2", "provided.al2023",
}

const (
	rolePattern    = `arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+`
	handlerPattern = `[^\s]+`
	nameOfVariable = `[a-zA-Z]([a-zA-Z0-9_])+`
	groupPattern   = `[\.\-_/#A-Za-z0-9]+`
	targetPattern  = `(arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:([a-z]{2}(-gov)?-[a-z]+-\d{1})?:(\d{12})?:(.*))|()`
	keyPattern     = `(arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|()`
)

var (
	roleForm     = whole(rolePattern)
	handlerForm  = whole(handlerPattern)
	variableForm = whole(nameOfVariable)
	groupForm    = whole(groupPattern)
	targetForm   = whole(targetPattern)
	keyForm      = whole(keyPattern)
)

func whole(pattern string) *regexp.Regexp { return regexp.MustCompile(`^(?:` + pattern + `)$`) }

// pattern checks a value against what whole has made of a pattern.
func (v *violations) pattern(value *string, member, pattern string, form *regexp.Regexp) {
	if value != nil && !form.MatchString(*value) {
		v.add(*value, member, "Member must satisfy regular expression pattern: %s", pattern)
	}
}

// reserved are the variables that the runtime sets.
var reserved = []string{
	"AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV",
	"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION",
	"AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_RUNTIME_API",
	"AWS_REGION", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT", "_HANDLER", "_X_AMZN_TRACE_ID",
}

// check says what is wrong with the members that are there.
func (in *settings) check() error {
	var v violations
	in.violations(&v)
	if err := v.err(); err != nil {
		return err
	}
	if in.Runtime != nil && !slices.Contains(runtimes, *in.Runtime) {
		return invalid("Value %s at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [%s] or be a valid ARN", clip(*in.Runtime), strings.Join(runtimes, ", "))
	}
	if err := in.checkAvailable(); err != nil {
		return err
	}
	if in.Environment != nil {
		return checkEnvironment(in.Environment.Variables)
	}
	return nil
}

func (in *settings) violations(v *violations) {
	v.pattern(in.Role, "role", rolePattern, roleForm)
	v.length(in.Role, "role", 0, 2048)
	v.length(in.Description, "description", 0, 256)
	v.length(in.Handler, "handler", 0, 128)
	v.pattern(in.Handler, "handler", handlerPattern, handlerForm)
	v.between(in.Timeout, "timeout", 1, 900)
	v.between(in.MemorySize, "memorySize", 128, 10240)
	v.length(in.KMSKeyARN, "kMSKeyArn", 0, 2048)
	v.pattern(in.KMSKeyARN, "kMSKeyArn", keyPattern, keyForm)
	if c := in.DeadLetterConfig; c != nil {
		v.length(c.TargetARN, "deadLetterConfig.targetArn", 0, 2048)
		v.pattern(c.TargetARN, "deadLetterConfig.targetArn", targetPattern, targetForm)
	}
	if c := in.EphemeralStorage; c != nil {
		v.between(c.Size, "ephemeralStorage.size", 512, 10240)
	}
	if c := in.TracingConfig; c != nil {
		v.oneOf(c.Mode, "tracingConfig.mode", "Active", "PassThrough")
	}
	if c := in.SnapStart; c != nil {
		v.oneOf(c.ApplyOn, "snapStart.applyOn", "PublishedVersions", "None")
	}
	if c := in.LoggingConfig; c != nil {
		v.oneOf(c.LogFormat, "loggingConfig.logFormat", "JSON", "Text")
		v.oneOf(c.ApplicationLogLevel, "loggingConfig.applicationLogLevel", "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
		v.oneOf(c.SystemLogLevel, "loggingConfig.systemLogLevel", "DEBUG", "INFO", "WARN")
		v.length(c.LogGroup, "loggingConfig.logGroup", 1, 512)
		v.pattern(c.LogGroup, "loggingConfig.logGroup", groupPattern, groupForm)
	}
	if c := in.VPCConfig; c != nil {
		v.items(c.SecurityGroupIDs, "vpcConfig.securityGroupIds", 5)
		v.items(c.SubnetIDs, "vpcConfig.subnetIds", 16)
	}
	if in.Environment != nil {
		for _, name := range slices.Sorted(maps.Keys(in.Environment.Variables)) {
			if !variableForm.MatchString(name) && !slices.Contains(reserved, name) {
				v.add(name, "environment.variables", "Map keys must satisfy constraint: [Member must satisfy regular expression pattern: %s]", nameOfVariable)
				return
			}
		}
	}
}

// items checks a list of identifiers.
func (v *violations) items(list []string, member string, most int) {
	if len(list) > most {
		v.add("["+strings.Join(list[:most], ", ")+", ...]", member, "Member must have length less than or equal to %d", most)
	}
	for _, one := range list {
		v.length(&one, member, 0, 1024)
	}
}

// checkAvailable refuses what would silently not act.
func (in *settings) checkAvailable() error {
	switch {
	case len(in.Layers) > 0:
		return unavailableMember("Layers", "put what they hold into the zip of the function")
	case len(in.FileSystemConfigs) > 0:
		return unavailableMember("FileSystemConfigs", "functions see the file systems of the server")
	case in.SnapStart != nil && in.SnapStart.ApplyOn != nil && *in.SnapStart.ApplyOn != "None":
		return unavailableMember("SnapStart", "leave it out, or set ApplyOn to None")
	case in.ImageConfig != nil:
		return unavailableMember("ImageConfig", "functions are made of zips")
	case in.DurableConfig != nil:
		return unavailableMember("DurableConfig", "leave it out")
	case in.TenancyConfig != nil:
		return unavailableMember("TenancyConfig", "leave it out")
	case in.PublishTo != nil:
		return unavailableMember("PublishTo", "leave it out")
	case in.CapacityProviderConfig != nil:
		return unavailableMember("CapacityProviderConfig", "leave it out")
	default:
		return nil
	}
}

func unavailableMember(member, instead string) error {
	return invalid("%s is not available on this server: %s.", member, instead)
}

func checkEnvironment(variables map[string]string) error {
	const unable = "Lambda was unable to configure your environment variables because the environment variables you have provided "
	var used []string
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		if slices.Contains(reserved, name) {
			used = append(used, name)
		}
	}
	if len(used) > 0 {
		return invalid(unable+"contains reserved keys that are currently not supported for modification. Reserved keys used in this request: %s", strings.Join(used, ", "))
	}
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		if strings.ContainsRune(variables[name], 0) {
			return invalid(unable+"contains a null character: %s", name)
		}
	}
	text, err := encode(variables)
	if err != nil {
		return err
	}
	if len(text) > maxEnvironment {
		shown := string(text)
		if len(shown) > 2*maxEnvironment {
			shown = strings.ToValidUTF8(shown[:2*maxEnvironment], "") + "..."
		}
		return invalid(unable+"exceeded the 4KB limit. String measured: %s", shown)
	}
	return nil
}

// clip shortens a text that an error repeats.
func clip(s string) string {
	if len(s) > maxShown {
		return strings.ToValidUTF8(s[:maxShown], "") + "..."
	}
	return s
}

// apply makes the configuration what a checked request says.
func (in *settings) apply(c *Configuration) error {
	set(&c.Description, in.Description)
	set(&c.Runtime, in.Runtime)
	set(&c.Role, in.Role)
	set(&c.Handler, in.Handler)
	set(&c.Timeout, in.Timeout)
	set(&c.MemorySize, in.MemorySize)
	if in.Environment != nil {
		c.Environment = in.Environment.Variables
		if c.Environment == nil {
			c.Environment = map[string]string{}
		}
	}
	if in.KMSKeyARN != nil {
		c.keep(restKey, *in.KMSKeyARN, *in.KMSKeyARN == "")
	}
	if in.DeadLetterConfig != nil {
		target := valueOf(in.DeadLetterConfig.TargetARN)
		c.keep(restDeadLetter, map[string]string{"TargetArn": target}, target == "")
	}
	if s := in.EphemeralStorage; s != nil && s.Size != nil {
		c.keep(restStorage, map[string]int{"Size": *s.Size}, *s.Size == defaultStorage)
	}
	if t := in.TracingConfig; t != nil && t.Mode != nil {
		c.keep(restTracing, map[string]string{"Mode": *t.Mode}, *t.Mode == "PassThrough")
	}
	if in.VPCConfig != nil {
		c.keep(restVPC, in.VPCConfig, len(in.VPCConfig.SubnetIDs) == 0 && len(in.VPCConfig.SecurityGroupIDs) == 0)
	}
	return in.applyLogging(c)
}

func (in *settings) applyLogging(c *Configuration) error {
	if in.LoggingConfig == nil {
		return nil
	}
	l := c.logging()
	set(&l.LogFormat, in.LoggingConfig.LogFormat)
	set(&l.LogGroup, in.LoggingConfig.LogGroup)
	if l.LogFormat == "Text" {
		if in.LoggingConfig.ApplicationLogLevel != nil || in.LoggingConfig.SystemLogLevel != nil {
			return invalid("The log levels of LoggingConfig need the LogFormat JSON.")
		}
		l.ApplicationLogLevel, l.SystemLogLevel = "", ""
	} else {
		set(&l.ApplicationLogLevel, in.LoggingConfig.ApplicationLogLevel)
		set(&l.SystemLogLevel, in.LoggingConfig.SystemLogLevel)
		for _, level := range []*string{&l.ApplicationLogLevel, &l.SystemLogLevel} {
			if *level == "" {
				*level = "INFO"
			}
		}
	}
	c.keep(restLogging, l, l == logging{LogFormat: "Text"})
	return nil
}

// set changes a value if there is one to set.
func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// keep keeps a member of Rest, or forgets it. What is kept can always be encoded.
func (c *Configuration) keep(member string, value any, forget bool) {
	if forget {
		delete(c.Rest, member)
		return
	}
	if c.Rest == nil {
		c.Rest = map[string]json.RawMessage{}
	}
	text, _ := encode(value)
	c.Rest[member] = text
}
