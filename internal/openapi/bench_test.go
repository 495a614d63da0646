package openapi

import (
	"fmt"
	"testing"

	"penstock/internal/model"
)

// large is an API with as many routes as there may be.
func large(routes int) (*model.API, *model.Resources) {
	api, r := sample()
	r.Routes = map[string]*model.Route{}
	for i := range routes {
		r.Routes[fmt.Sprint("r", i)] = &model.Route{RouteKey: new(fmt.Sprintf("GET /things%d/{id}", i)), OperationName: new(fmt.Sprint("get", i)),
			AuthorizationType: new("JWT"), AuthorizerID: new("a1"), AuthorizationScopes: []string{"read"}, Target: new("integrations/i2")}
	}
	return api, r
}

func exportLarge(t testing.TB, routes int, yaml bool) string {
	t.Helper()
	api, r := large(routes)
	document, err := Export(api, r, ExportOptions{YAML: yaml, Extensions: true, Endpoint: endpoint})
	if err != nil {
		t.Fatal(err)
	}
	return string(document)
}

// A document with more routes than any quota has is imported all the same: the
// control plane says how many there may be.
func TestManyRoutes(t *testing.T) {
	t.Parallel()
	for _, yaml := range []bool{false, true} {
		d, err := Import(exportLarge(t, 2000, yaml), testOptions)
		if err != nil {
			t.Fatal(err)
		}
		if len(d.Routes) != 2000 || len(d.Integrations) != 2000 || len(d.Warnings)+len(d.Info) > 0 {
			t.Errorf("got %d routes, %d integrations, %q, %q", len(d.Routes), len(d.Integrations), d.Warnings, d.Info)
		}
	}
}

func BenchmarkImport(b *testing.B) {
	for name, yaml := range map[string]bool{"JSON": false, "YAML": true} {
		b.Run(name, func(b *testing.B) {
			document := exportLarge(b, 300, yaml)
			b.SetBytes(int64(len(document)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Import(document, testOptions); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkExport(b *testing.B) {
	api, r := large(300)
	for name, yaml := range map[string]bool{"JSON": false, "YAML": true} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Export(api, r, ExportOptions{YAML: yaml, Extensions: true, Endpoint: endpoint}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
