package credential

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// sessionName is what the service calls sessions of roles that are assumed here.
const sessionName = "penstock"

// assume returns what assumes a role with the credentials of source.
func (k *Keyring) assume(arn string, source *Provider) func(context.Context) (aws.Credentials, error) {
	o := sts.Options{Region: k.region, Credentials: source, HTTPClient: k.client, Retryer: aws.NopRetryer{}}
	if k.sts != "" {
		o.BaseEndpoint = &k.sts
	}
	client := sts.New(o)
	return func(ctx context.Context) (aws.Credentials, error) {
		out, err := client.AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: &arn, RoleSessionName: aws.String(sessionName)})
		if err != nil {
			return aws.Credentials{}, fmt.Errorf("assume %s: %w", arn, err)
		}
		c := out.Credentials
		if c == nil || aws.ToString(c.AccessKeyId) == "" || aws.ToString(c.SecretAccessKey) == "" || aws.ToString(c.SessionToken) == "" || c.Expiration == nil {
			return aws.Credentials{}, fmt.Errorf("assume %s: %w", arn, errors.New("the answer has no credentials"))
		}
		return aws.Credentials{
			AccessKeyID: *c.AccessKeyId, SecretAccessKey: *c.SecretAccessKey, SessionToken: *c.SessionToken,
			CanExpire: true, Expires: *c.Expiration,
		}, nil
	}
}

// maxAnswer is how many bytes of an answer are read. One with credentials has 2 KB.
const maxAnswer = 64 << 10

// shortAnswers cuts off answers.
type shortAnswers struct{ next http.RoundTripper }

func (s shortAnswers) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := s.next.RoundTrip(r)
	if err == nil {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(resp.Body, maxAnswer), resp.Body}
	}
	return resp, err
}
