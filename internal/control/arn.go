package control

import "strings"

// arn returns the ARN of what stands under a path of the control plane. Most name
// no account.
func (s *Server) arn(path string) string { return s.arnIn("", path) }

// accountARN returns an ARN that names the account.
func (s *Server) accountARN(path string) string { return s.arnIn(s.Account, path) }

func (s *Server) arnIn(account, path string) string {
	return strings.Join([]string{"arn", s.Partition, "apigateway", s.Region, account, path}, ":")
}
