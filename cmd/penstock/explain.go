package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

type explainCommand struct {
	access
	RequestID string `arg:"" optional:"" help:"The apigw-requestid of the response, or the requestId of an error frame."`
	Last      int    `help:"List the last requests instead." placeholder:"N"`
	JSON      bool   `name:"json" help:"Print what the server answers."`
}

func (explainCommand) Help() string {
	return `Why a request got its answer: to which API, stage and route it came and how, what throttling, the authorizer and parameter mapping did with it, and what the backend said. Every response has its request ID in the field apigw-requestid, the answer to a WebSocket handshake too, and error frames have that of the message. The server remembers the last 1000 requests (explain.requests in its configuration), and no secrets.` + accessHelp + `

Examples:

    penstock explain JKJaXmPLvHcESHA=
    penstock explain --last 10
    penstock explain JKJaXmPLvHcESHA= --json`
}

func (c *explainCommand) Run(p *program) error {
	if (c.RequestID == "") == (c.Last == 0) {
		return errors.New("give a request ID, or --last N for the last requests")
	}
	s, err := c.client(p)
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	if c.RequestID == "" {
		return c.list(ctx, p, s)
	}
	answer, err := s.call(ctx, http.MethodGet, "/_penstock/requests/"+url.PathEscape(c.RequestID), nil, nil)
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(p.stdout, answer)
	}
	var r requestRecord
	if err := json.Unmarshal(answer, &r); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	_, err = p.stdout.Write(r.text())
	return err
}

func (c *explainCommand) list(ctx context.Context, p *program, s *client) error {
	answer, err := s.call(ctx, http.MethodGet, "/_penstock/requests", url.Values{"last": {strconv.Itoa(c.Last)}}, nil)
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(p.stdout, answer)
	}
	var list struct{ Items []requestRecord }
	if err := json.Unmarshal(answer, &list); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	t := &table{heads: []string{"REQUEST ID", "TIME", "STATUS", "METHOD", "API", "STAGE", "ROUTE", "PATH"}}
	for _, r := range list.Items {
		route := ""
		if r.Route != nil {
			route = r.Route.RouteKey
		}
		cells := []string{r.RequestID, r.Time.Format(time.RFC3339), strconv.Itoa(r.Response.Status), r.Method, r.Located.APIID, r.Located.Stage, route}
		for i := range cells {
			cells[i] = escape(cells[i], "")
		}
		t.rows = append(t.rows, row{cells: cells, last: []string{escape(r.Path, "")}})
	}
	return t.write(p.stdout)
}

// A requestRecord is what a server remembers of a request.
type requestRecord struct {
	RequestID, Method, Host, Path, SourceIP string
	Time                                    time.Time
	Query                                   []string
	Located                                 struct {
		By, DomainName, BasePath, RoutingRuleID, APIID, Stage, DeploymentID, RoutePath string
		WebSocket                                                                      bool
	}
	Route *struct {
		RouteKey      string
		PathVariables map[string]string
	}
	ConnectionID string
	Throttle     string
	Authorizer   *struct {
		Type, Verdict, Reason string
		LatencyMillis         float64
	}
	Mapping     []struct{ Change, Before, After string }
	Integration *struct {
		Target, Call, Answer string
		Status               int
		LatencyMillis        float64
		Error                string
	}
	Response struct {
		Status        int
		Length        int64
		LatencyMillis float64
		Reason        string
	}
}

// text tells the record line by line, in the order in which things happened.
func (r *requestRecord) text() []byte {
	var b bytes.Buffer
	line := func(head, format string, args ...any) {
		fmt.Fprintf(&b, "%-12s %s\n", head, strings.TrimSpace(escape(fmt.Sprintf(format, args...), "")))
	}
	query := ""
	if len(r.Query) > 0 {
		query = "?" + strings.Join(r.Query, "&")
	}
	line("request", "%s %s%s", r.Method, r.Path, query)
	line("", "%s from %s to %s", r.Time.Format(time.RFC3339Nano), r.SourceIP, cmp.Or(r.Host, "(no host)"))
	l := &r.Located
	switch {
	case l.APIID != "" && l.DomainName != "":
		line("located", "API %s stage %s deployment %s, by %s of %s", l.APIID, l.Stage, l.DeploymentID, strings.TrimSpace(l.By+" "+cmp.Or(l.RoutingRuleID, strconv.Quote(l.BasePath))), l.DomainName)
	case l.APIID != "" && l.Stage != "":
		line("located", "API %s stage %s deployment %s, by %s", l.APIID, l.Stage, l.DeploymentID, l.By)
	case l.APIID != "":
		line("located", "API %s, no stage, by %s", l.APIID, l.By)
	case l.DomainName != "":
		line("located", "no API, by the domain name %s", l.DomainName)
	default:
		line("located", "no API has this host")
	}
	if r.ConnectionID != "" {
		line("connection", "%s", r.ConnectionID)
	}
	switch {
	case l.WebSocket && r.Route != nil:
		line("route", "%s", r.Route.RouteKey)
	case l.WebSocket && r.ConnectionID != "":
		line("route", "none")
	case l.WebSocket: // no event, but a request about connections, or one for nothing
	case r.Route != nil:
		line("route", "%s matches %s", r.Route.RouteKey, l.RoutePath)
		for _, name := range slices.Sorted(maps.Keys(r.Route.PathVariables)) {
			line("", "{%s} is %q", name, r.Route.PathVariables[name])
		}
	case l.Stage != "":
		line("route", "none matches %s %s", r.Method, l.RoutePath)
	}
	if r.Throttle != "" {
		line("throttle", "%s", r.Throttle)
	}
	if a := r.Authorizer; a != nil {
		line("authorizer", "%s %s in %.3f ms", a.Type, a.Verdict, a.LatencyMillis)
		if a.Reason != "" {
			line("", "%s", a.Reason)
		}
	}
	for i, m := range r.Mapping {
		head := ""
		if i == 0 {
			head = "mapping"
		}
		line(head, "%s: %q became %q", m.Change, m.Before, m.After)
	}
	if i := r.Integration; i != nil {
		if i.Status > 0 {
			line("integration", "answered %d in %.3f ms", i.Status, i.LatencyMillis)
		} else {
			line("integration", "no answer after %.3f ms", i.LatencyMillis)
		}
		for _, more := range [...]struct{ head, text string }{{"at ", i.Target}, {"", i.Call}, {"it said: ", i.Answer}, {"", i.Error}} {
			if more.text != "" {
				line("", "%s%s", more.head, more.text)
			}
		}
	}
	line("response", "%d, %d bytes after %.3f ms", r.Response.Status, r.Response.Length, r.Response.LatencyMillis)
	if r.Response.Reason != "" {
		line("", "%s", r.Response.Reason)
	}
	return b.Bytes()
}
