package lambda

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// streamName returns the name of a new log stream. It begins with the day.
func streamName(now time.Time, version string) string {
	var id [16]byte
	rand.Read(id[:])
	return now.UTC().Format("2006/01/02/") + "[" + version + "]" + hex.EncodeToString(id[:])
}

// overridable reports whether what a function is configured with goes before what the
// host sets: of all reserved names, only these. Source: developer guide,
// configuration-envvars, which counts NODE_PATH and PYTHONPATH among them.
func overridable(name string) bool {
	switch name {
	case "LANG", "PATH", "LD_LIBRARY_PATH", "NODE_PATH", "PYTHONPATH", "TZ":
		return true
	default:
		return strings.HasPrefix(name, "AWS_XRAY_")
	}
}

// variables returns the environment of the process: nothing of ours but PATH. Extra are
// the variables that belong to the runtime.
func (e *environment) variables(extra map[string]string) []string {
	spec, config, dir := &e.pool.spec, &e.host.config, e.pool.dir
	group := spec.LogGroup
	if group == "" {
		group = "/aws/lambda/" + spec.Name
	}
	own := map[string]string{
		"AWS_DEFAULT_REGION":              config.Region,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(spec.Memory),
		"AWS_LAMBDA_FUNCTION_NAME":        spec.Name,
		"AWS_LAMBDA_FUNCTION_VERSION":     spec.Version,
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME":       group,
		"AWS_LAMBDA_LOG_STREAM_NAME":      e.stream,
		"AWS_LAMBDA_RUNTIME_API":          e.address,
		"AWS_REGION":                      config.Region,
		"LAMBDA_TASK_ROOT":                dir,
		"LANG":                            "en_US.UTF-8",
		"LD_LIBRARY_PATH":                 dir + ":" + dir + "/lib",
		"NODE_PATH":                       dir + "/node_modules",
		"PATH":                            os.Getenv("PATH") + ":" + dir,
		"PYTHONPATH":                      dir,
		"TMPDIR":                          e.temp,
		"TZ":                              ":UTC",
		"_HANDLER":                        spec.Handler,
	}
	if c := config.Credentials; c.AccessKeyID != "" {
		own["AWS_ACCESS_KEY_ID"] = c.AccessKeyID
		own["AWS_SECRET_ACCESS_KEY"] = c.SecretAccessKey
		if c.SessionToken != "" {
			own["AWS_SESSION_TOKEN"] = c.SessionToken
		}
	}
	if spec.LogFormat == "JSON" {
		own["AWS_LAMBDA_LOG_FORMAT"] = "JSON"
		own["AWS_LAMBDA_LOG_LEVEL"] = "INFO"
	}
	maps.Copy(own, extra)

	all := make([]string, 0, len(own)+len(spec.Environment))
	for name, value := range own {
		if given, ok := spec.Environment[name]; ok && overridable(name) {
			value = given
		}
		all = append(all, name+"="+value)
	}
	for name, value := range spec.Environment {
		if _, taken := own[name]; !taken {
			all = append(all, name+"="+value)
		}
	}
	slices.Sort(all)
	return all
}

// newID returns a random UUID.
func newID() string {
	var id [16]byte
	rand.Read(id[:])
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}
