package penstock_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"penstock"
)

// The ARNs that private integrations of tests lead to.
const (
	ordersListener = "arn:aws:elasticloadbalancing:us-east-1:" + testAccount + ":listener/app/orders/50dc6c495c0c9188/f2f7dc8efc522ab2"
	cloudMap       = "arn:aws:servicediscovery:us-east-1:" + testAccount + ":service/srv-e4anhexample0004"
)

// link makes a VPC link and returns its ID.
func (w *world) link() string {
	w.t.Helper()
	out := check[*apigatewayv2.CreateVpcLinkOutput](w.t)(w.control.CreateVpcLink(w.t.Context(), &apigatewayv2.CreateVpcLinkInput{
		Name: aws.String("link"), SubnetIds: []string{"subnet-1"},
	}))
	return *out.VpcLinkId
}

// integrated makes an HTTP API with one integration at a route, deployed as the stage dev
// and as $default, and returns its ID and that of the integration.
func (w *world) integrated(routeKey string, in *apigatewayv2.CreateIntegrationInput, authorization types.AuthorizationType) (api, integration string) {
	w.t.Helper()
	ctx, t := w.t.Context(), w.t
	id := check[*apigatewayv2.CreateApiOutput](t)(w.control.CreateApi(ctx, &apigatewayv2.CreateApiInput{Name: aws.String("test"), ProtocolType: types.ProtocolTypeHttp})).ApiId
	in.ApiId, in.PayloadFormatVersion = id, aws.String("1.0")
	integration = *check[*apigatewayv2.CreateIntegrationOutput](t)(w.control.CreateIntegration(ctx, in)).IntegrationId
	check[*apigatewayv2.CreateRouteOutput](t)(w.control.CreateRoute(ctx, &apigatewayv2.CreateRouteInput{
		ApiId: id, RouteKey: &routeKey, Target: aws.String("integrations/" + integration), AuthorizationType: authorization,
	}))
	for _, stage := range []string{"dev", "$default"} {
		check[*apigatewayv2.CreateStageOutput](t)(w.control.CreateStage(ctx, &apigatewayv2.CreateStageInput{ApiId: id, StageName: &stage, AutoDeploy: aws.Bool(true)}))
	}
	return *id, integration
}

// authority makes a certificate authority for tests and returns its certificate in PEM, and
// what makes certificates for names.
func authority(t testing.TB) (text []byte, issue func(name string) tls.Certificate) {
	t.Helper()
	key := check[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der := check[[]byte](t)(x509.CreateCertificate(rand.Reader, ca, ca, &key.PublicKey, key))
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), func(name string) tls.Certificate {
		own := check[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
		leaf := &x509.Certificate{
			SerialNumber: big.NewInt(2), DNSNames: []string{name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		}
		return tls.Certificate{Certificate: [][]byte{check[[]byte](t)(x509.CreateCertificate(rand.Reader, leaf, ca, &own.PublicKey, key))}, PrivateKey: own}
	}
}

// secure starts a backend over TLS that answers with its name and what it was asked.
func secure(t testing.TB, name string, certificate tls.Certificate) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, name+" "+r.RequestURI+" "+r.Host+" "+r.TLS.ServerName+" "+r.Header.Get("Forwarded"))
	}))
	s.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// Private integrations lead to what the configuration says of their ARNs: over TLS with the
