package penstock_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"penstock"
)

// An API is created with the AWS SDK and called at once.
func Example() {
	s, err := penstock.Open(penstock.Config{Memory: true, Listen: "127.0.0.1:0", Admin: "127.0.0.1:0"})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()

	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "the backend got %s %s", r.Method, r.URL)
	}))
	defer backend.Close()

	client := apigatewayv2.New(apigatewayv2.Options{
		BaseEndpoint: aws.String(s.AdminURL()),
		Region:       "us-east-1",
		Credentials:  credentials.NewStaticCredentialsProvider("any", "any", ""),
	})
	api, err := client.CreateApi(context.Background(), &apigatewayv2.CreateApiInput{
		Name:         aws.String("pets"),
		ProtocolType: types.ProtocolTypeHttp,
		Target:       aws.String(backend.URL),
	})
	if err != nil {
		log.Fatal(err)
	}

	resp, err := s.Client().Get(*api.ApiEndpoint + "/pets/7?verbose=true")
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.Status)
	fmt.Println(string(body))
	// Output:
	// 200 OK
	// the backend got GET /pets/7?verbose=true
}
