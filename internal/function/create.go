package function

import (
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
)

// A createRequest is the body of CreateFunction.
type createRequest struct {
	settings
	FunctionName         *string
	Code                 *codeRequest
	Architectures        []string
	PackageType          *string
	Publish              bool
	Tags                 map[string]string
	CodeSigningConfigARN *string `json:"CodeSigningConfigArn"`
}

// A codeRequest says what the code of a function is.
type codeRequest struct {
	ZipFile         []byte
	S3Bucket, S3Key *string
	ImageURI        *string `json:"ImageUri"`
	SourceKMSKeyARN *string `json:"SourceKMSKeyArn"`
}

func createFunction(c *call) (answer, error) {
	var in createRequest
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	c.body = nil // the zip is held once
	if err := in.begin(c); err != nil {
		return answer{}, err
	}
	if err := in.checkMembers(); err != nil {
		return answer{}, err
	}
	if _, ok := c.Declared[c.name]; ok {
		return answer{}, declaredConflict(c.name)
	}
	if _, err := c.find(c.name); err == nil {
		return answer{}, errExists(c.name) // and what was sent is not looked at
	}
	code, release, err := c.upload(in.Code.ZipFile)
	if err != nil {
		return answer{}, err
	}
	defer release()
	d := &Document{Name: c.name, Tags: in.Tags}
	version := latest
	_, err = c.replace(c.r.Context(), c.principal, c.name, func(old *Document) (*Document, error) {
		if old != nil {
			return nil, errExists(c.name)
		}
		d.Latest = &Version{Configuration: Configuration{Timeout: defaultTimeout, MemorySize: defaultMemory}}
		if err := in.apply(&d.Latest.Configuration); err != nil {
			return nil, err
		}
		code.apply(d.Latest, in.Architectures)
		c.touch(&d.Latest.Configuration)
		if in.Publish {
			version = c.publish(d, nil)
		}
		return d, nil
	})
	if err != nil {
		return answer{}, err
	}
	return c.described(http.StatusCreated, version, "")
}

// begin finds out which function it is, and whether the caller may make it.
func (in *createRequest) begin(c *call) error {
	var v violations
	if !v.required(in.FunctionName, "functionName") {
		return v.err()
	}
	name, qualifier, err := c.target(*in.FunctionName, "", c.principal, c.op.permission())
	if err != nil {
		return err
	}
	if strings.Contains(name, ".") {
		v.add(*in.FunctionName, "functionName", "Member must satisfy regular expression pattern: %s", strings.Replace(functionName, `_\.]`, `_]`, 1))
		return v.err()
	}
	c.name = name
	if err := c.authorize(in.Tags); err != nil {
		return err
	}
	if qualifier != "" {
		return invalid("The name of a function that is created cannot have a qualifier: %s", *in.FunctionName)
	}
	return nil
}

// checkMembers says what is wrong with a request, apart from what is in the zip.
func (in *createRequest) checkMembers() error {
	var v violations
	v.required(in.Role, "role")
	if in.Code == nil {
		v.required(nil, "code")
	}
	v.oneOf(in.PackageType, "packageType", "Image", "Zip")
	v.architectures(in.Architectures)
	if err := v.err(); err != nil {
		return err
	}
	if err := in.check(); err != nil {
		return err
	}
	switch {
	case valueOf(in.PackageType) == "Image":
		return unavailableMember("The PackageType Image", "send a zip in Code.ZipFile")
	case valueOf(in.CodeSigningConfigARN) != "":
		return unavailableMember("CodeSigningConfigArn", "leave it out")
	}
	if err := in.Code.check(); err != nil {
		return err
	}
	if in.Runtime == nil || in.Handler == nil {
		return invalid("Runtime and Handler are mandatory parameters for functions created with deployment packages.")
	}
	return checkTags(in.Tags)
}

func (v *violations) architectures(list []string) {
	for _, one := range list {
		v.oneOf(&one, "architectures", "x86_64", "arm64")
	}
	if len(list) > 1 {
		v.add("["+list[0]+", "+list[1]+"]", "architectures", "Member must have length less than or equal to 1")
	}
}

// check refuses code that is somewhere else.
func (r *codeRequest) check() error {
	switch {
	case r.ImageURI != nil:
		return unavailableMember("ImageUri", "send a zip in ZipFile")
	case r.S3Bucket != nil || r.S3Key != nil:
		return invalid("Code in S3 is not available on this server: send a zip in ZipFile.")
	case valueOf(r.SourceKMSKeyARN) != "":
		return unavailableMember("SourceKMSKeyArn", "send a zip that is not encrypted")
	case len(r.ZipFile) == 0:
		return invalid("Please provide a source for function code: a zip in ZipFile.")
	default:
		return nil
	}
}

func errExists(name string) error { return conflict("Function already exist: %s", name) }

// An upload is a zip that is kept.
type upload struct {
	sum  string
	size int64
}

// upload keeps a zip, if it can be unpacked. The caller calls release when a version
// has it, or none will.
func (c *call) upload(zip []byte) (u upload, release func(), err error) {
	if err := checkZip(zip); err != nil {
		return u, nil, err
	}
	u.size = int64(len(zip))
	u.sum, release, err = c.codes.put(zip)
	return u, release, err
}

// apply makes a version have the code.
func (u upload) apply(v *Version, architectures []string) {
	v.Code = u.sum
	v.Configuration.CodeSize = u.size
	digest, _ := hex.DecodeString(u.sum) // was encoded here
	v.Configuration.CodeSha256 = base64.StdEncoding.EncodeToString(digest)
	if architectures = slices.Clone(architectures); len(architectures) == 1 {
		v.Configuration.keep(restArchitectures, architectures, architectures[0] == "x86_64")
	}
}

// touch says of a configuration that it was changed now.
func (c *call) touch(configuration *Configuration) {
	configuration.LastModified = stamp(c.Now())
	configuration.RevisionID = newUUID()
}

// described answers a version of the function that a call is about.
func (c *call) described(status int, version, qualifier string) (answer, error) {
	f, err := c.find(c.name)
	if err != nil || f.versions[version] == nil { // was deleted meanwhile
		return answer{}, c.notFound(c.name, qualifier)
	}
	return answer{status: status, body: f.describe(version, qualifier, false)}, nil
}
