package penstock

import (
	"io"
	"net/url"
	"slices"
	"strings"
)

// A Certificate is one of the TLS listener. Files are read again when they change; the
// connections that are open stay.
type Certificate struct {
	// ARN is how domain names refer to the certificate, such as
	// arn:aws:acm:us-east-1:000000000000:certificate/example. Without one, it is found by
	// its names only. Default: none.
	ARN string `yaml:"arn"`

	// CertificateFile is a file with the certificate and those that lead to the root, in
	// PEM. Default: none.
	CertificateFile string `yaml:"certificateFile"`

	// PrivateKeyFile is a file with the private key, in PEM. Default: none.
	PrivateKeyFile string `yaml:"privateKeyFile"`

	// Certificate is the PEM text itself, in place of [Certificate.CertificateFile].
	// Default: none.
	Certificate string `yaml:"certificate"`

	// PrivateKey is the PEM text of the private key, in place of
	// [Certificate.PrivateKeyFile]. Default: none.
	PrivateKey string `yaml:"privateKey" json:"-"`
}

// An ACME gets certificates from a certificate authority. The names must lead to
// [Config.ListenTLS], on port 443 for public authorities.
type ACME struct {
	// Names are the names to get certificates for; without any it is off. Default: none.
	Names []string `yaml:"names"`

	// Directory is the URL of the authority's directory. Default:
	// https://acme-v02.api.letsencrypt.org/directory.
	Directory string `yaml:"directory"`

	// Email is the address that the authority may write to. Default: none.
	Email string `yaml:"email"`

	// Storage is the directory that keys and certificates are kept in; without one it is
	// acme in [Config.Data]. Default: none.
	Storage string `yaml:"storage"`

	// RootFile has the certificates, in PEM, that the authority's own server is verified
	// with; without one they are those of the system. Default: none.
	RootFile string `yaml:"rootFile"`
}

// A Truststore says which file stands for a trust store elsewhere.
type Truststore struct {
	// URI is that of the trust store, such as s3://bucket/ca.pem. Required.
	URI string `yaml:"uri"`

	// File has the certificates, in PEM. It is read again when it changes. Required.
	File string `yaml:"file"`
}

// An AccessLog says where the access logs with one destination ARN go: to a file or to
// a stream. Logging never delays a request: lines that cannot be written in time are
// dropped and counted.
type AccessLog struct {
	// DestinationARN is what stages name, such as
	// arn:aws:logs:us-east-1:000000000000:log-group:pets. An asterisk stands for all that
	// are not named. Required.
	DestinationARN string `yaml:"destinationArn"`

	// File is what lines are appended to. It is opened again when it was renamed or
	// removed. Default: none.
	File string `yaml:"file"`

	// MaxSize is the size, in bytes, at which a file becomes FILE.1, and FILE.1 FILE.2
	// and so on. 0 means 100 MiB. Default: 0.
	MaxSize int64 `yaml:"maxSize"`

	// MaxFiles is how many of those are kept. 0 means 10. Default: 0.
	MaxFiles int `yaml:"maxFiles"`

	// Stream is stdout or stderr, in place of a file. Default: none.
	Stream string `yaml:"stream"`

	// Writer takes the lines, in place of a file, in a program that embeds Penstock.
	Writer io.Writer `yaml:"-"`
}

// A Tracing says where traces go: to a collector that speaks OTLP over HTTP. Backends
// get traceparent and X-Amzn-Trace-Id.
type Tracing struct {
	// Endpoint is the URL of the collector, such as http://127.0.0.1:4318; without one,
	// nothing is traced. Default: none.
	Endpoint string `yaml:"endpoint"`

	// Headers are sent to the collector. Default: none.
	Headers []TracingHeader `yaml:"headers"`

	// Sample is the part of the requests that are traced, of those whose clients do not
	// say: 0.01 is one of a hundred, -1 none. Default: 0.01.
	Sample float64 `yaml:"sample"`

	// ServiceName is what traces call this server. Default: penstock.
	ServiceName string `yaml:"serviceName"`
}

// A TracingHeader is a header field that is sent to the collector of traces, such as
// one that lets in.
type TracingHeader struct {
	// Name is the name of the field. Required.
	Name string `yaml:"name"`

	// Value is its value. Required.
	Value string `yaml:"value" json:"-"`
}

// An Explain says what is remembered of requests.
type Explain struct {
	// Requests is how many of the last requests can be explained: why each got its
	// answer. Some 2 KB of memory each; no secrets are kept. -1 turns it off. Default:
	// 1000.
	Requests int `yaml:"requests"`
}

