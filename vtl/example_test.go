package vtl_test

import (
	"context"
	"fmt"

	"penstock/vtl"
)

func Example() {
	template, err := vtl.Parse("{\"id\": $input.json('$.id'), \"stage\": \"$context.stage\"}")
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := template.Render(context.Background(), vtl.Data{
		Body:    []byte("{\"id\": 7}"),
		Context: vtl.Values{{Name: "stage", Value: "live"}},
	})
	fmt.Printf("%s %v\n", result.Text, err)
	// Output: {"id": 7, "stage": "live"} <nil>
}

// A template can change the answer that it is for.
func ExampleOverrides() {
	template, err := vtl.Parse("#set($context.responseOverride.status = 404)\n{\"message\": \"no such pet\"}")
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := template.Render(context.Background(), vtl.Data{})
	fmt.Printf("%d %s %v\n", result.Overrides.Response().Status, result.Text, err)
	// Output: 404 {"message": "no such pet"} <nil>
}
