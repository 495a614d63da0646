package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/coder/websocket"
)

const (
	// chatPath is that of the page for browsers.
	chatPath = "/chat"
	// chatShowTimeout is how long the conversation that is shown may take.
	chatShowTimeout = 20 * time.Second
)

// createChat makes a WebSocket API and a stage of it. Its function is there. A Lambda
// authorizer lets everybody in under a name, and what is said goes to the function.
func (d *demo) createChat(ctx context.Context) (err error) {
	if d.chat, err = d.client.CreateApi(ctx, &apigatewayv2.CreateApiInput{
		Name: aws.String("chat"), ProtocolType: types.ProtocolTypeWebsocket, RouteSelectionExpression: aws.String("$request.body.action"),
	}); err != nil {
		return err
	}
	id := d.chat.ApiId
	function := aws.String("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/" + d.arns["chat"] + "/invocations")
	authorizer, err := d.client.CreateAuthorizer(ctx, &apigatewayv2.CreateAuthorizerInput{
		ApiId: id, Name: aws.String("name"), AuthorizerType: types.AuthorizerTypeRequest, AuthorizerUri: function,
		IdentitySource: []string{}, // a name may be missing
	})
	if err != nil {
		return err
	}
	connect, err := d.client.CreateIntegration(ctx, &apigatewayv2.CreateIntegrationInput{
		ApiId: id, IntegrationType: types.IntegrationTypeMock, RequestTemplates: map[string]string{"$default": `{"statusCode":200}`},
	})
	if err != nil {
		return err
	}
	if _, err := d.client.CreateIntegrationResponse(ctx, &apigatewayv2.CreateIntegrationResponseInput{
		ApiId: id, IntegrationId: connect.IntegrationId, IntegrationResponseKey: aws.String("$default"),
	}); err != nil {
		return err
	}
	proxy, err := d.client.CreateIntegration(ctx, &apigatewayv2.CreateIntegrationInput{
		ApiId: id, IntegrationType: types.IntegrationTypeAwsProxy, IntegrationMethod: aws.String("POST"), IntegrationUri: function,
	})
	if err != nil {
		return err
	}
	for _, key := range []string{"$connect", "$disconnect", "join", "say", "$default"} {
		in := &apigatewayv2.CreateRouteInput{ApiId: id, RouteKey: &key, Target: aws.String("integrations/" + aws.ToString(proxy.IntegrationId))}
		if key == "$connect" {
			in.Target = aws.String("integrations/" + aws.ToString(connect.IntegrationId))
			in.AuthorizationType, in.AuthorizerId = types.AuthorizationTypeCustom, authorizer.AuthorizerId
		}
		if _, err := d.client.CreateRoute(ctx, in); err != nil {
			return err
		}
	}
	deployment, err := d.client.CreateDeployment(ctx, &apigatewayv2.CreateDeploymentInput{ApiId: id})
	if err != nil {
		return err
	}
	_, err = d.client.CreateStage(ctx, &apigatewayv2.CreateStageInput{ApiId: id, StageName: aws.String(demoStage), DeploymentId: deployment.DeploymentId})
	return err
}

// chatURL is the address of the chat for clients of WebSocket APIs.
func (d *demo) chatURL() string { return aws.ToString(d.chat.ApiEndpoint) + "/" + demoStage }

// stagePath is the path of a stage under addresses without the host name of its API.
func stagePath(apiID *string) string {
	return "/_aws/execute-api/" + aws.ToString(apiID) + "/" + demoStage
}

//go:embed demo_chat.html
var chatTemplate string

// chatPage returns the page of the chat, which knows where the chat is. It loads nothing
// from elsewhere, and no other page shows it.
func (d *demo) chatPage() (http.Handler, error) {
	t, err := template.New("chat").Parse(chatTemplate)
	if err != nil {
		return nil, err
	}
	var page bytes.Buffer
	if err := t.Execute(&page, struct{ Socket, Path string }{d.chatURL(), stagePath(d.chat.ApiId)}); err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; connect-src ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		w.Write(page.Bytes())
	}), nil
}

// A chatter is one side of the conversation that is shown.
type chatter struct {
	demo *demo
	name string
	conn *websocket.Conn
}

// showChat has two clients talk and prints what they send and hear.
func (d *demo) showChat(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, chatShowTimeout)
	defer cancel()
	d.print("\nAPI %s is a chat, a WebSocket API: a Lambda authorizer takes the name from the query, and a Lambda function in Go sends what is said to the group of all who are there.\n\n", aws.ToString(d.chat.ApiId))
	ada, err := d.enterChat(ctx, "Ada")
	if err != nil {
		return err
	}
	defer ada.conn.CloseNow()
	grace, err := d.enterChat(ctx, "Grace")
	if err != nil {
		return err
	}
	defer grace.conn.CloseNow()
	return errors.Join(
		ada.hear(ctx),
		ada.say(ctx, `{"action":"say","text":"Is anybody there?"}`), ada.hear(ctx), grace.hear(ctx),
		grace.say(ctx, "A line without JSON goes to $default."), ada.hear(ctx), grace.hear(ctx),
		grace.leave(), ada.hear(ctx),
		ada.leave(),
	)
}

// enterChat connects under a name and joins.
func (d *demo) enterChat(ctx context.Context, name string) (*chatter, error) {
	target := d.chatURL() + "?name=" + url.QueryEscape(name)
	conn, _, err := websocket.Dial(ctx, target, &websocket.DialOptions{HTTPClient: d.server.Client()})
	if err != nil {
		return nil, err
	}
	c := &chatter{d, name, conn}
	c.print("connected to " + target)
	return c, errors.Join(c.say(ctx, `{"action":"join"}`), c.hear(ctx), c.hear(ctx))
}

func (c *chatter) say(ctx context.Context, text string) error {
	c.print("> " + text)
	return c.conn.Write(ctx, websocket.MessageText, []byte(text))
}

func (c *chatter) hear(ctx context.Context) error {
	_, text, err := c.conn.Read(ctx)
	if err != nil {
		return fmt.Errorf("%s hears nothing: %w", c.name, err)
	}
	c.print("< " + string(text))
	return nil
}

func (c *chatter) leave() error {
	c.print("leaves")
	return c.conn.Close(websocket.StatusNormalClosure, "")
}

func (c *chatter) print(text string) { c.demo.print("  %-5s %s\n", c.name, text) }

// printChat prints how to talk to others.
func (d *demo) printChat() {
	d.print("Talk in two terminals, where each line is a message. Whoever has said something, or has joined, hears what is said from then on:\n\n")
	for _, name := range []string{"Ada", "Grace"} {
		d.print("  go run ./cmd/penstock ws '%s?name=%s'\n", d.chatURL(), name)
	}
	d.print("\nOr in two tabs of a browser:\n\n  %s%s%s\n\n", d.server.URL(), stagePath(d.api.ApiId), chatPath)
	d.print("{\"action\":\"join\"} tells a client its connection ID, and the page shows it. With that ID, the AWS CLI can write to the connection:\n\n")
	d.print("  printf 'Hello from the CLI' | %s post-to-connection --data fileb:///dev/stdin --connection-id=ID\n\n", demoCLI(d.server.URL()+stagePath(d.chat.ApiId), "apigatewaymanagementapi"))
}