// name to verify, with the stage in the path and the Host of the client.
func TestPrivateIntegrations(t *testing.T) {
	t.Parallel()
	ca, issue := authority(t)
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, ca, 0o600); err != nil {
		t.Fatal(err)
	}
	right := secure(t, "right", issue("orders.internal"))
	wrong := secure(t, "wrong", issue("other.internal"))
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "plain "+r.RequestURI+" "+r.Host+" "+r.Header.Get("Forwarded")+" "+r.Header.Get("Via"))
	}))
	t.Cleanup(plain.Close)
	port := func(s *httptest.Server) int { return s.Listener.Addr().(*net.TCPAddr).Port }
	w := newWorld(t, penstock.Config{
		UpstreamCAFile: file,
		Upstreams: []penstock.Upstream{
			{Match: ordersListener, Targets: []string{right.Listener.Addr().String()}},
			{Match: "arn:aws:elasticloadbalancing:*:*:listener/app/other/*", Targets: []string{wrong.Listener.Addr().String()}},
			{Match: "arn:aws:elasticloadbalancing:*:*:listener/net/down/*", Targets: []string{"127.0.0.1:1"}},
			{Match: cloudMap, Instances: []penstock.UpstreamInstance{
				{Addr: "127.0.0.1", Port: port(plain), Attrs: map[string]string{"stage": "prod"}},
				{Addr: "127.0.0.1", Port: port(right), Attrs: map[string]string{"stage": "dev"}},
			}},
		},
	})
	link := w.link()
	other := strings.ReplaceAll(ordersListener, "/orders/", "/other/")
	down := "arn:aws:elasticloadbalancing:us-east-1:" + testAccount + ":listener/net/down/1/2"
	for _, tt := range []struct {
		name, uri, serverName string
		request               map[string]string
		ask                   string
		status                int
		want                  string
		explained             string
	}{
		{"60", cloudMap + "?stage=prod", "", nil, "GET /dev/a/b?x=1", 200,
			"plain /dev/a/b?x=1 HOST for=127.0.0.1;host=HOST;proto=http HTTP/1.1 AmazonAPIGateway", plain.URL},
		{"61", cloudMap + "?stage=prod", "", map[string]string{"overwrite:path": "$request.path"}, "GET /dev/a/b?x=1", 200,
			"plain /a/b?x=1 HOST for=127.0.0.1;host=HOST;proto=http HTTP/1.1 AmazonAPIGateway", plain.URL},
		{"default stage", cloudMap + "?stage=prod", "", nil, "GET /a", 200,
			"plain /a HOST for=127.0.0.1;host=HOST;proto=http HTTP/1.1 AmazonAPIGateway", plain.URL},
		{"62", ordersListener, "orders.internal", nil, "GET /dev/a", 200,
			"right /dev/a HOST orders.internal for=127.0.0.1;host=HOST;proto=http", "https://" + right.Listener.Addr().String() + " as orders.internal"},
		{"62 wrong certificate", other, "orders.internal", nil, "GET /dev/a", 503, `{"message":"Service Unavailable"}`, ""},
		{"no instance with the attributes", cloudMap + "?stage=none", "", nil, "GET /dev/a", 503, `{"message":"Service Unavailable"}`, ""},
		{"nobody listens", down, "", nil, "GET /dev/a", 503, `{"message":"Service Unavailable"}`, ""},
		{"not configured", strings.ReplaceAll(ordersListener, "/orders/", "/unknown/"), "", nil, "GET /dev/a", 500, `{"message":"Internal Server Error"}`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := &apigatewayv2.CreateIntegrationInput{
				IntegrationType: types.IntegrationTypeHttpProxy, IntegrationMethod: aws.String("ANY"), IntegrationUri: &tt.uri,
				ConnectionType: types.ConnectionTypeVpcLink, ConnectionId: &link, RequestParameters: tt.request,
			}
			if tt.serverName != "" {
				in.TlsConfig = &types.TlsConfigInput{ServerNameToVerify: &tt.serverName}
			}
			api, _ := w.integrated("ANY /{proxy+}", in, "")
			got := w.ask(api, tt.ask)
			if want := strings.ReplaceAll(tt.want, "HOST", host(api)); got.StatusCode != tt.status || got.body != want {
				t.Errorf("got %d %q, want %d %q; %s", got.StatusCode, got.body, tt.status, want, w.explained(got))
			}
			if text := w.explained(got); !strings.Contains(text, tt.explained) {
				t.Errorf("the explanation %s does not have %q", text, tt.explained)
			}
		})
	}
}

// explained returns what the server tells of a request.
func (w *world) explained(a *answered) string {
	w.t.Helper()
	id := url.PathEscape(a.Header.Get("Apigw-Requestid"))
	// A request is recorded when its response has been sent.
	for deadline := time.Now().Add(10 * time.Second); ; {
		r, err := http.Get(w.server.AdminURL() + "/_penstock/requests/" + id)
		if err != nil {
			w.t.Fatal(err)
		}
		text, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil {
			w.t.Fatal(err)
		}
		if r.StatusCode == http.StatusOK || time.Now().After(deadline) {
			return string(text)
		}
	}
}

// 63: a VPC link that has gone answers 503, also where the deployment still names it.
func TestVpcLinkGone(t *testing.T) {
	t.Parallel()
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") }))
	t.Cleanup(backend.Close)
	w := newWorld(t, penstock.Config{Upstreams: []penstock.Upstream{{Match: "arn:*", Targets: []string{backend.URL}}}})
	link := w.link()
	ctx := t.Context()
	api, integration := w.integrated("ANY /{proxy+}", &apigatewayv2.CreateIntegrationInput{
		IntegrationType: types.IntegrationTypeHttpProxy, IntegrationMethod: aws.String("GET"), IntegrationUri: aws.String(ordersListener),
		ConnectionType: types.ConnectionTypeVpcLink, ConnectionId: &link,
	}, "")
	deployment := check[*apigatewayv2.GetStageOutput](t)(w.control.GetStage(ctx, &apigatewayv2.GetStageInput{ApiId: &api, StageName: aws.String("dev")})).DeploymentId
	if got := w.ask(api, "GET /dev/echo"); got.StatusCode != 200 {
		t.Fatalf("got %d %s: %s", got.StatusCode, got.body, w.explained(got))
	}
	// A stage that keeps its deployment goes on naming the link.
	check[*apigatewayv2.CreateStageOutput](t)(w.control.CreateStage(ctx, &apigatewayv2.CreateStageInput{ApiId: &api, StageName: aws.String("kept"), DeploymentId: deployment}))
	for _, r := range check[*apigatewayv2.GetRoutesOutput](t)(w.control.GetRoutes(ctx, &apigatewayv2.GetRoutesInput{ApiId: &api})).Items {
		check[*apigatewayv2.DeleteRouteOutput](t)(w.control.DeleteRoute(ctx, &apigatewayv2.DeleteRouteInput{ApiId: &api, RouteId: r.RouteId}))
	}
	check[*apigatewayv2.DeleteIntegrationOutput](t)(w.control.DeleteIntegration(ctx, &apigatewayv2.DeleteIntegrationInput{ApiId: &api, IntegrationId: &integration}))
	if _, err := w.control.DeleteVpcLink(ctx, &apigatewayv2.DeleteVpcLinkInput{VpcLinkId: &link}); err != nil {
		t.Fatal(err)
	}
	got := w.ask(api, "GET /kept/echo")
	if got.StatusCode != 503 || got.body != `{"message":"Service Unavailable"}` {
		t.Errorf("got %d %s", got.StatusCode, got.body)
	}
	if text := w.explained(got); !strings.Contains(text, "VPC link "+link+" does not exist") {
		t.Errorf("the explanation does not say why: %s", text)
	}
}

