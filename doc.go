// Package penstock is Amazon API Gateway V2 inside your program: the control API
// that the AWS CLI, the SDKs and Terraform speak, and a gateway that carries the
// traffic of the APIs described through it.
//
//	s, err := penstock.Open(penstock.Config{Memory: true, Listen: "127.0.0.1:0", Admin: "127.0.0.1:0"})
//	if err != nil {
//		t.Fatal(err)
//	}
//	defer s.Close()
//
// Point a client of API Gateway V2 at s.AdminURL() and create an API; its
// apiEndpoint is served when the answer arrives. The command penstock is a user
// of this package.
package penstock
