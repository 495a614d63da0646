package penstock

import (
	"cmp"

	"penstock/internal/authorizer"
)

// callers returns who may sign requests to routes with AWS_IAM.
func (c Config) callers() (*authorizer.Callers, error) {
	specs := make([]authorizer.CallerSpec, 0, len(c.Credentials))
	for _, cr := range c.Credentials {
		document, err := cr.policy()
		if err != nil {
			return nil, err
		}
		name := cmp.Or(cr.UserName, cr.AccessKeyID)
		specs = append(specs, authorizer.CallerSpec{
			AccessKeyID: cr.AccessKeyID, SecretAccessKey: cr.SecretAccessKey, SessionToken: cr.SessionToken,
			Name: name, ARN: cr.arn(c.AccountID), UserID: name, AccountID: c.AccountID, Policy: document,
		})
	}
	return authorizer.NewCallers(c.Region, specs, nil)
}
