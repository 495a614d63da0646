package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"penstock/internal/sigv4"
)

// volatile matches what is different each time in what the chat sends.
var volatile = regexp.MustCompile(`"(at|connectionId)":"[^"]*"`)

// steady returns a line of the chat without what is different each time.
func steady(line string) string { return volatile.ReplaceAllString(line, `"$1":""`) }

// A talker is penstock ws in a process of its own.
type talker struct {
	t     *testing.T
	name  string
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines *bufio.Reader
}

func startTalker(t *testing.T, name, url string) *talker {
	t.Helper()
	a := &talker{t: t, name: name, cmd: command(t, "ws", url)}
	out, err := a.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	a.lines = bufio.NewReader(out)
	if a.in, err = a.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := a.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(50*time.Second, func() { a.cmd.Process.Kill() })
	t.Cleanup(func() {
		timer.Stop()
		a.cmd.Process.Kill() // nothing, if it has ended
	})
	return a
}

func (a *talker) types(line string) {
	a.t.Helper()
	if _, err := io.WriteString(a.in, line+"\n"); err != nil {
		a.t.Fatal(err)
	}
}

func (a *talker) hears(want string) (line string) {
	a.t.Helper()
	line, err := a.lines.ReadString('\n')
	if line = strings.TrimSuffix(line, "\n"); err != nil || steady(line) != want {
		a.t.Fatalf("%s hears %q, %v, want %q", a.name, line, err, want)
	}
	return line
}

// ends closes the input and waits for the end.
func (a *talker) ends() {
	a.t.Helper()
	a.in.Close()
	if err := a.cmd.Wait(); err != nil {
		a.t.Errorf("%s: %v", a.name, err)
	}
}

