package function

import (
	"net/http"
)

// accountConcurrency is how many invocations an account may have at one time; source:
// Lambda quotas. The host has limits of its own.
const accountConcurrency = 1000

// getAccountSettings answers limits as the service has them, and what is used here.
func getAccountSettings(c *call) (answer, error) {
	out := struct {
		AccountLimit struct {
			TotalCodeSize                  int64
			CodeSizeUnzipped               int64
			CodeSizeZipped                 int64
			ConcurrentExecutions           int
			UnreservedConcurrentExecutions int
		}
		AccountUsage struct {
			TotalCodeSize int64
			FunctionCount int
		}
	}{}
	limit, usage := &out.AccountLimit, &out.AccountUsage
	limit.TotalCodeSize, limit.CodeSizeUnzipped, limit.CodeSizeZipped = 75<<30, 250<<20, maxZip
	limit.ConcurrentExecutions, limit.UnreservedConcurrentExecutions = accountConcurrency, accountConcurrency
	for _, f := range *c.live.Load() {
		usage.FunctionCount++
		for version := range f.versions {
			usage.TotalCodeSize += f.configuration(version).CodeSize
		}
		if n := f.concurrency(); n != nil {
			limit.UnreservedConcurrentExecutions = max(0, limit.UnreservedConcurrentExecutions-*n)
		}
	}
	return answer{status: http.StatusOK, body: out}, nil
}

type concurrencyAnswer struct {
	ReservedConcurrentExecutions *int `json:",omitempty"`
}

// putFunctionConcurrency reserves invocations: no more than these run at one time. With
// none reserved, the function is throttled.
func putFunctionConcurrency(c *call) (answer, error) {
	var in concurrencyAnswer
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	var v violations
	if in.ReservedConcurrentExecutions == nil {
		v.required(nil, "reservedConcurrentExecutions")
	}
	v.between(in.ReservedConcurrentExecutions, "reservedConcurrentExecutions", 0, accountConcurrency)
	if err := v.err(); err != nil {
		return answer{}, err
	}
	if err := c.setConcurrency(in.ReservedConcurrentExecutions); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, body: in}, nil
}

func deleteFunctionConcurrency(c *call) (answer, error) {
	if err := c.setConcurrency(nil); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

func (c *call) setConcurrency(n *int) error {
	if c.qualifier != "" {
		return invalid("This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.")
	}
	return c.change(nil, func(d *Document) error {
		d.Concurrency = n
		return nil
	})
}

func getFunctionConcurrency(c *call) (answer, error) {
	f, err := c.find(c.name)
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, body: concurrencyAnswer{f.concurrency()}}, nil
}

// What follows answers for settings that nobody can make here, as the service does for
// those that nobody has made.

func getFunctionCodeSigningConfig(c *call) (answer, error) {
	f, err := c.find(c.name)
	if err != nil {
		return answer{}, err
	}
	out := struct {
		CodeSigningConfigARN string `json:"CodeSigningConfigArn"`
		FunctionName         string
	}{"", f.name}
	return answer{status: http.StatusOK, body: out}, nil
}

func getRuntimeManagementConfig(c *call) (answer, error) {
	f, _, err := c.version()
	if err != nil {
		return answer{}, err
	}
	out := struct {
		UpdateRuntimeOn string
		FunctionARN     string `json:"FunctionArn"`
	}{"Auto", f.arn + ":" + orLatest(c.qualifier)}
	return answer{status: http.StatusOK, body: out}, nil
}

func getFunctionRecursionConfig(c *call) (answer, error) {
	if _, err := c.find(c.name); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, body: struct{ RecursiveLoop string }{"Terminate"}}, nil
}

func getFunctionEventInvokeConfig(c *call) (answer, error) {
	f, _, err := c.version()
	if err != nil {
		return answer{}, err
	}
	return answer{}, missing("The function %s:%s doesn't have an EventInvokeConfig", f.arn, orLatest(c.qualifier))
}

func getFunctionURLConfig(c *call) (answer, error) {
	if _, _, err := c.version(); err != nil {
		return answer{}, err
	}
	return answer{}, missing("The resource you requested does not exist.")
}

// getProvisionedConcurrencyConfig answers ListProvisionedConcurrencyConfigs as well,
// which has the same path.
func getProvisionedConcurrencyConfig(c *call) (answer, error) {
	if _, _, err := c.version(); err != nil {
		return answer{}, err
	}
	if c.query.Get("List") == "ALL" {
		return answer{status: http.StatusOK, body: struct{ ProvisionedConcurrencyConfigs []struct{} }{[]struct{}{}}}, nil
	}
	return answer{}, &Error{
		Status:  http.StatusNotFound,
		Code:    "ProvisionedConcurrencyConfigNotFoundException",
		Message: "No Provisioned Concurrency Config found for this function",
	}
}

func orLatest(qualifier string) string {
	if qualifier == "" {
		return latest
	}
	return qualifier
}
