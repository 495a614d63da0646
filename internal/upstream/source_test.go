package upstream

import (
	"strings"
	"testing"
)

func TestParseRef(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ uri, want, refused string }{
		{testARN, testARN, ""},
		{testARN + "?", testARN, ""},
		{"arn:aws:servicediscovery:us-east-1:1:service/srv-1?stage=prod&color=light%20blue", "arn:aws:servicediscovery:us-east-1:1:service/srv-1?color=light+blue&stage=prod", ""},
		{"arn:aws:servicediscovery:us-east-1:1:service/srv-1?stage", "arn:aws:servicediscovery:us-east-1:1:service/srv-1?stage=", ""},
		{"arn:aws:s:r:a:b:c", "arn:aws:s:r:a:b:c", ""},
		{"", "", "is not the ARN"},
		{"http://orders.internal/", "", "is not the ARN"},
		{"arn:aws:s:r:a", "", "is not the ARN"},
		{"arn:aws:s:r:a:", "", "is not the ARN"},
		{"arn:aws:s:r:a:b c", "", "is not the ARN"},
		{testARN + "?a=1&a=2", "", `"a" is there 2 times`},
		{testARN + "?=1", "", "no name"},
		{testARN + "?a=%zz", "", "query"},
		{testARN + "?a=1;b=2", "", "query"},
		{testARN + strings.Repeat("x", 5000), "", "longer than"},
	} {
		r, err := ParseRef(tt.uri)
		if tt.refused != "" {
			if err == nil || !strings.Contains(err.Error(), tt.refused) {
				t.Errorf("%.80q: got %v, want %q", tt.uri, err, tt.refused)
			}
			continue
		}
		if err != nil || r.String() != tt.want {
			t.Errorf("%q: got %v, %v, want %q", tt.uri, r, err, tt.want)
		}
	}
}

func TestParseTarget(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		target  string
		want    Instance
		refused string
	}{
		{"http://orders-1:8080", Instance{Host: "orders-1", Port: 8080}, ""},
		{"HTTP://orders-1/", Instance{Host: "orders-1", Port: 80}, ""},
		{"https://orders.example", Instance{Host: "orders.example", Port: 443, TLS: true}, ""},
		{"orders_1:9000", Instance{Host: "orders_1", Port: 9000}, ""},
		{"[::1]:80", Instance{Host: "::1", Port: 80}, ""},
		{"https://[fd00::1]:8443", Instance{Host: "fd00::1", Port: 8443, TLS: true}, ""},
		{"orders", Instance{}, "neither a scheme nor a port"},
		{"", Instance{}, "neither a scheme nor a port"},
		{"orders:0", Instance{}, "no port between"},
		{"orders:http", Instance{}, "no port between"},
		{":80", Instance{}, "names no host"},
		{"a b:80", Instance{}, "names no host"},
		{"ftp://orders:80", Instance{}, "scheme ftp"},
		{"http://orders/path", Instance{}, "more than a host"},
		{"http://orders?x=y", Instance{}, "more than a host"},
		{"http://orders:99999", Instance{}, "no port between"},
		{"http://u:secret@orders", Instance{}, "has a user"},
		{"http://u:se%cret@orders", Instance{}, "has a user"},
	} {
		got, err := ParseTarget(tt.target)
		if got.Host != tt.want.Host || got.Port != tt.want.Port || got.TLS != tt.want.TLS ||
			(err == nil) != (tt.refused == "") || err != nil && (!strings.Contains(err.Error(), tt.refused) || strings.Contains(err.Error(), "secret")) {
			t.Errorf("%q: got %+v, %v, want %+v, %q", tt.target, got, err, tt.want, tt.refused)
		}
	}
}

func FuzzParseRef(f *testing.F) {
	f.Add(testARN + "?stage=prod&x=%20")
	f.Add("arn:aws:s:r:a:b:c?&&=")
	f.Fuzz(func(t *testing.T, uri string) {
		r, err := ParseRef(uri)
		if err != nil || len(r.String()) > maxRef {
			return
		}
		again, err := ParseRef(r.String())
		if err != nil || again.String() != r.String() {
			t.Errorf("%q is %q and then %q, %v", uri, r, again, err)
		}
	})
}

func FuzzParseTarget(f *testing.F) {
	f.Add("https://[fd00::1]:8443")
	f.Add("orders:80")
	f.Fuzz(func(t *testing.T, target string) {
		i, err := ParseTarget(target)
		if (err == nil) != (i.Host != "" && i.Port != 0 && validHost(i.Host)) {
			t.Errorf("%q: %+v, %v", target, i, err)
		}
	})
}