// TestDemoChat does what the demo says of its chat.
func TestDemoChat(t *testing.T) {
	t.Parallel()
	c, text := startDemo(t)
	var shown []string
	for _, m := range regexp.MustCompile(`(?m)^  ((?:Ada|Grace) .*)$`).FindAllStringSubmatch(text, -1) {
		if !strings.Contains(m[1], "connected to ") {
			shown = append(shown, steady(strings.Join(strings.Fields(m[1]), " ")))
		}
	}
	if want := []string{
		`Ada > {"action":"join"}`,
		`Ada < {"you":"Ada","connectionId":""}`,
		`Ada < {"from":"Ada","joined":true,"at":""}`,
		`Grace > {"action":"join"}`,
		`Grace < {"you":"Grace","connectionId":""}`,
		`Grace < {"from":"Grace","joined":true,"at":""}`,
		`Ada < {"from":"Grace","joined":true,"at":""}`,
		`Ada > {"action":"say","text":"Is anybody there?"}`,
		`Ada < {"from":"Ada","text":"Is anybody there?","at":""}`,
		`Grace < {"from":"Ada","text":"Is anybody there?","at":""}`,
		`Grace > A line without JSON goes to $default.`,
		`Ada < {"from":"Grace","text":"A line without JSON goes to $default.","at":""}`,
		`Grace < {"from":"Grace","text":"A line without JSON goes to $default.","at":""}`,
		`Grace leaves`,
		`Ada < {"from":"Grace","left":true,"at":""}`,
		`Ada leaves`,
	}; !slices.Equal(shown, want) {
		t.Errorf("the demo shows\n%s\nwant\n%s", strings.Join(shown, "\n"), strings.Join(want, "\n"))
	}

	find := func(line string) []string {
		m := regexp.MustCompile(`(?m)^  ` + line + `$`).FindStringSubmatch(text)
		if m == nil {
			t.Fatalf("no line %s in:\n%s", line, text)
		}
		return m
	}
	ada := startTalker(t, "Ada", find(`go run ./cmd/penstock ws '(\S+\?name=Ada)'`)[1])
	ada.types("Who is <here>?")
	ada.hears(`{"from":"Ada","text":"Who is <here>?","at":""}`)
	grace := startTalker(t, "Grace", find(`go run ./cmd/penstock ws '(\S+\?name=Grace)'`)[1])
	grace.types(`{"action":"say","text":"I am."}`)
	for _, one := range []*talker{ada, grace} {
		one.hears(`{"from":"Grace","text":"I am.","at":""}`)
	}
	var verse []string
	for i := range 20 {
		verse = append(verse, fmt.Sprint("line ", i))
	}
	grace.types(strings.Join(verse, "\n"))
	for _, line := range verse {
		for _, one := range []*talker{ada, grace} {
			one.hears(`{"from":"Grace","text":"` + line + `","at":""}`)
		}
	}
	ada.types(`{"action":"join","name":"Countess"}`)
	var known struct{ ConnectionID string }
	if err := json.Unmarshal([]byte(ada.hears(`{"you":"Countess","connectionId":""}`)), &known); err != nil {
		t.Fatal(err)
	}
	for _, one := range []*talker{ada, grace} {
		one.hears(`{"from":"Countess","joined":true,"at":""}`)
	}

	cli := find(`printf '(.*)' \| AWS_ACCESS_KEY_ID=demo AWS_SECRET_ACCESS_KEY=demo aws --region us-east-1 --endpoint-url (\S+) apigatewaymanagementapi post-to-connection --data fileb:///dev/stdin --connection-id=ID`)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, cli[2]+"/@connections/"+known.ConnectionID, strings.NewReader(cli[1]))
	if err != nil {
		t.Fatal(err)
	}
	signer := sigv4.Signer{Credential: sigv4.Credential{AccessKeyID: "demo", SecretAccessKey: "demo"}, Region: "us-east-1", Service: "execute-api"}
	if err := signer.Sign(r, []byte(cli[1])); err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if answer := read(t, resp); resp.StatusCode != http.StatusOK {
		t.Errorf("post-to-connection: %s %s", resp.Status, answer)
	}
	ada.hears(cli[1])

	page := find(`(http://127.0.0.1:\d+/_aws/execute-api/[a-z0-9]+/live/chat)`)[1]
	resp, err = http.Get(page)
	if err != nil {
		t.Fatal(err)
	}
	html := read(t, resp)
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/html; charset=utf-8" || !strings.HasPrefix(resp.Header.Get("Content-Security-Policy"), "default-src 'none';") {
		t.Errorf("the page: %s, header %v", resp.Status, resp.Header)
	}
	if m := regexp.MustCompile(`(?i)innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|src=|url\(|@import|https?:/`).FindString(html); m != "" {
		t.Errorf("the page has %q: it takes nothing from elsewhere, and makes no markup of what is said", m)
	}
	addresses := regexp.MustCompile(`data-socket="(ws://[^"?]+/live)" data-path="(/_aws/execute-api/[a-z0-9]+/live)"`).FindStringSubmatch(html)
	if addresses == nil {
		t.Fatalf("the page does not know where the chat is:\n%s", html)
	}
	if !strings.Contains(text, " ws '"+addresses[1]+"?name=Ada'") {
		t.Errorf("the page connects to %s, the demo says otherwise", addresses[1])
	}
	conn, _, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(page[:strings.Index(page, "/_aws/")], "http")+addresses[2], nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	for _, tt := range []struct{ say, want string }{
		{`{"action":"say","text":" "}`, `{"error":"there is no text"}`},
		{`{"action":"say","text":5}`, `{"error":"the message is not JSON, or its name or text is not a string"}`},
		{strings.Repeat("x", maxChatText+1), `{"error":"the text has more than 4096 bytes"}`},
	} {
		if err := conn.Write(t.Context(), websocket.MessageText, []byte(tt.say)); err != nil {
			t.Fatal(err)
		}
		if _, got, err := conn.Read(t.Context()); err != nil || string(got) != tt.want {
			t.Errorf("%.40s: got %s, %v, want %s", tt.say, got, err, tt.want)
		}
	}
	if err := conn.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Error(err)
	}
	// It has not been in the room, but that it leaves is heard there.
	for _, one := range []*talker{ada, grace} {
		if line, err := one.lines.ReadString('\n'); err != nil || !regexp.MustCompile(`^\{"from":"guest-[\w-]{4}","left":true,`).MatchString(line) {
			t.Errorf("%s hears %q, %v", one.name, line, err)
		}
	}
	grace.ends()
	ada.hears(`{"from":"Grace","left":true,"at":""}`)
	ada.ends()
	c.signal(t, syscall.SIGINT)
	if status, out := c.end(t, 20*time.Second); status != 0 || out != "" {
		t.Errorf("exit status %d, %q", status, out)
	}
	if log := c.log.String(); log != "" {
		t.Errorf("the demo logs %s", log)
	}
}

