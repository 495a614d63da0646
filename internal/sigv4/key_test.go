package sigv4

import (
	"fmt"
	"sync"
	"testing"
)

// The cache never serves a key of another secret or scope, and stays bounded.
func TestKeyCache(t *testing.T) {
	var cache keyCache
	check := func(c Credential, s scope) {
		if got, want := cache.get(c, s), signingKey(c.SecretAccessKey, s); string(got) != string(want) {
			t.Errorf("%s %v: got %x, want %x", c.AccessKeyID, s, got, want)
		}
	}
	s := scope{"20250102", "us-east-1", "apigateway"}
	for range 2 {
		check(testCredential, s)
		check(Credential{AccessKeyID: testCredential.AccessKeyID, SecretAccessKey: "changed"}, s)
		check(temporary, s)
		check(testCredential, scope{"20250103", s.region, s.service})
		check(testCredential, scope{s.date, "eu-west-1", s.service})
		check(testCredential, scope{s.date, s.region, "execute-api"})
	}
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for i := range maxKeys + 50 {
				check(testCredential, scope{s.date, fmt.Sprintf("region-%d", i), s.service})
			}
		})
	}
	wait.Wait()
	if len(cache.keys) > maxKeys {
		t.Errorf("%d keys", len(cache.keys))
	}
}

func BenchmarkSigningKey(b *testing.B) {
	s := scope{"20250102", "us-east-1", "apigateway"}
	b.ReportAllocs()
	for b.Loop() {
		signingKey("secret", s)
	}
}