// An integration with a subtype calls the service at the endpoint of the configuration, signed
// as the role that it names; a role that the configuration does not know calls nothing.
func TestServiceIntegrations(t *testing.T) {
	t.Parallel()
	const role = "arn:aws:iam::" + testAccount + ":role/sender"
	asked := make(chan *http.Request, 1)
	var body []byte
	sqs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ = io.ReadAll(r.Body)
		asked <- r
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		io.WriteString(w, `{"MessageId":"m-1","MD5OfMessageBody":"5d41402abc4b2a76b9719d911017c592"}`)
	}))
	t.Cleanup(sqs.Close)
	w := newWorld(t, penstock.Config{
		Endpoints: map[string]string{"sqs": sqs.URL},
		Roles:     []penstock.Role{{ARN: role, AccessKeyID: "AKIDSENDER", SecretAccessKey: "hush"}},
	})
	queue := map[string]string{"QueueUrl": "https://sqs.us-east-1.amazonaws.com/" + testAccount + "/q", "MessageBody": "$request.body.text", "Region": "eu-west-1"}
	in := func(role string) *apigatewayv2.CreateIntegrationInput {
		return &apigatewayv2.CreateIntegrationInput{
			IntegrationType: types.IntegrationTypeAwsProxy, IntegrationSubtype: aws.String("SQS-SendMessage"), CredentialsArn: &role, RequestParameters: queue,
			ResponseParameters: map[string]map[string]string{"200": {"overwrite:statuscode": "202"}},
		}
	}
	api, _ := w.integrated("POST /send", in(role), "")
	got := w.ask(api, "POST /send", "", `{"text":"hello"}`)
	if got.StatusCode != 202 || !strings.Contains(got.body, "<MessageId>m-1</MessageId>") || got.Header.Get("Content-Type") != "text/xml" {
		t.Fatalf("got %d %s %v: %s", got.StatusCode, got.body, got.Header, w.explained(got))
	}
	r := <-asked
	if want := `{"QueueUrl":"` + queue["QueueUrl"] + `","MessageBody":"hello"}`; string(body) != want {
		t.Errorf("the service got %s, want %s", body, want)
	}
	if a := r.Header.Get("Authorization"); r.Header.Get("X-Amz-Target") != "AmazonSQS.SendMessage" || !strings.Contains(a, "Credential=AKIDSENDER/") || !strings.Contains(a, "/eu-west-1/sqs/aws4_request") {
		t.Errorf("the service got %v", r.Header)
	}
	text := w.explained(got)
	for _, want := range []string{sqs.URL, "SendMessage", role, "AKIDSENDER"} {
		if !strings.Contains(text, want) {
			t.Errorf("the explanation %s does not have %q", text, want)
		}
	}
	if strings.Contains(text, "hush") {
		t.Errorf("the explanation has the secret: %s", text)
	}
	api, _ = w.integrated("POST /send", in("arn:aws:iam::"+testAccount+":role/nobody"), "")
	got = w.ask(api, "POST /send", "", `{"text":"hello"}`)
	if got.StatusCode != 500 || got.body != `{"message":"Internal Server Error"}` || !strings.Contains(w.explained(got), "role/nobody") {
		t.Errorf("an unknown role: got %d %s: %s", got.StatusCode, got.body, w.explained(got))
	}
	select {
	case r := <-asked:
		t.Errorf("an unknown role: the service got %v", r.Header)
	default:
	}
	// What cannot be resolved calls nothing.
	api, _ = w.integrated("POST /send", in(role), "")
	if got = w.ask(api, "POST /send", "", `{"other":"hello"}`); got.StatusCode != 400 {
		t.Errorf("without the value: got %d %s", got.StatusCode, got.body)
	}
}