// asked serves a function's requests one after the other, and returns its URL.
func asked(t *testing.T, handle func(w http.ResponseWriter, r *http.Request, body []byte)) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		handle(w, r, body)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// The function asks for what each event needs, signed, and nothing else.
func TestChatFunction(t *testing.T) {
	t.Parallel()
	const (
		member  = `PUT /_aws/execute-api/a1/live/@groups/room/abcdefghijklmn8= ""`
		room    = `POST /_aws/execute-api/a1/live/@groups/room `
		oneself = `POST /_aws/execute-api/a1/live/@connections/abcdefghijklmn8= `
		at      = `"at":"2023-11-14T22:13:20.123Z"}"`
	)
	variables := map[string]string{"AWS_ACCESS_KEY_ID": "AKIDADA", "AWS_SECRET_ACCESS_KEY": "hush", "AWS_SESSION_TOKEN": "token", "AWS_REGION": "us-east-1"}
	for _, tt := range []struct {
		name, route, called, body string
		status                    int // of each answer; 0 is 200
		want                      []string
		fails                     bool
	}{
		{"a line", "$default", "Ada", "hi", 0, []string{member, room + `"{"from":"Ada","text":"hi",` + at}, false},
		{"JSON for no route", "$default", "Ada", `{"action":"<b>"}`, 0, []string{member, room + `"{"from":"Ada","text":"{\"action\":\"<b>\"}",` + at}, false},
		{"a guest", "$default", "", "hi", 0, []string{member, room + `"{"from":"guest-abcd","text":"hi",` + at}, false},
		{"say", "say", "Ada", `{"text":"hi"}`, 0, []string{member, room + `"{"from":"Ada","text":"hi",` + at}, false},
		{"say under a name", "say", "Ada", `{"name":"Grace","text":"hi"}`, 0, []string{member, room + `"{"from":"Grace","text":"hi",` + at}, false},
		{"join", "join", "Ada", `{}`, 0, []string{member, oneself + `"{"you":"Ada","connectionId":"abcdefghijklmn8="}"`, room + `"{"from":"Ada","joined":true,` + at}, false},
		{"join under a name", "join", "", `{"name":"Grace"}`, 0, []string{member, oneself + `"{"you":"Grace","connectionId":"abcdefghijklmn8="}"`, room + `"{"from":"Grace","joined":true,` + at}, false},
		{"leave", "$disconnect", "Ada", "", 0, []string{room + `"{"from":"Ada","left":true,` + at}, false},
		{"no text", "say", "Ada", `{"name":"x"}`, 0, []string{oneself + `"{"error":"there is no text"}"`}, false},
		{"blank line", "$default", "Ada", " \t", 0, []string{oneself + `"{"error":"there is no text"}"`}, false},
		{"no JSON", "say", "Ada", `{action:say}`, 0, []string{oneself + `"{"error":"the message is not JSON, or its name or text is not a string"}"`}, false},
		{"longest text", "$default", "Ada", strings.Repeat("x", 4096), 0, []string{member, room + `"{"from":"Ada","text":"` + strings.Repeat("x", 4096) + `",` + at}, false},
		{"too long a text", "$default", "Ada", strings.Repeat("x", 4097), 0, []string{oneself + `"{"error":"the text has more than 4096 bytes"}"`}, false},
		{"gone", "$default", "Ada", "hi", 410, []string{member, room + `"{"from":"Ada","text":"hi",` + at}, false},
		{"refused", "$default", "Ada", "hi", 403, []string{member}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			verifier := sigv4.NewVerifier(sigv4.Options{Service: "execute-api", Region: "us-east-1", Lookup: func(id string) (sigv4.Credential, bool) {
				return sigv4.Credential{AccessKeyID: "AKIDADA", SecretAccessKey: "hush", SessionToken: "token"}, id == "AKIDADA"
			}})
			server := asked(t, func(w http.ResponseWriter, r *http.Request, body []byte) {
				if _, err := verifier.Verify(r, body); err != nil {
					t.Errorf("%s: %v", r.RequestURI, err)
				}
				got = append(got, fmt.Sprintf(`%s %s "%s"`, r.Method, r.RequestURI, body))
				if tt.status != 0 {
					w.WriteHeader(tt.status)
				}
			})
			event := &chatEvent{Body: tt.body}
			e := &event.Context
			e.RouteKey, e.APIID, e.Stage, e.ConnectionID, e.Time, e.Authorizer.Name = tt.route, "a1", "live", "abcdefghijklmn8=", 1700000000123, tt.called
			answer, err := newChat(func(name string) string {
				if name == "SERVER" {
					return server
				}
				return variables[name]
			}).handle(t.Context(), event)
			if (err != nil) != tt.fails {
				t.Errorf("error %v", err)
			}
			if text, _ := json.Marshal(answer); string(text) != `{"statusCode":200}` {
				t.Errorf("answer %s", text)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

func TestChatAuthorizer(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ query, want string }{
		{`{}`, "guest-abcd"},
		{`{"name":""}`, "guest-abcd"},
		{`{"name":"Ada"}`, "Ada"},
		{`{"name":"  Ada \t\n Lovelace "}`, "Ada Lovelace"},
		{`{"name":"\u001b[2J\u202eAda"}`, "[2J Ada"},
		{`{"name":"\u202e\u0000"}`, "guest-abcd"},
		{`{"name":"Zoë 😀"}`, "Zoë 😀"},
		{`{"name":"` + strings.Repeat("ä", 41) + `"}`, strings.Repeat("ä", 40)},
		{`{"name":"` + strings.Repeat("x", 39) + ` yz"}`, strings.Repeat("x", 39)},
	} {
		var e chatEvent
		event := `{"type":"REQUEST","methodArn":"arn:aws:execute-api:us-east-1:000000000000:a1/live/$connect","queryStringParameters":` + tt.query + `,"requestContext":{"connectionId":"abcdefghijklmn8="}}`
		if err := json.Unmarshal([]byte(event), &e); err != nil {
			t.Fatal(err)
		}
		answer, err := newChat(func(string) string { return "" }).handle(t.Context(), &e)
		if err != nil {
			t.Error(err)
		}
		text, err := json.Marshal(answer)
		want := fmt.Sprintf(`{"principalId":%q,"policyDocument":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"arn:aws:execute-api:us-east-1:000000000000:a1/live/$connect"}]},"context":{"name":%[1]q}}`, tt.want)
		if err != nil || string(text) != want {
			t.Errorf("%s: got %s, %v, want %s", tt.query, text, err, want)
		}
	}
}
