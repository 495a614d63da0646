package cloudmap

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"penstock/internal/upstream"
)

// What cannot be reached is left out, and told once.
func TestSkipped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newService()
		s.instances["a"] = at("10.0.0.7", "8080")
		s.instances["b"] = at("10.0.0.8", "")
		s.instances["c"] = map[string]string{attributeAlias: "lb.test"}
		r := start(t, s, Config{})
		if got := r.mustList(t); got != "10.0.0.7:8080" {
			t.Errorf("got %s", got)
		}
		for _, want := range []string{`the instance "b" of ` + testARN + ` is left out: it has no AWS_INSTANCE_PORT`, `the instance "c"`} {
			if got := r.mustFail(t); !strings.Contains(got, want) {
				t.Errorf("got %s, want %s", got, want)
			}
		}
		s.drain()
		for range 5 {
			await(t, s.asked)
		}
		synctest.Wait()
		r.mustBeSilent(t)
		// Another reason is told again; the others are not.
		s.change(func(s *service) { s.instances["b"] = at("10.0.0.8", "http") })
		r.mustList(t)
		if got := r.mustFail(t); !strings.Contains(got, `the instance "b"`) || !strings.Contains(got, `"http" is not a port`) {
			t.Errorf("got %s", got)
		}
		s.change(func(s *service) { s.instances["b"] = at("10.0.0.8", "80") })
		if got := r.mustList(t); got != "10.0.0.7:8080 10.0.0.8:80" {
			t.Errorf("got %s", got)
		}
		s.drain()
		await(t, s.asked)
		synctest.Wait()
		r.mustBeSilent(t)
	})
}

func TestInstance(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name       string
		attributes map[string]string
		want       string
		why        string
	}{
		{"IPv4", at("10.0.0.7", "8080"), "10.0.0.7:8080", ""},
		{"IPv6", map[string]string{attributeIPv6: "2001:DB8::0007", attributePort: "8080"}, "[2001:db8::7]:8080", ""},
		{"both", at("10.0.0.7", "8080", attributeIPv6+"=2001:db8::7"), "10.0.0.7:8080", ""},
		{"both, one wrong", at("10.0.0.777", "8080", attributeIPv6+"=2001:db8::7"), "", "is not an address"},
		{"name and address", at("10.0.0.7", "8080", attributeCNAME+"=a.test"), "10.0.0.7:8080", ""},
		{"highest port", at("10.0.0.7", "65535"), "10.0.0.7:65535", ""},
		{"too high a port", at("10.0.0.7", "65536"), "", "is not a port"},
		{"port 0", at("10.0.0.7", "0"), "", "is not a port"},
		{"signed port", at("10.0.0.7", "+80"), "", "is not a port"},
		{"no port", at("10.0.0.7", ""), "", "it has no AWS_INSTANCE_PORT"},
		{"name", map[string]string{attributeCNAME: "a.test", attributePort: "80"}, "", "it has AWS_INSTANCE_CNAME and no address"},
		{"alias", map[string]string{attributeAlias: "lb.test"}, "", "refer to the listener"},
		{"nothing", nil, "", "it has neither AWS_INSTANCE_IPV4 nor AWS_INSTANCE_IPV6"},
		{"IPv6 for IPv4", at("::1", "80"), "", "AWS_INSTANCE_IPV4 \"::1\" is not an address"},
		{"IPv4 for IPv6", map[string]string{attributeIPv6: "10.0.0.7", attributePort: "80"}, "", "is not an address"},
		{"zone", map[string]string{attributeIPv6: "fe80::1%eth0", attributePort: "80"}, "", "is not an address"},
		{"host name", at("a.test", "80"), "", "is not an address"},
		{"long", at(strings.Repeat("1", 5000), "80"), "", "is not an address"},
	} {
		i, why := instance(tt.attributes)
		got := ""
		if why == "" {
			got = text([]upstream.Instance{i})
			if !maps.Equal(i.Attributes, tt.attributes) {
				t.Errorf("%s: got the attributes %v", tt.name, i.Attributes)
			}
		}
		if got != tt.want || !strings.Contains(why, tt.why) || (why == "") != (tt.why == "") || len(why) > 200 {
			t.Errorf("%s: got %q (%s), want %q (%s)", tt.name, got, why, tt.want, tt.why)
		}
	}
}

// Instances at the same place are one.
func TestSamePlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newService()
		s.instances["b"] = at("10.0.0.7", "8080", "stage=b")
		s.instances["a"] = at("10.0.0.7", "8080", "stage=a")
		s.order = slices.Reverse[[]string]
		e := await(t, start(t, s, Config{}).events)
		if len(e.list) != 1 || e.list[0].Attributes["stage"] != "a" {
			t.Errorf("got %v, want the instance a", e.list)
		}
	})
}

// As many instances as there may be are taken.
func TestMany(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newService()
		for i := range maxResults {
			s.instances[fmt.Sprintf("i-%04d", i)] = at(fmt.Sprintf("10.1.%d.%d", i/250, i%250), "80", "note="+strings.Repeat("x", 1024))
		}
		if e := await(t, start(t, s, Config{}).events); e.err != nil || len(e.list) != maxResults {
			t.Errorf("got %d instances and %v, want %d", len(e.list), e.err, maxResults)
		}
	})
}