// Extensions are what the real service does not have. All are off unless said.
type Extensions struct {
	// RequestModels lets HTTP APIs have models, and routes have requestModels: by media
	// type, or $default for all others, the name of the model that request bodies must
	// follow. Others get 400. Default: false.
	RequestModels bool `yaml:"requestModels"`
}

// checkTLS says of every key about certificates with a value that cannot work what
// would.
func (c Config) checkTLS(wrong func(format string, args ...any)) {
	arns := map[string]bool{}
	for i, one := range c.Certificates {
		switch {
		case (one.CertificateFile == "") == (one.Certificate == ""):
			wrong("certificates[%d]: give one of certificateFile and certificate", i)
		case (one.PrivateKeyFile == "") == (one.PrivateKey == ""):
			wrong("certificates[%d]: give one of privateKeyFile and privateKey", i)
		case (one.CertificateFile == "") != (one.PrivateKeyFile == ""):
			wrong("certificates[%d]: the certificate and its key are both files or both texts", i)
		case one.ARN != "" && arns[one.ARN]:
			wrong("certificates[%d].arn: %s is there twice", i, one.ARN)
		}
		arns[one.ARN] = true
	}
	uris := map[string]bool{}
	for i, one := range c.Truststores {
		switch {
		case one.URI == "":
			wrong("truststores[%d].uri is missing", i)
		case uris[one.URI]:
			wrong("truststores[%d].uri: %s is there twice", i, one.URI)
		}
		uris[one.URI] = true
		if one.File == "" {
			wrong("truststores[%d].file is missing", i)
		}
	}
	for i, name := range c.ACME.Names {
		if !suffixForm.MatchString(name) {
			wrong("acme.names[%d]: %q is not a domain name: want labels of lower-case letters, digits and hyphens", i, name)
		}
	}
	if len(c.ACME.Names) > 0 {
		if c.ListenTLS == "" {
			wrong("acme.names: there is no TLS listener: set listenTls")
		}
		if !isHTTP(c.ACME.Directory, "https") {
			wrong("acme.directory: %q is not an https URL", c.ACME.Directory)
		}
	}
	if c.ListenTLS == "" && len(c.Certificates) > 0 {
		wrong("certificates: there is no TLS listener: set listenTls, such as 127.0.0.1:8443")
	}
}

// checkObservability says the same of logs, traces and records.
func (c Config) checkObservability(wrong func(format string, args ...any)) {
	arns := map[string]bool{}
	for i, l := range c.AccessLogs {
		if l.DestinationARN == "" {
			wrong("accessLogs[%d].destinationArn is missing", i)
		} else if arn := strings.TrimSuffix(l.DestinationARN, ":*"); arns[arn] {
			wrong("accessLogs[%d].destinationArn: %s is there twice", i, l.DestinationARN)
		} else {
			arns[arn] = true
		}
		given := 0
		for _, is := range []bool{l.File != "", l.Stream != "", l.Writer != nil} {
			if is {
				given++
			}
		}
		switch {
		case given != 1:
			wrong("accessLogs[%d]: give one of file and stream", i)
		case l.Stream != "" && l.Stream != "stdout" && l.Stream != "stderr":
			wrong("accessLogs[%d].stream: %q is not a stream: want stdout or stderr", i, l.Stream)
		case l.MaxSize < 0 || l.MaxFiles < 0:
			wrong("accessLogs[%d]: maxSize and maxFiles are not negative", i)
		}
	}
	if t := c.Tracing; t.Endpoint != "" && !isHTTP(t.Endpoint, "http", "https") {
		wrong("tracing.endpoint: %q is not an http or https URL, such as http://127.0.0.1:4318", t.Endpoint)
	}
	if s := c.Tracing.Sample; !(s >= 0 && s <= 1) && s != -1 {
		wrong("tracing.sample: %v is not a part: want up to 1, or -1 for none", s)
	}
	for i, h := range c.Tracing.Headers {
		if h.Name == "" {
			wrong("tracing.headers[%d].name is missing", i)
		}
	}
	if n := c.Explain.Requests; n < -1 || n > maxExplained {
		wrong("explain.requests: %d is out of range: want 1 to %d, or -1 for none", n, maxExplained)
	}
}

// maxExplained keeps the memory for records below 2 GB.
const maxExplained = 1_000_000

func isHTTP(text string, schemes ...string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Host != "" && slices.Contains(schemes, u.Scheme)
}
