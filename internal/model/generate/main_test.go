package main

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// The files in the tree are what the generator writes today, no more and no less.
func TestGeneratedFilesAreCurrent(t *testing.T) {
	files, err := generate("../service.json", "../overlay.json")
	if err != nil {
		t.Fatal(err)
	}
	again, err := generate("../service.json", "../overlay.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		if !bytes.Equal(want, again[name]) {
			t.Errorf("%s: two runs differ", name)
		}
		got, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what the generator writes: run go generate ./internal/model", name)
		}
	}
	found, err := filepath.Glob("../*_gen.go")
	if err != nil {
		t.Fatal(err)
	}
	for i := range found {
		found[i] = filepath.Base(found[i])
	}
	if want := slices.Sorted(maps.Keys(files)); !slices.Equal(found, want) {
		t.Errorf("generated files: got %v, want %v", found, want)
	}
}

func TestNames(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"ApiId", "APIID"},
		{"Api", "API"},
		{"IntegrationUri", "IntegrationURI"},
		{"AuthorizerResultTtlInSeconds", "AuthorizerResultTTLInSeconds"},
		{"SubnetIds", "SubnetIDs"},
		{"IncludedPortalProductArns", "IncludedPortalProductARNs"},
		{"JWTConfiguration", "JWTConfiguration"},
		{"ACMManaged", "ACMManaged"},
		{"MutualTlsAuthentication", "MutualTLSAuthentication"},
		{"GetApisRequest", "GetAPIsRequest"},
		{"body", "Body"},
	} {
		if got := goName(tt.in); got != tt.want {
			t.Errorf("goName(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
	for _, tt := range []struct{ in, want string }{
		{"HTTP_PROXY", "HTTPProxy"},
		{"TLS_1_2", "TLS12"},
		{"ipv4", "Ipv4"},
		{"WHEN_NO_MATCH", "WhenNoMatch"},
	} {
		if got := enumName(tt.in); got != tt.want {
			t.Errorf("enumName(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}
