package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	lambdafunction "github.com/aws/aws-lambda-go/lambda"

	"penstock/internal/sigv4"
)

// chatHandler is the handler of the function behind the chat, which this program is, too.
const chatHandler = "penstock.demo.chat"

const (
	// chatRoom is the group of the connections that hear what is said.
	chatRoom = "room"
	// A name has this many characters at most, and a text this many bytes.
	maxChatName = 40
	maxChatText = 4096
	// chatCallTimeout is how long one request of the function may take.
	chatCallTimeout = 5 * time.Second
	// chatTime is how messages write when they came.
	chatTime = "2006-01-02T15:04:05.000Z"
)

// A chatEvent is what the function is called with: an event of a connection, or what its
// authorizer is asked.
type chatEvent struct {
	Type    string            `json:"type"` // REQUEST, for an authorizer
	ARN     string            `json:"methodArn"`
	Query   map[string]string `json:"queryStringParameters"`
	Context struct {
		RouteKey     string `json:"routeKey"`
		APIID        string `json:"apiId"`
		Stage        string `json:"stage"`
		ConnectionID string `json:"connectionId"`
		Time         int64  `json:"requestTimeEpoch"` // in milliseconds
		Authorizer   struct {
			Name string `json:"name"`
		} `json:"authorizer"`
	} `json:"requestContext"`
	Body string `json:"body"`
}

// A chatMessage is what the room hears.
type chatMessage struct {
	From   string `json:"from"`
	Text   string `json:"text,omitempty"`
	Joined bool   `json:"joined,omitempty"`
	Left   bool   `json:"left,omitempty"`
	At     string `json:"at"`
}

// A chat is the function behind the chat. Any number of processes may be it at one time:
// who is in the room the gateway knows, and names are in the events.
type chat struct {
	server string // URL
	signer *sigv4.Signer
	http   *http.Client
}

// newChat returns what the environment of the function describes.
func newChat(getenv func(string) string) *chat {
	return &chat{
		server: getenv("SERVER"),
		signer: &sigv4.Signer{
			Credential: sigv4.Credential{
				AccessKeyID: getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: getenv("AWS_SECRET_ACCESS_KEY"), SessionToken: getenv("AWS_SESSION_TOKEN"),
			},
			Region: getenv("AWS_REGION"), Service: "execute-api",
		},
		http: &http.Client{Timeout: chatCallTimeout},
	}
}

// serveChat answers invocations until the process is ended.
func serveChat(getenv func(string) string) { lambdafunction.Start(newChat(getenv).handle) }

// handle answers the authorizer, and takes the events of all routes but $connect.
func (c *chat) handle(ctx context.Context, e *chatEvent) (any, error) {
	if e.Type == "REQUEST" {
		return admit(e), nil
	}
	var err error
	switch e.Context.RouteKey {
	case "join", "say":
		err = c.take(ctx, e)
	case "$disconnect":
		err = c.tell(ctx, e, chatMessage{From: e.name(""), Left: true})
	default:
		err = c.say(ctx, e, e.name(""), e.Body)
	}
	return map[string]int{"statusCode": http.StatusOK}, err
}

// take takes a message that says what it is for.
func (c *chat) take(ctx context.Context, e *chatEvent) error {
	var m struct{ Name, Text string }
	if err := json.Unmarshal([]byte(e.Body), &m); err != nil {
		return c.refuse(ctx, e, "the message is not JSON, or its name or text is not a string")
	}
	name := e.name(m.Name)
	if e.Context.RouteKey == "say" {
		return c.say(ctx, e, name, m.Text)
	}
	if err := c.enter(ctx, e); err != nil {
		return err
	}
	if err := c.answer(ctx, e, struct {
		You          string `json:"you"`
		ConnectionID string `json:"connectionId"`
	}{name, e.Context.ConnectionID}); err != nil {
		return err
	}
	return c.tell(ctx, e, chatMessage{From: name, Joined: true})
}

// say has the room hear a text. Whoever says something is in the room from then on.
func (c *chat) say(ctx context.Context, e *chatEvent, name, text string) error {
	switch {
	case strings.TrimSpace(text) == "":
		return c.refuse(ctx, e, "there is no text")
	case len(text) > maxChatText:
		return c.refuse(ctx, e, fmt.Sprintf("the text has more than %d bytes", maxChatText))
	}
	if err := c.enter(ctx, e); err != nil {
		return err
	}
	return c.tell(ctx, e, chatMessage{From: name, Text: text})
}

// enter puts the connection into the room, if it is not there.
func (c *chat) enter(ctx context.Context, e *chatEvent) error {
	return c.call(ctx, e, http.MethodPut, "@groups/"+chatRoom+"/"+url.PathEscape(e.Context.ConnectionID), nil)
}

// tell has the room hear a message.
func (c *chat) tell(ctx context.Context, e *chatEvent, m chatMessage) error {
	m.At = time.UnixMilli(e.Context.Time).UTC().Format(chatTime)
	return c.call(ctx, e, http.MethodPost, "@groups/"+chatRoom, m)
}

// answer sends something to the connection that the event is from.
func (c *chat) answer(ctx context.Context, e *chatEvent, value any) error {
	return c.call(ctx, e, http.MethodPost, "@connections/"+url.PathEscape(e.Context.ConnectionID), value)
}

// refuse tells the client why nobody hears its message.
func (c *chat) refuse(ctx context.Context, e *chatEvent, why string) error {
	return c.answer(ctx, e, map[string]string{"error": why})
}

// call makes a request about connections of the stage, signed. That a connection has gone
// meanwhile is no error.
func (c *chat) call(ctx context.Context, e *chatEvent, method, path string, value any) error {
	var body bytes.Buffer
	if value != nil {
		encoder := json.NewEncoder(&body)
		encoder.SetEscapeHTML(false) // people read it in terminals
		if err := encoder.Encode(value); err != nil {
			return err
		}
		body.Truncate(body.Len() - 1) // the end of the line
	}
	target := strings.Join([]string{c.server, "_aws", "execute-api", e.Context.APIID, e.Context.Stage, path}, "/")
	r, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body.Bytes()))
	if err != nil {
		return err
	}
	if err := c.signer.Sign(r, body.Bytes()); err != nil {
		return err
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
	if err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 && resp.StatusCode != http.StatusGone {
		return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, text)
	}
	return nil
}

// admit is the answer of the authorizer: everybody may connect. Each event of the
// connection then has the name, so that nobody need remember it.
func admit(e *chatEvent) any {
	type statement struct{ Effect, Action, Resource string }
	type policy struct {
		Version   string
		Statement []statement
	}
	name := e.name(e.Query["name"])
	return struct {
		PrincipalID    string            `json:"principalId"`
		PolicyDocument policy            `json:"policyDocument"`
		Context        map[string]string `json:"context"`
	}{name, policy{"2012-10-17", []statement{{"Allow", "execute-api:Invoke", e.ARN}}}, map[string]string{"name": name}}
}

// name returns what the client is called: as the message says, or else as its handshake
// said, or else as a guest.
func (e *chatEvent) name(given string) string {
	id := e.Context.ConnectionID
	return cmp.Or(chatName(given), chatName(e.Context.Authorizer.Name), "guest-"+id[:min(4, len(id))])
}

// chatName returns a name as it is shown: in one line, and not too long. It is empty if
// there is nothing to show.
func chatName(name string) string {
	name = strings.Join(strings.FieldsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }), " ")
	if all := []rune(name); len(all) > maxChatName {
		name = strings.TrimSpace(string(all[:maxChatName]))
	}
	return name
}
