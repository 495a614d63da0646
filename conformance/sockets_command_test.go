//go:build conformance

package conformance

import (
	"context"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestSocketCommand talks to an API by penstock ws.
func TestSocketCommand(t *testing.T) {
	t.Parallel()
	p := newSocketPlane(t, "")
	api := p.api(openGo(t, p.admin, tester), nil, nil)
	stage := p.socketURL(api, "")
	for _, tt := range []struct {
		name           string
		args           []string
		in             string
		status         int
		stdout, stderr string
	}{
		{
			"messages", []string{"-x", "one", "--count", "3", stage}, "two\n{\"action\":\"post\",\"text\":\"three\"}\n", 0,
			`^(default: one|default: two|posted: three)\n(default: one|default: two|posted: three)\n(default: one|default: two|posted: three)\n$`,
			`^connected to ` + regexp.QuoteMeta(stage) + `; request ID [\w-]{15}=\nclosed: 1000\n$`,
		},
		{
			"a subprotocol", []string{"--subprotocol", "chat.v2", "--deflate", "-x", `{"action":"mock"}`, "--count", "1", stage}, "", 0,
			`^\{"route":"mock","connection":"[\w-]{15}="\}\n$`, `^connected to ` + regexp.QuoteMeta(stage) + `; subprotocol chat\.v2; request ID [\w-]{15}=\nclosed: 1000\n$`,
		},
		{
			"refused by the function", []string{stage + "?status=403"}, "", 1, "^$",
			`^penstock: ` + regexp.QuoteMeta(stage) + ` refuses the handshake: 403 Forbidden.*\nrefused with 403\n`,
		},
		{
			"no such stage", []string{strings.TrimSuffix(stage, "dev") + "prod"}, "", 1, "^$",
			`refuses the handshake: 403 Forbidden \(ForbiddenException\)\n\{"message":"Forbidden"\}\nCheck the API in the host name, the stage in the path`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			cmd := exec.CommandContext(ctx, build(t), append([]string{"ws"}, tt.args...)...)
			cmd.Stdin = strings.NewReader(tt.in)
			var stdout, stderr strings.Builder
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			err := cmd.Run()
			if status := cmd.ProcessState.ExitCode(); status != tt.status {
				t.Errorf("exit status %d (%v), want %d", status, err, tt.status)
			}
			if !regexp.MustCompile(tt.stdout).MatchString(stdout.String()) {
				t.Errorf("stdout:\n%s\nwant:\n%s", &stdout, tt.stdout)
			}
			if !regexp.MustCompile(tt.stderr).MatchString(stderr.String()) {
				t.Errorf("stderr:\n%s\nwant:\n%s", &stderr, tt.stderr)
			}
		})
	}
}
