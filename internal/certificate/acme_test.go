package certificate_test

import (
	"testing"

	"penstock/internal/certificate"
)

// TestACMEErrors: what cannot be ordered is refused before anybody is asked.
func TestACMEErrors(t *testing.T) {
	t.Parallel()
	good := certificate.ACME{Directory: "https://127.0.0.1:1/dir", Names: []string{"a.example"}, Storage: t.TempDir(), Port: 1}
	for name, edit := range map[string]func(*certificate.ACME){
		"no directory": func(a *certificate.ACME) { a.Directory = "" },
		"no names":     func(a *certificate.ACME) { a.Names = nil },
		"no storage":   func(a *certificate.ACME) { a.Storage = "" },
		"no port":      func(a *certificate.ACME) { a.Port = 0 },
		"wildcard":     func(a *certificate.ACME) { a.Names = []string{"a.example", "*.example"} },
		"empty name":   func(a *certificate.ACME) { a.Names = []string{""} },
	} {
		a := good
		edit(&a)
		if i, err := certificate.OpenACME(a); err == nil {
			i.Close()
			t.Errorf("%s: no error", name)
		}
	}
}
