package gateway

// misdirected reports whether a request came over a TLS connection that was made for
// another domain than it names, where one of them asks for mutual TLS.
func (x *Exchange) misdirected(d *Domain) bool { return false }
