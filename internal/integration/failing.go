package integration

import "penstock/internal/gateway"

// Failing returns an integration that cannot work as configured: it answers 500
// and tells the operator why.
func Failing(why error) gateway.Integration { return failing{gateway.InternalError(why)} }

type failing struct{ err error }

func (f failing) Invoke(*gateway.Exchange) error { return f.err }
