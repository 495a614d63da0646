package provenance

import (
	"crypto/x509"
	"time"

	"penstock/internal/gateway"
)

// Certificate returns the certificate that says who the client is, nil if there is none.
// One that was not verified says nothing.
func Certificate(x *gateway.Exchange) *x509.Certificate {
	t := x.Request.TLS
	if t == nil || len(t.VerifiedChains) == 0 || len(t.VerifiedChains[0]) == 0 {
		return nil
	}
	return t.VerifiedChains[0][0]
}

// AppendSerial appends the number of a certificate as hexadecimal octets with colons,
// nothing if it has none.
func AppendSerial(b []byte, c *x509.Certificate) []byte {
	if c.SerialNumber == nil {
		return b
	}
	octets := c.SerialNumber.Bytes()
	if len(octets) == 0 {
		octets = []byte{0}
	}
	const hex = "0123456789abcdef"
	for i, octet := range octets {
		if i > 0 {
			b = append(b, ':')
		}
		b = append(b, hex[octet>>4], hex[octet&15])
	}
	return b
}

// AppendValidity appends the beginning or the end of the validity of a certificate, as
// OpenSSL prints times.
func AppendValidity(b []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(b, "Jan _2 15:04:05 2006 GMT")
}
